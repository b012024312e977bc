package monitor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// now is the moment of every receipt in these tests.
var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// house is a store and a monitor on one folder.
type house struct {
	dir     string
	store   *store.Store
	monitor *monitor.Monitor
}

func openHouse(t fataler, dir string, clock func() time.Time) *house {
	s, err := store.Open(context.Background(), store.Options{Dir: dir, Now: clock, Decode: webhook.Decode})
	if err != nil {
		t.Fatalf("%v", err)
	}
	m, err := monitor.New(context.Background(), monitor.Options{
		Store: s, Now: clock, Thresholds: monitor.DefaultThresholds(), Publish: func(*link.Snapshot) {},
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return &house{dir, s, m}
}

type fataler interface{ Fatalf(string, ...any) }

func (h *house) post(t fataler, body []byte, at time.Time) {
	if err := h.store.Ingest(context.Background(), webhook.Decode("meta", body, wa.At(at))); err != nil {
		t.Fatalf("%v", err)
	}
}

// status is what `tickwatch status` would print, through the command's own path.
func (h *house) status(t fataler) *link.Snapshot {
	got, err := h.monitor.Handle(context.Background(), link.Peer{Name: "tester"}, link.Command{Verb: link.VerbStatus})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return got.(*link.Snapshot)
}

// update is one status of one message, as a test makes it up.
type update struct {
	message, status string
	at              int64 // seconds
	code            int
}

func (u update) json() map[string]any {
	m := map[string]any{
		"id": "wamid." + u.message, "status": u.status, "timestamp": strconv.FormatInt(u.at, 10),
		"recipient_id": "3519" + u.message, "biz_opaque_callback_data": "autumn:" + u.message,
	}
	if u.status == "failed" {
		m["errors"] = []any{map[string]any{"code": u.code, "title": "t", "error_data": map[string]any{"details": "d"}}}
	}
	return m
}

func body(updates []update) []byte {
	statuses := make([]any, len(updates))
	for i, u := range updates {
		statuses[i] = u.json()
	}
	b, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": "1", "changes": []any{
		map[string]any{"field": "messages", "value": map[string]any{
			"messaging_product": "whatsapp", "metadata": map[string]any{"display_phone_number": "4915550001", "phone_number_id": "500"}, "statuses": statuses,
		}},
	}}}})
	if err != nil {
		panic(err)
	}
	return b
}

// Any order, repetition and grouping of a campaign's statuses gives the same
// figures, equal to a plain recount of the raw bodies, before and after a restart.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []update
		start := now.Unix() - 4000
		for i := range rapid.IntRange(1, 25).Draw(t, "messages") {
			clock := start + rapid.Int64Range(0, 2400).Draw(t, "clock")
			for _, s := range []string{"sent", "delivered", "read", "played", "failed"} {
				if !rapid.Bool().Draw(t, s) {
					continue
				}
				for range rapid.IntRange(1, 2).Draw(t, "times") { // the second with a timestamp of its own
					all = append(all, update{
						fmt.Sprintf("%08d", i), s, clock + rapid.SampledFrom([]int64{0, 1, 4, 5, 6, 29, 31, 61, 301, 1599}).Draw(t, "delay"),
						rapid.SampledFrom([]int{131026, 131049, 131050, 130472, 99}).Draw(t, "code"),
					})
				}
			}
		}
		if len(all) == 0 {
			return
		}
		dir, err := os.MkdirTemp("", "tickwatch-test-")
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		clock := func() time.Time { return now }
		h := openHouse(t, dir, clock)
		order := rapid.Permutation(all).Draw(t, "order")
		repeats := rapid.SliceOfN(rapid.SampledFrom(all), 0, 10).Draw(t, "repeats")
		order = append(order, repeats...)
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(t, "post")
			h.post(t, body(order[:n]), now)
			order = order[n:]
		}
		before := h.status(t)
		want := recount(t, h.store)
		if err := h.store.Close(); err != nil {
			t.Fatalf("%v", err)
		}
		if diff := cmp.Diff(want, figuresOf(before), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Fatalf("figures differ from a recount (-recount +shown):\n%s", diff)
		}
		h = openHouse(t, dir, clock)
		defer func() { _ = h.store.Close() }()
		if diff := cmp.Diff(before, h.status(t), cmpopts.IgnoreFields(link.Feed{}, "PerSecond", "Trend")); diff != "" {
			t.Fatalf("a restart shows other figures (-before +after):\n%s", diff)
		}
	})
}

// figures are the part of a snapshot that a recount can give.
type figures struct {
	Counts     link.Counts
	Messages   int64 // of the first 30 minutes, and so on
	Delivered  int64
	Failed     int64
	Withheld   int64
	From       int64
	ByAge      map[int64]float64
	Errors     map[int]int64
	Refusers   int64
	Updates    int64
	Duplicates int64
}

