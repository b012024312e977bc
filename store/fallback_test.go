package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
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

// Who was left out of a fallback that was undone before it left can be reached by
// the next one; who had one on its way cannot.
func TestFallbackAfterAnUndo(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 10, wa.CategoryUtility)
	for _, c := range claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 10, Now: at(0)}).Messages {
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131026})
	}
	run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2)}
	plan := func(dry bool) FallbackPlanned {
		t.Helper()
		got, err := s.PlanFallback(t.Context(), run, 100, textTo, dry)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	set := func(id int64, state string) {
		t.Helper()
		if _, err := s.SetFallbackRun(t.Context(), id, state); err != nil {
			t.Fatal(err)
		}
	}
	take := func(id int64, limit int) (all []string) {
		t.Helper()
		got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: id, Channel: wa.ChannelSMS, Limit: limit, Now: at(3)})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got.Messages {
			all = append(all, m.To)
		}
		return all
	}
	end := func(id int64) {
		t.Helper()
		set(id, wa.FallbackRunCancelled)
		if _, err := s.EndFallback(t.Context(), id, "cancelled by anna"); err != nil {
			t.Fatal(err)
		}
	}
	first := plan(false).Run
	if first.Planned != 10 {
		t.Fatalf("planned: %+v", first)
	}
	end(first.ID)
	if dry := plan(true); dry.Run.Planned != 10 {
		t.Errorf("after an undo: %+v", dry)
	}
	second := plan(false).Run
	set(second.ID, wa.FallbackRunRunning)
	gone := take(second.ID, 4)
	end(second.ID)
	if len(gone) != 4 || len(take(first.ID, 10)) != 0 {
		t.Errorf("taken: %v", gone)
	}
	for range 2 { // also after a restart
		if dry := plan(true); dry.Run.Planned != 6 || dry.LeftOut[reasonReached] != 4 {
			t.Errorf("after 4 were on their way: %+v", dry)
		}
		dir := s.dir
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
	}
	third := plan(false).Run
	set(third.ID, wa.FallbackRunRunning)
	rest := take(third.ID, 10)
	if len(rest) != 6 || slices.ContainsFunc(rest, func(to string) bool { return slices.Contains(gone, to) }) {
		t.Errorf("the rest: %v, before %v", rest, gone)
	}
	counts, err := s.FallbackCounts(t.Context())
	if err != nil || counts[p.Campaign].Waiting != 6 || counts[p.Campaign].Unknown != 4 || counts[p.Campaign].LeftOut != 0 {
		t.Errorf("counts: %+v, %v", counts, err)
	}
}

// Whoever got a campaign's message by another of its WhatsApp messages gets no SMS
// for the one that failed; where it came after the SMS they got both.
func TestFallbackBesideAnotherMessage(t *testing.T) {
	for _, c := range []struct {
		when               string // that the other message arrives
		planned, claimed   int64
		withdrawn, doubled int64
	}{
		{when: "before the plan"},
		{when: "before the claim", planned: 1, withdrawn: 1},
		{when: "before the receipt", planned: 1, claimed: 1, doubled: 1},
		{when: "after the receipt", planned: 1, claimed: 1, doubled: 1},
	} {
		s := open(t, t.TempDir())
		ingest(t, s, statuses(failed("a1", at(0), "autumn:1", 131026), status("b1", wa.StatusSent, at(0), "autumn:2")))
		arrives := func(when string) {
			if when == c.when {
				ingest(t, s, statuses(status("b1", wa.StatusDelivered, at(1), "autumn:2")))
			}
		}
		arrives("before the plan")
		id := campaigns(t, s)["autumn"].ID
		run := wa.FallbackRun{Campaign: id, Key: "autumn", Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2)}
		got, err := s.PlanFallback(t.Context(), run, 100, func(c *FallbackCandidate) (FallbackDraft, string) {
			return FallbackDraft{Channel: wa.ChannelSMS, To: c.Phone, Text: "Hello", Segments: 1, Cost: 45_000}, ""
		}, false)
		if err != nil || got.Run.Planned != c.planned {
			t.Errorf("%s: planned %+v, %v", c.when, got, err)
		}
		arrives("before the claim")
		if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
			t.Fatal(err)
		}
		taken, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 10, Now: at(3)})
		if err != nil || int64(len(taken.Messages)) != c.claimed {
			t.Errorf("%s: taken %+v, %v", c.when, taken, err)
		}
		arrives("before the receipt")
		for _, m := range taken.Messages {
			r := wa.FallbackReceipt{Channel: wa.ChannelSMS, Attempt: m.Attempt, At: at(4), State: wa.FallbackDelivered}
			post := &wa.Post{Source: wa.BesideSource(wa.ChannelSMS), ReceivedAt: at(4), Body: []byte("type=1"), Receipts: []wa.FallbackReceipt{r}}
			if err := s.Ingest(t.Context(), post); err != nil {
				t.Fatal(err)
			}
		}
		arrives("after the receipt")
		counts, err := s.FallbackCounts(t.Context())
		if n := counts[id]; err != nil || n.Withdrawn != c.withdrawn || n.DoubleHits != c.doubled {
			t.Errorf("%s: %+v, %v", c.when, n, err)
		}
	}
}

