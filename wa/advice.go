package wa

import "strings"

// Advice is what somebody can do about trouble who is not a programmer. A key of the
// console that does it stands in brackets behind it, "(p)". A part that has nothing
// to say is empty.
type Advice struct {
	Now   string // what to do now
	Not   string // what not to do
	After string // what to do once that is done
}

// String is the advice as sentences that follow each other.
func (a Advice) String() string {
	return strings.Join(strings.Fields(a.Now+" "+a.Not+" "+a.After), " ")
}

// Lines is the advice as three lines, in which its parts can be told apart again.
// One that has the first part only is one line.
func (a Advice) Lines() string { return strings.TrimRight(a.Now+"\n"+a.Not+"\n"+a.After, "\n") }

// AdviceOf takes lines apart.
func AdviceOf(lines string) (a Advice) {
	a.Now, lines, _ = strings.Cut(lines, "\n")
	a.Not, a.After, _ = strings.Cut(lines, "\n")
	return a
}

// Steps is the catalogue's advice on failures with the code, and what follows from
// whether they may be sent again, by what and to whom.
func (e ErrorCode) Steps() Advice {
	now, not := prohibitions(e.Advice)
	if not == "" {
		not = e.notAgain()
	}
	if e.Withheld() {
		not += " Do not pause for them: a pause mends none of them."
	}
	return Advice{Now: now, Not: not, After: e.afterwards()}
}

// prohibitions parts the sentences that say what not to do from the others.
func prohibitions(text string) (others, not string) {
	var does, doesNot []string
	for _, s := range strings.SplitAfter(text, ". ") {
		if s = strings.TrimSpace(s); strings.HasPrefix(s, "Do not ") || strings.HasPrefix(s, "Never ") {
			doesNot = append(doesNot, s)
		} else {
			does = append(does, s)
		}
	}
	return strings.Join(does, " "), strings.Join(doesNot, " ")
}

// notAgain says in which way these messages are not to be sent again.
func (e ErrorCode) notAgain() string {
	switch {
	case e.Retry == RetryBackoff:
		return "Do not send again in a hurry: more at once fails more."
	case e.Retry == RetryLater:
		return "Do not send again before that: it fails again."
	case e.Retry == RetryAfterFix && halts(e.Code):
		return "Do not resume before it is mended: all of it would fail."
	case e.Retry == RetryAfterFix:
		return "Do not send again before it is mended: it fails again."
	}
	return "Do not send these again by WhatsApp: it fails again."
}

// halts tells whether what is refused with a code keeps all others from going out too.
func halts(code int) bool {
	switch ClassOf(code) {
	case ClassAccount, ClassNumber, ClassTemplate:
		return true
	case ClassRecipient, ClassPair, ClassSlow:
	}
	return false
}

// afterwards says how the rest goes on, and how those whom it hit are reached.
func (e ErrorCode) afterwards() string {
	var all []string
	switch {
	case e.Category == CategoryTemplate && halts(e.Code):
		all = append(all, "Once another template is chosen (t), resume (u).")
	case halts(e.Code):
		all = append(all, "Once it is mended, resume (u).")
	}
	switch e.Fallback {
	case FallbackYes:
		all = append(all, "An SMS can reach these people (r).")
	case FallbackMaybe:
		if e.Retry == RetryNever {
			all = append(all, "An SMS may reach some of them (r).")
		} else {
			all = append(all, "Then send to those who failed again, or by SMS (r).")
		}
	case FallbackNo:
		switch e.Retry {
		case RetryAfterFix, RetryLater, RetryBackoff:
			all = append(all, "Then send to those who failed again (r).")
		}
	}
	return strings.Join(all, " ")
}
