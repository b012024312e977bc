package cli

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"

	"tickwatch/wa"
)

// Config is everything that can be set, read once by LoadConfig. Paths are
// absolute, and every value has been checked.
//
// The tags of each field are its documentation: key is its name within the
// section; default is the value without configuration, shown how the table
// writes a default that has to be worked out; kind tells texts apart that are
// more than a text; doc is one line for people.
type Config struct {
	File string // the file it was read from; "" = none was found

	Data     DataConfig     `section:"data"`
	Link     LinkConfig     `section:"link"`
	Webhook  WebhookConfig  `section:"webhook"`
	Graph    GraphConfig    `section:"graph"`
	Pace     PaceConfig     `section:"pace"`
	Seeds    SeedsConfig    `section:"seeds"`
	Fallback FallbackConfig `section:"fallback"`
	SMS      ChannelConfig  `section:"fallback.sms"`
	Voice    ChannelConfig  `section:"fallback.voice" like:"fallback.sms"`
	Email    ChannelConfig  `section:"fallback.email" like:"fallback.sms"`

	SMSGateway   GatewayConfig    `section:"fallback.sms.gateway"`
	VoiceGateway GatewayConfig    `section:"fallback.voice.gateway" like:"fallback.sms.gateway"`
	Metrics      MetricsConfig    `section:"metrics"`
	Thresholds   ThresholdsConfig `section:"thresholds"`
	Auto         AutoConfig       `section:"auto"`
	Suppress     SuppressConfig   `section:"suppress"`
	Retention    RetentionConfig  `section:"retention"`
	Sheet        SheetConfig      `section:"sheet"`
	Notify       NotifyConfig     `section:"notify"`
}

// DataConfig says where the daemon keeps what it must not lose.
type DataConfig struct {
	Dir string `key:"dir" kind:"path" shown:"$XDG_STATE_HOME/tickwatch" doc:"database, lock, socket and STOP file; made with mode 0700"`
}

// LinkConfig says how consoles reach the daemon.
type LinkConfig struct {
	Socket string `key:"socket" kind:"path" shown:"<data.dir>/tickwatch.sock" doc:"consoles attach here; a path of at most 107 bytes"`
}

// WebhookConfig says how providers reach the daemon. The secrets may be none,
// one or several (rotation).
type WebhookConfig struct {
	Listen      string      `key:"listen" kind:"address" default:"127.0.0.1:8480" doc:"plain HTTP behind a TLS proxy, or HTTPS with a certificate of its own"`
	TLSCert     string      `key:"tls_cert" kind:"path" doc:"certificate chain (PEM), together with webhook.tls_key"`
	TLSKey      string      `key:"tls_key" kind:"path" doc:"private key (PEM), together with webhook.tls_cert"`
	PublicURL   string      `key:"public_url" kind:"url" doc:"the address that the providers call; signatures that cover it need it"`
	AppSecret   []wa.Secret `key:"app_secret" doc:"Meta's app secret; without one every Meta webhook is refused"`
	VerifyToken []wa.Secret `key:"verify_token" doc:"the word that Meta repeats when you subscribe the webhook"`
}

// GraphConfig says how Meta's Graph API is asked: to send, and how templates and
// numbers stand. Without a token nothing is sent.
type GraphConfig struct {
	BaseURL        string    `key:"base_url" kind:"url" default:"https://graph.facebook.com" doc:"where the Graph API is; plain http is taken for loopback only"`
	Version        string    `key:"version" default:"v26.0" doc:"its version, such as v26.0"`
	AccessToken    wa.Secret `key:"access_token" doc:"the access token of a system user; without one nothing is sent"`
	WABAID         string    `key:"waba_id" doc:"id of the WhatsApp Business Account whose templates are used"`
	PhoneNumberIDs []string  `key:"phone_number_ids" doc:"ids of the numbers that may send, as a list; none = all numbers of the account"`
}

// PaceConfig bounds how fast a campaign goes out that has no pace of its own.
type PaceConfig struct {
	MessagesPerSecond int      `key:"messages_per_second" kind:"limit" shown:"the number's throughput" doc:"messages a second from each number; 0 = no limit of our own"`
	Windows           []string `key:"windows" doc:"when people may be written to, by their country and the clock on their wall: \"PT 09:00-20:00\", \"* mon-sat 08:00-21:00\"; none = at any time"`
	MessagesPerHour   int      `key:"messages_per_hour" kind:"limit" default:"1000" doc:"messages an hour of each campaign; 0 = no limit of our own"`
}

