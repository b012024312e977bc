package cli

import (
	"runtime"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
)

// gauges gives Prometheus what the daemon knows anyway: the newest snapshot's
// feed, the monitor's sums, the store's queue. Before the first snapshot there
// is no feed, and a figure that is not known is left out.
type gauges struct {
	d       *daemon
	mu      sync.Mutex
	refused float64 // the most that was told
}

// A figure is one that a snapshot holds.
type figure struct {
	desc  *prometheus.Desc
	value func(*link.Feed) int64
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tickwatch_"+name, help, labels, nil)
}

// counted are the counters of the feed, but for refused. But where it is said,
// they count since the store was made: a restart does not set them back.
var counted = []figure{
	{describe("webhook_posts_total", "Signed webhooks that were stored."), func(f *link.Feed) int64 { return f.Posts }},
	{describe("webhook_not_understood_total", "Parts of signed webhooks that were kept raw and not understood."), func(f *link.Feed) int64 { return f.NotUnderstood }},
	{describe("webhook_turned_away_total", "Signed webhooks answered 503 since the daemon started, because they could not be stored. Meta sends them again."), func(f *link.Feed) int64 { return f.TurnedAway }},
	{describe("webhook_updates_total", "Statuses, inbound messages and other news that webhooks brought, duplicates included."), func(f *link.Feed) int64 { return f.Updates }},
	{describe("webhook_duplicates_total", "Updates that said nothing new."), func(f *link.Feed) int64 { return f.Duplicates }},
}

var (
	refusedDesc   = describe("webhook_refused_total", "Webhooks answered 401, because their signature was missing or wrong.")
	queueDesc     = describe("store_queue_updates", "Updates that wait for the store's writer, or are being written.")
	consolesDesc  = describe("consoles", "Consoles that are attached.")
	feedStateDesc = describe("feed_state", "1 for the state that the feed is in. Idle is silence that nobody need fear, stalled is silence while answers are due.", "state")
	lastEventDesc = describe("feed_last_event_timestamp_seconds", "When the last event came in, in Unix time.")
	messagesDesc  = describe("messages", "Messages of all campaigns by the state they are in; each is in one: delivered ones that were read are under read, and failed are those that never arrived.", "state")
	sendsDesc     = describe("queue_messages", "Messages of our own campaigns by where they are; each is in one. Unknown are those that may have gone out; refused are also under failed of tickwatch_messages.", "state")
	requestsDesc  = describe("queue_open_requests", "Requests on their way to Meta.")
	begunDesc     = describe("queue_begun_per_second", "Requests begun a second, over the last ten seconds.")
	pausedDesc    = describe("queue_paused_gates", "Places where sending is paused: everything, a channel, a number, a campaign.")
	stopDesc      = describe("queue_stop_file", "1 while the STOP file pauses everything.")
	alarmsDesc    = describe("alarms_open", "Alarms that stand, by kind and severity.", "kind", "severity")
	buildDesc     = describe("build_info", "1; the labels say which version this is.", "version", "goversion")
)

// alarmKinds are told of even while none stands: a rule over a series that is
// not there never fires.
var alarmKinds = [...]string{"account", "callbacks", "delivery", "feed", "host", "limit", "list", "quality", "reports", "template", "withheld"}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, f := range counted {
		to <- f.desc
	}
	for _, d := range [...]*prometheus.Desc{refusedDesc, queueDesc, consolesDesc, feedStateDesc, lastEventDesc, messagesDesc, sendsDesc, requestsDesc, begunDesc, pausedDesc, stopDesc, alarmsDesc, buildDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(buildDesc, 1, version(), runtime.Version())
	gauge(queueDesc, float64(g.d.store.Queued()))
	gauge(consolesDesc, float64(g.d.link.Consoles()))
	t := g.d.monitor.Totals()
	for state, n := range map[string]int64{
		"in_flight": t.Messages - t.Delivered - (t.Failed - t.Queue.Refused), "delivered": t.Delivered - t.Read, "read": t.Read, "failed": t.Failed,
	} {
		gauge(messagesDesc, float64(n), state)
	}
	g.queue(&t.Queue, gauge)
	g.alarms(t.Open, gauge)
	if s := g.d.newest(); s != nil {
		g.feed(&s.Feed, to)
	}
}

func (g *gauges) queue(q *monitor.QueueTotals, gauge func(*prometheus.Desc, float64, ...string)) {
	for state, n := range map[string]int64{
		"waiting": q.Waiting, "set_aside": q.SetAside, "claimed": q.Claimed, "unknown": q.Unknown,
		"cancelled": q.Cancelled, "refused": q.Refused, "handed_over": q.HandedOver,
	} {
		gauge(sendsDesc, float64(n), state)
	}
	gauge(requestsDesc, float64(q.OpenRequests))
	gauge(begunDesc, q.BegunPerSecond)
	gauge(pausedDesc, float64(q.PausedGates))
	stopped := 0.0
	if q.StopFile {
		stopped = 1
	}
	gauge(stopDesc, stopped)
}

func (g *gauges) alarms(open map[monitor.AlarmClass]int, gauge func(*prometheus.Desc, float64, ...string)) {
	for _, kind := range alarmKinds {
		for _, severity := range [...]string{link.VerdictWatch, link.VerdictAct} {
			gauge(alarmsDesc, float64(open[monitor.AlarmClass{Kind: kind, Severity: severity}]), kind, severity)
		}
	}
	for class, n := range open {
		if !slices.Contains(alarmKinds[:], class.Kind) {
			gauge(alarmsDesc, float64(n), class.Kind, class.Severity)
		}
	}
}

func (g *gauges) feed(f *link.Feed, to chan<- prometheus.Metric) {
	for _, c := range counted {
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(c.value(f)))
	}
	to <- prometheus.MustNewConstMetric(refusedDesc, prometheus.CounterValue, g.refusedSoFar(f))
	for _, state := range [...]string{link.FeedLive, link.FeedIdle, link.FeedStalled} {
		v := 0.0
		if state == f.State {
			v = 1
		}
		to <- prometheus.MustNewConstMetric(feedStateDesc, prometheus.GaugeValue, v, state)
	}
	if f.LastEventAt != nil {
		to <- prometheus.MustNewConstMetric(lastEventDesc, prometheus.GaugeValue, float64(f.LastEventAt.UnixMilli())/1000)
	}
}

// refusedSoFar never falls. The feed's own figure can for a moment: what was
// refused is counted by the store between two commits, and then by the commit.
func (g *gauges) refusedSoFar(f *link.Feed) float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = max(g.refused, float64(f.Refused))
	return g.refused
}
