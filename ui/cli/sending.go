package cli

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"tickwatch/monitor"
	"tickwatch/wa"
	"tickwatch/wa/graph"
)

// sendingOf is how the configuration lets campaigns of our own go out. Without an
// access token nothing can be sent, and everything else works.
func sendingOf(cfg Config, speed float64, log *slog.Logger) (monitor.Sending, error) {
	s := monitor.Sending{
		Speed: speed, Folder: cfg.Data.Dir, StopFile: filepath.Join(cfg.Data.Dir, stopName),
		Pace:      wa.Pace{Messages: int64(cfg.Pace.MessagesPerHour), Per: time.Hour},
		PerNumber: wa.Pace{Messages: int64(cfg.Pace.MessagesPerSecond), Per: time.Second},
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
		s.Meta = account{client, cfg.Graph.WABAID}
	}
	return s, nil
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

// Template finds one of them.
func (a account) Template(ctx context.Context, name, language string) (wa.TemplateForm, error) {
	return a.client.Template(ctx, a.id, name, language)
}
