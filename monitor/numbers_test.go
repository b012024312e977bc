package monitor_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// asked hands in what Meta answers now about the number of the tests' webhooks.
func (h *house) asked(t *testing.T, at time.Time, change func(*wa.Poll, *wa.PolledNumber)) {
	t.Helper()
	n := wa.PolledNumber{ID: "500", Display: "4915550001", Quality: wa.QualityGreen, Status: "CONNECTED", Limit: "TIER_250", Throughput: 1000}
	p := wa.Poll{Account: "1", At: wa.At(at)}
	change(&p, &n)
	p.Numbers = []wa.PolledNumber{n}
	if err := h.store.Poll(context.Background(), &p); err != nil {
		t.Fatal(err)
	}
}

// judged is the state after a judgement of this moment, with the open alarms as
// "kind severity text".
func (h *house) judged(t *testing.T) (*link.Snapshot, []string) {
	t.Helper()
	h.monitor.Judge(t.Context())
	s := h.status(t)
	var alarms []string
	for _, a := range open(s) {
		alarms = append(alarms, a.Kind+" "+a.Severity+" "+a.Text)
	}
	return s, alarms
}

func wantAlarm(t *testing.T, got []string, want string) {
	t.Helper()
	if want == "" && len(got) == 0 || len(got) == 1 && want != "" && strings.HasPrefix(got[0], want) {
		return
	}
	t.Errorf("alarms %q, want %q", got, want)
}

// A number's quality and status, which polls alone tell, alarm as templates' do, and
// clear when Meta says so; while nothing goes out, nobody is told to act.
func TestANumberFalls(t *testing.T) {
	clock := newHand()
	h := openHouse(t, t.TempDir(), clock.now)
	sends := func() {
		h.post(t, body([]update{{fmt.Sprintf("%07d", clock.now().Unix()%1e7), "sent", clock.now().Unix(), 0}}), clock.now())
	}
	for i, c := range []struct {
		change func(*wa.Poll, *wa.PolledNumber)
		want   string // while a campaign is sent from it
	}{
		{func(*wa.Poll, *wa.PolledNumber) {}, ""},
		{func(_ *wa.Poll, n *wa.PolledNumber) { n.Quality = wa.QualityYellow }, "quality watch Quality YELLOW of number +4915550001"},
		{func(_ *wa.Poll, n *wa.PolledNumber) { n.Quality = wa.QualityRed }, "quality act Quality RED of number +4915550001"},
		{func(_ *wa.Poll, n *wa.PolledNumber) { n.Status = "BANNED" }, "quality act Meta banned the number +4915550001"},
		{func(_ *wa.Poll, n *wa.PolledNumber) { n.Status = "RESTRICTED" }, "quality act Meta restricts the number +4915550001"},
		{func(_ *wa.Poll, n *wa.PolledNumber) { n.Status = "RATE_LIMITED" }, "limit watch Meta slows the number +4915550001 down"},
		{func(_ *wa.Poll, n *wa.PolledNumber) { n.Status = "DISCONNECTED" }, "quality act The number +4915550001 is disconnected"},
		{func(_ *wa.Poll, n *wa.PolledNumber) { n.Status = "UNVERIFIED" }, "quality act The number +4915550001 cannot send: its status is unverified"},
		{func(_ *wa.Poll, n *wa.PolledNumber) { n.Throughput = 80 }, "limit watch Meta takes fewer messages a second from +4915550001: 80, was 1000"},
		{func(*wa.Poll, *wa.PolledNumber) {}, ""},
		{func(p *wa.Poll, _ *wa.PolledNumber) {
			p.Health = []wa.HealthEntity{{Type: wa.HealthOfNumber, ID: "500", CanSend: wa.CannotSend, Errors: []wa.HealthError{{Code: 1, Description: "No certificate", Solution: "Register it"}}}}
		}, "limit act Number +4915550001 cannot send: No certificate"},
		{func(p *wa.Poll, _ *wa.PolledNumber) {
			p.Health = []wa.HealthEntity{{Type: wa.HealthOfNumber, ID: "500", CanSend: wa.CanSend}, {Type: wa.HealthOfAccount, ID: "1", CanSend: wa.CanSendSome, Info: []string{"Payment due"}}}
		}, "limit watch The WhatsApp account may not send everything: Payment due"},
		{func(p *wa.Poll, _ *wa.PolledNumber) {
			p.Health = []wa.HealthEntity{{Type: wa.HealthOfAccount, ID: "1", CanSend: wa.CanSend}}
		}, ""},
	} {
		clock.forward(5 * time.Minute)
		sends()
		h.asked(t, clock.now(), c.change)
		s, alarms := h.judged(t)
		wantAlarm(t, alarms, c.want)
		if strings.Contains(c.want, "No certificate") && (open(s)[0].Advice != "Meta advises: Register it" || s.Numbers[0].Health != wa.CannotSend || s.Numbers[0].HealthReason != "No certificate") {
			t.Errorf("%d: advice %q, number %+v", i, open(s)[0].Advice, s.Numbers[0])
		}
	}
	h.asked(t, clock.now().Add(time.Minute), func(_ *wa.Poll, n *wa.PolledNumber) { n.Quality = wa.QualityRed })
	clock.forward(3 * time.Hour) // the campaign is over
	_, alarms := h.judged(t)
	wantAlarm(t, alarms, "quality watch Quality RED of number +4915550001")
	clock.forward(25 * time.Hour)
	_, alarms = h.judged(t)
	wantAlarm(t, alarms, "") // nobody could ask for a day
	_ = h.store.Close()
}

