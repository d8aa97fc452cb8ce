package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// MaxChain is the number of certificates of a chain that are looked at. Real
	// chains have two to four.
	MaxChain = 10
	// MinRSA and MinEC are 112 bits of security (NIST SP 800-57, Table 2).
	MinRSA = 2048
	MinEC  = 224

	maxMoments = 8 // verifications of one chain, each of up to 100 signatures

	dayFormat = "2006-01-02 15:04:05 MST"

	maxNames  = 5  // of a certificate, in a detail
	maxQuoted = 80 // octets of foreign text in a detail
)

// Judge answers the four questions for the chain, host certificate first. The
// host is the name that was connected to, the MX host itself. Roots nil means
// those of the system; now is the time of the verdict.
func Judge(chain []*x509.Certificate, host string, roots *x509.CertPool, now time.Time) Verdict {
	if len(chain) == 0 {
		none := Check{State: Bad, Problem: NoCertificate}
		return Verdict{Chain: none, Name: none, Time: none, Key: none}
	}
	if len(chain) > MaxChain {
		chain = chain[:MaxChain]
	}
	v := Verdict{Name: judgeName(chain[0], host), Time: judgeTime(chain[0], now), Key: judgeKeys(chain)}
	var at time.Time
	if v.Chain, at = judgeChain(chain, roots, now); v.Chain.State == Good && v.Time.State == Good && !at.Equal(now) {
		v.Time = Check{State: Bad, Problem: IssuerOutOfTime,
			Detail: "a certificate above the host's is out of time; the chain was valid on " + at.UTC().Format(dayFormat)}
	}
	return v
}

// systemRoots reads the trusted roots of the machine once. A machine without any
// (a bare container) gives an empty pool and no error.
var systemRoots = sync.OnceValue(func() *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil || pool.Equal(x509.NewCertPool()) {
		return nil
	}
	return pool
})

// judgeChain looks for any time at which the chain is valid, so that an expired
// certificate is a matter of time alone. The time found is returned.
func judgeChain(chain []*x509.Certificate, roots *x509.CertPool, now time.Time) (Check, time.Time) {
	if roots == nil {
		if roots = systemRoots(); roots == nil {
			return Check{State: Unknown, Problem: NoRoots, Detail: "this machine has no trusted root certificates"}, now
		}
	}
	opt := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range chain[1:] {
		opt.Intermediates.AddCert(c)
	}
	var first error
	for _, at := range moments(chain, now) {
		opt.CurrentTime = at
		_, err := chain[0].Verify(opt)
		if err == nil {
			return Check{State: Good}, at
		}
		if first == nil {
			first = err
		}
		if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); !ok || invalid.Reason != x509.Expired {
			// Any reason but time is the better one to name.
			return explain(chain, err), now
		}
	}
	return explain(chain, first), now
}

// moments are the times to try: now, then just inside both ends of every
// certificate's validity. If all certificates were ever valid together, it was
// at one of them; a hostile chain does not get more than maxMoments.
func moments(chain []*x509.Certificate, now time.Time) []time.Time {
	out := []time.Time{now}
	for _, c := range chain {
		for _, at := range []time.Time{c.NotAfter.Add(-time.Second), c.NotBefore.Add(time.Second)} {
			if len(out) < maxMoments && !slices.ContainsFunc(out, at.Equal) {
				out = append(out, at)
			}
		}
	}
	return out
}

func explain(chain []*x509.Certificate, err error) Check {
	check := func(p Problem, format string, args ...any) Check {
		return Check{State: Bad, Problem: p, Detail: fmt.Sprintf(format, args...)}
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		switch invalid.Reason {
		case x509.IncompatibleUsage:
			return check(NotForServers, "the extended key usage excludes server authentication")
		case x509.CANotAuthorizedForThisName, x509.CANotAuthorizedForExtKeyUsage, x509.NameConstraintsWithoutSANs,
			x509.UnconstrainedName, x509.TooManyConstraints:
			return check(Constrained, "an authority in the chain may not issue this certificate")
		}
		return check(InvalidChain, "%s", reason(invalid.Reason))
	}
	if _, ok := errors.AsType[x509.UnhandledCriticalExtension](err); ok {
		return Check{State: Unknown, Problem: UnsupportedCheck, Detail: "a critical extension is unknown to this program"}
	}
	if _, ok := errors.AsType[x509.SystemRootsError](err); ok {
		return Check{State: Unknown, Problem: NoRoots, Detail: "the trusted roots of this machine could not be read"}
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		return check(InvalidChain, "%s", quote(err.Error()))
	}
	leaf := chain[0]
	if selfIssued(leaf) && signs(leaf, leaf) {
		return check(SelfSigned, "the certificate is signed by itself")
	}
	if w := judgeKeys(chain); w.Problem == WeakSignature {
		return w // an untrusted signature is why no path was found
	}
	top := climb(chain)
	if selfIssued(top) {
		return check(UntrustedRoot, "the chain ends in %s, which is not trusted", quote(top.Subject.String()))
	}
	return check(Incomplete, "the certificate of %s was not sent and is no trusted root", quote(top.Issuer.String()))
}

