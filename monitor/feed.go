package monitor

import (
	"math"
	"sync"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// rate counts updates over the last ten seconds.
type rate struct {
	seconds [10]int64
	at      int64 // the second that the last cell stands for
}

func (r *rate) add(now wa.Instant, n int64) {
	r.forward(now)
	r.seconds[r.at%10] += n
}

func (r *rate) forward(now wa.Instant) {
	s := now.Second()
	if s-r.at >= 10 || s < r.at { // a clock that was set back starts anew
		r.seconds, r.at = [10]int64{}, s
	}
	for r.at < s {
		r.at++
		r.seconds[r.at%10] = 0
	}
}

func (r *rate) perSecond(now wa.Instant) float64 {
	r.forward(now)
	var sum int64
	for _, n := range r.seconds {
		sum += n
	}
	return math.Round(float64(sum)) / 10
}

// answers are our answer times of the last minute, in buckets that grow by a
// quarter, by the second. They run on the machine's own clock.
type answers struct {
	mu      sync.Mutex
	seconds [60][answerBuckets]uint32
	sums    [60]answered
	at      int64
}

// answered sums up answers.
type answered struct {
	n       int64
	took    time.Duration // in all
	slowest time.Duration
}

func (a answered) mean() time.Duration { return a.took / time.Duration(max(a.n, 1)) }

// lately sums up the last minute.
func (a *answers) lately(now time.Time) (sum answered) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forward(now.Unix())
	for _, s := range a.sums {
		sum.n += s.n
		sum.took += s.took
		sum.slowest = max(sum.slowest, s.slowest)
	}
	return sum
}

const answerBuckets = 64 // 10 µs · 1.25^63: over ten seconds

func bucketOf(d time.Duration) int {
	b := int(math.Log(max(float64(d)/float64(10*time.Microsecond), 1)) / math.Log(1.25))
	return min(b, answerBuckets-1)
}

func (a *answers) add(now time.Time, d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forward(now.Unix())
	a.seconds[a.at%60][bucketOf(d)]++
	s := &a.sums[a.at%60]
	s.n, s.took, s.slowest = s.n+1, s.took+d, max(s.slowest, d)
}

func (a *answers) forward(s int64) {
	if s-a.at >= 60 || s < a.at {
		a.seconds, a.sums, a.at = [60][answerBuckets]uint32{}, [60]answered{}, s
	}
	for a.at < s {
		a.at++
		a.seconds[a.at%60], a.sums[a.at%60] = [answerBuckets]uint32{}, answered{}
	}
}

// quantiles are nil when nothing was answered in the last minute.
func (a *answers) quantiles(now time.Time) *link.Quantiles {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forward(now.Unix())
	var sum [answerBuckets]uint32
	for i := range a.seconds {
		for b, n := range a.seconds[i] {
			sum[b] += n
		}
	}
	return quantiles(&sum)
}

// quantiles of answer times in buckets; nil when nothing was answered.
func quantiles(buckets *[answerBuckets]uint32) *link.Quantiles {
	var total uint64
	for _, n := range buckets {
		total += uint64(n)
	}
	if total == 0 {
		return nil
	}
	at := func(q float64) float64 {
		var seen uint64
		for b, n := range buckets {
			if seen += uint64(n); float64(seen) >= q*float64(total) {
				// the upper edge of the bucket: never better than it was
				return math.Round(0.01*math.Pow(1.25, float64(b+1))*100) / 100
			}
		}
		return 0
	}
	return &link.Quantiles{P50: at(0.5), P99: at(0.99)}
}
