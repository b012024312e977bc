package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"tickwatch/monitor"
	"tickwatch/wa"
)

const (
	benchConnections = 64
	benchTens        = 10_000 // statuses a second, in POSTs of ten
	benchTenSize     = 10
	benchWarmUp      = 50_000 // statuses a second of measuring, before the first round
	benchWarmUpSize  = 100
)

// benchSize is one kind of POST of the closed loop: how many statuses it holds, of
// whose campaigns, the floors for the pipeline over the tutorial and over the
// ceiling (0 = none), and how many are made ready for a second before a rate is
// known.
type benchSize struct {
	own          bool
	n            int
	floor        float64
	ceilingFloor float64
	ready        int
}

var benchSizes = [...]benchSize{
	{true, 1, 5, 0.4, 80_000},
	{true, 10, 3, 0, 30_000},
	{true, 100, 1.5, 0, 6000},
	{false, 1, 3.5, 0, 80_000},
	{false, 10, 2, 0, 30_000},
	{false, 100, 1.2, 0, 6000},
}

func (s *benchSize) campaigns() string {
	if s.own {
		return "own"
	}
	return "external"
}

// ingestBench is one call of `bench ingest`.
type ingestBench struct {
	dir         string
	connections int
	rounds      int
	length      time.Duration // of one closed loop
	campaigns   string        // own, external; "" = both
	open        int           // POSTs a second of one status; 0 = no open loop
	burst       int           // statuses in each POST of the burst; 0 = no burst
	secret      wa.Secret
	progress    func(string)
}

// run measures everything, one thing after the other. The pipeline alone comes
// first, while nothing else has used memory.
func (b *ingestBench) run(ctx context.Context) (*ingestFigures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go boundMemory(ctx) // as in a daemon
	f := &ingestFigures{
		At: time.Now().UTC(), Version: version(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0),
		Connections: b.connections, Rounds: b.rounds, Seconds: b.length.Seconds(),
		Closed: []closedFigures{}, Open: []openFigures{},
	}
	disk, err := fsyncTimes(b.dir)
	if err != nil {
		return nil, err
	}
	f.FsyncMS = latencyFigures{P50: round3(disk.percentile(0.5)), P99: round3(disk.percentile(0.99))}
	if b.open > 0 || b.burst > 0 {
		if err := b.demand(ctx, f); err != nil {
			return nil, err
		}
	}
	for _, size := range benchSizes {
		if b.campaigns != "" && b.campaigns != size.campaigns() {
			continue
		}
		c, err := b.closedLoops(ctx, &size, &f.Memory.Closed)
		if err != nil {
			return nil, err
		}
		f.Closed = append(f.Closed, *c)
	}
	return f, nil
}

