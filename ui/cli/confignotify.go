package cli

import (
	"log/slog"
	"slices"
	"time"

	"tickwatch/monitor/notify"
	"tickwatch/wa"
)

// NotifyConfig says who is told of alarms, and how. Nobody is unless a place is named.
type NotifyConfig struct {
	URLs          []wa.Secret   `key:"urls" kind:"places" doc:"chats, pagers and mailboxes, as addresses of shoutrrr: \"slack://…\", \"teams://…\", \"pagerduty://…\", \"smtp://…\", \"telegram://…\" and more"`
	WebhookURL    wa.Secret     `key:"webhook_url" doc:"a program that is told by a signed POST; https, or http on loopback"`
	WebhookSecret wa.Secret     `key:"webhook_secret" doc:"signs it; needed for it"`
	Command       []string      `key:"command" kind:"command" doc:"a program that is run for each alarm, and its arguments: [\"/usr/local/bin/page\", \"oncall\"]; no shell stands between"`
	MinSeverity   string        `key:"min_severity" default:"watch" doc:"watch: all alarms are told; act: only those to act on"`
	PingURL       wa.Secret     `key:"ping_url" doc:"is asked while a campaign runs and the daemon judges, so that an outside watchman notices when it does not (healthchecks.io and its like)"`
	PingEvery     time.Duration `key:"ping_every" default:"1m" doc:"how often"`
	PingIdle      bool          `key:"ping_idle" default:"false" doc:"true: also while no campaign runs"`
	Bell          bool          `key:"bell" default:"true" doc:"consoles ring the terminal's bell at an alarm to act on, and show it in the title"`
}

func (n *NotifyConfig) check(v values) error {
	if n.MinSeverity != notify.Watch && n.MinSeverity != notify.Act {
		return v.fault("notify.min_severity", "%s is neither watch nor act", quoted(n.MinSeverity))
	}
	switch {
	case !n.WebhookURL.Empty() && n.WebhookSecret.Empty():
		return v.fault(secretKey(v, "notify.webhook_url"), "is set without notify.webhook_secret; set both, so that the receiver can check who told it")
	case n.WebhookURL.Empty() && !n.WebhookSecret.Empty():
		return v.fault(secretKey(v, "notify.webhook_secret"), "is set without notify.webhook_url; set both, or neither")
	case n.PingEvery < shortestPing:
		return v.fault("notify.ping_every", "%v is too often; write %v or more", n.PingEvery, shortestPing)
	}
	return nil
}

// shortestPing is as often as a watchman can want it.
const shortestPing = 10 * time.Second

// targets are the places where people are told. An error shows no secret.
func (n *NotifyConfig) targets() ([]notify.Target, error) {
	var all []notify.Target
	for _, address := range n.URLs {
		chat, err := notify.NewChat(address)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(t notify.Target) bool { return t.ID() == chat.ID() }) {
			all = append(all, chat)
		}
	}
	if !n.WebhookURL.Empty() {
		hook, err := notify.NewWebhook(n.WebhookURL, n.WebhookSecret)
		if err != nil {
			return nil, err
		}
		all = append(all, hook)
	}
	if len(n.Command) > 0 {
		command, err := notify.NewCommand(n.Command)
		if err != nil {
			return nil, err
		}
		all = append(all, command)
	}
	return all, nil
}

func (n *NotifyConfig) ping() (*notify.Ping, error) {
	if n.PingURL.Empty() {
		return nil, nil //nolint:nilnil // nobody waits for a ping
	}
	return notify.NewPing(n.PingURL, n.PingEvery, n.PingIdle)
}

// openNotify makes ready what tells people of alarms; nil when nobody is to be told.
func openNotify(cfg *NotifyConfig, told notify.Told, log *slog.Logger) (*notify.Notifier, error) {
	targets, err := cfg.targets()
	if err != nil {
		return nil, err
	}
	ping, err := cfg.ping()
	if err != nil || len(targets) == 0 && ping == nil {
		return nil, err
	}
	return notify.New(notify.Options{Targets: targets, Told: told, Least: cfg.MinSeverity, Ping: ping, Log: log}), nil
}
