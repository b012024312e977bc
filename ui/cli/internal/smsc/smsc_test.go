package smsc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestFates holds what the package comment says of the last digits.
func TestFates(t *testing.T) {
	c := startCentre(t)
	g := bound(t, c, bindTransceiver)
	for _, f := range []struct {
		to      string
		answers []status
		stat    string // of each receipt
		state   byte
		count   int
	}{
		{somebody, []status{ok}, "DELIVRD", 2, 1},
		{"+447700900102", []status{ok}, "UNDELIV", 5, 1},
		{"+447700900105", []status{ok}, "EXPIRED", 3, 1},
		{"+447700900116", []status{invalidAddressee, invalidAddressee}, "", 0, 0},
		{"+447700900158", []status{throttled, throttled, throttled, throttled}, "", 0, 0},
		{"+447700900159", []status{throttled, throttled, ok}, "DELIVRD", 2, 1},
		{neverAgain, []status{ok}, "", 0, 0},
		{"+447700900188", []status{ok}, "DELIVRD", 2, 2},
	} {
		var id string
		for _, want := range f.answers {
			var st status
			if id, st = g.submit(plain(f.to, "Olá, 20 % off €")); st != want {
				t.Errorf("to %s: %#x, want %#x", f.to, st, want)
			}
		}
		if got := c.Attempts(f.to); got != len(f.answers) {
			t.Errorf("to %s: %d attempts, want %d", f.to, got, len(f.answers))
		}
		for range f.count {
			m := g.receive()
			words := fmt.Sprintf("id:%s sub:001 dlvrd:%03d submit date:2611201200 done date:2611201200 stat:%s err:",
				id, map[bool]int{true: 1}[f.state == 2], f.stat)
			if !strings.HasPrefix(string(m.text), words) || !strings.HasSuffix(string(m.text), " text:Ol?, 20 % off ?") {
				t.Errorf("to %s: the receipt says %q", f.to, m.text)
			}
			want := shortMessage{
				from: number(f.to), to: number(ownNumber), class: classReceipt, text: m.text,
				options: []tlv{{tagReceiptedID, []byte(id + "\x00")}, {tagMessageState, []byte{f.state}}},
			}
			if diff := cmp.Diff(want, m, unexported); diff != "" {
				t.Errorf("to %s (-want +got):\n%s", f.to, diff)
			}
		}
		// Had there been another receipt, it would come before what follows.
		if err := c.Reply(f.to, "next"); err != nil {
			t.Fatal(err)
		}
		if m := g.receive(); string(m.text) != "next" {
			t.Errorf("to %s: %q comes too", f.to, m.text)
		}
	}
	if n := c.Waiting(); n > 1 { // the last acknowledgement may be on its way
		t.Errorf("%d are waiting", n)
	}
}

var unexported = cmp.AllowUnexported(shortMessage{}, address{}, tlv{})

// TestReceiptIsAskedFor: nobody gets one unasked, and who asks for failures gets
// those.
func TestReceiptIsAskedFor(t *testing.T) {
	c := startCentre(t)
	g := bound(t, c, bindTransceiver)
	for _, m := range []struct {
		to    string
		asked byte
		comes bool
	}{{somebody, 0, false}, {somebody, 2, false}, {"+447700900102", 0, false}, {"+447700900102", 2, true}, {somebody, 1, true}} {
		sent := plain(m.to, "text")
		sent.registered = m.asked
		if _, st := g.submit(sent); st != ok {
			t.Fatalf("%#x", st)
		}
		g.ask(enquireLink, nil) // answered once the receipt is in the outbox
		if err := c.Reply(m.to, "next"); err != nil {
			t.Fatal(err)
		}
		got := g.receive()
		if (got.class == classReceipt) != m.comes {
			t.Errorf("to %s, asked %d: class %#x comes", m.to, m.asked, got.class)
		}
		if m.comes {
			g.receive()
		}
	}
}

