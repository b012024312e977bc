package fallback

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"tickwatch/wa"
)

// ask asks the providers what became of messages that may have gone out, until ctx
// ends: one after the other and round again, so that those of which a provider knows
// nothing hold up no other.
func (e *Engine) ask(ctx context.Context) {
	asked := map[string]Asked{}
	for channel, l := range e.lanes {
		if p, can := l.provider.(Asked); can {
			asked[channel] = p
		}
	}
	if e.o.Doubts == nil || len(asked) == 0 {
		return
	}
	channels := slices.Sorted(maps.Keys(asked))
	var last wa.FallbackDoubt
	tick := time.NewTicker(e.real(askEvery))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		doubts, err := e.o.Doubts.UnknownFallbacks(ctx, channels, last, wa.At(e.o.Now()), askAtOnce)
		if err != nil {
			if ctx.Err() == nil {
				e.o.Log.Warn("what became of fallback messages is not asked", "error", err)
			}
			continue
		}
		last = wa.FallbackDoubt{}
		for i := range doubts {
			if ctx.Err() == nil {
				e.askOf(ctx, asked[doubts[i].Channel], &doubts[i])
			}
		}
		if len(doubts) == askAtOnce {
			last = doubts[len(doubts)-1]
		}
	}
}

// askOf asks of one message, and stores what the provider says as its receipt.
func (e *Engine) askOf(ctx context.Context, p Asked, d *wa.FallbackDoubt) {
	r, err := p.LookUp(ctx, Attempted{Message: &d.FallbackMessage, ProviderID: d.ProviderID, Begun: d.Begun})
	if err != nil {
		if !errors.Is(err, ErrNoLookUp) && !errors.Is(err, ErrNotFound) && ctx.Err() == nil {
			e.o.Log.Warn("a provider does not say what became of a message", "channel", d.Channel, "error", err)
		}
		return
	}
	r.Channel, r.Attempt = d.Channel, d.Attempt
	body, err := json.Marshal(struct {
		LookedUp wa.FallbackReceipt `json:"looked_up"`
	}{r})
	if err == nil {
		err = e.o.Doubts.Ingest(ctx, &wa.Post{
			Source: wa.BesideSource(d.Channel), ReceivedAt: wa.At(e.o.Now()), Body: body, Receipts: []wa.FallbackReceipt{r},
		})
	}
	if err != nil && ctx.Err() == nil {
		e.o.Log.Error("what a provider says of a message could not be stored; it is asked again", "error", err)
	}
}
