package cli

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickwatch/wa"
)

const (
	envPrefix  = "TICKWATCH_"
	envConfig  = "TICKWATCH_CONFIG" // names the file itself
	fileSuffix = "_file"            // of the key that names a file with the secret
)

// setting is one key of the configuration, as the tags of Config's fields say.
type setting struct {
	name  string // webhook.listen
	env   string // TICKWATCH_WEBHOOK_LISTEN
	def   string // default; "" = none, or worked out
	shown string // how the table writes a default that is worked out
	like  string // section that has the same keys, and says what they mean; "" = this one does
	kind  string // path, address, url, limit, places, command, or "" = as the field's type says
	doc   string
	index []int // of the field in Config
	typ   reflect.Type
}

// settings are all keys in the order of the struct.
var settings = readSettings(reflect.TypeFor[Config]())

func readSettings(t reflect.Type) []setting {
	var all []setting
	for _, section := range reflect.VisibleFields(t) {
		prefix, like := section.Tag.Get("section"), section.Tag.Get("like")
		if prefix == "" {
			continue
		}
		for _, f := range reflect.VisibleFields(section.Type) {
			name := prefix + "." + f.Tag.Get("key")
			all = append(all, setting{
				name: name, env: envName(name), def: f.Tag.Get("default"), shown: f.Tag.Get("shown"),
				like: like, kind: f.Tag.Get("kind"), doc: f.Tag.Get("doc"), index: append(slices.Clone(section.Index), f.Index...), typ: f.Type,
			})
		}
	}
	return all
}

func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// secret tells what must not be seen, and may be given as a file.
func (s setting) secret() bool { return s.several() || s.typ == reflect.TypeFor[wa.Secret]() }

// several tells a secret that may have several values at a time.
func (s setting) several() bool { return s.typ == reflect.TypeFor[[]wa.Secret]() }

// value is one value as it was written, with its place.
type value struct {
	raw   any    // as TOML decodes it, or a text
	typed bool   // from TOML, where a number is not a text
	where string // file, variable or flag, for errors; "" = default
	dir   string // where a relative path begins
}

// values are the values by key. Layers are added from the least to the most important.
type values map[string]value

// add lets a layer win over what there is. A secret and the file that holds it
// are two ways to say the same, so the one replaces the other.
func (v values) add(layer values) error {
	for _, s := range settings {
		file := s.name + fileSuffix
		if !s.secret() {
			continue
		}
		direct, inText := layer[s.name]
		_, inFile := layer[file]
		if inText && inFile {
			return fmt.Errorf("%s: both %s and %s are set; remove one of them", direct.where, s.name, file)
		}
		if inText || inFile {
			delete(v, s.name)
			delete(v, file)
		}
	}
	maps.Copy(v, layer)
	return nil
}

// fault is an error about one key: where, which, what.
func (v values) fault(key, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if where := v[key].where; where != "" {
		return fmt.Errorf("%s: %s: %w", where, key, err)
	}
	return fmt.Errorf("%s: %w", key, err)
}

// assign gives the setting's field its value, or its default.
func (s setting) assign(c *Config, v values, home string) error {
	field := reflect.ValueOf(c).Elem().FieldByIndex(s.index)
	if s.secret() {
		secrets, key, err := s.secrets(v, home)
		if err != nil {
			return v.fault(key, "%w", err)
		}
		switch {
		case s.several():
			field.Set(reflect.ValueOf(secrets))
		case len(secrets) > 1:
			return v.fault(key, "holds %d values, and there can be only one; leave the one that is in force", len(secrets))
		case len(secrets) == 1:
			field.Set(reflect.ValueOf(secrets[0]))
		}
		return nil
	}
	given, ok := v[s.name]
	if !ok {
		if s.def == "" {
			return nil
		}
		given = value{raw: s.def}
	}
	parsed, err := s.parse(given, home)
	if err != nil {
		return v.fault(s.name, "%w", err)
	}
	field.Set(reflect.ValueOf(parsed))
	return nil
}

