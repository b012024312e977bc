package monitor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/fallback"
	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// Fallback says how people whose WhatsApp message failed are reached. Without
// channels nobody is.
type Fallback struct {
	Channels fallback.Channels
	Texts    map[string]Texts // by channel
	Rate     map[string]float64
	Budget   wa.Money // for each campaign; 0 = nothing is sent
	Currency string   // ISO 4217
	Allowed  list.Allowed
	Zone     *time.Location // of people whose number tells none; nil = time.Local
	Undo     time.Duration  // nothing leaves in it; 0 = a minute
	Look     int64          // so many go out first, and wait for a look; 0 = 50, -1 = none
	Expires  time.Duration  // what waits for longer, once its hour has come, is expired; 0 = 24 hours
}

// Texts are what a channel says, by language ("pt_PT", "pt"); "" = in all others.
type Texts map[string]Text

// Text is what people are told in one language.
type Text struct {
	Subject *fallback.Text // of an e-mail; nil = it has none
	Body    *fallback.Text
}

// in is the text in a language, else in the one it is a variety of, else the
// general one.
func (t Texts) in(language string) (Text, bool) {
	language = strings.ReplaceAll(language, "-", "_")
	base, _, _ := strings.Cut(language, "_")
	for _, name := range []string{language, strings.ToLower(base), ""} {
		for have, text := range t {
			if strings.EqualFold(have, name) {
				return text, true
			}
		}
	}
	return Text{}, false
}

// Usual figures of a Fallback.
const (
	undoFor    = time.Minute
	lookAfter  = 50
	expireFrom = 24 * time.Hour
)

// openFallback starts the engine from what is stored; it sends nothing before Run.
func (m *Monitor) openFallback(ctx context.Context) error {
	f := &m.o.Fallback
	f.Undo, f.Expires = cmp.Or(f.Undo, undoFor), cmp.Or(f.Expires, expireFrom)
	f.Look = max(cmp.Or(f.Look, lookAfter), 0)
	if f.Zone == nil {
		f.Zone = time.Local
	}
	runs, err := m.o.Store.FallbackRuns(ctx)
	if err != nil {
		return err
	}
	if m.fallbackCounts, err = m.o.Store.FallbackCounts(ctx); err != nil {
		return err
	}
	if m.fallbackWaits, err = m.o.Store.FallbackWaits(ctx); err != nil {
		return err
	}
	m.runs = map[int64]wa.FallbackRun{}
	for _, r := range runs {
		m.runs[r.ID] = r
	}
	m.fallback = fallback.NewEngine(fallback.EngineOptions{
		Store: m.o.Store, Doubts: m.o.Store, Channels: f.Channels, Rate: f.Rate, Now: m.o.Now, Speed: m.o.Sending.Speed, Log: m.o.Log,
		Gate: func(channel, campaign string) fallback.Gate { return m.queue.Crossing(channel, campaign) },
		Hold: m.heldUntil,
		Stalled: func() bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.unheard(wa.At(m.o.Now()))
		},
		Pause: m.pauseChannel, Changed: m.wake,
	}, runs)
	return nil
}

// heldUntil says until when a phone must not be reached at its hour; 0 = it may be,
// wa.Never = it has none: the hours are others than when it was planned.
func (m *Monitor) heldUntil(to string) wa.Instant {
	now := m.o.Now()
	opens, _ := m.o.Fallback.Allowed.OpenAt(to, now, m.o.Fallback.Zone)
	switch {
	case opens.IsZero():
		return wa.Never
	case !opens.After(now):
		return 0
	}
	return wa.At(opens)
}

// unheard tells whether the webhooks are stalled, or were until just now: who got a
// message looks undelivered then. m.mu is held.
func (m *Monitor) unheard(now wa.Instant) bool {
	return m.feedState(now) == link.FeedStalled || m.catchingUp(now)
}

