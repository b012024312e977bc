package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/list"
	"tickwatch/wa"
	"tickwatch/wa/graph"
)

// sendingOf is how the configuration lets campaigns of our own go out. Without an
// access token nothing can be sent, and everything else works.
func sendingOf(cfg Config, now func() time.Time, speed float64, log *slog.Logger) (s monitor.Sending, err error) {
	s = monitor.Sending{
		Speed: speed, Folder: cfg.Data.Dir, StopFile: filepath.Join(cfg.Data.Dir, stopName),
		Pace:      wa.Pace{Messages: int64(cfg.Pace.MessagesPerHour), Per: time.Hour},
		PerNumber: wa.Pace{Messages: int64(cfg.Pace.MessagesPerSecond), Per: time.Second},
	}
	if s.Seeds, err = cfg.Seeds.seeds(); err != nil {
		return s, err
	}
	windows, err := windowsFrom("pace.windows", cfg.Pace.Windows)
	if err != nil {
		return s, err
	}
	if len(windows) > 0 {
		s.Hold = func(phone string) wa.Instant { return wa.At(windows.OpenAt(phone, now(), time.Local)) }
	}
	if cfg.Graph.AccessToken.Empty() {
		return s, nil
	}
	client, err := graph.New(graph.Options{
		BaseURL: cfg.Graph.BaseURL, Version: cfg.Graph.Version, Log: log,
		Token: func() wa.Secret { return cfg.Graph.AccessToken }, Now: now,
	})
	if err != nil {
		return s, err
	}
	s.Sender = client
	if cfg.Graph.WABAID != "" {
		of := account{client, cfg.Graph.WABAID}
		s.Meta, s.Numbers, s.Poll, s.Compare = of, of.numbers, of.poll, client.For(graph.Compared).Compare
	}
	return s, nil
}

// windowsFrom reads the windows that a key of the configuration gives; a later one
// of a country replaces the one before.
func windowsFrom(key string, lines []string) (list.Windows, error) {
	w := list.Windows{}
	for _, line := range lines {
		country, hours, _ := strings.Cut(strings.TrimSpace(line), " ")
		h, err := list.ParseHours(strings.TrimSpace(hours))
		code := list.CountryCode(country)
		if country != "*" && code == "" {
			err = errors.New("it begins with no country")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no sending window: %w; write one like \"PT 09:00-20:00\" or \"* mon-sat 08:00-21:00\"", key, wa.Clean(line), err)
		}
		w[code] = h
	}
	return w, nil
}

// account is the WhatsApp Business Account whose templates are used.
type account struct {
	client *graph.Client
	id     string
}

// Templates lists the account's templates.
func (a account) Templates(ctx context.Context) ([]wa.TemplateForm, error) {
	return a.client.Templates(ctx, a.id)
}

// numbers asks how the account's numbers stand.
func (a account) numbers(ctx context.Context) ([]monitor.NumberNews, error) {
	all, err := a.client.Numbers(ctx, a.id)
	if err != nil {
		return nil, err
	}
	var news []monitor.NumberNews
	for i := range all {
		n := &all[i]
		n.Display = wa.Digits(n.Display)
		news = append(news, monitor.NumberNews{Number: n.Number, Throughput: float64(n.PerSecond())})
	}
	return news, nil
}

// poll asks how the account, its numbers and some templates stand, out of what the
// budget leaves to polls. Where a part cannot be had, the others come all the same.
func (a account) poll(ctx context.Context, templates []int64) (wa.Poll, error) {
	c := a.client.For(graph.Polled)
	p := wa.Poll{Account: a.id}
	heard := map[string]bool{}
	healthy := func(h wa.Health) {
		for _, e := range h.Entities {
			if key := e.Type + " " + e.ID; !heard[key] {
				heard[key] = true
				p.Health = append(p.Health, e)
			}
		}
	}
	numbers, err := c.Numbers(ctx, a.id)
	for i := range numbers {
		n := &numbers[i]
		p.Numbers = append(p.Numbers, wa.PolledNumber{
			ID: n.ID, Display: n.Display, Quality: n.Quality, Status: n.Status, Limit: n.Limit, Throughput: float64(n.PerSecond()),
		})
		healthy(n.Health)
	}
	errs := []error{err}
	for _, id := range templates {
		t, err := c.TemplateStanding(ctx, id)
		errs = append(errs, err)
		if err == nil {
			p.Templates = append(p.Templates, t.PolledTemplate)
			healthy(t.Health)
		}
	}
	if !heard[wa.HealthOfAccount+" "+a.id] {
		h, err := c.Health(ctx, a.id)
		errs = append(errs, err)
		healthy(h)
	}
	return p, errors.Join(errs...)
}

// Template finds one of them.
func (a account) Template(ctx context.Context, name, language string) (wa.TemplateForm, error) {
	return a.client.Template(ctx, a.id, name, language)
}
