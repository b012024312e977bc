package list

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"tickwatch/wa"
)

// Number is a phone number as it was read.
type Number struct {
	E164    string // with the plus
	Country string // ISO 3166 code; "" where a number belongs to none
	Fixed   bool   // a landline, or another kind that is no mobile phone
	Mended  Mend
}

// Mend says what was set right to read a number.
type Mend uint8

// Mends of a Number.
const (
	MendedZero Mend = 1 << iota // a zero between country code and number was dropped: +49 (0)171…
	MendedPlus                  // written without plus or 00, it was read as international
)

// NumberFault says why a text is no number that a message can go to.
type NumberFault uint8

// Faults of a number.
const (
	NumberOK          NumberFault = iota
	NumberEmpty                   // nothing there
	NumberExponent                // 8,86912E+11: a spreadsheet has thrown digits away
	NumberSeveral                 // several numbers in one cell
	NumberLetters                 // something that is no number
	NumberZero                    // a leading zero was kept, and no country is known
	NumberNoCountry               // no country code, and no country is known
	NumberTooShort                // for its country
	NumberTooLong                 // for its country
	NumberNotPossible             // no country has this code
	NumberNotValid                // the country gives out no such numbers
	numberFaults                  // how many there are
)

// String says it to the operator, with what to do where something can be done.
func (f NumberFault) String() string {
	switch f {
	case NumberOK:
		return "a valid number"
	case NumberEmpty:
		return "no number"
	case NumberExponent:
		return "a spreadsheet turned the number into one with an exponent and its last digits are lost: export it again with the column as text"
	case NumberSeveral:
		return "several numbers in one cell: keep one"
	case NumberLetters:
		return "not a phone number"
	case NumberZero:
		return "a leading zero was kept and the country code is missing: write it as +…, or give the list's country"
	case NumberNoCountry:
		return "the country code is missing: write it as +…, or give the list's country"
	case NumberTooShort:
		return "too short for its country: digits or the area code are missing"
	case NumberTooLong:
		return "too long for its country"
	case NumberNotPossible:
		return "not possible: no country has this code"
	case NumberNotValid:
		return "not valid: its country gives out no such numbers"
	}
	return "not a number"
}

// Numbers reads phone numbers as lists hold them. It belongs to one goroutine.
type Numbers struct {
	country string
	digits  []byte
}

// NewNumbers makes a reader of numbers. country is the ISO 3166 code of numbers
// that are written without one; "" = there is none.
func NewNumbers(country string) (*Numbers, error) {
	code := CountryCode(country)
	if country != "" && code == "" {
		return nil, fmt.Errorf("%q is no country; give its two-letter code, like DE or PT", wa.Clean(country))
	}
	return &Numbers{country: code}, nil
}

// CountryCode is an ISO 3166 code in capitals; "" for what is none. UK is
// taken for GB, and small letters for capitals.
func CountryCode(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	if s == "UK" {
		s = "GB"
	}
	if len(s) != 2 || phonenumbers.GetCountryCodeForRegion(s) == 0 {
		return ""
	}
	return s
}

var (
	exponent = regexp.MustCompile(`^\+?(\d+)(?:[.,](\d+))?[eE]\+?(\d{1,2})$`)
	several  = regexp.MustCompile(`[,;|/\n&]|\s(?i:or|and|und|oder|y|o|e|ou|et)\s`)
)

// Read reads a number. country is the one of numbers written without; "" = as
// given to NewNumbers.
func (n *Numbers) Read(text, country string) (Number, NumberFault) {
	if country == "" {
		country = n.country
	}
	text = bare(text)
	plus, fault := n.collect(text)
	if fault != NumberOK {
		m := exponent.FindStringSubmatch(text)
		if m == nil {
			return Number{}, fault
		}
		// 4.91712345678E+11 has all its digits, 8,86912E+11 has not.
		if whole := m[1] + m[2]; len(m[1]) == 1 && len(whole) == 1+atoi(m[3]) && len(whole) >= 9 {
			n.digits, plus = append(n.digits[:0], whole...), text[0] == '+'
		} else {
			return Number{}, NumberExponent
		}
	}
	return n.read(text, plus, country)
}

