package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// machine drives a queue over a real store, with a Meta that answers at random.
type machine struct {
	dir     string
	store   *store.Store
	queue   *queue.Queue
	stop    func()
	plans   []wa.Plan
	stopped bool // the STOP file is there
	inbound int

	mu        sync.Mutex
	random    *rand.Rand
	weather   weather
	closed    map[[2]string]bool // gates that are closed for sure
	template  map[int64]string   // that must be used, for sure; "" = a swap is under way
	cancelled map[int64]bool
	outs      map[string]time.Time // who opted out, and when that was on disk
	taken     map[string]*truth    // what Meta has, by phone
	begun     map[string]*truth    // the latest request, by phone
	webhooks  []*truth             // that may be told of
	problems  []string
}

const people = 40 // of each campaign

// start opens store and queue on what is on disk.
func (m *machine) start(t *rapid.T) {
	s, err := store.Open(context.Background(), store.Options{Dir: m.dir, Now: time.Now, Throwaway: true})
	if err != nil {
		t.Fatalf("%v", err)
	}
	m.store = s
	if m.plans == nil {
		m.imported(t)
	}
	q, err := queue.New(context.Background(), queue.Options{Store: s, Sender: m, StopFile: filepath.Join(m.dir, "STOP")})
	if err != nil {
		t.Fatalf("%v", err)
	}
	m.queue = q
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		q.Run(ctx)
	}()
	m.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		_ = s.Close()
	})
}

// imported makes two campaigns of people of their own, from two numbers.
func (m *machine) imported(t *rapid.T) {
	for id := range 2 {
		p := plan(0)
		p.Name, p.Key, p.From = fmt.Sprint("autumn ", id), "", []string{"100", "200"}
		p.Form.ID, p.Form.Category = 7, wa.CategoryUtility
		p.Pace = wa.Pace{Messages: 5, Per: time.Second}
		i, err := m.store.Import(p, false)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for n := range people {
			if err := i.Add(store.Recipient{Phone: phoneOf(id, n), Line: int64(n + 2), Values: []string{"Ana"}}); err != nil {
				t.Fatalf("%v", err)
			}
		}
		if p, err = i.Finish(context.Background(), nil); err != nil {
			t.Fatalf("%v", err)
		}
		p.State = wa.PlanRunning
		if err := m.store.SavePlan(context.Background(), p); err != nil {
			t.Fatalf("%v", err)
		}
		m.plans = append(m.plans, p)
		m.template[p.Campaign] = p.Form.Name
	}
}

func phoneOf(campaign, n int) string { return fmt.Sprintf("+351900%d%05d", campaign, n) }

// set changes what the machine holds true.
func (m *machine) set(do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do()
}

func (m *machine) anyGate(t *rapid.T) [2]string {
	all := [][2]string{{"all", ""}, {"channel", "whatsapp"}, {"number", "100"}, {"number", "200"}, {"campaign", m.plans[0].Key}, {"campaign", m.plans[1].Key}}
	return rapid.SampledFrom(all).Draw(t, "gate")
}

func (m *machine) anyPlan(t *rapid.T) *wa.Plan {
	return &m.plans[rapid.IntRange(0, 1).Draw(t, "campaign")]
}

func (m *machine) pause(t *rapid.T) {
	g := m.anyGate(t)
	s, err := m.queue.Pause(context.Background(), g[0], g[1], "ana", "")
	if err != nil || !s.Stored {
		t.Fatalf("pausing %v: %+v, %v", g, s, err)
	}
	m.set(func() { m.closed[g] = true })
}

func (m *machine) resume(t *rapid.T) { m.open(t, m.anyGate(t)) }

func (m *machine) open(t *rapid.T, g [2]string) {
	if !m.stopped {
		m.set(func() { delete(m.closed, g) })
	}
	_, err := m.queue.Resume(context.Background(), g[0], g[1], "ana", time.Time{})
	if m.stopped != errors.Is(err, queue.ErrStopFile) || !m.stopped && err != nil {
		t.Fatalf("resuming %v: %v", g, err)
	}
}

func (m *machine) stopFile(t *rapid.T) {
	file := filepath.Join(m.dir, "STOP")
	if m.stopped = !m.stopped; m.stopped {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatalf("%v", err)
		}
		pass(500 * time.Millisecond)
		m.set(func() { m.closed[[2]string{"all", ""}] = true })
		return
	}
	if err := os.Remove(file); err != nil {
		t.Fatalf("%v", err)
	}
	pass(500 * time.Millisecond)
}

