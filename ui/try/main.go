//go:build try

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/ui"
	"tickwatch/wa"
)

type daemon struct{ ch chan link.Update }

func (d daemon) Updates() <-chan link.Update { return d.ch }
func (d daemon) Do(ctx context.Context, verb string, args, result any) error {
	time.Sleep(300 * time.Millisecond)
	var v any
	switch verb {
	case link.VerbFailures:
		a := args.(link.FailuresArgs)
		var f link.Failures
		for i := range a.Limit {
			t := time.Now().Add(-time.Duration(int(a.Before)+i) * time.Second)
			f.Messages = append(f.Messages, link.Message{Phone: fmt.Sprintf("+351******%02d", i), FailedAt: &t, Details: "Message undeliverable 漢字 👍"})
		}
		f.Next = a.Before + int64(a.Limit)
		v = f
	case link.VerbFind:
		v = link.Found{Query: args.(link.FindArgs).Query}
	case link.VerbAck:
		v = link.Alarm{Text: "Only 84 % arrive."}
	}
	b, _ := json.Marshal(v)
	return json.Unmarshal(b, result)
}

type counter struct {
	io.Writer
	f *os.File
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	fmt.Fprintf(c.f, "%d %d %d\n", time.Now().UnixMilli(), len(p), c.n)
	return c.Writer.Write(p)
}
func (c *counter) Fd() uintptr                { return os.Stdout.Fd() }
func (c *counter) Read(p []byte) (int, error) { return os.Stdout.Read(p) }
func (c *counter) Close() error               { return nil }

func main() {
	idle := os.Getenv("TRY") == "idle"
	d := daemon{make(chan link.Update, 1)}
	start := time.Now()
	go func() {
		for i := 0; ; i++ {
			now := time.Now()
			n := int64(i) * 3
			set := n * 97 / 100
			if idle {
				n, set = 5000, 4850
			}
			settled := 0.97
			mins := []link.Minute{}
			for k := range 12 {
				mins = append(mins, link.Minute{At: start.Add(time.Duration(k) * time.Minute), Messages: 100, Delivered: int64(97 - k), Failed: int64(3 + k)})
			}
			e := wa.Explain(131026, "")
			cpu := 0.2
			disk := uint64(41 << 30)
			from := start
			last := start
			st := "live"
			if idle {
				st = "idle"
				from = start.Add(-40 * time.Minute)
				last = start.Add(-20 * time.Minute)
			} else {
				last = now
			}
			s := &link.Snapshot{Rev: uint64(i), At: now, Feed: link.Feed{State: st, PerSecond: 33, LastEventAt: &last}, Host: link.Host{CPU: &cpu, DiskFreeBytes: &disk},
				Campaigns: []link.Campaign{{ID: "autumn", Name: "autumn", Origin: "external", State: "running", Template: &link.TemplateRef{Name: "autumn_offer", Language: "pt_PT"},
					Counts:  link.Counts{Messages: n, HandedOver: n, Delivered: set, Failed: n - set, InFlight: 0},
					First30: link.First30{From: &from, Closed: idle, Delivered: set, Failed: n - set, Settled: &settled, Verdict: "ok"},
					Trend:   mins, Errors: []link.Error{{Code: 131026, Title: e.Title, Count: n - set, Share: 1, Hint: e.Hint, Advice: e.Advice, Trend: []int64{1, 2, 3, 4}}},
				}},
				Alarms: []link.Alarm{{ID: "x", Severity: "watch", Kind: "delivery", Text: "Template autumn_offer fell from GREEN to YELLOW.", RaisedAt: start}},
			}
			up := link.Update{Snapshot: s, Connected: true}
			if !idle && i%400 > 300 {
				up.Connected, up.Err = false, fmt.Errorf("gone")
				s.At = start
			}
			d.ch <- up
			if idle {
				time.Sleep(time.Second)
			} else {
				time.Sleep(30 * time.Millisecond)
			}
		}
	}()
	o := ui.Options{Daemon: d, Mode: os.Getenv("MODE")}
	if p := os.Getenv("COUNT"); p != "" {
		f, _ := os.Create(p)
		o.Out = &counter{Writer: os.Stdout, f: f}
	}
	if err := ui.Run(context.Background(), o); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
