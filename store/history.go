package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tickwatch/wa"
)

// Exists tells whether a folder holds a store, without opening it.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, fileName))
	return err == nil
}

// Actions reads what operators did after the action with the ID after, the
// oldest first, at most limit of them.
func (s *Store) Actions(ctx context.Context, after int64, limit int) ([]Action, error) {
	all, err := query(ctx, s.readers, scanAction, "SELECT id, at, operator, verb, target, reason, effect FROM action WHERE id > ? ORDER BY id LIMIT ?", after, limit)
	if err != nil {
		return nil, fmt.Errorf("reading actions: %w", err)
	}
	return all, nil
}

// Alarms reads every alarm that was ever raised, as it was last stored, in the
// order in which they were raised.
func (s *Store) Alarms(ctx context.Context) ([]Alarm, error) {
	all, err := query(ctx, s.readers, scanAlarm, "SELECT "+alarmColumns+" FROM alarm ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("reading alarms: %w", err)
	}
	return all, nil
}

// Alarm reads one alarm; its ID is 0 when there is none of that ID.
func (s *Store) Alarm(ctx context.Context, id int64) (Alarm, error) {
	a, err := scanAlarm(s.readers.QueryRowContext(ctx, "SELECT "+alarmColumns+" FROM alarm WHERE id = ?", id))
	if missing(err) {
		return Alarm{}, nil
	}
	if err != nil {
		return Alarm{}, fmt.Errorf("reading an alarm: %w", err)
	}
	return a, nil
}

// Concerns tells whether a post that was taken in holds news of a campaign: a
// status of one of its messages, or of one to an own phone that went out among them,
// an answer to it, or an opt-out counted for it.
// A repetition of such news is news here.
func (s *Store) Concerns(ctx context.Context, campaign int64, p *wa.Post) (bool, error) {
	yes, err := s.spokenOf(ctx, campaign, p)
	for i := 0; i < len(p.Inbound) && !yes && err == nil; i++ {
		err = s.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM inbound WHERE wamid = ? AND campaign = ?)", p.Inbound[i].MessageID, campaign).Scan(&yes)
	}
	for i := 0; i < len(p.Preferences) && !yes && err == nil; i++ {
		yes, err = s.optedOutOf(ctx, campaign, p.Preferences[i].Person)
	}
	if err != nil {
		return false, fmt.Errorf("looking whose news a post holds: %w", err)
	}
	return yes, nil
}

// spokenOf tells whether a post names a message of a campaign, or one to an own phone
// that went out among them.
func (s *Store) spokenOf(ctx context.Context, campaign int64, p *wa.Post) (yes bool, err error) {
	var wamids []string
	var seeds []int64
	for i := range p.Statuses {
		if id, ok := wa.SeedID(p.Statuses[i].CallbackData, s.name); ok {
			seeds = append(seeds, id)
		}
		wamids = append(wamids, p.Statuses[i].MessageID)
	}
	for i := range p.Inbound {
		if to := p.Inbound[i].ReplyTo; to != "" {
			wamids = append(wamids, to)
		}
	}
	if len(wamids) == 0 {
		return false, nil
	}
	candidates := map[int64]string{} // row: the wamid that it may have
	err = s.look(ctx, func(w *writer) error {
		for _, id := range wamids {
			if seed, ok := w.seeds[id]; ok { // news of it may come without callback data
				seeds = append(seeds, seed)
				continue
			}
			m := w.pending.byWAMID[id]
			if m == nil {
				m = w.recent.get(id)
			}
			if m != nil {
				yes = yes || m.campaign == campaign
				continue
			}
			rows, err := w.indexes[indexWAMID].find(ctx, w.stmts.readPage, hashOf(id))
			if err != nil {
				return err
			}
			for _, row := range rows {
				candidates[row] = id
			}
		}
		return nil
	})
	for row, id := range candidates {
		if yes || err != nil {
			return yes, err
		}
		err = s.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM message WHERE id = ? AND wamid = ? AND campaign = ?)", row, id, campaign).Scan(&yes)
	}
	for i := 0; i < len(seeds) && !yes && err == nil; i++ {
		err = s.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM seed WHERE id = ? AND campaign = ?)", seeds[i], campaign).Scan(&yes)
	}
	return yes, err
}

// optedOutOf tells whether an opt-out of a person is counted for a campaign.
func (s *Store) optedOutOf(ctx context.Context, campaign int64, who wa.Person) (yes bool, err error) {
	for _, name := range [...]string{who.Phone, who.BSUID} {
		for _, find := range [...]func(context.Context, string) (Person, error){s.personNamed, s.personOnceNamed} {
			p, err := find(ctx, name)
			if err == nil && p.ID != 0 && !yes {
				err = s.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM opt_out WHERE campaign = ? AND person = ?)", campaign, p.ID).Scan(&yes)
			}
			if err != nil {
				return false, err
			}
		}
	}
	return yes, nil
}