// closedLoops compares the three handlers on POSTs of n statuses: in each round
// the one after the other, so that what else the machine does befalls them alike.
func (b *ingestBench) closedLoops(ctx context.Context, size *benchSize, memory *uint64) (_ *closedFigures, err error) {
	var sides []*benchSide
	defer func() {
		for _, s := range sides {
			err = errors.Join(err, s.close())
		}
	}()
	for _, start := range []func(context.Context) (*benchSide, error){b.ceilingSide, b.tutorialSide, b.pipelineSide} {
		s, err := start(ctx)
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	name := ""
	if size.own {
		name = sides[2].store.Name()
	}
	tutorial := &benchRunner{b: b, side: sides[1], stream: b.stream(name), n: size.n, ready: size.ready}
	pipeline := &benchRunner{b: b, side: sides[2], stream: b.stream(name), n: size.n, ready: size.ready}
	for _, r := range []*benchRunner{tutorial, pipeline} {
		if err := r.warmUp(ctx); err != nil {
			return nil, err
		}
	}
	var seen [3][]*outcome
	for i := range b.rounds {
		b.progress(fmt.Sprintf("%s campaigns, POSTs of %d: round %d of %d", size.campaigns(), size.n, i+1, b.rounds))
		posts, err := pipeline.prepare(ctx)
		if err != nil {
			return nil, err
		}
		a, err := b.fire(ctx, sides[0], posts, true, func() schedule { return closedLoop(b.length) })
		if err == nil {
			seen[0] = append(seen[0], a)
			a, err = tutorial.loop(ctx)
		}
		if err == nil {
			seen[1] = append(seen[1], a)
			a, err = pipeline.fire(ctx, posts)
		}
		b.look(ctx, posts, memory)
		posts.free()
		if err != nil {
			return nil, err
		}
		seen[2] = append(seen[2], a)
	}
	return compareRounds(size, seen), nil
}

// stream begins a stream whose messages were sent within the last hours, by the
// store of a name, or by another system.
func (b *ingestBench) stream(store string) *benchStream {
	return newBenchStream(b.secret, time.Now().Add(-6*time.Hour), store)
}

// fire runs the load generator under its label, on a heap that is clean and on
// new connections: the listener closes those that are idle too long.
func (b *ingestBench) fire(ctx context.Context, side *benchSide, posts *benchPosts, repeat bool, plan func() schedule) (o *outcome, err error) {
	clients, err := dialBench(ctx, side.addr, b.connections)
	if err != nil {
		return nil, err
	}
	defer closeBench(clients)
	runtime.GC()
	pprof.Do(ctx, pprof.Labels("part", "load"), func(ctx context.Context) {
		o, err = fire(ctx, clients, posts, repeat, plan())
	})
	return o, err
}

// look notes the memory of the process if it is the most so far, without the
// requests that lie ready.
func (b *ingestBench) look(ctx context.Context, posts *benchPosts, most *uint64) {
	ready := uint64(posts.bytes()) //nolint:gosec // a length
	if m := monitor.HostLoad(ctx, b.dir).MemoryBytes; m != nil && *m > ready {
		*most = max(*most, *m-ready)
	}
}

// benchRunner feeds one handler from a stream of its own.
type benchRunner struct {
	b      *ingestBench
	side   *benchSide
	stream *benchStream
	n      int
	ready  int // POSTs to have ready for a second
}

// warmUp gives a handler some messages to know, in large POSTs.
func (r *benchRunner) warmUp(ctx context.Context) error {
	count := max(1, int(benchWarmUp*min(r.b.length.Seconds(), 1))/benchWarmUpSize)
	posts, err := r.make(ctx, count, benchWarmUpSize)
	if err != nil {
		return err
	}
	defer posts.free()
	_, err = r.b.fire(ctx, r.side, posts, false, func() schedule { return closedLoop(benchPatience) })
	return err
}

// prepare makes as many requests as the next loop can use. Should they not
// suffice, the loop ends with the last of them and is as good.
func (r *benchRunner) prepare(ctx context.Context) (*benchPosts, error) {
	return r.make(ctx, max(r.b.connections, int(float64(r.ready)*r.b.length.Seconds())), r.n)
}

// make makes requests of n statuses, and hands over what they speak of if that is ours.
func (r *benchRunner) make(ctx context.Context, count, n int) (*benchPosts, error) {
	from := len(r.stream.stages)
	posts, err := r.stream.posts(count, n)
	if err == nil && r.stream.store != "" && r.side.store != nil {
		err = r.stream.handOver(ctx, r.side.store, from)
	}
	return posts, err
}

func (r *benchRunner) loop(ctx context.Context) (*outcome, error) {
	posts, err := r.prepare(ctx)
	if err != nil {
		return nil, err
	}
	defer posts.free()
	return r.fire(ctx, posts)
}

func (r *benchRunner) fire(ctx context.Context, posts *benchPosts) (*outcome, error) {
	o, err := r.b.fire(ctx, r.side, posts, false, func() schedule { return closedLoop(r.b.length) })
	if err == nil && r.side.store != nil {
		start := time.Now() // what it owes when the last answer is out is part of the work
		err = r.side.store.Settled(ctx)
		o.elapsed += time.Since(start)
	}
	if err == nil {
		r.ready = int(1.5 * o.rate())
	}
	return o, err
}

// demand measures what Meta may ask of the pipeline alone: fixed rates, and
// large POSTs that come together.
func (b *ingestBench) demand(ctx context.Context, f *ingestFigures) (err error) {
	side, err := b.pipelineSide(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, side.close()) }()
	r := &benchRunner{b: b, side: side, stream: b.stream("")}
	if err := r.warmUp(ctx); err != nil {
		return err
	}
	measure := func(count, n int, plan func() schedule) (*outcome, error) {
		posts, err := r.stream.posts(count, n)
		if err != nil {
			return nil, err
		}
		defer posts.free()
		o, err := b.fire(ctx, side, posts, false, plan)
		b.look(ctx, posts, &f.Memory.Demand)
		return o, err
	}
	if b.open > 0 {
		for _, o := range [...]struct{ n, rate int }{{1, b.open}, {benchTenSize, benchTens / benchTenSize}} {
			b.progress(fmt.Sprintf("%d POSTs a second of %d", o.rate, o.n))
			count := max(1, int(float64(o.rate)*b.length.Seconds()*float64(b.rounds)))
			got, err := measure(count, o.n, func() schedule { return openLoop(float64(o.rate)) })
			if err != nil {
				return err
			}
			f.Open = append(f.Open, openOf(o.n, o.rate, got))
		}
	}
	if b.burst > 0 {
		var medians, worst []float64
		for i := range b.rounds {
			b.progress(fmt.Sprintf("%d POSTs of %d at once: round %d of %d", b.connections, b.burst, i+1, b.rounds))
			o, err := measure(b.connections, b.burst, allAtOnce)
			if err != nil {
				return err
			}
			medians, worst = append(medians, o.percentile(0.5)), append(worst, o.percentile(1))
		}
		f.Burst = &burstFigures{
			Posts: b.connections, Statuses: b.burst, MedianMS: round3(median(medians)), MaxMS: round3(slices.Max(worst)), Bound: burstBound,
		}
	}
	return nil
}
