package wa

import (
	"crypto/subtle"
	"log/slog"
)

// Secret is a text that must not be seen: it prints, logs and encodes as
// "***". Reveal gives it away, to the one who signs or authenticates with it.
// Compare secrets with Equal.
type Secret struct {
	// A pointer, because fmt does not call the methods of a struct's unexported
	// fields: it prints what they hold, and of a pointer that is the address.
	text *string
}

// NewSecret wraps a secret's text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal is the secret itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty tells whether there is no secret.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal tells whether both are the same text, in a time that depends on their
// lengths alone.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String hides the secret.
func (s Secret) String() string {
	if s.Empty() {
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
	*s = NewSecret(string(text))
	return nil
}
