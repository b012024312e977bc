package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type stopCmd struct {
	Reason string `help:"Why, for the next one on call." placeholder:"TEXT"`
	JSON   bool   `name:"json" help:"Print the receipt as one JSON document."`
}

// Help says what happens without a daemon.
func (stopCmd) Help() string {
	return `Example:
  tickwatch stop

Everything that tickwatch sends stops, all campaigns and all channels. It never asks. To pause one campaign: tickwatch pause ID.

Exit 0 means that the daemon has stopped sending.

If it has not said so within two seconds, the file STOP is made in the data folder as well: a daemon sends nothing while that file is there, however
busy it is and whenever it starts. The file is taken away again when the daemon confirms after all.

Exit 3 means that no daemon has confirmed: the file stays. To go on then, remove the file, and tickwatch resume.`
}

// meant adds to an error of the command line's grammar what was probably meant:
// in an emergency nobody reads help.
func meant(args []string, err error) error {
	if i := slices.Index(args, "stop"); i >= 0 && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
		return fmt.Errorf("%w: stop is for everything; to pause one campaign: tickwatch pause %s", err, shellWord(args[i+1]))
	}
	return err
}

// stopName is the file in the data folder that keeps a daemon from sending.
const stopName = "STOP"

// stopFileAfter is how long the daemon has to confirm before the file is made.
const stopFileAfter = 2 * time.Second

// Run pauses everything, with the daemon's help or without.
func (c *stopCmd) Run(ctx context.Context, a *app) error {
	cfg, err := a.load(nil)
	if err != nil {
		return fmt.Errorf("nothing was stopped: %w; without a configuration, make an empty file named STOP in the daemon's data folder, and nothing goes out", err)
	}
	var r link.Receipt
	answered := make(chan error, 1)
	go func() {
		answered <- insist(ctx, cfg.Link.Socket, link.VerbPause, link.GateArgs{Scope: link.ScopeAll, Reason: c.Reason}, &r)
	}()
	file := stopFile{path: filepath.Join(cfg.Data.Dir, stopName)}
	patience := time.NewTimer(stopFileAfter)
	defer patience.Stop()
	select {
	case err = <-answered:
	case <-patience.C:
		_ = file.make(c.Reason) // tried once more if the daemon does not confirm
		err = <-answered
	}
	var fault *link.Fault
	switch {
	case err == nil && r.Stored, errors.As(err, &fault) && fault.Kind != link.FaultFailed:
		file.takeBack()
		if err != nil {
			return err
		}
	case err != nil:
		return file.instead(c.Reason, cfg.Link.Socket, err)
	}
	if err := a.printReceipt(&r, c.JSON, link.VerbPause, ""); err != nil {
		return err
	}
	if file.made {
		a.tell("tickwatch: the file " + wa.Clean(file.path) + " holds it, too: remove it before you resume")
	}
	return nil
}

// stopFile is the STOP file as one command knows it.
type stopFile struct {
	path string
	made bool // by this command
}

// make makes the file, unless it is there.
func (s *stopFile) make(reason string) error {
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s.made = true
	// That it is there is what counts: on a full disk it may stay empty.
	_, _ = fmt.Fprintf(f, "%s tickwatch stop %s\n", time.Now().UTC().Format(time.RFC3339), wa.Clean(reason))
	_ = f.Sync()
	_ = f.Close()
	return nil
}

// takeBack removes the file if this command made it: the daemon keeps everything
// paused without it.
func (s *stopFile) takeBack() {
	if s.made && os.Remove(s.path) == nil {
		s.made = false
	}
}

// unconfirmed is a stop without the daemon's word: exit 3.
type unconfirmed struct{ text string }

func (u unconfirmed) Error() string        { return u.text }
func (u unconfirmed) Is(target error) bool { return target == link.ErrNoDaemon }

// instead makes the file in place of what the daemon did not do, and says what
// holds now.
func (s *stopFile) instead(reason, socket string, cause error) error {
	why := cause.Error()
	if nobodyThere(cause) {
		why = "no daemon answers at " + socket
	}
	err := s.make(reason)
	switch {
	case err == nil:
		return unconfirmed{fmt.Sprintf("not confirmed (%s), but the file %s is there now: a daemon that uses this folder sends nothing while it is; to go on, remove it, then tickwatch resume", why, s.path)}
	case errors.Is(err, fs.ErrNotExist):
		return unconfirmed{fmt.Sprintf("not stopped (%s): the data folder %s is not there, so no daemon has used it; run this as the daemon's user, or name its folder with --data-dir", why, filepath.Dir(s.path))}
	}
	return unconfirmed{fmt.Sprintf("not stopped (%s), and the file STOP cannot be made (%v): as the daemon's user, run: touch %s", why, err, shellWord(s.path))}
}
