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
// begins with one ("STOP_PROMO", "Stop promotions"). more are stop words beside
// StopWords, as FoldStopWord writes them.
func (m *InboundMessage) OptsOut(more ...string) bool {
	switch m.Type {
	case "text":
		return SaysStop(m.Text, more...)
	case "button", "interactive":
		return beginsWithStop(words(m.Payload), more) || beginsWithStop(words(m.Text), more)
	}
	return false
}

// SaysStop tells whether a text, which came by whatever channel, consists of stop
// words and nothing else; more are words beside StopWords, as FoldStopWord writes
// them.
func SaysStop(text string, more ...string) bool { return onlyStopWords(words(text), more) }

// FoldStopWord writes a stop word as it is compared: upper-case, without accents,
// spaces and punctuation. "" = there is no letter in it.
func FoldStopWord(word string) string { return strings.Join(words(word), "") }

func isStopWord(word string, more []string) bool {
	return slices.Contains(StopWords, word) || slices.Contains(more, word)
}

func onlyStopWords(words, more []string) bool {
	if len(words) == 0 {
		return false
	}
	other := func(w string) bool { return !isStopWord(w, more) }
	return isStopWord(strings.Join(words, ""), more) || !slices.ContainsFunc(words, other)
}

func beginsWithStop(words, more []string) bool {
	if onlyStopWords(words, more) {
		return true
	}
	for n := 1; n <= min(2, len(words)); n++ { // "opt out" is one stop word in two parts
		if w := strings.Join(words[:n], ""); isStopWord(w, more) && !slices.Contains(aloneOnly, w) {
			return true
		}
	}
	return false
}

// words splits text at everything that is no letter, upper-cased and without the
// accents of Latin letters, be they part of the letter or characters of their own.
func words(s string) []string {
	const longest = 1 << 12 // bytes; a longer text is no reply of one word
	if len(s) > longest {
		return nil
	}
	s = strings.Map(fold, strings.ToUpper(s))
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

// accents are the Latin letters that carry one, behind the letter without it.
var accents = func() map[rune]rune {
	all := map[rune]rune{}
	for _, letters := range [...]string{
		"AÀÁÂÃÄÅĀĂĄ", "CÇĆĈĊČ", "DĎĐ", "EÈÉÊËĒĔĖĘĚ", "GĜĞĠĢ", "HĤĦ", "IÌÍÎÏĨĪĬĮİ", "JĴ", "KĶ", "LĹĻĽĿŁ", "NÑŃŅŇ",
		"OÒÓÔÕÖØŌŎŐ", "RŔŖŘ", "SŚŜŞŠȘ", "TŢŤŦȚ", "UÙÚÛÜŨŪŬŮŰŲ", "WŴ", "YÝŶŸ", "ZŹŻŽ",
	} {
		plain := rune(letters[0])
		for _, r := range letters[1:] {
			all[r] = plain
		}
	}
	return all
}()

// fold takes the accent off a letter. Letters of double width, as some keyboards
// write them, become plain ones.
func fold(r rune) rune {
	const wideA, wideZ = 'Ａ', 'Ｚ'
	switch {
	case r < 0x80:
		return r
	case r >= wideA && r <= wideZ:
		return 'A' + r - wideA
	case unicode.Is(unicode.Mn, r):
		return -1
	}
	if plain, ok := accents[r]; ok {
		return plain
	}
	return r
}
