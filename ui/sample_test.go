package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

var (
	sampleZone = time.FixedZone("CET", 3600)
	sampleNow  = time.Date(2026, 11, 20, 9, 11, 42, 0, sampleZone)
)

func ptr[T any](v T) *T { return &v }

// catalogued is an error row as the daemon fills it.
func catalogued(code int, n, failed int64, trend []int64) link.Error {
	e := wa.Explain(code, "")
	return link.Error{
		Code: code, Title: e.Title, Category: e.Category, Count: n, Share: float64(n) / float64(failed),
		Advice: e.Advice, Hint: e.Hint, Retry: e.Retry, SMS: e.Fallback, Trend: trend,
	}
}

// course is a trend of some minutes with the given share arriving.
func course(minutes int, each int64, share func(minute int) float64) []link.Minute {
	out := make([]link.Minute, minutes)
	for i := range out {
		arrived := int64(math.Round(float64(each) * 0.92 * share(i)))
		out[i] = link.Minute{
			At:       sampleNow.Add(time.Duration(i-minutes+1) * time.Minute).Truncate(time.Minute).UTC(),
			Messages: each, Delivered: arrived, Failed: int64(float64(each)*0.92) - arrived,
		}
	}
	return out
}

func repeated(n int, pattern ...int64) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = pattern[i%len(pattern)]
	}
	return out
}

func healthy() *link.Snapshot {
	started := sampleNow.Add(-11*time.Minute - 42*time.Second).UTC()
	to := started.Add(30 * time.Minute)
	used := int64(8140)
	c := link.Campaign{
		ID: "autumn", Name: "autumn", Origin: "external", State: "running", StartedAt: &started,
		Template: &link.TemplateRef{Name: "autumn_offer", Language: "pt_PT"}, Numbers: []string{"500100200300400"},
		Counts: link.Counts{Messages: 7640, HandedOver: 7640, Sent: 7611, Delivered: 6812, Read: 3020, Failed: 251, Withheld: 120, InFlight: 577},
		First30: link.First30{
			From: &started, To: &to, Messages: 7640, Delivered: 6812, Failed: 251, Withheld: 120, InFlight: 577,
			Observed: ptr(0.8916), Settled: ptr(0.96446),
			ByAge:     []link.AgeShare{{Seconds: 5, Share: 0.802, Messages: 2000}, {Seconds: 30, Share: 0.846, Messages: 2000}, {Seconds: 60, Share: 0.871, Messages: 2000}, {Seconds: 300, Share: 0.934, Messages: 2000}},
			Projected: ptr(0.964), Low: ptr(0.958), High: ptr(0.9702), Verdict: link.VerdictOK,
			Reason: "above the line of 95 %",
		},
		Trend: course(12, 653, func(i int) float64 { return []float64{0.955, 0.961, 0.968, 0.972, 0.966, 0.97}[i%6] }),
		Reports: link.Reports{
			OptOuts: 4, Rate: ptr(0.000587), Refusers: 7, Verdict: link.VerdictOK,
			Trend: repeated(12, 0, 0, 1, 0, 1, 0),
		},
	}
	c.Errors = []link.Error{
		catalogued(131049, 120, 251, repeated(12, 9, 11, 12, 10, 8)),
		catalogued(131026, 98, 251, repeated(12, 6, 7, 10, 9)),
		catalogued(131053, 20, 251, repeated(12, 1, 1, 5, 2, 0)),
		catalogued(131050, 7, 251, repeated(12, 1, 0)),
		catalogued(130472, 6, 251, repeated(12, 0, 1)),
	}
	return &link.Snapshot{
		Rev: 12, At: sampleNow.Add(-300 * time.Millisecond).UTC(), Version: "1.0.0",
		Feed: link.Feed{
			State: link.FeedLive, LastEventAt: ptr(sampleNow.Add(-400 * time.Millisecond).UTC()), Posts: 3120, Updates: 17_443,
			AnswerMS: &link.Quantiles{P50: 4, P99: 11}, PerSecond: 38.4, Trend: feedCourse(12),
		},
		Host:      link.Host{CPU: ptr(0.21), MemoryBytes: ptr(uint64(61 << 20)), DiskFreeBytes: ptr(uint64(41 << 30))},
		Gates:     []link.Gate{},
		Campaigns: []link.Campaign{c}, CampaignCount: 1,
		Numbers: []link.Number{{
			ID: "500100200300400", Display: "+49 1555 0001", Quality: "GREEN", Status: "CONNECTED", Limit: "TIER_10K", Used24h: &used, Since: ptr(sampleNow.Add(-70 * time.Minute).UTC()),
		}},
		Templates: []link.Template{{ID: "990000000000001", Name: "autumn_offer", Language: "pt_PT", Category: "MARKETING", Status: "APPROVED", Quality: "GREEN"}},
		Alarms:    []link.Alarm{},
		Actions:   []link.Action{},
	}
}

