package queue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tickwatch/wa"
)

// refuseFirst refuses the first n requests with a code.
func refuseFirst(n int, r wa.Refusal) func(int, sent) (wa.Accepted, error) {
	return func(i int, _ sent) (wa.Accepted, error) {
		if i <= n {
			return wa.Accepted{}, fmt.Errorf("sending: %w", &r)
		}
		return wa.Accepted{WAMID: fmt.Sprintf("wamid.%d", i)}, nil
	}
}

func TestRateLimitSlowsTheNumberAndLosesNothing(t *testing.T) {
	for _, r := range []wa.Refusal{
		{Code: 130429, HTTP: 400},
		{HTTP: 429},
		{Code: 80007},
		{Code: 4},
		{Code: 130429, HTTP: 429, RetryAfter: 20 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d-%d", r.Code, r.HTTP), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				store, m := newMemory(t), &meta{takes: 500 * time.Millisecond}
				// The limit is met by all that are under way at one moment.
				var limited []time.Time
				m.answer = func(i int, _ sent) (wa.Accepted, error) {
					if i > 100 && i <= 140 {
						limited = append(limited, time.Now())
						return wa.Accepted{}, &r
					}
					return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
				}
				store.add(plan(1), 2000)
				h := open(t, store, m)
				h.after(4 * time.Second)
				if len(limited) == 0 {
					t.Fatal("no limit was met")
				}
				rests := max(time.Second, r.RetryAfter)
				if r.Code == 4 || r.Code == 80007 {
					rests = time.Minute
				}
				for i, s := range m.all() {
					if since := s.at.Sub(limited[0]); since > 0 && since < rests {
						t.Fatalf("message %d began %v after the limit, which wants a rest of %v", i, since, rests)
					}
				}
				h.after(3 * time.Minute)
				h.want(accepted, 2000)
				h.want(refused, 0)
			})
		})
	}
}

func TestRestIsSaid(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{answer: refuseFirst(1, wa.Refusal{Code: 130429, RetryAfter: 20 * time.Second})}
		store.add(plan(1), 2000)
		h := open(t, store, m)
		h.after(15 * time.Second)
		h.wantHeld(1, "Meta slows this number down (130429): goes on in")
		if n := m.count(); n > 64 {
			t.Errorf("%d messages began during the rest", n)
		}
		h.want(claimed, 0)
	})
}

// After a limit a number is sent half as much, and gets it back by and by.
func TestSlowedNumberRecovers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		m.answer = func(i int, _ sent) (wa.Accepted, error) {
			if i == 800 {
				return wa.Accepted{}, &wa.Refusal{Code: 130429}
			}
			return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
		}
		store.add(plan(1), 100_000)
		h := open(t, store, m)
		h.after(10 * time.Second)
		before := m.count()
		h.after(3 * time.Second)
		if n := m.count() - before; n < 70 || n > 170 { // a second of rest, then 40/s
			t.Errorf("%d messages began in the three seconds after the limit", n)
		}
		h.after(time.Minute)
		before = m.count()
		h.after(10 * time.Second)
		if n := m.count() - before; n < 790 {
			t.Errorf("a minute later only %d messages began in ten seconds at 80/s", n)
		}
	})
}

// Many limits met by requests that were open together slow a number down once.
func TestLimitsOfOneMomentCountOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 500 * time.Millisecond}
		m.answer = func(i int, _ sent) (wa.Accepted, error) {
			if i > 800 && i <= 840 {
				return wa.Accepted{}, &wa.Refusal{Code: 130429}
			}
			return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
		}
		store.add(plan(1), 100_000)
		h := open(t, store, m)
		h.after(12 * time.Second)
		before := m.count()
		h.after(2 * time.Second)
		if n := m.count() - before; n < 60 {
			t.Errorf("%d messages began in two seconds after one limit at 80/s", n)
		}
	})
}

