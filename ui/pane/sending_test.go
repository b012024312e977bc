package pane

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// The first line says how a campaign of our own goes out, in every state.
func TestHowItGoesOut(t *testing.T) {
	in := func(d time.Duration) *time.Time { return ptr(now.Add(d)) }
	for _, c := range []struct {
		name, state string
		counts      link.Counts
		how         link.Sending
		want        string
	}{
		{"draft", "draft", link.Counts{Messages: 5, Waiting: 5}, link.Sending{}, " NOT STARTED "},
		{"ready", "ready", link.Counts{Messages: 5, Waiting: 5}, link.Sending{StartsAt: in(time.Hour)}, " STARTS 10:11 "},
		{"ready on another day", "ready", link.Counts{Messages: 5, Waiting: 5}, link.Sending{StartsAt: in(24 * time.Hour)}, " STARTS Nov 21 09:11 "},
		{"sending", "running", link.Counts{Messages: 5, Waiting: 5}, link.Sending{PerSecond: 12.9}, " SENDING 12/s "},
		{"slowly", "running", link.Counts{Messages: 5, Waiting: 5}, link.Sending{PerSecond: 0.27}, " SENDING <1/s "},
		{"about to", "running", link.Counts{Messages: 5, Waiting: 5}, link.Sending{}, " SENDING "},
		{"waiting", "running", link.Counts{Messages: 5, Waiting: 5}, link.Sending{Held: "until 10:00"}, " WAITING  until 10:00 "},
		{"the last on their way", "running", link.Counts{Messages: 5, Claimed: 1, HandedOver: 4}, link.Sending{PerSecond: 1}, " SENDING 1/s "},
		{"all sent", "running", link.Counts{Messages: 5, HandedOver: 4, Unknown: 1}, link.Sending{PerSecond: 1, Held: "all sent"}, " ALL SENT "},
		{"set aside", "running", link.Counts{Messages: 5, SetAside: 5}, link.Sending{Held: "all that waits is set aside"}, " WAITING  all that waits is set aside"},
		{"done", "finished", link.Counts{Messages: 5, HandedOver: 5}, link.Sending{}, " DONE "},
		{"cancelled", "cancelled", link.Counts{Messages: 5, Cancelled: 5}, link.Sending{}, " CANCELLED "},
	} {
		s := &link.Snapshot{Campaigns: []link.Campaign{{ID: "autumn", Origin: "own", State: c.state, Counts: c.counts, Sending: &c.how}}}
		if got := ansi.Strip(Header(look(), s, 0, true, 80)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not say %q", c.name, got, c.want)
		}
	}
}

// What is prepared and has not begun is shown as waiting: only what is on its
// way may still arrive.
func TestPreparedIsWaiting(t *testing.T) {
	c := &link.Campaign{Origin: "own", Counts: link.Counts{Waiting: 9000, Claimed: 64}, Sending: &link.Sending{OpenRequests: 12}}
	pane := Queue(look(), &link.Snapshot{}, c, false, 34, 12)
	says(t, pane, "waiting                  9,052", "going out now               12")
	c.Sending.OpenRequests = 0
	pane = Queue(look(), &link.Snapshot{}, c, false, 34, 12)
	says(t, pane, "waiting                  9,064")
	saysNot(t, pane, "going out now")
}

// The pauses that hold a campaign are found whatever their order, the widest
// first, and no other.
func TestPauses(t *testing.T) {
	gate := func(scope, id string) link.Gate {
		return link.Gate{Scope: scope, ID: id, State: link.GatePaused, By: "ines"}
	}
	s := &link.Snapshot{
		Gates: []link.Gate{
			gate("campaign", "autumn"), gate("number", "500"), gate("channel", "whatsapp"), gate("all", ""),
			gate("campaign", "spring"), gate("number", "700"), gate("channel", "sms"),
			{Scope: "number", ID: "600", State: link.GateOpen},
		},
		Numbers: []link.Number{{ID: "500", Display: "+49 1555 0001"}},
	}
	c := &link.Campaign{ID: "autumn", Name: "Autumn", Numbers: []string{"500", "600"}}
	s.Campaigns = []link.Campaign{*c}
	var got []string
	for _, g := range Pauses(s, c) {
		got = append(got, PausePlace(s, &g))
	}
	if want := "everything, all of WhatsApp, number +49155…01, campaign Autumn"; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if n := len(Pauses(s, nil)); n != 1 {
		t.Errorf("without a campaign there are %d", n)
	}
	until := now.Add(9 * time.Hour)
	s.Gates[3].OpensAt = &until
	says(t, Header(look(), &link.Snapshot{Gates: s.Gates[3:4], Campaigns: []link.Campaign{{Origin: "own", State: "paused"}}}, 0, true, 90), " ALL PAUSED  by ines until 18:11")
	// One of two numbers does not stop it; it is named nevertheless.
	s.Gates = s.Gates[1:2]
	c.Origin, c.State = "own", "running"
	if Paused(s, c) {
		t.Error("one of two numbers stops the campaign")
	}
	says(t, QueueDetail(look(), s, c, 80, 20), "Number +49155…01 is paused by ines.")
}

