package cli

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/fallback"
	"tickwatch/monitor/list"
	"tickwatch/wa"
)

// FallbackConfig says how people are reached whose WhatsApp message failed. Nothing
// is sent while the budget is 0.
type FallbackConfig struct {
	Budget   string        `key:"budget" default:"0" doc:"what the second attempts of one campaign may cost, such as \"50 EUR\"; with 0 nothing is sent"`
	Hours    []string      `key:"hours" shown:"* mon-sat 08:00-20:00" doc:"when people may be reached by other channels, by their country and the clock on their wall: \"* mon-sat 08:00-20:00\", \"DE mon-fri 09:00-19:00\""`
	Holidays []string      `key:"holidays" doc:"days on which nobody is reached: \"2026-12-25\", or of one country \"PT 2026-12-08\""`
	Zone     string        `key:"zone" shown:"the daemon's" doc:"time zone of people whose number tells none, such as \"Europe/Lisbon\""`
	Undo     time.Duration `key:"undo" default:"1m" doc:"so long nothing leaves after an order, and all of it can be undone; at least 10s"`
	Expires  time.Duration `key:"expires" default:"24h" doc:"what waits for longer does not go out any more; hours that are not allowed do not count"`
	Look     int           `key:"look" kind:"limit" default:"50" doc:"so many go out first and wait for somebody to look at them; 0 = all go out at once"`
}

// ChannelConfig is one channel: who sends, what they say, and what it costs. Which
// keys a provider needs the README says.
type ChannelConfig struct {
	Provider    string      `key:"provider" doc:"kannel, twilio, bird, vonage, http (sms); twilio, bird, http (voice); smtp (email); none = the channel is off"`
	URL         string      `key:"url" doc:"where the provider is: https, or http on loopback; host:port for smtp; none = the provider's own address"`
	Account     string      `key:"account" doc:"Twilio's account SID; Bird's workspace id"`
	ChannelID   string      `key:"channel_id" doc:"Bird's channel id"`
	User        string      `key:"user" doc:"Kannel's username, Vonage's API key, the SMTP log-in, Twilio's API key SID"`
	Password    wa.Secret   `key:"password" doc:"what goes with the user or account: password, auth token, access key or API secret"`
	SigningKey  []wa.Secret `key:"signing_key" doc:"checks callbacks: Twilio's auth token, Bird's signing key, Vonage's signature secret, a gateway's HMAC secret"`
	Signature   string      `key:"signature_method" doc:"Vonage's: md5hash, which is its default, or md5, sha1, sha256 or sha512"`
	Sender      string      `key:"sender" doc:"whom people see: a number or a name; an address for e-mail, such as \"Shop <news@shop.example>\""`
	ReplyToken  wa.Secret   `key:"reply_token" doc:"what …/reply?token= must carry where the provider signs nothing; 16 characters or more"`
	Language    string      `key:"language" doc:"of spoken texts that do not say theirs, such as pt-PT"`
	Speaker     string      `key:"voice" doc:"the provider's name of the voice that speaks"`
	ReplyTo     string      `key:"reply_to" doc:"address for answers to e-mail"`
	Unsubscribe string      `key:"unsubscribe_text" doc:"what stands in an e-mail before the link to opt out"`
	TLS         string      `key:"tls" doc:"of smtp: starttls, which is the default, tls, or none on loopback"`
	Text        []string    `key:"text" doc:"what people are told, one text a language: \"pt: Olá {first_name}, …\"; without a language it is for all others"`
	Subject     []string    `key:"subject" doc:"of e-mail, as text"`
	Prices      []string    `key:"prices" doc:"what one segment, call or e-mail costs, by country: \"PT 0.045\", \"* 0.08\" for all others; nobody without a price gets one"`
	PerSecond   int         `key:"per_second" default:"10" doc:"messages a second, at most"`
}