// SeedsConfig says which own phones get a message among those of every campaign, to
// prove the way from end to end.
type SeedsConfig struct {
	Phones []string `key:"phones" doc:"own phones, as a list such as \"+351 910 000 001\": each in turn gets the template of a campaign that goes out; these messages are in none of its figures"`
	Every  int      `key:"every" kind:"limit" default:"0" doc:"one of them after so many messages of a campaign; 0 = none"`
}

// MetricsConfig says how Prometheus reaches the daemon.
type MetricsConfig struct {
	Listen string `key:"listen" kind:"address" doc:"Prometheus metrics, at /metrics, over plain HTTP to whoever asks; off unless set, such as to 127.0.0.1:9480"`
}

// ThresholdsConfig holds the figures at which alarms speak. Shares are
// fractions of one. Between ok and act an alarm watches.
type ThresholdsConfig struct {
	DeliveryOK   float64       `key:"delivery_ok" default:"0.95" doc:"delivery rate from which on all is well"`
	DeliveryAct  float64       `key:"delivery_act" default:"0.90" doc:"delivery rate below which to act"`
	ReportsOK    float64       `key:"reports_ok" default:"0.001" doc:"opt-out rate (proxy for reports) up to which all is well"`
	ReportsAct   float64       `key:"reports_act" default:"0.005" doc:"opt-out rate above which to act"`
	CPUOK        float64       `key:"cpu_ok" default:"0.70" doc:"load of the machine up to which all is well"`
	CPUAct       float64       `key:"cpu_act" default:"0.90" doc:"load of the machine above which to act"`
	MemoryOK     float64       `key:"memory_ok" default:"0.70" doc:"share of the machine's memory in use up to which all is well"`
	MemoryAct    float64       `key:"memory_act" default:"0.90" doc:"share of the machine's memory in use above which to act"`
	DiskOK       float64       `key:"disk_ok" default:"0.70" doc:"share of the data folder's disk in use up to which all is well"`
	DiskAct      float64       `key:"disk_act" default:"0.90" doc:"share of the data folder's disk in use above which to act"`
	QueueOK      float64       `key:"queue_ok" default:"0.70" doc:"share of the 10,000 messages that may be without any status up to which all is well"`
	QueueAct     float64       `key:"queue_act" default:"0.90" doc:"share of the 10,000 messages that may be without any status above which to act"`
	CallbacksOK  float64       `key:"callbacks_ok" default:"0.99" doc:"share of messages with a status after a minute from which on all is well"`
	CallbacksAct float64       `key:"callbacks_act" default:"0.95" doc:"share of messages with a status after a minute below which to act"`
	InvalidAct   float64       `key:"invalid_act" default:"0.05" doc:"share of invalid numbers in a list above which it is not sent without --force"`
	RefusersAct  float64       `key:"refusers_act" default:"0.03" doc:"share of past refusers in a list above which it is not sent without --force"`
	JudgeAfter   time.Duration `key:"judge_after" default:"10s" doc:"age at which a message without an answer counts"`
	MinMessages  int           `key:"min_messages" default:"200" doc:"messages that a campaign needs before its rates are judged"`
}

// AutoConfig says what is done without an operator: pausing, and nothing else.
type AutoConfig struct {
	Delivery         string        `key:"delivery" default:"advise" doc:"what a delivery alarm that needs acting leads to: off, advise (it names the key), act (the campaign is paused)"`
	Reports          string        `key:"reports" default:"advise" doc:"the same for the alarm of opt-outs: off, advise, act"`
	BlindAfter       time.Duration `key:"blind_after" kind:"limit" default:"3m" doc:"our own campaigns are paused after going out so long without any webhook about them, for opt-outs are not seen either; 0 = never"`
	Template         bool          `key:"template" default:"true" doc:"a campaign is paused when Meta pauses its template"`
	Account          bool          `key:"account" default:"true" doc:"everything is paused when Meta refuses all that the account sends"`
	Disk             bool          `key:"disk" default:"true" doc:"everything is paused when webhooks cannot be stored, as on a full disk"`
	SecondPersonOver int           `key:"second_person_over" kind:"limit" default:"0" doc:"a resume that lets more messages than this go needs a second operator within 10 minutes; 0 = never"`
}

