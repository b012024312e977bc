package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// ClientOptions are what a Client needs. Only Socket is required.
type ClientOptions struct {
	Socket string
	Log    *slog.Logger // nil = silent
	Timing Timing
	Rand   func() float64 // spreads the reconnects, in [0, 1); nil = math/rand
}

// Client is the console's end of the link. Make it with NewClient and start
// its Run; every other method may be called from any goroutine at any time.
type Client struct {
	opt     ClientOptions
	log     *slog.Logger
	updates chan Update   // one slot, the newest
	retry   chan struct{} // one slot
	wake    chan struct{} // one slot: a call is to be sent
	ended   chan struct{} // closed when Run is over

	mu    sync.Mutex
	state Update // what Updates said last
	link  int    // counts the links, to tell what was sent on which
	calls []*call
}

// NewClient makes a Client; Run connects it.
func NewClient(opt ClientOptions) *Client {
	opt.Timing = opt.Timing.or(Timing{Ping: 3 * time.Second, Dead: 9 * time.Second, Write: 5 * time.Second})
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Rand == nil {
		opt.Rand = rand.Float64
	}
	return &Client{
		opt:     opt,
		log:     opt.Log,
		updates: make(chan Update, 1),
		retry:   make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
	}
}

// Updates tells of snapshots and of the link's coming and going. It holds one
// Update, the newest; each is complete, so missing some loses nothing. It is
// closed when Run ends.
func (c *Client) Updates() <-chan Update { return c.updates }

// Retry reconnects now instead of waiting. While connected it does nothing.
func (c *Client) Retry() {
	select {
	case c.retry <- struct{}{}:
	default:
	}
}

// Run keeps the client connected until ctx ends, and returns nil then. A
// socket path that can never work is an error at once. Run once.
func (c *Client) Run(ctx context.Context) error {
	defer c.end()
	if err := checkSocketPath(c.opt.Socket); err != nil {
		c.tell(func(u *Update) { u.Err = err })
		return err
	}
	failures := 0
	for ctx.Err() == nil {
		conn, err := dial(ctx, c.opt.Socket)
		if err == nil {
			var useful bool
			useful, err = c.attend(ctx, conn)
			if useful {
				failures = 0
			}
		}
		if ctx.Err() != nil {
			break
		}
		c.log.Debug("no link", "err", err)
		c.tell(func(u *Update) { u.Connected, u.Err = false, err })
		if c.wait(ctx, backoff(failures, c.opt.Rand())) {
			failures = 0
		} else {
			failures++
		}
	}
	return nil
}

// backoff is how long to wait after so many failures in a row: anything up to
// a bound that doubles from 100 ms to 3 s ("full jitter"), so that consoles do
// not all come back at one moment. r is random in [0, 1).
func backoff(failures int, r float64) time.Duration {
	const first, last = 100 * time.Millisecond, 3 * time.Second
	bound := last
	if failures < 5 {
		bound = min(first<<failures, last)
	}
	return time.Duration(r * float64(bound))
}

// wait waits before the next attempt; true when Retry cut it short.
func (c *Client) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.retry:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// tell changes the state and puts it in the one slot.
func (c *Client) tell(change func(*Update)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.state)
	select {
	case <-c.updates:
	default:
	}
	c.updates <- c.state // nobody else sends
}

func (c *Client) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Connected = false
	close(c.ended)
	close(c.updates)
}

// attend runs one link until it or ctx ends. It was useful when the daemon
// said anything on it.
func (c *Client) attend(ctx context.Context, conn *websocket.Conn) (useful bool, err error) {
	gone := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(gone)
		hangUp(conn, websocket.CloseNormalClosure, "")
	})
	c.tell(func(u *Update) { u.Connected, u.Err = true, nil })
	life, end := context.WithCancel(ctx)
	written := make(chan error, 1)
	go func() {
		err := c.write(life, conn)
		if err != nil {
			_ = conn.Close() // for the reader to end too
		}
		written <- err
	}()
	useful, err = c.read(conn)
	end()
	_ = conn.Close()
	if failed := <-written; failed != nil && errors.Is(err, net.ErrClosed) {
		err = failed // it came first
	}
	if !stop() {
		<-gone
	}
	select {
	case <-c.retry: // asked for while connected
	default:
	}
	return useful, lostLink(err, c.opt.Timing)
}

func (c *Client) read(conn *websocket.Conn) (useful bool, err error) {
	alive := listenTo(conn, maxDaemonFrame, c.opt.Timing)
	for {
		alive()
		_, data, err := conn.ReadMessage()
		if err != nil {
			return useful, err
		}
		var frame daemonFrame
		if err := json.Unmarshal(data, &frame); err != nil {
			return useful, fmt.Errorf("it sent what this console does not understand, bring both to the same version: %w", err)
		}
		useful = true
		if frame.Snapshot != nil {
			c.tell(func(u *Update) { u.Snapshot = frame.Snapshot })
		}
		if frame.Ack != nil {
			c.answered(frame.Ack)
		}
	}
}

// write sends the calls that this link has not carried yet, which after a
// reconnect are all that wait for an answer, and then each new one.
func (c *Client) write(life context.Context, conn *websocket.Conn) error {
	ping := time.NewTicker(c.opt.Timing.Ping)
	defer ping.Stop()
	c.mu.Lock()
	c.link++
	link := c.link
	c.mu.Unlock()
	for {
		for frame := c.nextCall(link); frame != nil; frame = c.nextCall(link) {
			if err := conn.SetWriteDeadline(c.deadline()); err != nil {
				return err
			}
			if err := conn.WriteMessage(websocket.TextMessage, frame); err != nil {
				return err
			}
		}
		select {
		case <-life.Done():
			return nil
		case <-c.wake:
		case <-ping.C:
			if err := conn.WriteControl(websocket.PingMessage, nil, c.deadline()); err != nil {
				return err
			}
		}
	}
}

func (c *Client) deadline() time.Time { return time.Now().Add(c.opt.Timing.Write) }

// errRunEnded is why a call fails on a Client whose Run is over.
var errRunEnded = errors.New("this console's link was closed")
