package wa

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestStepsOfAdvice(t *testing.T) {
	for code, want := range map[int]Advice{
		131026: {
			"Check the format and country code, and take invalid numbers off the list. Ask the person by another channel to update WhatsApp and accept its terms.",
			"Do not send these again by WhatsApp: it fails again.",
			"An SMS can reach these people (r).",
		},
		131049: {
			"Write to these people less often and more personally. Too many retries make Meta limit your whole account.",
			"Do not retry now: wait at least 24 hours. Do not pause for them: a pause mends none of them.",
			"Then send to those who failed again, or by SMS (r).",
		},
		131050: {
			`Ask for a new consent by another channel; only the person's own "resume" in WhatsApp lifts this.`,
			"Never send this again, and take the person out of your marketing.",
			"",
		},
		132015: {
			"Stop this template and swap to another. The first pause lasts 3 hours, the second 6; a pause after a check has to be lifted by hand.",
			"Do not resume before it is mended: all of it would fail.",
			"Once another template is chosen (t), resume (u). Then send to those who failed again, or by SMS (r).",
		},
	} {
		e, _ := LookUp(code)
		if got := e.Steps(); got != want {
			t.Errorf("%d: %+v\nwant %+v", code, got, want)
		}
	}
}

// Of every code each sentence of the catalogue is kept, something is said of what not
// to do, and nobody who refused marketing is sent anything again.
func TestStepsOfAll(t *testing.T) {
	for _, e := range append(Catalogue(), Explain(199999, "Quite new")) {
		a := e.Steps()
		if a.Not == "" || !strings.HasPrefix(a.Not, "Do not ") && !strings.HasPrefix(a.Not, "Never ") {
			t.Errorf("%d: not: %q", e.Code, a.Not)
		}
		for _, s := range strings.SplitAfter(e.Advice, ". ") {
			if !strings.Contains(a.Now+" "+a.Not, strings.TrimSpace(s)) {
				t.Errorf("%d: %+v leaves out %q", e.Code, a, s)
			}
		}
		if e.Category == CategoryOptOut && strings.Contains(a.After, "(r)") {
			t.Errorf("%d: %q", e.Code, a.After)
		}
		if e.Withheld() && !strings.Contains(a.Not, "Do not pause") {
			t.Errorf("%d: %q", e.Code, a.Not)
		}
	}
}

func TestAdviceLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching(`[a-z(]{0,5}`)
		a := Advice{part.Draw(t, "now"), part.Draw(t, "not"), part.Draw(t, "after")}
		if got := AdviceOf(a.Lines()); got != a {
			t.Fatalf("%+v is taken apart as %+v", a, got)
		}
		words := slices.DeleteFunc([]string{a.Now, a.Not, a.After}, func(s string) bool { return s == "" })
		if got := a.String(); got != strings.Join(words, " ") {
			t.Fatalf("%q", got)
		}
	})
}
