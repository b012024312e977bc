package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// aside carries out the verbs about setting a part of a campaign aside; ok is false
// for any other.
func (m *Monitor) aside(ctx context.Context, operator string, cmd link.Command) (answer any, ok bool, err error) {
	switch cmd.Verb {
	case link.VerbAside:
		answer, err = with(cmd, func(a link.AsideArgs) (any, error) { return m.setAside(ctx, operator, a) })
	case link.VerbAsides:
		answer, err = with(cmd, func(a link.CampaignArgs) (any, error) {
			l, _, err := m.own(a.Campaign)
			if err != nil {
				return nil, err
			}
			return m.asides(ctx, l)
		})
	case link.VerbAsideEnd:
		answer, err = with(cmd, func(a link.AsideEndArgs) (any, error) { return m.endAside(ctx, operator, a) })
	default:
		return nil, false, nil
	}
	return answer, true, err
}

// ownToChange is one of our own campaigns that still goes out.
func (m *Monitor) ownToChange(name string) (*live, wa.Plan, error) {
	l, plan, err := m.own(name)
	if err == nil && plan.State == wa.PlanCancelled {
		err = refused("%s is cancelled: nothing of it is sent any more", wa.Clean(l.Name))
	}
	return l, plan, err
}

// setAside sets aside what waits and has a trait. The plan comes first: from then on
// no claim takes such a message, and those that wait are moved after it.
func (m *Monitor) setAside(ctx context.Context, operator string, a link.AsideArgs) (link.Asides, error) {
	l, plan, err := m.ownToChange(a.Campaign)
	if err != nil {
		return link.Asides{}, err
	}
	t := traitOf(&plan, a.Attribute, a.Value)
	has, err := list.NewMatcher(&plan, t)
	if err != nil {
		return link.Asides{}, usage("%v", err)
	}
	if a.DryRun {
		n, err := m.o.Store.SetAside(ctx, l.ID, t, store.RowMatcher(has), true)
		if err != nil {
			return link.Asides{}, err
		}
		return m.asidesThen(ctx, l, n, slices.Contains(plan.Aside, t), "")
	}
	already := slices.Contains(plan.Aside, t)
	if !already {
		if len(plan.Aside) >= maxAsides {
			return link.Asides{}, refused("%d parts of %s are set aside: release or cancel one first", maxAsides, wa.Clean(l.Name))
		}
		m.queue.Add(plan)
		err := m.queue.SetAside(ctx, l.ID, func(now []wa.Trait) []wa.Trait {
			return append(slices.DeleteFunc(now, func(o wa.Trait) bool { return o == t }), t)
		})
		if err != nil {
			return link.Asides{}, asideFailed(l, err)
		}
	}
	n, err := m.o.Store.SetAside(ctx, l.ID, t, store.RowMatcher(has), false)
	if err != nil {
		return link.Asides{}, err
	}
	text := fmt.Sprintf("%s waiting messages with %s are set aside: they do not go out until you release them.", count(n), wa.Clean(t.String()))
	if !already || n > 0 {
		m.record(store.Action{Operator: operator, Verb: "aside", Target: l.Key, Effect: text})
	} else {
		text = wa.Clean(t.String()) + " was set aside already."
	}
	m.queue.Wake(l.ID)
	return m.asidesThen(ctx, l, n, already && n == 0, text)
}

// traitOf is the trait that somebody names: as it is set aside, where it only is
// spelled otherwise.
func traitOf(p *wa.Plan, attribute, value string) wa.Trait {
	t := wa.Trait{Attribute: strings.TrimSpace(wa.Clean(attribute)), Value: strings.TrimSpace(wa.Clean(value))}
	if strings.EqualFold(t.Attribute, wa.TraitPrefix) {
		t.Value = wa.Digits(t.Value)
	}
	for _, o := range p.Aside {
		if strings.EqualFold(o.Attribute, t.Attribute) && strings.EqualFold(o.Value, t.Value) {
			return o
		}
	}
	return t
}

// maxAsides bounds what every claim asks of every row.
const maxAsides = 20

func asideFailed(l *live, err error) error {
	if errors.Is(err, queue.ErrNoCampaign) {
		return failed("%s has nothing that waits", wa.Clean(l.Name))
	}
	return err
}

// endAside releases or cancels what is set aside for a trait. Released rows must not
// be set aside again by the next claim, so the plan comes first; cancelled ones must
// not be claimed, so it comes last.
func (m *Monitor) endAside(ctx context.Context, operator string, a link.AsideEndArgs) (link.Asides, error) {
	l, plan, err := m.ownToChange(a.Campaign)
	if err != nil {
		return link.Asides{}, err
	}
	t := traitOf(&plan, a.Attribute, a.Value)
	by, err := m.o.Store.Aside(ctx, l.ID)
	if err != nil {
		return link.Asides{}, err
	}
	if by[t] == 0 && !slices.Contains(plan.Aside, t) {
		return link.Asides{}, failed("%s is not set aside: `tickwatch aside list` names what is", wa.Clean(t.String()))
	}
	m.queue.Add(plan)
	forget := func() error {
		err := m.queue.SetAside(ctx, l.ID, func(now []wa.Trait) []wa.Trait {
			return slices.DeleteFunc(now, func(o wa.Trait) bool { return o == t })
		})
		if err != nil {
			return asideFailed(l, err)
		}
		return nil
	}
	if !a.Cancel {
		if err := forget(); err != nil {
			return link.Asides{}, err
		}
	}
	n, err := m.o.Store.EndAside(ctx, l.ID, t, a.Cancel)
	if err != nil {
		return link.Asides{}, err
	}
	text, verb := fmt.Sprintf("%s messages with %s wait again and go out in their turn.", count(n), wa.Clean(t.String())), "release"
	if a.Cancel {
		if err := forget(); err != nil {
			return link.Asides{}, err
		}
		text, verb = fmt.Sprintf("%s messages with %s are cancelled: they will not be sent.", count(n), wa.Clean(t.String())), "cancel-aside"
	}
	if len(plan.Aside) > 1 && !a.Cancel {
		text += " Whoever has another trait that is set aside stays so."
	}
	m.record(store.Action{Operator: operator, Verb: verb, Target: l.Key, Effect: text})
	m.queue.Wake(l.ID)
	return m.asidesThen(ctx, l, n, false, text)
}

// asides is what a campaign has set aside, most messages first.
func (m *Monitor) asides(ctx context.Context, l *live) (link.Asides, error) {
	by, err := m.o.Store.Aside(ctx, l.ID)
	if err != nil {
		return link.Asides{}, err
	}
	m.mu.Lock()
	plan := m.planOf(l)
	m.mu.Unlock()
	for _, t := range plan.Aside {
		by[t] += 0
	}
	out := link.Asides{Aside: []link.Aside{}}
	for t, n := range by {
		out.Aside = append(out.Aside, link.Aside{
			AsideTrait: link.AsideTrait{Attribute: wa.Clean(t.Attribute), Value: wa.Clean(t.Value)}, Messages: n,
		})
	}
	slices.SortFunc(out.Aside, func(a, b link.Aside) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Attribute, b.Attribute), cmp.Compare(a.Value, b.Value))
	})
	return out, nil
}

func (m *Monitor) asidesThen(ctx context.Context, l *live, n int64, already bool, text string) (link.Asides, error) {
	out, err := m.asides(ctx, l)
	out.Changed, out.Already, out.Text = n, already, text
	return out, err
}
