package queue

import "sync"

// notices tells of incidents in order, and that the view has changed, from a
// goroutine of its own: whoever hears of it may take their time and call the
// queue back.
type notices struct {
	hear  func(Incident)
	stale func()        // the view has changed
	wake  chan struct{} // capacity 1

	mu      sync.Mutex
	waiting []Incident
}

func (n *notices) init(hear func(Incident), stale func()) {
	n.hear, n.stale, n.wake = hear, stale, make(chan struct{}, 1)
}

func (n *notices) tell(i Incident) {
	n.mu.Lock()
	n.waiting = append(n.waiting, i)
	n.mu.Unlock()
	n.changed()
}

func (n *notices) changed() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run passes on what comes until ended is closed, and then what is left.
func (n *notices) run(ended <-chan struct{}) {
	for over := false; !over; {
		select {
		case <-n.wake:
		case <-ended:
			over = true
		}
		n.stale()
		n.mu.Lock()
		all := n.waiting
		n.waiting = nil
		n.mu.Unlock()
		for _, i := range all {
			n.hear(i)
		}
	}
}
