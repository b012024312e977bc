package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
)

func TestCheckConfig(t *testing.T) {
	w := newWorld(t)
	o := doctorWorld()
	found(t, checkConfig(Config{}, o), "ok", "no file")
	path := w.file("")
	found(t, checkConfig(Config{File: path}, o), "ok", "read from "+path)
	for _, mode := range []os.FileMode{0o620, 0o602, 0o666} {
		found(t, checkConfig(Config{File: w.write(path, "", mode)}, o), "FAIL", "changed by others", "chmod go-w "+path)
	}
	found(t, checkConfig(Config{File: w.write(path, "", 0o644)}, o), "ok") // one without secrets may be read
	found(t, checkConfig(Config{File: path + "x"}, o), "FAIL", "--config")
	o.Warnings = []string{"TICKWATCH_X is not known", "nor is TICKWATCH_Y"}
	found(t, checkConfig(Config{File: path}, o), "note", "TICKWATCH_X", "TICKWATCH_Y")
}

func TestCheckSecrets(t *testing.T) {
	for _, c := range []struct {
		name        string
		app, verify []string
		state, says string
	}{
		{"both", []string{canary}, []string{"word"}, "ok", "1 webhook.app_secret, 1 webhook.verify_token"},
		{"rotation", []string{canary, canary}, []string{"word"}, "ok", "2 webhook.app_secret"},
		{"no app secret", nil, []string{"word"}, "FAIL", "webhook.app_secret_file"},
		{"no verify token", []string{canary}, nil, "FAIL", "webhook.verify_token"},
		{"neither", nil, nil, "FAIL", "every Meta webhook is refused"},
		{"something else", []string{canary, "EAAGm0PX4ZCps"}, []string{"word"}, "note", "32 hexadecimal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := checkSecrets(WebhookConfig{AppSecret: secrets(c.app...), VerifyToken: secrets(c.verify...)})
			found(t, got, c.state, c.says)
			if strings.Contains(got.Text+got.Mend, "EAAG") {
				t.Errorf("shows the secret: %+v", got)
			}
		})
	}
}

func TestCheckModes(t *testing.T) {
	uid := os.Geteuid()
	for _, c := range []struct {
		name  string
		dir   os.FileMode
		files map[string]os.FileMode
		state string
		says  []string
	}{
		{"all closed", 0o700, map[string]os.FileMode{"tickwatch.db": 0o600, "tickwatch.lock": 0o400}, "ok", nil},
		{"the folder", 0o750, nil, "FAIL", []string{"data (0750)", "chmod 700 "}},
		{"the store", 0o700, map[string]os.FileMode{"tickwatch.db": 0o640}, "FAIL", []string{"tickwatch.db (0640)", "chmod 600 "}},
		{"its log", 0o700, map[string]os.FileMode{"tickwatch.db": 0o600, "tickwatch.db-wal": 0o604}, "FAIL", []string{"tickwatch.db-wal (0604)"}},
		{"several", 0o755, map[string]os.FileMode{"tickwatch.db-shm": 0o644, "tickwatch.lock": 0o666, "tickwatch.log": 0o660}, "FAIL", []string{"data (0755)", "-shm (0644)", "lock (0666)", "log (0660)"}},
		{"of the operator", 0o700, map[string]os.FileMode{"STOP": 0o644, "notes.txt": 0o644}, "ok", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			cfg := Config{Data: DataConfig{Dir: filepath.Join(w.home, "data")}}
			for name, mode := range c.files {
				w.write(filepath.Join(cfg.Data.Dir, name), "x", mode)
			}
			if err := os.MkdirAll(cfg.Data.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(cfg.Data.Dir, c.dir); err != nil {
				t.Fatal(err)
			}
			found(t, checkModes(cfg, uid), c.state, c.says...)
		})
	}
	w := newWorld(t)
	file := w.file("")
	found(t, checkModes(Config{Data: DataConfig{Dir: file + "x"}}, uid), "ok", "not there yet")
	found(t, checkModes(Config{Data: DataConfig{Dir: file}}, uid), "FAIL", "no folder")
	found(t, checkModes(Config{Data: DataConfig{Dir: filepath.Join(file, "x")}}, uid), "FAIL", "data.dir")
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	found(t, checkModes(Config{Data: DataConfig{Dir: open}}, uid), "FAIL")
	w.write(filepath.Join(w.home, "x"), "", 0o600)
	found(t, checkModes(Config{Data: DataConfig{Dir: w.home}}, uid+1), "note", "belongs to user")
	cfg := healthy(t) // the socket may lie elsewhere
	cfg.Data.Dir = w.home
	found(t, checkModes(cfg, uid), "ok")
	l, err := link.Listen(cfg.Link.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	found(t, checkModes(cfg, uid), "ok")
	if err := os.Chmod(cfg.Link.Socket, 0o660); err != nil {
		t.Fatal(err)
	}
	found(t, checkModes(cfg, uid), "FAIL", "tickwatch.sock (0660)")
}

func TestCheckDisk(t *testing.T) {
	dir := t.TempDir()
	found(t, checkDisk(t.Context(), dir), "ok", dir, "GiB free", "synced in")
	found(t, checkDisk(t.Context(), filepath.Join(dir, "not", "there", "yet")), "ok", dir+": ")
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("doctor left %v, %v", left, err)
	}
	file := newWorld(t).file("")
	found(t, checkDisk(t.Context(), file), "FAIL", "nothing can be written", "data.dir")
	found(t, checkDisk(t.Context(), filepath.Join(file, "x")), "FAIL", "data.dir")
}

func TestJudgeDisk(t *testing.T) {
	for _, c := range []struct {
		system      string
		free        uint64
		took        time.Duration
		state, says string
	}{
		{"ext2/ext3", 20 << 30, time.Millisecond, "ok", "20.0 GiB free on ext2/ext3; a small file was written and synced in 1ms"},
		{"", littleFree, slowSync, "ok", "1.0 GiB"},
		{"xfs", littleFree - 1, time.Millisecond, "note", "free some space"},
		{"xfs", 0, time.Millisecond, "note", "0.0 GiB"},
		{"xfs", 20 << 30, slowSync + 1, "note", "faster disk"},
		{"nfs", 20 << 30, time.Millisecond, "FAIL", "network file system (nfs)"},
		{"cifs", 20 << 30, time.Millisecond, "FAIL", "local disk"},
		{"v9fs", 20 << 30, time.Millisecond, "FAIL", "local disk"},
	} {
		found(t, judgeDisk("/data", c.system, c.free, c.took), c.state, c.says)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"/var/lib/tickwatch": "/var/lib/tickwatch", "/a b": "'/a b'", "/it's": `'/it'\''s'`, "/$(x)": "'/$(x)'", "": "''", "/é": "'/é'",
	} {
		if got := shellWord(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestCheckStop(t *testing.T) {
	dir := t.TempDir()
	found(t, checkStop(filepath.Join(dir, "none")), "ok", "is not there")
	file := stopFile{path: filepath.Join(dir, stopName)}
	if err := file.make("wrong list"); err != nil || !file.made {
		t.Fatal(err)
	}
	found(t, checkStop(dir), "note", file.path, "nothing is sent", "tickwatch resume")
	again := stopFile{path: file.path}
	if err := again.make(""); err != nil || again.made {
		t.Errorf("%v; made again: %v", err, again.made)
	}
	again.takeBack() // it is the other one's
	found(t, checkStop(dir), "note")
	file.takeBack()
	found(t, checkStop(dir), "ok")
}
