package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tickwatch/wa"
)

// hostile draws posts as wa/webhook.Decode can make them of a signed body: few
// different names, so that they meet, and values that nobody would send.
type hostile struct{ *rapid.T }

func pick[T any](t hostile, name string, of ...T) T { return rapid.SampledFrom(of).Draw(t.T, name) }

// odd are texts that have broken stores before.
var odd = []string{"\x00", "a\x00b", "'; --", "%", "\u202e", "\ufffd", strings.Repeat("x", 1024), " ", "-1", "9223372036854775807"}

func (t hostile) name(of string, few ...string) string {
	if rapid.IntRange(0, 15).Draw(t.T, of+" is odd") == 0 {
		return pick(t, of, odd...)
	}
	return pick(t, of, few...)
}

func (t hostile) sender() wa.Sender {
	if rapid.IntRange(0, 3).Draw(t.T, "usual sender") > 0 {
		return sender
	}
	return wa.Sender{NumberID: t.name("number", "", "500", "501"), Display: t.name("display", "", "4915550001", "+49 1555 0001", "4915550002", "no digits")}
}

func (t hostile) person() wa.Person {
	return wa.Person{Phone: t.name("phone", "", "351900000001", "351900000002", "351900000003"), BSUID: t.name("bsuid", "", "PT.1", "PT.2", "PT.3")}
}

