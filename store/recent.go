package store

import "tickwatch/wa"

// message is one message as the writer knows it.
type message struct {
	id       int64
	campaign int64
	number   int64
	person   int64
	hasBSUID bool // the person's BSUID is known
	hasPhone bool
	keyed    bool // its campaign comes from its own callback data
	lone     bool // its callback data is known to be no key, so far
	wamid    string
	progress wa.Progress
}

// generation is how many messages each half of recent holds; about 200 bytes each.
const generation = 100_000

// recent remembers the messages that were last written or looked up, so that
// the news of a young message needs no look-up on disk. Two generations stand
// in for an LRU: when the young one is full the old one is forgotten.
type recent struct {
	young, old map[string]message
}

func (r *recent) get(wamid string) (message, bool) {
	if m, ok := r.young[wamid]; ok {
		return m, true
	}
	m, ok := r.old[wamid]
	if ok {
		r.put(m)
	}
	return m, ok
}

func (r *recent) put(m message) {
	if len(r.young) >= generation || r.young == nil {
		r.old, r.young = r.young, make(map[string]message, 1024)
	}
	r.young[m.wamid] = m
}