// pauseChannel pauses a channel by itself.
func (m *Monitor) pauseChannel(channel, reason string) {
	if r, err := m.queue.Pause(context.Background(), link.ScopeChannel, channel, "tickwatch", reason); err == nil && !r.Already {
		m.incident(queue.Incident{Scope: link.ScopeChannel, ID: channel, Text: reason})
	}
}

// keepFallback takes over what a commit changed of fallbacks. m.mu is held.
func (m *Monitor) keepFallback(c *store.Change) {
	for id, n := range c.Fallbacks {
		m.fallbackCounts[id] = n
	}
	maps.Copy(m.fallbackWaits, c.Waits)
	for _, r := range c.Runs {
		m.runs[r.ID] = r
		m.fallback.Set(r)
	}
}

// runOf is the newest run of a campaign that was planned to its end; nil = there is
// none. m.mu is held.
func (m *Monitor) runOf(campaign int64) *wa.FallbackRun {
	var newest *wa.FallbackRun
	for id, r := range m.runs {
		if r.Campaign == campaign && r.Planned > 0 && (newest == nil || id > newest.ID) {
			newest = &r
		}
	}
	return newest
}

// toLookAt is the run of a campaign that waits for a look, else the newest, and how
// many of its messages wait; nil = there is none.
func (m *Monitor) toLookAt(ctx context.Context, campaign int64) (run *wa.FallbackRun, rest int64, err error) {
	m.mu.Lock()
	run = m.runOf(campaign)
	var looking []wa.FallbackRun
	for _, r := range m.runs {
		if r.Campaign == campaign && r.State == wa.FallbackRunLook {
			looking = append(looking, r)
		}
	}
	m.mu.Unlock()
	for i := range looking {
		if rest, err = m.o.Store.FallbackWaiting(ctx, looking[i].ID); rest > 0 || err != nil {
			return &looking[i], rest, err
		}
	}
	if run != nil {
		rest, err = m.o.Store.FallbackWaiting(ctx, run.ID)
	}
	return run, rest, err
}

// fallbackView is a campaign's part of the snapshot. m.mu is held.
func (m *Monitor) fallbackView(l *live) link.Fallback {
	n := m.fallbackCounts[l.ID]
	v := link.Fallback{
		Waiting: n.Waiting, Accepted: n.Accepted, Delivered: n.Delivered, Failed: n.Failed, Unknown: n.Unknown, DoubleHits: n.DoubleHits,
		Withdrawn: n.Withdrawn, LeftOut: n.LeftOut, Expired: n.Expired, Segments: n.Segments, Cost: n.Cost.Float(),
	}
	for code, e := range l.course.errors {
		if e.total > 0 && wa.Explain(code, m.titles[code]).Fallback == wa.FallbackYes {
			v.Eligible += e.total
		}
	}
	if r := m.runOf(l.ID); r != nil {
		v.Run, v.Currency = m.runView(r, n.Waiting), r.Currency
	}
	return v
}

// runView is a run as the screen shows it.
func (m *Monitor) runView(r *wa.FallbackRun, waiting int64) *link.FallbackRun {
	v := &link.FallbackRun{
		ID: "f" + strconv.FormatInt(r.ID, 10), By: r.By, Channels: slices.Clone(r.Channels), Ordered: r.OrderedAt.Time(), StartsAt: r.StartsAt.Time(),
		Planned: r.Planned, First: min(r.LookAfter, r.Planned),
	}
	switch r.State {
	case wa.FallbackRunPending:
		v.State = link.FallbackPending
	case wa.FallbackRunCancelled:
		v.State = link.FallbackCancelled
	case wa.FallbackRunLook:
		v.State, v.Looked = link.FallbackLooking, r.Taken >= r.LookAfter
	default:
		v.State = link.FallbackSending
	}
	if waiting == 0 && (v.State == link.FallbackSending || v.State == link.FallbackLooking) {
		v.State, v.Looked = link.FallbackFinished, false
	}
	if v.State == link.FallbackSending || v.State == link.FallbackLooking {
		v.Held = m.fallback.Held(r)
	}
	return v
}

