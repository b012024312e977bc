package fallback

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// kannel sends SMS by a Kannel gateway (fallback.md A3). Its password goes in a
// header, so that no address shows it. It takes every message and refuses later, by
// a receipt, and it signs nothing.
type kannel struct {
	line
	address  string
	user     string
	password wa.Secret
	sender   string
	token    wa.Secret // of replies
}

// sendsms is where smsbox takes messages.
const sendsms = "/cgi-bin/sendsms"

func newKannel(c Channel, l line) *kannel {
	k := &kannel{line: l, address: l.wire.Base(), user: c.User, password: c.Password, sender: c.Sender, token: c.ReplyToken}
	if strings.Count(k.address, "/") == len("//") { // host and port alone
		k.address += sendsms
	}
	return k
}

// Kinds of a receipt, which are also the bits of the mask that asks for them
// (userguide, "Delivery reports").
const (
	dlrDelivered = "1"
	dlrFailed    = "2"
	dlrBuffered  = "4" // at the SMS centre: the phone is off
	dlrTaken     = "8" // by the SMS centre
	dlrRefused   = "16"

	dlrAll = "31"
)

// dlrState reads the kind of a receipt; 0 = it is none. Bits above those that can be
// asked for only say more of it: 34 is a failure, of a message that expired.
func dlrState(kind string) wa.FallbackState {
	n, err := strconv.ParseUint(kind, 10, 8)
	if err != nil {
		return 0
	}
	return map[string]wa.FallbackState{
		dlrDelivered: wa.FallbackDelivered, dlrFailed: wa.FallbackFailed, dlrBuffered: wa.FallbackSent,
		dlrTaken: wa.FallbackSent, dlrRefused: wa.FallbackFailed,
	}[strconv.FormatUint(n&31, 10)]
}

// Send asks for receipts of all kinds.
func (k *kannel) Send(ctx context.Context, m *wa.FallbackMessage, begin func() error) (wa.FallbackAnswer, error) {
	coding := "0"
	if Split(m.Text).Encoding == UCS2 {
		coding = "2"
	}
	header := http.Header{
		"Content-Type":      {"text/plain; charset=UTF-8"},
		"X-Kannel-Username": {k.user},
		"X-Kannel-Password": {k.password.Reveal()},
		"X-Kannel-From":     {k.sender},
		"X-Kannel-To":       {m.To},
		"X-Kannel-Coding":   {coding},
		"X-Kannel-Dlr-Mask": {dlrAll},
		"X-Kannel-Dlr-Url":  {k.callback(m.Attempt) + "?type=%d&answer=%A&id=%F&smsc=%i&time=%T"},
	}
	r := &wire.Request{Method: http.MethodPost, URL: k.address, Header: header, Body: []byte(m.Text), Begin: begin}
	return k.send(ctx, m, r, k.judge)
}

// judge reads "0: Accepted for delivery", "3: Queued for later delivery" or a
// sentence that refuses.
func (k *kannel) judge(ans *wire.Answer) wa.FallbackAnswer {
	code, words, numbered := strings.Cut(strings.TrimSpace(string(ans.Body)), ":")
	said := wa.FallbackAnswer{Details: strings.TrimSpace(string(ans.Body))}
	if numbered && len(code) < 4 && strings.Trim(code, "0123456789") == "" {
		said.Code, said.Details = code, strings.TrimSpace(words)
	}
	switch {
	case ans.Status/100 == 2 && (said.Code == "0" || said.Code == "3"):
		return wa.FallbackAnswer{Kind: wa.FallbackAccepted}
	case ans.Status == http.StatusForbidden: // "Authorization failed for sendsms"
		return k.accountFault(said, "user and .password")
	}
	return said
}

// Receive takes receipts by the attempt in their path, and replies by their token.
func (k *kannel) Receive(r *http.Request, _ []byte) (Received, error) {
	attempt, reply, known := k.target(r)
	said := r.URL.Query()
	got := Received{Response: ok}
	switch {
	case !known:
		return Received{}, ErrSignature
	case reply && (k.token.Empty() || !k.token.Equal(wa.NewSecret(said.Get("token")))):
		return Received{}, ErrSignature
	case reply:
		return k.reply(said, got)
	}
	state := dlrState(said.Get("type"))
	if state == 0 {
		return got, notUnderstood("a receipt of type %q", said.Get("type"))
	}
	receipt := wa.FallbackReceipt{Channel: k.channel, Attempt: attempt, State: state, At: instant(said.Get("time"))}
	if state == wa.FallbackFailed {
		receipt.Code, receipt.Details = dlrCode(said.Get("answer")), brief(said.Get("answer"))
	}
	got.Receipts = []wa.FallbackReceipt{receipt}
	return got, nil
}

// dlrWords finds the error of an SMPP receipt, "… stat:UNDELIV err:021 …", and of a
// refusal, "NACK/0x0000000b/Invalid Destination Address".
var dlrWords = regexp.MustCompile(`(?:^NACK/|\berr:)([0-9A-Za-z]{1,16})`)

func dlrCode(answer string) string {
	if m := dlrWords.FindStringSubmatch(answer); m != nil {
		return m[1]
	}
	return ""
}

// reply reads what a get-url with id=%I&from=%p&text=%b&charset=%C&time=%T hands on. Kannel
// sends the body of the answer back as an SMS, so there is none; its service needs
// max-messages = 0, too.
func (k *kannel) reply(said url.Values, got Received) (Received, error) {
	text := said.Get("text")
	if strings.EqualFold(said.Get("charset"), "UTF-16BE") { // an smsbox without mo-recode
		text = utf16BE(text)
	}
	if !utf8.ValidString(text) { // a service without charset = UTF-8
		text = latin1(text)
	}
	from := e164(said.Get("from"))
	if from == "" {
		return got, notUnderstood("a reply without a sender")
	}
	reply := wa.Reply{Channel: k.channel, From: from, Text: text, At: instant(said.Get("time"))}
	if id := said.Get("id"); plausibleID(id) {
		reply.ProviderID = id
	}
	got.Replies = []wa.Reply{reply}
	return got, nil
}

// utf16BE reads bytes of UTF-16, the higher byte first.
func utf16BE(s string) string {
	units := make([]uint16, len(s)/2)
	for i := range units {
		units[i] = uint16(s[2*i])<<8 | uint16(s[2*i+1])
	}
	return string(utf16.Decode(units))
}

// latin1 reads bytes of ISO 8859-1.
func latin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}