// trouble is a campaign that needs a hand, beside two others.
func trouble() *link.Snapshot {
	s := healthy()
	c := &s.Campaigns[0]
	c.Counts = link.Counts{Messages: 7640, HandedOver: 7640, Sent: 7590, Delivered: 5931, Read: 2104, Failed: 1132, Withheld: 64, InFlight: 577}
	f := &c.First30
	f.Delivered, f.Failed, f.Withheld = 5931, 1132, 64
	f.Settled, f.Observed, f.Low, f.High = ptr(0.84012), ptr(0.7763), ptr(0.826), ptr(0.8521)
	f.Verdict, f.Reason = link.VerdictAct, "below the line of 90 %: act now"
	c.Trend = course(12, 653, func(i int) float64 {
		return []float64{0.962, 0.958, 0.966, 0.96, 0.951, 0.91, 0.83, 0.76, 0.74, 0.73, 0.72, 0.71}[i]
	})
	c.Errors = []link.Error{
		catalogued(131053, 940, 1132, []int64{1, 2, 1, 0, 9, 40, 96, 148, 160, 161, 162, 160}),
		catalogued(131026, 108, 1132, repeated(12, 8, 9, 10, 9)),
		catalogued(131049, 64, 1132, repeated(12, 5, 6)),
		catalogued(131050, 14, 1132, repeated(12, 1, 2)),
		catalogued(130472, 6, 1132, repeated(12, 0, 1)),
	}
	c.Reports.OptOuts, c.Reports.Rate, c.Reports.Verdict = 19, ptr(0.0032), link.VerdictWatch
	s.Templates[0].Quality = "YELLOW"
	s.Feed.NotUnderstood, s.Feed.Refused = 3, 2
	s.Alarms = []link.Alarm{
		{
			ID: "a3", Kind: "delivery", Severity: link.VerdictAct, Campaign: "autumn", RaisedAt: sampleNow.Add(-3 * time.Minute).UTC(),
			ActedAt: ptr(sampleNow.Add(-2 * time.Minute).UTC()), Text: "84.0 % arrive, act below 90 %: 940 of 1,132 failures are 131053, media upload error.",
			Advice: "Stop it where it is sent from; a pause here (p) asks for that. Fix the file and check that it is what its name says.",
			DoNot:  "Do not send again before it is mended: it fails again.",
			After:  "Then send to those who failed again, or by SMS (r).",
		},
		{
			ID: "a2", Kind: "template", Severity: link.VerdictWatch, Campaign: "autumn", RaisedAt: sampleNow.Add(-4 * time.Minute).UTC(),
			Text: "Template autumn_offer/pt_PT fell from GREEN to YELLOW.", AckedBy: "ines",
		},
		{
			ID: "a1", Kind: "feed", Severity: link.VerdictWatch, RaisedAt: sampleNow.Add(-50 * time.Minute).UTC(),
			ClearedAt: ptr(sampleNow.Add(-48 * time.Minute).UTC()), Text: "No webhook for 2 minutes while answers were due.",
		},
	}
	started := sampleNow.Add(-26 * time.Hour).UTC()
	s.CampaignCount = 3
	s.Campaigns = append(s.Campaigns,
		link.Campaign{
			ID: "loyalty", Name: "loyalty", Origin: "external", State: "running", StartedAt: ptr(sampleNow.Add(-2 * time.Minute).UTC()),
			Counts: link.Counts{Messages: 41, HandedOver: 41, Delivered: 29, InFlight: 12}, Trend: course(2, 20, func(int) float64 { return 1 }),
			First30: link.First30{Messages: 41, Delivered: 29, InFlight: 12, Verdict: link.VerdictUnsure, Reason: "Too few messages are decided."},
			Reports: link.Reports{Verdict: link.VerdictUnsure},
		},
		link.Campaign{
			ID: "summer_end", Name: "summer_end", Origin: "external", State: "finished", StartedAt: &started,
			Counts: link.Counts{Messages: 24_310, HandedOver: 24_310, Delivered: 23_698, Failed: 612},
			Trend:  course(30, 810, func(i int) float64 { return 0.97 + 0.01*math.Sin(float64(i)) }),
			First30: link.First30{
				Messages: 24_310, Delivered: 23_698, Failed: 612, Closed: true, Settled: ptr(0.9748), Verdict: link.VerdictOK,
			},
			Reports: link.Reports{Verdict: link.VerdictOK, Rate: ptr(0.0004), OptOuts: 9},
		})
	return s
}

