package cli

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"time"
)

// renewWithin is when a certificate should have been renewed: authorities that
// renew by themselves do so a month before the end.
const renewWithin = 14 * 24 * time.Hour

// checkCertificate wants the listener's own certificate to be one that Meta
// accepts, or none behind a TLS proxy on the same machine.
func checkCertificate(w WebhookConfig, roots *x509.CertPool, now time.Time) check {
	if w.TLSCert == "" {
		if host, _, err := net.SplitHostPort(w.Listen); err == nil && loopback(host) {
			return fine("none: plain HTTP on %s, for a TLS proxy on this machine", w.Listen)
		}
		return note("none, and "+w.Listen+" takes plain HTTP from other machines, which carries phone numbers",
			"set webhook.listen to 127.0.0.1 behind a TLS proxy, or set webhook.tls_cert and webhook.tls_key")
	}
	pair, err := tls.LoadX509KeyPair(w.TLSCert, w.TLSKey)
	if err != nil {
		return ill("cannot be used: "+err.Error(), "name the certificate chain and its own private key (both PEM) in webhook.tls_cert and webhook.tls_key")
	}
	if info, err := os.Stat(w.TLSKey); err == nil && info.Mode().Perm()&0o007 != 0 {
		return ill(fmt.Sprintf("every user may read the private key %s (mode %04o)", w.TLSKey, info.Mode().Perm()), "run: chmod o-rwx "+shellWord(w.TLSKey))
	}
	host := ""
	if u, err := url.Parse(w.PublicURL); err == nil {
		host = u.Hostname()
	}
	return judgeCertificate(pair, host, roots, now)
}

// judgeCertificate judges a chain for a host; "" = the host is not known.
func judgeCertificate(pair tls.Certificate, host string, roots *x509.CertPool, now time.Time) check {
	leaf, between := pair.Leaf, x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			between.AddCert(c)
		}
	}
	const day = "2 January 2006"
	const renew = "renew it, and restart the daemon"
	switch {
	case now.Before(leaf.NotBefore):
		return ill("is not valid before "+leaf.NotBefore.Format(day), "check the clock, or use another certificate")
	case now.After(leaf.NotAfter):
		return ill("expired on "+leaf.NotAfter.Format(day)+", so Meta cannot deliver", renew)
	case host != "":
		if err := leaf.VerifyHostname(host); err != nil {
			return ill("is not for "+host+": "+err.Error(), "use a certificate for the host of webhook.public_url, or correct that")
		}
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now})
	if err != nil {
		return note("no authority that this machine trusts has signed it: "+err.Error(),
			"put the whole chain into webhook.tls_cert (fullchain.pem); Meta refuses one that is self-signed, which will do only behind a TLS proxy")
	}
	left := leaf.NotAfter.Sub(now)
	valid := fmt.Sprintf("valid until %s, %.0f days from now", leaf.NotAfter.Format(day), math.Floor(left.Hours()/24))
	if left < renewWithin {
		return note(valid, renew)
	}
	return fine("%s", valid)
}

// sameCertificate tells whether the listener shows the certificate of the file.
func sameCertificate(s tls.ConnectionState, w WebhookConfig) error {
	pair, err := tls.LoadX509KeyPair(w.TLSCert, w.TLSKey)
	if err != nil {
		return fmt.Errorf("the certificate cannot be used: %w", err)
	}
	if len(s.PeerCertificates) == 0 {
		return errors.New("it shows no certificate")
	}
	if !bytes.Equal(s.PeerCertificates[0].Raw, pair.Leaf.Raw) {
		return errOtherCertificate
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
