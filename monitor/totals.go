package monitor

// Totals are sums over every campaign and every open alarm, where a snapshot is
// bounded: for those who watch the daemon itself.
type Totals struct {
	Messages  int64 // with Meta
	Delivered int64 // of them, read ones included
	Read      int64 // of them
	Failed    int64 // and never delivered, those that Meta refused at once included
	Open      map[AlarmClass]int
	Queue     QueueTotals
}

// QueueTotals are sums over our own campaigns.
type QueueTotals struct {
	Waiting, SetAside, Claimed, Unknown, Cancelled, Refused, HandedOver int64

	OpenRequests   int     // on their way to Meta
	BegunPerSecond float64 // over the last ten seconds
	PausedGates    int
	StopFile       bool // pauses everything
}

// AlarmClass is what alarms are counted by; its texts are those of link.Alarm.
type AlarmClass struct{ Kind, Severity string }

// Totals adds up what is in memory. It reads nothing from the disk.
func (m *Monitor) Totals() Totals {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := Totals{Open: map[AlarmClass]int{}}
	q := &t.Queue
	for _, l := range m.campaigns {
		n := &l.Counts
		t.Messages += n.Messages
		t.Delivered += n.Delivered
		t.Read += n.Read
		t.Failed += n.Failed
		if l.Own {
			q.HandedOver += n.Messages
			q.Waiting += n.Waiting
			q.SetAside += n.SetAside
			q.Claimed += n.Claimed
			q.Unknown += n.Unknown
			q.Cancelled += n.Cancelled
			q.Refused += n.Refused
		}
	}
	view := m.view()
	q.StopFile = view.StopFile
	for _, g := range view.Gates {
		if g.Closed {
			q.PausedGates++
		}
	}
	for _, s := range view.Campaigns {
		q.OpenRequests += s.OpenRequests
		q.BegunPerSecond += s.PerSecond
	}
	for _, i := range m.incidents.open {
		if i.RaisedAt != 0 { // else its figure is watched, and nothing is wrong
			t.Open[AlarmClass{i.Kind, i.Severity}]++
		}
	}
	return t
}