// What stays paused is said as what it is: all of a campaign, some of it, or nothing to do with it.
func TestWhatStaysPaused(t *testing.T) {
	c := &link.Campaign{ID: "autumn", Name: "autumn", Numbers: []string{"500", "600"}}
	ask := func(target string, closed ...link.Gate) string {
		r := &Resuming{Pauses: []link.Gate{{Scope: target, ID: c.ID}}, Forecast: &link.Forecast{Going: 12, Closed: closed}, Input: "Type: "}
		return Resume(look(), &link.Snapshot{}, c, r, 90, 20)
	}
	number, other := link.Gate{Scope: "number", ID: "500"}, link.Gate{Scope: "number", ID: "700"}
	says(t, ask("campaign"), "12 messages will go out.")
	says(t, ask("campaign", link.Gate{Scope: "all"}), "12 messages could go out, but not yet. It stays paused:", "everything")
	says(t, ask("campaign", number), "will go out. Still paused then:", "number 500")
	says(t, ask("campaign", number, link.Gate{Scope: "number", ID: "600"}), "but not yet")
	saysNot(t, ask("campaign", other, link.Gate{Scope: "channel", ID: "sms"}), "paused:", "700", "SMS")
	says(t, ask("all", link.Gate{Scope: "campaign", ID: "spring"}), "Still paused then:", "campaign spring")
}

// What goes out by other channels is said apart, and alone where nothing else does.
func TestWhatGoesOutBeside(t *testing.T) {
	c := &link.Campaign{ID: "autumn", Name: "autumn"}
	for _, k := range []struct {
		going  int64
		sms    link.Beside
		closed []link.Gate
		want   []string
		not    string
	}{
		{12, link.Beside{Channel: "sms", Waiting: 418, Going: 418}, nil, []string{"12 messages will go out.", "418 SMS wait and will go out too."}, "Still"},
		{0, link.Beside{Channel: "sms", Waiting: 418, Going: 418}, nil, []string{"418 SMS wait and will go out."}, "0 messages"},
		{0, link.Beside{Channel: "voice", Waiting: 1, Going: 1}, nil, []string{"1 call waits and will go out."}, "0 messages"},
		{12, link.Beside{Channel: "email", Waiting: 418, Going: 50}, nil, []string{"Of 418 e-mails that wait 50 will go out too."}, "0 messages"},
		{0, link.Beside{Channel: "sms", Waiting: 418}, []link.Gate{{Scope: "channel", ID: "sms"}}, []string{"418 SMS still wait.", "Still paused then:", "all of SMS"}, "0 messages"},
		{12, link.Beside{Channel: "sms", Waiting: 418}, []link.Gate{{Scope: "channel", ID: "sms"}}, []string{"12 messages will go out. Still paused then:", "all of SMS", "418 SMS still wait."}, "not yet"},
		{12, link.Beside{Channel: "sms", Waiting: 418, Going: 418}, []link.Gate{{Scope: "channel", ID: "whatsapp"}}, []string{"but not yet", "all of WhatsApp", "418 SMS wait and will go out."}, "too."},
	} {
		r := &Resuming{Pauses: []link.Gate{{Scope: "campaign", ID: c.ID}}, Forecast: &link.Forecast{Going: k.going, Beside: []link.Beside{k.sms}, Closed: k.closed}, Input: "Type: "}
		got := Resume(look(), &link.Snapshot{}, c, r, 80, 20)
		says(t, got, k.want...)
		saysNot(t, got, k.not)
	}
}

