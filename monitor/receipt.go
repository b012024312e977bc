package monitor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// channelNames are the channels as people write them.
var channelNames = map[string]string{channelWhatsApp: "WhatsApp", "sms": "SMS", "voice": "Voice", "email": "E-mail"}

// channelWhatsApp is the channel through which everything goes that the queue sends.
const channelWhatsApp = "whatsapp"

// placeName begins a sentence about what was commanded. A campaign keeps its own
// name as it is written.
func placeName(scope, id string, l *live) string {
	switch {
	case l != nil:
		return "Campaign " + wa.Clean(l.Name)
	case scope == link.ScopeAll:
		return "Everything"
	case scope == link.ScopeChannel:
		return channelNames[id]
	}
	return "Number " + wa.Clean(id)
}

// holds tells whether a gate keeps messages of one of our own campaigns. m.mu is held.
func (m *Monitor) holds(scope, id string, c *live) bool {
	switch scope {
	case link.ScopeAll:
		return true
	case link.ScopeChannel:
		return id == channelWhatsApp
	case link.ScopeNumber:
		return slices.Contains(m.planOf(c).From, id)
	}
	return c.Key == id
}

// receipt fills in the counts of a campaign.
func (m *Monitor) receipt(command string, l *live) link.Receipt {
	return m.receiptOf(command, link.ScopeCampaign, l.Key, l)
}

// receiptOf fills in the counts of what a gate keeps back.
func (m *Monitor) receiptOf(command, scope, id string, l *live) link.Receipt {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := link.Receipt{CommandID: command, Outside: "none", Stored: true}
	for _, c := range m.campaigns {
		if c.Own && m.holds(scope, id, c) {
			r.Waiting += c.Counts.Waiting + c.Counts.SetAside + c.Counts.Claimed
			r.HandedOver += c.Counts.Messages
			r.Unknown += c.Counts.Unknown
		}
	}
	if l != nil && !l.Own {
		r.HandedOver = l.Counts.Messages
	}
	if ofOther(scope, id) {
		for _, b := range m.besides(scope, id) {
			r.Waiting += b.waiting
		}
		for _, n := range m.fallbackCounts {
			r.HandedOver += n.Accepted
			r.Unknown += n.Unknown
		}
	}
	return r
}

// going counts what waits behind a gate and may go out, now that it is open: of
// campaigns that are started, and that nothing else keeps back.
func (m *Monitor) going(scope, id string) (n int64) {
	view := m.queue.View()
	m.mu.Lock()
	defer m.mu.Unlock()
	if view.StopFile {
		return 0
	}
	for _, c := range m.campaigns {
		if !c.Own || !m.holds(scope, id, c) {
			continue
		}
		if p := m.planOf(c); p.State == wa.PlanRunning && !m.heldByGate(&view, c, &p) {
			n += c.Counts.Waiting + c.Counts.Claimed
		}
	}
	return n
}

// maxNamed is how many gates a receipt names.
const maxNamed = 5

// stillPaused names the gates that keep back what another one does not, as the
// end of a sentence; "" when there are none.
func (m *Monitor) stillPaused(scope, id string, l *live) string {
	closed := m.closed(scope, id, l)
	if len(closed) == 0 {
		return ""
	}
	var names []string
	for _, g := range closed[:min(len(closed), maxNamed)] {
		names = append(names, gateName(g.Scope, g.ID))
	}
	if more := len(closed) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return " Still paused: " + strings.Join(names, ", ") + "."
}

// closed are the other closed gates that keep back what a gate does: those that
// one of our own campaigns goes through, which goes through that gate, and is l if
// that is given; and those that hold what waits there by other channels.
func (m *Monitor) closed(scope, id string, l *live) (closed []wa.Gate) {
	view := m.queue.View()
	m.mu.Lock()
	defer m.mu.Unlock()
	var kept []*live
	for _, c := range m.campaigns {
		if c.Own && (l == nil || c == l) && m.holds(scope, id, c) && m.planOf(c).State != wa.PlanCancelled {
			kept = append(kept, c)
		}
	}
	waits := m.besides(scope, id)
	for _, g := range view.Gates {
		other := g.Closed && (g.Scope != scope || g.ID != id)
		if other && (slices.ContainsFunc(kept, func(c *live) bool { return m.holds(g.Scope, g.ID, c) }) ||
			slices.ContainsFunc(waits, func(b beside) bool { return queue.Crosses(g.Scope, g.ID, b.channel, b.campaign) })) {
			closed = append(closed, g)
		}
	}
	return closed
}

