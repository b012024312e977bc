package pane

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/theme"
	"tickwatch/wa"
)

var now = time.Date(2026, 11, 20, 8, 11, 42, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

func readOnly() Look {
	l := look()
	l.ReadOnly = true
	return l
}

func look() Look {
	return Look{Theme: theme.New(true, colorprofile.TrueColor), Zone: time.FixedZone("CET", 3600), Now: now}
}

// says checks the text of a pane.
func says(t *testing.T, pane string, want ...string) {
	t.Helper()
	text := ansi.Strip(pane)
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not said:\n%s", w, text)
		}
	}
}

func saysNot(t *testing.T, pane string, wrong ...string) {
	t.Helper()
	text := ansi.Strip(pane)
	for _, w := range wrong {
		if strings.Contains(text, w) {
			t.Errorf("%q is said:\n%s", w, text)
		}
	}
}

// panes are all of them, drawn from one snapshot.
func panes(l Look, s *link.Snapshot, c *link.Campaign, w, h int) map[string]string {
	e := link.Error{Code: 131026}
	if len(c.Errors) > 0 {
		e = c.Errors[0]
	}
	a := link.Alarm{Text: "text", Advice: "advice"}
	var cards []link.Card
	for i := range s.Campaigns {
		cards = append(cards, link.CardOf(&s.Campaigns[i]))
	}
	log := &Log{Loaded: true, Events: []link.Event{
		{At: now, Kind: link.EventTemplate, Text: strings.Repeat("news ", 40), Until: &now},
		{At: now.Add(-30 * time.Hour), Kind: link.EventAlarm, Severity: link.VerdictAct, Text: "alarm", Times: 3},
	}}
	subjects := Subjects(s, c)
	p := &Page{Messages: []link.Message{{Phone: "+351********11"}}, Number: 1}
	note := &link.Action{At: now, Operator: "rui", Reason: strings.Repeat("words ", 30)}
	asks := &Resuming{Pauses: Pauses(s, c), Forecast: &link.Forecast{
		Going: 12, Held: "until ten", LeftOut: []link.LeftOut{{Reason: "opted out", Count: 3}}, Closed: s.Gates,
		Findings: []link.Finding{{Severity: link.VerdictAct, Text: strings.Repeat("bad ", 40)}},
	}, Input: "Type 12: ", Note: "That was 11."}
	offer := func(asked bool) *Templates {
		return &Templates{
			Choices:  &link.Choices{Waiting: 12, Others: []link.Choice{{TemplateRef: link.TemplateRef{Name: "text"}, Usable: true}, {Why: "it is paused"}}},
			Previews: [][]string{{"Hello,", "", strings.Repeat("long ", 40)}, nil}, Asked: asked,
		}
	}
	held, waits := []link.Aside{{AsideTrait: link.AsideTrait{Attribute: "city", Value: strings.Repeat("long ", 40)}, Messages: 7}}, int64(12)
	again := &Retrying{Rows: []RetryRow{{Code: 131053, Retry: "after_fix", Ticked: true}, {Code: 131026, Retry: "never"}}}
	counted := &Retrying{Rows: again.Rows, Counted: &link.Retried{Eligible: 9, LeftOut: asks.Forecast.LeftOut}, Input: "Type 9: "}
	return map[string]string{
		"resume": Resume(l, s, c, asks, w, h), "resume asking": Resume(l, s, nil, &Resuming{Note: "asking"}, w, h),
		"swap": Swap(l, offer(false), w, h), "swap asked": Swap(l, offer(true), w, h), "swap asking": Swap(l, &Templates{Note: "asking"}, w, h),
		"retry": Retry(l, again, w, h), "retry counted": Retry(l, counted, w, h), "copied": Copied(l, strings.Repeat("a | b ", 30), w, h),
		"notes": Notes(l, []link.Action{*note}, "Note: ", "", w, h), "no notes": Notes(l, nil, "Note: ", "Not left.", w, h),
		"alarms and a note": Alarms(l, s, "", 0, note, true, w, h), "compact with a note": Compact(l, s, c, note, w, h),
		"delivered": Delivered(l, c, true, w, h), "reports": Reports(l, c, true, w, h), "quality": Quality(l, s, c, true, w, h),
		"errors": Errors(l, c, 0, true, w, h), "queue": Queue(l, s, c, true, w, h), "alarms": Alarms(l, s, "", 0, nil, true, w, h),
		"compact": Compact(l, s, c, nil, w, h), "empty": Empty(l, s, w, h), "waiting": Waiting(l, "no daemon", w, h),
		"question": Question(l, "Leave?", "y n", w, h), "switcher": Switcher(l, s, &Choices{Cards: cards, Input: "> "}, 0, w, h),
		"find": Find(l, "> ", &link.Found{Query: "x"}, "", w, h), "detail": ErrorDetail(l, &e, c, wa.Explain(e.Code, ""), p, w, h),
		"aside":        AsideView(l, c, &Asiding{Clusters: c.Clusters, Aside: held, Selected: 0, Count: &waits}, w, h),
		"aside to end": AsideView(l, c, &Asiding{Clusters: c.Clusters, Aside: held, Selected: len(c.Clusters), Input: "Type: ", Note: "Nothing was changed."}, w, h),
		"events":       Events(l, log, 0, w, h), "unloaded": Events(l, &Log{}, 0, w, h), "feed": Feed(l, s, w, h),
		"delivered view": DeliveredDetail(l, c, w, h), "reports view": ReportsDetail(l, c, w, h), "queue view": QueueDetail(l, s, c, w, h),
		"quality view": QualityDetail(l, subjects, len(subjects)-1, log, 0, w, h),
		"alarm":        AlarmDetail(l, s, &a, w, h), "help": Help(l, []HelpSection{{"Keys", [][2]string{{"p", "pause"}}}}, 0, w, h),
	}
}