// GatewayConfig describes a gateway that speaks HTTP, for provider = "http". In its
// texts {to}, {digits}, {text}, {sender}, {language}, {attempt}, {callback}, {user}
// and {password} stand for their values.
type GatewayConfig struct {
	Method      string   `key:"method" doc:"POST, which is the default, or GET"`
	Headers     []string `key:"headers" doc:"such as \"Authorization: Bearer {password}\""`
	Body        string   `key:"body" doc:"a form (to={digits}&text={text}) or JSON ({\"to\":\"{to}\",\"text\":\"{text}\"}); of GET the query"`
	OptedOut    []string `key:"opted_out" doc:"statuses, or values of answer_field, by which a person has opted out"`
	Throttled   []string `key:"throttled" doc:"… by which it is to be tried later"`
	Rejected    []string `key:"rejected" doc:"… by which it is refused for good"`
	Accepted    []string `key:"accepted" doc:"… by which it is taken; none = every 2xx"`
	AnswerField string   `key:"answer_field" doc:"field of the answer that says so; JSON paths have dots (messages.0.status)"`
	IDField     string   `key:"id_field" doc:"field with the gateway's id of the message"`
	ErrorField  string   `key:"error_field" doc:"field with its words of what is wrong"`
	StateField  string   `key:"state_field" doc:"field of a receipt that says how far the message got"`
	StateQueued []string `key:"state_queued" doc:"its values: with the gateway"`
	StateSent   []string `key:"state_sent" doc:"… with the network"`
	StateFailed []string `key:"state_failed" doc:"… failed"`
	Delivered   []string `key:"state_delivered" doc:"… arrived"`
	ReceiptID   string   `key:"receipt_id_field" doc:"field of a receipt with the gateway's id"`
	ReceiptErr  string   `key:"receipt_error_field" doc:"field of a receipt with what went wrong"`
	FromField   string   `key:"from_field" doc:"field of a reply with who sent it"`
	TextField   string   `key:"text_field" doc:"field of a reply with what they wrote"`
	ReplyID     string   `key:"reply_id_field" doc:"field of a reply with its id"`
	Signature   string   `key:"signature_header" doc:"header with the HMAC-SHA256 of a callback, by signing_key"`
}

func (g *GatewayConfig) gateway() fallback.Gateway {
	return fallback.Gateway{
		Method: g.Method, Headers: g.Headers, Body: g.Body, OptedOut: g.OptedOut, Throttled: g.Throttled, Rejected: g.Rejected,
		Accepted: g.Accepted, AnswerField: g.AnswerField, IDField: g.IDField, ErrorField: g.ErrorField, StateField: g.StateField,
		StateQueued: g.StateQueued, StateSent: g.StateSent, StateFailed: g.StateFailed, StateDelivered: g.Delivered, ReceiptID: g.ReceiptID,
		ReceiptError: g.ReceiptErr, FromField: g.FromField, TextField: g.TextField, ReplyField: g.ReplyID, SignatureHeader: g.Signature,
	}
}

// ready tells whether a channel is set up.
func (c *ChannelConfig) ready() bool { return c.Provider != "" }

// leastUndo is the shortest time in which somebody sees what they ordered, and
// undoes it.
const leastUndo = 10 * time.Second

// fallbackOf is how the configuration lets people be reached by other channels.
func fallbackOf(cfg Config, log *slog.Logger) (f monitor.Fallback, err error) {
	f.Undo, f.Expires, f.Look = cfg.Fallback.Undo, cfg.Fallback.Expires, int64(cfg.Fallback.Look)
	if f.Undo < leastUndo {
		return f, fmt.Errorf("fallback.undo: %v is too short to undo an order: write %v or more", f.Undo, leastUndo)
	}
	if f.Look == 0 {
		f.Look = -1
	}
	if f.Budget, f.Currency, err = readBudget(cfg.Fallback.Budget); err != nil {
		return f, err
	}
	if f.Allowed, err = allowedOf(&cfg.Fallback); err != nil {
		return f, err
	}
	if cfg.Fallback.Zone != "" {
		if f.Zone, err = time.LoadLocation(cfg.Fallback.Zone); err != nil {
			return f, fmt.Errorf("fallback.zone: %q is no time zone: write one such as \"Europe/Lisbon\"", wa.Clean(cfg.Fallback.Zone))
		}
	}
	providers := fallback.Config{PublicURL: cfg.Webhook.PublicURL, Log: log}
	f.Texts, f.Rate = map[string]monitor.Texts{}, map[string]float64{}
	for _, one := range []struct {
		channel string
		set     *ChannelConfig
		gateway *GatewayConfig
		into    *fallback.Channel
	}{
		{wa.ChannelSMS, &cfg.SMS, &cfg.SMSGateway, &providers.SMS},
		{wa.ChannelVoice, &cfg.Voice, &cfg.VoiceGateway, &providers.Voice},
		{wa.ChannelEmail, &cfg.Email, &GatewayConfig{}, &providers.Email},
	} {
		if !one.set.ready() {
			continue
		}
		if *one.into, err = channelOf(one.channel, one.set, f.Currency); err != nil {
			return f, err
		}
		one.into.Gateway = one.gateway.gateway()
		if f.Texts[one.channel], err = textsOf(one.channel, one.set); err != nil {
			return f, err
		}
		f.Rate[one.channel] = float64(one.set.PerSecond)
	}
	f.Channels, err = fallback.New(providers)
	return f, err
}

// noCurrency is the code of ISO 4217 for none: before a budget names one, a dry run
// says whom it would reach, but not at what cost.
const noCurrency = "XXX"

