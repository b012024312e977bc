package list

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickwatch/wa"
)

// Defaults of Options.
const (
	defaultInvalidAct  = 0.05
	defaultRefusersAct = 0.03
)

// tally is what has been found of the rows so far.
type tally struct {
	rows, valid, invalid    int64
	faults                  [numberFaults]int64
	unfilled                int64
	duplicates, respelled   int64
	suppressed, held        int64 // and of these, those who did not opt out
	refusers                int64
	noConsent, contradicted int64
	us, capped              int64
	fixed, zero, plus       int64
	countries               map[string]int64 // of recipients
}

// take counts a recipient.
func (t *tally) take(v *Verdict, number Number) {
	t.valid++
	t.countries[v.Country]++
	if v.Capped {
		t.capped++
	}
	if number.Fixed {
		t.fixed++
	}
	if number.Mended&MendedZero != 0 {
		t.zero++
	}
	if number.Mended&MendedPlus != 0 {
		t.plus++
	}
}

// Check is what was found of the rows judged so far; whole after the last.
func (j *Judge) Check() Check {
	t := &j.found
	c := Check{
		Rows: t.rows, Valid: t.valid, Invalid: t.invalid, Duplicates: t.duplicates,
		Suppressed: t.suppressed, Refusers: t.refusers, LeftOut: t.noConsent + t.us, Capped: t.capped,
	}
	f := &findings{}
	f.people(j)
	f.numbers(j)
	f.consent(j)
	f.template(j.options.Form, &j.facts)
	f.media(j.bound)
	f.limit(t.valid, &j.facts)
	c.Duration, c.EndsAt = f.duration(t.valid, &j.facts)
	f.all = append(f.all, j.list.Notes()...)
	f.columns(j)
	c.Findings = f.sorted()
	return c
}

// Outlook is what a pre-flight says of so many people without their list: of the
// template, the messaging limit and the time that it takes. It is what is judged
// again when a campaign starts.
func Outlook(form *wa.TemplateForm, people int64, facts Facts) Check {
	f := &findings{}
	if people == 0 {
		f.say(Act, "nobody is left to write to")
	}
	f.template(form, &facts)
	f.limit(people, &facts)
	c := Check{Rows: people, Valid: people}
	c.Duration, c.EndsAt = f.duration(people, &facts)
	c.Findings = f.sorted()
	return c
}

// sorted cleans the findings, and puts first what to act on.
func (f *findings) sorted() []Finding {
	for i := range f.all {
		f.all[i].Text = wa.Clean(f.all[i].Text)
	}
	rank := func(severity string) int { return slices.Index([]string{Act, Watch, OK}, severity) }
	slices.SortStableFunc(f.all, func(a, b Finding) int { return cmp.Compare(rank(a.Severity), rank(b.Severity)) })
	return f.all
}

// findings collects what is worth to be said.
type findings struct{ all []Finding }

// add says something of a count of things; nothing of none.
func (f *findings) add(count int64, severity, text string, args ...any) {
	if count > 0 {
		f.all = append(f.all, Finding{severity, fmt.Sprintf(text, args...), count})
	}
}

// say says something that is not counted.
func (f *findings) say(severity, text string, args ...any) {
	f.all = append(f.all, Finding{severity, fmt.Sprintf(text, args...), 0})
}