// A template that Meta pauses fails nobody, though others that were on their way
// still arrive, and though it is resumed too early.
func TestPausedTemplateFailsNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		paused := true
		m.answer = func(i int, s sent) (wa.Accepted, error) {
			switch {
			case paused && i == 10:
				m.takes = 300 * time.Millisecond // those that follow are on their way
				return wa.Accepted{}, &wa.Refusal{Code: 132015}
			case paused && i > 40:
				return wa.Accepted{}, &wa.Refusal{Code: 132015}
			}
			return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
		}
		m.takes = 100 * time.Millisecond
		store.add(plan(1), 500)
		h := open(t, store, m)
		for range 4 {
			h.after(30 * time.Second)
			h.resume("campaign", "autumn-1")
		}
		m.set(func() { paused = false })
		h.after(time.Minute)
		h.resume("campaign", "autumn-1")
		h.after(time.Minute)
		h.want(refused, 0)
		h.want(accepted, 500)
	})
}

func TestPairLimitDelaysThatPersonOnly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		var first string
		var times []time.Time
		m.answer = func(i int, s sent) (wa.Accepted, error) {
			if i == 1 {
				first = s.to
			}
			if s.to == first {
				if times = append(times, s.at); len(times) < 4 {
					return wa.Accepted{}, &wa.Refusal{Code: 131056}
				}
			}
			return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
		}
		store.add(plan(1), 200)
		h := open(t, store, m)
		h.after(10 * time.Second)
		h.want(accepted, 199)
		h.wantHeld(1, "the next may go in")
		h.after(20 * time.Second)
		h.want(accepted, 200)
		for i, want := range []time.Duration{time.Second, 4 * time.Second, 16 * time.Second} {
			if got := times[i+1].Sub(times[i]); got < want-time.Millisecond || got > want+time.Second {
				t.Errorf("try %d came %v after the one before, want %v", i+2, got, want)
			}
		}
	})
}

func TestRefusalsThatCloseAGate(t *testing.T) {
	for _, c := range []struct {
		code      int
		scope, id string
		others    bool // campaign 2, of another number and template, goes on
	}{
		{190, "all", "", false},
		{10, "all", "", false},
		{200, "all", "", false},
		{368, "all", "", false},
		{131031, "all", "", false},
		{131042, "all", "", false},
		{131064, "all", "", false},
		{131048, "number", "100", true},
		{131037, "number", "100", true},
		{132000, "campaign", "autumn-1", true},
		{132001, "campaign", "autumn-1", true},
		{132007, "campaign", "autumn-1", true},
		{132012, "campaign", "autumn-1", true},
		{132015, "campaign", "autumn-1", true},
		{132016, "campaign", "autumn-1", true},
	} {
		t.Run(fmt.Sprint(c.code), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				store, m := newMemory(t), &meta{takes: 100 * time.Millisecond}
				refuse := true
				m.answer = func(i int, s sent) (wa.Accepted, error) {
					if refuse && s.template == "autumn_offer" {
						return wa.Accepted{}, &wa.Refusal{Code: c.code, HTTP: 400, Details: "as it is"}
					}
					return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
				}
				store.add(plan(1), 500)
				other := plan(2)
				other.From, other.Form.Name = []string{"200"}, "winter_offer"
				store.add(other, 500)
				h := open(t, store, m)
				h.after(20 * time.Second)
				h.want(refused, 0)
				h.want(claimed, 0)
				if g := store.gate(c.scope, c.id); !g.Closed || g.By != "tickwatch" || !strings.Contains(g.Reason, fmt.Sprint(c.code)) {
					t.Errorf("the gate is stored as %+v", g)
				}
				if all := h.heard(); len(all) != 1 || all[0].Scope != c.scope || all[0].ID != c.id || all[0].Code != c.code || all[0].Opened {
					t.Errorf("heard of %+v, want one incident", all)
				}
				if sent := store.count(accepted); c.others && sent != 500 || !c.others && sent > 64 {
					t.Errorf("the other campaign sent %d", sent)
				}
				h.wantHeld(1, "paused")
				m.set(func() { refuse = false })
				h.resume(c.scope, c.id)
				h.after(30 * time.Second)
				h.want(accepted, 1000)
			})
		})
	}
}

