package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"tickwatch/monitor/link"
)

// screens are the states whose pictures are kept.
var screens = []struct {
	name string
	draw func(*console)
}{
	{"healthy", func(c *console) { c.live(healthy()) }},
	{"trouble", func(c *console) { c.live(trouble()) }},
	{"paused", func(c *console) { c.live(paused()) }},
	{"empty", func(c *console) { c.live(nothingYet()) }},
	{"connecting", func(*console) {}},
	{"no_daemon", func(c *console) {
		c.show(link.Update{Err: errors.New("no daemon is reachable at /run/tickwatch/tickwatch.sock: start it with `tickwatch serve`, or name its socket with link.socket")})
	}},
	{"stale", func(c *console) {
		s := healthy()
		s.At = s.At.Add(-41 * time.Second)
		c.show(link.Update{Snapshot: s, Err: errors.New("the link to the daemon broke")})
	}},
	{"detail", func(c *console) { c.live(trouble()).press("enter") }},
	{"alarm", func(c *console) { c.live(trouble()).press("tab", "tab", "enter") }},
	{"snooze", func(c *console) { c.live(trouble()).press("tab", "tab", "enter", "z", "down") }},
	{"typed", func(c *console) { c.live(typed()) }},
	{"typed_detail", func(c *console) { c.live(typed()).press("tab", "tab", "tab", "tab", "enter") }},
	{"find", func(c *console) {
		c.live(trouble()).press("/")
		c.m.Update(tea.PasteMsg{Content: "+351 900 000 011"})
		c.press("enter")
	}},
	{"help", func(c *console) { c.live(healthy()).press("?") }},
	{"switcher", func(c *console) { c.live(trouble()).press("c", "down") }},
	{"many", func(c *console) {
		c.d.answers[link.VerbCampaigns] = func(json.RawMessage) (any, error) {
			return link.Cards{Campaigns: many(200), Known: 312}, nil
		}
		s := trouble()
		s.CampaignCount = 312
		c.live(s).press("c", "down", "down")
	}},
	{"events", func(c *console) { c.live(trouble()).press("e") }},
	{"feed", func(c *console) { c.live(trouble()).press("f") }},
	{"people", func(c *console) { c.live(answered()).press("tab", "tab", "tab", "enter") }},
	{"delivered", func(c *console) { c.live(trouble()).press("tab", "tab", "tab", "enter") }},
	{"reports", func(c *console) { c.live(trouble()).press("tab", "tab", "tab", "tab", "enter") }},
	{"quality", func(c *console) {
		c.live(restricted()).press("tab", "tab", "tab", "tab", "tab", "enter", "down", "down")
	}},
	{"falling", func(c *console) { c.live(falling()) }},
	{"reports_compared", func(c *console) { c.live(falling()).press("tab", "tab", "tab", "tab", "enter") }},
	{"quality_account", func(c *console) {
		c.live(falling()).press("tab", "tab", "tab", "tab", "tab", "enter")
	}},
	{"quality_number", func(c *console) {
		c.live(falling()).press("tab", "tab", "tab", "tab", "tab", "enter", "down")
	}},
	{"quality_template", func(c *console) {
		c.live(falling()).press("tab", "tab", "tab", "tab", "tab", "enter", "down", "down", "down")
	}},
	{"queue", func(c *console) { c.live(trouble()).press("tab", "enter") }},
	{"restricted", func(c *console) { c.live(restricted()) }},
	{"cannot", func(c *console) { c.live(trouble()).press("t") }},
	{"sending", func(c *console) { c.live(sending()) }},
	{"halted", func(c *console) { c.live(halted()) }},
	{"all_halted", func(c *console) { c.live(allHalted()) }},
	{"waits", func(c *console) { c.live(waits()) }},
	{"starts", func(c *console) { c.live(starts()) }},
	{"unconfirmed", func(c *console) { c.live(sending()).unanswered("p") }},
	{"receipt", func(c *console) { c.live(sending()).press("p").live(halted()) }},
	{"elsewhere", func(c *console) { c.live(trouble()).press("p") }},
	{"own_queue", func(c *console) { c.live(sending()).press("tab", "enter") }},
	{"resume", func(c *console) { c.live(allHalted()).press("u") }},
	{"resume_wrong", func(c *console) { c.live(halted()).press("u", "y", "e", "s", "enter") }},
	{"swap", func(c *console) { c.live(halted()).press("t") }},
	{"swap_cannot", func(c *console) { c.live(halted()).press("t", "down", "down", "enter") }},
	{"swap_confirm", func(c *console) { c.live(halted()).press("t", "enter") }},
	{"retry", func(c *console) { c.live(halted()).press("r", "space", "down", "space") }},
	{"reach", func(c *console) { c.live(reachable()).press("r", "right", "down", "space") }},
	{"reach_confirm", func(c *console) { c.live(reachable()).press("r", "right", "down", "space", "enter") }},
	{"reach_undo", func(c *console) { c.live(reaching(link.FallbackPending)) }},
	{"reach_look", func(c *console) { c.live(reaching(link.FallbackLooking)).press("r") }},
	{"retry_confirm", func(c *console) { c.live(halted()).press("r", "down", "down", "space", "enter") }},
	{"aside", func(c *console) { c.d.asides(1240); c.live(clustered()).press("a") }},
	{"notes", func(c *console) { c.live(sending()).press("n") }},
	{"copied", func(c *console) { c.live(halted()).press("y") }},
	{"read_only", func(c *console) { c.m.opt.ReadOnly = true; c.live(sending()).press("p") }},
	{"leave", func(c *console) { c.m.opt.Mode = ModeDemo; c.live(healthy()).press("q") }},
}

