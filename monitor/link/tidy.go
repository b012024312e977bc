package link

import (
	"encoding/json"
	"math"
	"slices"
	"time"
)

// plainSnapshot is a Snapshot without its MarshalJSON.
type plainSnapshot Snapshot

// MarshalJSON keeps the promises of the wire whoever made the Snapshot: lists
// are arrays and never null, times are UTC, and a figure that is no number (a
// share of nothing) is absent. The Snapshot itself is not touched.
func (s Snapshot) MarshalJSON() ([]byte, error) { return json.Marshal(plainSnapshot(s.tidied())) }

// MarshalJSON writes its lists as arrays, never null.
func (f Found) MarshalJSON() ([]byte, error) {
	type plain Found
	f.Messages = each(f.Messages, (*Message).tidy)
	f.Held = each(f.Held, func(h *Held) { h.Since, h.Until = utc(h.Since), utc(h.Until) })
	f.Queued = each(f.Queued, func(q *Queued) { q.Due = utc(q.Due) })
	f.Beside = each(f.Beside, func(r *Reached) { r.Due, r.TriedAt, r.ToldAt = utc(r.Due), utc(r.TriedAt), utc(r.ToldAt) })
	return json.Marshal(plain(f))
}

// MarshalJSON writes Messages as an array, never null.
func (f Failures) MarshalJSON() ([]byte, error) {
	type plain Failures
	f.Messages = each(f.Messages, (*Message).tidy)
	return json.Marshal(plain(f))
}

// tidied is a copy fit for the wire; it shares no list with s.
func (s *Snapshot) tidied() Snapshot {
	t := *s
	t.At = t.At.UTC()
	t.Feed.LastEventAt = utc(t.Feed.LastEventAt)
	t.Feed.CallbackRate = known(t.Feed.CallbackRate)
	t.Feed.PerSecond = orZero(t.Feed.PerSecond)
	t.Feed.Trend = each(s.Feed.Trend, func(m *FeedMinute) { m.At, m.AnswerP99MS = m.At.UTC(), known(m.AnswerP99MS) })
	if q := t.Feed.AnswerMS; q != nil && !(finite(q.P50) && finite(q.P99)) {
		t.Feed.AnswerMS = nil
	}
	t.Host.CPU, t.Host.Memory = known(t.Host.CPU), known(t.Host.Memory)
	t.Host.Disk, t.Host.Queue = known(t.Host.Disk), known(t.Host.Queue)
	t.Channels = each(s.Channels, nil)
	t.Gates = each(s.Gates, func(g *Gate) { g.Since, g.OpensAt = g.Since.UTC(), utc(g.OpensAt) })
	t.Campaigns = each(s.Campaigns, (*Campaign).tidy)
	t.Numbers = each(s.Numbers, func(n *Number) {
		n.ThroughputMPS = known(n.ThroughputMPS)
		n.Since, n.LimitReachedAt, n.QualitySince, n.AskedAt = utc(n.Since), utc(n.LimitReachedAt), utc(n.QualitySince), utc(n.AskedAt)
	})
	t.Templates = each(s.Templates, func(t *Template) {
		t.PausedUntil, t.QualitySince, t.NextCategoryAt = utc(t.PausedUntil), utc(t.QualitySince), utc(t.NextCategoryAt)
	})
	t.Limits = each(s.Limits, func(l *Limit) { l.CountedAt, l.ReachedAt = l.CountedAt.UTC(), utc(l.ReachedAt) })
	t.Alarms = each(s.Alarms, func(a *Alarm) {
		a.RaisedAt, a.ActedAt, a.ClearedAt, a.Until = a.RaisedAt.UTC(), utc(a.ActedAt), utc(a.ClearedAt), utc(a.Until)
		a.SnoozedUntil = utc(a.SnoozedUntil)
	})
	t.Actions = each(s.Actions, func(a *Action) { a.At = a.At.UTC() })
	return t
}

