package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestCheckClock(t *testing.T) {
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.FixedZone("CET", 3600))
	for _, c := range []struct {
		name      string
		now       time.Time
		ok, known bool
		env       string
		written   time.Duration // when the store was, from now
		state     string
		says      string
	}{
		{"right", now, true, true, "", -time.Hour, "ok", "2026-11-20 08:00:00 CET (+01:00), kept right"},
		{"nobody knows", now, false, false, "", 0, "ok", "2026-11-20 08:00:00 CET (+01:00)"},
		{"free", now, false, true, "", 0, "note", "timedatectl"},
		{"never set", time.Unix(0, 0), true, true, "", 0, "FAIL", "1970"},
		{"before the year", time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC), true, true, "", 0, "FAIL", "2025"},
		{"far ahead", now.AddDate(40, 0, 0), true, true, "", 0, "FAIL", "2066"},
		{"put back", now, true, true, "", 2 * time.Minute, "FAIL", "put back"},
		{"rounded", now, true, true, "", 30 * time.Second, "ok", ""},
		{"zone", now, true, true, "TZ=Europe/Lisbon", 0, "ok", ""},
		{"zone, as POSIX has it", now, true, true, "TZ=:UTC", 0, "ok", ""},
		{"unknown zone", now, true, true, "TZ=Lisbonne", 0, "note", "Europe/Lisbon"},
		{"unknown zone file", now, true, true, "TZ=/no/such/zone", 0, "note", "Europe/Lisbon"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, file := range []string{"tickwatch.db", "tickwatch.db-wal"} {
				w := newWorld(t)
				path := w.write(filepath.Join(w.home, file), "", 0o600)
				if err := os.Chtimes(path, time.Time{}, c.now.Add(c.written)); err != nil {
					t.Fatal(err)
				}
				o := doctorOptions{Env: []string{c.env}, Now: func() time.Time { return c.now }, Synced: func() (bool, bool) { return c.ok, c.known }}
				found(t, checkClock(Config{Data: DataConfig{Dir: w.home}}, o), c.state, c.says)
			}
		})
	}
	clockSynced() // whatever it says, it says it here
}

func TestCheckTerminal(t *testing.T) {
	for _, c := range []struct {
		env   []string
		state string
		says  string
	}{
		{[]string{"TERM=xterm-256color", "LANG=pt_PT.UTF-8"}, "ok", "UTF-8"},
		{[]string{"TERM=linux", "LANG=C.UTF-8"}, "ok", "ASCII"},
		{[]string{"TERM=xterm", "LANG=C"}, "note", "C.UTF-8"},
		{[]string{"TERM=dumb", "LANG=C.UTF-8"}, "note", "plain status"},
		{nil, "note", "plain status"},
	} {
		found(t, checkTerminal(c.env), c.state, c.says)
	}
}
