package fallback

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// gateway sends by a provider that the configuration describes: see Gateway.
type gateway struct {
	line
	Gateway
	headers  [][2]string // names and texts with placeholders
	json     any         // the body's document, placeholders in its texts; nil = a form
	form     url.Values  // the body's or the query's values
	user     string
	password wa.Secret
	sender   string
	language string
	keys     []wa.Secret
	token    wa.Secret // of replies, where nothing is signed
}

func newGateway(c Channel, l line) (*gateway, error) {
	g := &gateway{
		line: l, Gateway: c.Gateway, user: c.User, password: c.Password, sender: c.Sender, language: c.Language,
		keys: c.SigningKeys, token: c.ReplyToken,
	}
	if g.Method == "" {
		g.Method = http.MethodPost
	}
	if err := g.compile(); err != nil {
		return nil, fmt.Errorf("%s.gateway.%w", l.key, err)
	}
	if g.SignatureHeader != "" && len(g.keys) == 0 {
		return nil, fmt.Errorf("%s.signing_key is needed where gateway.signature_header is set: set it to the secret that the gateway signs with", l.key)
	}
	return g, nil
}

// compile checks the description and takes it apart.
func (g *gateway) compile() error {
	if g.Method != http.MethodPost && g.Method != http.MethodGet {
		return fmt.Errorf("method %q is none: write POST or GET", wa.Clean(g.Method))
	}
	if strings.TrimSpace(g.Body) == "" {
		return fmt.Errorf(`body is empty: write what the gateway wants, such as "to={digits}&text={text}"`)
	}
	if err := g.compileBody(); err != nil {
		return err
	}
	for _, h := range g.Headers {
		name, text, ok := strings.Cut(h, ":")
		name, text = strings.TrimSpace(name), strings.TrimSpace(text)
		if !ok || strings.Trim(name, headerLetters) != "" || name == "" || wa.Clean(text) != text {
			return fmt.Errorf(`headers has a line that is none: write "Name: value"`)
		}
		if err := placeholders(text, inHeader); err != nil {
			return fmt.Errorf("headers: %s: %w", name, err)
		}
		g.headers = append(g.headers, [2]string{name, text})
	}
	for name, list := range map[string][]string{
		"opted_out": g.OptedOut, "throttled": g.Throttled, "rejected": g.Rejected, "accepted": g.Accepted,
	} {
		for _, word := range list {
			if len(word) == 3 && word[0] == '5' && strings.Trim(word, "0123456789") == "" {
				return fmt.Errorf("%s has the status %s, which leaves it open whether the message was taken: remove it", name, word)
			}
		}
	}
	return nil
}

const headerLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func (g *gateway) compileBody() error {
	where := inBody
	if g.Method == http.MethodGet {
		where = inQuery
	}
	if strings.HasPrefix(strings.TrimSpace(g.Body), "{") && g.Method == http.MethodPost {
		doc, err := anyValue([]byte(g.Body))
		if err != nil {
			return fmt.Errorf(`body is no JSON: %s; write placeholders within quotes, such as "{to}"`, wa.Clean(err.Error()))
		}
		g.json = doc
		if err := everyText(doc, func(text string) error { return placeholders(text, where) }); err != nil {
			return fmt.Errorf("body: %w", err)
		}
		return nil
	}
	values, err := url.ParseQuery(g.Body)
	if err != nil {
		return fmt.Errorf(`body is no form: %s; write it like "to={digits}&text={text}"`, wa.Clean(err.Error()))
	}
	g.form = values
	for name, texts := range values {
		for _, text := range texts {
			if err := placeholders(text, where); err != nil {
				return fmt.Errorf("body: %s: %w", wa.Clean(name), err)
			}
		}
	}
	return nil
}

// Where a placeholder may stand. Texts of messages are kept out of headers, and
// passwords out of addresses.
var (
	inBody   = []string{"to", "digits", "text", "sender", "language", "attempt", "callback", "user", "password"}
	inQuery  = []string{"to", "digits", "text", "sender", "language", "attempt", "callback", "user"}
	inHeader = []string{"to", "digits", "sender", "attempt", "callback", "user", "password", "basic"}
)

// placeholders checks that a text has only those that may stand where it stands.
func placeholders(text string, may []string) error {
	for _, p := range may {
		text = strings.ReplaceAll(text, "{"+p+"}", "")
	}
	if i := strings.IndexByte(text, '{'); i >= 0 {
		name, _, closed := strings.Cut(text[i+1:], "}")
		if closed && len(name) < 20 {
			return fmt.Errorf("{%s} is no placeholder here: there are {%s}", wa.Clean(name), strings.Join(may, "}, {"))
		}
	}
	return nil
}

