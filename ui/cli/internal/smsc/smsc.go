// Package smsc is a short message service centre on loopback, for end-to-end
// tests: SMS gateways hand it messages over SMPP 3.4, as to an operator's, and
// learn what became of them. Nobody has a phone: what becomes of a message is
// told by the last two digits of its number.
//
//	02  it is taken, and could not be delivered (UNDELIV)
//	05  it is taken, and expires (EXPIRED)
//	16  it is refused: invalid destination (0x0b)
//	58  it is refused: too many messages (0x58), each time
//	59  the same, twice; then it is taken and delivered
//	77  it is taken, and nothing is heard of it again
//	88  it is delivered, and the receipt comes twice
//	    any other is delivered
//
// Guarantees:
//
//   - A message that was answered with an ID stands in Sent before its answer
//     leaves, once for every time that it was handed over.
//   - A receipt is sent only if one was asked for, after the answer to its
//     message, and to any session that receives. Receipts and replies keep their
//     order; one that was not acknowledged before its session ended goes to the
//     next session, as often as it takes.
//   - What is no SMPP is answered with a generic_nack and ends its session, and
//     no other.
//
// It speaks what gateways ask of it: the three binds, submit_sm with a user data
// header or message_payload in GSM-7 or UCS-2, deliver_sm, enquire_link, unbind.
// Source: SMPP Protocol Specification v3.4, issue 1.2.
package smsc

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"tickwatch/wa"
)

// Options says where the centre listens, and whom it lets in.
type Options struct {
	Address  string // host:port on loopback; port 0 takes a free one
	SystemID string // of the gateway
	Password wa.Secret
	Number   string           // the gateway's own, to which replies go
	Now      func() time.Time // nil means time.Now
}

// Centre is one centre. All methods may be called by several goroutines at once.
type Centre struct {
	opts    Options
	address string
	work    sync.WaitGroup // the listener and the sessions

	mu       sync.Mutex
	arrived  sync.Cond // there is more in outbox, or a session ended
	listener net.Listener
	sessions map[*session]struct{}
	book     book
	outbox   []shortMessage
}

// Start listens. Close the centre when it is no longer needed.
func Start(o Options) (*Centre, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Centre{opts: o, address: o.Address, sessions: map[*session]struct{}{}, book: newBook()}
	c.arrived.L = &c.mu
	if err := c.Up(); err != nil {
		return nil, err
	}
	return c, nil
}

// Address is where it listens, or did before Down.
func (c *Centre) Address() string { return c.address }

// Up lets gateways connect, at the address of before. It does nothing if they
// can already.
func (c *Centre) Up() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp", c.address)
	if err != nil {
		return fmt.Errorf("the message centre cannot listen: %w", err)
	}
	if ip := listener.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		_ = listener.Close() // nobody was let in
		return fmt.Errorf("the message centre is for loopback only, not for %s", ip)
	}
	c.listener, c.address = listener, listener.Addr().String()
	c.work.Go(func() { c.accept(listener) })
	return nil
}

// Down cuts all connections and takes no more until Up. What the centre knows,
// and what it has yet to deliver, it keeps.
func (c *Centre) Down() {
	c.mu.Lock()
	if c.listener != nil {
		_ = c.listener.Close() // what matters is that it is gone
		c.listener = nil
	}
	for s := range c.sessions {
		_ = s.conn.Close()
	}
	c.mu.Unlock()
	c.work.Wait()
}

// IsUp says whether gateways can connect.
func (c *Centre) IsUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listener != nil
}

// Close is Down for good.
func (c *Centre) Close() { c.Down() }

// Sent tells all that was taken, in the order of arrival. A message whose number
// of parts is not whole is still on its way, or was handed over in part again.
func (c *Centre) Sent() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.book.sent()
}

// Attempts is how many short messages to a number were handed over, refused ones
// included.
func (c *Centre) Attempts(to string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.book.attempts[to]
}

// Bound is how many gateways are connected to hand over messages.
func (c *Centre) Bound() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.sessions {
		if s.sends {
			n++
		}
	}
	return n
}

// Waiting is how many receipts and replies no gateway has acknowledged.
func (c *Centre) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.outbox)
	for s := range c.sessions {
		if s.delivering {
			n++
		}
	}
	return n
}

// Reply sends a text from a phone to the gateway, or as soon as one is there. It
// must fit into one short message.
func (c *Centre) Reply(from, text string) error {
	coding, octets := encodeText(text)
	if limit := map[Coding]int{GSM7: 160, UCS2: 140}[coding]; len(octets) > limit {
		return errors.New("a reply must fit into one short message: shorten it")
	}
	c.post(shortMessage{from: number(from), to: number(c.opts.Number), coding: byte(coding), text: octets})
	return nil
}

// post puts something into the outbox.
func (c *Centre) post(m ...shortMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outbox = append(c.outbox, m...)
	c.arrived.Broadcast()
}

func (c *Centre) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // Down closed it
		}
		s := &session{centre: c, conn: conn, ended: make(chan struct{})}
		c.mu.Lock()
		if c.listener != l {
			_ = conn.Close()
		}
		c.sessions[s] = struct{}{}
		c.mu.Unlock()
		c.work.Go(s.run)
	}
}

// leave forgets a session that has ended.
func (c *Centre) leave(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sessions, s)
	c.arrived.Broadcast()
}

// next waits for something to deliver over a session. The session gives it back
// unless it was acknowledged; ok is false once the session has ended.
func (c *Centre) next(s *session) (m shortMessage, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if _, here := c.sessions[s]; !here {
			return shortMessage{}, false
		}
		if len(c.outbox) > 0 {
			m, c.outbox = c.outbox[0], c.outbox[1:]
			s.delivering = true
			return m, true
		}
		c.arrived.Wait()
	}
}

// settle notes what came of a delivery.
func (c *Centre) settle(s *session, m *shortMessage, acknowledged bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.delivering = false
	if !acknowledged {
		c.outbox = append([]shortMessage{*m}, c.outbox...)
		c.arrived.Broadcast()
	}
}

// take decides on a submit_sm and notes it. The receipts are posted by who sends
// the answer, after it.
func (c *Centre) take(m *shortMessage) (id string, st status, receipts []shortMessage) {
	at, units, coding := place{number: 1, of: 1}, m.text, Coding(m.coding)
	if m.class&classHeader != 0 {
		var err error
		if at, units, err = cutHeader(m.text); err != nil {
			return "", submitFailed, nil
		}
	}
	if coding != GSM7 && coding != UCS2 || coding == UCS2 && len(units)%2 != 0 {
		return "", submitFailed, nil
	}
	now, to := c.opts.Now(), m.to.String()
	fate := fateOf(to)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.book.attempts[to]++
	if st := fate.answer(c.book.attempts[to]); st != ok {
		return "", st, nil
	}
	c.book.taken++
	id = fmt.Sprintf("%08X", c.book.taken)
	part := Part{ID: id, Number: at.number, Text: coding.decode(units), Units: coding.units(units), Asked: m.registered&3 != 0, units: units}
	c.book.take(m.from.String(), to, coding, at, part, now)
	if asked := m.registered & 3; asked == 1 || asked == 2 && fate.stat != delivered.stat {
		for range fate.receipts {
			receipts = append(receipts, fate.receipt(m, id, part.Text, now, now))
		}
	}
	return id, ok, receipts
}
