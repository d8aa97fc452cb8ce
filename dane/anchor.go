package dane

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// anchor judges usage 2 (RFC 7672, Section 3.1.2): the record is an issuer, from
// which the server's certificate descends; dates and names count.
func (rr *RecordResult) anchor(chain []*x509.Certificate, names []resolve.Name, now time.Time) {
	rr.Outcome = Mismatch
	if len(chain) == 0 {
		rr.Why = "no certificate was presented"
		return
	}
	roots := rr.roots(chain)
	switch {
	case len(roots) > 0:
	case rr.Depth == 0:
		// The server's own certificate is no issuer; OpenSSL, and so Postfix and Exim,
		// see it that way.
		rr.Why = "it is the server's own certificate, no issuer: usage 3 was probably meant"
		return
	default:
		rr.Why = "it is no certificate of the chain: the issuer has to be presented too"
		return
	}
	err := verify(chain, roots, now)
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		rr.Outcome, rr.Why = Expired, fmt.Sprintf("a certificate is expired or not valid yet: %s", clip(invalid.Cert.Subject.String()))
	case err != nil:
		rr.Outcome, rr.Why = ChainFails, "the issuer is there, but the server's certificate does not descend from it"
	case !covers(chain[0], names):
		rr.Outcome, rr.Why = NameFails, "the certificate is not for "+nameList(names)
	default:
		rr.Outcome, rr.Why = Match, "it is an issuer of the server's certificate"
	}
}

// roots are the certificates that the record makes trust anchors.
func (rr *RecordResult) roots(chain []*x509.Certificate) []*x509.Certificate {
	r := rr.Record
	var roots []*x509.Certificate
	for i, c := range chain {
		if !r.matches(c) {
			continue
		}
		if rr.Depth < 1 {
			rr.Depth = i
		}
		if i > 0 {
			roots = append(roots, c)
		}
	}
	if len(roots) > 0 || r.Matching != Full {
		return roots
	}
	// RFC 7671, Sections 5.2.2 and 5.2.3: an issuer that DNS holds in full, or its
	// key, need not be presented.
	if r.Selector == Cert {
		if c, err := x509.ParseCertificate(r.Data); err == nil && rr.Depth != 0 {
			return []*x509.Certificate{c}
		}
		return nil
	}
	key, err := x509.ParsePKIXPublicKey(r.Data)
	if err != nil {
		return nil
	}
	for _, c := range chain {
		if signedBy(c, key) {
			roots = append(roots, c)
		}
	}
	return roots
}

// signedBy reports whether a key made the signature of a certificate.
func signedBy(c *x509.Certificate, key crypto.PublicKey) bool {
	issuer := x509.Certificate{PublicKey: key, PublicKeyAlgorithm: c.PublicKeyAlgorithm}
	return issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// verify builds a chain to one of the roots.
func verify(chain, roots []*x509.Certificate, now time.Time) error {
	rootPool, others := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range roots {
		rootPool.AddCert(c)
	}
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	if now.IsZero() {
		now = time.Unix(0, 0) // or x509 would take the clock's
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: rootPool, Intermediates: others, CurrentTime: now})
	return err
}

const maxNamed = 5 // names in a sentence

func nameList(names []resolve.Name) string {
	var s []string
	for _, n := range names[:min(len(names), maxNamed)] {
		s = append(s, n.String())
	}
	if len(s) == 0 {
		return "any name given"
	}
	return strings.Join(s, " or ")
}
