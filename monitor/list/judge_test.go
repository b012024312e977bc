package list

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tickwatch/wa"
)

var offer = &wa.TemplateForm{
	Name: "autumn_offer", Language: "pt_PT", Category: wa.CategoryMarketing, Status: wa.StatusApproved, Quality: wa.QualityGreen,
	Header: &wa.TemplateHeader{Format: wa.FormatImage}, Body: "Hi {{first_name}}, use {{code}}", Named: true,
	Buttons: []wa.TemplateButton{{Type: wa.ButtonURL, Text: "Shop", URL: "https://example.com/{{1}}"}},
}

// judged gives the verdicts on a list.
func judged(t *testing.T, content string, o Options, f Facts) (*Judge, []Verdict) {
	t.Helper()
	r, err := Open(write(t, "list.csv", content), "list.csv")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	j, err := NewJudge(r, o, f)
	if err != nil {
		t.Fatal(err)
	}
	var all []Verdict
	for {
		v, err := j.Next()
		if errors.Is(err, io.EOF) {
			return j, all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
}

func oneOf(phones ...string) func(string) bool {
	return func(phone string) bool { return slices.Contains(phones, phone) }
}

func TestEachRowIsARecipientOrSaysWhyNot(t *testing.T) {
	j, all := judged(t, `Phone;First Name;Code;header;button1;WhatsApp opt-in;city
+351912345671;Ana;A1;https://example.com/a.jpg;x;yes;Porto
+351 912 345 671;Ana B.;A1;https://example.com/a.jpg;x;yes;Porto
351912345672; Zoë ;A2;1234567890;x;1;Faro
+351912345673;;A3;https://example.com/a.jpg;x;yes;Faro
+351912345673;Rui;A3;https://example.com/a.jpg;x;yes;Faro
+351912345674;Eva;A4;http://example.com/a.jpg;x;yes;Faro
+351912345675;Gil;A5;https://example.com/a.jpg;x;no;Faro
+351912345676;Lia;A6;https://example.com/a.jpg;x;;Faro
+351912345677;Noa;A7;https://example.com/a.jpg;x;2026-01-31;Faro
+351912345678;Ivo;A8;https://example.com/a.jpg;x;yes;Faro
+351912345679;Ida;A9;https://example.com/a.jpg;x;yes;Faro
+12025550123;Joe;B1;https://example.com/a.jpg;x;yes;NY
8,86912E+11;Jin;B2;https://example.com/a.jpg;x;yes;Taipei
+351912345671;Ana;A1;https://example.com/a.jpg;x;no;Porto
`, Options{Form: offer}, Facts{OptedOut: oneOf("+351912345678"), Refuser: oneOf("+351912345679"), Capped: oneOf("+351912345677"), Spares: 1})
	var got []string
	for _, v := range all {
		if v.Reason != "" {
			got = append(got, v.Reason+" <"+v.Value+">")
		} else {
			got = append(got, v.Phone+" "+strings.Join(v.Values, "|"))
		}
	}
	want := []string{
		"+351912345671 Ana|A1|https://example.com/a.jpg|x|yes|Porto",
		"the same number as in line 2, written another way <+351 912 345 671>",
		"+351912345672 Zoë|A2|1234567890|x|1|Faro",
		"variable first_name (column First Name): it is empty <>",
		"+351912345673 Rui|A3|https://example.com/a.jpg|x|yes|Faro",
		"variable header (column header): its address must begin with https:// <http://example.com/a.jpg>",
		"no consent <+351912345675>",
		"consent was left empty <+351912345676>",
		"+351912345677 Noa|A7|https://example.com/a.jpg|x|2026-01-31|Faro",
		"opted out <+351912345678>",
		"refused our marketing on WhatsApp before (131050) <+351912345679>",
		"a US number: Meta delivers no marketing there (131049) <+12025550123>",
		NumberExponent.String() + " <8,86912E+11>",
		"no consent <+351912345671>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"First Name", "Code", "header", "button1", "WhatsApp opt-in", "city"}, j.Columns()); diff != "" {
		t.Error(diff)
	}
	if want := map[string]int{"first_name": 0, "code": 1, "header": 2, "button1": 3}; !maps.Equal(want, j.Bind()) {
		t.Error(j.Bind())
	}
	if diff := cmp.Diff([]string{"+351912345671"}, j.Withdrawn()); diff != "" {
		t.Error(diff)
	}
	c := j.Check()
	c.Findings = nil
	if diff := cmp.Diff(Check{Rows: 14, Valid: 3, Invalid: 3, Duplicates: 1, Suppressed: 1, Refusers: 1, LeftOut: 5, Capped: 1}, c); diff != "" {
		t.Error(diff)
	}
}

// Whatever a list says: each person gets at most one message, nobody who said no
// anywhere in it gets one, and every row is counted once.
func TestNobodyIsWrittenToTwiceOrAgainstTheirWill(t *testing.T) {
	folder := t.TempDir()
	spellings := []string{"+35191234567%d", "00351 91234567%d", "+351 (91) 234-567%d", "35191234567%d"}
	rapid.Check(t, func(t *rapid.T) {
		var content strings.Builder
		content.WriteString("phone,first_name,consent,unsubscribed\n")
		no := map[string]bool{}
		rows := rapid.IntRange(1, 40).Draw(t, "rows")
		for range rows {
			person := rapid.IntRange(0, 9).Draw(t, "person")
			phone := fmt.Sprintf(rapid.SampledFrom(spellings).Draw(t, "spelling"), person)
			name := rapid.SampledFrom([]string{"", "Ana"}).Draw(t, "name")
			consent := rapid.SampledFrom([]string{"yes", "yes", "yes", "no", ""}).Draw(t, "consent")
			out := rapid.SampledFrom([]string{"", "", "", "x"}).Draw(t, "out")
			if consent != "yes" || out != "" {
				no[fmt.Sprintf("+35191234567%d", person)] = true
			}
			fmt.Fprintf(&content, "%s,%s,%s,%s\n", phone, name, consent, out)
		}
		path := filepath.Join(folder, "list.csv")
		if err := os.WriteFile(path, []byte(content.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path, "list.csv")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		form := &wa.TemplateForm{Named: true, Body: "{{first_name}}", Category: wa.CategoryMarketing}
		optedOut := oneOf("+351912345673")
		j, err := NewJudge(r, Options{Form: form}, Facts{OptedOut: optedOut, Refuser: oneOf("+351912345674")})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for {
			v, err := j.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if v.Reason == "" && got[v.Phone] {
				t.Fatalf("%s twice in\n%s", v.Phone, content.String())
			}
			if v.Reason == "" {
				got[v.Phone] = true
			}
		}
		for _, phone := range j.Withdrawn() {
			if !got[phone] {
				t.Fatalf("%s was withdrawn, and was never a recipient, in\n%s", phone, content.String())
			}
			delete(got, phone)
		}
		for phone := range got {
			if no[phone] || optedOut(phone) || phone == "+351912345674" {
				t.Fatalf("%s said no, and gets a message, in\n%s", phone, content.String())
			}
		}
		c := j.Check()
		if sum := c.Valid + c.Invalid + c.Duplicates + c.Suppressed + c.Refusers + c.LeftOut; sum != int64(rows) || c.Rows != sum || c.Valid != int64(len(got)) {
			t.Fatalf("%+v of %d rows and %d people in\n%s", c, rows, len(got), content.String())
		}
	})
}

func TestFindings(t *testing.T) {
	people := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("+3519123" + string([]byte{byte('0' + i/1000%10), byte('0' + i/100%10), byte('0' + i/10%10), byte('0' + i%10)}) + "1\n")
		}
		return b.String()
	}
	form := &wa.TemplateForm{Name: "hello", Language: "pt", Category: wa.CategoryMarketing, Status: wa.StatusApproved, Quality: wa.QualityGreen}
	with := func(change func(*wa.TemplateForm)) Options {
		f := *form
		change(&f)
		return Options{Form: &f}
	}
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		content  string
		options  Options
		facts    Facts
		severity string // "" = not found
		text     string
	}{
		"5 % invalid":         {"phone\n" + people(95) + strings.Repeat("nobody\n", 5), Options{}, Facts{}, "", "invalid numbers"},
		"over 5 % invalid":    {"phone\n" + people(94) + strings.Repeat("nobody\n", 6), Options{}, Facts{}, Act, "invalid numbers: 6 % of the rows, over 5 %"},
		"other limit":         {"phone\n" + people(94) + strings.Repeat("nobody\n", 6), Options{InvalidAct: .1}, Facts{}, "", "invalid numbers"},
		"faults":              {"phone\n" + people(99) + "nobody\n", Options{}, Facts{}, Watch, "1 row rejected: not a phone number"},
		"refusers":            {"phone\n" + people(10), Options{Form: form}, Facts{Refuser: oneOf("+351912300001")}, Watch, ""},
		"past refusers":       {"phone\n" + people(10), Options{Form: form}, Facts{Refuser: oneOf("+351912300011")}, Act, "past refusers: 10 % of the list"},
		"utility refusers":    {"phone\n" + people(10), with(func(f *wa.TemplateForm) { f.Category = wa.CategoryUtility }), Facts{Refuser: oneOf("+351912300011")}, "", "past refusers"},
		"doubles":             {"phone\n" + people(3) + people(3), Options{}, Facts{}, Watch, "doubled: 3 rows"},
		"opted out":           {"phone\n" + people(10), Options{}, Facts{OptedOut: oneOf("+351912300011")}, OK, "opted out: 1 person left out"},
		"capped":              {"phone\n" + people(10), Options{Form: form}, Facts{Capped: oneOf("+351912300011")}, Watch, "had enough marketing lately: 1 person"},
		"capped utility":      {"phone\n" + people(10), with(func(f *wa.TemplateForm) { f.Category = wa.CategoryUtility }), Facts{Capped: oneOf("+351912300011")}, "", "had enough"},
		"US":                  {"phone\n+12025550123\n" + people(10), Options{Form: form}, Facts{}, Watch, "US numbers: 1 person left out"},
		"US kept":             {"phone\n+12025550123\n" + people(10), Options{Form: form, USMarketing: true}, Facts{}, "", "US numbers"},
		"US utility":          {"phone\n+12025550123\n" + people(10), with(func(f *wa.TemplateForm) { f.Category = wa.CategoryUtility }), Facts{}, "", "US numbers"},
		"nobody":              {"phone\n+12025550123\n", Options{Form: form}, Facts{}, Act, "nobody is left to write to"},
		"paused":              {"phone\n" + people(10), with(func(f *wa.TemplateForm) { f.Status = "PAUSED" }), Facts{}, Act, "template hello/pt cannot be sent: it is paused"},
		"red":                 {"phone\n" + people(10), with(func(f *wa.TemplateForm) { f.Quality = wa.QualityRed }), Facts{}, Act, "low quality"},
		"yellow":              {"phone\n" + people(10), with(func(f *wa.TemplateForm) { f.Quality = wa.QualityYellow }), Facts{}, Watch, "medium quality"},
		"no spare":            {"phone\n" + people(10), Options{Form: form}, Facts{}, Watch, "no spare"},
		"spares not known":    {"phone\n" + people(10), Options{Form: form}, Facts{NoTemplate: true}, "", "no spare"},
		"spare":               {"phone\n" + people(10), Options{Form: form}, Facts{Spares: 2}, "", "no spare"},
		"no consent column":   {"phone\n" + people(10), Options{}, Facts{}, Watch, "no consent column"},
		"consent column":      {"phone,consent\n+351912345678,ja\n", Options{}, Facts{}, "", "no consent column"},
		"consent named":       {"phone,ok?\n+351912345678,ja\n+351912345679,nein\n", Options{Consent: "ok?"}, Facts{}, OK, "no consent, or opted out in the list: 1 row left out"},
		"unsubscribed":        {"phone,unsubscribed\n+351912345678,\n+351912345679,2026-01-01\n", Options{}, Facts{}, OK, "no consent, or opted out in the list: 1 row left out"},
		"SMS is not WhatsApp": {"phone,sms_consent\n+351912345678,no\n", Options{}, Facts{}, "", "left out"},
		"landline":            {"phone\n+49301234567\n" + people(9), Options{}, Facts{}, Watch, "no mobile phones: 1 person"},
		"zero":                {"phone\n+49(0)1712345678\n" + people(9), Options{}, Facts{}, Watch, "a zero kept behind the country code was dropped from 1 number"},
		"no plus":             {"phone\n491712345678\n" + people(9), Options{}, Facts{}, Watch, "no plus: 1 number read as international"},
		"countries":           {"phone\n491712345678\n" + people(9), Options{}, Facts{}, OK, "countries: PT 9, DE 1"},
		"over the limit":      {"phone\n" + people(300), Options{}, Facts{People: 250, Used: 100}, Act, "over the messaging limit (250 people in 24 hours, 100 of them used): 150 messages"},
		"slow enough":         {"phone\n" + people(300), Options{}, Facts{People: 250, Used: 100, Pace: wa.Pace{Messages: 5, Per: time.Hour}}, Watch, "at 5/h the list keeps within it"},
		"unlimited":           {"phone\n" + people(300), Options{}, Facts{}, "", "limit"},
		"duration":            {"phone\n" + people(1000), Options{}, Facts{Now: now, Pace: wa.Pace{Messages: 400, Per: time.Hour}}, OK, "1,000 messages at 400/h take 2 h 30 min: started now, the last goes out on 20 Nov at 12:30 UTC"},
		"Latin-1":             {"phone,name\n+351912345678,Jos\xe9\n", Options{}, Facts{}, Watch, "not UTF-8"},
		"media":               {"phone,header\n+351912345678,https://example.com/a.jpg\n", with(func(f *wa.TemplateForm) { f.Header = &wa.TemplateHeader{Format: wa.FormatImage} }), Facts{}, OK, "nothing was fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			j, _ := judged(t, c.content, c.options, c.facts)
			check := j.Check()
			if sum := check.Valid + check.Invalid + check.Duplicates + check.Suppressed + check.Refusers + check.LeftOut; sum != check.Rows {
				t.Errorf("the counts give %d of %d rows", sum, check.Rows)
			}
			if c.text == "" {
				return
			}
			at := slices.IndexFunc(check.Findings, func(f Finding) bool { return strings.Contains(f.Text, c.text) })
			switch {
			case c.severity == "" && at >= 0:
				t.Errorf("found: %+v", check.Findings[at])
			case c.severity != "" && at < 0:
				t.Errorf("not found in %+v", check.Findings)
			case c.severity != "" && check.Findings[at].Severity != c.severity:
				t.Errorf("%+v, want %s", check.Findings[at], c.severity)
			case check.OK() == (c.severity == Act):
				t.Errorf("OK %v with %+v", check.OK(), check.Findings)
			}
		})
	}
}