// The older rule's clock runs for seven days from the flag on, whoever told of it, and
// over a restart; UNFLAGGED ends it.
func TestAFlaggedNumber(t *testing.T) {
	for _, byPoll := range []bool{false, true} {
		clock, dir := newHand(), t.TempDir()
		h := openHouse(t, dir, clock.now)
		flag := func(event, status string) {
			if byPoll {
				h.asked(t, clock.now(), func(_ *wa.Poll, n *wa.PolledNumber) { n.Status = status })
				return
			}
			h.take(t, &wa.Post{Source: "meta", ReceivedAt: wa.At(clock.now()), Body: []byte("{}"), Numbers: []wa.NumberUpdate{{AccountID: "1", Display: "4915550001", Event: event, At: wa.At(clock.now())}}})
		}
		flag("FLAGGED", "FLAGGED")
		s, alarms := h.judged(t)
		wantAlarm(t, alarms, "quality watch Meta flagged the number +4915550001")
		if until := open(s)[0].Until; until == nil || until.Sub(clock.now()).Round(time.Hour) != 7*24*time.Hour {
			t.Errorf("poll %v: until %v", byPoll, until)
		}
		clock.forward(6 * 24 * time.Hour)
		_ = h.store.Close()
		h = openHouse(t, dir, clock.now)
		s, alarms = h.judged(t)
		wantAlarm(t, alarms, "quality watch Meta flagged")
		if until := open(s)[0].Until; until == nil || until.Sub(clock.now()).Round(time.Hour) != 24*time.Hour {
			t.Errorf("poll %v: six days later until %v", byPoll, until)
		}
		flag("UNFLAGGED", "CONNECTED")
		_, alarms = h.judged(t)
		wantAlarm(t, alarms, "")
		_ = h.store.Close()
	}
}

// The use of a limit is a figure of the snapshot, and an alarm before it is used up:
// while another system sends from 70 % on, and to act on from 90 % or a quarter of an
// hour before.
func TestALimitIsNearlyUsedUp(t *testing.T) {
	clock := newHand()
	h := openHouse(t, t.TempDir(), clock.now)
	sent := 0
	send := func(n int) {
		var all []update
		for range n {
			all = append(all, update{fmt.Sprintf("%07d", sent), "delivered", clock.now().Unix(), 0})
			sent++
		}
		h.post(t, body(all), clock.now())
		if err := h.store.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.forward(11 * time.Second)
	}
	send(100)
	h.asked(t, clock.now(), func(*wa.Poll, *wa.PolledNumber) {})
	s, alarms := h.judged(t)
	wantAlarm(t, alarms, "")
	if n := s.Numbers[0]; n.Used24h == nil || *n.Used24h != 100 || n.LimitReachedAt != nil {
		t.Errorf("%+v", n)
	}
	clock.forward(10 * time.Minute) // the pace is that of the last minutes
	h.judged(t)
	clock.forward(20 * time.Minute)
	send(80)
	_, alarms = h.judged(t)
	wantAlarm(t, alarms, "limit watch 180 of 250 people in 24 hours are used")
	send(10) // 70 people are left, at 10 in 11 s
	s, alarms = h.judged(t)
	wantAlarm(t, alarms, "limit act 190 of 250 people in 24 hours are used; limit reached in 1 min at this pace")
	if at := s.Numbers[0].LimitReachedAt; at == nil || at.Sub(clock.now()) > 2*time.Minute || len(s.Limits) != 1 || s.Limits[0].Next != "TIER_2K" || len(s.Limits[0].Needs) != 2 {
		t.Errorf("%v, %+v", at, s.Limits)
	}
	send(60)
	_, alarms = h.judged(t)
	wantAlarm(t, alarms, "limit act The limit is used up: 250 of 250 people in 24 hours")
	clock.forward(31 * time.Minute)
	h.asked(t, clock.now(), func(_ *wa.Poll, n *wa.PolledNumber) { n.Limit = "TIER_2K" })
	s, alarms = h.judged(t)
	wantAlarm(t, alarms, "")
	if l := s.Limits[0]; l.Next != "TIER_10K" || l.Needs[0].Text != "half of the limit used in 7 days: 250 of 1,000 people" || *l.Needs[0].Met || !*l.Needs[1].Met {
		t.Errorf("%+v", l)
	}
	h.asked(t, clock.now().Add(time.Minute), func(_ *wa.Poll, n *wa.PolledNumber) { n.Limit = "TIER_UNLIMITED" })
	if s, _ = h.judged(t); len(s.Limits) != 1 || s.Limits[0].Next != "" || s.Limits[0].Needs != nil {
		t.Errorf("%+v", s.Limits)
	}
	_ = h.store.Close()
}

