package ui

import (
	"fmt"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"

	"tickwatch/monitor/link"
)

// BenchmarkView is one call of View, without a snapshot taken over.
func BenchmarkView(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			s := NewStill(Options{Zone: sampleZone, Now: func() time.Time { return sampleNow }, Env: []string{"LANG=C.UTF-8"}},
				link.Update{Snapshot: trouble(), Connected: true}, size[0], size[1], colorprofile.ANSI256)
			b.ReportAllocs()
			for b.Loop() {
				s.View()
			}
		})
	}
}

// BenchmarkClean is a snapshot taken over: every text of it made fit for the screen.
func BenchmarkClean(b *testing.B) {
	s := trouble()
	b.ReportAllocs()
	for b.Loop() {
		cleaned(s)
	}
}

// TestStill: what stands still is what a console that was told the same draws.
func TestStill(t *testing.T) {
	for _, size := range sizes {
		c := newConsole(t, size[0], size[1], Options{})
		c.live(trouble())
		o := c.m.opt
		u := link.Update{Snapshot: trouble(), Connected: true}
		if got, want := NewStill(o, u, size[0], size[1], c.m.profile).View(), c.m.frame(); got != want {
			t.Errorf("%v:\n%s\nwant\n%s", size, got, want)
		}
	}
}
