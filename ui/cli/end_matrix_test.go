//go:build terminal

package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"image/color"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"

	"tickwatch/monitor/link"
	"tickwatch/ui"
)

// The matrix: every kind of terminal, at every size, with every wish for colour.
//
// tmux stands in for the terminal, and it is always tmux: TERM decides what the
// console writes, and tmux is at least what each of these names promises. So it
// holds what the console writes for linux and vt100 to what it means, but not to
// the fonts of the one or the missing colours of the other; that the console keeps
// to ASCII on the first, TestTerminalKinds looks at. TERM=dumb has no screen.
var (
	matrixTerms = []string{"xterm-256color", "xterm", "tmux-256color", "screen-256color", "linux", "vt100", "dumb"}
	matrixSizes = [][2]int{{40, 12}, {80, 24}, {100, 30}, {120, 40}, {200, 60}}
	matrixLooks = []matrixLook{{"default", "", ""}, {"no_color", "NO_COLOR=1", ""}, {"truecolor", "COLORTERM=truecolor", ""}, {"ascii", "", "--ascii"}}
)

type matrixLook struct{ name, variable, flag string }

// TestTerminalMatrix compares the screen of a real console, cell by cell and
// style by style, with the model's View. Each console starts at one size and is
// then taken through all of them, the smallest between any two, so that every size
// is seen at a start and after a resize.
func TestTerminalMatrix(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	shown := frozen(t, dir)
	socket := filepath.Join(dir, "s")
	standIn(t, socket, shown)
	holder := open(t, 80, 24, environment(dir), "cat") // keeps the server up
	for i, term := range matrixTerms {
		for k, look := range matrixLooks {
			t.Run(term+"_"+look.name, func(t *testing.T) {
				t.Parallel()
				env := environment(dir, "TERM="+term, "TICKWATCH_LINK_SOCKET="+socket)
				if look.variable != "" {
					env = append(env, look.variable)
				}
				args := []string{"watch"}
				if look.flag != "" {
					args = append(args, look.flag)
				}
				if term == "dumb" {
					if got, want := onPTY(t, env, args...), ui.Plain(shown, time.UTC, 80); unwrapped(got) != unwrapped(want) {
						t.Errorf("%q\nwant %q", got, want)
					}
					return
				}
				m := &matrixPane{terminal: holder, t: t, name: strings.ReplaceAll(t.Name(), "/", "-"), shown: shown, env: env, ascii: look.flag != ""}
				sizes := slices.Concat(matrixSizes[(i+k)%len(matrixSizes):], matrixSizes[:(i+k)%len(matrixSizes)])
				m.start(sizes[0], args)
				m.showsView(sizes[0])
				for _, size := range sizes[1:] {
					for _, s := range [][2]int{matrixSizes[0], size} {
						m.resize(s)
					}
					m.showsView(size)
				}
			})
		}
	}
}

// frozen is what a real daemon made of real webhooks, with what it had no reason
// for: an alarm, a wide name, a number that is not well.
func frozen(t *testing.T, dir string) *link.Snapshot {
	t.Helper()
	serving := serve(t, dir)
	serving.deliver(newCrowd(21).webhooks(600))
	s := settled(t, serving)
	c := &s.Campaigns[0]
	c.Name = "outono ✓ 秋の案内 é"
	c.First30.Verdict, c.First30.Reason = link.VerdictAct, "84.0 % of 7,063 decided messages arrived, below the 90 % that calls for action."
	raised := s.At.Add(-3 * time.Minute)
	s.Alarms = []link.Alarm{
		{ID: "a2", Kind: "delivery", Severity: link.VerdictAct, Campaign: c.ID, Text: "84.0 % arrived, of 7,063 decided in the last 5 min", RaisedAt: raised, ActedAt: &raised},
		{ID: "a1", Kind: "reports", Severity: link.VerdictWatch, Campaign: c.ID, Text: "0.32 % opted out", RaisedAt: raised.Add(-time.Minute)},
	}
	s.Host.CPU = nil
	old := s.At.Add(-20 * time.Minute) // ages that move by the minute, not by the second
	s.At, s.Feed.LastEventAt, s.Feed.State = old, &old, link.FeedIdle
	return s
}

