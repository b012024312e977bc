package fallback

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"tickwatch/wa"
)

// ask asks the providers what became of messages that may have gone out, until ctx
// ends.
func (e *Engine) ask(ctx context.Context) {
	if e.o.Doubts == nil {
		return
	}
	tick := time.NewTicker(e.real(askEvery))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		doubts, err := e.o.Doubts.UnknownFallbacks(ctx, wa.At(e.o.Now()), askAtOnce)
		if err != nil {
			if ctx.Err() == nil {
				e.o.Log.Warn("what became of fallback messages is not asked", "error", err)
			}
			continue
		}
		for i := range doubts {
			if l := e.lanes[doubts[i].Channel]; l != nil && ctx.Err() == nil {
				e.askOf(ctx, l, &doubts[i])
			}
		}
	}
}

// askOf asks of one message, and stores what the provider says as its receipt.
func (e *Engine) askOf(ctx context.Context, l *lane, d *wa.FallbackDoubt) {
	r, err := l.provider.LookUp(ctx, Attempted{Message: &d.FallbackMessage, ProviderID: d.ProviderID, Begun: d.Begun})
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
