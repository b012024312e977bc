package smsc

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"tickwatch/wa"
)

// The gateway's number and what it says of itself.
const (
	ownNumber  = "+447700900100"
	ownID      = "gateway"
	ownWord    = "secret"
	somebody   = "+447700900001"
	neverAgain = "+447700900177"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func startCentre(t *testing.T) *Centre {
	t.Helper()
	c, err := Start(Options{
		Address: "127.0.0.1:0", SystemID: ownID, Password: wa.NewSecret(ownWord), Number: ownNumber,
		Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// gateway is the other end of a session, a PDU at a time.
type gateway struct {
	t         *testing.T
	conn      net.Conn
	sequence  uint32
	delivered []pdu // deliver_sm that came while an answer was awaited
}

func connect(t *testing.T, c *Centre) *gateway {
	t.Helper()
	conn, err := net.Dial("tcp", c.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second)) // a test that waits in vain ends
	return &gateway{t: t, conn: conn}
}

// bound connects and binds.
func bound(t *testing.T, c *Centre, as command) *gateway {
	t.Helper()
	g := connect(t, c)
	if st := g.bind(as, ownID, ownWord); st != ok {
		t.Fatalf("the bind is refused: %#x", st)
	}
	return g
}

func (g *gateway) bind(as command, id, password string) status {
	g.t.Helper()
	body := appendText(appendText(appendText(nil, id), password), "")
	body = appendText(append(body, interfaceVersion, 0, 0), "")
	return g.ask(as, body).status
}

func (g *gateway) write(p pdu) {
	g.t.Helper()
	if _, err := g.conn.Write(p.encode()); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) read() pdu {
	g.t.Helper()
	p, err := readPDU(g.conn)
	if err != nil {
		g.t.Fatal(err)
	}
	return p
}

// ask sends a command and gives its answer.
func (g *gateway) ask(c command, body []byte) pdu {
	g.t.Helper()
	g.sequence++
	g.write(pdu{c, ok, g.sequence, body})
	for {
		p := g.read()
		if p.command == deliverSM {
			g.delivered = append(g.delivered, p)
			continue
		}
		if p.sequence != g.sequence || p.command != c|answer && p.command != genericNack {
			g.t.Fatalf("the answer to %#x no. %d is %#x no. %d", c, g.sequence, p.command, p.sequence)
		}
		return p
	}
}

// submit hands over a text and gives its ID.
func (g *gateway) submit(m shortMessage) (id string, st status) {
	g.t.Helper()
	p := g.ask(submitSM, m.encode())
	f := fields{rest: p.body}
	if p.status == ok {
		id = f.text(65)
	}
	if f.bad || len(f.rest) > 0 || (id == "") == (p.status == ok) {
		g.t.Fatalf("answered with status %#x and body %q", p.status, p.body)
	}
	for _, early := range g.delivered {
		if id != "" && bytes.Contains(early.body, []byte("id:"+id+" ")) {
			g.t.Errorf("the receipt for %s comes before its answer", id)
		}
	}
	return id, p.status
}

// next waits for a deliver_sm. It is not acknowledged yet.
func (g *gateway) next() (pdu, shortMessage) {
	g.t.Helper()
	var p pdu
	if len(g.delivered) > 0 {
		p, g.delivered = g.delivered[0], g.delivered[1:]
	} else if p = g.read(); p.command != deliverSM {
		g.t.Fatalf("%#x came, want a deliver_sm", p.command)
	}
	m, err := parseShortMessage(p.body)
	if err != nil {
		g.t.Fatal(err)
	}
	return p, m
}

// receive is next, acknowledged.
func (g *gateway) receive() shortMessage {
	g.t.Helper()
	p, m := g.next()
	g.acknowledge(p)
	return m
}

func (g *gateway) acknowledge(p pdu) {
	g.t.Helper()
	g.write(pdu{deliverSM | answer, ok, p.sequence, appendText(nil, "")})
}

// ends checks that the centre ends the session and sends nothing more.
func (g *gateway) ends() {
	g.t.Helper()
	if p, err := readPDU(g.conn); !errors.Is(err, io.EOF) {
		g.t.Errorf("the session goes on: %+v, %v", p, err)
	}
}

// plain is a text that fits into one short message, with a receipt asked for.
func plain(to, text string) shortMessage {
	coding, octets := encodeText(text)
	return shortMessage{from: number(ownNumber), to: number(to), registered: 1, coding: byte(coding), text: octets}
}

// cut is a text in parts of some octets each, with a receipt asked for the first.
func cut(to, text string, reference byte, size int) (parts []shortMessage) {
	coding, octets := encodeText(text)
	for piece := range slices.Chunk(octets, size) {
		header := []byte{5, 0, 3, reference, 0, byte(len(parts) + 1)}
		parts = append(parts, shortMessage{
			from: number(ownNumber), to: number(to), class: classHeader, coding: byte(coding), text: append(header, piece...),
		})
	}
	for i := range parts {
		parts[i].text[4] = byte(len(parts))
	}
	parts[0].registered = 1
	return parts
}
