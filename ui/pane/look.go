// Package pane draws the parts of the console: one file per pane, each a pure
// function of a snapshot and a size. What comes back has exactly the asked
// number of lines, each exactly as wide as asked, whatever the figures say.
//
// A pane reads no clock, keeps no state and does no I/O; the same arguments give
// the same bytes. Texts in the snapshot must be clean (see wa.Clean): the root
// package ui cleans every frame's data in one place before it comes here.
package pane

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/theme"
)

// Look is what every pane needs to know besides its data.
type Look struct {
	Theme    theme.Theme
	Zone     *time.Location // of all times shown; nil is UTC
	Now      time.Time      // for ages
	Replay   bool           // what is shown happened once, and is not live
	ReadOnly bool           // no key acts
}

// clock is a time of day in the look's zone, with the date when it was on another day.
func (l Look) clock(t time.Time) string {
	t = l.local(t)
	if t.Format(time.DateOnly) != l.local(l.Now).Format(time.DateOnly) {
		return t.Format("Jan _2 15:04")
	}
	return t.Format("15:04")
}

func (l Look) local(t time.Time) time.Time {
	if l.Zone == nil {
		return t.UTC()
	}
	return t.In(l.Zone)
}

// badge is a verdict as the word that people look for, with a blank after it.
// Only what wants something from them stands out as a block.
func (l Look) badge(verdict string) string {
	switch verdict {
	case link.VerdictOK:
		return l.Theme.OK.Render("OK") + " "
	case link.VerdictWatch:
		return l.Theme.Watch.Render(" WATCH ")
	case link.VerdictAct:
		return l.Theme.Act.Render(" ACT ")
	}
	return l.Theme.Unsure.Render("UNSURE") + " "
}

// rating colours Meta's quality words without changing them.
func (l Look) rating(word string) string {
	switch word {
	case "GREEN", "CONNECTED", "APPROVED":
		return l.Theme.OK.Render(word)
	case "YELLOW":
		return l.Theme.Watch.Render(" " + word + " ")
	case "RED", "PAUSED", "DISABLED", "FLAGGED", "RESTRICTED", "BANNED", "REJECTED":
		return l.Theme.Act.Render(" " + word + " ")
	case "":
		return l.Theme.Dim.Render("–")
	}
	return l.Theme.Strong.Render(word)
}

// box frames lines: the title stands in the upper border, a note at its right
// end. What does not fit is cut, at the bottom and at the right.
func (l Look) box(title, note string, lines []string, w, h int, focused bool) string {
	return l.list(title, note, lines, -1, w, h, focused)
}

// list is a box with a mark left of one of its lines; -1 marks none.
func (l Look) list(title, note string, lines []string, marked, w, h int, focused bool) string {
	if w < 4 || h < 2 {
		return blank(w, h)
	}
	border, head := l.Theme.Border, l.Theme.Title
	if focused {
		border, head = l.Theme.Focus, l.Theme.Focus.Bold(true)
	}
	inner := w - 4
	title = clip(title, inner)
	rule := w - 4 - ansi.StringWidth(title)
	tail := ""
	if note != "" && rule > 5 {
		tail = " " + clip(note, rule-3) + " "
	}
	rule -= ansi.StringWidth(tail)
	var b strings.Builder
	b.WriteString(border.Render("┌") + head.Render(" "+title+" ") + border.Render(strings.Repeat("─", max(rule-min(1, len(tail)), 0))))
	if tail != "" {
		b.WriteString(l.Theme.Dim.Render(tail) + border.Render("─"))
	}
	b.WriteString(border.Render("┐"))
	side := border.Render("│")
	for i := range h - 2 {
		text := ""
		if i < len(lines) {
			text = lines[i]
		}
		mark := " "
		if i == marked {
			mark = l.Theme.Cursor.Render("▸")
		}
		b.WriteString("\n" + side + mark + fit(text, inner) + " " + side)
	}
	b.WriteString("\n" + border.Render("└"+strings.Repeat("─", w-2)+"┘"))
	return b.String()
}

// row puts left and right at the two ends of a line; the right one is kept
// whole as long as it fits.
func row(left, right string, w int) string {
	right = clip(right, w)
	room := w - ansi.StringWidth(right)
	if room <= 0 {
		return right
	}
	if right == "" {
		return fit(left, w)
	}
	return fit(left, room-1) + " " + right
}

// fit cuts or pads a line to a width.
func fit(s string, w int) string {
	if w <= 0 {
		return ""
	}
	s = clip(s, w)
	return s + strings.Repeat(" ", w-ansi.StringWidth(s))
}

// clip cuts a line to at most a width, with an ellipsis where it was cut.
func clip(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if ansi.StringWidth(s) <= w {
		return s
	}
	return ansi.Truncate(s, w, "…")
}

// wrap breaks text into at most n lines of a width; the last one is cut.
func wrap(s string, w, n int) []string {
	if w <= 0 || n <= 0 || s == "" {
		return nil
	}
	lines := strings.Split(ansi.Wrap(s, w, ""), "\n")
	if len(lines) > n {
		last := strings.Join(lines[n-1:], " ")
		lines = append(lines[:n-1:n-1], clip(last, w))
	}
	for i := range lines {
		lines[i] = clip(strings.TrimSpace(lines[i]), w)
	}
	return lines
}

func blank(w, h int) string {
	if w <= 0 || h <= 0 {
		return ""
	}
	return strings.TrimSuffix(strings.Repeat(strings.Repeat(" ", w)+"\n", h), "\n")
}

// block makes lines exactly w wide and h high.
func block(lines []string, w, h int) string {
	if w <= 0 || h <= 0 {
		return ""
	}
	out := make([]string, h)
	for i := range out {
		if i < len(lines) {
			out[i] = fit(lines[i], w)
		} else {
			out[i] = strings.Repeat(" ", w)
		}
	}
	return strings.Join(out, "\n")
}

// trimLead takes a line that was wrapped off a text's beginning away from it.
func trimLead(text, line string) string {
	return strings.TrimSpace(strings.TrimPrefix(text, strings.TrimSuffix(line, "…")))
}
