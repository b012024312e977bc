package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// answerWithin bounds one command of a session: a little longer than the daemon
// gives it, so that its own word on what took so long arrives.
const answerWithin = 35 * time.Second

// session is one link to the daemon, for a command that has more than one thing
// to ask.
type session struct {
	client *link.Client
	cfg    Config
	hangUp func()
}

// connect opens a link. That no daemon is there is known at once, not waited for.
func (a *app) connect(ctx context.Context) (*session, error) {
	cfg, err := a.load(nil)
	if err != nil {
		return nil, err
	}
	return attach(ctx, cfg)
}

// attach opens a link to the daemon of a configuration.
func attach(ctx context.Context, cfg Config) (*session, error) {
	client := link.NewClient(link.ClientOptions{Socket: cfg.Link.Socket})
	hangUp := running(ctx, client)
	select {
	case u := <-client.Updates():
		if !u.Connected {
			hangUp()
			return nil, u.Err
		}
	case <-ctx.Done():
		hangUp()
		return nil, errBrokenOff
	}
	return &session{client: client, cfg: cfg, hangUp: hangUp}, nil
}

// running starts a client; what it returns ends it.
func running(ctx context.Context, client *link.Client) (hangUp func()) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		_ = client.Run(life) // what it returns was told as an Update
	}()
	return func() { cancel(); <-ran }
}

// errBrokenOff is the answer to ctrl-c.
var errBrokenOff = errors.New("broken off: nothing was changed")

// do asks the daemon to carry out a command, once, however often the link is lost.
func (s *session) do(ctx context.Context, verb string, args, result any) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return s.client.Do(ctx, verb, args, result)
}

// status is the newest state, of one campaign unless its id or name is "".
func (s *session) status(ctx context.Context, campaign string) (*link.Snapshot, error) {
	var snapshot link.Snapshot
	if err := s.do(ctx, link.VerbStatus, link.StatusArgs{Campaign: campaign}, &snapshot); err != nil {
		return nil, err
	}
	return &snapshot, nil
}

// campaign is the newest state of one campaign.
func (s *session) campaign(ctx context.Context, id idArg) (*link.Campaign, error) {
	snapshot, err := s.status(ctx, string(id))
	if err != nil {
		return nil, err
	}
	if len(snapshot.Campaigns) != 1 {
		return nil, fmt.Errorf("there is nothing to show of %s yet: `tickwatch campaign list` lists what there is", wa.Clean(string(id)))
	}
	return &snapshot.Campaigns[0], nil
}

// idArg names something by id or name. An empty one is an error, never "all":
// a script's variable may be empty.
type idArg string

// UnmarshalText takes it from the command line.
func (i *idArg) UnmarshalText(text []byte) error {
	if *i = idArg(strings.TrimSpace(string(text))); *i == "" {
		return errors.New("is empty: give an id or a name")
	}
	return nil
}

// templateArg names a template.
type templateArg link.TemplateRef

// UnmarshalText takes it from the command line.
func (t *templateArg) UnmarshalText(text []byte) error {
	name, language, ok := strings.Cut(strings.TrimSpace(string(text)), "/")
	if !ok || name == "" || language == "" || strings.Contains(language, "/") {
		return fmt.Errorf("%.60q names no template: give its name and language, such as autumn_offer/pt_PT", wa.Clean(string(text)))
	}
	t.Name, t.Language = name, language
	return nil
}

func (t *templateArg) ref() *link.TemplateRef { return (*link.TemplateRef)(t) }

func templateText(t *link.TemplateRef) string {
	if t == nil {
		return "no template"
	}
	return wa.Clean(t.Name + "/" + t.Language)
}

// zoneName is the name of this process's time zone; "" where the machine does
// not tell.
func zoneName() string {
	if name := time.Local.String(); name != "Local" {
		return name
	}
	target, err := os.Readlink("/etc/localtime")
	if err != nil {
		return ""
	}
	_, name, _ := strings.Cut(filepath.ToSlash(target), "zoneinfo/")
	return name
}
