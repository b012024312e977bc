//go:build terminal

package cli_test

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"tickwatch/monitor/link"
	"tickwatch/ui/cli/internal/smsc"
	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

// secondChance is a campaign that is over, and whose failures a Kannel and a mail
// server may reach.
type secondChance struct {
	*sending
	kannel  *gateway
	mail    *mailServer
	rows    []addressee
	planted int       // rows whose failure is planned
	fresh   [2]string // phones of people who are not in the list
}

// addressee is a row of the list.
type addressee struct {
	phone, name, email string
	sms, mail          bool // what they agreed to
	code               int  // that their message is to fail with; 0 = none
}

// channel is what somebody is to be reached by, whose message failed with a code;
// "" = nothing.
func (a *addressee) channel(code int) string {
	switch {
	case code == 0 || wa.Explain(code, "").Fallback != wa.FallbackYes:
		return ""
	case a.sms:
		return wa.ChannelSMS
	case a.mail:
		return wa.ChannelEmail
	}
	return ""
}

func openSecondChance(t *testing.T) *secondChance {
	t.Helper()
	s := &secondChance{mail: startMailServer(t)}
	dir := folder(t)
	s.sending = stand(t, dir, sandbox.Options{}, func(_ *sandbox.Sandbox, daemon string) []string {
		s.kannel = kannel(t, gatewayOptions{raw: true, replies: daemon + "/webhooks/fallback/sms/reply?token=" + replyToken + "&from=%p&text=%b&charset=%C&id=%I&time=%T"})
		return []string{
			"SSL_CERT_FILE=" + s.mail.certificate, "TICKWATCH_WEBHOOK_PUBLIC_URL=" + daemon,
			"TICKWATCH_FALLBACK_BUDGET=50 EUR", "TICKWATCH_FALLBACK_HOURS=* mon-sun 00:00-24:00", "TICKWATCH_FALLBACK_UNDO=10s",
			"TICKWATCH_FALLBACK_LOOK=0", "TICKWATCH_SUPPRESS_STOP_WORDS=стоп",
			"TICKWATCH_FALLBACK_SMS_PROVIDER=kannel", "TICKWATCH_FALLBACK_SMS_URL=" + s.kannel.url, "TICKWATCH_FALLBACK_SMS_USER=" + s.kannel.user,
			"TICKWATCH_FALLBACK_SMS_PASSWORD=" + s.kannel.password, "TICKWATCH_FALLBACK_SMS_SENDER=" + s.kannel.sender,
			"TICKWATCH_FALLBACK_SMS_REPLY_TOKEN=" + replyToken, "TICKWATCH_FALLBACK_SMS_PER_SECOND=12",
			"TICKWATCH_FALLBACK_SMS_TEXT=Hello {first_name}: 20 % off. STOP ends it", "TICKWATCH_FALLBACK_SMS_PRICES=PT 0.045,* 0.08",
			"TICKWATCH_FALLBACK_EMAIL_PROVIDER=smtp", "TICKWATCH_FALLBACK_EMAIL_URL=" + s.mail.address, "TICKWATCH_FALLBACK_EMAIL_USER=" + s.mail.user,
			"TICKWATCH_FALLBACK_EMAIL_PASSWORD=" + s.mail.password, "TICKWATCH_FALLBACK_EMAIL_SENDER=Shop <news@shop.example>",
			"TICKWATCH_FALLBACK_EMAIL_SUBJECT=20 % off", "TICKWATCH_FALLBACK_EMAIL_TEXT=Hello {first_name}: 20 % off",
			"TICKWATCH_FALLBACK_EMAIL_PRICES=* 0.001", "TICKWATCH_FALLBACK_EMAIL_PER_SECOND=20",
		}
	})
	s.choose()
	s.begin(t, dir)
	for _, r := range s.rows {
		if r.code == 0 {
			continue
		}
		s.planted++
		kind := sandbox.FaultRefuse
		if s.planted%10 == 0 { // some fail once they were accepted
			kind = sandbox.FaultFail
		}
		if _, err := s.meta.Inject(sandbox.Fault{Kind: kind, Person: r.phone, Code: r.code}); err != nil {
			t.Fatal(err)
		}
	}
	s.do(t, importing(s.listOf(t, "list.csv", s.rows...), ownKey)...)
	s.start(t)
	waitFor(t, "the campaign is over", func() bool { c := s.campaign(t).Counts; return c.Waiting+c.Claimed == 0 })
	return s
}