// A retry that was cancelled bars nobody from an SMS, and a word that an operator has
// released somebody from does not either; without a release, or spoken again, it does.
func TestFallbackAfterARetryAndARelease(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 3, wa.CategoryUtility)
	failures := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 3, Now: at(0)}).Messages
	for _, c := range failures {
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131053})
	}
	stop := func(phone, id string, when wa.Instant) {
		in := wa.InboundMessage{Sender: sender, MessageID: id, At: when, Type: "text", Text: "STOP"}
		in.Phone = phone[1:]
		ingest(t, s, &wa.Post{Inbound: []wa.InboundMessage{in}, ReceivedAt: when})
	}
	stop(failures[0].Phone, "in.0", at(2))
	stop(failures[1].Phone, "in.1", at(2))
	if lifted, err := s.Release(t.Context(), failures[0].Phone, false, []string{wa.RuleOptedOut}); err != nil || len(lifted) != 1 {
		t.Fatalf("%+v, %v", lifted, err)
	}
	run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(3), StartsAt: at(3)}
	plan := func(dry bool, planned int64, leftOut map[string]int64) wa.FallbackRun {
		t.Helper()
		got, err := s.PlanFallback(t.Context(), run, 100, textTo, dry)
		if err != nil || got.Run.Planned != planned || !maps.Equal(got.LeftOut, leftOut) {
			t.Errorf("planned %+v, %v; want %d, and left out %v", got, err, planned, leftOut)
		}
		return got.Run
	}
	if again, err := s.Retry(t.Context(), p.Campaign, nil, func(Failed) string { return "" }, false); err != nil || again.Queued != 2 {
		t.Fatalf("%+v, %v", again, err)
	}
	plan(true, 0, map[string]int64{reasonTriedAgain: 2, "opted out": 1})
	if n, err := s.CancelRest(t.Context(), p.Campaign); n != 2 || err != nil {
		t.Fatalf("%d cancelled, %v", n, err)
	}
	r := plan(false, 2, map[string]int64{"opted out": 1})
	if _, err := s.SetFallbackRun(t.Context(), r.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	stop(failures[0].Phone, "in.2", received+1000)
	got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: r.ID, Channel: wa.ChannelSMS, Limit: 3, Now: received + 2000})
	if err != nil || len(got.Messages) != 1 || got.Messages[0].To != failures[2].Phone {
		t.Errorf("taken: %+v, %v", got, err)
	}
}

// While an order of a campaign is being planned, can be undone or is in its look, there
// is no second one; once it goes out there may be.
func TestOneFallbackAtATime(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 4, wa.CategoryUtility)
	for _, c := range claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 4, Now: at(0)}).Messages {
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131026})
	}
	run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2), LookAfter: 1}
	second := func(when string, want error) {
		t.Helper()
		if _, err := s.PlanFallback(t.Context(), run, 1, textTo, false); !errors.Is(err, want) {
			t.Errorf("%s: %v", when, err)
		}
	}
	first, err := s.PlanFallback(t.Context(), run, 2, func(c *FallbackCandidate) (FallbackDraft, string) {
		second("while it is being planned", ErrFallbackOpen)
		return textTo(c)
	}, false)
	if err != nil || first.Run.Planned != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	second("while it can be undone", ErrFallbackOpen)
	if _, err := s.SetFallbackRun(t.Context(), first.Run.ID, wa.FallbackRunLook); err != nil {
		t.Fatal(err)
	}
	second("while it is looked at", ErrFallbackOpen)
	if n, err := s.FallbackWaiting(t.Context(), first.Run.ID); n != 2 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	if _, err := s.SetFallbackRun(t.Context(), first.Run.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	second("when it goes out", nil)
}