// A pause that no gate tells of is still one, with the queue's word for it.
func TestPausedByTheStopFile(t *testing.T) {
	c := link.Campaign{ID: "autumn", Origin: "own", State: "paused", Sending: &link.Sending{Held: "the STOP file is there"}}
	says(t, Header(look(), &link.Snapshot{Campaigns: []link.Campaign{c}}, 0, true, 80), " PAUSED  the STOP file is there")
}

// Messages that may have gone out explain themselves, and name the command that settles them.
func TestDoubtfulMessagesAreExplained(t *testing.T) {
	c := &link.Campaign{ID: "black friday's", Origin: "own", Counts: link.Counts{Messages: 3, Unknown: 1, HandedOver: 2}}
	s := &link.Snapshot{Campaigns: []link.Campaign{*c}}
	says(t, QueueDetail(look(), s, c, 90, 24), "1 message may have gone out", `tickwatch resolve 'black friday'\''s' --as sent|not-sent`)
	text := strings.Join(Plain(s, time.UTC), "\n")
	if !strings.Contains(text, "Queue: waiting 0, may have gone out 1, with Meta 2") || !strings.Contains(text, "tickwatch resolve ") {
		t.Errorf("plain: %s", text)
	}
	c.Counts.Unknown = 0
	saysNot(t, QueueDetail(look(), s, c, 90, 24), "resolve")
}

// The line that confirms, and how many go, stay on a small screen.
func TestTheConfirmationStaysInView(t *testing.T) {
	r := &Resuming{Input: "Type 12 and press enter: ", Forecast: &link.Forecast{Going: 12}}
	for range 9 {
		r.Pauses = append(r.Pauses, link.Gate{Scope: "number", ID: "500", By: "tickwatch"})
		r.Forecast.Closed = append(r.Forecast.Closed, r.Pauses[0])
		r.Forecast.LeftOut = append(r.Forecast.LeftOut, link.LeftOut{Reason: "a reason", Count: 1})
		r.Forecast.Findings = append(r.Forecast.Findings, link.Finding{Severity: link.VerdictAct, Text: "bad"})
	}
	for _, size := range [][2]int{{80, 20}, {38, 9}, {38, 5}} {
		says(t, Resume(look(), &link.Snapshot{}, nil, r, size[0], size[1]), "12 messages will go out", "Type 12 and press enter")
	}
	again := &Retrying{Input: "Type 9: ", Counted: &link.Retried{Eligible: 9, LeftOut: r.Forecast.LeftOut}}
	for i := range 20 {
		again.Rows = append(again.Rows, RetryRow{Code: 131000 + i})
	}
	for _, size := range [][2]int{{80, 20}, {38, 9}} {
		says(t, Retry(look(), again, size[0], size[1]), "9 people can get", "Type 9:")
	}
}

// That all is sent is said once.
func TestAllSentIsSaidOnce(t *testing.T) {
	c := link.Campaign{ID: "autumn", Origin: "own", State: "running", Counts: link.Counts{Messages: 5, HandedOver: 5}, Sending: &link.Sending{Held: "all sent"}}
	head := ansi.Strip(Header(look(), &link.Snapshot{Campaigns: []link.Campaign{c}}, 0, true, 80))
	if strings.Count(strings.ToLower(head), "all sent") != 1 {
		t.Errorf("%q", head)
	}
}

// Two campaigns of one name are told apart by their ids, one that has its name to
// itself is called by that alone.
func TestCampaignsOfOneName(t *testing.T) {
	s := &link.Snapshot{Campaigns: []link.Campaign{
		{ID: "autumn-2", Name: "autumn", Origin: "own", State: "draft"},
		{ID: "autumn", Name: "autumn", Origin: "own", State: "draft"},
		{ID: "late-list", Name: "Late list", Origin: "own", State: "draft"},
	}}
	text := strings.Join(Plain(s, time.UTC), "\n") + Header(look(), s, 0, true, 80)
	says(t, text, "autumn [autumn-2], NOT STARTED", "\nautumn, NOT STARTED", "\nLate list, NOT STARTED", " autumn [autumn-2]  NOT STARTED")
	cards := []link.Card{{ID: "autumn-2", Name: "autumn"}, {ID: "autumn", Name: "autumn"}, {ID: "late-list", Name: "Late list"}}
	says(t, Switcher(look(), s, &Choices{Cards: cards, Known: 3}, 0, 100, 12), "autumn [autumn-2]", "autumn  ", "Late list  ")
}
