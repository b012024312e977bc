package wa

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestSecretNeverPrints holds a secret in every place that a careless line of
// code could print it from.
func TestSecretNeverPrints(t *testing.T) {
	const text = "hunter2hunter2"
	s := NewSecret(text)
	type hidden struct{ secret Secret } // fmt does not call the methods of unexported fields
	type open struct {
		Name   string
		Secret Secret
		List   []Secret
		Map    map[string]Secret
		Ptr    *Secret
		Hidden hidden
	}
	places := map[string]any{
		"value": s, "pointer": &s, "slice": []Secret{s}, "map": map[string]Secret{"a": s}, "key": map[Secret]int{s: 1}, "interface": []any{s},
		"struct": open{"a", s, []Secret{s}, map[string]Secret{"a": s}, &s, hidden{s}}, "unexported": hidden{s}, "unexported pointer": &hidden{s},
	}
	leaks := func(how, out string) {
		t.Helper()
		for _, form := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), fmt.Sprintf("%d", []byte(text))} {
			if strings.Contains(out, form) {
				t.Errorf("%s shows the secret: %s", how, out)
			}
		}
	}
	for name, v := range places {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%U", "%!"} {
			leaks(name+" by "+verb, fmt.Sprintf(verb, v))
		}
		if out, err := json.Marshal(v); err == nil {
			leaks(name+" as JSON", string(out))
		}
		for _, log := range []func(*strings.Builder) slog.Handler{
			func(b *strings.Builder) slog.Handler { return slog.NewTextHandler(b, nil) },
			func(b *strings.Builder) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var b strings.Builder
			slog.New(log(&b)).Info("m", "key", v, slog.Group("g", "key", v))
			leaks(name+" in a log", b.String())
		}
		leaks(name+" in an error", fmt.Errorf("no: %v: %w", v, errors.ErrUnsupported).Error())
	}
	if fmt.Sprint(s) != "***" || fmt.Sprint(Secret{}) != "" {
		t.Errorf("a secret prints as %q, none as %q", fmt.Sprint(s), fmt.Sprint(Secret{}))
	}
}

func TestSecretReveals(t *testing.T) {
	var decoded Secret
	if err := decoded.UnmarshalText([]byte("a")); err != nil {
		t.Fatal(err)
	}
	if NewSecret("a").Reveal() != "a" || decoded.Reveal() != "a" || decoded.Empty() {
		t.Error("a secret does not give its text back")
	}
	if !NewSecret("").Empty() || !(Secret{}).Empty() || (Secret{}).Reveal() != "" {
		t.Error("no secret is not empty")
	}
	if !NewSecret("a").Equal(decoded) || NewSecret("a").Equal(NewSecret("b")) || NewSecret("a").Equal(Secret{}) || !(Secret{}).Equal(NewSecret("")) {
		t.Error("secrets do not compare by their text")
	}
}
