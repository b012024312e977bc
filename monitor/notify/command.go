package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"tickwatch/wa"
)

// commandWithin bounds one run of a command, which then is killed with what it began.
const commandWithin = 25 * time.Second

// maxSaid bounds what is kept of a command's words, in bytes.
const maxSaid = 4 << 10

// Command runs a program for every alarm, with no shell between.
type Command struct {
	argv   []string
	within time.Duration
}

// NewCommand checks that the program is there.
func NewCommand(argv []string) (*Command, error) {
	if len(argv) == 0 {
		return nil, errors.New("notify.command is empty: give a program and its arguments")
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return nil, fmt.Errorf("notify.command: %.200q cannot be run: give the whole path of an executable file", wa.Clean(argv[0]))
	}
	return &Command{argv, commandWithin}, nil
}

// Name implements Target.
func (c *Command) Name() string { return "command" }

// ID implements Target.
func (c *Command) ID() string { return targetID("command", wa.NewSecret(strings.Join(c.argv, "\x00"))) }

// Single implements Target.
func (*Command) Single() bool { return true }

// Send implements Target.
func (c *Command) Send(ctx context.Context, m *Message) error {
	ctx, cancel := context.WithTimeout(ctx, c.within)
	defer cancel()
	input, env, err := commandInput(m)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...) //nolint:gosec // the operator's own program, of the configuration
	cmd.Env, cmd.Stdin = env, bytes.NewReader(input)
	said := &tail{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for children that hold on to its output
	err = cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("it took longer than %s and was ended", c.within)
	}
	text := err.Error()
	if s := strings.TrimSpace(wa.Clean(string(said.text))); s != "" {
		text += ": " + plainText(s)
	}
	return errors.New(text)
}

// commandInput is what a command reads and finds in its environment. Of the daemon's
// own environment, which may hold its secrets, it gets what programs need to run.
func commandInput(m *Message) (input []byte, env []string, err error) {
	for _, name := range []string{"PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	p := m.payload()
	env = append(env, "TICKWATCH_EVENT="+p.Event, "TICKWATCH_ID="+p.ID, "TICKWATCH_TITLE="+p.Title, "TICKWATCH_MESSAGE="+p.Text)
	if len(p.Alarms) == 0 {
		input, err = json.Marshal(p)
		return input, env, err
	}
	a := &p.Alarms[0]
	env = append(env,
		"TICKWATCH_ALARM_ID="+a.ID, "TICKWATCH_ALARM_CHANGE="+string(a.Change), "TICKWATCH_ALARM_KIND="+a.Kind, "TICKWATCH_ALARM_SEVERITY="+a.Severity,
		"TICKWATCH_ALARM_CAMPAIGN="+a.Campaign, "TICKWATCH_ALARM_TEXT="+a.Text, "TICKWATCH_ALARM_ADVICE="+a.Advice)
	input, err = json.Marshal(a)
	return input, env, err
}

// tail keeps the latest of what is written to it.
type tail struct{ text []byte }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-maxSaid):]
	return len(p), nil
}