// people says who gets no message, or not yet.
func (f *findings) people(j *Judge) {
	t := &j.found
	if t.valid == 0 && t.rows > 0 {
		f.say(Act, "nobody is left to write to")
	}
	f.add(t.duplicates, Watch, "doubled: %s of a person who has a row before; each gets one message", plural(t.duplicates, "row"))
	f.add(t.respelled, Watch, "of the doubles, %s the same number in another way", verb(t.respelled, "writes", "write"))
	f.add(t.suppressed-t.held, OK, "opted out: %s left out", plural(t.suppressed-t.held, "person"))
	f.add(t.held, OK, "suppressed: %s left out, for a rule or the suppression list holds them; the rejected rows say why", plural(t.held, "person"))
	if limit := cmp.Or(j.options.RefusersAct, defaultRefusersAct); over(t.refusers, t.rows, limit) {
		f.add(t.refusers, Act, "past refusers: %s of the list, over %s; these people had enough of your marketing, so ask where the list comes from (they are left out)", share(t.refusers, t.rows), percent(limit))
	} else {
		f.add(t.refusers, Watch, "past refusers: %s left out, for Meta would not deliver to them (131050)", plural(t.refusers, "person"))
	}
	f.add(t.capped, Watch, "had enough marketing lately: %s get theirs when they may, not at once", plural(t.capped, "person"))
	f.add(t.us, Watch, "US numbers: %s left out, for Meta delivers no marketing to them (131049)", plural(t.us, "person"))
}

