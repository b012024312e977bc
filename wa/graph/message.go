package graph

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"tickwatch/wa"
)

// The body of a send (whatsapp.md §3.1, §3.2).
type (
	message struct {
		Product       string   `json:"messaging_product"`
		RecipientType string   `json:"recipient_type"`
		To            string   `json:"to"`
		Type          string   `json:"type"`
		Policy        string   `json:"product_policy,omitempty"`
		CallbackData  string   `json:"biz_opaque_callback_data,omitempty"`
		Template      template `json:"template"`
	}
	template struct {
		Name       string      `json:"name"`
		Language   language    `json:"language"`
		Components []component `json:"components,omitempty"`
	}
	language struct {
		Code string `json:"code"`
	}
	component struct {
		Type       string      `json:"type"`
		SubType    string      `json:"sub_type,omitempty"`
		Index      string      `json:"index,omitempty"` // of a button, from 0
		Parameters []parameter `json:"parameters"`
	}
	parameter struct {
		Type     string    `json:"type"`
		Name     string    `json:"parameter_name,omitempty"`
		Text     string    `json:"text,omitempty"`
		Payload  string    `json:"payload,omitempty"`
		Code     string    `json:"coupon_code,omitempty"`
		Image    *media    `json:"image,omitempty"`
		Video    *media    `json:"video,omitempty"`
		Document *media    `json:"document,omitempty"`
		Location *location `json:"location,omitempty"`
		Action   *action   `json:"action,omitempty"`
	}
	media struct {
		ID       string `json:"id,omitempty"`
		Link     string `json:"link,omitempty"`
		Filename string `json:"filename,omitempty"` // of a document; the recipient sees it
	}
	location struct {
		Latitude  string `json:"latitude"`
		Longitude string `json:"longitude"`
		Name      string `json:"name,omitempty"`
		Address   string `json:"address,omitempty"`
	}
	action struct {
		FlowToken string `json:"flow_token"`
	}
)

// fallback lets Meta send by the Cloud API what the Marketing Messages API cannot.
const fallback = "CLOUD_API_FALLBACK"

// unsendable refuses, in Meta's place, what it would refuse or send elsewhere.
func unsendable(format string, args ...any) *wa.Refusal {
	const badValue = 131009
	return &wa.Refusal{Code: badValue, Details: fmt.Sprintf(format, args...)}
}

// compose makes the body of a send. What cannot be sent is a *wa.Refusal that
// fails this recipient.
func compose(m *wa.Outgoing) ([]byte, error) {
	if !isE164(m.To) {
		return nil, unsendable("the recipient's number does not begin with a plus and a country code, and without them Meta would write to somebody else")
	}
	if m.Template.Name == "" || m.Template.Language == "" {
		return nil, unsendable("the message has no template, or no language of it")
	}
	components, err := composeTemplate(&m.Template)
	if err != nil {
		return nil, err
	}
	out := message{
		Product: "whatsapp", RecipientType: "individual", To: m.To, Type: "template", CallbackData: m.CallbackData,
		Template: template{Name: m.Template.Name, Language: language{m.Template.Language}, Components: components},
	}
	if m.Marketing {
		out.Policy = fallback
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, unsendable("the message cannot be written as JSON: %v", err)
	}
	return body, nil
}

// isE164 tells a number with its plus. One without it gets the sender's country
// from Meta, and so becomes another number.
func isE164(to string) bool {
	digits, ok := strings.CutPrefix(to, "+")
	return ok && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && wa.Digits(digits) == digits
}

// composeTemplate sorts the values into the template's components.
func composeTemplate(filled *wa.Filled) ([]component, error) {
	var header, body, buttons []component
	for _, v := range bySend(filled) {
		p, sub, err := composeValue(v)
		switch {
		case err != nil:
			return nil, err
		case sub != "":
			count, ok := strings.CutPrefix(v.Name, "button")
			number, err := strconv.Atoi(count)
			if !ok || err != nil || number < 1 {
				return nil, unsendable("%q is no button", wa.Clean(v.Name))
			}
			buttons = append(buttons, component{Type: "button", SubType: sub, Index: strconv.Itoa(number - 1), Parameters: []parameter{p}})
		case v.Kind != wa.VariableText || v.Name == "header":
			header = []component{{Type: "header", Parameters: []parameter{p}}}
		case len(body) == 0:
			body = []component{{Type: "body", Parameters: []parameter{p}}}
		default:
			body[0].Parameters = append(body[0].Parameters, p)
		}
	}
	return slices.Concat(header, body, buttons), nil
}

// bySend are the values in the order of the send: numbered variables of the body
// by their numbers, for Meta counts them off, wherever they stand in the text.
func bySend(filled *wa.Filled) []wa.FilledValue {
	if filled.Named {
		return filled.Values
	}
	number := func(v wa.FilledValue) int {
		n, err := strconv.Atoi(v.Name)
		if err != nil {
			return 0 // header and buttons have components of their own
		}
		return n
	}
	return slices.SortedStableFunc(slices.Values(filled.Values), func(a, b wa.FilledValue) int { return number(a) - number(b) })
}

// composeValue is one value as a parameter; sub is a button's sub_type.
func composeValue(v wa.FilledValue) (p parameter, sub string, err error) {
	switch v.Kind {
	case wa.VariableText:
		return parameter{Type: "text", Name: v.Place, Text: v.Value}, "", nil
	case wa.VariableImage:
		return parameter{Type: "image", Image: composeMedia(v.Value)}, "", nil
	case wa.VariableVideo:
		return parameter{Type: "video", Video: composeMedia(v.Value)}, "", nil
	case wa.VariableDocument:
		document := composeMedia(v.Value)
		document.Filename = filename(document.Link)
		return parameter{Type: "document", Document: document}, "", nil
	case wa.VariableLocation:
		at, err := wa.ParseLocation(v.Value)
		if err != nil {
			return p, "", unsendable("variable %s: %v", wa.Clean(v.Name), err)
		}
		degrees := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
		return parameter{Type: "location", Location: &location{degrees(at.Latitude), degrees(at.Longitude), at.Name, at.Address}}, "", nil
	case wa.VariableURL:
		return parameter{Type: "text", Text: v.Value}, "url", nil
	case wa.VariableCode:
		return parameter{Type: "coupon_code", Code: v.Value}, "copy_code", nil
	case wa.VariablePayload:
		return parameter{Type: "payload", Payload: v.Value}, "quick_reply", nil
	case wa.VariableFlow:
		return parameter{Type: "action", Action: &action{v.Value}}, "flow", nil
	}
	return p, "", unsendable("variable %s is of the kind %q, which cannot be sent", wa.Clean(v.Name), wa.Clean(v.Kind))
}

// composeMedia takes an https address as a link, and else the id of uploaded media.
func composeMedia(value string) *media {
	const scheme = "https://"
	if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		return &media{Link: value}
	}
	return &media{ID: value}
}

// filename is the name that a document's address ends in; "" where it has none
// that tells the kind of file.
func filename(link string) string {
	u, err := url.Parse(link)
	if err != nil || path.Ext(u.Path) == "" {
		return ""
	}
	return wa.Clean(path.Base(u.Path))
}
