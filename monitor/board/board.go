// Package board tries the alarms on synthetic campaigns, and says how often they are
// wrong and how soon they are right. The campaigns are drawn; what judges them is
// what judges real ones. It is pure: one seed gives one board.
package board

import (
	"context"
	"math"
	"slices"
	"sync"
)

// Row is how the alarms did on one kind of campaign.
type Row struct {
	Name     string  `json:"name"`
	Expected string  `json:"expected,omitempty"`
	Seeds    int     `json:"seeds"`
	Wrong    float64 `json:"wrong"`            // share of campaigns with an alarm to act that was not due: of another kind, or before the trouble
	Found    float64 `json:"found,omitempty"`  // share in which the expected alarm rang
	Judged   int64   `json:"judged,omitempty"` // median of messages judged from the beginning of the trouble to the alarm, of opt-outs for as much as a delivery counts; -1 = in less than half of them
	Late     int64   `json:"judged_95,omitempty"`
	Seconds  int64   `json:"seconds,omitempty"`
	Slow     int64   `json:"seconds_95,omitempty"`

	// Of opt-outs: median of messages delivered by then, each counted whole.
	Delivered     int64 `json:"delivered,omitempty"`
	LateDelivered int64 `json:"delivered_95,omitempty"`

	// The plain rule beside it.
	PlainWrong   float64 `json:"plain_wrong"`
	PlainFound   float64 `json:"plain_found,omitempty"`
	PlainSeconds int64   `json:"plain_seconds,omitempty"`
}

// Play plays every incident so many times, on so many processors. One seed gives the
// same board every time. When ctx ends it gives what is finished.
func Play(ctx context.Context, incidents []Incident, seeds int, seed uint64, processors int) []Row {
	out := make([]Row, 0, len(incidents))
	for i := range incidents {
		in := &incidents[i]
		all := make([]rung, seeds)
		var work sync.WaitGroup
		for p := range processors {
			work.Go(func() {
				for n := p; n < seeds && ctx.Err() == nil; n += processors {
					all[n] = play(in, seed, n)
				}
			})
		}
		if work.Wait(); ctx.Err() != nil {
			break
		}
		out = append(out, rowOf(in, all))
	}
	return out
}

func rowOf(in *Incident, all []rung) Row {
	row := Row{Name: in.Name, Expected: in.Expected, Seeds: len(all)}
	var judged, seconds, delivered, plain []int64
	for i := range all {
		r := &all[i]
		wrong := false
		for _, name := range [...]string{"delivery", "withheld", "reports", "feed"} {
			at, yes := r.seconds[name]
			wrong = wrong || yes && (name != in.Expected || at < 0)
		}
		if wrong {
			row.Wrong++
		}
		judged = append(judged, after(r.judged, in.Expected))
		seconds = append(seconds, after(r.seconds, in.Expected))
		delivered = append(delivered, after(r.delivered, in.Expected))
		at, yes := r.seconds["plain"]
		if yes && (in.Expected != "delivery" || at < 0) {
			row.PlainWrong++
		}
		plain = append(plain, after(r.seconds, "plain"))
	}
	n := float64(len(all))
	row.Wrong, row.PlainWrong = row.Wrong/n, row.PlainWrong/n
	if in.Expected == "" {
		return row
	}
	row.Found = found(seconds)
	row.Judged, row.Late = quantile(judged, 0.5), quantile(judged, 0.95)
	row.Seconds, row.Slow = quantile(seconds, 0.5), quantile(seconds, 0.95)
	if in.Expected == "reports" {
		row.Delivered, row.LateDelivered = quantile(delivered, 0.5), quantile(delivered, 0.95)
	}
	if in.Expected == "delivery" {
		row.PlainFound, row.PlainSeconds = found(plain), quantile(plain, 0.5)
	}
	return row
}

// never is later than every alarm.
const never = math.MaxInt64

func after(of map[string]int64, name string) int64 {
	if n, ok := of[name]; ok && n >= 0 {
		return n
	}
	return never
}

func found(all []int64) float64 {
	n := 0
	for _, v := range all {
		if v != never {
			n++
		}
	}
	return float64(n) / float64(len(all))
}

// quantile is the value that a share q of all do not exceed; -1 = not so many rang.
func quantile(all []int64, q float64) int64 {
	slices.Sort(all)
	v := all[min(len(all)-1, int(math.Ceil(q*float64(len(all))))-1)]
	if v == never {
		return -1
	}
	return v
}
