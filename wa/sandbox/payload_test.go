package sandbox

import (
	"encoding/json"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// The shapes of whatsapp.md §2, one of each kind, key by key.
func TestPayloads(t *testing.T) {
	a := newAccount()
	l := &life{
		message: &Message{ID: "wamid.AAA1", Recipient: "351912345678", CallbackData: "autumn:row42"},
		who:     person{phone: "351912345678", name: "Inês", bsuid: "PT.8400012345"},
		number:  a.numbers[0],
		price:   "marketing",
		button:  &button{Payload: "STOP_PROMO", Text: "Parar promoções"},
		steps: []step{
			{kind: stepSent},
			{kind: stepRead},
			{kind: stepFailed, code: 131026},
			{kind: stepStopText, text: "STOP"},
			{kind: stepStopButton},
			{kind: stepStopPreference},
		},
	}
	const (
		at       = wa.Instant(1_795_161_600_999)
		meta     = `"messaging_product":"whatsapp","metadata":{"display_phone_number":"351910000001","phone_number_id":"500100200300400"}`
		contacts = `"contacts":[{"profile":{"name":"Inês"},"wa_id":"351912345678","user_id":"PT.8400012345"}]`
		status   = `"id":"wamid.AAA1","timestamp":"1795161600","recipient_id":"351912345678","recipient_user_id":"PT.8400012345","biz_opaque_callback_data":"autumn:row42"`
		priced   = `"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"marketing"}`
		from     = `"from":"351912345678","from_user_id":"PT.8400012345","id":"","timestamp":"1795161600"`
		offer    = `"message_template_id":9900000000000001,"message_template_name":"autumn_offer","message_template_language":"pt_PT"`
	)
	pause := a.change(news{templateStatus: "PAUSED", info: &otherInfo{"FIRST_PAUSE", "Paused for 3 hours after feedback"}}, at)
	news := a.change(news{numberEvent: "ONBOARDING", templateStatus: "APPROVED", templateQuality: wa.QualityGreen}, at)
	of := func(i int) update {
		u := l.update(1, i, at)
		if u.inbound != nil {
			u.inbound.ID = "" // made of a hash
		}
		return u
	}
	for _, c := range []struct {
		name   string
		update update
		change string
	}{
		{"sent", of(0), `"field":"messages","value":{` + meta + `,` + contacts + `,"statuses":[{` + status + `,"status":"sent",` + priced + `}]}`},
		{"read in an open chat", of(1), `"field":"messages","value":{` + meta + `,` + contacts + `,"statuses":[{` + status + `,"status":"read",` + priced + `}]}`},
		{"failed", of(2), `"field":"messages","value":{` + meta + `,"statuses":[{` + status + `,"status":"failed","errors":[{
			"code":131026,"title":"Message undeliverable","message":"Message undeliverable","error_data":{"details":"Message Undeliverable."},
			"href":"https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"}]}]}`},
		{"stop by reply", of(3), `"field":"messages","value":{` + meta + `,` + contacts + `,"messages":[{` + from + `,"type":"text","text":{"body":"STOP"}}]}`},
		{"stop by button", of(4), `"field":"messages","value":{` + meta + `,` + contacts + `,"messages":[{` + from + `,"type":"button",
			"context":{"from":"351910000001","id":"wamid.AAA1"},"button":{"payload":"STOP_PROMO","text":"Parar promoções"}}]}`},
		{"stop in the settings", of(5), `"field":"user_preferences","value":{` + meta + `,"contacts":[{"wa_id":"351912345678","user_id":"PT.8400012345"}],
			"user_preferences":[{"wa_id":"351912345678","user_id":"PT.8400012345","detail":"User requested to stop marketing messages",
			"category":"marketing_messages","value":"stop","timestamp":1795161600}]}`},
		{"number", news[0], `"field":"phone_number_quality_update","value":{"display_phone_number":"351910000001","event":"ONBOARDING",
			"current_limit":"TIER_100K","max_daily_conversations_per_business":"TIER_100K"}`},
		{"template status", news[2], `"field":"message_template_status_update","value":{"event":"APPROVED","message_template_category":"MARKETING","reason":"NONE",` + offer + `}`},
		{"template paused", pause[0], `"field":"message_template_status_update","value":{"event":"PAUSED","message_template_category":"MARKETING","reason":"NONE",` + offer + `,
			"other_info":{"title":"FIRST_PAUSE","description":"Paused for 3 hours after feedback"}}`},
		{"template quality", news[3], `"field":"message_template_quality_update","value":{"previous_quality_score":"UNKNOWN","new_quality_score":"GREEN",` + offer + `}`},
	} {
		time := ""
		if c.update.value != nil {
			time = `"time":1795161600,`
		}
		want := `{"object":"whatsapp_business_account","entry":[{"id":"400100200300400",` + time + `"changes":[{` + c.change + `}]}]}`
		if diff := gocmp.Diff(decoded(t, []byte(want)), decoded(t, compose([]update{c.update}, stream(1)))); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// Meta writes JSON in ASCII, and the signature covers what it wrote.
func TestEscaped(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":"b/c"}`: `{"a":"b\/c"}`,
		`"Inês"`:      `"In\u00eas"`,
		`"👍"`:         `"\ud83d\udc4d"`,
	} {
		if got := string(escaped([]byte(in))); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

func decoded(t *testing.T, raw []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}
