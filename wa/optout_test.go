package wa

import (
	"strings"
	"testing"
)

func TestOptsOut(t *testing.T) {
	text := func(s string) InboundMessage { return InboundMessage{Type: "text", Text: s} }
	button := func(payload, s string) InboundMessage {
		return InboundMessage{Type: "button", Payload: payload, Text: s}
	}
	for _, c := range []struct {
		name string
		m    InboundMessage
		want bool
	}{
		{"stop", text("stop"), true},
		{"Stop with a full stop", text("Stop."), true},
		{"shouted", text("  STOP!!! "), true},
		{"many exclamation marks", text("STOP" + strings.Repeat("!", 100)), true},
		{"with emoji", text("Stop 🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏"), true},
		{"many spaces before", text(strings.Repeat(" ", 100) + "stop"), true},
		{"repeated", text("Stop stop stop"), true},
		{"two words of the list", text("STOP, unsubscribe"), true},
		{"stop all", text("stop all"), true},
		{"opt out", text("opt out"), true},
		{"opt-out", text("Opt-Out"), true},
		{"French", text("arrêt"), true},
		{"French without its accent", text("ARRET"), true},
		{"French, accent apart", text("arre\u0302t"), true},
		{"hidden characters", text("ST\u200bOP"), true},
		{"quoted", text("“Stop”"), true},
		{"other accents", text("Stöp"), true},
		{"letters of double width", text("ＳＴＯＰ"), true},

		{"please don't stop", text("please don't stop"), false},
		{"don't stop", text("Don't stop!"), false},
		{"stopover", text("stopover"), false},
		{"in a sentence", text("when does the offer stop?"), false},
		{"at the start of a sentence", text("Stop by our shop"), false},
		{"a novel", text("stop" + strings.Repeat(" and go", 2000)), false},
		{"a long word", text("stop" + strings.Repeat("x", 100)), false},
		{"nothing", text(""), false},
		{"only punctuation", text("?!"), false},
		{"only emoji", text("👍"), false},
		{"broken UTF-8", text("\xff\xfe"), false},

		{"payload", button("STOP_PROMO", "No more offers"), true},
		{"payload alone", button("unsubscribe", ""), true},
		{"payload in two words", button("opt_out_marketing", "Enough"), true},
		{"text of the button", button("btn-1", "Stop promotions"), true},
		{"text in two words", button("btn-1", "Opt out"), true},
		{"French button", button("", "Arrêt des promotions"), true},
		{"French button, accent apart", button("", "Arre\u0302t des promotions"), true},
		{"button with hidden characters", button("", "St\u200bop promotions"), true},
		{"interactive", InboundMessage{Type: "interactive", Payload: "STOP", Text: "x"}, true},
		{"cancel and no more", button("", "Cancel"), true},

		{"another button", button("YES", "Yes please"), false},
		{"stop not in front", button("DONT_STOP", "Don't stop"), false},
		{"cancel something else", button("cancel_order_17", "Cancel my order"), false},
		{"end of something else", button("", "End-to-end encryption"), false},
		{"a picture's caption is no button", InboundMessage{Type: "image", Text: "STOP", Payload: "STOP"}, false},
		{"a reaction", InboundMessage{Type: "reaction", Text: "stop"}, false},
		{"a text has no payload", InboundMessage{Type: "text", Payload: "STOP"}, false},
	} {
		if got := c.m.OptsOut(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for _, w := range StopWords {
		for _, s := range []string{w, strings.ToLower(w)} {
			m := text(s)
			b := button("", s)
			if !m.OptsOut() || !b.OptsOut() {
				t.Errorf("%q is not taken for an opt-out", s)
			}
		}
	}
}

// Configured words count like the others, whatever their case, accents and blanks.
func TestMoreStopWords(t *testing.T) {
	var more []string
	for _, w := range []string{"Désabonner", "nie wieder", "СТОП", "停止"} {
		more = append(more, FoldStopWord(w))
	}
	if FoldStopWord(" -1! ") != "" {
		t.Error("a word without a letter is one")
	}
	for text, want := range map[string]bool{
		"desabonner": true, "DÉSABONNER!": true, "De\u0301sabonner.": true, "Nie wieder": true, "nie-wieder": true, "stop": true, "стоп": true, "停止。": true,
		"nie": false, "wieder": false, "nie wieder Krieg": false, "не стоп": false,
	} {
		m := InboundMessage{Type: "text", Text: text}
		if m.OptsOut(more...) != want || SaysStop(text, more...) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	if m := (InboundMessage{Type: "button", Text: "Nie wieder Werbung"}); !m.OptsOut(more...) || m.OptsOut() {
		t.Error("a button that begins with a configured word")
	}
}
