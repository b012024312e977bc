package store

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tickwatch/wa"
)

// A store of the first schema is brought up to date and goes on: what it holds is found.
func TestUpgrade(t *testing.T) {
	dir := t.TempDir()
	first, err := schema.ReadFile("schema/001.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(first), "PRAGMA user_version = 1",
		`INSERT INTO raw VALUES (7, 1795170000000, 'meta', '{}')`,
		`INSERT INTO status_event VALUES (1, 9, 1, 1, 1795166400000, 0)`,
		`INSERT INTO number (id, number_id, display) VALUES (1, '500100200300400', '4915550001')`,
		`INSERT INTO person (id, phone, bsuid) VALUES (1, '351900000001', '')`,
		`INSERT INTO campaign (id, key, name, kind, number, first_message, latest, messages, sent) VALUES (1, 'x', 'x', 'key', 1, 1, 1795166400000, 1, 1)`,
		`INSERT INTO campaign_number VALUES (1, 1)`,
		`INSERT INTO message VALUES (1, 1, 1, 1, 'wamid.1', 123, 2, 0, 1795166400000, 0, 0, 0, 0, 0)`,
		`INSERT INTO pulse VALUES (1, 1795166400, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`,
		`INSERT INTO inbound VALUES ('wamid.IN1', 1795166401000, 1, 1, 1, 'text')`,
	} {
		exec(t, dir, text)
	}
	s := open(t, dir)
	ingest(t, s, statuses(status("1", wa.StatusDelivered, at(1), "x:1")))
	if p := find(t, s, "351900000001"); len(p.Messages) != 1 || p.Messages[0].Progress.DeliveredAt != at(1) {
		t.Errorf("found: %+v", p)
	}
	var ids []int64
	if err := s.EachPost(t.Context(), 0, func(p RawPost) error { ids = append(ids, p.ID); return nil }); err != nil || !slices.Equal(ids, []int64{7, 10}) {
		t.Errorf("raw bodies %v, %v", ids, err)
	}
	_ = s.Close()
	s = open(t, dir)
	ingest(t, s, statuses(status("2", wa.StatusSent, at(2), "x:2")), &wa.Post{
		Deletions:    []wa.Deletion{{MessageID: "wamid.IN1", At: at(3)}},
		Capabilities: []wa.CapabilityUpdate{{AccountID: sender.AccountID, Limit: "TIER_2K", At: at(4)}},
		Templates:    []wa.TemplateUpdate{{ID: 7, Category: "UTILITY", At: at(5)}},
	})
	st, err := s.Load(context.Background())
	if err != nil || st.Feed.NotUnderstood != 0 || campaigns(t, s)["x"].Counts.Messages != 2 || len(st.Templates) != 1 {
		t.Errorf("%+v, %v", st, err)
	}
	if len(st.Numbers) != 1 || st.Numbers[0].Limit != "TIER_2K" { // the next message told whose it is
		t.Errorf("numbers: %+v", st.Numbers)
	}
	checkBooks(t, s)
}

