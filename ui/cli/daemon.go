package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/fallback"
	"tickwatch/monitor/link"
	"tickwatch/monitor/notify"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

const (
	maxWebhookConns = 1024             // connections that providers may hold at once
	drainWithin     = 10 * time.Second // for requests under way when the daemon is told to end
)

// daemon is listener, store, monitor and link, wired together.
type daemon struct {
	cfg     Config
	now     func() time.Time
	log     *slog.Logger
	store   *store.Store
	monitor *monitor.Monitor
	link    *link.Server
	socket  net.Listener
	web     *http.Server
	port    net.Listener
	metrics *metrics       // nil = off
	sheet   *notify.Sheet  // nil = there is none
	last    *link.Snapshot // newest published
	mu      sync.Mutex
	witness func(*link.Snapshot) // sees every one published; nil = nobody. Set it before run
}

// startDaemon opens everything, so that a fault shows before anything runs.
func startDaemon(ctx context.Context, cfg Config, now func() time.Time, logTo io.Writer) (*daemon, error) {
	return startScaled(ctx, cfg, now, 1, logTo)
}

// startScaled is startDaemon with a clock that runs speed times as fast as the machine's.
func startScaled(ctx context.Context, cfg Config, now func() time.Time, speed float64, logTo io.Writer) (*daemon, error) {
	return startOn(ctx, nil, cfg, now, speed, logTo)
}

// startOn is startScaled with the webhook port, which it closes where it fails; nil =
// it opens the one of the configuration.
func startOn(ctx context.Context, port net.Listener, cfg Config, now func() time.Time, speed float64, logTo io.Writer) (_ *daemon, err error) {
	d := &daemon{cfg: cfg, now: now, port: port, log: slog.New(slog.NewTextHandler(logTo, &slog.HandlerOptions{Level: slog.LevelInfo}))}
	defer func() {
		if err != nil {
			d.abandon()
		}
	}()
	rules, err := cfg.Suppress.rules()
	if err != nil {
		return nil, err
	}
	if d.store, err = store.Open(ctx, store.Options{
		Dir: cfg.Data.Dir, Now: now, Log: d.log, Decode: webhook.Decode, Rules: rules, StopWords: cfg.Suppress.StopWords, Sheet: cfg.Sheet.on(),
	}); err != nil {
		return nil, err
	}
	if d.sheet, err = openSheet(cfg.Sheet, d.store, now, d.log); err != nil {
		return nil, err
	}
	sending, err := sendingOf(cfg, now, speed, d.log)
	if err != nil {
		return nil, err
	}
	other, err := fallbackOf(cfg, d.log)
	if err != nil {
		return nil, err
	}
	told, err := openNotify(&cfg.Notify, d.store, d.log)
	if err != nil {
		return nil, err
	}
	var sheet func() notify.SheetState
	if d.sheet != nil {
		sheet = d.sheet.State
	}
	d.monitor, err = monitor.New(ctx, monitor.Options{
		Sending: sending, Fallback: other, Sheet: sheet, Notify: told, Auto: cfg.Auto.auto(),
		Store: d.store, Publish: d.publish, Thresholds: thresholds(cfg), Now: now, Version: version(), Zone: zoneName(), Log: d.log, Decode: webhook.Decode,
		CheckFeed: func(ctx context.Context) link.FeedChecks { return checkFeed(ctx, cfg, d.port.Addr().String()) },
		Host:      func(ctx context.Context) link.Host { return monitor.HostLoad(ctx, cfg.Data.Dir) },
	})
	if err != nil {
		return nil, err
	}
	d.link = link.NewServer(link.ServerOptions{
		Handle: d.monitor.Handle, Log: d.log, Urgent: func(verb string) bool { return verb == link.VerbPause },
	})
	if d.socket, err = link.Listen(cfg.Link.Socket); err != nil {
		return nil, err
	}
	if d.port == nil {
		if d.port, err = listenWebhooks(cfg); err != nil {
			return nil, err
		}
	}
	if d.metrics, err = openMetrics(d); err != nil {
		return nil, err
	}
	hooks := webhook.Options{
		Secrets: cfg.Webhook.AppSecret, VerifyTokens: cfg.Webhook.VerifyToken,
		Sink: d.store, Ready: d.store.Ready, Now: now, Log: d.log,
		Refused:  func() { d.store.CountRefused(); d.monitor.Refused() },
		Answered: d.monitor.Answered,
	}
	d.metrics.observe(&hooks)
	mux := http.NewServeMux()
	mux.Handle("/", webhook.NewHandler(hooks))
	mux.Handle(fallback.Path, fallback.NewHook(fallback.HookOptions{
		Channels: other.Channels, Sink: d.store, Known: d.store.KnowsFallback, Now: now, Log: d.log,
	}))
	d.web = webhook.NewServer(mux)
	d.web.ErrorLog = slog.NewLogLogger(d.log.Handler(), slog.LevelWarn)
	return d, nil
}

