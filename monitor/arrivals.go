package monitor

import (
	"context"

	"tickwatch/store"
)

// arrivals is how late messages arrive, of those that arrive within 30 minutes.
type arrivals struct {
	points [len(store.Ages) + 1]arrivalPoint // by age
	own    bool                              // of the account's own campaigns
}

type arrivalPoint struct{ age, share float64 }

// usualArrivals are the design's: 81 % of all arrivals within 5 s, 85 % within 30 s,
// 88 % within 1 min, 95 % within 5 min, 99 % within 30 min.
var usualArrivals = arrivals{points: [...]arrivalPoint{{0, 0}, {5, 0.81 / 0.99}, {30, 0.85 / 0.99}, {60, 0.88 / 0.99}, {300, 0.95 / 0.99}, {1800, 1}}}

// enoughArrivals are how many of the account's own make a curve of its own.
const enoughArrivals = 1000

// loadArrivals takes the curve of the account's own campaigns, once there is one.
func (m *Monitor) loadArrivals(ctx context.Context) error {
	m.arrivals = usualArrivals
	within, err := m.o.Store.Arrivals(ctx, m.o.Now().Unix())
	if err != nil {
		return err
	}
	all := within[len(within)-1]
	if all < enoughArrivals {
		return nil
	}
	m.arrivals.own = true
	for i, n := range within {
		m.arrivals.points[i+1] = arrivalPoint{float64(store.Ages[i]), float64(n) / float64(all)}
	}
	return nil
}

// by is the share that has arrived by an age in seconds.
func (a *arrivals) by(age int64) float64 {
	at := float64(age)
	for i := 1; i < len(a.points); i++ {
		if lo, hi := a.points[i-1], a.points[i]; at < hi.age {
			return lo.share + (hi.share-lo.share)*(at-lo.age)/(hi.age-lo.age)
		}
	}
	return 1
}
