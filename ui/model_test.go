package ui

import (
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
)

func (c *console) sees(want ...string) {
	c.Helper()
	text := plainText(c.m.frame())
	for _, w := range want {
		if !strings.Contains(text, w) {
			c.Errorf("the screen does not say %q:\n%s", w, text)
		}
	}
}

func (c *console) seesNot(wrong ...string) {
	c.Helper()
	text := plainText(c.m.frame())
	for _, w := range wrong {
		if strings.Contains(text, w) {
			c.Errorf("the screen says %q:\n%s", w, text)
		}
	}
}

// The keys that cannot act now are on the screen, and say in one line why.
func TestActingKeysSayWhyNot(t *testing.T) {
	for key, why := range map[string]string{
		"u": "autumn is not paused", "t": "Another system sends autumn", "r": "Another system sends autumn", "+": "Another system sends autumn", "-": "Another system sends autumn",
	} {
		c := newConsole(t, 80, 24, Options{}).live(trouble())
		c.sees(" p pause  ! pause all  n note  k seen  not now: u t r + -")
		c.press(key).sees(why)
		if len(c.d.calls) > 0 {
			t.Errorf("%s called the daemon: %q", key, c.d.calls)
		}
		c.press("tab") // any key takes the notice away
		c.sees("not now: u t r")
	}
}

// A console that only looks, and a replay, act on nothing.
func TestNothingActsWhereOnlyLookingIsMeant(t *testing.T) {
	for _, o := range []Options{{ReadOnly: true}, {Mode: ModeReplay}} {
		c := newConsole(t, 80, 24, o).live(halted())
		for _, b := range actKeys() {
			c.press(b.keys...)
		}
		if len(c.d.calls) > 0 || len(c.m.pauses) > 0 || c.m.dialog != noDialog {
			t.Errorf("%+v: it acts: %q", o, c.d.calls)
		}
		c.sees("not now: p ! u t r + - n k")
		if c.press("p"); o.ReadOnly {
			c.sees("read-only: p does nothing here")
		} else {
			c.sees("This is a replay")
		}
	}
}

func TestStaleAndLiveAgain(t *testing.T) {
	now := sampleNow
	c := newConsole(t, 80, 24, Options{Now: func() time.Time { return now }})
	c.sees("connecting…")
	s := healthy()
	c.live(s).sees("LIVE just now", "96.4 %")
	now = now.Add(75 * time.Second)
	c.show(link.Update{Snapshot: s, Err: errors.New("gone")})
	c.sees("STALE  1 min old", "96.4 %", "No link to the daemon")
	c.seesNot("LIVE")
	if frame := c.m.frame(); !strings.Contains(frame, "\x1b[2m96.4 %") {
		t.Error("the figure is not dimmed while stale")
	}
	s = healthy()
	s.At = now
	c.live(s).sees("LIVE just now")
	c.m.Update(updateMsg{over: true}) // the link's owner has ended
	c.m.Update(paceMsg{})
	c.sees("STALE", "96.4 %")
}

func TestRefusalsAndErrorsAreSaid(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(trouble())
	c.d.answers[link.VerbAck] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultRefused, Text: "viewers cannot acknowledge: ask an operator"}
	}
	c.press("k").sees("Not acknowledged: viewers cannot acknowledge: ask an operator")
	c.d.answers[link.VerbFind] = func(json.RawMessage) (any, error) { return nil, context.DeadlineExceeded }
	c.press("/", "1", "2", "enter").sees("did not answer in time")
}

func TestAcknowledge(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(trouble()).press("k")
	if got := c.d.calls; len(got) != 1 || got[0] != `ack {"alarm":"a3"}` {
		t.Errorf("k called %q, want the newest open alarm that nobody has seen", got)
	}
	c.sees("Acknowledged: 84.0 % arrive")
	c.press("tab", "tab", "down", "k").sees("Already acknowledged by ines")
	c.press("down", "k").sees("no open alarm")

	c = newConsole(t, 80, 24, Options{ReadOnly: true}).live(trouble()).press("k")
	c.sees("read-only")
	if len(c.d.calls) > 0 {
		t.Errorf("a read-only console called %q", c.d.calls)
	}
}

