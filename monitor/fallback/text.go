package fallback

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tickwatch/wa"
)

const (
	maxText     = 10_000 // characters of a text with its variables filled
	maxVariable = 64     // bytes of a variable's name
)

// Text is what a channel sends or speaks in one language, with places for the
// campaign's variables: "{first_name}" or "{{1}}". A brace that is meant as such is
// written \{ or \}, and a backslash before one \\.
type Text struct {
	pieces    []piece
	variables []string
}

// piece is a run of the text, or the place of a variable.
type piece struct {
	text     string
	variable string // "" = text
}

// MissingError says that a variable of a text has no value for this person, who is
// then to be left out.
type MissingError struct{ Variable string }

// Error names the variable.
func (e *MissingError) Error() string { return fmt.Sprintf("no value for {%s}", e.Variable) }

// ParseText reads a text. Its errors name the line and the column.
func ParseText(s string) (*Text, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("the text is not UTF-8: save it as UTF-8")
	}
	t := &Text{}
	var run strings.Builder
	flush := func() {
		if run.Len() > 0 {
			t.pieces = append(t.pieces, piece{text: run.String()})
			run.Reset()
		}
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\\' && i+1 < len(s) && strings.IndexByte(`{}\`, s[i+1]) >= 0:
			run.WriteByte(s[i+1])
			i += 2
			continue
		case r == '{':
			name, length, fault := placeholder(s[i:])
			if fault != "" {
				return nil, faultAt(s, i, fault)
			}
			flush()
			t.pieces = append(t.pieces, piece{variable: name})
			if !slices.Contains(t.variables, name) {
				t.variables = append(t.variables, name)
			}
			i += length
			continue
		case r == '}':
			return nil, faultAt(s, i, `this } closes nothing: write \} for a brace`)
		case r != '\n' && r != '\t' && r != '\r' && unicode.IsControl(r):
			return nil, faultAt(s, i, "a control character: remove it")
		case r != '\r':
			run.WriteRune(r)
		}
		i += size
	}
	flush()
	if len(t.pieces) == 0 {
		return nil, fmt.Errorf("the text is empty: write what people are to read")
	}
	return t, nil
}

// placeholder reads "{name}" or "{{name}}" at the begin of s.
func placeholder(s string) (name string, length int, fault string) {
	opened, closed := "{", "}"
	if strings.HasPrefix(s, "{{") {
		opened, closed = "{{", "}}"
	}
	inside, _, ok := strings.Cut(s[len(opened):], closed)
	if !ok || strings.ContainsAny(inside, "{}\n") {
		return "", 0, fmt.Sprintf(`this %s is not closed: write %sfirst_name%s, or \{ for a brace`, opened, opened, closed)
	}
	name = strings.TrimSpace(inside)
	named := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	if name == "" || len(name) > maxVariable || strings.ContainsFunc(name, func(r rune) bool { return !named(r) }) {
		return "", 0, fmt.Sprintf(`%.40q is no name of a variable: write letters, digits and _, or \{ for a brace`, wa.Clean(name))
	}
	return name, len(opened) + len(inside) + len(closed), ""
}

// faultAt is an error at a byte of a text.
func faultAt(s string, at int, fault string) error {
	before := s[:at]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Errorf("line %d, column %d: %s", line, column, fault)
}

// Variables are the names of the text's variables, each once, in its order.
func (t *Text) Variables() []string { return slices.Clone(t.variables) }

// Fill puts one person's values in. They are foreign: they lose control characters
// and line breaks, so that none can begin a header or a line of its own; what stands
// for itself in TwiML, JSON or a header is escaped by who writes it there. A value
// that is empty is a *MissingError.
func (t *Text) Fill(value func(variable string) string) (string, error) {
	var b strings.Builder
	for _, p := range t.pieces {
		if p.variable == "" {
			b.WriteString(p.text)
			continue
		}
		v := strings.TrimSpace(wa.Clean(value(p.variable)))
		if v == "" {
			return "", &MissingError{p.variable}
		}
		b.WriteString(v)
		if b.Len() > maxText*utf8.UTFMax {
			break
		}
	}
	if n := utf8.RuneCountInString(b.String()); n > maxText {
		return "", fmt.Errorf("the text would have more than %d characters: shorten it or its values", maxText)
	}
	return b.String(), nil
}
