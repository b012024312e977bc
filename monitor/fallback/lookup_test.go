package fallback

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// asked answers look-ups by path and query.
func asked(t *testing.T, answers map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, known := answers[r.Method+" "+r.URL.RequestURI()]
		if !known || r.Header.Get("Authorization") == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestTwilioLookUp(t *testing.T) {
	begun := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	entry := func(sid string, after time.Duration, text string) string {
		return fmt.Sprintf(`{"sid":%q,"status":"delivered","body":%q,"date_created":%q,"date_updated":%q,"num_segments":"2","price":"-0.03","price_unit":"USD","error_code":null}`,
			sid, text, begun.Add(after).Format(time.RFC1123Z), begun.Add(time.Hour).Format(time.RFC1123Z))
	}
	text := message(wa.ChannelSMS).Text
	list := func(entries ...string) map[string]string {
		return map[string]string{"GET /2010-04-01/Accounts/" + account + "/Messages.json?PageSize=50&To=%2B351900000001": `{"messages":[` + strings.Join(entries, ",") + `]}`}
	}
	found := wa.FallbackReceipt{
		Channel: wa.ChannelSMS, Attempt: attempt, ProviderID: "SM1", State: wa.FallbackDelivered, At: wa.At(begun.Add(time.Hour)),
		Segments: 2, Price: 0.03, Currency: "USD",
	}
	for name, c := range map[string]struct {
		id      string
		answers map[string]string
		want    error // nil = found, errAny = any but the two that are known
	}{
		"by its id":         {"SM1", map[string]string{"GET /2010-04-01/Accounts/" + account + "/Messages/SM1.json": entry("SM1", 0, "x")}, nil},
		"an id not known":   {"SM1", nil, ErrNotFound},
		"an id that is odd": {"../../SM1", nil, ErrNotFound},
		"the only one":      {"", list(entry("SM0", -time.Hour, text), entry("SM1", time.Second, text), entry("SM2", 0, "another text"), entry("SM3", 2*time.Minute, text)), nil},
		"none":              {"", list(entry("SM0", -time.Hour, text)), ErrNotFound},
		"no messages":       {"", list(), ErrNotFound},
		"two":               {"", list(entry("SM1", 0, text), entry("SM2", time.Second, text)), errAny},
		"garbage":           {"", map[string]string{"GET /2010-04-01/Accounts/" + account + "/Messages.json?PageSize=50&To=%2B351900000001": `{"messages":`}, errAny},
		"an odd status":     {"SM1", map[string]string{"GET /2010-04-01/Accounts/" + account + "/Messages/SM1.json": `{"sid":"SM1","status":"?"}`}, errAny},
	} {
		p := speak(t, wa.ChannelSMS, settings(ProviderTwilio, wa.ChannelSMS, asked(t, c.answers))).(Asked)
		got, err := p.LookUp(t.Context(), Attempted{Message: message(wa.ChannelSMS), ProviderID: c.id, Begun: wa.At(begun)})
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNoLookUp) {
			err = errAny
		}
		if diff := cmp.Diff(found, got); !errors.Is(err, c.want) || c.want == nil && diff != "" {
			t.Errorf("%s: %v, want %v; %s", name, err, c.want, diff)
		}
	}
}

var errAny = errors.New("another error")

func TestBirdLookUp(t *testing.T) {
	at := "GET /workspaces/" + workspace + "/channels/" + birdChan
	base := asked(t, map[string]string{
		at + "/messages/m1": `{"id":"m1","status":"sent","reference":"` + attempt.String() + `","lastStatusAt":"2022-12-22T08:32:50.736Z"}`,
		at + "/calls/m1":    `{"id":"m1","status":"busy"}`,
	})
	for channel, state := range map[string]wa.FallbackState{wa.ChannelSMS: wa.FallbackSent, wa.ChannelVoice: wa.FallbackFailed} {
		p := speak(t, channel, settings(ProviderBird, channel, base)).(Asked)
		got, err := p.LookUp(t.Context(), Attempted{Message: message(channel), ProviderID: "m1"})
		if err != nil || got.State != state || got.Attempt != attempt || got.ProviderID != "m1" {
			t.Errorf("%s: %+v, %v", channel, got, err)
		}
		if _, err := p.LookUp(t.Context(), Attempted{Message: message(channel), ProviderID: "m2"}); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		if _, err := p.LookUp(t.Context(), Attempted{Message: message(channel)}); !errors.Is(err, ErrNoLookUp) {
			t.Error(err)
		}
	}
}

// TestNoLookUp: the others cannot be asked.
func TestNoLookUp(t *testing.T) {
	for _, provider := range []string{ProviderKannel, ProviderVonage, ProviderHTTP} {
		p := speak(t, wa.ChannelSMS, settings(provider, wa.ChannelSMS, "http://127.0.0.1:1"))
		if _, can := p.(Asked); can {
			t.Errorf("%s can be asked", provider)
		}
	}
}
