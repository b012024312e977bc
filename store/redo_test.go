package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
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
		m.namesNobodyElse(t, first)
		redo(t, m.s, again, first)
		if diff := cmp.Diff(contents(t, m.s, 0), contents(t, again, spread)); diff != "" {
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

// namesNobodyElse: on disk a journal holds no phone, and a recording of it none
// of a person to whom nothing went.
func (m *machine) namesNobodyElse(t *rapid.T, journal []string) {
	var n int
	if err := m.s.readers.QueryRow("SELECT count(*) FROM journal WHERE body LIKE '%35190%'").Scan(&n); err != nil || n != 0 {
		t.Fatalf("%d entries of the journal hold a phone (%v)", n, err)
	}
	text := strings.Join(journal, "")
	for who := range 12 {
		phone := fmt.Sprintf("+35190%07d", who)
		went := slices.ContainsFunc(m.sends, func(x *sent) bool { return x.phone == phone && !x.refused })
		if !went && strings.Contains(text, digits(phone)) {
			t.Fatalf("%s is named, and nothing went there:\n%s", phone, text)
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

// contents is what a store holds of its campaigns, but for who was not reached;
// the ids of messages are shifted by so much.
func contents(t *rapid.T, s *Store, shift int) map[string][]string {
	if err := s.Settled(context.Background()); err != nil {
		t.Fatalf("%v", err)
	}
	out := map[string][]string{}
	for what, text := range map[string]string{
		"campaigns": `SELECT concat_ws(' ', key, name, kind, latest, messages, sent, delivered, read, failed, withheld, opt_outs,
			waiting, set_aside, claimed, unknown, cancelled, refused, paced) FROM campaign ORDER BY id`,
		"pulse":  "SELECT concat_ws(' ', campaign, second, messages, delivered, failed, refused, within_5, within_1800, failed_1800) FROM pulse WHERE messages OR failed ORDER BY 1",
		"errors": "SELECT concat_ws(' ', campaign, code, minute, messages) FROM error_minute WHERE messages <> 0 ORDER BY 1",
		"rows":   "SELECT concat_ws(' ', id, campaign, state, message >> ?1, retry_of >> ?1) FROM recipient WHERE state <> 0 OR retry_of <> 0 ORDER BY id",
		"sends":  "SELECT concat_ws(' ', message >> ?1, recipient, template) FROM attempt ORDER BY message",
		"messages": `SELECT concat_ws(' ', m.id >> ?1, m.wamid, seen, m.state, sent_at, delivered_at, read_at, failed_at, code, accepted_at, CASE WHEN r.state = 5 THEN '' ELSE p.phone END)
			FROM message m LEFT JOIN person p ON p.id = m.person LEFT JOIN recipient r ON r.message = m.id ORDER BY m.id`,
		"plans": "SELECT concat_ws(' ', campaign, state, first, rows) FROM plan ORDER BY 1",
		"gates": "SELECT concat_ws(' ', scope, id, closed, by, reason, since) FROM gate ORDER BY 1",
	} {
		all, err := query(context.Background(), s.readers, func(s scanner) (line string, err error) { return line, s.Scan(&line) }, text, shift)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		out[what] = all
	}
	return out
}

// A recording that lacks posts of another campaign meets its messages later than
// they came, and takes in our own all the same.
func TestRedoWithoutSomePosts(t *testing.T) {
	s, again := open(t, t.TempDir()), open(t, t.TempDir())
	ctx := t.Context()
	theirs := statuses(status("theirs", wa.StatusSent, at(0), "spring:1"))
	ingest(t, s, theirs)
	p := imported(t, s, 6, wa.CategoryUtility)
	claim := func() {
		got, err := s.Claim(ctx, wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 2, Now: at(1)})
		if err != nil || len(got.Messages) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		for _, c := range got.Messages {
			ingest(t, s, statuses(status(fmt.Sprint("ours ", c.Message), wa.StatusDelivered, at(2), c.Data)))
		}
	}
	claim()
	ingest(t, s, statuses(status("theirs", wa.StatusDelivered, at(3), "spring:1")))
	claim()
	last, err := s.LastDeed(ctx)
	if err != nil {
		t.Fatal(err)
	}
	deeds, err := s.Deeds(ctx, 0, 0, last, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EachPost(ctx, 1, func(post RawPost) error { // without the first one
		for len(deeds) > 0 && deeds[0].Post < post.ID {
			if err := again.Redo(ctx, deeds[0].At, &deeds[0].Deed); err != nil {
				return err
			}
			deeds = deeds[1:]
		}
		return again.Ingest(ctx, decode(post.Source, post.Body, post.ReceivedAt))
	}); err != nil {
		t.Fatal(err)
	}
	for key, c := range campaigns(t, s) {
		if diff := cmp.Diff(c.Counts, campaigns(t, again)[key].Counts); diff != "" {
			t.Errorf("%s (-first +again):\n%s", key, diff)
		}
	}
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
