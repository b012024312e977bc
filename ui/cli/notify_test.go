package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tickwatch/wa"
)

// TestConfigNotify: what cannot tell anybody is refused before the daemon runs, and
// no secret is shown.
func TestConfigNotify(t *testing.T) {
	for text, want := range map[string]string{
		"webhook_url = \"https://hooks.example/in\"": "webhook_secret",
		"webhook_secret = \"hush\"":                  "webhook_url",
		"min_severity = \"panic\"":                   "neither watch nor act",
		"ping_every = \"1s\"":                        "10s or more",
		"bell = \"no\"":                              "true nor false",
		"command = [1]":                              "list of texts",
		"webhook_url = \"https://hooks.example/in\"\nwebhook_secret = \"hush\"":    "",
		"urls = [\"slack://hush\"]\nmin_severity = \"act\"\ncommand = \"/bin/ls\"": "",
	} {
		w := newWorld(t)
		w.o.Path = w.file("[notify]\n" + text + "\n")
		if want == "" {
			w.load()
			continue
		}
		w.refuse("notify.", want)
		if _, err := LoadConfig(w.o); strings.Contains(err.Error(), "hush") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
}

// TestDoctorNotify: doctor sends nothing, and says what cannot be used.
func TestDoctorNotify(t *testing.T) {
	found(t, checkNotify(&NotifyConfig{}), "ok", "not set up")
	found(t, checkNotify(&NotifyConfig{URLs: secrets("slakc://hush")}), "FAIL", "notify.urls", "[notify]")
	found(t, checkNotify(&NotifyConfig{Command: []string{"/no/such"}}), "FAIL", "notify.command")
	found(t, checkNotify(&NotifyConfig{URLs: secrets("pagerduty:///0123456789abcdef0123456789abcdef"), Command: []string{"/bin/sh"}}), "ok", "pagerduty, command", "notify test")
	found(t, checkNotify(&NotifyConfig{PingURL: wa.NewSecret("https://ping.example/x")}), "note", "nobody is told")
	if c := checkNotify(&NotifyConfig{URLs: secrets("slakc://hush")}); strings.Contains(c.Text, "hush") {
		t.Errorf("a secret is shown: %s", c.Text)
	}
}

// TestNotifyTest: every place is tried, and the exit says whether all took it.
func TestNotifyTest(t *testing.T) {
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		if strings.HasPrefix(r.URL.Path, "/refuse") {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	run := func(env ...string) (int, string, string) {
		var out, errs strings.Builder
		code := Main(World{Args: []string{"notify", "test"}, Env: append(env, "HOME="+t.TempDir()), Out: &out, Err: &errs})
		return code, out.String(), errs.String()
	}
	code, out, errs := run("TICKWATCH_NOTIFY_WEBHOOK_URL="+server.URL+"/in", "TICKWATCH_NOTIFY_WEBHOOK_SECRET=hush", "TICKWATCH_NOTIFY_COMMAND=/bin/true")
	if code != 0 || out != "ok    webhook\nok    command\n" || len(bodies) != 1 || !strings.Contains(bodies[0], `"event":"test"`) {
		t.Errorf("%d %q %q %q", code, out, errs, bodies)
	}
	code, out, errs = run("TICKWATCH_NOTIFY_PING_URL="+server.URL+"/refuse/hush", "TICKWATCH_NOTIFY_COMMAND=/bin/true")
	if code != 1 || !strings.Contains(out, "FAIL  ping: 127.0.0.1 answered 403") || strings.Contains(out+errs, "hush") || !strings.Contains(errs, "1 of 2 places") {
		t.Errorf("%d %q %q", code, out, errs)
	}
	if code, _, errs = run(); code != 1 || !strings.Contains(errs, "[notify]") {
		t.Errorf("nobody to tell: %d %q", code, errs)
	}
}
