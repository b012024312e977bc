package sandbox

import (
	"math"
	"strings"
	"testing"
	"time"

	"tickwatch/wa"
)

func TestDeliveryDelaysFollowTheDesign(t *testing.T) {
	const n = 100_000
	for _, c := range []struct {
		within time.Duration
		share  float64
	}{
		{5 * time.Second, 0.81}, {30 * time.Second, 0.85}, {time.Minute, 0.88}, {5 * time.Minute, 0.95}, {30 * time.Minute, 0.99},
	} {
		early := 0
		for i := range n {
			if deliveryDelays.at((float64(i)+0.5)/n) <= c.within {
				early++
			}
		}
		if got := float64(early) / n; math.Abs(got-c.share) > 0.001 {
			t.Errorf("%.4f arrive within %v, want %.2f", got, c.within, c.share)
		}
	}
}

// tally counts what becomes of some of a campaign's messages.
type tally struct {
	messages, delivered, failed, optOuts, silent int
	codes                                        map[int]int
	kinds                                        map[kind]int
}

func (c tally) settled() float64 { return float64(c.delivered) / float64(c.delivered+c.failed) }
func (c tally) optOut() float64  { return float64(c.optOuts) / float64(c.delivered) }

// fates plans a whole campaign without sending it, and counts the messages that which picks.
func fates(t *testing.T, scenario string, which func(moment time.Duration, phone string) bool) tally {
	t.Helper()
	const size, seed = defaultMessages, 5
	people := newPopulation(seed, size)
	sc, err := scenarioNamed(scenario)
	if err != nil {
		t.Fatal(err)
	}
	sc = sc.knowing(seed)
	c := tally{codes: map[int]int{}, kinds: map[kind]int{}}
	for row, phone := range people.phones {
		moment := time.Duration(row) * time.Second / defaultRate
		if !which(moment, phone) {
			continue
		}
		c.messages++
		who := people.person(phone)
		steps := live(stream(seed, "life", phone, 0), who, sc.at(moment, phone))
		arrived := false
		for i, s := range steps {
			c.kinds[s.kind]++
			if s.after <= 0 || s.after%time.Millisecond != 0 || i > 0 && s.after < steps[i-1].after {
				t.Fatalf("steps %+v are not in order of time", steps)
			}
			switch s.kind {
			case stepDelivered, stepRead:
				arrived = true
			case stepFailed:
				c.failed++
				c.codes[s.code]++
			case stepStopText, stepStopButton, stepStopPreference:
				c.optOuts++
			}
		}
		switch {
		case arrived:
			c.delivered++
		case len(steps) == 1 && steps[0].kind == stepSent:
			c.silent++
		}
	}
	return c
}

func everyone(time.Duration, string) bool { return true }

func TestHealthy(t *testing.T) {
	c := fates(t, "healthy", everyone)
	within(t, "settled", c.settled(), 0.96, 0.98)
	within(t, "opt-outs", c.optOut(), 0, 0.001)
	within(t, "phones that are off", float64(c.silent)/float64(c.messages), 0.01, 0.03)
	within(t, "read of delivered", float64(c.kinds[stepRead])/float64(c.delivered), 0.5, 0.65)
	for _, code := range []int{131026, 131049, 131053, 130472} {
		if c.codes[code] == 0 {
			t.Errorf("nothing fails with %d", code)
		}
	}
	if open := c.delivered - c.kinds[stepDelivered]; open == 0 {
		t.Error("nobody reads without delivered")
	}
}

func TestCliff(t *testing.T) {
	const edge = 4 * time.Minute
	before := fates(t, "cliff", func(m time.Duration, _ string) bool { return m < edge })
	within(t, "settled before", before.settled(), 0.955, 0.98)
	after := fates(t, "cliff", func(m time.Duration, _ string) bool { return m >= edge })
	within(t, "settled after", after.settled(), 0.57, 0.63)
	within(t, "131049 and 131026 of the failures", float64(after.codes[131049]+after.codes[131026])/float64(after.failed), 0.8, 1)
}

func TestOnePrefix(t *testing.T) {
	bad := func(_ time.Duration, phone string) bool { return strings.HasPrefix(phone, badBlock) }
	block := fates(t, "one-prefix", bad)
	within(t, "settled in the block", block.settled(), 0, 0.1)
	within(t, "131026 of its failures", float64(block.codes[131026])/float64(block.failed), 0.95, 1)
	rest := fates(t, "one-prefix", func(m time.Duration, phone string) bool { return !bad(m, phone) })
	within(t, "settled elsewhere", rest.settled(), 0.96, 0.98)
	all := fates(t, "one-prefix", everyone)
	within(t, "the block's share of the list", float64(block.messages)/float64(all.messages), 0.08, 0.1)
	within(t, "settled", all.settled(), 0.85, 0.94)
}

func TestOptOuts(t *testing.T) {
	const edge = 3 * time.Minute
	before := fates(t, "optouts", func(m time.Duration, _ string) bool { return m < edge })
	within(t, "opt-outs before", before.optOut(), 0, 0.002)
	after := fates(t, "optouts", func(m time.Duration, _ string) bool { return m >= edge })
	within(t, "opt-outs after", after.optOut(), 0.015, 0.04)
	within(t, "settled after", after.settled(), 0.96, 0.98)
	for _, k := range []kind{stepStopText, stepStopButton, stepStopPreference} {
		within(t, "one of three kinds", float64(after.kinds[k])/float64(after.optOuts), 0.25, 0.42)
	}
}

func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	if !(got >= low && got <= high) {
		t.Errorf("%s: %.4f, want from %.4f to %.4f", what, got, low, high)
	}
}

func TestRepliesAreNotOptOuts(t *testing.T) {
	for _, s := range replies {
		if (&wa.InboundMessage{Type: "text", Text: s}).OptsOut() {
			t.Errorf("the ordinary reply %q opts out", s)
		}
	}
	for _, s := range stopTexts {
		if !(&wa.InboundMessage{Type: "text", Text: s}).OptsOut() {
			t.Errorf("the opt-out %q is not understood as one", s)
		}
	}
}

func TestPeopleAreDistinct(t *testing.T) {
	const size = 200_000
	p := newPopulation(1, size)
	if len(p.rows) != len(p.phones) {
		t.Errorf("%d people have %d numbers", len(p.phones), len(p.rows))
	}
	share, countries := 0, map[string]int{}
	for _, b := range blocks {
		share += b.share
	}
	for _, phone := range p.phones {
		countries[countryOf(phone)]++
	}
	if share != 100 || len(countries) < 8 || countries[""] != 0 {
		t.Errorf("blocks make %d %%; people by country: %v", share, countries)
	}
	ids := map[string]bool{}
	for _, phone := range p.phones {
		if who := p.person(phone); who.bsuid != "" {
			ids[who.bsuid] = true
		}
	}
	within(t, "people with a BSUID of their own", float64(len(ids))/size, 0.9, 0.96)
}