func TestOutlookNeedsNoList(t *testing.T) {
	c := Outlook(&wa.TemplateForm{Name: "hello", Language: "pt", Status: "PAUSED"}, 300, Facts{People: 250, Used: 100, Spares: 1, Pace: wa.Pace{Messages: 300, Per: time.Hour}})
	want := []Finding{
		{Act, "template hello/pt cannot be sent: it is paused", 0},
		{Act, "over the messaging limit (250 people in 24 hours, 100 of them used): 150 messages would be refused; send to fewer, wait, or keep to 6/h", 150},
		{OK, "300 messages at 300/h take 1 h 0 min", 0},
	}
	if diff := cmp.Diff(want, c.Findings); diff != "" || c.OK() || c.Duration != time.Hour {
		t.Error(diff, c)
	}
}

func TestColumnsAreRecognised(t *testing.T) {
	for content, want := range map[string]string{
		"phone,name\n+351912345678,Ana\n":                                "phone",
		"Handy-Nr.,Name\n+351912345678,Ana\n":                            "Handy-Nr.",
		"name,Teléfono móvil\nAna,+351912345678\n":                       "Teléfono móvil",
		"order number,whatsapp,phone\n1,+351912345678,+351212345678\n":   "whatsapp",
		"whatsapp,phone\nyes,+351912345678\n":                            "phone",
		"name,手机号\nAna,+351912345678\n":                                  "手机号",
		"name,휴대폰\nAna,+351912345678\n":                                  "휴대폰",
		"name,мобильный\nAna,+351912345678\n":                            "мобильный",
		"name,เบอร์โทร\nAna,+351912345678\n":                             "เบอร์โทร",
		"name,who\nAna,+351912345678\n":                                  "who",
		"customerPhone,orderNumber\n+351912345678,351912345679\n":        "customerPhone",
		"phone_country,phone_e164\nPT,+351912345678\n":                   "phone_e164",
		"born,who\n1980-12-24,+351912345678\n1981-12-24,+351912345679\n": "who",
		"Phone,Mobile\n+351212345678,+351912345678\n":                    "Mobile",
	} {
		r, err := Open(write(t, "list.csv", content), "list.csv")
		if err != nil {
			t.Fatal(err)
		}
		j, err := NewJudge(r, Options{}, Facts{})
		if err != nil {
			t.Errorf("%q: %v", content, err)
		} else if got := r.Columns()[j.columns.Phone]; got != want {
			t.Errorf("%q: %s", content, got)
		}
		r.Close()
	}
}

