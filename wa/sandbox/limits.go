package sandbox

import (
	"slices"
	"strings"
	"sync"
	"time"

	"tickwatch/wa"
)

// Meta's limits of how fast messages may follow each other (whatsapp.md §4).
const (
	codeThroughput = 130429
	codePair       = 131056
	codeWithheld   = 131049

	highThroughput = 1000 // messages a second of a number that was upgraded

	pairEvery = 6 * time.Second // one message to one person from one number
	pairBurst = 45              // so many at once, borrowed from the future
)

// meter lets events pass at an even rate, and as many at once as pass in a second.
type meter struct {
	mu   sync.Mutex
	next time.Time // when the next event is due, if none was ever early
}

func (m *meter) pass(now time.Time, rate float64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next.Before(now) {
		m.next = now
	}
	every := time.Duration(float64(time.Second) / rate)
	if m.next.Sub(now) > time.Second-every {
		return false
	}
	m.next = m.next.Add(every)
	return true
}

// tooFast judges a send by the throughput of its number.
func (s *Sandbox) tooFast(n *number) *graphError {
	if s.opts.Throughput == 0 || n.throughput.pass(s.opts.Now(), s.opts.Throughput) {
		return nil
	}
	e := refuse(codeThroughput)
	e.retryAfter = time.Second
	return e
}

// acquaintance is what the account had to do with one person.
type acquaintance struct {
	messages int                        // accepted so far
	next     [len(numberIDs)]wa.Instant // of the pair with each number: when the next message is due, if none was ever early
}

// meet counts another message to a person, unless the pair's limit forbids it.
func (l *ledger) meet(phone string, n *number, now wa.Instant) (nth int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.people[phone]
	next := max(a.next[n.place], now)
	if next.Sub(now) > (pairBurst-1)*pairEvery {
		return 0, false
	}
	nth = a.messages
	a.messages++
	a.next[n.place] = next + millis(pairEvery)
	l.people[phone] = a
	return nth, true
}

// northAmerica are the area codes of the country code 1 outside of the United
// States: Canada's first, then those of islands that are countries of their own.
const northAmerica = "204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 460 468 474 506 514 519 " +
	"537 548 568 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 851 867 873 879 902 905 942 " +
	"242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876"

var elsewhere = strings.Fields(northAmerica)

// american tells whether a number is one of the United States, to which Meta
// delivers no marketing.
func american(phone string) bool {
	return len(phone) == 11 && phone[0] == '1' && !slices.Contains(elsewhere, phone[1:4])
}
