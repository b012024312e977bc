package wa

import "log/slog"

// Secret is a text that must not be seen: it prints, logs and encodes as
// "***". Reveal gives it away, to the one who signs or authenticates with it.
type Secret struct{ text string }

// NewSecret wraps a secret's text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal is the secret itself.
func (s Secret) Reveal() string { return s.text }

// Empty tells whether there is no secret.
func (s Secret) Empty() bool { return s.text == "" }

// String hides the secret.
func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from JSON and every other encoder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the secret from a configuration.
func (s *Secret) UnmarshalText(text []byte) error {
	s.text = string(text)
	return nil
}
