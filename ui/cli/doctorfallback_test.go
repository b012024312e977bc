package cli

import (
	"net"
	"testing"

	"tickwatch/wa"
)

// TestCheckFallback: what keeps second attempts from going out is found before
// somebody needs them.
func TestCheckFallback(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		change func(*Config)
		state  string
		says   []string
	}{
		"well":                 {func(*Config) {}, "ok", []string{"sms by http at " + l.Addr().String(), "50 EUR"}},
		"nothing":              {func(c *Config) { *c = Config{Fallback: FallbackConfig{Undo: leastUndo}} }, "ok", []string{"not set up"}},
		"a budget for nothing": {func(c *Config) { c.SMS.Provider = "" }, "note", []string{"no channel", "fallback.sms.provider"}},
		"no budget":            {func(c *Config) { c.Fallback.Budget = "0" }, "note", []string{"no budget", "fallback.budget"}},
		"no text":              {func(c *Config) { c.SMS.Text = nil }, "FAIL", []string{"fallback.sms.text"}},
		"no prices":            {func(c *Config) { c.SMS.Prices = nil }, "FAIL", []string{"fallback.sms.prices"}},
		"nobody there":         {func(c *Config) { c.SMS.URL = "http://" + nobody.Addr().String() }, "FAIL", []string{"no connection", "fallback.sms.url"}},
		"an odd text":          {func(c *Config) { c.SMS.Text = []string{"Hello {first_name"} }, "FAIL", []string{"fallback.sms.text"}},
		"an odd price":         {func(c *Config) { c.SMS.Prices = []string{"Portugal 4"} }, "FAIL", []string{"fallback.sms.prices"}},
		"an odd hour":          {func(c *Config) { c.Fallback.Hours = []string{"PT late"} }, "FAIL", []string{"fallback.hours"}},
		"an odd country":       {func(c *Config) { c.Fallback.Hours = []string{"PX 08:00-20:00"} }, "FAIL", []string{"fallback.hours", "no country"}},
		"an odd holiday":       {func(c *Config) { c.Fallback.Holidays = []string{"PX 2026-12-08"} }, "FAIL", []string{"fallback.holidays", "PX 2026-12-08"}},
		"an odd budget":        {func(c *Config) { c.Fallback.Budget = "much" }, "FAIL", []string{"fallback.budget"}},
		"no time to undo":      {func(c *Config) { c.Fallback.Undo = 1 }, "FAIL", []string{"fallback.undo"}},
		"no public address":    {func(c *Config) { c.Webhook.PublicURL = "" }, "FAIL", []string{"webhook.public_url"}},
		"in the clear":         {func(c *Config) { c.Webhook.PublicURL = "http://hooks.shop.example" }, "FAIL", []string{"webhook.public_url"}},
		"no provider of that":  {func(c *Config) { c.SMS.Provider = "pigeon" }, "FAIL", []string{"fallback.sms.provider"}},
		"mail to nobody": {func(c *Config) {
			c.Email = ChannelConfig{
				Provider: "smtp", URL: nobody.Addr().String(), Sender: "news@shop.example", TLS: "none", Text: []string{"Hello"}, Subject: []string{"News"}, Prices: []string{"* 0.001"},
			}
		}, "FAIL", []string{"fallback.email.url"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := LoadConfig(LoadOptions{Dir: dir, Etc: dir, Flags: map[string]string{"data.dir": dir}})
			if err != nil {
				t.Fatal(err)
			}
			cfg.Webhook.PublicURL, cfg.Fallback.Budget = "https://hooks.shop.example", "50 EUR"
			cfg.SMS = ChannelConfig{
				Provider: "http", URL: "http://" + l.Addr().String() + "/sms", Password: wa.NewSecret("p"), PerSecond: 1,
				Text: []string{"Hello {first_name}"}, Prices: []string{"* 0.08"},
			}
			cfg.SMSGateway = GatewayConfig{Body: `{"to":"{to}","text":"{text}"}`}
			c.change(&cfg)
			found(t, checkFallback(t.Context(), cfg), c.state, c.says...)
		})
	}
	if got := providerAddress(wa.ChannelSMS, &ChannelConfig{Provider: "twilio"}); got != "api.twilio.com:443" {
		t.Errorf("Twilio's own address: %s", got)
	}
}

// A country is one in hours and holidays alike, in capitals or not.
func TestCountriesOfTheAllowedHours(t *testing.T) {
	a, err := allowedOf(&FallbackConfig{Hours: []string{"pt 09:00-18:00", "UK 10:00-12:00"}, Holidays: []string{"pt 2026-12-08", "2026-12-25"}})
	if err != nil {
		t.Fatal(err)
	}
	if a.Hours["PT"].From != 9*60 || a.Hours["GB"].From != 10*60 || !a.Holidays["PT"]["2026-12-08"] || !a.Holidays[""]["2026-12-25"] {
		t.Errorf("%+v", a)
	}
}
