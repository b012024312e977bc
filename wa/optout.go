package wa

import (
	"slices"
	"strings"
	"unicode"
)

// StopWords are the replies that mean "write to me no more", upper-case,
// without punctuation.
var StopWords = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ARRET"}

// aloneOnly are stop words that begin other things too ("Cancel my order"): on
// a button they count only when nothing follows.
var aloneOnly = []string{"CANCEL", "END", "QUIT", "REVOKE"}

// OptsOut tells whether a customer's message asks not to be written to: a text
// of stop words and nothing else, or a pressed button whose payload or text
// begins with one ("STOP_PROMO", "Stop promotions").
func (m *InboundMessage) OptsOut() bool {
	switch m.Type {
	case "text":
		return onlyStopWords(words(m.Text))
	case "button", "interactive":
		return beginsWithStop(words(m.Payload)) || beginsWithStop(words(m.Text))
	}
	return false
}

func onlyStopWords(words []string) bool {
	if len(words) == 0 {
		return false
	}
	other := func(w string) bool { return !slices.Contains(StopWords, w) }
	return slices.Contains(StopWords, strings.Join(words, "")) || !slices.ContainsFunc(words, other)
}

func beginsWithStop(words []string) bool {
	if onlyStopWords(words) {
		return true
	}
	for n := 1; n <= min(2, len(words)); n++ { // "opt out" is one stop word in two parts
		if w := strings.Join(words[:n], ""); slices.Contains(StopWords, w) && !slices.Contains(aloneOnly, w) {
			return true
		}
	}
	return false
}

// words splits text at everything that is no letter, upper-cased and with the
// one accent that a stop word can carry taken off (ARRÊT). An accent that is a
// character of its own splits too, and the parts are joined again.
func words(s string) []string {
	const longest = 1 << 12 // bytes; a longer text is no reply of one word
	if len(s) > longest {
		return nil
	}
	s = strings.ReplaceAll(strings.ToUpper(s), "Ê", "E")
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}
