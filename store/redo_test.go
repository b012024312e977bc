package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tickwatch/wa"
)

// Whatever happened to a queue, with crashes and restarts: its journal and the
// posts, done again in another store as their JSON tells them, give the same
// queue, messages and figures, and the same journal.
func TestJournalTellsItAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		defer m.end()
		actions := m.actions()
		actions["pause"] = func(t *rapid.T) {
			err := m.s.SaveGate(context.Background(), wa.Gate{
				Scope: "campaign", ID: m.plan.Key, Closed: rapid.Bool().Draw(t, "closed"), By: "op", Reason: "why", Since: m.now,
			})
			if err != nil {
				t.Fatalf("%v", err)
			}
		}
		t.Repeat(actions)

		dir, err := os.MkdirTemp("", "tickwatch-test-")
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		again, err := Open(context.Background(), Options{Dir: dir, Now: received.Time, Decode: decode, sizes: small})
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer func() { _ = again.Close() }()
		first := journalOf(t, m.s)
		redo(t, m.s, again, first)
		if diff := cmp.Diff(contents(t, m.s), contents(t, again)); diff != "" {
			t.Fatalf("(-first +again):\n%s\nby the journal\n%s", diff, first)
		}
		if diff := cmp.Diff(first, journalOf(t, again)); diff != "" {
			t.Fatalf("its journal (-first +again):\n%s", diff)
		}
	})
}

// journalOf is a store's journal as a recording has it: a moment and JSON.
func journalOf(t *rapid.T, s *Store) (lines []string) {
	last, err := s.LastDeed(context.Background())
	if err != nil {
		t.Fatalf("%v", err)
	}
	for after := int64(0); ; {
		page, err := s.Deeds(context.Background(), 0, after, last, 7)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if len(page) == 0 {
			return lines
		}
		for _, e := range page {
			body, err := json.Marshal(&e.Deed)
			if err != nil {
				t.Fatalf("%v", err)
			}
			lines = append(lines, fmt.Sprintln(e.Post, int64(e.At), string(body)))
			after = e.ID
		}
	}
}

// redo does in another store what a journal tells, each deed in its place among
// the posts.
func redo(t *rapid.T, from, to *Store, journal []string) {
	ctx := context.Background()
	before := func(end int64) error {
		for len(journal) > 0 {
			var post int64
			var at wa.Instant
			f := strings.SplitN(journal[0], " ", 3)
			if _, err := fmt.Sscan(f[0], &post); err != nil || post >= end {
				return err
			}
			if _, err := fmt.Sscan(f[1], &at); err != nil {
				return err
			}
			var d Deed
			if err := json.Unmarshal([]byte(f[2]), &d); err != nil {
				return err
			}
			if err := to.Redo(ctx, at, &d); err != nil {
				return fmt.Errorf("%s: %w", journal[0], err)
			}
			journal = journal[1:]
		}
		return nil
	}
	err := from.EachPost(ctx, 0, func(p RawPost) error {
		return errors.Join(before(p.ID), to.Ingest(ctx, decode(p.Source, p.Body, p.ReceivedAt)))
	})
	if err := errors.Join(err, before(math.MaxInt64)); err != nil {
		t.Fatalf("%v", err)
	}
}

// contents is what a store holds of its campaigns, but for who was not reached.
func contents(t *rapid.T, s *Store) map[string][]string {
	if err := s.Settled(context.Background()); err != nil {
		t.Fatalf("%v", err)
	}
	out := map[string][]string{}
	for what, text := range map[string]string{
		"campaigns": `SELECT concat_ws(' ', key, name, kind, latest, messages, sent, delivered, read, failed, withheld, opt_outs,
			waiting, set_aside, claimed, unknown, cancelled, refused, paced) FROM campaign ORDER BY id`,
		"pulse":  "SELECT concat_ws(' ', campaign, second, messages, delivered, failed, refused, within_5, within_1800, failed_1800) FROM pulse WHERE messages OR failed ORDER BY 1",
		"errors": "SELECT concat_ws(' ', campaign, code, minute, messages) FROM error_minute WHERE messages <> 0 ORDER BY 1",
		"rows":   "SELECT concat_ws(' ', id, campaign, state, message, retry_of) FROM recipient WHERE state <> 0 OR retry_of <> 0 ORDER BY id",
		"sends":  "SELECT concat_ws(' ', message, recipient, template) FROM attempt ORDER BY 1",
		"messages": `SELECT concat_ws(' ', m.id, m.wamid, seen, m.state, sent_at, delivered_at, read_at, failed_at, code, accepted_at, CASE WHEN r.state = 5 THEN '' ELSE p.phone END)
			FROM message m LEFT JOIN person p ON p.id = m.person LEFT JOIN recipient r ON r.message = m.id ORDER BY m.id`,
		"plans": "SELECT concat_ws(' ', campaign, state, first, rows) FROM plan ORDER BY 1",
		"gates": "SELECT concat_ws(' ', scope, id, closed, by, reason, since) FROM gate ORDER BY 1",
	} {
		all, err := query(context.Background(), s.readers, func(s scanner) (line string, err error) { return line, s.Scan(&line) }, text)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		out[what] = all
	}
	return out
}

// What a recording says that cannot be is left out, and changes nothing.
func TestRedoOfNonsense(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	plan := autumnPlan(wa.CategoryUtility)
	plan.State = wa.PlanRunning
	good := &Deed{Kind: DeedImported, Campaign: "autumn", Plan: &plan, List: &DeedList{Store: "other", First: 5, Rows: 10}}
	if err := s.Redo(ctx, at(0), good); err != nil {
		t.Fatal(err)
	}
	claim := &Deed{Kind: DeedClaimed, Campaign: "autumn", Number: sender.NumberID, Messages: []DeedMessage{{Message: 1, Recipient: 5}}}
	if err := s.Redo(ctx, at(1), claim); err != nil {
		t.Fatal(err)
	}
	for what, d := range map[string]*Deed{
		"a kind that is not known":   {Kind: "teleported", Campaign: "autumn"},
		"no campaign":                {Kind: DeedCancelled},
		"a campaign nobody told of":  {Kind: DeedCancelled, Campaign: "winter"},
		"an import without a plan":   {Kind: DeedImported, Campaign: "winter"},
		"the same import again":      good,
		"the same claim again":       claim,
		"a gate that is none":        {Kind: DeedGate},
		"a plan that is none":        {Kind: DeedPlanned, Campaign: "autumn"},
		"a row outside the list":     {Kind: DeedClaimed, Campaign: "autumn", Messages: []DeedMessage{{Message: 9, Recipient: 99}}},
		"a retry of what never went": {Kind: DeedRetried, Campaign: "autumn", Messages: []DeedMessage{{Message: 77, Recipient: 30}}},
	} {
		before, _ := s.LastDeed(ctx)
		if err := s.Redo(ctx, at(2), d); !errors.Is(err, ErrNoDeed) {
			t.Errorf("%s: %v", what, err)
		}
		if after, err := s.LastDeed(ctx); err != nil || after != before {
			t.Errorf("%s is in the journal (%v)", what, err)
		}
	}
}
