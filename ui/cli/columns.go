package cli

import (
	"fmt"
	"strings"

	"tickwatch/wa"
)

// columnFlags say what the columns of a list are, where their names do not.
type columnFlags struct {
	Map     []string `sep:"none" help:"Which column fills a variable of the template: 1=first_name, header=image, button1=code. Others take the column of their own name. 1==TEXT is the same text for all. May be repeated." placeholder:"VARIABLE=COLUMN"`
	Phone   string   `help:"Column with the phone numbers; else the one that looks like it." placeholder:"COLUMN"`
	Country string   `help:"Country of numbers that name none, as two letters such as PT." placeholder:"CC"`
	Consent string   `help:"Column that says who agreed to be written to; else the one that is called so." placeholder:"COLUMN"`
}

// bound is Map by variable.
func (c *columnFlags) bound() (map[string]string, error) {
	bound := map[string]string{}
	for _, pair := range c.Map {
		variable, column, ok := strings.Cut(pair, "=")
		variable, column = strings.TrimSpace(variable), strings.TrimSpace(column)
		if !ok || variable == "" || column == "" || column == "=" {
			return nil, fmt.Errorf("--map: %.60q binds nothing: write VARIABLE=COLUMN, such as 1=first_name", wa.Clean(pair))
		}
		if other, twice := bound[variable]; twice && other != column {
			return nil, fmt.Errorf("--map: variable %s is bound twice, to %s and %s: leave one", wa.Clean(variable), wa.Clean(other), wa.Clean(column))
		}
		bound[variable] = column
	}
	return bound, nil
}