var sizes = [][2]int{{80, 24}, {120, 40}, {200, 50}, {40, 12}}

// TestScreens keeps the text of every state at every size.
func TestScreens(t *testing.T) {
	for _, s := range screens {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s_%dx%d", s.name, size[0], size[1]), func(t *testing.T) {
				c := newConsole(t, size[0], size[1], Options{})
				s.draw(c)
				golden.RequireEqual(t, plainText(c.m.frame()))
			})
		}
	}
}

// TestScreensASCII keeps the spelling for terminals without Unicode.
func TestScreensASCII(t *testing.T) {
	for _, s := range screens {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s_%dx%d", s.name, size[0], size[1]), func(t *testing.T) {
				c := newConsole(t, size[0], size[1], Options{ASCII: true})
				s.draw(c)
				frame := c.m.frame()
				if i := strings.IndexFunc(frame, func(r rune) bool { return r > 0x7e }); i >= 0 {
					t.Errorf("not ASCII: %q", frame[i:min(i+20, len(frame))])
				}
				if size[0] == 80 || s.name == "healthy" {
					golden.RequireEqual(t, plainText(frame))
				}
			})
		}
	}
}

// TestScreensStyled keeps the styles: full colour on dark and light, sixteen
// colours, and none, where bold and reverse must carry every state.
func TestScreensStyled(t *testing.T) {
	looks := []struct {
		name    string
		profile colorprofile.Profile
		light   bool
	}{
		{"dark", colorprofile.TrueColor, false},
		{"light", colorprofile.TrueColor, true},
		{"sixteen", colorprofile.ANSI, false},
		{"none", colorprofile.ASCII, false},
	}
	for _, s := range screens {
		if !slices.Contains([]string{"trouble", "paused", "stale", "all_halted", "unconfirmed", "resume"}, s.name) {
			continue
		}
		for _, look := range looks {
			t.Run(s.name+"_"+look.name, func(t *testing.T) {
				c := newConsole(t, 80, 24, Options{})
				c.m.profile, c.m.dark = look.profile, !look.light
				s.draw(c)
				golden.RequireEqual(t, asSeen(t, c.m.frame(), look.profile))
			})
		}
	}
}

// asSeen is what Bubble Tea leaves of a frame on a terminal with that profile.
func asSeen(t *testing.T, frame string, p colorprofile.Profile) string {
	t.Helper()
	var b bytes.Buffer
	w := colorprofile.Writer{Forward: &b, Profile: p}
	if _, err := w.WriteString(frame); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// plainText is a frame without styles and without the blanks at line ends.
func plainText(frame string) string {
	lines := strings.Split(ansi.Strip(frame), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}
