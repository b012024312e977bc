package ui

import (
	"errors"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"tickwatch/monitor/link"
)

// hostile texts come from people who would like to own the operator's screen.
var hostile = []string{
	"\x1b]8;;https://example.org\x1b\\click\x1b]8;;\x1b\\",
	"\x1b[5;8;31mhidden\x1b[0m", "\x1b[2J\x1b[H", "\x1b]0;title\a", "\x1b]52;c;aGVsbG8=\a", "\x1bP1$r\x1b\\",
	"AAAA\rBB", "one\ntwo\r\nthree\tfour", "\u009b31mC1\u009d8;;x\u009c", "\x00\x08\x7f", "bad \xff\xfe utf-8",
	"\u202eevil\u202c \u2066x\u2069", "Z\u0335\u0321\u0322\u0327\u0328\u0334\u0340a\u0300\u0301\u0302\u0303\u0304\u0305lgo", "zero\u200bwidth\u200d\ufeff",
	"漢字の名前がとても長いキャンペーン", "🇵🇹🇪🇸", "👩‍👩‍👧‍👦 👍🏽 ❤️", "\u0301\u0302", "\u2800\u3164", "ﷺ﷽", "नमस्ते สวัสดี", strings.Repeat("x", 10_000), strings.Repeat("漢", 5000), "",
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// styles gives the styling sequences of a frame, and what is left of it.
func styles(frame string) (used map[string]bool, rest string) {
	used = map[string]bool{}
	for _, s := range sgr.FindAllString(frame, -1) {
		used[s] = true
	}
	return used, sgr.ReplaceAllString(frame, "")
}

// TestNoForeignSequenceReachesTheScreen fills every text of the link with
// hostile strings: no style but our own and no control character may come out.
func TestNoForeignSequenceReachesTheScreen(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {40, 12}} {
		ours := map[string]bool{}
		for _, s := range screens {
			c := newConsole(t, size[0], size[1], Options{})
			s.draw(c)
			used, _ := styles(c.m.frame())
			for k := range used {
				ours[k] = true
			}
		}
		for i, text := range hostile {
			for _, s := range screens {
				c := newConsole(t, size[0], size[1], Options{})
				s.draw(c)
				poison(reflect.ValueOf(&c.m.update.Err).Elem(), text)
				if c.m.raw != nil {
					evil := cleaned(c.m.raw) // a deep copy
					poison(reflect.ValueOf(evil).Elem(), text)
					evil.Campaigns = append([]link.Campaign(nil), evil.Campaigns...)
					for k := range evil.Campaigns {
						evil.Campaigns[k].State = []string{"running", text}[k%2]
					}
					c.show(link.Update{Snapshot: evil, Connected: c.m.update.Connected})
				}
				poison(reflect.ValueOf(&c.m.failures.page).Elem(), text)
				c.m.failures.answer(failuresMsg{ticket: c.m.failures.ticket, page: c.m.failures.page})
				events := happened(link.EventsArgs{})
				poison(reflect.ValueOf(&events).Elem(), text)
				c.m.history.answer(eventsMsg{ticket: c.m.history.ticket, events: events})
				c.m.switcher.ticket = 0
				c.m.switcher.answer(cardsMsg{cards: poisoned(link.Cards{Campaigns: many(3)}, text)})
				c.m.find.ticket = 0
				found := link.Found{Phone: text, Query: text, Messages: failedMessages(3, sampleNow)}
				poison(reflect.ValueOf(&found).Elem(), text)
				c.m.find.answer(foundMsg{found: found})
				c.hostileSending(text)
				c.m.Update(tea.PasteMsg{Content: text})

				frame := c.m.frame()
				used, rest := styles(frame)
				for k := range used {
					if !ours[k] {
						t.Errorf("%s, text %d: the style %q is not ours", s.name, i, k)
					}
				}
				for _, r := range rest {
					if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
						t.Fatalf("%s, text %d: %U is on the screen", s.name, i, r)
					}
				}
				fits(t, frame, size[0], size[1])
			}
		}
	}
}

// hostileSending lets the windows that act get answers full of a text.
func (c *console) hostileSending(text string) {
	c.m.resume.told(poisoned(forecastOf(&link.ForecastArgs{}), text), nil)
	more := choices()
	for i := range more.Others {
		poison(reflect.ValueOf(&more.Others[i]).Elem(), text+"\n"+text)
	}
	c.m.swap.told(more, nil)
	for i := range c.m.retry.rows {
		c.m.retry.rows[i].Title = screenText(text) // as openRetry takes them from the clean snapshot
	}
	if c.m.retry.counted != nil {
		at := c.m.dialog
		c.m.dialog = retryDialog
		c.m.retryCounted(link.Retried{Eligible: 3, LeftOut: []link.LeftOut{{Reason: text, Count: 3}}}, nil)
		c.m.dialog = at
	}
	c.m.note.problem = problem(errors.New(text))
	if c.m.dialog == copyDialog {
		c.m.copyStatus()
	}
	if len(c.m.pauses) > 0 {
		c.m.pauseAnswered(c.m.pauses[0].ticket, link.Receipt{}, &link.Fault{Kind: link.FaultFailed, Text: text})
	}
}

func poisoned[T any](v T, text string) T {
	poison(reflect.ValueOf(&v).Elem(), text)
	return v
}

