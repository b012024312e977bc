package cli

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/wa"
)

// explanation is what `explain CODE --json` prints.
type explanation struct {
	Code        int    `json:"code"`
	Title       string `json:"title"`
	Known       bool   `json:"known"` // false = not in the catalogue
	Category    string `json:"category"`
	Withheld    bool   `json:"withheld"` // Meta chose not to deliver
	Cause       string `json:"cause"`
	Advice      string `json:"advice"`
	Now         string `json:"now,omitempty"` // the advice in parts, as the console gives it
	DoNot       string `json:"do_not,omitempty"`
	After       string `json:"after,omitempty"`
	Hint        string `json:"hint"`
	Retry       string `json:"retry"`
	Suppression string `json:"suppression"`
	SMS         string `json:"sms"`
	Source      string `json:"source"`
}

func explain(e wa.ErrorCode) explanation {
	steps := e.Steps()
	return explanation{
		Now: steps.Now, DoNot: steps.Not, After: steps.After,
		Code: e.Code, Title: e.Title, Known: e.Category != wa.CategoryUnknown, Category: e.Category, Withheld: e.Withheld(),
		Cause: e.Cause, Advice: e.Advice, Hint: e.Hint, Retry: e.Retry, Suppression: e.Suppression, SMS: e.Fallback, Source: e.Source,
	}
}

// Plain words for the catalogue's closed sets.
var (
	categoryWords = map[string]string{
		wa.CategoryAuth:       "access to Meta",
		wa.CategoryPolicy:     "Meta's rules",
		wa.CategoryAccount:    "your account or number",
		wa.CategoryPayment:    "billing",
		wa.CategoryTemplate:   "the template",
		wa.CategoryMedia:      "picture, video or document",
		wa.CategoryRequest:    "how the message was put together",
		wa.CategoryRateLimit:  "too fast or too often",
		wa.CategoryQuality:    "people complained",
		wa.CategoryPlatform:   "a fault or upkeep at Meta",
		wa.CategoryRecipient:  "this recipient",
		wa.CategoryWindow:     "outside the 24 hours after the person last wrote",
		wa.CategoryOptOut:     "the person opted out",
		wa.CategoryEngagement: "Meta chose not to deliver",
		wa.CategoryExperiment: "Meta chose not to deliver",
		wa.CategoryUnknown:    "unknown",
	}
	retryWords = map[string]string{
		wa.RetryNever:    "No. It would fail again.",
		wa.RetryLater:    "Later, not now.",
		wa.RetryBackoff:  "Yes, with growing pauses.",
		wa.RetryAfterFix: "Only once the cause is mended.",
	}
	suppressionWords = map[string]string{
		wa.SuppressNone:           "This error is no reason to stop writing to anyone.",
		wa.Suppress24h:            "No marketing to this person for 24 hours.",
		wa.SuppressUntilInbound:   "No marketing to this person until they write to you.",
		wa.SuppressUntilUnblocked: "Nothing to this person until you unblock them.",
		wa.SuppressPermanent:      "Do not write to this person again.",
	}
	smsWords = map[string]string{
		wa.FallbackYes:   "May well reach the person.",
		wa.FallbackMaybe: "Perhaps.",
		wa.FallbackNo:    "Does not help here, or is not allowed.",
	}
)

// explainText is an error code for people: plain text of lines no wider than
// width cells, but for words that are longer themselves, such as addresses.
func explainText(e wa.ErrorCode, width int) string {
	const narrowest, labels = 40, 11
	steps := e.Steps()
	var b strings.Builder
	for _, l := range wrapWords(strconv.Itoa(e.Code)+" "+e.Title, width) {
		b.WriteString(l + "\n")
	}
	b.WriteByte('\n')
	for _, part := range [...]struct{ label, text string }{
		{"About", categoryWords[e.Category]},
		{"Why", e.Cause},
		{"Now", steps.Now},
		{"Not", steps.Not},
		{"After", steps.After},
		{"Retry", retryWords[e.Retry]},
		{"Contact", suppressionWords[e.Suppression]},
		{"SMS", smsWords[e.Fallback]},
		{"Source", e.Source},
	} {
		if part.text == "" {
			continue
		}
		if width < narrowest {
			b.WriteString(part.label + "\n")
			for _, l := range wrapWords(part.text, width-1) {
				b.WriteString(" " + l + "\n")
			}
			continue
		}
		label := part.label
		for _, l := range wrapWords(part.text, width-labels) {
			b.WriteString(label + strings.Repeat(" ", labels-len(label)) + l + "\n")
			label = ""
		}
	}
	return b.String()
}

// wrapWords breaks text between words into lines of at most width cells. A word
// that is wider has a line of its own: an address must stay whole to be copied.
func wrapWords(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case ansi.StringWidth(line)+1+ansi.StringWidth(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
