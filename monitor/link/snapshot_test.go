package link

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lisbonSummer is no UTC, so that a time that keeps its zone shows.
var lisbonSummer = time.FixedZone("WEST", 3600)

// fill sets everything below v to something that is not zero, lists to n
// elements, and times outside of UTC.
func fill(v reflect.Value, n int) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 20, 9, 0, 0, 123e6, lisbonSummer)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString("autumn_offer")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(6812)
	case reflect.Uint64:
		v.SetUint(6812)
	case reflect.Float64:
		v.SetFloat(0.9637)
	default:
		panic(v.Kind())
	}
}

// fullSnapshot is about as large as they get.
func fullSnapshot() *Snapshot {
	s := new(Snapshot)
	fill(reflect.ValueOf(s).Elem(), 10)
	return s
}

// shape is every path of a JSON document with the kind of its value; a list's
// elements are all one path.
func shape(prefix string, v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			shape(prefix+"."+key, value, into)
		}
	case []any:
		into[prefix] = "list"
		for _, value := range v {
			shape(prefix+"[]", value, into)
		}
	case nil:
		into[prefix] = "null"
	default:
		into[prefix] = fmt.Sprintf("%T", v)
	}
}

func shapeOf(t *testing.T, data []byte) map[string]string {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	s := make(map[string]string)
	shape("", v, s)
	return s
}

// testdata/snapshot.json is the document that the contract promises.
func TestSnapshotHasTheContractsShape(t *testing.T) {
	promised, err := os.ReadFile("testdata/snapshot.json")
	if err != nil {
		t.Fatal(err)
	}
	got := shapeOf(t, mustJSON(t, fullSnapshot()))
	for path, kind := range shapeOf(t, promised) {
		if got[path] != kind {
			t.Errorf("%s is %q, the contract says %q", path, got[path], kind)
		}
	}
}

// Nothing known: lists are empty, figures absent, nothing is null.
func TestAnEmptySnapshot(t *testing.T) {
	data := mustJSON(t, &Snapshot{Campaigns: []Campaign{{Errors: []Error{{}}}}})
	got := shapeOf(t, data)
	for _, path := range []string{
		".gates", ".campaigns", ".numbers", ".templates", ".alarms", ".actions",
		".campaigns[].errors", ".campaigns[].clusters", ".campaigns[].first30.by_age",
		".campaigns[].numbers", ".campaigns[].trend", ".campaigns[].reports.trend", ".campaigns[].errors[].trend",
	} {
		if got[path] != "list" {
			t.Errorf("%s is %q, want a list", path, got[path])
		}
	}
	for _, path := range []string{
		".feed.last_event_at", ".feed.answer_ms", ".feed.callback_rate", ".host.cpu", ".host.memory_bytes", ".host.disk_free_bytes",
		".campaigns[].started_at", ".campaigns[].template", ".campaigns[].first30.from", ".campaigns[].first30.observed",
		".campaigns[].first30.settled", ".campaigns[].first30.projected", ".campaigns[].first30.low", ".campaigns[].first30.high",
		".campaigns[].reports.rate", ".campaigns[].reports.reported", ".campaigns[].reports.source",
	} {
		if kind, there := got[path]; there {
			t.Errorf("%s is there (%s), but nothing is known of it", path, kind)
		}
	}
	if strings.Contains(string(data), "null") {
		t.Errorf("null in %s", data)
	}
	for _, v := range []any{Found{}, &Found{}, Failures{}, &Failures{}} {
		if data := mustJSON(t, v); !strings.Contains(string(data), `"messages":[]`) {
			t.Errorf("%T: %s", v, data)
		}
	}
}

func TestTimesAreUTC(t *testing.T) {
	found := new(Found)
	fill(reflect.ValueOf(found).Elem(), 2)
	times := regexp.MustCompile(`"2026-11-20T[^"]*"`)
	for _, v := range []any{fullSnapshot(), *fullSnapshot(), found} {
		all := times.FindAllString(string(mustJSON(t, v)), -1)
		if len(all) < 8 {
			t.Fatalf("%T: only %d times", v, len(all))
		}
		if i := slices.IndexFunc(all, func(s string) bool { return s != `"2026-11-20T08:00:00.123Z"` }); i >= 0 {
			t.Errorf("%T: time %s", v, all[i])
		}
	}
}

// A share of nothing must not cost the console its screen.
func TestFiguresThatAreNoNumbers(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	s := &Snapshot{
		Feed: Feed{PerSecond: nan, CallbackRate: &nan, AnswerMS: &Quantiles{P99: inf}},
		Host: Host{CPU: &inf},
		Campaigns: []Campaign{{
			First30:  First30{Observed: &nan, Settled: &nan, Projected: &inf, Low: &nan, High: &nan, ByAge: []AgeShare{{Seconds: 5, Share: nan}, {Seconds: 30, Share: 0.5}}},
			Reports:  Reports{Rate: &nan},
			Errors:   []Error{{Code: 131026, Share: nan}},
			Clusters: []Cluster{{Value: "CI", Lift: inf}, {Value: "PT", Lift: 2}},
		}},
		Numbers: []Number{{ThroughputMPS: &inf}},
	}
	got := shapeOf(t, mustJSON(t, s))
	for _, path := range []string{".feed.callback_rate", ".feed.answer_ms.p99", ".host.cpu", ".campaigns[].first30.observed", ".campaigns[].reports.rate", ".numbers[].throughput_mps"} {
		if _, there := got[path]; there {
			t.Errorf("%s is there", path)
		}
	}
	if c := s.Campaigns[0]; len(c.First30.ByAge) != 2 || len(c.Clusters) != 2 || c.First30.Observed != &nan {
		t.Error("the caller's snapshot was changed")
	}
}

// What a console decodes is what the daemon published, and publishing leaves
// the monitor's own lists alone.
func TestSnapshotSurvivesTheWire(t *testing.T) {
	s, before := fullSnapshot(), fullSnapshot()
	data, err := snapshotFrame(s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, s); diff != "" {
		t.Error("encoding changed the snapshot:", diff)
	}
	var frame daemonFrame
	if err := json.Unmarshal(data, &frame); err != nil {
		t.Fatal(err)
	}
	s.Deed = 0 // it is for this process alone
	if diff := cmp.Diff(s, frame.Snapshot); diff != "" {
		t.Error(diff)
	}
	if string(mustJSON(t, daemonFrame{Snapshot: s})) != string(data) {
		t.Error("status --json and the consoles' frame differ")
	}
}
