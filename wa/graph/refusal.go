package graph

import (
	"encoding/json"
	"net/http"
	"strconv"

	"tickwatch/wa"
)

// refusal is the Graph error that the answer holds; nil when it holds none. HTTP
// 401 and 429 are one whatever the rest is: a server before the Graph API gives
// them too, and of both the status says all. broken tells that the answer did not
// come whole, so that its body proves nothing.
func (ans *answer) refusal(broken error) *wa.Refusal {
	r := &wa.Refusal{HTTP: ans.Status, RetryAfter: ans.RetryAfter()}
	if broken == nil && ans.graphError(r) {
		return r
	}
	switch ans.Status {
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
	r.Message = ans.Shown(text(e["message"]))
	var data map[string]json.RawMessage
	if json.Unmarshal(e["error_data"], &data) == nil {
		r.Details = ans.Shown(text(data["details"]))
	}
	if r.Details == "" {
		r.Details = ans.Shown(text(e["error_user_msg"]))
	}
	return true
}

func (ans *answer) errorMember() map[string]json.RawMessage {
	var top, e map[string]json.RawMessage
	if json.Unmarshal(ans.Body, &top) != nil || json.Unmarshal(top["error"], &e) != nil {
		return nil
	}
	return e
}

// trace is the id under which Meta's support finds the request; "" = none.
func (ans *answer) trace() string { return ans.Shown(text(ans.errorMember()["fbtrace_id"])) }

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
