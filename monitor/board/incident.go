package board

import "fmt"

// Incident is a kind of campaign that the alarms are tried on.
type Incident struct {
	Name     string
	Expected string // the alarm that is to ring: delivery, withheld, reports, feed; "" = none
	From     int    // the message with which trouble begins

	messages int
	run      int // failures come in runs of so many
	fails    share
	withheld share
	optOuts  share
	arrival  curve // nil = the design's
	outage   [2]float64
}

// share is a share of messages, by their number.
type share func(message int) float64

func steady(s float64) share { return func(int) float64 { return s } }

// falls is a share that changes with a message.
func falls(before, after float64, from int) share {
	return func(i int) float64 {
		if i < from {
			return before
		}
		return after
	}
}

// A healthy campaign's shares.
const (
	healthyFailures = 0.03
	worstHealthy    = 0.05 // still no reason to act
	healthyWithheld = 0.013
	healthyOptOuts  = 0.0004
)

// wholeCampaign is how many messages healthy campaigns have: over all of them no
// alarm may ring.
const wholeCampaign = 10_000

// Incidents are those that the board plays.
func Incidents() []Incident {
	var all []Incident
	add := func(in Incident) {
		in.run = max(in.run, 1)
		if in.messages == 0 {
			in.messages = in.From + 6000
		}
		for _, s := range [...]struct {
			of    *share
			usual float64
		}{{&in.fails, healthyFailures}, {&in.withheld, healthyWithheld}, {&in.optOuts, healthyOptOuts}} {
			if *s.of == nil {
				*s.of = steady(s.usual)
			}
		}
		all = append(all, in)
	}
	for _, run := range [...]int{1, 12, 30} {
		add(Incident{Name: "95 % arrive" + inRuns(run), messages: wholeCampaign, run: run, fails: steady(worstHealthy), withheld: steady(0)})
	}
	add(Incident{Name: "97 % arrive, with a slow tail", messages: wholeCampaign, arrival: slowArrival})
	for _, run := range [...]int{1, 12, 30} {
		for _, from := range [...]int{0, 600} {
			for _, rate := range [...]float64{0.60, 0.80, 0.85} {
				name := fmt.Sprintf("%.0f %% arrive, ", 100*rate)
				if from == 0 {
					name += "from the start"
				} else {
					name += fmt.Sprintf("after %d good ones", from)
				}
				add(Incident{Name: name + inRuns(run), Expected: "delivery", From: from, run: run, fails: falls(worstHealthy, 1-rate, from), withheld: steady(0)})
			}
		}
	}
	add(Incident{Name: "slow leak, 97 % to 80 % over 15 minutes", Expected: "delivery", From: 2400, messages: 24_000, fails: func(i int) float64 {
		return healthyFailures + (0.20-healthyFailures)*min(max(float64(i-2400)/18_000, 0), 1)
	}})
	add(Incident{Name: "one prefix of nine in a hundred fails", Expected: "delivery", messages: 24_000, fails: steady(0.03*0.91 + 0.94*0.09)})
	add(Incident{Name: "one block of 500 rows fails", Expected: "delivery", From: 600, fails: func(i int) float64 {
		if i >= 600 && i < 1100 {
			return 0.94
		}
		return healthyFailures
	}})
	add(Incident{Name: "the template is paused", Expected: "delivery", From: 600, fails: falls(healthyFailures, 1, 600)})
	add(Incident{Name: "Meta withholds 20 %", Expected: "withheld", From: 600, withheld: falls(healthyWithheld, 0.20, 600)})
	add(Incident{Name: "no webhook for 2 minutes", Expected: "feed", From: 2400, messages: wholeCampaign, outage: [2]float64{120, 240}})
	add(Incident{Name: "60 % arrive, and then no webhook for 2 minutes", Expected: "feed", From: 2400, messages: 8000, fails: falls(worstHealthy, 0.40, 2400), outage: [2]float64{120, 240}})
	add(Incident{Name: "0.1 % opt out", messages: wholeCampaign, optOuts: steady(0.001)})
	add(Incident{Name: "0.3 % opt out", messages: wholeCampaign, optOuts: steady(0.003)})
	add(Incident{Name: "2 % opt out, from the start", Expected: "reports", optOuts: steady(0.02)})
	return all
}

func inRuns(run int) string {
	if run == 1 {
		return ""
	}
	return fmt.Sprintf(", failures in runs of %d", run)
}
