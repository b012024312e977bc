package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// assent is part of every command that sends, resumes, swaps or cancels.
type assent struct {
	Yes bool `help:"Do not ask; needed where there is no terminal."`
}

// refused is what was not done because of a rule, or because nobody confirmed it.
func refused(format string, args ...any) error {
	return &link.Fault{Kind: link.FaultRefused, Text: fmt.Sprintf(format, args...)}
}

// possible refuses a command that must ask and cannot.
func (s assent) possible(a *app, toDo string) error {
	if s.Yes || a.canAsk() {
		return nil
	}
	return refused("nobody can be asked here whether to %s, for there is no terminal: add --yes to do it unasked", toDo)
}

// canAsk tells whether somebody sits before a terminal: questions go to standard
// error, so that standard output stays the command's own.
func (a *app) canAsk() bool {
	in, inOK := a.In.(*os.File)
	out, outOK := a.Err.(*os.File)
	return inOK && outOK && isTerminal(in) && isTerminal(out)
}

// tell prints text for people, who may be about to be asked.
func (a *app) tell(text string) {
	if text = strings.TrimRight(text, "\n"); text != "" {
		_, _ = fmt.Fprintln(a.Err, text)
	}
}

// ask has the operator type a word before it is done.
func (a *app) ask(ctx context.Context, word, toDo string) error {
	_, _ = fmt.Fprintf(a.Err, "Type %s to %s, or just enter to leave it: ", wa.Clean(word), toDo)
	typed := make(chan string, 1)
	go func() { // a read from a terminal cannot be ended
		line, _ := bufio.NewReader(a.In).ReadString('\n')
		typed <- strings.TrimSpace(line)
	}()
	select {
	case line := <-typed:
		if strings.EqualFold(line, word) {
			return nil
		}
		if line == "" {
			return refused("not confirmed: nothing was changed")
		}
		return refused("%.40q is not %s: nothing was changed", wa.Clean(line), wa.Clean(word))
	case <-ctx.Done():
		_, _ = fmt.Fprintln(a.Err)
		return refused("not confirmed: nothing was changed")
	}
}