// orderFallback carries out the verbs about fallbacks; ok is false for any other.
func (m *Monitor) orderFallback(ctx context.Context, operator string, cmd link.Command) (answer any, ok bool, err error) {
	switch cmd.Verb {
	case link.VerbFallback:
		answer, err = with(cmd, func(a link.FallbackArgs) (any, error) { return m.planFallback(ctx, operator, a) })
	case link.VerbFallbackCancel:
		answer, err = with(cmd, func(a link.CampaignArgs) (any, error) { return m.cancelFallback(ctx, cmd.ID, operator, a) })
	case link.VerbFallbackGoOn:
		answer, err = with(cmd, func(a link.GoOnArgs) (any, error) { return m.goOn(ctx, cmd.ID, operator, a) })
	default:
		return nil, false, nil
	}
	return answer, true, err
}

// cancelFallback ends all fallbacks of a campaign. What a provider has cannot be
// recalled.
func (m *Monitor) cancelFallback(ctx context.Context, command, operator string, a link.CampaignArgs) (link.Receipt, error) {
	m.mu.Lock()
	l, err := m.find(a.Campaign)
	m.mu.Unlock()
	if err != nil {
		return link.Receipt{}, err
	}
	e, err := m.endFallbacks(ctx, l.ID, operator)
	if err != nil {
		return link.Receipt{}, err
	}
	if e.runs == 0 {
		return link.Receipt{CommandID: command, Already: true, Stored: true, Outside: "none", Text: "Nothing of " + wa.Clean(l.Name) + " waits to go out by another channel."}, nil
	}
	m.mu.Lock()
	n := m.fallbackCounts[l.ID]
	m.mu.Unlock()
	begun := min(e.begun, n.Waiting) // of some it is known by now what became of them
	out := link.Receipt{
		CommandID: command, Stored: true, Outside: "none", Waiting: n.Waiting - begun, OpenRequests: int(begun), HandedOver: n.Accepted, Unknown: n.Unknown,
		Already: e.ended == 0 && !e.planning,
	}
	out.Text = fmt.Sprintf("Cancelled: %s to %s do not go out.", messageWord(e.ended), wa.Clean(l.Name))
	switch {
	case e.whole && e.planning:
		out.Text = "Undone while it was being planned: nothing of it goes out."
	case e.whole:
		out.Text = fmt.Sprintf("Undone: none of %s has left.", messageWord(e.ended))
	}
	if gone := n.Accepted + n.Unknown + begun; gone > 0 {
		out.Text += fmt.Sprintf(" %s gone out and cannot be recalled.", hasHave(gone))
	}
	if !out.Already {
		m.record(store.Action{Operator: operator, Verb: "fallback cancel", Target: l.Key, Effect: out.Text})
	}
	return out, nil
}

// endedFallbacks is what a cancel came to.
type endedFallbacks struct {
	runs     int   // that were open
	ended    int64 // messages that do not go out
	begun    int64 // whose request has begun
	planning bool  // some run was still being planned
	whole    bool  // no run had begun to leave
}

// endFallbacks cancels all fallbacks of a campaign.
func (m *Monitor) endFallbacks(ctx context.Context, campaign int64, operator string) (e endedFallbacks, err error) {
	m.mu.Lock()
	var runs []wa.FallbackRun
	for _, r := range m.runs {
		if r.Campaign == campaign && r.State != wa.FallbackRunCancelled {
			runs = append(runs, r)
		}
	}
	m.mu.Unlock()
	e.runs, e.whole = len(runs), true
	for _, r := range runs {
		e.planning = e.planning || r.State == wa.FallbackRunPlanning
		e.whole = e.whole && (r.State == wa.FallbackRunPending || r.State == wa.FallbackRunPlanning)
		now, err := m.o.Store.SetFallbackRun(ctx, r.ID, wa.FallbackRunCancelled)
		if err != nil {
			return e, err
		}
		m.fallback.Set(now)
		e.begun += m.fallback.Open(r.ID)
		n, err := m.o.Store.EndFallback(ctx, r.ID, "cancelled by "+operator)
		if e.ended += n; err != nil {
			return e, err
		}
	}
	return e, nil
}

