package store

// generation is how many messages each half of recent holds; about 350 bytes each.
const generation = 30_000

// recent remembers the messages whose rows were last written or read, so that
// the news of a young message needs no look-up on disk. Two generations stand
// in for an LRU: when the young one is full the old one is forgotten.
type recent struct {
	young, old remembered
}

type remembered struct {
	byWAMID map[string]*message
	byID    map[int64]*message
}

func (r *recent) get(wamid string) *message {
	if m := r.young.byWAMID[wamid]; m != nil {
		return m
	}
	return r.old.byWAMID[wamid]
}

func (r *recent) byRow(id int64) *message {
	if m := r.young.byID[id]; m != nil {
		return m
	}
	return r.old.byID[id]
}

func (r *recent) put(m message) {
	if len(r.young.byID) >= generation || r.young.byID == nil {
		r.old, r.young = r.young, remembered{make(map[string]*message, 1024), make(map[int64]*message, 1024)}
	}
	r.young.byID[m.id] = &m
	if m.wamid != "" {
		r.young.byWAMID[m.wamid] = &m
	}
}
