package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// inject has a fault strike for the length of a test, or until it is cleared.
func inject(t *testing.T, s *Sandbox, f Fault) (id int) {
	t.Helper()
	id, err := s.Inject(f)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestFaultsOnTheWire sees each fault from the other end of a real connection,
// and in the log whether the message was taken.
func TestFaultsOnTheWire(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	for i, c := range []struct {
		fault Fault
		taken bool
		want  string // status and code, or how the answer ended
	}{
		{Fault{Kind: FaultLatency, Delay: time.Millisecond}, true, "200 0"},
		{Fault{Kind: FaultDrop}, false, "EOF"},
		{Fault{Kind: FaultDrop, Taken: true}, true, "EOF"},
		{Fault{Kind: FaultCut}, false, "cut"},
		{Fault{Kind: FaultCut, Taken: true}, true, "cut"},
		{Fault{Kind: FaultRefuse, Code: 131000}, false, "400 131000"},
		{Fault{Kind: FaultRefuse, Code: 131048, Taken: true}, false, "400 131048"},
		{Fault{Kind: FaultRefuse, Code: 130429, HTTP: 429, RetryAfter: 1500 * time.Millisecond}, false, "429 130429 after 2"},
		{Fault{Kind: FaultRefuse, HTTP: 429, RetryAfter: time.Second}, false, "429 no JSON"},
		{Fault{Kind: FaultServer}, false, "500 no JSON"},
		{Fault{Kind: FaultServer, Taken: true, HTTP: 502}, true, "502 no JSON"},
		{Fault{Kind: FaultServer, Taken: true, Code: 131000}, true, "500 131000"},
		{Fault{Kind: FaultServer, Code: 2, HTTP: 503}, false, "503 2"},
		{Fault{Kind: FaultToken}, false, "401 190"},
		{Fault{Kind: FaultRefuse, Code: 131026, Person: "351 912 345 678"}, false, "400 131026"},
		{Fault{Kind: FaultRefuse, Code: 131026, Person: "351912345679"}, true, "200 0"},
		{Fault{Kind: FaultRefuse, Code: 131048, Number: numberIDs[1]}, true, "200 0"},
		{Fault{Kind: FaultRefuse, Code: 132007, Template: CampaignTemplate}, false, "400 132007"},
		{Fault{Kind: FaultRefuse, Code: 132007, Template: SpareTemplate}, true, "200 0"},
		{Fault{Kind: FaultRefuse, Code: 80007, Reads: true}, true, "200 0"},
	} {
		t.Run(fmt.Sprint(i, " ", c.fault.Kind), func(t *testing.T) {
			id := inject(t, s, c.fault)
			defer s.Clear(id)
			before := len(s.Accepted())
			got := try(s, http.MethodPost, "/"+numberIDs[0]+"/messages", sendBody("", ""))
			if got.String() != c.want {
				t.Errorf("ended with %q, want %q", got, c.want)
			}
			if taken := len(s.Accepted()) > before; taken != c.taken {
				t.Errorf("taken: %v", taken)
			}
		})
	}
	inject(t, s, Fault{Kind: FaultToken})
	if got := try(s, http.MethodPost, "/1/messages", sendBody("", "")); got.String() != "401 190" {
		t.Errorf("without a token, from a number that there is not: %v", got)
	}
}

func TestLatency(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	const delay = 60 * time.Millisecond
	inject(t, s, Fault{Kind: FaultLatency, Delay: delay / 2})
	inject(t, s, Fault{Kind: FaultLatency, Delay: delay / 2})
	begin := time.Now()
	ask(t, s, numberIDs[0], "+351912345678")
	if took := time.Since(begin); took < delay {
		t.Errorf("answered after %v, want %v at least", took, delay)
	}
}

// TestHang has requests hang, one of them accepted, until their caller gives up.
func TestHang(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	inject(t, s, Fault{Kind: FaultHang, Taken: true, Next: 1})
	inject(t, s, Fault{Kind: FaultHang, Next: 1})
	ctx, giveUp := context.WithCancel(t.Context())
	client := newClient(2)
	defer client.CloseIdleConnections()
	ended := make(chan error, 2)
	for range 2 {
		go func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/"+numberIDs[0]+"/messages", strings.NewReader(sendBody("", "")))
			if err != nil {
				ended <- err
				return
			}
			req.Header.Set("Authorization", "Bearer "+s.Token().Reveal())
			res, err := client.Do(req)
			if err == nil {
				_ = res.Body.Close()
			}
			ended <- err
		}()
	}
	waitFor(t, "both requests", func() bool { return len(s.Requests()) == 2 })
	if n := len(s.Accepted()); n != 1 {
		t.Errorf("%d of two hanging messages were accepted, want one", n)
	}
	select {
	case err := <-ended:
		t.Errorf("one ended by itself: %v", err)
	default:
	}
	giveUp()
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if !ask(t, s, numberIDs[0], "+351912345678").ok() {
		t.Error("it hangs on, though each fault was to strike once")
	}
}

