package ui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"tickwatch/monitor/link"
)

// Whoever presses whatever: the screen keeps its shape, nothing is resumed or
// sent again without the word, the template changes by an enter to the last
// question alone, and each press that pauses asks for a pause.
func TestAnyKeys(t *testing.T) {
	keys := []string{
		"enter", "esc", "tab", "up", "down", "pgup", "pgdown", "home", "space", "ctrl+p",
		"p", "!", "u", "t", "r", "+", "-", "n", "k", "e", "f", "/", "c", "]", "[", "?", "q", "y", "1", "x",
	}
	states := []func() *link.Snapshot{sending, halted, allHalted, waits, starts, trouble, restricted, nothingYet}
	rapid.Check(t, func(rt *rapid.T) {
		w, h := rapid.IntRange(20, 130).Draw(rt, "width"), rapid.IntRange(5, 45).Draw(rt, "height")
		c := newConsole(t, w, h, Options{ReadOnly: rapid.IntRange(0, 9).Draw(rt, "read-only") == 0})
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0:
				s := rapid.SampledFrom(states).Draw(rt, "state")()
				c.show(link.Update{Snapshot: s, Connected: rapid.IntRange(0, 4).Draw(rt, "connected") > 0})
			case 1:
				c.m.Update(tea.WindowSizeMsg{Width: w, Height: h})
			default:
				key := rapid.SampledFrom(keys).Draw(rt, "key")
				asked, swapped := len(c.callsOf(link.VerbPause)), len(c.callsOf(link.VerbSwap))
				last := key == "enter" && c.m.dialog == swapConfirmDialog
				pauses := key == "!" && c.m.dialog != noteDialog && !c.m.opt.ReadOnly
				c.press(key)
				if pauses && len(c.callsOf(link.VerbPause)) != asked+1 {
					rt.Fatalf("! pauses nothing")
				}
				if len(c.callsOf(link.VerbSwap)) > swapped && !last {
					rt.Fatalf("%s changes the template", key)
				}
			}
			fits(rt, c.m.frame(), w, h)
		}
		if c.m.opt.ReadOnly && (len(c.callsOf(link.VerbPause)) > 0 || len(c.callsOf(link.VerbPace)) > 0 || len(c.callsOf(link.VerbSwap)) > 0) {
			rt.Fatalf("a read-only console acts: %q", c.d.calls)
		}
		for _, call := range c.d.calls {
			if strings.HasPrefix(call, link.VerbResume) || strings.HasPrefix(call, link.VerbRetry) && !strings.Contains(call, `"dry_run":true`) {
				rt.Fatalf("nobody typed the word: %s", call)
			}
		}
	})
}
