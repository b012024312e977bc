package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"tickwatch/wa"
)

// leftBehind is how many sends of one place may go unanswered before no other is
// begun: some of the library's clients wait for ever.
const leftBehind = 3

// Chat tells people through one of the many services that shoutrrr speaks to: Slack,
// Teams, PagerDuty, e-mail, Telegram and more (https://shoutrrr.nickfedor.com).
type Chat struct {
	address wa.Secret
	scheme  string
	secrets []string // pieces of the address that no error may show
	open    chan struct{}
}

// untitled are services that know no title of a message.
var untitled = []string{"googlechat", "hangouts", "rocketchat", "signal", "wecom", "notifiarr", "pagerduty"}

// NewChat checks a service's address; the error does not show it. Nothing is dialled
// before the first message.
func NewChat(address wa.Secret) (*Chat, error) {
	raw := address.Reveal()
	scheme, _, ok := strings.Cut(raw, "://")
	service, _, _ := strings.Cut(strings.ToLower(scheme), "+")
	known := (&router.ServiceRouter{}).ListServices()
	slices.Sort(known)
	known = slices.DeleteFunc(known, func(s string) bool { return s == "logger" }) // it tells nobody
	if !ok || !slices.Contains(known, service) {
		return nil, fmt.Errorf("notify.urls holds an address of no known service: it begins with one of %s, and then ://", strings.Join(known, ", "))
	}
	c := &Chat{address: address, scheme: service, secrets: pieces(raw), open: make(chan struct{}, leftBehind)}
	if service == "matrix" { // which would log in
		return c, nil
	}
	if _, err := (&router.ServiceRouter{}).Locate(raw); err != nil {
		return nil, fmt.Errorf("notify.urls: the address of %s is not as it must be: https://shoutrrr.nickfedor.com shows how it is written", service)
	}
	return c, nil
}

// Name implements Target.
func (c *Chat) Name() string { return c.scheme }

// ID implements Target.
func (c *Chat) ID() string { return targetID(c.scheme, c.address) }

// Single implements Target. PagerDuty has an incident of its own for each alarm.
func (c *Chat) Single() bool { return c.scheme == "pagerduty" }

// Send implements Target. The library knows no context: what is not answered in time
// is left behind.
func (c *Chat) Send(ctx context.Context, m *Message) error {
	select {
	case c.open <- struct{}{}:
	default:
		return errors.New("the messages before were never answered")
	}
	done := make(chan error, 1)
	text, params := harmless(m.Title()+"\n\n"+m.Text()), c.params(m)
	if len(m.Items) == 1 && !m.Test {
		text = harmless(m.Text()) // which begins as its title does
	}
	go func() {
		defer func() { <-c.open }()
		service, err := (&router.ServiceRouter{}).Locate(c.address.Reveal()) // anew: some keep what a message changed
		if err == nil {
			err = service.Send(text, &params)
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return errors.New(c.hide(err))
		}
		return nil
	case <-ctx.Done():
		return errors.New("no answer in time")
	}
}

func (c *Chat) params(m *Message) types.Params {
	p := types.Params{}
	if !slices.Contains(untitled, c.scheme) {
		p.SetTitle(harmless(m.Title()))
	}
	if c.scheme != "pagerduty" {
		return p
	}
	p["severity"] = "info"
	if len(m.Items) > 0 {
		i := &m.Items[0]
		p["severity"] = map[wa.ToldStage]string{wa.ToldAct: "critical", wa.ToldWatch: "warning", wa.ToldCleared: "info"}[i.stage()]
		p["dedup_key"] = "tickwatch-" + i.ref() + "-" + strconv.FormatInt(int64(i.RaisedAt), 10)
		if i.Change == Cleared {
			p["action"] = "resolve"
		}
	}
	return p
}

// harmless keeps a chat from taking a campaign's name, or an error's words, for a
// mention, a link or a tag.
func harmless(s string) string {
	return strings.NewReplacer("<", "‹", ">", "›", "@", "＠", "](", "] (", "://", "[:]//").Replace(s)
}

// pieces are the parts of an address that may be secret: all but its scheme and the
// names of its parameters.
func pieces(raw string) []string {
	const shortest = 4 // what is shorter says nothing, and would tear words apart
	var all []string
	add := func(s string) {
		if len(s) >= shortest && s != "http" && s != "https" {
			all = append(all, s, url.QueryEscape(s), url.PathEscape(s))
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		_, rest, _ := strings.Cut(raw, "://")
		add(rest)
		return all
	}
	if u.User != nil {
		add(u.User.Username())
		password, _ := u.User.Password()
		add(password)
	}
	for part := range strings.FieldsFuncSeq(u.Path, func(r rune) bool { return r == '/' || r == ':' }) {
		add(part)
	}
	if host := u.Hostname(); u.Scheme != "smtp" && host != u.Scheme && !strings.Contains(host, ".") { // else it is the name of a machine
		add(host)
	}
	for _, values := range u.Query() {
		for _, v := range values {
			add(v)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

var anyAddress = regexp.MustCompile(`([a-z][a-z0-9+.-]*://)(?:[^\s/"'@]*@)?([^\s/"'?]*)[^\s"']*`)

// hide is an error's text in one line, without the secrets of the address.
func (c *Chat) hide(err error) string {
	text := anyAddress.ReplaceAllString(err.Error(), "$1$2/…")
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	return plainText(text)
}
