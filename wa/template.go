package wa

import (
	"strings"
	"time"
)

// Template is the newest that is known of one message template.
type Template struct {
	ID          int64
	Name        string
	Language    string
	Category    string  // MARKETING, UTILITY, AUTHENTICATION; open
	Status      string  // last status event: APPROVED, PAUSED, …; open
	Reason      string  // why, where Meta says so
	Quality     Quality // "" = never told
	PausedUntil Instant // 0 = not paused, or until someone lifts it
	Since       Instant // when status or quality last changed
}

// Pauses that Meta lays on a template of poor quality: three hours, then six,
// then it is disabled (whatsapp.md §4).
const (
	firstPause  = 3 * time.Hour
	secondPause = 6 * time.Hour
)

// With is the template after an update. Fields that the update does not carry
// stay as they were; an update older than what is known changes nothing but
// fills what was empty.
func (t Template) With(u TemplateUpdate) Template {
	if u.At < t.Since {
		return t.filled(u)
	}
	t.Since = u.At
	t = t.filled(u)
	if u.Category != "" {
		t.Category = u.Category
	}
	if u.Quality != "" {
		t.Quality = u.Quality
	}
	if u.Event == "" {
		return t
	}
	t.Status, t.Reason, t.PausedUntil = u.Event, u.InfoTitle, 0
	if t.Reason == "" && u.Reason != "NONE" {
		t.Reason = u.Reason
	}
	if u.Event == "PAUSED" {
		switch u.InfoTitle {
		case "FIRST_PAUSE":
			t.PausedUntil = u.At + Instant(firstPause.Milliseconds())
		case "SECOND_PAUSE":
			t.PausedUntil = u.At + Instant(secondPause.Milliseconds())
		}
	}
	return t
}

func (t Template) filled(u TemplateUpdate) Template {
	if t.Name == "" {
		t.Name = u.Name
	}
	if t.Language == "" {
		// Meta writes both en-US and en_US; the send API takes the underscore.
		t.Language = strings.ReplaceAll(u.Language, "-", "_")
	}
	if t.Category == "" {
		t.Category = u.Category
	}
	if t.Quality == "" {
		t.Quality = u.Quality
	}
	return t
}

// Number is the newest that is known of one business phone number.
type Number struct {
	ID      string // phone_number_id; "" until a message webhook names it
	Display string // digits as Meta shows them
	Quality Quality
	Status  string // CONNECTED, FLAGGED, …; open; "" = never told
	Limit   Limit
	Since   Instant // when any of it last changed
}

// With is the number after an update; an older update than what is known is ignored.
func (n Number) With(u NumberUpdate) Number {
	if u.At < n.Since {
		return n
	}
	n.Since = u.At
	if u.Limit != "" {
		n.Limit = u.Limit
	}
	switch u.Event {
	case "FLAGGED":
		n.Status = "FLAGGED"
	case "UNFLAGGED":
		n.Status = "CONNECTED"
	}
	return n
}