// numbers says what is wrong with numbers, each fault by its own words.
func (f *findings) numbers(j *Judge) {
	t := &j.found
	bad := t.invalid - t.unfilled
	limit := cmp.Or(j.options.InvalidAct, defaultInvalidAct)
	if over(bad, t.rows, limit) {
		f.add(bad, Act, "invalid numbers: %s of the rows, over %s; mend the list before it starts", share(bad, t.rows), percent(limit))
	}
	if over(t.unfilled, t.rows, limit) {
		f.add(t.unfilled, Act, "%s of the rows have no value that the template needs, or one that Meta refuses; mend the list before it starts", share(t.unfilled, t.rows))
	} else {
		f.add(t.unfilled, Watch, "%s rejected: a value that the template needs is missing, or one that Meta refuses", plural(t.unfilled, "row"))
	}
	for fault, count := range t.faults {
		f.add(count, Watch, "%s rejected: %s", plural(count, "row"), NumberFault(fault))
	}
	f.add(t.fixed, Watch, "no mobile phones: %s with a landline or the like, which seldom has WhatsApp", plural(t.fixed, "person"))
	f.add(t.zero, Watch, "a zero kept behind the country code was dropped from %s", plural(t.zero, "number"))
	f.add(t.plus, Watch, "no plus: %s read as international; look whether the countries below are those of the list", plural(t.plus, "number"))
	if t.valid == 0 {
		return
	}
	codes := slices.SortedFunc(maps.Keys(t.countries), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.countries[b], t.countries[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, code := range codes {
		parts = append(parts, fmt.Sprintf("%s %s", cmp.Or(code, "no country"), thousands(t.countries[code])))
	}
	f.say(OK, "countries: %s", someOf(parts))
}

// consent says what the list says of it.
func (f *findings) consent(j *Judge) {
	t := &j.found
	if j.columns.Consent[WhatsApp] < 0 {
		f.say(Watch, "no consent column: the list does not say who agreed to be written to")
	}
	f.add(t.noConsent, OK, "no consent, or opted out in the list: %s left out", plural(t.noConsent, "row"))
	f.add(t.contradicted, Watch, "%s both yes and no to messages in different rows, and is left out", verb(t.contradicted, "person says", "people say"))
}

// template says whether the template can be sent, and what could replace it.
func (f *findings) template(form *wa.TemplateForm, facts *Facts) {
	if form == nil {
		return
	}
	name := form.Name + "/" + form.Language
	if form.Status != wa.StatusApproved {
		f.say(Act, "template %s cannot be sent: it is %s", name, strings.ToLower(cmp.Or(form.Status, "of unknown status")))
	}
	switch form.Quality {
	case wa.QualityRed:
		f.say(Act, "template %s is of low quality (RED): Meta is about to pause it; choose another", name)
	case wa.QualityYellow:
		f.say(Watch, "template %s is of medium quality (YELLOW): have another at hand", name)
	}
	if facts.Spares == 0 && !facts.NoTemplate {
		f.say(Watch, "no spare: no other approved template has the same variables, so there is nothing to swap to if Meta pauses this one")
	}
}

// media says what was not looked at.
func (f *findings) media(bound []binding) {
	for _, b := range bound {
		switch b.variable.Kind {
		case wa.VariableImage, wa.VariableVideo, wa.VariableDocument:
			f.say(OK, "the %s of the header goes by its address; nothing was fetched, so open one yourself", b.variable.Kind)
		}
	}
}

// limit compares the list with what the portfolio may still reach.
func (f *findings) limit(people int64, facts *Facts) {
	limit, used := int64(facts.People), int64(facts.Used)
	left := max(0, limit-used)
	over := people - left
	if limit <= 0 || over <= 0 {
		return
	}
	limited := fmt.Sprintf("%s people in 24 hours, %s of them used", thousands(limit), thousands(used))
	daily := facts.Pace.PerSecond() * 24 * 3600
	if daily > 0 && daily <= float64(left) {
		f.add(over, Watch, "more people than the messaging limit leaves today (%s); at %s the list keeps within it", limited, facts.Pace)
		return
	}
	f.add(over, Act, "over the messaging limit (%s): %s would be refused; send to fewer, wait, or keep to %d/h", limited, plural(over, "message"), max(1, left/24))
}

// duration forecasts the end at the pace.
func (f *findings) duration(people int64, facts *Facts) (time.Duration, time.Time) {
	perSecond := facts.Pace.PerSecond()
	if perSecond <= 0 || people == 0 {
		return 0, time.Time{}
	}
	const longest = 200 * 365 * 24 * 3600 // seconds, which a Duration can hold
	takes := time.Duration(min(float64(people)/perSecond, longest) * float64(time.Second))
	text := fmt.Sprintf("%s at %s take %s", plural(people, "message"), facts.Pace, span(takes))
	if people == 1 {
		text = fmt.Sprintf("1 message at %s takes %s", facts.Pace, span(takes))
	}
	if facts.Now.IsZero() {
		f.say(OK, "%s", text)
		return takes, time.Time{}
	}
	ends := facts.Now.Add(takes)
	f.say(OK, "%s: started now, the last goes out on %s", text, ends.Format("2 Jan at 15:04 MST"))
	return takes, ends
}

// columns says what was recognised, for the operator to look over.
func (f *findings) columns(j *Judge) {
	parts := []string{fmt.Sprintf("numbers from %q", j.list.columns[j.columns.Phone])}
	for _, c := range []struct {
		what    string
		columns []int
	}{
		{"consent", j.columns.Consent[WhatsApp : WhatsApp+1]},
		{"opt-outs", j.columns.OptedOut},
		{"opt-outs of SMS", j.columns.Refused[SMS]},
		{"opt-outs of calls", j.columns.Refused[Voice]},
		{"opt-outs of e-mail", j.columns.Refused[Email]},
		{"country", []int{j.columns.Country}},
	} {
		for _, column := range c.columns {
			if column >= 0 {
				parts = append(parts, fmt.Sprintf("%s from %q", c.what, j.list.columns[column]))
			}
		}
	}
	for _, b := range j.bound {
		from := strconv.Quote(b.value) + " for all"
		if b.column >= 0 {
			from = strconv.Quote(j.list.columns[b.column])
		}
		parts = append(parts, fmt.Sprintf("variable %s from %s", b.variable.Name, from))
	}
	f.say(OK, "read: %s", strings.Join(parts, ", "))
}

func over(count, of int64, limit float64) bool {
	return of > 0 && float64(count) > limit*float64(of)
}

func share(count, of int64) string { return percent(float64(count) / float64(max(of, 1))) }

func percent(x float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(100*x, 'f', 1, 64), ".0") + " %"
}

// plural counts things: "1 row", "12,360 rows".
func plural(n int64, thing string) string {
	switch {
	case n == 1:
	case thing == "person":
		thing = "people"
	default:
		thing += "s"
	}
	return thousands(n) + " " + thing
}

func verb(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(1, int(d.Round(time.Second).Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	case d < 48*time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}