// ownFull is a campaign of our own with everything there is to say about it.
func ownFull(c link.Campaign) link.Campaign {
	c.ID, c.Origin, c.State = "autumn", "own", "running"
	c.Counts = link.Counts{Messages: 100, Waiting: 10, SetAside: 10, Claimed: 10, Unknown: 10, Cancelled: 10, Refused: 10, HandedOver: 40, Paced: 5}
	c.Sending = &link.Sending{Pace: "1000/h", Held: strings.Repeat("waits ", 30), StartsAt: &now, EndsAt: &now, ExpiresAt: &now, Ramp: &link.Ramp{Shares: []float64{0.01, 1}}}
	return c
}

// TestOKAfterTrouble: a figure that remembers trouble stands beside the rate of now.
func TestOKAfterTrouble(t *testing.T) {
	c := &link.Campaign{First30: link.First30{Verdict: link.VerdictOK, Settled: ptr(0.84), Reason: "97.1 % now, surely over 90 % (800 judged)"}}
	says(t, Delivered(look(), c, false, 39, 8), "84.0 %", "97.1 % now")
	c.First30.Settled = ptr(0.968)
	saysNot(t, Delivered(look(), c, false, 39, 8), "97.1 % now")
}

// TestExactSizes: a pane has the lines it was given, each as wide as asked.
func TestExactSizes(t *testing.T) {
	alarms := []link.Alarm{{ID: "1", Text: strings.Repeat("a long text ", 20), RaisedAt: now}, {ID: "2", ClearedAt: &now}}
	full := link.Campaign{
		Name: "autumn", Template: &link.TemplateRef{Name: "offer", Language: "pt_PT"},
		First30: link.First30{Verdict: link.VerdictAct, Reason: strings.Repeat("because ", 30), Settled: ptr(0.9), Low: ptr(0.8), High: ptr(0.95)},
		Trend:   make([]link.Minute, link.MaxTrend), Errors: make([]link.Error, 12), Reports: link.Reports{Trend: make([]int64, link.MaxTrend)},
	}
	for _, s := range []*link.Snapshot{
		{},
		{Campaigns: []link.Campaign{full}, Alarms: alarms, Numbers: make([]link.Number, 5)},
		{Campaigns: []link.Campaign{ownFull(full)}, Gates: []link.Gate{
			{Scope: "all", State: "paused", By: "rui", Reason: strings.Repeat("because ", 30), Since: now}, {Scope: "campaign", ID: "autumn", State: "paused", By: "ines"},
		}},
	} {
		c := &link.Campaign{}
		if len(s.Campaigns) > 0 {
			c = &s.Campaigns[0]
		}
		for w := 1; w <= 130; w += 7 {
			for h := 1; h <= 30; h += 1 + h/8 {
				for name, text := range panes(look(), s, c, w, h) {
					lines := strings.Split(text, "\n")
					if len(lines) != h {
						t.Fatalf("%s at %dx%d has %d lines", name, w, h, len(lines))
					}
					for _, line := range lines {
						if n := ansi.StringWidth(line); n != w {
							t.Fatalf("%s at %dx%d: a line is %d wide: %q", name, w, h, n, line)
						}
					}
				}
				for name, line := range map[string]string{
					"header": Header(look(), s, 0, true, w), "status": Status(readOnly(), s, nil, false, w), "connecting": Connecting(look(), w),
				} {
					if n := ansi.StringWidth(line); n != w || strings.Contains(line, "\n") {
						t.Fatalf("%s at %d is %d wide: %q", name, w, n, line)
					}
				}
			}
		}
	}
}

