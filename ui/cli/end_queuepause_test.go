package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa/sandbox"
)

// While Meta answers nothing and 64 requests are open, each way to pause answers,
// says what is on its way, and nothing more begins. The open ones are unknown in
// the end, and go out by the operator's word alone.
func TestPauseWhileMetaHangs(t *testing.T) {
	t.Parallel()
	const rows, open = 1500, 64
	s := send(t, rows, sandbox.Options{})
	hang, err := s.meta.Inject(sandbox.Fault{Kind: sandbox.FaultHang})
	if err != nil {
		t.Fatal(err)
	}
	s.start(t)
	waitFor(t, "64 requests are open", func() bool { return len(s.meta.Requests()) == open })
	for i, args := range [][]string{
		{"pause", ownKey, "--reason", "wrong picture", "--json"},
		{"pause", "--number", sandbox.Numbers()[0], "--json"},
		{"pause", "--channel", "whatsapp", "--json"},
		{"stop", "--json"},
	} {
		var r link.Receipt
		s.json(t, &r, args...)
		if r.OpenRequests != open || r.Waiting != rows-open || r.HandedOver != 0 || r.Already || !r.Stored || r.LastSendStartedAt == nil || r.ClosedMS <= 0 {
			t.Errorf("%s: %+v", args, r)
		}
		if i == 0 && (!strings.Contains(r.Text, "64 already on their way to Meta") || !strings.Contains(r.Text, "1,436 waiting and safe")) {
			t.Errorf("people read: %s", r.Text)
		}
	}
	c := s.quiet(t) // after five seconds
	if c.Unknown != open || c.Waiting != rows-open || c.HandedOver != 0 || len(s.meta.Requests()) != open {
		t.Errorf("then Meta has seen %d requests: %+v", len(s.meta.Requests()), c)
	}
	s.check(t)
	s.meta.Clear(hang)
	s.do(t, "resolve", ownKey, "--as", "not-sent", "--yes")
	for _, args := range [][]string{{"resume"}, {"resume", "--number", sandbox.Numbers()[0]}, {"resume", "--channel", "whatsapp"}} {
		s.do(t, append(args, "--yes")...)
	}
	if c := s.quiet(t); c.Waiting != rows || len(s.meta.Requests()) != open {
		t.Errorf("the campaign's own pause does not hold: %+v", c)
	}
	s.finish(t)
}

// The STOP file stops within half a second, also a daemon that starts later; it
// keeps everybody from resuming, and to remove it resumes nothing.
func TestStopFileWhileSending(t *testing.T) {
	t.Parallel()
	const rows = 3000
	s := send(t, rows, sandbox.Options{Faults: []sandbox.Fault{{Kind: sandbox.FaultLatency, Delay: 20 * time.Millisecond}}})
	s.start(t)
	waitFor(t, "messages are accepted", func() bool { return len(s.meta.Accepted()) > 200 })
	path := filepath.Join(s.dir, "data", "STOP")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	made := time.Now()
	closed := func() bool {
		for _, g := range s.status().Gates {
			if g.Scope == link.ScopeAll {
				return g.State == link.GatePaused
			}
		}
		return false
	}
	waitFor(t, "the file pauses everything", closed)
	c := s.quiet(t)
	s.nothingAfter(t, made)
	s.check(t)
	seen := len(s.meta.Requests())

	refused := func(when string) {
		if _, diagnostics, code := tickwatch(t, s.env, "resume", "--yes"); code != 4 || !strings.Contains(diagnostics, "STOP") {
			t.Errorf("resume %s: exit code %d, %s", when, code, diagnostics)
		}
	}
	refused("with the file")
	s.end(syscall.SIGTERM)
	s.again(t)
	refused("after a restart")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the file is gone", func() bool { return s.campaign(t).Sending.Held != "the STOP file is there" })
	if now := s.quiet(t); !closed() || len(s.meta.Requests()) != seen || now.Waiting != c.Waiting {
		t.Errorf("without the file Meta has seen %d requests, before %d: %+v", len(s.meta.Requests()), seen, now)
	}
	s.do(t, "resume", "--yes")
	s.finish(t)
}

// Pauses under load, one after the other: when a command is back, nothing begins.
func TestPauseUnderLoad(t *testing.T) {
	t.Parallel()
	const rows, pauses = 4000, 5 // enough for some to be left, however slow the commands are
	s := send(t, rows, sandbox.Options{Faults: []sandbox.Fault{{Kind: sandbox.FaultLatency, Delay: 200 * time.Millisecond}}})
	s.start(t)
	for i := range pauses {
		more := len(s.meta.Accepted()) + 200
		waitFor(t, "messages are accepted", func() bool { return len(s.meta.Accepted()) > more })
		args := [][]string{{"pause", ownKey}, {"stop"}}[i%2]
		r, c := s.halt(t, args...)
		if !r.Stored || r.Waiting+int64(r.OpenRequests)+r.HandedOver > rows {
			t.Errorf("%s: %+v", args, r)
		}
		s.check(t)
		if c.Unknown != 0 || c.Waiting != rows-c.HandedOver {
			t.Errorf("all answers came: %+v", c)
		}
		s.do(t, append(append([]string{"resume"}, args[1:]...), "--yes")...)
	}
	s.finish(t)
}
