package fallback

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"tickwatch/wa"
)

// HookOptions say what a callback handler works with; all but Now and Log are needed.
type HookOptions struct {
	Channels Channels
	Sink     interface { // the store; nil only when the post is durable
		Ingest(ctx context.Context, p *wa.Post) error
	}
	Known func(ctx context.Context, a wa.FallbackAttempt) (bool, error) // tells a receipt from a forgery
	Now   func() time.Time                                              // nil = time.Now
	Log   *slog.Logger                                                  // nil = nothing is logged
}

const (
	maxCallback  = 1 << 20          // bytes of a body
	ingestWithin = 10 * time.Second // the provider comes again
)

// NewHook makes the handler of providers' callbacks, below Path: POST or GET
// /webhooks/fallback/{channel}/{attempt} for receipts, …/reply for replies. It
// answers 401 to what does not prove that it is the provider's, 404 where no
// provider is set up, 413 to a body over 1 MiB, 503 while the store cannot take it;
// else as the provider wants it, once all is durable.
func NewHook(o HookOptions) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &hook{o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"{channel}/{name}", h.receive)
	mux.HandleFunc("POST "+Path+"{channel}/{name}", h.receive)
	return mux
}

type hook struct{ HookOptions }

func (h *hook) receive(w http.ResponseWriter, r *http.Request) {
	channel, name := r.PathValue("channel"), r.PathValue("name")
	p := h.Channels[channel]
	if p == nil {
		say(w, http.StatusNotFound, "no provider is set up for this channel")
		return
	}
	if r.Header.Get("Content-Encoding") != "" { // a small body might hide a huge one
		say(w, http.StatusUnsupportedMediaType, "send the body without Content-Encoding")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCallback))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			say(w, http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB")
		}
		return // else the connection broke: the provider comes again
	}
	got, err := p.Receive(r, body)
	attempt, named := wa.ParseFallbackAttempt(name)
	switch {
	case errors.Is(err, ErrSignature):
		h.refuse(w, channel, err)
		return
	case name != Reply && !named:
		h.refuse(w, channel, ErrSignature)
		return
	case err != nil:
		h.Log.Warn("a provider's callback is kept raw", "channel", channel, "error", err)
	}
	if named {
		known, err := h.Known(r.Context(), attempt)
		if err != nil {
			h.busy(w, err)
			return
		}
		if !known {
			h.refuse(w, channel, ErrSignature)
			return
		}
	}
	if err := h.keep(r, channel, body, &got, err != nil); err != nil {
		h.busy(w, err)
		return
	}
	answer := got.Response
	if answer.ContentType != "" {
		w.Header().Set("Content-Type", answer.ContentType)
	}
	if answer.Status == 0 {
		answer.Status = http.StatusOK
	}
	w.WriteHeader(answer.Status)
	_, _ = io.WriteString(w, answer.Body)
}

// keep makes durable what a callback told, and its raw form.
func (h *hook) keep(r *http.Request, channel string, body []byte, got *Received, odd bool) error {
	post := &wa.Post{
		Source: wa.BesideSource(channel), ReceivedAt: wa.At(h.Now()), Body: raw(r, body), Receipts: got.Receipts, Replies: got.Replies,
	}
	for _, a := range got.OptedOut {
		post.Replies = append(post.Replies, wa.Reply{Channel: channel, Attempt: a, At: post.ReceivedAt, OptedOut: true})
	}
	if odd {
		post.NotUnderstood = 1
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), ingestWithin)
	defer cancel()
	return h.Sink.Ingest(ctx, post)
}

// raw is a callback as it is kept: what it said in its address, and its body. What
// authenticates it is not kept.
func raw(r *http.Request, body []byte) []byte {
	q := r.URL.Query()
	q.Del("token")
	if len(q) == 0 {
		return body
	}
	kept := q.Encode()
	if len(body) == 0 {
		return []byte(kept)
	}
	return []byte(kept + "\n" + string(body))
}

func (h *hook) refuse(w http.ResponseWriter, channel string, why error) {
	h.Log.Warn("a callback was refused", "channel", channel, "why", why)
	say(w, http.StatusUnauthorized, "refused")
}

func (h *hook) busy(w http.ResponseWriter, err error) {
	h.Log.Error("a callback could not be stored; its provider sends it again", "error", err)
	w.Header().Set("Retry-After", "5")
	say(w, http.StatusServiceUnavailable, "try again")
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, strings.TrimSpace(text)+"\n")
}
