package link

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// console is the daemon's end of one console's link. One goroutine reads, one
// writes, and each command has its own.
type console struct {
	server *Server
	conn   *websocket.Conn
	peer   Peer

	wake    chan struct{} // one slot: there may be something to write
	pending chan struct{} // a token for each command whose answer is not written
	places  chan struct{} // a token for each command that runs

	mu      sync.Mutex
	answers [][]byte // to be written; pending bounds them
}

func newConsole(s *Server, conn *websocket.Conn, peer Peer) *console {
	return &console{
		server: s, conn: conn, peer: peer,
		wake:    make(chan struct{}, 1),
		pending: make(chan struct{}, maxPending),
		places:  make(chan struct{}, CommandsAtOnce),
	}
}

// serve runs the link until it ends, and says why it did. Commands run in ctx,
// which the link may outlive, to deliver their answers, and which may outlive the link.
func (c *console) serve(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	written := make(chan struct{})
	go func() {
		defer close(written)
		if c.write(life) != nil { // the reader learns it from the closed conn
			end()
			_ = c.conn.Close()
		}
	}()
	err := c.read(ctx, life)
	end()
	_ = c.conn.Close()
	<-written
	return err
}

func (c *console) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *console) read(ctx, life context.Context) error {
	alive := listenTo(c.conn, maxCommandFrame, c.server.opt.Timing)
	for {
		alive()
		_, data, err := c.conn.ReadMessage()
		if err != nil {
			return err
		}
		var frame consoleFrame
		if err := json.Unmarshal(data, &frame); err != nil {
			hangUp(c.conn, websocket.CloseInvalidFramePayloadData, "a frame was not understood")
			return fmt.Errorf("a frame was not understood: %w", err)
		}
		if frame.Command == nil {
			continue
		}
		select {
		case c.pending <- struct{}{}:
			c.take(ctx, life, *frame.Command)
		case <-life.Done():
			return life.Err()
		}
	}
}

// take answers one command, now or from its own goroutine. In a daemon that
// goes down nothing begins and nothing is answered: the console repeats the
// command to the next one.
func (c *console) take(ctx, life context.Context, cmd Command) {
	if fault := cmd.check(); fault != nil {
		c.answer(ackFrame(cmd.ID, nil, fault))
		return
	}
	if !c.server.begin() {
		<-c.pending
		return
	}
	go func() {
		defer c.server.commands.Done()
		if frame := c.carryOut(ctx, life, cmd); frame != nil {
			c.answer(frame)
		}
	}()
}

// carryOut is the command's answer; nil when the link ended while another
// goroutine was at the same command.
func (c *console) carryOut(ctx, life context.Context, cmd Command) []byte {
	l := c.server.ledger
	e, mine := l.claim(commandKey{c.peer.UID, cmd.ID}, cmd.digest())
	if !mine {
		if e.digest != cmd.digest() {
			return ackFrame(cmd.ID, nil, &Fault{FaultUsage, "this command id was used for another command: take a new one"})
		}
		select {
		case <-e.done:
			return e.frame
		case <-life.Done():
			return nil
		}
	}
	limit := c.server.opt.CommandWithin
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &Fault{
		FaultFailed, fmt.Sprintf("%s took longer than %s and was given up: see what it did before repeating it", cmd.Verb, limit),
	})
	defer cancel()
	frame := c.inPlace(ctx, cmd)
	if repeatable(&cmd) {
		l.give(e, frame)
	} else {
		l.settle(e, frame)
	}
	return frame
}

// inPlace waits for a place among the console's commands, unless cmd is
// urgent, and runs cmd.
func (c *console) inPlace(ctx context.Context, cmd Command) []byte {
	if urgent := c.server.opt.Urgent; urgent == nil || !urgent(cmd.Verb) {
		select {
		case c.places <- struct{}{}:
			defer func() { <-c.places }()
		case <-ctx.Done():
			return ackFrame(cmd.ID, nil, &Fault{FaultFailed, cmd.Verb + " was not begun: earlier commands of this console are still running; repeat it"})
		}
	}
	return c.server.run(ctx, c.peer, cmd)
}

func (c *console) answer(frame []byte) {
	c.mu.Lock()
	c.answers = append(c.answers, frame)
	c.mu.Unlock()
	c.poke()
}

// write sends what there is until the link ends or the daemon leaves, and then
// says goodbye; the reader waits for the console's.
func (c *console) write(life context.Context) error {
	ping := time.NewTicker(c.server.opt.Timing.Ping)
	defer ping.Stop()
	var rev uint64
	for {
		var err error
		select {
		case <-life.Done():
			return nil
		case <-c.server.leaving:
			if err := c.writeAnswers(); err != nil {
				return err
			}
			goodbye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "the daemon is going down")
			return c.conn.WriteControl(websocket.CloseMessage, goodbye, c.deadline())
		case <-ping.C:
			err = c.conn.WriteControl(websocket.PingMessage, nil, c.deadline())
		case <-c.wake:
			if err = c.writeAnswers(); err == nil {
				rev, err = c.writeSnapshot(rev)
			}
		}
		if err != nil {
			return err
		}
	}
}

func (c *console) writeAnswers() error {
	c.mu.Lock()
	answers := c.answers
	c.answers = nil
	c.mu.Unlock()
	for _, frame := range answers {
		if err := c.writeFrame(frame); err != nil {
			return err
		}
		<-c.pending
	}
	return nil
}

func (c *console) writeSnapshot(rev uint64) (uint64, error) {
	frame, newest := c.server.since(rev)
	if frame == nil {
		return newest, nil
	}
	return newest, c.writeFrame(frame)
}

func (c *console) writeFrame(frame []byte) error {
	if err := c.conn.SetWriteDeadline(c.deadline()); err != nil {
		return err
	}
	return c.conn.WriteMessage(websocket.TextMessage, frame)
}

func (c *console) deadline() time.Time { return time.Now().Add(c.server.opt.Timing.Write) }
