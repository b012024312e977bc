package monitor

import (
	"math"
	"slices"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// beside is what waits of a fallback by one channel.
type beside struct {
	channel, campaign string // its key
	waiting           int64
	going             int64 // before somebody must look at the first ones
}

// besides are the messages by other channels than WhatsApp that a gate holds back.
// m.mu is held.
func (m *Monitor) besides(scope, id string) (all []beside) {
	for run, waits := range m.fallbackWaits {
		r, known := m.runs[run]
		if !known || r.State == wa.FallbackRunPlanning || r.State == wa.FallbackRunCancelled {
			continue
		}
		room := int64(math.MaxInt64)
		if r.State != wa.FallbackRunRunning && r.LookAfter > 0 && r.LookAfter < r.Planned {
			room = max(r.LookAfter-r.Taken, 0)
		}
		for i, channel := range wa.FallbackChannels {
			going := min(waits[i], room)
			room -= going
			if waits[i] > 0 && queue.Crosses(scope, id, channel, r.Key) {
				all = append(all, beside{channel, r.Key, waits[i], going})
			}
		}
	}
	return all
}

// besideOf counts what a gate holds back by other channels than WhatsApp, and how
// much of it goes out once that gate is open.
func (m *Monitor) besideOf(scope, id string) (all []link.Beside) {
	view := m.queue.View()
	m.mu.Lock()
	defer m.mu.Unlock()
	sums := make([]link.Beside, len(wa.FallbackChannels))
	for _, b := range m.besides(scope, id) {
		sum := &sums[slices.Index(wa.FallbackChannels, b.channel)]
		sum.Channel = b.channel
		sum.Waiting += b.waiting
		if !view.StopFile && !slices.ContainsFunc(view.Gates, func(g wa.Gate) bool {
			return g.Closed && (g.Scope != scope || g.ID != id) && queue.Crosses(g.Scope, g.ID, b.channel, b.campaign)
		}) {
			sum.Going += b.going
		}
	}
	return slices.DeleteFunc(sums, func(b link.Beside) bool { return b.Waiting == 0 })
}

// takeOff takes what is on its way off what waits.
func takeOff(all []link.Beside, open int64) {
	for i := range all {
		gone := min(open, all[i].Waiting)
		all[i].Waiting, all[i].Going, open = all[i].Waiting-gone, max(all[i].Going-gone, 0), open-gone
	}
}

// ofOther tells whether a gate is that of a channel other than WhatsApp: what waits
// there is all it holds back.
func ofOther(scope, id string) bool { return scope == link.ScopeChannel && id != channelWhatsApp }

// goesBeside tells whether anything goes out by another channel.
func goesBeside(all []link.Beside) bool {
	return slices.ContainsFunc(all, func(b link.Beside) bool { return b.Going > 0 })
}

// spaced is a further sentence; "" stays so.
func spaced(sentence string) string { return strings.TrimRight(" "+sentence, " ") }
