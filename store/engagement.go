package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tickwatch/wa"
)

// Engagement is what people did after a campaign's messages reached them, and how
// long they waited for an answer. Opt-outs and reactions are part of it; nobody
// waits for an answer to them. It covers what came in since the store keeps steps.
type Engagement struct {
	Inbound  int64      // messages and presses
	People   int64      // who sent them
	Asked    int64      // people who wrote something that is to be answered
	Answered int64      // of them, those who got an answer
	Waiting  int64      // of them, those whose latest has none
	Oldest   wa.Instant // since when the first of the waiting waits; 0 = nobody does

	// First is how long people waited for the first answer, by people; Mean is over
	// every wait of everybody. In ms; without meaning when Answered is 0.
	FirstP50, FirstP95 int64
	Mean               int64

	Steps []Step // by wa.Step… and label

	// Templates is the same by Meta's id of the template that was answered, of what
	// tickwatch itself has sent; whoever answered two is in both.
	Templates map[int64]*Engagement
}

// Step is how many people took one step.
type Step struct {
	Step   string
	Label  string // foreign text
	People int64
}

// maxLabels bounds how many labels a reading tells apart: the texts are foreign.
const maxLabels = 1000

const engagement = `SELECT i.person, i.at, i.answered_at, i.step, i.label, coalesce(a.template, 0)
	FROM inbound i LEFT JOIN attempt a ON a.message = i.message
	WHERE i.campaign = ? AND i.campaign <> 0 AND i.step <> '' ORDER BY i.person, i.at`

// Engagement reads what people did after a campaign's messages.
func (s *Store) Engagement(ctx context.Context, campaign int64) (*Engagement, error) {
	rows, err := s.readers.QueryContext(ctx, engagement, campaign)
	if err != nil {
		return nil, fmt.Errorf("reading what people wrote: %w", err)
	}
	defer rows.Close()
	all := newEngagementReader()
	byTemplate := map[int64]*engagementReader{}
	for rows.Next() {
		var who, template int64
		var at, answered wa.Instant
		var step Step
		if err := rows.Scan(&who, &at, &answered, &step.Step, &step.Label, &template); err != nil {
			return nil, fmt.Errorf("reading what people wrote: %w", err)
		}
		all.add(who, at, answered, step)
		if template == 0 {
			continue
		}
		if byTemplate[template] == nil {
			byTemplate[template] = newEngagementReader()
		}
		byTemplate[template].add(who, at, answered, step)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading what people wrote: %w", err)
	}
	e := all.sum()
	for id, r := range byTemplate {
		if e.Templates == nil {
			e.Templates = map[int64]*Engagement{}
		}
		e.Templates[id] = r.sum()
	}
	return e, nil
}

// engagementReader adds up what people wrote, person by person, each in its order.
type engagementReader struct {
	e     Engagement
	steps map[Step]int64
	took  map[Step]bool // by the person
	who   int64
	asked bool

	first    []int64    // waits for the first answer, in ms
	waits    int64      // every wait that ended
	waited   int64      // and their sum
	answered wa.Instant // the latest answer to the person; 0 = none yet
	open     wa.Instant // since when the person waits; 0 = they do not
}

func newEngagementReader() *engagementReader {
	return &engagementReader{steps: map[Step]int64{}, took: map[Step]bool{}}
}

func (r *engagementReader) add(who int64, at, answered wa.Instant, step Step) {
	if who != r.who || r.e.Inbound == 0 {
		r.endPerson()
		r.who = who
		r.e.People++
	}
	r.e.Inbound++
	if _, known := r.steps[step]; !known && len(r.steps) >= maxLabels {
		step.Label = ""
	}
	if !r.took[step] {
		r.took[step] = true
		r.steps[step]++
	}
	switch {
	case answered == noAnswer:
		return
	case answered == 0:
		if r.open == 0 {
			r.open = at
		}
	case answered != r.answered: // else it was written before an answer that is counted
		if r.answered == 0 {
			r.first = append(r.first, int64(answered-at))
		}
		r.waits++
		r.waited += int64(answered - at)
		r.answered, r.open = answered, 0
	}
	r.asked = true
}

func (r *engagementReader) endPerson() {
	if r.asked {
		r.e.Asked++
	}
	if r.answered != 0 {
		r.e.Answered++
	}
	if r.open != 0 {
		r.e.Waiting++
		if r.e.Oldest == 0 || r.open < r.e.Oldest {
			r.e.Oldest = r.open
		}
	}
	clear(r.took)
	r.asked, r.answered, r.open = false, 0, 0
}

func (r *engagementReader) sum() *Engagement {
	r.endPerson()
	e := &r.e
	if n := len(r.first); n > 0 {
		slices.Sort(r.first)
		e.FirstP50, e.FirstP95 = r.first[(n-1)/2], r.first[(95*n+99)/100-1]
		e.Mean = r.waited / r.waits
	}
	for step, people := range r.steps {
		step.People = people
		e.Steps = append(e.Steps, step)
	}
	slices.SortFunc(e.Steps, compareSteps)
	return e
}

// compareSteps puts what most people did first.
func compareSteps(a, b Step) int {
	return cmp.Or(cmp.Compare(b.People, a.People), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Label, b.Label))
}
