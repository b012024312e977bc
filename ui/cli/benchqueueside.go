package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa/sandbox"
)

// queueSide is a daemon with one campaign of its own, the stand-in that takes its
// messages in a process apart, and a console's link to it.
type queueSide struct {
	*session
	rows     int
	meta     *otherMeta
	campaign string
	imported time.Duration // from the first piece of the list to the campaign
	cost     time.Duration // of a processor, meanwhile
	close    func() error
}

// openQueueSide starts one in a folder and imports a list of that name, of so many rows, as
// `campaign import` does. Nothing is sent yet.
func openQueueSide(ctx context.Context, a *app, dir, name string, rows int) (_ *queueSide, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	s := &queueSide{rows: rows}
	var undo []func() error
	s.close = func() (err error) {
		for i := len(undo) - 1; i >= 0; i-- {
			err = errors.Join(err, undo[i]())
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	list := filepath.Join(dir, name)
	if s.meta, err = startMeta(ctx, list, rows); err != nil {
		return nil, err
	}
	undo = append(undo, s.meta.end)
	cfg, err := LoadConfig(LoadOptions{Flags: map[string]string{
		"data.dir": filepath.Join(dir, "data"), "webhook.listen": "127.0.0.1:0", "webhook.app_secret": s.meta.Key,
		"graph.base_url": s.meta.URL, "graph.access_token": s.meta.Token, "graph.waba_id": sandbox.AccountID,
		"pace.messages_per_hour": "0",
	}, Dir: dir, Etc: dir})
	if err != nil {
		return nil, err
	}
	d, err := startDaemon(ctx, cfg, time.Now, io.Discard)
	if err != nil {
		return nil, err
	}
	if err := s.meta.tell(d.webhookURL()); err != nil {
		d.abandon()
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- d.run(running) }()
	undo = append(undo, func() error { stop(); return <-ended })
	if s.session, err = attach(ctx, cfg); err != nil {
		return nil, err
	}
	undo = append(undo, func() error { s.hangUp(); return nil })
	if err := s.importList(ctx, a, list); err != nil {
		return nil, fmt.Errorf("importing the list: %w", err)
	}
	return s, os.Remove(list)
}

func (s *queueSide) importList(ctx context.Context, a *app, path string) error {
	list, err := openList(path)
	if err != nil {
		return err
	}
	defer list.close()
	begin, used := time.Now(), processorTime()
	job, err := s.work(ctx, a, list, link.VerbList, func(upload string) any {
		return link.ListArgs{
			Upload: upload, Import: true, Name: sandbox.CampaignKey, From: sandbox.Numbers()[:1],
			Template: &link.TemplateRef{Name: sandbox.CampaignTemplate, Language: sandbox.CampaignLanguage},
			Map:      map[string]string{"header": "image", "1": "first_name"},
		}
	})
	if err != nil {
		return err
	}
	s.imported, s.cost = time.Since(begin), processorTime()-used
	if job.Imported == nil || job.Imported.Waiting < int64(s.rows)*9/10 {
		return fmt.Errorf("of %d rows too few wait: %+v", s.rows, job.Imported)
	}
	s.campaign = job.Imported.ID
	return nil
}

// pause pauses the campaign and gives when the answer was here.
func (s *queueSide) pause(ctx context.Context) (asked, answered time.Time, r link.Receipt, err error) {
	asked = time.Now()
	err = s.do(ctx, link.VerbPause, link.GateArgs{Scope: link.ScopeCampaign, ID: s.campaign}, &r)
	return asked, time.Now(), r, err
}

// resume lets it go on, and gives when that was asked for.
func (s *queueSide) resume(ctx context.Context) (asked time.Time, err error) {
	asked = time.Now()
	var r link.Receipt
	return asked, s.do(ctx, link.VerbResume, link.ResumeArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: s.campaign}}, &r)
}

// start starts it, paused.
func (s *queueSide) start(ctx context.Context) error {
	if _, _, _, err := s.pause(ctx); err != nil {
		return err
	}
	var r link.Receipt
	return s.do(ctx, link.VerbStart, link.StartArgs{Campaign: s.campaign, Force: true}, &r)
}

// counts are the campaign's figures.
func (s *queueSide) counts(ctx context.Context) (c link.Counts, open int, err error) {
	now, err := s.session.campaign(ctx, idArg(s.campaign))
	if err != nil {
		return c, 0, err
	}
	if now.Sending != nil {
		open = now.Sending.OpenRequests
	}
	return now.Counts, open, nil
}

// quiet waits until nothing is on its way: all that was claimed has gone out, or
// back.
func (s *queueSide) quiet(ctx context.Context) (link.Counts, error) {
	return s.until(ctx, "what was on its way does not come back", func(c *link.Counts, open int) bool { return open == 0 && c.Claimed == 0 })
}

// busy waits until requests are on their way.
func (s *queueSide) busy(ctx context.Context) error {
	_, err := s.until(ctx, "nothing goes out", func(_ *link.Counts, open int) bool { return open > 0 })
	return err
}

func (s *queueSide) until(ctx context.Context, fault string, holds func(c *link.Counts, open int) bool) (link.Counts, error) {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(benchPatience); ; {
		c, open, err := s.counts(ctx)
		if err != nil || holds(&c, open) {
			return c, err
		}
		if time.Now().After(deadline) {
			return c, errors.New(fault + ": let the machine rest, and measure again")
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return c, context.Cause(ctx)
		}
	}
}

// enough refuses to measure when the queue is about to be empty.
func (s *queueSide) enough(c link.Counts) error {
	if c.Waiting < int64(benchConnections)*4 {
		return fmt.Errorf("the queue of %d rows is used up: measure with more --rows, or fewer --seconds, --rounds or --pauses", s.rows)
	}
	return nil
}