// A stand-in that is told to stop does not wait for what hangs in it: here it
// would for an hour.
func TestStopsWhileRequestsHang(t *testing.T) {
	s, err := New(Options{WebhookURL: newReceiver(t, nil).URL, Secret: secret, Messages: -1, Faults: []Fault{{Kind: FaultHang}}})
	if err != nil {
		t.Fatal(err)
	}
	s.grace = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- s.Run(ctx) }()
	answered := make(chan error, 1)
	go func() { answered <- try(s, http.MethodPost, "/"+numberIDs[0]+"/messages", sendBody("", "")).err }()
	waitFor(t, "the request", func() bool { return len(s.Requests()) == 1 })
	cancel()
	if err := <-answered; err == nil {
		t.Error("it was answered")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestShareAndNext(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1, Faults: []Fault{{Kind: FaultRefuse, Code: 131016, Share: 0.3, Next: 25}}}, newReceiver(t, nil))
	first, struck := 0, 0
	for i := range 200 {
		if ask(t, s, numberIDs[0], fmt.Sprintf("+35196%07d", i)).ok() {
			continue
		}
		struck++
		if i < 50 {
			first++
		}
	}
	if struck != 25 {
		t.Errorf("struck %d times, want 25", struck)
	}
	if first < 5 || first > 25 {
		t.Errorf("struck %d of the first 50, want about 15", first)
	}
	if f := s.Faults(); len(f) != 1 || f[0].Struck != 25 {
		t.Errorf("in force: %+v", f)
	}
}

// TestReadsFail has the API fail for whoever reads it, and not for sends.
func TestReadsFail(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	inject(t, s, Fault{Kind: FaultDrop}) // of sends
	inject(t, s, Fault{Kind: FaultRefuse, Reads: true, Code: 80007, Next: 1})
	inject(t, s, Fault{Kind: FaultToken, Next: 1})
	for _, want := range []string{"400 80007", "401 190", "200 0"} {
		if got := try(s, http.MethodGet, "/v26.0/"+AccountID+"/phone_numbers", ""); got.String() != want {
			t.Errorf("read: %q, want %q", got, want)
		}
	}
}

func TestWebhookFirst(t *testing.T) {
	rc := newReceiver(t, nil)
	s, _ := start(t, Options{Speed: 20, Messages: -1, Faults: []Fault{{Kind: FaultWebhookFirst}}}, rc)
	for i := range 20 {
		id, _ := ask(t, s, numberIDs[0], fmt.Sprintf("+35193%07d", i)).message()
		rc.mu.Lock()
		known := len(rc.told[id])
		rc.mu.Unlock()
		if known == 0 {
			t.Errorf("%s was answered before its first webhook was taken", id)
		}
	}
}

