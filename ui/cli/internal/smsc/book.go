package smsc

import (
	"slices"
	"time"
)

// Message is a text that the centre took for a phone.
type Message struct {
	From, To string // E.164 with the plus, where it came as an international number
	Text     string // as far as it is there
	Coding   Coding
	Parts    []Part // those that came, in the text's order
	Of       int    // how many there are
	At       time.Time
}

// Whole says whether all parts came.
func (m *Message) Whole() bool { return len(m.Parts) == m.Of }

// Part is one short message of a text.
type Part struct {
	ID     string // the centre's name for it
	Number int    // from 1 on
	Text   string // by itself
	Units  int    // septets or UTF-16 code units, without its header
	Asked  bool   // a receipt was asked for

	units []byte
}

// book is the log of what was taken, and of what was tried. Its owner guards it.
type book struct {
	taken    int // parts
	messages []*Message
	open     map[series]*Message // of which parts are missing
	attempts map[string]int      // by number, whatever the answer was
}

// series tells the parts of one message from those of others.
type series struct {
	from, to      string
	coding        Coding
	reference, of int
}

func newBook() book {
	return book{open: map[series]*Message{}, attempts: map[string]int{}}
}

// take notes a part. One that comes again before its message is whole begins
// another message: that it came twice must show.
func (b *book) take(from, to string, coding Coding, at place, p Part, now time.Time) {
	key := series{from, to, coding, at.reference, at.of}
	m := b.open[key]
	if m == nil || slices.ContainsFunc(m.Parts, func(have Part) bool { return have.Number == p.Number }) {
		m = &Message{From: from, To: to, Coding: coding, Of: at.of}
		b.messages = append(b.messages, m)
		b.open[key] = m
	}
	m.Parts = append(m.Parts, p)
	slices.SortFunc(m.Parts, func(x, y Part) int { return x.Number - y.Number })
	m.At = now
	// A character may have been cut in two by its sender: all parts are decoded as one.
	var units []byte
	for _, p := range m.Parts {
		units = append(units, p.units...)
	}
	m.Text = coding.decode(units)
	if m.Whole() {
		delete(b.open, key)
	}
}

// sent is a copy of all messages, in the order of their first parts.
func (b *book) sent() []Message {
	messages := make([]Message, len(b.messages))
	for i, m := range b.messages {
		messages[i] = *m
		messages[i].Parts = slices.Clone(m.Parts)
	}
	return messages
}
