package wa

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// every has a variable of each kind.
func every() *TemplateForm {
	return &TemplateForm{
		Name: "autumn_offer", Language: "pt_PT", Category: CategoryMarketing, Status: StatusApproved,
		Header: &TemplateHeader{Format: FormatText, Text: "Para {{1}}"},
		Body:   "Olá {{ 2 }}, {{1}} é seu. {{2}}!", Footer: "Até breve",
		Buttons: []TemplateButton{
			{Type: ButtonQuickReply, Text: "Parar"},
			{Type: ButtonURL, Text: "Ver", URL: "https://a.example/{{1}}"},
			{Type: ButtonURL, Text: "Loja", URL: "https://a.example/"},
			{Type: ButtonPhone, Text: "Ligar", Phone: "+351910000001"},
			{Type: ButtonCopyCode, Text: "Copiar"},
			{Type: ButtonFlow, Text: "Marcar"},
			{Type: ButtonOTP, Text: "Código"},
		},
	}
}

// values gives variables the values of a map.
func values(of map[string]string) func(string) string {
	return func(v string) string { return of[v] }
}

func TestVariables(t *testing.T) {
	want := []Variable{
		{"header", VariableText, false},
		{"2", VariableText, false},
		{"1", VariableText, false},
		{"button1", VariablePayload, true},
		{"button2", VariableURL, false},
		{"button5", VariableCode, false},
		{"button6", VariableFlow, true},
		{"button7", VariableURL, false},
	}
	if diff := cmp.Diff(want, every().Variables()); diff != "" {
		t.Error(diff)
	}
	for format, kind := range map[string]string{
		FormatImage: VariableImage, FormatVideo: VariableVideo, FormatDocument: VariableDocument, FormatLocation: VariableLocation,
	} {
		f := &TemplateForm{Header: &TemplateHeader{Format: format}, Body: "Olá"}
		if diff := cmp.Diff([]Variable{{"header", kind, false}}, f.Variables()); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
	if got := (&TemplateForm{Header: &TemplateHeader{Format: FormatText, Text: "Olá"}, Body: "{{}} {{a b}} {1} {{{1"}).Variables(); got != nil {
		t.Errorf("variables out of nothing: %v", got)
	}
}

// TestVariablesByTheirNames: a body may call its variables as the other parts are
// called, and each can still be bound.
func TestVariablesByTheirNames(t *testing.T) {
	f := &TemplateForm{
		Named: true, Header: &TemplateHeader{Format: FormatText, Text: "{{shop}}"}, Body: "{{header}} {{button1}} {{button}} {{first_name}}",
		Buttons: []TemplateButton{{Type: ButtonCopyCode, Text: "Copiar"}},
	}
	filled, err := f.Fill(func(v string) string { return "<" + v + ">" })
	if err != nil {
		t.Fatal(err)
	}
	var got [][3]string
	for _, v := range filled.Values {
		got = append(got, [3]string{v.Name, v.Place, v.Value})
	}
	want := [][3]string{
		{"header", "shop", "<header>"},
		{"body.header", "header", "<body.header>"},
		{"body.button1", "button1", "<body.button1>"},
		{"button", "button", "<button>"},
		{"first_name", "first_name", "<first_name>"},
		{"button1", "", "<button1>"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, want := f.Preview(filled), "<header>\n<body.header> <body.button1> <button> <first_name>\n[ Copiar ]"; got != want {
		t.Errorf("preview %q, want %q", got, want)
	}
}

func TestFill(t *testing.T) {
	good := map[string]string{"header": " Ana ", "1": "10\u00a0%", "2": "Ana\tMaria\r\n  Costa", "button2": "a/b", "button5": "OUTONO20", "button7": "123"}
	with := func(name, value string) map[string]string {
		m := maps.Clone(good)
		m[name] = value
		return m
	}
	filled, err := every().Fill(values(good))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"header=Ana", "2=Ana Maria Costa", "1=10\u00a0%", "button2=a/b", "button5=OUTONO20", "button6=unused", "button7=123"}
	var got []string
	for _, v := range filled.Values {
		got = append(got, v.Name+"="+v.Value)
	}
	if diff := cmp.Diff(want, got); diff != "" || filled.Name != "autumn_offer" || filled.Language != "pt_PT" || filled.Named {
		t.Errorf("%+v\n%s", filled, diff)
	}
	if filled, err := every().Fill(values(with("button1", "STOP_PROMO"))); err != nil || len(filled.Values) != len(want)+1 {
		t.Errorf("with a payload: %+v, %v", filled, err)
	}
	for _, empty := range []string{"header", "1", "2", "button2", "button5", "button7"} {
		if _, err := every().Fill(values(with(empty, " \n"))); err == nil || !strings.Contains(err.Error(), "variable "+empty+" is empty") {
			t.Errorf("without %s: %v", empty, err)
		}
	}
	f := every()
	f.Unfillable = []string{"CAROUSEL"}
	if _, err := f.Fill(values(good)); err == nil || !strings.Contains(err.Error(), "CAROUSEL") {
		t.Errorf("a carousel is filled: %v", err)
	}
}

func TestFillMedia(t *testing.T) {
	for _, c := range []struct {
		format, value string
		ok            bool
	}{
		{FormatImage, "https://a.example/a.png", true},
		{FormatImage, "HTTPS://a.example/a.png", true},
		{FormatImage, "800100200300400", true},
		{FormatImage, "http://a.example/a.png", false},
		{FormatVideo, "file:///etc/passwd", false},
		{FormatDocument, "http://a.example/a.pdf", false},
		{FormatLocation, "38.7,-9.1,Loja", true},
		{FormatLocation, "Lisboa", false},
	} {
		f := &TemplateForm{Name: "a", Header: &TemplateHeader{Format: c.format}, Body: "Olá"}
		_, err := f.Fill(values(map[string]string{"header": c.value}))
		if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "variable header: ") {
			t.Errorf("%s %q: %v", c.format, c.value, err)
		}
	}
}

func TestPreview(t *testing.T) {
	f := every()
	filled, err := f.Fill(values(map[string]string{"header": "Ana", "1": "{{2}}", "2": "$1", "button2": "x", "button5": "y", "button7": "z"}))
	if err != nil {
		t.Fatal(err)
	}
	want := "Para Ana\nOlá $1, {{2}} é seu. $1!\nAté breve\n[ Parar ]\n[ Ver ]\n[ Loja ]\n[ Ligar ]\n[ Copiar ]\n[ Marcar ]\n[ Código ]"
	if got := f.Preview(filled); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f = &TemplateForm{Header: &TemplateHeader{Format: FormatImage}, Body: "Olá {{1}}"}
	if got, want := f.Preview(Filled{}), "[image]\nOlá {{1}}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSameVariables(t *testing.T) {
	form := func(header, body string, buttons ...string) *TemplateForm {
		f := &TemplateForm{Body: body}
		if header != "" {
			f.Header = &TemplateHeader{Format: header}
		}
		for _, b := range buttons {
			f.Buttons = append(f.Buttons, TemplateButton{Type: b, URL: "https://a.example/{{1}}"})
		}
		return f
	}
	for _, c := range []struct {
		a, b *TemplateForm
		same bool
	}{
		{form("", "a {{1}} b {{2}}"), form("", "{{2}} {{1}} {{1}}"), true},
		{form("", "{{1}}"), form("", "{{1}} {{2}}"), false},
		{form("", "{{1}}"), form("", "{{first_name}}"), false},
		{form(FormatImage, "{{1}}"), form(FormatVideo, "{{1}}"), false},
		{form(FormatImage, "{{1}}"), form("", "{{1}}"), false},
		{form("", "{{1}}", ButtonQuickReply), form("", "{{1}}"), true}, // its payload is optional
		{form("", "{{1}}", ButtonQuickReply, ButtonURL), form("", "{{1}}", ButtonURL), false},
		{form("", "{{1}}", ButtonURL), form("", "{{1}}", ButtonCopyCode), false},
	} {
		if c.a.SameVariables(c.b) != c.same || c.b.SameVariables(c.a) != c.same {
			t.Errorf("%+v and %+v: want %v", c.a.Variables(), c.b.Variables(), c.same)
		}
	}
}

// TestSameVariablesFill: what fills one of two templates with the same variables
// fills the other.
func TestSameVariablesFill(t *testing.T) {
	form := rapid.Custom(func(t *rapid.T) *TemplateForm {
		place := rapid.SampledFrom([]string{"{{1}}", "{{2}}", "{{first_name}}", "{{header}}", "word"})
		f := &TemplateForm{Body: strings.Join(rapid.SliceOfN(place, 0, 4).Draw(t, "body"), " "), Named: rapid.Bool().Draw(t, "named")}
		if format := rapid.SampledFrom([]string{"", FormatText, FormatImage, FormatLocation}).Draw(t, "header"); format != "" {
			f.Header = &TemplateHeader{Format: format, Text: place.Draw(t, "text")}
		}
		for _, b := range rapid.SliceOfN(rapid.SampledFrom([]string{ButtonQuickReply, ButtonURL, ButtonPhone, ButtonFlow}), 0, 3).Draw(t, "buttons") {
			f.Buttons = append(f.Buttons, TemplateButton{Type: b, URL: "https://a.example/" + place.Draw(t, "url")})
		}
		return f
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := form.Draw(t, "a"), form.Draw(t, "b")
		fills := map[string]string{}
		for _, v := range a.Variables() {
			fills[v.Name] = "1,1"
		}
		if !a.SameVariables(a) {
			t.Fatal("a template differs from itself")
		}
		if !a.SameVariables(b) {
			return
		}
		filled, err := b.Fill(values(fills))
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, v := range filled.Values {
			if names[v.Name] {
				t.Fatalf("%s stands twice", v.Name)
			}
			names[v.Name] = true
		}
	})
}

func TestParseLocation(t *testing.T) {
	for s, want := range map[string]Location{
		"38.7223,-9.1393":                       {Latitude: 38.7223, Longitude: -9.1393},
		" 38 , -9 ":                             {Latitude: 38, Longitude: -9},
		"-90,180":                               {Latitude: -90, Longitude: 180},
		"38,-9,Loja":                            {38, -9, "Loja", ""},
		"38,-9,7":                               {38, -9, "7", ""},
		"38,-9, Loja , Rua Augusta 1, Lisboa":   {38, -9, "Loja", "Rua Augusta 1, Lisboa"},
		"38.7223,-9.1393,24,Rua de São Bento 5": {38.7223, -9.1393, "24", "Rua de São Bento 5"},
	} {
		if got, err := ParseLocation(s); err != nil || got != want {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "38", "a,b", "91,0", "0,181", "NaN,0", "0,Inf", "38,72,-9,13", "38;-9", "\x1b[2J,1"} {
		got, err := ParseLocation(s)
		if err == nil || got != (Location{}) || err.Error() != Clean(err.Error()) {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
}

// TestVariablesStandOnce: each name once, whatever a text repeats.
func TestVariablesStandOnce(t *testing.T) {
	f := &TemplateForm{Body: strings.Repeat("{{1}} {{header}} ", 3), Header: &TemplateHeader{Format: FormatText, Text: "{{1}}"}}
	var names []string
	for _, v := range f.Variables() {
		names = append(names, v.Name)
	}
	if !slices.Equal(names, []string{"header", "1", "body.header"}) {
		t.Error(names)
	}
}
