package monitor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// shelf are the templates of an account.
type shelf []wa.TemplateForm

func (s shelf) Templates(context.Context) ([]wa.TemplateForm, error) { return s, nil }

func (s shelf) Template(_ context.Context, name, language string) (wa.TemplateForm, error) {
	for _, f := range s {
		if f.Name == name && f.Language == language {
			return f, nil
		}
	}
	return wa.TemplateForm{}, fmt.Errorf("no template %s/%s", name, language)
}

var templates = shelf{
	{ID: 1, Name: "autumn", Language: "pt_PT", Category: wa.CategoryMarketing, Status: wa.StatusApproved, Body: "Olá {{first_name}}", Named: true},
	{ID: 2, Name: "spare", Language: "pt_PT", Category: wa.CategoryMarketing, Status: wa.StatusApproved, Body: "Ei {{first_name}}", Named: true},
	{ID: 3, Name: "cards", Language: "pt_PT", Category: wa.CategoryMarketing, Status: wa.StatusApproved, Body: "Ei {{first_name}}", Named: true, Unfillable: []string{"CAROUSEL"}},
}

const numberA, numberB = "500100200300400", "500100200300401"

// desk is a monitor with a queue, and somebody who commands it. Nothing it sends leaves.
type desk struct {
	*testing.T
	dir     string
	clock   *hand
	monitor *monitor.Monitor
	store   *store.Store
	stop    func()
	end     func() // ends the monitor, and leaves the store open
}

func openDesk(t *testing.T, dir string, numbers ...monitor.NumberNews) *desk {
	t.Helper()
	return openDeskWith(t, dir, func(*monitor.Sending) {}, numbers...)
}

// openDeskWith is openDesk with a change to how it sends.
func openDeskWith(t *testing.T, dir string, change func(*monitor.Sending), numbers ...monitor.NumberNews) *desk {
	t.Helper()
	return openDeskOf(t, dir, func(o *monitor.Options) { change(&o.Sending) }, numbers...)
}

// openDeskOf is openDesk with a change to any option.
func openDeskOf(t *testing.T, dir string, change func(*monitor.Options), numbers ...monitor.NumberNews) *desk {
	t.Helper()
	d := &desk{T: t, dir: dir, clock: newHand()}
	var err error
	if d.store, err = store.Open(context.Background(), store.Options{Dir: dir, Now: d.clock.now, Decode: webhook.Decode}); err != nil {
		t.Fatal(err)
	}
	sending := monitor.Sending{
		Meta: templates, Folder: dir, Pace: wa.Pace{Messages: 1, Per: time.Hour},
		Numbers: func(context.Context) ([]monitor.NumberNews, error) { return numbers, nil },
		Poll: func(context.Context, []int64) (p wa.Poll, err error) {
			for _, n := range numbers {
				p.Numbers = append(p.Numbers, wa.PolledNumber{ID: n.ID, Display: n.Display, Quality: n.Quality, Status: n.Status, Limit: n.Limit, Throughput: n.Throughput})
			}
			return p, nil
		},
	}
	o := monitor.Options{Store: d.store, Now: d.clock.now, Thresholds: monitor.DefaultThresholds(), Publish: func(*link.Snapshot) {}, Sending: sending}
	change(&o)
	d.monitor, err = monitor.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); d.monitor.Run(ctx) }()
	d.end = func() { cancel(); <-ended }
	d.stop = sync.OnceFunc(func() { d.end(); _ = d.store.Close() })
	t.Cleanup(d.stop)
	return d
}

// try gives a command, and command one that must go well.
func try[R any](d *desk, verb string, args any) (answer R, err error) {
	d.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		d.Fatal(err)
	}
	got, err := d.monitor.Handle(d.Context(), link.Peer{Name: "ann"}, link.Command{ID: "c", Verb: verb, Args: text})
	if err != nil {
		return answer, err
	}
	return got.(R), nil //nolint:forcetypeassert // the verb says what it answers
}

func command[R any](d *desk, verb string, args any) R {
	d.Helper()
	answer, err := try[R](d, verb, args)
	if err != nil {
		d.Fatal(err)
	}
	return answer
}

// done waits until a job is.
func (d *desk) done(j link.Job) link.Job {
	d.Helper()
	for !j.Done {
		j = command[link.Job](d, link.VerbJob, link.JobArgs{Job: j.ID})
	}
	return j
}

