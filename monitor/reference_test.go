package monitor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// Every kind of quality, template and account event of the reference (whatsapp.md §2.6,
// §2.7), as Meta posts it, ends where it must be seen: the snapshot that the Quality
// pane draws, the alarms, the history. No campaign runs, so no template's news is ACT.
func TestEveryStandingEvent(t *testing.T) {
	template := func(more string) string {
		return `{"message_template_id":990000000000001,"message_template_name":"autumn_offer","message_template_language":"pt_PT"` + more + `}`
	}
	status := func(event, more string) string { return template(`,"event":"` + event + `"` + more) }
	number := func(more string) string { return `{"display_phone_number":"4915550001"` + more + `}` }
	const (
		statusField, qualityField = "message_template_status_update", "message_template_quality_update"
		numberField, accountField = "phone_number_quality_update", "account_update"
	)
	of := func(want func(*link.Template) bool) func(*link.Snapshot) bool {
		return func(s *link.Snapshot) bool { return len(s.Templates) == 1 && want(&s.Templates[0]) }
	}
	is := func(status string) func(*link.Snapshot) bool {
		return of(func(t *link.Template) bool { return t.Status == status })
	}
	rated := func(quality string) func(*link.Snapshot) bool {
		return of(func(t *link.Template) bool { return t.Quality == quality })
	}
	limited := func(limit string) func(*link.Snapshot) bool {
		return func(s *link.Snapshot) bool { return len(s.Numbers) == 1 && s.Numbers[0].Limit == limit }
	}
	for _, c := range []struct {
		field, value string
		shown        func(*link.Snapshot) bool // nil = no state of a number or template
		alarm        string                    // "" = none
		told         string
	}{
		{statusField, status("APPROVED", `,"reason":"NONE"`), is("APPROVED"), "", "status APPROVED"},
		{statusField, status("ARCHIVED", ""), is("ARCHIVED"), "", "status ARCHIVED"}, // no campaign uses it
		{statusField, status("UNARCHIVED", ""), is("UNARCHIVED"), "", "status UNARCHIVED"},
		{statusField, status("DELETED", ""), is("DELETED"), "template watch The template autumn_offer/pt_PT is deleted", "status DELETED"},
		{statusField, status("DISABLED", `,"disable_info":{"disable_date":"1795420800"},"other_info":{"title":"DISABLED"}`), is("DISABLED"), "template watch Meta disabled the template autumn_offer/pt_PT", "status DISABLED"},
		{statusField, status("FLAGGED", ""), is("FLAGGED"), "template watch Meta flagged the template", "status FLAGGED"},
		{statusField, status("IN_APPEAL", ""), is("IN_APPEAL"), "", "status IN_APPEAL"},
		{statusField, status("LIMIT_EXCEEDED", ""), is("LIMIT_EXCEEDED"), "template watch The account has too many templates", "status LIMIT_EXCEEDED"},
		{statusField, status("LOCKED", `,"other_info":{"title":"DISABLED"}`), is("LOCKED"), "template watch Meta locked the template", "status LOCKED"},
		{statusField, status("PAUSED", `,"other_info":{"title":"FIRST_PAUSE"}`), of(func(t *link.Template) bool { return t.PausedUntil != nil && t.Pauses == 1 }), "template watch Meta paused the template autumn_offer/pt_PT: nothing goes out with it. It is the first pause, for 3 hours", "status PAUSED (first pause)"},
		{statusField, status("PAUSED", `,"other_info":{"title":"SECOND_PAUSE"}`), of(func(t *link.Template) bool { return t.PausedUntil != nil && t.Pauses == 2 }), "template watch Meta paused the template autumn_offer/pt_PT: nothing goes out with it. It is the second pause, for 6 hours; the next time Meta disables it", "status PAUSED (second pause)"},
		{statusField, status("PAUSED", `,"other_info":{"title":"RATE_LIMITING_PAUSE"}`), of(func(t *link.Template) bool { return t.Status == "PAUSED" && t.PausedUntil == nil }), "template watch Meta paused the template autumn_offer/pt_PT: nothing goes out with it. Meta held part of it back", "status PAUSED (paused for its rate)"},
		{statusField, status("PENDING", ""), is("PENDING"), "", "status PENDING"},
		{statusField, status("REINSTATED", `,"other_info":{"title":"UNPAUSE"}`), is("REINSTATED"), "", "status REINSTATED"},
		{statusField, status("PENDING_DELETION", `,"reason":null`), is("PENDING_DELETION"), "template watch The template autumn_offer/pt_PT is about to be deleted", "status PENDING_DELETION"},
		{statusField, status("REJECTED", `,"reason":"SCAM"`), is("REJECTED"), "template watch Meta rejected the template autumn_offer/pt_PT: it cannot be sent (SCAM)", "status REJECTED (SCAM)"},
		{qualityField, template(`,"previous_quality_score":"UNKNOWN","new_quality_score":"GREEN"`), rated("GREEN"), "", "quality GREEN, was UNKNOWN"},
		{qualityField, template(`,"previous_quality_score":"GREEN","new_quality_score":"YELLOW"`), rated("YELLOW"), "quality watch The quality of the template autumn_offer/pt_PT fell to YELLOW", "quality YELLOW, was GREEN"},
		{statusField, template(`,"previous_quality_score":"YELLOW","new_quality_score":"RED"`), rated("RED"), "quality watch The quality of the template autumn_offer/pt_PT is RED", "quality RED, was YELLOW"}, // Meta's own sample has this field
		{"template_category_update", template(`,"new_category":"UTILITY","correct_category":"MARKETING","category_update_timestamp":1795420800`), of(func(t *link.Template) bool { return t.NextCategory == "MARKETING" && t.NextCategoryAt != nil }), "template watch Meta will make the template autumn_offer/pt_PT a marketing one on 23 November 2026", "Meta will change the category from UTILITY to MARKETING on 23 November 2026"},
		{"template_correct_category_detection", template(`,"category":"UTILITY","correct_category":"MARKETING"`), of(func(t *link.Template) bool { return t.NextCategory == "MARKETING" }), "template watch Meta will make the template autumn_offer/pt_PT a marketing one", "Meta will change the category from UTILITY to MARKETING"},
		{"template_category_update", template(`,"previous_category":"UTILITY","new_category":"MARKETING"`), of(func(t *link.Template) bool { return t.Category == "MARKETING" && t.CategoryWas == "UTILITY" }), "template watch Meta changed the category of the template autumn_offer/pt_PT: marketing, was utility", "category MARKETING, was UTILITY"},
		{"message_template_components_update", template(`,"message_template_element":"Hello {{1}}"`), nil, "", "autumn_offer/pt_PT: text edited: “Hello {{1}}”"}, // no campaign sends it

		{numberField, number(`,"event":"ONBOARDING","current_limit":"TIER_250","max_daily_conversations_per_business":"TIER_250"`), limited("TIER_250"), "", "limit 250 people in 24 h (ONBOARDING)"},
		{numberField, number(`,"event":"THROUGHPUT_UPGRADE","max_daily_conversations_per_business":"TIER_UNLIMITED"`), limited("TIER_UNLIMITED"), "", "limit lifted"},
		{numberField, number(`,"event":"UPGRADE","old_limit":"TIER_1K","current_limit":"TIER_10K"`), limited("TIER_10K"), "", "limit 10,000 people in 24 h, was 1,000"},
		{numberField, number(`,"event":"DOWNGRADE","old_limit":"TIER_10K","current_limit":"TIER_1K"`), limited("TIER_1K"), "limit watch Meta lowered the limit of +4915550001: limit 1,000 people in 24 h, was 10,000 people in 24 h", "limit 1,000 people in 24 h, was 10,000"},
		{numberField, number(`,"event":"FLAGGED","current_limit":"TIER_10K"`), func(s *link.Snapshot) bool { return s.Numbers[0].Status == "FLAGGED" }, "quality watch Meta flagged the number +4915550001", "(FLAGGED)"},
		{numberField, number(`,"event":"UNFLAGGED","current_limit":"TIER_10K"`), func(s *link.Snapshot) bool { return s.Numbers[0].Status == "CONNECTED" }, "", "(UNFLAGGED)"},
		{"business_capability_update", `{"max_daily_conversations_per_business":2000,"max_phone_numbers_per_waba":25}`, nil, "", "limit 2,000 people in 24 h for all its numbers, at most 25 numbers"},
		{"phone_number_name_update", number(`,"decision":"REJECTED","requested_verified_name":"Shop X","rejection_reason":"NAME_EMPLOYEE_ISSUE"`), nil, "account watch Meta rejected the name “Shop X” of +4915550001", "name “Shop X” rejected"},
		{"phone_number_name_update", number(`,"decision":"APPROVED","requested_verified_name":"Shop X","rejection_reason":null`), nil, "", "name “Shop X” approved"},
		{"security", number(`,"event":"PIN_RESET_REQUEST","requester":"70010020030"`), nil, "account watch Number +4915550001: somebody asks to reset its PIN", "somebody asks to reset its PIN"},
		{"security", number(`,"event":"PIN_CHANGED"`), nil, "account watch Number +4915550001: its PIN was changed", "its PIN was changed"},
		{"security", number(`,"event":"PIN_RESET_SUCCESS"`), nil, "account watch Number +4915550001: its PIN was reset", "its PIN was reset"},
		{"account_alerts", `{"entity_type":"BUSINESS","entity_id":"6","alert_info":{"alert_severity":"WARNING","alert_status":"ACTIVE","alert_type":"INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED","alert_description":"Limit not raised yet"}}`, nil, "account watch Meta warns of the account: Limit not raised yet", "warning: Limit not raised yet"},
		{"account_alerts", `{"entity_type":"BUSINESS","entity_id":"6","alert_info":{"alert_severity":"INFORMATIONAL","alert_status":"ACTIVE","alert_type":"OBA_APPROVED","alert_description":"Yes"}}`, nil, "", "informational: Yes"},
		{"account_review_update", `{"decision":"REJECTED"}`, nil, "account watch Meta's review rejected the account", "review rejected"},
		{"account_review_update", `{"decision":"DEFERRED"}`, nil, "", "review deferred"},
		{accountField, `{"event":"ACCOUNT_DELETED"}`, nil, "account act The WhatsApp account is deleted", "the WhatsApp account is deleted"},
		{accountField, `{"event":"ACCOUNT_OFFBOARDED"}`, nil, "account act The WhatsApp account left the platform", "left the platform"},
		{accountField, `{"event":"ACCOUNT_RECONNECTED"}`, nil, "", "connected again"},
		{accountField, `{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"SCAM"}}`, nil, "account watch Meta says that the account broke its policy: SCAM", "broke Meta's policy: SCAM"},
		{accountField, `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING","expiration":1795420800}]}`, func(s *link.Snapshot) bool { return s.Alarms[0].Until != nil }, "account act Meta blocks this account's campaign messages", "Meta blocks this account's campaign messages"},
		{accountField, `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_ADD_PHONE_NUMBER_ACTION","expiration":1795420800}]}`, nil, "account watch Meta lets this account add no phone numbers", "add no phone numbers"},
		{accountField, `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"SCHEDULE_FOR_DISABLE","waba_ban_date":"April 17, 2027"}}`, nil, "account act Meta will disable the WhatsApp account (April 17, 2027)", "Meta will disable"},
		{accountField, `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE"}}`, nil, "account act Meta disabled the WhatsApp account", "Meta disabled"},
		{accountField, `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE"}}`, nil, "", "be used again"},
		{accountField, `{"event":"VOLUME_BASED_PRICING_TIER_UPDATE","volume_tier_info":{"tier":"0:1000","region":"PT"}}`, nil, "", "VOLUME_BASED_PRICING_TIER_UPDATE"},
		{accountField, `{"event":"BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE","country":"PT"}`, nil, "", "country PT"},
		{accountField, `{"event":"AUTH_INTL_PRICE_ELIGIBILITY_UPDATE","auth_international_rate_eligibility":{"start_time":1795420800}}`, nil, "", "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE"},
		{accountField, `{"event":"PARTNER_REMOVED","waba_info":{"waba_id":"4"},"disconnection_info":{"reason":"x"}}`, nil, "account watch A partner or an app was taken off the WhatsApp account", "PARTNER_REMOVED"},
		{accountField, `{"event":"PARTNER_ADDED","waba_info":{"waba_id":"4"}}`, nil, "", "PARTNER_ADDED"},
		{accountField, `{"event":"MM_LITE_TERMS_SIGNED","waba_info":{"waba_id":"4"}}`, nil, "", "MM_LITE_TERMS_SIGNED"},
		{accountField, `{"event":"PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE","partner_client_certification_info":{"status":"FAILED"}}`, nil, "", "status FAILED"},
		{"messages", `{"messaging_product":"whatsapp","metadata":{"display_phone_number":"4915550001","phone_number_id":"500100200300400"},"errors":[{"code":131035,"title":"Name not approved"}]}`, nil, "account watch Meta reports error 131035: Name not approved", "Meta reports error 131035"},
	} {
		t.Run(c.field+" "+c.told, func(t *testing.T) {
			r := start(t, t.TempDir(), newHand())
			body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"time":%d,"changes":[{"field":%q,"value":%s}]}]}`, accountID, now.Unix(), c.field, c.value)
			p := webhook.Decode("meta", []byte(body), wa.At(r.clock.now()))
			if p.NotUnderstood != 0 {
				t.Fatal(p.Problem)
			}
			if err := r.store.Ingest(context.Background(), p); err != nil {
				t.Fatal(err)
			}
			s := r.looked()
			missing := func() bool { return c.alarm != "" && len(open(s)) == 0 || c.shown != nil && !c.shown(s) }
			for end := time.Now().Add(20 * time.Second); missing() && time.Now().Before(end); { // what has changed is read from our own history a moment after it was told
				time.Sleep(time.Millisecond)
				s = r.looked()
			}
			var alarms []string
			for _, a := range open(s) {
				alarms = append(alarms, a.Kind+" "+a.Severity+" "+a.Text)
				if a.Advice == "" {
					t.Errorf("%q says nothing of what to do", a.Text)
				}
			}
			switch {
			case c.alarm == "" && len(alarms) > 0, c.alarm != "" && (len(alarms) != 1 || !strings.HasPrefix(alarms[0], c.alarm)):
				t.Errorf("alarms %q, want %q", alarms, c.alarm)
			case c.shown != nil && !c.shown(s):
				t.Errorf("shown: %+v %+v", s.Numbers, s.Templates)
			}
			events := said(ask[link.Events](t, r, link.VerbEvents, link.EventsArgs{}))
			if !slices.ContainsFunc(events, func(e string) bool { return strings.Contains(e, c.told) && !strings.HasPrefix(e, "alarm") }) {
				t.Errorf("told: %q, want %q", events, c.told)
			}
		})
	}
}
