package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// world is a machine with nothing on it but what a test puts there.
type world struct {
	t        *testing.T
	o        LoadOptions
	home     string
	warnings []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{t: t, home: filepath.Join(root, "home")}
	w.o = LoadOptions{
		Dir: filepath.Join(root, "work"), Etc: filepath.Join(root, "etc"), Env: []string{"HOME=" + w.home, "XDG_STATE_HOME=/state"}, // a short path: a test's folder may be too long for a socket
		Warn: func(line string) { w.warnings = append(w.warnings, line) },
	}
	return w
}

// write makes a file with the given mode, its folders included.
func (w *world) write(path, text string, mode os.FileMode) string {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		w.t.Fatal(err)
	}
	return path
}

// file writes ./tickwatch.toml.
func (w *world) file(text string) string {
	return w.write(filepath.Join(w.o.Dir, "tickwatch.toml"), text, 0o600)
}

func (w *world) env(vars ...string) { w.o.Env = append(w.o.Env, vars...) }

func (w *world) load() Config {
	w.t.Helper()
	c, err := LoadConfig(w.o)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// refuse wants an error of one line that has all of the parts.
func (w *world) refuse(parts ...string) {
	w.t.Helper()
	c, err := LoadConfig(w.o)
	if err == nil {
		w.t.Fatalf("no error, but %+v", c)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			w.t.Errorf("%q does not say %q", err, p)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		w.t.Errorf("%q is more than one line", err)
	}
}

func secrets(texts ...string) (list []wa.Secret) {
	for _, s := range texts {
		list = append(list, wa.NewSecret(s))
	}
	return list
}

func defaults() Config {
	return Config{
		Data:    DataConfig{Dir: "/state/tickwatch"},
		Link:    LinkConfig{Socket: "/state/tickwatch/tickwatch.sock"},
		Webhook: WebhookConfig{Listen: "127.0.0.1:8480"},
		Graph:   GraphConfig{BaseURL: "https://graph.facebook.com", Version: "v26.0"},
		Pace:    PaceConfig{MessagesPerHour: 1000},
		Thresholds: ThresholdsConfig{
			DeliveryOK: 0.95, DeliveryAct: 0.90, ReportsOK: 0.001, ReportsAct: 0.005, CPUOK: 0.70, CPUAct: 0.90,
			MemoryOK: 0.70, MemoryAct: 0.90, DiskOK: 0.70, DiskAct: 0.90, QueueOK: 0.70, QueueAct: 0.90,
			CallbacksOK: 0.99, CallbacksAct: 0.95, InvalidAct: 0.05, RefusersAct: 0.03, JudgeAfter: 10 * time.Second, MinMessages: 200,
		},
		Auto:      AutoConfig{Delivery: "advise", Reports: "advise", BlindAfter: 3 * time.Minute, Template: true, Account: true, Disk: true},
		Suppress:  SuppressConfig{WithheldDays: 16, WithheldOften: 3},
		Retention: RetentionConfig{RawDays: 30},
		Fallback:  FallbackConfig{Budget: "0", Undo: time.Minute, Expires: 24 * time.Hour, Look: 50},
		SMS:       ChannelConfig{PerSecond: 10}, Voice: ChannelConfig{PerSecond: 10}, Email: ChannelConfig{PerSecond: 10},
		Sheet:  SheetConfig{Range: "A:E", URL: "https://sheets.googleapis.com"},
		Notify: NotifyConfig{MinSeverity: "watch", PingEvery: time.Minute, Bell: true},
	}
}

func TestConfigDefaults(t *testing.T) {
	w := newWorld(t)
	if diff := cmp.Diff(defaults(), w.load()); diff != "" {
		t.Error(diff)
	}
	for _, state := range []string{"", "relative"} { // a relative one is to be ignored, says the XDG specification
		w.o.Env = []string{"HOME=/h", "XDG_STATE_HOME=" + state}
		if c := w.load(); c.Data.Dir != "/h/.local/state/tickwatch" || c.Link.Socket != "/h/.local/state/tickwatch/tickwatch.sock" {
			t.Errorf("with HOME=/h and XDG_STATE_HOME=%s: %+v", state, c)
		}
	}
	w.o.Env = nil
	w.refuse("data.dir", "HOME", "TICKWATCH_DATA_DIR")
}

func TestConfigEveryKeyFromFile(t *testing.T) {
	w := newWorld(t)
	path := w.file(`
[data]
dir = "state"
[link]
socket = "/run/tickwatch.sock"
[webhook]
listen = ":9000"
tls_cert = "~/cert.pem"
tls_key = "/key.pem"
public_url = "https://hooks.example.com/webhooks/meta"
app_secret = ["new", "old"]
verify_token = "token, with a comma"
[graph]
base_url = "http://127.0.0.1:9999"
version = "v27.1"
access_token = "token_with_no_blank"
waba_id = "500100200300400"
phone_number_ids = ["106540352242922", " 106540352242923 ", "106540352242922"]
[pace]
messages_per_second = 20
messages_per_hour = 0
windows = ["PT 09:00-20:00", "* mon-sat 08:00-21:00"]
[seeds]
phones = ["+351 910 000 001", "+351910000002"]
every = 500
[metrics]
listen = "127.0.0.1:9480"
[thresholds]
delivery_ok = 1
delivery_act = 0
reports_ok = 0.002
reports_act = 0.01
cpu_ok = 0.5
cpu_act = 0.5
memory_ok = 0.6
memory_act = 0.7
disk_ok = 0.61
disk_act = 0.71
queue_ok = 0.62
queue_act = 0.72
callbacks_ok = 0.9
callbacks_act = 0.8
invalid_act = 0.1
refusers_act = 0.2
judge_after = "1m30s"
min_messages = 50
[auto]
delivery = "act"
reports = "off"
blind_after = "0s"
template = false
account = false
disk = false
second_person_over = 5000
[suppress]
rules_off = ["131026", "withheld-often"]
withheld_days = 30
withheld_often = 5
stop_words = ["BAJA", "nie wieder"]
[retention]
raw_days = 7

[sheet]
spreadsheet_id = "1AbC_d-9"
range = "Rejected!A:E"
service_account_file = "~/account.json"
url = "http://127.0.0.1:9998"

[notify]
urls = ["slack://one", "smtp://mail/?to=a@b.example,c@d.example"]
webhook_url = "https://hooks.example.com/in"
webhook_secret = "shared"
command = ["/bin/page", "-v", "-v"]
min_severity = "act"
ping_url = "https://ping.example.com/key"
ping_every = "5m"
ping_idle = true
bell = false
`)
	want := Config{
		File: path,
		Data: DataConfig{Dir: filepath.Join(w.o.Dir, "state")},
		Link: LinkConfig{Socket: "/run/tickwatch.sock"},
		Webhook: WebhookConfig{
			Listen: ":9000", TLSCert: filepath.Join(w.home, "cert.pem"), TLSKey: "/key.pem", PublicURL: "https://hooks.example.com/webhooks/meta",
			AppSecret: secrets("new", "old"), VerifyToken: secrets("token, with a comma"),
		},
		Graph: GraphConfig{
			BaseURL: "http://127.0.0.1:9999", Version: "v27.1", AccessToken: wa.NewSecret("token_with_no_blank"),
			WABAID: "500100200300400", PhoneNumberIDs: []string{"106540352242922", "106540352242923"},
		},
		Pace:    PaceConfig{MessagesPerSecond: 20, Windows: []string{"PT 09:00-20:00", "* mon-sat 08:00-21:00"}},
		Seeds:   SeedsConfig{Phones: []string{"+351 910 000 001", "+351910000002"}, Every: 500},
		Metrics: MetricsConfig{Listen: "127.0.0.1:9480"},
		Thresholds: ThresholdsConfig{
			DeliveryOK: 1, DeliveryAct: 0, ReportsOK: 0.002, ReportsAct: 0.01, CPUOK: 0.5, CPUAct: 0.5,
			MemoryOK: 0.6, MemoryAct: 0.7, DiskOK: 0.61, DiskAct: 0.71, QueueOK: 0.62, QueueAct: 0.72,
			CallbacksOK: 0.9, CallbacksAct: 0.8, InvalidAct: 0.1, RefusersAct: 0.2, JudgeAfter: 90 * time.Second, MinMessages: 50,
		},
		Auto: AutoConfig{Delivery: "act", Reports: "off", SecondPersonOver: 5000},
		Suppress: SuppressConfig{
			RulesOff: []string{"131026", "withheld-often"}, WithheldDays: 30, WithheldOften: 5, StopWords: []string{"BAJA", "nie wieder"},
		},
		Retention: RetentionConfig{RawDays: 7},
		Fallback:  FallbackConfig{Budget: "0", Undo: time.Minute, Expires: 24 * time.Hour, Look: 50},
		SMS:       ChannelConfig{PerSecond: 10}, Voice: ChannelConfig{PerSecond: 10}, Email: ChannelConfig{PerSecond: 10},
		Sheet: SheetConfig{
			SpreadsheetID: "1AbC_d-9", Range: "Rejected!A:E", ServiceAccountFile: filepath.Join(w.home, "account.json"), URL: "http://127.0.0.1:9998",
		},
		Notify: NotifyConfig{
			URLs: secrets("slack://one", "smtp://mail/?to=a@b.example,c@d.example"), WebhookURL: wa.NewSecret("https://hooks.example.com/in"),
			WebhookSecret: wa.NewSecret("shared"), Command: []string{"/bin/page", "-v", "-v"}, MinSeverity: "act",
			PingURL: wa.NewSecret("https://ping.example.com/key"), PingEvery: 5 * time.Minute, PingIdle: true,
		},
	}
	if diff := cmp.Diff(want, w.load()); diff != "" {
		t.Error(diff)
	}
}

// fallbackKeys are variables for every key of other channels, and sets in a Config
// what they come to.
func fallbackKeys(want *Config) (env []string) {
	for _, s := range settings {
		if !strings.HasPrefix(s.name, "fallback.") {
			continue
		}
		text, field := "of "+s.name, reflect.ValueOf(want).Elem().FieldByIndex(s.index)
		switch v := field.Addr().Interface().(type) {
		case *string:
			*v = text
		case *[]string:
			*v = []string{text}
		case *int:
			text, *v = "7", 7
		case *time.Duration:
			text, *v = "7h", 7*time.Hour
		case *wa.Secret:
			*v = wa.NewSecret(text)
		case *[]wa.Secret:
			*v = secrets(text)
		}
		env = append(env, s.env+"="+text)
	}
	return env
}

func TestConfigEveryKeyFromEnvironment(t *testing.T) {
	w := newWorld(t)
	w.env("TICKWATCH_DATA_DIR=state", "TICKWATCH_LINK_SOCKET=/run/tickwatch.sock", "TICKWATCH_WEBHOOK_LISTEN=[::1]:0",
		"TICKWATCH_WEBHOOK_TLS_CERT=/cert.pem", "TICKWATCH_WEBHOOK_TLS_KEY=/key.pem", "TICKWATCH_WEBHOOK_PUBLIC_URL=http://127.0.0.1:8480",
		"TICKWATCH_WEBHOOK_APP_SECRET=new, old,", "TICKWATCH_WEBHOOK_VERIFY_TOKEN=token",
		"TICKWATCH_THRESHOLDS_DELIVERY_OK=0.9", "TICKWATCH_THRESHOLDS_DELIVERY_ACT=0.8", "TICKWATCH_THRESHOLDS_REPORTS_OK=1e-3",
		"TICKWATCH_THRESHOLDS_REPORTS_ACT=0.5", "TICKWATCH_THRESHOLDS_CPU_OK=0", "TICKWATCH_THRESHOLDS_CPU_ACT=1",
		"TICKWATCH_THRESHOLDS_CALLBACKS_OK=0.7", "TICKWATCH_THRESHOLDS_CALLBACKS_ACT=0.6", "TICKWATCH_THRESHOLDS_JUDGE_AFTER=5s",
		"TICKWATCH_THRESHOLDS_MIN_MESSAGES=1", "TICKWATCH_METRICS_LISTEN=localhost:0",
		"TICKWATCH_GRAPH_BASE_URL=https://graph.example.com", "TICKWATCH_GRAPH_VERSION=v9.0", "TICKWATCH_GRAPH_ACCESS_TOKEN=one,token", "TICKWATCH_GRAPH_WABA_ID=1",
		"TICKWATCH_GRAPH_PHONE_NUMBER_IDS=1, 2,", "TICKWATCH_PACE_MESSAGES_PER_SECOND=5", "TICKWATCH_PACE_MESSAGES_PER_HOUR=600", "TICKWATCH_PACE_WINDOWS=* 08:00-21:00",
		"TICKWATCH_SEEDS_PHONES=+351 910 000 001, +351 910 000 002", "TICKWATCH_SEEDS_EVERY=50",
		"TICKWATCH_THRESHOLDS_INVALID_ACT=0.5", "TICKWATCH_THRESHOLDS_REFUSERS_ACT=1", "TICKWATCH_RETENTION_RAW_DAYS=90",
		"TICKWATCH_SUPPRESS_RULES_OFF=error-segment", "TICKWATCH_SUPPRESS_WITHHELD_DAYS=1", "TICKWATCH_SUPPRESS_WITHHELD_OFTEN=1", "TICKWATCH_SUPPRESS_STOP_WORDS=BAJA,FIN",
		"TICKWATCH_SHEET_SPREADSHEET_ID=1AbC", "TICKWATCH_SHEET_RANGE=B:F", "TICKWATCH_SHEET_SERVICE_ACCOUNT_FILE=/account.json", "TICKWATCH_SHEET_URL=https://sheets.example.com",
		"TICKWATCH_NOTIFY_URLS=slack://one,ntfy://two", "TICKWATCH_NOTIFY_WEBHOOK_URL=https://hooks.example.com/in", "TICKWATCH_NOTIFY_WEBHOOK_SECRET=shared",
		"TICKWATCH_NOTIFY_COMMAND=/bin/page  -v -v", "TICKWATCH_NOTIFY_MIN_SEVERITY=act", "TICKWATCH_NOTIFY_PING_URL=https://ping.example.com/key",
		"TICKWATCH_NOTIFY_PING_EVERY=10s", "TICKWATCH_NOTIFY_PING_IDLE=1", "TICKWATCH_NOTIFY_BELL=true")
	w.o.Env = append(w.o.Env, "TICKWATCH_AUTO_DELIVERY=off", "TICKWATCH_AUTO_REPORTS=act", "TICKWATCH_AUTO_BLIND_AFTER=90s", "TICKWATCH_AUTO_TEMPLATE=true",
		"TICKWATCH_AUTO_ACCOUNT=1", "TICKWATCH_AUTO_DISK=true", "TICKWATCH_AUTO_SECOND_PERSON_OVER=7",
		"TICKWATCH_THRESHOLDS_MEMORY_OK=0.1", "TICKWATCH_THRESHOLDS_MEMORY_ACT=0.2", "TICKWATCH_THRESHOLDS_DISK_OK=0.3", "TICKWATCH_THRESHOLDS_DISK_ACT=0.4",
		"TICKWATCH_THRESHOLDS_QUEUE_OK=0.5", "TICKWATCH_THRESHOLDS_QUEUE_ACT=0.6")
	want := Config{
		Data: DataConfig{Dir: filepath.Join(w.o.Dir, "state")},
		Link: LinkConfig{Socket: "/run/tickwatch.sock"},
		Webhook: WebhookConfig{
			Listen: "[::1]:0", TLSCert: "/cert.pem", TLSKey: "/key.pem", PublicURL: "http://127.0.0.1:8480",
			AppSecret: secrets("new", "old"), VerifyToken: secrets("token"),
		},
		Graph: GraphConfig{
			BaseURL: "https://graph.example.com", Version: "v9.0", AccessToken: wa.NewSecret("one,token"), WABAID: "1", PhoneNumberIDs: []string{"1", "2"},
		},
		Pace:    PaceConfig{MessagesPerSecond: 5, MessagesPerHour: 600, Windows: []string{"* 08:00-21:00"}},
		Seeds:   SeedsConfig{Phones: []string{"+351 910 000 001", "+351 910 000 002"}, Every: 50},
		Metrics: MetricsConfig{Listen: "localhost:0"},
		Thresholds: ThresholdsConfig{
			DeliveryOK: 0.9, DeliveryAct: 0.8, ReportsOK: 0.001, ReportsAct: 0.5, CPUOK: 0, CPUAct: 1,
			MemoryOK: 0.1, MemoryAct: 0.2, DiskOK: 0.3, DiskAct: 0.4, QueueOK: 0.5, QueueAct: 0.6,
			CallbacksOK: 0.7, CallbacksAct: 0.6, InvalidAct: 0.5, RefusersAct: 1, JudgeAfter: 5 * time.Second, MinMessages: 1,
		},
		Auto:      AutoConfig{Delivery: "off", Reports: "act", BlindAfter: 90 * time.Second, Template: true, Account: true, Disk: true, SecondPersonOver: 7},
		Suppress:  SuppressConfig{RulesOff: []string{"error-segment"}, WithheldDays: 1, WithheldOften: 1, StopWords: []string{"BAJA", "FIN"}},
		Retention: RetentionConfig{RawDays: 90},
		Sheet:     SheetConfig{SpreadsheetID: "1AbC", Range: "B:F", ServiceAccountFile: "/account.json", URL: "https://sheets.example.com"},
		Notify: NotifyConfig{
			URLs: secrets("slack://one", "ntfy://two"), WebhookURL: wa.NewSecret("https://hooks.example.com/in"), WebhookSecret: wa.NewSecret("shared"),
			Command: []string{"/bin/page", "-v", "-v"}, MinSeverity: "act", PingURL: wa.NewSecret("https://ping.example.com/key"),
			PingEvery: 10 * time.Second, PingIdle: true, Bell: true,
		},
	}
	w.o.Env = append(w.o.Env, fallbackKeys(&want)...)
	if diff := cmp.Diff(want, w.load()); diff != "" {
		t.Error(diff)
	}
	if len(w.warnings) > 0 {
		t.Errorf("known variables are warned of: %q", w.warnings)
	}
	for _, s := range settings { // a new key belongs into these two tests
		if reflect.ValueOf(want).FieldByIndex(s.index).IsZero() && s.name != "thresholds.cpu_ok" {
			t.Errorf("%s is not tested", s.name)
		}
	}
}

func TestConfigPrecedence(t *testing.T) {
	w := newWorld(t)
	w.file("[webhook]\nlisten = \":1\"\n[thresholds]\nmin_messages = 1\n")
	if c := w.load(); c.Webhook.Listen != ":1" {
		t.Errorf("the file does not win over the default: %s", c.Webhook.Listen)
	}
	w.env("TICKWATCH_WEBHOOK_LISTEN=:2")
	if c := w.load(); c.Webhook.Listen != ":2" || c.Thresholds.MinMessages != 1 {
		t.Errorf("a variable does not win over the file, and over it alone: %+v", c)
	}
	w.o.Flags = map[string]string{"webhook.listen": ":3", "data.dir": "elsewhere"}
	if c := w.load(); c.Webhook.Listen != ":3" || c.Data.Dir != filepath.Join(w.o.Dir, "elsewhere") {
		t.Errorf("a flag does not win over a variable: %+v", c)
	}
	w.env("TICKWATCH_WEBHOOK_LISTEN=") // an empty variable is none
	w.o.Flags = nil
	if c := w.load(); c.Webhook.Listen != ":1" {
		t.Errorf("an empty variable counts: %s", c.Webhook.Listen)
	}
	w.o.Flags = map[string]string{"webhook.lisen": ":3"}
	w.refuse("command line", "webhook.lisen", "nearest is webhook.listen")
	w.o.Flags = map[string]string{"thresholds.min_messages": "many"}
	w.refuse("command line", "thresholds.min_messages", "many")
}

func TestConfigSearch(t *testing.T) {
	w := newWorld(t)
	says := func(dir string) string { return "[data]\ndir = \"/" + dir + "\"\n" }
	expect := func(step, want string) {
		t.Helper()
		if c := w.load(); c.Data.Dir != "/"+want {
			t.Errorf("%s: the file that counts is %s", step, c.File)
		}
	}
	w.write(filepath.Join(w.o.Etc, "tickwatch.toml"), says("etc"), 0o644)
	expect("only the machine's", "etc")
	w.write(filepath.Join(w.home, ".config/tickwatch/tickwatch.toml"), says("home"), 0o600)
	expect("the user's wins", "home")
	w.env("XDG_CONFIG_HOME=" + filepath.Join(w.home, "xdg"))
	expect("another folder, without a file", "etc")
	w.write(filepath.Join(w.home, "xdg/tickwatch/tickwatch.toml"), says("xdg"), 0o600)
	expect("with a file", "xdg")
	w.file(says("work"))
	expect("the working directory's wins", "work")
	w.write(filepath.Join(w.o.Dir, "other.toml"), says("variable"), 0o600)
	w.env("TICKWATCH_CONFIG=other.toml")
	expect("the variable wins", "variable")
	w.o.Path = w.write(filepath.Join(w.home, "flag.toml"), says("flag"), 0o600)
	expect("the flag wins", "flag")
	w.o.Path = "~/flag.toml"
	expect("the flag, from the home", "flag")

	w.o.Path = "missing.toml"
	w.refuse(filepath.Join(w.o.Dir, "missing.toml"), "no such file", "--config")
	w.o.Path = w.o.Dir
	w.refuse(w.o.Dir, "no regular file", "--config")
	if len(w.warnings) > 0 {
		t.Errorf("warned: %q", w.warnings)
	}
}

func TestConfigUnknownKeys(t *testing.T) {
	for _, c := range []struct{ file, key, nearest string }{
		{"[webhook]\nlisen = \":1\"", "webhook.lisen", "webhook.listen"},
		{"[webhook]\nListen = \":1\"", "webhook.Listen", "webhook.listen"},
		{"[webhooks]\nlisten = \":1\"", "webhooks.listen", "webhook.listen"},
		{"listen = \":1\"", "listen", "webhook.listen"},
		{"[data]\nsocket = \"/x\"", "data.socket", "link.socket"},
		{"[webhook]\napp_secert = \"a\"", "webhook.app_secert", "webhook.app_secret"},
		{"[webhook]\napp_secretfile = \"a\"", "webhook.app_secretfile", "webhook.app_secret_file"},
		{"[thresholds]\ndelivery = 0.9", "thresholds.delivery", "thresholds.delivery_ok"},
		{"[webhook]\ntwilio_auth_token = \"later\"", "webhook.twilio_auth_token", "webhook.verify_token"},
		{"[graph]\naccess_tokens = \"one\"", "graph.access_tokens", "graph.access_token"},
		{"[graph]\nphone_number_id = \"1\"", "graph.phone_number_id", "graph.phone_number_ids"},
		{"[paces]\nmessages_per_hour = 1", "paces.messages_per_hour", "pace.messages_per_hour"},
		{"\"a\\u001b[31m\" = 1", "a[31m", ""},
		{"[data]\ndir = \"/d\"\n[a]\nb.c = 1\nd = 2", "a.b.c (and 1 more)", ""},
	} {
		w := newWorld(t)
		w.file(c.file)
		w.refuse("tickwatch.toml", "does not know the key "+c.key, "nearest", c.nearest)
	}
}

func TestConfigUnknownVariables(t *testing.T) {
	w := newWorld(t)
	w.env("TICKWATCH_WEBHOOK_LISTN=:1", "TICKWATCH_CONFG=x", "OTHER=1", "TICKWATCH_WEBHOOK_APP_SECERT=hush", "no variable")
	if diff := cmp.Diff(defaults(), w.load()); diff != "" {
		t.Error(diff)
	}
	all := strings.Join(w.warnings, "\n")
	for _, pair := range [][2]string{
		{"TICKWATCH_CONFG", "TICKWATCH_CONFIG"},
		{"TICKWATCH_WEBHOOK_APP_SECERT", "TICKWATCH_WEBHOOK_APP_SECRET"},
		{"TICKWATCH_WEBHOOK_LISTN", "TICKWATCH_WEBHOOK_LISTEN"},
	} {
		if !strings.Contains(all, pair[0]+" is not known") || !strings.Contains(all, "nearest that is known is "+pair[1]) {
			t.Errorf("no warning of %s that names %s:\n%s", pair[0], pair[1], all)
		}
	}
	if len(w.warnings) != 3 || strings.Contains(all, "hush") {
		t.Errorf("warnings:\n%s", all)
	}
	w.o.Warn = nil
	w.load()
}

func TestConfigTable(t *testing.T) {
	table := ConfigTable()
	for _, row := range []string{
		"| key | default | environment variable | meaning |",
		"| `data.dir` | `$XDG_STATE_HOME/tickwatch` | `TICKWATCH_DATA_DIR` |",
		"| `webhook.listen` | `127.0.0.1:8480` | `TICKWATCH_WEBHOOK_LISTEN` |",
		"| `webhook.public_url` |  | `TICKWATCH_WEBHOOK_PUBLIC_URL` |",
		"| `thresholds.callbacks_act` | `0.95` | `TICKWATCH_THRESHOLDS_CALLBACKS_ACT` |",
		"`webhook.app_secret_file`",
	} {
		if !strings.Contains(table, row) {
			t.Errorf("no row %s in\n%s", row, table)
		}
	}
	rows, alike := 0, map[string]bool{}
	for _, s := range settings {
		if s.like == "" {
			rows++
		} else {
			alike[s.name[:strings.LastIndex(s.name, ".")]] = true // one row for all of them
		}
	}
	if got := strings.Count(table, "\n"); got != rows+len(alike)+2 {
		t.Errorf("%d lines for %d keys and %d sections like others", got, rows, len(alike))
	}
	seen := map[string]bool{}
	for _, s := range settings {
		if s.doc == "" || seen[s.name] || strings.HasSuffix(s.name, ".") {
			t.Errorf("%s has no name of its own or no meaning", s.name)
		}
		seen[s.name] = true
	}
}

// What is neither on nor off, and what an alarm cannot lead to, is refused.
func TestConfigAutoRefuses(t *testing.T) {
	for text, wants := range map[string][]string{
		"delivery = \"pause\"":    {"auto.delivery", "off, advise and act"},
		"reports = \"resume\"":    {"auto.reports", "off, advise and act"},
		"template = \"true\"":     {"auto.template", "true", "false"},
		"disk = 1":                {"auto.disk", "true", "false"},
		"blind_after = 5":         {"auto.blind_after", "unit"},
		"second_person_over = -1": {"auto.second_person_over", "0"},
		"blind_after = \"-3m\"":   {"auto.blind_after", "unit"},
		"account = \"perhaps\"":   {"auto.account", "true", "false"},
	} {
		w := newWorld(t)
		w.file("[auto]\n" + text + "\n")
		w.refuse(wants...)
	}
}