// restricted is a campaign whose account Meta has restricted.
func restricted() *link.Snapshot {
	s := trouble()
	s.Alarms = append([]link.Alarm{{
		ID: "a4", Kind: "account", Severity: link.VerdictAct, RaisedAt: sampleNow.Add(-time.Minute).UTC(), ActedAt: ptr(sampleNow.Add(-time.Minute).UTC()),
		Text: "Meta blocks this account's campaign messages", Until: ptr(sampleNow.Add(71 * time.Hour).UTC()),
		Advice: "Stop the send where it is sent from: it fails until then. Look into WhatsApp Manager, Business Support: it says why, and takes a request for review.",
	}}, s.Alarms...)
	return s
}

// nothingYet is a daemon that has seen no campaign.
func nothingYet() *link.Snapshot {
	s := healthy()
	s.Campaigns, s.Numbers, s.Templates = []link.Campaign{}, []link.Number{}, []link.Template{}
	s.Feed = link.Feed{State: link.FeedIdle}
	return s
}

// paused is a campaign of our own whose sending is paused.
func paused() *link.Snapshot {
	s := healthy()
	c := &s.Campaigns[0]
	c.Origin, c.State = "own", "paused"
	c.Counts.Messages, c.Counts.Waiting, c.Counts.Unknown = 20_002, 12_360, 2
	s.Gates = []link.Gate{{Scope: "campaign", ID: "autumn", State: "paused", By: "ines", Since: sampleNow.UTC()}}
	return s
}

// feedCourse is what came in within the latest minutes.
func feedCourse(minutes int) []link.FeedMinute {
	out := make([]link.FeedMinute, minutes)
	for i := range out {
		out[i] = link.FeedMinute{
			At: sampleNow.Add(time.Duration(i-minutes+1) * time.Minute).Truncate(time.Minute).UTC(), Posts: 260, Updates: int64(1400 + 40*(i%3)), Duplicates: int64(i % 4),
		}
		if i != 4 {
			out[i].AnswerP99MS = ptr(9 + float64(i%5))
		}
	}
	return out
}

// happened is a log of the sample's alarms and news.
func happened(a link.EventsArgs) link.Events {
	at := func(minutes int) time.Time { return sampleNow.Add(-time.Duration(minutes) * time.Minute).UTC() }
	template := []link.Event{
		{At: at(4), Kind: link.EventTemplate, Text: "autumn_offer/pt_PT: quality YELLOW, was GREEN"},
		{At: at(190), Kind: link.EventTemplate, Text: "autumn_offer/pt_PT: status PAUSED (first pause)", Until: ptr(at(10))},
		{At: at(3000), Kind: link.EventTemplate, Text: "autumn_offer/pt_PT: text edited: “Olá {{1}}, até domingo tem 20 % em toda a coleção de outono.”"},
	}
	if a.Of != link.OfEverything {
		return link.Events{Events: template, Complete: true}
	}
	all := []link.Event{
		{At: at(2), Kind: link.EventAlarm, Severity: link.VerdictAct, Text: "Grew worse: autumn: Too few messages arrive"},
		{At: at(3), Kind: link.EventAlarm, Severity: link.VerdictWatch, Text: "autumn: Too few messages arrive"},
		{At: at(3), Kind: link.EventAction, Text: "ines has seen the alarm: The quality of the template autumn_offer/pt_PT fell to YELLOW"},
		template[0],
		{At: at(11), Kind: link.EventCampaign, Text: "autumn: first message"},
		{At: at(48), Kind: link.EventAlarm, Severity: link.EventCleared, Text: "After 2 min: No webhook for 2 minutes while answers are due: the figures are old"},
		{At: at(50), Kind: link.EventAlarm, Severity: link.VerdictWatch, Text: "No webhook comes in although answers are due"},
		{At: at(70), Kind: link.EventNumber, Text: "+4915550001: limit 10,000 people in 24 h, was 2,000 people in 24 h (THROUGHPUT_UPGRADE)", Times: 2},
		template[1], template[2],
	}
	return link.Events{Events: all, Complete: false}
}

