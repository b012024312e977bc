package webhook

import (
	"log/slog"
	"sync"
	"time"
)

// logEvery is how often at most one kind of line is logged.
const logEvery = 10 * time.Second

// sparse logs one kind of line, the first at once, and then at most one in
// logEvery, so that whoever sends rubbish cannot fill the log. A line says how
// many were left out before it.
type sparse struct {
	mu      sync.Mutex
	last    time.Time
	leftOut int
}

func (s *sparse) log(to *slog.Logger, now time.Time, msg string, args ...any) {
	s.mu.Lock()
	if since := now.Sub(s.last); !s.last.IsZero() && since >= 0 && since < logEvery {
		s.leftOut++
		s.mu.Unlock()
		return
	}
	n := s.leftOut
	s.last, s.leftOut = now, 0
	s.mu.Unlock()
	if n > 0 {
		args = append(args, "left_out", n)
	}
	to.Warn(msg, args...)
}
