package link

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"
)

func TestAdmitted(t *testing.T) {
	for _, tc := range []struct {
		uid, owner int
		want       bool
	}{{1000, 1000, true}, {0, 1000, true}, {0, 0, true}, {1001, 1000, false}, {1000, 0, false}, {65534, 1000, false}} {
		if got := admitted(tc.uid, tc.owner); got != tc.want {
			t.Errorf("uid %d at the daemon of %d: %v", tc.uid, tc.owner, got)
		}
	}
}

func TestUserName(t *testing.T) {
	if got := userName(0); got != "root" {
		t.Errorf("uid 0 is %q", got)
	}
	if got := userName(1_234_567); got != "uid 1234567" {
		t.Errorf("a uid without a name is %q", got)
	}
}

// dialAs connects as another user: credentials are the thread's on Linux, and
// the thread ends with its goroutine because it is never unlocked.
func dialAs(uid int, path string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
			err = errno
			return
		}
		conn, err = net.Dial("unix", path)
	}()
	<-done
	return conn, err
}

func TestAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	const nobody = 65534
	path := socketPath(t)
	startServer(t, path, ServerOptions{})
	if err := os.Chmod(filepath.Dir(path), 0o711); err != nil {
		t.Fatal(err)
	}
	if _, err := dialAs(nobody, path); !errors.Is(err, os.ErrPermission) {
		t.Errorf("the socket's mode let another user connect: %v", err)
	}
	if err := os.Chmod(path, 0o666); err != nil { // even so
		t.Fatal(err)
	}
	raw, err := dialAs(nobody, path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	d := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return raw, nil }}
	conn, resp, err := d.Dial("ws://tickwatch"+consolePath, nil)
	if err == nil {
		conn.Close()
		t.Fatal("another user was let in")
	}
	said := firstLine(resp.Body)
	if resp.StatusCode != 403 || !strings.Contains(said, "belongs to root") {
		t.Errorf("%s: %s", resp.Status, said)
	}
}
