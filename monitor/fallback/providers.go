package fallback

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// maker is one provider: what it needs, and how it is made.
type maker struct {
	channels []string // that it serves
	base     string   // its address; "" = it must be configured
	example  string   // of an address, where there is no base
	needs    []string // keys without which it cannot work
	form     func(c *Channel) error
	make     func(c Channel, l line) (Provider, error)
}

// makers are the providers that speak HTTP.
var makers = map[string]maker{
	ProviderKannel: {
		channels: []string{wa.ChannelSMS}, example: "http://127.0.0.1:13013/cgi-bin/sendsms",
		needs: []string{"user", "password", "sender"},
		make:  func(c Channel, l line) (Provider, error) { return newKannel(c, l), nil },
	},
	ProviderTwilio: {
		channels: []string{wa.ChannelSMS, wa.ChannelVoice}, base: twilioBase,
		needs: []string{"account", "password", "sender"}, form: twilioForm,
		make: func(c Channel, l line) (Provider, error) { return newTwilio(c, l), nil },
	},
	ProviderBird: {
		channels: []string{wa.ChannelSMS, wa.ChannelVoice}, base: birdBase,
		needs: []string{"account", "channel_id", "password", "signing_key"}, form: birdForm,
		make: func(c Channel, l line) (Provider, error) { return newBird(c, l), nil },
	},
	ProviderVonage: {
		channels: []string{wa.ChannelSMS}, base: vonageBase,
		needs: []string{"user", "password", "sender"}, form: vonageForm,
		make: func(c Channel, l line) (Provider, error) { return newVonage(c, l), nil },
	},
	ProviderHTTP: {
		channels: []string{wa.ChannelSMS, wa.ChannelVoice}, example: "https://gateway.example/send",
		needs: []string{"url"},
		make:  func(c Channel, l line) (Provider, error) { return newGateway(c, l) },
	},
}

// New makes the providers of all channels that have one. Nothing is dialled before
// the first message. Its errors name the key of the configuration, and what to
// write.
func New(c Config) (Channels, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	all := Channels{}
	for _, one := range []struct {
		name string
		set  Channel
	}{{wa.ChannelSMS, c.SMS}, {wa.ChannelVoice, c.Voice}, {wa.ChannelEmail, c.Email}} {
		if one.set.Provider == "" {
			continue
		}
		p, err := c.provider(one.name, one.set)
		if err != nil {
			return nil, err
		}
		all[one.name] = p
	}
	return all, nil
}

// provider makes that of one channel.
func (c *Config) provider(channel string, set Channel) (Provider, error) {
	key := "fallback." + channel
	public, err := publicBase(c.PublicURL)
	if err != nil {
		return nil, err
	}
	if channel == wa.ChannelEmail && set.Provider == ProviderSMTP {
		return c.mailer(key, public, set)
	}
	m, known := makers[set.Provider]
	if !known || !slices.Contains(m.channels, channel) {
		return nil, fmt.Errorf("%s.provider %q is none that can reach people by %s: write %s", key, wa.Clean(set.Provider), channel, strings.Join(providersOf(channel), ", "))
	}
	for _, need := range m.needs {
		if set.lacks(need) {
			return nil, fmt.Errorf("%s.%s is needed for %s: set it", key, need, set.Provider)
		}
	}
	if err := set.check(key); err != nil {
		return nil, err
	}
	if m.form != nil {
		if err := m.form(&set); err != nil {
			return nil, fmt.Errorf("%s.%w", key, err)
		}
	}
	w, err := wire.New(wire.Options{
		Place:  wire.Place{Key: key + ".url", Name: set.Provider, Secret: "messages and password", Example: cmp.Or(m.base, m.example)},
		Base:   cmp.Or(set.URL, m.base),
		Within: answerWithin,
		Roots:  c.Roots,
	})
	if err != nil {
		return nil, err
	}
	l := line{channel: channel, key: key, public: public, prices: set.Prices, log: c.Log, wire: w, secrets: echoes(cmp.Or(set.User, set.Account), set.Password)}
	return m.make(set, l)
}

// mailer makes the provider of e-mail.
func (c *Config) mailer(key, public string, set Channel) (Provider, error) {
	if set.Sender == "" || set.URL == "" {
		return nil, fmt.Errorf("%s.url and %s.sender are needed for %s: set both", key, key, ProviderSMTP)
	}
	if err := set.check(key); err != nil {
		return nil, err
	}
	return newMailer(key, public, set, c)
}

// providersOf are the names of those that serve a channel.
func providersOf(channel string) []string {
	var all []string
	if channel == wa.ChannelEmail {
		all = append(all, ProviderSMTP)
	}
	for name, m := range makers {
		if slices.Contains(m.channels, channel) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// lacks tells that a key is empty.
func (c *Channel) lacks(key string) bool {
	return map[string]bool{
		"url": c.URL == "", "account": c.Account == "", "channel_id": c.ChannelID == "", "user": c.User == "", "password": c.Password.Empty(),
		"signing_key": len(c.SigningKeys) == 0, "sender": c.Sender == "",
	}[key]
}

// check holds what is true of every provider's values: they go into headers and
// addresses.
func (c *Channel) check(key string) error {
	for _, v := range []struct {
		key, text string
	}{
		{"account", c.Account},
		{"channel_id", c.ChannelID},
		{"user", c.User},
		{"sender", c.Sender},
		{"language", c.Language},
		{"voice", c.Voice},
		{"reply_to", c.ReplyTo},
		{"unsubscribe_text", c.UnsubscribeText},
	} {
		if wa.Clean(v.text) != v.text || strings.TrimSpace(v.text) != v.text {
			return fmt.Errorf("%s.%s has a line break, a blank around it or a character that nobody sees: write it again", key, v.key)
		}
	}
	for _, secret := range append(slices.Clone(c.SigningKeys), c.Password, c.ReplyToken) {
		if text := secret.Reveal(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("a secret of %s has a control character in it: copy it again", key)
		}
	}
	const shortest = 16
	if n := len(c.ReplyToken.Reveal()); n > 0 && n < shortest {
		return fmt.Errorf("%s.reply_token is too short to keep strangers out: write at least %d characters by chance", key, shortest)
	}
	return nil
}

// publicBase is webhook.public_url without its last slash.
func publicBase(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(raw, "%") ||
		u.Scheme != "https" && (u.Scheme != "http" || !wire.OnLoopback(u.Hostname())) {
		return "", fmt.Errorf("webhook.public_url is needed for receipts and opt-outs: write the https address at which providers reach this daemon")
	}
	return strings.TrimRight(raw, "/"), nil
}

// BaseOf is a provider's own address, which it is called at where none is
// configured; "" = it has none.
func BaseOf(provider string) string { return makers[provider].base }