// standIn is a daemon whose figures stand still.
func standIn(t *testing.T, socket string, s *link.Snapshot) *link.Server {
	t.Helper()
	l, err := link.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	server := link.NewServer(link.ServerOptions{Handle: func(context.Context, link.Peer, link.Command) (any, error) { return s, nil }})
	server.Publish(s)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return server
}

// TestTerminalChanges has one picture follow another: what of it is sent, since
// only what has changed is, adds up to what the model draws.
func TestTerminalChanges(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	shown := frozen(t, dir)
	holder := open(t, 80, 24, environment(dir), "cat")
	for i, term := range matrixTerms[:len(matrixTerms)-1] {
		t.Run(term, func(t *testing.T) {
			t.Parallel()
			socket := filepath.Join(folder(t), "s")
			server := standIn(t, socket, shown)
			size := matrixSizes[1+i%2]
			m := &matrixPane{
				terminal: holder, t: t, name: strings.ReplaceAll(t.Name(), "/", "-"), shown: shown,
				env: environment(dir, "TERM="+term, "TICKWATCH_LINK_SOCKET="+socket),
			}
			m.start(size, []string{"watch"})
			for change := range 12 {
				m.showsView(size)
				m.shown = changed(shown, change)
				server.Publish(m.shown)
			}
			m.showsView(size)
		})
	}
}

// changed is a snapshot in which much is different, in its own way for each n.
func changed(s *link.Snapshot, n int) *link.Snapshot {
	next, c := *s, s.Campaigns[0]
	next.Rev += uint64(n) + 1
	c.Name = []string{"秋の案内", "a", "outono 秋", strings.Repeat("秋x", 30), "outono de 2026"}[n%5]
	c.Counts.HandedOver += int64(n) * 977
	c.Counts.InFlight = int64(n%3) * 131_313
	c.Errors = slices.Clone(c.Errors[:len(c.Errors)-n%len(c.Errors)])
	slices.Reverse(c.Errors)
	c.Trend = c.Trend[:len(c.Trend)-n%len(c.Trend)]
	c.First30.Verdict = []string{link.VerdictOK, link.VerdictWatch, link.VerdictAct, link.VerdictUnsure}[n%4]
	next.Campaigns = []link.Campaign{c}
	next.Alarms = s.Alarms[:n%(len(s.Alarms)+1)]
	next.Numbers = s.Numbers[:n%(len(s.Numbers)+1)]
	next.Feed.State = []string{link.FeedIdle, link.FeedStalled}[n%2]
	return &next
}

// matrixPane is one console on a terminal of its own.
type matrixPane struct {
	*terminal
	t     *testing.T
	name  string
	shown *link.Snapshot
	env   []string
	ascii bool
}

func (m *matrixPane) start(size [2]int, args []string) {
	m.t.Helper()
	line := []string{"exec", "env", "-i"}
	for _, v := range slices.DeleteFunc(slices.Clone(m.env), func(v string) bool { return v == "TERM=dumb" }) {
		line = append(line, quote(v))
	}
	line = append(line, "tickwatch")
	line = append(line, args...)
	m.must("new-session", "-d", "-s", m.name, "-x", fmt.Sprint(size[0]), "-y", fmt.Sprint(size[1]), strings.Join(line, " "))
	m.t.Cleanup(func() { _, _ = m.ask("kill-session", "-t", m.name) })
}