func TestConsentIsFoundByManyNames(t *testing.T) {
	for column, no := range map[string]string{
		"consent": "no", "Opt-In": "nein", "WhatsApp opt-in": "0", "whatsapp_consent": "false", "Marketing Consent": "N", "Accepts Marketing": "no", "hasOptedIn": "FALSE",
		"Einwilligung": "Nein", "Consentement": "non", "consentimiento": "", "同意": "否", "WhatsApp": "-", "opt_in_at": "", "Subscribed": "never_subscribed", "wa consent": "maybe",
		"do not WhatsApp": "1", "unsubscribed": "yes", "Opted out": "2026-01-31", "opt_out": "1", "do not contact": "x", "WhatsApp opt-out": "true", "Abgemeldet": "ja", "dnc": "who knows",
	} {
		yes := "yes"
		if slices.Contains([]string{"do not WhatsApp", "unsubscribed", "Opted out", "opt_out", "do not contact", "WhatsApp opt-out", "Abgemeldet", "dnc"}, column) {
			yes = "no"
		}
		j, all := judged(t, "phone,"+column+"\n+351912345678,"+no+"\n+351912345679,"+yes+"\n", Options{}, Facts{})
		if all[0].Reason == "" || all[1].Reason != "" {
			t.Errorf("%s: %q gives %q, %q gives %q (%+v)", column, no, all[0].Reason, yes, all[1].Reason, j.columns)
		}
	}
}