// SuppressConfig says who is not written to, beside those who asked not to be and
// those on the suppression list.
type SuppressConfig struct {
	RulesOff      []string `key:"rules_off" doc:"rules that hold nobody, as a list of names or error codes: \"undeliverable\", \"withheld-lately\", \"withheld-often\", all three as \"error-segment\", \"experiment\", \"blocked-by-us\""`
	WithheldDays  int      `key:"withheld_days" default:"16" doc:"for so many days nobody gets marketing from whom Meta withheld some (131049)"`
	WithheldOften int      `key:"withheld_often" default:"3" doc:"who had marketing withheld so often (131049, 130472) gets no more"`
	StopWords     []string `key:"stop_words" doc:"words by which people opt out beside STOP, UNSUBSCRIBE and their like, such as \"BAJA\"; case, accents and punctuation do not matter"`
}

// RetentionConfig says how long what is not needed for the figures is kept.
type RetentionConfig struct {
	RawDays int `key:"raw_days" default:"30" doc:"days for which the raw bodies of webhooks are kept"`
}

// SheetConfig says to which Google Sheet the rejected list is appended; none unless
// the spreadsheet is named.
type SheetConfig struct {
	SpreadsheetID      string `key:"spreadsheet_id" doc:"id of the Google spreadsheet that the rejected list is appended to, the part of its address between /d/ and /edit; none = no sheet"`
	Range              string `key:"range" default:"A:E" doc:"where in it the table is, such as Rejected!A:E; without a name the first sheet"`
	ServiceAccountFile string `key:"service_account_file" kind:"path" doc:"key (JSON) of a Google service account that may edit it, mode 0600"`
	URL                string `key:"url" kind:"url" default:"https://sheets.googleapis.com" doc:"where the Sheets API is; plain http is taken for loopback only"`
}

// LoadOptions is the world that LoadConfig looks at; it looks at nothing else
// but the files that these name.
type LoadOptions struct {
	Path  string            // --config; "" = TICKWATCH_CONFIG, else the places that the README lists
	Flags map[string]string // values given by flags, by key ("data.dir"), written as in a variable
	Env   []string          // as os.Environ gives it
	Dir   string            // where ./tickwatch.toml and relative paths begin; "" = the working directory
	Etc   string            // folder of the machine's configuration; "" = /etc/tickwatch
	Warn  func(string)      // takes one line at a time; nil = warnings go nowhere
}

// LoadConfig reads the configuration: a flag wins over a variable, a variable
// over the file, the file over the default. Its errors are one line that says
// where, what, and what to do; they never contain a secret.
func LoadConfig(o LoadOptions) (Config, error) {
	if o.Dir == "" {
		dir, err := os.Getwd()
		if err != nil {
			return Config{}, fmt.Errorf("the working directory cannot be read (%w); change to another", err)
		}
		o.Dir = dir
	}
	o.Etc = cmp.Or(o.Etc, "/etc/tickwatch")
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	env := environment(o.Env)
	values := values{}

	file, err := findFile(o, env)
	if err != nil {
		return Config{}, err
	}
	if file != "" {
		layer, err := readFile(file)
		if err != nil {
			return Config{}, err
		}
		if err := values.add(layer); err != nil {
			return Config{}, err
		}
	}
	if err := values.add(fromEnvironment(env, o)); err != nil {
		return Config{}, err
	}
	layer, err := fromFlags(o)
	if err != nil {
		return Config{}, err
	}
	if err := values.add(layer); err != nil {
		return Config{}, err
	}

	c := Config{File: file}
	for _, s := range settings {
		if err := s.assign(&c, values, env["HOME"]); err != nil {
			return Config{}, err
		}
	}
	if err := c.workOut(env); err != nil {
		return Config{}, err
	}
	return c, c.check(values)
}

// ConfigTable is the Markdown table of all keys that the README shows.
func ConfigTable() string {
	var b strings.Builder
	b.WriteString("| key | default | environment variable | meaning |\n|---|---|---|---|\n")
	code := func(s string) string {
		if s == "" {
			return ""
		}
		return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
	}
	said := ""
	for _, s := range settings {
		if s.like != "" {
			if section := s.name[:strings.LastIndex(s.name, ".")]; section != said {
				fmt.Fprintf(&b, "| %s | | | as %s |\n", code(section+".*"), code(s.like+".*"))
				said = section
			}
			continue
		}
		meaning := s.doc
		switch {
		case s.kind == "places":
			meaning += "; a list; or one to a line in the file that " + code(s.name+fileSuffix) + " names"
		case s.several():
			meaning += "; several for a rotation; or one to a line in the file that " + code(s.name+fileSuffix) + " names"
		case s.secret():
			meaning += "; or in the file that " + code(s.name+fileSuffix) + " names"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(s.name), code(cmp.Or(s.def, s.shown)), code(s.env), strings.ReplaceAll(meaning, "|", `\|`))
	}
	return b.String()
}
