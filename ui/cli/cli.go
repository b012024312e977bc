// Package cli is the command line: one file a command, the configuration in
// one struct, and the only place where the rooms of the house are wired
// together.
//
// Every command prints what it found on standard output and everything else on
// standard error. The exit code says how it went: 0 done; 1 failed, with one
// line that says what to do next; 2 wrong usage; 3 no daemon reachable; 4
// refused.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/charmbracelet/x/term"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// Exit codes.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNoDaemon = 3
	exitRefused  = 4
)

// World is everything that a command may look at or write to.
type World struct {
	Args []string // without the program's name
	Env  []string
	In   io.Reader
	Out  io.Writer
	Err  io.Writer
}

// commands is the command line's grammar.
type commands struct {
	Config  string `help:"Configuration file." placeholder:"FILE" type:"path"`
	DataDir string `help:"Data folder, instead of data.dir." placeholder:"DIR" type:"path"`

	Watch    watchCmd    `cmd:"" default:"withargs" help:"The console: attach to the daemon and watch (the default)."`
	Demo     demoCmd     `cmd:"" help:"A live campaign against a local stand-in for Meta. Needs no configuration."`
	Run      runCmd      `cmd:"" help:"Daemon and console in one process, for a laptop or a quick look."`
	Serve    serveCmd    `cmd:"" help:"The daemon: take webhooks in, keep and judge them."`
	Pause    pauseCmd    `cmd:"" help:"Pause what goes out: everything, or one campaign, number or channel. Never asks."`
	Stop     stopCmd     `cmd:"" help:"The emergency pause of everything, also without a daemon that answers."`
	Resume   resumeCmd   `cmd:"" help:"Let what was paused go on. Asks first."`
	Check    checkCmd    `cmd:"" help:"Judge a recipient list. Touches nothing."`
	Campaign campaignCmd `cmd:"" help:"Own campaigns: import, test, start, pace, cancel, list, show."`
	Swap     swapCmd     `cmd:"" help:"Send the rest of a campaign with another approved template."`
	Aside    asideCmd    `cmd:"" help:"Set a part of a campaign aside: list, set, release, cancel."`
	Retry    retryCmd    `cmd:"" help:"Try failed messages of a campaign again."`
	Fallback fallbackCmd `cmd:"" help:"Reach people whose message failed by SMS, voice or e-mail: order, go-on, cancel."`
	Suppress suppressCmd `cmd:"" help:"Who is never written to: add, remove, list, import, export."`
	Resolve  resolveCmd  `cmd:"" help:"Say what became of messages that may have gone out."`
	Note     noteCmd     `cmd:"" help:"Leave a note for the next one on call."`
	Status   statusCmd   `cmd:"" help:"Print how the campaigns are doing."`
	Explain  explainCmd  `cmd:"" help:"Say what an error code means and what helps."`
	Find     findCmd     `cmd:"" help:"Look up a person by number, or a message by its id (wamid)."`
	Ack      ackCmd      `cmd:"" help:"Acknowledge an alarm."`
	Snooze   snoozeCmd   `cmd:"" help:"Keep an alarm quiet for a while."`
	Reported reportedCmd `cmd:"" help:"Give a count of reports or blocks that you read off WhatsApp Manager."`
	Notify   notifyCmd   `cmd:"" help:"Who is told of alarms: test."`
	Export   exportCmd   `cmd:"" help:"Write what was taken in to a file: a recording, to be replayed."`
	Replay   replayCmd   `cmd:"" help:"Play a recording again, with its own clock."`
	Doctor   doctorCmd   `cmd:"" help:"Check the set-up, and say how to mend what is wrong."`
	Bench    benchCmd    `cmd:"" help:"Measure how fast tickwatch is on this machine."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// app is what every command gets.
type app struct {
	World
	config  string
	dataDir string
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// Main runs one command and gives the exit code.
func Main(w World) int {
	syscall.Umask(0o077) // whatever we make, others may not read
	var grammar commands
	exited, code := false, exitDone
	parser, err := kong.New(&grammar,
		kong.Name("tickwatch"),
		kong.Description("Whether a WhatsApp campaign is reaching people, why not, and what helps."),
		kong.Writers(w.Out, w.Err),
		kong.Exit(func(c int) { exited, code = true, c }),
		kong.Vars{"scenarios": scenarioNames()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err != nil {
		return exitCode(w.Err, err)
	}
	parsed, err := parser.Parse(w.Args)
	if exited { // --help
		return code
	}
	if err != nil {
		return exitCode(w.Err, usageError{meant(w.Args, err)})
	}
	// Never given back: a second signal must not kill what is ending in order.
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	parsed.BindTo(ctx, (*context.Context)(nil))
	return exitCode(w.Err, parsed.Run(&app{World: w, config: grammar.Config, dataDir: grammar.DataDir}))
}

// exitCode prints an error as one line and gives the exit code that it stands for.
func exitCode(to io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	var usage usageError
	var fault *link.Fault
	code := exitFailed
	switch {
	case errors.As(err, &usage):
		code = exitUsage
		err = fmt.Errorf("%w; `tickwatch --help` shows what there is", err)
	case errors.Is(err, link.ErrNoDaemon):
		code = exitNoDaemon
	case errors.As(err, &fault) && fault.Kind == link.FaultUsage:
		code = exitUsage
	case errors.As(err, &fault) && fault.Kind == link.FaultRefused:
		code = exitRefused
	}
	_, _ = fmt.Fprintln(to, "tickwatch: "+wa.Clean(err.Error()))
	return code
}

// load reads the configuration; its warnings go to standard error.
func (a *app) load(flags map[string]string) (Config, error) {
	return a.loadWith(flags, func(line string) { _, _ = fmt.Fprintln(a.Err, "tickwatch: "+wa.Clean(line)) })
}

func (a *app) loadWith(flags map[string]string, warn func(string)) (Config, error) {
	if flags == nil {
		flags = map[string]string{}
	}
	if a.dataDir != "" {
		flags["data.dir"] = a.dataDir
	}
	return LoadConfig(LoadOptions{Path: a.config, Flags: flags, Env: a.Env, Warn: warn})
}

// call asks the running daemon once.
func (a *app) call(ctx context.Context, verb string, args, result any) error {
	cfg, err := a.load(nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return link.Call(ctx, cfg.Link.Socket, verb, args, result)
}

// json prints one document.
func (a *app) json(v any) error {
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// print writes text as it is; it must be clean.
func (a *app) print(text string) error {
	_, err := io.WriteString(a.Out, strings.TrimRight(text, "\n")+"\n")
	return err
}

// screen tells whether the console can be drawn: input and output are a
// terminal that knows how to move its cursor.
func (a *app) screen() bool {
	in, inOK := a.In.(*os.File)
	out, outOK := a.Out.(*os.File)
	return inOK && outOK && isTerminal(in) && isTerminal(out) && a.env("TERM") != "dumb" && a.env("TERM") != ""
}

func isTerminal(f *os.File) bool { return term.IsTerminal(f.Fd()) }

// width is the terminal's width in cells, or 80.
func (a *app) width() int {
	if out, ok := a.Out.(*os.File); ok {
		if w, _, err := term.GetSize(out.Fd()); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

func (a *app) env(name string) string {
	for _, pair := range a.Env {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}
