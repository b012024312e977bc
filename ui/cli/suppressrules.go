package cli

import (
	"fmt"
	"strings"

	"tickwatch/wa"
)

// RuleTable is the Markdown table of the suppression rules that the README shows.
func RuleTable() string {
	var b strings.Builder
	b.WriteString("| rule | holds people who | until | closes |\n|---|---|---|---|\n")
	rules := wa.DefaultSuppressRules()
	for i := range rules {
		r := &rules[i]
		who := "asked for it by their latest word: a stop word, a stop button, marketing switched off"
		until := wa.EndsResume.String()
		if len(r.Codes) > 0 {
			who, until = failedText(r), r.Ends.String()
		}
		if r.Within > 0 {
			until = "it is over"
		}
		closes := r.Channels.String()
		if r.Channels == wa.OnWhatsApp {
			closes = "WhatsApp"
		}
		if r.Marketing {
			closes += ", for marketing"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Name, who, strings.TrimPrefix(until, "until "), closes)
	}
	return b.String()
}

// failedText says which failures a rule counts.
func failedText(r *wa.SuppressRule) string {
	var codes []string
	for _, code := range r.Codes {
		codes = append(codes, fmt.Sprint(code))
	}
	text := "had a message fail with " + strings.Join(codes, " or ")
	if r.AtLeast > 1 {
		text = fmt.Sprintf("had %d messages fail with %s, ever", r.AtLeast, strings.Join(codes, " or "))
	}
	if r.Within > 0 {
		text += fmt.Sprintf(" in the last %d days", int(r.Within.Hours()/24))
	}
	if e, known := wa.LookUp(r.Codes[0]); known && len(r.Codes) == 1 {
		text += " (" + e.Title + ")"
	}
	return text
}
