package sandbox

import (
	"net/http"
	"strconv"
	"strings"
)

// past is what became of a template's messages before the sandbox began.
type past struct {
	sends, blocks int
	reason        string // top block reason
}

// comparedFrom is how often both templates must have been sent (whatsapp.md §5).
const comparedFrom = 1000

// topReason is why most of those block who block a campaign here.
const topReason = "NO_SIGN_UP"

// getComparison compares exactly two templates. People who opt out stand for those
// who block: whoever asks learns an order and a reason, and no rate, as at Meta.
func (s *Sandbox) getComparison(r *http.Request) (any, *graphError) {
	one := s.templateWithID(r.PathValue("id"))
	if one == nil {
		return nil, noSuchNode(r.PathValue("id"))
	}
	other := s.templateWithID(strings.Trim(r.URL.Query().Get("template_ids"), `["]`))
	if other == nil || other == one {
		return nil, invalid("template_ids must name one other template of the account")
	}
	first, second := s.record(one), s.record(other)
	if first.sends < comparedFrom || second.sends < comparedFrom {
		return nil, invalid("Both templates must have been sent at least 1000 times in the time frame")
	}
	id := func(t *template) string { return strconv.FormatInt(t.ID, 10) }
	order := []string{id(one), id(other)}
	if second.blocks*first.sends < first.blocks*second.sends {
		order[0], order[1] = order[1], order[0]
	}
	value := func(t *template, v any) map[string]any { return map[string]any{"key": id(t), "value": v} }
	return map[string]any{"data": []map[string]any{
		{"metric": "BLOCK_RATE", "type": "RELATIVE", "order_by_relative_metric": order},
		{"metric": "MESSAGE_SENDS", "type": "NUMBER_VALUES", "number_values": []any{value(one, first.sends), value(other, second.sends)}},
		{"metric": "TOP_BLOCK_REASON", "type": "STRING_VALUES", "string_values": []any{value(one, first.reason), value(other, second.reason)}},
	}}, nil
}

func (s *Sandbox) templateWithID(id string) *template {
	for _, t := range s.account.templates {
		if strconv.FormatInt(t.ID, 10) == id {
			return t
		}
	}
	return nil
}

// record is what became of all messages of a template.
func (s *Sandbox) record(t *template) past {
	out := t.past
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	of := map[string]bool{}
	for _, m := range s.ledger.messages {
		if m.Template == t.Name && m.Language == t.Language {
			of[m.ID] = true
		}
	}
	out.sends += len(of)
	for _, o := range s.ledger.books.OptOuts {
		if of[o.MessageID] {
			out.blocks++
			out.reason = topReason
		}
	}
	if out.reason == "" {
		out.reason = "UNKNOWN_BLOCK_REASON"
	}
	return out
}
