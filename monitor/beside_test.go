package monitor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/fallback"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// openTexting is a desk with an own campaign of 9, of whom some failed and wait for
// an SMS. The provider is one that nobody dials.
func openTexting(t *testing.T, failed int, change ...func(*monitor.Options)) *desk {
	t.Helper()
	prices, err := fallback.ParsePrices("EUR", []string{"* 0.05"})
	if err != nil {
		t.Fatal(err)
	}
	channels, err := fallback.New(fallback.Config{
		PublicURL: "http://127.0.0.1:8480",
		SMS:       fallback.Channel{Provider: fallback.ProviderKannel, URL: "http://127.0.0.1:1/", User: "u", Password: wa.NewSecret("p"), Sender: "Shop", Prices: prices},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := fallback.ParseText("Hello {first_name}")
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, t.TempDir(), newHand(), append(change, func(o *monitor.Options) {
		o.Sending = monitor.Sending{Meta: templates, Folder: t.TempDir(), Pace: wa.Pace{Messages: 1, Per: time.Hour}}
		o.Fallback.Channels, o.Fallback.Budget, o.Fallback.Currency, o.Fallback.Zone = channels, wa.MoneyOf(9), "EUR", time.UTC
		o.Fallback.Texts = map[string]monitor.Texts{wa.ChannelSMS: {"": {Body: text}}}
	})...)
	d := &desk{T: t, clock: r.clock, monitor: r.monitor, store: r.store, stop: r.stop}
	d.imports("Autumn", phones(9), numberA)
	plans, err := d.store.Plans(t.Context())
	if err != nil || len(plans) != 1 {
		t.Fatalf("%+v, %v", plans, err)
	}
	save := func(state string) { // past the queue, which leaves a draft alone
		plans[0].State = state
		if err := d.store.SavePlan(t.Context(), plans[0]); err != nil {
			t.Fatal(err)
		}
	}
	save(wa.PlanRunning)
	defer save(wa.PlanDraft)
	got, err := d.store.Claim(t.Context(), wa.ClaimRequest{Campaign: plans[0].Campaign, Limit: failed, Now: wa.At(d.clock.now())})
	if err != nil || len(got.Messages) != failed {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, c := range got.Messages {
		if err := d.store.Settle(t.Context(), wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: wa.At(d.clock.now()), Code: 131026}); err != nil {
			t.Fatal(err)
		}
	}
	plan := command[link.FallbackPlan](d, link.VerbFallback, link.FallbackArgs{Campaign: "autumn", Channels: []string{wa.ChannelSMS}, Consent: true, Expect: int64(failed)})
	if plan.Eligible != int64(failed) {
		t.Fatalf("%+v", plan)
	}
	return d
}

// A pause and a resume speak of what waits by other channels, and of as much of it as
// they hold and let go.
func TestPausesSpeakOfOtherChannels(t *testing.T) {
	d := openTexting(t, 4)
	at := func(scope, id string) link.GateArgs { return link.GateArgs{Scope: scope, ID: id} }
	all, autumn, sms, whatsapp := at(link.ScopeAll, ""), at(link.ScopeCampaign, "autumn"), at(link.ScopeChannel, "sms"), at(link.ScopeChannel, "whatsapp")
	for _, c := range []struct {
		place  link.GateArgs
		pauses string // what the pause says
	}{
		{sms, "SMS is paused. 4 SMS waiting and safe."},
		{autumn, "Campaign Autumn is paused. 5 and 4 SMS waiting and safe."},
		{whatsapp, "WhatsApp is paused. 5 waiting and safe."},
		{all, "Everything is paused. 5 and 4 SMS waiting and safe."},
	} {
		if r := command[link.Receipt](d, link.VerbPause, c.place); !strings.HasPrefix(r.Text, c.pauses) {
			t.Errorf("pausing %s %s: %q\nwant %q", c.place.Scope, c.place.ID, r.Text, c.pauses)
		}
	}
	for _, c := range []struct {
		place  link.GateArgs
		beside string // what the forecast tells of SMS: those that wait and go
		closed string
		says   string // the receipt's
	}{
		{all, "4 0", "[campaign autumn channel sms channel whatsapp]", "Everything is not paused any more, but nothing of it goes out yet. 4 SMS still wait. Still paused: Autumn, SMS, WhatsApp."},
		{whatsapp, "", "[campaign autumn]", "WhatsApp is not paused any more, but nothing of it goes out yet. Still paused: autumn."},
		{sms, "4 0", "[campaign autumn]", "SMS is not paused any more, but nothing of it goes out yet. 4 SMS still wait. Still paused: autumn."},
		{autumn, "4 4", "[]", "Campaign Autumn is not paused any more, but nothing of it goes out by WhatsApp yet. 4 SMS wait and will go out."},
	} {
		f := command[link.Forecast](d, link.VerbForecast, link.ForecastArgs{GateArgs: c.place})
		var closed []string
		for _, g := range f.Closed {
			closed = append(closed, strings.TrimSpace(g.Scope+" "+g.ID))
		}
		beside := ""
		for _, b := range f.Beside {
			beside += fmt.Sprint(b.Waiting, b.Going)
		}
		if beside != c.beside || fmt.Sprint(closed) != c.closed {
			t.Errorf("resuming %s %s: %q go, but for %v", c.place.Scope, c.place.ID, beside, closed)
		}
		r := command[link.Receipt](d, link.VerbResume, link.ResumeArgs{GateArgs: c.place})
		if !strings.EqualFold(r.Text, c.says) {
			t.Errorf("resuming %s %s: %q\nwant %q", c.place.Scope, c.place.ID, r.Text, c.says)
		}
	}
}

// Of a fallback that waits for a look no more goes out than may before it.
func TestAResumeKnowsOfTheLook(t *testing.T) {
	d := openTexting(t, 4, func(o *monitor.Options) { o.Fallback.Look = 3 })
	d.pause(link.ScopeAll, "")
	r := command[link.Receipt](d, link.VerbResume, link.ResumeArgs{})
	if want := "Of 4 SMS that wait 3 will go out."; !strings.Contains(r.Text, want) {
		t.Errorf("%q, want %q", r.Text, want)
	}
}

// What waits by other channels counts when two people must agree to a resume.
func TestTwoPeopleAgreeToSMSToo(t *testing.T) {
	d := openTexting(t, 4, func(o *monitor.Options) { o.Auto.SecondPersonOver = 8 })
	d.pause(link.ScopeAll, "")
	if r, err := try[link.Receipt](d, link.VerbResume, link.ResumeArgs{}); err == nil || !strings.Contains(err.Error(), "9 wait") {
		t.Errorf("%+v, %v", r, err)
	}
}

// With a campaign ends what waits for it by other channels, and it is said.
func TestACancelledCampaignSendsNoSMS(t *testing.T) {
	d := openTexting(t, 4)
	want := "Campaign Autumn is cancelled: 5 that waited will not be sent. By other channels 4 messages that waited will not be sent either."
	if r := command[link.Receipt](d, link.VerbCancel, link.CampaignArgs{Campaign: "autumn"}); r.Text != want || r.Already || r.EndedBeside != 4 {
		t.Errorf("%+v, want %q", r, want)
	}
	s := command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{})
	if f := s.Campaigns[0].Fallback; f.Waiting != 0 || f.LeftOut != 4 || f.Run == nil || f.Run.State != link.FallbackCancelled {
		t.Errorf("%+v", f)
	}
	if r := command[link.Receipt](d, link.VerbCancel, link.CampaignArgs{Campaign: "autumn"}); r.Text != "Campaign Autumn was over already." || !r.Already {
		t.Errorf("again: %+v", r)
	}
	if r := command[link.Receipt](d, link.VerbFallbackCancel, link.CampaignArgs{Campaign: "autumn"}); !r.Already {
		t.Errorf("the fallback alone: %+v", r)
	}
}

