package webhook

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"tickwatch/wa"
)

const (
	// maxBody bounds a body in bytes. Meta sends up to 3 MB (whatsapp.md §1).
	maxBody = 4 << 20

	// Of bodies over smallBody bytes, or of a length not told, at most largeBodies
	// are held at once; more of them wait. Together they hold at most 40 MiB.
	smallBody   = 64 << 10
	largeBodies = 10

	// The largest room that is kept for the next delivery: for a body, in bytes,
	// and for statuses, in number.
	keptBody     = 1 << 20
	keptStatuses = 2 << 10

	// ingestWithin bounds how long the Sink may take, and is exact to a second.
	// Meta has given up by then, and sends again.
	ingestWithin = 10 * time.Second

	// retryAfter is what a 503 asks for, in seconds.
	retryAfter = "5"
)

// Sink takes what was received: the store.
type Sink interface {
	// Ingest returns nil only when the post is durable. The post, its body and its
	// lists are lent until Ingest returns, because their room is used again; the
	// texts in it are its own. The context outlives the sender's connection; when
	// it ends, Ingest must return soon.
	Ingest(ctx context.Context, post *wa.Post) error
}

// Options say what a handler works with. Only Sink must be set.
type Options struct {
	Secrets      []wa.Secret // app secrets, any of which may have signed; none = every POST is refused
	VerifyTokens []wa.Secret // for the verification request; none = it is refused
	Sink         Sink
	Ready        func(ctx context.Context) error // nil error = able to store; nil = always ready
	Now          func() time.Time                // nil = time.Now
	Refused      func()                          // called for every 401; may be nil
	Answered     func(time.Duration)             // time from request to answer of every signed POST; may be nil
	Log          *slog.Logger                    // nil = nothing is logged
}

// NewHandler makes the webhook listener's handler: GET and POST /webhooks/meta,
// GET /healthz and GET /readyz. It may be called concurrently, holds at most one
// body of 4 MiB for each request, and returns from a request only after its
// Ingest has returned, so http.Server.Shutdown loses nothing that is under way.
func NewHandler(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Refused == nil {
		o.Refused = func() {}
	}
	if o.Answered == nil {
		o.Answered = func(time.Duration) {}
	}
	h := &handler{
		Options: o,
		signed:  NewVerifier(o.Secrets...),
		large:   make(chan struct{}, largeBodies),
	}
	for _, t := range o.VerifyTokens {
		if !t.Empty() {
			h.tokens = append(h.tokens, sha256.Sum256([]byte(t.Reveal())))
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /webhooks/meta", h.subscribe)
	mux.HandleFunc("POST /webhooks/meta", h.receive)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "alive")
	})
	mux.HandleFunc("GET /readyz", h.ready)
	return mux
}

type handler struct {
	Options
	signed *Verifier
	tokens [][sha256.Size]byte
	large  chan struct{} // one for each body over smallBody that is held
	term   atomic.Pointer[term]

	refusals, oddities, failures sparse
}

// subscribe answers the request by which Meta verifies the listener.
func (h *handler) subscribe(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	challenge := q.Get("hub.challenge")
	said := sha256.Sum256([]byte(q.Get("hub.verify_token"))) // equal lengths: the time tells nothing
	known := 0
	for _, token := range h.tokens {
		known |= subtle.ConstantTimeCompare(said[:], token[:])
	}
	if known == 0 || q.Get("hub.mode") != "subscribe" || challenge == "" {
		why := "the request is no subscription"
		switch {
		case len(h.tokens) == 0:
			why = "no verify token is configured: set webhook.verify_token"
		case known == 0:
			why = "the verify token is wrong: compare webhook.verify_token with the app's settings"
		}
		h.refusals.log(h.Log, h.Now(), "webhook verification refused", "why", why)
		answer(w, http.StatusForbidden, "refused")
		return
	}
	answer(w, http.StatusOK, challenge)
}

// receive takes one signed body to the Sink. Nothing of it is looked at before
// its signature is checked.
func (h *handler) receive(w http.ResponseWriter, r *http.Request) {
	start := time.Now()                               // not h.Now: a demo's clock runs faster than the answers
	if len(r.Header.Values("Content-Encoding")) > 0 { // a small body might hide a huge one
		answer(w, http.StatusUnsupportedMediaType, "send the body without Content-Encoding")
		return
	}
	if r.ContentLength < 0 || r.ContentLength > smallBody { // unsigned so far: bound what they can hold
		select {
		case h.large <- struct{}{}:
			defer func() { <-h.large }()
		case <-r.Context().Done():
			return
		}
	}
	d := deliveries.Get().(*delivery)
	if err := d.read(w, r); err != nil {
		d.release()
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			answer(w, http.StatusRequestEntityTooLarge, "the body is over 4 MiB")
			return
		}
		answer(w, http.StatusBadRequest, "the body broke off")
		return
	}
	if err := h.signed.Verify(r.Header.Values(SignatureHeader), d.body); err != nil {
		d.release()
		h.Refused()
		h.refusals.log(h.Log, h.Now(), "webhook refused", "why", err)
		answer(w, http.StatusUnauthorized, "the signature is missing or wrong")
		return
	}
	decode(&d.post, "meta", d.body, wa.At(h.Now()))
	odd, problem := d.post.NotUnderstood, d.post.Problem
	// Even if the sender has gone meanwhile: it was signed, it is here, and coming
	// again it is a duplicate at worst.
	err := h.Sink.Ingest(h.ingestContext(), &d.post)
	d.release()
	if err != nil {
		h.failures.log(h.Log, h.Now(), "webhook not stored, the sender was asked to come again", "err", err)
		w.Header().Set("Retry-After", retryAfter)
		answer(w, http.StatusServiceUnavailable, "not stored, come again")
	} else {
		if odd > 0 {
			h.oddities.log(h.Log, h.Now(), "webhook kept raw, not all of it understood", "parts", odd, "first", problem)
		}
		answer(w, http.StatusOK, "stored")
	}
	h.Answered(time.Since(start))
}

func (h *handler) ready(w http.ResponseWriter, r *http.Request) {
	if h.Ready != nil {
		if err := h.Ready(r.Context()); err != nil {
			answer(w, http.StatusServiceUnavailable, wa.Clean(err.Error()))
			return
		}
	}
	answer(w, http.StatusOK, "ready")
}

// The headers of every answer, made once: net/http only reads them.
var (
	plainText = []string{"text/plain; charset=utf-8"}
	nosniff   = []string{"nosniff"}
)

// answer writes a text that no browser may take for anything else: the
// challenge is foreign.
func answer(w http.ResponseWriter, code int, text string) {
	header := w.Header()
	header["Content-Type"], header["X-Content-Type-Options"] = plainText, nosniff
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text) // the sender may be gone
}
