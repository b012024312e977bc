package sandbox

import (
	"regexp"
	"strings"

	"tickwatch/wa"
)

// SpareTemplate has the variables of CampaignTemplate and a good quality: the
// rest of a campaign can go out with it.
const SpareTemplate = "autumn_offer_b"

// Statuses of a template that is not approved.
const (
	statusPaused   = "PAUSED"
	statusDisabled = "DISABLED"
	statusPending  = "PENDING"
	statusRejected = "REJECTED"
)

// template is a message template: what changes of it, under the account's mu,
// and what it is made of, which does not.
type template struct {
	wa.Template
	named    bool // its variables have names; else they are numbered
	header   *wa.TemplateHeader
	body     string
	footer   string
	buttons  []wa.TemplateButton
	rejected string // why, of one that was rejected
	past     past   // what it was sent for before the sandbox began
}

var place = regexp.MustCompile(`\{\{(\w+)\}\}`)

// places are the variables of a text, in order of first use, each once.
func places(text string) (names []string) {
	seen := map[string]bool{}
	for _, m := range place.FindAllStringSubmatch(text, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			names = append(names, m[1])
		}
	}
	return names
}

// stop is the template's quick-reply button; nil when it has none.
func (t *template) stop() *wa.TemplateButton {
	for i, b := range t.buttons {
		if b.Type == wa.ButtonQuickReply {
			return &t.buttons[i]
		}
	}
	return nil
}

// price is the pricing category of a message made of the template.
func (t *template) price() string { return strings.ToLower(t.Category) }

// shelf is every template of the account, the campaign's first. Its id exceeds
// 2^53, as Meta's may.
func shelf() []*template {
	var (
		image = &wa.TemplateHeader{Format: wa.FormatImage}
		stop  = []wa.TemplateButton{{Type: wa.ButtonQuickReply, Text: stopButton}}
		next  = int64(990_000_000_000_002)
		all   []*template
	)
	add := func(name, category, status string, quality wa.Quality, t template) *template {
		t.Template = wa.Template{
			ID: next, Name: name, Language: CampaignLanguage, Category: category, Status: status, Quality: quality,
		}
		next++
		all = append(all, &t)
		return &t
	}
	const marketing, utility, approved = wa.CategoryMarketing, wa.CategoryUtility, wa.StatusApproved

	add(CampaignTemplate, marketing, approved, wa.QualityUnknown, template{
		header: image, body: "Olá {{1}}, até domingo tem 20 % em toda a coleção de outono.", buttons: stop,
	}).ID = 9_900_000_000_000_001
	next--
	add("autumn_offer_short", marketing, approved, wa.QualityUnknown, template{
		header: image, body: "Olá {{1}}, 20 % até domingo.", buttons: stop,
	})
	add("order_news", utility, approved, wa.QualityGreen, template{
		body: "Hello {{1}}, your order moved.",
	}).Language = "en_US"
	add(SpareTemplate, marketing, approved, wa.QualityGreen, template{
		header: image, body: "Olá {{1}}, a coleção de outono tem 20 % de desconto esta semana.", buttons: stop,
		past: past{sends: 4200, blocks: 3, reason: "NO_REASON_GIVEN"},
	})
	add("autumn_invitation", marketing, approved, wa.QualityGreen, template{
		header: &wa.TemplateHeader{Format: wa.FormatText, Text: "Um convite para {{1}} e amigos"},
		body:   "A loja de {{1}} abre no dia {{2}} às dez horas.", footer: "Até breve", buttons: stop,
	})
	add("delivery_news", utility, approved, wa.QualityGreen, template{
		named: true, body: "Olá {{first_name}}, a encomenda {{order}} chega no dia {{day}}, entre as 9 e as 18 horas.",
	})
	add("price_list", marketing, approved, wa.QualityGreen, template{
		header: &wa.TemplateHeader{Format: wa.FormatDocument}, body: "Olá {{1}}, aqui tem a tabela de preços de outono.", buttons: stop,
	})
	add("autumn_voucher", marketing, approved, wa.QualityGreen, template{
		body: "Olá {{1}}, este código vale 20 % até domingo.",
		buttons: []wa.TemplateButton{
			{Type: wa.ButtonURL, Text: "Ver a coleção", URL: "https://shop.example/outono/{{1}}"},
			{Type: wa.ButtonCopyCode, Text: "Copiar o código"},
			{Type: wa.ButtonURL, Text: "Condições", URL: "https://shop.example/condicoes"},
			{Type: wa.ButtonPhone, Text: "Ligar", Phone: "+351910000001"},
			stop[0],
		},
	})
	add("shop_opening", marketing, approved, wa.QualityGreen, template{
		header: &wa.TemplateHeader{Format: wa.FormatLocation}, body: "Olá {{1}}, abrimos uma loja perto de si.",
		buttons: []wa.TemplateButton{{Type: wa.ButtonFlow, Text: "Marcar visita"}, stop[0]},
	})
	add("autumn_film", marketing, approved, wa.QualityYellow, template{
		header: &wa.TemplateHeader{Format: wa.FormatVideo}, body: "Olá {{1}}, veja a coleção de outono.", buttons: stop,
	})
	add("summer_sale", marketing, statusPaused, wa.QualityRed, template{
		header: image, body: "Olá {{1}}, últimos dias de saldos.", buttons: stop,
	})
	add("winter_preview", marketing, statusPending, wa.QualityUnknown, template{
		header: image, body: "Olá {{1}}, a coleção de inverno está a chegar.", buttons: stop,
	})
	add("autumn_prize", marketing, statusRejected, wa.QualityUnknown, template{
		header: image, body: "Olá {{1}}, responda e pode ganhar um prémio.", buttons: stop, rejected: "SCAM",
	})
	add("last_call", marketing, statusDisabled, wa.QualityRed, template{
		header: image, body: "Olá {{1}}, é a última oportunidade.", buttons: stop,
	})
	return all
}

