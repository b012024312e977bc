package cli_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestBenchQueue: a short measurement ends, gives every figure, and leaves
// nothing behind; and wrong usage is said to be.
func TestBenchQueue(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	env := environment(dir)
	on := dir + "/disk"
	if err := os.Mkdir(on, 0o700); err != nil {
		t.Fatal(err)
	}
	out, diagnostics, code := tickwatch(t, env, "bench", "queue", "--json", "--rows", "10000", "--seconds", "0.2", "--rounds", "1", "--pauses", "3", "--dir", on)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, diagnostics)
	}
	type latency struct{ P50, P99 float64 }
	var f struct {
		Rows, Fewer int
		Import      struct {
			Seconds float64
			Peak    uint64 `json:"peak_bytes"`
		}
		Send struct {
			PerSecond float64 `json:"messages_per_second"`
			Cost      float64 `json:"processor_ms_per_message"`
			Growth    float64 `json:"cost_growth"`
		}
		Pause struct {
			Pauses    int
			PerSecond float64 `json:"messages_per_second"`
			Answer    latency `json:"answer_ms"`
		}
		Resume struct {
			First latency `json:"first_request_ms"`
		}
		Accepted int
		Twice    int
	}
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatal(err)
	}
	if f.Rows != 10_000 || f.Fewer != 1000 || f.Import.Seconds <= 0 || f.Import.Peak == 0 || f.Send.PerSecond <= 0 || f.Send.Cost <= 0 || f.Send.Growth <= 0 ||
		f.Pause.Pauses != 3 || f.Pause.PerSecond <= 0 || f.Pause.Answer.P50 <= 0 || f.Resume.First.P50 <= 0 || f.Accepted == 0 {
		t.Errorf("something was not measured: %s", out)
	}
	if f.Twice > 0 {
		t.Errorf("%d people were written to twice", f.Twice)
	}
	if left, err := os.ReadDir(on); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for _, arg := range []string{"--rows=9999", "--rows=1000001", "--seconds=0", "--rounds=0", "--pauses=0", "--dir=/no/such"} {
		if out, diagnostics, code := tickwatch(t, env, "bench", "queue", arg); code != 2 || out != "" || strings.Count(diagnostics, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q", arg, code, diagnostics)
		}
	}
}
