package sandbox

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// TestFatesDoNotDependOnTheSender sends to the list once from outside and once
// as an own queue would: shuffled, with its own callback data and payload, from
// the other number. Everybody meets the same.
func TestFatesDoNotDependOnTheSender(t *testing.T) {
	const size = 400
	fates := func(b Books) map[string][5]int64 {
		all := map[string][5]int64{}
		for _, m := range b.Messages {
			f := [5]int64{4: int64(m.Code)}
			for i, at := range []wa.Instant{m.SentAt, m.DeliveredAt, m.ReadAt, m.FailedAt} {
				if at != 0 {
					f[i] = at.Sub(m.AcceptedAt).Milliseconds()
				}
			}
			all[m.Recipient] = f
		}
		return all
	}
	o := Options{Scenario: "one-prefix", Seed: 3, Speed: fast, Rate: 5, Messages: size}
	outside := play(t, o, newReceiver(t, nil))

	rc := newReceiver(t, nil)
	o.Messages = -1
	s, stop := start(t, o, rc)
	people := slices.Collect(s.People(size))
	rand.Shuffle(size, func(i, j int) { people[i], people[j] = people[j], people[i] })
	for i, p := range people {
		body := templateBody(p.Phone, CampaignTemplate, CampaignLanguage,
			imageByLink+","+bodyOfOne+","+strings.Replace(stopPressed, "STOP_PROMO", "SAIR", 1))
		body = strings.Replace(body, `"c:1"`, fmt.Sprintf(`"outono:tw-a1b2-%d"`, i), 1)
		if status, answer := call(t, s, http.MethodPost, "/"+numberIDs[1]+"/messages", body); status != http.StatusOK {
			t.Fatal(answer)
		}
	}
	waitFor(t, "the end", func() bool { b := s.Books(); return b.Waiting == 0 && b.Ahead == 0 })
	own := s.Books()
	stop()
	rc.check(own)
	if diff := gocmp.Diff(fates(outside), fates(own)); diff != "" {
		t.Errorf("sent from outside (-) and by ourselves (+):\n%s", diff)
	}
	for i, m := range own.Messages {
		if want := fmt.Sprintf("outono:tw-a1b2-%d", i); m.CallbackData != want {
			t.Fatalf("callback data %q, want %q", m.CallbackData, want)
		}
	}
}

// TestTheButtonBringsItsPayloadBack presses the opt-out button of messages that
// were sent with a payload, and of others without.
func TestTheButtonBringsItsPayloadBack(t *testing.T) {
	rc := newReceiver(t, nil)
	s, _ := start(t, Options{Scenario: "optouts", Speed: fast, Messages: -1}, rc)
	call(t, s, http.MethodGet, "/"+AccountID, "") // it has begun
	begun := s.opts.Now()
	waitFor(t, "minute 3", func() bool { return s.opts.Now().Sub(begun) > 3*time.Minute })
	with := map[string]bool{}
	for i := range 600 {
		components := imageByID + "," + bodyOfOne
		if i%2 == 0 {
			components += "," + strings.Replace(stopPressed, "STOP_PROMO", "SAIR", 1)
		}
		o := try(s, http.MethodPost, "/"+numberIDs[0]+"/messages", templateBody(fmt.Sprintf("+35196%07d", i), CampaignTemplate, CampaignLanguage, components))
		id, _ := o.message()
		with[id] = i%2 == 0
	}
	waitFor(t, "the end", func() bool { b := s.Books(); return b.Waiting == 0 && b.Ahead == 0 })
	rc.mu.Lock()
	defer rc.mu.Unlock()
	pressed := map[string]int{}
	for _, v := range rc.fields[fieldMessages] {
		messages, _ := v.(map[string]any)["messages"].([]any)
		for _, m := range messages {
			m := m.(map[string]any)
			b, ok := m["button"].(map[string]any)
			if !ok {
				continue
			}
			want := stopButton
			if with[m["context"].(map[string]any)["id"].(string)] {
				want = "SAIR"
			}
			if b["payload"] != want || b["text"] != stopButton {
				t.Errorf("pressed: %v, want the payload %q", b, want)
			}
			pressed[want]++
		}
	}
	if len(pressed) != 2 {
		t.Errorf("pressed: %v", pressed)
	}
}

// A person on no list behaves too, by the phase that the stand-in is in.
func TestStrangersFollowThePhases(t *testing.T) {
	s, _ := start(t, Options{Scenario: "one-prefix", Speed: fast, Messages: -1}, newReceiver(t, nil))
	for i := range 40 {
		ask(t, s, numberIDs[0], fmt.Sprintf("+%s%06d", badBlock, i))
	}
	waitFor(t, "the end", func() bool { b := s.Books(); return len(b.Messages) == 40 && b.Ahead == 0 })
	dead := 0
	for _, m := range s.Books().Messages {
		if m.Code == 131026 {
			dead++
		}
	}
	if dead < 32 {
		t.Errorf("%d of 40 in the dead block failed", dead)
	}
}

func TestPeople(t *testing.T) {
	s, _ := start(t, Options{Seed: 4, Speed: 1, Messages: 50}, newReceiver(t, nil))
	const size = 5000
	phones, consent, sms := map[string]bool{}, 0, 0
	row := 0
	for p := range s.People(size) {
		if row < 50 && p.Phone != "+"+s.people.phones[row] {
			t.Errorf("row %d is %s, the outside sender has %s", row, p.Phone, s.people.phones[row])
		}
		if p.Name == "" || len(p.Country) != 2 || p.Language == "" || p.Name != s.people.person(p.Phone[1:]).name {
			t.Fatalf("row %d: %+v", row, p)
		}
		phones[p.Phone] = true
		if p.Consent {
			consent++
		}
		if p.SMS {
			sms++
		}
		row++
	}
	if len(phones) != size || row != size {
		t.Errorf("%d people with %d numbers, want %d", row, len(phones), size)
	}
	within(t, "consent", float64(consent)/size, 0.99, 0.999)
	within(t, "consent to SMS", float64(sms)/size, 0.83, 0.87)
	for range s.People(10) {
		break // who has seen enough is let go
	}
}
