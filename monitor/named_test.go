package monitor

import (
	"testing"

	"tickwatch/store"
	"tickwatch/wa"
)

// A part that is set aside is found by its trait however that is spelled, so that it is
// not set aside twice and released once.
func TestTraitOf(t *testing.T) {
	p := wa.Plan{Aside: []wa.Trait{{Attribute: "country", Value: "CI"}, {Attribute: "prefix", Value: "22507"}}}
	for _, c := range []struct{ attribute, value, want string }{
		{"Country", "ci", "country=CI"},
		{"country", " CI ", "country=CI"},
		{"prefix", "+225 07", "prefix=22507"},
		{"Prefix", "22507", "prefix=22507"},
		{"country", "PT", "country=PT"},
		{"city", "Faro", "city=Faro"},
	} {
		if got := traitOf(&p, c.attribute, c.value).String(); got != c.want {
			t.Errorf("%s=%s is %s, want %s", c.attribute, c.value, got, c.want)
		}
	}
}

// The history names what an alarm was about, and never another matter of its kind.
func TestAlarmTitle(t *testing.T) {
	m := &Monitor{}
	for _, c := range []struct{ kind, subject, want string }{
		{"reports", "autumn", "autumn: Many people opt out"},
		{"reports", "autumn" + repliesSubject, "autumn: Many replies"},
		{"reports", "autumn" + typedSubject, "autumn: Many people report or block it, by a figure that was typed in"},
		{"host", "cpu", "This machine is very busy"},
		{"host", "memory", "This machine's memory fills up"},
		{"host", "disk", "The disk of the data folder fills up"},
		{"host", "queue", "Many messages wait for Meta's word"},
		{"host", "answers", "Webhooks are answered late"},
		{"host", "store", "Webhooks cannot be stored and are turned away"},
		{"host", "sheet", "Rows wait for the sheet"},
		{"host", "notify", "Alarms do not reach everybody who should be told"},
		{"host", "another", "its own words"},
	} {
		a := store.Alarm{Kind: c.kind, Subject: c.subject, Text: "its own words"}
		if c.kind == "reports" {
			a.Campaign = "autumn"
		}
		if got := m.alarmTitle(&a); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.kind, c.subject, got, c.want)
		}
	}
}

// A template that a watched campaign was said to send, by its name alone, is known
// where one has that name.
func TestTemplateOfAWatchedCampaign(t *testing.T) {
	m := &Monitor{templates: map[int64]wa.Template{
		1: {ID: 1, Name: "offer", Language: "en"}, 2: {ID: 2, Name: "offer", Language: "fr"}, 3: {ID: 3, Name: "news", Language: "en"},
	}}
	for said, want := range map[string]int64{"offer": 0, "offer/fr": 2, "news": 3, "": 0, "gone": 0} {
		l := &live{}
		l.Template = said
		for range 20 { // maps have no order
			if got := m.templateOf(l); got != want {
				t.Fatalf("%q is template %d, want %d", said, got, want)
			}
		}
		l.Latest = 1
		m.campaigns = map[int64]*live{1: l}
		if want != 0 && !m.templateInUse(2, &wa.Template{ID: want, Name: m.templates[want].Name, Language: m.templates[want].Language}) {
			t.Errorf("%q runs, and its template is in no use", said)
		}
		if news := m.templates[3]; said == "offer/fr" && (m.templateInUse(2, &news) || m.mayUse(l, &news)) {
			t.Error("another template is in use")
		}
	}
}
