package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tickwatch/wa"
)

// ErrNoTemplate is what Template's error wraps where there is no such template,
// or not in that language.
var ErrNoTemplate = errors.New("no such template")

var templateFields = []string{"id", "name", "language", "status", "category", "parameter_format", "components", "quality_score"}

// Templates lists the message templates of an account, in all states, in Meta's order.
func (c *Client) Templates(ctx context.Context, waba string) ([]wa.TemplateForm, error) {
	return c.templates(ctx, waba, url.Values{})
}

// Template finds a template by name and language, whose codes may be written with
// a hyphen or an underscore. Where there is none, the error wraps ErrNoTemplate
// and says in which languages it exists.
func (c *Client) Template(ctx context.Context, waba, name, language string) (wa.TemplateForm, error) {
	all, err := c.templates(ctx, waba, url.Values{"name": {name}})
	if err != nil {
		return wa.TemplateForm{}, err
	}
	spelled := func(l string) string { return strings.ReplaceAll(l, "-", "_") }
	var languages []string
	for _, f := range all {
		switch {
		case f.Name != name: // Meta may take the name for a part of one
		case spelled(f.Language) == spelled(language):
			return f, nil
		default:
			languages = append(languages, wa.Clean(f.Language))
		}
	}
	there := "WhatsApp Manager lists those there are"
	if len(languages) > 0 {
		slices.Sort(languages)
		there = "it exists in " + strings.Join(languages, ", ")
	}
	return wa.TemplateForm{}, fmt.Errorf("%w: %s/%s; %s", ErrNoTemplate, wa.Clean(name), wa.Clean(language), there)
}

func (c *Client) templates(ctx context.Context, waba string, query url.Values) ([]wa.TemplateForm, error) {
	query.Set("fields", strings.Join(templateFields, ","))
	nodes, err := c.getList(ctx, waba, "message_templates", query)
	if err != nil {
		return nil, fmt.Errorf("reading the templates: %w", err)
	}
	forms := make([]wa.TemplateForm, 0, len(nodes))
	for _, n := range nodes {
		if f := templateForm(n); f.Name != "" {
			forms = append(forms, f)
		}
	}
	return forms, nil
}

// templateForm reads one template. What of it cannot be read is named in
// Unfillable, so that nobody sends a template that was half understood.
func templateForm(n node) wa.TemplateForm {
	id, _ := strconv.ParseInt(printed(n["id"]), 10, 64)
	f := wa.TemplateForm{
		ID: id, Name: text(n["name"]), Language: text(n["language"]), Category: text(n["category"]),
		Status: text(n["status"]), Quality: quality(n["quality_score"]),
	}
	var components []json.RawMessage
	if json.Unmarshal(n["components"], &components) != nil {
		f.Unfillable = append(f.Unfillable, "components that cannot be read")
	}
	for _, raw := range components {
		var c templateComponent
		if json.Unmarshal(raw, &c) != nil {
			f.Unfillable = append(f.Unfillable, "a component that cannot be read")
			continue
		}
		c.into(&f)
	}
	f.Named = strings.EqualFold(text(n["parameter_format"]), "NAMED") || n["parameter_format"] == nil && named.MatchString(f.Body)
	return f
}

var named = regexp.MustCompile(`\{\{\s*[A-Za-z_]`)

// quality is a quality_score, an object or just its score.
func quality(raw json.RawMessage) wa.Quality {
	var score struct {
		Score wa.Quality `json:"score"`
	}
	if json.Unmarshal(raw, &score) == nil {
		return score.Score
	}
	return wa.Quality(text(raw))
}

type templateComponent struct {
	Type    string `json:"type"`
	Format  string `json:"format"`
	Text    string `json:"text"`
	Buttons []struct {
		Type  string `json:"type"`
		Text  string `json:"text"`
		URL   string `json:"url"`
		Phone string `json:"phone_number"`
	} `json:"buttons"`
}

// into adds the component to a template.
func (c *templateComponent) into(f *wa.TemplateForm) {
	switch kind := strings.ToUpper(c.Type); kind {
	case "HEADER":
		f.Header = &wa.TemplateHeader{Format: strings.ToUpper(c.Format), Text: c.Text}
		switch f.Header.Format {
		case wa.FormatText, wa.FormatImage, wa.FormatVideo, wa.FormatDocument, wa.FormatLocation:
		default:
			f.Unfillable = append(f.Unfillable, "a "+f.Header.Format+" header")
		}
	case "BODY":
		f.Body = c.Text
	case "FOOTER":
		f.Footer = c.Text
	case "BUTTONS":
		for _, b := range c.Buttons {
			button := wa.TemplateButton{Type: strings.ToUpper(b.Type), Text: b.Text, URL: b.URL, Phone: b.Phone}
			f.Buttons = append(f.Buttons, button)
			switch button.Type {
			case "CATALOG", "MPM", "SPM", "ORDER_DETAILS", "REMINDER", "BOOKING_CONFIRMATION":
				f.Unfillable = append(f.Unfillable, "a "+button.Type+" button")
			}
		}
	default: // CAROUSEL, LIMITED_TIME_OFFER, and what is still to come
		f.Unfillable = append(f.Unfillable, kind)
	}
}
