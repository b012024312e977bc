package store

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

const ownPhone = "+351 910 000 099"

func claimSeed(t *testing.T, s *Store, p wa.Plan, after int64) (id int64, data string) {
	t.Helper()
	id, data, held, err := s.ClaimSeed(t.Context(), SeedClaim{Campaign: p.Campaign, From: sender.NumberID, Phone: ownPhone, Marketing: true, After: after, Now: at(after)})
	if err != nil || held != "" || id == 0 || !wa.IsSeed(data) {
		t.Fatalf("%d %q, held %q, %v", id, data, held, err)
	}
	return id, data
}

func settleSeed(t *testing.T, s *Store, o wa.Outcome) {
	t.Helper()
	if err := s.SettleSeed(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func seeds(t *testing.T, s *Store, campaign int64) []Seed {
	t.Helper()
	all, err := s.Seeds(t.Context(), campaign)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func seedStatus(id, data string, st wa.Status, when wa.Instant) wa.StatusUpdate {
	u := status(id, st, when, data)
	u.Phone = "351910000099"
	return u
}

// What becomes of messages to own phones is known, and is in no figure: whatever
// comes of them, in whatever order, with our callback data or without, and after a
// crash.
func TestSeedsAreInNoFigure(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 10, wa.CategoryMarketing)
	before := campaigns(t, s)
	a, dataA := claimSeed(t, s, p, 10)
	b, _ := claimSeed(t, s, p, 20)
	c, _ := claimSeed(t, s, p, 30)
	d, dataD := claimSeed(t, s, p, 40)
	_, dataE := claimSeed(t, s, p, 50)
	settleSeed(t, s, wa.Outcome{Message: a, Kind: wa.OutcomeAccepted, At: at(10), Accepted: wa.Accepted{WAMID: "wamid.a"}})
	settleSeed(t, s, wa.Outcome{Message: b, Kind: wa.OutcomeRefused, At: at(20), Code: 131026})
	settleSeed(t, s, wa.Outcome{Message: c, Kind: wa.OutcomeAgain})
	ingest(t, s,
		statuses(seedStatus("a", "", wa.StatusSent, at(11)), seedStatus("a", "", wa.StatusDelivered, at(12))), // no callback data: known by Meta's id
		statuses(seedStatus("d", dataD, wa.StatusDelivered, at(43))),                                          // before its own answer
		statuses(seedStatus("x", wa.SeedData("another", 1), wa.StatusDelivered, at(44)), seedStatus("x", "", wa.StatusRead, at(45))),
	)
	settleSeed(t, s, wa.Outcome{Message: d, Kind: wa.OutcomeUnknown})
	_ = s.Close()
	s = open(t, s.dir)
	if got := seeds(t, s, p.Campaign); len(got) != 4 || got[0].State != SeedHandedOver || got[1].State != SeedRefused || got[2].State != SeedHandedOver || got[3].State != SeedUnknown {
		t.Fatalf("after a crash: %+v", got)
	}
	ingest(t, s, statuses(seedStatus("a", "", wa.StatusRead, at(60)), seedStatus("e", dataE, wa.StatusFailed, at(61)), seedStatus("a", dataA, wa.StatusDelivered, at(12))))
	got := seeds(t, s, p.Campaign)
	if x := got[0].Progress; x.Clock() != at(10) || x.ArrivedAt() != at(12) || x.ReadAt != at(60) {
		t.Errorf("the first: %+v", x)
	}
	if got[1].Progress.State() != wa.StateFailed || got[2].Progress.ArrivedAt() != at(43) || got[3].Progress.State() != wa.StateFailed || got[3].State != SeedHandedOver {
		t.Errorf("the others: %+v", got[1:])
	}
	if diff := cmp.Diff(before, campaigns(t, s)); diff != "" {
		t.Errorf("figures (-before +after):\n%s", diff)
	}
	if who := find(t, s, "351910000099"); len(who.Messages) != 0 {
		t.Errorf("the phone's person has messages: %+v", who)
	}
	if e, _ := claimSeed(t, s, p, 60); e <= d+1 {
		t.Errorf("an id is given twice: %d", e)
	}
	checkBooks(t, s)
}

// Nobody who opted out is written to, not even by us on a phone of our own, and that
// word is no campaign's.
func TestAnOwnPhoneThatOptedOut(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 3, wa.CategoryMarketing)
	id, _ := claimSeed(t, s, p, 10)
	settleSeed(t, s, wa.Outcome{Message: id, Kind: wa.OutcomeAccepted, At: at(10), Accepted: wa.Accepted{WAMID: "wamid.a"}})
	in := wa.InboundMessage{Sender: sender, MessageID: "wamid.in", At: at(20), Type: "text", Text: "STOP", ReplyTo: "wamid.a"}
	in.Phone = "351910000099"
	ingest(t, s, &wa.Post{Inbound: []wa.InboundMessage{in}})
	if _, _, held, err := s.ClaimSeed(t.Context(), SeedClaim{Campaign: p.Campaign, From: sender.NumberID, Phone: ownPhone, Marketing: true, After: 20, Now: at(30)}); err != nil || held == "" {
		t.Errorf("held %q, %v", held, err)
	}
	if c := campaigns(t, s)[p.Key].Counts; c.OptOuts != 0 || c.Messages != 0 {
		t.Errorf("%+v", c)
	}
}

// A recording tells of seeds what was known of them, and counts them for nothing.
func TestSeedsToldAgain(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 3, wa.CategoryMarketing)
	a, _ := claimSeed(t, s, p, 10)
	settleSeed(t, s, wa.Outcome{Message: a, Kind: wa.OutcomeAccepted, At: at(10), Accepted: wa.Accepted{WAMID: "wamid.a"}})
	b, _ := claimSeed(t, s, p, 20)
	settleSeed(t, s, wa.Outcome{Message: b, Kind: wa.OutcomeRefused, At: at(21), Code: 131026})
	post := statuses(seedStatus("a", "", wa.StatusDelivered, at(13))) // no callback data: known by Meta's id
	ingest(t, s, post)
	for campaign, want := range map[int64]bool{p.Campaign: true, p.Campaign + 1: false} {
		if yes, err := s.Concerns(t.Context(), campaign, post); err != nil || yes != want {
			t.Errorf("its news are of campaign %d: %v, %v", campaign, yes, err)
		}
	}
	claimSeed(t, s, p, 30) // and a crash
	_ = s.Close()
	s = open(t, s.dir)
	if got := seeds(t, s, p.Campaign); len(got) != 3 || got[2].State != SeedUnknown {
		t.Fatalf("after a crash: %+v", got)
	}
	last, err := s.LastDeed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	journal, err := s.Deeds(t.Context(), 0, 0, last, 1000)
	if err != nil {
		t.Fatal(err)
	}
	again, heard := open(t, t.TempDir()), false
	post.Body = nil
	for _, e := range journal {
		if e.Post > 0 && !heard { // it came before this
			heard = true
			ingest(t, again, post)
		}
		body, err := json.Marshal(e.Deed)
		if err != nil {
			t.Fatal(err)
		}
		var d Deed
		if err := json.Unmarshal(body, &d); err != nil {
			t.Fatal(err)
		}
		if err := again.Redo(t.Context(), e.At, &d); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
	}
	st, err := again.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := st.Campaigns[0]
	if diff := cmp.Diff(seeds(t, s, p.Campaign), seeds(t, again, c.ID)); diff != "" {
		t.Errorf("(-first +again):\n%s", diff)
	}
	if c.Counts.Messages != 0 || c.Counts.Delivered != 0 {
		t.Errorf("%+v", c.Counts)
	}
	last, _ = again.LastDeed(t.Context())
	told, err := again.Deeds(t.Context(), 0, 0, last, 1000)
	if diff := cmp.Diff(journal, told); err != nil || len(journal) < 6 || diff != "" {
		t.Errorf("its journal: %v\n%s", err, diff)
	}
}
