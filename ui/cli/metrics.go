package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// metrics is the port at which Prometheus asks. Nothing is pushed, and nothing
// is read from the disk for it. A nil one is off: its methods do nothing.
//
// No label names a campaign, a person or a number: who may read metrics is not
// who may read those, and a label whose values grow makes Prometheus slow.
type metrics struct {
	port    net.Listener
	web     *http.Server
	log     *slog.Logger
	answers prometheus.Histogram
	commits prometheus.Histogram
}

const (
	scrapeWithin  = 10 * time.Second // Prometheus's own patience, by default
	scrapesAtOnce = 4
	scrapeConns   = 16 // open at once: a port that is misused must not take the webhooks' descriptors
)

// durations are the histograms' bounds, in seconds: webhooks should be answered
// within 0.8 s on average, and must be within 2.
var durations = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1, 2, 5, 10}

// openMetrics opens the port of metrics.listen; nil when there is none. The
// daemon's store, monitor and link must be there.
func openMetrics(d *daemon) (*metrics, error) {
	if d.cfg.Metrics.Listen == "" {
		return nil, nil
	}
	m := &metrics{log: d.log}
	m.answers = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "tickwatch_webhook_answer_seconds", Buckets: durations,
		Help: "Time from a signed webhook's request to its answer.",
	})
	m.commits = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "tickwatch_store_commit_seconds", Buckets: durations,
		Help: "Time from handing a webhook to the store until it was on disk: its wait for the writer, and the commit that it shared with others.",
	})
	r := prometheus.NewPedanticRegistry()
	for _, c := range []prometheus.Collector{
		m.answers, m.commits, &gauges{d: d},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("setting up the metrics: %w", err)
		}
	}
	port, err := net.Listen("tcp", d.cfg.Metrics.Listen)
	if err != nil {
		return nil, fmt.Errorf("the metrics port cannot be opened: %w; free it, or set metrics.listen to another", err)
	}
	m.port = webhook.Limit(port, scrapeConns)
	errorLog := slog.NewLogLogger(d.log.Handler(), slog.LevelWarn)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{
		ErrorLog: errorLog, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: scrapesAtOnce, Timeout: scrapeWithin,
	}))
	m.web = &http.Server{
		Handler: mux, ErrorLog: errorLog, ReadTimeout: 5 * time.Second, WriteTimeout: 2 * scrapeWithin,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, // Prometheus asks once a minute by default
	}
	return m, nil
}

// observe has a webhook handler's times measured.
func (m *metrics) observe(o *webhook.Options) {
	if m == nil {
		return
	}
	o.Sink = timedSink{o.Sink, m.commits}
	answered := o.Answered
	o.Answered = func(took time.Duration) {
		answered(took)
		m.answers.Observe(took.Seconds())
	}
}

// timedSink measures how long what was stored took.
type timedSink struct {
	webhook.Sink
	took prometheus.Observer
}

// Ingest implements webhook.Sink.
func (s timedSink) Ingest(ctx context.Context, post *wa.Post) error {
	start := time.Now()
	err := s.Sink.Ingest(ctx, post)
	if err == nil {
		s.took.Observe(time.Since(start).Seconds())
	}
	return err
}

// serve answers until ctx ends. A fault of it is logged and ends nothing else:
// the webhooks matter more.
func (m *metrics) serve(ctx context.Context) {
	if m == nil {
		return
	}
	m.log.Info("metrics", "url", "http://"+m.port.Addr().String()+"/metrics")
	defer context.AfterFunc(ctx, func() { _ = m.web.Close() })()
	if err := m.web.Serve(m.port); !errors.Is(err, http.ErrServerClosed) {
		m.log.Error("the metrics port failed; everything else goes on", "error", err)
	}
}

// abandon closes the port of a daemon that will not run.
func (m *metrics) abandon() {
	if m != nil {
		_ = m.port.Close()
	}
}
