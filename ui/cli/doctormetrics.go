package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
)

// checkMetrics wants the address for Prometheus, where there is one, to be free
// for the daemon, or served by it.
func checkMetrics(ctx context.Context, cfg Config, running bool) check {
	listen := cfg.Metrics.Listen
	if listen == "" {
		return fine("off; metrics.listen turns them on")
	}
	if _, port, _ := net.SplitHostPort(listen); port != "0" && listen == cfg.Webhook.Listen {
		return ill("metrics.listen and webhook.listen are both "+listen+", and the daemon cannot open it twice", "set metrics.listen to another port")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", listen)
	switch {
	case err == nil:
		_ = l.Close()
		if _, port, _ := net.SplitHostPort(listen); port == "0" {
			return note("metrics.listen "+listen+" takes another port at every start", "set a fixed port, which Prometheus can know")
		}
		if running {
			return ill("the daemon runs, but gives no metrics on "+listen, "restart the daemon, so that it takes this configuration")
		}
		return closed(listen, listen+" is free; the daemon opens it at its start")
	case errors.Is(err, syscall.EADDRINUSE):
	case errors.Is(err, syscall.EACCES):
		return ill(fmt.Sprintf("%s may not be opened by this user: %v", listen, err), "set metrics.listen to a port from 1024 on")
	default:
		return ill(fmt.Sprintf("%s cannot be opened: %v", listen, err), "set metrics.listen to an address of this machine, such as 127.0.0.1:9480")
	}
	if !running {
		return ill(listen+" is taken, and the daemon does not run", "find what listens there (ss -ltnp), and end it, or set metrics.listen to another port")
	}
	body, status, err := ask(ctx, WebhookConfig{Listen: listen}, "/metrics")
	switch {
	case err != nil:
		return ill(fmt.Sprintf("%s is taken, and what listens there does not answer: %v", listen, err), "find it (ss -ltnp), and end it, or set metrics.listen to another port")
	case status != http.StatusOK || !strings.HasPrefix(body, "# HELP "):
		return ill(listen+" is taken by another program", "find it (ss -ltnp), and end it, or set metrics.listen to another port")
	}
	return closed(listen, listen+": the daemon gives its metrics")
}

// closed notes where more than this machine may ask. The metrics name nobody,
// but tell how much is sent.
func closed(listen, found string) check {
	host, _, _ := net.SplitHostPort(listen)
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return fine("%s", found)
	}
	return note(found+"; whoever reaches it may ask, without a password", "let a firewall admit Prometheus alone, or set metrics.listen to 127.0.0.1")
}
