package list

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickwatch/wa"
)

// Options say how a list is to be read, and what for.
type Options struct {
	Phone   string // column of the numbers; "" = the one that looks like it
	Consent string // column of the consent for WhatsApp; "" = the one that is called so
	Country string // ISO 3166 code of numbers that are written without one; "" = none

	Form       *wa.TemplateForm  // whose variables are filled; nil = none
	Map        map[string]string // variable → column, "=TEXT" or the https address of a medium; others are bound to the column of their name
	Attributes []string          // columns to keep beside what the template needs; nil = all

	// USMarketing keeps US numbers of a marketing campaign, which Meta does not
	// deliver to (131049, since 2025-04-01). They are left out otherwise.
	USMarketing bool

	InvalidAct  float64 // share of invalid rows over which Act is found; 0 = 5 %
	RefusersAct float64 // the same of past refusers; 0 = 3 %
}

// Facts are what is known besides the list. Zero is not known, or nobody.
type Facts struct {
	OptedOut func(phone string) bool // asked not to be written to
	Refuser  func(phone string) bool // refused our marketing at Meta before (131050)
	// Suppressed says why a person must not be written to for another reason, a few
	// words; "" = they may be.
	Suppressed func(phone string) string
	Capped     func(phone string) bool // had as many marketing messages lately as anyone may

	People     int     // messaging limit: people in 24 hours
	Used       int     // people reached in the last 24 hours
	Pace       wa.Pace // of the campaign
	Spares     int     // other approved templates with the same variables
	NoTemplate bool    // templates cannot be asked for now: Spares is not known
	Now        time.Time
}

// Verdict is what comes of a row: a recipient, or a reject where Reason is not empty.
type Verdict struct {
	Line    int64
	Phone   string   // E.164, with the plus
	Country string   // ISO 3166 code of the number; "" = of none
	Values  []string // by Judge.Columns; foreign text
	Consent Consents
	Capped  bool // has to wait, for the person had enough messages lately

	Reason string // why nothing comes of the row; clean
	Value  string // of a reject, the cell that Reason speaks of; foreign text
}

// Judge turns the rows of a list into recipients, in one pass.
type Judge struct {
	list    *Reader
	options Options
	facts   Facts
	columns Columns
	bound   []binding
	names   []string       // of Verdict.Values
	from    []int          // column of the file that each is of; -1 = constant
	values  []string       // constants
	bind    map[string]int // variable → index of names
	numbers *Numbers
	codes   map[string]string // country cells → ISO 3166 code
	seen    *seen

	withdrawn []string
	found     tally
	ended     bool
}

// NewJudge recognises the list's columns and binds the template's variables. An
// error says which cannot be found, and lists those that there are.
func NewJudge(list *Reader, o Options, f Facts) (*Judge, error) {
	numbers, err := NewNumbers(o.Country)
	if err != nil {
		return nil, err
	}
	j := &Judge{list: list, options: o, facts: f, numbers: numbers, seen: newSeen(), codes: map[string]string{}}
	if j.columns, err = list.findColumns(o.Phone, o.Consent, numbers); err != nil {
		return nil, err
	}
	if o.Form != nil {
		if j.bound, err = list.bind(o.Form, o.Map); err != nil {
			return nil, err
		}
	}
	for _, b := range j.bound {
		if b.column < 0 {
			if why := b.unfit(b.value); why != "" {
				return nil, list.problem(0, 0, fmt.Sprintf("variable %s: %s", wa.Clean(b.variable.Name), why))
			}
		}
	}
	if err := j.keep(); err != nil {
		return nil, err
	}
	j.found.countries = map[string]int64{}
	return j, nil
}

// keep lays out Verdict.Values: the columns that are kept, then constants.
func (j *Judge) keep() error {
	kept := make([]bool, len(j.list.columns))
	for _, name := range j.options.Attributes {
		i, err := j.list.named(name)
		if err != nil {
			return err
		}
		kept[i] = true
	}
	for i := range kept {
		kept[i] = kept[i] || j.options.Attributes == nil && i != j.columns.Phone
	}
	for _, b := range j.bound {
		if b.column >= 0 {
			kept[b.column] = true
		}
	}
	beside := append([]int{j.columns.Email, j.columns.Language}, j.columns.Consent[SMS:]...)
	for _, i := range slices.Concat(beside, slices.Concat(j.columns.Refused[:]...)) {
		if i >= 0 { // who failed may be reached another way
			kept[i] = true
		}
	}
	for i, name := range j.list.columns {
		if kept[i] {
			j.names, j.from, j.values = append(j.names, name), append(j.from, i), append(j.values, "")
		}
	}
	j.bind = map[string]int{}
	for _, b := range j.bound {
		if b.column >= 0 {
			j.bind[b.variable.Name] = slices.Index(j.from, b.column)
			continue
		}
		j.bind[b.variable.Name] = len(j.names)
		j.names, j.from, j.values = append(j.names, constant+b.variable.Name), append(j.from, -1), append(j.values, b.value)
	}
	return nil
}

// Columns names Verdict.Values, as wa.Plan.Columns.
func (j *Judge) Columns() []string { return j.names }