func TestConsentIsOfAChannel(t *testing.T) {
	_, all := judged(t, "phone,consent,sms_consent,Accepts Email Marketing,call\n+351912345678,yes,yes,no,\n+351912345679,yes,,yes,yes\n", Options{}, Facts{})
	want := []Consents{{WhatsApp: true, SMS: true}, {WhatsApp: true, Email: true, Voice: true}}
	for i, v := range all {
		if v.Consent != want[i] {
			t.Errorf("line %d: %v, want %v", v.Line, v.Consent, want[i])
		}
	}
}

// Whoever opted out of one channel is kept from that one, whatever consent they or
// the operator gave to it, and from no other.
func TestOptOutIsOfAChannel(t *testing.T) {
	for column, want := range map[string]string{
		"sms_opt_out": "sms", "sms_unsubscribed": "sms", "do_not_text": "sms", "do_not_call": "voice", "DoNotCall": "voice", "Don't call": "voice",
		"email_unsubscribed": "email", "unsubscribed_email": "email", "HasOptedOutOfEmail": "email", "mobile sms opt-out": "sms",
	} {
		j, all := judged(t, "phone,sms_consent,"+column+"\n+351912345678,yes,x\n+351912345679,yes,\n", Options{Attributes: []string{}}, Facts{})
		refused := j.Contact().Refused
		if len(refused) != 1 || !slices.Equal(refused[want], []string{column}) || all[0].Reason != "" || !all[0].Consent[WhatsApp] {
			t.Fatalf("%s: %v, %+v", column, refused, all[0])
		}
		if i := slices.Index(j.Columns(), column); i < 0 || !Refused(all[0].Values[i]) || Refused(all[1].Values[i]) {
			t.Errorf("%s: is not kept: %v, %q, %q", column, j.Columns(), all[0].Values, all[1].Values)
		}
		if all[0].Consent[SMS] != (want != "sms") || !all[1].Consent[SMS] {
			t.Errorf("%s: consent is %v and %v", column, all[0].Consent, all[1].Consent)
		}
	}
	j, all := judged(t, "phone,unsubscribed,do not contact,sms blocked,sms opt-out,sms_email_unsubscribed\n+351912345678,no,yes,,,\n", Options{}, Facts{})
	if r := j.Contact().Refused; all[0].Reason == "" || len(r["sms"]) != 3 || len(r["email"]) != 1 {
		t.Errorf("of several columns: %+v, %v", all[0], r)
	}
}

