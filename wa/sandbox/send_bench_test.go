package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkSend is what the stand-in costs whoever measures a queue against it:
// sends from 64 connections, to ever new people, with all that follows from them
// and a receiver that only reads. The answers of the slow one come 50 ms late,
// as they will in `bench queue`.
func BenchmarkSend(b *testing.B) {
	for _, delay := range []time.Duration{0, 50 * time.Millisecond} {
		b.Run(fmt.Sprint("latency=", delay), func(b *testing.B) { benchSend(b, delay) })
	}
}

func benchSend(b *testing.B, delay time.Duration) {
	const connections = 64
	receiver := http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })}
	o := Options{WebhookURL: serve(b, &receiver), Secret: secret, Speed: 1, Messages: -1, AcceptedLog: b.TempDir() + "/accepted.ndjson"}
	if delay > 0 {
		o.Faults = []Fault{{Kind: FaultLatency, Delay: delay}}
	}
	s, stop := run(b, o)
	defer stop()
	client := newClient(connections)
	defer client.CloseIdleConnections()
	var next atomic.Int64
	b.ResetTimer()
	var senders sync.WaitGroup
	for range connections {
		senders.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				body := templateBody(fmt.Sprintf("+35196%07d", i), CampaignTemplate, CampaignLanguage, imageByID+","+bodyOfOne+","+stopPressed)
				req, err := http.NewRequest(http.MethodPost, s.URL()+"/v26.0/"+numberIDs[0]+"/messages", strings.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+s.Token().Reveal())
				res, err := client.Do(req)
				if err != nil || res.StatusCode != http.StatusOK {
					b.Errorf("answer %v, %v", res, err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
		})
	}
	senders.Wait()
	b.StopTimer()
	if n := len(s.Accepted()); n != b.N {
		b.Errorf("%d of %d accepted", n, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