// A campaign of ours that fits alarms nobody before 90 %; one that does not is told of
// as soon as it goes out.
func TestAQueueThatDoesNotFit(t *testing.T) {
	d := openDesk(t, t.TempDir(), numberWith(numberA, "TIER_250"))
	d.imports("Autumn", phones(300), numberA)
	command[link.Receipt](d, link.VerbStart, link.StartArgs{Campaign: "autumn", Force: true})
	for {
		d.clock.forward(time.Second)
		s := command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{})
		if all := open(s); len(s.Limits) == 1 && len(all) > 0 {
			for _, a := range all {
				if a.Kind == "limit" && a.Severity == "watch" && strings.Contains(a.Text, "0 of 250 people in 24 hours are used; 300 still wait, 50 more than fit") {
					return
				}
			}
			t.Fatalf("%+v", all)
		}
	}
}

func numberWith(id string, limit wa.Limit) (n monitor.NumberNews) {
	n.ID, n.Display, n.Quality, n.Status, n.Limit, n.Throughput = id, "4915550001", wa.QualityGreen, "CONNECTED", limit, 80
	return n
}

// A number that webhooks name by its digits, and then by its id, has one alarm of each
// matter, and it ends.
func TestANumberThatGetsItsID(t *testing.T) {
	clock := newHand()
	h := openHouse(t, t.TempDir(), clock.now)
	told := func(event string) {
		h.take(t, &wa.Post{Source: "meta", ReceivedAt: wa.At(clock.now()), Body: []byte("{}"), Numbers: []wa.NumberUpdate{{AccountID: "1", Display: "4915550001", Event: event, At: wa.At(clock.now())}}})
	}
	told("FLAGGED")
	_, alarms := h.judged(t)
	wantAlarm(t, alarms, "quality watch Meta flagged the number +4915550001")
	clock.forward(time.Minute)
	h.post(t, body([]update{{"0000001", "sent", clock.now().Unix(), 0}}), clock.now()) // tells the id
	_, alarms = h.judged(t)
	wantAlarm(t, alarms, "quality watch Meta flagged the number +4915550001")
	clock.forward(time.Minute)
	told("UNFLAGGED")
	_, alarms = h.judged(t)
	wantAlarm(t, alarms, "")
	_ = h.store.Close()
}

// A fall of which Meta tells no limits is an alarm, too, long after an earlier one; what
// was known of that one is not said of it.
func TestALimitFallsAgain(t *testing.T) {
	clock := newHand()
	h := openHouse(t, t.TempDir(), clock.now)
	falls := func(u wa.NumberUpdate) []string {
		u.AccountID, u.Display, u.Event, u.At = "1", "4915550001", "DOWNGRADE", wa.At(clock.now())
		h.take(t, &wa.Post{Source: "meta", ReceivedAt: wa.At(clock.now()), Body: []byte("{}"), Numbers: []wa.NumberUpdate{u}})
		_, alarms := h.judged(t)
		return alarms
	}
	wantAlarm(t, falls(wa.NumberUpdate{OldLimit: "TIER_10K", Limit: "TIER_1K"}), "limit watch Meta lowered the limit of +4915550001: limit 1,000")
	clock.forward(25 * time.Hour)
	_, alarms := h.judged(t)
	wantAlarm(t, alarms, "")
	alarms = falls(wa.NumberUpdate{})
	wantAlarm(t, alarms, "limit watch Meta lowered the limit of +4915550001")
	if len(alarms) == 1 && strings.Contains(alarms[0], "was") {
		t.Errorf("it says what was of the earlier fall: %q", alarms)
	}
	_ = h.store.Close()
}

// A limit of the whole account that becomes lower is told, for a day.
func TestAnAccountsLimitFalls(t *testing.T) {
	clock := newHand()
	h := openHouse(t, t.TempDir(), clock.now)
	for _, limit := range []wa.Limit{"TIER_10K", "TIER_2K"} {
		clock.forward(time.Minute)
		h.take(t, &wa.Post{Source: "meta", ReceivedAt: wa.At(clock.now()), Body: []byte("{}"), Capabilities: []wa.CapabilityUpdate{{AccountID: "1", Limit: limit, At: wa.At(clock.now())}}})
	}
	_, alarms := h.judged(t)
	wantAlarm(t, alarms, "limit watch Meta lowered the limit of account 1: limit 2,000 people in 24 h, was 10,000 people in 24 h")
	clock.forward(25 * time.Hour)
	_, alarms = h.judged(t)
	wantAlarm(t, alarms, "")
	_ = h.store.Close()
}
