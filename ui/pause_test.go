package ui

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
)

// p and ! pause from every window, at once and without a question; where letters
// are text, ctrl+p does.
func TestPauseFromEveryWindow(t *testing.T) {
	windows := map[string][]string{
		"main": nil, "help": {"?"}, "campaigns": {"c"}, "error": {"enter"}, "find": {"/"}, "events": {"e"}, "feed": {"f"}, "queue": {"tab", "enter"},
		"resume": {"u"}, "template": {"t"}, "template asked": {"t", "enter"}, "retry": {"r"}, "retry asked": {"r", "space", "enter"},
		"note": {"n"}, "copy": {"y"}, "leave": {"ctrl+c"},
	}
	for name, open := range windows {
		for key, want := range map[string]string{
			"p": `{"scope":"campaign","id":"autumn"}`, "P": `{"scope":"campaign","id":"autumn"}`, "ctrl+p": `{"scope":"campaign","id":"autumn"}`, "!": `{"scope":"all"}`,
		} {
			c := newConsole(t, 80, 24, Options{Mode: ModeRun}).live(halted()).press(open...)
			at := c.m.dialog
			c.press(key)
			text := at == switchDialog || at == findDialog || at == resumeDialog || at == retryConfirmDialog || at == noteDialog
			got := c.callsOf(link.VerbPause)
			switch meant := key == "!" && at != noteDialog || key == "ctrl+p" && text || len(key) == 1 && key != "!" && !text; {
			case meant && (len(got) != 1 || got[0] != want):
				t.Errorf("%s in %s asks for %q, want %s", key, name, got, want)
			case meant && c.m.dialog != at:
				t.Errorf("%s closes %s", key, name)
			case meant:
				c.sees("after 3 ms")
			case len(got) > 0:
				t.Errorf("%s in %s asks for %q, where it is text", key, name, got)
			}
		}
	}
}

// Every window has a key that pauses, whatever its size, and shows it.
func TestEveryWindowShowsAStopKey(t *testing.T) {
	for _, size := range sizes {
		for _, s := range screens {
			c := newConsole(t, size[0], size[1], Options{})
			s.draw(c)
			if c.m.notice != "" || c.m.opt.ReadOnly {
				continue
			}
			if text := plainText(c.m.frame()); !strings.Contains(text, "! pause all") && !strings.Contains(text, "ctrl+p pause") {
				t.Errorf("%s at %v shows no key that pauses:\n%s", s.name, size, text)
			}
		}
	}
}

// While the daemon does not answer, the screen says so, asks on, and never says
// PAUSED before the daemon does.
func TestAPauseThatIsNotConfirmed(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(sending())
	_, cmd := c.m.Update(keyPress("p"))
	c.sees("Pausing autumn…")
	c.seesNot("PAUSED", "Paused")
	c.m.Update(lateMsg(c.m.pauses[0].ticket))
	c.sees("Not confirmed yet: asking again; from a shell: tickwatch stop", "SENDING")
	c.press("p", "p", "tab", "?") // asking twice is asking once, and no key takes the line away
	c.sees("Not confirmed yet")
	if len(c.m.pauses) != 1 || len(c.d.calls) > 0 {
		t.Errorf("%d pauses are asked for, calls %q", len(c.m.pauses), c.d.calls)
	}
	if _, cmd := c.m.Update(keyPress("ctrl+c")); cmd != nil {
		t.Error("leaving gives up the pause without a word")
	}
	c.shows("The pause is not confirmed yet").press("n")

	c.show(link.Update{Snapshot: c.m.base, Err: errors.New("gone")})
	c.sees("STALE", "Not confirmed yet")
	c.seesNot("PAUSED", "Paused")
	c.carryOut(cmd, 1)
	c.live(halted()).sees("Paused after 3 ms.", " PAUSED ", "by ines since 09:11: the picture is the wron")
	c.seesNot("Not confirmed")
}

// What a receipt says is on the screen only as long as it holds: another console
// may end the pause.
func TestAReceiptGoesWithItsPause(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(sending()).press("p")
	c.sees("Paused after 3 ms.") // the snapshot is older than the pause
	c.live(halted()).sees("Paused after 3 ms.", " PAUSED ")
	c.live(sending()).seesNot("Paused after")
}

