package pane

import (
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// Status is the line under the panes: whether the providers' webhooks come in,
// whether the machine is well, and what time it is. Figures of the machine are
// shown only while an alarm stands about them, so that a calm line stays still.
// While an alarm stands and the campaign, nil for none, goes out, it says what each
// minute of waiting costs.
func Status(l Look, s *link.Snapshot, c *link.Campaign, connected bool, w int) string {
	left := " " + l.feed(&s.Feed)
	odd := s.Feed.NotUnderstood > 0 || s.Feed.Refused > 0
	right := l.local(l.Now).Format("15:04:05 MST") + " "
	if w < 60 {
		right = l.local(l.Now).Format("15:04:05") + " "
	}
	right = l.Theme.Dim.Render(right)
	if l.ReadOnly {
		right = l.Theme.Dim.Render("read-only · ") + right
	}
	lost := "No link to the daemon, trying again. Figures of " + l.local(s.At).Format("15:04:05") + " stay."
	cost := ""
	if connected {
		cost = l.blast(s, c, w-len("hh:mm:ss MST ")-2)
	}
	switch {
	case cost != "":
		left = " " + cost
	case !connected && w < len(lost)+2+ansi.StringWidth(right):
		left = " " + l.Theme.Text.Render("no link, retrying")
	case !connected:
		left = " " + l.Theme.Text.Render(lost)
	case w >= 60:
		if n := s.Feed.NotUnderstood; n > 0 {
			left += l.Theme.Dim.Render(" · " + count(n) + " not understood")
		}
		if n := s.Feed.Refused; n > 0 {
			left += l.Theme.Dim.Render(" · " + count(n) + " refused")
		}
	}
	if connected && w >= 60 && (cost == "" || w >= 110) {
		right = l.host(s, (!odd && s.Feed.State != link.FeedStalled) || w >= 100) + l.Theme.Dim.Render(" · ") + right
	}
	return row(left, right, w)
}

// blast is what each minute of waiting costs, as far as there is room; "" while all
// is calm.
func (l Look) blast(s *link.Snapshot, c *link.Campaign, w int) string {
	if c == nil || c.Blast == nil || !alarming(s, c) {
		return ""
	}
	b := c.Blast
	if s.Feed.State == link.FeedStalled { // what becomes of them nobody sees
		return l.Theme.Act.Render(" FEED STALLED ") + l.Theme.Text.Render(clip(" each minute ~"+count(b.SentPerMinute)+" more go out unseen", w-14))
	}
	parts := []string{"each minute: ~" + count(b.SentPerMinute) + " more sent", failuresWords(b)}
	if b.LimitShare != nil {
		parts = append(parts, percent(*b.LimitShare, 1)+" of the limit")
	}
	for len(parts) > 1 && ansi.StringWidth(strings.Join(parts, ", ")) > w {
		parts = parts[:len(parts)-1]
	}
	return l.Theme.Watch.Render(clip(strings.Join(parts, ", "), w))
}

func failuresWords(b *link.Blast) string {
	if b.FailuresLow == b.FailuresHigh {
		return count(b.FailuresLow) + " fail"
	}
	return count(b.FailuresLow) + "–" + count(b.FailuresHigh) + " fail"
}

// alarming tells whether an open alarm concerns what a campaign sends: its own, or
// one of what all campaigns share.
func alarming(s *link.Snapshot, c *link.Campaign) bool {
	return slices.ContainsFunc(s.Alarms, func(a link.Alarm) bool {
		switch a.Kind {
		case "host", "list":
			return false
		}
		return a.Open() && (a.Campaign == c.ID || a.Campaign == "")
	})
}

// feed says in words how the webhooks come in.
func (l Look) feed(f *link.Feed) string {
	last := "no news yet"
	if f.LastEventAt != nil {
		last = "last news " + ago(l.Now.Sub(*f.LastEventAt))
	}
	switch f.State {
	case link.FeedLive:
		rate := "<1/s"
		if f.PerSecond >= 1 {
			rate = count(int64(f.PerSecond)) + "/s"
		}
		return l.Theme.Text.Render("feed live " + rate)
	case link.FeedStalled:
		return l.Theme.Act.Render(" FEED STALLED ") + l.Theme.Text.Render(" "+last)
	case link.FeedIdle:
		return l.Theme.Text.Render("feed idle") + l.Theme.Dim.Render(", "+last)
	}
	return l.Theme.Dim.Render("feed " + notKnown)
}

// host is the machine's state: in words, or in figures where they are the matter.
func (l Look) host(s *link.Snapshot, room bool) string {
	disk := ""
	if s.Host.DiskFreeBytes != nil && room {
		disk = " · disk " + bytesFree(*s.Host.DiskFreeBytes) + " free"
	}
	for i := range s.Alarms {
		a := &s.Alarms[i]
		if a.Kind != "host" || !a.Open() {
			continue
		}
		return l.Theme.Watch.Render(" HOST"+hostFigure(&s.Host, a.Subject)+" ") + l.Theme.Dim.Render(disk)
	}
	if s.Host.CPU == nil {
		return l.Theme.Dim.Render("host not measured" + disk)
	}
	return l.Theme.Dim.Render("host ok" + disk)
}

// hostFigure is the figure that an alarm about the machine is of.
func hostFigure(h *link.Host, subject string) string {
	name, figure := "CPU", h.CPU
	switch subject {
	case "memory":
		name, figure = "memory", h.Memory
	case "disk":
		name, figure = "disk", h.Disk
	case "queue":
		name, figure = "queue", h.Queue
	case "answers":
		return " answers late"
	case "store":
		return " stores nothing"
	case "sheet":
		return " sheet"
	case "notify":
		return " alarms not told"
	}
	if figure == nil {
		return ""
	}
	return " " + name + " " + strconv.Itoa(int(min(max(*figure, 0), 1)*100)) + " %"
}
