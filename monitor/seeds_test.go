package monitor_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/graph"
	"tickwatch/wa/sandbox"
	"tickwatch/wa/webhook"
)

// ownPhones reach people at the stand-in.
var ownPhones = []string{"+351910000901", "+351910000903", "+351910000904"}

func ownPhone(to string) bool {
	for _, p := range ownPhones {
		if strings.TrimPrefix(to, "+") == strings.TrimPrefix(p, "+") {
			return true
		}
	}
	return false
}

// outpost is a daemon's monitor that sends to the stand-in for Meta, over HTTP.
type outpost struct {
	*testing.T
	meta    *sandbox.Sandbox
	clock   func() time.Time
	dir     string
	monitor *monitor.Monitor
	store   *store.Store
	stop    func()
	lose    atomic.Int64 // so many sends to own phones get no answer
}

// Send hands over as the client does, and loses some answers.
func (o *outpost) sender(c *graph.Client) sendFunc {
	return func(ctx context.Context, from string, m *wa.Outgoing, begin func() error) (wa.Accepted, error) {
		if ownPhone(m.To) && o.lose.Add(-1) >= 0 {
			if err := begin(); err != nil {
				return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrNotSent, err)
			}
			m.Written()
			return wa.Accepted{}, wa.ErrMayHaveGone
		}
		return c.Send(ctx, from, m, begin)
	}
}

type sendFunc func(context.Context, string, *wa.Outgoing, func() error) (wa.Accepted, error)

func (f sendFunc) Send(ctx context.Context, from string, m *wa.Outgoing, begin func() error) (wa.Accepted, error) {
	return f(ctx, from, m, begin)
}

// ofAccount are the templates of the stand-in's account.
type ofAccount struct{ *graph.Client }

func (a ofAccount) Templates(ctx context.Context) ([]wa.TemplateForm, error) {
	return a.Client.Templates(ctx, sandbox.AccountID)
}

func (a ofAccount) Template(ctx context.Context, name, language string) (wa.TemplateForm, error) {
	return a.Client.Template(ctx, sandbox.AccountID, name, language)
}

const outpostSpeed = 20

func openOutpost(t *testing.T) *outpost {
	t.Helper()
	began := time.Now()
	o := &outpost{T: t, dir: t.TempDir(), clock: func() time.Time { return began.Add(outpostSpeed * time.Since(began)).Round(0) }}
	var err error
	if o.meta, err = sandbox.New(sandbox.Options{Messages: -1, Secret: wa.NewSecret("s"), Speed: outpostSpeed, Now: o.clock}); err != nil {
		t.Fatal(err)
	}
	o.open()
	var ended sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	ended.Go(func() { _ = o.meta.Run(ctx) })
	t.Cleanup(func() { stop(); ended.Wait() })
	return o
}

// open starts the monitor, over what is on the disk.
func (o *outpost) open() {
	o.Helper()
	var err error
	if o.store, err = store.Open(context.Background(), store.Options{Dir: o.dir, Now: o.clock, Decode: webhook.Decode}); err != nil {
		o.Fatal(err)
	}
	hooks := httptest.NewServer(webhook.NewHandler(webhook.Options{
		Secrets: []wa.Secret{wa.NewSecret("s")}, Sink: o.store, Ready: o.store.Ready, Now: o.clock, Log: slog.New(slog.DiscardHandler),
	}))
	if err := o.meta.Tell(hooks.URL + "/webhooks/meta"); err != nil {
		o.Fatal(err)
	}
	client, err := graph.New(graph.Options{BaseURL: o.meta.URL(), Token: o.meta.Token, Now: o.clock})
	if err != nil {
		o.Fatal(err)
	}
	o.monitor, err = monitor.New(context.Background(), monitor.Options{
		Store: o.store, Now: o.clock, Thresholds: monitor.DefaultThresholds(), Publish: func(*link.Snapshot) {},
		Sending: monitor.Sending{
			Sender: o.sender(client), Meta: ofAccount{client}, Folder: o.dir, Speed: outpostSpeed, Seeds: monitor.Seeds{Phones: ownPhones, Every: 20},
		},
	})
	if err != nil {
		o.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); o.monitor.Run(ctx) }()
	o.stop = sync.OnceFunc(func() { cancel(); <-ended; hooks.Close(); _ = o.store.Close() })
	o.Cleanup(o.stop)
}

// asDesk lets somebody command it.
func (o *outpost) asDesk() *desk {
	return &desk{T: o.T, dir: o.dir, monitor: o.monitor, store: o.store}
}

// imports makes a campaign of the stand-in's people.
func (o *outpost) imports(people int) {
	o.Helper()
	d := o.asDesk()
	var b strings.Builder
	b.WriteString("phone,first_name,image\n")
	for p := range o.meta.People(people) {
		fmt.Fprintf(&b, "%s,%s,%s\n", p.Phone, p.Name, sandbox.CampaignMedia)
	}
	up := command[link.Uploaded](d, link.VerbUpload, link.UploadArgs{Name: "list.csv", Data: []byte(b.String())})
	j := d.done(command[link.Job](d, link.VerbList, link.ListArgs{
		Upload: up.Upload, Import: true, Name: "autumn", Template: &link.TemplateRef{Name: sandbox.CampaignTemplate, Language: sandbox.CampaignLanguage},
		From: sandbox.Numbers()[:1], Map: map[string]string{"header": "image", "1": "first_name"},
	}))
	if j.Imported == nil {
		o.Fatalf("%+v", j)
	}
	command[link.Sending](d, link.VerbPace, link.PaceArgs{Campaign: "autumn", Rate: "5/s"})
	command[link.Receipt](d, link.VerbStart, link.StartArgs{Campaign: "autumn", Force: true})
}

