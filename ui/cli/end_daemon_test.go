package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tickwatch/monitor/link"
)

// secret is the app secret of every daemon in these tests.
const secret = "5e1f0b2c-app-secret-of-the-tests"

// served is one `tickwatch serve`: a process of its own, on a folder that may
// have had daemons before it.
type served struct {
	t       *testing.T
	dir     string // holds the data folder
	url     string // takes Meta's webhooks
	process *exec.Cmd
	exited  chan struct{}
	faulty  bool // it is meant to meet faults, and to log them as errors

	mu  sync.Mutex
	log bytes.Buffer
}

var listeningAt = regexp.MustCompile(`msg=listening webhooks=(\S+)`)

// serve starts a daemon and waits until it listens.
func serve(t *testing.T, dir string) *served {
	t.Helper()
	s := launch(t, dir, "tickwatch", "serve")
	if s.url == "" {
		t.Fatalf("the daemon ended before it listened:\n%s", s.said())
	}
	return s
}

// launch starts a command that is, or becomes, a daemon, and waits until it
// listens or has ended; s.url tells which.
func launch(t *testing.T, dir string, command ...string) *served {
	t.Helper()
	return launchIn(t, dir, environment(dir), command...)
}

// launchIn is launch with an environment.
func launchIn(t *testing.T, dir string, env []string, command ...string) *served {
	t.Helper()
	s := &served{t: t, dir: dir, process: exec.Command(command[0], command[1:]...), exited: make(chan struct{})}
	s.process.Env = env
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what the command started ends with it
	stderr, err := s.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		defer close(s.exited)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			s.mu.Lock()
			s.log.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
			if m := listeningAt.FindStringSubmatch(lines.Text()); m != nil {
				listening <- "http://" + m[1] + "/webhooks/meta"
			}
		}
		_ = s.process.Wait() // the exit code tells
	}()
	t.Cleanup(s.cleanUp)
	select {
	case s.url = <-listening:
	case <-s.exited:
	case <-time.After(longest):
		t.Fatalf("the daemon does not listen:\n%s", s.said())
	}
	return s
}

func (s *served) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *served) cleanUp() {
	_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL) // it may be gone
	<-s.exited
	if log := s.said(); strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic") || !s.faulty && strings.Contains(log, "level=ERROR") {
		s.t.Errorf("the daemon met a fault of its own:\n%s", log)
	}
}

func (s *served) signal(sig syscall.Signal) {
	_ = s.process.Process.Signal(sig) // it may have ended already
}

// end sends a signal and waits for the exit code; -1 = by a signal.
func (s *served) end(sig syscall.Signal) int {
	s.t.Helper()
	s.signal(sig)
	select {
	case <-s.exited:
	case <-time.After(longest):
		s.t.Fatalf("the daemon does not end on %v:\n%s", sig, s.said())
	}
	return s.process.ProcessState.ExitCode()
}

func (s *served) socket() string { return filepath.Join(s.dir, "data", "tickwatch.sock") }

// status asks for the newest snapshot, as `tickwatch status` does.
func (s *served) status() *link.Snapshot {
	s.t.Helper()
	snapshot := ask[link.Snapshot](s.t, s.socket(), link.VerbStatus, nil)
	return &snapshot
}

// printed is what `tickwatch status --json` prints.
func (s *served) printed() *link.Snapshot {
	s.t.Helper()
	out, diagnostics, code := tickwatch(s.t, environment(s.dir), "status", "--json")
	if code != 0 {
		s.t.Fatalf("status: exit code %d: %s\nthe daemon says:\n%s", code, diagnostics, s.said())
	}
	var snapshot link.Snapshot
	if err := json.Unmarshal([]byte(out), &snapshot); err != nil {
		s.t.Fatalf("status --json: %v in %s", err, out)
	}
	return &snapshot
}

// ask has a daemon carry out a command.
func ask[R any](t *testing.T, socket, verb string, args any) (result R) {
	t.Helper()
	if err := link.Call(context.Background(), socket, verb, args, &result); err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return result
}

// sender posts webhooks as Meta does: signed, over several connections.
type sender struct {
	url    string
	client http.Client
}

const connections = 8

func newSender(t *testing.T, url string) *sender {
	transport := &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}
	t.Cleanup(transport.CloseIdleConnections)
	return &sender{url, http.Client{Transport: transport, Timeout: longest}}
}

// post sends one body and gives the answer; 0 = none came.
func (s *sender) post(body []byte) int {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	req, err := http.NewRequest(http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	// Without GetBody the transport would not repeat a request by itself; what
	// was sent how often must be known.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := s.client.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// outcome is what became of a number of webhooks.
type outcome struct {
	answered   [][]byte // 200
	unanswered [][]byte // sent, and no 200 came back, or never sent
	tried      int      // of unanswered: those that were sent
	codes      map[int]int
}

// postAll posts bodies over all connections until they are through or ctx ends;
// each 200 is told to progress.
func (s *sender) postAll(ctx context.Context, bodies [][]byte, progress func(answered int)) outcome {
	answers := make([]int, len(bodies))
	const neverSent = -1
	var next, answered atomic.Int64
	var posters sync.WaitGroup
	for i := range answers {
		answers[i] = neverSent
	}
	for range connections {
		posters.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1) - 1)
				if i >= len(bodies) {
					return
				}
				if answers[i] = s.post(bodies[i]); answers[i] == http.StatusOK {
					progress(int(answered.Add(1)))
				}
			}
		})
	}
	posters.Wait()
	o := outcome{codes: map[int]int{}}
	for i, answer := range answers {
		o.codes[answer]++
		switch answer {
		case http.StatusOK:
			o.answered = append(o.answered, bodies[i])
		case neverSent:
			o.unanswered = append(o.unanswered, bodies[i])
		default:
			o.unanswered = append(o.unanswered, bodies[i])
			o.tried++
		}
	}
	return o
}

// deliver posts bodies until each was answered 200, which each is at once.
func (s *served) deliver(bodies [][]byte) {
	s.t.Helper()
	if o := newSender(s.t, s.url).postAll(context.Background(), bodies, func(int) {}); len(o.unanswered) > 0 {
		s.t.Fatalf("not all of %d webhooks were answered 200: %v\n%s", len(bodies), o.codes, s.said())
	}
}
