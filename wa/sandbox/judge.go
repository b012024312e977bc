package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tickwatch/wa"
)

// Bounds of what fills a template.
const (
	maxBody = 1024 // characters of the body once it is filled
	maxCode = 15   // characters of a coupon code
)

// Errors of templates and of what fills them.
const (
	codeCount    = 132000 // another number of variables
	codeMissing  = 132001
	codeLong     = 132005
	codeKind     = 132012 // variables of another kind
	codePaused   = 132015
	codeDisabled = 132016
	codeText     = 132018
)

// check judges everything but the recipient, and finds the template.
func (s *Sandbox) check(q *sendRequest, marketing bool) (*template, *graphError) {
	switch {
	case q.Product != "whatsapp":
		return nil, &graphError{code: 100, message: "The parameter messaging_product is required."}
	case utf8.RuneCountInString(q.CallbackData) > maxCallback:
		return nil, &graphError{code: 100, message: "Param biz_opaque_callback_data must be at most 512 characters long."}
	case q.RecipientType != "" && q.RecipientType != "individual":
		return nil, invalid("Param recipient_type must be one of {INDIVIDUAL} here")
	case q.Type != "template" && marketing:
		return nil, &graphError{code: 131055, message: "Method not allowed", details: "Only templates can be sent by this path"}
	case q.Type != "template":
		return nil, &graphError{
			code: 131047, message: "Re-engagement message",
			details: "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
		}
	case q.Template == nil || q.Template.Name == "" || q.Template.Language.Code == "":
		return nil, missing("A template needs a name and a language code")
	case !slices.Contains([]string{"", "CLOUD_API_FALLBACK", "STRICT"}, q.Policy):
		return nil, invalid("Param product_policy must be one of {CLOUD_API_FALLBACK, STRICT}")
	}
	t, status := s.account.template(q.Template.Name, q.Template.Language.Code)
	if problem := standing(t, status, q.Template); problem != nil {
		return nil, problem
	}
	if marketing && t.Category != wa.CategoryMarketing {
		return nil, &graphError{code: 134100, message: "Only marketing messages supported", details: "The template is of the category " + t.Category}
	}
	return t, t.fits(q.Template.Components)
}

// standing tells whether a template with this status can be sent.
func standing(t *template, status string, q *sendTemplate) *graphError {
	switch {
	case t == nil || status == statusPending || status == statusRejected:
		return &graphError{
			status: http.StatusNotFound, code: codeMissing, message: "Template name does not exist in the translation",
			details: "template name (" + q.Name + ") does not exist in " + q.Language.Code,
		}
	case status == statusPaused:
		return refuse(codePaused)
	case status == statusDisabled:
		return refuse(codeDisabled)
	}
	return nil
}

// fits judges what a send fills the template with. It is written from Meta's
// rules and errors, not from how tickwatch fills templates.
func (t *template) fits(components []sendComponent) *graphError {
	var header, body []sendParameter
	buttons := map[int]sendComponent{}
	for i, c := range components {
		switch strings.ToLower(c.Type) {
		case "header":
			header = append(header, c.Parameters...)
		case "body":
			body = append(body, c.Parameters...)
		case "button":
			index, err := strconv.Atoi(strings.Trim(string(c.Index), `"`))
			if err != nil || index < 0 || index > 9 {
				return invalid(fmt.Sprintf("Param template['components'][%d]['index'] must be a number from 0 to 9", i))
			}
			buttons[index] = c
		default:
			return invalid(fmt.Sprintf("Param template['components'][%d]['type'] must be one of {HEADER, BODY, BUTTON}", i))
		}
	}
	if problem := t.fitsHeader(header); problem != nil {
		return problem
	}
	if problem := t.fitsText("body", t.body, body); problem != nil {
		return problem
	}
	return t.fitsButtons(buttons)
}

func (t *template) fitsHeader(given []sendParameter) *graphError {
	switch {
	case t.header == nil:
		return t.fitsText("header", "", given)
	case t.header.Format == wa.FormatText:
		return t.fitsText("header", t.header.Text, given)
	}
	format, got := t.header.Format, "UNKNOWN"
	if len(given) > 1 {
		return miscounted("header", len(given), 1)
	}
	if len(given) == 1 && given[0].Type != "" {
		got = strings.ToUpper(given[0].Type)
	}
	if got != format {
		return mismatched(fmt.Sprintf("header: Format mismatch, expected %s, received %s", format, got))
	}
	if format == wa.FormatLocation {
		return given[0].Location.complete()
	}
	media := map[string]*sendMedia{wa.FormatImage: given[0].Image, wa.FormatVideo: given[0].Video, wa.FormatDocument: given[0].Document}[format]
	return media.complete(strings.ToLower(format))
}

// complete judges the value of a media header: an uploaded one or a link.
func (m *sendMedia) complete(kind string) *graphError {
	switch {
	case m == nil || m.ID == "" && m.Link == "":
		return missing(fmt.Sprintf("header: %s needs an id or a link", kind))
	case m.ID != "" && m.Link != "":
		return invalid(fmt.Sprintf("header: %s has an id and a link; give one", kind))
	case m.ID != "" && wa.Digits(m.ID) != m.ID:
		return invalid(fmt.Sprintf("header: (#33) %s id is no media id", kind))
	}
	if u, err := url.Parse(m.Link); m.Link != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return invalid(fmt.Sprintf("header: %s link is not a valid URI", kind))
	}
	return nil
}

