package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"tickwatch/wa"
)

// errorTexts are the title and the details that Meta gives with a failure.
var errorTexts = map[int][2]string{
	4:      {"Application request limit reached", "The app has reached its API call rate limit."},
	190:    {"Invalid OAuth access token - Cannot parse access token", ""},
	368:    {"Temporarily blocked for policies violations", "The WhatsApp Business Account associated with the app has been restricted or disabled for violating a platform policy."},
	80007:  {"Rate limit issues", "The WhatsApp Business Account has reached its rate limit."},
	130429: {"Rate limit hit", "Message failed to send because there were too many messages sent from this phone number in a short period of time"},
	131000: {"Something went wrong", "Message failed to send due to an unknown error."},
	131016: {"Service unavailable", "A service is temporarily unavailable."},
	131031: {"Account has been locked", "Business Account locked"},
	131042: {"Business eligibility payment issue", "Message failed to send because there were one or more errors related to your payment method."},
	131048: {"Spam rate limit hit", "Message failed to send because there are restrictions on how many messages can be sent from this phone number."},
	131056: {"(Business Account, Consumer Account) pair rate limit hit", "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time"},
	132007: {"Template format character policy violated", "Template content violates a WhatsApp policy."},
	132015: {"Template is paused", "The template is paused due to low quality"},
	132016: {"Template is disabled", "The template was paused too many times"},
	130472: {"User's number is part of an experiment", "Failed to send message because this user's phone number is part of an experiment"},
	131026: {"Message undeliverable", "Message Undeliverable."},
	131049: {"Meta chose not to deliver", "In order to maintain a healthy ecosystem engagement, the message failed to be delivered."},
	131050: {"User has stopped receipt of marketing messages", "The recipient has chosen to stop receiving marketing messages from this business"},
	131053: {"Media upload error", "Downloading media from weblink failed with http code 404, status message Not Found"},
}

// errorText is the title and the details of a code; the catalogue's where no
// other is known here.
func errorText(code int) (title, details string) {
	if t, ok := errorTexts[code]; ok {
		return t[0], t[1]
	}
	if e, ok := wa.LookUp(code); ok {
		return e.Title, e.Cause
	}
	return "Unknown error", "Unknown error."
}

func errorOf(code int) errorItem {
	title, details := errorText(code)
	return errorItem{
		Code: code, Title: title, Message: title, Data: errorDetail{details},
		Href: "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
	}
}

// graphError is an error as the Graph API words it (whatsapp.md §3.3).
type graphError struct {
	status  int // 0 means 400
	code    int
	subcode int
	message string
	details string

	retryAfter time.Duration // header, in whole seconds; 0 for none
	bare       bool          // no JSON at all, as from a machine in front of the API
}

func (e *graphError) write(w http.ResponseWriter) {
	if e.retryAfter > 0 {
		seconds := (e.retryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	if e.bare {
		writeSorry(w, e.status)
		return
	}
	body := map[string]any{
		"message":    fmt.Sprintf("(#%d) %s", e.code, e.message),
		"type":       "OAuthException",
		"code":       e.code,
		"fbtrace_id": "Astandinformeta0000000A",
	}
	if e.subcode != 0 {
		body["error_subcode"], body["type"] = e.subcode, "GraphMethodException"
	}
	if e.details != "" {
		body["error_data"] = map[string]string{"messaging_product": "whatsapp", "details": e.details}
	}
	status := e.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	writeJSON(w, status, map[string]any{"error": body})
}

// writeSorry answers as a machine in front of an API does.
func writeSorry(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<html><body>Sorry, something went wrong.</body></html>\n")
}

func noSuchNode(id string) *graphError {
	return &graphError{code: 100, subcode: 33, message: "Unsupported request. Object with ID '" + id +
		"' does not exist, cannot be loaded due to missing permissions, or does not support this operation"}
}

// refuse gives the error of a code, in its usual words.
func refuse(code int) *graphError {
	title, details := errorText(code)
	return &graphError{code: code, message: title, details: details}
}

func invalid(details string) *graphError {
	return &graphError{code: 100, message: "Invalid parameter", details: details}
}

func missing(details string) *graphError {
	return &graphError{code: 131008, message: "Required parameter is missing", details: details}
}

func miscounted(part string, given, wanted int) *graphError {
	return &graphError{
		code: codeCount, message: "Number of parameters does not match the expected number of params",
		details: fmt.Sprintf("%s: number of localizable_params (%d) does not match the expected number of params (%d)", part, given, wanted),
	}
}

func mismatched(details string) *graphError {
	return &graphError{code: codeKind, message: "Parameter format does not match format in the created template", details: details}
}
