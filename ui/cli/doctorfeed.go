package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
	"tickwatch/wa/graph"
)

// feedPatience is how long each check of the feed may take; together they must
// answer before a console gives up on the daemon.
const feedPatience = 4 * time.Second

// checkFeed runs, inside the daemon, the doctor's checks of what webhooks come in
// through, all at a time. listen is where the listener really is.
func checkFeed(ctx context.Context, cfg Config, listen string) link.FeedChecks {
	w := cfg.Webhook
	w.Listen = listen
	examinations := []struct {
		name    string
		examine func(context.Context) check
	}{
		{"listener", func(ctx context.Context) check { return askPort(ctx, w) }},
		{"public address", func(context.Context) check { return checkPublic(w.PublicURL) }},
		{"subscription", func(ctx context.Context) check { return checkSubscription(ctx, cfg) }},
	}
	out := link.FeedChecks{Checks: make([]link.FeedCheck, len(examinations))}
	var all sync.WaitGroup
	for i, e := range examinations {
		all.Go(func() {
			c := within(ctx, feedPatience, e.examine)
			out.Checks[i] = link.FeedCheck{Name: e.name, OK: c.OK, Text: wa.Clean(c.Text), Mend: wa.Clean(c.Mend)}
		})
	}
	all.Wait()
	return out
}

// checkSubscription asks Meta whose webhooks it sends, and where.
func checkSubscription(ctx context.Context, cfg Config) check {
	switch g := cfg.Graph; {
	case g.AccessToken.Empty():
		return note("without an access token Meta cannot be asked who is subscribed", "see in the app's dashboard, under Webhooks, that the field messages is subscribed")
	case g.WABAID == "":
		return note("without graph.waba_id Meta cannot be asked who is subscribed", "set it to the id of your WhatsApp Business Account")
	}
	client, err := graph.New(graph.Options{
		BaseURL: cfg.Graph.BaseURL, Version: cfg.Graph.Version, Log: slog.New(slog.DiscardHandler),
		Token: func() wa.Secret { return cfg.Graph.AccessToken },
	})
	if err != nil {
		return ill(err.Error(), "mend graph.base_url")
	}
	defer client.Close()
	apps, err := client.Subscriptions(ctx, cfg.Graph.WABAID)
	switch {
	case err != nil:
		return ill("Meta does not say who is subscribed: "+err.Error(), "look at graph.access_token, and at https://metastatus.com whether Meta has trouble itself")
	case len(apps) == 0:
		return ill("no app is subscribed to the account: nobody hears what becomes of a message", "subscribe the app, see \"Connect it to Meta\" in the README")
	}
	for _, app := range apps {
		if app.Callback == "" || !elsewhere(app.Callback, cfg.Webhook.PublicURL) {
			return fine("%s subscribed to the account", appsAre(len(apps)))
		}
	}
	return ill("Meta sends the account's webhooks to another address than webhook.public_url: "+hostOf(apps[0].Callback), "correct the callback address of the subscription, or webhook.public_url")
}

// elsewhere tells whether an address is on another host than ours, if that is known.
func elsewhere(address, ours string) bool {
	return ours != "" && hostOf(address) != hostOf(ours)
}

// hostOf is the host of an address alone: what is behind it may be a key.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that is none"
	}
	return u.Host
}

func appsAre(n int) string {
	if n == 1 {
		return "1 app is"
	}
	return fmt.Sprintf("%d apps are", n)
}
