package cli_test

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// snapshotKeys is the contract's snapshot, key for key: path, kind, and whether
// it is always there or only when it is known. A list is there always; what
// stands below it holds for each of its elements.
const snapshotKeys = `
rev                                  integer  always
at                                   time     always
version                              text     always
feed                                 object   always
feed.state                           live|idle|stalled always
feed.last_event_at                   time     known
feed.posts                           integer  always
feed.refused                         integer  always
feed.not_understood                  integer  always
feed.updates                         integer  always
feed.duplicates                      integer  always
feed.answer_ms                       object   known
feed.answer_ms.p50                   number   always
feed.answer_ms.p99                   number   always
feed.callback_rate                   share    known
feed.trend                           list     always
feed.trend[].at                      time     always
feed.trend[].posts                   integer  always
feed.trend[].updates                 integer  always
feed.trend[].duplicates              integer  always
feed.trend[].answer_p99_ms           number   known
host                                 object   always
host.cpu                             share    known
host.memory_bytes                    integer  known
host.memory                          share    known
host.disk                            share    known
host.queue                           share    known
host.disk_free_bytes                 integer  known
gates                                list     always
gates[].scope                        all|channel|number|campaign always
gates[].id                           text     always
gates[].state                        open|paused always
gates[].by                           text     known
gates[].reason                       text     known
gates[].since                        time     always
campaigns                            list     always
campaigns[].id                       text     always
campaigns[].name                     text     always
campaigns[].origin                   own|external always
campaigns[].state                    draft|ready|running|paused|cancelled|finished always
campaigns[].started_at               time     known
campaigns[].template                 object   known
campaigns[].template.name            text     always
campaigns[].template.language        text     always
campaign_count                       integer  always
campaigns[].counts                   object   always
campaigns[].counts.messages          integer  always
campaigns[].counts.waiting           integer  always
campaigns[].counts.set_aside         integer  always
campaigns[].counts.claimed           integer  always
campaigns[].counts.unknown           integer  always
campaigns[].counts.cancelled         integer  always
campaigns[].counts.refused           integer  always
campaigns[].counts.handed_over       integer  always
campaigns[].counts.paced             integer  always
campaigns[].counts.sent              integer  always
campaigns[].counts.delivered         integer  always
campaigns[].counts.read              integer  always
campaigns[].counts.failed            integer  always
campaigns[].counts.withheld          integer  always
campaigns[].counts.in_flight         integer  always
campaigns[].first30                  object   always
campaigns[].first30.from             time     known
campaigns[].first30.to               time     known
campaigns[].first30.closed           flag     always
campaigns[].first30.messages         integer  always
campaigns[].first30.delivered        integer  always
campaigns[].first30.failed           integer  always
campaigns[].first30.withheld         integer  always
campaigns[].first30.in_flight        integer  always
campaigns[].first30.observed         share    known
campaigns[].first30.settled          share    known
campaigns[].first30.by_age           list     always
campaigns[].first30.by_age[].seconds integer  always
campaigns[].first30.by_age[].share   share    always
campaigns[].first30.projected        share    known
campaigns[].first30.low              share    known
campaigns[].first30.high             share    known
campaigns[].first30.verdict          ok|watch|act|unsure always
campaigns[].first30.reason           text     always
campaigns[].blast                    object   known
campaigns[].blast.sent_per_minute    integer  always
campaigns[].blast.failures_low       integer  always
campaigns[].blast.failures_high      integer  always
campaigns[].blast.limit_share        share    known
campaigns[].reports                  object   always
campaigns[].reports.opt_outs         integer  always
campaigns[].reports.rate             share    known
campaigns[].reports.refusers         integer  always
campaigns[].reports.reported         integer  known
campaigns[].reports.source           text     known
campaigns[].reports.verdict          ok|watch|act|unsure always
campaigns[].errors                   list     always
campaigns[].errors[].code            integer  always
campaigns[].errors[].title           text     always
campaigns[].errors[].category        text     always
campaigns[].errors[].count           integer  always
campaigns[].errors[].share           share    always
campaigns[].errors[].advice          text     always
campaigns[].errors[].retry           text     always
campaigns[].errors[].sms             yes|no|maybe always
campaigns[].clusters                 list     always
campaigns[].clusters[].attribute     text     always
campaigns[].clusters[].value         text     always
campaigns[].clusters[].sent          integer  always
campaigns[].clusters[].failed        integer  always
campaigns[].clusters[].lift          number   always
campaigns[].clusters[].p_adjusted    share    always
campaigns[].fallback                 object   always
campaigns[].fallback.eligible        integer  always
campaigns[].fallback.waiting         integer  always
campaigns[].fallback.accepted        integer  always
campaigns[].fallback.delivered       integer  always
campaigns[].fallback.failed          integer  always
campaigns[].fallback.unknown         integer  always
campaigns[].fallback.double_hits     integer  always
numbers                              list     always
numbers[].id                         text     always
numbers[].display                    text     always
numbers[].quality                    text     known
numbers[].status                     text     known
numbers[].limit                      text     known
numbers[].used_24h                   integer  known
numbers[].throughput_mps             number   known
numbers[].since                      time     known
templates                            list     always
templates[].id                       text     always
templates[].name                     text     always
templates[].language                 text     always
templates[].category                 text     known
templates[].status                   text     known
templates[].quality                  text     known
templates[].paused_until             time     known
alarms                               list     always
alarms[].id                          text     always
alarms[].kind                        delivery|withheld|reports|quality|template|feed|callbacks|host|account|limit|list always
alarms[].severity                    watch|act always
alarms[].campaign                    text     known
alarms[].subject                     text     known
alarms[].pause                       text     known
alarms[].text                        text     always
alarms[].raised_at                   time     always
alarms[].acted_at                    time     known
alarms[].cleared_at                  time     known
alarms[].acked_by                    text     known
alarms[].until                       time     known
actions                              list     always
actions[].id                         text     always
actions[].at                         time     always
actions[].operator                   text     always
actions[].verb                       text     always
actions[].target                     text     always
actions[].reason                     text     known
actions[].effect                     text     known
`

