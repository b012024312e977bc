package pane

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
	"tickwatch/wa"
)

// Page is one page of failed messages under an error's explanation.
type Page struct {
	Messages []link.Message
	Number   int    // from 1
	More     bool   // there are older ones
	Note     string // "loading…", or why there are none
}

// ErrorDetail explains one error code: what it means, why it happens, what
// helps, what the failures have in common, how it went over the campaign's minutes,
// and which messages it hit.
func ErrorDetail(l Look, e *link.Error, c *link.Campaign, known wa.ErrorCode, p *Page, w, h int) string {
	inner := max(w-4, 0)
	lines := l.errorHead(e, c, known, inner, h)
	switch {
	case p.Note != "" && len(p.Messages) == 0:
		lines = append(lines, l.Theme.Dim.Render(clip(p.Note, inner)))
	case len(p.Messages) == 0:
		lines = append(lines, l.Theme.Dim.Render("No messages to show."))
	}
	phone := 0
	for i := range p.Messages {
		phone = max(phone, ansi.StringWidth(p.Messages[i].Phone))
	}
	phone = min(phone, inner/3)
	for i := range p.Messages {
		m := &p.Messages[i]
		at := notKnown
		if m.FailedAt != nil {
			at = l.local(*m.FailedAt).Format("15:04:05")
		}
		lines = append(lines, l.Theme.Dim.Render(fit(at, 8))+"  "+fit(m.Phone, phone)+"  "+l.Theme.Text.Render(m.Details))
	}
	note := "page " + strconv.Itoa(max(p.Number, 1))
	if p.Note != "" && len(p.Messages) > 0 {
		note = p.Note
	}
	if p.More && w >= 50 {
		note += ", more with pgdn"
	}
	return l.box("Error "+strconv.Itoa(e.Code), note, lines, w, h, true)
}

// ErrorDetailRows is how many messages fit below the explanation.
func ErrorDetailRows(l Look, e *link.Error, c *link.Campaign, known wa.ErrorCode, w, h int) int {
	return max(h-2-len(l.errorHead(e, c, known, max(w-4, 0), h)), 1)
}

