package notify

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickwatch/wa"
)

const minute = wa.Instant(60_000)

// tellAll does what a worker does that reaches its place at once.
func (l ledger) tellAll(now wa.Instant, alarms []Alarm, least wa.ToldStage) []Item {
	items := l.dues(now, alarms, least)
	for _, i := range items {
		l[i.ID] = wa.Told{Alarm: i.ID, Raised: i.RaisedAt, Stage: max(i.stage(), l.of(&i.Alarm).Stage), At: max(now, i.Woke)}
	}
	return items
}

// TestLedger: what is told of alarms, step by step.
func TestLedger(t *testing.T) {
	watch := Alarm{ID: 1, Kind: "delivery", Subject: "autumn", Severity: Watch, RaisedAt: received}
	act, quiet := watch, watch
	act.Severity, act.ActedAt = Act, received+minute
	quiet.Snoozed = true
	over := act
	over.ClearedAt = received + 10*minute
	again := Alarm{ID: 2, Kind: "delivery", Subject: "autumn", Severity: Watch, RaisedAt: received + 12*minute}
	againAct := again
	againAct.Severity, againAct.ActedAt = Act, received+12*minute
	watchOver := watch
	watchOver.ClearedAt = received + 10*minute
	other := Alarm{ID: 3, Kind: "feed", Subject: "feed", Severity: Act, ActedAt: received, RaisedAt: received}
	woke := act
	woke.Woke = received + 5*minute
	reused := Alarm{ID: 1, Kind: "feed", Subject: "feed", Severity: Act, RaisedAt: received + minute, ActedAt: received + minute}

	type step struct {
		at     wa.Instant
		alarms []Alarm
		want   string
	}
	for name, steps := range map[string][]step{
		"once": {{0, []Alarm{watch}, "a1 raised"}, {1, []Alarm{watch}, ""}},
		"it grows, eases and ends": {
			{0, []Alarm{watch}, "a1 raised"}, {1, []Alarm{act}, "a1 grown"}, {2, []Alarm{watch}, ""}, {3, []Alarm{act}, ""}, {10, []Alarm{over}, "a1 cleared"}, {11, []Alarm{over}, ""},
		},
		"its end is no news where its beginning was none": {{10, []Alarm{over}, ""}},
		"the worst first":                   {{1, []Alarm{watch, other}, "a3 raised, a1 raised"}},
		"quiet":                             {{0, []Alarm{quiet}, ""}, {1, []Alarm{watch}, "a1 raised"}},
		"quiet, and the end all the same":   {{0, []Alarm{act}, "a1 raised"}, {1, []Alarm{quiet}, ""}, {10, []Alarm{over}, "a1 cleared"}},
		"it stands after its snooze":        {{0, []Alarm{act}, "a1 raised"}, {5, []Alarm{woke}, "a1 still"}, {6, []Alarm{woke}, ""}},
		"it comes back and does not stay":   {{0, []Alarm{act}, "a1 raised"}, {10, []Alarm{over}, "a1 cleared"}, {12, []Alarm{over, again}, ""}, {16, []Alarm{over, again}, ""}},
		"it comes back and stays":           {{0, []Alarm{act}, "a1 raised"}, {10, []Alarm{over}, "a1 cleared"}, {13, []Alarm{over, again}, ""}, {17, []Alarm{over, again}, "a2 raised"}},
		"it comes back worse":               {{0, []Alarm{watch}, "a1 raised"}, {10, []Alarm{watchOver}, "a1 cleared"}, {12, []Alarm{watchOver, againAct}, "a2 raised"}},
		"it comes back that nobody knew of": {{12, []Alarm{over, again}, "a2 raised"}},
		"an id that another alarm had":      {{0, []Alarm{act}, "a1 raised"}, {1, []Alarm{reused}, "a1 raised"}},
	} {
		told := ledger{}
		for i, s := range steps {
			if got := changes(told.tellAll(received+s.at*minute, s.alarms, wa.ToldWatch)); got != s.want {
				t.Errorf("%s, step %d: told %q, want %q", name, i, got, s.want)
			}
		}
	}
	told := ledger{}
	if got := changes(told.tellAll(received, []Alarm{watch}, wa.ToldAct)); got != "" {
		t.Errorf("only act is wanted, and %q was told", got)
	}
	if got := changes(told.tellAll(received+minute, []Alarm{act}, wa.ToldAct)); got != "a1 raised" {
		t.Errorf("it grew to what is wanted, and %q was told", got)
	}
}

// TestLedgerOrder: however an alarm goes and whenever a place is reached, the place
// hears of each step at most once, and in order.
func TestLedgerOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Alarm{ID: 1, Kind: "delivery", Subject: "autumn", Severity: Watch, RaisedAt: received}
		told, now := ledger{}, received
		var heard []string
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now += wa.Instant(rapid.IntRange(1, 300_000).Draw(t, "passes"))
			switch rapid.SampledFrom([]string{"worse", "better", "quiet", "loud", "over", "nothing"}).Draw(t, "then") {
			case "worse":
				if a.ActedAt == 0 {
					a.ActedAt = now
				}
				a.Severity = Act
			case "better":
				a.Severity = Watch
			case "quiet":
				a.Snoozed = true
			case "loud":
				a.Snoozed = false
			case "over":
				a.ClearedAt = now
			}
			if rapid.Bool().Draw(t, "reached") {
				for _, i := range told.tellAll(now, []Alarm{a}, wa.ToldWatch) {
					heard = append(heard, string(i.Change))
				}
			}
			if a.ClearedAt != 0 {
				break
			}
		}
		switch got := strings.Join(heard, " "); got {
		case "", "raised", "raised cleared", "raised grown", "raised grown cleared":
		default:
			t.Fatalf("heard %q", got)
		}
	})
}

