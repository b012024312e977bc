package graph

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// serve answers with what a function says of a path and its query.
func serve(t *testing.T, answer func(path string, query func(string) string) (status int, body string)) *Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer "+canary || strings.Contains(r.URL.String(), canary) {
			t.Errorf("%s %s with %q", r.Method, r.URL, r.Header.Get("Authorization"))
		}
		status, body := answer(r.URL.Path, r.URL.Query().Get)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return speak(t, s.URL)
}

const templatesPage = `{"data":[
 {"id":"9900000000000001","name":"autumn_offer","language":"pt_PT","status":"APPROVED","category":"MARKETING","parameter_format":"POSITIONAL",
  "quality_score":{"score":"GREEN","date":1},"components":[
   {"type":"HEADER","format":"IMAGE","example":{"header_handle":["https://x"]}},{"type":"BODY","text":"Olá {{1}}","example":{"body_text":[["Ana"]]}},
   {"type":"FOOTER","text":"Até breve"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Parar"},
   {"type":"URL","text":"Ver","url":"https://a.example/{{1}}"},{"type":"PHONE_NUMBER","text":"Ligar","phone_number":"+351910000001"}]}]},
 {"id":17,"name":"news","language":"en_US","status":"PAUSED","category":"UTILITY","parameter_format":"NAMED","quality_score":"RED",
  "components":[{"type":"body","text":"Hi {{first_name}}"}]},
 {"id":"x","name":"odd","language":"de","quality_score":5,"components":[{"type":"CAROUSEL","cards":[]},{"type":"HEADER","format":"gif"},5,
  {"type":"BODY","text":"Hallo {{name}}"},{"type":"BUTTONS","buttons":[{"type":"CATALOG","text":"Sehen"}]}]},
 {"id":"18","name":"bare","language":"de"},
 null, {"language":"de"}]}`

