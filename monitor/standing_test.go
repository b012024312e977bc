package monitor_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

const accountID = "400100200300400"

// news hands a post of account news in.
func (r *running) news(t *testing.T, p wa.Post) {
	t.Helper()
	p.Source, p.ReceivedAt, p.Body = "meta", wa.At(r.clock.now()), []byte("{}")
	if err := r.store.Ingest(context.Background(), &p); err != nil {
		t.Fatal(err)
	}
}

func (r *running) account(t *testing.T, u wa.AccountUpdate) {
	t.Helper()
	u.AccountID, u.At = accountID, wa.At(r.clock.now())
	r.news(t, wa.Post{Accounts: []wa.AccountUpdate{u}})
}

// accountAlarms are the open ones, as "severity text".
func accountAlarms(s *link.Snapshot) []string {
	out := []string{}
	for _, a := range open(s) {
		if a.Kind == "account" {
			out = append(out, a.Severity+" "+a.Text)
		}
	}
	return out
}

func wantAlarms(t *testing.T, s *link.Snapshot, want ...string) {
	t.Helper()
	got := accountAlarms(s)
	if len(got) != len(want) {
		t.Fatalf("open: %q, want %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("open: %q, want %q", got[i], want[i])
		}
	}
}

// A restriction is an alarm that says until when, outlives a restart, and ends by itself.
func TestARestrictionEndsAtItsExpiry(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	r := start(t, dir, clock)
	until := clock.now().Add(72 * time.Hour).Truncate(time.Second)
	r.account(t, wa.AccountUpdate{Event: "ACCOUNT_RESTRICTION", Restrictions: []wa.Restriction{
		{Type: "RESTRICTED_BIZ_INITIATED_MESSAGING", Expires: wa.At(until)},
		{Type: "RESTRICTED_\x1b[31mSOMETHING_NEW", Expires: wa.At(until.Add(-time.Hour))},
	}})
	s := r.looked()
	wantAlarms(t, s, "act Meta blocks this account's campaign messages", "watch Meta restricts this account: RESTRICTED_[31mSOMETHING_NEW")
	if a := open(s)[0]; a.Until == nil || !a.Until.Equal(until) || a.Advice == "" {
		t.Errorf("until %v, want %v; advice %q", a.Until, until, a.Advice)
	}

	before := r.looked()
	r.stop()
	r = start(t, dir, clock)
	if diff := cmp.Diff(before.Alarms, r.looked().Alarms); diff != "" {
		t.Errorf("a restart shows other alarms (-before +after):\n%s", diff)
	}
	clock.forward(71 * time.Hour)
	wantAlarms(t, r.looked(), "act Meta blocks")
	clock.forward(time.Hour)
	wantAlarms(t, r.looked())
	r.stop()
	r = start(t, dir, clock)
	wantAlarms(t, r.looked()) // it does not come back
}

func TestWhatMetaLiftsIsOver(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	r := start(t, dir, clock)
	step := func() { clock.forward(time.Minute) }
	r.account(t, wa.AccountUpdate{Event: "DISABLED_UPDATE", BanState: "SCHEDULE_FOR_DISABLE", BanDate: "April 17, 2027"})
	wantAlarms(t, r.looked(), "act Meta will disable the WhatsApp account (April 17, 2027)")
	step()
	r.account(t, wa.AccountUpdate{Event: "DISABLED_UPDATE", BanState: "DISABLE"})
	wantAlarms(t, r.looked(), "act Meta disabled the WhatsApp account: nothing can be sent")
	clock.forward(60 * 24 * time.Hour)
	wantAlarms(t, r.looked(), "act Meta disabled") // a ban is not over by being old
	r.account(t, wa.AccountUpdate{Event: "DISABLED_UPDATE", BanState: "REINSTATE"})
	wantAlarms(t, r.looked())

	step()
	r.account(t, wa.AccountUpdate{Event: "ACCOUNT_RESTRICTION", Restrictions: []wa.Restriction{{Type: "RESTRICTED_UTILITY_TEMPLATES"}}})
	wantAlarms(t, r.looked(), "watch Meta blocks this account's utility templates")
	step()
	r.account(t, wa.AccountUpdate{Event: "ACCOUNT_RESTRICTION"}) // names nothing that is restricted
	wantAlarms(t, r.looked())

	step()
	r.account(t, wa.AccountUpdate{Event: "ACCOUNT_OFFBOARDED"})
	r.account(t, wa.AccountUpdate{Event: "ACCOUNT_VIOLATION", Violation: "ALCOHOL"})
	r.account(t, wa.AccountUpdate{Decision: "REJECTED"})
	if got := accountAlarms(r.looked()); len(got) != 3 {
		t.Errorf("open: %q", got)
	}
	step()
	r.account(t, wa.AccountUpdate{Event: "ACCOUNT_RECONNECTED"})
	r.account(t, wa.AccountUpdate{Decision: "APPROVED"})
	wantAlarms(t, r.looked(), "watch Meta says that the account broke its policy: ALCOHOL")
	clock.forward(25 * time.Hour)
	wantAlarms(t, r.looked()) // what is old news alarms nobody
}

