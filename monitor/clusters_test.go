package monitor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
)

// found is the campaign autumn after so many messages a second apart, of which
// those fail that fails names.
func found(t *testing.T, n int, fails func(i int, id string) bool) *link.Campaign {
	t.Helper()
	clock := newHand()
	h := openHouse(t, t.TempDir(), clock.now)
	defer func() { _ = h.store.Close() }()
	at := clock.now().Unix()
	var all []update
	for i := range n {
		id := fmt.Sprintf("%d%07d", []int{1, 2, 3, 6}[i*7%4], i*7919%1_000_000)
		u := update{id, "delivered", at + int64(i), 0}
		if fails(i, id) {
			u.status, u.code = "failed", 131026
		}
		all = append(all, u)
	}
	clock.forward(time.Duration(n+60) * time.Second)
	h.post(t, body(all), clock.now())
	if err := h.store.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.monitor.Show(t.Context())
	for _, c := range h.status(t).Campaigns {
		if c.ID == "autumn" {
			return &c
		}
	}
	t.Fatal("no campaign")
	return nil
}

// A dead block of numbers is named, with its figures, masked examples and one action.
func TestWhyItFails(t *testing.T) {
	c := found(t, 1200, func(i int, id string) bool { return strings.HasPrefix(id, "6") && i%5 < 2 || i%60 == 0 })
	if len(c.Clusters) != 1 || c.ClustersAt == nil {
		t.Fatalf("%+v at %v", c.Clusters, c.ClustersAt)
	}
	k := c.Clusters[0]
	if k.Attribute != "prefix" || k.Value != "35196" || k.Sent != 300 || k.Failed < 120 || k.Lift < 3 || k.PAdjusted > 1e-9 || k.MainCode != 131026 ||
		k.Explains < 0.8 || k.Sends != 0.25 || !strings.HasPrefix(k.Action, "Leave these people out") {
		t.Errorf("%+v", k)
	}
	if len(k.Examples) != 5 {
		t.Fatalf("%+v", k.Examples)
	}
	for _, e := range k.Examples {
		if e.Code != 131026 || e.SentAt == nil || !strings.Contains(e.Phone, "**") {
			t.Errorf("%+v", e)
		}
	}
}

// Failures all over the list have been looked at, and nothing is named; too few have not.
func TestNoCommonTrait(t *testing.T) {
	if c := found(t, 1200, func(i int, _ string) bool { return i%19 == 0 }); len(c.Clusters) != 0 || c.ClustersAt == nil {
		t.Errorf("%+v at %v", c.Clusters, c.ClustersAt)
	}
	if c := found(t, 1200, func(i int, _ string) bool { return i%100 == 0 }); len(c.Clusters) != 0 || c.ClustersAt != nil {
		t.Errorf("%+v at %v", c.Clusters, c.ClustersAt)
	}
}
