package wa

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// referenceCodes are all codes that Meta documents, its ranges included
// (error-codes.csv of the reference, 2026-11-20).
const referenceCodes = `
0 1 2 3 4 10 33 100 104 190 200 200-299 368 80007 130403 130429 130470 130472 130497 130501 131000
131005 131008 131009 131016 131020 131021 131026 131027 131030 131031 131035 131036 131037 131041
131042 131044 131045 131047 131048 131049 131050 131051 131052 131053 131055 131056 131057 131059
131060 131061 131062 131063 131064 131201 131202 131203 131204 131207 131208 131209 131210 131211
131212 131213 131214 131215 132000 132001 132005 132007 132012 132015 132016 132018 132068 132069
133000 133004 133005 133006 133008 133009 133010 133015 133016 134011 134100 134101 134102 134103
135000 139100 139101 139102 139103 141002 200005 200006 200007 1752041 2388001 2388012 2388019
2388039 2388040 2388047 2388072 2388073 2388091 2388093 2388103 2388293 2388299 2494100 2593079
2593085 2593107 2593108
`

func TestCatalogueHoldsEveryCode(t *testing.T) {
	want := strings.Fields(referenceCodes)
	var got []string
	for _, e := range Catalogue() {
		code := strconv.Itoa(e.Code)
		if e.Last != 0 {
			code += "-" + strconv.Itoa(e.Last)
		}
		got = append(got, code)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the catalogue holds\n%v\nwant\n%v", got, want)
	}
}

// TestCatalogueReads: texts are short sentences, for people who are no programmers.
func TestCatalogueReads(t *testing.T) {
	for _, e := range Catalogue() {
		for name, text := range map[string]string{"cause": e.Cause, "advice": e.Advice} {
			if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, ").") {
				t.Errorf("%d: the %s ends without a full stop: %q", e.Code, name, text)
			}
			for _, sentence := range strings.SplitAfter(text, ". ") {
				if n := len(strings.Fields(sentence)); n > 30 {
					t.Errorf("%d: a sentence of %d words in the %s: %q", e.Code, n, name, sentence)
				}
			}
			if utf8.RuneCountInString(text) > 300 {
				t.Errorf("%d: the %s is too long for a screen: %q", e.Code, name, text)
			}
			for _, jargon := range []string{"user seed", "WABA", "payload", "JSON", "HTTP", "endpoint", "ToS", "BSUID", "async"} {
				if strings.Contains(text, jargon) {
					t.Errorf("%d: the %s says %q: %q", e.Code, name, jargon, text)
				}
			}
		}
		if !strings.Contains(e.Source, "https://") {
			t.Errorf("%d: no address in the source %q", e.Code, e.Source)
		}
	}
}

// TestWithheld: exactly these codes say that Meta chose not to deliver. Free
// text outside the 24-hour window (131047) is the sender's mistake.
func TestWithheld(t *testing.T) {
	var got []int
	for _, e := range Catalogue() {
		if e.Withheld() {
			got = append(got, e.Code)
		}
	}
	if want := []int{130472, 131049}; !slices.Equal(got, want) {
		t.Errorf("withheld: %v, want %v", got, want)
	}
}

// TestCatalogueFacts holds the answers that an operator acts on.
func TestCatalogueFacts(t *testing.T) {
	for _, w := range []ErrorCode{
		{Code: 131049, Hint: "don't retry", Retry: RetryLater, Suppression: Suppress24h, Fallback: FallbackMaybe},
		{Code: 130472, Hint: "use another channel", Retry: RetryNever, Suppression: SuppressUntilInbound, Fallback: FallbackYes},
		{Code: 131026, Hint: "check numbers", Retry: RetryNever, Suppression: SuppressPermanent, Fallback: FallbackYes},
		{Code: 131050, Hint: "never write again", Retry: RetryNever, Suppression: SuppressPermanent, Fallback: FallbackNo},
		{Code: 131053, Hint: "fix the image", Retry: RetryAfterFix, Suppression: SuppressNone, Fallback: FallbackMaybe},
		{Code: 130403, Hint: "unblock or drop", Retry: RetryNever, Suppression: SuppressUntilUnblocked, Fallback: FallbackNo},
		{Code: 132015, Hint: "swap the template", Retry: RetryAfterFix, Suppression: SuppressNone, Fallback: FallbackMaybe},
	} {
		e, ok := LookUp(w.Code)
		got := ErrorCode{Code: e.Code, Hint: e.Hint, Retry: e.Retry, Suppression: e.Suppression, Fallback: e.Fallback}
		if !ok || got != w {
			t.Errorf("%+v, want %+v", got, w)
		}
	}
}

