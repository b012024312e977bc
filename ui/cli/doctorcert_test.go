package cli

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority signs certificates as a public one does: not with its root, but
// with a certificate in between.
type authority struct {
	roots      *x509.CertPool
	between    *x509.Certificate
	betweenKey *ecdsa.PrivateKey
}

// certificate is what to issue; the zero value is valid, with its whole chain.
type certificate struct {
	host       string
	from, to   time.Time
	selfSigned bool
	leafOnly   bool        // without the certificate in between
	keyMode    os.FileMode // 0 = 0600
}

var (
	serial    = big.NewInt(1)
	validFrom = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	validTo   = time.Date(2027, 1, 30, 12, 0, 0, 0, time.UTC)
)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes a certificate; a nil parent makes it sign itself.
func sign(t *testing.T, c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	c.SerialNumber = serial.Add(serial, big.NewInt(1))
	if parent == nil {
		parent, parentKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	ca := func(name string) *x509.Certificate {
		return &x509.Certificate{
			Subject: pkix.Name{CommonName: name}, NotBefore: validFrom.AddDate(-9, 0, 0), NotAfter: validTo.AddDate(9, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
	}
	rootKey, key := newKey(t), newKey(t)
	root := sign(t, ca("root"), nil, rootKey, nil)
	a := authority{x509.NewCertPool(), sign(t, ca("between"), root, key, rootKey), key}
	a.roots.AddCert(root)
	return a
}

// issue writes a certificate and its key to files.
func (a authority) issue(t *testing.T, c certificate) (certFile, keyFile string) {
	t.Helper()
	key := newKey(t)
	if c.from.IsZero() {
		c.from, c.to = validFrom, validTo
	}
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: c.host}, DNSNames: []string{c.host}, NotBefore: c.from, NotAfter: c.to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	parent, parentKey := a.between, a.betweenKey
	if c.selfSigned {
		parent, parentKey = nil, nil
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sign(t, leaf, parent, key, parentKey).Raw})
	if !c.leafOnly && !c.selfSigned {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.between.Raw})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	w, dir := newWorld(t), t.TempDir()
	certFile = w.write(filepath.Join(dir, "fullchain.pem"), string(chain), 0o644)
	keyFile = w.write(filepath.Join(dir, "privkey.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), cmp.Or(c.keyMode, 0o600))
	return certFile, keyFile
}

func TestCheckCertificate(t *testing.T) {
	ca := newAuthority(t)
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	const host, url = "hooks.tickwatch.net", "https://hooks.tickwatch.net"
	for _, c := range []struct {
		name  string
		cert  certificate
		url   string
		now   time.Time
		state string
		says  []string
	}{
		{"good", certificate{host: host}, url, now, "ok", []string{"30 January 2027, 71 days"}},
		{"host not known", certificate{host: host}, "", now, "ok", nil},
		{"for a domain's every host", certificate{host: "*.tickwatch.net"}, url, now, "ok", nil},
		{"another host's", certificate{host: "other.net"}, url, now, "FAIL", []string{"is not for " + host, "other.net"}},
		{"not yet", certificate{host: host}, url, validFrom.Add(-time.Second), "FAIL", []string{"not valid before 1 November 2026", "clock"}},
		{"just in time", certificate{host: host}, url, validTo, "note", []string{"0 days", "renew"}},
		{"when it was valid", certificate{host: host, from: validFrom.AddDate(-5, 0, 0), to: validTo.AddDate(-5, 0, 0)}, url, now.AddDate(-5, 0, 0), "ok", nil},
		{"expired", certificate{host: host}, url, validTo.Add(time.Second), "FAIL", []string{"expired on 30 January 2027", "renew"}},
		{"soon", certificate{host: host}, url, validTo.Add(-renewWithin + time.Hour), "note", []string{"13 days", "renew"}},
		{"not so soon", certificate{host: host}, url, validTo.Add(-renewWithin), "ok", []string{"14 days"}},
		{"self-signed", certificate{host: host, selfSigned: true}, url, now, "note", []string{"no authority", "self-signed"}},
		{"without its chain", certificate{host: host, leafOnly: true}, url, now, "note", []string{"fullchain.pem"}},
		{"its key open", certificate{host: host, keyMode: 0o604}, url, now, "FAIL", []string{"0604", "chmod o-rwx"}},
		{"its key for a group", certificate{host: host, keyMode: 0o640}, url, now, "ok", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := WebhookConfig{Listen: ":443", PublicURL: c.url}
			w.TLSCert, w.TLSKey = ca.issue(t, c.cert)
			found(t, checkCertificate(w, ca.roots, c.now), c.state, c.says...)
		})
	}
	a, _ := ca.issue(t, certificate{host: host})
	_, b := ca.issue(t, certificate{host: host})
	for name, w := range map[string]WebhookConfig{
		"another's key": {TLSCert: a, TLSKey: b},
		"no file":       {TLSCert: a + "x", TLSKey: b},
		"no PEM":        {TLSCert: b, TLSKey: a},
	} {
		t.Run(name, func(t *testing.T) { found(t, checkCertificate(w, ca.roots, now), "FAIL", "webhook.tls_cert") })
	}
}

func TestCheckNoCertificate(t *testing.T) {
	for listen, state := range map[string]string{
		"127.0.0.1:8480": "ok", "[::1]:8480": "ok", "localhost:8480": "ok", ":8480": "note", "0.0.0.0:8480": "note", "10.0.0.5:8480": "note",
	} {
		found(t, checkCertificate(WebhookConfig{Listen: listen}, nil, time.Now()), state, listen)
	}
}
