package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickwatch/wa"
)

// whyNot is what a list is told of a phone before it is sent to.
func whyNot(t testing.TB, s *Store, phone, channel string, marketing bool, now wa.Instant) string {
	t.Helper()
	x, err := s.Suppression(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	h, held := x.Hold(phone, channel, marketing)
	if err := x.Err(); err != nil {
		t.Fatal(err)
	}
	if !held {
		return ""
	}
	return h.Why()
}

// told is what Meta and operators said of the people of a test, plainly kept: the
// test counts again from it who is held.
type told struct {
	s   *Store
	now wa.Instant
	n   int // of ids

	phone    map[int]int    // by person: how often they changed number
	same     map[string]int // names that the store must know to be one: by name, a class
	messages map[string]*toldMessage
	words    []toldWord
	released []toldRelease
	entries  map[toldEntry]toldUntil
}

type toldMessage struct {
	name      string
	code      int
	at        wa.Instant // of the latest failure; 0 = none
	delivered bool
}

type toldWord struct {
	name    string
	at      wa.Instant
	kind    string // wrote, stop, resume
	inbound string // its id
}

type toldRelease struct {
	name, rule string
	at         wa.Instant
}

type toldEntry struct {
	kind  int
	phone string
}

type toldUntil struct {
	channels wa.Channels
	until    wa.Instant
}

func (m *told) phoneOf(person int) string { return fmt.Sprintf("3519%d%07d", m.phone[person], person) }

// bsuidOf is somebody's BSUID; who takes another number gets another.
func (m *told) bsuidOf(person int) string { return fmt.Sprint("PT.84000", m.phone[person], person) }

// named draws how an event names a person, and notes which names it ties together.
func (m *told) named(t *rapid.T, person int) wa.Person {
	p := wa.Person{Phone: m.phoneOf(person)}
	switch rapid.SampledFrom([]string{"phone", "phone", "both", "BSUID"}).Draw(t, "named by") {
	case "both":
		p.BSUID = m.bsuidOf(person)
		m.tie(p.Phone, p.BSUID)
	case "BSUID":
		p = wa.Person{BSUID: m.bsuidOf(person)}
	}
	m.class(nameOf(p))
	return p
}

func nameOf(p wa.Person) string {
	if p.Phone != "" {
		return p.Phone
	}
	return p.BSUID
}

func (m *told) class(name string) int {
	if m.same[name] == 0 {
		m.n++
		m.same[name] = m.n
	}
	return m.same[name]
}

func (m *told) tie(a, b string) {
	to, from := m.class(a), m.class(b)
	for name, class := range m.same {
		if class == from {
			m.same[name] = to
		}
	}
}

func (m *told) post(t *rapid.T, p *wa.Post) {
	p.Source, p.ReceivedAt = "meta", m.now
	keepable(t, p)
	if err := m.s.Ingest(context.Background(), p); err != nil {
		t.Fatalf("%v", err)
	}
}

func (m *told) later(t *rapid.T) {
	m.now += wa.Instant(rapid.SampledFrom([]int64{1, 1, 1, 3600, 5 * 24 * 3600, 12 * 24 * 3600}).Draw(t, "later") * 1000)
}

func (m *told) someone(t *rapid.T) int { return rapid.IntRange(0, 3).Draw(t, "person") }

// status tells of a message: one more, or one that was told of before.
func (m *told) status(t *rapid.T) {
	m.later(t)
	person := m.someone(t)
	who := m.named(t, person)
	id := fmt.Sprintf("wamid.%d.%d.%d", person, m.phone[person], rapid.IntRange(0, 5).Draw(t, "message"))
	msg := m.messages[id]
	if msg == nil {
		msg = &toldMessage{name: nameOf(who)}
		m.messages[id] = msg
	} else {
		m.tie(msg.name, nameOf(who)) // the message ties its names together
	}
	u := wa.StatusUpdate{Sender: sender, Person: who, MessageID: id, At: m.now, CallbackData: "autumn:1", Status: wa.StatusFailed}
	switch rapid.IntRange(0, 5).Draw(t, "status") {
	case 0:
		u.Status, msg.delivered = wa.StatusDelivered, true
	case 1:
		u.Status = wa.StatusSent
	default:
		u.Code = rapid.SampledFrom([]int{131026, 131049, 131049, 131049, 130472, 130472, 131050, 130403, 131053}).Draw(t, "code")
		if m.now > msg.at {
			msg.at, msg.code = m.now, u.Code
		}
	}
	m.post(t, statuses(u))
}

func (m *told) write(t *rapid.T) {
	m.later(t)
	who := m.named(t, m.someone(t))
	m.n++
	in := wa.InboundMessage{Sender: sender, Person: who, MessageID: fmt.Sprint("in.", m.n), At: m.now, Type: "text", Text: "hello"}
	w := toldWord{nameOf(who), m.now, "wrote", in.MessageID}
	m.words = append(m.words, w)
	if rapid.IntRange(0, 3).Draw(t, "stop") == 0 {
		in.Text = rapid.SampledFrom([]string{"Stop!", "arrêt", "Basta"}).Draw(t, "word")
		w.kind = "stop"
		m.words = append(m.words, w)
	}
	m.post(t, &wa.Post{Inbound: []wa.InboundMessage{in}})
}

// unwrite deletes a message that somebody wrote; that they opted out by it stays.
func (m *told) unwrite(t *rapid.T) {
	var all []int
	for i, w := range m.words {
		if w.kind == "wrote" {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		t.Skip("nothing was written")
	}
	i := rapid.SampledFrom(all).Draw(t, "message")
	m.later(t)
	m.post(t, &wa.Post{Deletions: []wa.Deletion{{Sender: sender, MessageID: m.words[i].inbound, At: m.now}}})
	m.words = slices.Delete(m.words, i, i+1)
}

func (m *told) prefer(t *rapid.T) {
	m.later(t)
	who := m.named(t, m.someone(t))
	kind := rapid.SampledFrom([]string{"stop", "resume", "resume"}).Draw(t, "preference")
	m.words = append(m.words, toldWord{nameOf(who), m.now, kind, ""})
	m.post(t, &wa.Post{Preferences: []wa.Preference{{Sender: sender, Person: who, Category: "marketing_messages", Value: kind, At: m.now}}})
}

// move gives somebody another number.
func (m *told) move(t *rapid.T) {
	m.later(t)
	person := m.someone(t)
	if m.phone[person] == 3 {
		t.Skip("moved often")
	}
	was := wa.Person{Phone: m.phoneOf(person), BSUID: m.bsuidOf(person)}
	m.phone[person]++
	is := wa.Person{Phone: m.phoneOf(person), BSUID: m.bsuidOf(person)}
	m.tie(was.Phone, is.Phone)
	if rapid.Bool().Draw(t, "with BSUID") {
		m.tie(was.Phone, was.BSUID)
		m.tie(is.Phone, is.BSUID)
	} else {
		was.BSUID, is.BSUID = "", ""
	}
	m.n++
	m.post(t, received1(changed(fmt.Sprint("sys.", m.n), was, is, m.now)))
	for kind := range nameKinds {
		e, on := m.entries[toldEntry{kind, was.Phone}]
		if !on {
			continue
		}
		to := toldEntry{namedPhone, is.Phone}
		if kind != namedPhone {
			to.kind = namedHMAC
		}
		if had, on := m.entries[to]; on {
			e.channels |= had.channels
			if e.until != 0 && (had.until == 0 || had.until > e.until) {
				e.until = had.until
			}
		}
		m.entries[to] = e
	}
}

// anyPhone is one that somebody has, or had.
func (m *told) anyPhone(t *rapid.T) string {
	person := m.someone(t)
	return fmt.Sprintf("3519%d%07d", rapid.IntRange(0, m.phone[person]).Draw(t, "number"), person)
}

func (m *told) suppress(t *rapid.T) {
	m.later(t)
	l := Listing{By: "ann", Reason: "asked by phone", Channels: rapid.SampledFrom([]wa.Channels{0, wa.OnWhatsApp, wa.OnSMS | wa.OnEmail}).Draw(t, "channels")}
	if rapid.Bool().Draw(t, "for a time") {
		l.Until = m.now + wa.Instant(rapid.Int64Range(1, 3*24*3600_000).Draw(t, "span"))
	}
	phone := m.anyPhone(t)
	kind := rapid.IntRange(0, nameKinds-1).Draw(t, "kind")
	switch kind {
	case namedPhone:
		l.Number = "+" + phone
	case namedHMAC:
		key := m.key(t)
		l.Hash = []byte(key.hmac(phone))
	default:
		sum := sha256.Sum256([]byte(rapid.SampledFrom([]string{"", "+"}).Draw(t, "spelt") + phone))
		l.Hash, l.Plain = sum[:], true
		delete(m.entries, toldEntry{kind, phone}) // another spelling is another name
	}
	if _, _, err := m.s.Suppress(context.Background(), []Listing{l}); err != nil {
		t.Fatalf("%v", err)
	}
	if l.Channels == 0 {
		l.Channels = wa.OnAll
	}
	e := toldUntil{l.Channels, l.Until}
	if kind == namedSHA256 { // the one of the other spelling holds on
		for _, had := range m.entriesOf(t, phone) {
			if had.kind == kind && string(l.Hash) != had.name {
				m.forget(t, had)
			}
		}
	}
	m.entries[toldEntry{kind, phone}] = e
}

func (m *told) key(t *rapid.T) (n listNames) {
	if err := m.s.look(context.Background(), func(w *writer) error { n = w.list; return nil }); err != nil {
		t.Fatalf("%v", err)
	}
	return n
}

func (m *told) entriesOf(t *rapid.T, phone string) (all []listed) {
	if err := m.s.look(context.Background(), func(w *writer) (err error) {
		all, err = newGroup(context.Background(), w).entriesOf(phone)
		return err
	}); err != nil {
		t.Fatalf("%v", err)
	}
	return all
}

func (m *told) forget(t *rapid.T, l listed) {
	if err := m.s.submit(context.Background(), &request{group: func(g *group) error { return g.dropListed(&l) }}); err != nil {
		t.Fatalf("%v", err)
	}
}

// release takes somebody off the list, or from a rule.
func (m *told) release(t *rapid.T) {
	m.later(t)
	phone := m.anyPhone(t)
	if rapid.Bool().Draw(t, "from the list") {
		if _, err := m.s.Release(context.Background(), phone, true, nil); err != nil {
			t.Fatalf("%v", err)
		}
		maps.DeleteFunc(m.entries, func(e toldEntry, _ toldUntil) bool { return e.phone == phone })
		return
	}
	rule := rapid.SampledFrom(wa.DefaultSuppressRules()).Draw(t, "rule").Name
	held := slices.Contains(m.rules(phone), rule)
	lifted, err := m.s.Release(context.Background(), phone, false, []string{rule})
	if err != nil || (len(lifted) == 1) != held {
		t.Fatalf("released from %s: %+v, %v; held: %v", rule, lifted, err, held)
	}
	if held {
		m.released = append(m.released, toldRelease{phone, rule, m.now})
	}
}

func (m *told) releaseAll(t *rapid.T) {
	m.later(t)
	rule := rapid.SampledFrom(wa.ErrorSegment).Draw(t, "rule")
	held := map[int]string{}
	for name := range m.same {
		if slices.Contains(m.rulesOf(name), rule) {
			held[m.class(name)] = name
		}
	}
	n, err := m.s.ReleaseAll(context.Background(), rule)
	if err != nil || int(n) != len(held) {
		t.Fatalf("released %d from %s, %d were held: %v", n, rule, len(held), err)
	}
	for _, name := range held {
		m.released = append(m.released, toldRelease{name, rule, m.now})
	}
}

// rules counts again which rules hold a phone now: one that its owner left is nobody's.
func (m *told) rules(phone string) []string {
	for person := range 4 {
		if m.phoneOf(person) == phone {
			return m.rulesOf(phone)
		}
	}
	return nil
}

func (m *told) rulesOf(name string) (held []string) {
	class := m.class(name)
	const day = wa.Instant(24 * 3600_000)
	var word toldWord
	var wrote wa.Instant
	for _, w := range m.words {
		switch {
		case m.class(w.name) != class:
		case w.kind == "wrote":
			wrote = max(wrote, w.at)
		case w.at > word.at:
			word = w
		}
	}
	count := func(rule string, since wa.Instant, codes ...int) (n int) {
		for _, r := range m.released {
			if r.rule == rule && m.class(r.name) == class {
				since = max(since, r.at)
			}
		}
		for _, msg := range m.messages {
			if m.class(msg.name) == class && !msg.delivered && msg.at > since && slices.Contains(codes, msg.code) {
				n++
			}
		}
		return n
	}
	resumed := wa.Instant(0)
	if word.kind == "resume" {
		resumed = word.at - 1
	}
	out := word.kind == "stop"
	for _, r := range m.released {
		out = out && (r.rule != wa.RuleOptedOut || m.class(r.name) != class || r.at < word.at)
	}
	for rule, holds := range map[string]bool{
		wa.RuleOptedOut:    out,
		wa.RuleRefuser:     count(wa.RuleRefuser, resumed, 131050) > 0,
		wa.RuleBlocked:     count(wa.RuleBlocked, 0, 130403) > 0,
		wa.RuleUndelivered: count(wa.RuleUndelivered, 0, 131026) > 0,
		wa.RuleWithheld:    count(wa.RuleWithheld, m.now-16*day, 131049) > 0,
		wa.RuleWithheldOft: count(wa.RuleWithheldOft, 0, 131049, 130472) > 2,
		wa.RuleExperiment:  count(wa.RuleExperiment, wrote-1, 130472) > 0,
	} {
		if holds {
			held = append(held, rule)
		}
	}
	slices.Sort(held)
	return held
}

// closed tells whether a phone must not be written to.
func (m *told) closed(phone, channel string, marketing bool) bool {
	for e, u := range m.entries {
		if e.phone == phone && u.channels.Has(channel) && (u.until == 0 || u.until > m.now) {
			return true
		}
	}
	for _, rule := range m.rules(phone) {
		switch rule {
		case wa.RuleOptedOut, wa.RuleBlocked:
			return true
		case wa.RuleRefuser:
			if marketing {
				return true
			}
		case wa.RuleUndelivered:
			if channel == wa.ChannelWhatsApp {
				return true
			}
		default:
			if marketing && channel == wa.ChannelWhatsApp {
				return true
			}
		}
	}
	return false
}

// claim sends to everybody, and looks who is left out.
func (m *told) claim(t *rapid.T) {
	m.later(t)
	category := rapid.SampledFrom([]string{wa.CategoryMarketing, wa.CategoryUtility}).Draw(t, "category")
	i, err := m.s.Import(autumnPlan(category), true)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var phones []string
	for person := range 4 {
		for k := range m.phone[person] + 1 {
			phones = append(phones, fmt.Sprintf("3519%d%07d", k, person))
		}
	}
	for _, phone := range phones {
		if err := i.Add(Recipient{Phone: phone, Values: []string{"Ana"}}); err != nil {
			t.Fatalf("%v", err)
		}
	}
	p, err := i.Finish(context.Background(), nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	p.State = wa.PlanRunning
	if err := m.s.SavePlan(context.Background(), p); err != nil {
		t.Fatalf("%v", err)
	}
	got, err := m.s.Claim(context.Background(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 64, Now: m.now})
	if err != nil {
		t.Fatalf("%v", err)
	}
	claimed := map[string]bool{}
	for _, c := range got.Messages {
		claimed[digits(c.Phone)] = true
	}
	for _, phone := range phones {
		if closed := m.closed(phone, wa.ChannelWhatsApp, category == wa.CategoryMarketing); claimed[phone] == closed {
			t.Fatalf("%s (%s), claimed: %v, must not be: %v; rules %v", phone, category, claimed[phone], closed, m.rules(phone))
		}
	}
}

// check holds every other answer against the same recount.
func (m *told) check(t *rapid.T) {
	x, err := m.s.Suppression(context.Background(), m.now)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer x.Close()
	for person := range 4 {
		for k := range m.phone[person] + 1 {
			phone := fmt.Sprintf("3519%d%07d", k, person)
			holds, err := m.s.Holds(context.Background(), "+"+phone, m.now)
			if err != nil {
				t.Fatalf("%v", err)
			}
			var rules []string
			for _, h := range holds {
				if h.Rule != "" {
					rules = append(rules, h.Rule)
				}
			}
			slices.Sort(rules)
			if !slices.Equal(rules, m.rules(phone)) {
				t.Fatalf("%s is held by %v, want %v", phone, rules, m.rules(phone))
			}
			for _, channel := range []string{wa.ChannelWhatsApp, wa.ChannelSMS} {
				for _, marketing := range []bool{true, false} {
					want := m.closed(phone, channel, marketing)
					if _, got := x.Hold(phone, channel, marketing); got != want {
						t.Fatalf("the pre-flight says %v of %s by %s, marketing %v", got, phone, channel, marketing)
					}
					if got := slices.ContainsFunc(holds, func(h wa.Hold) bool { return h.Closes(channel, marketing, m.now) }); got != want {
						t.Fatalf("%s by %s, marketing %v: %+v", phone, channel, marketing, holds)
					}
				}
			}
		}
	}
	if err := x.Err(); err != nil {
		t.Fatalf("%v", err)
	}
	m.checkListing(t)
	checkReferences(t, m.s)
}

// checkListing holds the listing, page by page, and the counts against the recount.
func (m *told) checkListing(t *rapid.T) {
	want, lines := map[string]int64{}, map[string]int{}
	for name := range m.same {
		if m.class(name) == m.same[name] && m.first(name) {
			for _, rule := range m.rulesOf(name) {
				want[rule]++
			}
		}
	}
	entries := 0
	for from := (HeldMark{}); ; {
		page, next, err := m.s.HeldPage(context.Background(), m.now, from, 2, nil)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, h := range page {
			if h.Rule == "" {
				entries++
			}
			lines[h.Rule]++
		}
		if next == nil {
			break
		}
		from = *next
	}
	got, err := m.s.HeldCounts(context.Background(), m.now)
	if err != nil || !maps.Equal(got.ByRule, want) || got.Entries != int64(len(m.entries)) {
		t.Fatalf("counts %+v, %v; want %v and %d entries", got, err, want, len(m.entries))
	}
	delete(lines, "")
	for rule, n := range want {
		if lines[rule] != int(n) {
			t.Fatalf("%d lines of %s, want %d", lines[rule], rule, n)
		}
	}
	standing := 0
	for _, u := range m.entries {
		if u.until == 0 || u.until > m.now {
			standing++
		}
	}
	if entries != standing {
		t.Fatalf("%d entries are listed, %d stand", entries, standing)
	}
}

// first tells whether a name is the first of its class, so that each counts once.
func (m *told) first(name string) bool {
	for other, class := range m.same {
		if class == m.same[name] && other < name {
			return false
		}
	}
	return true
}

func (m *told) open(t *rapid.T, dir string) {
	var err error
	if m.s, err = Open(context.Background(), Options{
		Dir: dir, Now: func() time.Time { return m.now.Time() }, Decode: decode, StopWords: []string{"bästa"}, sizes: small,
	}); err != nil {
		t.Fatalf("%v", err)
	}
}

func (m *told) restart(t *rapid.T) {
	dir := m.s.dir
	if rapid.Bool().Draw(t, "killed") {
		dir = leaveBehind(t, m.s)
		defer os.RemoveAll(m.s.dir)
	}
	if err := m.s.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	m.open(t, dir)
}

// Whatever fails, arrives, is said, entered or released, in any order, whoever turns
// out to be whom, and however often the daemon dies: nobody whom a rule or an entry
// holds is claimed, and whoever is not held is not left out.
func TestSuppression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "tickwatch-test-")
		if err != nil {
			t.Fatalf("%v", err)
		}
		m := &told{now: at(0), phone: map[int]int{}, same: map[string]int{}, messages: map[string]*toldMessage{}, entries: map[toldEntry]toldUntil{}}
		m.open(t, dir)
		defer func() { _ = m.s.Close(); _ = os.RemoveAll(m.s.dir) }()
		t.Repeat(map[string]func(*rapid.T){
			"look": m.check, "status": m.status, "status 2": m.status, "status 3": m.status, "write": m.write, "unwrite": m.unwrite,
			"prefer": m.prefer, "move": m.move, "suppress": m.suppress, "release": m.release, "release all": m.releaseAll,
			"claim": m.claim, "claim more": m.claim, "restart": m.restart,
		})
	})
}