// All campaigns that use a template stop with it, and no other.
func TestTemplateStopsAllWhoUseIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		m.answer = func(i int, s sent) (wa.Accepted, error) {
			if i == 1 {
				return wa.Accepted{}, &wa.Refusal{Code: 132015}
			}
			return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
		}
		store.add(plan(1), 500)
		p := plan(2)
		p.State = wa.PlanReady
		p.StartsAt = wa.At(time.Now().Add(time.Hour))
		store.add(p, 500)
		p = plan(3)
		p.Form.Language = "en"
		p.State = wa.PlanDraft
		store.add(p, 500)
		h := open(t, store, m)
		h.after(time.Minute)
		if !store.gate("campaign", "autumn-1").Closed || !store.gate("campaign", "autumn-2").Closed || store.gate("campaign", "autumn-3").Closed {
			t.Error("not the right campaigns are paused")
		}
	})
}

func TestRecipientErrorsFailThatRecipient(t *testing.T) {
	for _, code := range []int{131026, 131030, 131021, 100, 999999, 131050} {
		inBubble(t, func(t *testing.T) {
			store, m := newMemory(t), &meta{}
			m.answer = func(i int, _ sent) (wa.Accepted, error) {
				if i%3 == 0 {
					return wa.Accepted{}, &wa.Refusal{Code: code, Details: "no"}
				}
				return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
			}
			store.add(plan(1), 300)
			h := open(t, store, m)
			h.after(10 * time.Second)
			h.want(refused, 100)
			h.want(accepted, 200)
			m.twice(t)
		})
	}
}

// Fifty in a row that are refused for the same reason are no accident.
func TestManyRefusalsInARowPauseTheCampaign(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{answer: refuseFirst(1000, wa.Refusal{Code: 131009, Details: "bad parameter"})}
		store.add(plan(1), 1000)
		p := plan(2)
		p.Pace = wa.Pace{Messages: 1, Per: time.Second}
		store.add(p, 1000)
		h := open(t, store, m)
		h.after(10 * time.Second)
		if n := store.count(refused); n < 50 || n > 70 {
			t.Errorf("%d were refused before the campaign was paused", n)
		}
		h.wantHeld(1, "paused")
		h.wantHeld(2, "")
		if all := h.heard(); len(all) != 1 || all[0].ID != "autumn-1" || all[0].Code != 131009 {
			t.Errorf("heard of %+v", all)
		}
	})
}

// A row that Meta cannot take for reasons of its own goes back five times, and
// holds up nobody meanwhile.
func TestPlatformFaultOfOneRow(t *testing.T) {
	for _, code := range []int{131000, 1, 2, 131016} {
		inBubble(t, func(t *testing.T) {
			store, m := newMemory(t), &meta{}
			tries := 0
			m.answer = func(i int, s sent) (wa.Accepted, error) {
				if s.to == store.rows[7].phone {
					tries++
					return wa.Accepted{}, &wa.Refusal{Code: code}
				}
				return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
			}
			store.add(plan(1), 2000)
			h := open(t, store, m)
			h.after(2 * time.Minute)
			h.want(accepted, 1999)
			h.after(3 * time.Hour)
			h.want(refused, 1)
			if tries != 6 {
				t.Errorf("%d: it was tried %d times", code, tries)
			}
		})
	}
}

// A row that spoils its template's parameters pauses the campaign once. If others
// go out after the resume, it is the row, and it fails alone.
func TestRowAtFaultForATemplateError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		m.answer = func(i int, s sent) (wa.Accepted, error) {
			if s.to == store.rows[7].phone {
				return wa.Accepted{}, &wa.Refusal{Code: 132012}
			}
			return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
		}
		store.add(plan(1), 500)
		h := open(t, store, m)
		pauses := 0
		for range 5 {
			h.after(30 * time.Second)
			if store.gate("campaign", "autumn-1").Closed {
				pauses++
				h.resume("campaign", "autumn-1")
			}
		}
		h.want(refused, 1)
		h.want(accepted, 499)
		if pauses > 2 {
			t.Errorf("one row paused the campaign %d times", pauses)
		}
	})
}

// A row that does not fill the template fails, visibly, and no request is made.
func TestRowThatDoesNotFillTheTemplate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		p := plan(1)
		p.Form.Body = "Hello {{1}}, {{2}}"
		store.add(p, 500)
		h := open(t, store, m)
		h.after(10 * time.Second)
		if m.count() > 0 {
			t.Error("requests were made")
		}
		h.wantHeld(1, "paused") // all of them: it is the list
		if n := store.count(refused); n < 50 || n > 64+50 {
			t.Errorf("%d were refused", n)
		}
	})
}