func channelOf(channel string, set *ChannelConfig, currency string) (fallback.Channel, error) {
	c := fallback.Channel{
		Provider: set.Provider, URL: set.URL, Account: set.Account, ChannelID: set.ChannelID, User: set.User, Password: set.Password,
		SigningKeys: set.SigningKey, SignatureMethod: set.Signature, Sender: set.Sender, ReplyToken: set.ReplyToken,
		Language: set.Language, Voice: set.Speaker, ReplyTo: set.ReplyTo, UnsubscribeText: set.Unsubscribe, TLS: set.TLS,
	}
	if len(set.Prices) == 0 {
		return c, nil
	}
	prices, err := fallback.ParsePrices(cmp.Or(currency, noCurrency), set.Prices)
	if err != nil {
		return c, fmt.Errorf("fallback.%s.prices: %w", channel, err)
	}
	c.Prices = prices
	return c, nil
}

var budgetForm = regexp.MustCompile(`^([0-9]+(?:[.,][0-9]{1,2})?) ?([A-Z]{3})$`)

// readBudget reads "50 EUR"; "0" is nothing.
func readBudget(s string) (wa.Money, string, error) {
	if s = strings.TrimSpace(s); s == "0" || s == "" {
		return 0, "", nil
	}
	m := budgetForm.FindStringSubmatch(s)
	if m == nil {
		return 0, "", fmt.Errorf("fallback.budget: %q is no amount: write one with its currency, such as \"50 EUR\"", wa.Clean(s))
	}
	units, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
	const most = 1e9
	if err != nil || units > most {
		return 0, "", fmt.Errorf("fallback.budget: %q is too much to be meant", wa.Clean(s))
	}
	return wa.MoneyOf(units), m[2], nil
}

// usualHours hold where the configuration gives no others.
const usualHours = "* mon-sat 08:00-20:00"

func allowedOf(c *FallbackConfig) (a list.Allowed, err error) {
	if a.Hours, err = windowsFrom("fallback.hours", append([]string{usualHours}, c.Hours...)); err != nil {
		return a, err
	}
	a.Holidays = list.Holidays{}
	for _, line := range c.Holidays {
		country, day, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			country, day = "", country
		}
		code := list.CountryCode(country)
		if _, err := time.Parse(time.DateOnly, day); err != nil || country != "" && code == "" {
			return a, fmt.Errorf("fallback.holidays: %q is no day: write one like \"2026-12-25\" or \"PT 2026-12-08\"", wa.Clean(line))
		}
		country = code
		if a.Holidays[country] == nil {
			a.Holidays[country] = map[string]bool{}
		}
		a.Holidays[country][day] = true
	}
	return a, nil
}

// languageForm is what may stand before a text: its language.
var languageForm = regexp.MustCompile(`^([A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,4})?): ?`)

// textsOf reads a channel's texts. One that begins with "@" is the name of a file.
func textsOf(channel string, set *ChannelConfig) (monitor.Texts, error) {
	texts := monitor.Texts{}
	read := func(key string, lines []string, put func(t *monitor.Text, parsed *fallback.Text)) error {
		for _, line := range lines {
			language := ""
			if m := languageForm.FindStringSubmatch(line); m != nil {
				language, line = strings.ReplaceAll(m[1], "-", "_"), line[len(m[0]):]
			}
			if path, ok := strings.CutPrefix(line, "@"); ok {
				text, err := os.ReadFile(path)
				if err != nil {
					return fmt.Errorf("%s: %w", key, err)
				}
				line = strings.TrimRight(string(text), "\n")
			}
			parsed, err := fallback.ParseText(line)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			t := texts[language]
			put(&t, parsed)
			texts[language] = t
		}
		return nil
	}
	key := "fallback." + channel + "."
	if err := read(key+"text", set.Text, func(t *monitor.Text, p *fallback.Text) { t.Body = p }); err != nil {
		return nil, err
	}
	if err := read(key+"subject", set.Subject, func(t *monitor.Text, p *fallback.Text) { t.Subject = p }); err != nil {
		return nil, err
	}
	if channel == wa.ChannelEmail {
		if general, ok := texts[""]; ok {
			for language, t := range texts { // a language may lack one of both
				if t.Subject == nil {
					t.Subject = general.Subject
				}
				texts[language] = t
			}
		}
	}
	for language, t := range texts {
		switch {
		case t.Body == nil:
			return nil, fmt.Errorf("%ssubject: there is no text in %q: give %stext", key, language, key)
		case channel == wa.ChannelEmail && t.Subject == nil:
			return nil, errors.New(key + "subject is missing: an e-mail needs one")
		}
	}
	return texts, nil
}
