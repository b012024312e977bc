package monitor

// Totals are sums over every campaign and every open alarm, where a snapshot is
// bounded: for those who watch the daemon itself.
type Totals struct {
	Messages  int64 // with Meta
	Delivered int64 // of them, read ones included
	Read      int64 // of them
	Failed    int64 // and never delivered
	Open      map[AlarmClass]int
}

// AlarmClass is what alarms are counted by; its texts are those of link.Alarm.
type AlarmClass struct{ Kind, Severity string }

// Totals adds up what is in memory. It reads nothing from the disk.
func (m *Monitor) Totals() Totals {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := Totals{Open: map[AlarmClass]int{}}
	for _, l := range m.campaigns {
		n := &l.Counts
		t.Messages += n.Messages
		t.Delivered += n.Delivered
		t.Read += n.Read
		t.Failed += n.Failed
	}
	for _, i := range m.incidents.open {
		if i.RaisedAt != 0 { // else its figure is watched, and nothing is wrong
			t.Open[AlarmClass{i.Kind, i.Severity}]++
		}
	}
	return t
}