// notices are the stored notices of a kind, as JSON.
func notices(t *testing.T, s *Store, kind string) []string {
	t.Helper()
	all, err := query(context.Background(), s.readers, func(s scanner) (body string, err error) { return body, s.Scan(&body) },
		"SELECT body FROM notice WHERE kind = ? ORDER BY seq", kind)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// An account's limit reaches its numbers, those told of later too, and no others.
func TestCapability(t *testing.T) {
	for _, order := range []string{"number first", "limit first"} {
		t.Run(order, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			other := status("2", wa.StatusSent, at(0), "x:2")
			other.Sender = wa.Sender{AccountID: "400100200300401", NumberID: "500100200300401", Display: "4915550002"}
			posts := []*wa.Post{
				statuses(status("1", wa.StatusSent, at(0), "x:1"), other),
				{Capabilities: []wa.CapabilityUpdate{{AccountID: sender.AccountID, Limit: "TIER_2K", At: at(10)}}},
			}
			if order == "limit first" {
				posts[0], posts[1] = posts[1], posts[0]
			}
			ingest(t, s, posts...)
			if st, err := s.Load(context.Background()); err != nil || !slices.ContainsFunc(st.Numbers, func(n wa.Number) bool { return n.Limit == "TIER_2K" }) {
				t.Errorf("the limit has not reached its number: %+v (%v)", st.Numbers, err)
			}
			ingest(t, s, &wa.Post{Capabilities: []wa.CapabilityUpdate{
				{AccountID: sender.AccountID, NumberLimit: "TIER_10K", At: at(20)},
				{AccountID: sender.AccountID, Limit: "TIER_250", At: at(5)}, // comes late
				{AccountID: sender.AccountID, MaxNumbers: 25, At: at(30)},
			}})
			_ = s.Close()
			s = open(t, dir)
			st, err := s.Load(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			limits := map[string]wa.Limit{}
			for _, n := range st.Numbers {
				limits[n.ID] = n.Limit
			}
			if limits[sender.NumberID] != "TIER_10K" || limits[other.NumberID] != "" {
				t.Errorf("limits: %v", limits)
			}
		})
	}
}

// News that changes no figure is kept once, however often Meta sends it.
func TestStandingNewsOnce(t *testing.T) {
	s := open(t, t.TempDir())
	var accounts, alerts int
	s.OnCommit(func(c *Change) { accounts, alerts = accounts+len(c.Accounts), alerts+len(c.Alerts) })
	post := &wa.Post{
		Accounts:     []wa.AccountUpdate{{AccountID: "4", Event: "DISABLED_UPDATE", BanState: "DISABLE", At: at(0)}, {AccountID: "4", Decision: "APPROVED", At: at(0)}},
		Alerts:       []wa.AccountAlert{{AccountID: "4", Type: "OBA_REJECTED", Severity: "CRITICAL", At: at(1)}},
		Capabilities: []wa.CapabilityUpdate{{AccountID: "4", Limit: "TIER_MOON", At: at(2)}},
		Names:        []wa.NameUpdate{{AccountID: "4", Display: "4915550001", Decision: "REJECTED", At: at(3)}},
		Security:     []wa.SecurityUpdate{{AccountID: "4", Display: "4915550001", Event: "PIN_CHANGED", At: at(4)}},
		Edits:        []wa.TemplateEdit{{AccountID: "4", ID: 7, Body: "Hello", At: at(5)}},
		Templates:    []wa.TemplateUpdate{{AccountID: "4", ID: 7, Name: "autumn", Category: "UTILITY", NextCategory: "MARKETING", At: at(6)}},
		Actions:      []wa.UserAction{{Sender: sender, Type: "marketing_messages_link_click", ClickID: "c1", At: at(7)}},
	}
	ingest(t, s, post, post)
	for kind, want := range map[string]int{"account": 2, "alert": 1, "capability": 1, "number_name": 1, "security": 1, "components": 1, "template": 1, "action": 1} {
		if got := notices(t, s, kind); len(got) != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
	st, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if accounts != 2 || alerts != 1 || st.Feed.Duplicates != 9 || st.Feed.Updates != 18 {
		t.Errorf("%d account updates and %d alerts told; feed %+v", accounts, alerts, st.Feed)
	}
	if len(st.Templates) != 1 || st.Templates[0].Category != "UTILITY" {
		t.Errorf("templates: %+v", st.Templates)
	}
}

// The look for repetitions has an index, whatever else is in the table.
func TestNewNoticeIsIndexed(t *testing.T) {
	s := open(t, t.TempDir())
	plan, err := query(context.Background(), s.readers, func(s scanner) (text string, err error) {
		var a, b, c int
		return text, s.Scan(&a, &b, &c, &text)
	}, "EXPLAIN QUERY PLAN "+knownNotice, "account", 0, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range plan {
		if line == "SCAN notice" {
			t.Errorf("%q", plan)
		}
	}
}
