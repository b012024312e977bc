package cli

import (
	"fmt"
	"strconv"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
	"tickwatch/wa"
)

// printReceipt prints what became of a command that pauses, resumes, starts,
// swaps or cancels. For a daemon that does not say it in words, done does: what
// was done in a few, of a pause what was paused ("" = everything).
func (a *app) printReceipt(r *link.Receipt, asJSON bool, verb, done string) error {
	if asJSON {
		return a.json(r)
	}
	return a.say(receiptText(r, verb, done))
}

func receiptText(r *link.Receipt, verb, done string) string {
	text := wa.Clean(r.Text)
	switch {
	case text == "" && verb == link.VerbPause:
		return wa.Clean(pane.Receipt(r, &pane.Pausing{Name: done, External: r.Outside != "" && r.Outside != "none"}))
	case text == "":
		return ownReceiptText(r, done)
	}
	return text
}

func ownReceiptText(r *link.Receipt, done string) string {
	if r.Already {
		done += " already"
	}
	var parts []string
	if r.Waiting > 0 {
		parts = append(parts, amount(r.Waiting)+" wait")
	}
	if beside := link.WaitingBeside(r.Beside, amount); beside != "" {
		parts = append(parts, beside+" wait")
	}
	if r.OpenRequests > 0 {
		parts = append(parts, amount(int64(r.OpenRequests))+" are on their way to Meta and may arrive")
	}
	if r.HandedOver > 0 {
		parts = append(parts, amount(r.HandedOver)+" are with Meta")
	}
	if r.Unknown > 0 {
		parts = append(parts, amount(r.Unknown)+" may have gone out")
	}
	if len(parts) == 0 {
		return done + "."
	}
	return done + ": " + strings.Join(parts, ", ") + "."
}

// amount is a number with its thousands set apart, in full.
func amount(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// people counts them.
func people(n int64) string {
	if n == 1 {
		return "1 person"
	}
	return amount(n) + " people"
}

// messages counts them.
func messages(n int64) string {
	if n == 1 {
		return "1 message"
	}
	return amount(n) + " messages"
}

// leftOutText lists who gets nothing, and why.
func leftOutText(all []link.LeftOut) string {
	var b strings.Builder
	for _, l := range all {
		reason := wa.Clean(l.Reason)
		if l.Example != "" {
			reason += ", such as " + wa.Clean(l.Example)
		}
		fmt.Fprintf(&b, "  %9s  %s\n", amount(l.Count), reason)
	}
	return b.String()
}

// faultsText lists what a pre-flight found wrong, the worst first.
func faultsText(all []link.Finding, width int) string {
	return findingsText(all, width, link.VerdictAct, link.VerdictWatch)
}

// findingsText lists what a pre-flight found, of these severities.
func findingsText(all []link.Finding, width int, severities ...string) string {
	var b strings.Builder
	for _, severity := range severities {
		for _, f := range all {
			if f.Severity != severity {
				continue
			}
			for i, line := range wrapWords(wa.Clean(f.Text), max(width-9, 20)) {
				label := ""
				if i == 0 {
					label = strings.ToUpper(severity)
				}
				fmt.Fprintf(&b, "  %-5s  %s\n", label, line)
			}
		}
	}
	return b.String()
}

// mustMend tells whether a finding keeps a campaign from starting.
func mustMend(all []link.Finding) bool {
	for _, f := range all {
		if f.Severity == link.VerdictAct {
			return true
		}
	}
	return false
}