func pauseText(scope, id string, l *live, r *link.Receipt) string {
	name := placeName(scope, id, l)
	beside := link.WaitingBeside(r.Beside, count)
	var b strings.Builder
	switch {
	case l != nil && !l.Own:
		text := name + " is noted as paused, but another system sends it: pause it there too."
		if beside != "" {
			text += " " + beside + " waiting and safe."
		}
		return text
	case r.Already:
		fmt.Fprintf(&b, "%s was paused already.", name)
	default:
		fmt.Fprintf(&b, "%s is paused.", name)
	}
	if ofOther(scope, id) {
		own := link.Beside{Channel: id}
		fmt.Fprintf(&b, " %s %s waiting and safe.", count(r.Waiting), own.Noun(r.Waiting))
		if gone := r.HandedOver + r.Unknown + int64(r.OpenRequests); gone > 0 {
			fmt.Fprintf(&b, " By other channels %s gone out and cannot be recalled.", hasHave(gone))
		}
		b.WriteString(" What goes out through WhatsApp is not paused.")
	} else {
		if r.OpenRequests > 0 {
			fmt.Fprintf(&b, " %s already on their way to Meta.", count(int64(r.OpenRequests)))
		}
		if r.OpenBeside > 0 {
			fmt.Fprintf(&b, " %s already on their way by other channels.", count(int64(r.OpenBeside)))
		}
		switch {
		case beside == "":
			fmt.Fprintf(&b, " %s waiting and safe.", count(r.Waiting))
		case r.Waiting == 0:
			fmt.Fprintf(&b, " %s waiting and safe.", beside)
		default:
			fmt.Fprintf(&b, " %s and %s waiting and safe.", count(r.Waiting), beside)
		}
	}
	if !r.Stored {
		b.WriteString(" It holds, but is not on the disk yet: it is tried on.")
	}
	return b.String()
}

// resumeText says what a resume lets go out, and what it does not.
func (m *Monitor) resumeText(scope, id string, l *live, r *link.Receipt, besides []link.Beside, at *time.Time) string {
	name := placeName(scope, id, l)
	if at != nil && at.After(m.o.Now()) && !r.Already {
		return fmt.Sprintf("%s resumes at %s.", name, at.UTC().Format("2006-01-02 15:04 UTC")) + spaced(link.GoingBeside(besides, !ofOther(scope, id), count))
	}
	going, waiting := m.going(scope, id), r.Waiting
	if ofOther(scope, id) {
		waiting = 0 // which is among besides
	}
	beside := spaced(link.GoingBeside(besides, going > 0, count))
	text := ""
	switch {
	case r.Already && scope == link.ScopeAll:
		beside = ""
		text = "There was no pause of everything to end."
	case r.Already:
		beside = ""
		text = name + " was not paused."
	case l != nil && !l.Own:
		text = name + " is not noted as paused any more. Another system sends it: resume it there."
		if beside == "" {
			return text
		}
	case going > 0:
		text = fmt.Sprintf("%s goes on: %s waiting to go out.", name, count(going))
	case waiting > 0 && goesBeside(besides):
		text = name + " is not paused any more, but nothing of it goes out by WhatsApp yet."
	case waiting > 0 || beside != "" && !goesBeside(besides):
		text = name + " is not paused any more, but nothing of it goes out yet."
	case beside != "":
		text = name + " is not paused any more."
	default:
		text = name + " is not paused any more. Nothing is waiting."
	}
	return text + beside + m.stillPaused(scope, id, l)
}

// startText says what a start lets go out.
func (m *Monitor) startText(l *live, plan *wa.Plan, r *link.Receipt, a *link.StartArgs) string {
	name := placeName(link.ScopeCampaign, l.Key, l)
	switch {
	case r.Already:
		return name + " was started already."
	case a.At != nil && a.At.After(m.o.Now()):
		return fmt.Sprintf("%s starts at %s: %s waiting.", name, a.At.UTC().Format("2006-01-02 15:04 UTC"), count(r.Waiting))
	case m.going(link.ScopeCampaign, l.Key) == 0 && r.Waiting > 0:
		text := fmt.Sprintf("%s is started, but nothing goes out yet: %s waiting.", name, count(r.Waiting))
		if m.gated(l) {
			text += " It is paused: resume it."
		}
		return text + m.stillPaused(link.ScopeCampaign, l.Key, l)
	}
	pace := "at " + plan.Pace.String()
	if plan.Pace == (wa.Pace{}) {
		pace = "as fast as Meta takes them"
	}
	return fmt.Sprintf("%s goes out: %s waiting, %s.", name, count(r.Waiting), pace)
}

// gated tells whether a campaign is itself paused.
func (m *Monitor) gated(l *live) bool {
	view := m.queue.View()
	return gateClosed(&view, link.ScopeCampaign, l.Key)
}
