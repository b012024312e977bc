package store

import (
	"context"
	"fmt"
	"strings"

	"tickwatch/wa"
)

// Reasons why an e-mail does not go to an address. People read them.
const (
	reasonUnsubscribed = "the e-mail address unsubscribed"
	reasonSameAddress  = "somebody else with this e-mail address gets it"
)

// mailbox is an e-mail address as it is compared: nobody has two that differ by
// their capitals.
func mailbox(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// unsubscribe keeps that an address gets no more mails, whoever it is said to belong to.
func (g *group) unsubscribe(address string, at wa.Instant) error {
	_, err := g.conn.ExecContext(g.ctx, "INSERT INTO unsubscribed VALUES (?, ?) ON CONFLICT DO NOTHING", []byte(g.w.list.hmac(mailbox(address))), int64(at))
	return err
}

func (g *group) unsubscribed(address string) (yes bool, err error) {
	err = g.conn.QueryRowContext(g.ctx, "SELECT EXISTS (SELECT 1 FROM unsubscribed WHERE hash = ?)", []byte(g.w.list.hmac(mailbox(address)))).Scan(&yes)
	return yes, err
}

// resubscribe lets the addresses be mailed again at which a person was, whom an
// operator releases from their opt-out.
func (g *group) resubscribe(person int64) error {
	addresses, err := query(g.ctx, g.conn, scanText, "SELECT address FROM fallback WHERE person = ? AND channel = ?", person, wa.ChannelEmail)
	if err != nil {
		return err
	}
	for _, a := range addresses {
		if _, err := g.conn.ExecContext(g.ctx, "DELETE FROM unsubscribed WHERE hash = ?", []byte(g.w.list.hmac(mailbox(a)))); err != nil {
			return err
		}
	}
	return nil
}

func scanText(s scanner) (text string, err error) { return text, s.Scan(&text) }

// mailed reads the addresses that have a campaign's e-mail, or are to get it.
func (s *Store) mailed(ctx context.Context, campaign int64) (map[string]bool, error) {
	addresses, err := query(ctx, s.readers, scanText, "SELECT address FROM fallback f WHERE campaign = ? AND channel = ? AND NOT "+freeFallback, campaign, wa.ChannelEmail)
	if err != nil {
		return nil, fmt.Errorf("reading who has an e-mail: %w", err)
	}
	all := map[string]bool{}
	for _, a := range addresses {
		all[mailbox(a)] = true
	}
	return all, nil
}

// optOutBeside keeps that the person of a message by another channel opted out by
// it: of every channel, and where it was an e-mail its address, too, which others
// may have.
func (g *group) optOutBeside(f *fallback, at wa.Instant) error {
	if f.channel == wa.ChannelEmail {
		if err := g.unsubscribe(f.address, at); err != nil {
			return err
		}
	}
	return g.setOptedOut(g.is(f.person), true, at)
}
