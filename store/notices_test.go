package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// Notices come newest first, by Meta's clock and then by receipt, bounded, and
// those that are not wanted cost the others no place.
func TestNotices(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	p := &wa.Post{Alerts: []wa.AccountAlert{{AccountID: "1", Type: "LOST", At: at(3)}}}
	for i := range 20 {
		p.Templates = append(p.Templates, wa.TemplateUpdate{ID: int64(i%2 + 1), Name: "t", Event: fmt.Sprint("E", i), At: at(int64(i / 2 * 2))})
	}
	ingest(t, s, p)
	events := func(news []Notice) (out []string) {
		for _, n := range news {
			switch u := n.News.(type) {
			case wa.TemplateUpdate:
				out = append(out, u.Event)
			case wa.AccountAlert:
				out = append(out, u.Type)
			default:
				t.Errorf("%s holds a %T", n.Kind, n.News)
			}
		}
		return out
	}
	all, err := s.Notices(ctx, 100, nil, NoticeTemplate, NoticeAlert)
	if err != nil || len(all) != 21 {
		t.Fatalf("%d notices, %v", len(all), err)
	}
	if diff := cmp.Diff([]string{"E5", "E4", "LOST", "E3", "E2", "E1", "E0"}, events(all[14:])); diff != "" {
		t.Errorf("order (-want +got)\n%s", diff)
	}
	second := func(n *Notice) bool { return n.News.(wa.TemplateUpdate).ID == 2 }
	few, err := s.Notices(ctx, 3, second, NoticeTemplate)
	if diff := cmp.Diff([]string{"E19", "E17", "E15"}, events(few)); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if _, err := s.Notices(ctx, 1, nil, "inbound"); err != nil {
		t.Errorf("a kind without any: %v", err)
	}
	// However many messages customers wrote, the search does not read through them.
	plan, err := query(ctx, s.readers, func(s scanner) (detail string, err error) {
		var n int
		return detail, s.Scan(&n, &n, &n, &detail)
	}, "EXPLAIN QUERY PLAN "+noticesNewestFirst, NoticeTemplate, 10)
	if err != nil || !strings.Contains(strings.Join(plan, "\n"), "notice_standing") || strings.Contains(strings.Join(plan, "\n"), "TEMP B-TREE") {
		t.Errorf("the plan: %q, %v", plan, err)
	}
}

func TestLatestSpans(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1"), status("2", wa.StatusDelivered, at(60), "x:2"), status("3", wa.StatusSent, at(30), "y:3")))
	got, err := s.LatestSpans(context.Background(), 10)
	want := []Span{{"x", "x", at(0), at(60)}, {"y", "y", at(30), at(30)}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if id, err := s.AccountOf(context.Background(), "+"+sender.Display); err != nil || id != sender.AccountID {
		t.Errorf("the number's account is %q, %v", id, err)
	}
	if id, err := s.AccountOf(context.Background(), "1"); err != nil || id != "" {
		t.Errorf("an unknown number's account is %q, %v", id, err)
	}
}
