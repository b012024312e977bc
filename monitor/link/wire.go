package link

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

// consolePath is where consoles attach; it carries the protocol's version.
const consolePath = "/v1/console"

// Bounds of the wire, in bytes.
const (
	maxCommandFrame = 64 << 10 // console to daemon
	maxDaemonFrame  = 4 << 20  // daemon to console
	maxCommandID    = 64
)

// Timing is how long an end of the link waits. A zero field means its default.
type Timing struct {
	Ping  time.Duration // between two pings; 5 s at the daemon, 3 s at the console
	Dead  time.Duration // silence after which the other end counts as gone; 15 s and 9 s
	Write time.Duration // for one frame to be taken by the other end; 10 s and 5 s
}

func (t Timing) or(d Timing) Timing {
	if t.Ping <= 0 {
		t.Ping = d.Ping
	}
	if t.Dead <= 0 {
		t.Dead = d.Dead
	}
	if t.Write <= 0 {
		t.Write = d.Write
	}
	return t
}

// daemonFrame is one text frame from daemon to console: one of its members.
type daemonFrame struct {
	Snapshot *Snapshot `json:"snapshot,omitempty"`
	Ack      *Ack      `json:"ack,omitempty"`
}

// consoleFrame is one text frame from console to daemon.
type consoleFrame struct {
	Command *Command `json:"command,omitempty"`
}

func snapshotFrame(snap *Snapshot) ([]byte, error) {
	frame, err := json.Marshal(struct {
		Snapshot plainSnapshot `json:"snapshot"` // saves the second pass over what MarshalJSON wrote
	}{plainSnapshot(snap.tidied())})
	if err != nil {
		return nil, fmt.Errorf("encode the snapshot: %w", err)
	}
	if len(frame) > maxDaemonFrame {
		return nil, fmt.Errorf("the snapshot has %d bytes, a console takes at most %d", len(frame), maxDaemonFrame)
	}
	return frame, nil
}

// ackFrame encodes the answer to one command. A result that cannot be sent
// becomes a Fault, for the command did run and its console waits.
func ackFrame(id string, result any, fault *Fault) []byte {
	ack := Ack{CommandID: id, Error: fault}
	if fault == nil && result != nil {
		data, err := json.Marshal(result)
		switch {
		case err != nil:
			ack.Error = &Fault{FaultFailed, "the command was carried out, but its result could not be encoded: " + err.Error()}
		case len(data) > maxDaemonFrame-1024:
			ack.Error = &Fault{FaultFailed, "the command was carried out, but its result is too long to send: ask for less at once"}
		default:
			ack.Result = data
		}
	}
	frame, err := json.Marshal(daemonFrame{Ack: &ack})
	if err != nil { // strings and checked JSON always encode
		panic(fmt.Sprintf("link: encode an ack: %v", err))
	}
	return frame
}

// check says why a command cannot be taken, nil when it can.
func (c *Command) check() *Fault {
	switch {
	case c.ID == "" || len(c.ID) > maxCommandID:
		return &Fault{FaultUsage, fmt.Sprintf("a command needs an id of 1 to %d bytes", maxCommandID)}
	case c.Verb == "":
		return &Fault{FaultUsage, "a command needs a verb"}
	}
	return nil
}

// digest tells two commands under one ID apart.
func (c *Command) digest() [sha256.Size]byte {
	return sha256.Sum256(append([]byte(c.Verb+"\n"), c.Args...))
}

// hangUp says goodbye in the protocol's way and closes; it may be called from
// any goroutine, and frees a reader or writer that is stuck in conn.
func hangUp(conn *websocket.Conn, code int, text string) {
	const patience = 250 * time.Millisecond
	goodbye := websocket.FormatCloseMessage(code, text)
	_ = conn.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(patience)) // it may be gone already
	_ = conn.Close()
}

// listenTo keeps conn's read deadline moving: any frame, ping or pong of the
// other end proves it alive for another t.Dead. The function returned marks it alive.
func listenTo(conn *websocket.Conn, limit int64, t Timing) func() {
	alive := func() { _ = conn.SetReadDeadline(time.Now().Add(t.Dead)) } // fails on a closed conn only
	answer := conn.PingHandler()
	conn.SetReadLimit(limit)
	conn.SetPingHandler(func(data string) error { alive(); return answer(data) })
	conn.SetPongHandler(func(string) error { alive(); return nil })
	return alive
}