func TestErrorDetailPages(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(trouble()).press("down", "enter")
	c.sees("Error 131026", "page 1", "+351********11")
	c.press("pgdown").sees("page 2")
	c.press("pgdown").sees("page 3")
	c.press("pgup").sees("page 2")
	c.press("home").sees("page 1")
	want := []string{`"code":131026,"limit"`, `"before":7,`, `"before":14,`, `"before":7,`, `"code":131026,"limit"`}
	if len(c.d.calls) != len(want) {
		t.Fatalf("calls: %q", c.d.calls)
	}
	for i, w := range want {
		if !strings.Contains(c.d.calls[i], w) || !strings.Contains(c.d.calls[i], `"campaign":"autumn"`) {
			t.Errorf("call %d is %s, want %s", i, c.d.calls[i], w)
		}
	}
	c.press("pgup") // there is nothing newer
	if len(c.d.calls) != len(want) {
		t.Error("a page before the first was asked for")
	}
	c.press("esc").sees("Queue")
}

// A page that comes after another one was asked for is dropped.
func TestLateAnswersAreDropped(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(trouble())
	_, slow := c.m.Update(keyPress("enter")) // 131053 is asked for
	c.press("esc", "down", "enter").sees("Error 131026", "+351********11")
	c.d.answers[link.VerbFailures] = func(json.RawMessage) (any, error) {
		return link.Failures{Messages: failedMessages(3, sampleNow.Add(-time.Hour))}, nil
	}
	c.m.Update(slow())
	c.seesNot("08:11:42")
}

// The screen stays on its campaign when others come, and goes on by itself only
// from one that is over.
func TestTheScreenStaysOnItsCampaign(t *testing.T) {
	c := newConsole(t, 120, 40, Options{}).live(healthy()).shows(" autumn ▸")
	s := trouble()
	s.Campaigns[0], s.Campaigns[1] = s.Campaigns[1], s.Campaigns[0] // loyalty is newer now
	c.live(s).shows(" autumn ▸", "2 of 3")
	c.press("]").shows(" summer_end", "FINISHED")
	c.live(trouble()).shows(" summer_end") // it was chosen, though it is over
	c.press("]").shows(" autumn ▸")
	c.press("[", "[").shows(" loyalty")
	c.press("c", "up", "enter").shows(" autumn ▸")

	c = newConsole(t, 120, 40, Options{})
	only := trouble()
	only.Campaigns = only.Campaigns[2:]
	c.live(only).shows(" summer_end", "FINISHED")
	c.live(trouble()).shows(" autumn ▸")
}

func (c *console) shows(want ...string) *console {
	c.Helper()
	c.sees(want...)
	return c
}

// The selection stays on its error when the order changes.
func TestSelectionFollowsTheError(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(trouble()).press("down", "down")
	c.sees("▸131049")
	s := trouble()
	e := s.Campaigns[0].Errors
	e[0], e[2] = e[2], e[0]
	c.live(s).sees("▸131049")
}

func TestLeaving(t *testing.T) {
	quits := func(cmd tea.Cmd) bool {
		if cmd == nil {
			return false
		}
		_, ok := cmd().(tea.QuitMsg)
		return ok
	}
	c := newConsole(t, 80, 24, Options{}).live(healthy())
	if _, cmd := c.m.Update(keyPress("q")); !quits(cmd) {
		t.Error("q does not leave a console that only watches")
	}
	c = newConsole(t, 80, 24, Options{Mode: ModeReplay}).live(healthy()).shows("REPLAY")
	c.seesNot("LIVE")
	if _, cmd := c.m.Update(keyPress("q")); !quits(cmd) {
		t.Error("q does not leave a replay")
	}
	for _, mode := range []string{ModeRun, ModeDemo} {
		c := newConsole(t, 80, 24, Options{Mode: mode}).live(healthy())
		if _, cmd := c.m.Update(keyPress("q")); quits(cmd) {
			t.Errorf("%s: q leaves without asking", mode)
		}
		c.sees("ends the daemon too")
		c.press("n").sees("Queue")
		c.press("ctrl+c").sees("ends the daemon too")
		if _, cmd := c.m.Update(keyPress("y")); !quits(cmd) {
			t.Errorf("%s: y does not leave", mode)
		}
	}
}

