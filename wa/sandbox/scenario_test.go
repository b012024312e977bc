package sandbox

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// between picks the messages of a stretch of the campaign.
func between(from, to time.Duration) func(time.Duration, string) bool {
	return func(m time.Duration, _ string) bool { return m >= from && m < to }
}

const ever = 30 * time.Minute

func TestLeak(t *testing.T) {
	const begin, step, end = 2 * time.Minute, 3 * time.Minute, 17 * time.Minute
	before := fates(t, "leak", between(0, begin)).settled()
	within(t, "settled before", before, 0.955, 0.98)
	for from := begin; from < end; from += step {
		now := fates(t, "leak", between(from, from+step)).settled()
		within(t, fmt.Sprintf("what is lost from minute %v on", from.Minutes()), before-now, 0.005, 0.055)
		before = now
	}
	within(t, "settled after", fates(t, "leak", between(end, ever)).settled(), 0.78, 0.82)
}

func TestWithheld(t *testing.T) {
	// The shares of the messages that Meta chose not to deliver, and of those
	// that failed for other reasons.
	shares := func(from, to time.Duration) (withheld, failed float64) {
		c := fates(t, "withheld", between(from, to))
		n := c.codes[131049] + c.codes[130472]
		return float64(n) / float64(c.messages), float64(c.failed-n) / float64(c.messages)
	}
	before, _ := shares(0, 3*time.Minute)
	within(t, "withheld before", before, 0.008, 0.018)
	rising, _ := shares(3*time.Minute, 5*time.Minute)
	within(t, "withheld while it rises", rising, 0.05, 0.08)
	after, others := shares(5*time.Minute, ever)
	within(t, "withheld after", after, 0.11, 0.13)
	within(t, "failed for other reasons after", others, 0.012, 0.02)
}

func TestBurstsKeepTheAverage(t *testing.T) {
	sc, err := scenarioNamed("burst")
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []float64{0.5, defaultRate, 1000} {
		var due []time.Duration
		for row := range 10 * sc.burst {
			due = append(due, sc.due(row, rate))
		}
		if !slices.IsSorted(due) {
			t.Errorf("at %g a second: rows are not in order of time", rate)
		}
		period := seconds(float64(sc.burst) / rate)
		for i := 0; i < len(due); i += sc.burst {
			first, last := due[i], due[i+sc.burst-1]
			if want := period * time.Duration(i/sc.burst); math.Abs(float64(first-want)) > 1000 {
				t.Errorf("at %g a second: burst %d begins at %v, want %v", rate, i/sc.burst, first, want)
			}
			if longest := min(4*time.Second, period); last-first >= longest || last-first < longest*9/10 {
				t.Errorf("at %g a second: burst %d takes %v, want almost %v", rate, i/sc.burst, last-first, longest)
			}
		}
	}
}

// TestDuplicates plays a campaign twice: the same happens to everybody, but it
// is told several times.
func TestDuplicates(t *testing.T) {
	lives := func(scenario string) ([]Message, *receiver, Books) {
		rc := newReceiver(t, nil)
		b := play(t, Options{Scenario: scenario, Seed: 5, Speed: fast, Rate: 5, Messages: 500}, rc)
		happened := slices.Clone(b.Messages)
		for i := range happened {
			m := &happened[i]
			for _, at := range []*wa.Instant{&m.SentAt, &m.DeliveredAt, &m.ReadAt, &m.FailedAt} {
				if *at != 0 {
					*at -= m.AcceptedAt
				}
			}
			m.AcceptedAt = 0
		}
		slices.SortFunc(happened, func(x, y Message) int { return cmp.Compare(x.Recipient, y.Recipient) })
		return happened, rc, b
	}
	healthy, _, _ := lives("healthy")
	again, rc, b := lives("duplicates")
	if diff := gocmp.Diff(healthy, again); diff != "" {
		t.Fatalf("not what happens in a healthy campaign:\n%s", diff)
	}
	rc.check(b)
	seen := map[int]int{}
	for _, told := range rc.told {
		times := map[any]int{}
		for _, s := range told {
			times[s["status"]]++
		}
		for _, n := range times {
			seen[n]++
		}
	}
	if len(seen) != 3 || seen[3] == 0 || seen[4] == 0 || seen[5] == 0 {
		t.Errorf("statuses by how often they were told: %v, want three to five times", seen)
	}
	if n := len(rc.fields[fieldTemplateStatus]); n < 3 || n > 5 {
		t.Errorf("the template's approval was told %d times, want three to five", n)
	}
	if rc.disorder < len(rc.told) {
		t.Errorf("of %d messages, %d statuses came after a greater one: hardly shuffled", len(rc.told), rc.disorder)
	}
}

