package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"tickwatch/monitor/link"
)

// benchConsolesCmd is the second process of `bench link`: many consoles that
// read and do not draw. It ends with its standard input, and then says what it saw.
type benchConsolesCmd struct {
	Socket string `arg:""`
	Count  int    `arg:""`
	Stuck  int    `help:"Consoles that read nothing."`
}

// consolesSeen is what the consoles saw.
type consolesSeen struct {
	Latencies []time.Duration `json:"latencies_ns"` // of each snapshot at each console
	Bytes     int64           `json:"bytes"`
}

// Run attaches, and reads until standard input ends.
func (c *benchConsolesCmd) Run(ctx context.Context, a *app) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		_, _ = io.Copy(io.Discard, a.In)
		cancel(nil)
	}()
	var seen consolesSeen
	var mu sync.Mutex
	var consoles sync.WaitGroup
	attach := func(frame func([]byte)) {
		consoles.Go(func() {
			if err := link.Tap(ctx, c.Socket, frame); err != nil {
				cancel(err)
			}
		})
	}
	for range c.Count {
		attach(func(data []byte) {
			took, ok := sinceMade(data)
			mu.Lock()
			defer mu.Unlock()
			seen.Bytes += int64(len(data))
			if ok {
				seen.Latencies = append(seen.Latencies, took)
			}
		})
	}
	for range c.Stuck {
		attach(func([]byte) { <-ctx.Done() })
	}
	consoles.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a console lost its link: %w", err)
	}
	return a.json(seen)
}

// sinceMade is how long ago the snapshot in a frame was made. It looks at the
// text alone: to decode a hundred of them would measure the decoder.
func sinceMade(frame []byte) (time.Duration, bool) {
	_, rest, found := bytes.Cut(frame[:min(len(frame), 200)], []byte(`"at":"`))
	text, _, closed := bytes.Cut(rest, []byte(`"`))
	at, err := time.Parse(time.RFC3339Nano, string(text))
	return time.Since(at), found && closed && err == nil
}
