package cli

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCheckMetrics(t *testing.T) {
	cfg := healthy(t)
	look := func(listen string, running bool, state string, says ...string) {
		t.Helper()
		cfg.Metrics.Listen = listen
		found(t, checkMetrics(t.Context(), cfg, running), state, says...)
	}
	look("", false, "ok", "off", "metrics.listen")
	look("127.0.0.1:0", false, "note", "another port at every start")
	look(freeAddress(t), false, "ok", "is free")
	look(freeAddress(t), true, "FAIL", "gives no metrics", "restart")
	look(cfg.Webhook.Listen, false, "FAIL", "webhook.listen", "twice")
	look("192.0.2.1:9480", false, "FAIL", "cannot be opened", "metrics.listen")
	_, port, _ := net.SplitHostPort(freeAddress(t))
	look("0.0.0.0:"+port, false, "note", "is free", "without a password", "firewall")

	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	look(other.Listener.Addr().String(), true, "FAIL", "another program", "metrics.listen")
	look(other.Listener.Addr().String(), false, "FAIL", "is taken", "does not run")
	rude := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer rude.Close()
	look(rude.Listener.Addr().String(), true, "FAIL", "does not answer")

	cfg.Metrics.Listen = freeAddress(t)
	stop := runDaemon(t, cfg)
	look(cfg.Metrics.Listen, true, "ok", "gives its metrics")
	stop()
	look(cfg.Metrics.Listen, false, "ok", "is free")
}
