package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"tickwatch/wa"
)

// ErrNoDaemon is in the tree of every error that says that no daemon is there,
// or that it does not answer (exit 3).
var ErrNoDaemon = errors.New("no daemon is reachable")

// noDaemon wraps ErrNoDaemon with the way out.
func noDaemon(socket string, cause error) error {
	return fmt.Errorf("%w at %s: start it with `tickwatch serve`, or name its socket with link.socket (%w)", ErrNoDaemon, socket, cause)
}

// handshakeWithin is how long a daemon may take to let a console in.
const handshakeWithin = 5 * time.Second

// dial opens a link. A refusal is a *Fault; an absent or mute daemon is ErrNoDaemon.
func dial(ctx context.Context, socket string) (*websocket.Conn, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, "unix", socket)
	if errors.Is(err, fs.ErrPermission) {
		return nil, &Fault{FaultRefused, fmt.Sprintf("the socket %s belongs to another user: run tickwatch as that user or as root", socket)}
	}
	if err != nil {
		return nil, noDaemon(socket, err)
	}
	// The handshake heeds a deadline, but not the end of ctx.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	ws := websocket.Dialer{
		NetDialContext:   func(context.Context, string, string) (net.Conn, error) { return raw, nil },
		HandshakeTimeout: handshakeWithin,
		ReadBufferSize:   64 << 10,
	}
	conn, resp, err := ws.DialContext(ctx, "ws://tickwatch"+consolePath, nil)
	if err == nil {
		return conn, nil
	}
	_ = raw.Close() // the dialer did; its promise is not documented
	if resp == nil {
		return nil, fmt.Errorf("%w at %s: something holds the socket and does not answer; look whether the daemon hangs, and restart it (%w)", ErrNoDaemon, socket, err)
	}
	said := firstLine(resp.Body)
	if resp.StatusCode == http.StatusForbidden {
		return nil, &Fault{FaultRefused, said}
	}
	return nil, fmt.Errorf("the daemon at %s did not let the console in: %s: %s", socket, resp.Status, said)
}

func firstLine(r io.Reader) string {
	text, err := io.ReadAll(io.LimitReader(r, 1024))
	if err != nil && len(text) == 0 {
		return "no reason given"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return wa.Clean(line)
}

// lostLink says in the operator's words why a link ended.
func lostLink(err error, t Timing) error {
	var closed *websocket.CloseError
	var timeout net.Error
	switch {
	case errors.As(err, &closed) && closed.Text != "" && closed.Code != websocket.CloseAbnormalClosure:
		return fmt.Errorf("the daemon ended the link: %s (%w)", wa.Clean(closed.Text), err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("the daemon is silent, nothing came from it for %s: look whether it hangs (%w)", t.Dead, err)
	}
	return fmt.Errorf("the link to the daemon broke: %w", err)
}
