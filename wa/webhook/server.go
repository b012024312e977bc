package webhook

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// NewServer makes the listener's server. Its deadlines give a sender that
// dawdles back its connection: 5 s for the headers, 15 s for the whole request,
// a minute between two requests. It speaks HTTP/1.1 only, so that a connection
// holds one request and Limit bounds both. The caller serves, sets ErrorLog, and
// drains with Shutdown, for which 30 s always suffice.
func NewServer(handler http.Handler) *http.Server {
	s := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second, // from the headers on: reading, ingest and answer
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		Protocols:         new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	return s
}

// Limit bounds the connections of a listener that are open at once to n. While
// n are open, Accept waits for one to close and newcomers wait in the system's
// queue. The server's deadlines close slow connections, so whoever wants to keep
// others out has to open n new ones every 15 s.
func Limit(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, n), closed: make(chan struct{})}
}

type limited struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Accept waits for a free place, then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		l.release()
		return nil, err
	}
	return &limitedConn{Conn: c, release: sync.OnceFunc(l.release)}, nil
}

// Close closes the listener and wakes an Accept that waits for a place.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

func (l *limited) release() { <-l.slots }

// limitedConn gives its place back when it is closed.
type limitedConn struct {
	net.Conn
	release func()
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
