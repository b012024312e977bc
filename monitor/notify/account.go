package notify

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"

	"tickwatch/wa"
)

// Account is a Google service account, by which the sheet is written.
type Account struct {
	Email    string // whom the sheet must be shared with
	key      wa.Secret
	keyID    string
	tokenURL string
}

// maxAccount bounds the file, in bytes; Google's have about 2,400.
const maxAccount = 64 << 10

// ReadAccount reads the JSON key file of a service account. Its errors say what to
// do, and show nothing of the key.
func ReadAccount(path string) (*Account, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the service account cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxAccount {
		return nil, fmt.Errorf("%s is no key file of a service account: download one from the Google Cloud console (Service accounts, Keys, JSON)", wa.Clean(path))
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s holds a key and others may read it (mode %04o): chmod 600 it", wa.Clean(path), mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the service account cannot be read: %w", err)
	}
	a, err := parseAccount(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", wa.Clean(path), err)
	}
	return a, nil
}

func parseAccount(text []byte) (*Account, error) {
	const other = "download the key of a service account from the Google Cloud console (Service accounts, Keys, JSON)"
	var file struct {
		Type         string `json:"type"`
		ClientEmail  string `json:"client_email"`
		PrivateKey   string `json:"private_key"`
		PrivateKeyID string `json:"private_key_id"`
		TokenURI     string `json:"token_uri"`
	}
	if json.Unmarshal(text, &file) != nil { // whose error could show a piece of it
		return nil, errors.New("is no JSON: " + other)
	}
	switch {
	case file.Type != "service_account":
		return nil, fmt.Errorf("is of type %.40q, not service_account: %s", wa.Clean(file.Type), other)
	case file.ClientEmail == "" || file.PrivateKey == "":
		return nil, errors.New("has no client_email or no private_key: " + other)
	case !parsable(file.PrivateKey):
		return nil, errors.New("has a private_key that cannot be read: " + other)
	}
	if file.TokenURI == "" {
		file.TokenURI = "https://oauth2.googleapis.com/token"
	}
	if err := checkURL(file.TokenURI); err != nil {
		return nil, fmt.Errorf("token_uri %w", err)
	}
	return &Account{wa.Clean(file.ClientEmail), wa.NewSecret(file.PrivateKey), file.PrivateKeyID, file.TokenURI}, nil
}

// parsable tells whether a text is an RSA key in PEM.
func parsable(key string) bool {
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		return false
	}
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return true
	}
	_, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	return err == nil
}

// checkURL takes https, and plain http on loopback alone: what is sent there must
// not be read by others.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err == nil && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" {
		ip, err := netip.ParseAddr(u.Hostname())
		if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback()) {
			return nil
		}
	}
	return fmt.Errorf("%.80q is no https address", wa.Clean(raw))
}
