package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// benchPatience is how long one answer may take before the measurement fails.
const benchPatience = 30 * time.Second

// benchClient is one keep-alive connection of the load generator. It writes
// requests that are ready and reads no more of an answer than it must, since the
// generator shares the processors with what it measures.
type benchClient struct {
	conn net.Conn
	in   *bufio.Reader
}

// dialBench opens connections, which closeBench closes.
func dialBench(ctx context.Context, addr string, n int) (_ []*benchClient, err error) {
	var clients []*benchClient
	defer func() {
		if err != nil {
			closeBench(clients)
		}
	}()
	var d net.Dialer
	for range n {
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("connecting to the handler under test: %w", err)
		}
		clients = append(clients, &benchClient{conn, bufio.NewReaderSize(conn, 1024)})
	}
	return clients, nil
}

func closeBench(clients []*benchClient) {
	for _, c := range clients {
		_ = c.conn.Close()
	}
}

// post sends a request and waits for its answer, which must be 200.
func (c *benchClient) post(request []byte) error {
	if err := c.conn.SetDeadline(time.Now().Add(benchPatience)); err != nil {
		return err
	}
	if _, err := c.conn.Write(request); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	const prefix = "Content-Length:"
	length, status := -1, ""
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		switch line = bytes.TrimSpace(line); {
		case status == "":
			status = string(line)
			continue
		case len(line) > len(prefix) && bytes.EqualFold(line[:len(prefix)], []byte(prefix)):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(prefix):]))); err != nil {
				return fmt.Errorf("reading the answer: %w", err)
			}
			continue
		case len(line) > 0:
			continue
		}
		break
	}
	if length < 0 {
		return fmt.Errorf("the answer %q does not say how long it is", status)
	}
	if _, err := c.in.Discard(length); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if status != "HTTP/1.1 200 OK" {
		return fmt.Errorf("the answer was %q: %w", status, errNotTaken)
	}
	return nil
}

var errNotTaken = errors.New("a webhook was not taken: let the machine rest, or measure with a lower --open or --burst")

// schedule says when the i-th request is due (zero: as soon as a connection is
// free), and false when no more shall be sent.
type schedule func(i int) (due time.Time, more bool)

// closedLoop sends as fast as answers come, until time is over.
func closedLoop(length time.Duration) schedule {
	end := time.Now().Add(length)
	return func(int) (time.Time, bool) { return time.Time{}, time.Now().Before(end) }
}

// openLoop sends at a fixed rate, whether or not answers come.
func openLoop(rate float64) schedule {
	start := time.Now().Add(10 * time.Millisecond)
	return func(i int) (time.Time, bool) {
		return start.Add(time.Duration(float64(i) / rate * float64(time.Second))), true
	}
}

// allAtOnce sends everything at the same moment.
func allAtOnce() schedule {
	start := time.Now().Add(10 * time.Millisecond)
	return func(int) (time.Time, bool) { return start, true }
}

// outcome is what one run of the load generator met.
type outcome struct {
	posts     int
	elapsed   time.Duration
	latencies []time.Duration // ascending; from the moment a request was due
}

func (o *outcome) sort() { slices.Sort(o.latencies) }

// rate is in POSTs a second.
func (o *outcome) rate() float64 { return float64(o.posts) / max(o.elapsed.Seconds(), 1e-9) }

// percentile is the latency, in ms, that a share of the requests kept to.
func (o *outcome) percentile(share float64) float64 {
	if len(o.latencies) == 0 {
		return 0
	}
	i := min(int(share*float64(len(o.latencies))), len(o.latencies)-1)
	return float64(o.latencies[i]) / float64(time.Millisecond)
}

// fire sends requests over all connections: once each, or again and again if
// repeat is set. A connection takes the next request as soon as it is free. It
// returns when all answers are here.
func fire(ctx context.Context, clients []*benchClient, posts *benchPosts, repeat bool, plan schedule) (*outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { // an interrupt need not wait for answers
		for _, c := range clients {
			_ = c.conn.SetDeadline(time.Unix(1, 0))
		}
	})()
	var next atomic.Int64
	latencies := make([][]time.Duration, len(clients))
	var workers sync.WaitGroup
	start := time.Now()
	for w, c := range clients {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1) - 1)
				due, more := plan(i)
				if !more || i >= posts.len() && !repeat {
					return
				}
				if due.IsZero() {
					due = time.Now()
				} else if !waitUntil(ctx, due) {
					return
				}
				if err := c.post(posts.request(i % posts.len())); err != nil {
					cancel(err)
					return
				}
				latencies[w] = append(latencies[w], time.Since(due))
			}
		})
	}
	workers.Wait()
	o := &outcome{elapsed: time.Since(start), latencies: slices.Concat(latencies...)}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	o.posts = len(o.latencies)
	if o.posts == 0 {
		return nil, fmt.Errorf("no request was sent: measure with more --seconds: %w", io.ErrUnexpectedEOF)
	}
	o.sort()
	return o, nil
}

// waitUntil waits for a moment; false when ctx ended before.
func waitUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