// listenWebhooks opens the webhook port, with TLS where a certificate is given.
func listenWebhooks(cfg Config) (net.Listener, error) {
	l, err := net.Listen("tcp", cfg.Webhook.Listen)
	if err != nil {
		return nil, fmt.Errorf("the webhook port cannot be opened: %w; free it, or set webhook.listen to another", err)
	}
	limited := webhook.Limit(l, maxWebhookConns)
	if cfg.Webhook.TLSCert == "" {
		return limited, nil
	}
	pair, err := tls.LoadX509KeyPair(cfg.Webhook.TLSCert, cfg.Webhook.TLSKey)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("the certificate cannot be used: %w; check webhook.tls_cert and webhook.tls_key", err)
	}
	return tls.NewListener(limited, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}), nil
}

func thresholds(cfg Config) monitor.Thresholds {
	t := cfg.Thresholds
	return monitor.Thresholds{
		DeliveryOK: t.DeliveryOK, DeliveryAct: t.DeliveryAct, ReportsOK: t.ReportsOK, ReportsAct: t.ReportsAct,
		CPUOK: t.CPUOK, CPUAct: t.CPUAct, MemoryOK: t.MemoryOK, MemoryAct: t.MemoryAct, DiskOK: t.DiskOK, DiskAct: t.DiskAct,
		QueueOK: t.QueueOK, QueueAct: t.QueueAct, CallbacksOK: t.CallbacksOK, CallbacksAct: t.CallbacksAct,
		InvalidAct: t.InvalidAct, RefusersAct: t.RefusersAct, JudgeAfter: t.JudgeAfter, MinMessages: int64(t.MinMessages),
	}
}

func (d *daemon) publish(s *link.Snapshot) {
	d.mu.Lock()
	d.last = s
	d.mu.Unlock()
	d.link.Publish(s)
	if d.witness != nil {
		d.witness(s)
	}
}

// run serves until ctx ends or a part of the daemon fails, and then ends in
// order: no new webhook is taken, those under way are stored and answered,
// consoles are told, the store is closed.
func (d *daemon) run(ctx context.Context) error {
	d.log.Info("listening", "webhooks", d.port.Addr().String(), "socket", d.cfg.Link.Socket, "version", version())
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var parts sync.WaitGroup
	failed := make(chan error, 2)
	parts.Go(func() { d.monitor.Run(inner) })
	parts.Go(func() { d.forget(inner) })
	parts.Go(func() { boundMemory(inner) })
	parts.Go(func() { d.metrics.serve(inner) })
	if d.sheet != nil {
		parts.Go(func() { d.sheet.Run(inner) })
	}
	parts.Go(func() {
		if err := d.link.Serve(inner, d.socket); err != nil {
			failed <- fmt.Errorf("the consoles' socket failed: %w", err)
		}
	})
	parts.Go(func() {
		if err := d.web.Serve(d.port); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("the webhook port failed: %w", err)
		}
	})
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	case <-d.store.Failed():
		err = d.store.Err()
	}
	d.log.Info("ending", "reason", reason(ctx, err))
	drain, done := context.WithTimeout(inner, drainWithin)
	defer done()
	if e := d.web.Shutdown(drain); e != nil {
		d.log.Warn("some webhooks were cut off; their senders will repeat them", "error", e)
		_ = d.web.Close()
	}
	cancel()
	parts.Wait()
	return errors.Join(err, d.store.Close())
}

// forgetEvery is how often old raw bodies are looked for.
const forgetEvery = time.Minute

// forget drops raw bodies that are older than they are kept for, a few at a
// time, so that no webhook waits.
func (d *daemon) forget(ctx context.Context) {
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	for {
		before := wa.At(d.now().AddDate(0, 0, -d.cfg.Retention.RawDays))
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = d.store.DropRaw(ctx, before); err != nil && ctx.Err() == nil {
				d.log.Warn("old raw bodies stay for now", "error", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func reason(ctx context.Context, err error) string {
	if err != nil {
		return err.Error()
	}
	return wa.Clean(context.Cause(ctx).Error())
}

// abandon closes what was opened before a fault.
func (d *daemon) abandon() {
	d.metrics.abandon()
	if d.port != nil {
		_ = d.port.Close()
	}
	if d.socket != nil {
		_ = d.socket.Close()
	}
	if d.store != nil {
		_ = d.store.Close()
	}
}

// newest is the snapshot that was published last; nil before the first.
func (d *daemon) newest() *link.Snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// webhookURL is where this daemon takes Meta's webhooks.
func (d *daemon) webhookURL() string { return "http://" + d.port.Addr().String() + "/webhooks/meta" }