// components are what the template is made of, as the Graph API writes it.
func (t *template) components() []map[string]any {
	var all []map[string]any
	if h := t.header; h != nil {
		c := map[string]any{"type": "HEADER", "format": h.Format}
		if h.Format == wa.FormatText {
			c["text"] = h.Text
			if len(places(h.Text)) > 0 {
				c["example"] = map[string]any{"header_text": []string{"Ana"}}
			}
		}
		all = append(all, c)
	}
	all = append(all, map[string]any{"type": "BODY", "text": t.body, "example": t.example()})
	if t.footer != "" {
		all = append(all, map[string]any{"type": "FOOTER", "text": t.footer})
	}
	if len(t.buttons) == 0 {
		return all
	}
	var buttons []map[string]any
	for _, b := range t.buttons {
		c := map[string]any{"type": b.Type, "text": b.Text}
		switch b.Type {
		case wa.ButtonURL:
			c["url"] = b.URL
			if len(places(b.URL)) > 0 {
				c["example"] = []string{strings.ReplaceAll(b.URL, "{{1}}", "ana")}
			}
		case wa.ButtonPhone:
			c["phone_number"] = b.Phone
		case wa.ButtonCopyCode:
			c["example"] = []string{"OUTONO20"}
		case wa.ButtonFlow:
			c["flow_id"], c["flow_action"] = "880100200300400", "navigate"
		}
		buttons = append(buttons, c)
	}
	return append(all, map[string]any{"type": "BUTTONS", "buttons": buttons})
}

// example is the sample of the body's variables that every template is approved with.
func (t *template) example() map[string]any {
	if t.named {
		var named []map[string]string
		for _, name := range places(t.body) {
			named = append(named, map[string]string{"param_name": name, "example": "Ana"})
		}
		return map[string]any{"body_text_named_params": named}
	}
	sample := []string{}
	for range places(t.body) {
		sample = append(sample, "Ana")
	}
	return map[string]any{"body_text": [][]string{sample}}
}
