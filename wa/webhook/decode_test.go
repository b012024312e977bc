package webhook_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

const payloads = "../../testdata/webhooks"

const received wa.Instant = 1795165200_123

// TestDecodePayloads names for every payload file what must come of it.
func TestDecodePayloads(t *testing.T) {
	files := payloadFiles(t)
	maps.Copy(wanted, wantedStanding)
	for name, body := range files {
		t.Run(strings.TrimSuffix(name, ".json"), func(t *testing.T) {
			want, ok := wanted[name]
			if !ok {
				t.Fatalf("no test names what must come of %s", name)
			}
			want.Source, want.ReceivedAt, want.Body = "meta", received, body
			got := webhook.Decode("meta", body, received)
			if diff := cmp.Diff(&want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	for name := range wanted {
		if _, ok := files[name]; !ok {
			t.Errorf("%s is named here, but is not in %s", name, payloads)
		}
	}
}

func TestDecodeBodiesThatAreNoEnvelope(t *testing.T) {
	for _, tc := range []struct{ body, problem string }{
		{"", "the body is no JSON: EOF"},
		{"\x00\xff", `the body is no JSON: invalid character '\x00' looking for beginning of value`},
		{"null", "the body is null, not an object"},
		{"[]", "the body is a list, not an object"},
		{`"whatsapp_business_account"`, "the body is text, not an object"},
		{"{}", `object: "" is not known`},
		{`{"object":7,"entry":[]}`, `object: "" is not known`},
		{`{"object":"` + strings.Repeat("\x7f🙂", 900) + `"}`, `object: "` + strings.Repeat("🙂", 16) + `…" is not known`},
		{`{"object":"whatsapp_business_account","entry":null}`, "entry: is missing"},
		{`{"object":"whatsapp_business_account","entry":{}}`, "entry: is an object, not a list"},
	} {
		got := webhook.Decode("meta", []byte(tc.body), received)
		if got.NotUnderstood != 1 || got.Problem != tc.problem || got.Updates() != 0 {
			t.Errorf("%.60q: %d not understood, %d updates, problem %q; want 1, 0, %q",
				tc.body, got.NotUnderstood, got.Updates(), got.Problem, tc.problem)
		}
	}
}

func TestDecodeLongIDs(t *testing.T) {
	for _, tc := range []struct {
		name     string
		statuses string
		good     int
		problem  string
	}{
		{"a wamid of 1024 bytes", status(strings.Repeat("w", 1024), ""), 1, ""},
		{"a wamid of 10 kB", status(strings.Repeat("w", 10_000), ""), 0, "entry[0].changes[0].value.statuses[0].id: is longer than 1024 bytes"},
		{"a participant of 10 kB", status("wamid.A", `,"recipient_participant_id":"`+strings.Repeat("3", 10_000)+`"`), 1, "entry[0].changes[0].value.statuses[0].recipient_participant_id: is longer than 1024 bytes"},
	} {
		got := webhook.Decode("meta", envelope(tc.statuses), received)
		if len(got.Statuses) != tc.good || got.Problem != tc.problem {
			t.Errorf("%s: %d statuses, problem %q", tc.name, len(got.Statuses), got.Problem)
		}
	}
}

// Bytes that are no UTF-8, and halves of surrogate pairs, come out as U+FFFD.
func TestDecodeMakesTextValid(t *testing.T) {
	got := webhook.Decode("meta", envelope(status("wamid.\xff\xfe", "")+","+status(`wamid.\ud83d`, "")), received)
	for i, want := range []string{"wamid.\ufffd\ufffd", "wamid.\ufffd"} {
		if id := got.Statuses[i].MessageID; id != want {
			t.Errorf("got %q, want %q", id, want)
		}
	}
}

// Nesting beyond all reason is refused or passed over, and costs no more than
// its length; a decoder that recursed or looked twice would not come back.
func TestDecodeDeepAndHuge(t *testing.T) {
	nest := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	objects := strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000)
	good := status("wamid.GOOD", "")
	for _, tc := range []struct {
		name          string
		body          []byte
		good, misread int
	}{
		{"10k lists in an unknown key", envelope(status("wamid.A", `,"x":`+nest(9_900)) + "," + good), 2, 0},
		{"10k objects as pricing", envelope(status("wamid.A", `,"pricing":`+objects) + "," + good), 2, 0},
		{"10k lists in place of a status", envelope(nest(9_900) + "," + good), 1, 1},
		{"two million levels", []byte(nest(2 << 20)), 0, 1},
		{"two million open lists", bytes.Repeat([]byte("["), 4<<20), 0, 1},
		{"two million entries that are none", []byte(`{"object":"whatsapp_business_account","entry":[` + strings.Repeat("1,", 2<<20-64) + "1]}"), 0, 2<<20 - 63},
		{"a string of backslashes", envelope(status("wamid.A", `,"x":"`+strings.Repeat(`\\\"`, 1<<20-100)+`"`)), 1, 0},
		{"20,000 statuses, each with its contact", crowd(20_000), 20_000, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := webhook.Decode("meta", tc.body, received)
			if len(got.Statuses) != tc.good || got.NotUnderstood != tc.misread {
				t.Errorf("%d statuses and %d not understood, want %d and %d (%s)", len(got.Statuses), got.NotUnderstood, tc.good, tc.misread, got.Problem)
			}
			if len(got.Problem) > 300 {
				t.Errorf("a problem of %d bytes", len(got.Problem))
			}
		})
	}
}

// Whatever a Post holds is its own, because the body's buffer is used again.
func TestDecodeKeepsNothingOfTheBody(t *testing.T) {
	for name, body := range payloadFiles(t) {
		lent := bytes.Clone(body)
		got := webhook.Decode("meta", lent, received)
		for i := range lent {
			lent[i] = 'X'
		}
		want := webhook.Decode("meta", body, received)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(wa.Post{}, "Body")); diff != "" {
			t.Errorf("%s changed with the buffer:\n%s", name, diff)
		}
	}
}

// FuzzDecode puts any bytes where a body, an element of changes[] and an element
// of statuses[] belong. Nothing may panic, nothing may pass unnoticed, and the
// good neighbour is always found.
func FuzzDecode(f *testing.F) {
	for _, body := range payloadFiles(f) {
		f.Add(body)
	}
	f.Add([]byte(`{"field":"messages","value":{"statuses":[{"id":"\ud800\"\\","status":"\u0073ent"}]}}`))
	f.Add([]byte(`{"id":"a","status":"sent","timestamp":-1e400,"pricing":{"type":[]},"errors":[{"code":1.0}]}`))
	f.Fuzz(func(t *testing.T, foreign []byte) {
		post := webhook.Decode("meta", foreign, received)
		if post.NotUnderstood+post.Unused+post.Updates() == 0 && !bare(foreign) {
			t.Errorf("nothing came of %q, and nobody was told", foreign)
		}
		if (post.NotUnderstood > 0) != (post.Problem != "") {
			t.Errorf("%d not understood, problem %q", post.NotUnderstood, post.Problem)
		}
		if post.Problem != wa.Clean(post.Problem) {
			t.Errorf("the problem is not clean: %q", post.Problem)
		}
		if diff := cmp.Diff(post, webhook.Decode("meta", foreign, received)); diff != "" {
			t.Errorf("decoded twice, two results:\n%s", diff)
		}
		if !json.Valid(foreign) {
			return
		}
		const good = `{"id":"wamid.GOOD","status":"read","timestamp":"1795161600"}`
		for _, body := range []string{
			`{"object":"whatsapp_business_account","entry":[{"changes":[` + string(foreign) + `,{"field":"messages","value":{"statuses":[` + good + `]}}]}]}`,
			string(envelope(string(foreign) + "," + good)),
		} {
			statuses := webhook.Decode("meta", []byte(body), received).Statuses
			if n := len(statuses); n == 0 || statuses[n-1].MessageID != "wamid.GOOD" || statuses[n-1].Status != wa.StatusRead {
				t.Errorf("the good status beside %q is lost", foreign)
			}
		}
	})
}

// bare tells, by encoding/json, whether a body has its envelope and nothing in it.
func bare(body []byte) bool {
	var e struct {
		Entry []struct {
			Changes []struct {
				Value map[string]json.RawMessage `json:"value"`
			} `json:"changes"`
		} `json:"entry"`
	}
	if json.Unmarshal(body, &e) != nil {
		return false
	}
	for _, entry := range e.Entry {
		for _, change := range entry.Changes {
			for _, list := range []string{"statuses", "messages", "errors", "user_preferences", "user_actions"} {
				var elements []any
				if json.Unmarshal(change.Value[list], &elements) == nil && len(elements) > 0 {
					return false
				}
			}
		}
	}
	return true
}

func payloadFiles(tb testing.TB) map[string][]byte {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(payloads, "*.json"))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no payloads in %s: %v", payloads, err)
	}
	files := make(map[string][]byte, len(paths))
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		files[filepath.Base(path)] = body
	}
	return files
}

func envelope(statuses string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"400100200300400","changes":[{"field":"messages","value":{` +
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"4915550001","phone_number_id":"500100200300400"},` +
		`"statuses":[` + statuses + `]}}]}]}`)
}

func status(id, more string) string {
	return `{"id":"` + id + `","status":"sent","timestamp":"1795161600"` + more + `}`
}
