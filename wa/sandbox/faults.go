package sandbox

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tickwatch/wa"
)

// faults holds what is to go wrong. Whoever asks takes no lock.
type faults struct {
	seed uint64
	all  atomic.Pointer[[]*fault] // never changed in place

	mu    sync.Mutex // one change at a time
	given int
}

type fault struct {
	Fault
	id     int
	asked  atomic.Uint64 // requests that it could have struck
	struck atomic.Int64
}

func newFaults(seed uint64) *faults {
	f := &faults{seed: seed}
	f.all.Store(&[]*fault{})
	return f
}

// Inject lets something go wrong from now on, before or during Run, and gives
// the id to clear it by.
func (s *Sandbox) Inject(f Fault) (id int, err error) {
	if err := f.complete(); err != nil {
		return 0, err
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.given++
	all := append(slices.Clone(*s.faults.all.Load()), &fault{Fault: f, id: s.faults.given})
	s.faults.all.Store(&all)
	return s.faults.given, nil
}

// Clear ends faults, all of them when none are named. Requests that one has
// already struck stay struck.
func (s *Sandbox) Clear(ids ...int) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	left := []*fault{}
	for _, f := range *s.faults.all.Load() {
		if len(ids) > 0 && !slices.Contains(ids, f.id) {
			left = append(left, f)
		}
	}
	s.faults.all.Store(&left)
}

// Faults lists what was injected and not cleared, the oldest first.
func (s *Sandbox) Faults() []InForce {
	all := []InForce{}
	for _, f := range *s.faults.all.Load() {
		all = append(all, InForce{ID: f.id, Struck: int(f.struck.Load()), Fault: f.Fault})
	}
	return all
}

// chooses tells whether a fault is meant for a send.
func (f *fault) chooses(number, template, person string) bool {
	return (f.Number == "" || f.Number == number) && (f.Template == "" || f.Template == template) && (f.Person == "" || f.Person == person)
}

// strikes draws whether a fault strikes, and counts that it did.
func (f *fault) strikes(seed uint64, words ...any) bool {
	if f.Share > 0 && f.Share < 1 {
		words = append([]any{"fault", f.Kind}, words...)
		if float64(hash(seed, words...)>>11)/(1<<53) >= f.Share {
			return false
		}
	}
	for {
		n := f.struck.Load()
		if f.Next > 0 && n >= int64(f.Next) {
			return false
		}
		if f.struck.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// request draws whether a fault strikes the next request.
func (f *fault) request(seed uint64) bool {
	return f.strikes(seed, f.id, f.asked.Add(1))
}

// verdict is what goes wrong with one request.
type verdict struct {
	latency      time.Duration
	end          *fault // how it ends, other than well; nil for well
	webhookFirst bool
	hold         *fault
	fail         int // code that the accepted message fails with; 0 for none
}

// onSend draws what goes wrong with a send.
func (fs *faults) onSend(number, template, person string) (v verdict) {
	for _, f := range *fs.all.Load() {
		if f.Reads || f.SMS || !f.chooses(number, template, person) {
			continue
		}
		switch f.Kind {
		case FaultHold:
			if v.hold == nil && f.strikes(fs.seed, person) {
				v.hold = f
			}
		case FaultFail:
			if v.fail == 0 && f.strikes(fs.seed, person) {
				v.fail = f.Code
			}
		case FaultWebhookFirst:
			v.webhookFirst = f.request(fs.seed) || v.webhookFirst
		default:
			f.wire(fs.seed, &v)
		}
	}
	return v
}

// onRead draws what goes wrong with a read.
func (fs *faults) onRead() (v verdict) {
	for _, f := range *fs.all.Load() {
		if f.Reads || f.Kind == FaultToken && !f.SMS {
			f.wire(fs.seed, &v)
		}
	}
	return v
}

// wire draws whether a fault strikes a request on its way.
func (f *fault) wire(seed uint64, v *verdict) {
	switch f.Kind {
	case FaultLatency:
		if f.request(seed) {
			v.latency += f.Delay
		}
	case FaultHang, FaultDrop, FaultCut, FaultRefuse, FaultServer, FaultToken:
		if v.end == nil && f.request(seed) {
			v.end = f
		}
	}
}

// onUpdate draws what goes wrong with a webhook update of a message.
func (fs *faults) onUpdate(wamid string, step int) (lost bool, delay time.Duration) {
	return fs.onNews(false, wamid, step)
}

// onReceipt is onUpdate for the receipt of a text message.
func (fs *faults) onReceipt(id string, step int) (lost bool, delay time.Duration) {
	return fs.onNews(true, id, step)
}

func (fs *faults) onNews(sms bool, id string, step int) (lost bool, delay time.Duration) {
	for _, f := range *fs.all.Load() {
		if f.SMS != sms {
			continue
		}
		switch f.Kind {
		case FaultLostWebhooks:
			lost = f.strikes(fs.seed, id, step) || lost
		case FaultSlowWebhooks:
			if f.strikes(fs.seed, id, step) {
				delay += f.Delay
			}
		}
	}
	return lost, delay
}

// onSMS draws what goes wrong with a text message.
func (fs *faults) onSMS(person string) (v verdict) {
	for _, f := range *fs.all.Load() {
		switch {
		case !f.SMS || !f.chooses("", "", person):
		case f.Kind == FaultFail:
			if v.fail == 0 && f.strikes(fs.seed, person) {
				v.fail = max(f.Code, 1)
			}
		default:
			f.wire(fs.seed, &v)
		}
	}
	return v
}

// accepts tells whether the message is to be accepted, as far as faults go.
func (v verdict) accepts() bool {
	return v.end == nil || v.end.Taken && v.end.Kind != FaultRefuse && v.end.Kind != FaultToken
}

// refusal is the error that a fault answers; nil for one that answers none.
func (f *fault) refusal() *graphError {
	switch f.Kind {
	case FaultRefuse, FaultServer, FaultToken:
		e := refuse(f.Code)
		e.status, e.retryAfter, e.bare = f.HTTP, f.RetryAfter, f.Code == 0
		if f.Details != "" {
			e.details = f.Details
		}
		return e
	}
	return nil
}

// blocks finds the error that all sends of a number, of a template or, with
// both empty, of the account are refused with; 0 for none.
func (fs *faults) blocks(class wa.Class, number, template string) (code int) {
	for _, f := range *fs.all.Load() {
		total := f.Kind == FaultRefuse && !f.Reads && !f.SMS && f.Next == 0 && f.Share == 0 && f.Person == ""
		if total && wa.ClassOf(f.Code) == class && f.chooses(number, template, "") {
			return f.Code
		}
	}
	return 0
}
