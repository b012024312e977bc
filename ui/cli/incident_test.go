package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"tickwatch/monitor/link"
	"tickwatch/ui"
	"tickwatch/wa/sandbox"
)

// incident is what a scenario of the demo must come to.
type incident struct {
	kind   string        // of the one alarm, which is to act; "" = there is none
	from   time.Duration // since the campaign's start: when it goes wrong
	within time.Duration // of that, by its own clock, the alarm tells to act
	size   int           // messages of our list
	main   []string      // what the screen says
	alarm  []string      // what the alarm's window says
}

// Campaigns of our own fall, at the demo's own pace: there is one alarm, it comes soon
// and not before its time, and the screen says what is wrong and which key helps, at
// 80x24 and without Unicode.
func TestIncidents(t *testing.T) {
	if testing.Short() {
		t.Skip("the same to the race detector as the other scenarios")
	}
	const good = 30 * time.Second
	falls := func(code string, from, within time.Duration) incident {
		return incident{"delivery", from, within, 6000, []string{"ACT", code, "p pause"}, []string{"Pause it (p)", "Do not send", "resume (u)", "most failures: " + code}}
	}
	for name, c := range map[string]incident{
		"fall-60": falls("131053", good, 45*time.Second),
		"fall-80": falls("131026", good, 90*time.Second),
		"fall-85": falls("131026", good, 4*time.Minute),
		"low-60":  falls("131053", 0, 45*time.Second),
		"low-80":  falls("131026", 0, 90*time.Second),
		"low-85":  falls("131026", 0, 4*time.Minute),
		"list-block": {
			"delivery", 0, 4 * time.Minute, 36_000,
			[]string{"ACT", "131026", "lines ", "p pause", "a sets aside"},
			[]string{"Set lines ", "of the list aside (a)", "Do not send", "Release them", "cancel them (a)", "of all failures"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := playOwn(t, name, 15, c.size, sandboxRate)
			snap := s.until(t, "an alarm to act, and why", func(s *link.Snapshot) bool {
				a := alarmOf(s, c.kind)
				return a != nil && a.Severity == link.VerdictAct && (name != "list-block" || strings.Contains(a.Advice, "Set lines"))
			})
			for _, ascii := range []bool{false, true} {
				looks(t, snap, ascii, c)
			}
			s.stop()
			begins(t, replayOf(t, s), c)
		})
	}
}

const sandboxRate = 20 // the demo's

// Campaigns that are well, in ways that look otherwise, raise no alarm.
func TestNoIncidents(t *testing.T) {
	if testing.Short() {
		t.Skip("the same to the race detector as the other scenarios")
	}
	for _, name := range []string{"slow-tail", "runs-12", "runs-30"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t, sandbox.Options{Scenario: name, Seed: 1, Speed: 15, Rate: 8})
			s.until(t, "four quiet minutes that are OK", func(s *link.Snapshot) bool { return old(s, 4) && calm(s) })
			s.stop()
			begins(t, replayOf(t, s), incident{})
		})
	}
}

// replayOf plays what a stage's store holds.
func replayOf(t *testing.T, s *stage, args ...string) replayed {
	t.Helper()
	file := filepath.Join(t.TempDir(), "recording.ndjson")
	command(t, "--data-dir", s.daemon.cfg.Data.Dir, "export", "recording", "--out", file)
	var end replayed
	if err := json.Unmarshal([]byte(command(t, append([]string{"replay", file, "--json"}, args...)...)), &end); err != nil {
		t.Fatal(err)
	}
	return end
}

// begins holds the alarms of a replay, whose clock is the recording's, against what
// is to come; when nothing goes out any more is another matter.
func begins(t *testing.T, end replayed, c incident) {
	t.Helper()
	start := *autumn(end.Snapshot).StartedAt
	found := false
	for _, a := range end.Alarms {
		if a.Kind == "feed" || a.Kind == "callbacks" { // it ends while answers are due; and a minute of it is four seconds of a busy machine
			continue
		}
		if a.Kind != c.kind || a.ActedAt == nil {
			t.Errorf("a wrong alarm: %+v", a)
			continue
		}
		found = true
		if acted := a.ActedAt.Sub(start); a.RaisedAt.Sub(start) < c.from || acted > c.from+c.within {
			t.Errorf("raised after %v and to act on after %v, of a trouble that begins after %v: %s", a.RaisedAt.Sub(start), acted, c.from, a.Text)
		} else {
			t.Logf("to act on %v after it began: %s", acted-c.from, a.Text)
		}
	}
	if found != (c.kind != "") {
		t.Errorf("alarms: %+v", end.Alarms)
	}
}

