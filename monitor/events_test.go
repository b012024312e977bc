package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// ask carries out a command of a console's.
func ask[R any](t *testing.T, r *running, verb string, args any) R {
	t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.monitor.Handle(context.Background(), link.Peer{Name: "tester"}, link.Command{Verb: verb, Args: raw})
	if err != nil {
		t.Fatal(err)
	}
	return got.(R)
}

func said(events link.Events) []string {
	var out []string
	for _, e := range events.Events {
		out = append(out, strings.TrimSpace(e.Kind+" "+e.Severity)+": "+e.Text)
	}
	return out
}

// The turns of an alarm, what an operator did and when campaigns began and ended
// are all told, newest first, without figures of another moment, and by the next
// daemon too.
func TestEventsTellAnAlarmsLife(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	r := start(t, dir, clock)
	r.batch(t, "a", 1500, 135, 131026) // 91 %
	for range 3 {
		clock.forward(6 * time.Second)
		r.looked()
	}
	id := open(r.looked())[0].ID
	ask[link.Alarm](t, r, link.VerbAck, link.AckArgs{Alarm: id})
	clock.forward(time.Minute)
	r.batch(t, "b", 300, 200, 131026)
	for range 3 {
		clock.forward(11 * time.Second)
		r.looked()
	}
	clock.forward(2*time.Hour + time.Minute) // it is over
	r.looked()
	r.looked() // the alarms of the snapshot before are stored by now
	want := []string{
		"campaign: autumn: finished, no new message for two hours",
		"alarm act: Grew worse: autumn: Too few messages arrive",
		"action: tester has seen the alarm: 90.9 % arrive now",
		"alarm watch: autumn: Too few messages arrive",
		"campaign: autumn: first message",
	}
	check := func(got link.Events) {
		t.Helper()
		lines := said(got)
		lines = slices.DeleteFunc(lines, func(s string) bool { return strings.Contains(s, "cleared") || strings.Contains(s, "No webhook") })
		if len(lines) != len(want) || !got.Complete {
			t.Fatalf("complete %v:\n%s", got.Complete, strings.Join(lines, "\n"))
		}
		for i := range want {
			if !strings.HasPrefix(lines[i], want[i]) {
				t.Errorf("%d: %q, want %q", i, lines[i], want[i])
			}
		}
		if !slices.IsSortedFunc(got.Events, func(a, b link.Event) int { return b.At.Compare(a.At) }) {
			t.Error("not newest first")
		}
	}
	before := ask[link.Events](t, r, link.VerbEvents, link.EventsArgs{})
	check(before)
	if i := slices.IndexFunc(before.Events, func(e link.Event) bool { return e.Severity == link.EventCleared }); i < 0 || !strings.Contains(before.Events[i].Text, "autumn: ") {
		t.Errorf("the end of the alarm is not told: %q", said(before))
	}
	r.stop()
	r = start(t, dir, clock)
	after := ask[link.Events](t, r, link.VerbEvents, link.EventsArgs{})
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the next daemon tells it differently (-before +after):\n%s", diff)
	}
}

// Every payload about the account, its numbers and its templates ends in the log.
func TestEveryStandingPayloadIsTold(t *testing.T) {
	files, err := filepath.Glob("../testdata/webhooks/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := webhook.Decode("meta", body, wa.At(now))
		told := len(p.Templates) + len(p.Numbers) + len(p.Accounts) + len(p.Faults) + len(p.Edits) + len(p.Capabilities) + len(p.Alerts) + len(p.Names) + len(p.Security)
		if told == 0 {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			r := start(t, t.TempDir(), newHand())
			if err := r.store.Ingest(context.Background(), p); err != nil {
				t.Fatal(err)
			}
			got := ask[link.Events](t, r, link.VerbEvents, link.EventsArgs{})
			for _, line := range said(got) {
				t.Log(line)
				if strings.HasSuffix(line, ": ") || strings.Contains(line, "()") || strings.Contains(line, "%!") {
					t.Errorf("half a sentence: %q", line)
				}
			}
			news, err := r.store.Notices(context.Background(), 100, nil, store.NoticeTemplate, store.NoticeEdit, store.NoticeNumber, store.NoticeName,
				store.NoticeSecurity, store.NoticeCapability, store.NoticeAccount, store.NoticeAlert, store.NoticeFault)
			if err != nil || len(news) == 0 {
				t.Fatalf("%d notices stored, %v", len(news), err)
			}
			if len(got.Events) == 0 {
				t.Error("nothing of it is told")
			}
		})
	}
}

