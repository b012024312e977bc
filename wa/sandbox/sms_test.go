package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// mailbox takes receipts and answers, as a system that sends by SMS would.
type mailbox struct {
	*httptest.Server
	refuse func(post int) bool

	mu       sync.Mutex
	posts    int
	receipts map[string][]smsReceipt // by the path that they came to
	written  []smsInbound
	wrong    []string
}

func newMailbox(t *testing.T, refuse func(int) bool) *mailbox {
	m := &mailbox{refuse: refuse, receipts: map[string][]smsReceipt{}}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.posts++; m.refuse != nil && m.refuse(m.posts) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var err error
	if r.URL.Path == "/reply" {
		var in smsInbound
		if err = json.NewDecoder(r.Body).Decode(&in); err == nil && r.URL.Query().Get("token") == "t" {
			m.written = append(m.written, in)
			return
		}
	} else {
		var in smsReceipt
		if err = json.NewDecoder(r.Body).Decode(&in); err == nil {
			m.receipts[r.URL.Path] = append(m.receipts[r.URL.Path], in)
			return
		}
	}
	m.wrong = append(m.wrong, fmt.Sprint(r.URL, err))
}

// textTo asks for an SMS.
func textTo(s *Sandbox, to, callback string) outcome {
	body, _ := json.Marshal(smsRequest{To: to, Text: "Hello", From: "Shop", Callback: callback}) // our own type
	return tryAs(s, s.SMSToken(), http.MethodPost, "/sms/messages", string(body))
}

func word(o outcome) string { return fmt.Sprint(o.status, " ", o.answer["status"]) }

// Everybody meets one fate by SMS, for one seed always the same; receipts tell of
// it until they are taken, doubled and out of order at times, and for a few never.
func TestSMS(t *testing.T) {
	const size = 400
	playSMS := func(refuse func(int) bool) (SMSBooks, map[string][]smsReceipt, *mailbox) {
		box := newMailbox(t, refuse)
		s, stop := startWith(t, Options{Seed: 5, Speed: 2000, Messages: -1}, newReceiver(t, nil), func(s *Sandbox) {
			if err := s.TellReplies(box.URL + "/reply?token=t"); err != nil {
				t.Fatal(err)
			}
		})
		for p := range s.People(size) {
			textTo(s, p.Phone, box.URL+"/"+p.Phone[1:])
		}
		waitFor(t, "the end", func() bool { return s.Books().Ahead == 0 && s.SMSBooks().Waiting == 0 })
		b, accepted := s.SMSBooks(), s.AcceptedSMS()
		stop()
		box.mu.Lock()
		defer box.mu.Unlock()
		if len(box.wrong) > 0 || len(accepted) != b.Accepted || b.Accepted+b.Refused != size || b.Delivered+b.Failed != b.Accepted {
			t.Errorf("%+v, %d accepted, not understood: %v", b, len(accepted), box.wrong)
		}
		return b, box.receipts, box
	}
	b, receipts, box := playSMS(func(post int) bool { return post%3 == 0 })
	ends, twice, disorder := map[string]int{}, 0, 0
	order := map[string]int{smsQueued: 1, smsSent: 2, smsDelivered: 3, smsFailed: 3}
	for _, all := range receipts {
		seen := map[string]bool{}
		for i, r := range all {
			if seen[r.State] {
				twice++
			}
			seen[r.State] = true
			if i > 0 && order[r.State] < order[all[i-1].State] {
				disorder++
			}
			if (r.Error != "") != (r.State == smsFailed) {
				t.Errorf("%+v", r)
			}
		}
		for state := range seen {
			ends[state]++
		}
	}
	if got := ends[smsDelivered] + ends[smsFailed]; got != b.Delivered+b.Failed-b.Untold || b.Untold == 0 || twice == 0 || disorder == 0 || b.Failed == 0 || b.Refused == 0 {
		t.Errorf("receipts tell of %v, the books say %+v; %d came twice, %d out of order", ends, b, twice, disorder)
	}
	within(t, "arrived", float64(b.Delivered)/size, 0.85, 0.97)
	stops := 0
	for _, w := range box.written {
		if slices.Contains(b.Stopped, w.From) && w.To == "Shop" {
			stops++
		}
	}
	if stops != len(b.Stopped) || stops == 0 || stops == len(box.written) {
		t.Errorf("%d of %d answers are from the %d who stopped", stops, len(box.written), len(b.Stopped))
	}
	again, _, _ := playSMS(nil)
	b.Callbacks, again.Callbacks = 0, 0
	slices.Sort(b.Stopped)
	slices.Sort(again.Stopped)
	if diff := gocmp.Diff(b, again); diff != "" {
		t.Errorf("another run of the seed:\n%s", diff)
	}
}