// Contact names the columns that say how to reach people otherwise, as
// wa.Plan.Contact.
func (j *Judge) Contact() wa.Contact {
	name := func(i int) string {
		if i < 0 {
			return ""
		}
		return j.list.columns[i]
	}
	c := wa.Contact{Email: name(j.columns.Email), Language: name(j.columns.Language)}
	for i, channel := range [...]string{SMS: wa.ChannelSMS, Voice: wa.ChannelVoice, Email: wa.ChannelEmail} {
		if channel != "" && j.columns.Consent[i] >= 0 {
			if c.Consent == nil {
				c.Consent = map[string]string{}
			}
			c.Consent[channel] = name(j.columns.Consent[i])
		}
		for _, column := range j.columns.Refused[i] {
			if c.Refused == nil {
				c.Refused = map[string][]string{}
			}
			c.Refused[channel] = append(c.Refused[channel], name(column))
		}
	}
	return c
}

// Bind says which of Columns a variable's value is in, as wa.Plan.Bind.
func (j *Judge) Bind() map[string]int { return j.bind }

// Withdrawn are people of whom a later row said that they do not want messages.
// They were given as recipients and must be left out. It is whole after the last row.
func (j *Judge) Withdrawn() []string { return j.withdrawn }

// Next judges the next row; io.EOF after the last.
func (j *Judge) Next() (Verdict, error) {
	row, err := j.list.Next()
	if err != nil {
		j.ended = j.ended || errors.Is(err, io.EOF)
		return Verdict{}, err
	}
	j.found.rows++
	v := Verdict{Line: row.Line}
	written := row.Cells[j.columns.Phone]
	number, fault := j.numbers.Read(written, j.countryOf(row.Cells))
	if fault != NumberOK {
		j.found.faults[fault]++
		j.found.invalid++
		v.Reason, v.Value = fault.String(), written
		return v, nil
	}
	v.Phone, v.Country = number.E164, number.Country
	digits, _ := strconv.ParseUint(number.E164[1:], 10, 64)
	slot, known, same := j.seen.add(digits, written, row.Line)
	var why string
	if v.Consent, why = j.columns.consents(row.Cells); why != "" {
		j.leaveOut(&v, slot, known, why)
		v.Value = written
		return v, nil
	}
	if known && j.seen.is(slot, settled) {
		v.Reason, v.Value = j.double(slot, same), written
		return v, nil
	}
	if v.Reason = j.unwanted(&v); v.Reason != "" {
		j.seen.note(slot, row.Line, settled)
		v.Value = written
		return v, nil
	}
	if v.Reason, v.Value = j.unfilled(row.Cells); v.Reason != "" {
		return v, nil // another row of this person may have what is missing
	}
	j.seen.note(slot, row.Line, settled|queued)
	j.accept(&v, number, row.Cells)
	return v, nil
}

// countryOf is the country that a row names; "" = none that we know.
func (j *Judge) countryOf(cells []string) string {
	if j.columns.Country < 0 {
		return ""
	}
	cell := cells[j.columns.Country]
	code, ok := j.codes[cell]
	if !ok && len(j.codes) < 1000 {
		code = CountryCode(cell)
		j.codes[strings.Clone(cell)] = code
	}
	return code
}

// leaveOut leaves a person out for good: an earlier row that said otherwise counts
// no more.
func (j *Judge) leaveOut(v *Verdict, slot uint64, known bool, why string) {
	v.Reason = why
	j.found.noConsent++
	if known && j.seen.is(slot, queued) {
		j.withdrawn = append(j.withdrawn, v.Phone)
		j.found.valid--
		j.found.noConsent++
		j.found.contradicted++
	}
	j.seen.note(slot, v.Line, settled)
}

func (j *Judge) double(slot uint64, same bool) string {
	j.found.duplicates++
	if same {
		return fmt.Sprintf("the same number as in line %d", j.seen.line(slot))
	}
	j.found.respelled++
	return fmt.Sprintf("the same number as in line %d, written another way", j.seen.line(slot))
}

// marketing tells campaigns to which the rules for marketing apply. Without a
// template it is not known; then they do.
func (j *Judge) marketing() bool {
	return j.options.Form == nil || j.options.Form.Category == wa.CategoryMarketing
}

// unwanted says why a person gets no message, whatever the row says.
func (j *Judge) unwanted(v *Verdict) string {
	asked := func(f func(string) bool) bool { return f != nil && f(v.Phone) }
	switch {
	case j.marketing() && asked(j.facts.Refuser):
		j.found.refusers++
		return "refused our marketing on WhatsApp before (131050)"
	case asked(j.facts.OptedOut):
		j.found.suppressed++
		return "opted out"
	}
	if j.facts.Suppressed != nil {
		if why := j.facts.Suppressed(v.Phone); why != "" {
			j.found.suppressed++
			j.found.held++
			return why
		}
	}
	switch {
	case v.Country == "US" && j.options.Form != nil && j.marketing() && !j.options.USMarketing:
		j.found.us++
		return "a US number: Meta delivers no marketing there (131049)"
	}
	return ""
}

// accept makes a recipient of a row.
func (j *Judge) accept(v *Verdict, number Number, cells []string) {
	v.Values = make([]string, len(j.names))
	for i, from := range j.from {
		if v.Values[i] = j.values[i]; from >= 0 {
			v.Values[i] = strings.TrimSpace(cells[from])
		}
	}
	v.Capped = j.marketing() && j.facts.Capped != nil && j.facts.Capped(v.Phone)
	j.found.take(v, number)
}

// unfilled says which variable a row has no usable value for.
func (j *Judge) unfilled(cells []string) (why, value string) {
	for i := range j.bound {
		b := &j.bound[i]
		if b.column < 0 {
			continue
		}
		value = cells[b.column]
		if why = b.unfit(value); why != "" {
			j.found.unfilled++
			j.found.invalid++
			return fmt.Sprintf("variable %s (column %s): %s", wa.Clean(b.variable.Name), j.list.columns[b.column], why), value
		}
	}
	return "", ""
}
