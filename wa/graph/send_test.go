package graph

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// TestNoRedirect: the token goes to one host.
func TestNoRedirect(t *testing.T) {
	other, sent := listen(t, func(_ int, c net.Conn) { answerAll(c) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.RedirectHandler("http://"+other+"/", status))
		c := speak(t, s.URL)
		a, err := send(c)
		if got := fateOf(t, a, err); got != maybe {
			t.Errorf("a send that was answered %d: %s, %v", status, got, err)
		}
		if _, err := c.Templates(t.Context(), number); err == nil || !strings.Contains(err.Error(), "graph.base_url") {
			t.Errorf("a read that was answered %d: %v", status, err)
		}
		s.Close()
	}
	if sent.String() != "" {
		t.Errorf("the other host got %q", sent)
	}
}

func TestAccepted(t *testing.T) {
	for _, c := range []struct {
		answer string
		want   wa.Accepted
	}{
		{acceptance, wa.Accepted{WAMID: "wamid.A", Person: wa.Person{Phone: "351900000001", BSUID: "PT.84001"}}},
		{
			`{"contacts":[{"input":"+5511900000001","wa_id":"551190000001"}],"messages":[{"id":"wamid.B","message_status":"held_for_quality_assessment"}]}`,
			wa.Accepted{WAMID: "wamid.B", Person: wa.Person{Phone: "551190000001"}, Paced: true},
		},
		{`{"messages":[{"id":"wamid.C"}]}`, wa.Accepted{WAMID: "wamid.C"}},
		{`{"messages":[{"id":"wamid.D"},{"id":"wamid.E"}],"contacts":[]}`, wa.Accepted{WAMID: "wamid.D"}},
	} {
		address, _ := listen(t, raw(response("200 OK", c.answer)))
		got, err := send(speak(t, "http://"+address))
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", c.answer, err, diff)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   wa.Refusal
		class  wa.Class
	}{
		"a Graph error": {response("400 No", graphError), wa.Refusal{
			Code: 130429, Subcode: 2494055, HTTP: 400, Message: "(#130429) Rate limit hit", Details: "Too many messages from this phone number",
		}, wa.ClassSlow},
		"seconds":                     {response("429 No", graphError, "Retry-After: 7"), wa.Refusal{Code: 130429, Subcode: 2494055, HTTP: 429, Message: "(#130429) Rate limit hit", Details: "Too many messages from this phone number", RetryAfter: 7 * time.Second}, wa.ClassSlow},
		"no JSON":                     {response("429 No", "slow", "Retry-After: 1.5"), wa.Refusal{HTTP: 429, Message: "too many requests (HTTP 429)", RetryAfter: 1500 * time.Millisecond}, wa.ClassSlow},
		"a date":                      {response("429 No", "", "Date: Fri, 20 Nov 2026 08:00:00 GMT", "Retry-After: Fri, 20 Nov 2026 08:02:00 GMT"), wa.Refusal{HTTP: 429, Message: "too many requests (HTTP 429)", RetryAfter: 2 * time.Minute}, wa.ClassSlow},
		"a date that is over":         {response("429 No", "", "Date: Fri, 20 Nov 2026 08:00:00 GMT", "Retry-After: Fri, 20 Nov 2026 07:00:00 GMT"), wa.Refusal{HTTP: 429, Message: "too many requests (HTTP 429)"}, wa.ClassSlow},
		"an absurd rest":              {response("429 No", "", "Retry-After: 1e300"), wa.Refusal{HTTP: 429, Message: "too many requests (HTTP 429)", RetryAfter: 24 * time.Hour}, wa.ClassSlow},
		"a rest that is no number":    {response("429 No", "", "Retry-After: NaN"), wa.Refusal{HTTP: 429, Message: "too many requests (HTTP 429)"}, wa.ClassSlow},
		"a rest before now":           {response("429 No", "", "Retry-After: -5"), wa.Refusal{HTTP: 429, Message: "too many requests (HTTP 429)"}, wa.ClassSlow},
		"no token":                    {response("401 No", "who are you"), wa.Refusal{HTTP: 401, Message: "the access token is not accepted (HTTP 401)"}, wa.ClassAccount},
		"a text for people":           {response("400 No", `{"error":{"code":100,"error_subcode":33,"error_user_msg":"Not here"}}`), wa.Refusal{Code: 100, Subcode: 33, HTTP: 400, Details: "Not here"}, wa.ClassNumber},
		"an error of unexpected kind": {response("400 No", `{"error":{"code":131026,"message":["a"],"error_data":"{}","error_subcode":{}}}`), wa.Refusal{Code: 131026, HTTP: 400}, wa.ClassRecipient},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := listen(t, raw(c.answer))
			_, err := send(speak(t, "http://"+address))
			refusal, ok := errors.AsType[*wa.Refusal](err)
			if !ok {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, *refusal); diff != "" || refusal.Class() != c.class {
				t.Errorf("class %d, want %d\n%s", refusal.Class(), c.class, diff)
			}
		})
	}
}