// A pause can be asked for before anything is known, and while there is no link.
func TestPauseWithoutALink(t *testing.T) {
	newConsole(t, 80, 24, Options{}).press("p").sees("There is no campaign on the screen")
	lost := newConsole(t, 80, 24, Options{})
	lost.show(link.Update{Err: errors.New("no daemon is reachable")})
	lost.m.Update(keyPress("!"))
	lost.sees("Not confirmed yet: asking again; from a shell: tickwatch stop")
	if len(lost.m.pauses) != 1 {
		t.Error("it is not asked for")
	}
	// The other keys say at once that they cannot.
	c2 := newConsole(t, 80, 24, Options{})
	c2.show(link.Update{Snapshot: halted(), Err: errors.New("gone")})
	for _, key := range []string{"u", "t", "r", "+", "n", "k"} {
		c2.press(key).sees("There is no link to the daemon: " + key + " works again")
	}
	if len(c2.d.calls) > 0 {
		t.Errorf("calls: %q", c2.d.calls)
	}
}

// hanging is a daemon that keeps a command until it is let go, and tells how it
// was asked.
type hanging struct {
	*daemon
	ctx  chan context.Context
	free chan struct{}
}

func (h *hanging) Do(ctx context.Context, verb string, args, result any) error {
	h.ctx <- ctx
	<-h.free
	return h.daemon.Do(ctx, verb, args, result)
}

// The pause is one command for as long as the console lives: it has no deadline,
// so the link repeats it under its id over every new connection.
func TestAPauseHasNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hanging{newDaemon(), make(chan context.Context, 1), make(chan struct{})}
		h.prepared()
		ctx, leave := context.WithCancel(t.Context())
		m := newModel(ctx, Options{Daemon: h, Zone: sampleZone, Now: func() time.Time { return sampleNow }, Env: []string{"LANG=C.UTF-8"}}.withDefaults())
		cmd := m.pauseAll()
		answers := make(chan tea.Msg, 2)
		for _, sub := range cmd().(tea.BatchMsg) {
			go func() { answers <- sub() }()
		}
		asked := <-h.ctx
		if _, ok := asked.Deadline(); ok {
			t.Error("it is given up after a while")
		}
		time.Sleep(time.Hour)
		if msg, ok := (<-answers).(lateMsg); !ok || asked.Err() != nil {
			t.Errorf("after an hour: %v, %v", msg, asked.Err())
		}
		leave()
		if asked.Err() == nil {
			t.Error("it outlives the console")
		}
		close(h.free)
		<-answers
	})
}

// What the daemon says no to is tried again, for a while; what it refuses is said.
func TestAPauseThatFails(t *testing.T) {
	c := newConsole(t, 120, 40, Options{}).live(sending())
	c.d.answers[link.VerbPause] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultFailed, Text: "the daemon is going down"}
	}
	c.press("p").sees("Not paused yet, asking again; from a shell: tickwatch stop (the daemon is going down)")
	for i := 1; i < pauseTries; i++ {
		c.carryOut(c.m.pauseAgain(c.m.pauses[0].ticket), 1)
	}
	c.sees("Not paused yet")
	again := c.m.pauses[0].ticket
	c.carryOut(c.m.pauseAgain(again), 1)
	c.sees("NOT PAUSED: the daemon is going down Pause it from a shell: tickwatch stop")
	c.m.Update(againMsg(again)) // it is over
	if n := len(c.callsOf(link.VerbPause)); n != pauseTries+1 {
		t.Errorf("asked %d times", n)
	}

	c = newConsole(t, 120, 40, Options{}).live(sending())
	c.d.answers[link.VerbPause] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultRefused, Text: "viewers cannot pause: ask an operator."}
	}
	c.press("!").sees("NOT PAUSED: viewers cannot pause")
	if len(c.m.pauses) != 0 {
		t.Error("what is refused is asked for again")
	}
}