func (m *machine) swap(t *rapid.T) {
	p := m.anyPlan(t)
	form := p.Form
	form.Name = rapid.SampledFrom([]string{"autumn_offer", "winter_offer"}).Draw(t, "template")
	m.set(func() { m.template[p.Campaign] = "" })
	err := m.queue.Swap(context.Background(), p.Campaign, form, p.Bind)
	if m.cancelled[p.Campaign] != (err != nil) {
		t.Fatalf("swapping: %v", err)
	}
	m.set(func() { m.template[p.Campaign] = form.Name })
}

func (m *machine) cancel(t *rapid.T) {
	if rapid.IntRange(0, 5).Draw(t, "really") > 0 {
		t.Skip("not now")
	}
	p := m.anyPlan(t)
	if _, _, err := m.queue.Cancel(context.Background(), p.Campaign); err != nil && !errors.Is(err, queue.ErrNoCampaign) {
		t.Fatalf("cancelling: %v", err)
	}
	m.set(func() { m.cancelled[p.Campaign] = true })
}

func (m *machine) setPace(t *rapid.T) {
	pace := wa.Pace{Messages: rapid.Int64Range(0, 100).Draw(t, "pace"), Per: time.Second}
	if err := m.queue.SetPace(context.Background(), m.anyPlan(t).Campaign, pace); err != nil && !errors.Is(err, queue.ErrNoCampaign) {
		t.Fatalf("pace: %v", err)
	}
}

func (m *machine) webhook(t *rapid.T) {
	all := m.has()
	if len(all) == 0 {
		t.Skip("Meta has nothing")
	}
	about := all[rapid.IntRange(0, len(all)-1).Draw(t, "message")]
	m.tell(about, rapid.SampledFrom([]wa.Status{wa.StatusSent, wa.StatusDelivered, wa.StatusRead, wa.StatusFailed}).Draw(t, "status"))
}

func (m *machine) optOut(t *rapid.T) {
	phone := phoneOf(rapid.IntRange(0, 1).Draw(t, "campaign"), rapid.IntRange(0, people-1).Draw(t, "who"))
	m.inbound++
	m.ingest(&wa.Post{Inbound: []wa.InboundMessage{{
		Sender: wa.Sender{AccountID: "1", NumberID: "100", Display: "100"}, Person: wa.Person{Phone: wa.Digits(phone)},
		MessageID: fmt.Sprint("in.", m.inbound), At: wa.At(time.Now()), Type: "text", Text: "STOP",
	}}})
	m.set(func() {
		if _, before := m.outs[phone]; !before {
			m.outs[phone] = time.Now()
		}
	})
}

// resolve lets the operator say, rightly, what became of the unknown.
func (m *machine) resolve(t *rapid.T) {
	p := m.anyPlan(t)
	for _, w := range m.has() { // so that "not sent" is true of what is left
		if w.campaign == p.Campaign {
			m.tell(w, wa.StatusSent)
		}
	}
	for _, c := range m.counts(t) {
		if c.Key == p.Key && c.Counts.Claimed > 0 {
			t.Skip("some are on their way")
		}
	}
	if _, err := m.store.Resolve(context.Background(), p.Campaign, false); err != nil {
		t.Fatalf("%v", err)
	}
	m.queue.Wake(p.Campaign)
}

func (m *machine) restart(t *rapid.T) {
	m.stop()
	m.start(t)
}

