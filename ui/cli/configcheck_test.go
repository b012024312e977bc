package cli

import (
	"strings"
	"testing"
)

func TestConfigRefusesValues(t *testing.T) {
	long := "/" + strings.Repeat("s", maxSocket)
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"percent for a share", "[thresholds]\ndelivery_ok = 95", []string{"tickwatch.toml", "thresholds.delivery_ok", "95", "write 0.95"}},
		{"a share below nothing", "[thresholds]\ncpu_ok = -0.1", []string{"thresholds.cpu_ok", "-0.1", "fraction"}},
		{"a share that is no number", "[thresholds]\ncpu_ok = nan", []string{"thresholds.cpu_ok", "NaN", "fraction"}},
		{"a share without end", "[thresholds]\ncpu_act = inf", []string{"thresholds.cpu_act", "fraction"}},
		{"a share in quotes", "[thresholds]\ncpu_ok = \"0.5\"", []string{"thresholds.cpu_ok", "without quotes"}},
		{"a share that is a list", "[thresholds]\ncpu_ok = [0.5]", []string{"thresholds.cpu_ok", "fraction"}},
		{"good below bad", "[thresholds]\ndelivery_ok = 0.8", []string{"tickwatch.toml", "thresholds.delivery_ok", "0.8", "0.9", "larger"}},
		{"bad above good", "[thresholds]\ndelivery_act = 0.96", []string{"thresholds.delivery_act", "0.95", "0.96"}},
		{"callbacks the wrong way round", "[thresholds]\ncallbacks_ok = 0.9\n", []string{"thresholds.callbacks_ok", "larger"}},
		{"reports the wrong way round", "[thresholds]\nreports_ok = 0.01", []string{"thresholds.reports_ok", "0.01", "0.005", "smaller"}},
		{"cpu the wrong way round", "[thresholds]\ncpu_act = 0.5", []string{"thresholds.cpu_act", "smaller"}},
		{"a span without a unit", "[thresholds]\njudge_after = 10", []string{"thresholds.judge_after", `"10s"`}},
		{"a span that is none", "[thresholds]\njudge_after = \"soon\"", []string{"thresholds.judge_after", "soon", `"10s"`}},
		{"no span", "[thresholds]\njudge_after = \"0s\"", []string{"thresholds.judge_after", `"10s"`}},
		{"a span too long", "[thresholds]\njudge_after = \"31m\"", []string{"thresholds.judge_after", "30m"}},
		{"no messages", "[thresholds]\nmin_messages = 0", []string{"thresholds.min_messages", `"0"`, "from 1"}},
		{"half a message", "[thresholds]\nmin_messages = 1.5", []string{"thresholds.min_messages", "whole number"}},
		{"messages in quotes", "[thresholds]\nmin_messages = \"200\"", []string{"thresholds.min_messages", "without quotes"}},
		{"too many messages", "[thresholds]\nmin_messages = 9223372036854775807", []string{"thresholds.min_messages"}},
		{"a port without a host", "[webhook]\nlisten = \"8480\"", []string{"webhook.listen", "8480", "host:port"}},
		{"a port too high", "[webhook]\nlisten = \"127.0.0.1:84800\"", []string{"webhook.listen", "host:port"}},
		{"a port by name", "[webhook]\nlisten = \"127.0.0.1:http\"", []string{"webhook.listen"}},
		{"an address with a scheme", "[webhook]\nlisten = \"http://127.0.0.1:8480\"", []string{"webhook.listen"}},
		{"a number for an address", "[webhook]\nlisten = 8480", []string{"webhook.listen", "quotes"}},
		{"no address", "[webhook]\nlisten = \"\"", []string{"webhook.listen", "host:port"}},
		{"a certificate without its key", "[webhook]\ntls_cert = \"/c\"", []string{"webhook.tls_cert", "webhook.tls_key"}},
		{"a key without its certificate", "[webhook]\ntls_key = \"/k\"", []string{"webhook.tls_key", "webhook.tls_cert"}},
		{"plain http in public", "[webhook]\npublic_url = \"http://hooks.example.com\"", []string{"webhook.public_url", "https://"}},
		{"a public host alone", "[webhook]\npublic_url = \"hooks.example.com\"", []string{"webhook.public_url", "https://"}},
		{"a public address with a query", "[webhook]\npublic_url = \"https://h.example.com/?a\"", []string{"webhook.public_url"}},
		{"a public address with a user", "[webhook]\npublic_url = \"https://u:hush@h.example.com\"", []string{"webhook.public_url"}},
		{"the Graph API without TLS", "[graph]\nbase_url = \"http://graph.facebook.com\"", []string{"graph.base_url", "https://", "loopback"}},
		{"no address for the Graph API", "[graph]\nbase_url = \"graph.facebook.com\"", []string{"graph.base_url", "https://"}},
		{"a version without its v", "[graph]\nversion = \"26.0\"", []string{"graph.version", "26.0", "v26.0"}},
		{"a version with a path", "[graph]\nversion = \"v26.0/me\"", []string{"graph.version"}},
		{"a token that was cut", "[graph]\naccess_token = \"EAAx y\"", []string{"graph.access_token", "copy it again"}},
		{"several tokens", "[graph]\naccess_token = [\"a\", \"b\"]", []string{"graph.access_token", "only one"}},
		{"a token without quotes", "[graph]\naccess_token = 12", []string{"graph.access_token", "quotes"}},
		{"an account by name", "[graph]\nwaba_id = \"mine\"", []string{"graph.waba_id", "mine", "digits"}},
		{"an own phone without its country", "[seeds]\nphones = [\"910000001\"]", []string{"seeds.phones", "910000001", "country code"}},
		{"an own phone twice", "[seeds]\nphones = [\"+351 910 000 001\", \"+351910000001\"]", []string{"seeds.phones", "twice"}},
		{"messages to no own phone", "[seeds]\nevery = 100", []string{"seeds.every", "seeds.phones"}},
		{"a rule that there is not", "[suppress]\nrules_off = [\"131053\"]", []string{"suppress.rules_off", "131053", "undeliverable"}},
		{"a rule that people asked for", "[suppress]\nrules_off = [\"opted-out\"]", []string{"suppress.rules_off", "asked not to be written to"}},
		{"a stop word of no letter", "[suppress]\nstop_words = [\"BAJA\", \"0\"]", []string{"suppress.stop_words", "no letter"}},
		{"an account without quotes", "[graph]\nwaba_id = 12", []string{"graph.waba_id", "quotes"}},
		{"a number for its id", "[graph]\nphone_number_ids = [\"+351900000001\"]", []string{"graph.phone_number_ids", "+351900000001", "not the phone number itself"}},
		{"ids without quotes", "[graph]\nphone_number_ids = [12]", []string{"graph.phone_number_ids", "quotes"}},
		{"an id that is no list", "[graph]\nphone_number_ids = 12", []string{"graph.phone_number_ids", "list"}},
		{"a pace below nothing", "[pace]\nmessages_per_hour = -1", []string{"pace.messages_per_hour", "-1", "from 0", "no limit"}},
		{"a pace in words", "[pace]\nmessages_per_second = \"20/s\"", []string{"pace.messages_per_second", "20/s", "whole number"}},
		{"a percentage of invalid numbers", "[thresholds]\ninvalid_act = 5", []string{"thresholds.invalid_act", "write 0.05"}},
		{"a socket too long", "[link]\nsocket = \"" + long + "\"", []string{"tickwatch.toml", "link.socket", "108", "107"}},
		{"a folder too long for its socket", "[data]\ndir = \"" + long + "\"", []string{"link.socket", "shorter"}},
		{"a secret without quotes", "[webhook]\napp_secret = 1234", []string{"webhook.app_secret", "quotes"}},
		{"secrets without quotes", "[webhook]\napp_secret = [1234]", []string{"webhook.app_secret", "quotes"}},
		{"a secret twice", "[webhook]\napp_secret = \"a\"\napp_secret_file = \"b\"", []string{"app_secret", "app_secret_file", "remove one"}},
		{"a section for a key", "[webhook.listen]\nport = 1", []string{"webhook.listen", "text"}},
		{"a key for a section", "webhook = \"127.0.0.1:1\"", []string{"webhook is a section", "[webhook]"}},
		{"a list of sections", "[[webhook]]\nlisten = \"127.0.0.1:1\"", []string{"webhook is a section", "[webhook]"}},
		{"no TOML", "[data]\ndir: state", []string{"tickwatch.toml", "line 2", "TOML"}},
		{"a key twice", "[data]\ndir = \"a\"\ndir = \"b\"", []string{"line 3", "already been defined"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.file(c.file)
			w.refuse(c.want...)
		})
	}
}

func TestConfigSocketAtItsLimit(t *testing.T) {
	w := newWorld(t)
	socket := "/" + strings.Repeat("s", maxSocket-1)
	w.env("TICKWATCH_LINK_SOCKET=" + socket)
	if c := w.load(); c.Link.Socket != socket {
		t.Errorf("socket %s", c.Link.Socket)
	}
	w.env("TICKWATCH_LINK_SOCKET=" + socket + "s")
	w.refuse("variable TICKWATCH_LINK_SOCKET", "link.socket")
}
