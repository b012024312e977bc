package fallback

import (
	"net/http"
	"strings"

	"tickwatch/wa"
)

// Receive takes an opt-out by the link in a mail. A mail program, or the button of
// the page, posts to it (RFC 8058); what only opens the link, as scanners of mail
// do, changes nothing and gets the page.
func (m *mailer) Receive(r *http.Request, body []byte) (Received, error) {
	attempt, reply, known := targetOf(r, wa.ChannelEmail)
	if !known || reply {
		return Received{}, ErrSignature
	}
	if r.Method != http.MethodPost {
		return Received{Response: page(`<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">` +
			`<button>Send me no more e-mails</button></form>`)}, nil
	}
	got := Received{Response: page(`<p>You will get no more e-mails from us.</p>`)}
	if said := string(body); !strings.Contains(said, "List-Unsubscribe") || !strings.Contains(said, "One-Click") { // a form of either kind
		return got, notUnderstood("a post to an opt-out link that does not opt out")
	}
	got.OptedOut = []wa.FallbackAttempt{attempt}
	return got, nil
}

// page is an answer to a person.
func page(content string) Response {
	return Response{
		Status: http.StatusOK, ContentType: "text/html; charset=utf-8",
		Body: `<!doctype html><meta name="viewport" content="width=device-width"><title>E-mails</title>` + content,
	}
}
