package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tickwatch/wa"
)

// TestTemplatesAreJudged sends each kind of template well, and in every way that
// Meta refuses, with the code that Meta gives.
func TestTemplatesAreJudged(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	header := func(parameters string) string { return `{"type":"header","parameters":[` + parameters + `]}` }
	text := func(part string, texts ...string) string {
		var p []string
		for _, x := range texts {
			raw, _ := json.Marshal(x)
			p = append(p, `{"type":"text","text":`+string(raw)+`}`)
		}
		return `{"type":"` + part + `","parameters":[` + strings.Join(p, ",") + `]}`
	}
	named := func(pairs ...string) string {
		var p []string
		for i := 0; i < len(pairs); i += 2 {
			p = append(p, fmt.Sprintf(`{"type":"text","parameter_name":%q,"text":%q}`, pairs[i], pairs[i+1]))
		}
		return `{"type":"body","parameters":[` + strings.Join(p, ",") + `]}`
	}
	button := func(kind, index, parameter string) string {
		return fmt.Sprintf(`{"type":"button","sub_type":%q,"index":%s,"parameters":[%s]}`, kind, index, parameter)
	}
	var (
		place = header(`{"type":"location","location":{"latitude":"38.7","longitude":-9.1,"name":"Loja"}}`)
		link  = button("url", "0", `{"type":"text","text":"ana"}`)
		code  = button("copy_code", `"1"`, `{"type":"coupon_code","coupon_code":"OUTONO20"}`)
		flow  = button("flow", "0", `{"type":"action","action":{"flow_token":"t1"}}`)
	)
	for _, c := range []struct {
		what, template, components string
		code                       int
		details                    string
	}{
		{"image by id", "autumn_offer", imageByID + "," + bodyOfOne, 0, ""},
		{"image by link, with its button", "autumn_offer", imageByLink + "," + bodyOfOne + "," + stopPressed, 0, ""},
		{"in capitals, in another order", "autumn_offer", strings.Replace(bodyOfOne, "body", "BODY", 1) + "," + imageByID, 0, ""},
		{"the spare template", SpareTemplate, imageByID + "," + bodyOfOne, 0, ""},
		{"no header", "autumn_offer", bodyOfOne, 132012, "expected IMAGE, received UNKNOWN"},
		{"another header", "autumn_offer", header(`{"type":"video","video":{"id":"1"}}`) + "," + bodyOfOne, 132012, "expected IMAGE, received VIDEO"},
		{"an image of nothing", "autumn_offer", header(`{"type":"image","image":{}}`) + "," + bodyOfOne, 131008, "id or a link"},
		{"an image by id and link", "autumn_offer", header(`{"type":"image","image":{"id":"1","link":"https://shop.example/a.png"}}`) + "," + bodyOfOne, 100, "give one"},
		{"an image by a link that is none", "autumn_offer", header(`{"type":"image","image":{"link":"a.png"}}`) + "," + bodyOfOne, 100, "not a valid URI"},
		{"an image by an id that is none", "autumn_offer", header(`{"type":"image","image":{"id":"a.png"}}`) + "," + bodyOfOne, 100, "no media id"},
		{"no body", "autumn_offer", imageByID, 132000, "body: number of localizable_params (0) does not match the expected number of params (1)"},
		{"too much body", "autumn_offer", imageByID + "," + text("body", "a", "b"), 132000, "(2)"},
		{"a body of another kind", "autumn_offer", imageByID + `,{"type":"body","parameters":[{"type":"image","image":{"id":"1"}}]}`, 132012, "received image"},
		{"an empty text", "autumn_offer", imageByID + "," + text("body", ""), 131008, "missing text value"},
		{"a text over two lines", "autumn_offer", imageByID + "," + text("body", "Ana\nMaria"), 132018, "new-line"},
		{"a text with a gap", "autumn_offer", imageByID + "," + text("body", "Ana     Maria"), 132018, "4 consecutive spaces"},
		{"a text that is too long", "autumn_offer", imageByID + "," + text("body", strings.Repeat("á", 1000)), 132005, "1024"},
		{"a name where variables are numbered", "autumn_offer", imageByID + "," + named("name", "Ana"), 100, "numbered"},
		{"a button that is not there", "autumn_offer", imageByID + "," + bodyOfOne + "," + button("quick_reply", "1", `{"type":"payload","payload":"x"}`), 100, "no button at index 1"},
		{"a button without its number", "autumn_offer", imageByID + "," + bodyOfOne + `,{"type":"button","sub_type":"quick_reply","parameters":[]}`, 100, "index"},
		{"a component that is none", "autumn_offer", `{"type":"footer","parameters":[]}`, 100, "must be one of"},

		{"a video", "autumn_film", header(`{"type":"video","video":{"id":"1"}}`) + "," + bodyOfOne, 0, ""},
		{"a document", "price_list", header(`{"type":"document","document":{"link":"https://shop.example/a.pdf","filename":"a.pdf"}}`) + "," + bodyOfOne, 0, ""},
		{"an image for a document", "price_list", imageByID + "," + bodyOfOne, 132012, "expected DOCUMENT, received IMAGE"},

		{"a text header", "autumn_invitation", text("header", "Ana") + "," + text("body", "Lisboa", "3"), 0, ""},
		{"no text header", "autumn_invitation", text("body", "Lisboa", "3"), 132000, "header"},

		{"names", "delivery_news", named("order", "7", "first_name", "Ana", "day", "3"), 0, ""},
		{"a name missing", "delivery_news", named("order", "7", "first_name", "Ana"), 132000, "(2)"},
		{"a name wrong", "delivery_news", named("order", "7", "name", "Ana", "day", "3"), 132000, "body"},
		{"a name twice", "delivery_news", named("order", "7", "order", "8", "day", "3"), 132000, "body"},
		{"no names", "delivery_news", text("body", "7", "Ana", "3"), 100, "Parameter name is missing or empty"},

		{"all buttons", "autumn_voucher", bodyOfOne + "," + link + "," + code + "," + button("quick_reply", "4", `{"type":"payload","payload":"STOP"}`), 0, ""},
		{"the buttons that are needed", "autumn_voucher", bodyOfOne + "," + code + "," + link, 0, ""},
		{"no link", "autumn_voucher", bodyOfOne + "," + code, 131008, "Button at index 0 of type Url requires a parameter"},
		{"no code", "autumn_voucher", bodyOfOne + "," + link, 131008, "Button at index 1 of type CopyCode requires a parameter"},
		{"an empty code", "autumn_voucher", bodyOfOne + "," + link + "," + button("copy_code", "1", `{"type":"coupon_code","coupon_code":""}`), 100, "1 to 15"},
		{"a code as text", "autumn_voucher", bodyOfOne + "," + link + "," + button("copy_code", "1", `{"type":"text","text":"X"}`), 132012, "coupon_code"},
		{"a button of another type", "autumn_voucher", bodyOfOne + "," + code + "," + button("quick_reply", "0", `{"type":"payload","payload":"x"}`), 132012, "of type Url, received quick_reply"},
		{"a fixed link with a parameter", "autumn_voucher", bodyOfOne + "," + code + "," + link + "," + button("url", "2", `{"type":"text","text":"x"}`), 100, "does not support parameters"},
		{"a call with a parameter", "autumn_voucher", bodyOfOne + "," + code + "," + link + "," + button("phone_number", "3", `{"type":"text","text":"x"}`), 100, "type Call"},
		{"two parameters for a button", "autumn_voucher", bodyOfOne + "," + code + "," + button("url", "0", `{"type":"text","text":"x"},{"type":"text","text":"y"}`), 132000, "buttons"},

		{"a place and a flow", "shop_opening", place + "," + bodyOfOne + "," + flow, 0, ""},
		{"a place without a flow's token", "shop_opening", place + "," + bodyOfOne, 0, ""},
		{"no place", "shop_opening", bodyOfOne, 132012, "expected LOCATION, received UNKNOWN"},
		{"a place that is none", "shop_opening", header(`{"type":"location","location":{"latitude":"91","longitude":"0"}}`) + "," + bodyOfOne, 100, "latitude"},
		{"a place of nothing", "shop_opening", header(`{"type":"location"}`) + "," + bodyOfOne, 131008, "latitude"},
		{"a flow without an action", "shop_opening", place + "," + bodyOfOne + "," + button("flow", "0", `{"type":"action"}`), 100, "no action"},

		{"a paused template", "summer_sale", imageByID + "," + bodyOfOne, 132015, "paused"},
		{"a disabled template", "last_call", imageByID + "," + bodyOfOne, 132016, "too many times"},
		{"a template that is not approved yet", "winter_preview", imageByID + "," + bodyOfOne, 132001, "does not exist"},
		{"a rejected template", "autumn_prize", imageByID + "," + bodyOfOne, 132001, "does not exist"},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, answer := call(t, s, http.MethodPost, "/"+numberIDs[0]+"/messages", templateBody("+351912345678", c.template, "pt_PT", c.components))
			code, details := problemOf(answer)
			if code != c.code || !strings.Contains(details, c.details) {
				t.Errorf("refused with %d %q, want %d %q", code, details, c.code, c.details)
			}
			if s.pairs(numberIDs[0], "351912345678") > pairBurst/2 {
				t.Fatal("the table sends so much that the pair's limit nears: write to two people")
			}
		})
	}
}

