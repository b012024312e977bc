package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"tickwatch/wa"
)

// answer is what came back, as far as it did.
type answer struct {
	status int // 0 = none came
	header http.Header
	body   []byte
	token  string // that it must not be shown with
	at     time.Time
}

// maxText bounds a foreign text that goes into an error, in characters.
const maxText = 300

var errTooLong = fmt.Errorf("the answer is longer than %d KiB", maxAnswer>>10)

// exchange makes one request and reads its answer whole. The answer's status is
// known even where an error says that the rest of it is not. Errors hold no text
// of an answer that could show the token, and of their causes wrap only the
// context's.
func (c *Client) exchange(ctx context.Context, method, path string, body []byte, a *attempt) (answer, error) {
	token := c.token().Reveal()
	ans := answer{token: token}
	if refusal := unusable(token); refusal != nil {
		return ans, refusal
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := fmt.Errorf("no answer within %s", c.patience)
	a.within, a.giveUp = c.patience, func() { cancel(late) }

	req, err := c.request(ctx, method, path, body, a)
	if err != nil {
		return ans, errors.New(ans.shown(err.Error()))
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := c.wire.RoundTrip(req) // an http.Client would follow redirects and print addresses
	if err == nil && !a.answered() {
		_ = res.Body.Close()
		return ans, errEarly
	}
	if err == nil {
		ans.status, ans.header, ans.at = res.StatusCode, res.Header, time.Now()
		ans.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
		_ = res.Body.Close()
		if err == nil && len(ans.body) > maxAnswer {
			err = errTooLong
		}
	}
	switch {
	case err == nil, errors.Is(err, errTooLong):
		return ans, err
	case errors.Is(context.Cause(ctx), late):
		return ans, late
	case ctx.Err() != nil:
		return ans, fmt.Errorf("broken off: %w", context.Cause(ctx))
	}
	if a.begun() {
		return ans, errors.New(ans.shown(plain(err)))
	}
	return ans, errors.New(ans.shown(err.Error()))
}

// plain says in words what broke a connection.
func plain(err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer ended in the middle"
	case errors.Is(err, io.EOF):
		return "the connection was closed without an answer"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset by the other side"
	}
	return strings.TrimPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: ")
}

// request builds a request that is written through the attempt's gate. It has no
// GetBody: net/http could repeat it otherwise.
func (c *Client) request(ctx context.Context, method, path string, body []byte, a *attempt) (*http.Request, error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if conn, ok := got.Conn.(*gatedConn); ok { // another would let nothing out
			conn.request.Store(a)
		}
	}})
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "tickwatch")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// unusable refuses a token that cannot be sent, in the way that Meta would.
func unusable(token string) *wa.Refusal {
	const expired = 190
	switch {
	case token == "":
		return &wa.Refusal{Code: expired, Details: "there is no access token: set graph.access_token or graph.access_token_file"}
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &wa.Refusal{Code: expired, Details: "the access token holds a space, a line break or another character that no token has: copy it again"}
	}
	return nil
}

// shown is a foreign text as others may see it: clean, short, without the token.
func (ans *answer) shown(text string) string {
	text = wa.Clean(text) // first: what it drops may stand between the token's letters
	if ans.token != "" {
		text = strings.ReplaceAll(text, ans.token, "***")
	}
	if utf8.RuneCountInString(text) > maxText {
		text = string([]rune(text)[:maxText-1]) + "…"
	}
	return text
}
