package graph

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tickwatch/wa"
)

// longestRest bounds what Retry-After is believed to ask for.
const longestRest = 24 * time.Hour

// refusal is the Graph error that the answer holds; nil when it holds none. HTTP
// 401 and 429 are one whatever the rest is: a server before the Graph API gives
// them too, and of both the status says all. broken tells that the answer did not
// come whole, so that its body proves nothing.
func (ans *answer) refusal(broken error) *wa.Refusal {
	r := &wa.Refusal{HTTP: ans.status, RetryAfter: ans.retryAfter()}
	if broken == nil && ans.graphError(r) {
		return r
	}
	switch ans.status {
	case http.StatusUnauthorized:
		r.Message = "the access token is not accepted (HTTP 401)"
	case http.StatusTooManyRequests:
		r.Message = "too many requests (HTTP 429)"
	default:
		return nil
	}
	return r
}

// graphError reads {"error":{…}} (whatsapp.md §3.3); false when there is none with
// a code. Fields of another type than expected are as if they were not there.
func (ans *answer) graphError(r *wa.Refusal) bool {
	e := ans.errorMember()
	code, ok := integer(e["code"])
	if !ok {
		return false
	}
	r.Code = code
	r.Subcode, _ = integer(e["error_subcode"])
	r.Message = ans.shown(text(e["message"]))
	var data map[string]json.RawMessage
	if json.Unmarshal(e["error_data"], &data) == nil {
		r.Details = ans.shown(text(data["details"]))
	}
	if r.Details == "" {
		r.Details = ans.shown(text(e["error_user_msg"]))
	}
	return true
}

func (ans *answer) errorMember() map[string]json.RawMessage {
	var top, e map[string]json.RawMessage
	if json.Unmarshal(ans.body, &top) != nil || json.Unmarshal(top["error"], &e) != nil {
		return nil
	}
	return e
}

// trace is the id under which Meta's support finds the request; "" = none.
func (ans *answer) trace() string { return ans.shown(text(ans.errorMember()["fbtrace_id"])) }

// retryAfter is how long the answer asks to wait, in seconds or until a date; 0
// where it does not say. A date is measured by the answer's own clock.
func (ans *answer) retryAfter() time.Duration {
	value := strings.TrimSpace(ans.header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) {
			return 0
		}
		return time.Duration(min(seconds, longestRest.Seconds()) * float64(time.Second))
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now := ans.at
	if said, err := http.ParseTime(ans.header.Get("Date")); err == nil {
		now = said
	}
	return min(max(until.Sub(now), 0), longestRest)
}

// text is a JSON text; "" for anything else.
func text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// printed is a JSON text or number as it reads; "" for anything else.
func printed(raw json.RawMessage) string {
	if s := text(raw); s != "" {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) != nil {
		return ""
	}
	return n.String()
}

// integer is a whole JSON number, also one in quotes.
func integer(raw json.RawMessage) (int, bool) {
	n, err := strconv.Atoi(printed(raw))
	return n, err == nil
}
