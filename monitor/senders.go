package monitor

import (
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// senders is who sends what an alarm is about, as far as something goes out or waits.
// It decides what the alarm advises: a key here pauses nothing that is sent elsewhere.
type senders struct {
	open    bool // a campaign of ours goes out
	paused  bool // one of ours waits behind a pause
	outside bool // another system's goes out
}

// sendersOf looks at the campaigns that an alarm concerns. m.mu is held.
func (m *Monitor) sendersOf(now wa.Instant, v *queue.View, concerns func(l *live) bool) (s senders) {
	for _, l := range m.campaigns {
		if !concerns(l) {
			continue
		}
		switch out := m.goesOut(now, v, l); {
		case !l.Own:
			s.outside = s.outside || out
		case out:
			s.open = true
		case l.sending:
			s.paused = true
		}
	}
	return s
}

// own tells whether something of ours goes out or waits.
func (s senders) own() bool { return s.open || s.paused }

// stopAll is what comes first while Meta takes no message of the account.
func (s senders) stopAll() string {
	var all []string
	switch {
	case s.open:
		all = append(all, "Pause everything (!): Meta refuses what goes out from it.")
	case s.paused:
		all = append(all, "It is paused: nothing of ours goes out. Resume (u) when Meta has lifted it.")
	}
	if s.outside {
		all = append(all, "Stop the send where it is sent from: it fails.")
	}
	return join(all...)
}
