package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"tickwatch/monitor/link"
)

// checkDaemon asks the daemon how it is; answers tells whether it did.
func checkDaemon(ctx context.Context, cfg Config, version string) (c check, answers bool) {
	var s link.Snapshot
	err := link.Call(ctx, cfg.Link.Socket, link.VerbStatus, link.StatusArgs{}, &s)
	switch {
	case err == nil && s.Version != version:
		return note(fmt.Sprintf("runs, but as version %s, and this is %s", s.Version, version), "restart the daemon to bring both to the same version"), true
	case err == nil:
		return fine("runs, version %s; the feed is %s", s.Version, s.Feed.State), true
	case !errors.Is(err, link.ErrNoDaemon):
		return ill(err.Error(), "run doctor as the user that runs the daemon"), false
	}
	if pid, held := lockHolder(filepath.Join(cfg.Data.Dir, "tickwatch.lock")); held {
		return ill(fmt.Sprintf("process %s has the data folder and does not answer at %s", pid, cfg.Link.Socket),
			"look at its log; if it was started with another link.socket, use that; if it hangs, end it and start it again: what was answered 200 is on disk"), false
	}
	return note("does not run", "start it: tickwatch serve"), false
}

// lockHolder tells whether a process holds the store's lock, and which. Asking
// takes the lock for a moment; it is asked only when no daemon answers.
func lockHolder(path string) (pid string, held bool) {
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer func() { _ = f.Close() }()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		return "", false
	}
	line := make([]byte, 20)
	n, _ := f.Read(line) // without it, the process is unknown
	if pid = strings.TrimSpace(string(line[:n])); pid == "" {
		pid = "unknown"
	}
	return pid, true
}

// checkPort wants the webhook address to be free for the daemon, or served by it.
func checkPort(ctx context.Context, w WebhookConfig, running bool) check {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", w.Listen)
	switch {
	case err == nil:
		_ = l.Close()
		if _, port, _ := net.SplitHostPort(w.Listen); port == "0" {
			return note("webhook.listen "+w.Listen+" takes another port at every start", "set a fixed port, which your proxy or Meta can know")
		}
		if running {
			return ill("the daemon runs, but nobody listens on "+w.Listen, "restart the daemon, so that it takes this configuration")
		}
		return fine("%s is free; the daemon opens it at its start", w.Listen)
	case errors.Is(err, syscall.EADDRINUSE):
		return askPort(ctx, w)
	case errors.Is(err, syscall.EACCES):
		return ill(fmt.Sprintf("%s may not be opened by this user: %v", w.Listen, err),
			"set webhook.listen to a port from 1024 on, behind a TLS proxy; or let systemd grant CAP_NET_BIND_SERVICE")
	}
	return ill(fmt.Sprintf("%s cannot be opened: %v", w.Listen, err), "set webhook.listen to an address of this machine, such as 127.0.0.1:8480")
}

// askPort asks who listens: our daemon says that it is alive, and whether it
// can store.
func askPort(ctx context.Context, w WebhookConfig) check {
	body, _, err := ask(ctx, w, "/healthz")
	switch {
	case errors.Is(err, errOtherCertificate):
		return ill(w.Listen+" answers with another certificate than the one in webhook.tls_cert", "if the file is new, restart the daemon, so that it takes it")
	case err != nil:
		return ill(fmt.Sprintf("%s is taken, and what listens there does not answer: %v", w.Listen, err),
			"find it (ss -ltnp), and end it, or set webhook.listen to another port")
	case body != "alive":
		return ill(w.Listen+" is taken by another program", "find it (ss -ltnp), and end it, or set webhook.listen to another port")
	}
	body, status, err := ask(ctx, w, "/readyz")
	if err != nil || status != http.StatusOK {
		if err != nil {
			body = err.Error()
		}
		return ill(fmt.Sprintf("%s: the daemon is alive, but cannot store webhooks: %s", w.Listen, body), "mend that; webhooks are refused until then, and Meta repeats them")
	}
	return fine("%s: the daemon answers, and can store webhooks", w.Listen)
}

var errOtherCertificate = errors.New("another certificate")

// ask makes one request to the listener, on this machine.
func ask(ctx context.Context, w WebhookConfig, path string) (body string, status int, err error) {
	scheme := "http"
	transport := &http.Transport{DisableKeepAlives: true} // and no proxy
	if w.TLSCert != "" {
		scheme = "https"
		transport.TLSClientConfig = &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true, //nolint:gosec // VerifyConnection compares with the very certificate
			VerifyConnection:   func(s tls.ConnectionState) error { return sameCertificate(s, w) },
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+reachable(w.Listen)+path, nil)
	if err != nil {
		return "", 0, err
	}
	client := http.Client{Transport: transport} //nolint:forbidigo // asks its own machine
	resp, err := client.Do(r)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	return strings.TrimSpace(string(b)), resp.StatusCode, err
}

// reachable is where a listener on this machine is asked: one that listens on
// every address is asked on loopback.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.Is6() {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port)
}

// checkPublic judges the public address by its looks. It asks nobody: whether
// the address leads here, only a look from outside can tell.
func checkPublic(address string) check {
	const mend = "set webhook.public_url to the https address that Meta calls: that of your TLS proxy, your tunnel, or this machine"
	if address == "" {
		return note("webhook.public_url is not set; Meta needs a public https address that leads to this listener", mend)
	}
	u, err := url.Parse(address)
	if err != nil {
		return ill("webhook.public_url is no address", mend)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if !public(host) {
		return ill(fmt.Sprintf("webhook.public_url names %s, which only this machine or its network can reach", host), mend)
	}
	if u.Scheme != "https" {
		return ill("webhook.public_url is not https, and Meta calls nothing else", mend)
	}
	const path = "/webhooks/meta"
	probe := strings.TrimSuffix(strings.TrimSuffix(address, "/"), path) + path
	return fine("%s can be a public address. To see whether it leads here, run on a machine outside: curl -s -o /dev/null -w '%%{http_code}' %s (403 is right)", address, probe)
}

// privateNames are the ends of names that no public server answers for (RFC
// 6761, RFC 6762, RFC 8375, and .internal).
var privateNames = []string{".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid", ".example"}

// sharedAddresses are those behind a provider's address translation (RFC 6598).
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

func public(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsGlobalUnicast() && !ip.IsPrivate() && !sharedAddresses.Contains(ip)
	}
	for _, end := range privateNames {
		if strings.HasSuffix(host, end) {
			return false
		}
	}
	return strings.Contains(host, ".")
}