// imports makes a campaign of a list, with a name for everybody.
func (d *desk) imports(name string, phones []string, from ...string) link.Job {
	d.Helper()
	up := command[link.Uploaded](d, link.VerbUpload, link.UploadArgs{Name: "list.csv", Data: listOf(phones)})
	return d.done(command[link.Job](d, link.VerbList, link.ListArgs{
		Upload: up.Upload, Import: true, Name: name, Template: &link.TemplateRef{Name: "autumn", Language: "pt_PT"}, From: from,
	}))
}

func listOf(phones []string) []byte {
	var b strings.Builder
	b.WriteString("phone,first_name\n")
	for _, phone := range phones {
		b.WriteString(phone + ",Ana\n")
	}
	return []byte(b.String())
}

func phones(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("+3519100%05d", i))
	}
	return all
}

func (d *desk) pause(scope, id string) {
	d.Helper()
	command[link.Receipt](d, link.VerbPause, link.GateArgs{Scope: scope, ID: id})
}

// A list that was unfit when it was imported is so after a restart, too.
func TestAnUnfitListStaysUnfit(t *testing.T) {
	d := openDesk(t, t.TempDir())
	if j := d.imports("Autumn", append(phones(10), "12", "13", "nobody"), numberA); j.Problem != nil || j.Imported == nil || j.Check.OK {
		t.Fatalf("%+v", j)
	}
	for range 2 {
		if r, err := try[link.Receipt](d, link.VerbStart, link.StartArgs{Campaign: "autumn"}); err == nil || !strings.Contains(err.Error(), "--force") {
			t.Errorf("it started: %+v, %v", r, err)
		}
		d.stop()
		d = openDesk(t, d.dir)
	}
	command[link.Receipt](d, link.VerbStart, link.StartArgs{Campaign: "autumn", Force: true})
}

// What a resume would let out, and what would still keep it back, is of what
// concerns that place, and of nothing else.
func TestForecastOfAPlace(t *testing.T) {
	d := openDesk(t, t.TempDir())
	d.imports("One", phones(5), numberA)
	d.imports("Two", phones(7), numberB)
	for _, c := range []string{"one", "two"} {
		d.pause(link.ScopeCampaign, c)
		command[link.Receipt](d, link.VerbStart, link.StartArgs{Campaign: c, Force: true})
	}
	d.pause(link.ScopeChannel, "sms")
	d.pause(link.ScopeNumber, numberB)
	d.pause(link.ScopeAll, "")
	command[link.Receipt](d, link.VerbResume, link.ResumeArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: "one"}})
	for _, want := range []struct {
		scope, id string
		going     int64
		closed    string
	}{
		{link.ScopeAll, "", 5, "[campaign two number " + numberB + "]"},
		{link.ScopeCampaign, "one", 5, "[all ]"},
		{link.ScopeCampaign, "two", 7, "[all  number " + numberB + "]"},
		{link.ScopeNumber, numberB, 0, "[all  campaign two]"},
		{link.ScopeNumber, numberA, 0, "[all ]"},
		{link.ScopeChannel, "sms", 0, "[]"},
	} {
		f := command[link.Forecast](d, link.VerbForecast, link.ForecastArgs{GateArgs: link.GateArgs{Scope: want.scope, ID: want.id}})
		var closed []string
		for _, g := range f.Closed {
			closed = append(closed, g.Scope+" "+g.ID)
		}
		if fmt.Sprint(closed) != want.closed || f.Going != want.going {
			t.Errorf("%s %s: %d go, but for %v", want.scope, want.id, f.Going, closed)
		}
	}
	r := command[link.Receipt](d, link.VerbResume, link.ResumeArgs{})
	if want := "Still paused: two, number " + numberB + "."; !strings.Contains(r.Text, want) || strings.Contains(r.Text, "sms") {
		t.Errorf("%q", r.Text)
	}
	if _, err := try[link.Receipt](d, link.VerbPause, link.GateArgs{Scope: link.ScopeNumber, ID: "mine"}); err == nil {
		t.Error("a number that is none was paused")
	}
}

// Whoever waits in a queue of ours is found, by whatever spelling of their number.
func TestWhoWaitsIsFound(t *testing.T) {
	d := openDesk(t, t.TempDir())
	d.imports("Autumn", phones(3), numberA)
	f := command[link.Found](d, link.VerbFind, link.FindArgs{Query: "+351 910 000 001"})
	if want := (link.Queued{Campaign: "autumn", State: "waiting"}); !slices.Equal(f.Queued, []link.Queued{want}) || f.Phone == "" {
		t.Errorf("%+v", f)
	}
	command[link.Receipt](d, link.VerbCancel, link.CampaignArgs{Campaign: "autumn"})
	if f = command[link.Found](d, link.VerbFind, link.FindArgs{Query: "351910000001"}); len(f.Queued) != 1 || f.Queued[0].State != "cancelled" {
		t.Errorf("%+v", f)
	}
	if f = command[link.Found](d, link.VerbFind, link.FindArgs{Query: "wamid.351910000001"}); len(f.Queued) != 0 || f.Phone != "" {
		t.Errorf("%+v", f)
	}
}

