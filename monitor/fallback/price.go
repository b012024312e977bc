package fallback

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"tickwatch/wa"
)

// Prices are what a segment, a call or a mail costs, by country; of one channel,
// and in one currency.
type Prices struct {
	currency string
	by       map[string]wa.Money // by ISO 3166 code; "" = all others
}

// anywhere is how a table may write the country of all others, besides leaving it
// empty.
const anywhere = "*"

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// ParsePrices reads a table of lines "COUNTRY PRICE" ("DE 0.075"), where the
// country is an ISO 3166 code or * for all others. currency is an ISO 4217 code.
func ParsePrices(currency string, lines []string) (*Prices, error) {
	p, err := newPrices(currency)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return nil, fmt.Errorf("%.40q is no price: write a country and what one message to it costs, such as \"DE 0.075\"", wa.Clean(line))
		}
		if err := p.add(fields[0], fields[1]); err != nil {
			return nil, err
		}
	}
	return p.filled()
}

// ReadPrices reads a CSV file with a header and the columns country and price,
// separated by commas or semicolons; an empty country or * stands for all others.
// A column currency must say the same as currency does, which may then be empty.
func ReadPrices(r io.Reader, currency string) (*Prices, error) {
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > most:
		return nil, errors.New("the price table is larger than 1 MiB: it needs one line for each country")
	}
	content := strings.TrimPrefix(string(text), "\ufeff")
	in := csv.NewReader(strings.NewReader(content))
	if head, _, _ := strings.Cut(content, "\n"); strings.Contains(head, ";") {
		in.Comma = ';'
	}
	in.TrimLeadingSpace = true
	rows, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("the price table is no CSV file: %s", wa.Clean(err.Error()))
	}
	if len(rows) == 0 {
		return nil, errors.New("the price table is empty: give it a header, country,price, and a line for each country")
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[strings.ToLower(strings.TrimSpace(name))] = i
	}
	return readRows(rows[1:], column, currency)
}

// readRows reads what stands below the header.
func readRows(rows [][]string, column map[string]int, currency string) (*Prices, error) {
	country, ok := column["country"]
	price, priced := column["price"]
	if !ok || !priced {
		return nil, errors.New("the price table has no columns country and price: its first line must name them")
	}
	if c, told := column["currency"]; told && len(rows) > 0 {
		first := strings.TrimSpace(rows[0][c])
		if currency == "" {
			currency = first
		}
		for i, row := range rows {
			if said := strings.TrimSpace(row[c]); said != currency {
				return nil, fmt.Errorf("line %d of the price table is in %.10q and not in %s: a table has one currency", i+2, wa.Clean(said), currency)
			}
		}
	}
	p, err := newPrices(currency)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if err := p.add(row[country], row[price]); err != nil {
			return nil, fmt.Errorf("line %d of the price table: %w", i+2, err)
		}
	}
	return p.filled()
}

func newPrices(currency string) (*Prices, error) {
	if !currencyForm.MatchString(currency) {
		return nil, fmt.Errorf("%.10q is no currency: write its three letters, such as EUR", wa.Clean(currency))
	}
	return &Prices{currency: currency, by: map[string]wa.Money{}}, nil
}

func (p *Prices) add(country, price string) error {
	code := strings.ToUpper(strings.TrimSpace(country))
	if code == anywhere {
		code = ""
	}
	if code == "UK" {
		code = "GB"
	}
	if code != "" && (len(code) != 2 || phonenumbers.GetCountryCodeForRegion(code) == 0) {
		return fmt.Errorf("%.20q is no country: write its two letters, such as DE, or %s for all others", wa.Clean(country), anywhere)
	}
	if _, twice := p.by[code]; twice {
		return fmt.Errorf("%.20q has two prices: leave one of them", wa.Clean(country))
	}
	each, err := parsePrice(strings.TrimSpace(price))
	if err != nil {
		return err
	}
	p.by[code] = each
	return nil
}

func (p *Prices) filled() (*Prices, error) {
	if len(p.by) == 0 {
		return nil, fmt.Errorf("there is no price: write at least one, such as \"%s 0.10\" for all countries", anywhere)
	}
	return p, nil
}

// Currency is that of the table, an ISO 4217 code.
func (p *Prices) Currency() string { return p.currency }

// of is the price for a country, or why there is none.
func (p *Prices) of(country, to string) (each wa.Money, why string) {
	if p == nil {
		return 0, "no prices are configured"
	}
	if each, ok := p.by[country]; ok {
		return each, ""
	}
	if each, ok := p.by[""]; ok {
		return each, ""
	}
	if code := dialCode(to); code != "" {
		return 0, "no price for +" + code + whose(country)
	}
	return 0, "no price for e-mail"
}

func whose(country string) string {
	if country == "" {
		return ""
	}
	return " (" + country + ")"
}

// countryOf is the ISO 3166 code of a number's country; "" where it has none.
func countryOf(number string) string {
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil {
		return ""
	}
	code := phonenumbers.GetRegionCodeForNumber(parsed)
	if code == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		return ""
	}
	return code
}

// dialCode is a number's country code, or its first digits where that is not
// known: never the number.
func dialCode(number string) string {
	if parsed, err := phonenumbers.Parse(number, ""); err == nil {
		return fmt.Sprint(parsed.GetCountryCode())
	}
	if !strings.HasPrefix(number, "+") {
		return ""
	}
	digits := wa.Digits(number)
	return digits[:min(len(digits), 3)]
}

const (
	decimals = 6 // of a wa.Money

	// dearest bounds one price, so that the sum of any campaign fits into a wa.Money.
	dearest = wa.Money(1_000_000_000)
)

// parsePrice reads an amount from 0 to 1000 with at most six decimals, after a
// point or a comma: "0.0075".
func parsePrice(s string) (wa.Money, error) {
	whole, part, pointed := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	if strings.Trim(whole+part, "0123456789") != "" || whole == "" || pointed && part == "" || len(part) > decimals || len(whole) > 4 {
		return 0, fmt.Errorf("%.40q is no price: write a number such as 0.075, with at most %d decimals", s, decimals)
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", decimals-len(part)), 10, 64)
	if err != nil || wa.Money(n) > dearest {
		return 0, fmt.Errorf("%.40q is no price of one message: write at most %s", s, dearest)
	}
	return wa.Money(n), nil
}
