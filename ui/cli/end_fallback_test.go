package cli_test

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"tickwatch/monitor/link"
	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

// replyToken is what answers by SMS must carry.
const replyToken = "reply-token-of-the-tests"

// textingOf is a campaign of so many people, of whom some are refused at once, and a
// daemon that may reach those by SMS, through the stand-in's provider. The campaign
// is over.
func textingOf(t *testing.T, rows int, more ...string) *sending {
	t.Helper()
	dir := folder(t)
	s := stand(t, dir, sandbox.Options{Faults: []sandbox.Fault{
		{Kind: sandbox.FaultRefuse, Code: 131026, Share: 0.35},
		{Kind: sandbox.FaultRefuse, Code: 131049, Share: 0.05},
	}}, func(meta *sandbox.Sandbox, daemon string) []string {
		if err := meta.TellReplies(daemon + "/webhooks/fallback/sms/reply?token=" + replyToken); err != nil {
			t.Fatal(err)
		}
		return append([]string{
			"TICKWATCH_WEBHOOK_PUBLIC_URL=" + daemon, "TICKWATCH_FALLBACK_HOURS=* mon-sun 00:00-24:00",
			"TICKWATCH_FALLBACK_UNDO=10s", "TICKWATCH_FALLBACK_LOOK=20", "TICKWATCH_FALLBACK_SMS_PER_SECOND=25",
			"TICKWATCH_FALLBACK_SMS_PROVIDER=http", "TICKWATCH_FALLBACK_SMS_URL=" + meta.SMSURL(), "TICKWATCH_FALLBACK_SMS_PASSWORD=" + meta.SMSToken().Reveal(),
			"TICKWATCH_FALLBACK_SMS_SENDER=Shop", "TICKWATCH_FALLBACK_SMS_REPLY_TOKEN=" + replyToken,
			"TICKWATCH_FALLBACK_SMS_TEXT=Hello {first_name}: 20 % off. STOP ends it", "TICKWATCH_FALLBACK_SMS_PRICES=PT 0.045,* 0.08",
			"TICKWATCH_FALLBACK_SMS_GATEWAY_HEADERS=Authorization: Bearer {password}",
			`TICKWATCH_FALLBACK_SMS_GATEWAY_BODY={"to":"{to}","text":"{text}","from":"{sender}","callback":"{callback}"}`,
			"TICKWATCH_FALLBACK_SMS_GATEWAY_ANSWER_FIELD=status", "TICKWATCH_FALLBACK_SMS_GATEWAY_ACCEPTED=accepted",
			"TICKWATCH_FALLBACK_SMS_GATEWAY_REJECTED=rejected", "TICKWATCH_FALLBACK_SMS_GATEWAY_OPTED_OUT=opted_out",
			"TICKWATCH_FALLBACK_SMS_GATEWAY_THROTTLED=throttled", "TICKWATCH_FALLBACK_SMS_GATEWAY_ID_FIELD=id",
			"TICKWATCH_FALLBACK_SMS_GATEWAY_STATE_FIELD=state", "TICKWATCH_FALLBACK_SMS_GATEWAY_STATE_QUEUED=queued",
			"TICKWATCH_FALLBACK_SMS_GATEWAY_STATE_SENT=sent", "TICKWATCH_FALLBACK_SMS_GATEWAY_STATE_FAILED=failed",
			"TICKWATCH_FALLBACK_SMS_GATEWAY_STATE_DELIVERED=delivered", "TICKWATCH_FALLBACK_SMS_GATEWAY_RECEIPT_ID_FIELD=id",
			"TICKWATCH_FALLBACK_SMS_GATEWAY_FROM_FIELD=from", "TICKWATCH_FALLBACK_SMS_GATEWAY_TEXT_FIELD=text",
			"TICKWATCH_FALLBACK_SMS_GATEWAY_REPLY_ID_FIELD=id",
		}, more...)
	})
	s.begin(t, dir)
	path := filepath.Join(dir, "list.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"phone", "first_name", "whatsapp_consent", "sms_consent", "image"}) // Flush tells what failed
	for p := range s.meta.People(rows) {
		s.people = append(s.people, p.Phone)
		_ = w.Write([]string{p.Phone, p.Name, "yes", consent(p), sandbox.CampaignMedia})
	}
	if w.Flush(); w.Error() != nil || f.Close() != nil {
		t.Fatal("the list cannot be written")
	}
	s.do(t, importing(path, ownKey)...)
	s.start(t)
	waitFor(t, "the campaign is over", func() bool { c := s.campaign(t).Counts; return c.Waiting+c.Claimed == 0 })
	return s
}

func consent(p sandbox.Person) string { return map[bool]string{true: "yes", false: "no"}[p.SMS] }

// failures are the codes of all whose message failed, by phone with the plus.
func (s *sending) failures() map[string]int {
	all := map[string]int{}
	for _, r := range s.meta.Requests() {
		if r.Code != 0 {
			all[r.To] = r.Code
		}
	}
	for _, m := range s.meta.Books().Messages {
		if m.Code != 0 {
			all["+"+m.Recipient] = m.Code
		}
	}
	return all
}

// mayBeTexted are those of them whom another channel may reach, and who agreed to SMS.
func (s *sending) mayBeTexted(failures map[string]int) map[string]bool {
	may := map[string]bool{}
	for p := range s.meta.People(len(s.people)) {
		if code := failures[p.Phone]; code != 0 && p.SMS && wa.Explain(code, "").Fallback == wa.FallbackYes {
			may[p.Phone] = true
		}
	}
	return may
}

// dryRun plans until the plan knows of all that failed, and gives both.
func (s *sending) dryRun(t *testing.T) (plan link.FallbackPlan, failures map[string]int) {
	t.Helper()
	waitFor(t, "a plan knows of all that failed", func() bool {
		plan = link.FallbackPlan{}
		failures = s.failures()
		s.json(t, &plan, "fallback", ownKey, "--channel", "sms", "--dry-run", "--json")
		return int(plan.Eligible+leftOutFor(&plan, "")) == len(failures) && len(s.failures()) == len(failures)
	})
	return plan, failures
}

// texted are the people in the provider's log. None may be in it twice.
func (s *sending) texted(t *testing.T) map[string]bool {
	t.Helper()
	people := map[string]bool{}
	for _, m := range s.meta.AcceptedSMS() {
		if people[m.To] {
			t.Errorf("%s got two SMS", m.To)
		}
		people[m.To] = true
	}
	return people
}

// refuses runs a command that must be refused, and holds what it says.
func (s *sending) refuses(t *testing.T, says string, args ...string) {
	t.Helper()
	out, diagnostics, code := tickwatch(t, s.env, args...)
	if code != 4 || !strings.Contains(diagnostics, says) || out != "" {
		t.Errorf("%s: exit code %d, %q on stdout, and it says %q, not %q", strings.Join(args, " "), code, out, diagnostics, says)
	}
}

func leftOutFor(p *link.FallbackPlan, reason string) (n int64) {
	for _, l := range p.LeftOut {
		if strings.Contains(l.Reason, reason) {
			n += l.Count
		}
	}
	return n
}

// A dry run tells by code who would be reached and who not, and why; nothing is
// sent without a budget, nor without somebody who says yes.
func TestFallbackRefused(t *testing.T) {
	t.Parallel()
	s := textingOf(t, 120)
	plan, failures := s.dryRun(t)
	may, want := s.mayBeTexted(failures), map[int]int64{}
	for phone := range may {
		want[failures[phone]]++
	}
	got := map[int]int64{}
	for _, c := range plan.Codes {
		got[c.Code] = c.Count
	}
	if diff := gocmp.Diff(want, got); diff != "" || plan.Eligible != int64(len(may)) || plan.Segments != plan.Eligible {
		t.Errorf("of %d people who may be reached: %+v; by code (-want +got):\n%s", len(may), plan, diff)
	}
	disagreed, withheld := int64(0), int64(0)
	for p := range s.meta.People(len(s.people)) {
		switch code := failures[p.Phone]; {
		case code == 131049:
			withheld++
		case code == 131026 && !p.SMS:
			disagreed++
		}
	}
	if disagreed == 0 || withheld == 0 || leftOutFor(&plan, "no consent") < disagreed || leftOutFor(&plan, "131049") != withheld {
		t.Errorf("%d did not agree to SMS, %d are withheld; left out: %+v", disagreed, withheld, plan.LeftOut)
	}
	s.refuses(t, "budget", "fallback", ownKey, "--channel", "sms", "--yes")
	s.refuses(t, "--yes", "fallback", ownKey, "--channel", "sms")
	s.refuses(t, "fallback.voice.provider", "fallback", ownKey, "--channel", "voice", "--dry-run")
	s.refuses(t, "look", "fallback", "go-on", ownKey, "--yes")
	if n := len(s.meta.AcceptedSMS()); n > 0 {
		t.Errorf("%d were sent", n)
	}

	// Who opted out, by whatever channel, is not planned for any more.
	who := sorted(may)[0]
	s.meta.WriteSMS(who, "stop")
	waitFor(t, "the opt-out is known", func() bool {
		return ask[link.Found](t, s.socket(), link.VerbFind, link.FindArgs{Query: who}).OptedOut
	})
	plan, failures = s.dryRun(t)
	if plan.Eligible != int64(len(s.mayBeTexted(failures)))-1 || leftOutFor(&plan, "opted out") != 1 {
		t.Errorf("after an opt-out: %+v", plan)
	}
}

func sorted(set map[string]bool) (all []string) {
	for one := range set {
		all = append(all, one)
	}
	slices.Sort(all)
	return all
}

// People whose message failed are reached by SMS, once each: after a time in which
// it is undone, a first few, a look, a pause, a crash; and who wrote STOP is not.
func TestFallbackBySMS(t *testing.T) {
	t.Parallel()
	s := textingOf(t, 400, "TICKWATCH_FALLBACK_BUDGET=50 EUR")
	_, failures := s.dryRun(t)
	may := s.mayBeTexted(failures)
	order := func() link.FallbackPlan {
		t.Helper()
		var plan link.FallbackPlan
		s.json(t, &plan, "fallback", ownKey, "--channel", "sms", "--yes", "--json")
		if plan.Eligible < int64(len(may)) || plan.Run == nil || plan.Run.State != link.FallbackPending || plan.Run.StartsAt.Sub(plan.Run.Ordered) < 10*time.Second {
			t.Fatalf("of %d people: %+v", len(may), plan)
		}
		return plan
	}
	undone := order().Eligible
	var receipt link.Receipt
	s.json(t, &receipt, "fallback", "cancel", ownKey, "--json")
	if want := fmt.Sprintf("none of %d messages has left", undone); !strings.Contains(receipt.Text, want) || receipt.HandedOver+receipt.Waiting != 0 {
		t.Errorf("undone: %+v, want %q", receipt, want)
	}
	ordered := order()
	run, may := ordered.Run, s.mayBeTexted(s.failures()) // some fail late

	look := s.waitFallback(t, "the first are out", func(f *link.Fallback) bool { return f.Run.Looked && f.Waiting == f.Run.Planned-f.Run.First })
	if n := int64(len(s.texted(t))); n == 0 || n > look.Run.First || look.Run.First != 20 {
		t.Errorf("%d went out before the look at %d", n, look.Run.First)
	}
	for _, m := range s.meta.AcceptedSMS() {
		if m.At.Before(run.StartsAt) || m.Text == "" || strings.Contains(m.Text, "{") {
			t.Errorf("%+v, and nothing leaves before %v", m, run.StartsAt)
		}
	}
	stopped := s.stopBySMS(t)
	s.refuses(t, "--yes", "fallback", "go-on", ownKey)
	s.do(t, "fallback", "go-on", ownKey, "--yes")
	before := len(s.texted(t))
	waitFor(t, "the rest goes out", func() bool { return len(s.meta.AcceptedSMS()) > before+10 })
	s.pauseSMS(t)

	s.do(t, "resume", "--channel", "sms", "--yes")
	before = len(s.texted(t))
	waitFor(t, "it goes on", func() bool { return len(s.meta.AcceptedSMS()) > before+15 })
	s.kill(t)
	s.again(t)
	f := s.waitFallback(t, "nothing waits", func(f *link.Fallback) bool { return f.Waiting == 0 })
	t.Logf("%d may have gone out when the daemon was killed", f.Unknown)
	s.settleSMS(t)

	got, refused := s.texted(t), int64(s.meta.SMSBooks().Refused)
	if got[stopped] {
		t.Errorf("%s wrote STOP, and got an SMS", stopped)
	}
	f = &s.campaign(t).Fallback
	leftOut := slices.DeleteFunc(s.fallbacksOnDisk(t, "reason", 8), func(why string) bool { return strings.HasPrefix(why, "cancelled") }) // were in the undone one alone
	if !slices.Equal(leftOut, []string{"opted out"}) || f.Accepted != int64(len(got)) || f.Accepted+refused+1 != ordered.Eligible {
		t.Errorf("of %d people %d got an SMS, %d were refused, %s wrote STOP, left out: %q; %+v", ordered.Eligible, len(got), refused, stopped, leftOut, f)
	}
	for who := range got {
		if !may[who] {
			t.Errorf("the message to %s did not fail, or they did not agree, and they got an SMS", who)
		}
	}
	plan, failures := s.dryRun(t)
	if late := int64(len(s.mayBeTexted(failures))) - ordered.Eligible; plan.Eligible > late || leftOutFor(&plan, "opted out") == 0 {
		t.Errorf("a second round, when %d have failed since: %+v", late, plan)
	}
}

// waitFallback waits until a campaign's fallback is as it should be.
func (s *sending) waitFallback(t *testing.T, what string, ok func(*link.Fallback) bool) (f *link.Fallback) {
	t.Helper()
	waitFor(t, what, func() bool {
		f = &s.campaign(t).Fallback
		return f.Run != nil && ok(f)
	})
	return f
}

// fallbacksOnDisk reads a column of the messages by other channels that are in a
// state, in their order.
func (s *sending) fallbacksOnDisk(t *testing.T, column string, state int) (all []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "data", "tickwatch.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT "+column+" FROM fallback WHERE state = ? ORDER BY id", state)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// stopBySMS has somebody who still waits write STOP, and waits until that is known.
func (s *sending) stopBySMS(t *testing.T) (who string) {
	t.Helper()
	waiting := s.fallbacksOnDisk(t, "address", 0)
	if len(waiting) == 0 {
		t.Fatal("nobody waits any more")
	}
	who = waiting[len(waiting)-1]
	s.meta.WriteSMS(who, "Stop.")
	waitFor(t, "the opt-out is known", func() bool {
		return ask[link.Found](t, s.socket(), link.VerbFind, link.FindArgs{Query: who}).OptedOut
	})
	return who
}

// pauseSMS pauses the channel while it goes out: nothing begins any more, and it
// says what cannot be recalled.
func (s *sending) pauseSMS(t *testing.T) {
	t.Helper()
	var r, again link.Receipt
	s.json(t, &r, "pause", "--channel", "sms", "--json")
	stopped := time.Now()
	waitFor(t, "what was on its way is settled", func() bool {
		s.json(t, &again, "pause", "--channel", "sms", "--json")
		return again.OpenRequests == 0
	})
	n := len(s.meta.AcceptedSMS())
	if r.Already || !again.Already || r.LastSendStartedAt == nil || !again.LastSendStartedAt.Equal(*r.LastSendStartedAt) {
		t.Errorf("paused: %+v, then %+v", r, again)
	}
	if !strings.Contains(r.Text, "cannot be recalled") || again.Waiting == 0 || r.HandedOver == 0 {
		t.Errorf("paused: %+v, then %+v", r, again)
	}
	held := s.waitFallback(t, "it says that it is held", func(f *link.Fallback) bool { return f.Run.Held != "" })
	if held.Waiting != again.Waiting || !strings.Contains(held.Run.Held, "paused") {
		t.Errorf("held: %+v, and the receipt says %+v", held, again)
	}
	for _, m := range s.meta.AcceptedSMS() {
		if m.At.Sub(stopped) > stopWithin {
			t.Errorf("one was taken %v after the pause", m.At.Sub(stopped))
		}
	}
	if now := len(s.meta.AcceptedSMS()); now != n {
		t.Errorf("%d were taken, and %d when it was paused", now, n)
	}
}

// settleSMS lets receipts tell of all that was taken, and then says of what is
// unknown that it was not sent, which is true; what waits for that goes out.
func (s *sending) settleSMS(t *testing.T) {
	t.Helper()
	s.waitFallback(t, "receipts tell of all that was taken", func(f *link.Fallback) bool { return f.Accepted == int64(len(s.meta.AcceptedSMS())) })
	if f := s.campaign(t).Fallback; f.Unknown > 0 {
		s.do(t, "resolve", ownKey, "--channel", "sms", "--as", "not-sent", "--yes")
		s.waitFallback(t, "what was not sent goes out", func(f *link.Fallback) bool { return f.Waiting+f.Unknown == 0 })
		s.waitFallback(t, "it is taken", func(f *link.Fallback) bool { return f.Accepted == int64(len(s.meta.AcceptedSMS())) })
	}
	waitFor(t, "receipts tell of what arrived", func() bool {
		f, b := s.campaign(t).Fallback, s.meta.SMSBooks()
		told := int64(b.Delivered + b.Failed - b.Untold)
		return b.Delivered > b.Accepted/2 && b.Waiting == 0 && f.Delivered <= int64(b.Delivered) && f.Delivered >= int64(b.Delivered-b.Untold) &&
			f.Delivered+f.Failed >= told
	})
}
