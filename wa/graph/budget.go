package graph

import (
	"errors"
	"sync"
	"time"
)

// Use is what a read is for. All reads of a client come out of one budget.
type Use int

// Uses of a read.
const (
	Asked    Use = iota // somebody waits for it: it is counted, and never refused here
	Polled              // how numbers, templates and the account stand, every few minutes
	Compared            // two templates against each other
)

// Meta takes 200 calls an hour from an app for an account (whatsapp.md §3.10), and
// refuses all more with 80007. Of those, polls get 100 and comparisons 10, which is
// what Gupshup states that Meta takes (§5); the other 90 are left to people. Where
// people have asked more than that, polls rest instead: nothing is asked by itself
// above 190.
const (
	budgetSpan    = time.Hour
	budgetPolls   = 100
	budgetCompare = 10
	budgetAll     = 190
)

// ErrBudget is the error of a poll or a comparison that was not made, so that Meta
// does not refuse what people ask for.
var ErrBudget = errors.New("the questions that Meta answers in an hour are used up: it is asked again when the hour is over")

// budget counts the reads of the last hour.
type budget struct {
	now func() time.Time

	mu    sync.Mutex
	spent []spent // oldest first
}

type spent struct {
	at  time.Time
	use Use
}

// spend counts a read that is about to be made, or refuses it.
func (b *budget) spend(use Use) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	old := 0
	for old < len(b.spent) && now.Sub(b.spent[old].at) >= budgetSpan {
		old++
	}
	b.spent = append(b.spent[:0], b.spent[old:]...)
	alike := 0
	for _, s := range b.spent {
		if s.use == use {
			alike++
		}
	}
	switch {
	case use == Asked:
	case len(b.spent) >= budgetAll,
		use == Polled && alike >= budgetPolls,
		use == Compared && alike >= budgetCompare:
		return ErrBudget
	}
	b.spent = append(b.spent, spent{now, use})
	return nil
}

// For is the client with its reads made for a use: they may fail with ErrBudget.
func (c *Client) For(use Use) *Client {
	other := *c
	other.use = use
	return &other
}

// deniedFor is how long a field that may not be asked for is left out: a token
// gets other permissions rarely, and each try costs a call.
const deniedFor = 6 * time.Hour

// denied remembers the fields that this token may not ask for.
type denied struct {
	now func() time.Time

	mu    sync.Mutex
	until map[string]time.Time // by kind of node and field
}

func (d *denied) add(kind, field string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = map[string]time.Time{}
	}
	d.until[kind+" "+field] = d.now().Add(deniedFor)
}

// without leaves out of some fields those that were refused lately.
func (d *denied) without(kind string, fields []string) (left []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range fields {
		if !d.now().Before(d.until[kind+" "+f]) {
			left = append(left, f)
		}
	}
	return left
}
