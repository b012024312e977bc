package wa

import "testing"

func TestSameTrait(t *testing.T) {
	lines := func(v string) Trait { return Trait{TraitLines, v} }
	for _, c := range []struct {
		a, b Trait
		want bool
	}{
		{Trait{TraitPrefix, "22507"}, Trait{TraitPrefix, "22507"}, true},
		{Trait{TraitPrefix, "22507"}, Trait{TraitPrefix, "225"}, false},
		{Trait{TraitPrefix, "1-2"}, lines("1-2"), false},
		{lines("4005-10000"), lines("4002-10001"), true},
		{lines("4005-10000"), lines("4005-6000"), false},
		{lines("4005-10000"), lines("10001-12000"), false},
		{lines("4005-10000"), lines("x"), false},
		{lines("x"), lines("x"), true},
	} {
		if c.a.Same(c.b) != c.want || c.b.Same(c.a) != c.want {
			t.Errorf("%v and %v are the same: %v", c.a, c.b, !c.want)
		}
	}
}
