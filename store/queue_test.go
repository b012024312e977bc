package store

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tickwatch/wa"
)

// autumnPlan is a campaign of the tests, before it has a list.
func autumnPlan(category string) wa.Plan {
	return wa.Plan{
		Name: "Autumn offer", From: []string{sender.NumberID}, Columns: []string{"first_name"}, Bind: map[string]int{"1": 0},
		Form: wa.TemplateForm{ID: 7, Name: "autumn_offer", Language: "pt_PT", Category: category, Body: "Olá {{1}}"},
	}
}

// imported makes a running campaign with a list of so many phones.
func imported(t interface{ Fatalf(string, ...any) }, s *Store, rows int, category string) wa.Plan {
	i, err := s.Import(autumnPlan(category), false)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for n := range rows {
		if err := i.Add(Recipient{Phone: fmt.Sprintf("+35190%07d", n), Line: int64(n + 2), Values: []string{fmt.Sprint("name ", n)}}); err != nil {
			t.Fatalf("%v", err)
		}
	}
	p, err := i.Finish(context.Background(), nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	p.State = wa.PlanRunning
	if err := s.SavePlan(context.Background(), p); err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

// sent is what the test knows of one attempt.
type sent struct {
	message int64
	phone   string
	data    string
	open    bool // its outcome is not stored
	meta    bool // Meta has it: the truth, whatever its answer was
	refused bool
	again   bool // it goes back to waiting, by the answer or by the operator
	seen    bool // a webhook told of it
	failed  bool
	arrived bool
}

// someCodes are codes of failures: one after which nobody is written to again, and
// one after which they may be.
var someCodes = []int{131026, 131053}

// machine drives the queue of one campaign, with a Meta that tells it little.
type machine struct {
	s         *Store
	plan      wa.Plan
	now       wa.Instant
	sends     []*sent
	optedOut  map[string]bool
	cancelled bool
	retried   map[int64]bool
	posts     int
}

func (m *machine) pick(t *rapid.T, want func(*sent) bool) *sent {
	fit := slices.DeleteFunc(slices.Clone(m.sends), func(x *sent) bool { return !want(x) })
	if len(fit) == 0 {
		t.Skip("none")
	}
	return rapid.SampledFrom(fit).Draw(t, "message")
}

// mayGo tells whether a phone may be sent to: nothing that went to it could have
// arrived, but for failures of which a new attempt was asked for.
func (m *machine) mayGo(phone string) bool {
	for _, x := range m.sends {
		if x.phone != phone || x.again && !x.seen {
			continue
		}
		if (x.failed || x.refused) && !x.arrived && m.retried[x.message] {
			continue
		}
		return false
	}
	return true
}

func (m *machine) claim(t *rapid.T) {
	got, err := m.s.Claim(context.Background(), wa.ClaimRequest{
		Campaign: m.plan.Campaign, From: sender.NumberID, Limit: rapid.IntRange(1, 5).Draw(t, "limit"), Now: m.now,
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, c := range got.Messages {
		if m.cancelled {
			t.Fatalf("%s was claimed after the campaign was cancelled", c.Phone)
		}
		if m.optedOut[c.Phone] {
			t.Fatalf("%s opted out and was claimed", c.Phone)
		}
		if !m.mayGo(c.Phone) {
			t.Fatalf("%s was claimed again: %+v", c.Phone, c)
		}
		if id, ok := wa.OwnMessage(c.Data, m.s.Name()); !ok || id != c.Message {
			t.Fatalf("callback data %q of message %d", c.Data, c.Message)
		}
		m.sends = append(m.sends, &sent{message: c.Message, phone: c.Phone, data: c.Data, open: true})
	}
}

func (x *sent) wamid() string { return fmt.Sprint("wamid.", x.message) }

func (m *machine) settle(t *rapid.T) {
	x := m.pick(t, func(x *sent) bool { return x.open })
	o := wa.Outcome{Message: x.message, At: m.now}
	switch rapid.SampledFrom([]string{"accepted", "refused", "again", "lost", "lost on the way"}).Draw(t, "answer") {
	case "accepted":
		x.meta = true
		o.Kind, o.Accepted = wa.OutcomeAccepted, wa.Accepted{
			WAMID: x.wamid(), Person: wa.Person{Phone: digits(x.phone)}, Paced: rapid.Bool().Draw(t, "paced"),
		}
	case "refused":
		if x.meta {
			t.Skip("Meta has it")
		}
		x.refused = true
		o.Kind, o.Code, o.Details = wa.OutcomeRefused, rapid.SampledFrom(someCodes).Draw(t, "code"), "no"
	case "again":
		if x.meta {
			t.Skip("Meta has it")
		}
		x.again = true
		o.Kind, o.Due = wa.OutcomeAgain, m.now+wa.Instant(rapid.IntRange(0, 60_000).Draw(t, "due"))
	case "lost":
		x.meta = true
		o.Kind = wa.OutcomeUnknown
	default:
		o.Kind = wa.OutcomeUnknown
	}
	x.open = false
	if err := m.s.Settle(context.Background(), o); err != nil {
		t.Fatalf("%v", err)
	}
}

// meet lets Meta have a message whose answer is still on its way.
func (m *machine) meet(t *rapid.T) {
	m.pick(t, func(x *sent) bool { return x.open }).meta = true
}

func (m *machine) webhook(t *rapid.T) {
	x := m.pick(t, func(x *sent) bool { return x.meta })
	u := wa.StatusUpdate{Sender: sender, MessageID: x.wamid(), At: m.now, CallbackData: x.data}
	u.Phone = digits(x.phone)
	u.Status = rapid.SampledFrom([]wa.Status{wa.StatusSent, wa.StatusDelivered, wa.StatusRead, wa.StatusFailed}).Draw(t, "status")
	if u.Status == wa.StatusFailed {
		u.Code, x.failed = rapid.SampledFrom(someCodes).Draw(t, "code"), true
	}
	x.arrived = x.arrived || u.Status == wa.StatusDelivered || u.Status == wa.StatusRead
	x.seen = true
	m.post(t, &wa.Post{Statuses: []wa.StatusUpdate{u}})
}

func (m *machine) stop(t *rapid.T) {
	phone := fmt.Sprintf("+35190%07d", rapid.IntRange(0, 11).Draw(t, "who"))
	m.posts++
	in := wa.InboundMessage{Sender: sender, MessageID: fmt.Sprint("in.", m.posts), At: m.now, Type: "text", Text: "STOP"}
	in.Phone = digits(phone)
	m.optedOut[phone] = true
	m.post(t, &wa.Post{Inbound: []wa.InboundMessage{in}})
}

func (m *machine) post(t *rapid.T, p *wa.Post) {
	p.Source, p.ReceivedAt = "meta", m.now
	keepable(t, p)
	if err := m.s.Ingest(context.Background(), p); err != nil {
		t.Fatalf("%v", err)
	}
}

func (m *machine) resolve(t *rapid.T) {
	as := rapid.Bool().Draw(t, "sent")
	var unknown []*sent
	for _, x := range m.sends {
		if !x.open && !x.refused && !x.again && !x.seen && !m.settled(x) {
			unknown = append(unknown, x)
		}
	}
	n, err := m.s.Resolve(context.Background(), m.plan.Campaign, as)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if int(n) != len(unknown) {
		t.Fatalf("%d resolved of %d that may have gone out", n, len(unknown))
	}
	for _, x := range unknown {
		x.again = !as // perhaps wrongly: a webhook may still tell
	}
}

// settled tells whether the answer of a message was stored as accepted: then its
// row has left the queue.
func (m *machine) settled(x *sent) bool {
	var state int
	if err := m.s.readers.QueryRow("SELECT state FROM recipient WHERE message = ?", x.message).Scan(&state); err != nil {
		return false
	}
	return state != rowUnknown
}

func (m *machine) retry(t *rapid.T) {
	may := func(f Failed) string {
		switch {
		case f.Held != "":
			return f.Held
		case f.Retried:
			return "is tried again already"
		}
		return ""
	}
	dry, err := m.s.Retry(context.Background(), m.plan.Campaign, nil, may, true)
	if err != nil {
		t.Fatalf("%v", err)
	}
	got, err := m.s.Retry(context.Background(), m.plan.Campaign, nil, may, false)
	if err != nil || got.Queued != dry.Queued || !maps.Equal(got.LeftOut, dry.LeftOut) {
		t.Fatalf("%+v, and dry %+v: %v", got, dry, err)
	}
	for _, x := range m.sends {
		if (x.failed || x.refused) && !x.arrived && !m.optedOut[x.phone] {
			m.retried[x.message] = true
		}
	}
}

func (m *machine) cancel(t *rapid.T) {
	if !rapid.Bool().Draw(t, "really") {
		t.Skip("not yet")
	}
	if _, err := m.s.CancelRest(context.Background(), m.plan.Campaign); err != nil {
		t.Fatalf("%v", err)
	}
	m.cancelled = true
}

// crash leaves the store as it is and starts on what is on the disk.
func (m *machine) crash(t *rapid.T) {
	dir := leaveBehind(t, m.s)
	m.restart(t, dir)
}

func (m *machine) restart(t *rapid.T, dir string) {
	was := m.s.dir
	if err := m.s.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	if dir != was {
		_ = os.RemoveAll(was)
	}
	var err error
	if m.s, err = Open(context.Background(), Options{Dir: dir, Now: received.Time, Decode: decode, sizes: small}); err != nil {
		t.Fatalf("%v", err)
	}
	for _, x := range m.sends {
		x.open = false // nobody waits for its answer any more
	}
}

// Whatever happens in whatever order, and however often the daemon dies: nobody
// is sent to twice, nobody who opted out at all, no attempt is forgotten, and the
// counts are those of the rows.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		defer m.end()
		actions := m.actions()
		actions[""] = m.check
		t.Repeat(actions)
	})
}

func newMachine(t *rapid.T) *machine {
	dir, err := os.MkdirTemp("", "tickwatch-test-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	s, err := Open(context.Background(), Options{Dir: dir, Now: received.Time, Decode: decode, sizes: small})
	if err != nil {
		t.Fatalf("%v", err)
	}
	m := &machine{s: s, now: at(0), optedOut: map[string]bool{}, retried: map[int64]bool{}}
	m.plan = imported(t, s, 12, wa.CategoryUtility)
	return m
}

func (m *machine) end() {
	_ = m.s.Close()
	_ = os.RemoveAll(m.s.dir)
}

// actions is all that can happen to a queue.
func (m *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"claim": m.claim, "claim more": m.claim, "settle": m.settle, "settle more": m.settle, "meet": m.meet,
		"webhook": m.webhook, "webhook again": m.webhook, "stop": m.stop, "resolve": m.resolve, "retry": m.retry,
		"cancel": m.cancel, "crash": m.crash,
		"restart": func(t *rapid.T) { m.restart(t, m.s.dir) },
		"wait":    func(t *rapid.T) { m.now += wa.Instant(rapid.IntRange(1, 30_000).Draw(t, "ms")) },
	}
}

// check recounts.
func (m *machine) check(t *rapid.T) {
	checkBooks(t, m.s)
	checkReferences(t, m.s)
	for what, text := range map[string]string{
		"attempts of no recipient":            "SELECT count(*) FROM attempt WHERE recipient NOT IN (SELECT id FROM recipient)",
		"recipients whose attempt is missing": "SELECT count(*) FROM recipient WHERE state IN (2, 3, 5) AND message NOT IN (SELECT message FROM attempt)",
		"refused without a message":           "SELECT count(*) FROM recipient WHERE state = 5 AND message NOT IN (SELECT id FROM message)",
		"waiting rows that nobody would find": "SELECT count(*) FROM recipient r JOIN plan p ON p.campaign = r.campaign WHERE r.state = 0 AND r.again = 0 AND r.id < p.next",
	} {
		var n int
		if err := m.s.readers.QueryRow(text).Scan(&n); err != nil || n != 0 {
			t.Fatalf("%d %s (%v)", n, what, err)
		}
	}
	for _, x := range m.sends { // no attempt is forgotten
		var n int
		if err := m.s.readers.QueryRow("SELECT count(*) FROM attempt WHERE message = ?", x.message).Scan(&n); err != nil || n != 1 {
			t.Fatalf("message %d has %d attempts on disk (%v)", x.message, n, err)
		}
		if x.seen {
			if err := m.s.readers.QueryRow("SELECT count(*) FROM message WHERE id = ?", x.message).Scan(&n); err != nil || n != 1 {
				t.Fatalf("message %d was seen with Meta and has %d rows (%v)", x.message, n, err)
			}
		}
	}
}
