package graph

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// FuzzVerdict: whatever an answer holds, it comes to one of the three ends, and
// to "accepted" only with an id.
func FuzzVerdict(f *testing.F) {
	for _, body := range []string{
		acceptance, graphError, ``, `null`, `[]`, `{"messages":[{"id":"\ud800"}]}`, `{"messages":[{"id":"a","message_status":5}],"contacts":[{"wa_id":5}]}`,
		`{"error":{"code":"190","message":"` + canary + `"}}`, `{"error":{"code":1e400}}`, `{"error":[]}`, `{"messages":null,"contacts":{}}`,
	} {
		for _, status := range []int{200, 400, 401, 429, 500} {
			f.Add(status, "5", []byte(body), false)
		}
	}
	f.Fuzz(func(t *testing.T, status int, rest string, body []byte, cut bool) {
		ans := answer{wire.Answer{
			Status: status, Header: http.Header{"Retry-After": {rest}}, Body: body, At: time.Unix(0, 0), Secrets: []wa.Secret{wa.NewSecret(canary)},
		}}
		var broken error
		if cut {
			broken = wire.ErrTooLong
		}
		a, err := ans.verdict(broken)
		switch fateOf(t, a, err) {
		case accepted:
			if status/100 != 2 || cut || strings.TrimSpace(a.WAMID) == "" || len(a.WAMID) > maxID {
				t.Errorf("accepted %q with HTTP %d, cut: %v", a.WAMID, status, cut)
			}
		case refused:
			r, _ := errors.AsType[*wa.Refusal](err)
			if status/100 != 4 || cut && r.Code != 0 || r.RetryAfter < 0 || r.RetryAfter > wire.LongestRest {
				t.Errorf("%+v with HTTP %d, cut: %v", r, status, cut)
			}
		case notGone:
			t.Errorf("an answer came, and nothing was sent? %v", err)
		}
	})
}

// FuzzTemplates: whatever stands in a list of templates, reading it does not panic,
// and what comes out can be filled or says why not.
func FuzzTemplates(f *testing.F) {
	f.Add([]byte(templatesPage))
	f.Add([]byte(`{"name":"a","parameter_format":"NAMED","components":[{"type":"HEADER","format":"TEXT","text":"{{a}}"},{"type":"BODY","text":"{{header}}{{button1}}"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		form := templateForm(node{"name": body, "components": body, "quality_score": body, "id": body, "parameter_format": body})
		filled, err := form.Fill(func(string) string { return "1,1" })
		if err != nil {
			return
		}
		m := outgoing()
		m.Template = filled
		m.Template.Name, m.Template.Language = "a", "de"
		if _, err := compose(m); err != nil {
			t.Errorf("%+v was filled and cannot be sent: %v", form, err)
		}
	})
}
