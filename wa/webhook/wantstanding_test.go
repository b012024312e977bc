package webhook_test

import "tickwatch/wa"

const (
	account = "400100200300400"
	told    = wa.Instant(1795162200_000) // entry.time of these files
)

// orderNews is an update of the template that these files speak of.
func orderNews(u wa.TemplateUpdate) wa.TemplateUpdate {
	u.AccountID, u.ID, u.Name, u.Language, u.At = account, 990000000000002, "order_news", "en_US", told
	return u
}

func orderNewsEdit(u wa.TemplateEdit) wa.TemplateEdit {
	u.AccountID, u.ID, u.Name, u.Language, u.At = account, 990000000000002, "order_news", "en_US", told
	return u
}

func system(id, subtype, text string, was, is wa.Person) wa.InboundMessage {
	return wa.InboundMessage{
		Sender: sender, Person: was, MessageID: id, At: 1795162020_000, Type: "system", Subtype: subtype, Text: text, Became: is,
	}
}

func fact(key, value string) wa.Fact { return wa.Fact{Key: key, Value: value} }

func accountUpdate(event string, facts ...wa.Fact) wa.AccountUpdate {
	return wa.AccountUpdate{AccountID: account, Event: event, At: told, Facts: facts}
}

// wantedStanding is what must come of the files about templates, numbers and
// accounts that have no place in a campaign's figures, and about people.
var wantedStanding = map[string]wa.Post{
	"template-category.json": {
		Templates: []wa.TemplateUpdate{
			orderNews(wa.TemplateUpdate{Category: "MARKETING", PreviousCategory: "UTILITY"}),
			orderNews(wa.TemplateUpdate{Category: "UTILITY", NextCategory: "MARKETING", NextCategoryAt: 1795248600_000}),
			orderNews(wa.TemplateUpdate{Category: "UTILITY", NextCategory: "MARKETING"}),
			orderNews(wa.TemplateUpdate{Category: "UTILITY", NextCategory: "CARRIER_PIGEON"}),
		},
		NotUnderstood: 1,
		Problem:       "entry[0].changes[4].value: has neither event nor quality nor category",
	},
	"template-rejected-beside.json": {Templates: []wa.TemplateUpdate{
		orderNews(wa.TemplateUpdate{Event: "REJECTED", Reason: "INVALID_FORMAT", Rejection: "Variable at the end", Recommendation: "Add text behind it"}),
		orderNews(wa.TemplateUpdate{Event: "APPROVED", Reason: "NONE"}), // not the rejection of the change before
	}},
	"template-components.json": {Edits: []wa.TemplateEdit{
		orderNewsEdit(wa.TemplateEdit{Title: "News", Body: "Hello {{1}}, your order moved.", Footer: "Reply STOP to leave", Buttons: []wa.TemplateButton{
			{Type: "URL", Text: "Track", URL: "https://shop.example.com/{{1}}"},
			{Type: "PHONE_NUMBER", Text: "Call", Phone: "+4915550001"},
			{Type: "HOLOGRAM", Text: "?"},
		}}),
		orderNewsEdit(wa.TemplateEdit{Body: "Hello {{1}}, your order moved."}),
	}},
	"number-name.json": {Names: []wa.NameUpdate{
		{AccountID: account, Display: "4915550001", Decision: "REJECTED", Name: "Shop X", Reason: "NAME_EMPLOYEE_ISSUE", At: told},
		{AccountID: account, Display: "4915550001", Decision: "APPROVED", Name: "Shop Y", At: told},
	}},
	"number-security.json": {Security: []wa.SecurityUpdate{
		{AccountID: account, Display: "4915550001", Event: "PIN_RESET_REQUEST", Requester: "70010020030", At: told},
		{AccountID: account, Display: "4915550001", Event: "PIN_CHANGED", At: told},
		{AccountID: account, Display: "4915550001", Event: "PIN_STOLEN", Requester: "70010020030", At: told},
	}},
	"business-capability.json": {Capabilities: []wa.CapabilityUpdate{ // limits come as text and as numbers
		{AccountID: account, Limit: "TIER_10K", MaxNumbers: 25, At: told},
		{AccountID: account, Limit: "TIER_2K", NumberLimit: "TIER_2K", MaxNumbers: 2, At: told},
		{AccountID: account, NumberLimit: "TIER_UNLIMITED", At: told},
		{AccountID: account, Limit: "TIER_UNLIMITED", At: told},
		{AccountID: account, Limit: "TIER_MOON", MaxNumbers: 30, At: told},
	}},
	"account-alerts.json": {Alerts: []wa.AccountAlert{
		{AccountID: account, EntityType: "BUSINESS", EntityID: "600100200300400", Severity: "WARNING", Status: "ACTIVE", Type: "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED", Description: "Limit not raised yet", At: told},
		{AccountID: account, EntityType: "PHONE_NUMBER", EntityID: "500100200300400", Severity: "CRITICAL", Status: "NONE", Type: "PROFILE_PICTURE_LOST", At: told},
		{AccountID: account, EntityType: "CURRENT_STATUS_ID", EntityID: "7", Severity: "GRAVE", Status: "ACTIVE", Type: "OBA_REJECTED", Description: "Not now", At: told},
	}},
	"account-review.json": {Accounts: []wa.AccountUpdate{
		{AccountID: account, Decision: "APPROVED", At: told},
		{AccountID: account, Decision: "PONDERED", At: told},
	}},
	"account-facts.json": {Accounts: []wa.AccountUpdate{
		accountUpdate("VOLUME_BASED_PRICING_TIER_UPDATE",
			fact("volume_tier_info.tier_update_time", "1795162200"), fact("volume_tier_info.pricing_category", "UTILITY"),
			fact("volume_tier_info.tier", "25000001:50000000"), fact("volume_tier_info.effective_month", "2026-11"), fact("volume_tier_info.region", "Germany")),
		accountUpdate("BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", fact("country", "PT")),
		accountUpdate("AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
			fact("auth_international_rate_eligibility.start_time", "1795162200"),
			fact("auth_international_rate_eligibility.exception_countries.country_code", "IN"), fact("auth_international_rate_eligibility.exception_countries.start_time", "1795162300"),
			fact("auth_international_rate_eligibility.exception_countries.country_code", "ID"), fact("auth_international_rate_eligibility.exception_countries.start_time", "1795162400")),
		accountUpdate("PARTNER_REMOVED", fact("waba_info.waba_id", account), fact("waba_info.owner_business_id", "600100200300400"),
			fact("disconnection_info.reason", "ACCOUNT_DISCONNECTED"), fact("disconnection_info.initiated_by", "USER")),
		accountUpdate("PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
			fact("partner_client_certification_info.client_business_id", "600100200300401"), fact("partner_client_certification_info.status", "REJECTED"),
			fact("partner_client_certification_info.rejection_reasons", "NAME"), fact("partner_client_certification_info.rejection_reasons", "ADDRESS")),
		{AccountID: account, Event: "ACCOUNT_RESTRICTION", At: told, Restrictions: []wa.Restriction{{Type: "RESTRICTED_USER_INITIATED_CALLING", Expires: 1795420800_000}}},
		accountUpdate("MOON_LANDED", fact("moon.crew", "3"), fact("moon.back", "false")), // what is nested too deep stays raw
	}},
	"standby-statuses.json": {
		Statuses: []wa.StatusUpdate{
			{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.SB1", Status: wa.StatusDelivered, At: 1795161600_000, CallbackData: "camp7:row1"},
			{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.SB2", Status: wa.StatusFailed, At: 1795161600_000, Code: 131026, Title: "Message undeliverable"},
		},
		Inbound: []wa.InboundMessage{
			{Sender: sender, Person: ines, MessageID: "wamid.SB3", At: 1795162000_000, Type: "text", Text: "STOP", Name: "Ines"},
		},
	},
	"known-by-name.json": {Unused: 3, Echoes: []wa.Echo{
		{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.E1", Type: "text", At: 1795162000_000},
	}},
	"user-actions.json": {
		Actions: []wa.UserAction{
			{Sender: sender, Type: "marketing_messages_link_click", Component: "cta", Product: "sku-1", ClickID: "click-1", Token: "token-1", At: 1795162000_000},
			{Sender: sender, Type: "landing_page_view", ClickID: "click-1", Token: "token-1", At: 1795162003_000},
			{Sender: sender, Type: "teleported"},
		},
		NotUnderstood: 1,
		Problem:       changes + "user_actions[3].action_type: is missing",
	},
	"inbound-system.json": {Inbound: []wa.InboundMessage{
		system("wamid.SY1", "user_changed_number", "Ines changed from one number to another", ines, wa.Person{Phone: "351900000007", BSUID: "PT.9000000007"}),
		system("wamid.SY2", "user_changed_user_id", "Ines has another id", wa.Person{Phone: "351900000001", BSUID: "PT.9000000007", ParentBSUID: "PT.ENT.8"}, wa.Person{BSUID: "PT.9000000008", ParentBSUID: "PT.ENT.9"}),
		system("wamid.SY3", "customer_changed_number", "x", phone("351900000001"), phone("351900000009")),
		system("wamid.SY4", "customer_identity_changed", "x", phone("351900000001"), wa.Person{}),
		system("wamid.SY5", "user_grew_wings", "", phone("351900000001"), wa.Person{}),
	}},
	"messages-deleted.json": {
		Statuses: []wa.StatusUpdate{
			{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.G1", Status: wa.StatusDelivered, At: 1795161600_000},
		},
		Inbound: []wa.InboundMessage{
			{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.RV1", At: 1795162030_000, Type: "revoke"},
			{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.RV2", At: 1795162031_000, Type: "revoke"},
		},
		Deletions: []wa.Deletion{
			{Sender: sender, MessageID: "wamid.IN1", At: 1795161600_000},
			{Sender: sender, MessageID: "wamid.IN2", At: 1795162030_000},
		},
		NotUnderstood: 1, // a warning is none of the statuses that a message climbs by
		Problem:       changes + `statuses[1]: status "warning" is not known`,
	},
	"standing-wrong-types.json": {
		Templates: []wa.TemplateUpdate{orderNews(wa.TemplateUpdate{Event: "REJECTED"})},
		Edits:     []wa.TemplateEdit{orderNewsEdit(wa.TemplateEdit{Buttons: []wa.TemplateButton{{}}})},
		// No id twice; body, button and a button's type; no decision; an event that is a number, so none;
		// two limits, so none; an info that is a list, so none; no decision; the rejection.
		NotUnderstood: 15,
		Problem:       "entry[0].changes[0].value.message_template_id: is missing or no number",
	},
}
