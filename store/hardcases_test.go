package store

import (
	"context"
	"strings"
	"testing"

	"tickwatch/wa"
)

func inboundStop(id, phone string, when wa.Instant) wa.InboundMessage {
	m := wa.InboundMessage{Sender: sender, MessageID: id, Type: "text", Text: "STOP", At: when}
	m.Phone = phone
	return m
}

func from(s wa.Sender, u wa.StatusUpdate) wa.StatusUpdate { u.Sender = s; return u }

// A number that is known by its id and, in one post, by its digits and by both is one number.
func TestANumberLearntTwice(t *testing.T) {
	s := open(t, t.TempDir())
	idOnly := wa.Sender{NumberID: "500"}
	shown := wa.Sender{Display: "4915550001"}
	both := wa.Sender{NumberID: "500", Display: "4915550001"}
	ingest(t, s, statuses(from(idOnly, status("1", wa.StatusSent, at(0), "a:1"))))
	err := s.Ingest(context.Background(), &wa.Post{Source: "meta", ReceivedAt: received, Body: []byte("{}"), Statuses: []wa.StatusUpdate{
		from(shown, status("2", wa.StatusSent, at(0), "a:1")),
		from(both, status("3", wa.StatusSent, at(0), "a:1")),
	}})
	if err != nil || s.Err() != nil {
		t.Errorf("ingest: %v; store: %v", err, s.Err())
	}
}

// A number that a campaign of ours names by its id keeps what was told of its digits.
func TestANumberOfOursLearntTwice(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	imported(t, s, 3, wa.CategoryUtility) // names its number by its id alone
	ingest(t, s,
		&wa.Post{Numbers: []wa.NumberUpdate{{AccountID: sender.AccountID, Display: sender.Display, Limit: "TIER_10K", At: at(0)}}},
		statuses(status("1", wa.StatusSent, at(1), "x:1")))
	for range 2 {
		st, err := s.Load(t.Context())
		if err != nil || len(st.Numbers) != 1 || st.Numbers[0].ID != sender.NumberID || st.Numbers[0].Limit != "TIER_10K" {
			t.Errorf("%+v, %v", st.Numbers, err)
		}
		_ = s.Close()
		s = open(t, dir)
	}
}

// Messages of a number that no webhook named do not become another number's.
func TestTheNamelessNumber(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(from(wa.Sender{}, status("1", wa.StatusSent, at(0), ""))))
	ingest(t, s, statuses(from(wa.Sender{NumberID: "501"}, status("2", wa.StatusSent, at(0), ""))))
	ingest(t, s, statuses(from(wa.Sender{NumberID: "502"}, status("3", wa.StatusSent, at(0), ""))))
	st, _ := s.Load(context.Background())
	if len(st.Numbers) != 3 {
		t.Errorf("numbers: %+v", st.Numbers)
	}
}

// An opt-out counts for the latest message before it, whatever else its post holds.
func TestOptOutGoesToTheLatestCampaign(t *testing.T) {
	for _, together := range []bool{false, true} {
		s := open(t, t.TempDir())
		a, b := status("1", wa.StatusSent, at(0), "spring:1"), status("2", wa.StatusSent, at(100), "autumn:1")
		b.Phone = a.Phone
		ingest(t, s, statuses(a), statuses(b))
		read := status("1", wa.StatusRead, at(200), "spring:1")
		stop := inboundStop("in1", a.Phone, at(201))
		if together {
			ingest(t, s, &wa.Post{Statuses: []wa.StatusUpdate{read}, Inbound: []wa.InboundMessage{stop}})
		} else {
			ingest(t, s, statuses(read), statuses(), &wa.Post{Inbound: []wa.InboundMessage{stop}})
			// a fresh writer, so nothing of the group lingers
		}
		c := campaigns(t, s)
		if c["autumn"].Counts.OptOuts != 1 {
			t.Errorf("together=%v: the opt-out is not counted for the latest campaign", together)
		}
	}
}

// A preference that Meta repeats does not count for a campaign that was sent after it.
func TestRepeatedPreference(t *testing.T) {
	s := open(t, t.TempDir())
	a := status("1", wa.StatusSent, at(0), "spring:1")
	ingest(t, s, statuses(a))
	pref := func(v string, when wa.Instant) *wa.Post {
		p := wa.Preference{Sender: sender, Category: "marketing_messages", Value: v, At: when}
		p.Phone = a.Phone
		return &wa.Post{Preferences: []wa.Preference{p}}
	}
	ingest(t, s, pref("stop", at(10)), pref("resume", at(20)))
	b := status("2", wa.StatusSent, at(30), "autumn:1")
	b.Phone = a.Phone
	ingest(t, s, statuses(b), pref("stop", at(10))) // Meta repeats
	c := campaigns(t, s)
	if c["autumn"].Counts.OptOuts != 0 {
		t.Error("an opt-out is counted for a campaign that was sent after it")
	}
}

// An opt-out that overtakes the first status of its message counts for its campaign.
func TestOptOutBeforeItsMessage(t *testing.T) {
	s := open(t, t.TempDir())
	a := status("1", wa.StatusDelivered, at(0), "autumn:1")
	stop := inboundStop("in1", a.Phone, at(60))
	stop.ReplyTo = a.MessageID
	ingest(t, s, &wa.Post{Inbound: []wa.InboundMessage{stop}}, statuses(a))
	if c := campaigns(t, s)["autumn"]; c.Counts.OptOuts != 1 {
		t.Errorf("opt-outs %d", c.Counts.OptOuts)
	}
}

// A BSUID is no phone number, however many digits it has.
func TestFindByBSUID(t *testing.T) {
	s := open(t, t.TempDir())
	a := status("1", wa.StatusSent, at(0), "autumn:1")
	a.BSUID = "PT.8400012345"
	ingest(t, s, statuses(a))
	p, err := s.Find(context.Background(), "PT.8400012345", 5)
	if err != nil || p.ID == 0 {
		t.Errorf("%+v %v", p, err)
	}
}

// Members of a group are not one person.
func TestGroupMembersStayApart(t *testing.T) {
	s := open(t, t.TempDir())
	u := status("1", wa.StatusDelivered, at(0), "club:1")
	u.Phone, u.BSUID, u.Participant = "351900000001", "", "351900000001"
	v := status("1", wa.StatusDelivered, at(0), "club:1")
	v.Phone, v.BSUID, v.Participant = "", "DE.7", "DE.7"
	ingest(t, s, statuses(u, v))
	p, _ := s.Find(context.Background(), "351900000001", 1)
	if p.BSUID != "" {
		t.Errorf("two members of a group became one person: %+v", p)
	}
}

// Foreign texts beside the raw body are bounded.
func TestForeignTextsAreBounded(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, &wa.Post{Templates: []wa.TemplateUpdate{{ID: 1, Name: strings.Repeat("x", 4<<20), Event: "PAUSED", At: at(0)}}})
	st, _ := s.Load(context.Background())
	if len(st.Templates[0].Name) > 1024 {
		t.Errorf("a template name of %d bytes is kept", len(st.Templates[0].Name))
	}
}
