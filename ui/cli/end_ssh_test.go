//go:build terminal

package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestTerminalOverSSH draws the console at the other end of a real SSH session,
// and cuts the session: the console goes, the daemon stays.
func TestTerminalOverSSH(t *testing.T) {
	t.Parallel()
	client := tool(t, "ssh", "openssh-client")
	dir := folder(t)
	host := sshd(t, dir)
	serving := serve(t, dir)
	bodies := newCrowd(12).webhooks(100)
	serving.deliver(bodies)

	remote := []string{"env"}
	for _, v := range environment(dir) {
		if v != "TERM=dumb" {
			remote = append(remote, quote(v))
		}
	}
	pidFile := filepath.Join(dir, "console.pid")
	console := fmt.Sprintf("echo $$ >%s; exec %s tickwatch watch", pidFile, strings.Join(remote, " "))
	s := open(t, 80, 24, environment(dir), append(append([]string{client}, host...), console)...)
	s.shows(append(panes, "LIVE", "autumn")...)
	s.text("?")
	s.shows("Help", "Pause this campaign")
	s.keys("Escape")
	s.shows(panes...)

	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := s.ask("kill-server"); err != nil { // the operator's end of the line
		t.Fatalf("%v: %s", err, out)
	}
	waitFor(t, "the console ends with its session", func() bool {
		return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	})
	if s := serving.status(); s.Campaigns[0].Counts.Messages != 100 {
		t.Errorf("the daemon shows %+v", s.Campaigns[0].Counts)
	}
}

// sshd runs an SSH server on loopback with keys of its own, and gives the
// arguments with which a client reaches it.
func sshd(t *testing.T, dir string) (host []string) {
	t.Helper()
	server, keygen := tool(t, "sshd", "openssh-server"), tool(t, "ssh-keygen", "openssh-client")
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd wants it, and a container may not have it
			t.Fatal(err)
		}
	}
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command(keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	config := fmt.Sprintf("ListenAddress 127.0.0.1:%s\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nUsePAM no\nStrictModes no\n"+
		"PermitRootLogin prohibit-password\nPasswordAuthentication no\n",
		port, filepath.Join(dir, "host"), filepath.Join(dir, "user.pub"))
	path := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	daemon := exec.Command(server, "-D", "-e", "-f", path)
	daemon.Stderr = &said
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
		if t.Failed() {
			t.Logf("sshd says:\n%s", said.String())
		}
	})
	waitFor(t, "sshd listens", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return []string{
		"-tt", "-F", "/dev/null", "-i", filepath.Join(dir, "user"), "-p", port,
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
		me.Username + "@127.0.0.1",
	}
}

// freePort is a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