func TestWhatAReceiptSays(t *testing.T) {
	for _, k := range []struct {
		name string
		key  string
		s    *link.Snapshot
		r    link.Receipt
		want []string
	}{
		{"plain", "p", sending(), link.Receipt{ClosedMS: 3.1, Waiting: 9120, OpenRequests: 12, Stored: true}, []string{"Paused after 3 ms. 12 already on their way to Meta, 9,120 safe and waiting."}},
		{"everything", "!", sending(), link.Receipt{ClosedMS: 0.2, Waiting: 9120, Stored: true}, []string{"Everything is paused after less than 1 ms. Nothing was on its way, 9,120 safe"}},
		{"with SMS", "p", sending(), link.Receipt{ClosedMS: 3, Waiting: 9120, OpenRequests: 12, OpenBeside: 8, Stored: true, Beside: []link.Beside{{Channel: "sms", Waiting: 418}, {Channel: "email", Waiting: 1}}}, []string{"12 already on their way to Meta, 9,120 and 418 SMS, 1 e-mail safe and waiting. 8 on their way by"}},
		{"SMS alone", "!", sending(), link.Receipt{ClosedMS: 3, Stored: true, Beside: []link.Beside{{Channel: "sms", Waiting: 418}}}, []string{"Nothing was on its way, 418 SMS safe and waiting."}},
		{"SMS of another system's", "p", trouble(), link.Receipt{ClosedMS: 3, Stored: true, Beside: []link.Beside{{Channel: "sms", Waiting: 418}}}, []string{"418 SMS safe and waiting."}},
		{"twice", "p", halted(), link.Receipt{Already: true, Waiting: 9120, Stored: true}, []string{"Paused, and was before. Nothing was on its way"}},
		{"not on disk", "p", sending(), link.Receipt{ClosedMS: 3, Waiting: 1}, []string{"It holds, but is not on disk yet"}},
		{"with others", "!", trouble(), link.Receipt{ClosedMS: 3, Stored: true}, []string{"What other systems send goes on"}},
		{"external", "p", trouble(), link.Receipt{ClosedMS: 3, Outside: "none", Stored: true}, []string{"tickwatch cannot stop it: pause it there"}},
		{"external asked", "p", trouble(), link.Receipt{ClosedMS: 3, Outside: "asked"}, []string{"was asked to stop and has not confirmed"}},
		{"external confirmed", "p", trouble(), link.Receipt{ClosedMS: 3, Outside: "confirmed"}, []string{"has confirmed that it stopped"}},
		{"external not confirmed", "p", trouble(), link.Receipt{ClosedMS: 3, Outside: "not_confirmed"}, []string{"did not confirm it: pause it"}},
	} {
		c := newConsole(t, 120, 40, Options{}).live(k.s)
		c.d.answers[link.VerbPause] = func(json.RawMessage) (any, error) { return k.r, nil }
		c.press(k.key).sees(k.want...)
	}
}

// Later the screen tells what became of the requests that were open.
func TestWhatBecameOfTheOpenRequests(t *testing.T) {
	now := sampleNow
	start := func() *console {
		now = sampleNow
		return newConsole(t, 120, 40, Options{Now: func() time.Time { return now }}).live(sending()).press("p")
	}
	after := func(handed, unknown int64) *link.Snapshot {
		s := halted()
		s.Campaigns[0].Counts.HandedOver += handed
		s.Campaigns[0].Counts.Unknown += unknown
		return s
	}
	c := start().live(sending()) // an older snapshot that overtook
	c.live(after(5, 0)).sees("12 already on their way")
	c.live(after(11, 1)).sees("Paused after 3 ms. Of 12 on their way 11 reached Meta, 1 may have gone out; 12,372 safe and waiting.")
	c.press("esc").live(after(11, 1)).seesNot("Of 12")

	c = start().live(after(10, 0))
	now = now.Add(openWithin)
	c.live(after(10, 0)).sees("Of 12 on their way 10 reached Meta, 2 did not go out;")

	c = start().live(after(10, 0)).press("t").live(after(12, 0)) // the next notice waits for its turn
	c.sees("Of 12 on their way 12 reached Meta")

	late := after(15, 0) // three had been answered before the pause, and the receipt did not know
	late.Campaigns[0].Counts.Waiting -= 3
	start().live(late).sees("Of 12 on their way 12 reached Meta; 12,369 safe and waiting.")

	c = start().live(after(20, 0)) // other news is among it: nothing rather than something wrong
	c.live(after(20, 0)).seesNot("Of 12")
}

// A pause says what it holds: everything, a number, or the campaign.
func TestThePauseIsNamedOnTheFirstLine(t *testing.T) {
	s := allHalted()
	for _, size := range [][2]int{{80, 24}, {40, 12}} {
		c := newConsole(t, size[0], size[1], Options{}).live(s)
		first, _, _ := strings.Cut(plainText(c.m.frame()), "\n")
		if !strings.Contains(first, " ALL PAUSED ") || !strings.Contains(first, "rui") || !strings.Contains(first, "09:11") {
			t.Errorf("%v: %q", size, first)
		}
	}
	s.Gates = s.Gates[2:] // its only number
	newConsole(t, 80, 24, Options{}).live(s).sees(" PAUSED  number +49155…01 by tickwatch since 09:10: ")
	empty := nothingYet()
	empty.Gates = allHalted().Gates[1:2]
	newConsole(t, 80, 24, Options{}).live(empty).sees(" tickwatch   ALL PAUSED  by rui since 09:11")
}