// Who was released and turns out to be somebody else stays released, whichever of
// the two was known first; what happens from then on holds again.
func TestReleasedThenMerged(t *testing.T) {
	for _, first := range []wa.Person{{Phone: "351900000001"}, {BSUID: "PT.1"}} {
		now := at(0)
		s, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: func() time.Time { return now.Time() }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		second := wa.Person{Phone: "351900000001"}
		if first == second {
			second = wa.Person{BSUID: "PT.1"}
		}
		ingest(t, s,
			statuses(as(first, failed("1", at(-9), "autumn:1", 131026))),
			statuses(as(second, failed("2", at(-8), "autumn:1", 131026))))
		if lifted, err := s.Release(t.Context(), second.Phone+second.BSUID, false, []string{wa.RuleUndelivered}); err != nil || len(lifted) != 1 {
			t.Fatalf("%+v, %v", lifted, err)
		}
		ingest(t, s, statuses(as(wa.Person{Phone: "351900000001", BSUID: "PT.1"}, status("3", wa.StatusSent, at(-7), "autumn:1"))))
		if why := whyNot(t, s, "351900000001", wa.ChannelWhatsApp, true, now); why != "" {
			t.Errorf("held again: %s", why)
		}
		now = at(20)
		ingest(t, s, statuses(as(second, failed("4", at(10), "autumn:1", 131026))))
		if why := whyNot(t, s, "351900000001", wa.ChannelWhatsApp, true, now); why != "suppressed: cannot be reached on WhatsApp (131026)" {
			t.Errorf("failed after the release, and: %q", why)
		}
	}
}

