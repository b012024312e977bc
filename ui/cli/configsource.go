package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/BurntSushi/toml"

	"tickwatch/wa"
)

const (
	maxFile  = 1 << 20 // bytes of a configuration, or of a file of secrets
	openMask = 0o077   // modes that let others than the owner at a file
)

func environment(env []string) map[string]string {
	m := make(map[string]string, len(env))
	for _, e := range env {
		if k, v, ok := strings.Cut(e, "="); ok {
			m[k] = v
		}
	}
	return m
}

// findFile is the first configuration that exists: the one that was named, else
// that of the working directory, the user, the machine. "" when there is none.
func findFile(o LoadOptions, env map[string]string) (string, error) {
	if named := cmp.Or(o.Path, env[envConfig]); named != "" {
		return absolute(named, o.Dir, env["HOME"]), nil
	}
	const name = "tickwatch.toml"
	places := []string{filepath.Join(o.Dir, name)}
	if dir := xdg(env, "XDG_CONFIG_HOME", ".config"); dir != "" {
		places = append(places, filepath.Join(dir, "tickwatch", name))
	}
	places = append(places, filepath.Join(o.Etc, name))
	for _, p := range places {
		_, err := os.Stat(p)
		if err == nil {
			return p, nil
		}
		// One that may not be looked at could be the one that is meant.
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return "", fmt.Errorf("%w; give access to it, or name another with --config", err)
		}
	}
	return "", nil
}

// xdg is a base directory: the variable where it is an absolute path (others
// are to be ignored, says the XDG specification), else the folder in the home. "" without a home.
func xdg(env map[string]string, variable, inHome string) string {
	if dir := env[variable]; filepath.IsAbs(dir) {
		return dir
	}
	if env["HOME"] == "" {
		return ""
	}
	return filepath.Join(env["HOME"], inHome)
}

// readFile reads a configuration strictly: a key that is not known is an error.
func readFile(path string) (values, error) {
	text, mode, err := slurp(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w; name another with --config", err)
	}
	var tree map[string]any
	if _, err := toml.Decode(text, &tree); err != nil {
		return nil, fmt.Errorf("%s: %s", path, syntaxFault(text, err))
	}
	leaves, unknown := map[string]any{}, []string{}
	if err := flatten("", tree, leaves, &unknown); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(unknown) > 0 {
		more := ""
		if n := len(unknown) - 1; n > 0 {
			more = fmt.Sprintf(" (and %d more)", n)
		}
		key := unknown[0]
		return nil, fmt.Errorf("%s: this version of tickwatch does not know the key %s%s; the nearest that it knows is %s: correct or remove it",
			path, wa.Clean(key), more, nearest(key, knownKeys()))
	}
	layer := values{}
	for k, raw := range leaves {
		layer[k] = value{raw: raw, typed: true, where: path, dir: filepath.Dir(path)}
	}
	for _, s := range settings {
		if _, ok := layer[s.name]; ok && s.secret() && mode&openMask != 0 {
			return nil, fmt.Errorf("%s holds a secret (%s) and is open to others (mode %04o); run: chmod 600 %s", path, s.name, mode, path)
		}
	}
	return layer, nil
}

// slurp reads a small file, whole, with the mode of what was opened.
func slurp(path string) (string, fs.FileMode, error) {
	// Without O_NONBLOCK a named pipe would hold the start up for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, fmt.Errorf("%s is no regular file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return string(b), info.Mode().Perm(), err
}

// syntaxFault says where a file is no TOML. The decoder quotes what it stumbled
// over, so its words are left out where that may be a secret.
func syntaxFault(text string, err error) string {
	var p toml.ParseError
	if !errors.As(err, &p) {
		return wa.Clean(err.Error())
	}
	line := ""
	if lines := strings.Split(text, "\n"); p.Position.Line >= 1 && p.Position.Line <= len(lines) {
		line = lines[p.Position.Line-1]
	}
	for _, s := range settings {
		if key := s.name[strings.LastIndex(s.name, ".")+1:]; s.secret() && (strings.Contains(line, key) || strings.Contains(p.LastKey, key)) {
			return fmt.Sprintf(`line %d, near %s, is not valid TOML; put the secret in "quotes"`, p.Position.Line, key)
		}
	}
	return fmt.Sprintf("line %d is not valid TOML: %s", p.Position.Line, wa.Clean(p.Message))
}