// lookUp gives what stands at a path, for each element of the lists above it;
// missing counts the places where it is not. Where a parent is absent, that is
// the parent's matter.
func lookUp(v any, path string) (found []any, missing int) {
	key, rest, more := strings.Cut(path, ".")
	key, isList := strings.CutSuffix(key, "[]")
	m, ok := v.(map[string]any)
	if !ok {
		return nil, 1
	}
	value, there := m[key]
	switch {
	case !there && more:
		return nil, 0
	case !there:
		return nil, 1
	case isList:
		list, _ := value.([]any)
		for _, element := range list {
			f, n := lookUp(element, rest)
			found, missing = append(found, f...), missing+n
		}
		return found, missing
	case more:
		return lookUp(value, rest)
	}
	return []any{value}, 0
}

var utc = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)

// is tells whether a value is of a kind; kinds with a bar list the words allowed.
func is(kind string, v any) bool {
	number, isNumber := v.(float64)
	text, isText := v.(string)
	switch kind {
	case "integer":
		return isNumber && number == math.Trunc(number) && number >= 0
	case "number":
		return isNumber
	case "share":
		return isNumber && number >= 0 && number <= 1
	case "text":
		return isText
	case "time":
		_, err := time.Parse(time.RFC3339Nano, text)
		return isText && err == nil && utc.MatchString(text)
	case "flag":
		_, ok := v.(bool)
		return ok
	case "list":
		_, ok := v.([]any)
		return ok
	case "object":
		_, ok := v.(map[string]any)
		return ok
	}
	return isText && slices.Contains(strings.Split(kind, "|"), text)
}

// holdAgainstContract checks a document's keys; those at the paths in present
// must be there, those in absent must not.
func holdAgainstContract(t *testing.T, document string, present, absent []string) {
	t.Helper()
	var snapshot any
	if err := json.Unmarshal([]byte(document), &snapshot); err != nil {
		t.Fatalf("not one JSON document: %v in %s", err, document)
	}
	for line := range strings.Lines(strings.TrimSpace(snapshotKeys)) {
		f := strings.Fields(line)
		path, kind, when := f[0], f[1], f[2]
		found, missing := lookUp(snapshot, path)
		if missing > 0 && when == "always" {
			t.Errorf("%s is missing %d times; the contract promises it always", path, missing)
		}
		for _, v := range found {
			if !is(kind, v) {
				t.Errorf("%s is %v, the contract says %s", path, v, kind)
			}
		}
		if slices.Contains(present, path) && len(found) == 0 {
			t.Errorf("%s is not there, and it is known", path)
		}
		if slices.Contains(absent, path) && len(found) > 0 {
			t.Errorf("%s is %v, and nothing is known of it", path, found)
		}
	}
	if strings.Contains(document, "null") {
		t.Error("a null; what is unknown must be absent")
	}
}

