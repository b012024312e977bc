package graph

import (
	"context"
	"net/http"
	"strings"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// answer is what came back, as far as it did.
type answer struct{ wire.Answer }

// exchange makes one request and reads its answer whole. The answer's status is
// known even where an error says that the rest of it is not. Errors hold no text
// of an answer that could show the token, and of their causes wrap only the
// context's.
func (c *Client) exchange(ctx context.Context, path string, r wire.Request) (answer, error) {
	token := c.token()
	r.Secrets = []wa.Secret{token}
	if refusal := unusable(token.Reveal()); refusal != nil {
		return answer{wire.Answer{Secrets: r.Secrets}}, refusal
	}
	r.URL = c.base + path
	r.Header = http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + token.Reveal()}}
	if r.Body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	ans, err := c.wire.Do(ctx, &r)
	return answer{ans}, err
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