// TestNotAsked: what Meta would refuse, or send to somebody else, does not reach
// it, and is a refusal of the right class, not something to be tried again.
func TestNotAsked(t *testing.T) {
	address, sent := listen(t, func(_ int, c net.Conn) { answerAll(c) })
	token := func(s string) func(*Options) {
		return func(o *Options) { o.Token = func() wa.Secret { return wa.NewSecret(s) } }
	}
	as := func(change func(*wa.Outgoing)) *wa.Outgoing { m := outgoing(); change(m); return m }
	location := wa.FilledValue{Variable: wa.Variable{Name: "header", Kind: wa.VariableLocation}, Value: "nowhere"}
	for name, c := range map[string]struct {
		token, from string
		message     *wa.Outgoing
		class       wa.Class
	}{
		"no plus":            {canary, number, as(func(m *wa.Outgoing) { m.To = "351900000001" }), wa.ClassRecipient},
		"no number":          {canary, number, as(func(m *wa.Outgoing) { m.To = "+PT.84001" }), wa.ClassRecipient},
		"a kept zero":        {canary, number, as(func(m *wa.Outgoing) { m.To = "+0351900000001" }), wa.ClassRecipient},
		"too short":          {canary, number, as(func(m *wa.Outgoing) { m.To = "+351" }), wa.ClassRecipient},
		"no template":        {canary, number, as(func(m *wa.Outgoing) { m.Template.Name = "" }), wa.ClassRecipient},
		"no place":           {canary, number, as(func(m *wa.Outgoing) { m.Template.Values[0] = location }), wa.ClassRecipient},
		"an unknown kind":    {canary, number, as(func(m *wa.Outgoing) { m.Template.Values[0].Kind = "song" }), wa.ClassRecipient},
		"a button of none":   {canary, number, as(func(m *wa.Outgoing) { m.Template.Values[0].Kind = wa.VariableURL }), wa.ClassRecipient},
		"no sender":          {canary, "", outgoing(), wa.ClassNumber},
		"a path for one":     {canary, "1/../2", outgoing(), wa.ClassNumber},
		"no token":           {"", number, outgoing(), wa.ClassAccount},
		"a token of a file":  {canary + "\n", number, outgoing(), wa.ClassAccount},
		"a header for token": {canary + "\r\nX-A: b", number, outgoing(), wa.ClassAccount},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := speak(t, "http://"+address, token(c.token)).Send(t.Context(), c.from, c.message, func() error {
				t.Error("the gate was asked")
				return nil
			})
			if got := fateOf(t, a, err); got != refused {
				t.Fatalf("%s: %v", got, err)
			}
			if r, _ := errors.AsType[*wa.Refusal](err); r.Class() != c.class || r.HTTP != 0 || !strings.HasPrefix(err.Error(), "not asked") {
				t.Errorf("class %d, want %d: %v", r.Class(), c.class, err)
			}
		})
	}
	if sent.String() != "" {
		t.Errorf("Meta got %q", sent)
	}
}

// TestAnsweredEarly: an answer that was there before the request left is none.
func TestAnsweredEarly(t *testing.T) {
	on := make(chan struct{})
	address, sent := listen(t, func(_ int, c net.Conn) {
		<-on
		_, _ = io.WriteString(c, response("200 OK", acceptance))
		_, _ = io.Copy(io.Discard, c)
	})
	a, err := speak(t, "http://"+address).Send(t.Context(), number, outgoing(), func() error {
		close(on)
		return wa.ErrGateClosed
	})
	if got := fateOf(t, a, err); got != notGone || strings.Contains(sent.String(), "POST") {
		t.Errorf("%s (%v), and %q was sent", got, err, sent)
	}
}

// TestTokenIsRenewed: the next request has the token of its moment.
func TestTokenIsRenewed(t *testing.T) {
	address, sent := listen(t, func(_ int, c net.Conn) { answerAll(c) })
	now := "first"
	c := speak(t, "http://"+address, func(o *Options) { o.Token = func() wa.Secret { return wa.NewSecret(now) } })
	for _, now = range []string{"first", "second"} {
		if _, err := send(c); err != nil {
			t.Fatal(err)
		}
	}
	if s := sent.String(); !strings.Contains(s, "Authorization: Bearer first\r\n") || !strings.Contains(s, "Authorization: Bearer second\r\n") {
		t.Errorf("%q", s)
	}
}
