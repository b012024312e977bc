package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tickwatch/wa"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var secret = wa.NewSecret("an app secret for tests")

// fast is the speed of tests that play whole lives: two days a second.
const fast = 200_000

// receiver is the other end of the webhooks: it verifies every body by itself,
// reads it as loosely typed JSON, and notes what it was told and how.
type receiver struct {
	*httptest.Server
	t      *testing.T
	now    func() time.Time
	refuse func(post int) int // answer to give instead of 200; 0: none, -1: reset

	mu       sync.Mutex
	posts    int
	open     int // requests being answered
	told     map[string][]map[string]any
	fields   map[string][]any // whole values by field
	sizes    map[int]int      // posts by number of updates
	entries  int              // most entries about messages in one post
	mostOpen int
	disorder int // statuses that came before a lesser one of their message
}

func newReceiver(t *testing.T, refuse func(int) int) *receiver {
	rc := &receiver{t: t, refuse: refuse, now: time.Now, told: map[string][]map[string]any{}, fields: map[string][]any{}, sizes: map[int]int{}}
	rc.Server = httptest.NewServer(rc)
	t.Cleanup(rc.Close)
	return rc
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc.mu.Lock()
	rc.posts++
	post := rc.posts
	rc.open++
	rc.mostOpen = max(rc.mostOpen, rc.open)
	rc.mu.Unlock()
	defer func() {
		rc.mu.Lock()
		defer rc.mu.Unlock()
		rc.open--
	}()

	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sandbox was stopped in the middle
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write(body)
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); r.Header.Get("X-Hub-Signature-256") != want {
		rc.t.Errorf("post %d: signature %q, want %q", post, r.Header.Get("X-Hub-Signature-256"), want)
	}
	if rc.refuse != nil {
		switch status := rc.refuse(post); status {
		case 0:
		case -1:
			panic(http.ErrAbortHandler) // the connection is cut without an answer
		default:
			w.WriteHeader(status)
			return
		}
	}
	rc.read(body)
}

func (rc *receiver) read(body []byte) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, c := range body {
		if c < ' ' || c > '~' {
			rc.t.Errorf("a body holds the byte %#x; Meta escapes everything outside of ASCII", c)
			break
		}
	}
	var e struct {
		Object string
		Entry  []struct {
			ID      string
			Time    int64
			Changes []struct {
				Field string
				Value map[string]any
			}
		}
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Object != "whatsapp_business_account" {
		rc.t.Errorf("body %s: %v", body, err)
		return
	}
	updates, entries := 0, 0
	for _, entry := range e.Entry {
		if entry.ID != AccountID {
			rc.t.Errorf("entry id %q", entry.ID)
		}
		if entry.Time == 0 { // news of the account has one
			entries++
		}
		for _, c := range entry.Changes {
			rc.fields[c.Field] = append(rc.fields[c.Field], c.Value)
			statuses, _ := c.Value["statuses"].([]any)
			messages, _ := c.Value["messages"].([]any)
			preferences, _ := c.Value["user_preferences"].([]any)
			updates += max(1, len(statuses)+len(messages)+len(preferences))
			contacts := map[any]bool{}
			list, _ := c.Value["contacts"].([]any)
			for _, k := range list {
				contacts[k.(map[string]any)["wa_id"]] = true
			}
			for _, s := range statuses {
				rc.status(s.(map[string]any), contacts)
			}
		}
	}
	rc.sizes[updates]++
	rc.entries = max(rc.entries, entries)
}

// status notes one status and checks what Meta promises of each.
func (rc *receiver) status(s map[string]any, contacts map[any]bool) {
	id, name := s["id"].(string), s["status"].(string)
	status, ok := wa.ParseStatus(name)
	if !ok {
		rc.t.Errorf("status %q", name)
	}
	at, ok := s["timestamp"].(string)
	if second, err := strconv.ParseInt(at, 10, 64); !ok || err != nil || second > rc.now().Unix() {
		rc.t.Errorf("timestamp %v of %s: not a text, no number, or in the future", s["timestamp"], name)
	}
	if has := contacts[s["recipient_id"]]; has != (status != wa.StatusFailed) {
		rc.t.Errorf("%s: contacts present is %v", name, has)
	}
	if _, ok := s["conversation"]; ok {
		rc.t.Errorf("%s carries a conversation, which ended with v24", name)
	}
	if errors, _ := s["errors"].([]any); (len(errors) == 1) != (status == wa.StatusFailed) {
		rc.t.Errorf("%s carries %d errors", name, len(errors))
	}
	if p, ok := s["pricing"].(map[string]any); ok && (p["pricing_model"] != "PMP" || p["category"] == "") {
		rc.t.Errorf("%s is priced %v", name, p)
	}
	for _, before := range rc.told[id] {
		if earlier, _ := wa.ParseStatus(before["status"].(string)); earlier > status {
			rc.disorder++
			break
		}
	}
	rc.told[id] = append(rc.told[id], s)
}