// pairs is how many messages of a number the journal has for one person.
func (s *Sandbox) pairs(from, to string) (n int) {
	for _, a := range s.Accepted() {
		if a.From == from && a.To == "+"+to {
			n++
		}
	}
	return n
}

func TestMarketingMessages(t *testing.T) {
	rc := newReceiver(t, nil)
	s, _ := start(t, Options{Speed: 100, Messages: -1}, rc)
	path := "/v26.0/" + numberIDs[1] + "/marketing_messages"
	good := templateBody("+351912345678", "autumn_offer", "pt_PT", imageByID+","+bodyOfOne)
	for _, c := range []struct {
		what, body string
		code       int
	}{
		{"marketing", strings.Replace(good, `{"messaging`, `{"product_policy":"CLOUD_API_FALLBACK","messaging`, 1), 0},
		{"strict", strings.Replace(good, `{"messaging`, `{"product_policy":"STRICT","messaging`, 1), 0},
		{"another policy", strings.Replace(good, `{"messaging`, `{"product_policy":"LOOSE","messaging`, 1), 100},
		{"utility", templateBody("+351912345678", "order_news", "en_US", bodyOfOne), 134100},
		{"free text", strings.Replace(good, `"type":"template","biz`, `"type":"text","biz`, 1), 131055},
		{"to itself", strings.Replace(good, "+351912345678", "+4915550000002", 1), 131021},
	} {
		_, answer := call(t, s, http.MethodPost, path, c.body)
		if code, details := problemOf(answer); code != c.code {
			t.Errorf("%s: refused with %d %q, want %d", c.what, code, details, c.code)
		}
	}
	waitFor(t, "what it costs", func() bool {
		rc.mu.Lock()
		defer rc.mu.Unlock()
		for _, told := range rc.told {
			for _, status := range told {
				if p, ok := status["pricing"].(map[string]any); ok {
					return p["category"] == "marketing_lite"
				}
			}
		}
		return false
	})
}

