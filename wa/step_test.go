package wa

import "testing"

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		m           InboundMessage
		step, label string
	}{
		{InboundMessage{Type: "text", Text: "how much?"}, StepReply, ""},
		{InboundMessage{Type: "image"}, StepReply, ""},
		{InboundMessage{Type: "button", Text: "Tell me more", Payload: "MORE"}, StepButton, "Tell me more"},
		{InboundMessage{Type: "button", Payload: "MORE"}, StepButton, "MORE"},
		{InboundMessage{Type: "interactive", Subtype: "button_reply", Text: "Yes"}, StepButton, "Yes"},
		{InboundMessage{Type: "interactive", Subtype: "list_reply", Text: "Size M"}, StepList, "Size M"},
		{InboundMessage{Type: "interactive", Subtype: "nfm_reply", Text: "Sent"}, StepReply, ""},
		{InboundMessage{Type: "reaction", Text: "👍"}, StepReaction, ""},
		{InboundMessage{Type: "reaction"}, "", ""}, // taken back
		{InboundMessage{Type: "unsupported", Subtype: "poll"}, StepReply, ""},
		{InboundMessage{Type: "unsupported", Subtype: "edit"}, "", ""},
		{InboundMessage{Type: "system", Text: "Ines changed their number"}, "", ""},
		{InboundMessage{Type: "text", Text: "hello all", GroupID: "g1"}, "", ""},
	} {
		if step, label := c.m.Step(); step != c.step || label != c.label {
			t.Errorf("%+v: %q %q, want %q %q", c.m, step, label, c.step, c.label)
		}
	}
}

// What an answer is does not depend on the order in which its statuses come; a
// template is none, and neither is what failed.
func TestAnswersAt(t *testing.T) {
	sent, _ := Progress{}.Climb(StatusSent, 1000, 0)
	read, _ := Progress{}.Climb(StatusRead, 3000, 0)
	both, _ := read.Climb(StatusSent, 1000, 0)
	failed, _ := sent.Climb(StatusFailed, 2000, 131026)
	for _, c := range []struct {
		p    Progress
		want Instant
	}{{Progress{}, 0}, {sent, 1000}, {read, 3000}, {both, 1000}, {failed, 0}, {both.Template(), 0}} {
		if got := c.p.AnswersAt(); got != c.want {
			t.Errorf("%+v answers at %d, want %d", c.p, got, c.want)
		}
	}
	for category, want := range map[string]bool{"": false, "service": false, "referral_conversion": false, "marketing": true, "utility": true, "authentication": true} {
		if got := (Pricing{Category: category}).Template(); got != want {
			t.Errorf("%q is a template: %t", category, got)
		}
	}
}
