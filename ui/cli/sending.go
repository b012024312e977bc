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
func sendingOf(cfg Config, now func() time.Time, speed float64, log *slog.Logger) (monitor.Sending, error) {
	s := monitor.Sending{
		Speed: speed, Folder: cfg.Data.Dir, StopFile: filepath.Join(cfg.Data.Dir, stopName),
		Pace:      wa.Pace{Messages: int64(cfg.Pace.MessagesPerHour), Per: time.Hour},
		PerNumber: wa.Pace{Messages: int64(cfg.Pace.MessagesPerSecond), Per: time.Second},
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
		Token: func() wa.Secret { return cfg.Graph.AccessToken },
	})
	if err != nil {
		return s, err
	}
	s.Sender = client
	if cfg.Graph.WABAID != "" {
		of := account{client, cfg.Graph.WABAID}
		s.Meta, s.Numbers = of, of.numbers
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
		if country == "*" {
			country = ""
		} else if len(country) != 2 || country != strings.ToUpper(country) {
			err = errors.New("it begins with no country")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no sending window: %w; write one like \"PT 09:00-20:00\" or \"* mon-sat 08:00-21:00\"", key, wa.Clean(line), err)
		}
		w[country] = h
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

// Template finds one of them.
func (a account) Template(ctx context.Context, name, language string) (wa.TemplateForm, error) {
	return a.client.Template(ctx, a.id, name, language)
}
