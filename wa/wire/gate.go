package wire

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// gatedConn lets nothing out but the requests that were put before it, each
// through its own gate. What TLS writes by itself runs beneath it.
type gatedConn struct {
	net.Conn
	request atomic.Pointer[attempt]
}

var (
	errNobody = errors.New("nothing was to be sent on this connection")
	errOver   = errors.New("the request was given up")
	errEarly  = errors.New("the connection was answered before it was asked") // some servers bid an idle one farewell so
	errTwice  = errors.New("the request was written before, on another connection")
)

// Write asks the gate of the request before its first byte.
func (c *gatedConn) Write(p []byte) (int, error) {
	a := c.request.Load()
	if a == nil {
		return 0, errNobody
	}
	first, err := a.pass(c)
	if err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if first && a.written != nil {
		a.written()
	}
	return n, err
}

// attempt is one request before the gate, and what is known of it.
type attempt struct {
	begin   func() error  // nil = it may go
	written func()        // may be nil
	within  time.Duration // for the answer, from begin on
	giveUp  func()        // called when that is over
	repeat  bool          // it may be written again: a read, whose kept connection was closed

	mu      sync.Mutex
	conn    *gatedConn // that it is written to; nil until begin let it pass
	refused error      // begin's
	timer   *time.Timer
	over    bool
}

// pass tells whether the request may be written to a connection. The first time,
// begin decides, while nobody can end the attempt.
func (a *attempt) pass(c *gatedConn) (first bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.over:
		return false, errOver
	case a.refused != nil:
		return false, a.refused
	case a.conn == c:
		return false, nil
	case a.conn != nil && !a.repeat:
		return false, errTwice
	case a.conn != nil:
		a.conn = c
		return false, nil
	}
	if a.begin != nil {
		if a.refused = a.begin(); a.refused != nil {
			return false, a.refused
		}
	}
	a.conn = c
	a.timer = time.AfterFunc(a.within, a.giveUp)
	return true, nil
}

// answered takes in that an answer has come. One that comes before the request was
// let through answers nothing: it is false then, and the gate is closed for good.
func (a *attempt) answered() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = a.over || a.conn == nil
	return a.conn != nil
}

// end closes the gate for good, and tells what has happened before it.
func (a *attempt) end() (begun bool, refused error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	if a.timer != nil {
		a.timer.Stop()
	}
	return a.conn != nil, a.refused
}
