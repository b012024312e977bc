package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// Send asks Meta to send one template message from one of our numbers.
//
// begin is the gate: see the package's guarantees. It runs on a goroutine of the
// connection, must be quick, and may be nil. The answer may take 5 s from begin on.
// When ctx ends before begin the message was not sent; when it ends after it, it
// may have gone.
//
// The error is a *wa.Refusal, with HTTP 0 where Meta was not asked for want of a
// number, a token or a value it could take; or it wraps wa.ErrNotSent, and with it
// begin's error if that was the cause; or it wraps wa.ErrMayHaveGone: a timeout, a
// cut or unreadable answer, any 5xx, and every answer but a Graph error of 4xx,
// HTTP 401 or 429.
func (c *Client) Send(ctx context.Context, from string, m *wa.Outgoing, begin func() error) (wa.Accepted, error) {
	if !isID(from) {
		const noSuchNumber = 33
		return wa.Accepted{}, &wa.Refusal{Code: noSuchNumber, Details: fmt.Sprintf("%q is no phone_number_id: check graph.phone_number_ids", wa.Clean(from))}
	}
	body, err := compose(m)
	if err != nil {
		return wa.Accepted{}, err
	}
	path := "/" + from + "/messages"
	if m.Marketing {
		path = "/" + from + "/marketing_messages"
	}
	ans, err := c.exchange(ctx, path, wire.Request{Method: http.MethodPost, Body: body, Begin: begin, Written: m.Written})
	if ans.Closed != nil {
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrNotSent, ans.Closed)
	}
	if !ans.Begun {
		return wa.Accepted{}, notSent(err)
	}
	accepted, err := ans.verdict(err)
	if err != nil {
		c.log.Debug("a send was not accepted", "from", from, "http", ans.Status, "error", err, "trace", ans.trace())
	}
	return accepted, err
}

// notSent says why the gate was not even reached.
func notSent(err error) error {
	if refusal, ok := errors.AsType[*wa.Refusal](err); ok {
		return refusal
	}
	return fmt.Errorf("%w: %w", wa.ErrNotSent, err)
}

// verdict judges the answer to a send whose request was written; broken is what
// kept the answer from being read whole.
func (ans *answer) verdict(broken error) (wa.Accepted, error) {
	if refusal := ans.refusal(broken); refusal != nil && ans.Status/100 == 4 {
		return wa.Accepted{}, refusal
	}
	if broken != nil {
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrMayHaveGone, broken)
	}
	if ans.Status/100 != 2 {
		return wa.Accepted{}, fmt.Errorf("%w: Meta answered HTTP %d: %s", wa.ErrMayHaveGone, ans.Status, ans.Shown(string(ans.Body)))
	}
	accepted, err := ans.accepted()
	if err != nil {
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrMayHaveGone, err)
	}
	return accepted, nil
}

const (
	heldForQuality = "held_for_quality_assessment"

	// maxID bounds an identifier in bytes, as the webhooks' decoder does.
	maxID = 1024
)

// accepted reads the message's id, without which nothing counts as accepted.
// Whatever else is wrong in the answer costs only itself.
func (ans *answer) accepted() (wa.Accepted, error) {
	var a struct {
		Contacts json.RawMessage `json:"contacts"`
		Messages []struct {
			ID     string          `json:"id"`
			Status json.RawMessage `json:"message_status"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(ans.Body, &a); err != nil {
		return wa.Accepted{}, fmt.Errorf("the answer of Meta cannot be read: %s", ans.Shown(err.Error()))
	}
	if len(a.Messages) == 0 || strings.TrimSpace(a.Messages[0].ID) == "" || len(a.Messages[0].ID) > maxID {
		return wa.Accepted{}, errors.New("the answer of Meta has no message id")
	}
	m := a.Messages[0]
	accepted := wa.Accepted{WAMID: m.ID, Paced: text(m.Status) == heldForQuality}
	var contacts []struct {
		Phone json.RawMessage `json:"wa_id"`
		BSUID json.RawMessage `json:"user_id"`
	}
	if json.Unmarshal(a.Contacts, &contacts) == nil && len(contacts) > 0 {
		accepted.Person = wa.Person{Phone: strings.TrimPrefix(text(contacts[0].Phone), "+"), BSUID: text(contacts[0].BSUID)}
	}
	return accepted, nil
}

// isID tells something that Meta could call a number, an account or a template.
func isID(s string) bool {
	return s != "" && len(s) <= maxID && wa.Digits(s) == s
}