func (c *Campaign) tidy() {
	c.StartedAt = utc(c.StartedAt)
	c.Numbers = each(c.Numbers, nil)
	c.First30.tidy()
	c.Trend = each(c.Trend, func(m *Minute) { m.At = m.At.UTC() })
	c.Reports.tidy()
	if b := c.Blast; b != nil {
		c.Blast = &Blast{b.SentPerMinute, b.FailuresLow, b.FailuresHigh, known(b.LimitShare)}
	}
	c.Errors = each(c.Errors, func(e *Error) {
		e.Share = orZero(e.Share)
		e.Trend = each(e.Trend, nil)
	})
	c.Sending = c.Sending.tidied()
	c.Fallback.tidy()
	c.Engagement = c.Engagement.tidied()
	c.Seeds = c.Seeds.tidied()
	c.ClustersAt = utc(c.ClustersAt)
	c.Clusters = slices.DeleteFunc(each(c.Clusters, func(k *Cluster) {
		k.Explains, k.Sends = orZero(k.Explains), orZero(k.Sends)
		k.Examples = each(k.Examples, func(e *ClusterExample) { e.SentAt = utc(e.SentAt) })
	}), func(k Cluster) bool {
		return !finite(k.Lift) || !finite(k.PAdjusted)
	})
}

func (r *Reports) tidy() {
	r.Rate, r.Known, r.Least = known(r.Rate), known(r.Known), known(r.Least)
	r.ReportedAt, r.BlockedAt = utc(r.ReportedAt), utc(r.BlockedAt)
	r.Trend = each(r.Trend, nil)
	if r.Comparison != nil {
		c := *r.Comparison
		c.At = c.At.UTC()
		r.Comparison = &c
	}
}

func (f *Fallback) tidy() {
	f.Cost = orZero(f.Cost)
	if f.Run == nil {
		return
	}
	r := *f.Run
	r.Channels, r.Ordered, r.StartsAt = each(r.Channels, nil), r.Ordered.UTC(), r.StartsAt.UTC()
	f.Run = &r
}

// tidied is a copy; nil of nil.
func (w *Sending) tidied() *Sending {
	if w == nil {
		return nil
	}
	t := *w
	t.PerSecond = orZero(w.PerSecond)
	t.StartsAt, t.ExpiresAt, t.EndsAt = utc(w.StartsAt), utc(w.ExpiresAt), utc(w.EndsAt)
	if w.Aside != nil {
		t.Aside = each(w.Aside, nil)
	}
	if w.Ramp != nil {
		t.Ramp = &Ramp{Shares: each(w.Ramp.Shares, nil), Step: w.Ramp.Step}
	}
	return &t
}

// tidied is a copy; nil of nil.
func (s *Seeds) tidied() *Seeds {
	if s == nil {
		return nil
	}
	t := *s
	t.MedianSeconds = known(s.MedianSeconds)
	t.LastSentAt, t.LastDeliveredAt = utc(s.LastSentAt), utc(s.LastDeliveredAt)
	return &t
}

func (f *First30) tidy() {
	f.From, f.To = utc(f.From), utc(f.To)
	f.Observed, f.Settled = known(f.Observed), known(f.Settled)
	f.Projected, f.Low, f.High = known(f.Projected), known(f.Low), known(f.High)
	f.ByAge = slices.DeleteFunc(each(f.ByAge, nil), func(a AgeShare) bool { return !finite(a.Share) })
}

func (m *Message) tidy() {
	m.SentAt, m.DeliveredAt = utc(m.SentAt), utc(m.DeliveredAt)
	m.ReadAt, m.FailedAt = utc(m.ReadAt), utc(m.FailedAt)
}

// each copies a list, mends every element of the copy, and is never nil.
func each[T any](list []T, mend func(*T)) []T {
	out := make([]T, len(list))
	copy(out, list)
	for i := range out {
		if mend != nil {
			mend(&out[i])
		}
	}
	return out
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// known drops a figure that JSON cannot carry: it is not known.
func known(f *float64) *float64 {
	if f == nil || !finite(*f) {
		return nil
	}
	return f
}

func orZero(f float64) float64 {
	if !finite(f) {
		return 0
	}
	return f
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
