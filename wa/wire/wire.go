// Package wire carries HTTP requests to one host, each through a gate that stands
// right before its first byte.
//
// Guarantees of a request:
//
//   - Its Begin is called at most once: when a connection stands, TLS included,
//     and before any byte of the request is written to it. When Begin returns an
//     error, nothing of the request ever leaves. Once Do has returned, Begin is not
//     called any more.
//   - It is written at most once, unless it says Repeat. Nothing repeats it, not
//     even where a kept connection turns out to be closed.
//   - Answer.Begun tells whether any of it may have left.
//
// It speaks HTTP/1.1 only. There a connection carries one request at a time, so
// that the gate can stand right before the wire and an answer belongs to its
// request; the frames of an HTTP/2 connection are shared, buffered and wait for
// each other.
//
// It dials the one host that its base names, follows no redirect and no proxy of
// the environment, reads at most 1 MiB of an answer, and shows the secrets of a
// request in no error, whatever an answer may echo.
package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Bounds of every exchange.
const (
	ConnectWithin = 5 * time.Second // for DNS, TCP and TLS together
	MaxAnswer     = 1 << 20         // bytes of an answer's body
)

const (
	// A kept connection goes unused for at most so long, which is less than servers
	// use to wait: a send that meets a connection just being closed is doubtful.
	idleWithin = 30 * time.Second
	maxIdle    = 256 // four numbers with 64 requests each

	maxHeaders = 64 << 10 // of an answer, in bytes

	// An ordinary request fits into it and so is one write.
	writeBuffer = 16 << 10
)

// Options say where requests go.
type Options struct {
	Place  Place
	Base   string         // see Place.ParseBase
	Within time.Duration  // for an answer, from begin to its end
	Roots  *x509.CertPool // who may vouch for the host; nil = whom the system trusts
}

// Wire is the way to one host. It may be used concurrently.
type Wire struct {
	// May be changed before the first request.
	Dialer   *net.Dialer
	Patience time.Duration // Options.Within

	base      string
	host      string
	tls       *tls.Config
	transport *http.Transport
}

// New checks the base. Nothing is dialled before the first request.
func New(o Options) (*Wire, error) {
	base, err := o.Place.ParseBase(o.Base)
	if err != nil {
		return nil, err
	}
	w := &Wire{
		Dialer:   o.Place.Dialer(base.Hostname(), ConnectWithin),
		Patience: o.Within,
		base:     strings.TrimRight(base.String(), "/"),
		host:     base.Hostname(),
		tls: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: o.Roots, ServerName: base.Hostname(), NextProtos: []string{"http/1.1"},
			ClientSessionCache: tls.NewLRUClientSessionCache(0),
		},
	}
	w.transport = &http.Transport{
		DialContext:            w.dial,
		DialTLSContext:         w.dialTLS,
		Protocols:              new(http.Protocols),
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleWithin,
		MaxResponseHeaderBytes: maxHeaders,
		WriteBufferSize:        writeBuffer,
		DisableCompression:     true, // so that MaxAnswer bounds what an answer takes
	}
	w.transport.Protocols.SetHTTP1(true)
	return w, nil
}

// Base is the address that requests go below, without the last slash.
func (w *Wire) Base() string { return w.base }

// Host is the base's host.
func (w *Wire) Host() string { return w.host }

// Close closes the connections that are not in use. The wire stays usable.
func (w *Wire) Close() { w.transport.CloseIdleConnections() }

// dial opens a plain connection, behind the gate.
func (w *Wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := w.Dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &gatedConn{Conn: conn}, nil
}

// dialTLS opens a connection, shakes hands, and puts the gate before what TLS
// will encrypt.
func (w *Wire) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, w.Dialer.Timeout)
	defer cancel()
	conn, err := w.Dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(conn, w.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS with %s: %w", w.host, err)
	}
	return &gatedConn{Conn: secured}, nil
}
