package pane

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"tickwatch/monitor/link"
)

// ChannelName is a channel as people write it.
func ChannelName(channel string) string {
	switch channel {
	case "whatsapp":
		return "WhatsApp again"
	case "sms":
		return "SMS"
	case "voice":
		return "Voice call"
	case "email":
		return "E-mail"
	}
	return channel
}

// Reaching is what an operator decides about before people are reached by another
// channel than WhatsApp. Its texts are clean.
type Reaching struct {
	Channel  string
	Plan     *link.FallbackPlan
	LeaveOut bool   // who must not be reached at this hour gets nothing; else they wait
	Input    string // the drawn line to type in; "" = nothing can be typed
	Note     string // "counting…", or what went wrong
}

// Fallback shows whom a channel would reach, what that costs, when it goes out and
// what people read, who is left out and why; below it the line to confirm it in.
func Fallback(l Look, r *Reaching, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	var lines []ranked
	add := func(rank int, style func(...string) string, text string, depth int) {
		for _, line := range wrap(text, inner, depth) {
			lines = append(lines, ranked{rank, style(line)})
		}
	}
	text, dim, strong := l.Theme.Text.Render, l.Theme.Dim.Render, l.Theme.Strong.Render
	p := r.Plan
	for i, warning := range p.Warnings {
		add(2+i, l.Theme.Watch.Render, "Mind: "+strings.TrimSuffix(warning, ".")+".", 2)
	}
	add(0, strong, l.reaches(p), 2)
	if p.Currency != "" {
		add(1, text, l.costs(p), 2)
	}
	if len(p.Codes) > 1 || len(p.Channels) > 1 {
		for i, c := range p.Codes {
			add(7+i, dim, right(count(c.Count), 9)+"  "+codeName(c), 1)
		}
	}
	if p.Later > 0 || r.LeaveOut {
		add(1, text, l.hours(r), 2)
	}
	if p.NoZone > 0 {
		add(6, dim, "The number of "+things(p.NoZone, "person", "people")+" tells no time zone: "+cmp.Or(p.Zone, "the daemon's")+" is used for them.", 2)
	}
	if left := leftOut(p.LeftOut); left > 0 {
		add(3, text, "Nothing goes to "+things(left, "person", "people")+":", 1)
		lines = append(lines, l.leftOutLines(p.LeftOut, 3, inner)...)
	}
	for i := range p.Samples {
		lines = append(lines, l.sample(&p.Samples[i], 4+2*i, inner)...)
	}
	lines = append(lines, ranked{9, ""})
	add(0, text, r.Note, 3)
	if r.Input != "" {
		lines = append(lines, ranked{0, r.Input})
	}
	return l.box("Reach by "+ChannelName(r.Channel), "nothing is sent yet", texts(lines, rows), w, h, true)
}

// reaches says how many people a plan reaches.
func (l Look) reaches(p *link.FallbackPlan) string {
	said := things(p.Eligible, "person", "people") + " can be reached"
	if p.Eligible == 0 {
		return "Nobody can be reached."
	}
	if p.Segments > p.Eligible {
		said += ", in " + count(p.Segments) + " SMS parts"
	}
	said += ". Nothing leaves for " + seconds(p.UndoSeconds)
	if p.First > 0 {
		said += "; after the first " + count(p.First) + " it waits for your look"
	}
	return said + "."
}

// seconds is a span as people say it.
func seconds(n int64) string {
	switch {
	case n == 60:
		return "a minute"
	case n%60 == 0 && n > 0:
		return things(n/60, "minute", "minutes")
	}
	return things(n, "second", "seconds")
}

func (l Look) costs(p *link.FallbackPlan) string {
	said := fmt.Sprintf("It costs %.2f %s", p.Cost, p.Currency)
	if p.Spent > 0 {
		return said + fmt.Sprintf(", after %.2f before, of a budget of %.2f.", p.Spent, p.Budget)
	}
	return said + fmt.Sprintf(" of a budget of %.2f.", p.Budget)
}

// hours says what becomes of those who must not be reached at this hour.
func (l Look) hours(r *Reaching) string {
	if r.LeaveOut {
		return "Who must not be reached at this hour is left out. tab: let them wait."
	}
	p := r.Plan
	when := ""
	if p.OpensAt != nil && p.LastAt != nil {
		when = " " + l.clock(*p.OpensAt)
		if last := l.clock(*p.LastAt); last != l.clock(*p.OpensAt) {
			when += " to " + last
		}
	}
	return things(p.Later, "waits", "wait") + " for the allowed hours where they are, from" + when + ". tab: leave them out."
}

