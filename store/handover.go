package store

import (
	"context"
	"fmt"
	"strings"

	"tickwatch/wa"
)

// Handover is a message of ours that the API accepted.
type Handover struct {
	wa.Person
	WAMID string
	At    wa.Instant // when it was accepted
}

// HandOver stores messages of one of our own campaigns, which is made if it is
// not there, as accepted for sending from a number. Their ids, which their
// callback data carries (see wa.OwnData), are first and those that follow it.
func (s *Store) HandOver(ctx context.Context, campaign string, from wa.Sender, batch []Handover) (first int64, err error) {
	err = s.submit(ctx, &request{weight: int64(len(batch)), group: func(g *group) error {
		n, err := g.number(from)
		if err != nil {
			return err
		}
		first = g.next.message + 1
		c := g.campaignByKey(campaign)
		if c == nil {
			key := strings.Clone(campaign)
			if c, err = g.newCampaign(kindOwn, key, key, n, first); err != nil {
				return err
			}
		}
		for i := range batch {
			if err := g.handOver(c, n, &batch[i]); err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return 0, fmt.Errorf("storing messages that were handed over: %w", err)
	}
	return first, nil
}

func (g *group) handOver(c *campaign, n *number, h *Handover) error {
	who, err := g.person(h.Person, h.At)
	if err != nil {
		return err
	}
	t := &touched{fresh: true, pin: true, now: message{
		id: take(&g.next.message), number: n.id, person: who, hasPhone: h.Phone != "", hasBSUID: h.BSUID != "",
		wamid: strings.Clone(h.WAMID), progress: wa.Progress{AcceptedAt: h.At},
	}}
	g.keep(t)
	return g.join(t, c, n)
}