// A number and a template have a history of their own.
func TestHistoryOfOne(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	sec := func(n int) wa.Instant { return wa.At(now.Add(time.Duration(n-1000) * time.Second)) }
	r.news(t, wa.Post{
		Templates: []wa.TemplateUpdate{
			{ID: 9_900_000_000_000_001, Name: "offer", Language: "pt_PT", Quality: "YELLOW", PreviousQuality: "GREEN", At: sec(1)},
			{ID: 9_900_000_000_000_002, Name: "other", Language: "pt_PT", Quality: "RED", At: sec(2)},
			{ID: 9_900_000_000_000_001, Name: "offer", Language: "pt_PT", Category: "MARKETING", PreviousCategory: "UTILITY", At: sec(3)},
		},
		Edits: []wa.TemplateEdit{{ID: 9_900_000_000_000_001, Name: "offer", Language: "pt_PT", Body: "Hello", At: sec(4)}},
		Numbers: []wa.NumberUpdate{
			{AccountID: accountID, Display: "+49 1555 0001", Event: "THROUGHPUT_UPGRADE", OldLimit: "TIER_2K", Limit: "TIER_10K", At: sec(5)},
			{AccountID: "other", Display: "4915550002", Event: "ONBOARDING", Limit: "TIER_250", At: sec(6)},
		},
		Names:        []wa.NameUpdate{{AccountID: accountID, Display: "4915550001", Decision: "REJECTED", Name: "Shop X", Reason: "NAME_EMPLOYEE_ISSUE", At: sec(7)}},
		Security:     []wa.SecurityUpdate{{AccountID: accountID, Display: "4915550001", Event: "PIN_RESET_REQUEST", At: sec(8)}},
		Capabilities: []wa.CapabilityUpdate{{AccountID: accountID, Limit: "TIER_UNLIMITED", At: sec(9)}, {AccountID: "other", Limit: "TIER_2K", At: sec(10)}},
		Accounts:     []wa.AccountUpdate{{AccountID: accountID, Decision: "APPROVED", At: sec(11)}},
	})
	for _, c := range []struct {
		args link.EventsArgs
		want []string
	}{
		{link.EventsArgs{Of: link.OfTemplate, ID: "9900000000000001"}, []string{
			"template: offer/pt_PT: text edited: “Hello”",
			"template: offer/pt_PT: category MARKETING, was UTILITY",
			"template: offer/pt_PT: quality YELLOW, was GREEN",
		}},
		{link.EventsArgs{Of: link.OfNumber, ID: "+4915550001"}, []string{
			"account: limit lifted: any number of people in 24 h for all its numbers",
			"number: +4915550001: somebody asks to reset its PIN",
			"number: +4915550001: name “Shop X” rejected (NAME_EMPLOYEE_ISSUE)",
			"number: +4915550001: limit 10,000 people in 24 h, was 2,000 people in 24 h (THROUGHPUT_UPGRADE)",
		}},
		{link.EventsArgs{Of: link.OfAccount}, []string{
			"account: review approved",
			"account: limit 2,000 people in 24 h for all its numbers",
			"account: limit lifted: any number of people in 24 h for all its numbers",
		}},
	} {
		got := ask[link.Events](t, r, link.VerbEvents, c.args)
		if diff := cmp.Diff(c.want, said(got)); diff != "" || !got.Complete {
			t.Errorf("%+v, complete %v (-want +got)\n%s", c.args, got.Complete, diff)
		}
	}
	for _, args := range []link.EventsArgs{{Of: link.OfTemplate, ID: "x"}, {Of: "weather"}} {
		raw, _ := json.Marshal(args)
		_, err := r.monitor.Handle(context.Background(), link.Peer{}, link.Command{Verb: link.VerbEvents, Args: raw})
		var fault *link.Fault
		if !errors.As(err, &fault) || fault.Kind != link.FaultUsage {
			t.Errorf("%+v: %v", args, err)
		}
	}
}

