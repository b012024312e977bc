package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// What happens between the lines of a recording, in its own time.
const (
	judgeEvery = wa.Instant(1000) // while a campaign runs, and after each line, on the whole second
	idleEvery  = wa.Instant(5000) // while none does and an alarm is open
	// settleWithin is how long after the last line alarms may take to clear: a
	// template's bad news is news for a day.
	settleWithin = wa.Instant(24 * time.Hour / time.Millisecond)
	// quietAfter is how long after the last line the feed's state still changes.
	quietAfter = wa.Instant(time.Minute / time.Millisecond)
	// ackWithin is how long an acknowledgement waits for its alarm: a daemon may
	// have raised it between two whole seconds.
	ackWithin = wa.Instant(time.Minute / time.Millisecond)
)

// player plays the lines of a recording into a store and a monitor of its own,
// whose clock is the recording's: the moment of the line, and every whole second
// between lines, at which the monitor judges. What comes of it depends on the
// lines and thresholds alone, and not on how fast it is played. Stretches in
// which time changes nothing are left out.
type player struct {
	store   *store.Store
	monitor *monitor.Monitor
	pace    *pace                         // nil = as fast as it can go
	judged  func(context.Context, bool)   // called after every judgement, and with true after the last; may be nil
	clock   atomic.Int64                  // a wa.Instant
	newest  atomic.Pointer[link.Snapshot] // published last

	next    wa.Instant // when to judge
	looked  wa.Instant // when it was judged last
	last    wa.Instant // the latest line
	rest    monitor.Rest
	waiting []ownDeed
	skipped int64 // lines of our own side that this version can do nothing with
}

// ownDeed is an acknowledgement whose alarm is not open yet.
type ownDeed struct {
	at  wa.Instant
	own monitor.Own
}

// playerOptions say where a player keeps its store and what it tells whom.
type playerOptions struct {
	dir        string
	thresholds monitor.Thresholds
	publish    func(*link.Snapshot) // beside keeping it; may be nil
	log        io.Writer
}

func newPlayer(ctx context.Context, start wa.Instant, o playerOptions) (*player, error) {
	p := &player{}
	p.clock.Store(int64(start))
	log := slog.New(slog.NewTextHandler(o.log, nil))
	var err error
	if p.store, err = store.Open(ctx, store.Options{Dir: o.dir, Now: p.now, Log: log, Throwaway: true, Decode: webhook.Decode}); err != nil {
		return nil, err
	}
	p.monitor, err = monitor.New(ctx, monitor.Options{
		Store: p.store, Thresholds: o.thresholds, Now: p.now, Version: version(), Log: log, Decode: webhook.Decode,
		Publish: func(s *link.Snapshot) {
			p.newest.Store(s)
			if o.publish != nil {
				o.publish(s)
			}
		},
	})
	if err != nil {
		return nil, errors.Join(err, p.store.Close())
	}
	return p, nil
}

func (p *player) now() time.Time { return wa.Instant(p.clock.Load()).Time() }

// play plays a recording to its end, and the time after it in which something
// still changes by itself, a day at the most.
func (p *player) play(ctx context.Context, r recording, progress *progress) error {
	err := r.each(ctx, func(l monitor.Line, share float64) error {
		if err := p.advance(ctx, l.ReceivedAt); err != nil {
			return err
		}
		progress.at(share)
		return p.line(ctx, &l)
	})
	if err != nil {
		return err
	}
	return p.finish(ctx)
}

// finish lets time go by after the last line.
func (p *player) finish(ctx context.Context) error {
	p.monitor.Ended()
	if err := p.advance(ctx, p.last+settleWithin); err != nil {
		return err
	}
	p.skipped += int64(len(p.waiting))
	p.monitor.Show(ctx)
	if p.judged != nil {
		p.judged(ctx, true)
	}
	return nil
}

