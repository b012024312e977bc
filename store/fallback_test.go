package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickwatch/wa"
)

// sms is what the test knows of one attempt to reach somebody by SMS.
type sms struct {
	wa.FallbackMessage
	open  bool // its outcome is not stored
	gone  bool // the provider has it: the truth, whatever its answer was
	again bool // it goes back to waiting, by the answer or by the operator
}

// fallbackMachine is a machine whose failures are reached by SMS.
type fallbackMachine struct {
	*machine
	texts []*sms
	runs  []int64
	ended map[int64]bool
}

// textTo is the rule of the tests: an SMS for every failure.
func textTo(c *FallbackCandidate) (FallbackDraft, string) {
	switch {
	case c.OptedOut:
		return FallbackDraft{}, "opted out"
	case c.Retried:
		return FallbackDraft{}, reasonTriedAgain
	case c.Reached:
		return FallbackDraft{}, reasonReached
	}
	return FallbackDraft{Channel: wa.ChannelSMS, To: c.Phone, Text: "Hello " + c.Values[0], Segments: 1, Cost: 45_000}, ""
}

// refused imports a campaign and has Meta refuse n messages of it with a code.
func refused(t *testing.T, s *Store, n, code int) (wa.Plan, []wa.Claimed) {
	t.Helper()
	p := imported(t, s, n, wa.CategoryUtility)
	all := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: n, Now: at(0)}).Messages
	for _, c := range all {
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: code})
	}
	return p, all
}

// bySMS is an order of SMS for a campaign's failures.
func bySMS(p wa.Plan) wa.FallbackRun {
	return wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2)}
}

