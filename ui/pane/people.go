package pane

import (
	"math"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// whatPeopleDo says in a few lines what people do once a message has reached them,
// and how long they wait for an answer; nil while nobody has written.
func (l Look) whatPeopleDo(c *link.Campaign, w int) []string {
	e := c.Engagement
	if e == nil {
		return nil
	}
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	var way, labels []string
	for i := range e.Steps {
		s := &e.Steps[i]
		part := text(count(s.People))
		if s.Share != nil {
			part += dim(" " + percent(*s.Share, 0))
		}
		switch word := stepWords[s.Step]; {
		case s.Label != "":
			labels = append(labels, dim("\""+clip(s.Label, 24)+"\" ")+part)
		case word != "":
			way = append(way, dim(word+" ")+part)
		}
	}
	lines := []string{dim(clip("What people do, and the share of those that arrived", w))}
	lines = append(lines, firstLines(sayEach(way, w), 1)...)
	lines = append(lines, firstLines(sayEach(labels, w), 2)...)
	if s := answeredWords(e); s != "" {
		lines = append(lines, text(clip(s, w)))
	}
	if s := l.waitingWords(e); s != "" {
		lines = append(lines, text(clip(s, w)))
	}
	if n := len(e.PerMinute); n > 0 {
		values := floats(e.PerMinute)
		said := count(e.PerMinute[n-1]) + " this minute"
		if e.Spike != nil {
			said = spikeWords(e.Spike)
		}
		lines = append(lines, dim("replies a minute ")+l.Theme.Chart.Render(chart.Spark(values, 0, top(values), max(min(w-50, n), 0)))+"  "+text(said))
	}
	return lines
}

func firstLines(lines []string, n int) []string { return lines[:min(len(lines), n)] }

// stepWords are the steps that have no label.
var stepWords = map[string]string{
	link.StepRead: "read", "reply": "wrote back", "reaction": "reacted", "button": "pressed a button", "list": "chose from a list",
}

// answeredWords says how quickly the help desk answers; "" where nothing is known.
func answeredWords(e *link.Engagement) string {
	r := e.FirstResponseMS
	if e.Answered == nil || r == nil {
		return ""
	}
	s := percent(*e.Answered, 0) + " got an answer: half within " + wait(r.P50) + ", 95 in 100 within " + wait(r.P95)
	if e.MeanResponseMS != nil {
		s += ", mean " + wait(*e.MeanResponseMS)
	}
	return s
}

// wait prints milliseconds, rounded up: nobody waited less.
func wait(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d > 2*time.Hour:
		return span(d + time.Hour - 1)
	case d > time.Minute:
		return span(d + time.Minute - 1)
	}
	return span(d + time.Second - 1)
}

// waitingWords says who waits for an answer; "" when nobody does.
func (l Look) waitingWords(e *link.Engagement) string {
	if e.Unanswered == 0 {
		return ""
	}
	s := things(e.Unanswered, "person waits", "people wait") + " for an answer"
	if e.OldestUnansweredAt != nil {
		s += ", the first since " + l.clock(*e.OldestUnansweredAt)
	}
	return s
}

func spikeWords(s *link.Spike) string {
	return "up to " + count(s.PerMinute) + ", usually about " + count(int64(math.Round(s.Usual)))
}

// plainPeople is the same in a line or two of plain text.
func (l Look) plainPeople(e *link.Engagement) []string {
	if e == nil {
		return nil
	}
	line := "  People: " + count(e.People) + " wrote, pressed or reacted"
	if s := answeredWords(e); s != "" {
		line += "; " + s
	}
	if e.Spike != nil {
		line += "; many replies: " + spikeWords(e.Spike) + " a minute"
	}
	lines := []string{line}
	if s := l.waitingWords(e); s != "" {
		lines = append(lines, "    "+s)
	}
	return lines
}
