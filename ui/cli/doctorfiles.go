package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
)

func checkConfig(cfg Config, o doctorOptions) check {
	if o.ConfigErr != nil {
		return ill(o.ConfigErr.Error(), "correct this first; most other checks need the configuration")
	}
	if len(o.Warnings) > 0 {
		return note(strings.Join(o.Warnings, "; "), "correct or remove the name")
	}
	if cfg.File == "" {
		return fine("there is no file; variables and defaults are in force")
	}
	info, err := os.Stat(cfg.File)
	if err != nil {
		return ill(err.Error(), "give access to the file, or name another with --config")
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return ill(fmt.Sprintf("%s can be changed by others (mode %04o), who could send your webhooks elsewhere", cfg.File, mode),
			"run: chmod go-w "+shellWord(cfg.File))
	}
	return fine("read from %s", cfg.File)
}

// appSecretShape is how Meta writes an app secret.
var appSecretShape = regexp.MustCompile(`^[0-9a-f]{32}$`)

func checkSecrets(w WebhookConfig) check {
	if len(w.AppSecret) == 0 {
		return ill("webhook.app_secret is not set, so every Meta webhook is refused",
			"copy the app secret (Meta's App Dashboard, App settings, Basic) into a file of mode 0600 and name it with webhook.app_secret_file")
	}
	if len(w.VerifyToken) == 0 {
		return ill("webhook.verify_token is not set, so Meta cannot subscribe to this listener",
			"think of a long word, set it as webhook.verify_token, and give the same word to Meta")
	}
	for _, s := range w.AppSecret {
		if !appSecretShape.MatchString(s.Reveal()) {
			return note("a webhook.app_secret is not 32 hexadecimal digits, as Meta's app secrets are",
				"compare it with Meta's App Dashboard (App settings, Basic); an access token is something else")
		}
	}
	return fine("set: %d webhook.app_secret, %d webhook.verify_token", len(w.AppSecret), len(w.VerifyToken))
}

// checkModes wants the data folder, and every file of ours in it, closed to others.
func checkModes(cfg Config, uid int) check {
	dir := cfg.Data.Dir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fine("%s is not there yet; the daemon makes it with mode 0700", dir)
	case err != nil:
		return ill(err.Error(), "run doctor as the user that runs the daemon, or set data.dir to another folder")
	case !info.IsDir():
		return ill(dir+" is no folder", "move it away, or set data.dir to another folder")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ill(err.Error(), "run doctor as the user that runs the daemon")
	}
	paths := []string{cfg.Link.Socket}
	for _, e := range entries { // what operators put there themselves, such as STOP, is theirs
		if p := filepath.Join(dir, e.Name()); strings.HasPrefix(e.Name(), "tickwatch") && p != cfg.Link.Socket {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	var open, mend []string
	if mode := info.Mode().Perm(); mode&openMask != 0 {
		open, mend = append(open, fmt.Sprintf("%s (%04o)", dir, mode)), append(mend, "chmod 700 "+shellWord(dir))
	}
	for _, p := range paths {
		info, err := os.Lstat(p)
		if err != nil || info.Mode().Type()&^fs.ModeSocket != 0 { // gone meanwhile, or a folder or link
			continue
		}
		if mode := info.Mode().Perm(); mode&openMask != 0 {
			open, mend = append(open, fmt.Sprintf("%s (%04o)", p, mode)), append(mend, "chmod 600 "+shellWord(p))
		}
	}
	if len(open) > 0 {
		return ill("phone numbers are open to other users in "+strings.Join(open, ", "), "run: "+strings.Join(mend, "; "))
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != uid {
		return note(fmt.Sprintf("%s is closed to others, but belongs to user %d and you are user %d", dir, st.Uid, uid),
			"run doctor as the user that runs the daemon; only then it sees what the daemon may do")
	}
	return fine("%s and what is in it are closed to others", dir)
}

// checkStop tells of the file that keeps a daemon from sending.
func checkStop(dir string) check {
	path := filepath.Join(dir, stopName)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fine("%s is not there", path)
	case err != nil:
		return ill(err.Error(), "run doctor as the user that runs the daemon")
	}
	return note(fmt.Sprintf("%s is there since %s: nothing is sent", path, momentText(info.ModTime(), time.Local)), "to send again, remove it, then tickwatch resume")
}

const (
	// littleFree holds a few campaigns of 100,000 messages.
	littleFree = 1 << 30
	// slowSync is half of what a webhook's answer may take on average; each
	// answer waits for one sync.
	slowSync = 400 * time.Millisecond
)

// networkDisks are the names that gopsutil gives to file systems on which
// SQLite's WAL is unsafe.
var networkDisks = []string{"nfs", "nfsd", "smb", "smb2", "smbfs", "cifs", "afs", "k-afs", "afpfs", "webdav", "coda", "novell", "v9fs", "ceph", "lustre", "gpfs"}

// checkDisk looks at the disk of the data folder, or of the folder in which it
// will be made.
func checkDisk(ctx context.Context, dir string) check {
	place := dir
	for _, err := os.Stat(place); errors.Is(err, fs.ErrNotExist) && place != filepath.Dir(place); _, err = os.Stat(place) {
		place = filepath.Dir(place)
	}
	usage, err := disk.UsageWithContext(ctx, place)
	if err != nil {
		return ill(fmt.Sprintf("the disk of %s cannot be looked at: %v", place, err), "set data.dir to a folder on a local disk")
	}
	took, err := trySync(place)
	if err != nil {
		return ill(fmt.Sprintf("nothing can be written to %s: %v", place, err),
			"free some space, run doctor as the user that runs the daemon, or set data.dir to another folder")
	}
	return judgeDisk(place, usage.Fstype, usage.Free, took)
}

func judgeDisk(place, system string, free uint64, took time.Duration) check {
	if slices.Contains(networkDisks, system) {
		return ill(fmt.Sprintf("%s is on a network file system (%s), where the store could be lost", place, system), "set data.dir to a folder on a local disk")
	}
	found := fmt.Sprintf("%s: %.1f GiB free on %s; a small file was written and synced in %v", place, float64(free)/(1<<30), system, took.Round(100*time.Microsecond))
	switch {
	case free < littleFree:
		return note(found, "free some space; when the disk is full, webhooks are refused until there is room, and Meta repeats them")
	case took > slowSync:
		return note(found, "use a faster disk, or find out what else writes to it; every webhook waits for a sync")
	}
	return fine("%s", found)
}

// trySync writes a small file, waits until it is on disk, and removes it.
func trySync(dir string) (took time.Duration, err error) {
	begin := time.Now()
	f, err := os.CreateTemp(dir, ".tickwatch-doctor-*")
	if err != nil {
		return 0, err
	}
	_, err = f.Write(make([]byte, 16<<10))
	if err == nil {
		err = f.Sync()
	}
	took = time.Since(begin)
	return took, errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// shellSafe is every path that a shell takes as one word, as it stands.
var shellSafe = regexp.MustCompile(`^[A-Za-z0-9/._+:@-]+$`)

// shellWord writes a path so that a shell takes it as one word.
func shellWord(path string) string {
	if shellSafe.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
