package wa

import (
	"fmt"
	"math"
	"strings"
)

// Money is an amount of some currency, in millionths of its unit: providers price
// to a hundredth of a cent and below.
type Money int64

const moneyUnit = 1_000_000

// MoneyOf is an amount given in units, rounded to the next millionth.
func MoneyOf(units float64) Money { return Money(math.Round(units * moneyUnit)) }

// Float is the amount in units.
func (m Money) Float() float64 { return float64(m) / moneyUnit }

// String writes the amount with at least two decimals and as many as it has:
// "0.0075", "12.50".
func (m Money) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	part := fmt.Sprintf("%06d", int64(m%moneyUnit))
	return fmt.Sprintf("%s%d.%s%s", sign, int64(m/moneyUnit), part[:2], strings.TrimRight(part[2:], "0"))
}