// line takes over what one line says, at its moment; a line that is out of
// order is taken over where it stands.
func (p *player) line(ctx context.Context, l *monitor.Line) error {
	at := max(l.ReceivedAt, wa.Instant(p.clock.Load()))
	if err := p.pace.until(ctx, at); err != nil {
		return err
	}
	p.clock.Store(int64(at))
	p.last = max(p.last, at)
	p.next = max((at+judgeEvery-1)/judgeEvery*judgeEvery, p.looked+judgeEvery)
	if l.Source == monitor.OwnSource {
		return p.own(ctx, l)
	}
	if err := p.store.Ingest(ctx, webhook.Decode(l.Source, l.Body, l.ReceivedAt)); err != nil {
		return fmt.Errorf("playing the line of %s: %w", l.ReceivedAt.Time().Format(time.RFC3339), err)
	}
	return nil
}

func (p *player) own(ctx context.Context, l *monitor.Line) error {
	var own monitor.Own
	if json.Unmarshal(l.Body, &own) != nil {
		own.Kind = ""
	}
	switch own.Kind {
	case monitor.OwnAction:
		done, err := p.monitor.Repeat(l.ReceivedAt, &own)
		if err == nil && !done {
			p.waiting = append(p.waiting, ownDeed{l.ReceivedAt, own})
		}
		return err
	case monitor.OwnEnd: // time went by up to here, and that is all
	default:
		done, err := p.monitor.Redo(ctx, l.ReceivedAt, l.Body)
		if err != nil {
			return fmt.Errorf("playing the line of %s: %w", l.ReceivedAt.Time().Format(time.RFC3339), err)
		}
		if !done {
			p.skipped++
		}
	}
	return nil
}

// advance lets time go by up to a moment, and judges on the way.
func (p *player) advance(ctx context.Context, to wa.Instant) error {
	for p.next < to {
		if p.next == 0 { // before the first line
			return nil
		}
		if err := p.judge(ctx, p.next); err != nil {
			return err
		}
		switch {
		case p.rest.Running, p.next < p.last+quietAfter:
			p.next += judgeEvery
		case p.rest.Alarms:
			p.next += idleEvery
		default: // nothing changes any more by itself
			p.pace.skip()
			return nil
		}
	}
	return nil
}

func (p *player) judge(ctx context.Context, at wa.Instant) error {
	if err := p.pace.until(ctx, at); err != nil {
		return err
	}
	p.clock.Store(int64(at))
	p.looked, p.rest = at, p.monitor.Judge(ctx)
	var err error
	p.waiting = slices.DeleteFunc(p.waiting, func(d ownDeed) bool {
		done, failed := p.monitor.Repeat(d.at, &d.own)
		err = errors.Join(err, failed)
		late := !done && at-d.at > ackWithin
		if late {
			p.skipped++
		}
		return done || late
	})
	if p.judged != nil {
		p.judged(ctx, false)
	}
	return errors.Join(err, ctx.Err())
}

// pace makes a recording's time pass at a multiple of real time; nil does not
// hold it up.
type pace struct {
	speed float64

	mu   sync.Mutex
	from wa.Instant // what stood on the recording's clock
	wall time.Time  // at this moment; zero = not begun
}

// until waits for a moment of the recording.
func (p *pace) until(ctx context.Context, at wa.Instant) error {
	if p == nil {
		return ctx.Err()
	}
	p.mu.Lock()
	if p.wall.IsZero() {
		p.from, p.wall = at, time.Now()
	}
	due := p.wall.Add(time.Duration(float64(at.Sub(p.from)) / p.speed))
	p.mu.Unlock()
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// skip lets the next moment follow at once.
func (p *pace) skip() {
	if p != nil {
		p.mu.Lock()
		p.wall = time.Time{}
		p.mu.Unlock()
	}
}

// reads is what stands on the recording's clock now; at is where the player is,
// which is never left far behind.
func (p *pace) reads(at wa.Instant) time.Time {
	if p == nil {
		return at.Time()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wall.IsZero() {
		return at.Time()
	}
	went := p.from + wa.Instant(time.Since(p.wall).Seconds()*p.speed*1000)
	return min(max(went, at), at+idleEvery).Time()
}
