package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"strings"
	"sync"

	"tickwatch/wa"
)

// SignatureHeader carries Meta's signature of a body: "sha256=" and 64
// hexadecimal digits of HMAC-SHA256(app secret, body).
const SignatureHeader = "X-Hub-Signature-256"

// Why a signature was refused, for the log; the sender learns nothing of it.
var (
	errNoSecret     = errors.New("no app secret is configured: set webhook.app_secret")
	errNoSignature  = errors.New("the signature header is missing: " + SignatureHeader)
	errManyHeaders  = errors.New("the signature header came more than once")
	errMalformed    = errors.New("the signature is not sha256= and 64 hexadecimal digits")
	errNotOurSecret = errors.New("the signature matches none of the app secrets: compare webhook.app_secret with the app's settings")
)

// Verifier checks signatures against one or several secrets, of which any may
// have signed: during a rotation both the old and the new one do. It takes the
// same time whichever secret matches, and may be used concurrently.
type Verifier struct{ keys []*sync.Pool }

// NewVerifier makes a Verifier. Empty secrets are left out, since anybody can
// sign with them; without a secret every signature is refused.
func NewVerifier(secrets ...wa.Secret) *Verifier {
	v := &Verifier{}
	for _, s := range secrets {
		if s.Empty() {
			continue
		}
		key := []byte(s.Reveal())
		v.keys = append(v.keys, &sync.Pool{New: func() any { return &keyed{mac: hmac.New(sha256.New, key)} }})
	}
	return v
}

// keyed is the state of one HMAC, kept because preparing the key costs as much
// as signing a short body.
type keyed struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

// Verify checks all values of the signature header against the body's bytes as
// they came. Exactly one value is taken, with the digits in either case: Meta
// writes lower case, and a signature proves the same in upper case. The error
// says why for the operator's log, and holds nothing of body or secrets.
func (v *Verifier) Verify(signatures []string, body []byte) error {
	switch {
	case len(v.keys) == 0:
		return errNoSecret
	case len(signatures) == 0:
		return errNoSignature
	case len(signatures) > 1:
		return errManyHeaders
	}
	digits, ok := strings.CutPrefix(signatures[0], "sha256=")
	if !ok || len(digits) != hex.EncodedLen(sha256.Size) {
		return errMalformed
	}
	var said [sha256.Size]byte
	if _, err := hex.Decode(said[:], []byte(digits)); err != nil {
		return errMalformed
	}
	signed := false
	for _, key := range v.keys {
		if matches(key, said[:], body) {
			signed = true // and on: the time must not tell which secret it was
		}
	}
	if !signed {
		return errNotOurSecret
	}
	return nil
}

func matches(key *sync.Pool, said, body []byte) bool {
	k := key.Get().(*keyed)
	defer key.Put(k)
	k.mac.Reset()
	k.mac.Write(body)
	return hmac.Equal(said, k.mac.Sum(k.sum[:0]))
}
