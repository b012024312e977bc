package monitor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// Meta answers what must be known of templates before something is sent.
type Meta interface {
	Templates(ctx context.Context) ([]wa.TemplateForm, error)
	Template(ctx context.Context, name, language string) (wa.TemplateForm, error)
}

// Sending says how our own campaigns go out. Without a Sender and Meta nothing
// can be sent or started; pauses are kept all the same.
type Sending struct {
	Sender    queue.Sender
	Meta      Meta
	Speed     float64 // how many seconds of the daemon's clock pass in a real one; 0 = 1
	StopFile  string  // pauses everything while it is there
	Pace      wa.Pace // of a campaign that has none of its own; zero = no limit
	PerNumber wa.Pace // our own ceiling for each number; zero = none
	Folder    string  // for lists on their way; "" = none can be taken

	// Numbers asks which numbers the account has; nil = nobody is asked.
	Numbers func(ctx context.Context) ([]NumberNews, error)
	// Poll asks how the account, its numbers and some of its templates stand, within
	// Meta's limit of calls; nil = nobody is asked. What could be learnt comes beside
	// an error, too. Its At is not set.
	Poll func(ctx context.Context, templates []int64) (wa.Poll, error)
	// Compare asks which of two templates people block less, as Poll does; nil = nobody
	// is asked.
	Compare func(ctx context.Context, template, other int64, until time.Time) (wa.Comparison, error)
	// Hold says until when a phone must not be written to, for the sending window of
	// its country; 0 = it may be. It is quick. Nil = there are no windows.
	Hold func(phone string) wa.Instant
	// Seeds are own phones that get a message among those of every campaign.
	Seeds Seeds
}

// FrequencyCap is how much marketing one person gets (design.md: two messages in
// 24 hours, six hours apart).
var FrequencyCap = wa.FrequencyCap{Messages: 2, Within: 24 * time.Hour, Apart: 6 * time.Hour}

// cannotSend is the Sender of a daemon that was given none.
type cannotSend struct{}

func (cannotSend) Send(context.Context, string, *wa.Outgoing, func() error) (wa.Accepted, error) {
	return wa.Accepted{}, fmt.Errorf("no access to Meta is configured: %w", wa.ErrNotSent)
}

// openQueue starts the queue from what is stored; it sends nothing before Run.
func (m *Monitor) openQueue(ctx context.Context) error {
	s := &m.o.Sending
	sender := s.Sender
	if sender == nil {
		sender = cannotSend{}
	}
	m.sends = newStopwatch(sender, m.o.Now)
	plans, err := m.o.Store.Plans(ctx)
	if err != nil {
		return err
	}
	for _, p := range plans {
		m.plans[p.Campaign] = p
	}
	m.queue, err = queue.New(ctx, queue.Options{
		Store: m.o.Store, Sender: m.sends, Now: m.o.Now, Speed: s.Speed, Log: m.o.Log,
		StopFile: s.StopFile, PerNumber: s.PerNumber, Cap: FrequencyCap, Unanswered: m.unanswered,
		LeaveTemplates: !m.o.Auto.Template, LeaveAccount: !m.o.Auto.Account,
		Throughput: m.throughput, Window: m.window(), Changed: m.wake, Incident: m.incident,
	})
	return err
}

// window is the sending window of every plan; nil = there is none.
func (m *Monitor) window() func(*wa.Plan) func(string) wa.Instant {
	if m.o.Sending.Hold == nil {
		return nil
	}
	return func(*wa.Plan) func(string) wa.Instant { return m.o.Sending.Hold }
}

// unanswered is how many messages Meta has taken from us and said nothing of.
func (m *Monitor) unanswered() (n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, _ = m.unansweredOf(wa.At(m.o.Now()))
	return n
}

// unansweredOf is unanswered for who holds m.mu, and whether any of ours runs.
func (m *Monitor) unansweredOf(now wa.Instant) (n int64, running bool) {
	for _, l := range m.campaigns {
		if l.Own && l.running(now) {
			running = true
			// One that was sent and failed is in both counts; of the latest it is known better.
			n += max(l.Counts.Messages-l.Counts.Sent-l.Counts.Paced-(l.Counts.Failed-l.Counts.Refused), l.callbacks.unheard(), 0)
		}
	}
	return n, running
}

// incident records what the queue did by itself.
func (m *Monitor) incident(i queue.Incident) {
	verb, target := "pause", gateName(i.Scope, i.ID)
	switch {
	case i.Cancelled:
		verb = "cancel"
	case i.Opened:
		verb = "resume"
	}
	m.mu.Lock()
	if i.Code != 0 {
		m.gateCodes[[2]string{i.Scope, i.ID}] = i.Code
	}
	m.mu.Unlock()
	m.record(store.Action{Operator: "tickwatch", Verb: verb, Target: target, Reason: i.Text})
	m.wake()
}

// gateName is a gate as people call it.
func gateName(scope, id string) string {
	switch scope {
	case link.ScopeAll:
		return "everything"
	case link.ScopeNumber:
		return "number " + wa.Clean(id)
	case link.ScopeChannel:
		return cmp.Or(channelNames[id], wa.Clean(id))
	}
	return wa.Clean(id)
}

