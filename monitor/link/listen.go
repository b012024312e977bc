package link

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxSocketPath is what the kernel takes as a socket's path, in bytes: 107 on
// Linux, 103 on macOS.
const maxSocketPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// Listen opens the daemon's socket at path, mode 0600. A folder that is
// missing is made with mode 0700; one in which other users could swap the
// socket is refused.
//
// A socket that nobody answers on any more is replaced. One that somebody
// answers on is an error that names the process; so is anything at path that
// is no socket, and it stays untouched.
func Listen(path string) (net.Listener, error) {
	if err := checkSocketPath(path); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the socket's folder: %w; or choose another with link.socket", err)
	}
	release, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := clearStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the consoles' socket: %w; or choose another with link.socket", err)
	}
	// Until here the umask ruled the socket's mode. Who slipped in meanwhile is
	// judged by the server like everyone else.
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close() // the first error is the one to tell
		return nil, fmt.Errorf("close the socket to other users: %w", err)
	}
	return l, nil
}

func checkSocketPath(path string) error {
	if path == "" {
		return errors.New("no socket is named: set link.socket")
	}
	if len(path) > maxSocketPath {
		return fmt.Errorf("the socket path %s has %d bytes, the system takes at most %d: set link.socket to a shorter one",
			path, len(path), maxSocketPath)
	}
	return nil
}

// lockFolder keeps two daemons that start at once from taking each other's
// fresh socket for a stale one. The lock is on the folder: it leaves no file.
func lockFolder(dir string) (release func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open the socket's folder: %w", err)
	}
	release = func() { _ = d.Close() } // drops the lock too
	info, err := d.Stat()
	if err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		err = errors.New("every user may write there, so anyone could put another socket in its place: chmod o-w it, or choose another link.socket")
	}
	if err == nil {
		err = unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = errors.New("another daemon is just starting there; try again in a moment")
		}
	}
	if err != nil {
		release()
		return nil, fmt.Errorf("the socket's folder %s: %w", dir, err)
	}
	return release, nil
}

// clearStale removes a socket at path that no process answers on.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at the socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket: move it away, or choose another link.socket", path)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		holder := ""
		if p, err := peerOf(conn); err == nil && p.PID != 0 {
			holder = fmt.Sprintf(" (pid %d)", p.PID)
		}
		_ = conn.Close()
		return fmt.Errorf("a daemon already listens at %s%s: attach to it with `tickwatch watch`, or end it first", path, holder)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case !errors.Is(err, syscall.ECONNREFUSED): // full, slow or another user's: not ours to remove
		return fmt.Errorf("the socket %s is in use: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the stale socket: %w", err)
	}
	return nil
}
