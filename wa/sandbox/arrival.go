package sandbox

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// arrivals is a listener whose connections note when the first byte of each
// request came. It is the moment at which the stand-in read it, so at or
// shortly after its arrival.
type arrivals struct {
	net.Listener
	now func() time.Time
}

// Accept waits for the next connection.
func (a arrivals) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &arrival{Conn: c, now: a.now}, nil
}

type arrival struct {
	net.Conn
	now func() time.Time

	mu    sync.Mutex
	first time.Time // zero until a byte of the present request came
}

// Read notes when the first byte came.
func (c *arrival) Read(p []byte) (n int, err error) {
	n, err = c.Conn.Read(p)
	if n > 0 {
		c.mu.Lock()
		if c.first.IsZero() {
			c.first = c.now()
		}
		c.mu.Unlock()
	}
	return n, err
}

type arrivalKey struct{}

func withArrival(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, arrivalKey{}, c)
}

// firstByte is when the request's first byte came.
func firstByte(r *http.Request) time.Time {
	c, ok := r.Context().Value(arrivalKey{}).(*arrival)
	if !ok {
		return time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}

// watchArrivals has the next byte of the connection count as the first of
// another request, from before anything of this one's answer was written: the
// answers are small enough to leave only when their handler has returned.
func watchArrivals(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(arrivalKey{}).(*arrival); ok {
			defer func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.first = time.Time{}
			}()
		}
		next.ServeHTTP(w, r)
	})
}