// However much happened, the answer is bounded, has no gap, and says that there is more.
func TestEventsAreBounded(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	var p wa.Post
	for i := range 2 * link.MaxEvents {
		p.Templates = append(p.Templates, wa.TemplateUpdate{
			ID: int64(i%7 + 1), Name: fmt.Sprint("t", i%7), Language: "en", Event: fmt.Sprint("STATE_", i), At: wa.At(now.Add(time.Duration(i-5000) * time.Second)),
		})
	}
	r.news(t, p)
	got := ask[link.Events](t, r, link.VerbEvents, link.EventsArgs{})
	if len(got.Events) != link.MaxEvents || got.Complete {
		t.Fatalf("%d events, complete %v", len(got.Events), got.Complete)
	}
	for i, e := range got.Events {
		if want := fmt.Sprint("STATE_", 2*link.MaxEvents-1-i); !strings.HasSuffix(e.Text, want) {
			t.Fatalf("event %d is %q, want %s", i, e.Text, want)
		}
	}
	if got := ask[link.Events](t, r, link.VerbEvents, link.EventsArgs{Limit: 3}); len(got.Events) != 3 {
		t.Errorf("%d events, want 3", len(got.Events))
	}
	// What repeats is one event.
	r = start(t, t.TempDir(), clock)
	r.news(t, wa.Post{Faults: []wa.Fault{{Code: 130429, Title: "Rate limit hit"}, {Code: 130429, Title: "Rate limit hit"}, {Code: 131035, Title: "x"}}})
	news := slices.DeleteFunc(ask[link.Events](t, r, link.VerbEvents, link.EventsArgs{}).Events, func(e link.Event) bool { return e.Kind == "alarm" })
	if len(news) != 2 || news[1].Times != 2 {
		t.Errorf("repeats: %+v", news)
	}
}

// All campaigns can be chosen, also those that a snapshot has no room for; their
// cards say what a snapshot says of them, before and after they are kept.
func TestCards(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	const n = 45
	for i := range n {
		at := clock.now().Add(-time.Duration(i) * 10 * time.Minute)
		var all []map[string]any
		for k := range 10 {
			u := update{fmt.Sprintf("%08d", i*100+k), "delivered", at.Unix(), 0}.json()
			u["biz_opaque_callback_data"] = fmt.Sprintf("Weekly%02d:%d", i, k)
			all = append(all, u)
		}
		r.post(t, envelope(t, all), clock.now())
	}
	s := r.looked()
	if len(s.Campaigns) != link.MaxCampaigns || s.CampaignCount != n {
		t.Fatalf("%d campaigns of %d", len(s.Campaigns), s.CampaignCount)
	}
	for range 2 {
		got := ask[link.Cards](t, r, link.VerbCampaigns, link.CampaignsArgs{})
		if len(got.Campaigns) != n || got.Known != n {
			t.Fatalf("%d cards of %d", len(got.Campaigns), got.Known)
		}
		for i := range s.Campaigns {
			if diff := cmp.Diff(link.CardOf(&s.Campaigns[i]), got.Campaigns[i], cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("card %d (-snapshot +card)\n%s", i, diff)
			}
		}
		if last := got.Campaigns[n-1]; last.ID != fmt.Sprintf("Weekly%02d", n-1) || last.Messages != 10 || len(last.Trend) == 0 {
			t.Errorf("the last card: %+v", last)
		}
	}
	if got := ask[link.Cards](t, r, link.VerbCampaigns, link.CampaignsArgs{Filter: "weekly1"}); len(got.Campaigns) != 10 || got.Known != 10 {
		t.Errorf("%d cards of %d fit the filter, want 10", len(got.Campaigns), got.Known)
	}
	// A card that was kept follows its campaign.
	u := update{"99999999", "delivered", clock.now().Add(-440 * time.Minute).Unix(), 0}.json() // it stays over
	u["biz_opaque_callback_data"] = "Weekly44:99"
	r.post(t, envelope(t, []map[string]any{u}), clock.now())
	if got := ask[link.Cards](t, r, link.VerbCampaigns, link.CampaignsArgs{Filter: "weekly44"}); got.Campaigns[0].Messages != 11 {
		t.Errorf("the card is out of date: %+v", got.Campaigns[0])
	}
}

func envelope(t *testing.T, statuses []map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": "1", "changes": []any{
		map[string]any{"field": "messages", "value": map[string]any{
			"messaging_product": "whatsapp", "metadata": map[string]any{"display_phone_number": "4915550001", "phone_number_id": "500"}, "statuses": statuses,
		}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