// A dead block of numbers is dead for SMS too.
func TestSMSToADeadBlock(t *testing.T) {
	s, _ := start(t, Options{Scenario: "one-prefix", Speed: fast, Messages: -1}, newReceiver(t, nil))
	for i := range 60 {
		textTo(s, fmt.Sprintf("+%s%06d", badBlock, i), "")
	}
	waitFor(t, "the end", func() bool { return s.Books().Ahead == 0 })
	if b := s.SMSBooks(); b.Failed < b.Accepted*3/4 {
		t.Errorf("%+v", b)
	}
}

// What is wrong with a request is refused, and nothing of it is taken.
func TestSMSRefuses(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	const to = "+351912345678"
	for _, c := range []struct{ body, want string }{
		{`{`, "400 rejected"},
		{`{"to":"351912345678","text":"x"}`, "400 rejected"},
		{`{"to":"` + to + `","text":" "}`, "400 rejected"},
		{`{"to":"` + to + `","text":"x","callback":"https://provider.example/x"}`, "400 rejected"},
		{`{"to":"` + to + `","text":"x","callback":"/x"}`, "400 rejected"},
		{`{"to":"` + to + `","text":"x"}`, "202 accepted"},
	} {
		if got := word(tryAs(s, s.SMSToken(), http.MethodPost, "/sms/messages", c.body)); got != c.want {
			t.Errorf("%s: %s, want %s", c.body, got, c.want)
		}
	}
	if got := word(try(s, http.MethodPost, "/sms/messages", `{"to":"`+to+`","text":"x"}`)); got != "401 unauthorized" {
		t.Errorf("with Meta's token: %s", got)
	}
	if got := word(tryAs(s, s.SMSToken(), http.MethodGet, "/sms/messages", "")); got != "404 not_found" {
		t.Errorf("GET: %s", got)
	}
	if got := try(s, http.MethodGet, "/"+AccountID, ""); got.status != http.StatusOK {
		t.Errorf("Meta: %v", got)
	}
	if n := len(s.AcceptedSMS()); n != 1 {
		t.Errorf("%d were taken", n)
	}
	s.WriteSMS(to, "Thanks")
	if got := word(textTo(s, to, "")); got != "202 accepted" {
		t.Errorf("after thanks: %s", got)
	}
	s.WriteSMS(to, "Stop!")
	if got := word(textTo(s, to, "")); got != "403 opted_out" {
		t.Errorf("after STOP: %s", got)
	}
}

// More than the rate is throttled, and not taken.
func TestSMSThrottles(t *testing.T) {
	s, _ := start(t, Options{Speed: 0.001, Messages: -1, SMSRate: 5}, newReceiver(t, nil))
	words := map[string]int{}
	for i := range 20 {
		o := textTo(s, fmt.Sprintf("+35191%07d", i), "")
		words[word(o)]++
		if o.status == http.StatusTooManyRequests && o.retryAfter != "1" {
			t.Errorf("after %q", o.retryAfter)
		}
	}
	if words["429 throttled"] < 14 || words["202 accepted"] == 0 || len(s.AcceptedSMS()) != words["202 accepted"] {
		t.Errorf("%v", words)
	}
}

