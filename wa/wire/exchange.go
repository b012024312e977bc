package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"time"

	"tickwatch/wa"
)

// Request is one request.
type Request struct {
	Method string
	URL    string      // below the wire's base
	Header http.Header // may be nil; User-Agent is ours
	Body   []byte      // nil = none

	Begin   func() error // the gate: see the package's guarantees; nil = it may go
	Written func()       // called once, when the first write of what passed is with the system or failed; may be nil
	Repeat  bool         // it may be written again: a read, whose kept connection was closed

	Secrets []wa.Secret // what an answer may not show; see Answer.Shown
}

// Answer is what came back, as far as it did.
type Answer struct {
	Status int // 0 = none came
	Header http.Header
	Body   []byte
	At     time.Time // when its headers came
	Begun  bool      // something of the request may have left
	Closed error     // Begin's error

	Secrets []wa.Secret // as the request had them
}

// ErrTooLong is the error of an answer that was not read to its end.
var ErrTooLong = fmt.Errorf("the answer is longer than %d KiB", MaxAnswer>>10)

// Do makes one request and reads its answer whole. The answer's status is known
// even where an error says that the rest of it is not. Errors hold no text of an
// answer that could show a secret, and of their causes wrap only the context's.
func (w *Wire) Do(ctx context.Context, r *Request) (Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := fmt.Errorf("no answer within %s", w.Patience)
	a := &attempt{begin: r.Begin, written: r.Written, repeat: r.Repeat, within: w.Patience, giveUp: func() { cancel(late) }}
	ans := Answer{Secrets: r.Secrets}
	err := w.exchange(ctx, r, a, &ans)
	ans.Begun, ans.Closed = a.end()
	switch {
	case err == nil, errors.Is(err, ErrTooLong), errors.Is(err, errEarly):
		return ans, err
	case errors.Is(context.Cause(ctx), late):
		return ans, late
	case ctx.Err() != nil:
		return ans, fmt.Errorf("broken off: %w", context.Cause(ctx))
	case ans.Begun:
		return ans, errors.New(ans.Shown(plain(err)))
	}
	return ans, errors.New(ans.Shown(err.Error()))
}

func (w *Wire) exchange(ctx context.Context, r *Request, a *attempt, ans *Answer) error {
	req, err := r.through(ctx, a)
	if err != nil {
		return err
	}
	res, err := w.transport.RoundTrip(req) // an http.Client would follow redirects and print addresses
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if !a.answered() {
		return errEarly
	}
	ans.Status, ans.Header, ans.At = res.StatusCode, res.Header, time.Now()
	ans.Body, err = io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	if err == nil && len(ans.Body) > MaxAnswer {
		err = ErrTooLong
	}
	return err
}

// through builds a request that is written through the attempt's gate. It has no
// GetBody: net/http could repeat it otherwise.
func (r *Request) through(ctx context.Context, a *attempt) (*http.Request, error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if conn, ok := got.Conn.(*gatedConn); ok { // another would let nothing out
			conn.request.Store(a)
		}
	}})
	var content io.Reader
	if r.Body != nil {
		content = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, content)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	req.Header.Set("User-Agent", "tickwatch")
	return req, nil
}

// plain says in words what broke a connection.
func plain(err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer ended in the middle"
	case errors.Is(err, io.EOF):
		return "the connection was closed without an answer"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset by the other side"
	}
	return strings.TrimPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: ")
}
