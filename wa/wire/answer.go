package wire

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tickwatch/wa"
)

const (
	// LongestRest bounds what Retry-After is believed to ask for.
	LongestRest = 24 * time.Hour

	// maxText bounds a foreign text that goes into an error, in characters.
	maxText = 300
)

// Shown is a foreign text as others may see it: clean, short, without the secrets.
func (ans *Answer) Shown(text string) string { return Shown(text, ans.Secrets...) }

// Shown is a foreign text as others may see it: clean, at most 300 characters long,
// and without the secrets.
func Shown(text string, secrets ...wa.Secret) string {
	text = wa.Clean(text) // first: what it drops may stand between a secret's letters
	for _, s := range secrets {
		if !s.Empty() {
			text = strings.ReplaceAll(text, s.Reveal(), "***")
		}
	}
	if utf8.RuneCountInString(text) > maxText {
		text = string([]rune(text)[:maxText-1]) + "…"
	}
	return text
}

// RetryAfter is how long the answer asks to wait, in seconds or until a date; 0
// where it does not say. A date is measured by the answer's own clock.
func (ans *Answer) RetryAfter() time.Duration {
	value := strings.TrimSpace(ans.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) {
			return 0
		}
		return time.Duration(min(seconds, LongestRest.Seconds()) * float64(time.Second))
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now := ans.At
	if said, err := http.ParseTime(ans.Header.Get("Date")); err == nil {
		now = said
	}
	return min(max(until.Sub(now), 0), LongestRest)
}