func reason(r x509.InvalidReason) string {
	switch r {
	case x509.NotAuthorizedToSign:
		return "a certificate in the chain is not one of an authority"
	case x509.TooManyIntermediates:
		return "the chain is longer than an authority in it allows"
	case x509.NameMismatch:
		return "the name of an issuer and of the certificate above differ"
	case x509.Expired:
		return "the certificates of the chain were never valid at one time"
	case x509.NoValidChains:
		return "no chain that the certificate policies allow"
	}
	return "reason " + strconv.Itoa(int(r))
}

// climb follows the issuers through the presented certificates to the last.
func climb(chain []*x509.Certificate) *x509.Certificate {
	at := chain[0]
	for range chain {
		if selfIssued(at) {
			break
		}
		next := at
		for _, c := range chain[1:] {
			if c != at && bytes.Equal(c.RawSubject, at.RawIssuer) && signs(c, at) {
				next = c
				break
			}
		}
		if next == at {
			break
		}
		at = next
	}
	return at
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// signs reports whether the key of a signs c. It asks nothing about a's right to.
func signs(a, c *x509.Certificate) bool {
	return a.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

func judgeName(leaf *x509.Certificate, host string) Check {
	// RFC 9525, Section 6.3: a DNS-ID with at most one wildcard, as the whole
	// left-most label. Section 2: the common name is no identifier.
	if leaf.VerifyHostname(strings.TrimSuffix(host, ".")) == nil {
		return Check{State: Good}
	}
	if len(leaf.DNSNames) == 0 && len(leaf.IPAddresses) == 0 {
		c := Check{State: Bad, Problem: NoNames, Detail: "the certificate holds no DNS name"}
		if cn := leaf.Subject.CommonName; cn != "" {
			c.Detail += ", only the common name " + quote(cn)
		}
		return c
	}
	return Check{State: Bad, Problem: NameMismatch, Detail: "the certificate is for " + names(leaf) + ", not for " + quote(host)}
}

func names(c *x509.Certificate) string {
	var out []string
	for _, n := range c.DNSNames {
		out = append(out, quote(n))
	}
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	if more := len(out) - maxNames; more > 0 {
		out = append(out[:maxNames], strconv.Itoa(more)+" more")
	}
	return strings.Join(out, ", ")
}

func judgeTime(leaf *x509.Certificate, now time.Time) Check {
	switch {
	case now.After(leaf.NotAfter):
		return Check{State: Bad, Problem: Expired, Detail: "expired on " + leaf.NotAfter.UTC().Format(dayFormat)}
	case now.Before(leaf.NotBefore):
		return Check{State: Bad, Problem: NotYetValid, Detail: "not valid before " + leaf.NotBefore.UTC().Format(dayFormat)}
	}
	return Check{State: Good}
}

func judgeKeys(chain []*x509.Certificate) Check {
	for i, c := range chain {
		if i > 0 && selfIssued(c) {
			continue // a root is trusted as it is or not at all
		}
		if p, detail := weakKey(c); p != "" {
			return Check{State: stateOf(p), Problem: p, Detail: detail}
		}
		switch c.SignatureAlgorithm {
		case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
			return Check{State: Bad, Problem: WeakSignature, Detail: "a certificate is signed with " + c.SignatureAlgorithm.String()}
		}
	}
	return Check{State: Good}
}

func stateOf(p Problem) State {
	if p == UnsupportedCheck {
		return Unknown
	}
	return Bad
}

func weakKey(c *x509.Certificate) (Problem, string) {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < MinRSA {
			return WeakKey, fmt.Sprintf("RSA key of %d bits, at least %d are needed", n, MinRSA)
		}
	case *ecdsa.PublicKey:
		if n := k.Curve.Params().BitSize; n < MinEC {
			return WeakKey, fmt.Sprintf("EC key of %d bits, at least %d are needed", n, MinEC)
		}
	case ed25519.PublicKey:
	default:
		if c.PublicKeyAlgorithm == x509.DSA {
			return WeakKey, "DSA key"
		}
		return UnsupportedCheck, "a key of a kind that this program does not know"
	}
	return "", ""
}

func quote(s string) string {
	if len(s) > maxQuoted {
		s = s[:maxQuoted]
	}
	return strconv.QuoteToASCII(s)
}