// parse reads a value that is no secret.
func (s setting) parse(v value, home string) (any, error) {
	switch s.typ.Kind() {
	case reflect.Float64:
		return parseShare(v)
	case reflect.Int:
		if s.kind == "limit" {
			return parseWhole(v, 0, "; 0 is no limit")
		}
		return parseWhole(v, 1, "")
	case reflect.Bool:
		return parseSwitch(v)
	case reflect.Int64:
		return s.parseSpan(v)
	case reflect.Slice:
		if s.kind == "command" {
			return parseCommand(v)
		}
		return parseList(v)
	}
	text, ok := v.raw.(string)
	if !ok {
		return nil, errors.New(`must be a text; put it in "quotes"`)
	}
	text = strings.TrimSpace(text)
	if s.kind == "path" {
		return absolute(text, v.dir, home), nil
	}
	return text, nil
}

// parseShare reads a fraction of one.
func parseShare(v value) (any, error) {
	n := math.NaN()
	switch raw := v.raw.(type) {
	case float64:
		n = raw
	case int64:
		n = float64(raw)
	case string:
		if f, err := strconv.ParseFloat(raw, 64); err == nil && !v.typed {
			n = f
		}
	}
	switch {
	case n >= 0 && n <= 1:
		return n, nil
	case n > 1 && n <= 100:
		return nil, fmt.Errorf("%v is more than one; shares are fractions, so for %v %% write %v", n, n, math.Round(n*1e6)/1e8)
	}
	return nil, fmt.Errorf("%s is no fraction of one; write a number without quotes, such as 0.95", quoted(v.raw))
}

// parseWhole reads a whole number from least on.
func parseWhole(v value, least int64, meaning string) (any, error) {
	n := int64(-1)
	switch raw := v.raw.(type) {
	case int64:
		n = raw
	case string:
		if i, err := strconv.ParseInt(raw, 10, 64); err == nil && !v.typed {
			n = i
		}
	}
	if n < least || n > math.MaxInt32 {
		return nil, fmt.Errorf("%s is no whole number from %d on; write one without quotes, such as 200%s", quoted(v.raw), least, meaning)
	}
	return int(n), nil
}

// parseList reads a list of texts; a variable separates them by commas.
func parseList(v value) (any, error) {
	var texts []string
	switch raw := v.raw.(type) {
	case string:
		texts = strings.Split(raw, ",")
	case []any:
		for _, one := range raw {
			text, ok := one.(string)
			if !ok {
				return nil, errors.New(`must be a list of texts; put each in "quotes"`)
			}
			texts = append(texts, text)
		}
	default:
		return nil, errors.New(`must be a list of texts; write ["…", "…"]`)
	}
	var list []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" && !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list, nil
}

// parseCommand reads a program and its arguments, which may repeat; of a text, the
// words.
func parseCommand(v value) (any, error) {
	if text, ok := v.raw.(string); ok {
		return strings.Fields(text), nil
	}
	list, ok := v.raw.([]any)
	var words []string
	for _, one := range list {
		word, isText := one.(string)
		ok = ok && isText
		words = append(words, word)
	}
	if !ok {
		return nil, errors.New(`must be a list of texts; write ["/path/to/program", "argument"]`)
	}
	return words, nil
}

// parseSwitch reads true or false.
func parseSwitch(v value) (any, error) {
	switch raw := v.raw.(type) {
	case bool:
		return raw, nil
	case string:
		if on, err := strconv.ParseBool(strings.TrimSpace(raw)); err == nil && !v.typed {
			return on, nil
		}
	}
	return nil, fmt.Errorf("%s is neither true nor false; write one of them, without quotes", quoted(v.raw))
}

func (s setting) parseSpan(v value) (any, error) {
	text, ok := v.raw.(string)
	d, err := time.ParseDuration(text)
	if zero := v.raw == int64(0) || ok && err == nil && d == 0; zero && s.kind == "limit" {
		return time.Duration(0), nil
	}
	if !ok || err != nil || d <= 0 {
		return nil, fmt.Errorf("%s is no span of time; write one in quotes with its unit, such as %q", quoted(v.raw), s.def)
	}
	return d, nil
}

// quoted writes a value of any type for an error, in brief.
func quoted(raw any) string { return fmt.Sprintf("%.40q", wa.Clean(fmt.Sprint(raw))) }

func absolute(path, dir, home string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && home != "" {
		path = filepath.Join(home, rest)
	}
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
