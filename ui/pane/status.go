package pane

import (
	"strconv"

	"tickwatch/monitor/link"
)

// Status is the line under the panes: whether the providers' webhooks come in,
// whether the machine is well, and what time it is. Figures of the machine are
// shown only while an alarm stands about them, so that a calm line stays still.
func Status(l Look, s *link.Snapshot, connected, readOnly bool, w int) string {
	left := " " + l.feed(&s.Feed)
	odd := s.Feed.NotUnderstood > 0 || s.Feed.Refused > 0
	switch {
	case !connected && w < 72:
		left = " " + l.Theme.Text.Render("no link, trying again")
	case !connected:
		left = " " + l.Theme.Text.Render("No link to the daemon, trying again. Figures of "+l.local(s.At).Format("15:04:05")+" stay.")
	case w >= 60:
		if n := s.Feed.NotUnderstood; n > 0 {
			left += l.Theme.Dim.Render(" · " + count(n) + " not understood")
		}
		if n := s.Feed.Refused; n > 0 {
			left += l.Theme.Dim.Render(" · " + count(n) + " refused")
		}
	}
	right := l.local(l.Now).Format("15:04:05 MST") + " "
	if w < 60 {
		right = l.local(l.Now).Format("15:04:05") + " "
	}
	right = l.Theme.Dim.Render(right)
	if readOnly {
		right = l.Theme.Dim.Render("read-only · ") + right
	}
	if connected && w >= 60 {
		right = l.host(s, (!odd && s.Feed.State != link.FeedStalled) || w >= 100) + l.Theme.Dim.Render(" · ") + right
	}
	return row(left, right, w)
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
		cpu := ""
		if s.Host.CPU != nil {
			cpu = " CPU " + strconv.Itoa(int(min(max(*s.Host.CPU, 0), 1)*100)) + " %"
		}
		return l.Theme.Watch.Render(" HOST"+cpu+" ") + l.Theme.Dim.Render(disk)
	}
	if s.Host.CPU == nil {
		return l.Theme.Dim.Render("host not measured" + disk)
	}
	return l.Theme.Dim.Render("host ok" + disk)
}
