package link

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestListenModes(t *testing.T) {
	path := filepath.Join(filepath.Dir(socketPath(t)), "new", "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", p, info.Mode(), err, want)
		}
	}
	l.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there after Close: %v", err)
	}
}

func TestListenReplacesAStaleSocket(t *testing.T) {
	path := socketPath(t)
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false) // as a killed daemon leaves it
	old.Close()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func TestListenLeavesALiveSocketAlone(t *testing.T) {
	path := socketPath(t)
	startServer(t, path, ServerOptions{})
	_, err := Listen(path)
	if err == nil || !strings.Contains(err.Error(), "already listens") || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("got %v, want an error with the holder's pid", err)
	}
	if err := Call(testContext(t), path, "x", nil, nil); err != nil {
		t.Errorf("the first daemon is out of reach: %v", err)
	}
}

func TestListenTouchesNothingElse(t *testing.T) {
	dir := filepath.Dir(socketPath(t))
	file, target, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "target"), filepath.Join(dir, "pipe")
	for _, p := range []string{file, target} {
		if err := os.WriteFile(p, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	symlink := filepath.Join(dir, "symlink")
	if err := os.Symlink(target, symlink); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{file, symlink, pipe, dir} {
		if l, err := Listen(p); err == nil || !strings.Contains(err.Error(), "is no socket") {
			t.Errorf("Listen(%s): %v, %v", p, l, err)
		}
		if _, err := os.Lstat(p); err != nil {
			t.Error(err)
		}
	}
	if data, err := os.ReadFile(target); err != nil || string(data) != "precious" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}

func TestListenRefuses(t *testing.T) {
	dir := filepath.Dir(socketPath(t))
	long := filepath.Join(dir, strings.Repeat("x", maxSocketPath))
	if _, err := Listen(long); err == nil || !strings.Contains(err.Error(), "link.socket") {
		t.Errorf("a path that is too long: %v", err)
	}
	if _, err := Listen(""); err == nil || !strings.Contains(err.Error(), "link.socket") {
		t.Errorf("no path: %v", err)
	}
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil { // whatever the umask
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(open, "s")); err == nil || !strings.Contains(err.Error(), "every user may write") {
		t.Errorf("a folder open to all: %v", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(dir, "s")); err == nil || !strings.Contains(err.Error(), "just starting") {
		t.Errorf("while another starts: %v", err)
	}
}