func (t hostile) wamid() string {
	if rapid.Bool().Draw(t.T, "a young message") {
		return fmt.Sprint("n", rapid.IntRange(0, 40).Draw(t.T, "message"))
	}
	return t.name("wamid", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8")
}

func (t hostile) at(received wa.Instant) wa.Instant {
	switch rapid.IntRange(0, 9).Draw(t.T, "moment") {
	case 0:
		return pick(t, "odd moment", 0, 1000, received+1, received*1000, math.MaxInt64/1000*1000, received-wa.Instant(wa.OldestBelieved.Milliseconds())-1000)
	default:
		return received - wa.Instant(rapid.Int64Range(0, 6*3600).Draw(t.T, "seconds ago")*1000)
	}
}

func (t hostile) callback() string {
	if rapid.Bool().Draw(t.T, "lone") {
		return fmt.Sprint("uuid-", rapid.IntRange(0, 30).Draw(t.T, "uuid"))
	}
	return t.name("callback", "", ":", "autumn:1", "autumn:2", "spring", `{"campaign":"autumn"}`, `{"campaign_id":7}`, `{"campaign":`, "run-500-20261120T092000", strings.Repeat("k", 129))
}

func (t hostile) status(received wa.Instant) wa.StatusUpdate {
	u := wa.StatusUpdate{
		Sender: t.sender(), Person: t.person(), MessageID: t.wamid(), At: t.at(received), CallbackData: t.callback(),
		Status: pick(t, "status", wa.StatusSent, wa.StatusDelivered, wa.StatusRead, wa.StatusPlayed, wa.StatusFailed),
	}
	if rapid.IntRange(0, 7).Draw(t.T, "to a group") == 0 {
		u.GroupID = t.name("group", "", "g1")
		u.Participant = cmp.Or(u.Phone, u.BSUID)
	}
	if rapid.Bool().Draw(t.T, "errors") {
		u.Code = pick(t, "code", 0, -1, 131026, 131049, 131050, 130472, math.MaxInt32, math.MinInt32)
		u.Title, u.Details = t.name("title", "", "t"), t.name("details", "", "d")
	}
	return u
}

func (t hostile) inbound(received wa.Instant) wa.InboundMessage {
	return wa.InboundMessage{
		Sender: t.sender(), Person: t.person(), MessageID: t.name("inbound", "i1", "i2", "i3", "i4", "m1"), At: t.at(received),
		Type: t.name("type", "text", "button", "reaction", ""), Text: t.name("text", "STOP", "hello", ""), ReplyTo: t.name("reply to", "", "m1", "m2", "nobody's"),
	}
}

// moved is a system message, of sense or none.
func (t hostile) moved(received wa.Instant) wa.InboundMessage {
	return wa.InboundMessage{
		Sender: t.sender(), Person: t.person(), MessageID: t.name("system", "s1", "s2", "s3", "s4"), At: t.at(received),
		Type: "system", Subtype: "user_changed_number", Became: t.person(),
	}
}

func (t hostile) post(received wa.Instant) *wa.Post {
	p := &wa.Post{Source: "meta", ReceivedAt: received}
	p.NotUnderstood = rapid.IntRange(0, 1).Draw(t.T, "not understood")
	few := func(name string, most int, one func()) {
		for range rapid.IntRange(0, most).Draw(t.T, name) {
			one()
		}
	}
	few("statuses", 12, func() { p.Statuses = append(p.Statuses, t.status(received)) })
	few("inbounds", 2, func() { p.Inbound = append(p.Inbound, t.inbound(received)) })
	few("moves", 2, func() { p.Inbound = append(p.Inbound, t.moved(received)) })
	few("deletions", 1, func() {
		p.Deletions = append(p.Deletions, wa.Deletion{Sender: t.sender(), MessageID: t.name("deleted", "i1", "i2", "s1", "nobody's"), At: t.at(received)})
	})
	few("capabilities", 1, func() {
		p.Capabilities = append(p.Capabilities, wa.CapabilityUpdate{
			AccountID: t.name("account", "", "400100200300400", "4"), Limit: wa.Limit(t.name("limit", "", "TIER_2K", "TIER_10K")), At: t.at(received),
		})
	})
	few("preferences", 2, func() {
		p.Preferences = append(p.Preferences, wa.Preference{
			Sender: t.sender(), Person: t.person(), Category: "marketing_messages",
			Value: t.name("value", "stop", "resume"), At: t.at(received),
		})
	})
	few("templates", 1, func() {
		p.Templates = append(p.Templates, wa.TemplateUpdate{
			ID: pick[int64](t, "template", 1, 2, math.MaxInt64), Name: t.name("template name", "", "autumn"), Language: t.name("language", "", "pt-PT"),
			Category: t.name("category", "", "MARKETING", "UTILITY"), NextCategory: t.name("next category", "", "MARKETING"),
			Event: t.name("event", "", "APPROVED", "PAUSED"), InfoTitle: t.name("info", "", "FIRST_PAUSE"),
			Quality: wa.Quality(t.name("quality", "", "GREEN", "RED")), At: t.at(received),
		})
	})
	few("numbers", 1, func() {
		p.Numbers = append(p.Numbers, wa.NumberUpdate{
			Display: t.name("display", "4915550001", "4915550002", "no digits"), Event: t.name("event", "", "FLAGGED", "UNFLAGGED"),
			Limit: wa.Limit(t.name("limit", "", "TIER_2K")), At: t.at(received),
		})
	})
	few("accounts", 1, func() {
		p.Accounts = append(p.Accounts, wa.AccountUpdate{Event: t.name("event", "BANNED"), At: t.at(received)})
	})
	few("faults", 1, func() {
		p.Faults = append(p.Faults, wa.Fault{Sender: t.sender(), Code: 1, Title: t.name("title", "t")})
	})
	return p
}

// Whatever Meta signs, the store takes it, its books agree, nothing points
// nowhere, and a restart shows the same.
func TestHostilePosts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "tickwatch-test-")
		if err != nil {
			rt.Fatalf("%v", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		options := Options{Dir: dir, Decode: decode, sizes: pick(hostile{rt}, "sizes", sizes{}, sizes{lagMost: 5, lagStep: 3, tail: 8, fan: 2, step: 1})}
		s, err := Open(context.Background(), options)
		if err != nil {
			rt.Fatalf("%v", err)
		}
		defer func() { _ = s.Close() }()
		var course map[int64]*Tally // what a follower of the commits knows
		follow := func() {
			course = map[int64]*Tally{}
			s.OnCommit(func(c *Change) {
				for _, id := range c.Gone {
					delete(course, id)
				}
				for _, cc := range c.Campaigns {
					if course[cc.ID] == nil {
						course[cc.ID] = &Tally{}
					}
					course[cc.ID].Add(&cc.Tally)
					if course[cc.ID].Counts != cc.Campaign.Counts {
						rt.Errorf("campaign %s: the commits add up to %+v, its totals say %+v", cc.Key, course[cc.ID].Counts, cc.Campaign.Counts)
					}
				}
			})
		}
		follow()
		wamids := map[string]bool{}
		now := received
		for range rapid.IntRange(1, 12).Draw(rt, "posts") {
			now += wa.Instant(rapid.Int64Range(0, 3*3600).Draw(rt, "later") * 1000)
			p := hostile{rt}.post(now)
			for range rapid.IntRange(1, 2).Draw(rt, "times") { // Meta delivers at least once
				p.Body = nil
				keepable(rt, p)
				if err := s.Ingest(context.Background(), p); err != nil {
					rt.Fatalf("a signed post was turned away: %v\n%+v", err, p)
				}
			}
			for i := range p.Statuses {
				wamids[p.Statuses[i].MessageID] = true
			}
			if rapid.IntRange(0, 5).Draw(rt, "restart") > 0 {
				continue
			}
			killed := rapid.Bool().Draw(rt, "killed")
			if killed {
				options.Dir = leaveBehind(rt, s)
				defer func(dir string) { _ = os.RemoveAll(dir) }(options.Dir)
			}
			before := shown(rt, s)
			_ = s.Close()
			if s, err = Open(context.Background(), options); err != nil {
				rt.Fatalf("%v", err)
			}
			// A message's clock can move back: how far its campaign's latest one had come depends on when it did.
			if diff := gocmp.Diff(before, shown(rt, s), cmpopts.IgnoreFields(Campaign{}, "Latest")); diff != "" {
				rt.Fatalf("a restart (killed: %v) shows something else (-before +after):\n%s", killed, diff)
			}
			tallies := course
			follow()
			for id, tally := range tallies {
				course[id] = tally
			}
		}
		checkBooks(rt, s)
		checkReferences(rt, s)
		var messages int64
		for _, c := range shown(rt, s).Campaigns {
			messages += c.Counts.Messages
		}
		if messages != int64(len(wamids)) {
			rt.Fatalf("the campaigns have %d messages, Meta spoke of %d", messages, len(wamids))
		}
	})
}