func TestLookUp(t *testing.T) {
	for _, c := range []struct {
		code  int
		title string // "" = not in the catalogue
	}{
		{0, "AuthException"},
		{131049, "Meta chose not to deliver"},
		{200, "No access token provided"}, // its own entry, not the range's
		{201, "API Permission"},
		{299, "API Permission"},
		{300, ""},
		{199, ""},
		{-1, ""},
		{-250, ""},
		{999999999, ""},
	} {
		e, ok := LookUp(c.code)
		if ok != (c.title != "") || e.Title != c.title || (ok && (e.Code != c.code || e.Last != 0)) {
			t.Errorf("%d: %+v, %v, want %q", c.code, e, ok, c.title)
		}
	}
}

func TestExplain(t *testing.T) {
	long := strings.Repeat("long ", 100)
	for _, c := range []struct {
		name     string
		code     int
		title    string
		want     string
		category string
	}{
		{"known", 131026, "something else", "Message Undeliverable", CategoryRecipient},
		{"in a range", 250, "", "API Permission", CategoryAuth},
		{"unknown with a title", 199999, "Quite new", "Quite new", CategoryUnknown},
		{"unknown without a title", 199999, "", "not in the catalogue", CategoryUnknown},
		{"unknown with a blank title", 199999, " \n\u200b", "not in the catalogue", CategoryUnknown},
		{"unknown with a hostile title", 199999, "\x1b[31mred\r\n", "[31mred", CategoryUnknown},
		{"unknown with a mark in front", 199999, " \u0300x", "x", CategoryUnknown},
		{"unknown with a long title", 199999, long, long[:maxTitle-1] + "…", CategoryUnknown},
		{"no code", 0, "", "no error code given", CategoryUnknown},
		{"no code with a title", 0, "Odd", "Odd", CategoryUnknown},
		{"Meta's code 0", 0, "AuthException", "AuthException", CategoryAuth},
	} {
		e := Explain(c.code, c.title)
		if e.Code != c.code || e.Title != c.want || e.Category != c.category {
			t.Errorf("%s: %d %q %q, want %q %q", c.name, e.Code, e.Title, e.Category, c.want, c.category)
		}
		if c.category == CategoryUnknown && (e.Hint != "see details" || e.Fallback != FallbackMaybe || e.Withheld()) {
			t.Errorf("%s: %+v", c.name, e)
		}
		for _, field := range []string{e.Title, e.Cause, e.Advice, e.Hint, e.Source} {
			if field == "" || field != Clean(field) {
				t.Errorf("%s: %q is empty or not clean", c.name, field)
			}
		}
	}
}

func TestCatalogueIsACopy(t *testing.T) {
	clear(Catalogue())
	if Catalogue()[0].Title == "" {
		t.Error("a caller can change the catalogue")
	}
}

// TestParseCatalogueRefuses breaks a good entry in every way that must not ship.
func TestParseCatalogueRefuses(t *testing.T) {
	good := []string{"7", "Title", "auth", "Cause.", "never", "Advice.", "hint", "none", "yes", "https://example.com"}
	file := func(rows ...[]string) string {
		s := strings.Join(columns, ",") + "\n"
		for _, r := range rows {
			s += strings.Join(r, ",") + "\n"
		}
		return s
	}
	with := func(column int, value string) []string {
		row := slices.Clone(good)
		row[column] = value
		return row
	}
	if got, err := parseCatalogue(strings.NewReader(file(good, with(0, "7-9")))); err != nil || len(got) != 2 {
		t.Fatalf("a good file: %v, %v", got, err)
	}
	for _, c := range []struct{ name, file, want string }{
		{"no file", "", "EOF"},
		{"other columns", "code,text\n7,x\n", "fields"},
		{"columns in another order", strings.Replace(file(good), "code,title", "title,code", 1), "its columns are"},
		{"a row too short", file(good[:9]), "fields"},
		{"a word for a code", file(with(0, "x")), "is no number"},
		{"a negative code", file(with(0, "-7")), "is no number"},
		{"a range that ends before it begins", file(with(0, "9-7")), "is no range"},
		{"a broken range", file(with(0, "9-")), "is no range"},
		{"twice", file(good, with(1, "Other")), "stands twice"},
		{"no title", file(with(1, "")), "title"},
		{"an unknown category", file(with(2, "misc")), "category"},
		{"the category of unknown codes", file(with(2, CategoryUnknown)), "category"},
		{"no cause", file(with(3, "")), "cause"},
		{"an unknown retry", file(with(4, "soon")), "retry"},
		{"no advice", file(with(5, "")), "advice"},
		{"advice with control characters", file(with(5, "a\x1b[31m")), "advice"},
		{"a hint too long", file(with(6, strings.Repeat("x", maxHint+1))), "hint"},
		{"a hint in capitals", file(with(6, "Stop")), "hint"},
		{"an unknown suppression", file(with(7, "48h")), "suppression"},
		{"an unknown fallback", file(with(8, "perhaps")), "fallback"},
		{"no source", file(with(9, " ")), "source"},
	} {
		_, err := parseCatalogue(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}
