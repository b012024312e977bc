package graph

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// metadata are addresses at which clouds hand out the machine's own credentials
// and which are not link-local.
var metadata = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"),
	netip.MustParseAddr("192.0.0.192"),
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("fd20:ce::254"),
}

// guard refuses to connect to an address that cannot be the Graph API's. It is
// asked after DNS, with the address that is really dialled, so no name and no
// change of a name gets around it.
func guard(loopback bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%q is no address to connect to", address)
		}
		return allowed(at.Addr(), loopback)
	}
}

// allowed refuses loopback where it is not meant and everything else where it is,
// link-local addresses and those of cloud metadata.
func allowed(ip netip.Addr, loopback bool) error {
	ip = ip.Unmap().WithZone("")
	switch {
	case loopback && ip.IsLoopback():
		return nil
	case loopback:
		return fmt.Errorf("%s is not on loopback, though graph.base_url is: check the hosts file", ip)
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast():
		return fmt.Errorf("%s is no public host of the Graph API: check graph.base_url and DNS", ip)
	}
	for _, m := range metadata {
		if ip == m {
			return fmt.Errorf("%s is a cloud's metadata service and not the Graph API: check graph.base_url and DNS", ip)
		}
	}
	return nil
}