// TestTemplateList reads all templates page by page, as a client does that must
// choose one.
func TestTemplateList(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	var names []string
	kinds := map[string]bool{}
	after := ""
	for {
		_, page := call(t, s, http.MethodGet, "/v26.0/"+AccountID+
			"/message_templates?limit=4&fields=name,status,language,category,components,parameter_format,quality_score,rejected_reason,previous_category&after="+after, "")
		for _, n := range page["data"].([]any) {
			n := n.(map[string]any)
			names = append(names, n["name"].(string))
			kinds[n["status"].(string)] = true
			kinds[n["parameter_format"].(string)] = true
			kinds["rejected: "+n["rejected_reason"].(string)] = true
			if _, ok := n["previous_category"]; ok {
				t.Errorf("%v has a category that it never had", n)
			}
			for _, c := range n["components"].([]any) {
				c := c.(map[string]any)
				if f, ok := c["format"].(string); ok {
					kinds[f] = true
				}
				buttons, _ := c["buttons"].([]any)
				for _, b := range buttons {
					kinds[b.(map[string]any)["type"].(string)] = true
				}
			}
		}
		paging := page["paging"].(map[string]any)
		if paging["next"] == nil {
			break
		}
		after = paging["cursors"].(map[string]any)["after"].(string)
	}
	for _, want := range []string{
		"APPROVED", "PAUSED", "PENDING", "REJECTED", "DISABLED", "NAMED", "POSITIONAL", "rejected: SCAM", "rejected: NONE",
		"TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION", "QUICK_REPLY", "URL", "COPY_CODE", "FLOW", "PHONE_NUMBER",
	} {
		if !kinds[want] {
			t.Errorf("no template is or has %s", want)
		}
	}
	all := slices.Clone(names)
	slices.Sort(all)
	if len(names) < 10 || len(slices.Compact(all)) != len(names) || names[0] != CampaignTemplate {
		t.Errorf("templates %v", names)
	}
	_, rest := call(t, s, http.MethodGet, "/"+AccountID+"/message_templates?status=PAUSED&fields=name,health_status", "")
	if text := fmt.Sprint(rest["data"]); !strings.Contains(text, "summer_sale") || !strings.Contains(text, "BLOCKED") || strings.Contains(text, "autumn") {
		t.Errorf("paused templates: %s", text)
	}
}

