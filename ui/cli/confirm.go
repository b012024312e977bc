package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

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
		_, _ = fmt.Fprintln(a.Err, broken(text, a.Err))
	}
}

// say prints text for people on standard output.
func (a *app) say(text string) error { return a.print(broken(text, a.Out)) }

// broken breaks lines between words where they go to a terminal that is
// narrower; a file or a program gets them whole.
func broken(text string, to io.Writer) string {
	f, ok := to.(*os.File)
	if !ok || !isTerminal(f) {
		return text
	}
	width, _, err := term.GetSize(f.Fd())
	if err != nil || width <= 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if ansi.StringWidth(line) > width {
			lines[i] = strings.Join(wrapWords(line, width), "\n")
		}
	}
	return strings.Join(lines, "\n")
}

// ask has the operator type a word before it is done.
func (a *app) ask(ctx context.Context, word, toDo string) error {
	_, _ = fmt.Fprint(a.Err, broken(fmt.Sprintf("Type %s to %s, or just enter to leave it:", wa.Clean(word), toDo), a.Err)+" ")
	typed := make(chan string, 1)
	go func() { // a read from a terminal cannot be ended
		line, err := bufio.NewReader(a.In).ReadString('\n')
		if err != nil { // the end of the input leaves the cursor where it is
			_, _ = fmt.Fprintln(a.Err)
		}
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