// An entry for the number of a list goes on to hold the person whom WhatsApp knows
// by another one, whichever was known first.
func TestEntryOfAnotherNumber(t *testing.T) {
	for _, entry := range []string{"first", "later", "of the other number"} {
		s := open(t, t.TempDir())
		p := imported(t, s, 1, wa.CategoryUtility)
		c := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 1, Now: at(0)}).Messages[0]
		const known = "5511900000000"
		suppress := func(number string) {
			if added, renewed, err := s.Suppress(t.Context(), []Listing{{Number: number, Reason: "wrote a letter"}}); added != 1 || renewed != 0 || err != nil {
				t.Fatalf("%d added, %d renewed, %v", added, renewed, err)
			}
		}
		if entry == "first" {
			suppress(c.Phone)
		}
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeAccepted, At: at(1), Accepted: wa.Accepted{WAMID: "wamid.1", Person: wa.Person{Phone: known}}})
		switch entry {
		case "later":
			suppress(c.Phone)
		case "of the other number":
			suppress(known)
		}
		for _, phone := range []string{c.Phone, known} {
			if why := whyNot(t, s, phone, wa.ChannelSMS, false, at(2)); why != "suppressed: wrote a letter" {
				t.Errorf("%s: %s is %q", entry, phone, why)
			}
		}
		q := imported(t, s, 1, wa.CategoryUtility)
		if got := claim(t, s, wa.ClaimRequest{Campaign: q.Campaign, Limit: 1, Now: at(2)}); len(got.Messages) != 0 {
			t.Errorf("%s: written to: %+v", entry, got)
		}
		if queued, err := s.QueuedTo(t.Context(), c.Phone, 1); err != nil || queued[0].Reason != "suppressed: wrote a letter" {
			t.Errorf("%s: %+v, %v", entry, queued, err)
		}
	}
}

