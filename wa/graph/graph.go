// Package graph is the client of Meta's Cloud API and the business management
// calls beside it (whatsapp.md §3): it sends template messages, and reads what
// Meta says of templates, numbers, health and subscriptions.
//
// Guarantees of a send:
//
//   - Its begin is called at most once: when a connection stands, TLS included,
//     and before any byte of the request is written to it. When begin returns an
//     error, nothing of the request ever leaves. Once Send has returned, begin
//     is not called any more.
//   - A request is written at most once. Nothing repeats it, not even where a
//     kept connection turns out to be closed.
//   - The three ways to fail are told apart strictly: a *wa.Refusal is Meta's own
//     word, wa.ErrNotSent means that nothing was written, and everything between
//     is wa.ErrMayHaveGone.
//
// The gate itself, and why HTTP/1.1 alone is spoken, is told in wa/wire. The client
// dials the one host that the configuration names, follows no redirect, reads
// at most 1 MiB of an answer, and shows the access token to nobody else: not in an
// address, a log or an error, whatever an answer may echo.
package graph

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// Where the Graph API is, and the newest version of it that was tried.
const (
	BaseURL = "https://graph.facebook.com"
	Version = "v26.0"
)

// answerWithin runs from the begin of the write to the end of the answer.
const answerWithin = 5 * time.Second

// Options say where the Graph API is and how to be known there.
type Options struct {
	BaseURL string           // https, or http on loopback; "" means BaseURL
	Version string           // "v26.0"; "" means Version
	Token   func() wa.Secret // the access token; asked for every request, so that it can be renewed
	Roots   *x509.CertPool   // who may vouch for the host; nil = whom the system trusts
	Now     func() time.Time // the clock of the Budget; nil = time.Now
	Log     *slog.Logger     // what Meta refused and where an answer failed, at level debug; nil = silent
}

// Client speaks with the Graph API. It may be used concurrently.
type Client struct {
	base  string // address, version included, without the last slash
	token func() wa.Secret
	log   *slog.Logger
	wire  *wire.Wire

	use    Use
	budget *budget // shared by all that For gives
	denied *denied // as well
}

var versionForm = regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,2}$`)

// New checks the options. Nothing is dialled before the first call.
func New(o Options) (*Client, error) {
	if o.BaseURL == "" {
		o.BaseURL = BaseURL
	}
	if o.Version == "" {
		o.Version = Version
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	way, err := wire.New(wire.Options{
		Place:  wire.Place{Key: "graph.base_url", Name: "the Graph API", Secret: "the access token", Example: BaseURL},
		Base:   o.BaseURL,
		Within: answerWithin,
		Roots:  o.Roots,
	})
	switch {
	case err != nil:
		return nil, err
	case !versionForm.MatchString(o.Version):
		return nil, fmt.Errorf("graph.version %q is no version of the Graph API: give one like %s", wa.Clean(o.Version), Version)
	case o.Token == nil:
		return nil, errors.New("graph: a client needs an access token; set Options.Token")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Client{
		base: way.Base() + "/" + o.Version, token: o.Token, log: o.Log, wire: way,
		budget: &budget{now: o.Now}, denied: &denied{now: o.Now},
	}, nil
}

// Close closes the connections that are not in use. The client stays usable.
func (c *Client) Close() { c.wire.Close() }