// choose makes a list of the stand-in's people, of whom each kind is there. Who is
// to be reached by SMS agreed to e-mails, too, and gets one of both.
func (s *secondChance) choose() {
	endings := map[string]int{"02": 4, "05": 4, "16": 4, "58": 1, "59": 2, "77": 4, "88": 4}
	const texted, mailed, withheld, refusers, silent, reached = 140, 40, 4, 4, 6, 20
	boxes := [...]string{"gone@a.example", "gone@b.example", "full@a.example", "later@a.example", "cut@a.example", "cut@b.example"}
	have := map[string]int{}
	for p := range s.meta.People(2000) {
		a := addressee{phone: p.Phone, name: p.Name, email: fmt.Sprintf("p%d@shop.example", len(s.rows)), sms: true, mail: true, code: 131026}
		ending := p.Phone[len(p.Phone)-2:]
		kind := "texted"
		switch most := endings[ending]; {
		case most > 0 && have[ending] < most:
			kind = ending
		case most > 0:
			continue
		case have[kind] < texted:
		case have["mailed"] < mailed:
			kind, a.sms = "mailed", false
			if have[kind] < len(boxes) {
				a.email = boxes[have[kind]]
			}
		case have["withheld"] < withheld:
			kind, a.code = "withheld", 131049
		case have["refusers"] < refusers:
			kind, a.code = "refusers", 131050
		case have["silent"] < silent:
			kind, a.sms, a.mail = "silent", false, false
		case have["reached"] < reached:
			kind, a.code = "reached", 0
		case have["fresh"] < len(s.fresh):
			s.fresh[have["fresh"]] = p.Phone
			have["fresh"]++
			continue
		default:
			continue
		}
		have[kind]++
		s.rows = append(s.rows, a)
	}
}

// listOf writes a list.
func (s *secondChance) listOf(t *testing.T, name string, rows ...addressee) (path string) {
	t.Helper()
	path = filepath.Join(s.dir, name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	yes := map[bool]string{true: "yes", false: "no"}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"phone", "first_name", "whatsapp_consent", "sms_consent", "email", "email_consent", "image"}) // Flush tells what failed
	for _, r := range rows {
		_ = w.Write([]string{r.phone, r.name, "yes", yes[r.sms], r.email, yes[r.mail], sandbox.CampaignMedia})
	}
	if w.Flush(); w.Error() != nil || f.Close() != nil {
		t.Fatal("the list cannot be written")
	}
	return path
}

// States of a message by another channel on the disk.
const (
	diskSMSWaiting = iota
	diskSMSClaimed
	diskSMSUnknown
	diskSMSAccepted
	diskSMSSent
	diskSMSDelivered
	diskSMSFailed
	diskSMSWithdrawn
	diskSMSLeftOut
)

// beside is a message by another channel, as the disk has it.
type beside struct {
	id                  int64
	channel, to, reason string
	state               int
	accepted            bool
}

// messages reads all of the campaign's messages by other channels, in their order.
func (s *secondChance) messages(t *testing.T) (all []beside) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "data", "tickwatch.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT id, channel, address, reason, state, accepted FROM fallback ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m beside
		if err := rows.Scan(&m.id, &m.channel, &m.to, &m.reason, &m.state, &m.accepted); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// count is how many messages of a channel are in a state.
func (s *secondChance) count(t *testing.T, channel string, state int) (n int) {
	t.Helper()
	for _, m := range s.messages(t) {
		if m.channel == channel && m.state == state {
			n++
		}
	}
	return n
}

// texted is how many SMS Kannel has taken, by the disk. It sends none for a second
// or two when the centre asks it to go slower.
func (s *secondChance) texted(t *testing.T) (n int) {
	t.Helper()
	for _, m := range s.messages(t) {
		if m.channel == wa.ChannelSMS && m.accepted {
			n++
		}
	}
	return n
}

// endOf is the state of an SMS once all receipts have come.
func endOf(to string) int {
	end, odd := map[string]int{
		"02": diskSMSFailed, "05": diskSMSFailed, "16": diskSMSFailed, "58": diskSMSFailed, "77": diskSMSSent,
	}[to[len(to)-2:]]
	if !odd {
		return diskSMSDelivered
	}
	return end
}

