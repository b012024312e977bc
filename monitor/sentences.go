package monitor

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// sentences turns notices into events. Words of Meta's that tickwatch does not
// know are in them as they came, cleaned.
func sentences(news []store.Notice) []link.Event {
	out := make([]link.Event, 0, len(news))
	for i := range news {
		n := &news[i]
		for _, e := range sentencesOf(n) {
			if e.At.IsZero() {
				e.At = n.At.Time()
			}
			e.Text = wa.Clean(e.Text)
			out = append(out, e)
		}
	}
	return out
}

func sentencesOf(n *store.Notice) []link.Event {
	one := func(kind, text string) []link.Event { return []link.Event{{Kind: kind, Text: text}} }
	switch u := n.News.(type) {
	case wa.TemplateUpdate:
		return templateSentences(&u)
	case wa.TemplateEdit:
		return one(link.EventTemplate, templateName(u.Name, u.Language, u.ID)+": text edited"+quoted(u.Body))
	case wa.NumberUpdate:
		return one(link.EventNumber, phoneNumber(u.Display)+": "+limitSentence(&u))
	case wa.NameUpdate:
		text := fmt.Sprintf("%s: name “%s” %s", phoneNumber(u.Display), excerpt(u.Name), plainWord(u.Decision))
		return one(link.EventNumber, text+bracketed(u.Reason))
	case wa.SecurityUpdate:
		return one(link.EventNumber, phoneNumber(u.Display)+": "+securityWords(u.Event))
	case wa.CapabilityUpdate:
		return one(link.EventAccount, capabilityWords(&u))
	case wa.AccountUpdate:
		return accountSentences(&u)
	case wa.AccountAlert:
		text := strings.ToLower(cmp.Or(u.Severity, "alert")) + ": " + alertText(&u)
		if u.Status == "NONE" {
			text = "no longer so: " + alertText(&u)
		}
		return one(link.EventAccount, text)
	case wa.Fault:
		return one(link.EventAccount, faultText(&u))
	case wa.Changed:
		return one(changedKind(&u), changedWords(&u))
	}
	return nil
}

func templateSentences(u *wa.TemplateUpdate) (out []link.Event) {
	name := templateName(u.Name, u.Language, u.ID) + ": "
	add := func(text string, until wa.Instant) {
		out = append(out, link.Event{Kind: link.EventTemplate, Text: name + text, Until: moment(until)})
	}
	if u.Event != "" {
		why := cmp.Or(u.InfoDescription, plainTitle(u.InfoTitle), u.Rejection)
		if why == "" && u.Reason != "NONE" {
			why = u.Reason
		}
		text := "status " + u.Event + bracketed(why)
		if u.Recommendation != "" {
			text += " Meta advises: " + excerpt(u.Recommendation)
		}
		if u.DisableAt != 0 {
			text += ", as of " + u.DisableAt.Time().Format("2 January 2006")
		}
		add(text, wa.Template{}.With(*u).PausedUntil)
	}
	if u.Quality != "" {
		text := "quality " + string(u.Quality)
		if u.PreviousQuality != "" {
			text += ", was " + string(u.PreviousQuality)
		}
		add(text, 0)
	}
	switch {
	case u.NextCategory != "":
		text := "Meta will change the category from " + cmp.Or(u.Category, "the present one") + " to " + u.NextCategory
		if u.NextCategoryAt != 0 {
			text += " on " + u.NextCategoryAt.Time().Format("2 January 2006")
		}
		add(text, 0)
	case u.PreviousCategory != "":
		add("category "+u.Category+", was "+u.PreviousCategory, 0)
	case u.Event == "" && u.Quality == "" && u.Category != "":
		add("category "+u.Category, 0)
	}
	return out
}