func (o *outpost) campaign() link.Campaign {
	o.Helper()
	return command[*link.Snapshot](o.asDesk(), link.VerbStatus, link.StatusArgs{Campaign: "autumn"}).Campaigns[0]
}

// until waits for a state of the campaign.
func (o *outpost) until(what string, is func(c *link.Campaign) bool) link.Campaign {
	o.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		c := o.campaign()
		if is(&c) {
			return c
		}
		if time.Now().After(late) {
			o.Fatalf("%s did not come: %+v, %+v", what, c.Counts, c.Seeds)
		}
	}
}

// toOwn are the sends to own phones that the stand-in was asked for.
func (o *outpost) toOwn() (n int) {
	for _, r := range o.meta.Requests() {
		if ownPhone(r.To) {
			n++
		}
	}
	return n
}

// A campaign goes out with a message to an own phone after every twenty of its own:
// in turn, outside of all of its figures, none after a pause, and after a restart none
// twice, not even one whose answer was lost.
func TestSeeds(t *testing.T) {
	const people = 200
	o := openOutpost(t)
	o.lose.Store(1)
	o.imports(people)
	o.until("a few", func(c *link.Campaign) bool { return c.Counts.HandedOver >= 45 && c.Seeds != nil && c.Seeds.Sent >= 1 })

	d := o.asDesk()
	command[link.Receipt](d, link.VerbPause, link.GateArgs{Scope: link.ScopeCampaign, ID: "autumn"})
	o.until("the end of what was open", func(c *link.Campaign) bool { return c.Counts.Claimed == 0 && c.Sending.OpenRequests == 0 })
	paused, asked := o.campaign().Counts.HandedOver, o.toOwn()
	o.stop()
	o.open()
	o.until("a restart", func(c *link.Campaign) bool { return c.Seeds != nil && c.Seeds.Unknown == 1 })
	if c := o.campaign(); c.State != "paused" || c.Counts.HandedOver != paused || o.toOwn() != asked {
		t.Errorf("while it was paused: %+v, %d to own phones, %d before", c.Counts, o.toOwn(), asked)
	}
	command[link.Receipt](o.asDesk(), link.VerbResume, link.ResumeArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: "autumn"}})
	c := o.until("the end", func(c *link.Campaign) bool {
		return c.Counts.Waiting+c.Counts.Claimed == 0 && c.Seeds.Sent == people/20-1 && c.Seeds.Delivered >= c.Seeds.Sent/2
	})

	if n := c.Counts; n.Messages != people || n.HandedOver+n.Refused != people {
		t.Errorf("the campaign counts %+v", n)
	}
	if s := c.Seeds; s.Failed != 0 || s.MedianSeconds == nil || *s.MedianSeconds < 0 || *s.MedianSeconds > 300 || s.LastSentAt == nil || s.LastDeliveredAt == nil {
		t.Errorf("%+v", s)
	}
	per := map[string]int{}
	for _, a := range o.meta.Accepted() {
		if ownPhone(a.To) {
			per[a.To]++
			if !wa.IsSeed(a.CallbackData) || a.Template != sandbox.CampaignTemplate {
				t.Errorf("%+v", a)
			}
		}
	}
	for _, p := range ownPhones {
		if per[p] < 2 { // a pause may cost one its turn
			t.Errorf("%v: each has its turn", per)
		}
	}
	all, err := o.store.Load(t.Context())
	if err != nil || len(all.Campaigns) != 1 || all.Campaigns[0].Counts.Messages != people {
		t.Errorf("%+v, %v", all.Campaigns, err)
	}
	found := command[link.Found](o.asDesk(), link.VerbFind, link.FindArgs{Query: ownPhones[0]})
	if len(found.Messages) != 0 {
		t.Errorf("%+v", found)
	}
}

// Messages to own phones that fail while others arrive raise an alarm of their own,
// and no figure of the campaign.
func TestSeedsThatDoNotArrive(t *testing.T) {
	o := openOutpost(t)
	for _, p := range ownPhones {
		if _, err := o.meta.Inject(sandbox.Fault{Kind: sandbox.FaultFail, Person: p, Code: 131026}); err != nil {
			t.Fatal(err)
		}
	}
	o.imports(400)
	raised := func() (mine []link.Alarm) {
		for _, a := range open(command[*link.Snapshot](o.asDesk(), link.VerbStatus, link.StatusArgs{})) {
			if a.Kind == "delivery" {
				mine = append(mine, a)
			}
		}
		return mine
	}
	c := o.until("the alarm", func(*link.Campaign) bool { return len(raised()) > 0 })
	if all := raised(); len(all) != 1 || all[0].Severity != link.VerdictWatch || all[0].Campaign != "autumn" || !strings.Contains(all[0].Text, "your own phones did not arrive") {
		t.Errorf("%+v", all)
	}
	if c.Seeds.Failed < 2 || c.Seeds.Delivered != 0 || c.First30.Verdict == link.VerdictWatch {
		t.Errorf("%+v, %+v", c.Seeds, c.First30)
	}
}
