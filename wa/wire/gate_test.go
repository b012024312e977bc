package wire

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// TestGateOfAnAttempt: the states that no server can bring about at will.
func TestGateOfAnAttempt(t *testing.T) {
	here, there := net.Pipe()
	defer func() { _, _ = here.Close(), there.Close() }()
	one, other := &gatedConn{Conn: here}, &gatedConn{Conn: here}
	if _, err := one.Write([]byte("x")); !errors.Is(err, errNobody) {
		t.Errorf("a connection without a request let something out: %v", err)
	}
	begins := 0
	a := &attempt{begin: func() error { begins++; return nil }, within: 1 << 40, giveUp: func() {}}
	for _, c := range []struct {
		conn *gatedConn
		want error
	}{{one, nil}, {one, nil}, {other, errTwice}} {
		if _, err := a.pass(c.conn); !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
	if begun, refused := a.end(); !begun || refused != nil || begins != 1 {
		t.Errorf("begun %v, refused %v, after %d begins", begun, refused, begins)
	}
	early := &attempt{begin: func() error { begins++; return nil }}
	if early.answered() {
		t.Error("an answer to nothing counts")
	}
	if _, err := early.pass(one); !errors.Is(err, errOver) || begins != 1 {
		t.Errorf("what was answered before began: %v", err)
	}
	if !a.answered() {
		t.Error("an answer to what was let through does not count")
	}
	late := &attempt{begin: func() error { begins++; return nil }}
	late.end()
	if _, err := late.pass(one); !errors.Is(err, errOver) || begins != 1 {
		t.Errorf("a request that was given up began: %v", err)
	}
}

// TestWritten: it is told when the last byte is out, not before.
func TestWritten(t *testing.T) {
	here, there := net.Pipe()
	defer func() { _, _ = here.Close(), there.Close() }()
	var written atomic.Bool
	c := &gatedConn{Conn: here}
	c.request.Store(&attempt{written: func() { written.Store(true) }, within: 1 << 40, giveUp: func() {}})
	ended := make(chan error)
	go func() {
		_, err := c.Write([]byte("POST"))
		ended <- err
	}()
	if _, err := io.ReadFull(there, make([]byte, 3)); err != nil || written.Load() {
		t.Errorf("%v, written %v while a byte is still to go", err, written.Load())
	}
	if _, err := io.ReadFull(there, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil || !written.Load() {
		t.Errorf("%v, written %v", err, written.Load())
	}
	c.request.Load().end()
}
