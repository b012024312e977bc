package wa

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// TemplateForm is a message template as Meta approved it: its standing, its
// components, and through them the variables that a send must fill
// (whatsapp.md §3.1, §3.5).
type TemplateForm struct {
	ID       int64
	Name     string
	Language string
	Category string // CategoryMarketing, …; open
	Status   string // APPROVED, PAUSED, …; open
	Quality  Quality
	Named    bool // its body's variables have names; else they are numbered from 1
	Header   *TemplateHeader
	Body     string // with {{1}} or {{first_name}} where a variable goes
	Footer   string
	Buttons  []TemplateButton // in their order, which the send API counts from 0

	// Unfillable names the parts that need values which tickwatch cannot give
	// (CAROUSEL, a CATALOG button, …). A template with one cannot be sent from here.
	Unfillable []string
}

// Categories of a template. Open: another value is kept as it came.
const (
	CategoryMarketing      = "MARKETING"
	CategoryUtility        = "UTILITY"
	CategoryAuthentication = "AUTHENTICATION"
)

// StatusApproved is the only status in which a template may be sent.
const StatusApproved = "APPROVED"

// TemplateHeader is what stands above a template's body.
type TemplateHeader struct {
	Format string // one of the Format constants; open
	Text   string // of a FormatText header, with at most one variable
}

// Formats of a header.
const (
	FormatText     = "TEXT"
	FormatImage    = "IMAGE"
	FormatVideo    = "VIDEO"
	FormatDocument = "DOCUMENT"
	FormatLocation = "LOCATION"
)

// Types of a button.
const (
	ButtonQuickReply = "QUICK_REPLY"
	ButtonURL        = "URL"
	ButtonCopyCode   = "COPY_CODE"
	ButtonFlow       = "FLOW"
	ButtonPhone      = "PHONE_NUMBER"
	ButtonOTP        = "OTP" // of an authentication template; filled like a URL, with the code
)

// Variable is a place of a template that a send fills.
type Variable struct {
	// Name is what people bind a column to: "1" or "first_name" in the body,
	// "header", and "button1" to "button10" for the buttons, counted from 1. A body
	// that calls a variable so itself has it as "body.header", "body.button1".
	Name     string
	Kind     string // one of the Variable constants
	Optional bool   // a send may leave it out
}

// Kinds of a Variable.
const (
	VariableText     = "text"
	VariableImage    = "image"    // an https address, or the id of uploaded media
	VariableVideo    = "video"    // as an image
	VariableDocument = "document" // as an image
	VariableLocation = "location" // "latitude,longitude" or "latitude,longitude,name,address"
	VariableURL      = "url"      // what takes the place of {{1}} in a button's address
	VariableCode     = "code"     // the coupon code that a button copies
	VariablePayload  = "payload"  // what a quick reply brings back
	VariableFlow     = "flow"     // the token of a flow
)

const (
	headerVariable = "header"
	bodyVariable   = "body." // before a body's variable whose name is that of another part
)

// flowToken is what Meta itself puts in where a flow gets no token. It is sent,
// because a send that leaves a flow's button out is refused.
const flowToken = "unused"