func messageWord(n int64) string {
	if n == 1 {
		return "1 message"
	}
	return count(n) + " messages"
}

func hasHave(n int64) string {
	if n == 1 {
		return "1 has"
	}
	return count(n) + " have"
}

// goOn ends the look at the first messages of a fallback: the rest goes out.
func (m *Monitor) goOn(ctx context.Context, command, operator string, a link.GoOnArgs) (link.Receipt, error) {
	m.mu.Lock()
	l, err := m.find(a.Campaign)
	m.mu.Unlock()
	if err != nil {
		return link.Receipt{}, err
	}
	run, rest, err := m.toLookAt(ctx, l.ID)
	switch {
	case err != nil:
		return link.Receipt{}, err
	case run == nil || run.State == wa.FallbackRunCancelled:
		return link.Receipt{}, refused("%s has no fallback that waits for a look", wa.Clean(l.Name))
	case run.State == wa.FallbackRunPending:
		return link.Receipt{}, refused("its first messages are not out yet: there is nothing to look at")
	case run.State == wa.FallbackRunLook && run.Taken < run.LookAfter && rest > 0:
		return link.Receipt{}, refused("only %s of its first %s are out: look at what became of them once all are, then send the rest", count(run.Taken), count(run.LookAfter))
	}
	out := link.Receipt{CommandID: command, Stored: true, Outside: "none", Already: run.State == wa.FallbackRunRunning}
	if !out.Already {
		if _, err := m.o.Store.SetFallbackRun(ctx, run.ID, wa.FallbackRunRunning); err != nil {
			return link.Receipt{}, err
		}
	}
	m.mu.Lock()
	n := m.fallbackCounts[l.ID]
	m.mu.Unlock()
	out.Waiting, out.HandedOver, out.Unknown = n.Waiting, n.Accepted, n.Unknown
	out.Text = fmt.Sprintf("The rest goes out: %s by %s.", messageWord(rest), channelList(run.Channels))
	if !out.Already {
		m.record(store.Action{Operator: operator, Verb: "fallback go on", Target: l.Key, Effect: out.Text})
	}
	return out, nil
}

// channelList names channels as people write them.
func channelList(channels []string) string {
	names := make([]string, len(channels))
	for i, c := range channels {
		names[i] = cmp.Or(channelNames[c], c)
	}
	return strings.Join(names, ", then ")
}

// resolveFallback is the operator's word on what may have gone out by a channel.
func (m *Monitor) resolveFallback(ctx context.Context, operator string, a link.ResolveArgs) (link.Resolved, error) {
	m.mu.Lock()
	l, err := m.find(a.Campaign)
	m.mu.Unlock()
	if err != nil {
		return link.Resolved{}, err
	}
	n, err := m.o.Store.ResolveFallback(ctx, l.ID, a.Channel, a.As == "sent")
	if err != nil {
		return link.Resolved{}, err
	}
	if n > 0 {
		m.record(store.Action{Operator: operator, Verb: "resolve", Target: l.Key, Effect: fmt.Sprintf("%s by %s that may have gone out: %s", messageWord(n), channelList([]string{a.Channel}), a.As)})
		m.mu.Lock()
		for _, r := range m.runs {
			if r.Campaign == l.ID {
				m.fallback.Wake(r.ID)
			}
		}
		m.mu.Unlock()
	}
	return link.Resolved{Resolved: n}, nil
}