func figuresOf(s *link.Snapshot) figures {
	c := s.Campaigns[0]
	f := figures{
		Counts: c.Counts, Messages: c.First30.Messages, Delivered: c.First30.Delivered, Failed: c.First30.Failed,
		Withheld: c.First30.Withheld, From: c.First30.From.Unix(), ByAge: map[int64]float64{}, Errors: map[int]int64{},
		Refusers: c.Reports.Refusers, Updates: s.Feed.Updates, Duplicates: s.Feed.Duplicates,
	}
	for _, a := range c.First30.ByAge {
		f.ByAge[a.Seconds] = a.Share
	}
	for _, e := range c.Errors {
		f.Errors[e.Code] = e.Count
	}
	return f
}

// recount works the figures out of the raw bodies, the plain way: all of them
// read, nothing kept between. It shares no code with the product.
func recount(t fataler, s *store.Store) figures {
	type seen struct {
		first map[string]int64
		code  int
		last  int64
	}
	messages := map[string]*seen{}
	f := figures{ByAge: map[int64]float64{}, Errors: map[int]int64{}}
	for _, raw := range rawBodies(t, s) {
		var b struct {
			Entry []struct {
				Changes []struct {
					Value struct {
						Statuses []struct {
							ID, Status, Timestamp string
							Errors                []struct{ Code int }
						}
					}
				}
			}
		}
		if err := json.Unmarshal(raw, &b); err != nil {
			t.Fatalf("%v", err)
		}
		for _, s := range b.Entry[0].Changes[0].Value.Statuses {
			f.Updates++
			at, _ := strconv.ParseInt(s.Timestamp, 10, 64)
			m := messages[s.ID]
			if m == nil {
				m = &seen{first: map[string]int64{}}
				messages[s.ID] = m
			}
			if was, again := m.first[s.Status]; again {
				f.Duplicates++
				at = min(at, was)
			}
			m.first[s.Status] = at
			if s.Status == "failed" {
				at, _ := strconv.ParseInt(s.Timestamp, 10, 64)
				if code := s.Errors[0].Code; at > m.last || (at == m.last && code > m.code) {
					m.code, m.last = code, at
				}
			}
		}
	}
	const never = math.MaxInt64
	when := func(m *seen, statuses ...string) int64 {
		first := int64(never)
		for _, s := range statuses {
			if at, ok := m.first[s]; ok {
				first = min(first, at)
			}
		}
		return first
	}
	var clocks []int64
	clockOf := func(m *seen) int64 {
		if at := when(m, "sent"); at != never {
			return at
		}
		return when(m, "delivered", "read", "played", "failed")
	}
	for _, m := range messages {
		clocks = append(clocks, clockOf(m))
	}
	slices.Sort(clocks)
	f.From = startOf(clocks)
	old, young := map[int64]int64{}, map[int64]int64{}
	for _, m := range messages {
		c := &f.Counts
		clock, arrived, failed := clockOf(m), when(m, "delivered", "read", "played"), when(m, "failed")
		withheld := m.code == 131049 || m.code == 130472
		c.Messages++
		c.HandedOver++
		if arrived != never || when(m, "sent") != never {
			c.Sent++
		}
		if when(m, "read", "played") != never {
			c.Read++
		}
		switch {
		case arrived != never:
			c.Delivered++
		case failed != never:
			c.Failed++
			f.Errors[m.code]++
			if withheld {
				c.Withheld++
			}
			if m.code == 131050 {
				f.Refusers++
			}
		default:
			c.InFlight++
		}
		if clock < f.From || clock >= f.From+1800 {
			continue
		}
		f.Messages++
		switch {
		case arrived != never && arrived-clock <= 1800:
			f.Delivered++
		case failed != never && failed-clock <= 1800:
			f.Failed++
			if withheld {
				f.Withheld++
			}
		}
		for _, age := range []int64{5, 30, 60, 300, 1800} {
			if now.Unix()-clock >= age {
				old[age]++
				if arrived != never && arrived-clock <= age {
					young[age]++
				}
			}
		}
	}
	for age, n := range old {
		f.ByAge[age] = float64(young[age]) / float64(n)
	}
	return f
}

// startOf is the rule for a campaign's start, said again: the first stretch,
// unbroken by more than 30 minutes without a message, of 20 messages or a tenth.
func startOf(clocks []int64) int64 {
	enough := min(20, (len(clocks)+9)/10)
	for i := 0; i < len(clocks); {
		j := i + 1
		for j < len(clocks) && clocks[j]/60-clocks[j-1]/60 <= 30 {
			j++
		}
		if j-i >= enough {
			return clocks[i]
		}
		i = j
	}
	return clocks[0]
}

func rawBodies(t fataler, s *store.Store) [][]byte {
	var all [][]byte
	if err := s.EachPost(context.Background(), 0, func(p store.RawPost) error { all = append(all, p.Body); return nil }); err != nil {
		t.Fatalf("%v", err)
	}
	return all
}
