package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"tickwatch/wa"
)

// courier posts single documents to addresses of their own until each was
// answered 2xx, as providers of SMS do: with backoff, up to four at once, in no
// order that could be relied upon.
type courier struct {
	now    func() time.Time
	speed  float64
	log    *slog.Logger
	agenda *agenda
	client *http.Client

	mu     sync.Mutex
	work   *sync.Cond // there may be something to post, or it is over
	over   bool
	due    []*parcel
	posted int // answered 2xx
	left   int // not yet
}

// parcel is one document, the same in every attempt.
type parcel struct {
	address string
	body    []byte
	tries   int
}

func newCourier(o Options, a *agenda) *courier {
	c := &courier{now: o.Now, speed: o.Speed, log: o.Log, agenda: a, client: newClient(inFlight)}
	c.client.Timeout = answerTimeout
	c.work = sync.NewCond(&c.mu)
	return c
}

// post takes a document for delivery at once.
func (c *courier) post(address string, document any) {
	body, err := json.Marshal(document) // our own types
	if err != nil {
		c.log.Error("a document cannot be written", "error", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left++
	c.due = append(c.due, &parcel{address: address, body: body})
	c.work.Signal()
}

// state is how many documents were taken, and how many were not yet.
func (c *courier) state() (posted, left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.posted, c.left
}

// run delivers until ctx ends.
func (c *courier) run(ctx context.Context) {
	defer c.client.CloseIdleConnections()
	defer context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.over = true
		c.work.Broadcast()
	})()
	var riders sync.WaitGroup
	for range inFlight {
		riders.Go(func() {
			for p := c.next(); p != nil; p = c.next() {
				c.attempt(ctx, p)
			}
		})
	}
	riders.Wait()
}

// next waits for a parcel; nil when it is over.
func (c *courier) next() *parcel {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.over {
		if len(c.due) > 0 {
			p := c.due[0]
			c.due = slices.Delete(c.due, 0, 1)
			return p
		}
		c.work.Wait()
	}
	return nil
}

// attempt posts a parcel once, and has it repeated unless it was answered 2xx.
func (c *courier) attempt(ctx context.Context, p *parcel) {
	p.tries++
	err := c.deliver(ctx, p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.posted++
		c.left--
		return
	}
	wait := backoff(p.tries, c.speed, 1)
	c.log.Debug("callback not taken", "try", p.tries, "problem", err, "again_in", wait)
	c.agenda.at(wa.At(c.now().Add(wait)), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.due = append(c.due, p)
		c.work.Signal()
	})
}

func (c *courier) deliver(ctx context.Context, p *parcel) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address, bytes.NewReader(p.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)); err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("answered %d", res.StatusCode)
	}
	return nil
}
