package sandbox

import (
	"testing"
	"time"
)

// A campaign that falls is well for 600 messages, one that is low never, and the
// codes of the one cause are far ahead.
func TestFalls(t *testing.T) {
	for _, c := range []struct {
		name    string
		good    time.Duration
		settled float64
		code    int
	}{
		{"fall-60", 30 * time.Second, 0.60, 131053},
		{"fall-80", 30 * time.Second, 0.80, 131026},
		{"fall-85", 30 * time.Second, 0.85, 131026},
		{"low-60", 0, 0.60, 131053},
		{"low-80", 0, 0.80, 131026},
		{"low-85", 0, 0.85, 131026},
	} {
		if before := fates(t, c.name, between(0, c.good)); c.good > 0 {
			within(t, c.name+": settled before", before.settled(), 0.955, 0.985)
		}
		after := fates(t, c.name, between(c.good, ever))
		within(t, c.name+": settled after", after.settled(), c.settled-0.01, c.settled+0.01)
		within(t, c.name+": the one cause, of the failures", float64(after.codes[c.code])/float64(after.failed), 0.75, 1)
		within(t, c.name+": withheld", float64(after.codes[131049]+after.codes[130472])/float64(after.messages), 0.010, 0.016)
	}
}

func TestListBlock(t *testing.T) {
	from, to := time.Duration(deadRows.from)*time.Second/defaultRate, time.Duration(deadRows.to)*time.Second/defaultRate
	inside := fates(t, "list-block", between(from, to))
	if inside.messages != 6000 {
		t.Errorf("%d rows are dead, want 6,000", inside.messages)
	}
	within(t, "131026 inside", float64(inside.codes[131026])/6000, 0.92, 0.96)
	outside := fates(t, "list-block", func(m time.Duration, _ string) bool { return m < from || m >= to })
	within(t, "settled outside", outside.settled(), 0.96, 0.98)
	sc, err := scenarioNamed("list-block")
	if err != nil {
		t.Fatal(err)
	}
	sc = sc.knowing(5)
	for row, dead := range map[int]bool{deadRows.from - 1: false, deadRows.from: true, deadRows.to - 1: true, deadRows.to: false} {
		if sc.spoils(phoneOf(5, row)) != dead {
			t.Errorf("row %d: an SMS fares as if dead = %v", row, !dead)
		}
	}
}

// With a slow tail as many arrive as else, and later.
func TestSlowTail(t *testing.T) {
	soon := func(scenario string) (in1, in30 float64) {
		sc, err := scenarioNamed(scenario)
		if err != nil {
			t.Fatal(err)
		}
		people, n, minute, half := newPopulation(5, 0), 0, 0, 0
		for row := range 8000 {
			phone := phoneOf(5, row)
			for _, s := range live(stream(5, "life", phone, 0), people.person(phone), sc.at(time.Minute, phone)) {
				if s.kind != stepDelivered {
					continue
				}
				n++
				if s.after <= time.Minute {
					minute++
				}
				if s.after <= 30*time.Minute {
					half++
				}
			}
		}
		return float64(minute) / float64(n), float64(half) / float64(n)
	}
	usual, _ := soon("healthy")
	within(t, "usually within a minute", usual, 0.87, 0.90)
	minute, half := soon("slow-tail")
	within(t, "within a minute", minute, 0.84, 0.87)
	within(t, "within half an hour", half, 0.975, 0.995)
	within(t, "settled", fates(t, "slow-tail", everyone).settled(), 0.96, 0.98)
}

// Runs are as long as they are called, or longer where two touch, and the campaign
// is healthy all the same.
func TestRuns(t *testing.T) {
	for name, run := range map[string]int{"runs-12": 12, "runs-30": 30} {
		c := fates(t, name, everyone)
		within(t, name+": settled", c.settled(), 0.955, 0.975)
		within(t, name+": in a run", float64(c.codes[131000])/float64(c.messages), 0.018, 0.026)
		sc, err := scenarioNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		dead, length, runs := sc.knowing(5).phases[1].phones, 0, 0
		for row := range defaultMessages {
			if dead[phoneOf(5, row)] {
				length++
				continue
			}
			if length > 0 {
				runs++
				if length%run != 0 {
					t.Fatalf("%s: %d fail in a row before row %d", name, length, row)
				}
			}
			length = 0
		}
		if runs < 15 {
			t.Errorf("%s: only %d runs", name, runs)
		}
	}
}
