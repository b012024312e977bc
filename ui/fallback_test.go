package ui

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tickwatch/monitor/link"
)

// Those whose message failed are reached by another channel in four steps: the
// channel, the errors, what it comes to, and the number of people typed in full.
func TestReach(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(reachable()).press("r")
	c.sees("by  ‹ WhatsApp again ›", "SMS", "E-mail", "←→ by what")
	c.press("right").sees("‹ SMS ›", "Reach the failed", "by SMS")
	c.press("right", "right").sees("‹ E-mail ›")
	c.press("left")
	c.press("enter").sees("Nothing is ticked")
	c.press("down", "space").sees("[x] 131026")
	c.press("enter").sees("Reach by SMS", "nothing is sent yet", "98 people can be reached, in 131 SMS parts", "It costs 5.8", "of a budget of 50.00",
		"31 wait for the allowed hours", "Nothing goes to 26 people", "21  no consent to SMS", "Mind: the campaign is paused", "Type 98 and press enter:")
	c.press("tab").sees("67 people can be reached", "left out", "31  outside the allowed hours", "Type 67 and press enter:")
	c.press("tab").sees("98 people can be reached")
	c.types("97").press("enter").sees("Nothing is sent: type the number of people, 98")
	c.press("esc").sees("Reach the failed")
	c.press("enter")
	c.types("98").press("enter").sees("Ordered: 98 people by SMS.")
	want := []string{
		`{"campaign":"autumn","channels":["sms"],"codes":[131026],"hours":"wait","dry_run":true}`,
		`{"campaign":"autumn","channels":["sms"],"codes":[131026],"hours":"leave-out","dry_run":true}`,
		`{"campaign":"autumn","channels":["sms"],"codes":[131026],"hours":"wait","dry_run":true}`,
		`{"campaign":"autumn","channels":["sms"],"codes":[131026],"hours":"wait","dry_run":true}`,
		`{"campaign":"autumn","channels":["sms"],"codes":[131026],"hours":"wait","expect":98}`,
	}
	if got := c.callsOf(link.VerbFallback); !slices.Equal(got, want) {
		t.Errorf("calls:\n%s", strings.Join(got, "\n"))
	}
}

// What the daemon refuses stays on the screen, and nobody is told that it went out.
func TestReachRefused(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(reachable())
	refuse := func(text string) {
		c.d.answers[link.VerbFallback] = func(json.RawMessage) (any, error) {
			return nil, &link.Fault{Kind: link.FaultRefused, Text: text}
		}
	}
	refuse("SMS has no text: give fallback.sms.text in the configuration")
	c.press("r", "right", "down", "space", "enter").sees("SMS has no text")
	c.d.answers[link.VerbFallback] = fallbackPlan
	c.press("enter").sees("98 people can be reached")
	refuse("no budget is set: give fallback.budget in the configuration")
	c.types("98").press("enter").sees("Nothing is sent: no budget is set", "Type 98")
	c.d.answers[link.VerbFallback] = func(json.RawMessage) (any, error) { return link.FallbackPlan{}, nil }
	c.press("esc", "enter").sees("Nobody can be reached.", "esc goes back")
	c.types("0").press("enter").sees("Nobody can be reached.")
}

// A fallback in its first minute stands on the main screen, and one key undoes it.
func TestReachUndo(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(reachable()).press("U")
	c.sees("there is nothing to undo")
	c.live(reaching(link.FallbackPending)).press("esc").sees("In 42 s it goes to 98 people by SMS. U undoes it: nothing has left.")
	c.d.answers[link.VerbFallbackCancel] = func(json.RawMessage) (any, error) {
		return link.Receipt{Text: "Undone: none of 98 messages has left."}, nil
	}
	c.press("U").sees("Undone: none of 98 messages has left.")
	if got := c.callsOf(link.VerbFallbackCancel); !slices.Equal(got, []string{`{"campaign":"autumn"}`}) {
		t.Errorf("calls: %q", got)
	}
	c = newConsole(t, 80, 24, Options{}).live(reaching(link.FallbackPending))
	c.d.answers[link.VerbFallbackCancel] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultFailed, Text: "the disk is full."}
	}
	c.press("U").sees("NOT UNDONE: the disk is full.", "tickwatch fallback cancel autumn")
}

// After the first messages r shows what became of them, and takes the number of
// those that wait.
func TestReachLook(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(reaching(link.FallbackLooking))
	c.sees("First 50 out: 41 arrived, 5 failed. r looks, sends the rest; U cancels it.")
	c.d.answers[link.VerbFallbackGoOn] = func(json.RawMessage) (any, error) {
		return link.Receipt{Text: "The rest goes out: 48 messages by SMS."}, nil
	}
	c.press("r").sees("Look at the first ones", "arrived", "41", "failed", "waiting", "48", "Type 48 and press enter")
	c.types("50").press("enter").sees("Nothing is sent: type the number that waits, 48")
	c.press("esc", "r").types("48").press("enter").sees("The rest goes out: 48 messages by SMS.")
	if got := c.callsOf(link.VerbFallbackGoOn); !slices.Equal(got, []string{`{"campaign":"autumn"}`}) {
		t.Errorf("calls: %q", got)
	}
}

// The failures of a campaign that another system sends can be reached, too, but not
// by WhatsApp.
func TestReachExternal(t *testing.T) {
	s := trouble()
	s.Channels = []string{"sms"}
	c := newConsole(t, 80, 24, Options{}).live(s).press("r")
	c.sees("Reach the failed", "by SMS")
	c.seesNot("WhatsApp again")
}

// An order that nobody answered is not said to have been left undone: it may have
// been carried out.
func TestReachUnanswered(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(reachable()).press("r", "right", "down", "space", "enter")
	c.d.answers[link.VerbFallback] = func(json.RawMessage) (any, error) { return nil, context.DeadlineExceeded }
	c.types("98").press("enter").sees("The daemon did not answer in time: it may have been done.")
	c.seesNot("Nothing is sent:")
}