func (m *machine) change(t *rapid.T) {
	share := func(of string) int { return rapid.SampledFrom([]int{0, 3, 10}).Draw(t, of) }
	rare := func(of string) int { return rapid.IntRange(0, 1).Draw(t, of) }
	w := weather{
		refuse: share("refuse"), slow: rare("slow"), pair: share("pair"), platform: share("platform"),
		silentTaken: share("silent, taken"), silentLost: share("silent, lost"), unsent: share("unsent"),
		early: share("early"), account: rare("account"), template: rare("template"),
	}
	m.set(func() { m.weather = w })
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (m *machine) counts(t *rapid.T) []store.Campaign {
	if err := m.store.Settled(context.Background()); err != nil {
		t.Fatalf("%v", err)
	}
	st, err := m.store.Load(context.Background())
	if err != nil {
		t.Fatalf("%v", err)
	}
	return st.Campaigns
}

// left is how many messages still have to go out.
func (m *machine) left(t *rapid.T) (n int64) {
	for _, c := range m.counts(t) {
		n += c.Counts.Waiting + c.Counts.Claimed
	}
	return n
}

// check holds what must be true at every moment.
func (m *machine) check(t *rapid.T) {
	synctest.Wait()
	m.mu.Lock()
	problems := slices.Clone(m.problems)
	m.mu.Unlock()
	for _, p := range problems {
		t.Errorf("%s", p)
	}
	if len(problems) > 0 {
		t.FailNow()
	}
	for _, c := range m.counts(t) {
		n := c.Counts
		if sum := n.Waiting + n.SetAside + n.Claimed + n.Unknown + n.Cancelled + n.Refused + n.Messages; sum != people {
			t.Fatalf("%s has %d messages, not %d: %+v", c.Key, sum, people, n)
		}
	}
}

// finish lets all go out, and holds the books against what Meta has.
func (m *machine) finish(t *rapid.T) {
	if m.stopped {
		m.stopFile(t)
	}
	for i := range 6 {
		if i == 3 { // what was on its way may close a gate again
			m.set(func() { m.weather = weather{} })
		}
		for _, g := range [][2]string{{"all", ""}, {"channel", "whatsapp"}, {"number", "100"}, {"number", "200"}, {"campaign", m.plans[0].Key}, {"campaign", m.plans[1].Key}} {
			m.open(t, g)
		}
		pass(10 * time.Second)
	}
	for _, p := range m.plans {
		if err := m.queue.SetPace(context.Background(), p.Campaign, wa.Pace{}); err != nil && !errors.Is(err, queue.ErrNoCampaign) {
			t.Fatalf("%v", err)
		}
	}
	for range 60 { // rests, people who wait for a moment
		if pass(3 * time.Minute); m.left(t) == 0 {
			break
		}
	}
	m.check(t)
	for _, w := range m.has() {
		m.tell(w, wa.StatusDelivered)
	}
	pass(time.Minute)
	has := map[string]int64{}
	for _, w := range m.has() {
		for _, p := range m.plans {
			if p.Campaign == w.campaign {
				has[p.Key]++
			}
		}
	}
	got := map[string]int64{}
	for _, c := range m.counts(t) {
		n := c.Counts
		if n.Waiting > 0 || n.Claimed > 0 {
			t.Errorf("%s: %d wait and %d are claimed in the end (held: %q)", c.Key, n.Waiting, n.Claimed, m.queue.View().Campaigns[c.ID].Held)
		}
		if n.Messages > 0 {
			got[c.Key] = n.Messages
		}
	}
	if !maps.Equal(got, has) {
		t.Errorf("Meta has %v, the store says %v", has, got)
	}
}

// Whatever happens in whatever order: after a pause nothing begins, nobody is sent
// a message twice, nobody who opted out gets any, every row ends in one state, and
// the counts add up to what Meta has.
func TestMachine(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		folder := filepath.Join(dir, fmt.Sprint(n))
		defer os.RemoveAll(folder)
		inTime(t, func() { run(rt, folder) })
	})
}

// inTime does something on a clock of its own. A panic, by which rapid ends a
// run, passes through.
func inTime(t *testing.T, do func()) {
	var stopped any
	synctest.Test(t, func(*testing.T) {
		defer func() { stopped = recover() }()
		do()
	})
	if stopped != nil {
		panic(stopped)
	}
}

func run(t *rapid.T, dir string) {
	m := &machine{
		dir: dir, random: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)),
		closed: map[[2]string]bool{}, template: map[int64]string{}, cancelled: map[int64]bool{},
		outs: map[string]time.Time{}, taken: map[string]*truth{}, begun: map[string]*truth{},
	}
	m.start(t)
	defer func() { m.stop() }()
	m.change(t)
	wait := func(most int) func(*rapid.T) {
		return func(t *rapid.T) { pass(time.Duration(rapid.IntRange(0, most).Draw(t, "ms")) * time.Millisecond) }
	}
	t.Repeat(map[string]func(*rapid.T){
		"": m.check, "wait": wait(5000), "wait a little": wait(300), "weather": m.change, "restart": m.restart,
		"pause": m.pause, "resume": m.resume, "resume more": m.resume, "STOP file": m.stopFile,
		"swap": m.swap, "cancel": m.cancel, "pace": m.setPace,
		"webhook": m.webhook, "webhook again": m.webhook, "opt out": m.optOut, "resolve": m.resolve,
	})
	m.finish(t)
}
