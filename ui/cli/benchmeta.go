package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

const (
	metaThroughput = 2000                  // messages a second that each of its numbers takes
	metaLatency    = 50 * time.Millisecond // of every answer
)

// benchMetaCmd is the second process of `bench queue`: the stand-in for Meta,
// whose cost is not the daemon's. It writes a recipient list, says where its Graph
// API is, is told where the webhooks go, answers what it is asked about the
// requests that came, and ends with its standard input.
type benchMetaCmd struct {
	List string `arg:""`
	Rows int    `arg:""`
}

// metaHello is the first line of the process.
type metaHello struct {
	URL   string `json:"url"`
	Token string `json:"graph_token"`
	Key   string `json:"signing_key"` // of its webhooks
}

// metaQuestion is a line to the process: first where the webhooks go, then since
// when requests are asked after.
type metaQuestion struct {
	Webhooks string    `json:"webhooks,omitempty"`
	Since    time.Time `json:"since"`
}

// metaSeen answers a question.
type metaSeen struct {
	Count    int       `json:"count"`    // requests since then
	First    time.Time `json:"first"`    // when the first byte of the first of them was read; zero = none came
	Last     time.Time `json:"last"`     // of the last one
	Accepted int       `json:"accepted"` // messages, ever
	People   int       `json:"people"`   // who they went to
}

// Run plays Meta until standard input ends.
func (c *benchMetaCmd) Run(ctx context.Context, a *app) error {
	secret := wa.NewSecret(rand.Text())
	meta, err := sandbox.New(sandbox.Options{Seed: 1, Now: time.Now, Messages: -1, Secret: secret, Throughput: metaThroughput})
	if err != nil {
		return err
	}
	if _, err := meta.Inject(sandbox.Fault{Kind: sandbox.FaultLatency, Delay: metaLatency}); err != nil {
		return errors.Join(err, meta.Close())
	}
	in, out := json.NewDecoder(a.In), json.NewEncoder(a.Out)
	var q metaQuestion
	if filepath.Ext(c.List) == ".xlsx" {
		err = writeBenchBook(c.List, meta, c.Rows)
	} else {
		err = writeBenchList(c.List, meta, c.Rows)
	}
	if err == nil {
		err = out.Encode(metaHello{meta.URL(), meta.Token().Reveal(), secret.Reveal()})
	}
	if err == nil {
		if err = in.Decode(&q); err == nil {
			err = meta.Tell(q.Webhooks)
		}
	}
	if err != nil {
		return errors.Join(err, meta.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var asked error
	go func() {
		defer cancel()
		for asked == nil {
			q := metaQuestion{}
			if asked = in.Decode(&q); asked == nil {
				asked = out.Encode(seenBy(meta, q.Since))
			}
		}
	}()
	err = meta.Run(ctx)
	if <-ctx.Done(); asked != nil && !errors.Is(asked, io.EOF) {
		return errors.Join(err, asked)
	}
	return err
}

// seenBy says which requests came since a moment.
func seenBy(meta *sandbox.Sandbox, since time.Time) metaSeen {
	var s metaSeen
	for _, r := range meta.Requests() {
		if r.FirstByte.Before(since) {
			continue
		}
		s.Count++
		if s.First.IsZero() || r.FirstByte.Before(s.First) {
			s.First = r.FirstByte
		}
		if r.FirstByte.After(s.Last) {
			s.Last = r.FirstByte
		}
	}
	people := map[string]bool{}
	accepted := meta.Accepted()
	for i := range accepted {
		people[accepted[i].To] = true
	}
	s.Accepted, s.People = len(accepted), len(people)
	return s
}

// writeBenchList writes a list of the stand-in's people, all of whom agreed.
func writeBenchList(path string, meta *sandbox.Sandbox, rows int) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	to := bufio.NewWriterSize(f, 1<<20)
	w := csv.NewWriter(to)
	if err := w.Write([]string{"phone", "first_name", "country", "language", "whatsapp_consent", "image"}); err != nil {
		return err
	}
	for p := range meta.People(rows) {
		if err := w.Write([]string{p.Phone, p.Name, p.Country, p.Language, "yes", sandbox.CampaignMedia}); err != nil {
			return err
		}
	}
	w.Flush()
	return errors.Join(w.Error(), to.Flush())
}

// otherMeta is such a process, as the one that measures sees it.
type otherMeta struct {
	metaHello
	process *exec.Cmd
	faults  strings.Builder
	in      io.WriteCloser
	out     *json.Decoder
	mu      sync.Mutex // one question at a time
}

// startMeta starts the stand-in, which has written its list then.
func startMeta(ctx context.Context, list string, rows int) (*otherMeta, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program's own file, to start the stand-in for Meta with: %w", err)
	}
	m := &otherMeta{process: exec.CommandContext(ctx, program, "bench", "meta", filepath.Clean(list), strconv.Itoa(rows))}
	m.process.Stderr = &m.faults
	if m.in, err = m.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := m.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	m.out = json.NewDecoder(out)
	if err := m.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the stand-in for Meta: %w", err)
	}
	if err := m.out.Decode(&m.metaHello); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the stand-in for Meta: %w", err), m.end())
	}
	return m, nil
}

// tell says where the webhooks go; the Graph API answers from then on.
func (m *otherMeta) tell(webhooks string) error {
	return json.NewEncoder(m.in).Encode(metaQuestion{Webhooks: webhooks})
}

// since asks which requests came since a moment. All that were answered are in it.
func (m *otherMeta) since(t time.Time) (seen metaSeen, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := json.NewEncoder(m.in).Encode(metaQuestion{Since: t}); err != nil {
		return seen, err
	}
	return seen, m.out.Decode(&seen)
}

// end ends the process.
func (m *otherMeta) end() error {
	_ = m.in.Close() // it may have ended already
	if err := m.process.Wait(); err != nil {
		return fmt.Errorf("the stand-in for Meta: %w: %s", err, wa.Clean(m.faults.String()))
	}
	return nil
}
