package pane

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// Choices are the campaigns to choose from as a console holds them.
type Choices struct {
	Cards  []link.Card // in the order in which they are shown
	Known  int         // campaigns that fit the filter, shown or not; 0 = not told yet
	Filter string      // what was typed
	Input  string      // the drawn input line
	Note   string      // "loading…", or what went wrong
}

// Switcher lists the campaigns to choose from, each with its verdict and course,
// under the line that filters them.
func Switcher(l Look, s *link.Snapshot, ch *Choices, selected, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	lines := []string{ch.Input}
	if rows < 4 {
		lines = nil
	}
	head := len(lines)
	from, to := window(len(ch.Cards), rows-head, selected)
	names, longest := cardNames(ch.Cards), 0
	for _, shown := range names {
		longest = max(longest, ansi.StringWidth(shown))
	}
	longest = min(longest, max(inner-62, 10))
	for i := from; i < to; i++ {
		lines = append(lines, l.campaignRow(s, &ch.Cards[i], fit(names[i], longest), inner))
	}
	if len(ch.Cards) == 0 {
		lines = append(lines, l.Theme.Dim.Render(clip("No campaign has that in its name or id.", inner)))
		from, selected = 0, -1-head
	}
	return l.list("Campaigns", choicesNote(ch, from, to), lines, head+selected-from, w, h, true)
}

// choicesNote says how many there are, and how they are sorted.
func choicesNote(ch *Choices, from, to int) string {
	switch n := len(ch.Cards); {
	case ch.Note != "":
		return ch.Note
	case ch.Known > n && ch.Filter == "":
		return "the latest " + count(int64(n)) + " of " + count(int64(ch.Known)) + ", type to find others"
	case ch.Known > n:
		return "the latest " + count(int64(n)) + " of " + count(int64(ch.Known)) + " that fit"
	case to-from < n:
		return count(int64(from+1)) + "–" + count(int64(to)) + " of " + count(int64(n)) + ", trouble first"
	}
	return "trouble first"
}

func (l Look) campaignRow(s *link.Snapshot, k *link.Card, name string, w int) string {
	figure := notKnown
	if k.Settled != nil {
		figure = percent(*k.Settled, 1)
	}
	started := ""
	if k.StartedAt != nil {
		started = l.clock(*k.StartedAt)
	}
	verdict := l.badge(k.Verdict)
	if k.State == "finished" || k.State == "cancelled" { // how it went: nothing calls any more
		verdict = l.Theme.Dim.Render(plainVerdict(k.Verdict))
	}
	as := link.Campaign{ID: k.ID, Origin: k.Origin, State: k.State}
	line := strings.Join([]string{
		fit(verdict, 8),
		l.Theme.Text.Render(name),
		l.Theme.Strong.Render(right(figure, 7)),
		fit(l.state(s, &as), 11),
		l.Theme.Dim.Render(right(started, 12)),
		l.Theme.Dim.Render(right(count(k.Messages), 7)),
	}, " ")
	left := w - ansi.StringWidth(line) - 1
	return line + " " + l.Theme.Chart.Render(chart.Spark(settledByMinute(k.Trend), chartLow, chartHigh, max(min(left, link.MaxTrend), 0)))
}

// cardNames are what the campaigns are called, those of one name with their ids.
func cardNames(cards []link.Card) []string {
	names, called := make([]string, len(cards)), map[string]int{}
	for i := range cards {
		names[i] = firstOf(cards[i].Name, cards[i].ID)
		called[names[i]]++
	}
	for i, name := range names {
		if called[name] > 1 {
			names[i] = withID(name, cards[i].ID)
		}
	}
	return names
}
