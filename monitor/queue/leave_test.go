package queue_test

import (
	"fmt"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// Where the operator wants no pause for a template or the account, none is made;
// what Meta refuses so waits, nobody fails for it, and it goes out once Meta takes it.
func TestLeavesWhatTheOperatorWantsLeft(t *testing.T) {
	for _, code := range []int{132015, 131042} {
		inBubble(t, func(t *testing.T) {
			store, m := newMemory(t), &meta{}
			began := time.Now()
			m.answer = func(i int, _ sent) (wa.Accepted, error) {
				if time.Since(began) < 5*time.Minute {
					return wa.Accepted{}, &wa.Refusal{Code: code, HTTP: 400, Message: "Meta says no"}
				}
				return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
			}
			store.add(plan(1), 100)
			h := open(t, store, m, func(o *queue.Options) { o.LeaveTemplates, o.LeaveAccount = true, true })
			h.after(4 * time.Minute)
			h.Failed(1, code, []string{"100"})
			h.TemplateStopped("autumn_offer", "pt_PT", "DISABLED")
			h.after(time.Second)
			h.wantHeld(1, "Meta says no")
			if n := m.count(); n < 300 || n > 600 { // each once a minute
				t.Errorf("%d: %d requests in four minutes", code, n)
			}
			if store.gate("all", "").Closed || store.gate("campaign", "autumn-1").Closed || len(h.heard()) != 0 {
				t.Errorf("%d: a gate was closed: %v", code, h.heard())
			}
			h.want(refused, 0)
			h.after(3 * time.Minute)
			h.want(accepted, 100)
		})
	}
}