// What waits expires so long after it was due, and not after the order: what is due
// when the hours come waits for them, and so does what they hold when it is taken. A
// provider that puts a message off does not make it younger.
func TestFallbackExpires(t *testing.T) {
	const hour = 3600
	s := open(t, t.TempDir())
	p := imported(t, s, 4, wa.CategoryUtility)
	claimed := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 4, Now: at(0)}).Messages
	for _, c := range claimed {
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131026})
	}
	run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(0), StartsAt: at(60), ExpiresAt: at(60 + 24*hour)}
	got, err := s.PlanFallback(t.Context(), run, 100, func(c *FallbackCandidate) (FallbackDraft, string) {
		d, _ := textTo(c)
		if c.Message == claimed[3].Message {
			d.Due = at(36 * hour) // after a holiday
		}
		return d, ""
	}, false)
	if err != nil || got.Run.Planned != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	held := claimed[2].Phone // its hours are over when it is taken
	hold := func(to string) wa.Instant {
		if to == held {
			return at(12 * hour)
		}
		return 0
	}
	taken, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 2, Now: at(2 * hour), Hold: hold})
	if err != nil || len(taken.Messages) != 2 {
		t.Fatalf("%+v, %v", taken, err)
	}
	for _, m := range taken.Messages { // put off for a day
		if err := s.SettleFallback(t.Context(), wa.FallbackOutcome{Attempt: m.Attempt, At: at(3 * hour), Due: at(27 * hour), Answer: wa.FallbackAnswer{Kind: wa.FallbackThrottled}}); err != nil {
			t.Fatal(err)
		}
	}
	if taken, err = s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 2, Now: at(3 * hour), Hold: hold}); err != nil || len(taken.Messages) != 0 {
		t.Fatalf("%+v, %v", taken, err)
	}
	for _, want := range []struct{ hour, ended int64 }{{24, 0}, {25, 2}, {33, 0}, {34, 1}, {59, 0}, {60, 1}} {
		if n, err := s.ExpireFallback(t.Context(), got.Run.ID, at(want.hour*hour)); n != want.ended || err != nil {
			t.Errorf("after %d hours %d expired, %v; want %d", want.hour, n, err, want.ended)
		}
	}
}

// However long an order takes to be planned, the time in which it can be undone is whole.
func TestUndoAfterALongPlan(t *testing.T) {
	var clock atomic.Int64
	clock.Store(int64(received))
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: func() time.Time { return wa.Instant(clock.Load()).Time() }, Decode: decode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p := imported(t, s, 1, wa.CategoryUtility)
	settle(t, s, wa.Outcome{Message: claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 1, Now: received}).Messages[0].Message, Kind: wa.OutcomeRefused, At: received, Code: 131026})
	run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: received, StartsAt: received + 60_000, ExpiresAt: received + 3_660_000}
	got, err := s.PlanFallback(t.Context(), run, 1, func(c *FallbackCandidate) (FallbackDraft, string) {
		clock.Add(50_000)
		return textTo(c)
	}, false)
	runs, _ := s.FallbackRuns(t.Context())
	if err != nil || len(runs) != 1 || runs[0].StartsAt != received+110_000 || runs[0].ExpiresAt != received+3_710_000 || got.Run.StartsAt != runs[0].StartsAt {
		t.Errorf("%+v, %v; stored %+v", got, err, runs)
	}
}

// What may have gone out is read from the oldest on, from where the reading before
// ended, and by the channels that are asked for.
func TestUnknownFallbacks(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 5, wa.CategoryUtility)
	for _, c := range claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 5, Now: at(0)}).Messages {
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131026})
	}
	got, err := s.PlanFallback(t.Context(), wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2)}, 100, textTo, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
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

// While nobody hears what arrives, who only looks undelivered waits; who failed does not.
func TestFallbackWhileStalled(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(failed("1", at(0), "autumn:1", 131026), status("2", wa.StatusSent, at(0), "autumn:2")))
	run := wa.FallbackRun{
		Campaign: campaigns(t, s)["autumn"].ID, Key: "autumn", Channels: []string{wa.ChannelSMS}, After: time.Minute, OrderedAt: at(100), StartsAt: at(100),
	}
	got, err := s.PlanFallback(t.Context(), run, 100, func(c *FallbackCandidate) (FallbackDraft, string) {
		return FallbackDraft{Channel: wa.ChannelSMS, To: c.Phone, Text: "Hello", Segments: 1, Cost: 45_000}, ""
	}, false)
	if err != nil || got.Run.Planned != 2 || got.Late != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		second  int64
		stalled bool
		want    string
	}{{200, true, "+351900000001"}, {201, false, ""}, {261, true, ""}, {322, false, "+351900000002"}} {
		taken, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 5, Now: at(c.second), Stalled: c.stalled})
		to := ""
		for _, m := range taken.Messages {
			to += m.To
		}
		if err != nil || to != c.want {
			t.Errorf("after %d s: %+v, %v; want %q", c.second, taken, err, c.want)
		}
	}
}

