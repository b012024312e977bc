package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tickwatch/wa"
)

// How webhooks are delivered. Meta allows up to 1,000 updates in one (whatsapp.md §1).
const (
	inFlight       = 4
	maxUpdates     = 1000
	smallBatch     = 8 // batches hold up to this many while there is little to tell
	answerTimeout  = 10 * time.Second
	firstBackoff   = 2 * time.Second // of the campaign's clock, doubled each time
	longestBackoff = time.Minute
	leastWait      = 25 * time.Millisecond // real time, so that no speed makes retries spin
)

// feed delivers updates to the webhook address until each was answered 200.
type feed struct {
	url    atomic.Pointer[string] // where posts go; nil = nobody has said
	secret []byte
	now    func() time.Time
	speed  float64
	log    *slog.Logger
	agenda *agenda
	ledger *ledger
	client *http.Client
	outage struct{ from, to wa.Instant } // nothing gets through; set before run

	mu      sync.Mutex
	work    *sync.Cond // there may be something to deliver, or it is over
	over    bool
	fresh   []update // not yet in any post
	again   []*post  // to be repeated now
	posts   int      // composed so far
	batches *rand.Rand
}

// post is one webhook body, the same in every attempt.
type post struct {
	number  int
	body    []byte
	updates int
	tries   int
	taken   []func() // of its updates, for who waits for them
}

func newFeed(o Options, a *agenda, l *ledger) *feed {
	f := &feed{
		secret: []byte(o.Secret.Reveal()), now: o.Now, speed: o.Speed, log: o.Log,
		agenda: a, ledger: l, client: newClient(inFlight), batches: stream(o.Seed, "batches"),
	}
	if o.WebhookURL != "" {
		f.url.Store(&o.WebhookURL)
	}
	f.client.Timeout = answerTimeout
	f.work = sync.NewCond(&f.mu)
	return f
}

// newClient is an HTTP client for loopback: no proxy, no redirects, and as many
// connections kept as there are requests at once.
func newClient(connections int) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// queue takes an update for delivery at the next flush; repeated says that it
// was queued before.
func (f *feed) queue(u update, repeated bool) {
	f.ledger.queued(repeated)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = append(f.fresh, u)
}

// flush tells the deliverers that all that is due by now has been queued.
func (f *feed) flush() { f.work.Broadcast() }

// run delivers until ctx ends.
func (f *feed) run(ctx context.Context) {
	defer f.client.CloseIdleConnections()
	defer context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.over = true
		f.work.Broadcast()
	})()
	var deliverers sync.WaitGroup
	for range inFlight {
		deliverers.Go(func() {
			for p := f.next(); p != nil; p = f.next() {
				f.attempt(ctx, p)
			}
		})
	}
	deliverers.Wait()
}

// next waits for a post to deliver; nil when it is over.
func (f *feed) next() *post {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.over {
		if len(f.again) > 0 {
			p := f.again[0]
			f.again = slices.Delete(f.again, 0, 1)
			return p
		}
		if len(f.fresh) == 0 {
			f.work.Wait()
			continue
		}
		// One update in a quiet hour, hundreds when there is a backlog.
		n := 1 + f.batches.IntN(max(smallBatch, len(f.fresh)/inFlight))
		n = min(n, len(f.fresh), maxUpdates)
		f.posts++
		p := &post{number: f.posts, body: compose(f.fresh[:n], f.batches), updates: n}
		for _, u := range f.fresh[:n] {
			if u.taken != nil {
				p.taken = append(p.taken, u.taken)
			}
		}
		clear(f.fresh[:n]) // let go of what is now in the body
		f.fresh = f.fresh[n:]
		return p
	}
	return nil
}

// attempt delivers a post once, and has it repeated unless it was answered 200.
func (f *feed) attempt(ctx context.Context, p *post) {
	p.tries++
	a := Attempt{Post: p.number, Try: p.tries, Updates: p.updates, At: wa.At(f.now())}
	if a.At >= f.outage.from && a.At < f.outage.to {
		a.Problem = "the scenario lets no webhook through"
	} else {
		begin := time.Now()
		a.Answer, a.Problem = f.deliver(ctx, p.body)
		a.Took = time.Since(begin)
	}
	f.ledger.attempted(a)
	if a.Answer == http.StatusOK {
		for _, taken := range p.taken {
			taken()
		}
		return
	}
	wait := f.backoff(p.tries)
	f.log.Debug("webhook not taken", "post", p.number, "try", p.tries, "answer", a.Answer, "problem", a.Problem, "again_in", wait)
	f.agenda.at(wa.At(f.now().Add(wait)), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.again = append(f.again, p)
	})
}

// backoff is how long to wait, of the campaign's clock, after so many tries, with
// a jitter.
func (f *feed) backoff(tries int) time.Duration {
	f.mu.Lock()
	jitter := 0.75 + f.batches.Float64()/2
	f.mu.Unlock()
	return backoff(tries, f.speed, jitter)
}

// backoff is how long to wait, of the campaign's clock, after so many tries.
func backoff(tries int, speed, jitter float64) time.Duration {
	wait := longestBackoff
	if tries < 6 {
		wait = min(wait, firstBackoff<<(tries-1))
	}
	return max(time.Duration(float64(wait)*jitter), time.Duration(float64(leastWait)*speed))
}

// deliver sends a body; an answer of 0 means none came, for the reason given.
func (f *feed) deliver(ctx context.Context, body []byte) (answer int, problem string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, *f.url.Load(), bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "facebookexternalua")
	req.Header.Set("X-Hub-Signature-256", sign(f.secret, body))
	res, err := f.client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)); err != nil {
		problem = fmt.Sprintf("answer cut off: %v", err)
	}
	return res.StatusCode, problem
}

// sign is the X-Hub-Signature-256 of a body.
func sign(secret, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