func TestWhatCannotBeBoundIsNamed(t *testing.T) {
	numbered := &wa.TemplateForm{Name: "n", Language: "pt", Body: "{{1}} and {{2}}"}
	for _, c := range []struct {
		content string
		options Options
		want    string
	}{
		{"phone,name\n+351912345678,Ana\n", Options{Form: numbered}, "list.csv: the template needs a value for 1, 2, and no column is called so; say which: --map 1=COLUMN. There are: phone, name"},
		{"phone,1\n+351912345678,Ana\n", Options{Form: numbered}, "list.csv: the template needs a value for 2, and no column is called so; say which: --map 2=COLUMN. There are: phone, 1"},
		{"phone,1\n+351912345678,Ana\n", Options{Form: numbered, Map: map[string]string{"2": "city"}}, `list.csv: there is no column "city"; there are: phone, 1`},
		{"phone,1\n+351912345678,Ana\n", Options{Form: numbered, Map: map[string]string{"3": "1"}}, `list.csv: the template has no variable "3"; it has: 1, 2`},
		{"phone,name\n+351912345678,Ana\n", Options{Form: offer}, "list.csv: the template needs a value for header (image), first_name, code, button1 (url), and no column is called so; say which: --map header=COLUMN. There are: phone, name"},
		{"phone,first_name,FirstName,code,header,button1\n+351912345678,Ana,,,,\n", Options{Form: offer, Map: map[string]string{"first_name": "firstname"}}, `list.csv: columns 2 and 3 are both called "firstname"; rename one of them`},
		{"phone,first_name,code,button1\n+351912345678,Ana,a,b\n", Options{Form: offer, Map: map[string]string{"header": "=ftp://example.com"}}, "list.csv: variable header: its address must begin with https://"},
		{"a,b\nx,y\n", Options{}, "list.csv: no column looks like phone numbers; say which it is: --phone COLUMN. There are: a, b"},
		{"a,b\n+351912345678,+351912345679\n", Options{}, "list.csv: the first line"},
		{"who,whom\n+351912345678,+351912345679\n", Options{}, `list.csv: columns "who" and "whom" could both be the phone number; say which: --phone COLUMN`},
		{"phone\n+351912345678\n", Options{Phone: "mobile"}, `list.csv: there is no column "mobile"; there are: phone`},
		{"phone\n+351912345678\n", Options{Country: "XX"}, `"XX" is no country; give its two-letter code, like DE or PT`},
		{"phone\n+351912345678\n", Options{Attributes: []string{"city"}}, `list.csv: there is no column "city"; there are: phone`},
	} {
		r, err := Open(write(t, "list.csv", c.content), "list.csv")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewJudge(r, c.options, Facts{}); c.want != "list.csv: the first line" && (err == nil || err.Error() != c.want) {
			t.Errorf("%v\nwant %s", err, c.want)
		}
		r.Close()
	}
}