func (l *sendLocation) complete() *graphError {
	if l == nil {
		return missing("header: location needs a latitude and a longitude")
	}
	for _, c := range []struct {
		name  string
		value json.RawMessage // Meta takes a text or a number
		limit float64
	}{{"latitude", l.Latitude, 90}, {"longitude", l.Longitude, 180}} {
		degrees, err := strconv.ParseFloat(strings.Trim(string(c.value), `"`), 64)
		if err != nil || !(degrees >= -c.limit && degrees <= c.limit) {
			return invalid("header: " + c.name + " is no number of degrees")
		}
	}
	return nil
}

// fitsText judges what fills the variables of a text.
func (t *template) fitsText(part, text string, given []sendParameter) *graphError {
	names := places(text)
	wanted := len(names)
	if len(given) != wanted {
		return miscounted(part, len(given), wanted)
	}
	length := utf8.RuneCountInString(place.ReplaceAllString(text, ""))
	for _, p := range given {
		if p.Type != "text" {
			return mismatched(fmt.Sprintf("%s: expected text, received %s", part, p.Type))
		}
		switch {
		case t.named && p.Name == "":
			return invalid("Parameter name is missing or empty")
		case t.named && !slices.Contains(names, p.Name):
			return miscounted(part, wanted-1, wanted)
		case !t.named && p.Name != "":
			return invalid("Parameter name is not allowed: the template's variables are numbered")
		}
		if problem := p.text(); problem != nil {
			return problem
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == p.Name })
		length += utf8.RuneCountInString(p.Text)
	}
	if part == "body" && length > maxBody {
		return &graphError{code: codeLong, message: "Translated text too long", details: "body: the text is longer than 1024 characters once it is filled"}
	}
	return nil
}

// text judges the text of a variable: Meta takes none that would break the lines.
func (p *sendParameter) text() *graphError {
	switch {
	case p.Text == "":
		return missing("Parameter of type text is missing text value")
	case strings.ContainsAny(p.Text, "\n\r\t") || strings.Contains(p.Text, "     "):
		return &graphError{
			code: codeText, message: "There's an issue with the parameters in your template",
			details: "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
		}
	}
	return nil
}

// fitsButtons judges what fills the buttons: by number from 0, counting all of
// them, also those that take nothing.
func (t *template) fitsButtons(given map[int]sendComponent) *graphError {
	for i, b := range t.buttons {
		c, ok := given[i]
		delete(given, i)
		needs := b.Type == wa.ButtonCopyCode || b.Type == wa.ButtonURL && len(places(b.URL)) > 0
		switch {
		case !ok && needs:
			return missing(fmt.Sprintf("buttons: Button at index %d of type %s requires a parameter", i, wording(b.Type)))
		case !ok:
			continue
		case b.Type == wa.ButtonPhone || b.Type == wa.ButtonURL && !needs:
			return invalid(fmt.Sprintf("buttons: Button at index %d is of type %s and does not support parameters", i, wording(b.Type)))
		case !strings.EqualFold(c.SubType, b.Type):
			return mismatched(fmt.Sprintf("buttons: Button at index %d is of type %s, received %s", i, wording(b.Type), c.SubType))
		case len(c.Parameters) != 1:
			return miscounted("buttons", len(c.Parameters), 1)
		}
		if problem := c.Parameters[0].fills(b.Type, i); problem != nil {
			return problem
		}
	}
	for i := range given {
		return invalid(fmt.Sprintf("buttons: The template has no button at index %d", i))
	}
	return nil
}

// wording is how Meta's errors name a type of button.
func wording(kind string) string {
	return map[string]string{
		wa.ButtonURL: "Url", wa.ButtonCopyCode: "CopyCode", wa.ButtonQuickReply: "QuickReply", wa.ButtonPhone: "Call", wa.ButtonFlow: "Flow",
	}[kind]
}

// fills judges what fills one button.
func (p *sendParameter) fills(kind string, index int) *graphError {
	want := map[string]string{
		wa.ButtonURL: "text", wa.ButtonCopyCode: "coupon_code", wa.ButtonQuickReply: "payload", wa.ButtonFlow: "action",
	}[kind]
	if p.Type != want {
		return mismatched(fmt.Sprintf("buttons: Button at index %d expects a parameter of type %s, received %s", index, want, p.Type))
	}
	var action map[string]any
	switch {
	case kind == wa.ButtonURL:
		return p.text()
	case kind == wa.ButtonCopyCode && (p.Code == "" || utf8.RuneCountInString(p.Code) > maxCode):
		return invalid(fmt.Sprintf("buttons: coupon_code at index %d must have 1 to %d characters", index, maxCode))
	case kind == wa.ButtonQuickReply && p.Payload == "":
		return missing(fmt.Sprintf("buttons: Button at index %d requires a payload", index))
	case kind == wa.ButtonFlow && json.Unmarshal(p.Action, &action) != nil:
		return invalid(fmt.Sprintf("buttons: Button at index %d has no action object", index))
	}
	return nil
}
