package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

func TestBarLine(t *testing.T) {
	for _, c := range []struct {
		share       float64
		rate        string
		left        time.Duration
		width       int
		want        string
		description string
	}{
		{0.43, "12.3 MB/s", 12 * time.Second, 79, "Uploading  [##########..............]  43 %  12.3 MB/s  0:12 left", "all of it"},
		{0.43, "12.3 MB/s", 12 * time.Second, 50, "Uploading  [###......]  43 %  12.3 MB/s  0:12 left", "narrow"},
		{0.43, "12.3 MB/s", 12 * time.Second, 40, "Uploading   43 %  12.3 MB/s  0:12 left", "too narrow for a bar"},
		{0.43, "12.3 MB/s", 0, 12, "Uploading   ", "too narrow for words"},
		{-1, "", 0, 40, "Uploading  [.....................]   0 %", "less than nothing"},
		{2, "", 0, 40, "Uploading  [#####################] 100 %", "more than all"},
	} {
		if got := barLine("Uploading", c.share, c.rate, c.left, c.width); got != c.want || ansi.StringWidth(got) > c.width {
			t.Errorf("%s:\n%q, want\n%q", c.description, got, c.want)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	for _, c := range []struct {
		share float64
		took  time.Duration
		want  time.Duration
	}{
		{0.5, 10 * time.Second, 10 * time.Second},
		{0.1, 10 * time.Second, 90 * time.Second},
		{0.005, 10 * time.Second, 0}, // too early to say
		{0.5, time.Second / 2, 0},
		{1, time.Minute, 0},
		{0, time.Minute, 0},
	} {
		if got := left(c.share, c.took).Round(time.Millisecond); got != c.want {
			t.Errorf("%v after %v: %v, want %v", c.share, c.took, got, c.want)
		}
	}
	for d, want := range map[time.Duration]string{7 * time.Second: "0:07", 750 * time.Second: "12:30", 3900 * time.Second: "1:05:00"} {
		if got := spanText(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
}

func TestAmount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := amount(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if got := people(1) + messages(1) + plainRows(1); got != "1 person1 message1 row" {
		t.Error(got)
	}
	if got := shareText(0.98999); !strings.HasPrefix(got, "98.9 ") {
		t.Errorf("rounded up: %s", got)
	}
}