func TestVariablesHaveManySpellings(t *testing.T) {
	form := &wa.TemplateForm{Body: "{{1}} {{2}}", Header: &wa.TemplateHeader{Format: wa.FormatDocument}, Buttons: []wa.TemplateButton{{Type: wa.ButtonQuickReply}, {Type: wa.ButtonCopyCode}}}
	j, all := judged(t, "phone,name,BODY.2,file,button 2\n+351912345678,Ana,b,https://example.com/a.pdf,c\n",
		Options{Form: form, Attributes: []string{}, Map: map[string]string{"{{1}}": "NAME", "Header": "file", "buttons.1": "=PAYLOAD"}}, Facts{})
	if want := map[string]int{"1": 0, "2": 1, "header": 2, "button2": 3, "button1": 4}; !maps.Equal(want, j.Bind()) {
		t.Error(j.Bind())
	}
	if diff := cmp.Diff([]string{"Ana", "b", "https://example.com/a.pdf", "c", "PAYLOAD"}, all[0].Values); diff != "" {
		t.Error(diff)
	}
	plan := wa.Plan{Columns: j.Columns(), Bind: j.Bind()}
	filled, err := form.Fill(func(v string) string { return plan.Value(all[0].Values, v) })
	if err != nil || len(filled.Values) != 5 {
		t.Error(filled, err)
	}
}

func TestACountryColumnReadsNumbers(t *testing.T) {
	_, all := judged(t, "phone,country\n0171 2345678,de\n912345678,PT\n0171 2345678,Germany\n", Options{}, Facts{})
	if all[0].Phone != "+491712345678" || all[1].Phone != "+351912345678" || all[2].Reason != NumberZero.String() {
		t.Errorf("%+v", all)
	}
}
