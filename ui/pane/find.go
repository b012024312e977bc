package pane

import (
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/link"
)

// Find is the box for looking up a person or a message, with what was found.
// input is the drawn input line; note stands in place of a result.
func Find(l Look, input string, found *link.Found, note string, w, h int) string {
	inner := max(w-4, 0)
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	lines := []string{input, ""}
	switch {
	case note != "":
		for _, line := range wrap(note, inner, 4) {
			lines = append(lines, dim(line))
		}
	case found == nil:
		lines = append(lines, dim("A phone number in any spelling, or a message id (wamid). Enter looks it up."))
	case found.Phone == "" && found.BSUID == "" && len(found.Messages)+len(found.Held) == 0:
		lines = append(lines, text("Nobody found for "+clip(found.Query, max(inner-18, 8))+"."),
			dim("tickwatch knows only people whose messages it has seen. Check the country code."))
	default:
		who := firstOf(firstOf(found.Phone, found.BSUID), found.Query)
		opted := dim("has not opted out")
		if found.OptedOut {
			opted = l.Theme.Paused.Render(" OPTED OUT ")
		}
		lines = append(lines, l.Theme.Strong.Render(who)+"  "+opted, "")
		for i := range found.Held {
			if h := &found.Held[i]; h.Rule != "opted-out" {
				lines = append(lines, l.heldRow(h))
			}
		}
		for i := range found.Queued {
			lines = append(lines, l.queuedRow(&found.Queued[i]))
		}
		for i := range found.Messages {
			m := &found.Messages[i]
			lines = append(lines, l.messageRow(m))
			if m.Code != 0 {
				lines = append(lines, fit("", 10)+l.Theme.Strong.Render(strconv.Itoa(m.Code))+" "+dim(m.Details))
			}
		}
		for i := range found.Beside {
			lines = append(lines, l.reachedRow(&found.Beside[i]))
			if why := strings.TrimSpace(found.Beside[i].Code + " " + found.Beside[i].Reason); why != "" {
				lines = append(lines, fit("", 10)+dim(why))
			}
		}
		if len(found.Messages)+len(found.Queued)+len(found.Beside) == 0 {
			lines = append(lines, dim("No messages to this person."))
		}
	}
	return l.box("Find", "esc closes", lines, w, h, true)
}

// heldRow tells in a line why somebody is not written to, and until when.
func (l Look) heldRow(h *link.Held) string {
	row := l.Theme.Strong.Render("not written to") + " " + l.Theme.Text.Render(firstOf(h.Reason, "on the suppression list"))
	switch {
	case h.Until != nil:
		row += l.Theme.Dim.Render("  until ") + l.clock(*h.Until)
	case h.Ends != "":
		row += l.Theme.Dim.Render("  " + h.Ends)
	}
	return row
}

// queuedRow tells in a line of a message that is not with Meta.
func (l Look) queuedRow(q *link.Queued) string {
	row := fit(q.State, 9) + " " + l.Theme.Text.Render(fit(q.Campaign, 16))
	if len(q.State) > 9 {
		row = q.State + " " + l.Theme.Text.Render(q.Campaign)
	}
	if q.Due != nil {
		row += l.Theme.Dim.Render("  not before ") + l.clock(*q.Due)
	}
	if q.Reason != "" {
		row += l.Theme.Dim.Render("  " + q.Reason)
	}
	return row
}

// reachedRow tells one message's course by another channel in a line.
func (l Look) reachedRow(r *link.Reached) string {
	row := fit(ChannelName(r.Channel), 10) + " " + l.Theme.Text.Render(fit(r.Campaign, 16)) + "  " + r.State
	switch {
	case r.ToldAt != nil:
		row += " " + l.clock(*r.ToldAt)
	case r.Due != nil:
		row += l.Theme.Dim.Render("  not before ") + l.clock(*r.Due)
	case r.TriedAt != nil:
		row += l.Theme.Dim.Render("  tried ") + l.clock(*r.TriedAt)
	}
	return row
}

// messageRow tells one message's course in a line.
func (l Look) messageRow(m *link.Message) string {
	var b strings.Builder
	b.WriteString(fit(m.State, 9) + " " + l.Theme.Text.Render(fit(m.Campaign, 16)))
	step := func(word string, at *time.Time) {
		if at != nil {
			b.WriteString(l.Theme.Dim.Render("  "+word+" ") + l.clock(*at))
		}
	}
	step("sent", m.SentAt)
	step("arrived", m.DeliveredAt)
	step("read", m.ReadAt)
	step("failed", m.FailedAt)
	return b.String()
}