// A webhook knows a number by its digits, a campaign by its id, and a poll by both:
// it is one number, with what each has told.
func TestANumberIsShownOnce(t *testing.T) {
	d := openDesk(t, t.TempDir(), monitor.NumberNews{Number: wa.Number{ID: numberA, Display: "4915550001", Status: "CONNECTED"}, Throughput: 80})
	if err := d.store.Ingest(t.Context(), &wa.Post{
		Source: "meta", ReceivedAt: wa.At(d.clock.now()), Body: []byte("{}"),
		Numbers: []wa.NumberUpdate{{Display: "4915550001", At: wa.At(d.clock.now()), Limit: "TIER_10K"}},
	}); err != nil {
		t.Fatal(err)
	}
	d.imports("Autumn", phones(3), numberA)
	d.clock.forward(time.Second)
	var s *link.Snapshot
	for s == nil || len(s.Numbers) == 0 || s.Numbers[0].ThroughputMPS == nil {
		s = command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{})
	}
	if len(s.Numbers) != 1 || s.Numbers[0].ID != numberA || s.Numbers[0].Display != "+4915550001" || s.Numbers[0].Limit != "TIER_10K" {
		t.Errorf("%+v", s.Numbers)
	}
	command[link.Receipt](d, link.VerbPause, link.GateArgs{Scope: link.ScopeNumber, ID: "+49 1555 0001"})
	s = command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{})
	if len(s.Gates) != 1 || s.Gates[0].ID != numberA {
		t.Errorf("%+v", s.Gates)
	}
}

// A test whose messages cannot go out ends, says so, and leaves none behind that
// goes out later.
func TestATestThatCannotGoOut(t *testing.T) {
	d := openDesk(t, t.TempDir())
	d.imports("Autumn", phones(3), numberA)
	up := command[link.Uploaded](d, link.VerbUpload, link.UploadArgs{Name: "own.csv", Data: listOf(phones(100))})
	j := command[link.Job](d, link.VerbTest, link.TestArgs{Campaign: "autumn", Upload: up.Upload})
	for !j.Done {
		d.clock.forward(time.Second)
		j = command[link.Job](d, link.VerbJob, link.JobArgs{Job: j.ID})
	}
	if j.Tested == nil || j.Tested.Pass || len(j.Tested.Findings) == 0 {
		t.Fatalf("%+v", j)
	}
	var c link.Counts
	for end := time.Now().Add(20 * time.Second); c.Cancelled != 100 && time.Now().Before(end); time.Sleep(time.Millisecond) { // what was claimed is given back first
		c = command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{Campaign: "autumn-test"}).Campaigns[0].Counts
	}
	if c.Waiting != 0 || c.Claimed != 0 || c.Cancelled != 100 {
		t.Errorf("%+v", c)
	}
}

// A template with a part that cannot be filled here is offered to nobody: every
// message would be refused.
func TestATemplateThatCannotBeFilled(t *testing.T) {
	d := openDesk(t, t.TempDir())
	d.imports("Autumn", phones(3), numberA)
	c := command[link.Choices](d, link.VerbChoices, link.CampaignArgs{Campaign: "autumn"})
	if len(c.Others) != 2 || !c.Others[0].Usable || c.Others[1].Usable || !strings.Contains(c.Others[1].Why, "CAROUSEL") {
		t.Errorf("%+v", c.Others)
	}
	if _, err := try[link.Receipt](d, link.VerbSwap, link.SwapArgs{Campaign: "autumn", Template: link.TemplateRef{Name: "cards", Language: "pt_PT"}}); err == nil {
		t.Error("it was swapped in")
	}
}

// What an operator does while the daemon ends is on the disk when it is answered.
func TestActionsAtTheEnd(t *testing.T) {
	d := openDesk(t, t.TempDir())
	d.imports("Autumn", phones(3), numberA)
	d.end()
	command[link.Action](d, link.VerbNote, link.NoteArgs{Text: "look at the list"})
	st, err := d.store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var verbs []string
	for _, a := range st.Actions {
		verbs = append(verbs, a.Verb)
	}
	if want := []string{"import", "note"}; !slices.Equal(verbs, want) {
		t.Errorf("%q", verbs)
	}
	if _, err := try[link.Job](d, link.VerbList, link.ListArgs{Upload: "none"}); err == nil {
		t.Error("work began after the end")
	}
}
