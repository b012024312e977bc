package store

// Heard counts messages that we handed over, by the second in which Meta took them.
type Heard struct {
	Taken int64 // those that Meta does not hold back
	Heard int64 // part of Taken: some status of theirs has come
}

// noteHeard notes what a group changes of whether anything is heard of what we
// handed over. Messages of other systems are not in it: of them only what is heard
// is known at all.
func (g *group) noteHeard(t *touched) {
	add := func(campaign, at int64, taken, heard bool, sign int64) {
		if !taken {
			return
		}
		by := g.heard[campaign]
		if by == nil {
			by = map[int64]Heard{}
			g.heard[campaign] = by
		}
		h := by[at]
		h.Taken += sign
		if heard {
			h.Heard += sign
		}
		by[at] = h
	}
	was, now := &t.was.progress, &t.now.progress
	if !t.fresh {
		add(t.was.campaign, was.AcceptedAt.Second(), was.AcceptedAt != 0 && !was.Refused() && !was.Paced(), was.Heard(), -1)
	}
	add(t.now.campaign, now.AcceptedAt.Second(), now.AcceptedAt != 0 && !now.Refused() && !now.Paced(), now.Heard(), 1)
}