// Faults of SMS strike it as those of the Graph API strike that, and neither
// strikes the other.
func TestFaultsOfSMS(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	const to = "+351912345678"
	for i, c := range []struct {
		fault Fault
		taken bool
		want  string
	}{
		{Fault{Kind: FaultLatency, Delay: time.Millisecond, SMS: true}, true, "202 accepted"},
		{Fault{Kind: FaultDrop, SMS: true}, false, "0"},
		{Fault{Kind: FaultDrop, SMS: true, Taken: true}, true, "0"},
		{Fault{Kind: FaultCut, SMS: true, Taken: true}, true, "202"},
		{Fault{Kind: FaultRefuse, SMS: true, HTTP: 429, RetryAfter: 2 * time.Second}, false, "429 throttled"},
		{Fault{Kind: FaultRefuse, SMS: true}, false, "400 rejected"},
		{Fault{Kind: FaultServer, SMS: true}, false, "500"},
		{Fault{Kind: FaultServer, SMS: true, Taken: true, HTTP: 502}, true, "502"},
		{Fault{Kind: FaultToken, SMS: true}, false, "401"},
		{Fault{Kind: FaultRefuse, SMS: true, Person: "+351912345679"}, true, "202 accepted"},
		{Fault{Kind: FaultDrop}, true, "202 accepted"},
		{Fault{Kind: FaultToken}, true, "202 accepted"},
	} {
		t.Run(fmt.Sprint(i, " ", c.fault.Kind), func(t *testing.T) {
			id := inject(t, s, c.fault)
			defer s.Clear(id)
			before := len(s.AcceptedSMS())
			if got := word(textTo(s, to, "")); !strings.HasPrefix(got, c.want) {
				t.Errorf("ended with %q, want %q", got, c.want)
			}
			if taken := len(s.AcceptedSMS()) > before; taken != c.taken {
				t.Errorf("taken: %v", taken)
			}
			if c.fault.SMS {
				if got := ask(t, s, numberIDs[0], to); !got.ok() {
					t.Errorf("WhatsApp: %v", got)
				}
			}
		})
	}
	for _, f := range []Fault{
		{Kind: FaultHold, SMS: true},
		{Kind: FaultWebhookFirst, SMS: true},
		{Kind: FaultDrop, SMS: true, Reads: true},
		{Kind: FaultDrop, SMS: true, Number: numberIDs[0]},
		{Kind: FaultDrop, SMS: true, Template: CampaignTemplate},
	} {
		if _, err := s.Inject(f); err == nil {
			t.Errorf("%+v can strike SMS", f)
		}
	}
}

// Faults strike receipts, and control steers SMS.
func TestFaultsOfReceipts(t *testing.T) {
	box := newMailbox(t, nil)
	s, _ := startWith(t, Options{Speed: fast, Messages: -1}, newReceiver(t, nil), func(s *Sandbox) {
		if err := s.TellReplies(box.URL + "/reply?token=t"); err != nil {
			t.Fatal(err)
		}
	})
	if err := s.TellReplies("https://shop.example/reply"); err == nil {
		t.Error("answers leave this machine")
	}
	told := func(phone string, f Fault) []smsReceipt {
		id := inject(t, s, f)
		defer s.Clear(id)
		textTo(s, phone, box.URL+"/"+phone[1:])
		waitFor(t, "the end", func() bool { return s.Books().Ahead == 0 && s.SMSBooks().Waiting == 0 })
		box.mu.Lock()
		defer box.mu.Unlock()
		return box.receipts["/"+phone[1:]]
	}
	if got := told("+351912345678", Fault{Kind: FaultLostWebhooks, SMS: true}); len(got) > 0 {
		t.Errorf("lost, and told: %v", got)
	}
	if got := told("+351912345670", Fault{Kind: FaultLostWebhooks}); len(got) < 3 {
		t.Errorf("told: %v", got)
	}
	got := told("+351912345671", Fault{Kind: FaultFail, SMS: true})
	if !slices.ContainsFunc(got, func(r smsReceipt) bool { return r.State == smsFailed }) {
		t.Errorf("fails, and told: %v", got)
	}
	if diff := gocmp.Diff(s.AcceptedSMS(), lines[SMS](t, s, "sms")); diff != "" {
		t.Errorf("what is accepted, and what control says:\n%s", diff)
	}
	if status, answer := call(t, s, http.MethodPost, "/_stand_in/sms/replies", `{"from":"+351912345671","text":"STOP"}`); status != http.StatusOK {
		t.Errorf("%v", answer)
	}
	waitFor(t, "the answer", func() bool {
		box.mu.Lock()
		defer box.mu.Unlock()
		return slices.ContainsFunc(box.written, func(w smsInbound) bool { return w.From == "+351912345671" && w.Text == "STOP" })
	})
}
