package queue

import (
	"slices"
	"time"

	"tickwatch/wa"
)

// settling is how long after a resume failures may still be of messages that went
// out before it, and close nothing again.
const settling = 30 * time.Second

// Failed tells of messages of a campaign that Meta took and failed later with a
// code, from numbers of ours. It does what the same code does as an answer: the
// messages have failed, those that wait need not. A rate limit slows down the
// campaign's numbers; a code of one person alone does nothing.
func (q *Queue) Failed(campaign int64, code int, numbers []string) {
	r := &wa.Refusal{Code: code}
	now := q.o.Now()
	began := now.Add(-settling)
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.campaigns[campaign]
	if c == nil || q.leaves(wa.ClassOf(code)) {
		return
	}
	switch wa.ClassOf(code) {
	case wa.ClassAccount:
		q.closeByItself(began, place{scopeAll, ""}, r, now, "Everything is paused: Meta fails all that we send.")
	case wa.ClassNumber:
		if len(numbers) == 1 || len(c.plan.From) == 1 { // else it is not known which one
			q.closeByItself(began, place{scopeNumber, slices.Concat(numbers, c.plan.From)[0]}, r, now, "This number is paused: Meta restricts it. What waits for it waits on.")
		} else {
			q.closeByItself(began, place{scopeCampaign, c.plan.Key}, r, now, "Paused: Meta restricts one of its numbers.")
		}
	case wa.ClassTemplate:
		q.closeTemplate(began, c.plan, r, now)
	case wa.ClassSlow:
		for _, l := range c.lanes {
			l.number.slow(r, now, now, q.sentLately(l.number, now))
		}
	case wa.ClassRecipient, wa.ClassPair:
	}
}

// TemplateLocked is the reason of a campaign that is paused since Meta locked its
// template: no code says that.
const TemplateLocked = "Meta locked its template"

// TemplateStopped tells that Meta has paused, disabled or locked a template: the
// campaigns that use it are paused before it refuses their messages.
func (q *Queue) TemplateStopped(name, language, status string) {
	r := &wa.Refusal{Code: wa.CodeTemplatePaused, Details: "Meta says " + wa.Clean(status)}
	switch status {
	case "DISABLED":
		r.Code = wa.CodeTemplateDisabled
	case "LOCKED":
		r = &wa.Refusal{Details: TemplateLocked}
	}
	if q.o.LeaveTemplates {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.o.Now()
	used := wa.Plan{Form: wa.TemplateForm{Name: name, Language: language}}
	q.closeTemplate(now, &used, r, now)
}

// AccountStopped tells why Meta takes no message of our account any more: everything is
// paused before it refuses one.
func (q *Queue) AccountStopped(why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.o.LeaveAccount || len(q.campaigns) == 0 {
		return
	}
	now := q.o.Now()
	q.closeByItself(now, place{scopeAll, ""}, &wa.Refusal{Details: why}, now, "Everything is paused: Meta takes nothing that we send. Nobody is marked as failed.")
}