// many are the cards of so many campaigns, some of them in trouble.
func many(n int) []link.Card {
	out := make([]link.Card, n)
	for i := range out {
		c := link.Campaign{
			ID: fmt.Sprintf("c%03d", i), Name: fmt.Sprintf("weekly_%03d", i), Origin: "external", State: "finished",
			StartedAt: ptr(sampleNow.Add(-time.Duration(i) * time.Hour).UTC()), Counts: link.Counts{Messages: int64(900 + i)},
			First30: link.First30{Verdict: link.VerdictOK, Settled: ptr(0.97)},
			Trend:   course(30, 300, func(m int) float64 { return 0.9 + 0.003*float64((m*i)%30) }),
		}
		if i < n/10 {
			c.State = "running"
		}
		if i%9 == 1 {
			c.First30.Verdict, c.First30.Settled = link.VerdictAct, ptr(0.61)
		}
		out[i] = link.CardOf(&c)
	}
	return out
}

func failedMessages(n int, newest time.Time) []link.Message {
	out := make([]link.Message, n)
	for i := range out {
		out[i] = link.Message{
			MessageID: fmt.Sprintf("wamid.AAA%d", i), Phone: fmt.Sprintf("+351********%02d", (i*37+11)%100), Campaign: "autumn", State: "failed",
			FailedAt: ptr(newest.Add(-time.Duration(i) * 7 * time.Second)), Code: 131053,
			Details: "Downloading media from weblink failed with http code 404",
		}
	}
	return out
}

// daemon is the far end of a console under test: it holds real values of the
// link and passes them through the link's JSON.
type daemon struct {
	updates chan link.Update
	answers map[string]func(args json.RawMessage) (any, error)
	calls   []string
}

func newDaemon() *daemon {
	return &daemon{updates: make(chan link.Update, 1), answers: map[string]func(json.RawMessage) (any, error){}}
}

func (d *daemon) Updates() <-chan link.Update { return d.updates }

func (d *daemon) Do(_ context.Context, verb string, args, result any) error {
	in, err := json.Marshal(args)
	if err != nil {
		return err
	}
	d.calls = append(d.calls, verb+" "+string(in))
	answer, ok := d.answers[verb]
	if !ok {
		return errors.New("no answer prepared for " + verb)
	}
	v, err := answer(in)
	if err != nil {
		return err
	}
	out, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, result)
}

// console is a model under test with its daemon.
type console struct {
	*testing.T
	m *model
	d *daemon
}