// goesOut orders a fallback, and lets all of it go out.
func goesOut(t *testing.T, s *Store, run wa.FallbackRun, most int64, rule FallbackRule) FallbackPlanned {
	t.Helper()
	got, err := s.PlanFallback(t.Context(), run, most, rule, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	return got
}

func (m *fallbackMachine) order(t *rapid.T) {
	run := wa.FallbackRun{
		Campaign: m.plan.Campaign, Key: m.plan.Key, By: "anna", Channels: []string{wa.ChannelSMS}, OrderedAt: m.now, StartsAt: m.now,
		LookAfter: int64(rapid.IntRange(0, 2).Draw(t, "look")),
	}
	if rapid.Bool().Draw(t, "undelivered") {
		run.After = 20 * time.Second
	}
	dry, err := m.s.PlanFallback(context.Background(), run, 100, textTo, true)
	if err != nil {
		t.Fatalf("%v", err)
	}
	got, err := m.s.PlanFallback(context.Background(), run, 100, textTo, false)
	if errors.Is(err, ErrFallbackOpen) && m.looks(t) {
		return
	}
	if err != nil || m.looks(t) {
		t.Fatalf("ordered beside one that waits for its look: %v", err)
	}
	if got.Run.Planned != dry.Run.Planned || got.Run.Cost != dry.Run.Cost || got.Run.Cost != wa.Money(got.Run.Planned*45_000) {
		t.Fatalf("planned %+v, and dry %+v", got, dry)
	}
	state := wa.FallbackRunRunning
	if run.LookAfter > 0 {
		state = wa.FallbackRunLook
	}
	if _, err := m.s.SetFallbackRun(context.Background(), got.Run.ID, state); err != nil {
		t.Fatalf("%v", err)
	}
	m.runs = append(m.runs, got.Run.ID)
}

// looks tells whether something is left of a run that is in its look.
func (m *fallbackMachine) looks(t *rapid.T) bool {
	runs, err := m.s.FallbackRuns(context.Background())
	if err != nil {
		t.Fatalf("%v", err)
	}
	return slices.ContainsFunc(runs, func(r wa.FallbackRun) bool {
		n := 0
		if err := m.s.readers.QueryRow("SELECT count(*) FROM fallback WHERE run = ? AND state < 2", r.ID).Scan(&n); err != nil {
			t.Fatalf("%v", err)
		}
		return r.State == wa.FallbackRunLook && n > 0
	})
}

func (m *fallbackMachine) goOn(t *rapid.T) {
	if _, err := m.s.SetFallbackRun(context.Background(), m.run(t), wa.FallbackRunRunning); err != nil {
		t.Fatalf("%v", err)
	}
}

func (m *fallbackMachine) run(t *rapid.T) int64 {
	if len(m.runs) == 0 {
		t.Skip("none")
	}
	return rapid.SampledFrom(m.runs).Draw(t, "run")
}

// arrivedAt tells whether a WhatsApp message to a phone is known to have arrived.
func (m *fallbackMachine) arrivedAt(to string) bool {
	for _, x := range m.sends {
		if x.phone == to && x.arrived {
			return true
		}
	}
	return false
}

func (m *fallbackMachine) claimText(t *rapid.T) {
	run := m.run(t)
	got, err := m.s.ClaimFallback(context.Background(), wa.FallbackClaimRequest{
		Run: run, Channel: wa.ChannelSMS, Limit: rapid.IntRange(1, 4).Draw(t, "limit"), Now: m.now,
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, c := range got.Messages {
		if m.optedOut[c.To] {
			t.Fatalf("%s opted out and gets an SMS", c.To)
		}
		if m.arrivedAt(c.To) {
			t.Fatalf("the WhatsApp message to %s arrived, and an SMS goes out", c.To)
		}
		if m.ended[run] {
			t.Fatalf("%s gets an SMS of a run that was cancelled", c.To)
		}
		for _, x := range m.texts {
			if x.To == c.To && !x.again {
				t.Fatalf("%s gets a second SMS: %+v after %+v", c.To, c, x)
			}
			if x.Attempt.Token == c.Attempt.Token && x.Attempt.ID != c.Attempt.ID {
				t.Fatalf("two attempts have one token")
			}
		}
		m.texts = append(m.texts, &sms{FallbackMessage: c, open: true})
	}
}

func (m *fallbackMachine) text(t *rapid.T, want func(*sms) bool) *sms {
	var fit []*sms
	for _, x := range m.texts {
		if want(x) {
			fit = append(fit, x)
		}
	}
	if len(fit) == 0 {
		t.Skip("none")
	}
	return rapid.SampledFrom(fit).Draw(t, "SMS")
}

func (m *fallbackMachine) settleText(t *rapid.T) {
	x := m.text(t, func(x *sms) bool { return x.open })
	o := wa.FallbackOutcome{Attempt: x.Attempt, At: m.now}
	switch o.Answer.Kind = wa.FallbackAnswerKind(rapid.IntRange(1, 6).Draw(t, "answer")); o.Answer.Kind {
	case wa.FallbackAccepted:
		x.gone, o.Answer.ProviderID = true, fmt.Sprint("sms.", x.Attempt.ID)
	case wa.FallbackUnknown:
		x.gone = x.gone || rapid.Bool().Draw(t, "gone")
	case wa.FallbackThrottled, wa.FallbackNotSent:
		if x.gone {
			t.Skip("the provider has it")
		}
		x.again, o.Due = true, m.now+wa.Instant(rapid.IntRange(0, 30_000).Draw(t, "due"))
	case wa.FallbackOptedOut:
		if x.gone {
			t.Skip("the provider has it")
		}
		m.optedOut[x.To] = true
	case wa.FallbackRejected:
		if x.gone {
			t.Skip("the provider has it")
		}
	}
	x.open = false
	if err := m.s.SettleFallback(context.Background(), o); err != nil {
		t.Fatalf("%v", err)
	}
}

func (m *fallbackMachine) take(t *rapid.T) {
	m.text(t, func(x *sms) bool { return x.open }).gone = true
}

func (m *fallbackMachine) beside(t *rapid.T, p *wa.Post) {
	p.Source, p.ReceivedAt, p.Body = wa.BesideSource(wa.ChannelSMS), m.now, []byte("type=1")
	before := m.s.feedNow(t)
	if err := m.s.Ingest(context.Background(), p); err != nil {
		t.Fatalf("%v", err)
	}
	if now := m.s.feedNow(t); now != before {
		t.Fatalf("an SMS receipt changed the feed of Meta: %+v, before %+v", now, before)
	}
}

func (s *Store) feedNow(t *rapid.T) (f Feed) {
	if err := s.look(context.Background(), func(w *writer) error { f = w.feed; return nil }); err != nil {
		t.Fatalf("%v", err)
	}
	return f
}

func (m *fallbackMachine) receiptOf(t *rapid.T) {
	x := m.text(t, func(x *sms) bool { return x.gone })
	r := wa.FallbackReceipt{
		Channel: wa.ChannelSMS, Attempt: x.Attempt, At: m.now,
		State: wa.FallbackState(rapid.IntRange(1, 4).Draw(t, "state")),
	}
	x.again = false
	m.beside(t, &wa.Post{Receipts: []wa.FallbackReceipt{r}})
}

// forge tells of a message under a token that it does not have.
func (m *fallbackMachine) forge(t *rapid.T) {
	x := m.text(t, func(*sms) bool { return true })
	before := m.counts(t)
	m.beside(t, &wa.Post{Receipts: []wa.FallbackReceipt{{
		Channel: wa.ChannelSMS, Attempt: wa.FallbackAttempt{ID: x.Attempt.ID, Token: "00000000000000000000000000000000"}, State: wa.FallbackDelivered,
	}}})
	if now := m.counts(t); now != before {
		t.Fatalf("a forged receipt counts: %+v, before %+v", now, before)
	}
}

func (m *fallbackMachine) counts(t *rapid.T) wa.FallbackCounts {
	all, err := m.s.FallbackCounts(context.Background())
	if err != nil {
		t.Fatalf("%v", err)
	}
	return all[m.plan.Campaign]
}

func (m *fallbackMachine) stopText(t *rapid.T) {
	to := fmt.Sprintf("+35190%07d", rapid.IntRange(0, 11).Draw(t, "who"))
	m.optedOut[to] = true
	m.beside(t, &wa.Post{Replies: []wa.Reply{{Channel: wa.ChannelSMS, From: to, Text: "Stop.", At: m.now}}})
}

func (m *fallbackMachine) resolveTexts(t *rapid.T) {
	sent := rapid.Bool().Draw(t, "sent")
	if _, err := m.s.ResolveFallback(context.Background(), m.plan.Campaign, wa.ChannelSMS, sent); err != nil {
		t.Fatalf("%v", err)
	}
	if n, err := m.s.ResolveFallback(context.Background(), m.plan.Campaign, wa.ChannelEmail, sent); n != 0 || err != nil {
		t.Fatalf("of no e-mails %d were resolved: %v", n, err)
	}
	for _, x := range m.texts {
		f, err := scanFallback(m.s.readers.QueryRow("SELECT "+fallbackColumns+" FROM fallback WHERE id = ?", x.Attempt.ID))
		if err != nil {
			t.Fatalf("%v", err)
		}
		if f.state == fallbackWaiting {
			x.again = true // perhaps wrongly: the operator's word
		}
	}
}

func (m *fallbackMachine) cancelRun(t *rapid.T) {
	run := m.run(t)
	if _, err := m.s.SetFallbackRun(context.Background(), run, wa.FallbackRunCancelled); err != nil {
		t.Fatalf("%v", err)
	}
	if _, err := m.s.EndFallback(context.Background(), run, "cancelled by anna"); err != nil {
		t.Fatalf("%v", err)
	}
	m.ended[run] = true
}

func (m *fallbackMachine) check(t *rapid.T) {
	m.machine.check(t)
	all, err := query(context.Background(), m.s.readers, scanFallback, "SELECT "+fallbackColumns+" FROM fallback")
	if err != nil {
		t.Fatalf("%v", err)
	}
	sum, waits := wa.FallbackCounts{}, map[int64]wa.FallbackWaits{}
	for i := range all {
		n := all[i].counts()
		sum.Add(&n, 1)
		waits[all[i].run] = addWaits(waits[all[i].run], all[i].waits(), 1)
		if all[i].state == fallbackWaiting && m.ended[all[i].run] {
			t.Fatalf("one waits of a run that was cancelled: %+v", all[i])
		}
	}
	if now := m.counts(t); now != sum {
		t.Fatalf("the counts are %+v, the rows come to %+v", now, sum)
	}
	now, err := m.s.FallbackWaits(context.Background())
	if err != nil {
		t.Fatalf("%v", err)
	}
	for run, n := range now {
		if n != waits[run] {
			t.Fatalf("of run %d wait %v, the rows come to %v", run, n, waits[run])
		}
	}
}

// Over any order of failures, deliveries, opt-outs, receipts, cancels, crashes and
// restarts nobody gets two fallbacks in a campaign, nobody who opted out gets one,
// and the counts are those of the rows.
func TestFallback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &fallbackMachine{machine: newMachine(t), ended: map[int64]bool{}}
		defer m.end()
		actions := m.actions()
		lost := func(do func(*rapid.T)) func(*rapid.T) {
			return func(t *rapid.T) {
				do(t)
				for _, x := range m.texts {
					x.open = false // nobody waits for its answer any more
				}
			}
		}
		actions["crash"], actions["restart"] = lost(actions["crash"]), lost(actions["restart"])
		for name, do := range map[string]func(*rapid.T){
			"order": m.order, "claim SMS": m.claimText, "claim more SMS": m.claimText, "settle SMS": m.settleText, "settle more SMS": m.settleText,
			"take SMS": m.take, "receipt": m.receiptOf, "receipt again": m.receiptOf, "forge": m.forge, "stop by SMS": m.stopText,
			"resolve SMS": m.resolveTexts, "cancel SMS": m.cancelRun, "go on": m.goOn,
		} {
			actions[name] = do
		}
		actions[""] = m.check
		t.Repeat(actions)
	})
}

