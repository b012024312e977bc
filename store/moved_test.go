package store

import (
	"context"
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"

	"tickwatch/wa"
)

// changed is the system message by which Meta tells that a person is named
// otherwise from a moment on.
func changed(id string, was, is wa.Person, when wa.Instant) wa.InboundMessage {
	return wa.InboundMessage{Sender: sender, Person: was, MessageID: id, At: when, Type: "system", Subtype: "user_changed_number", Became: is}
}

func received1(m wa.InboundMessage) *wa.Post { return &wa.Post{Inbound: []wa.InboundMessage{m}} }

func as(p wa.Person, u wa.StatusUpdate) wa.StatusUpdate { u.Person = p; return u }

func find(t interface{ Fatalf(string, ...any) }, s *Store, name string) Person {
	p, err := s.Find(context.Background(), name, 100)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

// A person who changes number and BSUID, more than once, is one person with one
// history, whatever the order and repetition in which Meta tells of it.
func TestMovedInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "tickwatch-test-")
		if err != nil {
			rt.Fatalf("%v", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		s, err := Open(context.Background(), Options{Dir: dir})
		if err != nil {
			rt.Fatalf("%v", err)
		}
		defer func() { _ = s.Close() }()
		bsuids := rapid.Bool().Draw(rt, "BSUIDs")
		names := make([]wa.Person, rapid.IntRange(2, 4).Draw(rt, "names"))
		for i := range names {
			names[i].Phone = fmt.Sprint("35190000000", i)
			if bsuids {
				names[i].BSUID = fmt.Sprint("PT.840000000", i)
			}
		}
		var posts []*wa.Post
		for i, n := range names {
			start := int64(i * 100)
			if i > 0 {
				posts = append(posts, received1(changed(fmt.Sprint("sys", i), names[i-1], n, at(start))))
			}
			posts = append(posts, statuses(as(n, status(fmt.Sprint("m", i), wa.StatusSent, at(start+10), "autumn:1"))))
			if bsuids && rapid.Bool().Draw(rt, "number withheld") {
				posts = append(posts, statuses(as(wa.Person{BSUID: n.BSUID}, status(fmt.Sprint("n", i), wa.StatusRead, at(start+20), "autumn:2"))))
			}
		}
		messages := len(posts) - (len(names) - 1)
		stop := inboundStop("stop", names[0].Phone, at(50))
		posts = append(posts, received1(stop))
		posts = append(posts, rapid.SliceOfN(rapid.SampledFrom(posts), 0, 3).Draw(rt, "repetitions")...)
		for _, p := range rapid.Permutation(posts).Draw(rt, "order") {
			p.Source, p.ReceivedAt, p.Body = "meta", received, []byte("{}")
			if err := s.Ingest(context.Background(), p); err != nil {
				rt.Fatalf("%v", err)
			}
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				_ = s.Close()
				if s, err = Open(context.Background(), Options{Dir: dir}); err != nil {
					rt.Fatalf("%v", err)
				}
			}
		}
		now := names[len(names)-1]
		who := find(rt, s, now.Phone)
		if who.ID == 0 || who.Phone != now.Phone || who.BSUID != now.BSUID || len(who.Messages) != messages || !who.OptedOut {
			rt.Fatalf("found %+v; want %d messages, opted out, by the names %+v", who, messages, now)
		}
		for _, n := range names {
			if p := find(rt, s, n.Phone); p.ID != who.ID {
				rt.Fatalf("by the number %s it is person %d, not %d", n.Phone, p.ID, who.ID)
			}
			if p := find(rt, s, n.BSUID); bsuids && p.ID != who.ID {
				rt.Fatalf("by the BSUID %s it is person %d, not %d", n.BSUID, p.ID, who.ID)
			}
		}
		var people int
		if err := s.readers.QueryRow("SELECT count(*) FROM person").Scan(&people); err != nil || people != 1 {
			rt.Fatalf("%d people (%v)", people, err)
		}
		if c := shown(rt, s).Feed; c.NotUnderstood != 0 {
			rt.Fatalf("%d posts could not be applied", c.NotUnderstood)
		}
		checkBooks(rt, s)
		checkReferences(rt, s)
	})
}

