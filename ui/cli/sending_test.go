package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
	"tickwatch/wa/graph"
	"tickwatch/wa/sandbox"
)

// office is a daemon that sends through a stand-in for Meta, and the socket on
// which it is commanded.
type office struct {
	*stage
	socket string
	dir    string
}

// openOffice starts both, at ten in the morning.
func openOffice(t *testing.T, o sandbox.Options, flags map[string]string) *office {
	t.Helper()
	dir, err := os.MkdirTemp("", "tickwatch-test-")
	if err != nil {
		t.Fatal(err)
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	clock := scaled(demoStart(time.Now()), o.Speed)
	o.Now, o.Secret, o.Messages = clock, wa.NewSecret("a secret of the test"), -1
	meta, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		"data.dir": dir, "webhook.listen": "127.0.0.1:0", "webhook.app_secret": o.Secret.Reveal(),
		"graph.base_url": meta.URL(), "graph.access_token": meta.Token().Reveal(), "graph.waba_id": sandbox.AccountID,
		"thresholds.cpu_ok": "0.99", "thresholds.cpu_act": "1",
	}
	for k, v := range flags {
		all[k] = v
	}
	cfg, err := LoadConfig(LoadOptions{Dir: dir, Etc: dir, Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d, err := startScaled(ctx, cfg, clock, o.Speed, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Tell(d.webhookURL()); err != nil {
		t.Fatal(err)
	}
	s := &office{stage: &stage{daemon: d, meta: meta, clock: clock}, socket: cfg.Link.Socket, dir: dir}
	ended := make(chan error, 2)
	go func() { ended <- d.run(ctx) }()
	go func() { ended <- meta.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(func() { s.stop(); _ = os.RemoveAll(dir) })
	return s
}

// order sends a command over the socket, which must be carried out.
func order[R any](t *testing.T, o *office, verb string, args any) (out R) {
	t.Helper()
	if err := link.Call(context.Background(), o.socket, verb, args, &out); err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return out
}

// refusedTo sends a command that must not be carried out, and gives the reason.
func refusedTo(t *testing.T, o *office, verb string, args any, kind string) string {
	t.Helper()
	var out any
	err := link.Call(context.Background(), o.socket, verb, args, &out)
	f, ok := errors.AsType[*link.Fault](err)
	if !ok || f.Kind != kind {
		t.Fatalf("%s was not %s: %v, %v", verb, kind, err, out)
	}
	return f.Text
}

// work uploads a list and waits for what is made of it.
func (o *office) work(t *testing.T, text, verb string, args func(upload string) any) link.Job {
	t.Helper()
	var up link.Uploaded
	for rest := []byte(text); len(rest) > 0; {
		piece := rest[:min(len(rest), link.MaxUpload)]
		up = order[link.Uploaded](t, o, link.VerbUpload, link.UploadArgs{Upload: up.Upload, Name: "list.csv", Offset: up.Size, Data: piece})
		rest = rest[len(piece):]
	}
	job := order[link.Job](t, o, verb, args(up.Upload))
	for !job.Done {
		job = order[link.Job](t, o, link.VerbJob, link.JobArgs{Job: job.ID})
	}
	return job
}

// people is a list of the stand-in's people.
func (o *office) people(n int) string {
	var b strings.Builder
	b.WriteString("phone;first_name;image\n")
	for p := range o.meta.People(n) {
		fmt.Fprintf(&b, "%s;%s;%s\n", p.Phone, p.Name, sandbox.CampaignMedia)
	}
	return b.String()
}

var autumnForm = link.TemplateRef{Name: sandbox.CampaignTemplate, Language: sandbox.CampaignLanguage}

func (o *office) importList(t *testing.T, text, name string) link.Job {
	t.Helper()
	return o.work(t, text, link.VerbList, func(upload string) any {
		return link.ListArgs{
			Upload: upload, Import: true, Name: name, Template: &autumnForm, From: sandbox.Numbers(),
			Map: map[string]string{"1": "first_name", "header": "image"},
		}
	})
}

func (o *office) campaign(t *testing.T, id string) link.Campaign {
	t.Helper()
	s := order[link.Snapshot](t, o, link.VerbStatus, link.StatusArgs{Campaign: id})
	return s.Campaigns[0]
}

func (o *office) gate(id string) link.GateArgs {
	return link.GateArgs{Scope: link.ScopeCampaign, ID: id}
}

func (o *office) whenCampaign(t *testing.T, id, what string, ok func(link.Campaign) bool) link.Campaign {
	t.Helper()
	var last link.Campaign
	o.until(t, what, func(s *link.Snapshot) bool {
		i := slices.IndexFunc(s.Campaigns, func(c link.Campaign) bool { return c.ID == id })
		if i >= 0 {
			last = s.Campaigns[i]
		}
		return i >= 0 && ok(last)
	})
	return last
}

// addsUp holds a campaign's counts against the contract.
func addsUp(t *testing.T, c *link.Campaign) {
	t.Helper()
	n := c.Counts
	if sum := n.Waiting + n.SetAside + n.Claimed + n.Unknown + n.Cancelled + n.Refused + n.HandedOver; sum != n.Messages || n.Waiting < 0 || n.InFlight < 0 {
		t.Errorf("%s: the counts do not add up: %+v", c.ID, n)
	}
}

// A campaign is imported, started, paused, resumed with another template, and
// cancelled, over the socket and against the stand-in; whatever was told is what
// the stand-in saw.
func TestCommandOfACampaign(t *testing.T) {
	o := openOffice(t, sandbox.Options{Seed: 3}, map[string]string{"pace.messages_per_hour": "0"})
	text := o.people(400) + "12;broken;1\n" + strings.SplitN(o.people(1), "\n", 2)[1] // a bad row and a double
	job := o.importList(t, text, "Autumn")
	if job.Problem != nil || job.Imported == nil || *job.Imported != (link.Import{ID: "autumn", Waiting: 400, Rejected: 2}) {
		t.Fatalf("imported: %+v, %+v", job.Problem, job.Imported)
	}
	page := order[link.RejectedPage](t, o, link.VerbRejected, link.RejectedArgs{Job: job.ID})
	if len(page.Rows) != 2 || page.Rows[0].Line != 402 || page.Rows[0].Value != "12" {
		t.Errorf("rejected: %+v", page)
	}
	if c := o.campaign(t, "autumn"); c.State != "draft" || c.Origin != "own" || c.Counts.Waiting != 400 {
		t.Errorf("imported: %+v", c)
	}
	if f := order[link.Forecast](t, o, link.VerbForecast, link.ForecastArgs{GateArgs: o.gate("autumn"), Start: true}); f.Going != 400 || f.Word != "start" {
		t.Errorf("forecast: %+v", f)
	}

	// Paused before it starts: nothing goes out.
	if r := order[link.Receipt](t, o, link.VerbPause, o.gate("Autumn")); r.Already || !r.Stored || r.Waiting != 400 {
		t.Errorf("paused: %+v", r)
	}
	order[link.Sending](t, o, link.VerbPace, link.PaceArgs{Campaign: "autumn", Rate: "100/s"})
	order[link.Receipt](t, o, link.VerbStart, link.StartArgs{Campaign: "autumn"})
	if c := o.campaign(t, "autumn"); c.State != "paused" || len(o.meta.Accepted()) != 0 {
		t.Errorf("started behind a closed gate: %s, %d sent", c.State, len(o.meta.Accepted()))
	}
	if r := order[link.Receipt](t, o, link.VerbPause, o.gate("autumn")); !r.Already {
		t.Errorf("paused twice: %+v", r)
	}

	order[link.Receipt](t, o, link.VerbResume, link.ResumeArgs{GateArgs: o.gate("autumn")})
	o.whenCampaign(t, "autumn", "messages with Meta", func(c link.Campaign) bool { return c.Counts.HandedOver > 50 && c.State == "running" })
	r := order[link.Receipt](t, o, link.VerbPause, link.GateArgs{Reason: "looks odd"})
	accepted := len(o.meta.Accepted()) + r.OpenRequests
	c := o.whenCampaign(t, "autumn", "a campaign at rest", func(c link.Campaign) bool {
		return c.State == "paused" && c.Counts.Claimed == 0 && c.Sending.OpenRequests == 0
	})
	addsUp(t, &c)
	if n := len(o.meta.Accepted()); n > accepted || int(c.Counts.HandedOver+c.Counts.Unknown) != n {
		t.Errorf("after a pause the stand-in has %d (then %d), the campaign says %+v", n, accepted, c.Counts)
	}

	// The rest goes out with another template, and the swap opens nothing.
	choices := order[link.Choices](t, o, link.VerbChoices, link.CampaignArgs{Campaign: "autumn"})
	if len(choices.Others) == 0 || choices.Others[0].Name != sandbox.SpareTemplate || !choices.Others[0].Usable || !strings.Contains(choices.Others[0].Preview, "Olá") {
		t.Fatalf("choices: %+v", choices)
	}
	other := choices.Others[slices.IndexFunc(choices.Others, func(c link.Choice) bool { return !c.Usable })]
	if other.Why == "" || refusedTo(t, o, link.VerbSwap, link.SwapArgs{Campaign: "autumn", Template: other.TemplateRef}, link.FaultRefused) == "" {
		t.Errorf("%s cannot take its place, and nobody says why", other.Name)
	}
	order[link.Receipt](t, o, link.VerbSwap, link.SwapArgs{Campaign: "autumn", Template: choices.Others[0].TemplateRef})
	if again := o.campaign(t, "autumn"); again.State != "paused" || again.Template.Name != sandbox.SpareTemplate {
		t.Errorf("after the swap: %s with %s", again.State, again.Template.Name)
	}
	order[link.Receipt](t, o, link.VerbResume, link.ResumeArgs{})
	o.whenCampaign(t, "autumn", "messages with the other template", func(c link.Campaign) bool { return int(c.Counts.HandedOver) > len(o.meta.Accepted())/2+40 })

	got := order[link.Receipt](t, o, link.VerbCancel, link.CampaignArgs{Campaign: "autumn"})
	c = o.whenCampaign(t, "autumn", "a cancelled campaign", func(c link.Campaign) bool {
		return c.State == "cancelled" && c.Counts.Claimed == 0 && c.Counts.Waiting == 0
	})
	addsUp(t, &c)
	if got.Already || c.Counts.Cancelled == 0 {
		t.Errorf("cancelled: %+v, %+v", got, c.Counts)
	}
	to, templates := map[string]int{}, map[string]int{}
	for _, m := range o.meta.Accepted() {
		to[m.To]++
		templates[m.Template]++
		if to[m.To] > 1 {
			t.Errorf("%s got it twice", m.To)
		}
	}
	if len(templates) != 2 {
		t.Errorf("went out with %v", templates)
	}
	var said []string
	for _, a := range order[link.Snapshot](t, o, link.VerbStatus, link.StatusArgs{}).Actions {
		said = append(said, a.Verb)
	}
	slices.Reverse(said)
	if want := []string{"import", "pause", "pace", "start", "resume", "pause", "swap", "resume", "cancel"}; !slices.Equal(said, want) {
		t.Errorf("the actions are %v", said)
	}
}

// What went wrong at Meta closes the gates that it concerns, marks nobody failed,
// and is one alarm.
func TestRefusalsOfAllPause(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault sandbox.Fault
		scope string
		kind  string
	}{
		{"token", sandbox.Fault{Kind: sandbox.FaultToken}, link.ScopeAll, "account"},
		{"template", sandbox.Fault{Kind: sandbox.FaultRefuse, Code: 132015}, link.ScopeCampaign, "template"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := openOffice(t, sandbox.Options{Seed: 3}, map[string]string{"pace.messages_per_hour": "0"})
			if job := o.importList(t, o.people(200), "Autumn"); job.Problem != nil {
				t.Fatal(job.Problem)
			}
			fault, err := o.meta.Inject(c.fault)
			if err != nil {
				t.Fatal(err)
			}
			order[link.Receipt](t, o, link.VerbStart, link.StartArgs{Campaign: "autumn", Force: true})
			s := o.until(t, "an alarm and a closed gate", func(s *link.Snapshot) bool {
				return alarmOf(s, c.kind) != nil && slices.ContainsFunc(s.Gates, func(g link.Gate) bool { return g.Scope == c.scope && g.State == link.GatePaused && g.By == "tickwatch" })
			})
			rest := o.whenCampaign(t, "autumn", "all waiting again", func(c link.Campaign) bool { return c.Counts.Waiting == 200 })
			if rest.Counts.Failed != 0 || rest.State != "paused" {
				t.Errorf("%s: %+v", rest.State, rest.Counts)
			}
			if a := alarmOf(s, c.kind); a.Severity != link.VerdictAct || a.Advice == "" {
				t.Errorf("%+v", a)
			}
			for range 3 { // judged again and again, it stays one
				rev := s.Rev
				order[link.Action](t, o, link.VerbNote, link.NoteArgs{Text: "seen"})
				s = o.until(t, "another snapshot", func(s *link.Snapshot) bool { return s.Rev > rev })
			}
			o.meta.Clear(fault)
			order[link.Receipt](t, o, link.VerbResume, link.ResumeArgs{GateArgs: link.GateArgs{Scope: c.scope, ID: map[bool]string{true: "autumn"}[c.scope == link.ScopeCampaign]}})
			o.whenCampaign(t, "autumn", "everything with Meta", func(c link.Campaign) bool { return c.Counts.HandedOver == 200 })
			s = o.until(t, "the alarm cleared", func(s *link.Snapshot) bool { return alarmOf(s, c.kind) == nil })
			if n := len(slices.DeleteFunc(s.Alarms, func(a link.Alarm) bool { return a.Kind != c.kind })); n != 1 {
				t.Errorf("one incident was %d alarms", n)
			}
		})
	}
}

// Failures are tried again where catalogue and suppression allow it, as messages
// of their own.
func TestRetryOfFailures(t *testing.T) {
	t.Parallel()
	o := openOffice(t, sandbox.Options{Seed: 3, Speed: 30, Faults: []sandbox.Fault{{Kind: sandbox.FaultFail, Code: 131053, Next: 5}}}, map[string]string{"pace.messages_per_hour": "0"})
	if job := o.importList(t, o.people(30), "Autumn"); job.Problem != nil {
		t.Fatal(job.Problem)
	}
	order[link.Receipt](t, o, link.VerbStart, link.StartArgs{Campaign: "autumn", Force: true})
	c := o.whenCampaign(t, "autumn", "five failures", func(c link.Campaign) bool { return c.Counts.HandedOver == 30 && c.Counts.Failed >= 5 })
	args := link.RetryArgs{Campaign: "autumn", Codes: []int{131053}, DryRun: true}
	if r := order[link.Retried](t, o, link.VerbRetry, args); r.Eligible != 5 || r.Queued != 0 {
		t.Errorf("a dry run: %+v", r)
	}
	args.DryRun = false
	if r := order[link.Retried](t, o, link.VerbRetry, args); r.Queued != 5 {
		t.Errorf("%+v", r)
	}
	if r := order[link.Retried](t, o, link.VerbRetry, args); r.Queued != 0 || len(r.LeftOut) != 1 || r.LeftOut[0].Count != 5 {
		t.Errorf("a second time: %+v", r)
	}
	again := o.whenCampaign(t, "autumn", "the new attempts with Meta", func(c link.Campaign) bool { return c.Counts.HandedOver == 35 })
	addsUp(t, &again)
	if again.Counts.Failed < c.Counts.Failed {
		t.Errorf("the failed ones did not stay failed: %+v", again.Counts)
	}
	if a := order[link.Action](t, o, link.VerbNote, link.NoteArgs{Text: "look at \x1b[31mlist B"}); a.Verb != "note" || strings.ContainsRune(a.Effect, 0x1b) {
		t.Errorf("%+v", a)
	}
	if resolved := order[link.Resolved](t, o, link.VerbResolve, link.ResolveArgs{Campaign: "autumn", As: "sent"}); resolved.Resolved != 0 {
		t.Errorf("%+v", resolved)
	}
}

// A test send to own phones is judged before the real one.
func TestTestSend(t *testing.T) {
	o := openOffice(t, sandbox.Options{Seed: 3, Speed: 30, Faults: []sandbox.Fault{{Kind: sandbox.FaultRefuse, Code: 131026, Next: 2}}}, nil)
	if job := o.importList(t, o.people(30), "Autumn"); job.Problem != nil {
		t.Fatal(job.Problem)
	}
	phones := func(n int) link.Job {
		return o.work(t, o.people(n), link.VerbTest, func(upload string) any { return link.TestArgs{Campaign: "autumn", Upload: upload} })
	}
	if few := phones(20); few.Problem == nil || few.Problem.Kind != link.FaultUsage {
		t.Errorf("a test to 20 phones: %+v", few)
	}
	done := phones(100)
	if done.Problem != nil || done.Tested == nil {
		t.Fatalf("%+v", done)
	}
	if r := done.Tested; r.Pass || r.Sent != 98 || r.SlowMS <= 0 || r.SlowMS > 1000 || !slices.ContainsFunc(r.Findings, func(f link.Finding) bool { return f.Severity == "act" && f.Count == 2 }) {
		t.Errorf("two of a hundred were refused: %+v", r)
	}
	if c := o.campaign(t, "autumn"); c.State != "draft" || c.Counts.Waiting != 30 {
		t.Errorf("the campaign itself: %s %+v", c.State, c.Counts)
	}
	// What cannot go out now is said at once, and not waited for.
	if again := phones(100); again.Problem == nil || !strings.Contains(again.Problem.Text, "had marketing in the last hours") {
		t.Errorf("the same phones at once again: %+v, %+v", again.Problem, again.Tested)
	}
	order[link.Receipt](t, o, link.VerbPause, link.GateArgs{})
	up := order[link.Uploaded](t, o, link.VerbUpload, link.UploadArgs{Name: "list.csv", Data: []byte(o.people(100))})
	if why := refusedTo(t, o, link.VerbTest, link.TestArgs{Campaign: "autumn", Upload: up.Upload}, link.FaultRefused); !strings.Contains(why, "Still paused: everything.") {
		t.Errorf("a test while everything is paused: %s", why)
	}
}

// The STOP file pauses everything while it is there, and opens nothing when it goes.
func TestStopFile(t *testing.T) {
	o := openOffice(t, sandbox.Options{Seed: 3}, map[string]string{"pace.messages_per_hour": "36000"})
	if job := o.importList(t, o.people(200), "Autumn"); job.Problem != nil {
		t.Fatal(job.Problem)
	}
	order[link.Receipt](t, o, link.VerbStart, link.StartArgs{Campaign: "autumn", Force: true})
	o.whenCampaign(t, "autumn", "messages with Meta", func(c link.Campaign) bool { return c.Counts.HandedOver > 3 })
	stop := filepath.Join(o.dir, "STOP")
	if err := os.WriteFile(stop, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.whenCampaign(t, "autumn", "paused by the file", func(c link.Campaign) bool { return c.State == "paused" })
	if text := refusedTo(t, o, link.VerbResume, link.ResumeArgs{}, link.FaultRefused); !strings.Contains(text, "STOP") {
		t.Errorf("a resume says %q", text)
	}
	if err := os.Remove(stop); err != nil {
		t.Fatal(err)
	}
	var r link.Receipt
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); { // until the daemon has seen that it is gone
		if link.Call(context.Background(), o.socket, link.VerbResume, link.ResumeArgs{}, &r) == nil {
			break
		}
	}
	if r.Already {
		t.Error("removing the file resumed everything by itself")
	}
	o.whenCampaign(t, "autumn", "sending again", func(c link.Campaign) bool { return c.State == "running" && c.Counts.HandedOver > 8 })
}

// A campaign that another system sends without a word in its callback data is
// declared, and has its messages from then on.
func TestWatchOfAnotherSystem(t *testing.T) {
	o := openOffice(t, sandbox.Options{Seed: 3}, nil)
	var up link.Uploaded
	text := []byte(o.people(3))
	up = order[link.Uploaded](t, o, link.VerbUpload, link.UploadArgs{Name: "list.csv", Data: text})
	card := order[link.Card](t, o, link.VerbWatch, link.WatchArgs{
		Number: sandbox.Numbers()[0], Name: "Spring", Upload: up.Upload, Template: &link.TemplateRef{Name: "spring", Language: "pt_PT"},
	})
	if card.ID != "spring" || card.Origin != "external" {
		t.Errorf("%+v", card)
	}
	client, err := graph.New(graph.Options{BaseURL: o.meta.URL(), Token: o.meta.Token})
	if err != nil {
		t.Fatal(err)
	}
	form, err := client.Template(t.Context(), sandbox.AccountID, sandbox.CampaignTemplate, sandbox.CampaignLanguage)
	if err != nil {
		t.Fatal(err)
	}
	filled, err := form.Fill(func(v string) string {
		return map[string]string{"header": sandbox.CampaignMedia, "1": "Ines"}[v]
	})
	if err != nil {
		t.Fatal(err)
	}
	for p := range o.meta.People(5) { // two of them are not on the list
		if _, err := client.Send(t.Context(), sandbox.Numbers()[0], &wa.Outgoing{To: p.Phone, Template: filled}, nil); err != nil {
			t.Fatal(err)
		}
	}
	c := o.whenCampaign(t, "spring", "three messages", func(c link.Campaign) bool { return c.Counts.Messages == 3 })
	if c.Template == nil || c.Template.Name != "spring" {
		t.Errorf("%+v", c.Template)
	}
	if text := refusedTo(t, o, link.VerbWatch, link.WatchArgs{Number: "+49 151"}, link.FaultUsage); text == "" {
		t.Error("no reason")
	}
}
