package monitor

import (
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/wa"
)

// Thresholds are the lines between well, watch and act, as shares of one. They
// are configuration; the zero value judges nothing rightly, so start from
// DefaultThresholds.
type Thresholds struct {
	DeliveryOK, DeliveryAct   float64 // arrived, of those decided: watch below OK, act below Act
	ReportsOK, ReportsAct     float64 // opt-outs per delivery: watch above OK, act above Act
	CPUOK, CPUAct             float64
	MemoryOK, MemoryAct       float64       // of the machine's, in use
	DiskOK, DiskAct           float64       // of the data folder's, in use
	QueueOK, QueueAct         float64       // of the messages that may be unanswered at once
	CallbacksOK, CallbacksAct float64       // handed-over messages with any status after a minute
	MinMessages               int64         // decided messages below which nothing is judged
	InvalidAct, RefusersAct   float64       // of a list: above them it is not sent without force
	JudgeAfter                time.Duration // the age from which a minute's messages are judged
}

// DefaultThresholds are those of the design.
func DefaultThresholds() Thresholds {
	return Thresholds{
		DeliveryOK: 0.95, DeliveryAct: 0.90, ReportsOK: 0.001, ReportsAct: 0.005,
		CPUOK: 0.70, CPUAct: 0.90, MemoryOK: 0.70, MemoryAct: 0.90, DiskOK: 0.70, DiskAct: 0.90, QueueOK: 0.70, QueueAct: 0.90,
		CallbacksOK: 0.99, CallbacksAct: 0.95, MinMessages: 200, InvalidAct: 0.05, RefusersAct: 0.03, JudgeAfter: 10 * time.Second,
	}
}

func ms(d time.Duration) wa.Instant { return wa.Instant(d / time.Millisecond) }

// delivery are the plain rule's lines.
func (t Thresholds) delivery() alarm.Threshold {
	return alarm.Threshold{Watch: t.DeliveryOK, Act: t.DeliveryAct, Below: true}
}

// reports are the lines for a figure that somebody typed.
func (t Thresholds) reports() alarm.Threshold {
	return alarm.Threshold{
		Watch: t.ReportsOK, Act: t.ReportsAct,
		Margin: t.ReportsOK / 5, Hold: ms(5 * time.Second), Calm: ms(5 * time.Minute),
	}
}

func (t Thresholds) callbacks() alarm.Threshold {
	return alarm.Threshold{
		Watch: t.CallbacksOK, Act: t.CallbacksAct, Below: true,
		Margin: (1 - t.CallbacksOK) / 5, Hold: ms(10 * time.Second), Calm: ms(2 * time.Minute),
	}
}

// How long the machine's load must be high to alarm, and lower to end that.
const (
	hostHold = 30 * time.Second
	hostCalm = time.Minute
)

// answersRule takes 1 for an answer that came too late, 2 for answers that do on
// average.
var answersRule = alarm.Threshold{Watch: 0.5, Act: 1.5, Calm: ms(time.Minute)}

// minOptOuts are the least that say anything by a plain rule.
const minOptOuts = 3
