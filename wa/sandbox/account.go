package sandbox

import (
	"strings"
	"sync"

	"tickwatch/wa"
)

// AccountID is the WhatsApp Business Account that the stand-in plays.
const AccountID = "400100200300400"

// numberIDs are its phone_number_ids.
var numberIDs = [...]string{"500100200300400", "500100200300401"}

// The quick-reply button that every marketing template here ends with.
const (
	stopPayload = "STOP_PROMO"
	stopButton  = "Parar promoções"
)

// account is the business side of the stand-in: its numbers and templates. Of
// both only what embeds from wa changes, under mu.
type account struct {
	mu        sync.Mutex
	numbers   []*number
	templates []*template
}

type number struct {
	wa.Number
	verifiedName string
	calling      string // country code, put before recipients that are given without a plus
}

type template struct {
	wa.Template
	body      string
	variables int  // in the body
	marketing bool // has an image above and the stop button below
}

// price is the pricing category of a message made of the template.
func (t *template) price() string { return strings.ToLower(t.Category) }

func newAccount() *account {
	quiet := func(id, display, calling string) *number {
		return &number{
			Number:       wa.Number{ID: id, Display: display, Quality: wa.QualityGreen, Status: "CONNECTED", Limit: "TIER_100K"},
			verifiedName: "Autumn Shop", calling: calling,
		}
	}
	// The first id exceeds 2^53, as Meta's may.
	offer := func(id int64, name, body string) *template {
		return &template{
			Template: wa.Template{
				ID: id, Name: name, Language: CampaignLanguage, Category: "MARKETING", Status: "APPROVED", Quality: wa.QualityUnknown,
			},
			body: body, variables: 1, marketing: true,
		}
	}
	return &account{
		numbers: []*number{
			quiet(numberIDs[0], "351910000001", "351"),
			quiet(numberIDs[1], "4915550000002", "49"),
		},
		templates: []*template{
			offer(9_900_000_000_000_001, CampaignTemplate, "Olá {{1}}, até domingo tem 20 % em toda a coleção de outono."),
			offer(990_000_000_000_002, "autumn_offer_short", "Olá {{1}}, 20 % até domingo."),
			{
				Template: wa.Template{
					ID: 990_000_000_000_003, Name: "order_news", Language: "en_US", Category: "UTILITY", Status: "APPROVED", Quality: wa.QualityGreen,
				},
				body: "Hello {{1}}, your order moved.", variables: 1,
			},
		},
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

// change applies news, to the campaign's template and to every number, and
// gives what is told of it.
func (a *account) change(n news, at wa.Instant) (told []update) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.numbers {
		if n.numberQuality != "" {
			m.Quality, m.Since = n.numberQuality, at
		}
		if n.numberEvent != "" {
			told = append(told, update{field: fieldNumber, at: at, value: numberValue{
				Display: m.Display, Event: n.numberEvent, Current: m.Limit, Limit: m.Limit,
			}})
		}
	}
	t := a.templates[0]
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
