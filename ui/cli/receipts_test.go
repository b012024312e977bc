package cli

import (
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa/sandbox"
)

// A receipt counts what was commanded and nothing else, says what goes out and
// what does not, and calls a campaign as it is called.
func TestReceiptsSayWhatHolds(t *testing.T) {
	o := openOffice(t, sandbox.Options{Seed: 3}, map[string]string{"pace.messages_per_hour": "60"})
	for _, name := range []string{"autumn", "Late list"} {
		if job := o.importList(t, o.people(40), name); job.Problem != nil {
			t.Fatal(job.Problem)
		}
	}
	at := func(scope, id string) link.GateArgs { return link.GateArgs{Scope: scope, ID: id} }
	all, autumn, late := at(link.ScopeAll, ""), at(link.ScopeCampaign, "autumn"), at(link.ScopeCampaign, "Late list")
	sms, number := at(link.ScopeChannel, "sms"), at(link.ScopeNumber, sandbox.Numbers()[1])
	paused := func(g link.GateArgs) (any, string) { return g, link.VerbPause }
	resumed := func(g link.GateArgs) (any, string) { return link.ResumeArgs{GateArgs: g}, link.VerbResume }
	started := func(g link.GateArgs) (any, string) {
		return link.StartArgs{Campaign: g.ID, Force: true}, link.VerbStart
	}
	for _, c := range []struct {
		do      func(link.GateArgs) (any, string)
		place   link.GateArgs
		waiting int64 // -1 = some of 40
		says    string
	}{
		{paused, sms, 0, "SMS is paused. 0 SMS waiting and safe. What goes out through WhatsApp is not paused."},
		{resumed, sms, 0, "SMS is not paused any more. Nothing is waiting."},
		{paused, all, 80, "Everything is paused. 80 waiting and safe."},
		{started, autumn, 40, "Campaign autumn is started, but nothing goes out yet: 40 waiting. Still paused: everything."},
		{paused, autumn, 40, "Campaign autumn is paused. 40 waiting and safe."},
		{resumed, all, 80, "Everything is not paused any more, but nothing of it goes out yet. Still paused: autumn."},
		{resumed, all, 80, "There was no pause of everything to end. Still paused: autumn."},
		{paused, number, 80, "Number " + sandbox.Numbers()[1] + " is paused. 80 waiting and safe."},
		{resumed, autumn, 40, "Campaign autumn goes on: 40 waiting to go out. Still paused: number " + sandbox.Numbers()[1] + "."},
		{resumed, autumn, -1, "Campaign autumn was not paused. Still paused: number " + sandbox.Numbers()[1] + "."},
		{started, autumn, -1, "Campaign autumn was started already."},
		{paused, late, 40, "Campaign Late list is paused. 40 waiting and safe."},
		{resumed, late, 40, "Campaign Late list is not paused any more, but nothing of it goes out yet. Still paused: number " + sandbox.Numbers()[1] + "."},
	} {
		args, verb := c.do(c.place)
		got := order[link.Receipt](t, o, verb, args)
		if got.Text != c.says || c.waiting >= 0 && got.Waiting != c.waiting {
			t.Errorf("%s of %s %s: %d waiting, %q\nwant %d, %q", verb, c.place.Scope, c.place.ID, got.Waiting, got.Text, c.waiting, c.says)
		}
	}
	order[link.Receipt](t, o, link.VerbCancel, link.CampaignArgs{Campaign: "Late list"})
	if why := refusedTo(t, o, link.VerbStart, link.StartArgs{Campaign: "Late list", Force: true}, link.FaultRefused); !strings.HasPrefix(why, "Campaign Late list is cancelled") {
		t.Errorf("a cancelled campaign does not start: %q", why)
	}
}

