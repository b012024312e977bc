package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

func TestConfigSecretsFromFiles(t *testing.T) {
	w := newWorld(t)
	w.write(filepath.Join(w.o.Dir, "secret"), "new\r\n\n  old \n", 0o600)
	w.write(filepath.Join(w.home, "token"), "token", 0o400)
	w.file("[webhook]\napp_secret_file = \"secret\"\nverify_token_file = \"~/token\"\n")
	expect := func(step string, app, token []wa.Secret) {
		t.Helper()
		c := w.load()
		if diff := cmp.Diff(app, c.Webhook.AppSecret); diff != "" {
			t.Errorf("%s: app_secret: %s", step, diff)
		}
		if diff := cmp.Diff(token, c.Webhook.VerifyToken); diff != "" {
			t.Errorf("%s: verify_token: %s", step, diff)
		}
	}
	expect("from files", secrets("new", "old"), secrets("token"))
	w.env("TICKWATCH_WEBHOOK_APP_SECRET=variable")
	expect("a variable wins over the file's file", secrets("variable"), secrets("token"))
	other := w.write(filepath.Join(w.home, "other"), "other\n", 0o600)
	w.env("TICKWATCH_WEBHOOK_VERIFY_TOKEN_FILE=" + other)
	expect("a variable may name a file", secrets("variable"), secrets("other"))
	w.o.Flags = map[string]string{"webhook.app_secret_file": "secret"}
	expect("a flag too", secrets("new", "old"), secrets("other"))
	w.env("TICKWATCH_WEBHOOK_APP_SECRET_FILE=" + other)
	w.refuse("TICKWATCH_WEBHOOK_APP_SECRET", "both", "remove one")
}

// TestConfigAccessToken: of the access token there is one at a time, and a bad
// one is not shown.
func TestConfigAccessToken(t *testing.T) {
	w := newWorld(t)
	w.write(filepath.Join(w.o.Dir, "token"), "EAAx1\n", 0o600)
	w.file("[graph]\naccess_token_file = \"token\"\n")
	if got := w.load().Graph.AccessToken; got.Reveal() != "EAAx1" {
		t.Errorf("the token is %q", got.Reveal())
	}
	w.write(filepath.Join(w.o.Dir, "token"), "EAAx1\nEAAx2\n", 0o600)
	w.refuse("graph.access_token_file", "2 values", "only one")
	w.write(filepath.Join(w.o.Dir, "token"), "hush hush", 0o600)
	w.refuse("graph.access_token_file", "copy it again")
	if _, err := LoadConfig(w.o); strings.Contains(err.Error(), "hush") {
		t.Errorf("it is shown: %v", err)
	}
	w.write(filepath.Join(w.o.Dir, "token"), "EAAx1", 0o644)
	w.refuse("graph.access_token_file", "mode 0644", "chmod 600")
	w.env("TICKWATCH_GRAPH_ACCESS_TOKEN=EAAx3")
	if got := w.load().Graph.AccessToken; got.Reveal() != "EAAx3" {
		t.Errorf("the token is %q", got.Reveal())
	}
}

func TestConfigSecretFilesRefused(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.o.Dir, "secret")
	for _, c := range []struct {
		name string
		make func() error
		want []string
	}{
		{"missing", func() error { return nil }, []string{"no such file", path}},
		{"a folder", func() error { return os.Mkdir(path, 0o700) }, []string{"no regular file"}},
		{"a pipe", func() error { return syscall.Mkfifo(path, 0o600) }, []string{"no regular file"}},
		{"a link to a device", func() error { return os.Symlink("/dev/zero", path) }, []string{"no regular file"}},
		{"open to all", func() error { w.write(path, "hush", 0o644); return nil }, []string{"mode 0644", "chmod 600 " + path}},
		{"open to the group", func() error { w.write(path, "hush", 0o640); return nil }, []string{"mode 0640", "chmod 600 " + path}},
		{"empty", func() error { w.write(path, " \n\n", 0o600); return nil }, []string{"is empty"}},
		{"huge", func() error { w.write(path, strings.Repeat("x", maxFile+1), 0o600); return nil }, []string{"larger than"}},
	} {
		w.file("[webhook]\napp_secret_file = \"secret\"\n")
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := c.make(); err != nil {
			t.Fatal(err)
		}
		t.Log(c.name)
		w.refuse(append(c.want, "tickwatch.toml: webhook.app_secret_file")...)
	}
	w.file("[webhook]\napp_secret_file = [\"secret\"]\n")
	w.refuse("webhook.app_secret_file", "path of a file")
}

func TestConfigFileWithSecretsMustBePrivate(t *testing.T) {
	w := newWorld(t)
	const with, without = "[webhook]\nverify_token = \"hush\"\n", "[webhook]\napp_secret_file = \"s\"\nlisten = \":1\"\n"
	w.write(filepath.Join(w.o.Dir, "s"), "hush", 0o600)
	path := filepath.Join(w.o.Dir, "tickwatch.toml")
	for _, mode := range []os.FileMode{0o600, 0o400, 0o700} {
		w.write(path, with, mode)
		w.load()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []os.FileMode{0o604, 0o640, 0o644, 0o620, 0o610} {
		w.write(path, with, mode)
		w.refuse(path, "holds a secret (webhook.verify_token)", fmt.Sprintf("mode %04o", mode), "chmod 600 "+path)
		w.write(path, without, mode)
		w.load()
	}
}

func TestConfigMayNotBeLookedAt(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may look at everything")
	}
	w := newWorld(t)
	path := w.file("")
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	w.refuse("permission denied", "--config")
	if err := os.Chmod(w.o.Dir, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(w.o.Dir, 0o700) })
	w.refuse("permission denied", "--config")
}

// TestConfigErrorsHideSecrets puts a secret into every wrong place that the
// decoder or a check might quote it from.
func TestConfigErrorsHideSecrets(t *testing.T) {
	for _, text := range []string{
		"app_secret = hush123", "app_secret = truehush123", "app_secret = 1hush123", "app_secret = 1.5hush123", "app_secret = 0xhush123",
		"app_secret = \"hush123", "app_secret = 'hush123", "app_secret = \"hush123\" hush123", "app_secret = [hush123]", "app_secret = [\nhush123\n]",
		"app_secret = [\n\"a\",\n1hush123\n]", "app_secret = {hush123 = 1}", "app_secret = {\"a\" = \"hush123\"}", "app_secret = [[\"hush123\"]]",
		"app_secret = \"\\hush123\"", "app_secret = \"a\"\napp_secret = \"hush123\"", "verify_token: hush123", "verify_token = 12e999hush123",
		"app_secret_file = \"a\"\napp_secret = \"hush123\"", "app_secret = \"hush123\"\nlisen = \"x\"", "public_url = \"https://u:hush123@h.example.com\"",
	} {
		w := newWorld(t)
		w.file("[webhook]\n" + text + "\n")
		_, err := LoadConfig(w.o)
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), "hush") {
				t.Errorf("%q: the error shows the secret: %v", text, e)
			}
		}
	}
	w := newWorld(t)
	w.env("TICKWATCH_WEBHOOK_APP_SECRET=hush123")
	if out := fmt.Sprintf("%v %+v %#v", w.load(), w.load(), w.load()); strings.Contains(out, "hush") {
		t.Errorf("a printed configuration shows the secret: %s", out)
	}
}