// TestHold has a part of the messages held, of which some are let go and some
// dropped, and people meet the same whoever is asked about first.
func TestHold(t *testing.T) {
	const minutes = 20
	rc := newReceiver(t, nil)
	s, _ := start(t, Options{Speed: fast / 10, Messages: -1, Faults: []Fault{
		{Kind: FaultHold, Share: 0.2, Delay: minutes * time.Minute, Code: codePaused},
		{Kind: FaultHold, Share: 0.5, Delay: minutes * time.Minute},
	}}, rc)
	held := map[string]bool{}
	const messages = 300
	for i := range messages {
		id, status := ask(t, s, numberIDs[0], fmt.Sprintf("+35193%07d", i)).message()
		held[id] = status == "held_for_quality_assessment"
	}
	waitFor(t, "what becomes of them", func() bool { b := s.Books(); return b.Ahead == 0 && b.Waiting == 0 })
	counts := map[string]int{}
	for _, m := range s.Books().Messages {
		soonest := m.SentAt
		if soonest == 0 || m.FailedAt != 0 && m.FailedAt < soonest {
			soonest = m.FailedAt
		}
		late := soonest.Sub(m.AcceptedAt) >= minutes*time.Minute
		if late != held[m.ID] {
			t.Errorf("held %v, and first heard of after %v", held[m.ID], soonest.Sub(m.AcceptedAt))
		}
		switch {
		case m.Code == codePaused:
			counts["dropped"]++
		case late:
			counts["let go"]++
		default:
			counts["never held"]++
		}
	}
	within(t, "dropped", float64(counts["dropped"])/messages, 0.12, 0.28)
	within(t, "let go", float64(counts["let go"])/messages, 0.3, 0.5)
	within(t, "never held", float64(counts["never held"])/messages, 0.3, 0.5)
}

func TestFailAndWebhookFaults(t *testing.T) {
	rc := newReceiver(t, nil)
	s, _ := start(t, Options{Speed: fast, Messages: -1}, rc)
	send := func(block string, n int) {
		for i := range n {
			ask(t, s, numberIDs[0], fmt.Sprintf("+35193%s%04d", block, i))
		}
		waitFor(t, "what becomes of them", func() bool { b := s.Books(); return b.Ahead == 0 && b.Waiting == 0 })
	}
	id := inject(t, s, Fault{Kind: FaultFail, Code: 131042})
	send("100", 20)
	s.Clear(id)
	for _, m := range s.Books().Messages {
		if m.Code != 131042 {
			t.Errorf("%s ended with %d", m.Recipient, m.Code)
		}
	}
	id = inject(t, s, Fault{Kind: FaultLostWebhooks})
	before := s.Books().Updates
	send("200", 20)
	if after := s.Books().Updates; after != before {
		t.Errorf("%d updates were told, though all were to be lost", after-before)
	}
	s.Clear(id)
	inject(t, s, Fault{Kind: FaultSlowWebhooks, Delay: 48 * time.Hour})
	begin := s.opts.Now()
	send("300", 5)
	if took := s.opts.Now().Sub(begin); took < 48*time.Hour {
		t.Errorf("all was told after %v of its time", took)
	}
}

func TestFaultsThatCannotBe(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	for want, f := range map[string]Fault{
		"there is no fault":  {Kind: "rain"},
		"share of 2":         {Kind: FaultDrop, Share: 2},
		"needs a code":       {Kind: FaultRefuse},
		"less than never":    {Kind: FaultHang, Next: -1},
		"no HTTP status of ": {Kind: FaultServer, HTTP: 404},
		"of its own":         {Kind: FaultDrop, HTTP: 500},
		"does not strike":    {Kind: FaultHold, Reads: true},
	} {
		if _, err := s.Inject(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", f, err, want)
		}
	}
	if len(s.Faults()) != 0 {
		t.Errorf("in force: %v", s.Faults())
	}
}
