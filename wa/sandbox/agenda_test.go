package sandbox

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tickwatch/wa"
)

func TestAgendaKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgenda(time.Now, 1)
		begin := wa.At(time.Now())
		var (
			mu       sync.Mutex
			happened []int
			looks    int
		)
		check := func(what string, want ...int) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(happened, want) {
				t.Errorf("%s: happened %v, want %v", what, happened, want)
			}
			if looks > 20 {
				t.Errorf("%s: looked %d times for a handful of things", what, looks)
			}
		}
		add := func(after wa.Instant, n int) {
			a.at(begin+after, func() {
				if now := wa.At(time.Now()); now < begin+after {
					t.Errorf("%d happened %d ms early", n, begin+after-now)
				}
				mu.Lock()
				defer mu.Unlock()
				happened = append(happened, n)
			})
		}
		add(7_200_000, 5)
		add(3000, 3)
		add(3000, 4)
		add(0, 1)
		go a.run(t.Context(), func() {
			mu.Lock()
			defer mu.Unlock()
			looks++
		})
		check("at once", 1)
		add(20, 2) // earlier than what it waits for
		time.Sleep(time.Second)
		check("after a second", 1, 2)
		time.Sleep(3 * time.Hour)
		check("after three hours", 1, 2, 3, 4, 5)
		if a.remaining() != 0 {
			t.Errorf("%d things are still ahead", a.remaining())
		}
	})
}

// TestUpdatesTakeDetours looks at what is queued before any network can disturb
// its order.
func TestUpdatesTakeDetours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Now: time.Now, Speed: 1, Rate: 1, Secret: secret, WebhookURL: "http://127.0.0.1:1/"}
		s := &Sandbox{
			opts: o, people: newPopulation(1, 0), account: newAccount(), agenda: newAgenda(o.Now, o.Speed),
			ledger: newLedger(), faults: newFaults(1), journal: &journal{},
		}
		s.feed = newFeed(o, s.agenda, s.ledger)
		s.begin = wa.At(time.Now())
		const messages = 3000
		for i := range messages {
			q := &send{sendRequest: sendRequest{Template: &sendTemplate{}}, from: s.account.numbers[0], to: fmt.Sprint(351910000000 + i)}
			if _, problem := s.accept(q, s.account.templates[0], verdict{}); problem != nil {
				t.Fatal(problem.details)
			}
		}
		go s.agenda.run(t.Context(), func() {})
		time.Sleep(24 * time.Hour)
		synctest.Wait()

		var latest wa.Instant
		late, seen := 0, map[[2]string]int{}
		for _, u := range s.feed.fresh {
			if u.at < latest {
				late++
			}
			latest = max(latest, u.at)
			if u.status != nil {
				seen[[2]string{u.status.ID, u.status.Status}]++
			}
		}
		twice := 0
		for _, n := range seen {
			twice += n - 1
		}
		all := float64(len(s.feed.fresh))
		within(t, "updates that others overtook", float64(late)/all, 0.02, 0.08)
		within(t, "statuses told twice", float64(twice)/all, 0.005, 0.02)
		within(t, "updates a message", all/messages, 2, 4)
	})
}