func TestTemplates(t *testing.T) {
	c := serve(t, func(path string, query func(string) string) (int, string) {
		if path != "/v26.0/400/message_templates" || query("fields") == "" {
			t.Errorf("asked for %s with %q", path, query("fields"))
		}
		return 200, templatesPage
	})
	got, err := c.Templates(t.Context(), "400")
	if err != nil {
		t.Fatal(err)
	}
	want := []wa.TemplateForm{
		{
			ID: 9_900_000_000_000_001, Name: "autumn_offer", Language: "pt_PT", Category: "MARKETING", Status: "APPROVED", Quality: "GREEN",
			Header: &wa.TemplateHeader{Format: "IMAGE"}, Body: "Olá {{1}}", Footer: "Até breve", Buttons: []wa.TemplateButton{
				{Type: "QUICK_REPLY", Text: "Parar"},
				{Type: "URL", Text: "Ver", URL: "https://a.example/{{1}}"},
				{Type: "PHONE_NUMBER", Text: "Ligar", Phone: "+351910000001"},
			},
		},
		{ID: 17, Name: "news", Language: "en_US", Category: "UTILITY", Status: "PAUSED", Quality: "RED", Named: true, Body: "Hi {{first_name}}"},
		{
			Name: "odd", Language: "de", Named: true, Header: &wa.TemplateHeader{Format: "GIF"}, Body: "Hallo {{name}}",
			Buttons:    []wa.TemplateButton{{Type: "CATALOG", Text: "Sehen"}},
			Unfillable: []string{"CAROUSEL", "a GIF header", "a component that cannot be read", "a CATALOG button"},
		},
		{ID: 18, Name: "bare", Language: "de", Unfillable: []string{"components that cannot be read"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPages: all of a long list, in order, by the cursors and not by the address
// that Meta gives, in which the token stands.
func TestPages(t *testing.T) {
	const all = 3456
	asked := 0
	c := serve(t, func(_ string, query func(string) string) (int, string) {
		asked++
		begin, _ := strconv.Atoi(query("after"))
		limit, _ := strconv.Atoi(query("limit"))
		end := min(begin+limit, all)
		var rows []string
		for i := begin; i < end; i++ {
			rows = append(rows, fmt.Sprintf(`{"id":"%d","name":"t%d","language":"de","components":[]}`, i+1, i))
		}
		next := ""
		if end < all {
			next = `,"next":"https://127.0.0.1:1/?access_token=` + canary + `"`
		}
		return 200, fmt.Sprintf(`{"data":[%s],"paging":{"cursors":{"before":"x","after":"%d"}%s}}`, strings.Join(rows, ","), end, next)
	})
	got, err := c.Templates(t.Context(), "400")
	if err != nil || len(got) != all || asked != 35 {
		t.Fatalf("%d templates of %d in %d requests: %v", len(got), all, asked, err)
	}
	for i, f := range got {
		if f.Name != fmt.Sprintf("t%d", i) {
			t.Fatalf("template %d is %s", i, f.Name)
		}
	}
}

// TestLongPages: pages over the bound are asked for again in smaller ones.
func TestLongPages(t *testing.T) {
	var sizes []string
	c := serve(t, func(_ string, query func(string) string) (int, string) {
		sizes = append(sizes, query("limit"))
		if query("limit") == "100" {
			return 200, strings.Repeat(" ", wire.MaxAnswer+1)
		}
		return 200, `{"data":[{"name":"a"}]}`
	})
	got, err := c.Templates(t.Context(), "400")
	if diff := cmp.Diff([]string{"100", "25"}, sizes); err != nil || len(got) != 1 || diff != "" {
		t.Errorf("%v, %v\n%s", got, err, diff)
	}
}

// TestEndlessPages: a server that never ends is left.
func TestEndlessPages(t *testing.T) {
	asked := 0
	for name, c := range map[string]struct {
		after func() string
		want  string
	}{
		"the same cursor": {func() string { return "a" }, "the same page"},
		"ever new ones":   {func() string { asked++; return strconv.Itoa(asked) }, "more than 200 pages"},
	} {
		client := serve(t, func(string, func(string) string) (int, string) {
			return 200, `{"data":[],"paging":{"cursors":{"after":"` + c.after() + `"},"next":"x"}}`
		})
		if _, err := client.Subscriptions(t.Context(), "400"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTemplate(t *testing.T) {
	c := serve(t, func(_ string, query func(string) string) (int, string) {
		if query("name") == "" {
			t.Error("all templates are asked for")
		}
		return 200, `{"data":[{"name":"offer_b","language":"pt_PT"},{"name":"offer","language":"en_US"},{"name":"offer","language":"de"}]}`
	})
	for _, language := range []string{"en_US", "en-US"} {
		if got, err := c.Template(t.Context(), "400", "offer", language); err != nil || got.Name != "offer" || got.Language != "en_US" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	_, err := c.Template(t.Context(), "400", "offer", "pt_PT")
	if !errors.Is(err, ErrNoTemplate) || !strings.Contains(err.Error(), "it exists in de, en_US") {
		t.Error(err)
	}
	_, err = c.Template(t.Context(), "400", "offers", "pt_PT")
	if !errors.Is(err, ErrNoTemplate) || !strings.Contains(err.Error(), "WhatsApp Manager") {
		t.Error(err)
	}
}

// account plays an account with two numbers and answers for the fields that this
// token may ask for; any other costs the whole answer.
func account(t *testing.T, may string) *Client {
	all := map[string]string{
		"id": `"50"`, "display_phone_number": `"+351 91 000 0001"`, "verified_name": `"Autumn Shop"`, "quality_rating": `"GREEN"`,
		"status": `"CONNECTED"`, "throughput": `{"level":"HIGH"}`, "whatsapp_business_manager_messaging_limit": `"TIER_10K"`,
		"messaging_limit_tier": `"TIER_2K"`, "is_on_biz_app": `false`,
	}
	return serve(t, func(path string, query func(string) string) (int, string) {
		var first []string
		for field := range strings.SplitSeq(query("fields"), ",") {
			if !strings.Contains(may, field) {
				return 400, `{"error":{"code":10,"message":"(#10) Application does not have permission for this action"}}`
			}
			first = append(first, fmt.Sprintf("%q:%s", field, all[field]))
		}
		one := "{" + strings.Join(first, ",") + "}"
		if path == "/v26.0/50" {
			return 200, one
		}
		return 200, `{"data":[` + one + `,` + strings.Replace(one, `"id":"50"`, `"id":"51"`, 1) + `]}`
	})
}

// TestNumbers: a field that may not be asked for costs itself and nothing else.
func TestNumbers(t *testing.T) {
	const plain = "id display_phone_number verified_name quality_rating "
	bare := Number{Number: wa.Number{ID: "50", Display: "351910000001", Quality: "GREEN"}, VerifiedName: "Autumn Shop"}
	with := func(change func(*Number)) Number { n := bare; change(&n); return n }
	for _, c := range []struct {
		may  string
		want Number
		mps  int
	}{
		{plain + "status throughput whatsapp_business_manager_messaging_limit messaging_limit_tier is_on_biz_app", with(func(n *Number) {
			n.Status, n.Throughput, n.Limit = "CONNECTED", "HIGH", "TIER_10K"
		}), 1000},
		{plain + "status throughput messaging_limit_tier", with(func(n *Number) {
			n.Status, n.Throughput, n.Limit = "CONNECTED", "HIGH", "TIER_2K"
		}), 1000},
		{plain + "whatsapp_business_manager_messaging_limit", with(func(n *Number) { n.Limit = "TIER_10K" }), 0},
		{plain, bare, 0},
	} {
		client := account(t, c.may)
		one, err := client.Number(t.Context(), "50")
		if diff := cmp.Diff(c.want, one); err != nil || diff != "" || one.PerSecond() != c.mps {
			t.Errorf("with %s: %v, %d/s\n%s", c.may, err, one.PerSecond(), diff)
		}
		second := c.want
		second.ID = "51"
		all, err := client.Numbers(t.Context(), "40")
		if diff := cmp.Diff([]Number{c.want, second}, all); err != nil || diff != "" {
			t.Errorf("with %s: %v\n%s", c.may, err, diff)
		}
	}
	_, err := account(t, "id").Number(t.Context(), "50")
	if r, ok := errors.AsType[*wa.Refusal](err); !ok || r.Code != 10 || r.Class() != wa.ClassAccount {
		t.Errorf("without any permission: %v", err)
	}
}

// TestThroughput: a number that the app on a phone uses too has a lower one.
func TestThroughput(t *testing.T) {
	for level, c := range map[string]struct{ own, shared int }{"STANDARD": {80, 20}, "HIGH": {1000, 20}, "": {0, 20}, "ULTRA": {0, 20}} {
		own, shared := Number{Throughput: level}, Number{Throughput: level, OnApp: true}
		if own.PerSecond() != c.own || shared.PerSecond() != c.shared {
			t.Errorf("%q: %d/s and %d/s", level, own.PerSecond(), shared.PerSecond())
		}
	}
}

// TestNoSuchNumber: an id that is not there is asked about once, not field by field.
func TestNoSuchNumber(t *testing.T) {
	asked := 0
	c := serve(t, func(string, func(string) string) (int, string) {
		asked++
		return 400, `{"error":{"code":100,"error_subcode":33,"message":"Object does not exist"}}`
	})
	if _, err := c.Number(t.Context(), "50"); err == nil || asked != 1 {
		t.Errorf("%v, after %d requests", err, asked)
	}
}

func TestHealth(t *testing.T) {
	c := serve(t, func(path string, query func(string) string) (int, string) {
		if path == "/v26.0/51" {
			return 200, `{"id":"51"}`
		}
		return 200, `{"id":"50","health_status":{"can_send_message":"LIMITED","entities":[
			{"entity_type":"PHONE_NUMBER","id":"50","can_send_message":"LIMITED","additional_info":["Display name not approved"]},
			{"entity_type":"WABA","id":"40","can_send_message":"BLOCKED","errors":[{"error_code":141006,"error_description":"Payment","possible_solution":"Pay"}]},
			{"entity_type":"APP","id":5,"can_send_message":"AVAILABLE"}]}}`
	})
	got, err := c.Health(t.Context(), "50")
	want := wa.Health{CanSend: wa.CanSendSome, Entities: []wa.HealthEntity{
		{Type: "PHONE_NUMBER", ID: "50", CanSend: wa.CanSendSome, Info: []string{"Display name not approved"}},
		{Type: "WABA", ID: "40", CanSend: wa.CannotSend, Errors: []wa.HealthError{{Code: 141006, Description: "Payment", Solution: "Pay"}}},
		{Type: "APP", CanSend: wa.CanSend},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := c.Health(t.Context(), "51"); err == nil {
		t.Error("no health is healthy")
	}
}

func TestSubscriptions(t *testing.T) {
	c := serve(t, func(string, func(string) string) (int, string) {
		return 200, `{"data":[{"whatsapp_business_api_data":{"id":"67","link":"https://x","name":"Ours"},"override_callback_uri":"https://hooks.example/a"},
			{"whatsapp_business_api_data":{"id":"68","name":"Theirs"}}, {"other":1}]}`
	})
	got, err := c.Subscriptions(t.Context(), "40")
	want := []Subscription{{"67", "Ours", "https://hooks.example/a"}, {"68", "Theirs", ""}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestReadFails: every failed read says what to do next and keeps the token to itself.
func TestReadFails(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"refused":           {response("400 No", `{"error":{"code":190,"message":"Malformed access token `+canary+`"}}`), "refused with code 190: Malformed access token ***"},
		"refused by a 5xx":  {response("503 No", `{"error":{"code":2,"message":"Down"}}`), "refused with code 2: Down"},
		"401":               {response("401 No", ""), "the access token is not accepted"},
		"somebody else":     {response("404 No", "<html>"+canary), "check graph.base_url"},
		"a fault of Meta's": {response("502 No", "<html>"), "metastatus.com"},
		"no JSON":           {response("200 OK", "<html>"), "check graph.base_url"},
		"other JSON":        {response("200 OK", "{}"), "check graph.base_url"},
		"cut":               {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "check the network"},
		"no HTTP":           {"hello\r\n", "check the network"},
	} {
		address, _ := listen(t, raw(c.answer))
		client := speak(t, "http://"+address)
		_, of := client.Templates(t.Context(), "40")
		_, one := client.Template(t.Context(), "40", "a", "de")
		_, all := client.Numbers(t.Context(), "40")
		_, number := client.Number(t.Context(), "50")
		_, health := client.Health(t.Context(), "50")
		_, apps := client.Subscriptions(t.Context(), "40")
		for i, err := range []error{of, one, all, number, health, apps} {
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("%s, %d: %v, want %q", name, i, err, c.want)
			}
		}
	}
	for _, id := range []string{"", "a/b", "..", "50?fields=id"} {
		c := serve(t, func(string, func(string) string) (int, string) { t.Errorf("%q was asked about", id); return 200, "" })
		_, all := c.Numbers(t.Context(), id)
		_, one := c.Number(t.Context(), id)
		if all == nil || one == nil || !strings.Contains(all.Error(), "graph.waba_id") {
			t.Errorf("%q: %v, %v", id, all, one)
		}
	}
}

// TestReadsWithoutToken: nobody is asked.
func TestReadsWithoutToken(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer s.Close()
	c := speak(t, s.URL, func(o *Options) { o.Token = func() wa.Secret { return wa.Secret{} } })
	_, err := c.Templates(t.Context(), "40")
	if r, ok := errors.AsType[*wa.Refusal](err); !ok || r.Class() != wa.ClassAccount || !strings.Contains(err.Error(), "graph.access_token") || asked.Load() != 0 {
		t.Errorf("%v, after %d requests", err, asked.Load())
	}
}

// TestReadsAgain: a read that meets a closing connection is made again; nobody is
// harmed by two.
func TestReadsAgain(t *testing.T) {
	address, sent := listen(t, func(n int, c net.Conn) {
		in := bufio.NewReader(c)
		if r, err := http.ReadRequest(in); err != nil || r.Body.Close() != nil {
			return
		}
		_, _ = io.WriteString(c, response("200 OK", `{"data":[]}`))
		_, _ = in.Peek(1) // closes as soon as the next one comes
	})
	c := speak(t, "http://"+address)
	for range 5 {
		if _, err := c.Templates(t.Context(), "40"); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(sent.String(), "GET "); n <= 5 {
		t.Errorf("%d requests for 5 reads: none met a closing connection", n)
	}
}
