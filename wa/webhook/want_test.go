package webhook_test

import "tickwatch/wa"

var (
	sender = wa.Sender{AccountID: "400100200300400", NumberID: "500100200300400", Display: "4915550001"}
	ines   = wa.Person{Phone: "351900000001", BSUID: "PT.8400012345"}

	regular = wa.Pricing{Model: "PMP", Type: "regular", Category: "marketing"}
)

const changes = "entry[0].changes[0].value."

func phone(digits string) wa.Person { return wa.Person{Phone: digits} }

// sent is the least that a status of these files holds.
func sent(id string, at wa.Instant) wa.StatusUpdate {
	return wa.StatusUpdate{Sender: sender, MessageID: id, Status: wa.StatusSent, At: at}
}

// wanted is what must come of each payload file.
var wanted = map[string]wa.Post{
	"statuses-sent.json": {Statuses: []wa.StatusUpdate{
		{Sender: sender, Person: ines, MessageID: "wamid.AAA1", Status: wa.StatusSent, At: 1795161598_000, CallbackData: "camp7:row42", Pricing: regular},
		{Sender: sender, Person: phone("351900000002"), MessageID: "wamid.AAA2", Status: wa.StatusSent, At: 1795161599_000, CallbackData: "camp7:row43", Pricing: wa.Pricing{Model: "PMP", Type: "free_customer_service", Category: "utility"}},
	}},
	"status-sent-cbp.json": {Statuses: []wa.StatusUpdate{
		{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.CBP1", Status: wa.StatusSent, At: 1751000000_000, Pricing: wa.Pricing{Model: "CBP", Category: "marketing"}},
	}},
	"status-delivered-pmp.json": {Statuses: []wa.StatusUpdate{
		{Sender: sender, Person: ines, MessageID: "wamid.AAA1", Status: wa.StatusDelivered, At: 1795161600_000, CallbackData: "camp7:row42", Pricing: regular},
	}},
	"statuses-read-played.json": {Statuses: []wa.StatusUpdate{ // the BSUID comes from the contacts
		{Sender: sender, Person: ines, MessageID: "wamid.AAA1", Status: wa.StatusRead, At: 1795161700_000, Pricing: wa.Pricing{Model: "PMP", Type: "regular", Category: "service"}},
		{Sender: sender, Person: phone("351900000003"), MessageID: "wamid.AAA3", Status: wa.StatusPlayed, At: 1795161701_000},
	}},
	"status-failed-131049.json": {Statuses: []wa.StatusUpdate{
		{Sender: sender, Person: phone("351900000002"), MessageID: "wamid.AAA2", Status: wa.StatusFailed, At: 1795161603_000, CallbackData: "camp7:row43", Code: 131049, Title: "Not delivered: ecosystem engagement", Details: "Held back to keep engagement healthy"},
	}},
	"statuses-failed-oddly.json": {
		Statuses: []wa.StatusUpdate{
			{Sender: sender, Person: phone("351900000002"), MessageID: "wamid.F1", Status: wa.StatusFailed, At: 1795161603_000, Code: 131026, Title: "Message undeliverable"},
			{Sender: sender, Person: phone("351900000003"), MessageID: "wamid.F2", Status: wa.StatusFailed, At: 1795161603_000, Code: 470, Title: "Re-engagement message", Details: "More than a day has passed"},
			{Sender: sender, Person: phone("351900000004"), MessageID: "wamid.F3", Status: wa.StatusFailed, At: 1795161603_000},
			{Sender: sender, Person: phone("351900000005"), MessageID: "wamid.F4", Status: wa.StatusFailed, At: 1795161603_000, Title: "Nobody knows"},
		},
		NotUnderstood: 2, // a text in place of an error, and a code that is none
		Problem:       changes + "statuses[3].errors[0]: is text, not an object",
	},
	"status-group-participant.json": {Statuses: []wa.StatusUpdate{
		{Sender: sender, Person: wa.Person{Phone: "351900000005", BSUID: "PT.8400055555"}, MessageID: "wamid.GRP1", Status: wa.StatusRead, At: 1795161610_000, GroupID: "Y2FwaV9ncm91cDox", Participant: "351900000005"},
		{Sender: sender, Person: wa.Person{BSUID: "PT.8400066666", ParentBSUID: "PT.ENT.666"}, MessageID: "wamid.GRP1", Status: wa.StatusDelivered, At: 1795161609_000, GroupID: "Y2FwaV9ncm91cDox", Participant: "PT.8400066666"},
		{Sender: sender, MessageID: "wamid.GRP1", Status: wa.StatusSent, At: 1795161608_000, GroupID: "Y2FwaV9ncm91cDox"},
		{Sender: sender, Person: phone("351900000006"), MessageID: "wamid.GRP1", Status: wa.StatusFailed, At: 1795161611_000, GroupID: "Y2FwaV9ncm91cDox", Participant: "351900000006"},
	}},
	"status-bsuid-only.json": {Statuses: []wa.StatusUpdate{
		{Sender: sender, Person: wa.Person{BSUID: "PT.8400012345", ParentBSUID: "PT.ENT.8400012345"}, MessageID: "wamid.BS1", Status: wa.StatusDelivered, At: 1795161600_000, CallbackData: "camp7:row44"},
		{Sender: sender, Person: wa.Person{BSUID: "PT.8400012345"}, MessageID: "wamid.BS2", Status: wa.StatusFailed, At: 1795161601_000}, // the contacts were another change's
	}},
	"statuses-parent-spellings.json": {Statuses: []wa.StatusUpdate{
		{Sender: sender, Person: wa.Person{BSUID: "PT.1", ParentBSUID: "PT.ENT.1"}, MessageID: "wamid.P1", Status: wa.StatusSent, At: 1795161600_000},
		{Sender: sender, Person: wa.Person{BSUID: "PT.2", ParentBSUID: "PT.ENT.2"}, MessageID: "wamid.P2", Status: wa.StatusSent, At: 1795161600_000},
		{Sender: sender, Person: wa.Person{BSUID: "PT.3", ParentBSUID: "PT.ENT.3"}, MessageID: "wamid.P3", Status: wa.StatusSent, At: 1795161600_000},
	}},
	"status-no-metadata.json": {Statuses: []wa.StatusUpdate{{MessageID: "wamid.AAA1", Status: wa.StatusSent}}},
	"statuses-timestamps.json": {
		Statuses: []wa.StatusUpdate{
			sent("wamid.T0", 1795161600_000),
			sent("wamid.T1", 0), sent("wamid.T2", 0), sent("wamid.T3", 0), // absent
			sent("wamid.T4", 0),                // negative
			sent("wamid.T5", 1795161600000000), // milliseconds: wa.Believe judges
			sent("wamid.T6", 0),                // beyond all years
			sent("wamid.T7", 0), sent("wamid.T8", 0),
			sent("wamid.T9", 1795161600_000),
		},
		NotUnderstood: 2,
		Problem:       changes + `statuses[7].timestamp: "yesterday" is no moment`,
	},
	"status-bad-optional-keys.json": {
		Statuses: []wa.StatusUpdate{
			{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.O1", Status: wa.StatusDelivered},
			{Sender: sender, Person: phone("351900000002"), MessageID: "wamid.O2", Status: wa.StatusDelivered, At: 1795161600_000, Pricing: wa.Pricing{Type: "regular"}},
		},
		NotUnderstood: 9, // contacts; six keys of the first status, two of the second
		Problem:       changes + "contacts: is an object, not a list",
	},
	"statuses-lost.json": {
		Statuses: []wa.StatusUpdate{
			{Sender: sender, Person: phone("351900000009"), MessageID: "wamid.L9", Status: wa.StatusSent, At: 1795161600_000},
		},
		NotUnderstood: 11,
		Problem:       changes + `statuses[0]: status "warned" is not known`,
	},
	"statuses-hostile-ids.json": {Statuses: []wa.StatusUpdate{
		{Sender: sender, Person: phone("3519\x0000000001"), MessageID: "wamid.\x00\x07\x1b[2J", Status: wa.StatusSent, At: 1795161600_000, CallbackData: "camp\u202e7:r\n1"},
		sent("wamid.é👋", 1795161600_000),
	}},

	"inbound-text.json": {Inbound: []wa.InboundMessage{
		{Sender: sender, Person: ines, MessageID: "wamid.IN1", At: 1795162000_000, Type: "text", Text: "Olá, quando chega?", Name: "Ines"},
	}},
	"inbound-button-stop.json": {Inbound: []wa.InboundMessage{
		{Sender: sender, Person: ines, MessageID: "wamid.IN1", At: 1795162000_000, Type: "button", Text: "Stop promotions", Payload: "STOP_PROMO", ReplyTo: "wamid.AAA1", Name: "Ines"},
	}},
	"inbound-interactive.json": {Inbound: []wa.InboundMessage{
		{Sender: sender, Person: ines, MessageID: "wamid.IN2", At: 1795162001_000, Type: "interactive", Subtype: "button_reply", Text: "No more, please", Payload: "stop", ReplyTo: "wamid.AAA1", Name: "Ines"},
		{Sender: sender, Person: ines, MessageID: "wamid.IN3", At: 1795162002_000, Type: "interactive", Subtype: "list_reply", Text: "M", Payload: "size-m", Name: "Ines"},
		{Sender: sender, Person: ines, MessageID: "wamid.IN4", At: 1795162003_000, Type: "interactive", Subtype: "nfm_reply", Text: "Sent", Name: "Ines"},
	}},
	"inbound-reaction-media.json": {Inbound: []wa.InboundMessage{
		{Sender: sender, Person: ines, MessageID: "wamid.IN5", At: 1795162004_000, Type: "reaction", Text: "👍", ReplyTo: "wamid.AAA1", Name: "Ines"},
		{Sender: sender, Person: ines, MessageID: "wamid.IN6", At: 1795162005_000, Type: "reaction", ReplyTo: "wamid.AAA1", Name: "Ines"},
		{Sender: sender, Person: ines, MessageID: "wamid.IN7", At: 1795162006_000, Type: "image", Text: "broken", Name: "Ines"},
		{Sender: sender, Person: ines, MessageID: "wamid.IN8", At: 1795162007_000, Type: "audio", Name: "Ines"},
		{Sender: sender, Person: ines, MessageID: "wamid.IN9", At: 1795162008_000, Type: "location", Name: "Ines"},
		{Sender: sender, Person: ines, MessageID: "wamid.INA", At: 1795162009_000, Type: "hologram", Name: "Ines"},
	}},
	"inbound-unsupported-system.json": {Inbound: []wa.InboundMessage{
		{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.INB", At: 1795162010_000, Type: "unsupported", Subtype: "edit", Code: 131051},
		{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.INC", At: 1795162011_000, Type: "system", Subtype: "user_changed_number", Text: "Ines changed their number", Became: phone("351900000007")},
	}},
	"inbound-group-bsuid.json": {Inbound: []wa.InboundMessage{
		{Sender: sender, Person: wa.Person{BSUID: "PT.70001", ParentBSUID: "PT.ENT.70001"}, MessageID: "wamid.IND", At: 1795162012_000, Type: "text", Text: "STOP", GroupID: "Y2FwaV9ncm91cDox", Name: "Noor"},
		{Sender: sender, Person: ines, MessageID: "wamid.INE", At: 1795162013_000, Type: "text", Text: "Hi", Name: "Ines"},
		{Sender: sender, Person: phone("351900000099"), MessageID: "wamid.INF", At: 1795162014_000, Type: "text", Text: "Hi"}, // nobody's contact
	}},
	"inbound-wrong-types.json": {
		Inbound: []wa.InboundMessage{
			{Sender: sender, Person: ines, MessageID: "wamid.ING", At: 1795162015_000, Type: "text", Name: "Ines"},
			{Sender: sender, Person: ines, MessageID: "wamid.INH", At: 1795162016_000, Name: "Ines"},
			{Sender: sender, MessageID: "wamid.INI", At: 1795162018_000, Type: "button", Text: "Stop"},
		},
		NotUnderstood: 6, // the text; the type; the third message; from, context and payload
		Problem:       changes + "messages[0].text: is text, not an object",
	},
	"value-errors.json": {
		Faults: []wa.Fault{
			{Sender: sender, Code: 130429, Title: "Rate limit hit", Details: "Too many messages in a short time"},
			{Sender: sender, Code: 131035, Title: "Business eligibility"},
		},
		NotUnderstood: 1,
		Problem:       changes + "errors[2]: has neither code nor title",
	},

	"template-paused.json": {Templates: []wa.TemplateUpdate{
		{AccountID: "400100200300400", ID: 990000000000001, Name: "autumn_offer", Language: "pt_PT", Category: "MARKETING", Event: "PAUSED", Reason: "NONE", InfoTitle: "FIRST_PAUSE", InfoDescription: "Paused for 3 hours after feedback", At: 1795162100_000},
	}},
	"template-disabled.json": {Templates: []wa.TemplateUpdate{
		{AccountID: "400100200300400", ID: 9223372036854775807, Name: "autumn_offer", Language: "en-US", Event: "DISABLED", DisableAt: 1795248000_000, At: 1795162101_000},
		{AccountID: "400100200300400", ID: 9007199254740993, Name: "order_news", Language: "en_US", Event: "REJECTED", Reason: "INVALID_FORMAT", Rejection: "Variable at the end", Recommendation: "Add text behind it", At: 1795162101_000},
	}},
	"template-quality.json": {Templates: []wa.TemplateUpdate{
		{AccountID: "400100200300400", ID: 990000000000001, Name: "autumn_offer", Language: "pt_PT", Quality: wa.QualityYellow, PreviousQuality: wa.QualityGreen, At: 1795162102_000},
	}},
	"template-quality-wrong-field.json": {Templates: []wa.TemplateUpdate{
		{AccountID: "400100200300400", ID: 990000000000001, Name: "autumn_offer", Language: "pt_PT", Quality: wa.QualityRed, PreviousQuality: wa.QualityYellow},
		{AccountID: "400100200300400", ID: 990000000000001, Name: "autumn_offer", Language: "pt_PT", Quality: wa.QualityUnknown, PreviousQuality: wa.QualityRed},
		{AccountID: "400100200300400", ID: 990000000000001, Name: "autumn_offer", Language: "pt_PT", Quality: wa.QualityGreen},
		{AccountID: "400100200300400", ID: 990000000000001, Name: "autumn_offer", Language: "pt_PT", Quality: wa.QualityGreen},
	}},
	"template-wrong-types.json": {
		Templates: []wa.TemplateUpdate{
			{AccountID: "400100200300400", ID: 990000000000001, Event: "APPROVED", At: 1795162103_000},
		},
		NotUnderstood: 7, // no id; an event that is a number, so none; no score; a name and an info of wrong types; an id below zero
		Problem:       changes + "message_template_id: is missing or no number",
	},
	"number-throughput-upgrade.json": {Numbers: []wa.NumberUpdate{
		{AccountID: "400100200300400", Display: "4915550001", Event: "THROUGHPUT_UPGRADE", Limit: "TIER_UNLIMITED", At: 1795162104_000},
	}},
	"number-old-events.json": {
		Numbers: []wa.NumberUpdate{
			{AccountID: "400100200300400", Display: "4915550001", Event: "DOWNGRADE", OldLimit: "TIER_10K", Limit: "TIER_1K", At: 1695162104_000},
			{AccountID: "400100200300400", Display: "4915550001", Event: "FLAGGED", At: 1695162104_000},
			{AccountID: "400100200300400", Display: "4915550001", Limit: "TIER_2K", At: 1695162104_000},
		},
		NotUnderstood: 2,
		Problem:       "entry[0].changes[3].value.display_phone_number: is missing",
	},
	"account-restriction.json": {
		Accounts: []wa.AccountUpdate{{AccountID: "400100200300400", Event: "ACCOUNT_RESTRICTION", At: 1795162105_000, Restrictions: []wa.Restriction{
			{Type: "RESTRICTED_BIZ_INITIATED_MESSAGING", Expires: 1795420800_000},
			{Type: "RESTRICTED_UTILITY_TEMPLATES", Expires: 1795420800_000, Remedy: "Appeal in Business Support", NumberHint: "4915550001"},
			{Type: "RESTRICTED_ADD_PHONE_NUMBER_ACTION"},
		}}},
		NotUnderstood: 1,
		Problem:       changes + "restriction_info[3]: is a number, not an object",
	},
	"account-violation-ban.json": {
		Accounts: []wa.AccountUpdate{
			{AccountID: "400100200300400", Event: "ACCOUNT_VIOLATION", Violation: "SCAM", At: 1795162106_000},
			{AccountID: "400100200300400", Event: "DISABLED_UPDATE", BanState: "SCHEDULE_FOR_DISABLE", BanDate: "November 25, 2026", At: 1795162106_000},
			{AccountID: "400100200300400", Event: "ACCOUNT_DELETED", At: 1795162106_000},
		},
		NotUnderstood: 1,
		Problem:       "entry[0].changes[3].value.event: is missing",
	},
	"account-field-misplaced.json": {Accounts: []wa.AccountUpdate{
		{AccountID: "400100200300400", Event: "ACCOUNT_RECONNECTED", At: 1795162107_000},
		{AccountID: "400100200300400", Event: "ACCOUNT_OFFBOARDED", At: 1795162107_000},
	}},
	"user-preferences-stop.json": {Preferences: []wa.Preference{
		{Sender: sender, Person: wa.Person{Phone: "351900000003", BSUID: "PT.84000999"}, Category: "marketing_messages", Value: "stop", At: 1795163000_000},
	}},
	"user-preferences-odd.json": {
		Preferences: []wa.Preference{
			{Sender: sender, Person: wa.Person{BSUID: "PT.84000999", ParentBSUID: "PT.ENT.84000999"}, Category: "marketing_messages", Value: "resume", At: 1795163100_000},
			{Sender: sender, Person: phone("351900000003"), Category: "marketing_messages", Value: "stop", At: 1795163103_000},
		},
		NotUnderstood: 2,
		Problem:       changes + "user_preferences[1]: names nobody",
	},

	"mixed-bad-entry.json": {
		Statuses: []wa.StatusUpdate{
			{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.G1", Status: wa.StatusSent, At: 1795161600_000},
			{MessageID: "wamid.G2", Status: wa.StatusSent, At: 1795161600_000},
			{Sender: sender, Person: phone("351900000003"), MessageID: "wamid.G3", Status: wa.StatusSent, At: 1795161600_000},
			{MessageID: "wamid.G4", Status: wa.StatusSent, At: 1795161600_000}, // not the account of the entry before
		},
		NotUnderstood: 11, // 3 entries, 5 changes, an id, a time and a metadata
		Problem:       "entry[0]: is a number, not an object",
	},
	"unknown-field.json": {
		Statuses: []wa.StatusUpdate{
			{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.G1", Status: wa.StatusSent, At: 1795161600_000},
		},
		NotUnderstood: 4, // calls; no field; a field that is a number, so none
		Problem:       `entry[0].changes[0].field: "calls" is not known`,
	},
	"other-object.json":    {NotUnderstood: 1, Problem: `object: "page" is not known`},
	"empty-envelopes.json": {},
	"no-entry.json":        {NotUnderstood: 1, Problem: "entry: is missing"},
	"not-json.json":        {NotUnderstood: 1, Problem: "the body is no JSON: unexpected EOF"},
	"duplicate-keys.json": {Statuses: []wa.StatusUpdate{ // the last of two values, all of two lists
		{Sender: wa.Sender{AccountID: sender.AccountID, NumberID: "500100200300400"}, MessageID: "wamid.D1", Status: wa.StatusSent},
		{Sender: wa.Sender{AccountID: sender.AccountID, NumberID: "500100200300400"}, MessageID: "wamid.D2", Status: wa.StatusSent, At: 1795161600_000},
	}},
	"trailing-junk.json": {
		Statuses: []wa.StatusUpdate{
			{Sender: sender, Person: phone("351900000001"), MessageID: "wamid.G1", Status: wa.StatusSent, At: 1795161600_000},
		},
		NotUnderstood: 1,
		Problem:       "more follows behind the JSON",
	},
	"case-of-keys.json": {Statuses: []wa.StatusUpdate{sent("wamid.K1", 0)}},
}
