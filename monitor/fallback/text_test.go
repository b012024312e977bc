package fallback

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tickwatch/wa"
)

func TestParseText(t *testing.T) {
	values := map[string]string{"first_name": "Ana", "1": "uno", "größe": "XL"}
	for text, want := range map[string]string{
		"Hi {first_name}!":              "Hi Ana!",
		"Hi {{first_name}}, {{ 1 }}":    "Hi Ana, uno",
		"{1}{1}{größe}":                 "unounoXL",
		`a \{b\} \\{1}`:                 `a {b} \uno`,
		`C:\temp`:                       `C:\temp`,
		"line\r\nline\n\ttab":           "line\nline\n\ttab",
		"no variable":                   "no variable",
		"{first_name} owes 5 € (5\\{%)": "Ana owes 5 € (5{%)",
	} {
		parsed, err := ParseText(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got, err := parsed.Fill(func(name string) string { return values[name] })
		if got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                                  "empty",
		"Hi {first name}":                   "line 1, column 4",
		"Hi\nthere {name":                   "line 2, column 7",
		"ö {}":                              "line 1, column 3",
		"a } b":                             "line 1, column 3",
		"{{name}":                           "not closed",
		"{{{name}}}":                        "not closed",
		"{a{b}}":                            "not closed",
		"{a-b}":                             "no name of a variable",
		"{a\nb}":                            "not closed",
		"a\x00b":                            "line 1, column 2",
		"a\xffb":                            "UTF-8",
		"{" + strings.Repeat("a", 65) + "}": "no name of a variable",
	} {
		if _, err := ParseText(text); err == nil || !strings.Contains(err.Error(), want) || err.Error() != wa.Clean(err.Error()) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	parsed, err := ParseText("{b} {a} {b}")
	if diff := cmp.Diff([]string{"b", "a"}, parsed.Variables()); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// TestMissing: a row without a value is left out, and the error says which.
func TestMissing(t *testing.T) {
	parsed, err := ParseText("Hi {first_name}")
	if err != nil {
		t.Fatal(err)
	}
	for _, empty := range []string{"", " ", "\t\n", "\u200b", "\x00"} {
		text, err := parsed.Fill(func(string) string { return empty })
		missing, is := errors.AsType[*MissingError](err)
		if !is || missing.Variable != "first_name" || text != "" || !strings.Contains(err.Error(), "first_name") {
			t.Errorf("%q: %q, %v", empty, text, err)
		}
	}
	if _, err := parsed.Fill(func(string) string { return strings.Repeat("a", 1<<20) }); err == nil || !strings.Contains(err.Error(), "characters") {
		t.Errorf("a value of 1 MiB: %v", err)
	}
}

// TestFillHolds: whatever the values are, they add no line, no control character
// and no variable, and the operator's own text stands around them.
func TestFillHolds(t *testing.T) {
	parsed, err := ParseText("a\n{x}b{y}\nc")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		hostile := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("\r\n\x00\x1b{}\\<>&\u202e\u2028"))))
		values := map[string]string{"x": hostile.Draw(t, "x"), "y": hostile.Draw(t, "y")}
		text, err := parsed.Fill(func(name string) string { return values[name] })
		if err != nil {
			return
		}
		if strings.Count(text, "\n") != 2 || !strings.HasPrefix(text, "a\n") || !strings.HasSuffix(text, "\nc") {
			t.Fatalf("%q", text)
		}
		if one := strings.ReplaceAll(text, "\n", ""); one != wa.Clean(one) {
			t.Fatalf("%q holds what Clean takes away", text)
		}
	})
}

// TestSpokenHolds: TwiML says every text, and does nothing else.
func TestSpokenHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("<>&\"'\n\x00]")))).Draw(t, "text")
		var doc struct {
			XMLName xml.Name `xml:"Response"`
			Says    []struct {
				Text  string `xml:",chardata"`
				Inner string `xml:",innerxml"`
			} `xml:"Say"`
			Others []struct {
				XMLName xml.Name
			} `xml:",any"`
		}
		if err := xml.Unmarshal([]byte(spoken(text, "pt-PT", "")), &doc); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if len(doc.Says) != 1 || len(doc.Others) != 0 || strings.ContainsAny(doc.Says[0].Inner, "<>") {
			t.Fatalf("%q: %+v", text, doc)
		}
	})
}
