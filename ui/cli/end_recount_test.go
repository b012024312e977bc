package cli_test

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"tickwatch/monitor/link"
)

// figures are the part of a snapshot that webhooks alone decide.
type figures struct {
	Counts    link.Counts
	From      int64 // first 30 minutes, as the five below
	Messages  int64
	Delivered int64
	Failed    int64
	Withheld  int64
	ByAge     map[int64]float64
	Errors    map[int]int64
	OptOuts   int64
	Refusers  int64
	Different int64             // updates without repetitions
	Templates map[string]string // status and quality, by name
	Numbers   map[string]string // limit, by display
}

// figuresOf are those that a daemon shows.
func figuresOf(s *link.Snapshot) figures {
	f := figures{
		ByAge: map[int64]float64{}, Errors: map[int]int64{}, Templates: map[string]string{}, Numbers: map[string]string{},
		Different: s.Feed.Updates - s.Feed.Duplicates,
	}
	for _, n := range s.Numbers {
		f.Numbers[n.Display] = n.Limit
	}
	for _, t := range s.Templates {
		f.Templates[t.Name] = t.Status + " " + t.Quality
	}
	for i := range s.Campaigns {
		c := &s.Campaigns[i]
		if c.ID != campaignID {
			continue
		}
		f.Counts, f.Messages, f.Delivered, f.Failed, f.Withheld = c.Counts, c.First30.Messages, c.First30.Delivered, c.First30.Failed, c.First30.Withheld
		f.OptOuts, f.Refusers = c.Reports.OptOuts, c.Reports.Refusers
		if c.First30.From != nil {
			f.From = c.First30.From.Unix()
		}
		for _, a := range c.First30.ByAge {
			f.ByAge[a.Seconds] = a.Share
		}
		for _, e := range c.Errors {
			f.Errors[e.Code] = e.Count
		}
	}
	return f
}

// told is what the webhooks say of one message: the earliest moment of each
// status, and the code of the failure.
type told struct {
	first map[string]int64
	code  int
}

const never = math.MaxInt64

func (m *told) when(statuses ...string) int64 {
	first := int64(never)
	for _, s := range statuses {
		if at, ok := m.first[s]; ok {
			first = min(first, at)
		}
	}
	return first
}

// clock is the moment from which the message's age counts.
func (m *told) clock() int64 {
	if at := m.when("sent"); at != never {
		return at
	}
	return m.when("delivered", "read", "failed")
}

// body is a webhook as far as a recount reads it.
type body struct {
	Entry []struct {
		Changes []struct {
			Field string
			Value struct {
				Statuses []struct {
					ID, Status, Timestamp string
					Errors                []struct{ Code int }
				}
				Messages []struct {
					ID      string
					Context struct{ ID string }
				}

				Event    string
				Quality  string `json:"new_quality_score"`
				Template string `json:"message_template_name"`
				Display  string `json:"display_phone_number"`
				Limit    string `json:"max_daily_conversations_per_business"`
			}
		}
	}
}

// recount works the figures out of the bodies, the plain way and with no code
// of the product. It holds for crowds: every inbound message opts out,
// and nobody gets two messages.
func recount(bodies [][]byte) figures {
	f := figures{ByAge: map[int64]float64{}, Errors: map[int]int64{}, Templates: map[string]string{}, Numbers: map[string]string{"+4915550001": ""}}
	messages, stopped, seen := map[string]*told{}, map[string]bool{}, map[string]bool{} // stopped: answers to which message
	status, quality, templates := map[string]string{}, map[string]string{}, map[string]bool{}
	once := func(key string) {
		if !seen[key] {
			seen[key] = true
			f.Different++
		}
	}
	for _, raw := range bodies {
		var b body
		if json.Unmarshal(raw, &b) != nil {
			continue // not understood, and no update
		}
		change := b.Entry[0].Changes[0]
		v := &change.Value
		for _, s := range v.Statuses {
			once(s.ID + " " + s.Status)
			at, _ := strconv.ParseInt(s.Timestamp, 10, 64)
			m := messages[s.ID]
			if m == nil {
				m = &told{first: map[string]int64{}}
				messages[s.ID] = m
			}
			if was, again := m.first[s.Status]; again {
				at = min(at, was)
			}
			m.first[s.Status] = at
			if s.Status == "failed" {
				m.code = s.Errors[0].Code
			}
		}
		for _, m := range v.Messages {
			once(m.ID)
			stopped[m.Context.ID] = true
		}
		switch change.Field {
		case "message_template_status_update":
			once("status of " + v.Template)
			status[v.Template], templates[v.Template] = v.Event, true
		case "message_template_quality_update":
			once("quality of " + v.Template)
			quality[v.Template], templates[v.Template] = v.Quality, true
		case "phone_number_quality_update":
			once("limit of " + v.Display)
			f.Numbers["+"+v.Display] = v.Limit
		}
	}
	for name := range templates {
		f.Templates[name] = status[name] + " " + quality[name]
	}
	for id := range stopped {
		if messages[id] != nil { // else nobody can know yet whose campaign it is
			f.OptOuts++
		}
	}
	f.count(messages)
	return f
}

func (f *figures) count(messages map[string]*told) {
	var clocks []int64
	for _, m := range messages {
		clocks = append(clocks, m.clock())
	}
	if len(clocks) > 0 {
		f.From = slices.Min(clocks)
	}
	within := map[int64]int64{}
	for _, m := range messages {
		clock, arrived, failed := m.clock(), m.when("delivered", "read"), m.when("failed")
		c := &f.Counts
		c.Messages++
		c.HandedOver++
		if arrived != never || m.when("sent") != never {
			c.Sent++
		}
		if m.when("read") != never {
			c.Read++
		}
		withheld := m.code == 131049 || m.code == 130472
		switch {
		case arrived != never:
			c.Delivered++
		case failed != never:
			c.Failed++
			f.Errors[m.code]++
			if withheld {
				c.Withheld++
			}
			if m.code == 131050 {
				f.Refusers++
			}
		default:
			c.InFlight++
		}
		if clock >= f.From+1800 {
			continue
		}
		f.Messages++
		for _, age := range []int64{5, 30, 60, 300, 1800} {
			if arrived != never && arrived-clock <= age {
				within[age]++
			}
		}
		switch {
		case arrived != never && arrived-clock <= 1800:
			f.Delivered++
		case failed != never && failed-clock <= 1800:
			f.Failed++
			if withheld {
				f.Withheld++
			}
		}
	}
	for _, age := range []int64{5, 30, 60, 300, 1800} {
		if f.Messages > 0 {
			f.ByAge[age] = float64(within[age]) / float64(f.Messages)
		}
	}
}