// Alerts follow Meta's severity, and an update that comes late changes nothing.
func TestAccountAlerts(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	r := start(t, dir, clock)
	alert := func(kind, severity, status string, ago time.Duration) {
		r.news(t, wa.Post{Alerts: []wa.AccountAlert{{
			AccountID: accountID, EntityType: "BUSINESS", EntityID: "6", Type: kind, Severity: severity, Status: status,
			Description: "Limit not raised yet", At: wa.At(clock.now().Add(-ago)),
		}}})
	}
	alert("DEFERRED", "WARNING", "ACTIVE", 0)
	alert("LOST", "CRITICAL", "ACTIVE", 0)
	alert("APPROVED", "INFORMATIONAL", "ACTIVE", 0)
	wantAlarms(t, r.looked(), "act Meta warns of the account: Limit not raised yet (LOST)", "watch Meta warns of the account: Limit not raised yet (DEFERRED)")
	alert("LOST", "CRITICAL", "NONE", time.Hour) // overtaken
	if got := accountAlarms(r.looked()); len(got) != 2 {
		t.Errorf("an older update ended an alarm: %q", got)
	}
	clock.forward(time.Minute)
	alert("LOST", "CRITICAL", "NONE", 0)
	wantAlarms(t, r.looked(), "watch ")
	r.stop()
	r = start(t, dir, clock)
	wantAlarms(t, r.looked(), "watch ")
}

// A paused template says until when, and clears by itself.
func TestAPausedTemplate(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	r := start(t, dir, clock)
	paused := wa.TemplateUpdate{ID: 9_900_000_000_000_001, Name: "offer", Language: "pt-PT", Event: "PAUSED", InfoTitle: "FIRST_PAUSE", At: wa.At(clock.now())}
	r.news(t, wa.Post{Templates: []wa.TemplateUpdate{paused}})
	got := open(r.looked())
	want := []link.Alarm{{
		ID: "a1", Kind: "template", Severity: "watch", Text: "Meta paused the template offer/pt_PT: nothing goes out with it. It is the first pause, for 3 hours; the next one lasts 6",
		Advice: "Nothing goes out with it now. Use another approved template.",
		DoNot:  "Do not send with this template: Meta refuses every message.", After: "Mend the text before it is used again: the next pause lasts longer.",
		Until: new(clock.now().Truncate(time.Second).Add(3 * time.Hour)),
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(link.Alarm{}, "RaisedAt"), cmpopts.EquateApproxTime(time.Second)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	clock.forward(3*time.Hour + time.Second)
	if got := open(r.looked()); len(got) != 0 {
		t.Errorf("still open: %+v", got)
	}
	r.news(t, wa.Post{Templates: []wa.TemplateUpdate{{ID: 9_900_000_000_000_001, Event: "DISABLED", At: wa.At(clock.now())}}})
	if got := open(r.looked()); len(got) != 1 || !strings.Contains(got[0].Text, "disabled the template offer/pt_PT") || got[0].Severity != "watch" {
		t.Errorf("a disabled template: %+v", got)
	}
}

// While the feed is stalled nothing is projected and nothing is called well:
// silence would read as messages that do not arrive.
func TestAStalledFeedProjectsNothing(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	r.batch(t, "a", 400, 4, 131026)
	clock.forward(20 * time.Second)
	if f := r.looked().Campaigns[0].First30; f.Verdict != link.VerdictOK || f.Projected == nil {
		t.Fatalf("a healthy campaign: %+v", f)
	}
	var sent []update
	for i := range 100 {
		sent = append(sent, update{fmt.Sprintf("b%07d", i), "sent", clock.now().Unix(), 0})
	}
	r.post(t, body(sent), clock.now())
	clock.forward(2 * time.Minute)
	r.looked()
	s := r.looked() // the alarm of the snapshot before
	if f := s.Campaigns[0].First30; s.Feed.State != link.FeedStalled || f.Verdict != link.VerdictUnsure || f.Projected != nil || f.Low != nil || f.Settled == nil {
		t.Errorf("stalled: %s, %+v", s.Feed.State, f)
	}
	if p := s.Campaigns[0].Reports; p.Verdict == link.VerdictOK || !strings.Contains(p.Reason, "no opt-out is heard") {
		t.Errorf("opt-outs of which nothing can be heard: %+v", p)
	}
	r.batch(t, "c", 1, 0, 0)
	r.looked()
	if f := r.looked().Campaigns[0].First30; f.Verdict != link.VerdictOK || f.Projected != nil {
		t.Errorf("just after the stall: %+v", f)
	}
	clock.forward(11 * time.Minute)
	r.batch(t, "d", 1, 0, 0)
	r.looked()
	if f := r.looked().Campaigns[0].First30; f.Projected == nil {
		t.Errorf("long after the stall: %+v", f)
	}
}