// What became of an SMS, and why, is in a table and in what is found of a person.
func TestWhatBecameOfAnSMSIsRead(t *testing.T) {
	d := openTexting(t, 3, func(o *monitor.Options) { o.Fallback.Undo = time.Hour })
	command[link.Receipt](d, link.VerbPause, link.GateArgs{Scope: link.ScopeChannel, ID: "sms"}) // nothing leaves but what the test takes
	if _, err := d.store.SetFallbackRun(t.Context(), 1, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	got, err := d.store.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: 1, Channel: wa.ChannelSMS, Limit: 1, Now: wa.At(d.clock.now())})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	failed := got.Messages[0]
	if err := d.store.SettleFallback(t.Context(), wa.FallbackOutcome{Attempt: failed.Attempt, At: wa.At(d.clock.now()), Answer: wa.FallbackAnswer{Kind: wa.FallbackRejected, Code: "44", Details: "no such\nsubscriber"}}); err != nil {
		t.Fatal(err)
	}
	command[link.Receipt](d, link.VerbFallbackCancel, link.CampaignArgs{Campaign: "autumn"})
	h := &house{"", d.store, d.monitor}
	columns, rows := table(t, h, link.RowsArgs{Kind: link.RowsFallback, Campaign: "autumn"}, nil)
	all := column(columns, rows, "campaign", "run", "channel", "state", "code", "reason", "cost")
	slices.Sort(all)
	want := []string{"autumn f1 sms failed 44 no such subscriber ", "autumn f1 sms left out  cancelled by ann ", "autumn f1 sms left out  cancelled by ann "}
	if !slices.Equal(all, want) || !slices.Contains(column(columns, rows, "to"), failed.To) {
		t.Errorf("%q, %q", all, column(columns, rows, "to"))
	}
	columns, rows = table(t, h, link.RowsArgs{Kind: link.RowsFallback, Masked: true}, nil)
	if text := fmt.Sprint(rows); len(rows) != 3 || strings.Contains(text, failed.To[1:]) || !strings.Contains(text, "+351*") {
		t.Errorf("masked: %v %s", columns, text)
	}
	f := command[link.Found](d, link.VerbFind, link.FindArgs{Query: failed.To})
	if len(f.Beside) != 1 || f.Beside[0].State != "failed" || f.Beside[0].Code != "44" || f.Beside[0].ToldAt == nil && f.Beside[0].TriedAt == nil {
		t.Errorf("found: %+v", f.Beside)
	}
}
