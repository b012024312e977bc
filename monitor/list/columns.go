package list

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"tickwatch/wa"
)

// Columns says which columns mean something to us, as indexes; -1 = there is none.
type Columns struct {
	Phone    int
	Country  int // two-letter code, for numbers written without one
	Language int
	Email    int
	Consent  [channels]int   // by Channel
	OptedOut []int           // columns in which yes means no
	Refused  [channels][]int // the same for one channel only, by Channel; none of WhatsApp
}

// Channel is a way to reach somebody, for which consent is given.
type Channel int

// Channels of consent.
const (
	WhatsApp Channel = iota
	SMS
	Voice
	Email
	channels
)

// Words by which lists of the world call the number of a person, the likeliest
// first. They are compared folded: lower case, without accents and punctuation.
var phoneWords = []map[string]bool{
	words("whatsapp", "wa", "waid", "wanumber", "whatsappnumber"),
	words(
		"mobile", "mobilephone", "mobilenumber", "cell", "cellphone", "cellular", "handy", "handynummer", "mobil", "mobilnummer",
		"mobiltelefon", "mobilfunk", "movil", "celular", "telemovel", "cellulare", "portable", "gsm", "mobiel", "matkapuhelin", "komorka",
		"мобильный", "мобильный телефон", "κινητό", "携帯", "携帯電話", "手机", "手机号", "手機", "휴대폰", "휴대전화", "جوال", "נייד", "मोबाइल", "nohp", "hp",
	),
	words(
		"phone", "phonenumber", "phoneno", "phonenr", "telephone", "tel", "telno", "msisdn", "e164", "telefon", "telefonnummer", "telefonnr", "rufnummer",
		"telefono", "telefone", "numerotelefono", "numerodetelefono", "numerodetelefone", "numerotelephone", "numerodetelephone", "telefoon",
		"telefoonnummer", "puhelin", "puhelinnumero", "tlf", "tlfnr", "numertelefonu", "телефон", "номер телефона", "τηλέφωνο",
		"電話", "電話番号", "电话", "电话号码", "電話號碼", "전화", "전화번호", "هاتف", "الهاتف", "رقم الهاتف", "טלפון", "फ़ोन", "telepon", "nomortelepon", "số điện thoại", "เบอร์โทร",
	),
	words("number", "numero", "nummer", "recipient", "contact", "to", "номер"),
}

var (
	countryWords  = words("country", "countrycode", "land", "landercode", "landescode", "pais", "pays", "paese", "kraj", "страна", "iso2", "国家", "国")
	languageWords = words("language", "lang", "locale", "sprache", "idioma", "langue", "lingua", "taal", "jezyk", "язык", "语言", "言語")
	emailWords    = words("email", "mail", "emailaddress", "correo", "correoelectronico", "courriel", "почта", "邮箱", "メール")
	consentWords  = words("consent", "optin", "optedin", "permission", "accepts", "agreed", "agrees", "einwilligung", "zustimmung",
		"consentimiento", "consentement", "consenso", "consentimento", "toestemming", "samtykke", "samtycke", "suostumus", "zgoda", "согласие", "同意", "subscribed")
	optOutWords = words("optout", "optedout", "optoutof", "optedoutof", "unsubscribed", "unsubscribe", "unsubscribedfrom", "donotcontact", "donotcall", "dnc", "abgemeldet", "gesperrt", "baja", "desabonne",
		"desinscrit", "disiscritto", "descadastrado", "uitgeschreven", "blocked", "suppressed")
	fillWords    = words("marketing", "gdpr", "dsgvo", "has", "is", "customer", "user", "mobile", "phone", "status", "at", "date", "time", "timestamp", "on", "given", "e")
	doNotWords   = words("donot", "dont") // an opt-out where a channel follows: "do not call"
	channelWords = [channels]map[string]bool{
		WhatsApp: words("whatsapp", "wa"),
		SMS:      words("sms", "text"),
		Voice:    words("voice", "call", "calls", "anruf"),
		Email:    words("email", "mail"),
	}
)

