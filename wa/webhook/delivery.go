package webhook

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"tickwatch/wa"
)

// delivery is the room that one POST takes while it is under way. It goes round:
// a POST of few statuses costs next to no memory of its own.
type delivery struct {
	body []byte
	post wa.Post
}

var deliveries = sync.Pool{New: func() any { return new(delivery) }}

// read reads the whole body. The length that the sender announces is believed
// for small bodies only.
func (d *delivery) read(w http.ResponseWriter, r *http.Request) error {
	if n := r.ContentLength; n > maxBody {
		return &http.MaxBytesError{Limit: maxBody}
	} else if n >= 0 && n <= smallBody { // of which net/http gives no byte more
		d.body = slices.Grow(d.body[:0], int(n))[:n]
		_, err := io.ReadFull(r.Body, d.body)
		return err
	}
	b := bytes.NewBuffer(d.body[:0])
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	d.body = b.Bytes()
	return err
}

// release gives the room back, without what was in it, and without what one
// rare large body would hold for ever.
func (d *delivery) release() {
	statuses := d.post.Statuses
	clear(statuses)
	if cap(statuses) > keptStatuses {
		statuses = nil
	}
	d.post = wa.Post{Statuses: statuses[:0]}
	if cap(d.body) > keptBody {
		d.body = nil
	}
	deliveries.Put(d)
}

// term is a context that all posts of one second share, because one with a timer
// for each would cost as much as decoding it.
type term struct {
	began time.Time
	ctx   context.Context
}

// ingestContext is a context that ends ingestWithin from now, or up to a second
// later.
func (h *handler) ingestContext() context.Context {
	now := time.Now()
	if t := h.term.Load(); t != nil && now.Sub(t.began) < time.Second {
		return t.ctx
	}
	ctx, cancel := context.WithTimeout(context.Background(), ingestWithin+time.Second)
	context.AfterFunc(ctx, cancel) // time alone ends it
	h.term.Store(&term{now, ctx})
	return ctx
}