// everyText calls f for all texts of a JSON document.
func everyText(v any, f func(string) error) error {
	switch v := v.(type) {
	case string:
		return f(v)
	case map[string]any:
		for _, one := range v {
			if err := everyText(one, f); err != nil {
				return err
			}
		}
	case []any:
		for _, one := range v {
			if err := everyText(one, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// filled is a copy of a JSON document with its placeholders filled.
func filled(v any, fill *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return fill.Replace(v)
	case map[string]any:
		to := make(map[string]any, len(v))
		for name, one := range v {
			to[name] = filled(one, fill)
		}
		return to
	case []any:
		to := make([]any, len(v))
		for i, one := range v {
			to[i] = filled(one, fill)
		}
		return to
	}
	return v
}

// values are the placeholders' values for a message. They are put in once, so that
// a value which looks like a placeholder stays as it is.
func (g *gateway) values(m *wa.FallbackMessage) *strings.Replacer {
	return strings.NewReplacer(
		"{to}", m.To, "{digits}", wa.Digits(m.To), "{text}", m.Text, "{sender}", g.sender,
		"{language}", languageTag(m.Language, g.language), "{attempt}", m.Attempt.String(), "{callback}", g.callback(m.Attempt),
		"{user}", g.user, "{password}", g.password.Reveal(),
		"{basic}", base64.StdEncoding.EncodeToString([]byte(g.user+":"+g.password.Reveal())),
	)
}

// Send writes the request that the configuration describes.
func (g *gateway) Send(ctx context.Context, m *wa.FallbackMessage, begin func() error) (wa.FallbackAnswer, error) {
	fill := g.values(m)
	r := &wire.Request{Method: g.Method, URL: g.wire.Base(), Header: http.Header{}, Begin: begin}
	switch {
	case g.json != nil:
		body, err := json.Marshal(filled(g.json, fill))
		if err != nil {
			return wa.FallbackAnswer{Kind: wa.FallbackRejected, Details: err.Error()}, nil
		}
		r.Body = body
		r.Header.Set("Content-Type", "application/json")
	default:
		said := url.Values{}
		for name, texts := range g.form {
			for _, text := range texts {
				said.Add(name, fill.Replace(text))
			}
		}
		if g.Method == http.MethodGet {
			r.URL += "?" + said.Encode()
			break
		}
		r.Body = []byte(said.Encode())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range g.headers {
		r.Header.Set(h[0], fill.Replace(h[1]))
	}
	return g.send(ctx, m, r, g.judge)
}

// judge compares the status and the answer's field with the lists.
func (g *gateway) judge(ans *wire.Answer) wa.FallbackAnswer {
	said := g.reader(ans.Body)
	word := said(g.AnswerField)
	if g.AnswerField == "" {
		first, _, _ := strings.Cut(strings.TrimSpace(string(ans.Body)), "\n")
		word = strings.TrimSpace(first)
	}
	is := func(list []string) bool { return oneOf(list, word) || oneOf(list, fmt.Sprint(ans.Status)) }
	a := wa.FallbackAnswer{Details: said(g.ErrorField)}
	if g.AnswerField != "" {
		a.Code = word
	}
	switch {
	case is(g.OptedOut):
		a.Kind = wa.FallbackOptedOut
	case is(g.Throttled):
		a.Kind = wa.FallbackThrottled
	case is(g.Rejected):
		a.Kind = wa.FallbackRejected
	case ans.Status/100 == 2 && (len(g.Accepted) == 0 || is(g.Accepted)):
		return wa.FallbackAnswer{Kind: wa.FallbackAccepted, ProviderID: said(g.IDField)}
	}
	return a
}

// reader gives fields of an answer, which is JSON or a form.
func (g *gateway) reader(body []byte) func(path string) string {
	doc, err := anyValue(body)
	values, _ := url.ParseQuery(strings.TrimSpace(string(body)))
	return func(path string) string {
		switch {
		case path == "":
			return ""
		case err == nil:
			return field(doc, path)
		}
		return values.Get(path)
	}
}

// oneOf tells whether a word is in a list, whatever its case; a word of the list
// that ends in * stands for all that begin so.
func oneOf(list []string, word string) bool {
	for _, one := range list {
		if begin, open := strings.CutSuffix(one, "*"); open && begin != "" {
			if len(word) >= len(begin) && strings.EqualFold(word[:len(begin)], begin) {
				return true
			}
		} else if strings.EqualFold(one, word) && word != "" {
			return true
		}
	}
	return false
}