// Before something is resumed it is said how much goes out: nothing of what is
// paused itself, or was never started.
func TestForecastCountsWhatGoes(t *testing.T) {
	o := openOffice(t, sandbox.Options{Seed: 3}, map[string]string{"pace.messages_per_hour": "60"})
	for _, name := range []string{"autumn", "winter", "spring"} {
		if job := o.importList(t, o.people(40), name); job.Problem != nil {
			t.Fatal(job.Problem)
		}
	}
	order[link.Receipt](t, o, link.VerbPause, link.GateArgs{})
	for _, id := range []string{"autumn", "winter"} {
		order[link.Receipt](t, o, link.VerbStart, link.StartArgs{Campaign: id, Force: true})
	}
	order[link.Receipt](t, o, link.VerbPause, o.gate("winter"))
	going := func(a link.ForecastArgs) link.Forecast { return order[link.Forecast](t, o, link.VerbForecast, a) }
	if f := going(link.ForecastArgs{}); f.Going != 40 || f.Word != "resume" || len(f.Closed) != 1 {
		t.Errorf("resuming everything: %+v", f)
	}
	if f := going(link.ForecastArgs{GateArgs: o.gate("spring")}); f.Going != 0 || !strings.Contains(f.Held, "never started") || f.Word != "resume" {
		t.Errorf("resuming what was never started: %+v", f)
	}
	if f := going(link.ForecastArgs{GateArgs: o.gate("spring"), Start: true}); f.Going != 40 || f.Word != "start" {
		t.Errorf("starting: %+v", f)
	}
	if f := going(link.ForecastArgs{GateArgs: link.GateArgs{Scope: link.ScopeChannel, ID: "sms"}}); f.Going != 0 {
		t.Errorf("nothing goes out by SMS, yet %d do", f.Going)
	}
}

// Before a word is asked for, what goes out by other channels is said; and a resume to
// come counts it.
func TestForecastSaysWhatGoesBeside(t *testing.T) {
	sms := []link.Beside{{Channel: "sms", Waiting: 1418, Going: 1418}}
	for _, c := range []struct {
		f    link.Forecast
		want string
	}{
		{link.Forecast{Beside: sms}, "1,418 SMS wait and will go out.\n"},
		{link.Forecast{Going: 2, Beside: sms}, "2 people will get the message.\n1,418 SMS wait and will go out too.\n"},
		{link.Forecast{}, "Nobody will get the message.\n"},
		{link.Forecast{Beside: []link.Beside{{Channel: "sms", Waiting: 1418}}, Closed: []link.Gate{{By: "ines"}}}, "1,418 SMS still wait.\nStays paused: everything by ines.\n"},
	} {
		if got := forecastText(&c.f, time.UTC, 80); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := receiptText(&link.Receipt{Beside: sms}, link.VerbResume, "everything resumes at 08:00"); got != "everything resumes at 08:00: 1,418 SMS wait." {
		t.Errorf("%q", got)
	}
}

// A campaign is not made for a number that Meta would refuse.
func TestImportKnowsTheNumbers(t *testing.T) {
	o := openOffice(t, sandbox.Options{Seed: 3}, nil)
	job := o.work(t, o.people(3), link.VerbList, func(upload string) any {
		return link.ListArgs{
			Upload: upload, Import: true, Name: "autumn", Template: &autumnForm, From: []string{sandbox.Numbers()[0], "999"},
			Map: map[string]string{"1": "first_name", "header": "image"},
		}
	})
	if job.Problem == nil || job.Imported != nil || !strings.Contains(job.Problem.Text, sandbox.Numbers()[1]) || !strings.Contains(job.Problem.Text, `"999"`) {
		t.Errorf("imported for a number that is not there: %+v, %+v", job.Problem, job.Imported)
	}
}

// A look-up says what a person got by another channel, and why not.
func TestFoundTellsOfOtherChannels(t *testing.T) {
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	got := foundText(&link.Found{Phone: "+351*12", Beside: []link.Reached{{Campaign: "autumn", Channel: "sms", State: "failed", Code: "44", Reason: "no such subscriber", ToldAt: &at}}}, time.UTC)
	if want := "  27 Nov 09:00:00  failed     autumn by SMS  44 no such subscriber\n"; !strings.HasSuffix(got, want) || strings.Contains(got, "no messages") {
		t.Errorf("%q, want %q", got, want)
	}
}

// Of people whose row is to be mended one is named.
func TestLeftOutNamesOne(t *testing.T) {
	got := leftOutText([]link.LeftOut{{Reason: "no value for {first_name} of the SMS text", Count: 2, Example: "+351*78"}, {Reason: "opted out", Count: 1}})
	if want := "          2  no value for {first_name} of the SMS text, such as +351*78\n          1  opted out\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
