package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"tickwatch/wa"
)

// bar tells on a terminal how far something long has come, how fast it goes and
// when it will be done, on one line of standard error that is gone in the end.
// Where standard error is no terminal, and within the first half second, it says
// nothing.
type bar struct {
	to    *os.File // nil = there is nobody to tell
	now   func() time.Time
	stage string
	since time.Time // of the stage
	last  time.Time // that something was said
	spoke bool
}

const (
	barQuiet = 500 * time.Millisecond
	barEvery = 200 * time.Millisecond
)

func (a *app) bar() *bar {
	b := &bar{now: time.Now}
	if f, ok := a.Err.(*os.File); ok && isTerminal(f) && a.env("TERM") != "dumb" {
		b.to = f
	}
	b.last = b.now().Add(barQuiet - barEvery)
	return b
}

// at tells the share of a stage that is done, 0 to 1, and rate gives its speed
// in words, by what it took so far.
func (b *bar) at(stage string, share float64, rate func(took time.Duration) string) {
	if b.to == nil {
		return
	}
	now := b.now()
	if stage != b.stage {
		b.stage, b.since = stage, now
	}
	if now.Sub(b.last) < barEvery {
		return
	}
	b.last, b.spoke = now, true
	width, _, err := term.GetSize(b.to.Fd())
	if err != nil || width <= 0 {
		width = 80
	}
	took := now.Sub(b.since)
	_, _ = fmt.Fprint(b.to, "\r"+barLine(wa.Clean(stage), share, rate(took), left(share, took), width-1)+"\x1b[K")
}

// end takes the line away.
func (b *bar) end() {
	if b.spoke {
		_, _ = fmt.Fprint(b.to, "\r\x1b[K")
		b.spoke = false
	}
}

// left is how much longer a stage will take at the speed it had; 0 = too early
// to say.
func left(share float64, took time.Duration) time.Duration {
	if share <= 0.01 || share >= 1 || took < time.Second {
		return 0
	}
	return time.Duration(float64(took) * (1 - share) / share)
}

// barLine is one line of at most width cells.
func barLine(stage string, share float64, rate string, left time.Duration, width int) string {
	const longest = 24
	share = min(max(share, 0), 1)
	line := fmt.Sprintf("%3.0f %%", 100*share)
	if rate != "" {
		line += "  " + rate
	}
	if left > 0 {
		line += "  " + spanText(left) + " left"
	}
	room := width - ansi.StringWidth(stage) - ansi.StringWidth(line) - 5
	if room >= 5 {
		cells := min(room, longest)
		full := int(share * float64(cells))
		line = "[" + strings.Repeat("#", full) + strings.Repeat(".", cells-full) + "] " + line
	}
	return ansi.Truncate(stage+"  "+line, width, "")
}

// spanText is a span of time as a clock shows it: 0:07, 12:30, 1:05:00.
func spanText(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// perSecond is a speed in rows.
func perSecond(rows int64, took time.Duration) string {
	if took < barQuiet || rows == 0 {
		return ""
	}
	return amount(int64(float64(rows)/took.Seconds())) + " rows/s"
}

// bytesPerSecond is a speed in bytes.
func bytesPerSecond(n int64, took time.Duration) string {
	if took < barQuiet || n == 0 {
		return ""
	}
	return byteSize(int64(float64(n)/took.Seconds())) + "/s"
}