// record keeps an action: at once for the screen, soon on the disk. A command
// whose work is done does not wait for it.
func (m *Monitor) record(a store.Action) link.Action {
	m.mu.Lock()
	m.lastID++
	a.ID, a.At = m.lastID, wa.At(m.o.Now())
	m.actions = append(m.actions, a)
	m.actions = m.actions[max(0, len(m.actions)-link.MaxActions):]
	m.unrecorded = append(m.unrecorded, a)
	ran := m.ran
	if !ran {
		m.recording.Go(m.saveActions)
	}
	m.mu.Unlock()
	m.wake()
	if ran { // nobody waits for those who write any more
		m.saveActions()
	}
	return actionView(&a)
}

// endRecording waits until the actions are on the disk, as far as that takes
// them; what is recorded from here on is so before its command is answered.
func (m *Monitor) endRecording() {
	m.mu.Lock()
	m.ran = true
	m.mu.Unlock()
	m.recording.Wait()
	m.saveActions()
}

// saveActions writes the actions that are not on the disk.
func (m *Monitor) saveActions() {
	m.saving.Lock()
	defer m.saving.Unlock()
	for {
		m.mu.Lock()
		if len(m.unrecorded) == 0 {
			m.mu.Unlock()
			return
		}
		a := m.unrecorded[0]
		m.mu.Unlock()
		if err := m.o.Store.SaveAlarms(nil, &a); err != nil {
			m.o.Log.Error("an action is not on the disk; it is tried again with the next", "verb", a.Verb, "target", a.Target, "error", err)
			return
		}
		m.mu.Lock()
		m.unrecorded = slices.DeleteFunc(m.unrecorded, func(x store.Action) bool { return x.ID == a.ID })
		m.mu.Unlock()
	}
}

// judgeQueue raises an alarm for every gate that tickwatch closed by itself, and
// that is closed still.
func (m *Monitor) judgeQueue(now wa.Instant, v *queue.View) {
	standing := map[string]bool{}
	for _, g := range v.Gates {
		if !g.Closed || g.By != byItself || rampLook(g.Reason) || strings.HasPrefix(g.Reason, byItselfWord) {
			continue
		}
		code := m.gateCodes[[2]string{g.Scope, g.ID}]
		if code == 0 {
			code = codeIn(g.Reason)
		}
		kind := alarmKind(g.Scope, code)
		if g.Reason == queue.TemplateLocked {
			kind = "template"
		}
		name := ownPausePrefix + g.Scope + " " + g.ID
		f := finding{kind: kind, subject: name, text: "tickwatch paused " + gateName(g.Scope, g.ID) + ": " + g.Reason}
		if m.causeStands(now, &g, code) {
			m.incidents.merge(now, subject{kind, name}, f.text+"; that goes on as the alarm about its cause")
			continue
		}
		standing[kind+name] = true
		if g.Scope == link.ScopeCampaign {
			f.campaign = g.ID
		}
		switch {
		case g.Reason == queue.TemplateLocked:
			f.advice = senders{paused: true}.withoutTemplate("LOCKED").Lines()
		case code == 0 && g.Scope == link.ScopeAll:
			f.advice = senders{paused: true}.stopAll() + " " + askMeta
		case m.pauseOver(now, &g, code):
			f.advice = "The template's pause should be over. Resume (u), slowly at first, or send the rest with another approved template (t)."
		case code != 0:
			f.advice = advise(&situation{kind: kind, own: true, code: code, coded: true, title: m.titles[code], paused: true}).Lines()
		}
		m.incidents.fact(now, alarm.Act, f)
	}
	for _, kind := range []string{"account", "template", "quality", "list"} {
		m.incidents.clearOthers(now, kind, func(subject string) bool {
			return !ownPause(subject) || standing[kind+subject]
		})
	}
}

// causeStands tells whether an alarm tells already of what tickwatch closed a gate for:
// one incident is one alarm. m.mu is held.
func (m *Monitor) causeStands(now wa.Instant, g *wa.Gate, code int) bool {
	switch g.Scope {
	case link.ScopeAll:
		for key, k := range m.standing {
			if k.stops && !k.over(now) && k.text == g.Reason && m.incidents.stands("account", key.subject()) {
				return true
			}
		}
	case link.ScopeCampaign:
		l := m.byKey[g.ID]
		if l == nil || code != wa.CodeTemplatePaused && code != wa.CodeTemplateDisabled && g.Reason != queue.TemplateLocked {
			return false
		}
		for id, t := range m.templates {
			if stopsTemplate(t.Status) && m.uses(l, &t) && m.incidents.stands("template", strconv.FormatInt(id, 10)) {
				return true
			}
		}
	}
	return false
}

