package wa

import (
	"fmt"
	"strconv"
	"strings"
)

// Trait is something that messages have in common, such as prefix=22507 or
// city=Abidjan: of a Plan, those that are set aside.
type Trait struct {
	Attribute string `json:"attribute"` // country, prefix, word, lines, or a column of the list
	Value     string `json:"value"`
}

// Attributes of a Trait that are no columns of the list.
const (
	TraitCountry = "country" // ISO 3166 code of the number's country
	TraitPrefix  = "prefix"  // digits that the number begins with
	TraitWord    = "word"    // of a filled-in variable
	TraitLines   = "lines"   // of the list, "4001-5000"
)

// String is the trait as ParseTrait reads it.
func (t Trait) String() string { return t.Attribute + "=" + t.Value }

// ParseTrait reads ATTRIBUTE=VALUE. The value may be empty: an empty cell.
func ParseTrait(s string) (Trait, error) {
	attribute, value, ok := strings.Cut(s, "=")
	t := Trait{strings.TrimSpace(attribute), strings.TrimSpace(value)}
	if !ok || t.Attribute == "" {
		return Trait{}, fmt.Errorf("%q is no ATTRIBUTE=VALUE: give one like prefix=22507, country=CI or city=Abidjan", Clean(s))
	}
	return t, nil
}

// Same tells whether two traits are of the same messages, but for some: lines of a
// list whose ends were found a little elsewhere are the same, as is an equal trait.
func (t Trait) Same(o Trait) bool {
	if t.Attribute != o.Attribute {
		return false
	}
	if t == o {
		return true
	}
	from, to, ok := t.lines()
	oFrom, oTo, oOk := o.lines()
	if !ok || !oOk {
		return false
	}
	shared := min(to, oTo) - max(from, oFrom) + 1
	return 5*shared >= 4*max(to-from+1, oTo-oFrom+1)
}

// lines are the first and last line of a trait of lines.
func (t Trait) lines() (from, to int64, ok bool) {
	if t.Attribute != TraitLines {
		return 0, 0, false
	}
	first, last, _ := strings.Cut(t.Value, "-")
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	to, err = strconv.ParseInt(last, 10, 64)
	return from, to, err == nil
}