// TestFeedOutage looks at every attempt to deliver a webhook: none gets through
// during the outage, and all that happened in it is told later, with its time.
func TestFeedOutage(t *testing.T) {
	rc := newReceiver(t, nil)
	const messages = 1200 // ten minutes
	s, stop := start(t, Options{Scenario: "feed-outage", Seed: 2, Speed: 500, Rate: 2, Messages: messages}, rc)
	waitFor(t, "news of every message", func() bool { return rc.taken() == messages })
	stop()
	b := s.Books()
	from, to := s.begin+millis(4*time.Minute), s.begin+millis(6*time.Minute+45*time.Second)

	posts := map[int]bool{}
	late := 0
	for _, a := range b.Attempts {
		switch {
		case a.At >= from && a.At < to:
			posts[a.Post] = true
			if a.Answer != 0 || a.Problem == "" {
				t.Fatalf("got through during the outage: %+v", a)
			}
		case a.Answer == 200 && posts[a.Post]:
			late++
		}
	}
	if late == 0 || late != len(posts) {
		t.Errorf("%d posts were tried in the outage, %d of them got through later", len(posts), late)
	}
	inside := 0
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, m := range b.Messages {
		if m.SentAt < from || m.SentAt >= to {
			continue
		}
		inside++
		want := fmt.Sprint(m.SentAt.Second())
		if !slices.ContainsFunc(rc.told[m.ID], func(s map[string]any) bool { return s["status"] == "sent" && s["timestamp"] == want }) {
			t.Errorf("%s was sent in the outage, at %s, and told as %v", m.ID, want, rc.told[m.ID])
		}
	}
	if inside == 0 {
		t.Error("no message was sent in the outage")
	}
}

func TestPausedTemplate(t *testing.T) {
	within(t, "opt-outs before", fates(t, "paused-template", between(0, 2*time.Minute)).optOut(), 0, 0.002)
	within(t, "opt-outs after", fates(t, "paused-template", between(2*time.Minute, ever)).optOut(), 0.002, 0.006)

	rc := newReceiver(t, nil)
	const messages = 1200 // ten minutes, and the pause comes after eight
	s, _ := start(t, Options{Scenario: "paused-template", Speed: 400, Rate: 2, Messages: messages}, rc)
	var b Books
	waitFor(t, "refusals, and the time of the last send", func() bool {
		b = s.Books()
		return b.Refused >= patience && wa.At(rc.now()) > b.Messages[0].AcceptedAt+millis(11*time.Minute)
	})
	// Sends that went well just before, and are told late, begin the count anew.
	if most := 2*patience + sendersAtOnce; b.Refused > most {
		t.Errorf("%d sends were refused, want %d to %d", b.Refused, patience, most)
	}
	if n := len(b.Messages) + b.Refused; n >= messages {
		t.Errorf("the sender tried all its %d messages", n)
	}
	status, answer := call(t, s, "POST", "/"+numberIDs[0]+"/messages", sendBody("", ""))
	if problem, _ := answer["error"].(map[string]any); status != 400 || problem["code"] != float64(132015) {
		t.Errorf("a further send was answered %d, %v", status, answer)
	}
	_, answer = call(t, s, "GET", "/9900000000000001?fields=status,health_status", "")
	if answer["status"] != "PAUSED" || answer["health_status"].(map[string]any)["can_send_message"] != "BLOCKED" {
		t.Errorf("the Graph API says of the template %v", answer)
	}

	rc.mu.Lock()
	defer rc.mu.Unlock()
	var told []any
	for _, v := range rc.fields[fieldTemplateStatus] {
		v := v.(map[string]any)
		info, _ := v["other_info"].(map[string]any)
		told = append(told, v["event"], info["title"])
	}
	if diff := gocmp.Diff([]any{"APPROVED", nil, "PAUSED", "FIRST_PAUSE"}, told); diff != "" {
		t.Errorf("what was told of the template:\n%s", diff)
	}
}