// A number that its owner left belongs to the next one from then on, and what
// is told late of the time before, to the former.
func TestNumberChangesHands(t *testing.T) {
	s := open(t, t.TempDir())
	ines := wa.Person{Phone: "351900000001", BSUID: "PT.1"}
	inesNow := wa.Person{Phone: "351900000002", BSUID: "PT.2"}
	omar := wa.Person{Phone: "351900000001", BSUID: "PT.7"} // the number, given out again
	ingest(t, s,
		statuses(as(ines, status("1", wa.StatusSent, at(0), "autumn:1"))),
		received1(changed("sys1", ines, inesNow, at(100))),
		statuses(as(omar, status("2", wa.StatusSent, at(200), "autumn:2"))),
		statuses(as(wa.Person{Phone: ines.Phone}, status("3", wa.StatusSent, at(50), "autumn:3"))), // comes late
		received1(inboundStop("stop", omar.Phone, at(300))),
	)
	a, b := find(t, s, "PT.2"), find(t, s, "PT.7")
	if len(a.Messages) != 2 || a.OptedOut || a.Phone != inesNow.Phone {
		t.Errorf("who moved away: %+v", a)
	}
	if len(b.Messages) != 1 || !b.OptedOut || b.Phone != omar.Phone {
		t.Errorf("who has the number now: %+v", b)
	}
	if p := find(t, s, ines.Phone); p.ID != b.ID {
		t.Errorf("the number is %+v", p)
	}

	// And the next one moves to a number that somebody else had.
	ingest(t, s, received1(changed("sys2", omar, wa.Person{Phone: inesNow.Phone, BSUID: "PT.8"}, at(400))))
	a, b = find(t, s, "PT.2"), find(t, s, "PT.8")
	if a.Phone != "" || len(a.Messages) != 2 || b.Phone != inesNow.Phone || len(b.Messages) != 1 || !b.OptedOut {
		t.Errorf("after a number was taken over: %+v and %+v", a, b)
	}
	checkBooks(t, s)
}

// A BSUID can change where the number does not, or is not told.
func TestMovedToAnotherBSUID(t *testing.T) {
	s := open(t, t.TempDir())
	was := wa.Person{Phone: "351900000001", BSUID: "PT.1"}
	ingest(t, s,
		statuses(as(was, status("1", wa.StatusSent, at(0), "autumn:1"))),
		statuses(as(wa.Person{BSUID: "PT.2"}, status("2", wa.StatusSent, at(200), "autumn:2"))),
		received1(changed("sys1", was, wa.Person{BSUID: "PT.2"}, at(100))),
	)
	for _, name := range []string{"351900000001", "PT.1", "PT.2"} {
		if p := find(t, s, name); len(p.Messages) != 2 || p.Phone != was.Phone || p.BSUID != "PT.2" {
			t.Errorf("by %s: %+v", name, p)
		}
	}
	checkBooks(t, s)
}

// A number alone that Meta tells again takes no BSUID away.
func TestMovedToTheSameNumber(t *testing.T) {
	s := open(t, t.TempDir())
	was := wa.Person{Phone: "351900000001", BSUID: "PT.1"}
	ingest(t, s, statuses(as(was, status("1", wa.StatusSent, at(0), "autumn:1"))), received1(changed("sys1", was, wa.Person{Phone: was.Phone}, at(100))))
	if p := find(t, s, was.Phone); p.BSUID != was.BSUID || len(p.Messages) != 1 {
		t.Errorf("%+v", p)
	}
}

// Old payloads tell the new number only, and a BSUID is not carried over to it.
func TestMovedWithoutBSUID(t *testing.T) {
	s := open(t, t.TempDir())
	was, is := wa.Person{Phone: "351900000001", BSUID: "PT.1"}, wa.Person{Phone: "351900000002"}
	ingest(t, s, statuses(as(was, status("1", wa.StatusSent, at(0), "autumn:1"))), received1(changed("sys1", was, is, at(100))))
	is.BSUID = "PT.2"
	ingest(t, s, statuses(as(is, status("2", wa.StatusSent, at(200), "autumn:2"))))
	for _, name := range []string{"351900000001", "PT.1", "351900000002", "PT.2"} {
		if p := find(t, s, name); len(p.Messages) != 2 || p.Phone != is.Phone || p.BSUID != is.BSUID {
			t.Errorf("by %s: %+v", name, p)
		}
	}
}