func (m *matrixPane) must(args ...string) string {
	m.t.Helper()
	out, err := m.ask(args...)
	if err != nil {
		m.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return out
}

func (m *matrixPane) resize(size [2]int) {
	m.t.Helper()
	m.must("resize-window", "-t", m.name, "-x", fmt.Sprint(size[0]), "-y", fmt.Sprint(size[1]))
}

var clock = regexp.MustCompile(`\d\d:\d\d:\d\d`)

// showsView waits until every cell is as the model draws it at the moment that
// the screen's own clock shows.
func (m *matrixPane) showsView(size [2]int) {
	m.t.Helper()
	var difference string
	m.t.Cleanup(func() {
		if m.t.Failed() {
			m.t.Logf("at %v: %s", size, difference)
		}
	})
	waitFor(m.t, fmt.Sprintf("the screen of %v is as the model draws it", size), func() bool {
		captured := m.must("capture-pane", "-e", "-p", "-t", m.name)
		at := clock.FindString(m.must("capture-pane", "-p", "-t", m.name))
		difference = "no clock on the screen"
		for back := range 60 {
			now := time.Now().UTC().Truncate(time.Second).Add(time.Duration(1-back) * time.Second)
			if now.Format("15:04:05") != at {
				continue
			}
			if difference = differ(captured, m.view(now, size), size); difference == "" {
				return true
			}
		}
		return false
	})
}

// view is the frame of a moment, with the styles that the terminal's profile leaves.
func (m *matrixPane) view(now time.Time, size [2]int) string {
	m.t.Helper()
	profile := colorprofile.Env(m.env)
	if term := m.variable("TERM"); profile != colorprofile.TrueColor && m.variable("NO_COLOR") == "" {
		profile = max(profile, colorprofile.Terminfo(term))
	}
	o := ui.Options{ASCII: m.ascii, Zone: time.UTC, Now: func() time.Time { return now }, Env: m.env}
	frame := ui.NewStill(o, link.Update{Snapshot: m.shown, Connected: true}, size[0], size[1], profile).View()
	var seen bytes.Buffer
	w := colorprofile.Writer{Forward: &seen, Profile: profile}
	if _, err := w.WriteString(frame); err != nil {
		m.t.Fatal(err)
	}
	return seen.String()
}

func (m *matrixPane) variable(name string) string {
	for _, v := range slices.Backward(m.env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// differ says where two styled texts differ first; "" when they look the same.
func differ(got, want string, size [2]int) string {
	a := lipgloss.NewCanvas(size[0], size[1]).Compose(lipgloss.NewLayer(strings.TrimRight(got, "\n")))
	b := lipgloss.NewCanvas(size[0], size[1]).Compose(lipgloss.NewLayer(want))
	for y := range size[1] {
		for x := range size[0] {
			if has, wants := cell(a, x, y), cell(b, x, y); has != wants {
				return fmt.Sprintf("column %d of line %d is %s, the model has %s\nthe screen:\n%s\nthe model:\n%s", x, y, has, wants, a.Render(), b.Render())
			}
		}
	}
	return ""
}

// cell is what a person sees in a cell: text, colours and attributes. Of a
// blank the colour of the text is not seen.
func cell(c *lipgloss.Canvas, x, y int) string {
	const reverse = 32 // as the cells carry it
	k := c.CellAt(x, y)
	if k == nil {
		return `" "`
	}
	text := k.Content
	if text == "" && k.Width > 0 {
		text = " "
	}
	ink := func(c color.Color) string {
		if c == nil {
			return ""
		}
		r, g, b, _ := c.RGBA()
		return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
	}
	if text == " " && k.Style.Attrs&reverse == 0 && k.Style.Bg == nil {
		return `" "`
	}
	return fmt.Sprintf("%q, ink %q, paper %q, attributes %b", text, ink(k.Style.Fg), ink(k.Style.Bg), k.Style.Attrs)
}

// unwrapped leaves out what a terminal adds to a plain text, and its ages.
func unwrapped(text string) string {
	return clock.ReplaceAllString(strings.ReplaceAll(text, "\r\n", "\n"), "")
}
