package link

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// call is one command that waits for its answer. link is guarded by Client.mu.
type call struct {
	verb   string
	id     string
	frame  []byte
	link   int // the last link it was written to, 0 = never sent
	answer chan *Ack
}

// Do asks the daemon to carry out verb with args (nil for none), waits for the
// answer and decodes it into result (nil to drop it). What the daemon did not
// do is a *Fault.
//
// While there is no link, Do waits for one; a link that is lost before the
// answer makes Do repeat the command under its ID after the reconnect, and the
// daemon runs it once. When ctx ends first, the command will not be sent any
// more; the error is in the tree of ErrNoDaemon when there was no link then,
// and says so if the command may have been carried out.
func (c *Client) Do(ctx context.Context, verb string, args, result any) error {
	cl, err := newCall(verb, args)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.calls = append(c.calls, cl)
	c.mu.Unlock()
	defer c.drop(cl)
	select {
	case c.wake <- struct{}{}:
	default:
	}
	select {
	case ack := <-cl.answer:
		return ack.decode(verb, result)
	case <-ctx.Done():
		err = ctx.Err()
	case <-c.ended:
		err = errRunEnded
	}
	select {
	case ack := <-cl.answer: // it came at the last moment
		return ack.decode(verb, result)
	default:
		return c.unanswered(cl, err)
	}
}

func newCall(verb string, args any) (*call, error) {
	cmd := Command{ID: rand.Text(), Verb: verb}
	if args != nil {
		data, err := json.Marshal(args)
		if err != nil {
			return nil, fmt.Errorf("encode the arguments of %s: %w", verb, err)
		}
		cmd.Args = data
	}
	frame, err := json.Marshal(consoleFrame{Command: &cmd})
	if err != nil {
		return nil, fmt.Errorf("encode the command %s: %w", verb, err)
	}
	if len(frame) > maxCommandFrame {
		return nil, &Fault{FaultUsage, fmt.Sprintf("%s has %d bytes, the daemon takes at most %d: ask for less at once", verb, len(frame), maxCommandFrame)}
	}
	return &call{verb: verb, id: cmd.ID, frame: frame, answer: make(chan *Ack, 1)}, nil
}

func (a *Ack) decode(verb string, result any) error {
	if a.Error != nil {
		return a.Error
	}
	if result == nil || len(a.Result) == 0 {
		return nil
	}
	if err := json.Unmarshal(a.Result, result); err != nil {
		return fmt.Errorf("%s was carried out, but its result is not understood, bring tickwatch and its daemon to the same version: %w", verb, err)
	}
	return nil
}

// unanswered says what is known of a call that got no answer.
func (c *Client) unanswered(cl *call, why error) error {
	c.mu.Lock()
	sent, state := cl.link > 0, c.state
	c.mu.Unlock()
	doubt := "nothing was sent"
	if sent {
		doubt = cl.verb + " was sent and may be carried out: look before repeating it"
	}
	if state.Connected {
		return fmt.Errorf("the daemon did not answer in time: %s: %w", doubt, why)
	}
	cause := why
	if state.Err != nil {
		cause = state.Err
	}
	_, refused := errors.AsType[*Fault](cause)
	if refused || errors.Is(cause, ErrNoDaemon) {
		return fmt.Errorf("%w; %s (%w)", cause, doubt, why)
	}
	return fmt.Errorf("%w; %s (%w)", noDaemon(c.opt.Socket, cause), doubt, why)
}

func (c *Client) drop(cl *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = slices.DeleteFunc(c.calls, func(other *call) bool { return other == cl })
}

// nextCall marks and returns the oldest call that link has not carried, nil for none.
func (c *Client) nextCall(link int) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cl := range c.calls {
		if cl.link != link {
			cl.link = link
			return cl.frame
		}
	}
	return nil
}

func (c *Client) answered(ack *Ack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cl := range c.calls {
		if cl.id == ack.CommandID {
			select {
			case cl.answer <- ack:
			default: // an answer to a repeat; the first one counts
			}
			return
		}
	}
}

// callWithin bounds a Call whose ctx has no deadline; it is longer than the
// daemon gives a command.
const callWithin = time.Minute

// Call is the one-shot form: connect, Do, close. No daemon is ErrNoDaemon at
// once, without waiting for one; a ctx without a deadline gets one of a minute.
func Call(ctx context.Context, socket, verb string, args, result any) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callWithin)
		defer cancel()
	}
	c := NewClient(ClientOptions{Socket: socket})
	life, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		_ = c.Run(life) // what it returns was told as an Update
	}()
	defer func() { hangUp(); <-ran }()
	select {
	case u := <-c.Updates():
		if !u.Connected {
			return u.Err
		}
	case <-ctx.Done():
		return noDaemon(socket, ctx.Err())
	}
	return c.Do(ctx, verb, args, result)
}