// TestMessage: the words, and that they carry nothing which they should not.
func TestMessage(t *testing.T) {
	at := time.Date(2026, 11, 20, 8, 20, 0, 0, time.UTC)
	raised := wa.At(at.Add(-8 * time.Minute))
	a := Alarm{
		ID: 3, Kind: "delivery", Campaign: "autumn", Name: "Autumn\x1b[31m <!channel>", Severity: Act, RaisedAt: raised, ActedAt: raised,
		Text: "78.1 % arrived, of 1,200 decided in the last 3 min; +4915550001234, 351900000001 and +351 (900) 000-002, 2026-11-20 08:12", Advice: "Mend the picture.", Pauses: true,
	}
	m := &Message{Items: []Item{{a, Raised}}, At: at, Zone: time.UTC}
	want := "ACT Autumn[31m <!channel>: 78.1 % arrived, of 1,200 decided in the last 3 min; +491********34, +351*******01 and +351*******02, 2026-11-20 08:12\n" +
		"Since 08:12 UTC.\nWhat to do: Mend the picture.\nIn the console p pauses it. From a shell: tickwatch pause autumn"
	if got := m.Text(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := harmless(m.Title()); got != "ACT Autumn[31m ‹!channel›" {
		t.Errorf("title %q", got)
	}
	a.Campaign = "x; rm -rf ~ 'now'"
	if got := (&Message{Items: []Item{{a, Raised}}, At: at}).Text(); !strings.HasSuffix(got, `tickwatch pause 'x; rm -rf ~ '\''now'\'''`) {
		t.Errorf("a command that a shell takes apart: %s", got)
	}
	a.ClearedAt = wa.At(at)
	m.Items = []Item{{a, Cleared}}
	if got := m.Text(); !strings.HasPrefix(got, "Cleared: ") || !strings.HasSuffix(got, "It stood from 08:12 UTC to 08:20 UTC.") {
		t.Errorf("cleared: %s", got)
	}
	many := &Message{At: at, Zone: time.UTC}
	for i := range 14 {
		many.Items = append(many.Items, Item{Alarm{ID: int64(i), Kind: "template", Severity: Watch, RaisedAt: raised, Text: strings.Repeat("x", 2000)}, Raised})
	}
	if got := many.Text(); !strings.HasSuffix(got, "And 4 more: tickwatch status lists them.") || len(got) > 10*600 {
		t.Errorf("%d bytes: …%s", len(got), got[len(got)-60:])
	}
	if got := many.Title(); got != "tickwatch: 14 alarms, 14 WATCH" {
		t.Errorf("title %q", got)
	}
}

// TestHelp: a pause is named where it helps, and never after an advice against it; what
// is paused already is said, with the reason.
func TestHelp(t *testing.T) {
	for name, c := range map[string]struct {
		a             Alarm
		said, command string
		never         string
	}{
		"a campaign":                {Alarm{Kind: "delivery", Campaign: "autumn", Severity: Act, Pauses: true}, "p pauses it", "tickwatch pause autumn", "Paused"},
		"another system's":          {Alarm{Kind: "delivery", Campaign: "autumn", Severity: Act, Pauses: true, External: true}, "p asks for a pause where it is sent from", "tickwatch pause autumn", "pauses it"},
		"withheld":                  {Alarm{Kind: "withheld", Campaign: "autumn", Severity: Act}, "k says", "tickwatch status", "pause"},
		"paused already":            {Alarm{Kind: "delivery", Campaign: "autumn", Severity: Act, Paused: "It is paused already, by ines: the picture."}, "by ines: the picture.\n", "tickwatch status", "p pauses"},
		"a yellow template":         {Alarm{Kind: "quality", Severity: Watch}, "k says", "tickwatch status", "pause"},
		"a red one":                 {Alarm{Kind: "quality", Severity: Act, Pauses: true}, "! pauses everything", "tickwatch pause", "p pauses"},
		"a template paused by Meta": {Alarm{Kind: "template", Severity: Act}, "t sends the rest", "tickwatch status", "! pauses"},
		"the machine":               {Alarm{Kind: "host", Severity: Act, Pauses: true}, "k says", "tickwatch doctor", "pause"},
	} {
		i := Item{c.a, Raised}
		text := (&Message{Items: []Item{i}, At: time.Now()}).Text()
		if r := i.record(); !strings.Contains(text, c.said) || !strings.HasSuffix(text, "From a shell: "+c.command) || strings.Contains(text, c.never) ||
			r.Command != c.command || r.Paused != c.a.Paused {
			t.Errorf("%s: %s\n%+v", name, text, r)
		}
	}
}
