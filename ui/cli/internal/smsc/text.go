package smsc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Coding says what the units of a text are.
type Coding byte

// Codings that the centre takes, by their data_coding (SMPP 3.4, 5.2.19).
const (
	GSM7 Coding = 0 // septets of the GSM 03.38 alphabet, one in an octet
	UCS2 Coding = 8 // UTF-16 code units, highest octet first
)

func (c Coding) String() string {
	switch c {
	case GSM7:
		return "GSM-7"
	case UCS2:
		return "UCS-2"
	default:
		return fmt.Sprintf("data_coding %d", byte(c))
	}
}

// units is how many of them a text takes.
func (c Coding) units(text []byte) int {
	if c == UCS2 {
		return len(text) / 2
	}
	return len(text)
}

// decode gives a text as a phone shows it; what is no character is U+FFFD.
func (c Coding) decode(text []byte) string {
	if c == UCS2 {
		units := make([]uint16, len(text)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(text[2*i:])
		}
		return string(utf16.Decode(units))
	}
	shown := make([]rune, 0, len(text))
	for i := 0; i < len(text); i++ {
		r, known := alphabet[text[i]]
		if text[i] == escape && i+1 < len(text) {
			i++
			if r, known = extension[text[i]]; !known { // then the escape is for naught (3GPP TS 23.038, 6.2.1.1)
				r, known = alphabet[text[i]]
			}
		}
		if !known {
			r = utf8.RuneError
		}
		shown = append(shown, r)
	}
	return string(shown)
}

// escape is the septet before one of the extension.
const escape = 0x1b

// The default alphabet and its extension, by septet, and back (3GPP TS 23.038,
// 6.2.1 and 6.2.1.1).
var (
	alphabet = func() map[byte]rune {
		septets := map[byte]rune{}
		for i, r := range []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
			"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà") {
			if i != escape {
				septets[byte(i)] = r
			}
		}
		return septets
	}()
	extension = map[byte]rune{
		0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\', 0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|', 0x65: '€',
	}
	septets = func() map[rune][]byte {
		runes := map[rune][]byte{}
		for septet, r := range alphabet {
			runes[r] = []byte{septet}
		}
		for septet, r := range extension {
			runes[r] = []byte{escape, septet}
		}
		return runes
	}()
)

// encodeText writes a text in the alphabet that fits it.
func encodeText(s string) (Coding, []byte) {
	var octets []byte
	fits := true
	for _, r := range s {
		octets = append(octets, septets[r]...)
		fits = fits && septets[r] != nil
	}
	if fits {
		return GSM7, octets
	}
	octets = nil
	for _, unit := range utf16.Encode([]rune(s)) {
		octets = binary.BigEndian.AppendUint16(octets, unit)
	}
	return UCS2, octets
}

// place is where a part stands in its message, by its user data header.
type place struct {
	reference  int
	number, of int // from 1 on; 1 of 1 = it is all of the message
}

var errHeader = errors.New("a user data header is damaged")

// cutHeader takes the user data header off a text. Elements that are not about
// concatenation mean nothing here (3GPP TS 23.040, 9.2.3.24).
func cutHeader(text []byte) (place, []byte, error) {
	whole := place{number: 1, of: 1}
	if len(text) == 0 || int(text[0]) >= len(text) {
		return whole, nil, errHeader
	}
	elements, rest := text[1:1+int(text[0])], text[1+int(text[0]):]
	for len(elements) > 0 {
		if len(elements) < 2 || len(elements) < 2+int(elements[1]) {
			return whole, nil, errHeader
		}
		element, value := elements[0], elements[2:2+int(elements[1])]
		elements = elements[2+len(value):]
		switch {
		case element == 0x00 && len(value) == 3:
			whole = place{int(value[0]), int(value[2]), int(value[1])}
		case element == 0x08 && len(value) == 4:
			whole = place{int(binary.BigEndian.Uint16(value)), int(value[3]), int(value[2])}
		}
	}
	if whole.number < 1 || whole.number > whole.of {
		return whole, nil, errHeader
	}
	return whole, rest, nil
}
