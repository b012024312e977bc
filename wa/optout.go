package wa

import (
	"strings"
	"unicode"
)

// StopWords are the replies that mean "write to me no more", upper-case,
// without punctuation.
var StopWords = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ARRET"}

// OptsOut tells whether a customer's message asks not to be written to: a text
// that is a stop word and nothing else, or a pressed button whose payload or
// text begins with one ("STOP_PROMO", "Stop promotions").
func (m *InboundMessage) OptsOut() bool {
	if m.Type == "text" {
		return isStopWord(strings.Join(words(m.Text), ""))
	}
	for _, s := range [...]string{m.Payload, m.Text} {
		if w := words(s); len(w) > 0 && m.pressed() && isStopWord(w[0]) {
			return true
		}
	}
	return false
}

func (m *InboundMessage) pressed() bool { return m.Type == "button" || m.Type == "interactive" }

// words splits text at everything that is no letter, upper-cased and with the
// one accent that a stop word can carry taken off (ARRÊT).
func words(s string) []string {
	const enough = 64 // a stop word stands at the front; a novel need not be split
	if len(s) > enough {
		s = s[:enough] + "…"
	}
	s = strings.ReplaceAll(strings.ToUpper(s), "Ê", "E")
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '…' })
}

func isStopWord(s string) bool {
	for _, w := range StopWords {
		if s == w {
			return true
		}
	}
	return false
}
