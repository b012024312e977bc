package list

import (
	"errors"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// national reads digits as they are dialled within a country. People also leave
// out the plus: a landline that has the digits of a mobile phone in international
// form is that mobile phone.
func (n *Numbers) national(digits, country string) (Number, NumberFault) {
	if whole := dialled(digits, country); whole != "" {
		if region, fixed, ok := world.classify(whole); ok && !fixed {
			return Number{E164: "+" + whole, Country: region}, NumberOK
		}
	}
	number, fault := parse(digits, country)
	if fault == NumberOK && !number.Fixed {
		return number, NumberOK
	}
	if region, fixed, ok := world.classify(digits); ok && !fixed && region == country {
		return Number{E164: "+" + digits, Country: region, Mended: MendedPlus}, NumberOK
	}
	return number, fault
}

// dialled puts a country's code before digits that are dialled within it, where
// that is all there is to it: the country dials 0 or 1 before them, or nothing, and
// they begin neither with the code nor with what is dialled for abroad.
func dialled(digits, country string) string {
	t := territories()[country]
	if t == nil || len(digits) < 5 {
		return ""
	}
	code, abroad, prefix := strconv.Itoa(int(t.GetCountryCode())), t.GetInternationalPrefix(), t.GetNationalPrefixForParsing()
	if abroad != "00" && abroad != "011" || prefix != "0" && prefix != "1" && prefix != "" || strings.HasPrefix(digits, abroad) {
		return ""
	}
	switch {
	case prefix != "" && digits[:1] == prefix:
		return code + digits[1:]
	case strings.HasPrefix(digits, code):
		return ""
	}
	return code + digits
}

// international reads digits that begin with a country code.
func (n *Numbers) international(digits string) (Number, NumberFault) {
	if region, fixed, ok := world.classify(digits); ok {
		return Number{E164: "+" + digits, Country: region, Fixed: fixed}, NumberOK
	}
	if len(digits) == 13 && strings.HasPrefix(digits, "521") { // Mexican mobiles had a 1 there until 2019
		if number, fault := n.international("52" + digits[3:]); fault == NumberOK {
			return number, NumberOK
		}
	}
	return parse("+"+digits, "")
}

// parse reads a number by phonenumbers, and says what is wrong with it.
func parse(digits, country string) (Number, NumberFault) {
	parsed, err := phonenumbers.Parse(digits, country)
	switch {
	case err == nil:
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return Number{}, NumberNotPossible
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return Number{}, NumberTooLong
	default:
		return Number{}, NumberTooShort
	}
	kind := phonenumbers.GetNumberType(parsed)
	if kind == phonenumbers.UNKNOWN {
		switch phonenumbers.IsPossibleNumberWithReason(parsed) {
		case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
			return Number{}, NumberTooShort
		case phonenumbers.TOO_LONG:
			return Number{}, NumberTooLong
		case phonenumbers.INVALID_COUNTRY_CODE:
			return Number{}, NumberNotPossible
		}
		return Number{}, NumberNotValid
	}
	number := Number{
		E164:    phonenumbers.Format(parsed, phonenumbers.E164),
		Country: phonenumbers.GetRegionCodeForNumber(parsed),
		Fixed:   fixedKind(kind),
	}
	if number.Country == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		number.Country = ""
	}
	if country == "" && number.E164 != digits {
		number.Mended |= MendedZero
	}
	return number, NumberOK
}

// fixedKind tells kinds of numbers that hardly anyone has WhatsApp on.
func fixedKind(kind phonenumbers.PhoneNumberType) bool {
	switch kind {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.VOIP, phonenumbers.PERSONAL_NUMBER:
		return false
	}
	return true
}