// TestPartsInAnyOrder: texts come out as they went in, in whatever order the
// parts of several come, and what came twice shows.
func TestPartsInAnyOrder(t *testing.T) {
	c := startCentre(t)
	g := bound(t, c, bindTransmitter)
	alphabet := []rune("abc äΔ€{}\nжЖ😀")
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		want := map[string][]string{}
		var parts []shortMessage
		for i := range rapid.IntRange(1, 4).Draw(t, "messages") {
			to := fmt.Sprintf("+4477%06d%d01", runs, i%2)
			text := string(rapid.SliceOfN(rapid.SampledFrom(alphabet), 1, 40).Draw(t, "text"))
			pieces := cut(to, text, byte(i), 2*rapid.IntRange(1, 20).Draw(t, "size"))
			parts = append(parts, pieces...)
			want[to] = append(want[to], text)
			if rapid.Bool().Draw(t, "twice") { // once it is whole
				g.mustSubmit(t, pieces)
				want[to] = append(want[to], text)
			}
		}
		g.mustSubmit(t, rapid.Permutation(parts).Draw(t, "order"))
		got := map[string][]string{}
		for _, m := range c.Sent() {
			if _, mine := want[m.To]; !mine {
				continue
			}
			if !m.Whole() || m.From != ownNumber {
				t.Fatalf("%+v", m)
			}
			units := 0
			for i, p := range m.Parts {
				units += p.Units
				if p.Number != i+1 || p.Asked != (i == 0) {
					t.Fatalf("part %d is %+v", i, p)
				}
			}
			if _, octets := encodeText(m.Text); m.Coding.units(octets) != units {
				t.Fatalf("%q has %d units, want %d", m.Text, units, m.Coding.units(octets))
			}
			got[m.To] = append(got[m.To], m.Text)
		}
		if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Fatalf("texts (-want +got):\n%s", diff)
		}
	})
}

func (g *gateway) mustSubmit(t *rapid.T, parts []shortMessage) {
	for _, p := range parts {
		if _, st := g.submit(p); st != ok {
			t.Fatalf("%#x", st)
		}
	}
}

// TestPartAgain: a part that comes again before its message is whole is no part
// of the same message.
func TestPartAgain(t *testing.T) {
	c := startCentre(t)
	g := bound(t, c, bindTransmitter)
	parts := cut(somebody, "one two three", 7, 7)
	for _, i := range []int{0, 0, 1} {
		if _, st := g.submit(parts[i]); st != ok {
			t.Fatalf("%#x", st)
		}
	}
	sent := c.Sent()
	if len(sent) != 2 || sent[0].Whole() || !sent[1].Whole() || sent[1].Text != "one two three" {
		t.Errorf("%+v", sent)
	}
}

// TestPayload takes a text from message_payload.
func TestPayload(t *testing.T) {
	c := startCentre(t)
	g := bound(t, c, bindTransmitter)
	long := strings.Repeat("long ", 100)
	m := plain(somebody, "")
	m.options = []tlv{{tagPayload, []byte(long)}}
	if _, st := g.submit(m); st != ok {
		t.Fatalf("%#x", st)
	}
	if sent := c.Sent(); len(sent) != 1 || sent[0].Text != long {
		t.Errorf("%+v", sent)
	}
}

// TestRefusals: what is wrong is answered as SMPP says, taken nowhere, and hurts
// nobody else.
func TestRefusals(t *testing.T) {
	c := startCentre(t)
	other := bound(t, c, bindTransceiver)
	g := connect(t, c)
	message := plain(somebody, "text")
	body := message.encode()
	steps := []struct {
		what string
		got  func() status
		want status
	}{
		{"a message before the bind", func() status { return g.ask(submitSM, body).status }, wrongBindState},
		{"a wrong password", func() status { return g.bind(bindTransceiver, ownID, "wrong") }, invalidPassword},
		{"a wrong name", func() status { return g.bind(bindTransceiver, "other", ownWord) }, invalidSystemID},
		{"half a bind", func() status { return g.ask(bindTransceiver, []byte(ownID)).status }, invalidLength},
		{"a receiver", func() status { return g.bind(bindReceiver, ownID, ownWord) }, ok},
		{"its message", func() status { return g.ask(submitSM, body).status }, wrongBindState},
		{"a second bind", func() status { return g.bind(bindTransceiver, ownID, ownWord) }, alreadyBound},
		{"an unknown command", func() status { return g.ask(0x103, nil).status }, invalidCommand},
		{"half a message", func() status { return other.ask(submitSM, body[:len(body)-1]).status }, invalidLength},
		{"a message in Japanese", func() status { return other.submitted(shortMessage{coding: 5}) }, submitFailed},
		{"half a character", func() status { return other.submitted(shortMessage{coding: 8, text: []byte{4}}) }, submitFailed},
		{"a header longer than all", func() status { return other.submitted(shortMessage{class: classHeader, text: []byte{9, 0}}) }, submitFailed},
		{"part 3 of 2", func() status {
			return other.submitted(shortMessage{class: classHeader, text: []byte{5, 0, 3, 1, 2, 3, 'x'}})
		}, submitFailed},
		{"a test of the link", func() status { return g.ask(enquireLink, nil).status }, ok},
	}
	for _, s := range steps {
		if got := s.got(); got != s.want {
			t.Errorf("%s: %#x, want %#x", s.what, got, s.want)
		}
	}
	for _, size := range []uint32{0, headerSize - 1, maxPDU + 1, 1<<32 - 1} {
		g := bound(t, c, bindTransmitter)
		noise := binary.BigEndian.AppendUint32(nil, size)
		noise = append(noise, (&pdu{command: submitSM, sequence: 9}).encode()[4:]...)
		if _, err := g.conn.Write(noise); err != nil {
			t.Fatal(err)
		}
		if p := g.read(); p.command != genericNack || p.status != invalidLength || p.sequence != 9 {
			t.Errorf("a length of %d is answered by %+v", size, p)
		}
		g.ends()
	}
	if p := g.ask(unbind, nil); p.status != ok {
		t.Errorf("the unbind is answered by %+v", p)
	}
	g.ends()
	if sent := c.Sent(); len(sent) > 0 {
		t.Errorf("taken: %+v", sent)
	}
	if _, st := other.submit(plain(somebody, "text")); st != ok || len(c.Sent()) != 1 {
		t.Errorf("another session suffers: %#x", st)
	}
}

