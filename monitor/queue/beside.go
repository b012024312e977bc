package queue

import (
	"fmt"
	"slices"

	"tickwatch/wa"
)

// Crossing is the way of one message by another channel than WhatsApp past the
// gates that it must pass: that of everything, of its channel and of its campaign.
type Crossing struct {
	gates *gates
	all   [3]*gate
	begun bool
	over  bool
	now   func() wa.Instant
}

// crossed are the gates of a message of a campaign, by its key, over a channel.
func crossed(channel, campaign string) [3]place {
	return [...]place{{scopeAll, ""}, {scopeChannel, channel}, {scopeCampaign, campaign}}
}

// Crosses tells whether a message of a campaign, by its key, over a channel other than
// WhatsApp must pass a gate.
func Crosses(scope, id, channel, campaign string) bool {
	all := crossed(channel, campaign)
	return slices.Contains(all[:], place{scope, id})
}

// Crossing is the way of a message of a campaign, by its key, over a channel.
func (q *Queue) Crossing(channel, campaign string) *Crossing {
	s := &q.gates
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Crossing{gates: s, now: func() wa.Instant { return wa.At(q.o.Now()) }}
	for i, p := range crossed(channel, campaign) {
		c.all[i] = s.get(p)
	}
	return c
}

// Begin lets the message begin if all of its gates are open. It is asked when the
// first byte is about to leave; once only. Its error wraps wa.ErrGateClosed.
func (c *Crossing) Begin() error {
	s := c.gates
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.begun || c.over {
		return errTwice
	}
	if why := c.barred(); why != "" {
		return fmt.Errorf("%w: %s", wa.ErrGateClosed, why)
	}
	c.begun = true
	for _, g := range c.all {
		g.last = c.now().Time()
		g.beside++
	}
	return nil
}

// Over notes that the message's request has come back, or was never made.
func (c *Crossing) Over() {
	s := c.gates
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.begun && !c.over {
		for _, g := range c.all {
			g.beside--
		}
	}
	c.over = true
}

// Barred says why the message could not begin now, in a few words; "" = it could.
func (c *Crossing) Barred() string {
	c.gates.mu.Lock()
	defer c.gates.mu.Unlock()
	return c.barred()
}

// barred is Barred for who holds gates.mu.
func (c *Crossing) barred() string {
	switch s := c.gates; {
	case s.ending:
		return "the daemon ends"
	case s.stopped:
		return "the STOP file is there"
	}
	for i, what := range [...]string{"everything is paused", "the channel is paused", "the campaign is paused"} {
		if c.all[i].Closed {
			return what
		}
	}
	return ""
}
