package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/ui"
	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

type demoCmd struct {
	Scenario string        `default:"healthy" help:"What happens: ${scenarios}." placeholder:"NAME"`
	Seed     uint64        `default:"1" help:"Who the people are and what they do."`
	Speed    float64       `default:"1" help:"How fast the demo's time runs; 10 plays half an hour in three minutes."`
	For      time.Duration `help:"End after so long, real time." placeholder:"DUR"`
	Headless bool          `help:"No console: print the final status."`
	JSON     bool          `name:"json" help:"With --headless: print the final snapshot as JSON."`
	ASCII    bool          `name:"ascii" help:"Draw without Unicode."`
	NoBell   bool          `help:"No bell and no window title at an alarm."`
}

// Help gives an example.
func (demoCmd) Help() string {
	var b strings.Builder
	b.WriteString("Examples:\n  tickwatch demo --scenario cliff --speed 5\n  tickwatch demo --headless --json --for 20s\n\nScenarios:\n")
	for _, s := range sandbox.Scenarios() {
		fmt.Fprintf(&b, "  %-15s %s\n", s.Name, s.Text)
	}
	return b.String()
}

const (
	demoLength  = 30 * time.Minute // of its own time, the campaign's sending
	demoEpilog  = 2 * time.Minute  // for the last deliveries, when headless
	demoMaxTime = 1000             // --speed
	demoRate    = 20               // messages a second of its own time
	demoSize    = 36_000           // as many as go out in demoLength
)