// taken is how many messages were told of.
func (rc *receiver) taken() int {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return len(rc.told)
}

// check holds what was told against the books: every step at least once, with
// its own time, and nothing that did not happen.
func (rc *receiver) check(b Books) (repeated int) {
	rc.t.Helper()
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, m := range b.Messages {
		steps := map[string]wa.Instant{"sent": m.SentAt, "delivered": m.DeliveredAt, "read": m.ReadAt, "failed": m.FailedAt}
		times := map[string]int{}
		for _, s := range rc.told[m.ID] {
			name := s["status"].(string)
			times[name]++
			if want := fmt.Sprint(steps[name].Second()); s["timestamp"] != want {
				rc.t.Errorf("%s %s: told %v, happened at %s", m.Recipient, name, s["timestamp"], want)
			}
			if s["biz_opaque_callback_data"] != m.CallbackData || s["recipient_id"] != m.Recipient {
				rc.t.Errorf("%s %s: told as %v of %v", m.Recipient, name, s["biz_opaque_callback_data"], s["recipient_id"])
			}
			// On sent, and on one of delivered and read.
			price, priced := s["pricing"].(map[string]any)
			if priced && price["category"] != "marketing" {
				rc.t.Errorf("%s %s: priced as %v", m.Recipient, name, price)
			}
			if want := name == "sent" || name == "delivered" || name == "read" && m.DeliveredAt == 0; priced != want {
				rc.t.Errorf("%s %s: pricing present is %v", m.Recipient, name, priced)
			}
		}
		for name, at := range steps {
			if (at != 0) != (times[name] > 0) {
				rc.t.Errorf("%s: %s happened at %d and was told %d times", m.Recipient, name, at, times[name])
			}
			repeated += max(0, times[name]-1)
		}
	}
	if len(rc.told) > len(b.Messages) {
		rc.t.Errorf("told of %d messages, the books have %d", len(rc.told), len(b.Messages))
	}
	return repeated
}

// play runs a sandbox until its whole campaign and all that follows from it has
// been told and taken, stops it, and returns its books.
func play(t *testing.T, o Options, rc *receiver) Books {
	t.Helper()
	s, stop := start(t, o, rc)
	waitFor(t, "the end of the campaign", func() bool {
		b := s.Books()
		return len(b.Messages) == o.Messages && b.Waiting == 0 && b.Ahead == 0
	})
	b := s.Books()
	stop()
	return b
}

// start runs a sandbox in the background; stop ends it and checks how it ended.
func start(t *testing.T, o Options, rc *receiver) (s *Sandbox, stop func()) {
	t.Helper()
	return startWith(t, o, rc, func(*Sandbox) {})
}

// startWith is start with something to do before it runs.
func startWith(t *testing.T, o Options, rc *receiver, prepare func(*Sandbox)) (s *Sandbox, stop func()) {
	t.Helper()
	begin, real := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC), time.Now()
	o.Now = func() time.Time { return begin.Add(time.Duration(float64(time.Since(real)) * o.Speed)) }
	o.Secret = secret
	rc.now = o.Now
	o.WebhookURL = rc.URL + "/webhooks/meta"
	return runWith(t, o, prepare)
}

// run is start without a receiver.
func run(t testing.TB, o Options) (s *Sandbox, stop func()) {
	t.Helper()
	return runWith(t, o, func(*Sandbox) {})
}

func runWith(t testing.TB, o Options, prepare func(*Sandbox)) (s *Sandbox, stop func()) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	prepare(s)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return s, stop
}

// waitFor waits until a condition holds; the bound is there for a condition
// that never will.
func waitFor(t testing.TB, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	bound := time.After(time.Minute)
	for !holds() {
		select {
		case <-look.C:
		case <-bound:
			t.Fatalf("waited a minute for %s", what)
		}
	}
}