// What is cancelled while it is being planned stays so, however far the plan had come,
// and nothing of it waits.
func TestFallbackCancelledWhilePlanned(t *testing.T) {
	for _, when := range []int{131026, 131049} { // the second comes when the others have been planned
		s := open(t, t.TempDir())
		p := imported(t, s, 10, wa.CategoryUtility)
		for i, c := range claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 10, Now: at(0)}).Messages {
			code := 131026
			if i == 9 {
				code = 131049
			}
			settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: code})
		}
		run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, Codes: []int{131026, 131049}, OrderedAt: at(2), StartsAt: at(2)}
		_, err := s.PlanFallback(t.Context(), run, 100, func(c *FallbackCandidate) (FallbackDraft, string) {
			if c.Code == when {
				if _, err := s.SetFallbackRun(t.Context(), 1, wa.FallbackRunCancelled); err != nil {
					t.Error(err)
				}
			}
			if c.Code == 131049 {
				return FallbackDraft{}, "not this one"
			}
			return textTo(c)
		}, false)
		if !errors.Is(err, ErrPlanCancelled) {
			t.Errorf("cancelled at %d, the plan says: %v", when, err)
		}
		runs, err := s.FallbackRuns(t.Context())
		if err != nil || len(runs) != 1 || runs[0].State != wa.FallbackRunCancelled {
			t.Errorf("%+v, %v", runs, err)
		}
		if counts, err := s.FallbackCounts(t.Context()); err != nil || counts[p.Campaign].Waiting != 0 {
			t.Errorf("%+v, %v", counts, err)
		}
		if again, err := s.PlanFallback(t.Context(), run, 100, textTo, false); err != nil || again.Run.Planned != 10 {
			t.Errorf("ordered again: %+v, %v", again, err)
		}
	}
}

// A message that is put off again and again is tried less and less often, and
// holds up no other.
func TestFallbackPutOff(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 10, wa.CategoryUtility)
	for _, c := range claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 10, Now: at(0)}).Messages {
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131026})
	}
	got, err := s.PlanFallback(t.Context(), wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2)}, 100, textTo, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	tries := map[int64]int{}
	for second := range 600 {
		now := at(2) + wa.Instant(1000*second)
		got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 1, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got.Messages {
			tries[m.Attempt.ID]++
			o := wa.FallbackOutcome{Attempt: m.Attempt, At: now, Due: now + 1000, Answer: wa.FallbackAnswer{Kind: wa.FallbackAccepted}}
			if m.Attempt.ID == 1 {
				o.Answer.Kind = wa.FallbackThrottled
			}
			if err := s.SettleFallback(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := tries[1]; len(tries) != 10 || n < 5 || n > 15 {
		t.Errorf("in ten minutes one that is put off was tried %d times; tries of all: %v", n, tries)
	}

	// Cancelled while it is on its way, it waits no more.
	late := at(2) + wa.Instant(3_600_000)
	last, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 1, Now: late})
	if err != nil || len(last.Messages) != 1 {
		t.Fatalf("claimed: %+v, %v", last, err)
	}
	if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunCancelled); err != nil {
		t.Fatal(err)
	}
	if err := s.SettleFallback(t.Context(), wa.FallbackOutcome{Attempt: last.Messages[0].Attempt, At: late, Answer: wa.FallbackAnswer{Kind: wa.FallbackNotSent}}); err != nil {
		t.Fatal(err)
	}
	counts, err := s.FallbackCounts(t.Context())
	if n := counts[p.Campaign]; err != nil || n.Waiting != 0 || n.LeftOut != 1 || n.Pending != 0 {
		t.Errorf("of a cancelled run: %+v, %v", n, err)
	}
}