// receiptsTold waits until receipts have told of all SMS that Kannel took, as the
// centre has it.
func (s *secondChance) receiptsTold(t *testing.T) {
	t.Helper()
	var open []beside
	defer func() {
		if t.Failed() {
			t.Logf("receipts have not told of %+v", open)
		}
	}()
	waitFor(t, "receipts tell of all SMS", func() bool {
		open = nil
		sent := map[string]bool{}
		for _, m := range s.kannel.smsc.Sent() {
			sent[m.To] = true
		}
		for _, m := range s.messages(t) {
			if m.channel == wa.ChannelSMS && (m.accepted || sent[m.to]) && m.state != endOf(m.to) {
				open = append(open, m)
			}
		}
		return len(open) == 0
	})
}

// balance holds the daemon's disk and figures against what the message centre and
// the mail server have.
func (s *secondChance) balance(t *testing.T, plan link.FallbackPlan, stopped string) {
	t.Helper()
	failures, may := s.failures(), map[string]string{} // by phone and by address: the channel
	for i := range s.rows {
		r := &s.rows[i]
		switch channel := r.channel(failures[r.phone]); channel {
		case wa.ChannelSMS:
			may[r.phone] = channel
		case wa.ChannelEmail:
			may[r.email] = channel
		}
	}
	got := map[string]int{}
	for _, m := range s.kannel.smsc.Sent() {
		got[m.To]++
		s.isWhole(t, &m)
	}
	for _, m := range s.mail.got() {
		if len(m.To) != 1 || !m.Secure || m.Login != s.mail.user {
			t.Errorf("a mail to %v, secured %v, by %q", m.To, m.Secure, m.Login)
			continue
		}
		got[m.To[0]]++
	}
	for to, n := range got {
		if n != 1 || may[to] == "" || to == stopped {
			t.Errorf("%d went to %s, who may be reached by %q; %s had opted out", n, to, may[to], stopped)
		}
	}
	want := link.Fallback{}
	for _, m := range s.messages(t) {
		asked := got[m.to] > 0 || m.channel == wa.ChannelSMS && s.kannel.smsc.Attempts(m.to) > 0
		said := m.accepted && strings.Contains(m.reason, "operator's word")
		if asked && !m.accepted || m.accepted && !asked && !said {
			t.Errorf("it was handed over: %v, and the disk has %+v", asked, m)
		}
		switch {
		case m.channel == wa.ChannelEmail && said: // the kill met it under way, whatever its mailbox would have answered
			want.Accepted++
		case m.to == stopped, strings.HasPrefix(m.to, "later@"):
			want.LeftOut++
		case strings.HasPrefix(m.to, "gone@"), strings.HasPrefix(m.to, "full@"):
			want.Failed++
		case m.channel == wa.ChannelEmail:
			want.Accepted++
		default:
			want.Accepted++
			want.Failed += map[int]int64{diskSMSFailed: 1}[endOf(m.to)]
			want.Delivered += map[int]int64{diskSMSDelivered: 1}[endOf(m.to)]
		}
	}
	var snapshot link.Snapshot
	s.json(t, &snapshot, "status", "--campaign", ownKey, "--json")
	f := snapshot.Campaigns[0].Fallback
	has := link.Fallback{
		Accepted: f.Accepted, Delivered: f.Delivered, Failed: f.Failed, LeftOut: f.LeftOut,
		Waiting: f.Waiting, Unknown: f.Unknown, DoubleHits: f.DoubleHits, Withdrawn: f.Withdrawn, Expired: f.Expired,
	}
	if diff := gocmp.Diff(want, has); diff != "" || int64(len(s.messages(t))) != plan.Run.Planned {
		t.Errorf("of %d people (-want +got):\n%s", plan.Run.Planned, diff)
	}
	t.Logf("%d SMS, %d mails, of %d people: %+v", len(s.kannel.smsc.Sent()), len(s.mail.got()), plan.Run.Planned, has)
}

// isWhole holds that a phone got the text as it was meant.
func (s *secondChance) isWhole(t *testing.T, m *smsc.Message) {
	t.Helper()
	for i := range s.rows {
		if r := &s.rows[i]; r.phone == m.To {
			if want := fmt.Sprintf("Hello %s: 20 %% off. STOP ends it", r.name); m.Text != want || !m.Whole() || m.From != s.kannel.sender {
				t.Errorf("to %s, from %s: %q, want %q", m.To, m.From, m.Text, want)
			}
		}
	}
}