// poison writes a text into every string of a value.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), text)
		}
	case reflect.Interface:
		if v.Type() == reflect.TypeFor[error]() && !v.IsNil() {
			v.Set(reflect.ValueOf(errors.New(text)))
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case reflect.Struct:
		if v.Type() == timeType {
			return
		}
		for i := range v.NumField() {
			poison(v.Field(i), text)
		}
	}
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// fits checks that a frame has the screen's lines, each exactly as wide, by
// both of the ways in which terminals count the width of a character.
func fits(t failer, frame string, w, h int) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) != h {
		t.Fatalf("%d lines on a screen of %d", len(lines), h)
	}
	for i, line := range lines {
		if n, wc := ansi.StringWidth(line), ansi.StringWidthWc(line); n != w || wc != w {
			t.Fatalf("line %d is %d (or %d) wide on a screen of %d: %q", i, n, wc, w, line)
		}
	}
}

// TestAnySnapshotFitsAnyScreen draws arbitrary snapshots at arbitrary sizes,
// after arbitrary keys.
func TestAnySnapshotFitsAnyScreen(t *testing.T) {
	keys := []string{"p", "!", "u", "t", "r", "k", "enter", "e", "f", "/", "c", "]", "[", "tab", "?", "up", "down", "pgdown", "pgup", "home", "esc", "q", "ä"}
	rapid.Check(t, func(rt *rapid.T) {
		w, h := rapid.IntRange(1, 220).Draw(rt, "w"), rapid.IntRange(1, 60).Draw(rt, "h")
		c := newConsole(t, w, h, Options{ASCII: rapid.Bool().Draw(rt, "ascii"), Mode: ModeDemo, ReadOnly: rapid.Bool().Draw(rt, "ro")})
		fits(rt, c.m.frame(), w, h)
		for range rapid.IntRange(1, 3).Draw(rt, "snapshots") {
			s := new(link.Snapshot)
			arbitrary(rt, reflect.ValueOf(s).Elem(), 3)
			c.show(link.Update{Snapshot: s, Connected: rapid.Bool().Draw(rt, "connected")})
			for range rapid.IntRange(0, 6).Draw(rt, "presses") {
				c.press(rapid.SampledFrom(keys).Draw(rt, "key"))
				fits(rt, c.m.frame(), w, h)
			}
			w, h = rapid.IntRange(1, 220).Draw(rt, "w"), rapid.IntRange(1, 60).Draw(rt, "h")
			c.m.Update(tea.WindowSizeMsg{Width: w, Height: h})
			fits(rt, c.m.frame(), w, h)
			if text := Plain(s, sampleZone, w); strings.ContainsRune(text, '\x1b') {
				rt.Fatalf("an escape in the plain status: %q", text)
			}
		}
	})
}

// arbitrary fills a value of the link with anything its types can hold.
func arbitrary(t *rapid.T, v reflect.Value, most int) {
	switch v.Kind() {
	case reflect.String:
		words := append([]string{
			"running", "paused", "finished", "own", "external", "ok", "watch", "act", "unsure", "all", "campaign", "host",
			"open", "GREEN", "RED", "TIER_10K", "live", "idle", "stalled",
		}, hostile...)
		v.SetString(rapid.SampledFrom(words).Draw(t, "text"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.OneOf(rapid.Int64Range(0, 20_000), rapid.Int64()).Draw(t, "int"))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint"))
	case reflect.Float64:
		v.SetFloat(rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64(),
			rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)})).Draw(t, "float"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "known") {
			v.Set(reflect.New(v.Type().Elem()))
			arbitrary(t, v.Elem(), most)
		}
	case reflect.Slice:
		n := rapid.IntRange(0, most).Draw(t, "len")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			arbitrary(t, v.Index(i), most)
		}
	case reflect.Struct:
		if v.Type() == timeType {
			at := sampleNow.Add(time.Duration(rapid.OneOf(rapid.Int64Range(-1e13, 1e12), rapid.Int64()).Draw(t, "time")))
			v.Set(reflect.ValueOf(at))
			return
		}
		for i := range v.NumField() {
			arbitrary(t, v.Field(i), most)
		}
	}
}

// TestTinyScreens tries every small size with every state.
func TestTinyScreens(t *testing.T) {
	for _, s := range screens {
		for w := 1; w <= 45; w += 4 {
			for h := 1; h <= 14; h++ {
				c := newConsole(t, w, h, Options{})
				s.draw(c)
				fits(t, c.m.frame(), w, h)
			}
		}
	}
}

// Whatever lies over the panes, the state stays on the first line.
func TestPausedStaysOnTheFirstLine(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {40, 12}, {20, 5}} {
		for _, key := range []string{"esc", "enter", "?", "c", "/", "p"} {
			c := newConsole(t, size[0], size[1], Options{}).live(paused()).press(key)
			first, _, _ := strings.Cut(c.m.frame(), "\n")
			if !strings.Contains(first, "\x1b[1;7;38;2;169;123;234m PAUSED ") {
				t.Errorf("%v after %s: no reversed PAUSED in %q", size, key, first)
			}
		}
	}
}

// The screen speaks the marketer's language.
func TestNoWordsOfTheMachineRoom(t *testing.T) {
	wrong := regexp.MustCompile(`(?i)\b(cohort|gate|lift|lease|claim|claimed|p_adjusted|in_flight|webhook_)\b`)
	texts := []string{KeyTable()}
	for _, s := range screens {
		c := newConsole(t, 200, 50, Options{})
		s.draw(c)
		texts = append(texts, c.m.frame())
	}
	for _, section := range helpSections() {
		for _, row := range section.Rows {
			texts = append(texts, row[0]+" "+row[1])
		}
	}
	for _, text := range texts {
		if found := wrong.FindString(text); found != "" {
			t.Errorf("%q is on the screen", found)
		}
	}
}
