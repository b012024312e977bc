package wa

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCampaignKey(t *testing.T) {
	long := strings.Repeat("x", maxKey)
	for _, c := range []struct{ name, in, want string }{ // want "" = no key
		{"before the first colon", "camp7:row42", "camp7"},
		{"of several colons the first", "a:b:c", "a"},
		{"plain text", "camp7", "camp7"},
		{"spaces around", "  camp 7 : row42 ", "camp 7"},
		{"a number", "4711:9", "4711"},
		{"nothing before the colon", ":row42", ""},
		{"nothing", "", ""},
		{"only spaces", " \t\n", ""},
		{"JSON campaign", `{"campaign":"autumn","row":42}`, "autumn"},
		{"JSON campaign_id", `{"campaign_id":"autumn"}`, "autumn"},
		{"JSON both", `{"campaign_id":"b","campaign":"a"}`, "a"},
		{"JSON keeps its colons", `{"campaign":"autumn:pt"}`, "autumn:pt"},
		{"JSON number", `{"campaign":4711}`, "4711"},
		{"JSON number beyond 2^53", `{"campaign_id":9007199254740993}`, "9007199254740993"},
		{"JSON escapes", `{"campaign":"outono é"}`, "outono é"},
		{"JSON with spaces before", "\n {\"campaign\":\"a\"}", "a"},
		{"JSON with an empty campaign", `{"campaign":" ","campaign_id":"b"}`, "b"},
		{"JSON null", `{"campaign":null,"campaign_id":"b"}`, "b"},
		{"JSON of another type", `{"campaign":{"id":"a"}}`, ""},
		{"JSON true", `{"campaign":true}`, ""},
		{"JSON without a campaign", `{"row":42}`, ""},
		{"JSON broken off", `{"campaign":"aut`, ""},
		{"JSON array is plain text", `["a"]`, `["a"]`},
		{"JSON nested deep", `{"campaign":` + strings.Repeat("[", 100_000), ""},
		{"as long as a key may be", long + ":row", long},
		{"longer", long + "x:row", ""},
		{"huge", strings.Repeat("x", 1<<20), ""},
		{"JSON longer", `{"campaign":"` + long + `x"}`, ""},
		{"JSON number with too many digits", `{"campaign":1` + strings.Repeat("0", maxKey) + `}`, ""},
	} {
		got, ok := CampaignKey(c.in)
		if got != c.want && ok || ok != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", c.name, got, ok, c.want)
		}
	}
}

func FuzzCampaignKey(f *testing.F) {
	for _, s := range []string{"camp7:row42", `{"campaign":"a"}`, `{"campaign_id":4711}`, `{"campaign":1e5}`, "{", "\xff:\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key, ok := CampaignKey(s)
		if !ok {
			return
		}
		if key == "" || len(key) > maxKey || key != strings.TrimSpace(key) {
			t.Errorf("%q gave the key %q", s, key)
		}
		if utf8.ValidString(s) && !utf8.ValidString(key) {
			t.Errorf("%q gave the broken key %q", s, key)
		}
	})
}
