//go:build terminal

package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"tickwatch/ui/cli/internal/smsc"
	"tickwatch/wa"
)

// gateway is a Kannel: bearerbox and smsbox, processes of their own in a folder
// that outlives them, and the message centre that they hand over to.
type gateway struct {
	t              *testing.T
	smsc           *smsc.Centre
	url            string // takes messages
	user, password string
	sender         string // the number that messages come from and replies go to

	dir       string
	status    string // address of bearerbox's status page
	bearerbox *box
	smsbox    *box
}

// gatewayOptions says how a Kannel is set up, where that matters to a test.
type gatewayOptions struct {
	// replies is the URL that is fetched for an inbound SMS; in it Kannel puts %p its
	// sender, %P its receiver, %b its text, %C the text's charset, %I its ID, %T its
	// time in seconds. "" = they are dropped.
	replies string
	// raw leaves the text of an inbound SMS in the charset in which it came.
	raw bool
}

// The password of Kannel's own pages, and of its bind.
const (
	kannelPage = "page-password"
	kannelBind = "bindpw" // of at most eight characters
)

// kannelConfig is Kannel's configuration; its time-outs are in seconds.
const kannelConfig = `
group = core
admin-port = %[2]d
admin-interface = 127.0.0.1
admin-password = ` + kannelPage + `
status-password = ` + kannelPage + `
smsbox-port = %[3]d
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal
store-type = spool
store-location = "%[1]s/spool"
sms-resend-freq = 1
sms-resend-retry = 2
log-file = "%[1]s/bearerbox.log"
log-level = 1

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = %[5]s
smsc-username = kannel
smsc-password = ` + kannelBind + `
system-type = ""
transceiver-mode = true
source-addr-autodetect = true
dest-addr-ton = 1
dest-addr-npi = 1
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
smsbox-id = box
sendsms-port = %[4]d
sendsms-interface = 127.0.0.1
global-sender = "%[6]s"
log-file = "%[1]s/smsbox.log"
log-level = 1
mo-recode = %[7]t
http-request-retry = 30 # by itself Kannel loses a receipt that nobody takes at once
http-queue-delay = 1

group = sendsms-user
username = %[8]s
password = %[9]s
max-messages = 10
concatenation = true
user-allow-ip = 127.0.0.1
`

const kannelReplies = `
group = smsbox-route
smsbox-id = box
smsc-id = centre

group = sms-service
keyword = default
get-url = "%s"
max-messages = 0
catch-all = true
`