// neverAgain has people opt out who were reached by SMS, by a mail, and not at all,
// and holds that neither a campaign nor a fallback is for them.
func (s *secondChance) neverAgain(t *testing.T, stopped string) {
	t.Helper()
	texted, byMail := s.kannel.smsc.Sent()[0].To, s.unsubscribe(t)
	s.reply(t, texted, "STOP")
	s.reply(t, s.fresh[1], "Non-stop?") // no opt-out
	s.reply(t, s.fresh[0], "Стоп!")     // in UCS-2, and a word of the configuration
	var plan link.FallbackPlan
	for _, who := range []string{stopped, texted, byMail, s.fresh[0]} {
		s.optedOut(t, who)
	}
	s.json(t, &plan, "fallback", ownKey, "--channel", "sms,email", "--dry-run", "--json")
	if n := leftOutFor(&plan, "opted out"); n != 3 {
		t.Errorf("%d of 3 are left out of another fallback, who opted out: %+v", n, plan)
	}

	accepted := len(s.meta.Accepted())
	rows := []addressee{{phone: s.fresh[0], name: "Ana", sms: true}, {phone: s.fresh[1], name: "Rui", sms: true}}
	for _, r := range s.rows {
		if r.phone == stopped || r.phone == texted || r.phone == byMail {
			rows = append(rows, r)
		}
	}
	if _, err := s.meta.Inject(sandbox.Fault{Kind: sandbox.FaultRefuse, Person: s.fresh[1], Code: 131026}); err != nil {
		t.Fatal(err)
	}
	s.do(t, importing(s.listOf(t, "winter.csv", rows...), "winter")...)
	s.do(t, "campaign", "start", "winter", "--force", "--yes")
	waitFor(t, "there is one whom another fallback would reach", func() bool {
		plan = link.FallbackPlan{}
		s.json(t, &plan, "fallback", "winter", "--channel", "sms,email", "--dry-run", "--json")
		return plan.Eligible > 0
	})
	if n := len(s.meta.Accepted()); n != accepted || plan.Eligible != 1 {
		t.Errorf("%d of people who opted out got a message of another campaign; another fallback: %+v", n-accepted, plan)
	}
}

// unsubscribe follows the link in somebody's mail as scanners do, which changes
// nothing, and then as a mail program does for its reader.
func (s *secondChance) unsubscribe(t *testing.T) (phone string) {
	t.Helper()
	mails := s.mail.got()
	m := mails[len(mails)-1]
	for _, r := range s.rows {
		if r.email == m.To[0] {
			phone = r.phone
		}
	}
	address := strings.Trim(m.message(t).Header.Get("List-Unsubscribe"), "<>")
	client := http.Client{Timeout: longest}
	res, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // it was read
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(page), "<form") {
		t.Errorf("the link shows %d %s, %v", res.StatusCode, page, err)
	}
	if s.find(t, phone).OptedOut {
		t.Errorf("%s opted out by looking", phone)
	}
	if res, err = client.PostForm(address, url.Values{"List-Unsubscribe": {"One-Click"}}); err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close() // its status says all
	if res.StatusCode != http.StatusOK {
		t.Errorf("an opt-out by the link is answered %d", res.StatusCode)
	}
	return phone
}

func (s *secondChance) find(t *testing.T, phone string) link.Found {
	t.Helper()
	return ask[link.Found](t, s.socket(), link.VerbFind, link.FindArgs{Query: phone})
}

// optedOut waits until somebody is known to have opted out, and holds that it is
// told.
func (s *secondChance) optedOut(t *testing.T, who string) {
	t.Helper()
	waitFor(t, "the opt-out of "+who+" is known", func() bool { return s.find(t, who).OptedOut })
	if out := s.do(t, "find", who); !strings.Contains(out, "opted out") {
		t.Errorf("of %s it says:\n%s", who, out)
	}
}

// reply has a phone write a text to the gateway.
func (s *secondChance) reply(t *testing.T, from, text string) {
	t.Helper()
	if err := s.kannel.smsc.Reply(from, text); err != nil {
		t.Fatal(err)
	}
}

// log is what a process of Kannel has logged.
func (k *gateway) log(t *testing.T, name string) string {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(k.dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(log)
}

func (b *box) signal(sig syscall.Signal) { _ = b.process.Process.Signal(sig) } // it may have ended
