package list

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tickwatch/monitor/cluster"
	"tickwatch/wa"
)

// Matcher tells whether a row of a campaign's list has a trait: phone in digits or
// E.164, values by the plan's columns. It is quick and pure.
type Matcher func(phone string, line int64, values []string) bool

// NewMatcher makes the Matcher of a trait. A column goes by its name, whatever its
// case, and its cells as people read them. An error says which traits there are.
func NewMatcher(p *wa.Plan, t wa.Trait) (Matcher, error) {
	var byColumn Matcher
	for i, name := range p.Columns {
		if strings.EqualFold(wa.Clean(name), t.Attribute) {
			byColumn = func(_ string, _ int64, values []string) bool {
				return i < len(values) && strings.EqualFold(strings.TrimSpace(wa.Clean(values[i])), t.Value)
			}
			break
		}
	}
	other, err := byKind(p, t)
	switch {
	case byColumn == nil && other == nil && err == nil:
		names := append(slices.Clone(p.Columns), wa.TraitCountry, wa.TraitPrefix, wa.TraitWord, wa.TraitLines)
		return nil, fmt.Errorf("nothing is known as %q: there are %.300s", wa.Clean(t.Attribute), wa.Clean(strings.Join(names, ", ")))
	case byColumn == nil:
		return other, err
	case other == nil:
		return byColumn, nil
	}
	return func(phone string, line int64, values []string) bool { // a column country beside the numbers' countries
		return byColumn(phone, line, values) || other(phone, line, values)
	}, nil
}

// byKind is the Matcher of a trait that is no column; nil when there is none.
func byKind(p *wa.Plan, t wa.Trait) (Matcher, error) {
	switch strings.ToLower(t.Attribute) {
	case wa.TraitCountry:
		return func(phone string, _ int64, _ []string) bool {
			return strings.EqualFold(CountryOf("+"+wa.Digits(phone)), t.Value)
		}, nil
	case wa.TraitPrefix:
		prefix := wa.Digits(t.Value)
		if prefix == "" {
			return nil, fmt.Errorf("%q is no prefix: give the digits that a number begins with, country code first", wa.Clean(t.Value))
		}
		return func(phone string, _ int64, _ []string) bool { return strings.HasPrefix(wa.Digits(phone), prefix) }, nil
	case wa.TraitLines:
		first, last, _ := strings.Cut(t.Value, "-")
		from, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
		to := from
		if err == nil && last != "" {
			to, err = strconv.ParseInt(strings.TrimSpace(last), 10, 64)
		}
		if err != nil || from <= 0 || to < from {
			return nil, fmt.Errorf("%q are no lines of a list: give them like 4001-5000", wa.Clean(t.Value))
		}
		return func(_ string, line int64, _ []string) bool { return line >= from && line <= to }, nil
	case wa.TraitWord:
		return func(_ string, _ int64, values []string) bool {
			for _, i := range p.Bind {
				if i < len(values) && slices.Contains(cluster.Split(values[i]), strings.ToLower(t.Value)) {
					return true
				}
			}
			return false
		}, nil
	}
	return nil, nil
}
