package ui

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
)

// types types a text, letter by letter.
func (c *console) types(text string) *console {
	c.Helper()
	for _, r := range text {
		if r == ' ' {
			c.press("space")
			continue
		}
		c.press(string(r))
	}
	return c
}

// Resuming shows what it would do, and takes the word alone.
func TestResumeTakesTheWord(t *testing.T) {
	c := newConsole(t, 80, 24, Options{})
	c.d.answers[link.VerbForecast] = func(json.RawMessage) (any, error) {
		f := forecastOf(&link.ForecastArgs{})
		f.Closed = nil
		return f, nil
	}
	c.live(halted()).press("u")
	c.sees("12,019 messages will go out, pace 600/m, the last at about 09:32.", "Nothing goes to 353 people", "312  opted out", " WATCH  The quality of autumn_offer", "Type 12,019 and press enter:")
	if got := c.callsOf(link.VerbForecast); !slices.Equal(got, []string{`{"scope":"campaign","id":"autumn"}`}) {
		t.Errorf("forecasts: %q", got)
	}
	for _, wrong := range []string{"", "yes", "12", "12,01", "12,0199"} {
		c.m.resume.input.Reset()
		c.types(wrong).press("enter")
		c.sees("Nothing is resumed: type 12,019")
	}
	if got := c.callsOf(link.VerbResume); len(got) > 0 {
		t.Fatalf("resumed without the word: %q", got)
	}
	c.m.resume.input.Reset()
	c.types("12019").press("enter") // the comma is for reading
	if got := c.callsOf(link.VerbResume); !slices.Equal(got, []string{`{"scope":"campaign","id":"autumn"}`}) {
		t.Errorf("resumes: %q", got)
	}
	c.sees("Resumed: 12,019 messages go out", "Queue")
}

func TestResumeOfWhatIsOpen(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(sending()).press("u")
	c.sees("autumn is not paused")
	c = newConsole(t, 80, 24, Options{}).live(nothingYet()).press("u")
	c.sees("Nothing is paused")
	draft := starts()
	draft.Campaigns[0].State = "draft"
	newConsole(t, 80, 24, Options{}).live(draft).press("u").sees("NOT STARTED", "tickwatch campaign start autumn")

	c = newConsole(t, 80, 24, Options{}).live(halted()).press("u")
	c.d.answers[link.VerbResume] = func(json.RawMessage) (any, error) { return link.Receipt{Already: true}, nil }
	c.types("12019").press("enter").sees("It had been resumed already.")
	c = newConsole(t, 80, 24, Options{}).live(halted()).press("u")
	c.d.answers[link.VerbResume] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultRefused, Text: "the file STOP is in the data folder: remove it first."}
	}
	c.types("12019").press("enter").sees("Not resumed: the file STOP", "Resume")
}

// A notice of a resume does not outlive it.
func TestANewPauseOutdatesTheResume(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(halted()).press("u").types("12019").press("enter")
	c.live(halted()).sees("Resumed: 12,019") // a snapshot that was on its way
	s := halted()
	s.Gates[0].Since = sampleNow.Add(time.Second).UTC()
	c.live(s).seesNot("Resumed")
}

// Each pause is ended by itself: which one, the operator chooses.
func TestResumeChoosesThePause(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(allHalted()).press("u")
	c.sees("▸ campaign autumn is paused by ines")
	c.press("up", "up", "up").sees("▸ everything is paused by rui", "12,019 messages will go out, pace 600/m, the last at about 09:32. Still", "campaign autumn by ines")
	c.types("12019").press("enter")
	want := []string{`{"scope":"campaign","id":"autumn"}`, `{"scope":"number","id":"500100200300400"}`, `{"scope":"all"}`}
	if got := c.callsOf(link.VerbForecast); !slices.Equal(got, want) {
		t.Errorf("forecasts: %q", got)
	}
	if got := c.callsOf(link.VerbResume); !slices.Equal(got, want[2:]) {
		t.Errorf("resumes: %q", got)
	}
	// Without a pause of its own the widest is chosen first.
	s := allHalted()
	s.Gates = s.Gates[1:]
	newConsole(t, 80, 24, Options{}).live(s).press("u").sees("▸ everything")
}