func (g *gateway) submitted(m shortMessage) status {
	g.t.Helper()
	_, st := g.submit(m)
	return st
}

// TestUnacknowledged: what a gateway did not acknowledge comes again, in its
// order, to whoever receives next, and what it did does not.
func TestUnacknowledged(t *testing.T) {
	c := startCentre(t)
	sender := bound(t, c, bindTransmitter)
	for _, text := range []string{"one", "two", "STOP ж"} {
		if err := c.Reply(somebody, text); err != nil {
			t.Fatal(err)
		}
	}
	first := bound(t, c, bindReceiver)
	if m := first.receive(); string(m.text) != "one" {
		t.Fatalf("%q comes first", m.text)
	}
	first.next()
	_ = first.conn.Close()

	c.Down() // an outage of the centre itself
	if _, err := net.Dial("tcp", c.Address()); err == nil {
		t.Error("it can be reached while it is down")
	}
	sender.ends()
	if n := c.Waiting(); n != 2 {
		t.Errorf("%d are waiting, want 2", n)
	}
	if err := c.Up(); err != nil {
		t.Fatal(err)
	}

	second := bound(t, c, bindTransceiver)
	for _, want := range []string{"two", "STOP ж"} {
		m := second.receive()
		if got := Coding(m.coding).decode(m.text); got != want {
			t.Errorf("%q comes, want %q", got, want)
		}
		if m.from != number(somebody) || m.to != number(ownNumber) || m.class != 0 {
			t.Errorf("%+v", m)
		}
	}
	if n := c.Bound(); n != 1 {
		t.Errorf("%d sessions send, want 1", n)
	}
	if err := c.Reply(somebody, strings.Repeat("ж", 71)); err == nil {
		t.Error("a reply of 71 Cyrillic letters is taken")
	}
}

// TestLoopbackOnly: nobody else is let in.
func TestLoopbackOnly(t *testing.T) {
	if c, err := Start(Options{Address: "0.0.0.0:0"}); err == nil {
		c.Close()
		t.Error("it listens on every address")
	}
}

// FuzzPDU: whatever comes, reading it ends, and what was read is written as it
// came.
func FuzzPDU(f *testing.F) {
	receipt := delivered.receipt(&shortMessage{from: number(ownNumber), to: number(somebody)}, "0000002A", "text", noon, noon)
	bodies := [][]byte{nil, {0}, receipt.encode()}
	for _, m := range append(cut(somebody, "ж text", 1, 6), plain(somebody, "Olá {€}"), shortMessage{options: []tlv{{tagPayload, []byte("x")}}}) {
		bodies = append(bodies, m.encode())
	}
	for _, body := range bodies {
		f.Add((&pdu{submitSM, ok, 1, body}).encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPDU(bytes.NewReader(b))
		if err != nil {
			return
		}
		if again := p.encode(); !bytes.Equal(again, b[:len(again)]) {
			t.Fatalf("%x is written as %x", b, again)
		}
		m, err := parseShortMessage(p.body)
		if err != nil {
			return
		}
		if units := m.text; m.class&classHeader != 0 {
			at, rest, err := cutHeader(units)
			if err == nil && (at.number < 1 || at.number > at.of || len(rest) >= len(units)) {
				t.Fatalf("%x is part %+v with %x", units, at, rest)
			}
		}
		_ = Coding(m.coding).decode(m.text)
		if len(m.text) > maxText {
			return // a message_payload
		}
		again, err := parseShortMessage(m.encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again, unexported, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("written and read again (-want +got):\n%s", diff)
		}
	})
}
