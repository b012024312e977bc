package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/creack/pty"

	"tickwatch/ui"
)

// benchConsole is the console on a pseudo-terminal, and somebody who looks at it.
type benchConsole struct {
	close func() error // ends the console; more than once is harmless

	mu      sync.Mutex
	screen  *benchScreen
	bytes   int64 // sent to the terminal so far
	watches []*benchWatch
}

// benchWatch waits for a moment at which the screen shows something.
type benchWatch struct {
	shows func(*benchScreen) bool
	when  chan time.Time // one slot
}

// openBenchConsole attaches a console of a size to the daemon behind a socket.
func (a *app) openBenchConsole(ctx context.Context, socket string, width, height uint16) (*benchConsole, error) {
	far, near, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("making a terminal: %w", err)
	}
	if err := pty.Setsize(near, &pty.Winsize{Cols: width, Rows: height}); err != nil {
		return nil, errors.Join(fmt.Errorf("making a terminal: %w", err), near.Close(), far.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	c := &benchConsole{close: sync.OnceValue(func() error { cancel(); return <-ended }), screen: newBenchScreen(int(width), int(height))}
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		c.look(far)
	}()
	go func() {
		console := &app{World: World{In: near, Out: near, Err: io.Discard, Env: []string{"TERM=xterm-256color", "LANG=C.UTF-8"}}}
		err := console.console(ctx, socket, consoleOptions{mode: ui.ModeWatch, now: time.Now})
		_ = near.Close() // which ends the look
		<-looked
		ended <- errors.Join(err, far.Close())
	}()
	return c, nil
}

// look reads what comes to the terminal until the console has gone.
func (c *benchConsole) look(far io.Reader) {
	chunk := make([]byte, 64<<10)
	for {
		n, err := far.Read(chunk)
		now := time.Now()
		c.mu.Lock()
		c.bytes += int64(n)
		_, _ = c.screen.Write(chunk[:n])
		waiting := c.watches[:0]
		for _, w := range c.watches {
			if w.shows(c.screen) {
				w.when <- now
			} else {
				waiting = append(waiting, w)
			}
		}
		c.watches = waiting
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// watch begins to wait for what the screen shall show.
func (c *benchConsole) watch(shows func(*benchScreen) bool) *benchWatch {
	w := &benchWatch{shows: shows, when: make(chan time.Time, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if shows(c.screen) {
		w.when <- time.Now()
	} else {
		c.watches = append(c.watches, w)
	}
	return w
}

// errNotShown fails a measurement whose console did not show what it should.
var errNotShown = errors.New("the console did not show it: let the machine rest, and measure again")

// wait gives the moment at which the bytes came that show it.
func (w *benchWatch) wait(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, benchPatience, errNotShown)
	defer cancel()
	select {
	case at := <-w.when:
		return at, nil
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
}

// sent is how many bytes the console has written.
func (c *benchConsole) sent() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}