// The open window follows what others do.
func TestResumeWhileOthersAct(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(halted()).press("u").live(halted())
	if n := len(c.callsOf(link.VerbForecast)); n != 1 {
		t.Errorf("asked %d times though nothing changed", n)
	}
	c.live(allHalted()).sees("everything is paused by rui")
	if n := len(c.callsOf(link.VerbForecast)); n != 2 {
		t.Errorf("asked %d times, want once more", n)
	}
	c.live(sending()).sees("It has been resumed meanwhile.", "Queue")
	// A forecast that comes too late, of another pause, is dropped.
	c = newConsole(t, 80, 24, Options{}).live(allHalted())
	_, slow := c.m.Update(keyPress("u"))
	c.press("up").sees("▸ number")
	c.d.answers[link.VerbForecast] = func(json.RawMessage) (any, error) { return link.Forecast{Going: 7, Word: "7"}, nil }
	c.m.Update(slow())
	c.seesNot("7 messages will go out")
}

// An unanswered resume may have been carried out, and the window says so.
func TestADoubtfulResume(t *testing.T) {
	c := newConsole(t, 120, 40, Options{}).live(halted()).press("u")
	c.d.answers[link.VerbResume] = func(json.RawMessage) (any, error) { return nil, timedOut() }
	c.types("12019").press("enter").sees("it may have been done. Look before you try again.")
	c.d.answers[link.VerbForecast] = func(json.RawMessage) (any, error) { return nil, timedOut() }
	c.press("esc", "u").sees("did not answer in time")
	c.press("enter").sees("did not answer in time")
}

// A swap shows the text, asks once more, and opens nothing.
func TestSwap(t *testing.T) {
	c := newConsole(t, 140, 40, Options{}).live(halted()).press("t")
	c.sees("12,372 messages wait", "now  autumn_offer/pt_PT", "▸autumn_text/pt_PT", "no: it needs one more variable", "Olá Ana,", "[Ver a coleção]")
	c.press("down").sees("▸autumn_short/pt_PT", "20 % até domingo.")
	c.press("down", "enter").sees("autumn_code/pt_PT cannot be used: it needs one more variable")
	c.press("up", "up", "enter").sees("Send the 12,372 messages that wait with autumn_text/pt_PT?", "What is paused", "stays paused.")
	c.press("esc").sees("▸autumn_text/pt_PT")
	if got := c.callsOf(link.VerbSwap); len(got) > 0 {
		t.Fatalf("changed without a last word: %q", got)
	}
	c.press("enter", "enter").sees("The 12,372 messages that wait go out with autumn_text/pt_PT. To take it back, choose", "Queue")
	if got := c.callsOf(link.VerbSwap); !slices.Equal(got, []string{`{"campaign":"autumn","template":{"name":"autumn_text","language":"pt_PT"}}`}) {
		t.Errorf("swaps: %q", got)
	}
	if got := c.callsOf(link.VerbResume); len(got) > 0 {
		t.Errorf("a swap resumes: %q", got)
	}
	newConsole(t, 120, 24, Options{}).live(sending()).press("t", "enter").sees("they go out with it at once.")
}

func TestSwapThatFails(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(halted()).press("t", "enter")
	c.d.answers[link.VerbSwap] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultRefused, Text: "Meta has paused it meanwhile."}
	}
	c.press("enter").sees("Not changed: Meta has paused it meanwhile.", "▸autumn_text")
	c.d.answers[link.VerbChoices] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultFailed, Text: "the token is not valid any more: make a new one."}
	}
	c.press("esc", "t").sees("the token is not valid any more")
	c.press("enter", "down", "enter") // there is nothing to choose
	c.d.answers[link.VerbChoices] = func(json.RawMessage) (any, error) { return link.Choices{}, nil }
	c.press("esc", "t").sees("There is no other template")
	c.press("down", "enter").sees("There is no other template")
	over := halted()
	over.Campaigns[0].State = "cancelled"
	newConsole(t, 80, 24, Options{}).live(over).press("t").sees("autumn is over")
}