func TestHealthFollows(t *testing.T) {
	rc := newReceiver(t, nil)
	s, _ := start(t, Options{Speed: 1, Messages: -1}, rc)
	health := func(id string) string {
		t.Helper()
		_, answer := call(t, s, http.MethodGet, "/"+id+"?fields=health_status", "")
		h := answer["health_status"].(map[string]any)
		text := h["can_send_message"].(string)
		for _, e := range h["entities"].([]any) {
			e := e.(map[string]any)
			errs, _ := e["errors"].([]any)
			for _, x := range errs {
				text += fmt.Sprintf(" %s:%v", e["entity_type"], x.(map[string]any)["error_code"])
			}
		}
		return text
	}
	const offer = "9900000000000001"
	check := func(when, id, want string) {
		t.Helper()
		if got := health(id); got != want {
			t.Errorf("%s, %s is %q, want %q", when, id, got, want)
		}
	}
	for _, id := range []string{AccountID, numberIDs[0], offer} {
		check("at first", id, "AVAILABLE")
	}
	spam, err := s.Inject(Fault{Kind: FaultRefuse, Code: 131048, Number: numberIDs[0]})
	if err != nil {
		t.Fatal(err)
	}
	check("with 131048", numberIDs[0], "BLOCKED PHONE_NUMBER:131048")
	check("with 131048 of the other", numberIDs[1], "AVAILABLE")
	s.Clear(spam)
	check("later", numberIDs[0], "AVAILABLE")
	if err := s.SetNumber(numberIDs[1], "FLAGGED", wa.QualityRed); err != nil {
		t.Fatal(err)
	}
	check("flagged", numberIDs[1], "LIMITED PHONE_NUMBER:131048")
	if _, err := s.Inject(Fault{Kind: FaultRefuse, Code: 131031}); err != nil {
		t.Fatal(err)
	}
	check("locked", offer, "BLOCKED WABA:131031")
	s.Clear()
	if err := s.SetTemplate(CampaignTemplate, CampaignLanguage, "PAUSED", ""); err != nil {
		t.Fatal(err)
	}
	check("paused", offer, "BLOCKED MESSAGE_TEMPLATE:132015")
	_, answer := call(t, s, http.MethodPost, "/"+numberIDs[0]+"/messages", sendBody("", ""))
	if code, _ := problemOf(answer); code != codePaused {
		t.Errorf("a paused template was refused with %d", code)
	}
	waitFor(t, "the webhook of the pause", func() bool {
		rc.mu.Lock()
		defer rc.mu.Unlock()
		return strings.Contains(fmt.Sprint(rc.fields[fieldTemplateStatus]), "FIRST_PAUSE")
	})
}

// FuzzSend judges whatever may come: it is refused or fits, and nothing breaks.
func FuzzSend(f *testing.F) {
	f.Add(sendBody("", ""))
	f.Add(templateBody("+351912345678", "autumn_voucher", "pt_PT", bodyOfOne+","+stopPressed))
	f.Add(templateBody("+351912345678", "shop_opening", "pt_PT", `{"type":"header","parameters":[{"type":"location","location":{"latitude":1}}]},null`))
	f.Add(templateBody("+351912345678", "delivery_news", "pt_PT", `{"type":"body","parameters":[{"type":"text","parameter_name":"order","text":"7"}]}`))
	s := &Sandbox{account: newAccount()}
	f.Fuzz(func(t *testing.T, body string) {
		q := &send{}
		if json.Unmarshal([]byte(body), &q.sendRequest) != nil {
			return
		}
		for _, marketing := range []bool{false, true} {
			template, problem := s.check(&q.sendRequest, marketing)
			switch {
			case problem == nil:
				q.button(template)
			case problem.code == 0 || problem.message == "":
				t.Errorf("refused without a word: %+v", problem)
			}
		}
	})
}