// leaveBehind copies what a store that is killed now leaves on disk: the
// database and its log, with rows that lag.
func leaveBehind(t *rapid.T, s *Store) string {
	dir, err := os.MkdirTemp("", "tickwatch-test-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, name := range []string{fileName, fileName + "-wal"} {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
	}
	return dir
}

// shown is the stored state in an order of its own.
func shown(t *rapid.T, s *Store) State {
	st, err := s.Load(context.Background())
	if err != nil {
		t.Fatalf("%v", err)
	}
	slices.SortFunc(st.Campaigns, func(a, b Campaign) int { return cmp.Compare(a.ID, b.ID) })
	return st
}

// checkReferences looks for rows that point at nothing.
func checkReferences(t *rapid.T, s *Store) {
	for what, text := range map[string]string{
		"messages of no campaign":           "SELECT count(*) FROM message WHERE campaign NOT IN (SELECT id FROM campaign)",
		"messages of no number":             "SELECT count(*) FROM message WHERE number NOT IN (SELECT id FROM number)",
		"messages to no person":             "SELECT count(*) FROM message WHERE person <> 0 AND person NOT IN (SELECT id FROM person)",
		"messages stored twice":             "SELECT count(*) - count(DISTINCT wamid) FROM message WHERE wamid <> ''",
		"inbound of no person":              "SELECT count(*) FROM inbound WHERE person <> 0 AND person NOT IN (SELECT id FROM person)",
		"names of nobody":                   "SELECT count(*) FROM former_name WHERE person NOT IN (SELECT id FROM person)",
		"inbound of no notice":              "SELECT count(*) FROM inbound WHERE type <> 'deleted' AND notice NOT IN (SELECT seq FROM notice WHERE kind = 'inbound')",
		"releases of no person":             "SELECT count(*) FROM released WHERE person NOT IN (SELECT id FROM person)",
		"entries that nobody counted":       "SELECT (SELECT count(*) FROM suppressed) - phones - hmacs - hashes FROM suppression",
		"opt-outs of no person":             "SELECT count(*) FROM opt_out WHERE person NOT IN (SELECT id FROM person)",
		"opt-outs of no campaign":           "SELECT count(*) FROM opt_out WHERE campaign <> 0 AND campaign NOT IN (SELECT id FROM campaign)",
		"lone keys of no message":           "SELECT count(*) FROM lone_key WHERE message NOT IN (SELECT id FROM message)",
		"lone keys that are campaigns":      "SELECT count(*) FROM lone_key WHERE key IN (SELECT key FROM campaign)",
		"people with neither name":          "SELECT count(*) FROM person WHERE phone = '' AND bsuid = ''",
		"group receipts of no message":      "SELECT count(*) FROM group_receipt WHERE message NOT IN (SELECT id FROM message)",
		"senders that nobody sent from":     "SELECT count(*) FROM campaign_number WHERE campaign NOT IN (SELECT id FROM campaign)",
		"numbers without a campaign_number": "SELECT count(*) FROM (SELECT DISTINCT campaign, number FROM message EXCEPT SELECT campaign, number FROM campaign_number)",
		"pulses below nothing":              "SELECT count(*) FROM pulse WHERE min(messages, delivered, failed, withheld, within_5, within_1800, failed_1800) < 0",
	} {
		var n int
		if err := s.readers.QueryRow(text).Scan(&n); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if n != 0 {
			t.Fatalf("%d %s", n, what)
		}
	}
}
