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
// It speaks HTTP/1.1 only. There a connection carries one request at a time, so
// that the gate can stand right before the wire and an answer belongs to its
// request; the frames of an HTTP/2 connection are shared, buffered and wait for
// each other.
//
// It dials the one host that the configuration names, follows no redirect, reads
// at most 1 MiB of an answer, and shows the access token to nobody else: not in an
// address, a log or an error, whatever an answer may echo.
package graph

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"tickwatch/wa"
)

// Where the Graph API is, and the newest version of it that was tried.
const (
	BaseURL = "https://graph.facebook.com"
	Version = "v26.0"
)

const (
	connectWithin = 5 * time.Second // for DNS, TCP and TLS together
	answerWithin  = 5 * time.Second // from the begin of the write to the end of the answer

	// A kept connection goes unused for at most so long, which is less than servers
	// use to wait: a send that meets a connection just being closed is doubtful.
	idleWithin = 30 * time.Second
	maxIdle    = 256 // four numbers with 64 requests each

	maxHeaders = 64 << 10 // of an answer, in bytes
	maxAnswer  = 1 << 20

	// An ordinary request fits into it and so is one write.
	writeBuffer = 16 << 10
)

// Options say where the Graph API is and how to be known there.
type Options struct {
	BaseURL string           // https, or http on loopback; "" means BaseURL
	Version string           // "v26.0"; "" means Version
	Token   func() wa.Secret // the access token; asked for every request, so that it can be renewed
	Roots   *x509.CertPool   // who may vouch for the host; nil = whom the system trusts
	Log     *slog.Logger     // what Meta refused and where an answer failed, at level debug; nil = silent
}

// Client speaks with the Graph API. It may be used concurrently.
type Client struct {
	base     string // address, version included, without the last slash
	host     string
	token    func() wa.Secret
	log      *slog.Logger
	patience time.Duration // answerWithin
	dialer   *net.Dialer
	tls      *tls.Config
	wire     *http.Transport
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
	base, err := parseBase(o.BaseURL)
	switch {
	case err != nil:
		return nil, err
	case !versionForm.MatchString(o.Version):
		return nil, fmt.Errorf("graph.version %q is no version of the Graph API: give one like %s", wa.Clean(o.Version), Version)
	case o.Token == nil:
		return nil, errors.New("graph: a client needs an access token; set Options.Token")
	}
	c := &Client{
		base:     strings.TrimRight(base.String(), "/") + "/" + o.Version,
		host:     base.Hostname(),
		token:    o.Token,
		log:      o.Log,
		patience: answerWithin,
		dialer:   &net.Dialer{Timeout: connectWithin, ControlContext: guard(onLoopback(base.Hostname()))},
		tls: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: o.Roots, ServerName: base.Hostname(), NextProtos: []string{"http/1.1"},
			ClientSessionCache: tls.NewLRUClientSessionCache(0),
		},
	}
	c.wire = &http.Transport{
		DialContext:            c.dial,
		DialTLSContext:         c.dialTLS,
		Protocols:              new(http.Protocols),
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleWithin,
		MaxResponseHeaderBytes: maxHeaders,
		WriteBufferSize:        writeBuffer,
		DisableCompression:     true, // so that maxAnswer bounds what an answer takes
	}
	c.wire.Protocols.SetHTTP1(true)
	return c, nil
}

// Close closes the connections that are not in use. The client stays usable.
func (c *Client) Close() { c.wire.CloseIdleConnections() }

// parseBase reads the base URL, and takes plain http for loopback only.
func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("graph.base_url %q is no address of the Graph API: give one like %s", wa.Clean(raw), BaseURL)
	}
	loopback := onLoopback(u.Hostname())
	if u.Scheme == "http" && !loopback {
		return nil, fmt.Errorf("graph.base_url %q would send the access token in the clear: give an https address (http is for 127.0.0.1 only)", wa.Clean(raw))
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		if err := allowed(ip, loopback); err != nil {
			return nil, fmt.Errorf("graph.base_url: %w", err)
		}
	}
	return u, nil
}

// onLoopback tells whether a host is meant to be this machine.
func onLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// dial opens a plain connection, behind the gate.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := c.dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &gatedConn{Conn: conn}, nil
}

// dialTLS opens a connection, shakes hands, and puts the gate before what TLS
// will encrypt.
func (c *Client) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.dialer.Timeout)
	defer cancel()
	conn, err := c.dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(conn, c.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS with %s: %w", c.host, err)
	}
	return &gatedConn{Conn: secured}, nil
}