var (
	variablePlace = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_]+)\s*\}\}`)
	reservedName  = regexp.MustCompile(`^(header|button[0-9]+)$`)
)

// Variables lists what a send must or may fill: the header first, then the body
// in order of first use, then the buttons. Each name stands once.
func (f *TemplateForm) Variables() []Variable {
	var all []Variable
	if h := f.Header; h != nil {
		switch h.Format {
		case FormatText:
			if variablePlace.MatchString(h.Text) {
				all = append(all, Variable{Name: headerVariable, Kind: VariableText})
			}
		case FormatImage, FormatVideo, FormatDocument, FormatLocation:
			all = append(all, Variable{Name: headerVariable, Kind: strings.ToLower(h.Format)})
		}
	}
	for _, place := range placesIn(f.Body) {
		all = append(all, Variable{Name: bodyName(place), Kind: VariableText})
	}
	for i, b := range f.Buttons {
		name := "button" + strconv.Itoa(i+1)
		switch {
		case b.Type == ButtonURL && variablePlace.MatchString(b.URL), b.Type == ButtonOTP:
			all = append(all, Variable{Name: name, Kind: VariableURL})
		case b.Type == ButtonCopyCode:
			all = append(all, Variable{Name: name, Kind: VariableCode})
		case b.Type == ButtonQuickReply:
			all = append(all, Variable{Name: name, Kind: VariablePayload, Optional: true})
		case b.Type == ButtonFlow:
			all = append(all, Variable{Name: name, Kind: VariableFlow, Optional: true})
		}
	}
	return all
}

// placesIn are the names of a text's variables, each once, in order of first use.
func placesIn(text string) []string {
	var names []string
	seen := map[string]bool{}
	for _, m := range variablePlace.FindAllStringSubmatch(text, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			names = append(names, m[1])
		}
	}
	return names
}

// bodyName is the name of a variable that stands in the body.
func bodyName(place string) string {
	if reservedName.MatchString(place) {
		return bodyVariable + place
	}
	return place
}

// SameVariables tells whether whatever fills one template fills the other: both
// need the same names of the same kinds. What is optional does not count.
func (f *TemplateForm) SameVariables(other *TemplateForm) bool {
	a, b := f.needed(), other.needed()
	if len(a) != len(b) {
		return false
	}
	for name, kind := range a {
		if b[name] != kind {
			return false
		}
	}
	return true
}

func (f *TemplateForm) needed() map[string]string {
	all := map[string]string{}
	for _, v := range f.Variables() {
		if !v.Optional {
			all[v.Name] = v.Kind
		}
	}
	return all
}

// Filled is a template with its variables filled in, as one message carries it.
// The names and values are foreign text.
type Filled struct {
	Name, Language string
	Named          bool
	Values         []FilledValue // in the order of TemplateForm.Variables
}

// FilledValue is the value of one Variable.
type FilledValue struct {
	Variable
	Place string // of a named variable, how Meta calls it; "" where places are numbered
	Value string
}

// Fill fills in a template. value gives what a variable gets, "" for nothing;
// an error names the first that is needed and empty, or cannot be what Meta takes.
// Line breaks, tabs and runs of spaces in a text become one space each: Meta
// refuses a text that has them (code 132018).
func (f *TemplateForm) Fill(value func(variable string) string) (Filled, error) {
	if len(f.Unfillable) > 0 {
		return Filled{}, fmt.Errorf("template %s has a part that cannot be filled here, %s: take another template", Clean(f.Name), Clean(f.Unfillable[0]))
	}
	out := Filled{Name: f.Name, Language: f.Language, Named: f.Named}
	for _, v := range f.Variables() {
		text := strings.TrimSpace(value(v.Name))
		if v.Kind == VariableText {
			text = strings.Join(strings.FieldsFunc(text, breaks), " ")
		}
		if text == "" && v.Kind == VariableFlow {
			text = flowToken
		}
		switch {
		case text == "" && v.Optional:
			continue
		case text == "":
			return Filled{}, fmt.Errorf("variable %s is empty", Clean(v.Name))
		}
		if err := v.takes(text); err != nil {
			return Filled{}, fmt.Errorf("variable %s: %w", Clean(v.Name), err)
		}
		out.Values = append(out.Values, FilledValue{v, f.placeOf(v), text})
	}
	return out, nil
}

// breaks tells what Meta takes in no text, or only a few of: not the no-break space.
func breaks(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r\u0085\u2028\u2029", r) }

// takes tells what is wrong with a value of the variable.
func (v Variable) takes(text string) error {
	switch v.Kind {
	case VariableLocation:
		_, err := ParseLocation(text)
		return err
	case VariableImage, VariableVideo, VariableDocument:
		if scheme, _, ok := strings.Cut(text, "://"); ok && !strings.EqualFold(scheme, "https") {
			return fmt.Errorf("%q is not fetched by Meta: give an https address, or the id of uploaded media", Clean(text))
		}
	}
	return nil
}

// placeOf is how a named variable is called in a send; "" where it is numbered.
func (f *TemplateForm) placeOf(v Variable) string {
	switch {
	case !f.Named || v.Kind != VariableText:
		return ""
	case v.Name == headerVariable:
		return placesIn(f.Header.Text)[0] // it is a variable because the text has one
	}
	return strings.TrimPrefix(v.Name, bodyVariable)
}

// Preview is the text as the recipient will read it, header, body, footer and
// buttons each on lines of their own. Media stand as "[image]". It is not clean.
func (f *TemplateForm) Preview(filled Filled) string {
	values := map[string]string{}
	for _, v := range filled.Values {
		values[v.Name] = v.Value
	}
	put := func(text string, name func(place string) string) string {
		return variablePlace.ReplaceAllStringFunc(text, func(s string) string {
			place := variablePlace.FindStringSubmatch(s)[1]
			if v, ok := values[name(place)]; ok {
				return v
			}
			return s
		})
	}
	var lines []string
	if h := f.Header; h != nil {
		if h.Format == FormatText {
			lines = append(lines, put(h.Text, func(string) string { return headerVariable }))
		} else {
			lines = append(lines, "["+strings.ToLower(h.Format)+"]")
		}
	}
	lines = append(lines, put(f.Body, bodyName))
	if f.Footer != "" {
		lines = append(lines, f.Footer)
	}
	for _, b := range f.Buttons {
		lines = append(lines, "[ "+b.Text+" ]")
	}
	return strings.Join(lines, "\n")
}

// Location is the value of a location header.
type Location struct {
	Latitude, Longitude float64
	Name, Address       string
}

// ParseLocation reads "latitude,longitude" or "latitude,longitude,name,address",
// in degrees with a decimal point. "38,72,-9,13", with decimal commas, is an error
// and not the place 38,72.
func ParseLocation(s string) (l Location, err error) {
	wrong := fmt.Errorf("%q is no place: give latitude,longitude,name,address, like 38.72,-9.14", Clean(s))
	parts := strings.SplitN(s, ",", 4)
	if len(parts) < 2 || len(parts) == 4 && number(parts[2]) && number(parts[3]) {
		return Location{}, wrong
	}
	for i, to := range []*float64{&l.Latitude, &l.Longitude} {
		*to, err = strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
		if limit := float64(90 * (i + 1)); err != nil || !(*to >= -limit && *to <= limit) {
			return Location{}, wrong
		}
	}
	if len(parts) > 2 {
		l.Name = strings.TrimSpace(parts[2])
	}
	if len(parts) > 3 {
		l.Address = strings.TrimSpace(parts[3])
	}
	return l, nil
}

func number(s string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return err == nil
}