// TestContractOfALiveCampaign plays a campaign that goes wrong.
func TestContractOfALiveCampaign(t *testing.T) {
	t.Parallel()
	out, diagnostics, code := tickwatch(t, environment(folder(t)),
		"demo", "--headless", "--json", "--for", "8s", "--speed", "60", "--scenario", "cliff")
	if code != 0 || diagnostics != "" {
		t.Fatalf("exit code %d: %s", code, diagnostics)
	}
	holdAgainstContract(t, out, []string{
		"feed.last_event_at", "feed.answer_ms", "host.cpu", "host.memory_bytes", "host.disk_free_bytes",
		"campaigns[].started_at", "campaigns[].first30.from", "campaigns[].first30.to", "campaigns[].first30.observed",
		"campaigns[].first30.settled", "campaigns[].first30.by_age[].share", "campaigns[].first30.projected",
		"campaigns[].first30.low", "campaigns[].first30.high", "campaigns[].reports.rate", "campaigns[].errors[].count",
		"feed.callback_rate", "host.memory", "host.disk", "host.queue", "campaigns[].blast.failures_high", "alarms[].pause",
		"numbers[].quality", "numbers[].limit", "templates[].status", "alarms[].kind", "alarms[].acted_at",
	}, []string{
		"campaigns[].reports.reported", "campaigns[].reports.source", // nothing typed in
	})
	checkMeanings(t, out)
}

// checkMeanings holds what the contract says of the counts.
func checkMeanings(t *testing.T, document string) {
	t.Helper()
	var s struct {
		Campaigns []struct {
			Counts  map[string]int64
			First30 struct {
				Messages, Delivered, Failed int64
				InFlight                    int64 `json:"in_flight"`
				Observed, Settled           float64
				Low, Projected, High        float64
			}
			Errors  []struct{ Count int64 }
			Reports struct {
				OptOuts int64 `json:"opt_outs"`
				Rate    float64
			}
		}
	}
	if err := json.Unmarshal([]byte(document), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Campaigns) != 1 {
		t.Fatalf("%d campaigns, want 1", len(s.Campaigns))
	}
	c := s.Campaigns[0]
	n, f := c.Counts, c.First30
	equal := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	equal("messages", float64(n["messages"]),
		float64(n["waiting"]+n["set_aside"]+n["claimed"]+n["unknown"]+n["cancelled"]+n["refused"]+n["handed_over"]))
	equal("in flight", float64(n["in_flight"]), float64(n["handed_over"]-n["delivered"]-(n["failed"]-n["refused"])-n["paced"]))
	if n["read"] > n["delivered"] || n["delivered"] > n["sent"] || n["sent"] > n["handed_over"] || n["withheld"] > n["failed"] {
		t.Errorf("counts that cannot be: %v", n)
	}
	var failed int64
	for _, e := range c.Errors {
		failed += e.Count
	}
	equal("sum of the errors", float64(failed), float64(n["failed"]))
	equal("opt-out rate", c.Reports.Rate, float64(c.Reports.OptOuts)/float64(n["delivered"]))
	equal("messages of the first 30 minutes", float64(f.Messages), float64(f.Delivered+f.Failed+f.InFlight))
	equal("observed", f.Observed, float64(f.Delivered)/float64(f.Messages))
	equal("settled", f.Settled, float64(f.Delivered)/float64(f.Delivered+f.Failed))
	if f.Low > f.Projected || f.Projected > f.High {
		t.Errorf("projected %v is not between %v and %v", f.Projected, f.Low, f.High)
	}
}

// TestContractOfNothing asks a daemon that has heard nothing yet, then one that
// has heard of a single message: what cannot be known is absent.
func TestContractOfNothing(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := serve(t, dir)
	out, _, _ := tickwatch(t, environment(dir), "status", "--json")
	holdAgainstContract(t, out, []string{"campaigns", "numbers", "templates", "alarms", "actions", "gates"},
		[]string{"feed.last_event_at", "feed.answer_ms", "campaigns[].id", "numbers[].id", "alarms[].id"})

	s.deliver([][]byte{envelope("messages", valueOf("statuses", []object{{
		"id": wamidOf(1), "status": "sent", "timestamp": "0", "recipient_id": phoneOf(1), "biz_opaque_callback_data": campaignID,
	}}))})
	out, _, _ = tickwatch(t, environment(dir), "status", "--json", "--campaign", campaignID)
	holdAgainstContract(t, out, []string{"campaigns[].id", "campaigns[].started_at", "campaigns[].first30.observed", "feed.last_event_at"},
		[]string{
			"campaigns[].first30.settled", "campaigns[].first30.projected", "campaigns[].first30.low", "campaigns[].first30.high",
			"campaigns[].first30.by_age[].share", "campaigns[].reports.rate", "campaigns[].template", "numbers[].quality",
		})
}
