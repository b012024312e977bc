package fallback

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tickwatch/wa"
)

func TestMoney(t *testing.T) {
	for text, want := range map[string]wa.Money{"0": 0, "0.075": 75_000, "0,0075": 7_500, "1": 1_000_000, "0.000001": 1, "1000": dearest, "12.50": 12_500_000} {
		if got, err := parsePrice(text); got != want || err != nil {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", ".5", "1.", "-1", "+1", "1e3", "1.2.3", "1,2,3", "0.0000001", "1000.01", "99999", "1 ", "€1", "NaN", "0x1", "１"} {
		if got, err := parsePrice(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
	for m, want := range map[wa.Money]string{0: "0.00", 1: "0.000001", 75_000: "0.075", 12_500_000: "12.50", -1_500_000: "-1.50", 1_230_000: "1.23"} {
		if m.String() != want {
			t.Errorf("%d: %s, want %s", int64(m), m, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m := wa.Money(rapid.Int64Range(0, int64(dearest)).Draw(t, "amount"))
		if back, err := parsePrice(m.String()); back != m || err != nil {
			t.Fatalf("%d is written %s and read %d, %v", m, m, back, err)
		}
	})
}

func prices(t testing.TB, currency string, lines ...string) *Prices {
	t.Helper()
	p, err := ParsePrices(currency, lines)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestQuote: a country of the table, another, and one without a price.
func TestQuote(t *testing.T) {
	some, all := prices(t, "EUR", "PT 0.04", "GB 0.05", "us 0.01"), prices(t, "USD", "PT 0.04", "* 0.10")
	for _, c := range []struct {
		prices   *Prices
		channel  string
		to, text string
		want     wa.Money
		segments int
		country  string
		unpriced string
	}{
		{some, wa.ChannelSMS, "+351912345678", "a", 40_000, 1, "PT", ""},
		{some, wa.ChannelSMS, "+351912345678", strings.Repeat("Ж", 71), 80_000, 2, "PT", ""},
		{some, wa.ChannelVoice, "+351912345678", strings.Repeat("Ж", 71), 40_000, 1, "PT", ""},
		{some, wa.ChannelSMS, "+447400123456", "a", 50_000, 1, "GB", ""},
		{some, wa.ChannelSMS, "+12015550123", "a", 10_000, 1, "US", ""},
		{some, wa.ChannelSMS, "+14165550123", "a", 0, 1, "CA", "no price for +1 (CA)"},
		{some, wa.ChannelSMS, "+4915112345678", "a", 0, 1, "DE", "no price for +49 (DE)"},
		{some, wa.ChannelSMS, "+80012345678", "a", 0, 1, "", "no price for +800"},
		{some, wa.ChannelSMS, "+999123456789", "a", 0, 1, "", "no price for +999"},
		{some, wa.ChannelEmail, "ana@example.org", "a", 0, 1, "", "no price for e-mail"},
		{all, wa.ChannelSMS, "+351912345678", "a", 40_000, 1, "PT", ""},
		{all, wa.ChannelSMS, "+4915112345678", "a", 100_000, 1, "DE", ""},
		{all, wa.ChannelSMS, "+999123456789", "a", 100_000, 1, "", ""},
		{all, wa.ChannelEmail, "ana@example.org", "a", 100_000, 1, "", ""},
		{nil, wa.ChannelSMS, "+351912345678", "a", 0, 1, "PT", "no prices are configured"},
	} {
		q := quoteFor(c.channel, c.prices, &wa.FallbackMessage{To: c.to, Text: c.text})
		if q.Price != c.want || q.Segments != c.segments || q.Country != c.country || q.Unpriced != c.unpriced || (q.Currency == "") != (q.Unpriced != "") {
			t.Errorf("%s by %s: %+v", c.to, c.channel, q)
		}
		if (q.Encoding != "") != (c.channel == wa.ChannelSMS) {
			t.Errorf("%s has the encoding %q", c.channel, q.Encoding)
		}
	}
}

func TestReadPrices(t *testing.T) {
	for name, text := range map[string]string{
		"commas":             "country,price\nDE,0.075\n,0.10\n",
		"semicolons":         "\ufeffCountry;Price;Note\r\nde;0,075;x\r\n*;0,10;y\r\n",
		"a currency":         "currency,price,country\nEUR,0.075,DE\nEUR,0.1,\n",
		"quotes and blanks":  "country , price\n \"DE\", \"0.075\"\n *, 0.1\n",
		"a comma in a price": "country,price\nDE,\"0,075\"\n,0.1\n",
	} {
		p, err := ReadPrices(strings.NewReader(text), "EUR")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		de, _ := p.of("DE", "+49")
		fr, why := p.of("FR", "+33")
		if de != 75_000 || fr != 100_000 || why != "" || p.Currency() != "EUR" {
			t.Errorf("%s: %s, %s", name, de, fr)
		}
	}
	if p, err := ReadPrices(strings.NewReader("country,price,currency\nDE,1,USD"), ""); err != nil || p.Currency() != "USD" {
		t.Errorf("the table's currency: %v", err)
	}
	for text, want := range map[string]string{
		"":                                     "empty",
		"country,price":                        "no price",
		"country;cost\nDE;1":                   "columns country and price",
		"country,price\nDE,free":               "line 2",
		"country,price\nDE,1\nXX,1":            "line 3",
		"country,price\nDE,1\nDE,2":            "two prices",
		"country,price\n*,1\n,2":               "two prices",
		"country,price\nDE":                    "no CSV",
		"country,price\n\"DE,1":                "no CSV",
		"country,price,currency\nDE,1,USD":     "one currency",
		"country,price\nDE,\x1b[2J":            "line 2",
		strings.Repeat("country,price\n", 1e5): "1 MiB",
	} {
		if _, err := ReadPrices(strings.NewReader(text), "EUR"); err == nil || !strings.Contains(err.Error(), want) || err.Error() != wa.Clean(err.Error()) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
	for _, lines := range [][]string{{"DE"}, {"DE 1 2"}, {"Germany 1"}, {"DE -1"}, {}, nil, {""}} {
		if _, err := ParsePrices("EUR", lines); err == nil {
			t.Errorf("%q is taken", lines)
		}
	}
	for _, currency := range []string{"", "eur", "EURO", "€"} {
		if _, err := ParsePrices(currency, []string{"* 1"}); err == nil || !strings.Contains(err.Error(), "currency") {
			t.Errorf("%q: %v", currency, err)
		}
	}
}

// TestNeverFree: whoever has no price in the table is not quoted at nothing.
func TestNeverFree(t *testing.T) {
	p := prices(t, "EUR", "DE 0.075", "FR 0.05")
	rapid.Check(t, func(t *rapid.T) {
		to := "+" + rapid.StringMatching(`[1-9][0-9]{6,14}`).Draw(t, "number")
		q := quoteFor(wa.ChannelSMS, p, &wa.FallbackMessage{To: to, Text: "a"})
		if (q.Price == 0) != (q.Unpriced != "") || q.Unpriced == "" && q.Country != "DE" && q.Country != "FR" {
			t.Fatalf("%s: %+v", to, q)
		}
		if len(q.Unpriced) > 0 && strings.Contains(q.Unpriced, to[5:]) {
			t.Fatalf("%q shows the number", q.Unpriced)
		}
	})
}
