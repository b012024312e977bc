package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

const (
	pageSize = 100
	maxPages = 200 // of a list; an account has at most 6,000 templates
)

// node is an object of the Graph API by its fields.
type node map[string]json.RawMessage

// get reads one address. Its error is a *wa.Refusal, or says what to do next.
func (c *Client) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	if err := c.budget.spend(c.use); err != nil {
		return nil, err
	}
	if encoded := query.Encode(); encoded != "" {
		path += "?" + encoded
	}
	ans, err := c.exchange(ctx, path, wire.Request{Method: http.MethodGet, Repeat: true})
	if refusal, ok := errors.AsType[*wa.Refusal](err); ok { // without a token nothing is asked
		return nil, refusal
	}
	if refusal := ans.refusal(err); refusal != nil {
		c.log.Debug("a read was refused", "path", path, "http", ans.Status, "error", refusal, "trace", ans.trace())
		return nil, refusal
	}
	switch {
	case errors.Is(err, wire.ErrTooLong):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%s cannot be asked: %w; check the network and graph.base_url", c.wire.Host(), err)
	case ans.Status/100 != 2:
		return nil, ans.httpError(c.wire.Host())
	}
	return ans.Body, nil
}

// getNode reads fields of one object.
func (c *Client) getNode(ctx context.Context, id string, fields []string) (node, error) {
	if !isID(id) {
		return nil, fmt.Errorf("%q is no id of the Graph API: check graph.waba_id and graph.phone_number_ids", wa.Clean(id))
	}
	body, err := c.get(ctx, "/"+id, url.Values{"fields": {strings.Join(fields, ",")}})
	if err != nil {
		return nil, err
	}
	var n node
	if err := json.Unmarshal(body, &n); err != nil {
		return nil, c.unreadable()
	}
	return n, nil
}

// getList reads all pages of a list below an object. A page that is too long is
// asked for again in smaller ones.
func (c *Client) getList(ctx context.Context, id, edge string, query url.Values) (all []node, err error) {
	if !isID(id) {
		return nil, fmt.Errorf("%q is no id of a WhatsApp Business Account: check graph.waba_id", wa.Clean(id))
	}
	query = maps.Clone(query)
	seen := map[string]bool{}
	size := pageSize
	for range maxPages {
		query.Set("limit", strconv.Itoa(size))
		body, err := c.get(ctx, "/"+id+"/"+edge, query)
		if errors.Is(err, wire.ErrTooLong) && size > 1 {
			size = max(size/4, 1)
			continue
		}
		if err != nil {
			return nil, err
		}
		var page struct {
			Data   []node `json:"data"`
			Paging struct {
				Cursors struct {
					After string `json:"after"`
				} `json:"cursors"`
				Next string `json:"next"` // an address with the token in it: only that it is there counts
			} `json:"paging"`
		}
		if json.Unmarshal(body, &page) != nil || page.Data == nil { // an empty list is there, too
			return nil, c.unreadable()
		}
		all = append(all, page.Data...)
		after := page.Paging.Cursors.After
		if page.Paging.Next == "" || after == "" {
			return all, nil
		}
		if seen[after] {
			return nil, fmt.Errorf("%s gives the same page of %s again and again: try once more later", c.wire.Host(), edge)
		}
		seen[after] = true
		query.Set("after", after)
	}
	return nil, fmt.Errorf("%s has more than %d pages of %s: that is more than an account can have", c.wire.Host(), maxPages, edge)
}

// httpError is an answer that is no Graph error and not what was asked for either.
func (ans *answer) httpError(host string) error {
	if ans.Status/100 == 5 {
		return fmt.Errorf("%s has a fault of its own (HTTP %d: %s): try again in a minute, and look at metastatus.com",
			host, ans.Status, ans.Shown(string(ans.Body)))
	}
	return fmt.Errorf("%s does not answer as the Graph API does (HTTP %d: %s): check graph.base_url and graph.version",
		host, ans.Status, ans.Shown(string(ans.Body)))
}

// unreadable is an answer of HTTP 2xx that does not hold what was asked for.
func (c *Client) unreadable() error {
	return fmt.Errorf("%s does not answer as the Graph API does: check graph.base_url and graph.version", c.wire.Host())
}

// gather reads nodes with all of the fields at once. Where one of the fields may
// not be asked for, which costs the whole answer (whatsapp.md §3.4), it reads the
// plain ones together and each of the others by itself, and leaves out what is
// refused: for some hours without asking for it again.
func (c *Client) gather(kind string, fetch func(fields []string) ([]node, error), plain, risky []string) ([]node, error) {
	risky = c.denied.without(kind, risky)
	all, err := fetch(slices.Concat(plain, risky))
	if !forbidden(err) {
		return all, err
	}
	if all, err = fetch(plain); err != nil {
		return nil, err
	}
	byID := map[string]node{}
	for _, n := range all {
		byID[text(n["id"])] = n
	}
	for _, field := range risky {
		more, err := fetch([]string{"id", field})
		if forbidden(err) {
			c.denied.add(kind, field)
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, n := range more {
			if known, value := byID[text(n["id"])], n[field]; known != nil && value != nil {
				known[field] = value
			}
		}
	}
	return all, nil
}

// forbidden tells that a field, and not the object, was refused.
func forbidden(err error) bool {
	refusal, ok := errors.AsType[*wa.Refusal](err)
	if !ok || refusal.HTTP == 0 {
		return false
	}
	const noCapability, noPermission, badField = 3, 10, 100
	switch refusal.Code {
	case badField:
		return refusal.Subcode == 0 // with one, the object itself is not there
	case noCapability, noPermission:
		return true
	}
	return refusal.Code >= 200 && refusal.Code <= 299
}
