package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"tickwatch/wa"
)

// Seed is a message to one of the operator's own phones, sent among those of a
// campaign to prove the way from end to end. It is no message of the campaign, of
// the phone's person or of an error code: no count, rate or rule knows it.
type Seed struct {
	ID       int64
	After    int64 // handed-over messages of the campaign at which it was due
	State    SeedState
	At       wa.Instant // when it was claimed
	Progress wa.Progress
}

// SeedState says what is known of a seed's request. Its numbers are stored.
type SeedState uint8

// States of a Seed.
const (
	SeedClaimed SeedState = iota // its request is about to leave, or has left
	SeedUnknown                  // it may have gone out; nobody sends it again
	SeedHandedOver
	SeedRefused // by Meta, at once
	SeedNotSent // it certainly did not go out
)

// SeedClaim asks to send a seed.
type SeedClaim struct {
	Campaign  int64  // row id
	From      string // phone_number_id
	Phone     string // E.164
	Marketing bool   // its template is
	After     int64
	Now       wa.Instant
}

// ClaimSeed puts an attempt to send a seed on the disk before it leaves, and gives
// its id and callback data. A phone that must not be written to, because its owner
// opted out or it is on the suppression list, gets none: held says why.
func (s *Store) ClaimSeed(ctx context.Context, c SeedClaim) (id int64, data, held string, err error) {
	err = s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		phone := digits(c.Phone)
		if held, err = g.seedHeld(phone, &c); err != nil || held != "" {
			return err
		}
		row := seedRow{Seed: Seed{ID: take(&g.next.seed), After: c.After, At: c.Now}, campaign: c.Campaign, number: c.From, phone: phone}
		id, data = row.ID, wa.SeedData(g.w.name, row.ID)
		return g.saveSeed(&row)
	}})
	if err != nil {
		return 0, "", "", fmt.Errorf("taking a message to an own phone: %w", err)
	}
	return id, data, held, nil
}

// seedHeld says why an own phone is not written to; "" = it may be.
func (g *group) seedHeld(phone string, c *SeedClaim) (string, error) {
	named, err := g.today(wa.Person{Phone: phone}, c.Now)
	if err != nil {
		return "", err
	}
	who, err := g.personByPhone(named.Phone)
	if err != nil {
		return "", err
	}
	return g.suppressed(who, phone, wa.ChannelWhatsApp, c.Marketing, c.Now)
}

// SettleSeed stores what became of a seed's request; o.Message is its id. What a
// webhook has told before stands.
func (s *Store) SettleSeed(ctx context.Context, o wa.Outcome) error {
	err := s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		row, err := g.seed(o.Message)
		if err != nil {
			return err
		}
		before := row.State
		switch o.Kind {
		case wa.OutcomeAccepted:
			row.State = SeedHandedOver
			if row.Progress.AcceptedAt == 0 {
				row.Progress.AcceptedAt = o.At
			}
			g.knowSeed(&row, o.Accepted.WAMID)
		case wa.OutcomeRefused:
			if before <= SeedUnknown {
				row.State, row.Progress = SeedRefused, row.Progress.Refuse(o.At, o.Code)
			}
		case wa.OutcomeAgain:
			if before <= SeedUnknown {
				row.State = SeedNotSent
			}
		case wa.OutcomeUnknown:
			if before == SeedClaimed {
				row.State = SeedUnknown
			}
		default:
			return fmt.Errorf("%d is no outcome of a send", o.Kind)
		}
		return g.saveSeed(&row)
	}})
	if err != nil {
		return fmt.Errorf("storing what became of a message to an own phone: %w", err)
	}
	return nil
}

// seedStatus applies a status that speaks of a seed, of this store or another's; false
// when it does not. Another's is nobody's message here.
func (g *group) seedStatus(u *wa.StatusUpdate, at wa.Instant) (yes bool, err error) {
	id := int64(0)
	switch {
	case wa.IsSeed(u.CallbackData):
		id, _ = wa.SeedID(u.CallbackData, g.w.name)
	case u.CallbackData == "":
		if id, yes = g.seeds[u.MessageID]; !yes {
			id, yes = g.w.seeds[u.MessageID]
		}
		if !yes {
			return false, nil
		}
	default:
		return false, nil
	}
	row, err := g.seed(id)
	if missing(err) {
		if len(g.w.seeds) < 2*knownSeeds {
			g.seeds[strings.Clone(u.MessageID)] = 0 // later ones may come without callback data
		}
		return true, nil
	}
	if err != nil {
		return true, err
	}
	var fresh bool
	row.Progress, fresh = row.Progress.Climb(u.Status, at, u.Code)
	if !fresh {
		g.feed.Duplicates++
	}
	row.State = SeedHandedOver // whatever its request came to
	g.knowSeed(&row, u.MessageID)
	return true, g.writeSeed(&row)
}

// knowSeed notes Meta's id of a seed.
func (g *group) knowSeed(row *seedRow, wamid string) {
	if wamid != "" && row.wamid == "" {
		row.wamid = strings.Clone(wamid)
	}
	if row.wamid != "" {
		g.seeds[row.wamid] = row.ID
	}
}

// Seeds are the seeds of a campaign that went out or may have, in the order in which
// they were sent.
func (s *Store) Seeds(ctx context.Context, campaign int64) ([]Seed, error) {
	rows, err := query(ctx, s.readers, scanSeed, "SELECT "+seedColumns+" FROM seed WHERE campaign = ? AND state <> 4 ORDER BY id", campaign)
	if err != nil {
		return nil, fmt.Errorf("reading the messages to own phones: %w", err)
	}
	out := make([]Seed, len(rows))
	for i := range rows {
		out[i] = rows[i].Seed
	}
	return out, nil
}

// Seeded are the campaigns that seeds were sent among, by row id.
func (s *Store) Seeded(ctx context.Context) ([]int64, error) {
	ids, err := query(ctx, s.readers, func(s scanner) (id int64, err error) { return id, s.Scan(&id) }, "SELECT DISTINCT campaign FROM seed")
	if err != nil {
		return nil, fmt.Errorf("reading the messages to own phones: %w", err)
	}
	return ids, nil
}

// SampleRows are the values of the first recipients on a campaign's list, at most n,
// by Plan.Columns.
func (s *Store) SampleRows(ctx context.Context, campaign int64, n int) ([][]string, error) {
	rows, err := query(ctx, s.readers, func(s scanner) (values []string, err error) {
		var text []byte
		if err := s.Scan(&text); err != nil {
			return nil, err
		}
		return values, json.Unmarshal(text, &values)
	}, "SELECT r.vals FROM plan p JOIN recipient r ON r.id >= p.first AND r.id < p.first + p.rows WHERE p.campaign = ? ORDER BY r.id LIMIT ?", campaign, n)
	if err != nil {
		return nil, fmt.Errorf("reading rows of the list: %w", err)
	}
	return rows, nil
}
