package smsc

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// session is one connection of a gateway.
type session struct {
	centre  *Centre
	conn    net.Conn
	ended   chan struct{} // closed when nothing more is read
	awaited atomic.Pointer[awaited]

	// Guarded by the centre's lock.
	bound, sends bool
	delivering   bool

	writing  sync.Mutex
	sequence uint32 // of the last deliver_sm; used by deliver alone
}

// awaited is the answer to a deliver_sm that is on its way.
type awaited struct {
	sequence uint32
	came     chan struct{}
}

// run reads until the gateway unbinds, goes, or says what is no SMPP.
func (s *session) run() {
	var delivering sync.WaitGroup
	for {
		p, err := readPDU(s.conn)
		if errors.Is(err, errLength) {
			s.write(pdu{genericNack, invalidLength, p.sequence, nil})
		}
		if err != nil || !s.handle(&p, &delivering) {
			break
		}
	}
	_ = s.conn.Close() // it may be closed already
	close(s.ended)
	s.centre.leave(s)
	delivering.Wait()
}

// write sends a PDU. A failure shows where the session reads.
func (s *session) write(p pdu) {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, _ = s.conn.Write(p.encode())
}

// answer answers a PDU. One that failed has no body (SMPP 3.4, 4.1 to 4.4).
func (s *session) answer(to *pdu, st status, body []byte) {
	if st != ok {
		body = nil
	}
	s.write(pdu{to.command | answer, st, to.sequence, body})
}

// handle deals with one PDU, and says whether the session goes on.
func (s *session) handle(p *pdu, delivering *sync.WaitGroup) bool {
	switch p.command {
	case bindReceiver, bindTransmitter, bindTransceiver:
		s.bind(p, delivering)
	case submitSM:
		s.submit(p)
	case enquireLink:
		s.answer(p, ok, nil)
	case unbind:
		s.answer(p, ok, nil)
		return false
	case deliverSM | answer, genericNack:
		// A gateway that refuses one has had it.
		if a := s.awaited.Load(); a != nil && a.sequence == p.sequence && s.awaited.CompareAndSwap(a, nil) {
			close(a.came)
		}
	case enquireLink | answer, unbind | answer:
	default:
		s.write(pdu{genericNack, invalidCommand, p.sequence, nil})
	}
	return true
}

func (s *session) bind(p *pdu, delivering *sync.WaitGroup) {
	f := fields{rest: p.body}
	systemID, password := f.text(16), f.text(9)
	st := ok
	s.centre.mu.Lock()
	switch o := &s.centre.opts; {
	case f.bad:
		st = invalidLength
	case s.bound:
		st = alreadyBound
	case systemID != o.SystemID:
		st = invalidSystemID
	case password != o.Password.Reveal():
		st = invalidPassword
	default:
		s.bound, s.sends = true, p.command != bindReceiver
	}
	s.centre.mu.Unlock()
	s.answer(p, st, appendOption(appendText(nil, "tickwatch"), tlv{tagInterfaceVersion, []byte{interfaceVersion}}))
	if st == ok && p.command != bindTransmitter {
		delivering.Go(s.deliver)
	}
}

func (s *session) submit(p *pdu) {
	s.centre.mu.Lock()
	sends := s.sends
	s.centre.mu.Unlock()
	if !sends {
		s.answer(p, wrongBindState, nil)
		return
	}
	m, err := parseShortMessage(p.body)
	if err != nil {
		s.answer(p, invalidLength, nil)
		return
	}
	id, st, receipts := s.centre.take(&m)
	s.answer(p, st, appendText(nil, id))
	s.centre.post(receipts...)
}

// deliver hands over what is in the outbox, one after the other, until the
// session ends.
func (s *session) deliver() {
	for {
		m, more := s.centre.next(s)
		if !more {
			return
		}
		s.sequence++
		answer := &awaited{s.sequence, make(chan struct{})}
		s.awaited.Store(answer)
		s.write(pdu{deliverSM, ok, s.sequence, m.encode()})
		select {
		case <-answer.came:
			s.centre.settle(s, &m, true)
		case <-s.ended:
			s.centre.settle(s, &m, false)
		}
	}
}