// flatten collects the values of a decoded file under their full keys, and the
// keys that are not known.
func flatten(prefix string, table, leaves map[string]any, unknown *[]string) error {
	known := knownKeys()
	for _, k := range slices.Sorted(maps.Keys(table)) {
		name, v := prefix+k, table[k]
		sub, isTable := v.(map[string]any)
		isSection := slices.ContainsFunc(known, func(key string) bool { return strings.HasPrefix(key, name+".") })
		switch {
		case slices.Contains(known, name):
			leaves[name] = v
		case isSection && !isTable:
			return fmt.Errorf("%s is a section: write [%s] on a line of its own and its keys below", name, name)
		case isTable && (isSection || len(sub) > 0):
			if err := flatten(name+".", sub, leaves, unknown); err != nil {
				return err
			}
		default:
			*unknown = append(*unknown, name)
		}
	}
	return nil
}

// knownKeys are all keys, and those that name the files of secrets.
func knownKeys() []string {
	var keys []string
	for _, s := range settings {
		keys = append(keys, s.name)
		if s.secret() {
			keys = append(keys, s.name+fileSuffix)
		}
	}
	return keys
}

// fromEnvironment takes the variables of known keys and warns of others that
// look like ours. An empty variable is none.
func fromEnvironment(env map[string]string, o LoadOptions) values {
	layer := values{}
	byVariable := map[string]string{}
	for _, key := range knownKeys() {
		byVariable[envName(key)] = key
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		key, known := byVariable[name]
		switch {
		case !strings.HasPrefix(name, envPrefix) || name == envConfig:
		case !known:
			o.Warn(fmt.Sprintf("the variable %s is not known and has no effect; the nearest that is known is %s",
				wa.Clean(name), nearest(name, append(slices.Sorted(maps.Keys(byVariable)), envConfig))))
		case env[name] != "":
			layer[key] = value{raw: env[name], where: "variable " + name, dir: o.Dir}
		}
	}
	return layer
}

func fromFlags(o LoadOptions) (values, error) {
	layer := values{}
	for _, key := range slices.Sorted(maps.Keys(o.Flags)) {
		if !slices.Contains(knownKeys(), key) {
			return nil, fmt.Errorf("command line: there is no key %s; the nearest is %s", wa.Clean(key), nearest(key, knownKeys()))
		}
		layer[key] = value{raw: o.Flags[key], where: "command line", dir: o.Dir}
	}
	return layer, nil
}

// secrets are those of a setting, from the text or from the file that it
// names, and the key that said so.
func (s setting) secrets(v values, home string) ([]wa.Secret, string, error) {
	if in, ok := v[s.name+fileSuffix]; ok {
		list, err := secretsFromFile(in, home)
		return list, s.name + fileSuffix, err
	}
	in := v[s.name]
	var texts []string
	switch raw := in.raw.(type) {
	case nil:
	case string:
		if texts = []string{raw}; !in.typed && s.several() {
			texts = strings.Split(raw, ",")
		}
	case []any:
		for _, one := range raw {
			text, ok := one.(string)
			if !ok {
				return nil, s.name, errors.New(`must be a list of texts; put each in "quotes"`)
			}
			texts = append(texts, text)
		}
	default:
		return nil, s.name, errors.New(`must be a text or a list of texts; put it in "quotes"`)
	}
	return wrap(texts), s.name, nil
}

func secretsFromFile(v value, home string) ([]wa.Secret, error) {
	path, ok := v.raw.(string)
	if !ok || strings.TrimSpace(path) == "" {
		return nil, errors.New(`must be the path of a file; put it in "quotes"`)
	}
	path = absolute(strings.TrimSpace(path), v.dir, home)
	text, mode, err := slurp(path)
	if err != nil {
		return nil, fmt.Errorf("%w; name a file that holds the secret, one to a line", err)
	}
	if mode&openMask != 0 {
		return nil, fmt.Errorf("%s is open to others (mode %04o); run: chmod 600 %s", path, mode, path)
	}
	list := wrap(strings.Split(text, "\n"))
	if len(list) == 0 {
		return nil, fmt.Errorf("%s is empty; write the secret into it, one to a line", path)
	}
	return list, nil
}

// wrap makes secrets of texts, without the space around them and the empty ones.
func wrap(texts []string) []wa.Secret {
	var list []wa.Secret
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			list = append(list, wa.NewSecret(t))
		}
	}
	return list
}