func (n *Numbers) read(text string, plus bool, country string) (Number, NumberFault) {
	if len(n.digits) == 0 {
		return Number{}, NumberEmpty
	}
	digits := string(n.digits)
	switch {
	case plus:
	case strings.HasPrefix(digits, "00") && len(digits) > 4:
		digits, plus = digits[2:], true
	}
	if len(digits) > 15 && severalNumbers(text) {
		return Number{}, NumberSeveral
	}
	switch {
	case plus:
		return n.international(digits)
	case country != "":
		return n.national(digits, country)
	case digits[0] == '0':
		return Number{}, NumberZero
	}
	// Bare digits are most often an international number that has lost its plus. A
	// national one may look like a landline abroad, so only mobiles are believed.
	number, fault := n.international(digits)
	if fault != NumberOK || number.Fixed || number.Mended != 0 {
		return Number{}, NumberNoCountry
	}
	number.Mended |= MendedPlus
	return number, NumberOK
}

// bare strips what stands around numbers: marks that keep a spreadsheet or a
// browser from reading them, and marks that nobody sees.
func bare(text string) string {
	text = strings.TrimSpace(wa.Clean(text))
	if strings.HasPrefix(text, `="`) && strings.HasSuffix(text, `"`) && len(text) > 3 {
		text = text[2 : len(text)-1]
	}
	text = strings.TrimPrefix(text, "'")
	if i := strings.IndexByte(text, ':'); i > 0 && i <= len("whatsapp") {
		switch strings.ToLower(text[:i]) {
		case "tel", "whatsapp", "sms", "phone":
			text = strings.TrimSpace(text[i+1:])
		}
	}
	if whole, ok := strings.CutSuffix(text, ".0"); ok && len(whole) > 8 { // a number that was a float once
		text = whole
	}
	return text
}

// collect takes the digits of a text into n.digits, and tells whether a plus
// stood before them.
func (n *Numbers) collect(text string) (plus bool, _ NumberFault) {
	n.digits = n.digits[:0]
	letters, pluses := false, 0
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			n.digits = append(n.digits, byte(r))
		case r == '+' || r == '\uff0b':
			pluses++
			plus = plus || len(n.digits) == 0
		case unicode.IsDigit(r):
			n.digits = append(n.digits, digitOf(r))
		case r == ' ' || r == '-' || r == '.' || r == '/' || r == '(' || r == ')', unicode.Is(unicode.Pd, r), unicode.Is(unicode.Zs, r):
		default:
			letters = true
		}
	}
	if len(n.digits) == 0 && !letters {
		return false, NumberEmpty
	}
	if letters || pluses > 1 {
		if severalNumbers(text) {
			return false, NumberSeveral
		}
		return false, NumberLetters
	}
	return plus, NumberOK
}

// digitOf is the value of a decimal digit of another script: they stand in tens.
func digitOf(r rune) byte {
	zero := r
	for unicode.IsDigit(zero - 1) {
		zero--
	}
	return "0123456789"[(r-zero)%10]
}

// severalNumbers tells whether more than one part of a text could be a number.
func severalNumbers(text string) bool {
	count := 0
	for _, part := range several.Split(text, -1) {
		if len(wa.Digits(part)) >= 7 {
			count++
		}
	}
	return count > 1 || strings.Count(text, "+") > 1
}

// looksLikePhone tells texts of 7 to 15 digits and what is written between them.
func looksLikePhone(text string) bool {
	text = bare(text)
	digits := 0
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			digits++
		case strings.ContainsRune("+ -./()", r), unicode.Is(unicode.Zs, r), unicode.Is(unicode.Pd, r):
		default:
			return exponent.MatchString(text)
		}
	}
	return digits >= 7 && digits <= 15
}

func atoi(s string) (n int) {
	for _, r := range s {
		n = n*10 + int(r-'0')
	}
	return n
}
