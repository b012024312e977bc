package graph

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// TestRebinding: a name that DNS suddenly gives another meaning does not lead
// anywhere else.
func TestRebinding(t *testing.T) {
	for ip, want := range map[string]string{"169.254.169.254": "no public host", "127.0.0.1": "no public host", "100.100.100.200": "metadata"} {
		c := speak(t, "https://graph.example")
		c.wire.Dialer.Resolver = resolver(t, ip)
		a, err := send(c)
		if got := fateOf(t, a, err); got != notGone || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v", ip, got, err)
		}
		if _, err := c.Templates(t.Context(), number); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", ip, err)
		}
	}
}

// resolver asks a name server on loopback that gives every name this IPv4
// address; "" = it knows no name.
func resolver(t *testing.T, ip string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { _ = server.Close(); <-ended })
	go func() {
		defer close(ended)
		question := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			if reply := nameReply(question[:n], ip); reply != nil {
				_, _ = server.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// nameReply answers one DNS question (RFC 1035 §4): a header of 12 bytes, the
// name, its type and class.
func nameReply(query []byte, ip string) []byte {
	const header, noSuchName, typeA = 12, 3, 1
	if len(query) < header {
		return nil
	}
	end := header
	for end < len(query) && query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5 // the root, type and class
	if end > len(query) {
		return nil
	}
	reply := append([]byte{}, query[:end]...)
	copy(reply[2:header], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	switch {
	case ip == "":
		reply[3] |= noSuchName
	case query[end-3] == typeA:
		reply[7] = 1
		reply = append(reply, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4)
		address := netip.MustParseAddr(ip).As4()
		reply = append(reply, address[:]...)
	}
	return reply
}
