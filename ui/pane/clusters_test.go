package pane

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// Whatever the trait and the size, the panes that name it are as large as they are told.
func TestClustersFit(t *testing.T) {
	at := now
	for _, value := range []string{"22507", strings.Repeat("a long value ", 20), ""} {
		for _, attribute := range []string{"prefix", "country", "city", "word", "lines", "minute", strings.Repeat("column ", 20)} {
			k := link.Cluster{
				Attribute: attribute, Value: value, Code: 131026, Sent: 720, Failed: 640, Lift: 8.9, PAdjusted: 1e-80, Explains: 0.71, Sends: 0.09,
				MainCode: 131026, Action: strings.Repeat("Do this. ", 20), Examples: []link.ClusterExample{{Phone: "+225********70"}},
			}
			c := &link.Campaign{
				ID: "autumn", Origin: "own", Clusters: []link.Cluster{k, k}, ClustersAt: &at, Counts: link.Counts{Failed: 900},
				Errors: []link.Error{{Code: 131026, Count: 700}, {Code: 131049, Count: 100}},
			}
			a := link.Alarm{Kind: "delivery", Campaign: "autumn", Text: "too few"}
			s := &link.Snapshot{Campaigns: []link.Campaign{*c}}
			for _, size := range [][2]int{{80, 24}, {76, 5}, {40, 12}, {10, 4}, {200, 50}} {
				w, h := size[0], size[1]
				for name, text := range panes(look(), s, c, w, h) {
					fitsIn(t, name, text, w, h)
				}
				fitsIn(t, "alarm", AlarmDetail(look(), s, &a, w, h), w, h)
			}
		}
	}
}

func fitsIn(t *testing.T, name, text string, w, h int) {
	t.Helper()
	lines := strings.Split(text, "\n")
	if len(lines) > h {
		t.Fatalf("%s has %d lines of %d", name, len(lines), h)
	}
	for _, line := range lines {
		if ansi.StringWidth(line) > w {
			t.Fatalf("%s at %dx%d is wider: %q", name, w, h, ansi.Strip(line))
		}
	}
}

func TestTraitsInWords(t *testing.T) {
	from := time.Date(2026, 11, 20, 8, 3, 0, 0, time.UTC).Format(time.RFC3339)
	to := time.Date(2026, 11, 20, 8, 6, 0, 0, time.UTC).Format(time.RFC3339)
	for _, c := range []struct{ attribute, value, want string }{
		{"prefix", "22507", "+22507…"},
		{"country", "CI", "country CI"},
		{"city", "Abidjan", "city = Abidjan"},
		{"city", "", "no city"},
		{"word", "coat", "the word “coat”"},
		{"lines", "4001-5000", "lines 4,001–5,000 of the list"},
		{"minute", from, "sent at 09:03"},
		{"minute", from + "/" + to, "sent 09:03–09:06"},
		{"number", "+4915550001", "sent from +4915550001"},
	} {
		if got := look().trait(&link.Cluster{Attribute: c.attribute, Value: c.value}); got != c.want {
			t.Errorf("%s=%s: %q, not %q", c.attribute, c.value, got, c.want)
		}
	}
	for share, want := range map[float64]string{0: "0 %", 0.001: "under 1 %", 0.094: "9 %", 0.996: "99 %", 1: "100 %"} {
		if got := wholePercent(share); got != want {
			t.Errorf("%g: %q, not %q", share, got, want)
		}
	}
}
