//go:build terminal

package cli_test

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"tickwatch/ui/cli/internal/smsc"
)

// submission is a text that is handed to Kannel; what is empty is not said.
type submission struct {
	to, text string
	coding   string // "2" = UCS-2
	receipts string // URL that is fetched for a receipt
	password string
}

// submit hands a text over as any system would, and gives the answer.
func (k *gateway) submit(s submission) (code int, answer string) {
	k.t.Helper()
	req, err := http.NewRequest(http.MethodPost, k.url, strings.NewReader(s.text))
	if err != nil {
		k.t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "text/plain; charset=UTF-8", "X-Kannel-Username": k.user, "X-Kannel-Password": cmp.Or(s.password, k.password),
		"X-Kannel-From": k.sender, "X-Kannel-To": s.to, "X-Kannel-Coding": s.coding,
		"X-Kannel-DLR-Mask": "31", "X-Kannel-DLR-Url": s.receipts,
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	client := http.Client{Timeout: longest}
	res, err := client.Do(req)
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// Answers to a submission that is taken (Kannel's user guide, "SMS-Push").
const (
	accepted = "0: Accepted for delivery"
	queued   = "3: Queued for later delivery"
)

// mustSubmit is submit with the answer that is expected.
func (k *gateway) mustSubmit(s submission, want string) {
	k.t.Helper()
	if code, answer := k.submit(s); code != http.StatusAccepted || answer != want {
		k.t.Fatalf("%q to %s is answered %d %q, want 202 %q", s.text, s.to, code, answer, want)
	}
}

// sentTo is what the message centre took for a number.
func (k *gateway) sentTo(to string) (sent []smsc.Message) {
	for _, m := range k.smsc.Sent() {
		if m.To == to {
			sent = append(sent, m)
		}
	}
	return sent
}

// receiptsAt is a URL whose receipts come to a path.
func (l *listener) receiptsAt(path string) string {
	return l.url + path + "?type=%d&answer=%A&id=%F&smsc=%i&to=%p&at=%T"
}

// TestKannelReceipts: what becomes of a message is told by receipts whose types
// are bits, in whatever order.
func TestKannelReceipts(t *testing.T) {
	t.Parallel()
	l := listen(t)
	k := kannel(t, gatewayOptions{})
	cases := []struct {
		to       string
		types    []string
		says     string // of the last state, in Kannel's words or the network's
		attempts int
	}{
		{"+447700900001", []string{"1", "8"}, "stat:DELIVRD err:000", 1},
		{"+447700900002", []string{"2", "8"}, "stat:UNDELIV err:021", 1},
		{"+447700900005", []string{"34", "8"}, "stat:EXPIRED err:027", 1}, // 32 says that it expired
		{"+447700900016", []string{"16"}, "NACK/0x0000000b/Invalid Destination Address", 1},
		{"+447700900077", []string{"8"}, "ACK/", 1},
		{"+447700900088", []string{"1", "8"}, "stat:DELIVRD err:000", 1}, // of the second receipt Kannel knows nothing
		{"+447700900059", []string{"1", "8"}, "stat:DELIVRD err:000", 3},
		{"+447700900058", []string{"16"}, "NACK/Retries Exceeded", 3}, // sms-resend-retry
	}
	for _, c := range cases {
		k.mustSubmit(submission{to: c.to, text: "Hello {you}, 20 € off", receipts: l.receiptsAt("/" + c.to)}, accepted)
	}
	for _, c := range cases {
		l.waitTypes("/"+c.to, c.types...)
		says := ""
		for _, r := range l.got("/" + c.to) {
			says += r.Values.Get("answer") + "\n"
			if got := r.Values.Get("to"); got != c.to {
				t.Errorf("to %s: the receipt names %s", c.to, got)
			}
		}
		if !strings.Contains(says, c.says) {
			t.Errorf("to %s: the receipts say %q, want %q", c.to, says, c.says)
		}
		if got := k.smsc.Attempts(c.to); got != c.attempts {
			t.Errorf("to %s: %d attempts, want %d", c.to, got, c.attempts)
		}
		sent := k.sentTo(c.to)
		if refused := slices.Equal(c.types, []string{"16"}); refused != (len(sent) == 0) || len(sent) > 1 {
			t.Errorf("to %s: %+v", c.to, sent)
		}
		for _, m := range sent {
			if m.Text != "Hello {you}, 20 € off" || m.From != k.sender {
				t.Errorf("to %s: %+v", c.to, m)
			}
		}
	}
	for _, c := range cases { // seconds later
		if types := l.types("/" + c.to); !slices.Equal(types, c.types) {
			t.Errorf("to %s: receipts %v, want %v and no more", c.to, types, c.types)
		}
	}
	if code, answer := k.submit(submission{to: "+447700900001", text: "x", password: "wrong"}); code != http.StatusForbidden {
		t.Errorf("with a wrong password: %d %q", code, answer)
	}
	if code, answer := k.submit(submission{text: "x"}); code != http.StatusBadRequest {
		t.Errorf("to nobody: %d %q", code, answer)
	}
}

// TestKannelAsksAgain: receipts that nobody takes, or that are refused, come
// later.
func TestKannelAsksAgain(t *testing.T) {
	t.Parallel()
	l := listen(t)
	k := kannel(t, gatewayOptions{})
	l.down()
	k.mustSubmit(submission{to: "+447700900001", text: "nobody is there", receipts: l.receiptsAt("/down")}, accepted)
	waitFor(t, "smsbox finds nobody", func() bool {
		log, err := os.ReadFile(filepath.Join(k.dir, "smsbox.log"))
		return err == nil && strings.Contains(string(log), "Couldn't fetch <"+l.url+"/down")
	})
	l.up()
	l.waitTypes("/down", "1", "8")

	l.answer(http.StatusServiceUnavailable)
	k.mustSubmit(submission{to: "+447700900001", text: "the disk is full", receipts: l.receiptsAt("/full")}, accepted)
	waitFor(t, "receipts are refused, and one again", func() bool { return l.refusals() >= 3 })
	l.answer(http.StatusOK)
	l.waitTypes("/full", "1", "8")
}

// TestKannelKeepsItsQueue: what waits for the message centre outlives Kannel,
// and is sent once.
func TestKannelKeepsItsQueue(t *testing.T) {
	t.Parallel()
	l := listen(t)
	k := kannel(t, gatewayOptions{})
	for to, end := range map[string]func(){"+447700900001": k.kill, "+447700900003": k.stop} {
		k.smsc.Down()
		waitFor(t, "Kannel knows that the centre is down", func() bool { return strings.Contains(k.page(), "re-connecting") })
		k.mustSubmit(submission{to: to, text: "It waits", receipts: l.receiptsAt("/" + to)}, queued)
		end()
		if err := k.smsc.Up(); err != nil {
			t.Fatal(err)
		}
		k.start()
		l.waitTypes("/"+to, "1", "8")
		if sent := k.sentTo(to); len(sent) != 1 || sent[0].Text != "It waits" || k.smsc.Attempts(to) != 1 {
			t.Errorf("sent to %s: %+v", to, sent)
		}
	}
}

// TestKannelReplies: an inbound SMS is passed on, in UTF-8 if Kannel is told to.
func TestKannelReplies(t *testing.T) {
	t.Parallel()
	for _, raw := range []bool{false, true} {
		l := listen(t)
		k := kannel(t, gatewayOptions{replies: l.url + "/reply?token=t&from=%p&to=%P&text=%b&charset=%C&id=%I&at=%T", raw: raw})
		texts := map[string]string{"+447700900001": "STOP", "+447700900002": "Stop  it {now} €", "+447700900003": "стоп 😀"}
		for from, text := range texts {
			if err := k.smsc.Reply(from, text); err != nil {
				t.Fatal(err)
			}
		}
		waitFor(t, "replies", func() bool { return len(l.got("/reply")) == len(texts) })
		for _, c := range l.got("/reply") {
			from, text, charset := c.Values.Get("from"), c.Values.Get("text"), c.Values.Get("charset")
			want, wantCharset := texts[from], "UTF-8"
			if raw && from == "+447700900003" {
				want, wantCharset = "\x04\x41\x04\x42\x04\x3e\x04\x3f\x00\x20\xd8\x3d\xde\x00", "UTF-16BE"
			}
			if text != want || charset != wantCharset || c.Values.Get("to") != k.sender || c.Values.Get("token") != "t" || c.Values.Get("id") == "" {
				t.Errorf("%s sent %q, and there came %v", from, texts[from], c.Values)
			}
			delete(texts, from)
		}
		if len(texts) > 0 {
			t.Errorf("there never came %v", texts)
		}
	}
}

// parts is a text and the parts that it takes, from testdata/sms.
type parts struct {
	Name     string
	Text     [][2]any // a string, and how often
	Encoding string
	Parts    []int
	Kannel   []int
}

func (p *parts) text() string {
	var s strings.Builder
	for _, piece := range p.Text {
		s.WriteString(strings.Repeat(piece[0].(string), int(piece[1].(float64))))
	}
	return s.String()
}

// TestKannelParts holds the parts of texts against what Kannel makes of them.
func TestKannelParts(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../testdata/sms/parts.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []parts
	if err := json.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	k := kannel(t, gatewayOptions{})
	for i, p := range all {
		coding := map[string]string{"UCS-2": "2"}[p.Encoding]
		k.mustSubmit(submission{to: numbered(i), text: p.text(), coding: coding, receipts: l.receiptsAt("/" + numbered(i))}, accepted)
	}
	for i, p := range all {
		l.waitTypes("/"+numbered(i), "1", "8") // for the first part alone
		waitFor(t, p.Name, func() bool { sent := k.sentTo(numbered(i)); return len(sent) == 1 && sent[0].Whole() })
		m := k.sentTo(numbered(i))[0]
		var units []int
		asked := 0
		for _, part := range m.Parts {
			units = append(units, part.Units)
			if part.Asked {
				asked++
			}
		}
		want := p.Parts
		if p.Kannel != nil {
			want = p.Kannel
		}
		if diff := gocmp.Diff(want, units); diff != "" || m.Coding.String() != p.Encoding || asked != 1 {
			t.Errorf("%s: %v, %d receipts asked for; parts (-want +got):\n%s", p.Name, m.Coding, asked, diff)
		}
		if m.Text != p.text() {
			t.Errorf("%s: the phone shows %q", p.Name, m.Text)
		}
	}
}

// numbered is one number of many whose messages are delivered.
func numbered(i int) string {
	return "+44770090" + string([]byte{byte('1' + i/10), byte('0' + i%10)}) + "00"
}
