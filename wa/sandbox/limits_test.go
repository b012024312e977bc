package sandbox

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestThroughput(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1, Throughput: 20}, newReceiver(t, nil))
	refused := 0
	for i := range 40 {
		o := ask(t, s, numberIDs[0], fmt.Sprintf("+35193%07d", i))
		if o.ok() {
			continue
		}
		refused++
		if o.String() != "400 130429 after 1" {
			t.Fatalf("refused with %v", o)
		}
	}
	if refused == 0 {
		t.Error("40 sends at once got through at 20 a second")
	}
	if !ask(t, s, numberIDs[1], "+351912345678").ok() {
		t.Error("the other number was held back too")
	}
	waitFor(t, "the limit to pass", func() bool {
		return ask(t, s, numberIDs[0], "+351912345678").ok()
	})
}

func TestHighThroughput(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1, Throughput: 2000}, newReceiver(t, nil))
	_, answer := call(t, s, http.MethodGet, "/"+numberIDs[0]+"?fields=throughput", "")
	if level := answer["throughput"].(map[string]any)["level"]; level != "HIGH" {
		t.Errorf("the level is %v", level)
	}
	for i := range 1000 { // in the bucket of a second
		if o := ask(t, s, numberIDs[0], fmt.Sprintf("+35193%07d", i)); !o.ok() {
			t.Fatalf("send %d: %v", i, o)
		}
	}
}

func TestMeterIsEven(t *testing.T) {
	var m meter
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	passed := 0
	for range 10_000 { // ten seconds, asked every millisecond
		if m.pass(now, 80) {
			passed++
		}
		now = now.Add(time.Millisecond)
	}
	if passed < 870 || passed > 890 { // 80 at once, then 80 a second
		t.Errorf("%d passed in ten seconds, want about 880", passed)
	}
}

func TestPairLimit(t *testing.T) {
	const speed = 600 // six seconds of its time in ten milliseconds
	s, _ := start(t, Options{Speed: speed, Messages: -1}, newReceiver(t, nil))
	to := "+351912345678"
	begin := s.opts.Now()
	accepted, code := 0, 0
	for code == 0 && accepted < 100_000 {
		o := ask(t, s, numberIDs[0], to)
		if o.ok() {
			accepted++
		}
		code, _ = problemOf(o.answer)
	}
	most := pairBurst + int(s.opts.Now().Sub(begin)/pairEvery) + 1
	if code != codePair || accepted < pairBurst || accepted > most {
		t.Errorf("refused with %d after %d messages, want %d after %d to %d", code, accepted, codePair, pairBurst, most)
	}
	if !ask(t, s, numberIDs[1], to).ok() {
		t.Error("the pair with the other number is limited too")
	}
	if !ask(t, s, numberIDs[0], "+351912345679").ok() {
		t.Error("another person is limited too")
	}
	waitFor(t, "the pair's limit to pass", func() bool {
		return ask(t, s, numberIDs[0], to).ok()
	})
}

func TestNoMarketingToTheUnitedStates(t *testing.T) {
	for number, want := range map[string]bool{"12125550100": true, "14165550100": false, "18765550100": false, "1212555010": false, "351912345678": false} {
		if american(number) != want {
			t.Errorf("%s: %v", number, !want)
		}
	}
	s, _ := start(t, Options{Speed: fast, Messages: -1}, newReceiver(t, nil))
	path := "/" + numberIDs[0] + "/messages"
	for i := range 20 {
		to := fmt.Sprintf("+1212555%04d", i)
		call(t, s, http.MethodPost, path, templateBody(to, "autumn_offer", "pt_PT", imageByID+","+bodyOfOne))
		call(t, s, http.MethodPost, path, templateBody(to, "order_news", "en_US", bodyOfOne))
	}
	waitFor(t, "what becomes of them", func() bool { b := s.Books(); return len(b.Messages) == 40 && b.Ahead == 0 })
	utility := 0
	for _, m := range s.Books().Messages {
		switch {
		case m.Template == "autumn_offer" && m.Code != codeWithheld:
			t.Errorf("marketing to %s ended with %d", m.Recipient, m.Code)
		case m.Template == "order_news" && m.SentAt != 0:
			utility++
		}
	}
	if utility < 15 {
		t.Errorf("%d of 20 utility messages were sent", utility)
	}
}
