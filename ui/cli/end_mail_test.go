//go:build terminal

package cli_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mailServer is aiosmtpd, as Debian has it, in a process of its own. It asks for
// STARTTLS and a login; testdata/mailserver.py says which mailboxes refuse what.
type mailServer struct {
	t              *testing.T
	address        string // host:port
	user, password string
	certificate    string // file of it, for SSL_CERT_FILE
	folder         string
}

// kept is a mail as the server took it.
type kept struct {
	From    string   `json:"from"`
	To      []string `json:"to"`
	Secure  bool     `json:"secure"`
	Login   string   `json:"login"`
	Content []byte   `json:"content"`
}

// message is the mail as its reader's program sees it.
func (k *kept) message(t *testing.T) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(k.Content))
	if err != nil {
		t.Fatalf("%v in\n%s", err, k.Content)
	}
	return m
}

// startMailServer starts one, and ends it with the test.
func startMailServer(t *testing.T) *mailServer {
	t.Helper()
	tool(t, "aiosmtpd", "python3-aiosmtpd")
	dir := t.TempDir()
	m := &mailServer{t: t, user: "console", password: "mail-password-of-the-tests", folder: filepath.Join(dir, "kept")}
	if err := os.Mkdir(m.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	var key string
	m.certificate, key = certificateFor127(t, dir)
	server := exec.Command("/usr/bin/python3", "-W", "ignore", "testdata/mailserver.py", m.folder, m.certificate, key, m.user, m.password)
	var said bytes.Buffer
	server.Stderr = &said
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	port, err := bufio.NewReader(out).ReadString('\n')
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("the mail server says:\n%s", said.String())
		}
	})
	if err != nil {
		t.Fatalf("the mail server does not start: %v", err)
	}
	m.address = net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))
	return m
}

// got is all that it took, in order.
func (m *mailServer) got() (mails []kept) {
	m.t.Helper()
	files, err := filepath.Glob(filepath.Join(m.folder, "*.json"))
	if err != nil {
		m.t.Fatal(err)
	}
	slices.Sort(files)
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			m.t.Fatal(err)
		}
		var one kept
		if err := json.Unmarshal(b, &one); err != nil {
			m.t.Fatalf("%v in %s", err, b)
		}
		mails = append(mails, one)
	}
	return mails
}

// certificateFor127 writes the certificate of a test server, valid for 127.0.0.1, and
// its key.
func certificateFor127(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// TestMailServer holds the mail server of the end-to-end tests against the
// standard library's client.
func TestMailServer(t *testing.T) {
	t.Parallel()
	m := startMailServer(t)
	const content = "From: shop@example.org\r\nTo: ana@example.org\r\nSubject: Autumn\r\nMessage-ID: <1@example.org>\r\n\r\n.a line with a dot\r\n"
	for _, c := range []struct {
		to       string
		answer   int // 0 = taken
		dropped  bool
		keptToo  bool
		password string
	}{
		{to: "ana@example.org", keptToo: true},
		{to: "gone@example.org", answer: 550},
		{to: "later@example.org", answer: 451},
		{to: "full@example.org", answer: 552},
		{to: "cut@example.org", dropped: true, keptToo: true},
		{to: "ana@example.org", answer: 535, password: "wrong"},
	} {
		before := len(m.got())
		password := m.password
		if c.password != "" {
			password = c.password
		}
		err := m.send(password, c.to, content)
		var refusal *textproto.Error
		switch code := errors.As(err, &refusal); {
		case c.answer != 0 && (!code || refusal.Code != c.answer):
			t.Errorf("to %s: %v, want %d", c.to, err, c.answer)
		case c.dropped && (err == nil || code):
			t.Errorf("to %s: %v, want a cut line", c.to, err)
		case c.answer == 0 && !c.dropped && err != nil:
			t.Errorf("to %s: %v", c.to, err)
		}
		after := m.got()
		if (len(after) > before) != c.keptToo {
			t.Fatalf("to %s: %d mails were kept", c.to, len(after)-before)
		}
		if !c.keptToo {
			continue
		}
		want := kept{From: "shop@example.org", To: []string{c.to}, Secure: true, Login: m.user, Content: []byte(content)}
		if diff := cmp.Diff(want, after[len(after)-1]); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	}
	first := m.got()[0]
	if got := first.message(t).Header.Get("Message-ID"); got != "<1@example.org>" {
		t.Errorf("the Message-ID is %q", got)
	}
	plain, err := smtp.Dial(m.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	if err := plain.Mail("shop@example.org"); err == nil || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("without STARTTLS a mail is answered %v", err)
	}
}

// send sends one mail over a connection of its own.
func (m *mailServer) send(password, to, content string) error {
	pool := x509.NewCertPool()
	root, err := os.ReadFile(m.certificate)
	if err != nil {
		return err
	}
	pool.AppendCertsFromPEM(root)
	client, err := smtp.Dial(m.address)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if err := client.StartTLS(&tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}); err != nil {
		return err
	}
	if err := client.Auth(smtp.PlainAuth("", m.user, password, "127.0.0.1")); err != nil {
		return err
	}
	if err := client.Mail("shop@example.org"); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	data, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := data.Write([]byte(content)); err != nil {
		return err
	}
	return data.Close()
}