func words(all ...string) map[string]bool {
	set := map[string]bool{}
	for _, w := range all {
		set[fold(w)] = true
	}
	return set
}

// fold makes names comparable: "Télé-phone No." and "telephone_no" are one.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1 // accents among them, which NFKD has taken off
	}, norm.NFKD.String(name))
}

// parts are the words of a name, folded: "customerPhone" has two.
func parts(name string) []string {
	var all []string
	lower := false
	word := strings.Builder{}
	name = strings.ReplaceAll(name, "WhatsApp", "whatsapp") // one word, for all its capitals
	for _, r := range norm.NFKD.String(name) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		letter := unicode.IsLetter(r) || unicode.IsDigit(r)
		if word.Len() > 0 && (!letter || lower && unicode.IsUpper(r)) {
			all = append(all, word.String())
			word.Reset()
		}
		if letter {
			word.WriteRune(unicode.ToLower(r))
		}
		lower = unicode.IsLower(r)
	}
	if word.Len() > 0 {
		all = append(all, word.String())
	}
	return all
}

// findColumn finds a column by its name, whatever its case and spaces; -1 = none.
func findColumn(columns []string, name string) (int, error) {
	at := -1
	for i, c := range columns {
		if c == strings.TrimSpace(wa.Clean(name)) {
			return i, nil
		}
		if fold(c) != fold(name) || fold(name) == "" {
			continue
		}
		if at >= 0 {
			return -1, fmt.Errorf("columns %d and %d are both called %q; rename one of them", at+1, i+1, wa.Clean(name))
		}
		at = i
	}
	return at, nil
}

// findColumns recognises columns by what they are called, and the phone number
// also by what is in it. phone and consent name a column; "" = find it.
func (r *Reader) findColumns(phone, consent string, numbers *Numbers) (c Columns, err error) {
	c = Columns{Phone: -1, Country: -1, Language: -1, Email: -1}
	for ch := range c.Consent {
		c.Consent[ch] = -1
	}
	if c.Phone, err = r.named(phone); err != nil {
		return c, err
	}
	given, err := r.named(consent)
	if err != nil {
		return c, err
	}
	for i, name := range r.columns {
		if i == c.Phone || i == given {
			continue
		}
		switch folded := fold(name); {
		case r.isConsent(&c, i, name):
		case c.Country < 0 && countryWords[folded]:
			c.Country = i
		case c.Language < 0 && languageWords[folded]:
			c.Language = i
		case c.Email < 0 && emailWords[folded]:
			c.Email = i
		}
	}
	if given >= 0 {
		c.Consent[WhatsApp] = given
	}
	if c.Phone < 0 {
		c.Phone, err = r.findPhone(&c, numbers)
	}
	return c, err
}

// named finds a column that the operator named; -1 where none was.
func (r *Reader) named(name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	i, err := findColumn(r.columns, name)
	if err != nil {
		return -1, r.problem(0, 0, err.Error())
	}
	if i < 0 {
		return -1, r.problem(0, 0, fmt.Sprintf("there is no column %q; there are: %s", wa.Clean(name), r.names()))
	}
	return i, nil
}

// isConsent takes a column that says whether somebody may be written to. One that
// names no channel speaks of WhatsApp alone: consent to one is not consent to another.
// An opt-out that names none, or WhatsApp, is one of all.
func (r *Reader) isConsent(c *Columns, i int, name string) bool {
	channel, rest := Channel(-1), ""
	var named [channels]bool
	for _, part := range parts(name) {
		known := false
		for ch := range channels {
			if channelWords[ch][part] {
				channel, known, named[ch] = ch, true, true
			}
		}
		if !known && !fillWords[part] {
			rest += part
		}
	}
	switch {
	case optOutWords[rest] && (channel < 0 || named[WhatsApp]), doNotWords[rest] && named[WhatsApp]:
		c.OptedOut = append(c.OptedOut, i)
		return true
	case optOutWords[rest], doNotWords[rest] && channel >= 0:
		for ch := range channels {
			if named[ch] {
				c.Refused[ch] = append(c.Refused[ch], i)
			}
		}
		return true
	case consentWords[rest], channel >= 0 && rest == "" && r.saysYesOrNo(i):
		if channel < 0 {
			if c.Consent[WhatsApp] < 0 {
				c.Consent[WhatsApp] = i
			}
			return true
		}
		c.Consent[channel] = i // a channel's own column wins over a general one
		return true
	}
	return false
}

