package monitor

import (
	"crypto/rand"
	"sync"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/store"
)

// gatheringIdle is how long what was gathered for an export is kept when nobody
// asks for the next page.
const gatheringIdle = 30 * time.Second

// gathering keeps what an export of people to clean up has gathered between two of
// its pages: of one export at a time, for it takes tens of megabytes.
type gathering struct {
	mu    sync.Mutex
	key   string // of the export; "" = there is none
	held  *store.Contacts
	busy  bool
	timer *time.Timer // lets go of it
}

// take gives an export what it has gathered so far for the people after mark, or
// begins to gather.
func (g *gathering) take(mark *link.RowsMark, s *store.Store) (*store.Contacts, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy || g.key != "" && g.key != mark.Key {
		return nil, errGathering()
	}
	if mark.Key == "" {
		mark.Key = rand.Text()[:10]
	}
	c := g.held
	if g.key == "" || c == nil || mark.Person >= c.Last() || mark.Person < c.First()-1 {
		c = s.Contacts(mark.Person, mark.LastPerson, mark.LastMessage)
	}
	g.key, g.held, g.busy = mark.Key, c, true
	if g.timer != nil {
		g.timer.Stop()
	}
	return c, nil
}

// give puts it back until the next page; over says that there is none.
func (g *gathering) give(key string, c *store.Contacts, over bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy = false
	if over {
		g.key, g.held = "", nil
		return
	}
	g.held = c
	g.timer = time.AfterFunc(gatheringIdle, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.key == key && !g.busy {
			g.key, g.held = "", nil
		}
	})
}
