package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"tickwatch/monitor/link"
)

// answering is the daemon's end of the link, as real as the daemon's own, with
// answers that the types of the link promise and no campaign behind them. It
// keeps what it was asked.
type answering struct {
	t   *testing.T
	dir string // data folder

	mu      sync.Mutex
	asked   []string // "verb arguments", oldest first
	uploads map[string][]byte
	paused  map[string]bool
	polls   int

	// What it does otherwise than well.
	unstored bool                                 // a pause is not on disk
	unfit    bool                                 // the list and the campaign have something to mend
	fault    map[string]*link.Fault               // by verb
	before   map[string]func(ctx context.Context) // by verb; runs before the answer
	endless  bool                                 // a job ends when it is called off
}

// answer starts one whose data folder is that of environment(dir).
func answer(t *testing.T, dir string, change func(*answering)) *answering {
	t.Helper()
	d := &answering{
		t: t, dir: filepath.Join(dir, "data"), uploads: map[string][]byte{}, paused: map[string]bool{},
		fault: map[string]*link.Fault{}, before: map[string]func(context.Context){},
	}
	if change != nil {
		change(d)
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := link.Listen(filepath.Join(d.dir, "tickwatch.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := link.NewServer(link.ServerOptions{Handle: d.handle})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return d
}

// was gives the arguments of the commands of a verb, oldest first.
func (d *answering) was(verb string) (args []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.asked {
		if rest, ok := bytes.CutPrefix([]byte(a), []byte(verb+" ")); ok {
			args = append(args, string(rest))
		}
	}
	return args
}

// matches tells whether it was asked something like that.
func (d *answering) matches(pattern *regexp.Regexp) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.asked, pattern.MatchString)
}

func (d *answering) handle(ctx context.Context, _ link.Peer, cmd link.Command) (any, error) {
	d.mu.Lock()
	d.asked = append(d.asked, cmd.Verb+" "+string(cmd.Args))
	before, fault := d.before[cmd.Verb], d.fault[cmd.Verb]
	d.mu.Unlock()
	if before != nil {
		before(ctx)
	}
	if fault != nil {
		return nil, fault
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch cmd.Verb {
	case link.VerbStatus, link.VerbCampaigns, link.VerbForecast, link.VerbChoices:
		return d.looks(cmd)
	case link.VerbUpload, link.VerbList, link.VerbTest, link.VerbJob, link.VerbRejected, link.VerbSuppressImport:
		return d.lists(cmd)
	}
	return d.does(cmd)
}

func arguments[A any](cmd link.Command) (a A) {
	_ = json.Unmarshal(cmd.Args, &a) // a command without any is one with none set
	return a
}

var (
	daemonNow = time.Date(2026, 11, 20, 7, 30, 0, 0, time.UTC)
	endsAt    = time.Date(2026, 11, 20, 16, 40, 0, 0, time.UTC)
)

func failed(format string, args ...any) error {
	return &link.Fault{Kind: link.FaultFailed, Text: fmt.Sprintf(format, args...)}
}

func (d *answering) findings() []link.Finding {
	all := []link.Finding{
		{Severity: link.VerdictOK, Text: "the template is approved"},
		{Severity: link.VerdictWatch, Text: "no spare template has the same variables"},
	}
	if d.unfit {
		all = append(all, link.Finding{Severity: link.VerdictAct, Text: "7.5 % of the numbers are invalid, over 5 %", Count: 750})
	}
	return all
}

func (d *answering) looks(cmd link.Command) (any, error) {
	template := link.TemplateRef{Name: "autumn_offer", Language: "pt_PT"}
	switch cmd.Verb {
	case link.VerbStatus:
		only := arguments[link.StatusArgs](cmd).Campaign
		if only != "" && only != "autumn" {
			return nil, failed("no campaign is called %s: `tickwatch campaign list` lists them", only)
		}
		return &link.Snapshot{
			Rev: 1, At: daemonNow, Zone: "Europe/Lisbon", CampaignCount: 1,
			Gates: []link.Gate{
				{Scope: link.ScopeAll, State: link.GateOpen, Since: daemonNow},
				{Scope: link.ScopeCampaign, ID: "autumn", State: link.GatePaused, By: "ines", Reason: "wrong picture\x1b[31m", Since: daemonNow},
				{Scope: link.ScopeNumber, ID: "999", State: link.GatePaused, Since: daemonNow},
			},
			Campaigns: []link.Campaign{{
				ID: "autumn", Name: "autumn", Origin: "own", State: "running", Template: &template, Numbers: []string{"106540352242922"},
				Counts:  link.Counts{Messages: 10002, Waiting: 9120, Unknown: 2, HandedOver: 880, Delivered: 801, InFlight: 79},
				Sending: &link.Sending{PerSecond: 0, Pace: "1000/h", EndsAt: &endsAt, Held: "paused", Ramp: &link.Ramp{Shares: []float64{0.01, 0.25, 1}, Step: 1}},
			}},
		}, nil
	case link.VerbCampaigns:
		settled := 0.9636
		return link.Cards{Known: 3, Campaigns: []link.Card{
			{ID: "autumn", Name: "autumn", Origin: "own", State: "running", Messages: 10002, Settled: &settled, Verdict: link.VerdictOK, StartedAt: &daemonNow},
			{ID: "newsletter", Name: "newsletter", Origin: "external", State: "finished", Messages: 7, Verdict: link.VerdictUnsure},
		}}, nil
	case link.VerbForecast:
		return link.Forecast{
			Going: 9120, LeftOut: []link.LeftOut{{Reason: "opted out", Count: 312}, {Reason: "two messages in 24 h already", Count: 5}},
			Closed: []link.Gate{{Scope: link.ScopeNumber, ID: "106540352242922", State: link.GatePaused, By: "tickwatch", Reason: "quality is RED"}},
			Pace:   "1000/h", EndsAt: &endsAt, Findings: d.findings(), Word: "autumn",
		}, nil
	}
	return link.Choices{
		Campaign: "autumn", Waiting: 9120, Current: link.Choice{TemplateRef: template, Usable: true},
		Others: []link.Choice{
			{TemplateRef: link.TemplateRef{Name: "autumn_offer_b", Language: "pt_PT"}, Usable: true, Quality: "GREEN", Preview: "Hello Ana\n20 % off\x1b[2J"},
			{TemplateRef: link.TemplateRef{Name: "winter", Language: "pt_PT"}, Why: "Meta paused it"},
		},
	}, nil
}

func (d *answering) does(cmd link.Command) (any, error) {
	receipt := link.Receipt{CommandID: cmd.ID, Waiting: 9120, HandedOver: 880, Outside: "none", Stored: true}
	switch cmd.Verb {
	case link.VerbPause:
		gate := arguments[link.GateArgs](cmd)
		key := gate.Scope + gate.ID
		receipt.ClosedMS, receipt.LastSendStartedAt, receipt.OpenRequests = 3.1, &daemonNow, 12
		receipt.Already, receipt.Stored = d.paused[key], !d.unstored
		d.paused[key] = true
		return receipt, nil
	case link.VerbResume:
		gate := arguments[link.ResumeArgs](cmd)
		if _, err := os.Stat(filepath.Join(d.dir, "STOP")); err == nil {
			return nil, &link.Fault{Kind: link.FaultRefused, Text: "the file STOP is in the data folder: remove it first"}
		}
		receipt.Already = !d.paused[gate.Scope+gate.ID]
		return receipt, nil
	case link.VerbStart:
		if start := arguments[link.StartArgs](cmd); d.unfit && !start.Force {
			return nil, &link.Fault{Kind: link.FaultRefused, Text: "7.5 % of the numbers are invalid: mend the list, or start with --force"}
		}
		return receipt, nil
	case link.VerbCancel, link.VerbSwap:
		return receipt, nil
	case link.VerbPace:
		return link.Sending{Pace: arguments[link.PaceArgs](cmd).Rate, EndsAt: &endsAt}, nil
	case link.VerbRetry:
		retry := arguments[link.RetryArgs](cmd)
		r := link.Retried{Eligible: 98, LeftOut: []link.LeftOut{{Reason: "never to be tried again (131049)", Count: 120}}}
		if !retry.DryRun {
			r.Queued = 98
		}
		return r, nil
	case link.VerbAside:
		return link.Asides{Changed: 312, Text: "312 waiting messages are set aside.", Aside: setAside}, nil
	case link.VerbAsides:
		return link.Asides{Aside: setAside}, nil
	case link.VerbAsideEnd:
		return link.Asides{Changed: 312, Text: "312 messages: done.", Aside: []link.Aside{}}, nil
	case link.VerbResolve:
		return link.Resolved{Resolved: 2}, nil
	case link.VerbNote:
		return link.Action{ID: "x7", At: daemonNow, Operator: "ines", Verb: "note", Reason: arguments[link.NoteArgs](cmd).Text}, nil
	case link.VerbSuppress, link.VerbRelease, link.VerbSuppressed, link.VerbSuppression:
		return d.suppresses(cmd)
	case link.VerbWatch:
		return link.Card{ID: "w1", Name: "autumn_offer", Origin: "external", State: "running"}, nil
	}
	return nil, &link.Fault{Kind: link.FaultUsage, Text: "this daemon does not know " + strconv.Quote(cmd.Verb)}
}

// suppresses answers about who is never written to: somebody by hand, and more whom
// rules hold than fit into one page.
func (d *answering) suppresses(cmd link.Command) (any, error) {
	byHand := link.Held{Number: "+351900000001", Reason: "=asked\x1b[31m", By: "ines", Since: &daemonNow, Until: &endsAt, Channels: []string{"whatsapp"}}
	byRule := link.Held{Number: "+351900000002", Reason: "opted out", Rule: "opted-out", Since: &daemonNow, Ends: "until they let marketing resume in WhatsApp", Channels: []string{"whatsapp", "sms", "voice", "email"}}
	switch cmd.Verb {
	case link.VerbSuppress:
		out := link.Suppressed{}
		for i, n := range arguments[link.SuppressArgs](cmd).Numbers {
			if n == "12" {
				out.Rejected = append(out.Rejected, link.Rejected{Line: int64(i + 1), Value: n, Reason: "too short"})
			} else {
				out.Added++
			}
		}
		return out, nil
	case link.VerbRelease:
		args := arguments[link.ReleaseArgs](cmd)
		switch {
		case args.All:
			return link.Released{People: 1234}, nil
		case args.Number == "351900000002" && args.Rule == "":
			return link.Released{Kept: []link.Held{byRule}}, nil
		}
		return link.Released{People: 1, Lifted: []link.Held{byHand}}, nil
	case link.VerbSuppressed:
		if arguments[link.SuppressedArgs](cmd).From == "" {
			return link.SuppressedPage{Held: []link.Held{byHand}, Next: "2"}, nil
		}
		return link.SuppressedPage{Held: []link.Held{byRule}}, nil
	}
	return link.Suppression{Entries: 7, Hashed: 2, Plain: 1, Rules: []link.SuppressRule{
		{Name: "opted-out", Text: "opted out", Ends: "until they let marketing resume in WhatsApp", Channels: byRule.Channels, On: true, People: 312},
		{Name: "undeliverable", Text: "cannot be reached on WhatsApp (131026)", Ends: "until released", Channels: []string{"whatsapp"}},
	}}, nil
}

// lists takes lists and works on them: a job is done when it has been asked
// after twice.
func (d *answering) lists(cmd link.Command) (any, error) {
	const uploaded, listed, imported, tested, suppressed = "u1", "check", "import", "test", "suppress"
	switch cmd.Verb {
	case link.VerbUpload:
		piece := arguments[link.UploadArgs](cmd)
		if piece.Upload == "" && piece.Offset == 0 {
			d.uploads[uploaded] = nil
		} else if piece.Upload != uploaded || piece.Offset != int64(len(d.uploads[uploaded])) {
			return nil, failed("a piece of the list is missing before %d", piece.Offset)
		}
		d.uploads[uploaded] = append(d.uploads[uploaded], piece.Data...)
		return link.Uploaded{Upload: uploaded, Size: int64(len(d.uploads[uploaded]))}, nil
	case link.VerbList:
		d.polls = 0
		args := arguments[link.ListArgs](cmd)
		if args.Upload != uploaded {
			return nil, failed("there is no upload %q", args.Upload)
		}
		if bytes.HasPrefix(d.uploads[uploaded], []byte("%PDF")) {
			return link.Job{ID: listed, Done: true, Problem: &link.Fault{Kind: link.FaultFailed, Text: "list.csv: line 1: this is a PDF, not a table: export it as CSV"}}, nil
		}
		if args.Import {
			return link.Job{ID: imported, Stage: "Reading"}, nil
		}
		return link.Job{ID: listed, Stage: "Reading"}, nil
	case link.VerbSuppressImport:
		d.polls = 0
		return link.Job{ID: suppressed, Stage: "Reading"}, nil
	case link.VerbTest:
		d.polls = 0
		return link.Job{ID: tested, Stage: "Sending"}, nil
	case link.VerbRejected:
		if arguments[link.RejectedArgs](cmd).After == 0 {
			return link.RejectedPage{More: true, Rows: []link.Rejected{{Line: 3, Value: "=1+1", Reason: "no number"}, {Line: 7, Value: "8,86912E+11", Reason: "a spreadsheet cut its digits"}}}, nil
		}
		return link.RejectedPage{Rows: []link.Rejected{{Line: 9, Value: "+351900000001", Reason: "the same person as line 2"}}}, nil
	}
	args := arguments[link.JobArgs](cmd)
	job := link.Job{ID: args.Job, Stage: "Reading", Rows: 5000, Share: 0.5}
	if args.Cancel {
		job.Done, job.Problem = true, &link.Fault{Kind: link.FaultFailed, Text: "called off"}
		return job, nil
	}
	if d.polls++; d.polls < 2 || d.endless {
		return job, nil
	}
	job.Done = true
	switch args.Job {
	case tested:
		job.Tested = &link.Tested{Pass: !d.unfit, Sent: 120, SlowMS: 412, Callback: 0.9999, Arrived: 119, Findings: []link.Finding{}}
		return job, nil
	case suppressed:
		job.Suppressed = &link.SuppressImport{Rows: 5, Added: 1, Renewed: 1, Rejected: 3, Plain: 1}
		return job, nil
	case imported:
		job.Imported = &link.Import{ID: "autumn", Waiting: 9997, Rejected: 3}
	}
	job.Check = &link.Check{
		OK: !d.unfit, Rows: 10000, Valid: 9997, Invalid: 2, Duplicates: 1, Suppressed: 12, Findings: d.findings(),
	}
	return job, nil
}

// setAside is what the answering daemon has set aside.
var setAside = []link.Aside{{AsideTrait: link.AsideTrait{Attribute: "prefix", Value: "22507"}, Messages: 312}}