// A figure that is not known is never a zero.
func TestUnknownFiguresAreNotZero(t *testing.T) {
	c := &link.Campaign{}
	says(t, Delivered(look(), c, false, 62, 15), "UNSURE", "too early")
	saysNot(t, Delivered(look(), c, false, 62, 15), "0.0 %", "0 %")
	few := &link.Campaign{First30: link.First30{ByAge: []link.AgeShare{{Seconds: 5, Share: 1, Messages: 3}}}}
	saysNot(t, Delivered(look(), few, false, 62, 15), "100 %,", "5 s 100 %")
	says(t, Reports(look(), c, false, 30, 10), "UNSURE  –", "Meta gives no")
	saysNot(t, Reports(look(), c, false, 30, 10), "0.00 %")
	says(t, Quality(look(), &link.Snapshot{}, c, false, 30, 10), "no number known", "no template known")
	s := &link.Snapshot{Numbers: []link.Number{{Display: "+49 1555 0001", Limit: "TIER_10K"}}}
	says(t, Quality(look(), s, c, false, 30, 10), "+49 1555 0001", "not told", "limit 10K in 24 h")
	says(t, Quality(look(), s, c, false, 21, 10), "–", "limit 10K")
	saysNot(t, Quality(look(), s, c, false, 30, 10), "0 of 10K")
	s.Templates = []link.Template{ // which of them the campaign uses another system does not tell: the worst first
		{Name: "spare", Language: "pt_PT", Quality: "GREEN", Status: "APPROVED"},
		{Name: "offer", Language: "pt_PT", Quality: "YELLOW", Status: "APPROVED"},
	}
	says(t, Quality(look(), s, c, false, 30, 7), "offer", "YELLOW")
	saysNot(t, Quality(look(), s, c, false, 30, 7), "spare", "no template known")
	says(t, Status(look(), &link.Snapshot{}, nil, true, 120), "feed –", "host not measured")
}

func TestPercentIsCutNotRounded(t *testing.T) {
	for _, c := range []struct {
		share    float64
		decimals int
		want     string
	}{
		{0.9496, 1, "94.9 %"},
		{0.964, 1, "96.4 %"},
		{0.9999, 1, "99.9 %"},
		{1, 1, "100.0 %"},
		{0, 1, "0.0 %"},
		{0.004, 0, "<1 %"},
		{0.29, 0, "29 %"},
		{-1, 0, "0 %"},
	} {
		if got := percent(c.share, c.decimals); got != c.want {
			t.Errorf("percent(%v) = %s, want %s", c.share, got, c.want)
		}
	}
	// A rate of opt-outs is the other way round: it must not look low.
	for rate, want := range map[float64]string{0.000587: "0.06 %", 0.001: "0.10 %", 0.0010001: "0.11 %", 0: "0.00 %", 0.005: "0.50 %"} {
		if got := optOutRate(&rate); got != want {
			t.Errorf("optOutRate(%v) = %s, want %s", rate, got, want)
		}
	}
}