func codeName(c link.FallbackCode) string {
	if c.Code == 0 {
		return c.Title
	}
	return fmt.Sprintf("%d %s", c.Code, c.Title)
}

// sample is what one person would get, after its language and in how many parts.
func (l Look) sample(s *link.FallbackSample, rank, w int) (lines []ranked) {
	const label = 9
	head := s.Language
	if s.Segments > 1 {
		head += " ×" + count(s.Segments)
	}
	text := strings.Join(strings.Fields(s.Text), " ")
	if s.Unicode != "" {
		text += " (more parts because of " + s.Unicode + ")"
	}
	for i, line := range wrap(text, max(w-label, 1), 3) {
		lines = append(lines, ranked{rank + i, l.Theme.Dim.Render(fit(head, label)) + l.Theme.Text.Render(line)})
		head = ""
	}
	return lines
}

// Looking is what an operator decides about once the first messages of a fallback
// are out.
type Looking struct {
	Input string // the drawn line to type in
	Note  string // what went wrong
}

// FallbackLook shows what became of the first messages of a fallback, before the
// rest goes out.
func FallbackLook(l Look, c *link.Campaign, r *Looking, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	f := &c.Fallback
	text, dim, strong := l.Theme.Text.Render, l.Theme.Dim.Render, l.Theme.Strong.Render
	var lines []ranked
	add := func(rank int, style func(...string) string, said string, depth int) {
		for _, line := range wrap(said, inner, depth) {
			lines = append(lines, ranked{rank, style(line)})
		}
	}
	add(0, strong, "The first "+things(f.Run.First, "message is out.", "messages are out.")+" Look at what became of them before the rest goes.", 2)
	lines = append(lines, ranked{9, ""})
	for i, one := range []struct {
		label string
		n     int64
		says  string
	}{
		{"arrived", f.Delivered, "on their phone, by the provider's word"},
		{"failed", f.Failed, "refused, or did not arrive"},
		{"no answer yet", max(f.Accepted-f.Delivered-failedLater(f), 0), "with the provider; some never tell"},
		{"may have gone out", f.Unknown, "no answer came; never sent again by itself"},
		{"waiting", f.Waiting, "the rest"},
	} {
		if one.n > 0 || i == 0 {
			lines = append(lines, ranked{1 + i, dim(fit(one.label, 18)) + text(right(count(one.n), 9)) + dim("  "+one.says)})
		}
	}
	if f.Currency != "" {
		add(7, dim, fmt.Sprintf("So far it cost %.2f %s.", f.Cost, f.Currency), 1)
	}
	lines = append(lines, ranked{8, ""})
	if f.Failed*4 > f.Delivered+f.Failed && f.Failed >= 5 {
		add(1, l.Theme.Watch.Render, "Many failed. U cancels the rest; from a shell, export fallback tells why.", 2)
	}
	add(0, text, r.Note, 3)
	if r.Input != "" {
		lines = append(lines, ranked{0, r.Input})
	}
	return l.box("Look at the first ones", "esc lets it wait", texts(lines, rows), w, h, true)
}

// failedLater is how many of those that a provider took failed, at most.
func failedLater(f *link.Fallback) int64 { return min(f.Failed, f.Accepted-f.Delivered) }

// FallbackLine says how it stands with a fallback that somebody may want to undo,
// or must look at; "" = with none.
func FallbackLine(l Look, c *link.Campaign) string {
	f := &c.Fallback
	if f.Run == nil {
		return ""
	}
	by := make([]string, len(f.Run.Channels))
	for i, channel := range f.Run.Channels {
		by[i] = ChannelName(channel)
	}
	what := things(f.Run.Planned, "person", "people") + " by " + strings.Join(by, ", ")
	switch {
	case f.Run.State == link.FallbackPending:
		left := max(f.Run.StartsAt.Sub(l.Now), 0).Round(time.Second)
		return fmt.Sprintf("In %d s it goes to %s. U undoes it: nothing has left.", int(left.Seconds()), what)
	case f.Run.State == link.FallbackLooking && f.Run.Looked:
		return fmt.Sprintf("First %d out: %s arrived, %s failed. r looks, sends the rest; U cancels it.",
			f.Run.First, count(f.Delivered), count(f.Failed))
	}
	return ""
}
