package monitor_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// tells hands in news that Meta posts now.
func (d *desk) tells(p wa.Post) {
	d.Helper()
	d.clock.forward(time.Second)
	at := wa.At(d.clock.now())
	for i := range p.Templates {
		p.Templates[i].At = at
	}
	for i := range p.Accounts {
		p.Accounts[i].At = at
	}
	p.Source, p.ReceivedAt, p.Body = "meta", at, []byte("{}")
	if err := d.store.Ingest(d.Context(), &p); err != nil {
		d.Fatal(err)
	}
}

// until waits for a state of the whole.
func (d *desk) until(what string, is func(s *link.Snapshot) bool) *link.Snapshot {
	d.Helper()
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		s := command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{})
		if is(s) {
			return s
		}
		if time.Now().After(late) {
			d.Fatalf("%s did not come: %+v, %+v", what, s.Gates, open(s))
		}
	}
}

// What Meta stops, a template or the account, pauses what would go out with it at once,
// unless the operator wants it left. It is one alarm, which says what is paused and what
// is not, and by whom it is sent.
func TestWhatMetaStops(t *testing.T) {
	template := func(event string) wa.Post {
		return wa.Post{Templates: []wa.TemplateUpdate{{ID: 1, Name: "autumn", Language: "pt_PT", Event: event}}}
	}
	accountOf := func(id string, u wa.AccountUpdate) wa.Post {
		u.AccountID = id
		return wa.Post{Accounts: []wa.AccountUpdate{u}}
	}
	account := func(u wa.AccountUpdate) wa.Post { return accountOf(accountID, u) }
	red := template("")
	red.Templates[0].Quality = wa.QualityRed
	restricted := wa.AccountUpdate{Event: "ACCOUNT_RESTRICTION", Restrictions: []wa.Restriction{{Type: "RESTRICTED_BIZ_INITIATED_MESSAGING"}}}
	left := monitor.DefaultAuto()
	left.Template, left.Account = false, false
	for name, c := range map[string]struct {
		before, news wa.Post
		auto         monitor.Auto
		scope        string // of the gate that is closed; "" = none
		text, now    string // of the alarm
	}{
		"a paused template":   {wa.Post{}, template("PAUSED"), monitor.DefaultAuto(), "campaign", "Meta paused the template autumn/pt_PT", "Its campaigns are paused. Send the rest"},
		"one that was RED":    {red, template("PAUSED"), monitor.DefaultAuto(), "campaign", "Meta paused the template autumn/pt_PT", "Its campaigns are paused. Send the rest"},
		"a disabled template": {wa.Post{}, template("DISABLED"), monitor.DefaultAuto(), "campaign", "Meta disabled the template autumn/pt_PT", "Its campaigns are paused. Send the rest"},
		"a locked template":   {wa.Post{}, template("LOCKED"), monitor.DefaultAuto(), "campaign", "Meta locked the template autumn/pt_PT", "Its campaigns are paused. Send the rest"},
		"a template, left":    {wa.Post{}, template("PAUSED"), left, "", "Meta paused the template autumn/pt_PT", "Pause (p): it goes out with this template still"},
		"a ban":               {wa.Post{}, account(wa.AccountUpdate{Event: "DISABLED_UPDATE", BanState: "DISABLE"}), monitor.DefaultAuto(), "all", "Meta disabled the WhatsApp account", "It is paused: nothing of ours goes out."},
		"a restriction":       {wa.Post{}, account(restricted), monitor.DefaultAuto(), "all", "Meta blocks this account's campaign messages", "It is paused: nothing of ours goes out."},
		"a ban, left":         {wa.Post{}, account(wa.AccountUpdate{Event: "DISABLED_UPDATE", BanState: "DISABLE"}), left, "", "Meta disabled the WhatsApp account", "Pause everything (!)"},
		"another's ban":       {wa.Post{}, accountOf("777", wa.AccountUpdate{Event: "DISABLED_UPDATE", BanState: "DISABLE"}), monitor.DefaultAuto(), "", "Meta disabled the WhatsApp account", "Pause everything (!): Meta refuses what goes out from it."},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDeskOf(t, t.TempDir(), func(o *monitor.Options) { o.Auto = c.auto })
			if err := d.store.Poll(t.Context(), &wa.Poll{Account: accountID, At: wa.At(d.clock.now()), Numbers: []wa.PolledNumber{{ID: numberA, Display: "4915550001"}}}); err != nil {
				t.Fatal(err)
			}
			d.imports("Autumn", phones(3), numberA)
			command[link.Receipt](d, link.VerbStart, link.StartArgs{Campaign: "autumn", Force: true})
			if len(c.before.Templates) > 0 {
				d.tells(c.before)
				d.until("an alarm before", func(s *link.Snapshot) bool { return len(open(s)) == 1 && open(s)[0].Severity == "act" })
			}
			d.tells(c.news)
			closed := func(s *link.Snapshot) bool {
				return slices.ContainsFunc(s.Gates, func(g link.Gate) bool { return g.Scope == c.scope && g.State == link.GatePaused && g.By == "tickwatch" })
			}
			s := d.until("the alarm", func(s *link.Snapshot) bool {
				return closed(s) == (c.scope != "") && slices.ContainsFunc(open(s), func(a link.Alarm) bool {
					return a.Severity == "act" && strings.HasPrefix(a.Text, c.text) && strings.HasPrefix(a.Advice, c.now)
				})
			})
			if all := open(s); len(all) != 1 || strings.Contains(all[0].Advice, "where it is sent from") {
				t.Errorf("one incident is one alarm: %+v", all)
			}
		})
	}
}

// Once a template's pause is over, what still waits is an alarm that does not say that
// Meta refuses it.
func TestATemplatesPauseIsOver(t *testing.T) {
	d := openDeskOf(t, t.TempDir(), func(o *monitor.Options) { o.Auto = monitor.DefaultAuto() })
	d.imports("Autumn", phones(3), numberA)
	command[link.Receipt](d, link.VerbStart, link.StartArgs{Campaign: "autumn", Force: true})
	d.tells(wa.Post{Templates: []wa.TemplateUpdate{{ID: 1, Name: "autumn", Language: "pt_PT", Event: "PAUSED", InfoTitle: "FIRST_PAUSE"}}})
	d.until("a pause", func(s *link.Snapshot) bool { return len(open(s)) == 1 && open(s)[0].Until != nil })
	d.clock.forward(3*time.Hour + time.Second)
	s := d.until("its end", func(s *link.Snapshot) bool { return len(open(s)) == 1 && open(s)[0].Until == nil })
	if a := open(s)[0]; !strings.HasPrefix(a.Text, "tickwatch paused autumn") || !strings.Contains(a.Advice, "Resume (u)") || a.DoNot != "" {
		t.Errorf("%+v", a)
	}
}
