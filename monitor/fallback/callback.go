package fallback

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tickwatch/wa"
)

// ok is the answer of those who look at its status only.
var ok = Response{Status: http.StatusOK}

// maxWords bounds a foreign text of a callback, in characters.
const maxWords = 300

// target is what the path of a callback names: an attempt, or Reply.
func (l *line) target(r *http.Request) (a wa.FallbackAttempt, reply, known bool) {
	return targetOf(r, l.channel)
}

func targetOf(r *http.Request, channel string) (a wa.FallbackAttempt, reply, known bool) {
	_, last, found := strings.Cut(r.URL.Path, Path+channel+"/")
	if !found {
		return a, false, false
	}
	if last == Reply {
		return a, true, true
	}
	a, known = wa.ParseFallbackAttempt(last)
	return a, false, known
}

// signedURL is the address that the provider called, as it knows it: the public one,
// whatever a proxy made of it.
func (l *line) signedURL(r *http.Request) string {
	path := r.URL.EscapedPath()
	if i := strings.Index(path, Path); i >= 0 {
		path = path[i:]
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		path += "?" + r.URL.RawQuery
	}
	return l.public + path
}

// notUnderstood wraps ErrNotUnderstood with what is odd.
func notUnderstood(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotUnderstood, brief(fmt.Sprintf(format, args...)))
}

// brief is a foreign text as others may see it.
func brief(s string) string {
	s = strings.TrimSpace(wa.Clean(s))
	if utf8.RuneCountInString(s) > maxWords {
		s = string([]rune(s)[:maxWords-1]) + "…"
	}
	return s
}

// e164 is a phone number of a provider with its plus. What is no full number, such
// as a short code, a name or a national number (no country's code begins with 0),
// stays as it came, without a plus.
func e164(s string) string {
	s = strings.TrimSpace(wa.Clean(s))
	s = strings.TrimPrefix(s, "+")
	digits := strings.TrimPrefix(s, "00")
	const shortest, longest = 7, 15
	if strings.Trim(digits, "0123456789") == "" && len(digits) >= shortest && len(digits) <= longest && digits[0] != '0' {
		return "+" + digits
	}
	return s
}

// form reads a form of a body, or the query of a request without one.
func form(r *http.Request, body []byte) (url.Values, error) {
	if r.Method == http.MethodGet || len(body) == 0 {
		return url.ParseQuery(r.URL.RawQuery)
	}
	return url.ParseQuery(string(body))
}

// isJSON tells that a body is said to be JSON.
func isJSON(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// anyValue reads one JSON document, numbers as they are written.
func anyValue(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("something follows the document")
	}
	return v, nil
}

// field is the text or number at a path of names and indexes in JSON; "" where there
// is none.
func field(v any, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(in) {
				return ""
			}
			v = in[i]
		default:
			return ""
		}
	}
	return scalar(v)
}

// scalar is a JSON text, number or truth as it reads; "" for anything else.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// instant reads a moment that a provider wrote: seconds since 1970, RFC 3339 or
// RFC 1123; 0 for anything else.
func instant(s string) wa.Instant {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		const latest = 1 << 33 // seconds: the year 2242
		if n <= 0 || n > latest {
			return 0
		}
		return wa.At(time.Unix(n, 0))
	}
	for _, layout := range []string{time.RFC3339Nano, time.RFC1123Z, time.RFC1123, time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil && t.Unix() > 0 {
			return wa.At(t)
		}
	}
	return 0
}

// count reads a whole number from 1 to 255, the parts that an SMS can have; 0 for
// anything else.
func count(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 255 {
		return 0
	}
	return n
}

// amount reads a price that a provider wrote; 0 for anything else. Some write what
// they take with a minus.
func amount(s string) float64 {
	const most = 1e6
	f, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(s), "-"), 64)
	if err != nil || !(f > 0 && f < most) {
		return 0
	}
	return f
}

// currencyOf is an ISO 4217 code; "" for anything else.
func currencyOf(s string) string {
	if s = strings.ToUpper(strings.TrimSpace(s)); currencyForm.MatchString(s) {
		return s
	}
	return ""
}