func newConsole(t *testing.T, w, h int, o Options) *console {
	t.Helper()
	d := newDaemon()
	d.answers[link.VerbFailures] = func(args json.RawMessage) (any, error) {
		var a link.FailuresArgs
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		return link.Failures{Messages: failedMessages(a.Limit, sampleNow.UTC()), Next: a.Before + 7}, nil
	}
	d.answers[link.VerbFind] = func(args json.RawMessage) (any, error) {
		return link.Found{Query: "+351 900 000 011", Phone: "+351********11", OptedOut: true, Messages: []link.Message{
			{
				MessageID: "wamid.AAA1", Phone: "+351********11", Campaign: "autumn", State: "read",
				SentAt: ptr(sampleNow.Add(-9 * time.Minute).UTC()), DeliveredAt: ptr(sampleNow.Add(-9 * time.Minute).UTC()), ReadAt: ptr(sampleNow.Add(-4 * time.Minute).UTC()),
			},
			{
				MessageID: "wamid.AAA0", Phone: "+351********11", Campaign: "summer_end", State: "failed",
				SentAt: ptr(sampleNow.Add(-26 * time.Hour).UTC()), FailedAt: ptr(sampleNow.Add(-26 * time.Hour).UTC()), Code: 131026, Details: "Message undeliverable",
			},
		}}, nil
	}
	d.answers[link.VerbAck] = func(args json.RawMessage) (any, error) {
		return link.Alarm{ID: "a3", Text: "84.0 % arrive, act below 90 %.", AckedBy: "ines"}, nil
	}
	d.answers[link.VerbEvents] = func(args json.RawMessage) (any, error) {
		var a link.EventsArgs
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		return happened(a), nil
	}
	d.answers[link.VerbCampaigns] = func(json.RawMessage) (any, error) { return link.Cards{Campaigns: many(3), Known: 3}, nil }
	d.prepared()
	o.Daemon, o.Zone = d, sampleZone
	if o.Now == nil {
		o.Now = func() time.Time { return sampleNow }
	}
	if o.Env == nil {
		o.Env = []string{"TERM=xterm-256color", "LANG=C.UTF-8"}
	}
	c := &console{T: t, m: newModel(t.Context(), o.withDefaults()), d: d}
	c.m.Update(tea.ColorProfileMsg{Profile: colorprofile.TrueColor})
	c.m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	return c
}

// show hands the console an update, past the spacing of redraws.
func (c *console) show(u link.Update) *console {
	before := [...]int{c.m.history.ticket, c.m.guest.ticket, c.m.resume.ticket}
	c.m.paced = false
	_, cmd := c.m.Update(updateMsg{Update: u})
	asked := 0
	for i, ticket := range [...]int{c.m.history.ticket, c.m.guest.ticket, c.m.resume.ticket} {
		if ticket != before[i] {
			asked++
		}
	}
	c.carryOut(cmd, asked)
	return c
}

// carryOut runs a command until so many answers of the daemon have come; what
// else is in it, timers and the wait for the next update, is left to itself.
func (c *console) carryOut(cmd tea.Cmd, answers int) {
	if answers == 0 {
		return
	}
	msgs := make(chan tea.Msg, 16)
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
			case eventsMsg, guestMsg, reply:
				msgs <- msg
			}
		}()
	}
	run(cmd)
	for range answers {
		c.m.Update(<-msgs)
	}
}

func (c *console) live(s *link.Snapshot) *console {
	return c.show(link.Update{Snapshot: s, Connected: true})
}

// press presses keys and carries out the calls that they make.
func (c *console) press(keys ...string) *console {
	c.Helper()
	for _, k := range keys {
		_, cmd := c.m.Update(keyPress(k))
		if cmd == nil || c.m.notice != "" {
			continue
		}
		switch msg := cmd().(type) {
		case failuresMsg, foundMsg, ackedMsg, eventsMsg, cardsMsg, guestMsg, reply:
			c.m.Update(msg)
		case tea.BatchMsg: // a call and the timer that watches it
			c.carryOut(func() tea.Msg { return msg }, 1)
		}
	}
	return c
}

func keyPress(name string) tea.KeyPressMsg {
	named := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "space": tea.KeySpace,
	}
	if code, ok := named[name]; ok {
		if code == tea.KeySpace {
			return tea.KeyPressMsg{Code: code, Text: " "}
		}
		return tea.KeyPressMsg{Code: code}
	}
	if letter, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: []rune(letter)[0], Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// unanswered presses a key whose call the daemon does not answer for a while.
func (c *console) unanswered(key string) *console {
	c.Helper()
	if _, cmd := c.m.Update(keyPress(key)); cmd == nil {
		c.Fatalf("%s does nothing", key)
	}
	for _, p := range c.m.pauses {
		c.m.Update(lateMsg(p.ticket))
	}
	return c
}

func timedOut() error { return fmt.Errorf("nothing came: %w", context.DeadlineExceeded) }

func typeName(v any) string { return fmt.Sprintf("%T", v) }
