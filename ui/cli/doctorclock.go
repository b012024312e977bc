package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tickwatch/ui/theme"
)

// Years between which a clock may be right: tickwatch is not older, and will
// not be that old.
const firstYear, lastYear = 2026, 2056

// clockSlack is how far in the future the store may have been written; file
// systems round.
const clockSlack = time.Minute

// checkClock wants a clock that can be believed: the ages of messages and the
// thirty minutes rest on it, because their timestamps come from Meta's clock.
func checkClock(cfg Config, o doctorOptions) check {
	const mend = "set the clock and keep it right: timedatectl set-ntp true"
	now := o.Now()
	shown := now.Format("2006-01-02 15:04:05 MST (-07:00)")
	if y := now.UTC().Year(); y < firstYear || y > lastYear {
		return ill("the clock says "+shown, mend)
	}
	for _, name := range [...]string{"tickwatch.db", "tickwatch.db-wal"} {
		info, err := os.Stat(filepath.Join(cfg.Data.Dir, name))
		if err == nil && cfg.Data.Dir != "" && info.ModTime().After(now.Add(clockSlack)) {
			return ill(fmt.Sprintf("the clock says %s, but the store was written at %s: the clock was put back", shown, info.ModTime().In(now.Location()).Format("2006-01-02 15:04:05")), mend)
		}
	}
	if tz := environment(o.Env)["TZ"]; tz != "" && !knownZone(tz) {
		return note(fmt.Sprintf("%s; the time zone in TZ is not known, so times are shown in %s", shown, now.Format("MST")),
			"set TZ to a name such as Europe/Lisbon, or install tzdata")
	}
	switch ok, known := o.Synced(); {
	case !known:
		return fine("%s", shown)
	case !ok:
		return note(shown+"; the system does not say that anything keeps it right", "start a time service: timedatectl set-ntp true")
	}
	return fine("%s, kept right by the system", shown)
}

// knownZone tells whether Go understands TZ, which may begin with a colon or
// be the path of a zone file.
func knownZone(tz string) bool {
	if tz[0] == ':' {
		tz = tz[1:]
	}
	if filepath.IsAbs(tz) {
		_, err := os.Stat(tz)
		return err == nil
	}
	_, err := time.LoadLocation(tz)
	return err == nil
}

func checkTerminal(env []string) check {
	term := environment(env)["TERM"]
	switch {
	case term == "" || term == "dumb":
		return note("this terminal cannot draw (TERM is "+quoted(term)+"), so `tickwatch` prints a plain status", "for the console, use a terminal such as xterm, or ssh -t")
	case term == "linux":
		return fine("TERM=linux: the console draws in ASCII, for the fonts of the Linux console")
	case !theme.Unicode(env):
		return note("the locale is not UTF-8, so the console draws in ASCII", "export LANG=C.UTF-8, if the terminal shows Unicode")
	}
	return fine("TERM=%s, UTF-8", term)
}