// kannel starts a Kannel with a message centre, and ends them with the test.
func kannel(t *testing.T, o gatewayOptions) *gateway {
	t.Helper()
	k := &gateway{t: t, user: "console", password: "kannel-password-of-the-tests", sender: "+447700900100", dir: t.TempDir()}
	centre, err := smsc.Start(smsc.Options{
		Address: fmt.Sprintf("127.0.0.1:%d", quietPort(t)), SystemID: "kannel", Password: wa.NewSecret(kannelBind), Number: k.sender,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(centre.Close)
	k.smsc = centre
	replies := ""
	if o.replies != "" {
		replies = fmt.Sprintf(kannelReplies, o.replies)
	}
	page, boxes, sending := quietPort(t), quietPort(t), quietPort(t)
	_, centrePort, err := net.SplitHostPort(centre.Address())
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(kannelConfig, k.dir, page, boxes, sending, centrePort, k.sender, !o.raw, k.user, k.password)
	if err := os.Mkdir(filepath.Join(k.dir, "spool"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(k.dir, "kannel.conf"), []byte(config+replies), 0o600); err != nil {
		t.Fatal(err)
	}
	k.url = fmt.Sprintf("http://127.0.0.1:%d/cgi-bin/sendsms", sending)
	k.status = fmt.Sprintf("http://127.0.0.1:%d/status.txt?password="+kannelPage, page)
	t.Cleanup(k.cleanUp)
	k.start()
	return k
}

// start starts what of Kannel is not running, and waits until it takes messages,
// and hands them over if the message centre is up.
func (k *gateway) start() {
	k.t.Helper()
	if !k.bearerbox.runs() {
		k.bearerbox = k.launch("bearerbox")
		waitFor(k.t, "bearerbox has a status page", func() bool { return k.page() != "" || !k.bearerbox.runs() })
	}
	if !k.smsbox.runs() {
		k.smsbox = k.launch("smsbox")
	}
	waitFor(k.t, "Kannel takes messages", func() bool {
		if !k.bearerbox.runs() || !k.smsbox.runs() {
			k.t.Fatalf("Kannel does not start:\n%s%s", k.bearerbox.said.String(), k.smsbox.said.String())
		}
		// smsbox says its ID once it is connected; a message before that makes it panic.
		page := k.page()
		return strings.Contains(page, "smsbox:box,") && (!k.smsc.IsUp() || k.smsc.Bound() > 0 && strings.Contains(page, "(online"))
	})
}

// kill ends all of it as a power cut would. Alone, smsbox waits ten seconds before
// it looks for another bearerbox.
func (k *gateway) kill() {
	k.bearerbox.end(syscall.SIGKILL)
	k.smsbox.end(syscall.SIGKILL)
}

// stop ends Kannel in good order.
func (k *gateway) stop() {
	k.smsbox.end(syscall.SIGTERM)
	k.bearerbox.end(syscall.SIGTERM)
}

func (k *gateway) cleanUp() {
	k.kill()
	if !k.t.Failed() {
		return
	}
	for _, name := range []string{"bearerbox.log", "smsbox.log"} {
		if log, err := os.ReadFile(filepath.Join(k.dir, name)); err == nil {
			k.t.Logf("the end of %s:\n%s", name, log[max(0, len(log)-2000):])
		}
	}
}

// page is bearerbox's status page; "" = there is none.
func (k *gateway) page() string {
	client := http.Client{Timeout: longest}
	res, err := client.Get(k.status)
	if err != nil {
		return ""
	}
	defer func() { _ = res.Body.Close() }()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		return ""
	}
	return string(page)
}

// box is one of Kannel's processes.
type box struct {
	process *exec.Cmd
	said    bytes.Buffer
	exited  chan struct{}
}

func (k *gateway) launch(program string) *box {
	k.t.Helper()
	b := &box{process: exec.Command(tool(k.t, program, "kannel"), filepath.Join(k.dir, "kannel.conf")), exited: make(chan struct{})}
	b.process.Dir = k.dir
	b.process.Stdout, b.process.Stderr = &b.said, &b.said
	b.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its helpers end with it
	if err := b.process.Start(); err != nil {
		k.t.Fatal(err)
	}
	go func() {
		defer close(b.exited)
		_ = b.process.Wait() // it is ended by signals
	}()
	return b
}

func (b *box) runs() bool {
	if b == nil {
		return false
	}
	select {
	case <-b.exited:
		return false
	default:
		return true
	}
}

// end sends a signal to the process and its helpers, and waits.
func (b *box) end(sig syscall.Signal) {
	if b == nil {
		return
	}
	_ = syscall.Kill(-b.process.Process.Pid, sig) // they may have ended already
	<-b.exited
}

// Ports below those that a kernel gives away by itself, on Linux from 32768 on:
// nobody takes one by chance while its owner is down.
const firstQuiet, quietPorts = 20_000, 12_000

var lastQuiet atomic.Int64

func init() { lastQuiet.Store(rand.Int64N(quietPorts)) }

// quietPort is a port on which nobody listens and that no other test gets.
func quietPort(t *testing.T) int {
	t.Helper()
	for range quietPorts {
		port := firstQuiet + int(lastQuiet.Add(1)%quietPorts)
		// To listen on it for a try would not do: a process that is being started holds
		// every socket for a moment.
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			return port
		}
		_ = conn.Close()
	}
	t.Fatal("no port is free")
	return 0
}
