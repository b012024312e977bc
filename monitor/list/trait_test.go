package list

import (
	"testing"

	"tickwatch/wa"
)

func TestMatcher(t *testing.T) {
	p := &wa.Plan{Columns: []string{"City", "product", "country"}, Bind: map[string]int{"1": 1}}
	row := []string{" Abidjan ", "Blue winter coat, XL", "Ivory Coast"}
	for _, c := range []struct {
		trait string
		want  bool
	}{
		{"city=abidjan", true},
		{"city=", false},
		{"city=Abid", false},
		{"prefix=22507", true},
		{"prefix=+225 07", true},
		{"prefix=22505", false},
		{"country=CI", true},
		{"country=ivory coast", true},
		{"country=PT", false},
		{"word=coat", true},
		{"word=Winter", true},
		{"word=XL", true},       // no cause is looked for in words so short, but an operator may name one
		{"word=abidjan", false}, // of no variable
		{"lines=10-20", true},
		{"lines=12", true},
		{"lines=13-20", false},
	} {
		trait, err := wa.ParseTrait(c.trait)
		if err != nil {
			t.Fatal(err)
		}
		has, err := NewMatcher(p, trait)
		if err != nil {
			t.Fatalf("%s: %v", c.trait, err)
		}
		if got := has("2250712345678", 12, row); got != c.want {
			t.Errorf("%s: %t", c.trait, got)
		}
	}
	for _, bad := range []string{"town=x", "prefix=x", "lines=20-10", "lines=x"} {
		trait, err := wa.ParseTrait(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewMatcher(p, trait); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if _, err := wa.ParseTrait("prefix"); err == nil {
		t.Error("a trait without a value is taken")
	}
}
