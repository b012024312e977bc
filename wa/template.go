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
	Since       Instant // newest news of status or quality
	StatusAt    Instant // newest news of status; 0 = Since, where there is a status
	QualityAt   Instant // newest news of quality; 0 = Since, where there is a quality
	CategoryAt  Instant // newest news of category; 0 = that of status, where there is a category
}

// Pauses that Meta lays on a template of poor quality: three hours, then six,
// then it is disabled (whatsapp.md §4).
const (
	firstPause  = 3 * time.Hour
	secondPause = 6 * time.Hour
)

// With is the template after an update, whose At must be known (see Believe).
// Fields that the update does not carry stay as they were. Status, quality and
// category come by different webhooks and overtake each other, so each has its own
// clock: an update older than what is known of its own kind changes nothing but
// fills what was empty. Of two in the same second the later call counts.
func (t Template) With(u TemplateUpdate) Template {
	statusAt := clockOf(t.StatusAt, t.Since, t.Status != "")
	qualityAt := clockOf(t.QualityAt, t.Since, t.Quality != "")
	categoryAt := clockOf(t.CategoryAt, clockOf(t.StatusAt, t.Since, true), t.Category != "")
	t = t.filled(u)
	if u.Category != "" && u.At >= categoryAt {
		t.Category, t.CategoryAt = u.Category, u.At
	}
	if u.Event != "" && u.At >= statusAt {
		t.StatusAt = u.At
		t = t.withStatus(u)
	}
	if u.Quality != "" && u.At >= qualityAt {
		t.Quality, t.QualityAt = u.Quality, u.At
	}
	t.Since = max(t.Since, u.At)
	return t
}

// Answered is the template after a poll. A word that a webhook has told later
// stands; what is confirmed is as new as the poll, and no news.
func (t Template) Answered(p *PolledTemplate, word Instant) Template {
	t = t.filled(TemplateUpdate{ID: p.ID, Name: p.Name, Language: p.Language})
	u := TemplateUpdate{At: word}
	if p.Category != "" && word >= clockOf(t.CategoryAt, t.Since, t.Category != "") {
		if u.Category = p.Category; p.Category == t.Category {
			t.CategoryAt, u.Category = word, ""
		}
	}
	if p.Quality != "" && word >= clockOf(t.QualityAt, t.Since, t.Quality != "") {
		if u.Quality = p.Quality; p.Quality == t.Quality {
			t.QualityAt, u.Quality = word, ""
		}
	}
	if p.Status != "" && word >= clockOf(t.StatusAt, t.Since, t.Status != "") {
		// Meta calls a template that it has flagged approved still.
		if u.Event = p.Status; p.Status == t.Status || t.Status == "FLAGGED" && p.Status == StatusApproved {
			t.StatusAt, u.Event = word, ""
		}
	}
	if u.Category == "" && u.Quality == "" && u.Event == "" {
		return t
	}
	return t.With(u)
}

// clockOf is the moment of the newest news of one kind. A value that was kept
// without a clock of its own counts as old as everything kept with it.
func clockOf(own, since Instant, known bool) Instant {
	if own == 0 && known {
		return since
	}
	return own
}

func (t Template) withStatus(u TemplateUpdate) Template {
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

// filled takes from an update what never changes, and what is still empty.
func (t Template) filled(u TemplateUpdate) Template {
	if t.ID == 0 {
		t.ID = u.ID
	}
	if t.Name == "" {
		t.Name = u.Name
	}
	if t.Language == "" {
		// Meta writes both en-US and en_US; the send API takes the underscore.
		t.Language = strings.ReplaceAll(u.Language, "-", "_")
	}
	return t
}

// Number is the newest that is known of one business phone number.
type Number struct {
	ID       string // phone_number_id; "" until a message webhook names it
	Display  string // digits as Meta shows them
	Quality  Quality
	Status   string // CONNECTED, FLAGGED, …; open; "" = never told
	Limit    Limit
	Since    Instant // newest news of any of it
	StatusAt Instant // newest news of status; 0 = Since, where there is a status
	LimitAt  Instant // newest news of limit; 0 = Since, where there is a limit

	Throughput float64 // messages a second, in and out together; 0 = never told
	QualityAt  Instant // newest news of quality, which polls alone tell
}

// With is the number after an update, whose At must be known (see Believe).
// Status and limit each keep the newest that was said of them, whatever the order.
func (n Number) With(u NumberUpdate) Number {
	statusAt := clockOf(n.StatusAt, n.Since, n.Status != "")
	limitAt := clockOf(n.LimitAt, n.Since, n.Limit != "")
	if u.Limit != "" && u.At >= limitAt {
		n.Limit, n.LimitAt = u.Limit, u.At
	}
	if s := statusOf(u.Event); s != "" && u.At >= statusAt {
		n.Status, n.StatusAt = s, u.At
	}
	n.Since = max(n.Since, u.At)
	return n
}

// Answered is the number after a poll. A word that a webhook has told later stands;
// what is confirmed is as new as the poll, and no news.
func (n Number) Answered(p *PolledNumber, word Instant) Number {
	was := n
	if p.Quality != "" && word >= n.QualityAt {
		n.Quality, n.QualityAt = p.Quality, word
	}
	if p.Status != "" && word >= clockOf(n.StatusAt, n.Since, n.Status != "") {
		n.Status, n.StatusAt = p.Status, word
	}
	if p.Limit != "" && word >= clockOf(n.LimitAt, n.Since, n.Limit != "") {
		n.Limit, n.LimitAt = p.Limit, word
	}
	if p.Throughput > 0 {
		n.Throughput = p.Throughput
	}
	if n.Quality != was.Quality || n.Status != was.Status || n.Limit != was.Limit || n.Throughput != was.Throughput {
		n.Since = max(n.Since, word)
	}
	return n
}

func statusOf(event string) string {
	switch event {
	case "FLAGGED":
		return "FLAGGED"
	case "UNFLAGGED":
		return "CONNECTED"
	}
	return ""
}
