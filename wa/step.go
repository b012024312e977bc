package wa

// Steps of a person's way after a message of ours reached them. They are stored.
const (
	StepReply    = "reply"    // wrote something, or sent something
	StepButton   = "button"   // pressed a button
	StepList     = "list"     // chose from a list
	StepReaction = "reaction" // reacted with an emoji
)

// Step is which step an inbound message is, and what stands on the button or list
// row that was chosen: foreign text. "" = it is none: news of the person or of
// another message, a reaction taken back, or words in a group.
func (m *InboundMessage) Step() (step, label string) {
	if m.GroupID != "" {
		return "", ""
	}
	chosen := m.Text
	if chosen == "" {
		chosen = m.Payload
	}
	switch m.Type {
	case "button":
		return StepButton, chosen
	case "interactive":
		switch m.Subtype {
		case "list_reply":
			return StepList, chosen
		case "button_reply":
			return StepButton, chosen
		}
		return StepReply, ""
	case "reaction":
		if m.Text == "" {
			return "", ""
		}
		return StepReaction, ""
	case "text", "image", "audio", "video", "document", "sticker", "location", "contacts", "order":
		return StepReply, ""
	case "unsupported":
		if m.Subtype != "edit" {
			return StepReply, ""
		}
	}
	return "", ""
}

// Template tells whether a message that is priced so is a template. An answer of a
// person to a person is service, or free after a click on an advertisement
// (whatsapp.md §2.3); a message that is not priced may be either.
func (p Pricing) Template() bool {
	switch p.Category {
	case "", "service", "referral_conversion":
		return false
	}
	return true
}

// Answers tells whether an echo is something that a person may have waited for.
func (e *Echo) Answers() bool {
	switch e.Type {
	case "reaction", "revoke", "edit", "system":
		return false
	}
	return true
}
