package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"tickwatch/wa"
)

// The outside sender's campaign: its key, as the callback data carries it, and
// what it sends.
const (
	CampaignKey      = "autumn"
	CampaignTemplate = "autumn_offer"
	CampaignLanguage = "pt_PT"
	CampaignMedia    = "800100200300400" // id of its picture, as if it had been uploaded
)

// sendersAtOnce bounds the outside sender's open requests.
const sendersAtOnce = 8

// patience is how many refusals of its template, with no send between them, make
// the outside sender give up.
const patience = 40

// sendCampaign plays the other system, the one whose campaign tickwatch
// watches: it sends to the whole list, each row when its time has come or, when
// it falls behind, as fast as it gets through. It knows the list and the Graph
// API, and nothing of what becomes of its messages. It gives up when its
// template is refused again and again.
func (s *Sandbox) sendCampaign(ctx context.Context) {
	client := newClient(sendersAtOnce)
	defer client.CloseIdleConnections()
	var (
		next    atomic.Int64
		refused atomic.Int64 // in a row, because of the template
		senders sync.WaitGroup
	)
	for range sendersAtOnce {
		senders.Go(func() {
			for {
				row := int(next.Add(1) - 1)
				if row >= len(s.people.phones) || !s.waitUntil(ctx, s.begin+millis(s.scenario.due(row, s.opts.Rate))) {
					return
				}
				if refused.Load() >= patience {
					return
				}
				err := s.send(ctx, client, row)
				switch {
				case err == nil:
					refused.Store(0)
					continue
				case ctx.Err() != nil:
					continue // the next wait ends it
				}
				s.opts.Log.Warn("the outside sender could not send", "row", row, "error", err)
				if errors.Is(err, errTemplate) && refused.Add(1) == patience {
					s.opts.Log.Warn("the outside sender gives up: its template is refused again and again", "row", row)
				}
			}
		})
	}
	senders.Wait()
}

// waitUntil waits for a moment of the campaign's clock; false when ctx ended.
func (s *Sandbox) waitUntil(ctx context.Context, due wa.Instant) bool {
	for {
		wait := due.Sub(wa.At(s.opts.Now()))
		if wait <= 0 {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(realTime(wait, s.opts.Speed))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

// send asks the Graph API to send one row; two thirds of the list go out from
// the first number.
func (s *Sandbox) send(ctx context.Context, client *http.Client, row int) error {
	phone := s.people.phones[row]
	from := numberIDs[0]
	if row%3 == 2 {
		from = numberIDs[1]
	}
	body, err := json.Marshal(sendRequest{
		Product: "whatsapp", RecipientType: "individual", To: "+" + phone, Type: "template",
		CallbackData: fmt.Sprintf("%s:row%d", CampaignKey, row),
		Template: &sendTemplate{
			Name: CampaignTemplate, Language: sendLanguage{CampaignLanguage},
			Components: []sendComponent{
				{Type: "header", Parameters: []sendParameter{{Type: "image", Image: &sendMedia{ID: CampaignMedia}}}},
				{Type: "body", Parameters: []sendParameter{{Type: "text", Text: s.people.person(phone).name}}},
				{Type: "button", SubType: "quick_reply", Index: json.RawMessage(`"0"`), Parameters: []sendParameter{{Type: "payload", Payload: stopPayload}}},
			},
		},
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/v26.0/"+from+"/messages", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token.Reveal())
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s: %s", refusal(answer), res.Status, wa.Clean(string(answer)))
	}
	return nil
}

// Why a send was refused.
var (
	errTemplate = errors.New("the template cannot be sent")
	errRefused  = errors.New("refused")
)

// refusal reads the reason off the Graph API's answer (whatsapp.md §3.3).
func refusal(answer []byte) error {
	var e struct {
		Error struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(answer, &e) == nil && (e.Error.Code == codePaused || e.Error.Code == codeDisabled) {
		return errTemplate
	}
	return errRefused
}
