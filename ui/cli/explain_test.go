package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"tickwatch/wa"
)

func TestExplainText(t *testing.T) {
	for _, c := range []struct {
		code  int
		width int
		want  string
	}{
		{131049, 80, `131049 Meta chose not to deliver

About      Meta chose not to deliver
Why        Meta limits how much marketing one person gets and held this message
           back. US numbers (+1) get no marketing at all since April 2025.
Now        Write to these people less often and more personally. Too many
           retries make Meta limit your whole account.
Not        Do not retry now: wait at least 24 hours. Do not pause for them: a
           pause mends none of them.
After      Then send to those who failed again, or by SMS (r).
Retry      Later, not now.
Contact    No marketing to this person for 24 hours.
SMS        Perhaps.
Source     https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
           (2026-09-11);
           https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/per-user-limits
           (2026-02-26 and 2026-04-30)
`},
		{131053, 30, `131053 Media upload error

About
 picture, video or document
Why
 Meta refused your picture,
 video or document: wrong
 type, wrong encoding, too
 large, or its link cannot be
 reached.
Now
 Fix the file and check that
 it is what its name says:
 pictures in 8-bit RGB or
 RGBA, video in H.264 with
 AAC, documents in a header as
 PDF. Meta's details say more.
Not
 Do not send again before it
 is mended: it fails again.
After
 Then send to those who failed
 again, or by SMS (r).
Retry
 Only once the cause is
 mended.
Contact
 This error is no reason to
 stop writing to anyone.
SMS
 Perhaps.
Source
 https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
 (2026-09-11)
`},
	} {
		e, _ := wa.LookUp(c.code)
		if got := explainText(e, c.width); got != c.want {
			t.Errorf("%d at %d cells:\n%s\nwant\n%s", c.code, c.width, got, c.want)
		}
	}
}

// TestExplainSaysEverything: no entry meets a value without words.
func TestExplainSaysEverything(t *testing.T) {
	for _, e := range append(wa.Catalogue(), wa.Explain(199999, "Quite new")) {
		for name, words := range map[string]string{
			"category": categoryWords[e.Category], "retry": retryWords[e.Retry],
			"suppression": suppressionWords[e.Suppression], "sms": smsWords[e.Fallback],
		} {
			if words == "" {
				t.Errorf("%d: no words for its %s", e.Code, name)
			}
		}
		flat := strings.Join(strings.Fields(explainText(e, 80)), " ")
		steps := e.Steps()
		for _, part := range []string{e.Title, e.Cause, steps.Now, steps.Not, steps.After, e.Source} {
			if !strings.Contains(flat, part) {
				t.Errorf("%d: its text does not say %q:\n%s", e.Code, part, flat)
			}
		}
	}
}

// TestExplainTextFits: whatever title Meta gives an unknown code, every line
// keeps to the width, unless it is one long word, and holds nothing hidden.
func TestExplainTextFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(-3, 120).Draw(t, "width")
		title := rapid.OneOf(rapid.String(), rapid.StringMatching(`(([a-z]|[あ-ん]|\x1b\[31m|\r|\n| ){0,8} ){0,20}`)).Draw(t, "title")
		text := explainText(wa.Explain(199999, title), width)
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			for _, label := range []string{"About", "Why", "Now", "Not", "After", "Retry", "Contact", "SMS", "Source"} {
				if rest, ok := strings.CutPrefix(line, label+"  "); ok {
					line = strings.Repeat(" ", len(label)) + "  " + rest
				}
			}
			if n := ansi.StringWidth(line); n > width && len(strings.Fields(line)) > 1 {
				t.Fatalf("at %d cells a line of %d: %q", width, n, line)
			}
			if cell := "x" + line; wa.Clean(cell) != cell { // a mark may come first in a line
				t.Fatalf("not clean: %q", line)
			}
		}
	})
}

func TestExplainJSON(t *testing.T) {
	got, err := json.Marshal(explain(wa.ErrorCode{
		Code: 1, Title: "t", Category: wa.CategoryExperiment, Cause: "c", Retry: "r", Advice: "a", Hint: "h", Suppression: "s", Fallback: "f", Source: "o",
	}))
	want := `{"code":1,"title":"t","known":true,"category":"experiment","withheld":true,"cause":"c","advice":"a","now":"a","do_not":"Do not send these again by WhatsApp: it fails again. Do not pause for them: a pause mends none of them.","hint":"h","retry":"r","suppression":"s","sms":"f","source":"o"}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want\n%s", got, err, want)
	}
	if explain(wa.Explain(199999, "")).Known {
		t.Error("an unknown code is said to be known")
	}
}
