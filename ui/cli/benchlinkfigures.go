package cli

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// machineFigures say what a measurement ran on.
type machineFigures struct {
	At      time.Time `json:"at"`
	Version string    `json:"version"`
	Go      string    `json:"go"`
	System  string    `json:"system"`
	CPUs    int       `json:"cpus"`
}

func thisMachine() machineFigures {
	return machineFigures{
		At: time.Now().UTC(), Version: version(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0),
	}
}

func (m *machineFigures) text() string {
	return fmt.Sprintf("%s, %s, %d processors\n", m.Go, m.System, m.CPUs)
}

// linkFigures is what `bench link --json` prints.
type linkFigures struct {
	machineFigures
	Rounds        int        `json:"rounds"`
	Seconds       float64    `json:"seconds"`
	Rate          int        `json:"snapshots_per_second"`
	SnapshotBytes int        `json:"snapshot_bytes"`
	Links         []linkCase `json:"links"`
}

// linkCase is one number of consoles. Figures are medians of the rounds.
type linkCase struct {
	Consoles  int             `json:"consoles"`
	Stuck     int             `json:"stuck"` // beside them, reading nothing
	CPU       float64         `json:"cpu"`   // of the daemon's process, share of one processor
	FanOutMS  *latencyFigures `json:"fan_out_ms,omitempty"`
	Bound     float64         `json:"fan_out_p99_bound_ms"`
	Bytes     int64           `json:"bytes"`               // that the consoles took in a round
	Snapshots []int           `json:"snapshots,omitempty"` // that each console got, by round, fewest first
}

// text is the figures for people.
func (f *linkFigures) text() string {
	var b strings.Builder
	b.WriteString(f.machineFigures.text())
	fmt.Fprintf(&b, "%d snapshots a second of %d kB, medians of %d rounds of %g s:\n\n", f.Rate, f.SnapshotBytes/1000, f.Rounds, f.Seconds)
	fmt.Fprintf(&b, "%-22s %10s %10s %10s %10s   p99 under %g ms\n", "consoles", "daemon CPU", "p50 ms", "p99 ms", "MB/s", linkBound)
	for _, c := range f.Links {
		name := fmt.Sprint(c.Consoles)
		if c.Stuck > 0 {
			name += fmt.Sprintf(" and %d stuck", c.Stuck)
		}
		if c.FanOutMS == nil {
			fmt.Fprintf(&b, "%-22s %8.1f %%\n", name, 100*c.CPU)
			continue
		}
		fmt.Fprintf(&b, "%-22s %8.1f %% %10.2f %10.2f %10.1f   %s\n", name, 100*c.CPU, c.FanOutMS.P50, c.FanOutMS.P99,
			float64(c.Bytes)/1e6/f.Seconds, metOrNot(c.FanOutMS.P99 < c.Bound))
	}
	b.WriteString("\nThe processor time is a share of one; without consoles it is what encoding costs.\n")
	return b.String()
}
