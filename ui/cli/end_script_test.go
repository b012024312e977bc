package cli_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the command lines in testdata/script. Beside testscript's own
// commands there are:
//
//	exits CODE COMMAND…   runs the command and wants exactly that exit code
//	one-line stderr       the last command's stderr (or stdout) is one line that begins with the program's name
//	one-document KEY…     the last command's stdout is one JSON object with these members and nothing else
//	reachable             waits until the daemon in the background answers
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Values[testOf{}] = t
			e.Vars = append(environment(e.WorkDir), "WORK="+e.WorkDir)
			e.Vars = slices.DeleteFunc(e.Vars, func(v string) bool { return strings.HasPrefix(v, "TICKWATCH_THRESHOLDS_") })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "one-line": oneLine, "one-document": oneDocument, "reachable": reachable,
		},
		RequireExplicitExec: true,
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func oneLine(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	if is := strings.HasPrefix(text, "tickwatch: ") && strings.HasSuffix(text, "\n") && strings.Count(text, "\n") == 1; is == neg {
		ts.Fatalf("%q", text)
	}
}

func oneDocument(ts *testscript.TestScript, neg bool, keys []string) {
	if neg {
		ts.Fatalf("one-document cannot be negated")
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var document map[string]json.RawMessage
	ts.Check(d.Decode(&document))
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		ts.Fatalf("more than one document on stdout")
	}
	for _, key := range keys {
		if document[key] == nil {
			ts.Fatalf("no member %q", key)
		}
	}
}

func reachable(ts *testscript.TestScript, _ bool, _ []string) {
	waitFor(ts.Value(testOf{}).(*testing.T), "the daemon answers", func() bool {
		return ts.Exec("tickwatch", "status", "--json") == nil
	})
}

// testOf is the key of the test in a script's values.
type testOf struct{}

// TestHelpHasExamples asks the help for all commands, those of groups too, and
// each of them for its own.
func TestHelpHasExamples(t *testing.T) {
	t.Parallel()
	env := environment(folder(t))
	if n := checkHelp(t, env, ""); n < 10 {
		t.Errorf("only %d commands", n)
	}
}

var listedCommand = regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)*)  `)

// checkHelp checks the help of a command, or of all below it where it is a
// group, and tells how many commands that were.
func checkHelp(t *testing.T, env []string, command string) (commands int) {
	t.Helper()
	out, diagnostics, code := tickwatch(t, env, append(strings.Fields(command), "--help")...)
	if code != 0 || diagnostics != "" {
		t.Errorf("%s --help: exit code %d, %q", command, code, diagnostics)
	}
	if _, list, group := strings.Cut(out, "Commands:\n"); group {
		list, _, _ = strings.Cut(list, "\n\n")
		for _, c := range listedCommand.FindAllStringSubmatch(list, -1) {
			commands += checkHelp(t, env, c[1])
		}
		return commands
	}
	_, example, _ := strings.Cut(out, "Example")
	if !regexp.MustCompile(`(?m)^ +.*\btickwatch ` + command + `\b`).MatchString(example) {
		t.Errorf("%s --help gives no example:\n%s", command, out)
	}
	return 1
}
