package wire

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"tickwatch/wa"
)

// Place is what an address leads to, in the words of errors.
type Place struct {
	Key     string // of the configuration: graph.base_url
	Name    string // what is there: the Graph API
	Secret  string // what plain http would show to others: the access token
	Example string // an address as it could be
}

// ParseBase reads an address that requests go below: https, or http on loopback,
// without user, query and fragment.
func (p Place) ParseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("%s %q is no address of %s: give one like %s", p.Key, wa.Clean(raw), p.Name, p.Example)
	}
	if u.Scheme == "http" && !OnLoopback(u.Hostname()) {
		return nil, fmt.Errorf("%s %q would send %s in the clear: give an https address (http is for 127.0.0.1 only)", p.Key, wa.Clean(raw), p.Secret)
	}
	return u, p.CheckHost(u.Hostname())
}

// CheckHost refuses a host that is an IP address which nothing public can have.
func (p Place) CheckHost(host string) error {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	if err := p.allowed(ip, OnLoopback(host)); err != nil {
		return fmt.Errorf("%s: %w", p.Key, err)
	}
	return nil
}

// Dialer connects to a host, on loopback only where that is its name, and
// otherwise not to an address that nothing public can have. It bounds a dial, DNS
// included.
func (p Place) Dialer(host string, within time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: within, ControlContext: p.guard(OnLoopback(host))}
}

// OnLoopback tells whether a host is meant to be this machine.
func OnLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// metadata are addresses at which clouds hand out the machine's own credentials
// and which are not link-local.
var metadata = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"),
	netip.MustParseAddr("192.0.0.192"),
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("fd20:ce::254"),
}

// guard refuses to connect to an address that cannot be the place's. It is asked
// after DNS, with the address that is really dialled, so no name and no change of a
// name gets around it.
func (p Place) guard(loopback bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%q is no address to connect to", address)
		}
		return p.allowed(at.Addr(), loopback)
	}
}

// allowed refuses loopback where it is not meant and everything else where it is,
// link-local addresses and those of cloud metadata.
func (p Place) allowed(ip netip.Addr, loopback bool) error {
	ip = ip.Unmap().WithZone("")
	switch {
	case loopback && ip.IsLoopback():
		return nil
	case loopback:
		return fmt.Errorf("%s is not on loopback, though %s is: check the hosts file", ip, p.Key)
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast():
		return fmt.Errorf("%s is no public host of %s: check %s and DNS", ip, p.Name, p.Key)
	}
	for _, m := range metadata {
		if ip == m {
			return fmt.Errorf("%s is a cloud's metadata service and not %s: check %s and DNS", ip, p.Name, p.Key)
		}
	}
	return nil
}
