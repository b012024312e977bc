package wire

import (
	"net/netip"
	"testing"
)

var place = Place{Key: "graph.base_url", Name: "the Graph API", Secret: "the access token", Example: "https://graph.example"}

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		ip       string
		public   bool // with the Graph API's own address
		loopback bool // with a base URL on loopback
	}{
		{"157.240.1.1", true, false},
		{"2a03:2880:f003::1", true, false},
		{"10.1.2.3", true, false}, // a company's own way out
		{"127.0.0.1", false, true},
		{"127.8.8.8", false, true},
		{"::1", false, true},
		{"::ffff:127.0.0.1", false, true},
		{"0.0.0.0", false, false},
		{"::", false, false},
		{"169.254.169.254", false, false},
		{"169.254.0.1", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"fe80::1", false, false},
		{"fe80::1%eth0", false, false},
		{"fd00:ec2::254", false, false},
		{"100.100.100.200", false, false},
		{"::ffff:100.100.100.200", false, false},
		{"224.0.0.1", false, false},
	} {
		ip := netip.MustParseAddr(c.ip)
		if public, loopback := place.allowed(ip, false) == nil, place.allowed(ip, true) == nil; public != c.public || loopback != c.loopback {
			t.Errorf("%s: %v and, with a base URL on loopback, %v", ip, public, loopback)
		}
	}
}
