package wa

import (
	"cmp"
	"strconv"
	"time"
)

// RejectedColumns are the columns of the rejected list, in the order and the
// spelling that Bird's guide to WhatsApp reporting gives them
// (https://bird.com/blog/whatsapp-api-reporting-sms-voice-fallback).
var RejectedColumns = []string{"Time", "Message_From", "Message_To", "Status", "Description"}

// Words in the column Status. Bird's guide knows only rejected; what Meta took and
// then could not deliver goes by Meta's own word.
const (
	RejectedAtOnce = "rejected" // the API refused the message
	RejectedLater  = "failed"   // Meta took it and gave up on it
)

// Rejected is a message that failed or was refused, and of which nothing shows
// that it arrived all the same.
type Rejected struct {
	At      Instant // of the failure, or of the refusal
	From    string  // sending number, digits; "" where no webhook named it
	FromID  string  // its phone_number_id, which stands in then
	To      string  // digits; "" where WhatsApp keeps the number from us
	BSUID   string  // stands in for To
	Refused bool    // at once
	Code    int     // of the latest failure
	Title   string  // of the code, by Meta's webhooks; foreign, may be empty
	Details string  // Meta's words on this failure; foreign, may be empty
}

// Cells are the row of the rejected list, by RejectedColumns: clean, with Time in
// UTC as RFC 3339 and numbers in E.164 with the plus.
func (r *Rejected) Cells() []string {
	status := RejectedLater
	if r.Refused {
		status = RejectedAtOnce
	}
	return []string{r.At.Text(), Clean(cmp.Or(E164(r.From), r.FromID)), Clean(cmp.Or(E164(r.To), r.BSUID)), status, r.description()}
}

// description is the code, its title and Meta's details, as far as they are known.
func (r *Rejected) description() string {
	text := strconv.Itoa(r.Code) + " " + Explain(r.Code, r.Title).Title
	if details := Clean(r.Details); details != "" {
		text += ": " + details
	}
	return text
}

// E164 puts the plus before the digits of a phone number; "" stays "".
func E164(digits string) string {
	if digits == "" {
		return ""
	}
	return "+" + digits
}

// Text is the moment in UTC as RFC 3339, in seconds; "" when it is not known.
func (i Instant) Text() string {
	if i == 0 {
		return ""
	}
	return i.Time().Format(time.RFC3339)
}
