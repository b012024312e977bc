package cli_test

import (
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tickwatch/monitor/link"
)

// TestSendingScripts runs the command lines in testdata/sending. Beside the
// commands of TestScripts there are:
//
//	daemon [unfit] [unstored] [role]   the daemon's end of a link, in the script's data folder
//	asked REGEXP                       that daemon was asked "verb arguments" like this
func TestSendingScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "sending"),
		Setup: func(e *testscript.Env) error {
			e.Vars = append(environment(e.WorkDir), "WORK="+e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "one-line": oneLine, "one-document": oneDocument,
			"daemon": func(ts *testscript.TestScript, _ bool, args []string) { startAnswering(t, ts, args) },
			"asked":  wasAsked,
		},
		RequireExplicitExec: true,
	})
}

// daemons are the scripts' daemons, by working folder.
var daemons sync.Map

func startAnswering(t *testing.T, ts *testscript.TestScript, args []string) {
	d := answer(t, ts.Getenv("WORK"), func(d *answering) {
		for _, a := range args {
			switch a {
			case "unfit":
				d.unfit = true
			case "unstored":
				d.unstored = true
			case "role":
				for _, verb := range []string{link.VerbPause, link.VerbStart} {
					d.fault[verb] = &link.Fault{Kind: link.FaultRefused, Text: "you may look, not send: ask for another role"}
				}
			default:
				ts.Fatalf("daemon: %s is not known", a)
			}
		}
	})
	daemons.Store(ts.Getenv("WORK"), d)
}

func wasAsked(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: asked REGEXP")
	}
	found, _ := daemons.Load(ts.Getenv("WORK"))
	d, ok := found.(*answering)
	if !ok {
		ts.Fatalf("there is no daemon")
	}
	if d.matches(regexp.MustCompile(args[0])) == neg {
		d.mu.Lock()
		defer d.mu.Unlock()
		ts.Fatalf("asked was\n%q", d.asked)
	}
}