// A store of the schema before knows whom the rules hold, from the messages it has.
func TestSuppressionOfAnOlderStore(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s,
		statuses(failed("1", at(0), "autumn:1", 131026), failed("2", at(0), "autumn:1", 131026), failed("3", at(0), "autumn:1", 131053)),
		statuses(status("2", wa.StatusDelivered, at(9), "autumn:1")))
	_ = s.Close()
	for _, text := range []string{
		"DROP INDEX message_failing", "DROP INDEX person_opted_out", "DROP TABLE suppressed", "DROP TABLE suppression", "DROP TABLE released",
		"DROP TABLE fallback", "DROP TABLE fallback_run", "DROP TABLE sheet", "DROP TABLE sheet_row",
		"DROP TABLE told", "DROP TABLE reported", "ALTER TABLE alarm DROP COLUMN snoozed_until", "ALTER TABLE alarm DROP COLUMN snoozed_by", "ALTER TABLE alarm DROP COLUMN snoozed_act",
		"ALTER TABLE number DROP COLUMN throughput", "ALTER TABLE number DROP COLUMN quality_at", "DROP TABLE health", "DROP INDEX inbound_at",
		"DROP INDEX inbound_step", "DROP TABLE echo", "ALTER TABLE inbound DROP COLUMN step", "ALTER TABLE inbound DROP COLUMN label", "ALTER TABLE inbound DROP COLUMN reply_to", "ALTER TABLE inbound DROP COLUMN message", "ALTER TABLE inbound DROP COLUMN answered_at", "DROP TABLE seed", "DROP TABLE unsubscribed",
		"PRAGMA user_version = 4",
	} {
		exec(t, s.dir, text)
	}
	s = open(t, s.dir)
	for phone, want := range map[string]string{
		"351900000001": "suppressed: cannot be reached on WhatsApp (131026)", "351900000002": "", "351900000003": "",
	} {
		if why := whyNot(t, s, phone, wa.ChannelWhatsApp, true, at(10)); why != want {
			t.Errorf("%s is %q, want %q", phone, why, want)
		}
	}
	var key []byte
	if err := s.readers.QueryRow("SELECT key FROM suppression").Scan(&key); err != nil || len(key) != 32 {
		t.Errorf("a key of %d bytes, %v", len(key), err)
	}
	_ = s.Close()
	s = open(t, s.dir)
	var again []byte
	if err := s.readers.QueryRow("SELECT key FROM suppression").Scan(&again); err != nil || string(again) != string(key) {
		t.Errorf("another key after a restart, %v", err)
	}
}

// However many read at once who is held, none waits for another for ever.
func TestReadersOfSuppression(t *testing.T) {
	s := open(t, t.TempDir())
	for i := range 20 {
		ingest(t, s, statuses(failed(fmt.Sprint(i), at(int64(i)), "autumn:1", 131026)))
	}
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			n, err := s.HeldCounts(context.Background(), at(100))
			if err != nil || n.ByRule[wa.RuleUndelivered] != 20 {
				t.Errorf("%+v, %v", n, err)
			}
			if page, next, err := s.HeldPage(context.Background(), at(100), HeldMark{}, 100, nil); err != nil || next == nil || len(page) != 0 {
				t.Errorf("%d lines, %+v, %v", len(page), next, err)
			}
		})
	}
	all.Wait()
}