func (l Look) errorHead(e *link.Error, c *link.Campaign, known wa.ErrorCode, w, h int) []string {
	minutes := c.Trend
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	lines := []string{
		l.Theme.Strong.Render(clip(e.Title, w)),
		text(things(e.Count, "message", "messages")) + dim(", "+percent(e.Share, 0)+" of the failures"),
	}
	course := trend{what: "Failed a minute, with this code", values: floats(e.Trend), scale: plainCount}
	if n := len(e.Trend); n > 0 && len(minutes) > 0 {
		course.first = minutes[max(len(minutes)-n, 0)].At
	}
	switch {
	case h >= 26:
		lines = append(append(lines, ""), l.trend(course, w, 6)...)
	case w >= 60 && len(e.Trend) > 0:
		most := top(course.values)
		lines[1] += dim("   a minute, up to "+plainCount(most)+" ") + l.Theme.Chart.Render(chart.Spark(course.values, 0, most, max(min(w-60, link.MaxTrend), 0)))
	}
	para := func(label, s string, depth int) {
		if s == "" {
			return
		}
		indent := 12
		if w < 50 {
			indent, label = 0, ""
		}
		for i, line := range wrap(s, w-indent, depth) {
			if i > 0 {
				label = ""
			}
			lines = append(lines, dim(fit(label, indent))+text(line))
		}
	}
	if h >= 18 {
		lines = append(lines, "")
	}
	if h < 14 {
		para("What to do", firstOf(e.Advice, known.Advice), 2)
	} else {
		para("Why", known.Cause, 3)
		para("In common", l.inCommon(c, e.Code), 3)
		para("What to do", firstOf(e.Advice, known.Advice), 4) // is read whole; the messages take what is left
		para("Send again", retryWords(firstOf(e.Retry, known.Retry)), 1)
		para("SMS instead", smsWords(firstOf(e.SMS, known.Fallback)), 1)
	}
	if h >= 18 {
		lines = append(lines, "")
	}
	return append(lines, dim("Failed messages, newest first"))
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func retryWords(retry string) string {
	switch retry {
	case "never":
		return "No, it would fail again."
	case "later":
		return "Later, not now."
	case "backoff":
		return "Yes, slowly and with pauses."
	case "after_fix":
		return "Yes, once the cause is mended."
	}
	return retry
}

func smsWords(sms string) string {
	switch sms {
	case "yes":
		return "Yes, an SMS can reach these people."
	case "no":
		return "No."
	case "maybe":
		return "Perhaps, for some of these people."
	}
	return sms
}

// AlarmDetail shows one alarm whole: what, since when, and what helps.
func AlarmDetail(l Look, s *link.Snapshot, a *link.Alarm, w, h int) string {
	return l.alarmDetail(s, a, nil, w, h)
}

// Checked is what the daemon found of its feed.
type Checked struct {
	Checks []link.FeedCheck
	Note   string // "looking…", or why there are none
}

// FeedAlarmDetail is AlarmDetail of an alarm of the feed, with what was found of the
// ways that webhooks come in by.
func FeedAlarmDetail(l Look, s *link.Snapshot, a *link.Alarm, c *Checked, w, h int) string {
	inner := max(w-4, 0)
	lines := []string{l.Theme.Dim.Render("The ways in")}
	if h >= 26 {
		lines = append([]string{""}, lines...)
	}
	if c.Note != "" {
		lines = append(lines, l.Theme.Dim.Render(clip(c.Note, inner)))
	}
	const state, name = 6, 16
	for i := range c.Checks {
		x := &c.Checks[i]
		word, texts, depth := l.Theme.OK.Render("OK"), []string{x.Text}, 1
		if !x.OK {
			word, depth = l.Theme.Act.Render("FAIL"), 3
			texts = append(texts, "Do: "+x.Mend)
		}
		head := fit(word, state) + l.Theme.Text.Render(fit(x.Name, name))
		for _, text := range texts {
			for _, line := range wrap(text, max(inner-state-name, 10), depth) {
				lines = append(lines, head+l.Theme.Text.Render(line))
				head = fit("", state+name)
			}
		}
	}
	return l.alarmDetail(s, a, lines, w, h)
}

func (l Look) alarmDetail(s *link.Snapshot, a *link.Alarm, more []string, w, h int) string {
	inner := max(w-4, 0)
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	lines := []string{l.alarmWord(a) + " " + dim(a.Kind)}
	if a.Campaign != "" {
		lines[0] += dim(" · ") + text(campaignName(s, a.Campaign))
	}
	lines = append(lines, "")
	for _, line := range wrap(l.alarmText(a), inner, 5) {
		lines = append(lines, l.Theme.Strong.Render(line))
	}
	if what := strings.TrimSpace(a.Pause + " " + a.Advice); what != "" {
		lines = append(lines, "", dim("What to do"))
		for _, line := range wrap(what, inner, 4) {
			lines = append(lines, text(line))
		}
	}
	if a.Open() && (a.Kind == "delivery" || a.Kind == "withheld" || a.Kind == "list") {
		for i := range s.Campaigns {
			if c := &s.Campaigns[i]; c.ID == a.Campaign {
				for k, line := range wrap(l.commonest(c), inner, 3) {
					if k == 0 {
						lines = append(lines, "", dim("What the failures have in common"))
					}
					lines = append(lines, text(line))
				}
			}
		}
	}
	lines = append(lines, "", dim("raised   ")+text(l.clock(a.RaisedAt)))
	if a.ActedAt != nil {
		lines = append(lines, dim("ACT at   ")+text(l.clock(*a.ActedAt)))
	}
	if a.AckedBy != "" {
		lines = append(lines, dim("seen by  ")+text(a.AckedBy))
	} else if a.Open() {
		lines = append(lines, dim("seen by  nobody yet: k says that you have seen it"))
	}
	if a.SnoozedBy != "" && a.Open() {
		lines = append(lines, dim("quiet    ")+text(strings.TrimPrefix(l.quietWords(a), "quiet ")+", by "+a.SnoozedBy))
	}
	if a.ClearedAt != nil {
		lines = append(lines, dim("cleared  ")+text(l.clock(*a.ClearedAt)))
	}
	lines = append(lines, more...)
	if t := alarmTrend(s, a); len(t.values) > 0 && h-2-len(lines) >= 5 {
		lines = append(append(lines, ""), l.trend(t, inner, min(h-3-len(lines), 10))...)
	}
	return l.box("Alarm", "", lines, w, h, true)
}

// alarmTrend is the course of the figure that an alarm is about; without values
// where there is none.
func alarmTrend(s *link.Snapshot, a *link.Alarm) trend {
	if a.Kind == "feed" {
		return updatesTrend(&s.Feed)
	}
	for i := range s.Campaigns {
		c := &s.Campaigns[i]
		switch {
		case c.ID != a.Campaign:
		case a.Kind == "reports":
			return countTrend("Opt-outs a minute", c.Trend, floats(c.Reports.Trend))
		case a.Kind == "delivery", a.Kind == "withheld":
			t := arrivedTrend(c.Trend)
			t.what = arrivedWhat
			return t
		}
	}
	return trend{}
}