func accountSentences(u *wa.AccountUpdate) (out []link.Event) {
	add := func(text string, until wa.Instant) {
		out = append(out, link.Event{Kind: link.EventAccount, Text: text, Until: moment(until)})
	}
	switch u.Event {
	case "":
		add("review "+plainWord(u.Decision), 0)
	case "ACCOUNT_RESTRICTION":
		for i := range u.Restrictions {
			add(restricted(&u.Restrictions[i]).text, u.Restrictions[i].Expires)
		}
		if len(u.Restrictions) == 0 {
			add("no restriction any more", 0)
		}
	case "DISABLED_UPDATE":
		add(cmp.Or(banned(u.BanState, u.BanDate).text, "Meta lets the WhatsApp account be used again"), 0)
	case "ACCOUNT_VIOLATION":
		add("broke Meta's policy: "+cmp.Or(u.Violation, "no reason told"), 0)
	default:
		text := cmp.Or(eventWords[u.Event], u.Event)
		for _, f := range u.Facts[:min(len(u.Facts), 4)] {
			key := f.Key[strings.LastIndexByte(f.Key, '.')+1:]
			text += ", " + key + " " + f.Value
		}
		add(text, 0)
	}
	return out
}

// eventWords are the account's events that need no more than words.
var eventWords = map[string]string{
	"ACCOUNT_DELETED": "the WhatsApp account is deleted", "ACCOUNT_OFFBOARDED": "the WhatsApp account left the platform",
	"ACCOUNT_RECONNECTED": "the WhatsApp account is connected again",
}

func limitSentence(u *wa.NumberUpdate) string {
	text := limitWords(u.Limit)
	if u.OldLimit != "" && u.OldLimit != u.Limit {
		text += ", was " + strings.TrimPrefix(limitWords(u.OldLimit), "limit ")
	}
	if u.Limit == "" {
		text = "news of its standing"
	}
	return text + bracketed(u.Event)
}

func limitWords(l wa.Limit) string {
	if n, ok := l.People(); ok {
		return "limit " + count(int64(n)) + " people in 24 h"
	}
	if l == "TIER_UNLIMITED" {
		return "limit lifted: any number of people in 24 h"
	}
	return "limit " + string(l)
}

func capabilityWords(u *wa.CapabilityUpdate) string {
	var parts []string
	if u.Limit != "" {
		parts = append(parts, limitWords(u.Limit)+" for all its numbers")
	}
	if u.NumberLimit != "" {
		parts = append(parts, limitWords(u.NumberLimit)+" for each number")
	}
	if u.MaxNumbers > 0 {
		parts = append(parts, "at most "+count(u.MaxNumbers)+" numbers")
	}
	return strings.Join(parts, ", ")
}

func securityWords(event string) string {
	switch event {
	case "PIN_CHANGED":
		return "its PIN was changed"
	case "PIN_RESET_REQUEST":
		return "somebody asks to reset its PIN"
	case "PIN_RESET_SUCCESS":
		return "its PIN was reset"
	}
	return "security: " + event
}

// plainTitle spells the titles that Meta gives a pause.
func plainTitle(title string) string {
	switch title {
	case "FIRST_PAUSE":
		return "first pause"
	case "SECOND_PAUSE":
		return "second pause"
	case "RATE_LIMITING_PAUSE":
		return "paused for its rate"
	}
	return title
}

// plainWord writes a known decision as a word, and any other as it came.
func plainWord(decision string) string {
	switch decision {
	case "APPROVED", "REJECTED", "PENDING", "DEFERRED":
		return strings.ToLower(decision)
	}
	return decision
}

func templateName(name, language string, id int64) string {
	if name == "" {
		return fmt.Sprintf("Template %d", id)
	}
	return name + "/" + strings.ReplaceAll(language, "-", "_")
}

func phoneNumber(shown string) string { return cmp.Or(display(wa.Digits(shown)), "A number") }

func bracketed(s string) string {
	if s == "" {
		return ""
	}
	return " (" + excerpt(s) + ")"
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return ": “" + excerpt(s) + "”"
}

// excerpt bounds a foreign text inside a sentence.
func excerpt(s string) string {
	const most = 160
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// lowerFirst lets a sentence follow a colon, unless it begins with a name.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if strings.Contains(s, ": ") || !unicode.IsUpper(r) {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

// lasted prints how long something stood, coarsely.
func lasted(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(int(d.Seconds()), 0))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
