package list

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"tickwatch/wa"
)

// constant begins the value of a variable that is the same for all: "=SUMMER10".
const constant = "="

// binding is where a variable's value comes from.
type binding struct {
	variable wa.Variable
	column   int    // of the file; -1 = constant
	value    string // of a constant
}

// bind finds a value for each variable of a template: what the operator says, by
// variable, else the column that is called like it. Variables are called as in
// wa.Variable; "{{1}}", "body.1" and "button.1" are understood. What is said is a
// column, "=TEXT" for a text that is the same for all, or the https address of a
// medium.
func (r *Reader) bind(form *wa.TemplateForm, said map[string]string) ([]binding, error) {
	variables := form.Variables()
	explicit := map[string]string{}
	for name, value := range said {
		variable := variableName(name)
		known := slices.ContainsFunc(variables, func(v wa.Variable) bool { return v.Name == variable })
		if !known {
			return nil, r.problem(0, 0, fmt.Sprintf("the template has no variable %q; it has: %s", wa.Clean(name), variableNames(variables)))
		}
		explicit[variable] = value
	}
	var bound []binding
	var missing []wa.Variable
	for _, v := range variables {
		b := binding{variable: v, column: -1}
		value, ok := explicit[v.Name]
		var err error
		switch {
		case ok && isConstant(v, value):
			b.value = strings.TrimPrefix(value, constant)
		case ok:
			b.column, err = r.named(value)
		default:
			b.column, err = r.likeVariable(v.Name)
		}
		if err != nil {
			return nil, err
		}
		if b.column < 0 && b.value == "" {
			if !v.Optional {
				missing = append(missing, v)
			}
			continue
		}
		bound = append(bound, b)
	}
	if len(missing) > 0 {
		return nil, r.problem(0, 0, fmt.Sprintf("the template needs a value for %s, and no column is called so; say which: --map %s=COLUMN. There are: %s",
			variableNames(missing), missing[0].Name, r.names()))
	}
	return bound, nil
}

// isConstant tells a value that is no column.
func isConstant(v wa.Variable, value string) bool {
	switch v.Kind {
	case wa.VariableImage, wa.VariableVideo, wa.VariableDocument:
		if strings.HasPrefix(value, "https://") {
			return true
		}
	}
	return len(value) > len(constant) && strings.HasPrefix(value, constant)
}

// variableName takes the spellings of a variable's name for the one that we use.
func variableName(name string) string {
	name = strings.TrimSpace(name)
	name = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(name, "{{"), "}}"))
	lower := strings.ToLower(name)
	switch {
	case strings.HasPrefix(lower, "body."):
		return name[len("body."):]
	case strings.HasPrefix(lower, "button"):
		return "button" + strings.TrimLeft(lower[len("button"):], "s.- _")
	case lower == "header", strings.HasPrefix(lower, "header."):
		return "header"
	}
	return name
}

// likeVariable finds the column that is called like a variable; -1 = none.
func (r *Reader) likeVariable(variable string) (int, error) {
	if i, err := findColumn(r.columns, variable); i >= 0 || err != nil {
		return i, r.placedOrNil(err)
	}
	at := -1
	for i, column := range r.columns {
		if fold(variableName(column)) != fold(variable) {
			continue
		}
		if at >= 0 {
			return -1, r.problem(0, 0, fmt.Sprintf("columns %q and %q could both be the variable %s; say which: --map %s=COLUMN", r.columns[at], column, variable, variable))
		}
		at = i
	}
	return at, nil
}

func (r *Reader) placedOrNil(err error) error {
	if err == nil {
		return nil
	}
	return r.problem(0, 0, err.Error())
}

// variableNames lists variables as people see them in a template.
func variableNames(all []wa.Variable) string {
	if len(all) == 0 {
		return "none"
	}
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = wa.Clean(v.Name)
		if v.Kind != wa.VariableText {
			names[i] += " (" + v.Kind + ")"
		}
	}
	return someOf(names)
}

// unfit says why a variable cannot have a value; "" = it can. Meta refuses texts
// with line breaks, tabs or more than four spaces in a row, and would do so once
// for each message.
func (b *binding) unfit(value string) string {
	value = strings.TrimSpace(value)
	if value == "" {
		if b.variable.Optional {
			return ""
		}
		return "it is empty"
	}
	switch b.variable.Kind {
	case wa.VariableText:
		if strings.ContainsAny(value, "\n\r\t") {
			return "it has a line break or a tab, which Meta refuses"
		}
		if strings.Contains(value, "     ") {
			return "it has more than four spaces in a row, which Meta refuses"
		}
	case wa.VariableImage, wa.VariableVideo, wa.VariableDocument:
		return unfitMedium(value)
	case wa.VariableLocation:
		if _, err := wa.ParseLocation(value); err != nil {
			return err.Error()
		}
	}
	return ""
}

// unfitMedium says why Meta would not take a medium: it wants the id of one that
// was uploaded, or an https address. Nothing is fetched to find out.
func unfitMedium(value string) string {
	if wa.Digits(value) == value {
		return ""
	}
	u, err := url.Parse(value)
	switch {
	case err != nil, u.Host == "", strings.ContainsAny(value, " \n\t"):
		return "it is neither an https address nor the id of an uploaded medium"
	case u.Scheme != "https":
		return "its address must begin with https://"
	case u.User != nil:
		return "its address has a user name in it, which Meta refuses"
	}
	return ""
}
