package sandbox

import (
	"fmt"
	"slices"
	"sync"

	"tickwatch/wa"
)

// AccountID is the WhatsApp Business Account that the stand-in plays.
const AccountID = "400100200300400"

// numberIDs are its phone_number_ids.
var numberIDs = [...]string{"500100200300400", "500100200300401"}

// Numbers are the account's phone_number_ids.
func Numbers() []string { return slices.Clone(numberIDs[:]) }

// The quick-reply button that marketing templates here end with, and what the
// outside sender has it bring back.
const (
	stopPayload = "STOP_PROMO"
	stopButton  = "Parar promoções"
)

// account is the business side of the stand-in: its numbers and templates. Of
// both only what embeds from wa changes, under mu, and a number's meter.
type account struct {
	mu        sync.Mutex
	numbers   []*number
	templates []*template
}

type number struct {
	wa.Number
	place        int // among the account's numbers
	verifiedName string
	calling      string // country code, put before recipients that are given without a plus
	throughput   meter
}

func newAccount() *account {
	quiet := func(place int, display, calling string) *number {
		id := numberIDs[place]
		return &number{
			place:        place,
			Number:       wa.Number{ID: id, Display: display, Quality: wa.QualityGreen, Status: "CONNECTED", Limit: "TIER_100K"},
			verifiedName: "Autumn Shop", calling: calling,
		}
	}
	return &account{
		numbers: []*number{
			quiet(0, "351910000001", "351"),
			quiet(1, "4915550000002", "49"),
		},
		templates: shelf(),
	}
}

// opening is what Meta has to tell of an account that begins to send.
func (s *Sandbox) opening() []news {
	return []news{{numberEvent: "ONBOARDING", templateStatus: "APPROVED", templateQuality: wa.QualityGreen}}
}

// announce lets the account change, and queues the webhooks that tell of it.
func (s *Sandbox) announce(n news) {
	at := s.begin + millis(n.after)
	for i, u := range s.account.change(n, at) {
		s.feed.queue(u, false)
		if s.scenario.everyMany {
			s.repeat(u, at, stream(s.opts.Seed, "news", n.after, i))
		}
	}
}

// SetTemplate changes how a template stands, as Meta would: it tells of it by
// webhook. What is empty stays as it is.
func (s *Sandbox) SetTemplate(name, language, status string, quality wa.Quality) error {
	t, _ := s.account.template(name, language)
	if t == nil {
		return fmt.Errorf("sandbox: there is no template %s in %s", wa.Clean(name), wa.Clean(language))
	}
	n := news{template: t, templateStatus: status, templateQuality: quality}
	if status == statusPaused {
		n.info = &otherInfo{"FIRST_PAUSE", "Paused for 3 hours after feedback"}
	}
	s.tellNow(n)
	return nil
}

// SetNumber changes how a number stands, as Meta would: no webhook tells of its
// quality or its status, so whoever wants to know must ask the Graph API
// (whatsapp.md §2.7). What is empty stays as it is.
func (s *Sandbox) SetNumber(id, status string, quality wa.Quality) error {
	m := s.account.number(id)
	if m == nil {
		return fmt.Errorf("sandbox: there is no number %s", wa.Clean(id))
	}
	s.tellNow(news{number: m, numberStatus: status, numberQuality: quality})
	return nil
}

func (s *Sandbox) tellNow(n news) {
	at := wa.At(s.opts.Now())
	for _, u := range s.account.change(n, at) {
		s.feed.queue(u, false)
	}
	s.agenda.at(at, func() {}) // has it delivered
}

// change applies news and gives what is told of it.
func (a *account) change(n news, at wa.Instant) (told []update) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.numbers {
		if n.number != nil && n.number != m {
			continue
		}
		if n.numberQuality != "" {
			m.Quality, m.Since = n.numberQuality, at
		}
		if n.numberStatus != "" {
			m.Status, m.Since = n.numberStatus, at
		}
		if n.numberEvent != "" {
			told = append(told, update{field: fieldNumber, at: at, value: numberValue{
				Display: m.Display, Event: n.numberEvent, Current: m.Limit, Limit: m.Limit,
			}})
		}
	}
	t := n.template
	if t == nil {
		t = a.templates[0]
	}
	value := templateValue{ID: t.ID, Name: t.Name, Language: t.Language}
	if n.templateStatus != "" {
		t.Status, t.Since = n.templateStatus, at
		v := value
		v.Event, v.Category, v.Reason, v.Info = n.templateStatus, t.Category, "NONE", n.info
		told = append(told, update{field: fieldTemplateStatus, at: at, value: v})
	}
	if n.templateQuality != "" {
		v := value
		v.Previous, v.Quality = string(t.Quality), string(n.templateQuality)
		t.Quality, t.Since = n.templateQuality, at
		told = append(told, update{field: fieldTemplateQuality, at: at, value: v})
	}
	return told
}

// number finds a number by id; nil when there is none.
func (a *account) number(id string) *number {
	for _, n := range a.numbers {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// template finds a template and its present status; nil when there is none.
func (a *account) template(name, language string) (t *template, status string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.templates {
		if t.Name == name && t.Language == language {
			return t, t.Status
		}
	}
	return nil, ""
}

// numberNow is how a number stands.
func (a *account) numberNow(n *number) wa.Number {
	a.mu.Lock()
	defer a.mu.Unlock()
	return n.Number
}

// templateNow is how a template stands.
func (a *account) templateNow(t *template) wa.Template {
	a.mu.Lock()
	defer a.mu.Unlock()
	return t.Template
}

// state is how all numbers and templates stand.
func (a *account) state() (numbers []wa.Number, templates []wa.Template) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.numbers {
		numbers = append(numbers, n.Number)
	}
	for _, t := range a.templates {
		templates = append(templates, t.Template)
	}
	return numbers, templates
}
