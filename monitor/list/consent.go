package list

import (
	"regexp"
	"strings"
	"unicode"
)

// said is what a cell of a consent column says.
type said uint8

const (
	answerNone said = iota // nothing
	answerYes
	answerNo
	answerDate // when it was given, or withdrawn
	answerOdd  // something else
)

var (
	yesWords = words("yes", "y", "true", "t", "1", "x", "ok", "on", "j", "ja", "si", "s", "sim", "oui", "o", "vrai", "wahr", "verdadero", "verdadeiro", "vero",
		"tak", "evet", "да", "д", "ναι", "はい", "是", "有", "예", "네", "نعم", "כן", "हा", "ya", "optin", "optedin", "granted", "given", "subscribed", "agreed", "accepted", "confirmed", "erteilt")
	noWords = words("no", "n", "false", "f", "0", "off", "nein", "non", "nao", "nee", "nej", "nei", "ei", "faux", "falsch", "falso", "nie", "hayir", "нет", "н", "οχι",
		"いいえ", "否", "无", "無", "아니오", "아니요", "لا", "לא", "नही", "tidak", "optout", "optedout", "denied", "declined", "revoked", "withdrawn", "unsubscribed", "refused",
		"rejected", "never", "neversubscribed", "none", "pending", "unknown", "null", "na")
	date = regexp.MustCompile(`^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([T ].*)?$`)
)

func readAnswer(cell string) said {
	cell = strings.TrimSpace(cell)
	switch folded := fold(cell); {
	case cell == "":
		return answerNone
	case yesWords[folded], strings.ContainsRune("✓✔☑✅", []rune(cell)[0]):
		return answerYes
	case noWords[folded], !strings.ContainsFunc(cell, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		return answerNo // dashes, crosses and the like
	case date.MatchString(cell):
		return answerDate
	}
	return answerOdd
}

// Consented tells whether a cell of a consent column says that the person agreed.
func Consented(cell string) bool {
	a := readAnswer(cell)
	return a == answerYes || a == answerDate
}

// Refused tells whether a cell of an opt-out column says that the person opted out:
// whatever is no clear no.
func Refused(cell string) bool {
	a := readAnswer(cell)
	return a != answerNo && a != answerNone
}

// Consents are the channels that a person agreed to be reached by.
type Consents [channels]bool

// consents reads what a row says of each channel. Only WhatsApp may be used without
// a column that allows it, where the list has none.
func (c *Columns) consents(cells []string) (all Consents, why string) {
	for ch, column := range c.Consent {
		if column >= 0 {
			a := readAnswer(cells[column])
			all[ch] = (a == answerYes || a == answerDate) && !refusedIn(cells, c.Refused[ch])
			if ch == int(WhatsApp) && !all[ch] {
				why = "no consent"
				switch a {
				case answerNone:
					why = "consent was left empty"
				case answerOdd:
					why = "consent says neither yes nor no"
				}
			}
		}
	}
	if c.Consent[WhatsApp] < 0 {
		all[WhatsApp] = true
	}
	if refusedIn(cells, c.OptedOut) {
		return Consents{}, "opted out, says the list"
	}
	return all, why
}

func refusedIn(cells []string, columns []int) bool {
	for _, i := range columns {
		if Refused(cells[i]) {
			return true
		}
	}
	return false
}
