package wire

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tickwatch/wa"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseBase(t *testing.T) {
	for base, want := range map[string]string{
		"https://graph.example":         "",
		"https://graph.example/meta/":   "",
		"http://127.0.0.1:8490":         "",
		"http://localhost:8490/":        "",
		"http://[::1]:8490":             "",
		"http://graph.example":          "would send the access token in the clear",
		"http://localhost.example":      "in the clear",
		"ftp://graph.example":           "is no address of the Graph API: give one like https://graph.example",
		"graph.example":                 "is no address",
		"https://":                      "is no address",
		"https://a:b@graph.example":     "is no address",
		"https://graph.example?a=b":     "is no address",
		"https://169.254.169.254":       "no public host",
		"https://[fd00:ec2::254]":       "metadata",
		"https://gr\x1b[2Japh.example/": "is no address",
	} {
		u, err := place.ParseBase(base)
		if want == "" {
			if err != nil || u == nil {
				t.Errorf("%q: %v", base, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "graph.base_url") || err.Error() != wa.Clean(err.Error()) {
			t.Errorf("%q: %v, want %q", base, err, want)
		}
	}
}

// TestDo: a request comes as it is, and the answer tells how far it got.
func TestDo(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, strings.Join([]string{r.Method, r.URL.RequestURI(), r.Header.Get("X-One"), r.UserAgent(), string(body)}, "|"))
	}))
	defer s.Close()
	w, err := New(Options{Place: place, Base: s.URL + "/base/", Within: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	header := http.Header{"X-One": {"1"}}
	begun, written := 0, 0
	ans, err := w.Do(t.Context(), &Request{
		Method: http.MethodPost, URL: w.Base() + "/a?b=c", Header: header, Body: []byte("hush text"), Secrets: []wa.Secret{wa.NewSecret("hush")},
		Begin: func() error { begun++; return nil }, Written: func() { written++ },
	})
	if err != nil || !ans.Begun || ans.Closed != nil || begun != 1 || written != 1 || len(header) != 1 {
		t.Errorf("%+v, %v, %d begun, %d written", ans, err, begun, written)
	}
	if string(ans.Body) != "POST|/base/a?b=c|1|tickwatch|hush text" || ans.Status != http.StatusTeapot || ans.RetryAfter() != 5*time.Second {
		t.Errorf("%s, HTTP %d, %s", ans.Body, ans.Status, ans.RetryAfter())
	}
	if got := ans.Shown("a hu\u200bsh b\n"); got != "a *** b " {
		t.Errorf("%q", got)
	}
	closed := errors.New("closed")
	ans, err = w.Do(t.Context(), &Request{Method: http.MethodPost, URL: w.Base(), Begin: func() error { return closed }})
	if err == nil || ans.Begun || !errors.Is(ans.Closed, closed) || ans.Status != 0 {
		t.Errorf("%+v, %v", ans, err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		said, date string
		want       time.Duration
	}{
		{"", "", 0},
		{"7", "", 7 * time.Second},
		{" 1.5 ", "", 1500 * time.Millisecond},
		{"-3", "", 0},
		{"NaN", "", 0},
		{"1e300", "", LongestRest},
		{"soon", "", 0},
		{"Fri, 20 Nov 2026 08:00:09 GMT", "", 9 * time.Second},
		{"Fri, 20 Nov 2026 08:00:09 GMT", "Fri, 20 Nov 2026 08:00:05 GMT", 4 * time.Second},
		{"Fri, 20 Nov 2026 07:00:00 GMT", "", 0},
		{"Fri, 20 Nov 2036 08:00:00 GMT", "", LongestRest},
	} {
		ans := Answer{Header: http.Header{"Retry-After": {c.said}, "Date": {c.date}}, At: now}
		if got := ans.RetryAfter(); got != c.want {
			t.Errorf("%q at %q: %s, want %s", c.said, c.date, got, c.want)
		}
	}
}
