//go:build terminal

package cli_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa/sandbox"
)

// On a disk that takes long to sync, a pause holds at once; whether it is on the
// disk, too, the receipt says.
func TestPauseOnASlowDisk(t *testing.T) {
	t.Parallel()
	strace := tool(t, "strace", "strace")
	const rows = 1500
	for _, c := range []struct{ delay, least string }{{"50000", "50 ms"}, {"400000", "0.4 s"}} {
		s := send(t, rows, sandbox.Options{Faults: []sandbox.Fault{{Kind: sandbox.FaultLatency, Delay: 50 * time.Millisecond}}})
		s.start(t)
		s.end(syscall.SIGTERM)
		s.relay.Store(nil)
		s.begin(t, s.dir, strace, "-f", "--seccomp-bpf", "-qq", "-o", os.DevNull, "-e", "trace=fsync,fdatasync",
			"-e", "inject=fsync,fdatasync:delay_exit="+c.delay, "tickwatch", "serve")
		for _, args := range [][]string{{"pause", ownKey}, {"stop"}} {
			more := len(s.meta.Accepted()) + 64
			waitFor(t, "messages are accepted", func() bool { return len(s.meta.Accepted()) > more })
			r, _ := s.halt(t, args...)
			s.check(t)
			t.Logf("%s with %s a sync: closed after %.2f ms, stored %v", args, c.least, r.ClosedMS, r.Stored)
			s.do(t, append(append([]string{"resume"}, args[1:]...), "--yes")...)
		}
		s.paused(t)
		_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL) // strace, and the daemon
		<-s.exited
		s.again(t)
		s.finish(t)
	}
}

// With a full disk webhooks are turned away, to come again; sending stops by
// itself; and a pause holds, though it cannot be stored. Once there is room it is
// stored, webhooks are taken, and after a resume all goes out once.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount the small disk that this test fills")
	}
	const rows = 4000
	dir := folder(t)
	data := smallDisk(t, dir)
	s := sendFrom(t, dir, rows, sandbox.Options{Faults: []sandbox.Fault{{Kind: sandbox.FaultLatency, Delay: 50 * time.Millisecond}}})
	s.faulty = true
	s.env = append(s.env, "TICKWATCH_AUTO_DISK=false") // else all is paused soon, and nobody's pause is the first
	s.start(t)
	waitFor(t, "messages are accepted", func() bool { return len(s.meta.Accepted()) > 300 })
	free := fillUp(t, data)
	waitFor(t, "sending stops by itself", func() bool { return strings.Contains(s.campaign(t).Sending.Held, "database") })
	waitFor(t, "webhooks are turned away", func() bool {
		for _, a := range s.meta.Books().Attempts {
			if a.Answer == http.StatusServiceUnavailable {
				return true
			}
		}
		return false
	})
	waitFor(t, "not even the smallest commit finds room", func() bool { return s.ready(t) == http.StatusServiceUnavailable })
	var r link.Receipt
	s.json(t, &r, "stop", "--json")
	stopped := time.Now()
	if r.Already || r.Stored || !strings.Contains(r.Text, "not on the disk") {
		t.Errorf("stop on a full disk: %+v", r)
	}
	if _, diagnostics, code := tickwatch(t, s.env, "resume", "--yes"); code != 1 || !strings.Contains(diagnostics, "stays paused") {
		t.Errorf("resume on a full disk: exit code %d, %s", code, diagnostics)
	}

	if _, diagnostics, code := tickwatch(t, s.env, importing(filepath.Join(dir, "list.csv"), "winter")...); code != 1 || strings.Count(diagnostics, "\n") != 1 || !strings.Contains(diagnostics, "no space left") {
		t.Errorf("import on a full disk: exit code %d, %s", code, diagnostics)
	}
	if left, err := filepath.Glob(filepath.Join(data, "upload-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	waitFor(t, "no request is open", func() bool { return s.campaign(t).Sending.OpenRequests == 0 })
	seen := len(s.meta.Requests())
	s.nothingAfter(t, stopped)

	free()
	waitFor(t, "it takes webhooks again", func() bool { return s.ready(t) == http.StatusOK })
	s.quiet(t)
	s.check(t)
	if n := len(s.meta.Requests()); n != seen {
		t.Errorf("%d requests began after the stop", n-seen)
	}
	waitFor(t, "the pause is stored", func() bool {
		s.json(t, &r, "stop", "--json")
		return r.Already && r.Stored
	})
	s.kill(t)
	s.again(t)
	if c := s.quiet(t); len(s.meta.Requests()) != seen || c.Waiting == 0 {
		t.Errorf("the next daemon has not found the pause: %+v", c)
	}
	s.do(t, "resume", "--yes")
	s.finish(t)
}

// While webhooks cannot be stored everything is paused by itself, and stays so
// once there is room, until an operator resumes it.
func TestAFullDiskPauses(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount the small disk that this test fills")
	}
	dir := folder(t)
	data := smallDisk(t, dir)
	s := sendFrom(t, dir, 4000, sandbox.Options{Faults: []sandbox.Fault{{Kind: sandbox.FaultLatency, Delay: 50 * time.Millisecond}}})
	s.faulty = true
	s.start(t)
	waitFor(t, "messages are accepted", func() bool { return len(s.meta.Accepted()) > 300 })
	free := fillUp(t, data)
	paused := func() bool {
		var snap link.Snapshot
		s.json(t, &snap, "status", "--json")
		return slices.ContainsFunc(snap.Gates, func(g link.Gate) bool {
			return g.Scope == link.ScopeAll && g.State == link.GatePaused && g.By == "tickwatch" && strings.HasPrefix(g.Reason, "Paused by itself: ")
		})
	}
	waitFor(t, "all is paused by itself", paused)
	free()
	waitFor(t, "it takes webhooks again", func() bool { return s.ready(t) == http.StatusOK })
	s.quiet(t)
	if !paused() {
		t.Error("it was resumed by itself")
	}
	s.do(t, "resume", "--yes")
	s.finish(t)
}

// smallDisk mounts a disk that is soon full, as the data folder below dir.
func smallDisk(t *testing.T, dir string) (data string) {
	t.Helper()
	data = filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tickwatch-test", data, "tmpfs", 0, "size=24m,mode=0700"); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(data, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return data
}

// ready asks the daemon whether it can store.
func (s *sending) ready(t *testing.T) int {
	t.Helper()
	res, err := http.Get(strings.Replace(s.served.url, "/webhooks/meta", "/readyz", 1))
	if err != nil {
		t.Fatalf("%v\n%s", err, s.said())
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// fillUp fills a disk, and gives what makes room again.
func fillUp(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for piece := make([]byte, 4096); err == nil; {
		_, err = f.Write(piece)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}
