package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"

	"tickwatch/wa"
)

// Item is one alarm of a message, and why it is in it.
type Item struct {
	Alarm
	Change Change
}

// Message is what people are told at a time.
type Message struct {
	Items []Item
	Test  bool // it is there to see whether it arrives
	At    time.Time
	Zone  *time.Location // of its times; nil = the machine's
}

const (
	mostItems = 10  // that a message spells out
	mostText  = 400 // runes of one text within it
)

// Title is the message in a few words.
func (m *Message) Title() string {
	switch {
	case m.Test:
		return "tickwatch: a test"
	case len(m.Items) == 1:
		i := &m.Items[0]
		return i.word() + " " + i.about()
	}
	var parts []string
	for _, w := range []string{"ACT", "WATCH", "Cleared"} {
		n := 0
		for i := range m.Items {
			if strings.HasPrefix(m.Items[i].word(), w) {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, w))
		}
	}
	return fmt.Sprintf("tickwatch: %d alarms, %s", len(m.Items), strings.Join(parts, ", "))
}

// Text is the message for people: what, since when, what to do, and which key or
// command helps.
func (m *Message) Text() string {
	if m.Test {
		return "This is a test from tickwatch. Nothing is wrong: alarms will arrive here."
	}
	var parts []string
	for i := range m.Items[:min(len(m.Items), mostItems)] {
		parts = append(parts, m.item(&m.Items[i]))
	}
	if more := len(m.Items) - mostItems; more > 0 {
		parts = append(parts, fmt.Sprintf("And %d more: tickwatch status lists them.", more))
	}
	return strings.Join(parts, "\n\n")
}

func (m *Message) item(i *Item) string {
	lines := []string{i.word() + " " + i.about() + ": " + plainText(i.Text)}
	if i.Change == Cleared {
		return strings.Join(append(lines, fmt.Sprintf("It stood from %s to %s.", m.clock(i.RaisedAt), m.clock(i.ClearedAt))), "\n")
	}
	since := "Since " + m.clock(i.RaisedAt) + "."
	if i.Change == Grown {
		since = fmt.Sprintf("Watched since %s, to act on since %s.", m.clock(i.RaisedAt), m.clock(i.ActedAt))
	}
	lines = append(lines, since)
	if i.Paused != "" {
		lines = append(lines, plainText(i.Paused))
	}
	if i.Advice != "" {
		lines = append(lines, "What to do: "+plainText(i.Advice))
	}
	key, command := i.help()
	return strings.Join(append(lines, key+" From a shell: "+command), "\n")
}

// word says how bad it is.
func (i *Item) word() string {
	word := "WATCH"
	if i.Severity == Act {
		word = "ACT"
	}
	switch i.Change {
	case Cleared:
		return "Cleared:"
	case Still:
		return word + ", still,"
	}
	return word
}

// about names what the alarm is about: the campaign, else its kind.
func (i *Item) about() string {
	if i.Campaign == "" {
		return kindWords[i.Kind]
	}
	return plainText(cmp.Or(i.Name, i.Campaign))
}

var kindWords = map[string]string{
	"delivery": "delivery", "withheld": "delivery", "reports": "opt-outs and reports", "quality": "quality",
	"template": "template", "feed": "the webhooks", "callbacks": "the webhooks", "host": "this machine", "account": "the account",
	"limit": "limit", "list": "list",
}

// help is the key of the console and the command that help with an alarm. Neither
// pauses where that would mend nothing, or is done.
func (i *Item) help() (key, command string) {
	const seen, look = "In the console k says that you have seen it.", "tickwatch status"
	switch template := i.Kind == "template" && i.Campaign == ""; {
	case template && i.Pauses:
		return "In the console t sends the rest with another template, and ! pauses everything.", "tickwatch pause"
	case template:
		return "In the console t sends the rest with another template.", look
	case i.Kind == "feed", i.Kind == "host", i.Kind == "callbacks", i.Kind == "list":
		return seen, "tickwatch doctor"
	case !i.Pauses:
		return seen, look
	case i.Campaign == "":
		return "In the console ! pauses everything.", "tickwatch pause"
	case i.External:
		return "In the console p asks for a pause where it is sent from.", "tickwatch pause " + shellWord(i.Campaign)
	}
	return "In the console p pauses it.", "tickwatch pause " + shellWord(i.Campaign)
}

var bareWord = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:-]*$`)

// shellWord writes a text so that a shell takes it for one word, whatever is in it.
func shellWord(s string) string {
	if s = wa.Clean(s); bareWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// longNumber is a phone number in a text, with blanks and the like between its digits
// where a plus says what it is; times and counts are none.
var longNumber = regexp.MustCompile(`\+[0-9](?:[ ().\-]{0,2}[0-9]){7,}|[0-9]{9,}`)

// plainText is a text as it may leave the house: clean, bounded, and without a
// whole phone number.
func plainText(s string) string {
	s = longNumber.ReplaceAllStringFunc(wa.Clean(s), func(number string) string { return wa.MaskPhone(wa.Digits(number)) })
	if r := []rune(s); len(r) > mostText {
		s = string(r[:mostText-1]) + "…"
	}
	return s
}

// clock writes a moment of today as people do, and of another day with its date.
func (m *Message) clock(i wa.Instant) string {
	zone := m.Zone
	if zone == nil {
		zone = time.Local
	}
	t, now := i.Time().In(zone), m.At.In(zone)
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04 MST")
	}
	return t.Format("2 Jan 15:04 MST")
}

// id names the message: it is the same when the same is sent again.
func (m *Message) id() string {
	sum := sha256.New()
	for i := range m.Items {
		a := &m.Items[i]
		_, _ = fmt.Fprintf(sum, "%d %d %s %d\n", a.ID, a.RaisedAt, a.Change, a.Woke)
	}
	if m.Test {
		_, _ = fmt.Fprintln(sum, m.At.UnixNano())
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