// What may have gone out is read from the oldest on, from where the reading before
// ended, and by the channels that are asked for.
func TestUnknownFallbacks(t *testing.T) {
	s := open(t, t.TempDir())
	p, _ := refused(t, s, 5, 131026)
	got := goesOut(t, s, bySMS(p), 100, textTo)
	var want []int64
	for _, when := range []int64{3, 4} { // the second claim takes more than one at one moment
		taken, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: int(when), Now: at(when)})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range taken.Messages {
			want = append(want, m.Attempt.ID)
			if err := s.SettleFallback(t.Context(), wa.FallbackOutcome{Attempt: m.Attempt, At: at(when), Answer: wa.FallbackAnswer{Kind: wa.FallbackUnknown}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var read []int64
	var last wa.FallbackDoubt
	for more := true; more; {
		some, err := s.UnknownFallbacks(t.Context(), []string{wa.ChannelSMS, wa.ChannelVoice}, last, at(600), 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, last = range some {
			read = append(read, last.Attempt.ID)
		}
		more = len(some) > 0
	}
	if !slices.Equal(read, want) || len(read) != 5 {
		t.Errorf("read %v of %v", read, want)
	}
	if some, err := s.UnknownFallbacks(t.Context(), []string{wa.ChannelEmail}, wa.FallbackDoubt{}, at(600), 9); len(some) != 0 || err != nil {
		t.Errorf("by e-mail: %+v, %v", some, err)
	}
}
