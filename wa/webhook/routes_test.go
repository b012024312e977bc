package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

func TestSubscribe(t *testing.T) {
	const hostile = "<script>alert(1)</script>\r\nX-A: b"
	server := httptest.NewServer(webhook.NewHandler(standard(&shelf{})))
	defer server.Close()
	bare := standard(&shelf{})
	bare.VerifyTokens = []wa.Secret{wa.NewSecret("")}
	tokenless := httptest.NewServer(webhook.NewHandler(bare))
	defer tokenless.Close()

	for _, tc := range []struct {
		name                   string
		url                    string
		mode, token, challenge string
		code                   int
		text                   string
	}{
		{"right", server.URL, "subscribe", token, "1158201444", 200, "1158201444"},
		{"the other token", server.URL, "subscribe", "another-token", "1", 200, "1"},
		{"a hostile challenge", server.URL, "subscribe", token, hostile, 200, hostile},
		{"wrong token", server.URL, "subscribe", token + "x", "1", 403, "refused"},
		{"empty token", server.URL, "subscribe", "", "1", 403, "refused"},
		{"another mode", server.URL, "unsubscribe", token, "1", 403, "refused"},
		{"no challenge", server.URL, "subscribe", token, "", 403, "refused"},
		{"no token configured", tokenless.URL, "subscribe", "", "1", 403, "refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tc.url+"/webhooks/meta", nil)
			if err != nil {
				t.Fatal(err)
			}
			q := r.URL.Query()
			q.Set("hub.mode", tc.mode)
			q.Set("hub.verify_token", tc.token)
			q.Set("hub.challenge", tc.challenge)
			r.URL.RawQuery = q.Encode()
			code, header, text := do(t, r)
			if code != tc.code || text != tc.text {
				t.Errorf("answered %d %q, want %d %q", code, text, tc.code, tc.text)
			}
			if !strings.HasPrefix(header.Get("Content-Type"), "text/plain") || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("X-A") != "" {
				t.Errorf("headers %v", header)
			}
		})
	}
}

func TestOtherRoutes(t *testing.T) {
	o := standard(&shelf{})
	var full atomic.Bool
	o.Ready = func(context.Context) error {
		if full.Load() {
			return errors.New("the disk is full:\x1b[2J free some space")
		}
		return nil
	}
	server := httptest.NewServer(webhook.NewHandler(o))
	defer server.Close()
	for _, tc := range []struct {
		method, path string
		full         bool
		code         int
		text         string
	}{
		{"GET", "/healthz", false, 200, "alive"},
		{"GET", "/readyz", false, 200, "ready"},
		{"GET", "/readyz", true, 503, "the disk is full:[2J free some space"},
		{"GET", "/healthz", true, 200, "alive"},
		{"POST", "/healthz", false, 405, ""},
		{"DELETE", "/webhooks/meta", false, 405, ""},
		{"PUT", "/webhooks/meta", false, 405, ""},
		{"GET", "/", false, 404, ""},
		{"POST", "/webhooks", false, 404, ""},
		{"POST", "/webhooks/meta/", false, 404, ""},
		{"POST", "/webhooks/other", false, 404, ""},
	} {
		full.Store(tc.full)
		r, err := http.NewRequestWithContext(t.Context(), tc.method, server.URL+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		code, _, text := do(t, r)
		if code != tc.code || (tc.text != "" && text != tc.text) {
			t.Errorf("%s %s: %d %q, want %d %q", tc.method, tc.path, code, text, tc.code, tc.text)
		}
	}
}
