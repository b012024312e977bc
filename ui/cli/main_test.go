package cli_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tickwatch/ui/cli"
)

// TestMain makes the test binary stand in for tickwatch: a copy of it lies under
// that name on the PATH, and does as main.go does when it is called so. Unlike a
// second build it costs no time, and with -race and -cover the daemons and
// consoles that these tests start are watched too. TestTheProgram builds the
// real one.
func TestMain(m *testing.M) {
	testscript.Main(patient{m}, map[string]func(){"tickwatch": func() {
		os.Exit(cli.Main(cli.World{
			Args: os.Args[1:], Env: os.Environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		}))
	}})
}

// patient runs tests side by side beyond the number of processors: most of the
// time they wait for a screen or a link.
type patient struct{ *testing.M }

func (p patient) Run() int {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		_ = flag.Set("test.parallel", "6") // a flag of the testing package's own
	}
	return p.M.Run()
}

// TestTheProgram builds what people get, and starts it.
func TestTheProgram(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "tickwatch")
	if out, err := exec.Command("go", "build", "-o", program, "tickwatch").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.Command(program, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "tickwatch ") {
		t.Errorf("version: %v, %q", err, out)
	}
	var exit *exec.ExitError
	if err := exec.Command(program, "no-such-command").Run(); !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Errorf("wrong usage: %v, want exit code 2", err)
	}
}

// longest is how long a test waits for what has to come.
const longest = 45 * time.Second

// waitFor waits until a condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(longest)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// tool finds a program that a test cannot do without.
func tool(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/" + name); err != nil {
			t.Fatalf("%s is not installed, and this test needs it: apt-get install %s", name, debian)
		}
	}
	return path
}

// folder makes a folder whose path is short enough for a socket.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// environment is that of the processes under test: nothing of the tester's but
// the PATH, everything in a folder of its own. What is given wins.
func environment(dir string, given ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "LANG=C.UTF-8", "TZ=UTC", "TERM=dumb",
		"TICKWATCH_DATA_DIR=" + filepath.Join(dir, "data"), "TICKWATCH_WEBHOOK_LISTEN=127.0.0.1:0",
		"TICKWATCH_WEBHOOK_APP_SECRET=" + secret,
		"TICKWATCH_THRESHOLDS_CPU_OK=1", "TICKWATCH_THRESHOLDS_CPU_ACT=1", // the tests keep the machine busy
	}, given...)
}

// tickwatch runs one command to its end.
func tickwatch(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command("tickwatch", args...)
	var out, diagnostics bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &diagnostics
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("tickwatch %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), diagnostics.String(), cmd.ProcessState.ExitCode()
}