// saysYesOrNo tells a column whose sample has nothing but that.
func (r *Reader) saysYesOrNo(column int) bool {
	said := false
	for _, row := range r.sample {
		cell := row.Cells[column]
		if strings.TrimSpace(cell) == "" {
			continue
		}
		if a := readAnswer(cell); a != answerYes && a != answerNo {
			return false
		}
		said = true
	}
	return said
}

// findPhone takes the column that is called like a phone number, else the only one
// that is full of them.
func (r *Reader) findPhone(c *Columns, numbers *Numbers) (int, error) {
	for rank, set := range phoneWords {
		var found, full []int
		for i, name := range r.columns {
			if i == c.Country || i == c.Email || i == c.Language || isOneOf(c.Consent[:], i) || c.refuses(i) || !calledLike(name, set) {
				continue
			}
			found = append(found, i)
			if r.shareOfPhones(i, numbers) >= 0.5 {
				full = append(full, i)
			}
		}
		if len(full) == 1 {
			return full[0], nil
		}
		if len(full) > 1 {
			return -1, r.problem(0, 0, fmt.Sprintf("columns %q and %q could both be the phone number; say which: --phone COLUMN", r.columns[full[0]], r.columns[full[1]]))
		}
		if len(found) == 1 && rank < len(phoneWords)-1 {
			return found[0], nil // called so, however bad its numbers are
		}
	}
	at := -1
	for i := range r.columns {
		if r.shareOfPhones(i, numbers) < 0.8 {
			continue
		}
		if at >= 0 {
			return -1, r.problem(0, 0, fmt.Sprintf("columns %q and %q could both be the phone number; say which: --phone COLUMN", r.columns[at], r.columns[i]))
		}
		at = i
	}
	if at < 0 {
		return -1, r.problem(0, 0, "no column looks like phone numbers; say which it is: --phone COLUMN. There are: "+r.names())
	}
	return at, nil
}

func isOneOf(all []int, i int) bool {
	for _, j := range all {
		if i == j {
			return true
		}
	}
	return false
}

// refuses tells a column by which people opt out.
func (c *Columns) refuses(i int) bool {
	refused := isOneOf(c.OptedOut, i)
	for _, all := range c.Refused {
		refused = refused || isOneOf(all, i)
	}
	return refused
}

// calledLike tells a name that is one of the words, or has one in it.
func calledLike(name string, set map[string]bool) bool {
	if set[fold(name)] {
		return true
	}
	for _, part := range parts(name) {
		if set[part] {
			return true
		}
	}
	return false
}

// shareOfPhones is the share of a column's sample that are numbers, empty cells left out.
func (r *Reader) shareOfPhones(column int, numbers *Numbers) float64 {
	valid, all := 0, 0
	for _, row := range r.sample {
		if strings.TrimSpace(row.Cells[column]) == "" {
			continue
		}
		all++
		// A number without its country is a number still, when columns are told apart.
		_, fault := numbers.Read(row.Cells[column], "")
		if digits := len(wa.Digits(row.Cells[column])); fault == NumberOK || digits >= 9 && looksLikePhone(row.Cells[column]) || fault == NumberExponent {
			valid++
		}
	}
	if all == 0 {
		return 0
	}
	return float64(valid) / float64(all)
}