var keyInBrackets = regexp.MustCompile(`\(([^() ]{1,2}|enter on \w+)\)`)

// looks holds the console that shows a snapshot against what it must say, and every
// key that the advice names against the table of keys.
func looks(t *testing.T, snap *link.Snapshot, ascii bool, c incident) {
	t.Helper()
	now := snap.At
	console := ui.NewStill(ui.Options{ASCII: ascii, Zone: time.UTC, Now: func() time.Time { return now }, Env: []string{"LANG=C.UTF-8"}},
		link.Update{Snapshot: snap, Connected: true}, 80, 24, colorprofile.TrueColor)
	says := func(what string, words []string) {
		t.Helper()
		frame := ansi.Strip(console.View())
		for line := range strings.Lines(frame) {
			if n := ansi.StringWidth(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s is %d cells wide: %q", what, n, line)
			}
			if ascii && strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
				t.Errorf("%s is not ASCII: %q", what, line)
			}
		}
		if n := strings.Count(frame, "\n") + 1; n > 24 {
			t.Errorf("%s has %d lines", what, n)
		}
		flat := flattened(frame)
		for _, w := range words {
			if !strings.Contains(flat, w) {
				t.Errorf("%s does not say %q:\n%s", what, w, frame)
			}
		}
	}
	says("the screen", c.main)
	console.Press(tea.KeyPressMsg{Code: tea.KeyTab}) // from Errors over Queue to Alarms
	console.Press(tea.KeyPressMsg{Code: tea.KeyTab})
	console.Press(tea.KeyPressMsg{Code: tea.KeyEnter})
	says("the alarm's window", append([]string{"Now ", "Not ", "After "}, c.alarm...))
	table, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	a := alarmOf(snap, c.kind)
	for _, m := range keyInBrackets.FindAllStringSubmatch(a.Advice+a.DoNot+a.After, -1) {
		key, _, _ := strings.Cut(m[1], " ")
		if !slices.ContainsFunc([]string{"| `" + key + "` |", "| `+ " + key + "` |"}, func(row string) bool { return strings.Contains(string(table), row) }) {
			t.Errorf("the advice names the key %q, which there is none of", key)
		}
	}
}

// flattened is a frame as one text, without its boxes: what is wrapped reads on.
func flattened(frame string) string {
	var all []string
	for line := range strings.Lines(frame) {
		all = append(all, strings.Fields(strings.Trim(line, "│| \n"))...)
	}
	return strings.Join(all, " ") + " "
}

// A recording gives the same alarms at the same moments every time and at any speed, to
// the byte; with another threshold it says what would have been.
func TestReplayIsTheSameAtAnySpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("the same to the race detector as the other scenarios")
	}
	t.Parallel()
	s := playOwn(t, "fall-80", 15, 6000, sandboxRate)
	s.until(t, "an alarm to act", func(s *link.Snapshot) bool {
		a := alarmOf(s, "delivery")
		return a != nil && a.Severity == link.VerdictAct
	})
	s.stop()
	file := filepath.Join(t.TempDir(), "recording.ndjson")
	command(t, "--data-dir", s.daemon.cfg.Data.Dir, "export", "recording", "--out", file)
	first := command(t, "replay", file, "--json")
	for _, speed := range []string{"max", "5000"} {
		if again := command(t, "replay", file, "--json", "--speed", speed); again != first {
			t.Errorf("at --speed %s the replay is another:\n%s", speed, cmp.Diff(first, again))
		}
	}
	acts := func(text string) (acted, watched int) {
		var end replayed
		if err := json.Unmarshal([]byte(text), &end); err != nil {
			t.Fatal(err)
		}
		for _, a := range end.Alarms {
			if a.Kind == "delivery" && a.ActedAt != nil {
				acted++
			} else if a.Kind == "delivery" {
				watched++
			}
		}
		return acted, watched
	}
	if acted, _ := acts(first); acted != 1 {
		t.Errorf("%d alarms to act in %s", acted, first)
	}
	if acted, watched := acts(command(t, "replay", file, "--json", "--set", "thresholds.delivery_act=0.70")); acted != 0 || watched != 1 {
		t.Errorf("if one acted below 70 %% only: %d alarms to act, %d to watch", acted, watched)
	}
}
