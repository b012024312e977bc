package pane

import (
	"math"
	"strconv"
	"strings"

	"tickwatch/monitor/link"
)

// Pausing is a pause as the console remembers it.
type Pausing struct {
	Name     string // of the campaign; "" is everything
	External bool   // another system sends it, or something of everything
	// Later, of the requests that were open when it was paused: how many reached
	// Meta, may have gone out, or did neither; nil as long as they are open.
	Later *Later
}

// Later is what became of requests that were open at a pause.
type Later struct{ Reached, Unknown, Not int64 }

// Receipt says what a pause did: how soon, what was already on its way, and
// what is safe.
func Receipt(r *link.Receipt, p *Pausing) string {
	if p.Name != "" && p.External {
		return outside(r, p)
	}
	head := "Paused"
	if p.Name == "" {
		head = "Everything is paused"
	}
	if r.Already {
		head += ", and was before"
	} else {
		head += " after " + wholeMilliseconds(r.ClosedMS)
	}
	safe := count(r.Waiting) + " safe and waiting."
	if beside := link.WaitingBeside(r.Beside, count); beside != "" && r.Waiting == 0 {
		safe = beside + " safe and waiting."
	} else if beside != "" {
		safe = count(r.Waiting) + " and " + beside + " safe and waiting."
	}
	way := onTheirWay(int64(r.OpenRequests), p.Later)
	if r.OpenBeside > 0 {
		if r.OpenRequests == 0 {
			way = ""
		}
		safe += " " + count(int64(r.OpenBeside)) + " on their way by other channels."
	}
	said := []string{head + ".", way + safe}
	if !r.Stored {
		said = append(said, "It holds, but is not on disk yet: tried on.")
	}
	if p.External {
		said = append(said, "What other systems send goes on: pause it there.")
	}
	return strings.Join(said, " ")
}

// onTheirWay says of the requests that were open what is known by now.
func onTheirWay(open int64, later *Later) string {
	switch {
	case open == 0:
		return "Nothing was on its way, "
	case later == nil:
		return count(open) + " already on their way to Meta, "
	}
	var parts []string
	if later.Reached > 0 {
		parts = append(parts, count(later.Reached)+" reached Meta")
	}
	if later.Unknown > 0 {
		parts = append(parts, count(later.Unknown)+" may have gone out")
	}
	if later.Not > 0 {
		parts = append(parts, count(later.Not)+" did not go out")
	}
	return "Of " + count(open) + " on their way " + strings.Join(parts, ", ") + "; "
}

// outside says what a pause of a campaign does that another system sends.
func outside(r *link.Receipt, p *Pausing) string {
	said := asked(r, p)
	if beside := link.WaitingBeside(r.Beside, count); beside != "" {
		said += " " + beside + " safe and waiting."
	}
	return said
}

// asked says what became of asking that system to stop.
func asked(r *link.Receipt, p *Pausing) string {
	switch r.Outside {
	case "confirmed":
		return "The system that sends " + p.Name + " has confirmed that it stopped."
	case "asked":
		return "The system that sends " + p.Name + " was asked to stop and has not confirmed it: look there too."
	case "not_confirmed":
		return "The system that sends " + p.Name + " was asked to stop and did not confirm it: pause it there."
	}
	return "Another system sends " + p.Name + ", and tickwatch cannot stop it: pause it there. What tickwatch itself would send of it is paused."
}

// wholeMilliseconds prints how long a pause took.
func wholeMilliseconds(ms float64) string {
	if ms < 1 {
		return "less than 1 ms"
	}
	if ms >= 1000 {
		return milliseconds(ms)
	}
	return strconv.Itoa(int(math.Round(ms))) + " ms"
}

// Resumed says what a resume did, and which pauses still keep messages back; in
// the daemon's words, if it has any.
func Resumed(s *link.Snapshot, r *link.Receipt, closed []link.Gate) string {
	said := "Resumed: " + things(r.Waiting, "message is", "messages are") + " waiting to go out."
	switch {
	case r.Already:
		return "It had been resumed already."
	case r.Text != "":
		return r.Text
	case s == nil || len(closed) == 0:
		return said
	}
	places := make([]string, len(closed))
	for i := range closed {
		places[i] = PausePlace(s, &closed[i])
	}
	return said + " Still paused: " + strings.Join(places, ", ") + "."
}

// Swapped says what a change of template did, and how to take it back.
func Swapped(chosen, former *link.TemplateRef, r *link.Receipt) string {
	if r.Already {
		return "It was " + templateName(chosen) + " already."
	}
	return "The " + things(r.Waiting, "message that waits goes", "messages that wait go") + " out with " + templateName(chosen) +
		". To take it back, choose " + templateName(former) + " with t."
}

// Retried says what a retry did.
func Retried(r *link.Retried) string {
	if r.Queued == 0 {
		return "Nobody gets a new message: nothing was queued."
	}
	return things(r.Queued, "new message waits", "new messages wait") + " and go out at the campaign's pace. The failed ones stay as they are."
}

// Paced says how fast a campaign goes now.
func (l Look) Paced(c *link.Campaign, s *link.Sending) string {
	said := "Pace of " + name(c) + " now " + paceWords(s.Pace)
	if s.EndsAt != nil {
		said += ", the last goes out at about " + l.clock(*s.EndsAt)
	}
	return said + "."
}