// Run plays a campaign: stand-in for Meta, daemon and console in one process,
// over the same HTTP and socket as in earnest.
func (c *demoCmd) Run(ctx context.Context, a *app) error {
	if c.Speed <= 0 || c.Speed > demoMaxTime {
		return usageError{fmt.Errorf("--speed %v: give a number above 0 and up to %d", c.Speed, demoMaxTime)}
	}
	if c.JSON && !c.Headless {
		return usageError{errors.New("--json goes with --headless")}
	}
	dir, err := os.MkdirTemp("", "tickwatch-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return c.play(ctx, a, dir)
}

func (c *demoCmd) play(ctx context.Context, a *app, dir string) error {
	clock := scaled(demoStart(time.Now()), c.Speed)
	log, err := openLog(dir)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	outside := c.outside()
	size := -1 // nobody sends from outside
	if outside {
		size = demoSize
	}
	secret := wa.NewSecret(rand.Text())
	meta, err := sandbox.New(sandbox.Options{
		Scenario: c.Scenario, Seed: c.Seed, Speed: c.Speed, Now: clock, Messages: size, Rate: demoRate,
		Secret: secret, SMSRate: demoSMSRate, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		return usageError{err}
	}
	d, err := c.start(ctx, dir, clock, secret, meta, log)
	if err != nil {
		return errors.Join(err, meta.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	played := make(chan error, 1)
	go func() { played <- meta.Run(ctx) }()
	if !outside {
		if err := d.launchDemo(ctx, meta, demoSize, demoRate); err != nil {
			cancel()
			d.abandon()
			return errors.Join(err, <-played)
		}
	}

	if c.For > 0 { // from here on: a slow machine takes its time over the list
		var done context.CancelFunc
		ctx, done = context.WithTimeout(ctx, c.For)
		defer done()
	}
	show := c.headless
	if !c.Headless {
		show = c.onScreen
	}
	err = show(ctx, a, d, clock)
	cancel()
	return errors.Join(err, <-played)
}

// outside tells whether another system sends the scenario's campaign.
func (c *demoCmd) outside() bool {
	for _, s := range sandbox.Scenarios() {
		if s.Name == c.Scenario {
			return s.Outside
		}
	}
	return false
}

// start opens a daemon that sends through the stand-in.
func (c *demoCmd) start(ctx context.Context, dir string, clock func() time.Time, secret wa.Secret, meta *sandbox.Sandbox, log io.Writer) (*daemon, error) {
	cfg, err := LoadConfig(LoadOptions{Flags: map[string]string{
		"data.dir": dir, "webhook.listen": "127.0.0.1:0", "webhook.app_secret": secret.Reveal(),
		"graph.base_url": meta.URL(), "graph.access_token": meta.Token().Reveal(), "graph.waba_id": sandbox.AccountID,
		"pace.messages_per_hour": strconv.Itoa(demoRate * 3600),
	}, Dir: dir, Etc: dir})
	if err != nil {
		return nil, err
	}
	port, err := listenWebhooks(cfg) // first, for the provider of SMS must know it
	if err != nil {
		return nil, err
	}
	cfg.Webhook.PublicURL = "http://" + port.Addr().String()
	demoFallback(&cfg, meta)
	d, err := startOn(ctx, port, cfg, clock, c.Speed, log)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(meta.Tell(d.webhookURL()), meta.TellReplies(demoReplies(&cfg))); err != nil {
		d.abandon()
		return nil, err
	}
	return d, nil
}

// demoStart is the moment at which the demo's clock begins: ten in the morning of
// the latest weekday, when campaigns are sent.
func demoStart(now time.Time) time.Time {
	t := time.Date(now.Year(), now.Month(), now.Day(), 10, 0, 0, 0, now.Location())
	for t.After(now) || t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
		t = t.AddDate(0, 0, -1)
	}
	return t
}

// launchDemo imports some of the stand-in's people as a list, as an operator
// would, and starts their campaign, at so many messages a second.
func (d *daemon) launchDemo(ctx context.Context, meta *sandbox.Sandbox, size, rate int) error {
	ask := func(verb string, args, answer any) error {
		raw, err := json.Marshal(args)
		if err != nil {
			return err
		}
		got, err := d.monitor.Handle(ctx, link.Peer{Name: "demo"}, link.Command{ID: rand.Text(), Verb: verb, Args: raw})
		if err != nil {
			return fmt.Errorf("starting the demo's campaign: %w", err)
		}
		if raw, err = json.Marshal(got); err != nil {
			return err
		}
		return json.Unmarshal(raw, answer)
	}
	var up link.Uploaded
	rest := demoList(meta, size)
	for len(rest) > 0 {
		piece := rest[:min(len(rest), link.MaxUpload)]
		if err := ask(link.VerbUpload, link.UploadArgs{Upload: up.Upload, Name: "autumn.csv", Offset: up.Size, Data: piece}, &up); err != nil {
			return err
		}
		rest = rest[len(piece):]
	}
	var job link.Job
	if err := ask(link.VerbList, link.ListArgs{
		Upload: up.Upload, Import: true, Name: sandbox.CampaignKey, From: sandbox.Numbers(),
		Template: &link.TemplateRef{Name: sandbox.CampaignTemplate, Language: sandbox.CampaignLanguage},
		Map:      map[string]string{"header": "image", "1": "first_name"},
	}, &job); err != nil {
		return err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !job.Done {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := ask(link.VerbJob, link.JobArgs{Job: job.ID}, &job); err != nil {
			return err
		}
	}
	if job.Problem != nil {
		return fmt.Errorf("importing the demo's list: %w", job.Problem)
	}
	var sending link.Sending
	if err := ask(link.VerbPace, link.PaceArgs{Campaign: job.Imported.ID, Rate: fmt.Sprintf("%d/s", rate)}, &sending); err != nil {
		return err
	}
	var receipt link.Receipt
	return ask(link.VerbStart, link.StartArgs{Campaign: job.Imported.ID, Force: true}, &receipt)
}

// demoList is a list of the stand-in's people.
func demoList(meta *sandbox.Sandbox, size int) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"phone", "first_name", "country", "language", "whatsapp_consent", "sms_consent", "image"})
	said := map[bool]string{true: "yes", false: "no"}
	for p := range meta.People(size) {
		_ = w.Write([]string{p.Phone, p.Name, p.Country, p.Language, said[p.Consent], said[p.SMS], sandbox.CampaignMedia})
	}
	w.Flush() // a buffer takes everything
	return b.Bytes()
}

func (c *demoCmd) onScreen(ctx context.Context, a *app, d *daemon, clock func() time.Time) error {
	if a.screen() {
		return a.together(ctx, d, consoleOptions{mode: ui.ModeDemo, ascii: c.ASCII, noBell: c.NoBell, now: clock})
	}
	return c.plainly(ctx, a, d)
}

// plainEvery is how often the demo prints its status where no screen can be drawn.
const plainEvery = 10 * time.Second

// plainly is the demo on a terminal that cannot move its cursor: a plain status
// now and then, until it is told to end.
func (c *demoCmd) plainly(ctx context.Context, a *app, d *daemon) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { defer cancel(); ended <- d.run(ctx) }()
	_, _ = fmt.Fprintf(a.Err, "tickwatch: no screen to draw on: the status follows every %s, ctrl-c ends it\n", plainEvery)
	tick := time.NewTicker(plainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.Join(c.last(a, d), <-ended)
		case <-tick.C:
			if err := c.last(a, d); err != nil {
				cancel()
				return errors.Join(err, <-ended)
			}
			_, _ = io.WriteString(a.Out, "\n")
		}
	}
}

// headless runs the campaign to its end, or as long as it was told to, and
// prints what came of it.
func (c *demoCmd) headless(ctx context.Context, a *app, d *daemon, _ func() time.Time) error {
	length := time.Duration(float64(demoLength+demoEpilog) / c.Speed)
	if c.For > 0 {
		length = c.For
	}
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	if err := d.run(ctx); err != nil {
		return err
	}
	return c.last(a, d)
}

// last prints the newest snapshot.
func (c *demoCmd) last(a *app, d *daemon) error {
	s := d.newest()
	if s == nil {
		return errors.New("the demo ended before there was anything to show: let it run longer")
	}
	return a.printStatus(s, c.JSON)
}

// scaled is a clock that starts at a moment and runs speed times as fast as the
// machine's.
func scaled(start time.Time, speed float64) func() time.Time {
	began := time.Now()
	return func() time.Time {
		return start.Add(time.Duration(float64(time.Since(began)) * speed)).Round(0)
	}
}

func scenarioNames() string {
	var names []string
	for _, s := range sandbox.Scenarios() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}
