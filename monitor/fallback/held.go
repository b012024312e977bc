package fallback

import (
	"tickwatch/wa"
)

// Held says why nothing of a run goes out now, in a few words; "" when something
// does, is about to, or nothing is left.
func (e *Engine) Held(r *wa.FallbackRun) string {
	if r.State != wa.FallbackRunLook && r.State != wa.FallbackRunRunning {
		return ""
	}
	for _, channel := range r.Channels {
		l := e.lanes[channel]
		if l == nil {
			return "no provider of " + channel + " is set up"
		}
		if why := e.o.Gate(channel, r.Key).Barred(); why != "" {
			return why
		}
		if why := e.waits(l, r); why != "" {
			return why
		}
	}
	return ""
}

// waits says why a channel sends nothing of a run.
func (e *Engine) waits(l *lane, r *wa.FallbackRun) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.o.Now()
	switch left, asked := l.left[r.ID]; {
	case looked(r):
		return "the first are out: look, then r sends the rest"
	case asked && left == 0, l.open[r.ID] > 0:
		return ""
	case l.rest.After(now) && l.problem != "":
		return l.problem + ", next try " + l.rest.Format("15:04:05")
	case asked && l.stalled[r.ID]:
		return "who looks undelivered waits until the webhooks are live again"
	case asked && l.next[r.ID] > wa.At(now):
		return "waits for the allowed hours, from " + l.next[r.ID].Time().Local().Format("Mon 15:04")
	}
	return ""
}
