package wa

import (
	"fmt"
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
