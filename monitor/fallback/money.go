package fallback

import (
	"fmt"
	"strconv"
	"strings"
)

// Money is an amount of some currency, in millionths of its unit: providers price
// to a hundredth of a cent and below.
type Money int64

const (
	decimals = 6
	unit     = Money(1_000_000)

	// dearest bounds one price, so that the sum of any campaign fits into a Money.
	dearest = 1000 * unit
)

// ParseMoney reads an amount from 0 to 1000 with at most six decimals, after a
// point or a comma: "0.0075".
func ParseMoney(s string) (Money, error) {
	whole, part, pointed := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	if strings.Trim(whole+part, "0123456789") != "" || whole == "" || pointed && part == "" || len(part) > decimals || len(whole) > 4 {
		return 0, fmt.Errorf("%.40q is no price: write a number such as 0.075, with at most %d decimals", s, decimals)
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", decimals-len(part)), 10, 64)
	if err != nil || Money(n) > dearest {
		return 0, fmt.Errorf("%.40q is no price of one message: write at most %s", s, dearest)
	}
	return Money(n), nil
}

// String writes the amount with at least two decimals and as many as it has:
// "0.0075", "12.50".
func (m Money) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	part := fmt.Sprintf("%0*d", decimals, int64(m%unit))
	return fmt.Sprintf("%s%d.%s%s", sign, int64(m/unit), part[:2], strings.TrimRight(part[2:], "0"))
}

// Float is the amount in the currency's unit, as wa.FallbackAnswer has it.
func (m Money) Float() float64 { return float64(m) / float64(unit) }