// drawnAt runs a console's commands while snapshots come to it, and gives when
// each of those that were drawn came to the screen. It belongs in a bubble of
// synctest's.
func drawnAt(t *testing.T, come func(send func(rev uint64))) map[uint64]time.Duration {
	c := newConsole(t, 80, 24, Options{})
	c.m.paced = false
	msgs := make(chan tea.Msg, 1000)
	var run func(tea.Cmd)
	run = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		go func() {
			switch msg := cmd().(type) {
			case tea.BatchMsg:
				for _, sub := range msg {
					run(sub)
				}
			default:
				msgs <- msg
			}
		}()
	}
	start, shown := time.Now(), map[uint64]time.Duration{}
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		run(c.m.nextUpdate())
		for {
			var msg tea.Msg
			select {
			case msg = <-msgs:
			case <-over:
				return
			}
			_, cmd := c.m.Update(msg)
			run(cmd)
			if c.m.raw != nil {
				if _, ok := shown[c.m.raw.Rev]; !ok {
					shown[c.m.raw.Rev] = time.Since(start)
				}
			}
		}
	}()
	come(func(rev uint64) {
		s := healthy()
		s.Rev = rev
		c.d.updates <- link.Update{Snapshot: s, Connected: true}
	})
	time.Sleep(time.Second)
	close(over)
	<-done
	close(c.d.updates)
	synctest.Wait()
	return shown
}

// A burst of snapshots is drawn at once and then eight times a second, the
// newest each time, and nothing is lost at the end of it.
func TestRedrawsAreSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const last = 101
		shown := drawnAt(t, func(send func(uint64)) {
			for rev := uint64(1); rev <= last; rev++ {
				send(rev)
				time.Sleep(10 * time.Millisecond)
			}
		})
		if at := shown[1]; at != 0 {
			t.Errorf("the first of the burst was shown after %v, not at once", at)
		}
		if _, ok := shown[last]; !ok {
			t.Error("the newest snapshot never came to the screen")
		}
		if n := len(shown); n < 8 || n > 10 {
			t.Errorf("%d redraws in a burst of one second, want about eight and the first", n)
		}
	})
}

// A console that attaches a moment before the daemon's next snapshot draws that
// one late, and those after it at once: it keeps no beat against the daemon's.
func TestRedrawsFollowTheDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const beat, last = 251 * time.Millisecond, 12
		var sent [last + 1]time.Duration
		start := time.Now()
		shown := drawnAt(t, func(send func(uint64)) {
			send(1)
			time.Sleep(time.Millisecond)
			for rev := uint64(2); rev <= last; rev++ {
				sent[rev] = time.Since(start)
				send(rev)
				time.Sleep(beat)
			}
		})
		for rev := uint64(3); rev <= last; rev++ {
			if late := shown[rev] - sent[rev]; late != 0 {
				t.Errorf("snapshot %d was drawn after %v", rev, late)
			}
		}
	})
}

// On a calm screen only the clock moves.
func TestACalmScreenOnlyMovesItsClock(t *testing.T) {
	now := sampleNow
	c := newConsole(t, 80, 24, Options{Now: func() time.Time { return now }})
	s := healthy()
	s.Campaigns[0].First30.Closed = true
	s.Feed.State, s.Feed.LastEventAt = link.FeedIdle, ptr(now.Add(-20*time.Minute))
	c.live(s)
	before := strings.Split(c.m.frame(), "\n")
	if again := c.m.frame(); again != strings.Join(before, "\n") {
		t.Error("two frames of the same state differ")
	}
	for range 50 {
		now = now.Add(time.Second)
		same := *s
		same.Rev++
		same.At = now.Add(-300 * time.Millisecond).Truncate(5 * time.Second) // as often as a calm daemon publishes
		c.live(&same)
		c.m.Update(secondMsg{})
		after := strings.Split(c.m.frame(), "\n")
		for i := range after {
			if after[i] != before[i] && i != 21 {
				t.Fatalf("line %d moved:\n%s\n%s", i, before[i], after[i])
			}
		}
	}
}

// A light background, once the terminal has told, gets darker colours.
func TestLightBackground(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(trouble())
	dark := c.m.frame()
	c.m.Update(tea.BackgroundColorMsg{Color: color.White})
	light := c.m.frame()
	if dark == light || plainText(dark) != plainText(light) {
		t.Error("the colours, and they alone, should follow the background")
	}
}