func TestCounts(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 999_999: "999,999", 1_249_999: "1.2M", 7_000_000_000: "7.0G", -3: "-3"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{950: "950", 2000: "2K", 8140: "8.1K", 100_000: "100K"} {
		if got := short(n); got != want {
			t.Errorf("short(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestAges(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "just now", 7900 * time.Millisecond: "just now", 9 * time.Second: "10 s ago", 29 * time.Second: "20 s ago",
		119 * time.Second: "1 min ago", 47 * time.Hour: "47 h ago", 50 * time.Hour: "2 days ago",
	} {
		if got := ago(d); got != want {
			t.Errorf("ago(%v) = %s, want %s", d, got, want)
		}
	}
}

// The machine's figures come with an alarm about them, and go with it.
func TestHostFiguresOnlyWhenTheyMatter(t *testing.T) {
	s := &link.Snapshot{Host: link.Host{CPU: ptr(0.93), DiskFreeBytes: ptr(uint64(41 << 30))}}
	says(t, Status(look(), s, nil, true, 100), "host ok · disk 41 GB free")
	saysNot(t, Status(look(), s, nil, true, 100), "93 %")
	s.Alarms = []link.Alarm{{Kind: "host", Severity: link.VerdictAct}}
	says(t, Status(look(), s, nil, true, 100), "HOST CPU 93 %")
	s.Alarms[0].ClearedAt = &now
	says(t, Status(look(), s, nil, true, 100), "host ok")
}

func TestFeedInWords(t *testing.T) {
	s := &link.Snapshot{Feed: link.Feed{State: link.FeedStalled, LastEventAt: ptr(now.Add(-3 * time.Minute))}}
	says(t, Status(look(), s, nil, true, 100), "FEED STALLED", "last news 3 min ago")
	s.Feed.State = link.FeedIdle
	says(t, Status(look(), s, nil, true, 100), "feed idle, last news 3 min ago")
	s.Feed = link.Feed{State: link.FeedLive, PerSecond: 0.4, NotUnderstood: 3, Refused: 2}
	says(t, Status(look(), s, nil, true, 100), "feed live <1/s", "3 not understood", "2 refused")
}

func TestStateOfACampaign(t *testing.T) {
	gate := func(scope, id string) []link.Gate { return []link.Gate{{Scope: scope, ID: id, State: "paused"}} }
	for _, c := range []struct {
		name, origin, state string
		gates               []link.Gate
		want                string
	}{
		{"running", "own", "running", nil, " RUNNING "},
		{"open gate", "own", "running", []link.Gate{{Scope: "all", State: "open"}}, " RUNNING "},
		{"paused", "own", "paused", nil, " PAUSED "},
		{"its gate is closed", "own", "running", gate("campaign", "autumn"), " PAUSED "},
		{"another's gate is closed", "own", "running", gate("campaign", "spring"), " RUNNING "},
		{"everything is paused", "own", "running", gate("all", ""), " ALL PAUSED "},
		{"its only number", "own", "running", gate("number", "500"), " PAUSED "},
		{"WhatsApp", "own", "running", gate("channel", "whatsapp"), " PAUSED "},
		{"SMS only", "own", "running", gate("channel", "sms"), " RUNNING "},
		{"not confirmed outside", "external", "running", gate("campaign", "autumn"), " PAUSE UNCONFIRMED "},
		{"confirmed outside", "external", "paused", gate("campaign", "autumn"), " PAUSED "},
		{"over", "own", "finished", gate("all", ""), " DONE   ALL PAUSED "},
	} {
		s := &link.Snapshot{Gates: c.gates, Campaigns: []link.Campaign{{ID: "autumn", Origin: c.origin, State: c.state, Numbers: []string{"500"}}}}
		if got := ansi.Strip(Header(look(), s, 0, true, 80)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not say %q", c.name, got, c.want)
		}
	}
}

func TestMinuteOfThirty(t *testing.T) {
	from := now.Add(-11*time.Minute - 42*time.Second)
	c := link.Campaign{ID: "a", First30: link.First30{From: &from}}
	header := func() string { return Header(look(), &link.Snapshot{Campaigns: []link.Campaign{c}}, 0, true, 80) }
	says(t, header(), "11:42 of 30:00")
	from = now.Add(-31 * time.Minute)
	says(t, header(), "first 30 min over")
	c.First30.Closed = true
	says(t, header(), "first 30 min final")
}

func TestQualityOfATemplate(t *testing.T) {
	c := &link.Campaign{Template: &link.TemplateRef{Name: "offer", Language: "pt_PT"}, Numbers: []string{"500"}}
	s := &link.Snapshot{
		Numbers:   []link.Number{{ID: "500", Display: "+49 1555 0001", Quality: "RED", Status: "FLAGGED"}, {ID: "600", Display: "+49 1555 0002"}},
		Templates: []link.Template{{Name: "offer", Language: "en_US", Quality: "GREEN"}, {Name: "offer", Language: "pt_PT", Quality: "RED", Status: "PAUSED", PausedUntil: ptr(now.Add(3 * time.Hour))}},
	}
	pane := Quality(look(), s, c, false, 30, 12)
	says(t, pane, "RED", "FLAGGED", "PAUSED  until 12:11")
	saysNot(t, pane, "0002", "GREEN")
}

func TestQueueSaysWhatIsThere(t *testing.T) {
	c := &link.Campaign{Origin: "own", Counts: link.Counts{Waiting: 12_360, HandedOver: 7640, Unknown: 2, Paced: 5}}
	pane := Queue(look(), &link.Snapshot{}, c, false, 34, 12)
	says(t, pane, "waiting", "12,360", "may have gone out", "waiting for Meta", "with Meta")
	saysNot(t, pane, "cancelled", "another system")
	c.Origin = "external"
	says(t, Queue(look(), &link.Snapshot{}, c, false, 34, 12), "sent elsewhere")
}

// The selected row is in view in a list that is longer than its pane.
func TestLongListsScroll(t *testing.T) {
	c := &link.Campaign{}
	s := &link.Snapshot{}
	for i := range 20 {
		c.Errors = append(c.Errors, link.Error{Code: 131000 + i, Count: 1})
		s.Alarms = append(s.Alarms, link.Alarm{Text: "alarm " + string(rune('A'+i)), RaisedAt: now})
	}
	for i := range 20 {
		says(t, Errors(look(), c, i, true, 80, 6), "▸"+"1310"+string(rune('0'+i/10))+string(rune('0'+i%10)))
		says(t, Alarms(look(), s, "", i, nil, true, 60, 5), "▸09:11  WATCH  alarm "+string(rune('A'+i)))
	}
	saysNot(t, Errors(look(), c, 3, false, 80, 6), "▸")
}

func TestAlarmOfAnotherCampaignIsNamed(t *testing.T) {
	s := &link.Snapshot{
		Campaigns: []link.Campaign{{ID: "a1", Name: "autumn"}, {ID: "s1", Name: "spring"}},
		Alarms:    []link.Alarm{{Campaign: "s1", Text: "few arrive", RaisedAt: now}, {Campaign: "a1", Text: "many opt out", RaisedAt: now.Add(-30 * time.Hour)}},
	}
	pane := Alarms(look(), s, "a1", 0, nil, false, 60, 6)
	says(t, pane, "spring: few arrive", "Nov 19 03:11", "many opt out")
	saysNot(t, pane, "autumn:")
}

// Until when an alarm holds stands behind what holds, and not behind the advice.
func TestUntilStandsWhereItBelongs(t *testing.T) {
	until := now.Add(3 * time.Hour)
	for text, want := range map[string]string{
		"Meta paused the template offer: nothing goes out with it. It is the first pause, for 3 hours; the next one lasts 6": "nothing goes out with it until 12:11. It is the first pause, for 3 hours; the next one lasts 6",
		"Meta blocks this account's campaign messages.":                                                                      "Meta blocks this account's campaign messages until 12:11",
	} {
		if got := look().alarmText(&link.Alarm{Text: text, RaisedAt: now, Until: &until}); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestRefusedWebhooksAreExplainedBeforeTheFirstCampaign(t *testing.T) {
	s := &link.Snapshot{Feed: link.Feed{Posts: 12, Refused: 12}}
	says(t, Empty(look(), s, 80, 20), "webhook.app_secret")
	s.Feed = link.Feed{}
	says(t, Empty(look(), s, 80, 20), "/webhooks/meta", "tickwatch doctor")
	s.Alarms = []link.Alarm{{Kind: "host", Text: "The disk is nearly full.", RaisedAt: now}}
	says(t, Empty(look(), s, 80, 22), "The disk is nearly full.")
	says(t, Waiting(look(), errors.New("nobody there").Error(), 80, 20), "nobody there", "tickwatch serve")
}

// Every verdict is a word.
func TestVerdictsAreWords(t *testing.T) {
	for verdict, word := range map[string]string{"ok": "OK ", "watch": " WATCH ", "act": " ACT ", "unsure": "UNSURE ", "": "UNSURE "} {
		if got := ansi.Strip(look().badge(verdict)); got != word {
			t.Errorf("badge(%q) = %q, want %q", verdict, got, word)
		}
	}
}

// What a person got by another channel, and why not, is in a line of its own.
func TestFindTellsOfOtherChannels(t *testing.T) {
	told := now
	found := &link.Found{Query: "x", Phone: "+351*12", Beside: []link.Reached{{Campaign: "autumn", Channel: "sms", State: "failed", Code: "44", Reason: "no such subscriber", ToldAt: &told}}}
	got := Find(look(), "> ", found, "", 80, 20)
	says(t, got, "SMS        autumn", "failed "+look().clock(now), "44 no such subscriber")
	saysNot(t, got, "No messages")
}

// Quality says of when it is, by the number that was asked about the longest ago.
func TestQualityIsOfWhenItWasAsked(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 31, 0, 0, time.UTC)
	s := &link.Snapshot{At: at, Numbers: []link.Number{
		{ID: "1", Display: "+4915550001", Quality: "GREEN", AskedAt: ptr(at.Add(-time.Minute))},
		{ID: "2", Display: "+4915550002", Quality: "GREEN", AskedAt: ptr(at.Add(-20 * time.Minute))},
	}}
	l := Look{Zone: time.UTC, Now: at}
	if got := Quality(l, s, &link.Campaign{}, false, 40, 12); !strings.Contains(got, "asked 09:11") {
		t.Error(got)
	}
	for i := range s.Numbers {
		s.Numbers[i].AskedAt = nil
	}
	if got := Quality(l, s, &link.Campaign{}, false, 40, 12); strings.Contains(got, "asked") {
		t.Error(got)
	}
}

// How long people wait for an answer is said with the mean, where it is known.
func TestAnsweredWords(t *testing.T) {
	e := link.Engagement{Answered: ptr(0.81), FirstResponseMS: &link.ResponseTimes{P50: 214_000, P95: 1_840_000}, MeanResponseMS: ptr(int64(301_000))}
	if got := answeredWords(&e); !strings.HasSuffix(got, ", mean 6 min") {
		t.Error(got)
	}
	if e.MeanResponseMS = nil; strings.Contains(answeredWords(&e), "mean") {
		t.Error(answeredWords(&e))
	}
}
