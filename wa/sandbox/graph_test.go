package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// sendBody is a good send, changed by replacing one text in it.
func sendBody(old, new string) string {
	body := `{"messaging_product":"whatsapp","to":"+351912345678","type":"template","biz_opaque_callback_data":"c:1",
		"template":{"name":"autumn_offer","language":{"code":"pt_PT"},"components":[
			{"type":"header","parameters":[{"type":"image","image":{"id":"800100200300400"}}]},
			{"type":"body","parameters":[{"type":"text","text":"Ana"}]}]}}`
	if old != "" && !strings.Contains(body, old) {
		panic("nothing to replace: " + old)
	}
	return strings.Replace(body, old, new, 1)
}

func TestSend(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	path := "/v26.0/" + numberIDs[0] + "/messages"
	for _, c := range []struct {
		name, path, body string
		status           int
		code             float64
	}{
		{"good", path, sendBody("", ""), 200, 0},
		{"without a version", strings.TrimPrefix(path, "/v26.0"), sendBody("", ""), 200, 0},
		{"another system's number", "/v26.0/1/messages", sendBody("", ""), 400, 100},
		{"no JSON", path, "{", 400, 100},
		{"wrong type", path, sendBody(`"to":"+351912345678"`, `"to":5`), 400, 100},
		{"no product", path, sendBody(`"whatsapp"`, `""`), 400, 100},
		{"no recipient", path, sendBody(`+351912345678`, ``), 400, 131008},
		{"no number", path, sendBody(`+351912345678`, `PT.8400012345`), 400, 131009},
		{"free text", path, sendBody(`"type":"template"`, `"type":"text"`), 400, 131047},
		{"no template", path, sendBody(`"autumn_offer"`, `""`), 400, 131008},
		{"unknown template", path, sendBody(`autumn_offer`, `spring_offer`), 404, 132001},
		{"unknown language", path, sendBody(`pt_PT`, `de`), 404, 132001},
		{"too few variables", path, sendBody(`{"type":"text","text":"Ana"}`, ``), 400, 132000},
		{"callback data too long", path, sendBody(`c:1`, strings.Repeat("é", 513)), 400, 100},
		{"longest callback data", path, sendBody(`c:1`, strings.Repeat("é", 512)), 200, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, answer := call(t, s, http.MethodPost, c.path, c.body)
			var code float64
			if e, ok := answer["error"].(map[string]any); ok {
				code = e["code"].(float64)
				if !strings.HasPrefix(e["message"].(string), fmt.Sprintf("(#%.0f) ", code)) || e["fbtrace_id"] == "" {
					t.Errorf("error %v", e)
				}
			}
			if status != c.status || code != c.code {
				t.Errorf("answer %d with code %.0f, want %d with %.0f", status, code, c.status, c.code)
			}
		})
	}
	if b := s.Books(); len(b.Messages) != 3 || b.Refused != 12 {
		t.Errorf("the books have %d messages and %d refusals, want 3 and 12", len(b.Messages), b.Refused)
	}
}

func TestSendAnswersWithAWamid(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	send := func(to string) (id, waID string) {
		_, answer := call(t, s, http.MethodPost, "/"+numberIDs[0]+"/messages", sendBody("+351912345678", to))
		id = answer["messages"].([]any)[0].(map[string]any)["id"].(string)
		return id, answer["contacts"].([]any)[0].(map[string]any)["wa_id"].(string)
	}
	first, waID := send("+351 912-345-678")
	if waID != "351912345678" {
		t.Errorf("wa_id %q", waID)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(first, "wamid."))
	if err != nil || !strings.HasPrefix(first, "wamid.HBg") || !strings.Contains(string(raw), waID) {
		t.Errorf("%q does not look like a wamid: %v", first, err)
	}
	if second, _ := send("+351912345678"); second == first {
		t.Error("two messages to one person have the same id")
	}
	// Without the plus it is another number: the sender's country comes before it.
	if _, waID := send("912345678"); waID != "351912345678" {
		t.Errorf("912345678 became %s", waID)
	}
	if _, waID := send("34612345678"); waID != "35134612345678" {
		t.Errorf("34612345678 became %s", waID)
	}
}

func TestGraphNeedsItsToken(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	for _, header := range []string{"", "Bearer", "Bearer x", s.Token().Reveal()} {
		req, err := http.NewRequest(http.MethodGet, s.URL()+"/"+AccountID, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		client := newClient(1)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		client.CloseIdleConnections()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("Authorization %q was answered %d", header, res.StatusCode)
		}
	}
}

func TestGraphReads(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	waitFor(t, "the opening news", func() bool { return s.Books().Ahead == 0 })
	for _, c := range []struct{ path, want string }{
		{"/v26.0/" + AccountID + "/phone_numbers?fields=quality_rating,status", `map[id:500100200300400 quality_rating:GREEN status:CONNECTED]`},
		{"/v26.0/" + AccountID + "/phone_numbers?limit=1&after=1", `id:500100200300401`},
		{"/v26.0/" + AccountID + "/phone_numbers?limit=1", `/v26.0/400100200300400/phone_numbers?access_token=EAAG`},
		{"/v26.0/" + AccountID + "/phone_numbers?limit=1", `after=1&limit=1`},
		{"/v26.0/" + numberIDs[1] + "?fields=whatsapp_business_manager_messaging_limit,throughput", `throughput:map[level:STANDARD] whatsapp_business_manager_messaging_limit:TIER_100K`},
		{"/v26.0/" + numberIDs[1] + "?fields=health_status", `can_send_message:AVAILABLE`},
		{"/v26.0/" + numberIDs[1], `display_phone_number:+49 15550000002`},
		{"/v26.0/" + AccountID + "/message_templates?name=autumn_offer&fields=id,quality_score,status", `[map[id:9900000000000001 quality_score:map[date:`},
		{"/v26.0/" + AccountID + "/message_templates?status=ARCHIVED", `data:[]`},
		{"/v26.0/9900000000000001?fields=health_status", `MESSAGE_TEMPLATE`},
		{"/v26.0/" + AccountID + "/subscribed_apps", `whatsapp_business_api_data:map[id:700100200300400`},
		{"/v26.0/1/subscribed_apps", `error_subcode:33`},
		{"/v26.0/" + AccountID, `name:Autumn Shop`},
		{"/v26.0/" + AccountID + "?fields=colour", `nonexisting field (colour)`},
		{"/v26.0/123", `error_subcode:33`},
		{"/v26.0/123/phone_numbers", `error_subcode:33`},
		{"/v26.0/" + AccountID + "/nothing", `code:2500`},
	} {
		if _, answer := call(t, s, http.MethodGet, c.path, ""); !strings.Contains(fmt.Sprint(answer), c.want) {
			t.Errorf("%s: %v, want %s", c.path, answer, c.want)
		}
	}
}
