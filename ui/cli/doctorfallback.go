package cli

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"tickwatch/monitor/fallback"
	"tickwatch/wa"
)

// checkFallback looks at whom second attempts can reach, and through whom. It sends
// nothing: of a provider it learns only whether it takes connections.
func checkFallback(ctx context.Context, cfg Config) check {
	other, err := fallbackOf(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return ill(err.Error(), "mend it: the daemon does not start with it")
	}
	defer other.Channels.Close()
	channels := slices.Sorted(maps.Keys(other.Channels))
	if len(channels) == 0 {
		if other.Budget > 0 {
			return note("a budget is set, but no channel: nobody is reached by SMS, voice or e-mail", "set fallback.sms.provider, fallback.voice.provider or fallback.email.provider")
		}
		return fine("not set up: nobody is reached by SMS, voice or e-mail")
	}
	var hosts []string
	for _, channel := range channels {
		set := map[string]*ChannelConfig{wa.ChannelSMS: &cfg.SMS, wa.ChannelVoice: &cfg.Voice, wa.ChannelEmail: &cfg.Email}[channel]
		key := "fallback." + channel
		switch {
		case len(other.Texts[channel]) == 0:
			return ill(channel+" has no text: it reaches nobody", "give "+key+".text, one a language")
		case len(set.Prices) == 0:
			return ill(channel+" has no prices: it reaches nobody, for its cost is not known", "give "+key+`.prices, such as "* 0.08"`)
		}
		address := providerAddress(channel, set)
		if err := dials(ctx, address); err != nil {
			return ill(fmt.Sprintf("the provider of %s takes no connection at %s: %v", channel, wa.Clean(address), err), "look at "+key+".url, and whether a firewall stands between")
		}
		hosts = append(hosts, channel+" by "+set.Provider+" at "+address)
	}
	found := strings.Join(hosts, ", ")
	if other.Budget == 0 {
		return note(found+": no budget is set, so nothing is sent", `set fallback.budget to what the second attempts of one campaign may cost, such as "50 EUR"`)
	}
	return fine("%s; a campaign may cost %s", found, cfg.Fallback.Budget)
}

// providerAddress is where a channel's provider takes connections, as host:port.
func providerAddress(channel string, set *ChannelConfig) string {
	if channel == wa.ChannelEmail {
		return set.URL
	}
	address := set.URL
	if address == "" {
		address = fallback.BaseOf(set.Provider)
	}
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func dials(ctx context.Context, address string) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}