// A retry ticks errors, counts who can get a new message, and takes that number.
func TestRetry(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(halted()).press("r")
	c.sees("Send again", "[ ] 131049", "No, it would fail again.", "SMS, voice and e-mail are not set up")
	c.press("enter").sees("Nothing is ticked")
	c.press("down", "space").sees("131026 is not sent again: it would fail again. ")
	c.press("down", "space").sees("[x] 131053")
	c.press("enter").sees("86 people can get a new message", "Nothing goes to 12 people", "9  two marketing messages", "Type 86 and press enter:")
	c.types("85").press("enter").sees("Nothing is sent: type the number of people, 86")
	c.press("esc").shows("space ticks").press("up", "up", "space", "enter")
	c.types("86").press("enter").sees("86 new messages wait", "Queue")
	want := []string{
		`{"campaign":"autumn","codes":[131053],"dry_run":true}`, `{"campaign":"autumn","codes":[131049,131053],"dry_run":true}`, `{"campaign":"autumn","codes":[131049,131053]}`,
	}
	if got := c.callsOf(link.VerbRetry); !slices.Equal(got, want) {
		t.Errorf("retries: %q", got)
	}
	c.d.answers[link.VerbRetry] = func(json.RawMessage) (any, error) { return link.Retried{}, nil }
	c.press("r", "space", "enter").sees("0 people can get a new message", "esc goes back")
	c.types("0").press("enter")
	if n := len(c.callsOf(link.VerbRetry)); n != len(want)+1 {
		t.Error("a retry of nobody is sent")
	}
	calm := sending()
	calm.Campaigns[0].Errors = nil
	newConsole(t, 80, 24, Options{}).live(calm).press("r").sees("there is nothing to send again")
}

func TestPaceAndCopy(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(sending()).press("+")
	c.sees("Pace of autumn now 700/m, the last goes out at about 09:29.")
	c.press("-")
	if got := c.callsOf(link.VerbPace); !slices.Equal(got, []string{`{"campaign":"autumn","step":1}`, `{"campaign":"autumn","step":-1}`}) {
		t.Errorf("paces: %q", got)
	}
	_, cmd := c.m.Update(keyPress("y"))
	text := "autumn SENDING 12/s | OK 96.4 % arrived, of those decided (7,063) | failed 251, most 131049 Meta chose not to deliver | " +
		"waiting 12,372, may have gone out 2, with Meta 7,640 | 20 Nov 09:11 CET"
	if got := c.m.copied; got != text {
		t.Errorf("copied %q", got)
	}
	if msg := cmd(); !strings.Contains(strings.ToLower(typeName(msg)), "clipboard") {
		t.Errorf("%T goes to the terminal", msg)
	}
	c.sees("mark it here", "autumn SENDING 12/s | OK 96.4 %")
}

// A note stands on the screens of the others until it is read.
func TestNotes(t *testing.T) {
	c := newConsole(t, 120, 40, Options{}).live(sending())
	c.sees("NOTE    rui: Shop closes at 20:00", "(n)")
	c.press("n").sees("Shop closes at 20:00", "The picture was exchanged")
	c.press("esc").seesNot("NOTE")
	c.live(sending()).seesNot("NOTE")
	c.press("n").types("back at 10! qp").press("enter").sees("The note is left")
	if got := c.callsOf(link.VerbNote); !slices.Equal(got, []string{`{"text":"back at 10! qp","campaign":"autumn"}`}) {
		t.Errorf("notes: %q", got)
	}
	s := sending()
	s.Actions = append(s.Actions, link.Action{ID: "n3", At: sampleNow.UTC(), Operator: "ines", Verb: link.VerbNote, Reason: "back at 10! qp"})
	c.live(s).seesNot("NOTE") // their own
	s = sending()
	s.Actions = append(s.Actions, link.Action{ID: "n4", At: sampleNow.Add(time.Minute).UTC(), Operator: "rui", Verb: link.VerbNote, Reason: "thanks"})
	c.live(s).sees("NOTE    rui: thanks")
	s = sending()
	for i := range s.Actions {
		s.Actions[i].At = s.Actions[i].At.Add(-25 * time.Hour)
	}
	newConsole(t, 120, 40, Options{}).live(s).seesNot("NOTE")

	c = newConsole(t, 120, 40, Options{}).live(sending()).press("n", "enter")
	c.d.answers[link.VerbNote] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultFailed, Text: "the disk is full."}
	}
	c.types("hello").press("enter").sees("Not left: the disk is full.", "Note: hello")
}
