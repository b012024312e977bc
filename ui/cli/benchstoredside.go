package cli

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// storedSide is a store with everything that stands on it in a daemon, but
// nothing that runs by itself: snapshots are made when they are asked for.
type storedSide struct {
	b       *storedBench
	store   *store.Store
	monitor *monitor.Monitor
	link    *link.Server
	socket  string
	web     *benchSide
	stream  *benchStream
	ready   int            // posts a second to have ready
	last    *link.Snapshot // published last
	close   func() error
}

// open makes a store in a folder. The stream begins so long ago that the messages
// it shall hold end now.
func (b *storedBench) open(ctx context.Context, dir string, messages int) (_ *storedSide, err error) {
	s := &storedSide{b: b, socket: filepath.Join(dir, "tickwatch.sock"), ready: storedReady}
	if s.store, err = store.Open(ctx, store.Options{Dir: dir, Decode: webhook.Decode}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.store.Close())
		}
	}()
	name := ""
	if b.own {
		name = s.store.Name()
	}
	s.stream = newBenchStream(b.secret, time.Now().Add(-10*time.Minute-time.Duration(messages/benchPerSec)*time.Second), name)
	s.monitor, err = monitor.New(ctx, monitor.Options{
		Store: s.store, Thresholds: thresholds(defaultConfig(dir)), Version: version(),
		Publish: func(snap *link.Snapshot) { s.last = snap; s.link.Publish(snap) },
	})
	if err != nil {
		return nil, err
	}
	s.link = link.NewServer(link.ServerOptions{Handle: s.monitor.Handle})
	listener, err := link.Listen(s.socket)
	if err != nil {
		return nil, err
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- s.link.Serve(serving, listener) }()
	handler := webhook.NewHandler(webhook.Options{Secrets: []wa.Secret{b.secret}, Sink: s.store, Ready: s.store.Ready})
	if s.web, err = serveBench(ctx, handler, s.store); err != nil {
		stop()
		return nil, errors.Join(err, <-served)
	}
	s.close = func() error {
		stop()
		return errors.Join(<-served, s.web.close())
	}
	return s, nil
}

// defaultConfig is the configuration of somebody who has set nothing.
func defaultConfig(dir string) Config {
	cfg, err := LoadConfig(LoadOptions{Flags: map[string]string{"data.dir": dir}, Dir: dir, Etc: dir})
	if err != nil { // the defaults are part of the program
		panic("cli: the defaults are not valid: " + err.Error())
	}
	return cfg
}

// fill stores the stream until it holds so many messages.
func (s *storedSide) fill(ctx context.Context, messages int) error {
	const posts = 500 // at a time
	said := 0
	for len(s.stream.stages) < messages {
		if percent := 100 * len(s.stream.stages) / messages; percent >= said {
			s.b.say("filling a store with %d messages: %d %%", messages, percent)
			said = percent + 20
		}
		some, err := s.posts(ctx, posts, storedFillSize)
		if err != nil {
			return err
		}
		_, err = s.ingest(ctx, some, time.Time{})
		some.free()
		if err != nil {
			return err
		}
	}
	return nil
}

// ingest feeds posts to the store, 64 at once, until there are no more or time
// is over (zero: it never is). It gives how many were stored.
func (s *storedSide) ingest(ctx context.Context, posts *benchPosts, until time.Time) (stored int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, done atomic.Int64
	var feeders sync.WaitGroup
	for range benchConnections {
		feeders.Go(func() {
			for ctx.Err() == nil && (until.IsZero() || time.Now().Before(until)) {
				i := int(next.Add(1) - 1)
				if i >= posts.len() {
					return
				}
				_, body, _ := bytes.Cut(posts.request(i), []byte("\r\n\r\n"))
				if err := s.store.Ingest(ctx, webhook.Decode("meta", body, wa.At(time.Now()))); err != nil {
					cancel(err)
					return
				}
				done.Add(1)
			}
		})
	}
	feeders.Wait()
	return done.Load(), context.Cause(ctx)
}

// feed measures how many statuses a second the store takes when nothing but it
// is in the way.
func (s *storedSide) feed(ctx context.Context, length time.Duration) (float64, error) {
	posts, err := s.posts(ctx, s.count(length), storedSize)
	if err != nil {
		return 0, err
	}
	defer posts.free()
	start := time.Now()
	stored, err := s.ingest(ctx, posts, start.Add(length))
	if err != nil {
		return 0, err
	}
	if err := s.store.Settled(ctx); err != nil { // what it owes is part of the work
		return 0, err
	}
	rate := float64(stored) / time.Since(start).Seconds()
	s.ready = int(1.5 * rate)
	return rate * storedSize, nil
}

func (s *storedSide) count(length time.Duration) int {
	return max(benchConnections, int(float64(s.ready)*length.Seconds()))
}

// post measures how many statuses a second are taken in over HTTP.
func (s *storedSide) post(ctx context.Context, length time.Duration) (float64, error) {
	posts, err := s.posts(ctx, s.count(length), storedSize)
	if err != nil {
		return 0, err
	}
	defer posts.free()
	clients, err := dialBench(ctx, s.web.addr, benchConnections)
	if err != nil {
		return 0, err
	}
	defer closeBench(clients)
	o, err := fire(ctx, clients, posts, false, closedLoop(length))
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = s.store.Settled(ctx)
	o.elapsed += time.Since(start)
	return o.rate() * storedSize, err
}

// posts makes requests, and hands over what they speak of if that is ours.
func (s *storedSide) posts(ctx context.Context, count, n int) (*benchPosts, error) {
	from := len(s.stream.stages)
	posts, err := s.stream.posts(count, n)
	if err == nil && s.stream.store != "" {
		err = s.stream.handOver(ctx, s.store, from)
	}
	return posts, err
}

// ingestOne stores one more post.
func (s *storedSide) ingestOne(ctx context.Context) error {
	posts, err := s.posts(ctx, 1, storedSize)
	if err != nil {
		return err
	}
	defer posts.free()
	_, err = s.ingest(ctx, posts, time.Time{})
	return err
}

// watched attaches a console and gives it ten snapshots a second, until stop.
func (s *storedSide) watched(ctx context.Context, a *app) (stop func() error, err error) {
	console, err := a.openBenchConsole(ctx, s.socket, frameWidth, frameHeight)
	if err != nil {
		return nil, err
	}
	s.monitor.Publish(ctx)
	if _, err := console.watch(func(screen *benchScreen) bool { return screen.after(" LIVE ") != "" }).wait(ctx); err != nil {
		return nil, errors.Join(err, console.close())
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second / snapshotRate)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.monitor.Publish(ctx)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() error {
		cancel()
		<-ended
		return console.close()
	}, nil
}
