package cli

import (
	"context"
	"strings"
	"testing"

	"tickwatch/monitor/link"
)

// A console gets the doctor's checks of the ways in from the daemon that serves:
// its own listener answers, and the account's app is subscribed.
func TestTheDaemonChecksItsFeed(t *testing.T) {
	t.Parallel()
	s := playOwn(t, "healthy", 10, 500, 4)
	got, err := s.daemon.monitor.Handle(context.Background(), link.Peer{Name: "ines"}, link.Command{ID: "1", Verb: link.VerbCheckFeed})
	if err != nil {
		t.Fatal(err)
	}
	checks := got.(link.FeedChecks).Checks //nolint:forcetypeassert // the verb says what it answers
	if len(checks) != 3 {
		t.Fatalf("%+v", checks)
	}
	for i, want := range []struct{ name, text string }{
		{"listener", "the daemon answers, and can store webhooks"}, {"public address", "not set"}, {"subscription", "subscribed to the account"},
	} {
		if c := checks[i]; c.Name != want.name || !c.OK || !strings.Contains(c.Text, want.text) {
			t.Errorf("%+v, want %+v", c, want)
		}
	}
}

// Webhooks that Meta sends elsewhere are no subscription of ours; what is behind
// the host of an address is not shown.
func TestElsewhere(t *testing.T) {
	if !elsewhere("https://old.example.com/hook?key=1", "https://hooks.example.com/webhooks/meta") {
		t.Error("another host is ours")
	}
	if elsewhere("https://hooks.example.com/x", "https://hooks.example.com") || elsewhere("https://old.example.com", "") {
		t.Error("the same host, or one that nothing is known of, is elsewhere")
	}
	if got := hostOf("https://old.example.com/hook?key=1"); got != "old.example.com" {
		t.Errorf("%q", got)
	}
}
