package monitor

import (
	"fmt"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/queue"
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

// judgeHost judges the load of the machine, and how much waits for Meta's word.
// Figures that the system does not give are not judged. m.mu is held.
func (m *Monitor) judgeHost(now wa.Instant) {
	t := &m.o.Thresholds
	rule := func(ok, act float64) alarm.Threshold {
		return alarm.Threshold{Watch: ok, Act: act, Margin: 0.05, Hold: ms(hostHold), Calm: ms(hostCalm)}
	}
	queued := m.queueShare(now)
	for _, x := range []struct {
		subject string
		figure  *float64
		rule    alarm.Threshold
		text    string // with room for the figure in percent
		advice  string
	}{
		{
			"cpu", m.host.CPU, rule(t.CPUOK, t.CPUAct), "This machine's processors are %.0f %% busy",
			"Webhooks may be answered late. Find what else runs here, and move it.",
		},
		{
			"memory", m.host.Memory, rule(t.MemoryOK, t.MemoryAct), "%.0f %% of this machine's memory is in use",
			"The system may end the daemon when nothing is left. Find what else runs here, and move it.",
		},
		{
			"disk", m.host.Disk, rule(t.DiskOK, t.DiskAct), "The disk of the data folder is %.0f %% full",
			"On a full disk webhooks are turned away. Make room before that; retention.raw_days keeps fewer raw bodies.",
		},
		{
			"queue", queued, rule(t.QueueOK, t.QueueAct), "Of the messages that may wait for Meta's word %.0f %% do",
			fmt.Sprintf("At %s nothing more goes out. Slow down (-), and see that webhooks come in.", count(queue.MaxUnanswered)),
		},
	} {
		if x.figure == nil {
			if x.subject == "queue" { // nothing of ours runs: nothing waits for Meta's word any more
				m.incidents.clear(now, subject{"host", x.subject})
			}
			continue
		}
		m.incidents.judge(now, finding{kind: "host", subject: x.subject}, x.rule, *x.figure, func() (string, string) {
			return fmt.Sprintf(x.text, 100**x.figure), x.advice
		})
	}
	m.judgeAnswers(now)
}

// queueShare is how much of what may wait for Meta's word does; nil when nothing of
// our own runs. m.mu is held.
func (m *Monitor) queueShare(now wa.Instant) *float64 {
	n, running := m.unansweredOf(now)
	if !running {
		return nil
	}
	return share(n, queue.MaxUnanswered)
}
