// Package wa is the vocabulary of the WhatsApp Business Platform as tickwatch
// speaks it: statuses and how they climb, templates, numbers, quality, limits,
// the error catalogue, and what one webhook can tell.
//
// Everything here is a plain value. The package imports the standard library
// only, starts nothing, reads no clock and touches no file, so every other
// package may use it. Enumerations are open: Meta adds values without notice,
// so a value that is not known is kept and shown as it came, never dropped.
package wa

import (
	"math"
	"strings"
	"time"
)

// Instant is a moment in milliseconds since the Unix epoch, UTC. Zero means
// that the moment is not known. Meta's own timestamps have a resolution of one
// second; receipt times have one of a millisecond.
type Instant int64

// Never is an Instant that does not come.
const Never Instant = math.MaxInt64

// At turns a time into an Instant; the zero time becomes the unknown Instant.
func At(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMilli())
}

// Time is the moment in UTC; the zero time when it is not known.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(i)).UTC()
}

// Digits are the decimal digits of a phone number in any spelling.
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// Second is the moment in whole seconds since the Unix epoch.
func (i Instant) Second() int64 { return int64(i) / 1000 }

// Sub is the span from earlier to i.
func (i Instant) Sub(earlier Instant) time.Duration {
	return time.Duration(i-earlier) * time.Millisecond
}

// OldestBelieved is how far before its receipt an event may say it happened.
// A template lives up to 30 days before Meta drops it, and Meta retries a
// webhook for up to 7 (whatsapp.md §1, §4).
const OldestBelieved = 37 * 24 * time.Hour

// Believe judges a provider's timestamp against the moment of its receipt. A
// timestamp that is absent, negative, later than its receipt (which is what
// milliseconds read as seconds look like) or absurdly old is not believed, and
// the receipt stands for it.
func Believe(said, received Instant) Instant {
	if said <= 0 || said > received || received-said > Instant(OldestBelieved.Milliseconds()) {
		return received
	}
	return said
}
