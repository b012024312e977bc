package cli

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"tickwatch/wa"
	"tickwatch/wa/graph"
)

// checkGraph asks Meta whether this configuration may send: about the numbers of
// the account, its health, and who gets its webhooks.
func checkGraph(ctx context.Context, cfg Config) check {
	g := cfg.Graph
	if _, err := windowsFrom("pace.windows", cfg.Pace.Windows); err != nil {
		return ill(err.Error(), "mend pace.windows: the daemon does not start with it")
	}
	switch {
	case g.AccessToken.Empty():
		return fine("no access token: nothing can be sent from here, only watched")
	case g.WABAID == "":
		return ill("graph.waba_id is missing: templates and numbers cannot be asked for", "set it to the id of your WhatsApp Business Account")
	}
	sending, err := sendingOf(cfg, time.Now, 1, slog.New(slog.DiscardHandler))
	if err != nil {
		return ill(err.Error(), "mend graph.base_url and pace.windows")
	}
	of, ok := sending.Meta.(account)
	if !ok {
		return ill("Meta cannot be asked", "set graph.waba_id")
	}
	defer of.client.Close()
	numbers, err := of.client.Numbers(ctx, of.id)
	if err != nil {
		return ill("Meta does not answer about the numbers: "+err.Error(), "look at graph.access_token and graph.waba_id: the token needs whatsapp_business_messaging and whatsapp_business_management, and the account must be assigned to its system user")
	}
	known := func(id string) bool {
		return slices.ContainsFunc(numbers, func(n graph.Number) bool { return n.ID == id })
	}
	for _, id := range g.PhoneNumberIDs {
		if !known(id) {
			return ill(fmt.Sprintf("graph.phone_number_ids has %s, which the account has not", wa.Clean(id)), "take it out, or give the id that Meta shows beside the number")
		}
	}
	health, err := of.client.Health(ctx, of.id)
	if err == nil && health.CanSend == wa.CannotSend {
		return ill("Meta says that this account cannot send: "+faults(health), "open WhatsApp Manager and mend what it names")
	}
	apps, err := of.client.Subscriptions(ctx, of.id)
	if err == nil && len(apps) == 0 {
		return ill("no app is subscribed to the account: nobody hears what becomes of a message", "subscribe the app, see \"Connect it to Meta\" in the README")
	}
	return fine("%d numbers, Meta says: %s", len(numbers), strings.ToLower(health.CanSend))
}

// faults are what stands in the way of a send.
func faults(h wa.Health) string {
	var all []string
	for _, e := range h.Entities {
		for _, f := range e.Errors {
			all = append(all, fmt.Sprintf("%d %s", f.Code, f.Description))
		}
	}
	return strings.Join(all, "; ")
}