// Whom another channel reaches, or may have reached, WhatsApp does not try again;
// who failed there, too, it does.
func TestNoRetryBesideAFallback(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 4, wa.CategoryUtility)
	for _, c := range claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 4, Now: at(0)}).Messages {
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131053})
	}
	got, err := s.PlanFallback(t.Context(), wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2)}, 3, textTo, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	taken, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 2, Now: at(3)})
	if err != nil || len(taken.Messages) != 2 {
		t.Fatalf("%+v, %v", taken, err)
	}
	if err := s.SettleFallback(t.Context(), wa.FallbackOutcome{Attempt: taken.Messages[0].Attempt, At: at(4), Answer: wa.FallbackAnswer{Kind: wa.FallbackRejected}}); err != nil {
		t.Fatal(err)
	}
	again, err := s.Retry(t.Context(), p.Campaign, nil, func(Failed) string { return "" }, false)
	if err != nil || again.Queued != 2 || again.LeftOut["is reached by another channel"] != 2 {
		t.Errorf("one failed there, one may have gone out, one waits, one has none: %+v, %v", again, err)
	}
}

// An address that unsubscribed gets no mail again, whoever's row has it, now or in
// another list, until its person is released; and nobody's address gets two.
func TestAnAddressIsMailedOnceAndNotAgainstItsWish(t *testing.T) {
	s := open(t, t.TempDir())
	address := map[string]string{"name 0": "ana@example.com", "name 1": "Ana@Example.com", "name 2": "bea@example.com", "name 3": "cleo@example.com"}
	mailTo := func(c *FallbackCandidate) (FallbackDraft, string) {
		return FallbackDraft{Channel: wa.ChannelEmail, To: address[c.Values[0]], Text: "Hello", Segments: 1, Cost: 1_000}, ""
	}
	failing := func() wa.Plan {
		p := imported(t, s, 4, wa.CategoryUtility)
		for _, c := range claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 4, Now: at(0)}).Messages {
			settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131053})
		}
		return p
	}
	order := func(p wa.Plan, most int64, dry bool) FallbackPlanned {
		t.Helper()
		got, err := s.PlanFallback(t.Context(), wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelEmail}, OrderedAt: at(2), StartsAt: at(2)}, most, mailTo, dry)
		if err != nil {
			t.Fatal(err)
		}
		if dry {
			return got
		}
		if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
			t.Fatal(err)
		}
		return got
	}
	take := func(run int64) (all []wa.FallbackMessage) {
		t.Helper()
		got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{
			Run: run, Channel: wa.ChannelEmail, Limit: 10, Now: at(3), Hold: func(phone string) wa.Instant {
				if !strings.HasPrefix(phone, "+35190") {
					t.Errorf("the hours of a mail are asked for %q", phone)
				}
				return 0
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return got.Messages
	}
	unsubscribe := func(a wa.FallbackAttempt) {
		t.Helper()
		if err := s.Ingest(t.Context(), &wa.Post{
			Source: wa.BesideSource(wa.ChannelEmail), ReceivedAt: at(4), Replies: []wa.Reply{{Channel: wa.ChannelEmail, Attempt: a, At: at(4), OptedOut: true}},
		}); err != nil {
			t.Fatal(err)
		}
	}

	first := failing()
	if dry := order(first, 10, true); dry.Run.Planned != 3 || dry.LeftOut[reasonSameAddress] != 1 {
		t.Errorf("two of four have one address: %+v", dry)
	}
	gone := take(order(first, 10, false).Run.ID)
	if len(gone) != 3 {
		t.Fatalf("taken: %+v", gone)
	}
	if rest := order(first, 10, true); rest.Run.Planned != 0 || rest.LeftOut[reasonSameAddress] != 1 {
		t.Errorf("the fourth has none, but their address has: %+v", rest)
	}

	second := order(failing(), 10, false) // before the word, so that it waits
	if second.Run.Planned != 3 {
		t.Fatalf("%+v", second)
	}
	for _, m := range gone {
		if mailbox(m.To) == "ana@example.com" {
			unsubscribe(m.Attempt)
		}
	}
	address["name 3"] = "ANA@example.com" // who has another number in the next list
	third := failing()
	for range 2 { // also after a restart
		if dry := order(third, 10, true); dry.Run.Planned != 1 || dry.LeftOut[reasonUnsubscribed] == 0 {
			t.Errorf("of four, three have an address that unsubscribed: %+v", dry)
		}
		dir := s.dir
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
	}
	for _, m := range take(second.Run.ID) {
		if mailbox(m.To) == "ana@example.com" {
			t.Errorf("%s unsubscribed and is mailed", m.To)
		}
	}
	for phone := range 2 {
		if _, err := s.Release(t.Context(), fmt.Sprintf("+35190%07d", phone), false, []string{wa.RuleOptedOut}); err != nil {
			t.Fatal(err)
		}
	}
	if dry := order(third, 10, true); dry.Run.Planned != 2 {
		t.Errorf("after the release: %+v", dry)
	}
}

// A STOP from a national number is that of the only person whose number ends so; who
// cannot be told is counted as not understood, and nobody is made up.
func TestStopFromANationalNumber(t *testing.T) {
	s := open(t, t.TempDir())
	other := status("3", wa.StatusDelivered, at(0), "autumn:1")
	other.Phone = "44900000002" // ends as the second does
	ingest(t, s, statuses(status("1", wa.StatusDelivered, at(0), "autumn:1"), status("2", wa.StatusDelivered, at(0), "autumn:1"), other))
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost := func() (n int64) {
		if err := s.look(t.Context(), func(w *writer) error { n = w.feed.NotUnderstood; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, c := range []struct {
		from, who string // who = the phone that opted out; "" = nobody
	}{
		{"0900000001", "351900000001"},
		{"0900000002", ""}, // two end so
		{"000000", ""},
		{"900000", ""},
		{"0912345678", ""},
		{"Shop", ""},
	} {
		before := lost()
		if err := s.Ingest(t.Context(), &wa.Post{
			Source: wa.BesideSource(wa.ChannelSMS), ReceivedAt: at(int64(i + 1)), Replies: []wa.Reply{{Channel: wa.ChannelSMS, From: c.from, Text: "STOP", At: at(int64(i + 1))}},
		}); err != nil {
			t.Fatal(err)
		}
		if now := lost(); (now == before) != (c.who != "") {
			t.Errorf("%s: %d are not understood, before %d", c.from, now, before)
		}
		if c.who != "" && whyNot(t, s, c.who, wa.ChannelSMS, false, at(9)) == "" {
			t.Errorf("%s: %s may be written to", c.from, c.who)
		}
	}
	var people int
	if err := s.readers.QueryRow("SELECT count(*) FROM person").Scan(&people); err != nil || people != 3 {
		t.Errorf("%d people, %v", people, err)
	}
}

// A price is taken as it was billed in the run's currency only, and what would go over
// the budget by it does not go out.
func TestFallbackBudget(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 4, wa.CategoryUtility)
	for _, c := range claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 4, Now: at(0)}).Messages {
		settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131053})
	}
	got, err := s.PlanFallback(t.Context(), wa.FallbackRun{
		Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2), Currency: "EUR", Budget: 4 * 45_000,
	}, 100, textTo, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	take := func() wa.FallbackMessage {
		t.Helper()
		got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 1, Now: at(3)})
		if err != nil || len(got.Messages) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		return got.Messages[0]
	}
	counts := func() wa.FallbackCounts {
		t.Helper()
		all, err := s.FallbackCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all[p.Campaign]
	}
	first, second := take(), take()
	if err := s.SettleFallback(t.Context(), wa.FallbackOutcome{
		Attempt: first.Attempt, At: at(4), Answer: wa.FallbackAnswer{Kind: wa.FallbackAccepted, Price: 7.5, Currency: "JPY"},
	}); err != nil {
		t.Fatal(err)
	}
	if n := counts(); n.Cost != 45_000 || n.Begun != 45_000 {
		t.Errorf("billed in another currency: %+v", n)
	}
	if err := s.Ingest(t.Context(), &wa.Post{Source: wa.BesideSource(wa.ChannelSMS), ReceivedAt: at(5), Receipts: []wa.FallbackReceipt{
		{Channel: wa.ChannelSMS, Attempt: first.Attempt, State: wa.FallbackSent, Price: 0.05, Currency: "EUR"},
		{Channel: wa.ChannelSMS, Attempt: second.Attempt, State: wa.FallbackSent, Price: 0.05},
	}}); err != nil {
		t.Fatal(err)
	}
	if n := counts(); n.Cost != 95_000 {
		t.Errorf("billed in the run's: %+v", n)
	}
	take()
	if last, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 1, Now: at(6)}); err != nil || len(last.Messages) != 0 {
		t.Errorf("over the budget: %+v, %v", last, err)
	}
	if n := counts(); n.LeftOut != 1 || n.Waiting != 1 {
		t.Errorf("%+v", n)
	}
}