// pauseOver tells whether the template whose pause closed a gate can be sent again, as far
// as is known. m.mu is held.
func (m *Monitor) pauseOver(now wa.Instant, g *wa.Gate, code int) bool {
	l := m.byKey[g.ID]
	if l == nil || g.Scope != link.ScopeCampaign || code != wa.CodeTemplatePaused {
		return false
	}
	for _, t := range m.templates {
		ended := t.Status == "PAUSED" && t.PausedUntil != 0 && now > t.PausedUntil && t.StatusAt <= t.PausedUntil
		lifted := t.Status == wa.StatusApproved && t.StatusAt > g.Since
		if (ended || lifted) && m.uses(l, &t) {
			return true
		}
	}
	return false
}

// ownPausePrefix begins the subject of an alarm about a gate that tickwatch closed.
const ownPausePrefix = "paused "

func ownPause(subject string) bool { return strings.HasPrefix(subject, ownPausePrefix) }

func rampLook(reason string) bool { return len(reason) > 6 && reason[:6] == "ramp: " }

// codeIn is the error code that a reason names; 0 = none.
func codeIn(reason string) int {
	digits := ""
	for _, r := range reason + " " {
		if r >= '0' && r <= '9' {
			digits += string(r)
			continue
		}
		if n, err := strconv.Atoi(digits); err == nil && n > 0 {
			if _, known := wa.LookUp(n); known {
				return n
			}
		}
		digits = ""
	}
	return 0
}

func alarmKind(scope string, code int) string {
	switch {
	case scope == link.ScopeAll:
		return "account"
	case scope == link.ScopeNumber:
		return "quality"
	case code != 0 && wa.ClassOf(code) == wa.ClassTemplate:
		return "template"
	}
	return "list"
}

// told is news by webhook that concerns what still waits.
type told struct {
	campaign int64
	code     int
	numbers  []string
	template *wa.Template // or that Meta has stopped one
	account  string       // or an account, and why
	why      string
}

// listen notes failures that mean more than one person, of messages that Meta had
// taken: what it refused at once the queue has judged already. m.mu is held, and
// the store's writer waits: the queue hears of it from publish.
func (m *Monitor) listen(c *store.CampaignChange) {
	for code := range c.Failed {
		if class := wa.ClassOf(code); code != 0 && class != wa.ClassRecipient && class != wa.ClassPair {
			m.told = append(m.told, told{campaign: c.ID, code: code, numbers: slices.Clone(c.Numbers)})
		}
	}
}

// tellQueue hands on what came by webhook.
func (m *Monitor) tellQueue(ctx context.Context) {
	m.mu.Lock()
	all := m.told
	m.told = nil
	m.mu.Unlock()
	for _, t := range all {
		switch {
		case t.template != nil:
			m.queue.TemplateStopped(t.template.Name, t.template.Language, t.template.Status)
		case t.why != "":
			if m.sendsFor(ctx, t.account) {
				m.queue.AccountStopped(t.why)
			}
		default:
			m.queue.Failed(t.campaign, t.code, t.numbers)
		}
	}
}

// sendsFor tells whether a number that our campaigns go out from is an account's. One
// whose account nobody has told of may be.
func (m *Monitor) sendsFor(ctx context.Context, account string) bool {
	m.mu.Lock()
	var displays []string
	for _, p := range m.plans {
		for _, id := range p.From {
			displays = append(displays, m.numbers[id].Display)
		}
	}
	m.mu.Unlock()
	for _, display := range displays {
		if display == "" {
			return true
		}
		if owner, err := m.o.Store.AccountOf(ctx, display); err != nil || owner == "" || owner == account {
			return true
		}
	}
	return len(displays) == 0
}

// stopwatch times the sends of campaigns that are looked at: test sends.
type stopwatch struct {
	queue.Sender
	now func() time.Time

	mu    sync.Mutex
	since map[string]time.Duration // the slowest, by campaign key; those that are looked at
}

func newStopwatch(s queue.Sender, now func() time.Time) *stopwatch {
	return &stopwatch{Sender: s, now: now, since: map[string]time.Duration{}}
}

// watch begins to time a campaign's sends.
func (w *stopwatch) watch(campaign string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since[campaign] = 0
}

// slowest ends it.
func (w *stopwatch) slowest(campaign string) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.since[campaign]
	delete(w.since, campaign)
	return d
}

// Send hands a message over.
func (w *stopwatch) Send(ctx context.Context, from string, out *wa.Outgoing, begin func() error) (wa.Accepted, error) {
	key, _ := wa.CampaignKey(out.CallbackData)
	w.mu.Lock()
	_, timed := w.since[key]
	w.mu.Unlock()
	if !timed {
		return w.Sender.Send(ctx, from, out, begin)
	}
	var mu sync.Mutex
	var began time.Time
	accepted, err := w.Sender.Send(ctx, from, out, func() error {
		mu.Lock()
		began = time.Now()
		mu.Unlock()
		return begin()
	})
	mu.Lock()
	defer mu.Unlock()
	if !began.IsZero() {
		w.mu.Lock()
		if d := time.Since(began); d > w.since[key] {
			w.since[key] = d
		}
		w.mu.Unlock()
	}
	return accepted, err
}
