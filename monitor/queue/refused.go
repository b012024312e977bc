package queue

import (
	"cmp"
	"fmt"
	"time"

	"tickwatch/wa"
)

// refused takes in a refusal of a request that began at a moment, and says in o
// what becomes of its message. q.mu is held.
func (q *Queue) refused(t *ticket, r *wa.Refusal, began, now time.Time, o *wa.Outcome) {
	c, n := t.campaign, t.number
	o.Kind, o.Code, o.Details = wa.OutcomeAgain, r.Code, cmp.Or(r.Details, r.Message)
	class := r.Class()
	switch {
	case began.IsZero(): // Meta was not asked: it would be of no use
		began = t.launched
	case class == wa.ClassSlow:
		n.slow(r, began, now, q.sentLately(n, now))
	default:
		n.accepted()
	}
	if q.leaves(class) {
		o.Due = wa.At(now.Add(leftFor))
		return
	}
	switch class {
	case wa.ClassSlow:
		c.slowedOne(t, r, now, o)
	case wa.ClassPair:
		before := c.faults[t.Recipient]
		o.Due = wa.At(now.Add(time.Second << (2 * min(before.pair, pairMost)))) // 4^n s
		before.pair++
		c.faults[t.Recipient] = before
	case wa.ClassAccount:
		q.closeByItself(began, place{scopeAll, ""}, r, now, "Everything is paused: Meta refuses all that we send. Nobody is marked as failed.")
	case wa.ClassNumber:
		q.closeByItself(began, place{scopeNumber, n.id}, r, now, "This number is paused: Meta restricts it. What waits for it waits on.")
	case wa.ClassTemplate:
		if !c.atFault(t, r, now, o) && q.closeTemplate(began, t.plan, r, now) {
			c.blamed[t.Recipient] = blame{at: now}
		}
	case wa.ClassRecipient:
		c.refusedOne(t, r, now, o)
	}
}

// leftFor is how long a message waits that Meta refused for what closes no gate here.
const leftFor = time.Minute

// leaves tells whether the operator wants no gate closed for a class of refusals.
func (q *Queue) leaves(class wa.Class) bool {
	return class == wa.ClassTemplate && q.o.LeaveTemplates || class == wa.ClassAccount && q.o.LeaveAccount
}

// stepBack is how long others go before a row that may be at fault.
const stepBack = 10 * time.Second

// blame is what is held against a row whose refusal closed gates.
type blame struct {
	at    time.Time // when it did: what begins later begins after a resume
	again bool      // it was let off once since
}

// atFault decides on a refusal that closes gates, if this row's closed one before:
// it closes none then. The row steps back behind others; if they go out and it is
// refused once more, the fault is its own, and it fails.
func (c *campaign) atFault(t *ticket, r *wa.Refusal, now time.Time, o *wa.Outcome) bool {
	b, ok := c.blamed[t.Recipient]
	switch {
	case ok && c.went.After(b.at):
		c.refusedOne(t, r, now, o)
	case ok && !b.again:
		b.again = true
		c.blamed[t.Recipient] = b
		o.Due = wa.At(now.Add(stepBack))
	default:
		return false
	}
	return true
}

// sentLately is how many messages a second went out from a number lately.
func (q *Queue) sentLately(n *number, now time.Time) float64 {
	q.gates.mu.Lock()
	defer q.gates.mu.Unlock()
	return n.gate.begun.perSecond(now)
}

// tries counts how often a row was sent back, and why, since the daemon began.
type tries struct{ platform, pair int }

// slowedOne decides on a message that met a rate limit, or Meta at fault. Rate
// limits send it back to its place, however often.
func (c *campaign) slowedOne(t *ticket, r *wa.Refusal, now time.Time, o *wa.Outcome) {
	switch r.Code {
	case 1, 2, 131000, 131016, 131027, 133004:
	default:
		return
	}
	before := c.faults[t.Recipient]
	if before.platform >= platformTries {
		c.refusedOne(t, r, now, o)
		return
	}
	o.Due = wa.At(now.Add(platformDelay << (2 * before.platform)))
	before.platform++
	c.faults[t.Recipient] = before
}

// acceptedOne notes that Meta took a message.
func (c *campaign) acceptedOne(t *ticket, began time.Time) {
	if began.After(c.went) {
		c.went = began
	}
	c.sameCount = 0
	delete(c.faults, t.Recipient)
	delete(c.blamed, t.Recipient)
}

// refusedOne refuses a message for good. Many that are refused for the same
// reason in a row are a fault of the list or the template, and not of people.
func (c *campaign) refusedOne(t *ticket, r *wa.Refusal, now time.Time, o *wa.Outcome) {
	o.Kind, o.Code, o.Details = wa.OutcomeRefused, r.Code, cmp.Or(r.Details, r.Message)
	delete(c.faults, t.Recipient)
	delete(c.blamed, t.Recipient)
	if c.sameCode != r.Code || c.sameCount == 0 {
		c.sameCode, c.sameCount = r.Code, 0
	}
	if c.sameCount++; c.sameCount < sameRefusals {
		return
	}
	c.sameCount = 0
	c.q.closeByItself(t.launched, place{scopeCampaign, c.plan.Key}, r, now,
		fmt.Sprintf("Paused: %d messages in a row were refused for the same reason. Look at the list and the template.", sameRefusals))
}

// closeByItself closes a gate for a refusal, and tells of it. It tells whether the
// gate was open.
func (q *Queue) closeByItself(began time.Time, p place, r *wa.Refusal, now time.Time, text string) bool {
	reason := reasonOf(r)
	if !q.gates.closeAfter(began, p, reason, now) {
		return false
	}
	q.keeper.nudge()
	q.nudgeAll()
	q.notices.tell(Incident{Scope: p.scope, ID: p.id, Code: r.Code, Text: text + " Reason: " + reason})
	return true
}

// closeTemplate closes the gates of all campaigns that use a plan's template. It
// tells whether one was open.
func (q *Queue) closeTemplate(began time.Time, used *wa.Plan, r *wa.Refusal, now time.Time) (closed bool) {
	text := fmt.Sprintf("Paused: Meta does not take the template %s. What waits can go out with another one.", wa.Clean(used.Form.Name))
	for _, c := range q.campaigns {
		if sameTemplate(&c.plan.Form, &used.Form) && c.plan.State != wa.PlanCancelled {
			closed = q.closeByItself(began, place{scopeCampaign, c.plan.Key}, r, now, text) || closed
		}
	}
	return closed
}

func sameTemplate(a, b *wa.TemplateForm) bool { return a.Name == b.Name && a.Language == b.Language }

// reasonOf is a refusal in a few words for people.
func reasonOf(r *wa.Refusal) string {
	details := wa.Clean(cmp.Or(r.Details, r.Message))
	if r.Code == 0 && r.HTTP == 0 {
		return details
	}
	text := fmt.Sprintf("%d %s", r.Code, wa.Explain(r.Code, r.Message).Title)
	if e, ok := wa.LookUp(r.Code); ok {
		text = fmt.Sprintf("%d %s (%s)", r.Code, e.Title, e.Hint)
	}
	return text
}
