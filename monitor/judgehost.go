package monitor

import (
	"fmt"

	"tickwatch/monitor/alarm"
	"tickwatch/wa"
)

// judgeStore says when webhooks cannot be stored, which a silent screen would hide.
func (m *Monitor) judgeStore(now wa.Instant) {
	level, text := alarm.OK, ""
	if err := m.o.Store.Trouble(); err != nil {
		level, text = alarm.Act, fmt.Sprintf("Webhooks cannot be stored and are turned away (%s so far): %s",
			count(m.o.Store.TurnedAway()), wa.Clean(err.Error()))
	}
	m.incidents.fact(now, level, finding{
		kind: "host", subject: "store", text: text,
		advice: "Make room on the disk. Meta repeats what was turned away for days, so nothing is lost yet.",
	})
}

func (m *Monitor) judgeHost(now wa.Instant) {
	if m.host.CPU == nil {
		return
	}
	m.incidents.judge(now, finding{kind: "host", subject: "cpu"}, m.o.Thresholds.cpu(), *m.host.CPU, func() (string, string) {
		return fmt.Sprintf("This machine's processors are %.0f %% busy", 100**m.host.CPU),
			"Webhooks may be answered late. Find what else runs here, and move it."
	})
}
