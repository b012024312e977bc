package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tickwatch/wa"
)

// templateBody is a send of a template, with these components.
func templateBody(to, name, language, components string) string {
	return fmt.Sprintf(`{"messaging_product":"whatsapp","recipient_type":"individual","to":%q,"type":"template","biz_opaque_callback_data":"c:1",
		"template":{"name":%q,"language":{"code":%q},"components":[%s]}}`, to, name, language, components)
}

// Components that fit the templates.
const (
	imageByID   = `{"type":"header","parameters":[{"type":"image","image":{"id":"800100200300400"}}]}`
	imageByLink = `{"type":"header","parameters":[{"type":"image","image":{"link":"https://shop.example/a.png"}}]}`
	bodyOfOne   = `{"type":"body","parameters":[{"type":"text","text":"Ana"}]}`
	stopPressed = `{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"STOP_PROMO"}]}`
)

// call asks the Graph API of a running sandbox.
func call(t *testing.T, s *Sandbox, method, path, body string) (status int, answer map[string]any) {
	t.Helper()
	got := try(s, method, path, body)
	if got.err != nil {
		t.Fatalf("%s %s: %v", method, path, got.err)
	}
	return got.status, got.answer
}

// outcome is how a request to the Graph API ended.
type outcome struct {
	status     int // 0 when no answer came
	retryAfter string
	answer     map[string]any
	err        error // why there is no answer that can be read
}

// try asks the Graph API once, and never by itself a second time.
func try(s *Sandbox, method, path, body string) (o outcome) {
	return tryAs(s, s.Token(), method, path, body)
}

// tryAs is try with a token.
func tryAs(s *Sandbox, token wa.Secret, method, path, body string) (o outcome) {
	req, err := http.NewRequest(method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		return outcome{err: err}
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	req.GetBody = nil
	client := newClient(1)
	defer client.CloseIdleConnections()
	client.Timeout = 5 * time.Minute // for an answer that never comes
	res, err := client.Do(req)
	if err != nil {
		return outcome{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	o.status, o.retryAfter = res.StatusCode, res.Header.Get("Retry-After")
	raw, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(raw, &o.answer)
	}
	o.err = err
	return o
}

// ok tells whether a message was accepted.
func (o outcome) ok() bool { return o.err == nil && o.status == http.StatusOK }

// message is the wamid and the status of an accepted message.
func (o outcome) message() (wamid, status string) {
	messages, _ := o.answer["messages"].([]any)
	if len(messages) == 0 {
		return "", ""
	}
	m := messages[0].(map[string]any)
	return m["id"].(string), m["message_status"].(string)
}

// String is how it ended, for tables: status and code, or why there are none.
func (o outcome) String() string {
	switch {
	case errors.Is(o.err, io.ErrUnexpectedEOF):
		return "cut"
	case errors.Is(o.err, io.EOF):
		return "EOF"
	case o.status == 0:
		return o.err.Error()
	case o.err != nil:
		return fmt.Sprintf("%d no JSON", o.status)
	}
	code, _ := problemOf(o.answer)
	text := fmt.Sprintf("%d %d", o.status, code)
	if o.retryAfter != "" {
		text += " after " + o.retryAfter
	}
	return text
}

// problemOf reads the error off an answer of the Graph API; 0 for none.
func problemOf(answer map[string]any) (code int, details string) {
	e, ok := answer["error"].(map[string]any)
	if !ok {
		return 0, ""
	}
	data, _ := e["error_data"].(map[string]any)
	details, _ = data["details"].(string)
	return int(e["code"].(float64)), details
}

// ask sends the campaign's template to somebody.
func ask(t *testing.T, s *Sandbox, from, to string) outcome {
	t.Helper()
	o := try(s, http.MethodPost, "/v26.0/"+from+"/messages", templateBody(to, CampaignTemplate, CampaignLanguage, imageByID+","+bodyOfOne))
	if o.err != nil {
		t.Fatal(o.err)
	}
	return o
}

// serve runs a server on loopback for the length of a test.
func serve(t testing.TB, server *http.Server) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}
