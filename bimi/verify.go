package bimi

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// EvidenceOptions are what [Evidence.Check] holds a certificate against.
type EvidenceOptions struct {
	Domain   resolve.Name // at which the record was found
	Selector string       // empty: DefaultSelector
	Now      time.Time    // zero: validity is not judged
	// Roots are the authorities for mark certificates that are trusted. They are not
	// those of the web, and none are part of this package. Nil: the chain is followed
	// within the document, and whether it is trusted is not judged.
	Roots *x509.CertPool
	// SVG is the picture behind l=, compressed or not. Nil: it is not compared.
	SVG []byte
}

// Judgement is what a certificate proves.
type Judgement struct {
	// State is Present if the certificate proves that the logo belongs to the domain,
	// Absent if it is proven not to, and Unavailable if something was not judged.
	// Revocation and the signatures of logs are never judged.
	State    resolve.State
	Problems []Problem // those of the document first
	Why      string

	Names   resolve.State // the certificate is for the domain
	Valid   resolve.State // every certificate up to the root is valid now
	Trusted resolve.State // it leads to one of the roots
	Same    resolve.State // its picture is the one behind l=
}

func (j *Judgement) problem(k Kind, f Effect, field, format string, args ...any) {
	j.Problems = keep(j.Problems, Problem{Kind: k, Effect: f, Field: field, Offset: -1, Message: fmt.Sprintf(format, args...)})
}

// Check judges a certificate (draft-fetch-validation-vmc-wchuang, Section "Validation
// of Verified Mark Certificate").
func (e Evidence) Check(opt EvidenceOptions) Judgement {
	j := Judgement{Problems: append([]Problem(nil), e.Problems...)}
	if e.Leaf == nil {
		if worst(j.Problems) == nil {
			j.problem(Missing, Ignored, "", "there is no certificate")
		}
		j.State, j.Why = resolve.Absent, worst(j.Problems).Message
		return j
	}
	j.names(e, opt)
	j.validity(e, opt.Now)
	j.trust(e, opt)
	j.picture(e, opt.SVG)
	if p := worst(j.Problems); p != nil {
		j.State, j.Why = resolve.Absent, p.Message
		return j
	}
	for _, step := range []struct {
		state resolve.State
		why   string
	}{
		{j.Names, "whether the certificate is for the domain was not judged"},
		{j.Valid, "whether the certificate is valid now was not judged"},
		{j.Trusted, "whether the issuer of the certificate is trusted was not judged, as no roots were given"},
	} {
		if step.state == resolve.Unavailable {
			j.Why = step.why
			return j
		}
	}
	j.State, j.Why = resolve.Present, "the certificate proves that the logo belongs to the domain"
	return j
}

// names compares the names of the certificate with the record (draft VMC, Section
// "VMC Domain Verification"): the domain, for any selector, or the record's name.
func (j *Judgement) names(e Evidence, opt EvidenceOptions) {
	if opt.Domain.IsZero() {
		return
	}
	selector := opt.Selector
	if selector == "" {
		selector = DefaultSelector
	}
	record := strings.ToLower(selector) + "._bimi." + opt.Domain.String()
	for _, n := range e.Names {
		// No wildcards: the names are compared as they are.
		if n = strings.TrimSuffix(strings.ToLower(n), "."); n == opt.Domain.String() || n == record {
			j.Names = resolve.Present
			return
		}
	}
	j.Names = resolve.Absent
	if len(e.Names) > 0 {
		j.problem(Name, Ignored, "subjectAltName", "the certificate is for %s, not for %s", nameList(e.Names), opt.Domain)
	}
}

func nameList(names []string) string {
	const most = 5
	var s []string
	for _, n := range names[:min(len(names), most)] {
		s = append(s, clip(n))
	}
	if more := len(names) - len(s); more > 0 {
		s = append(s, fmt.Sprintf("%d more", more))
	}
	return strings.Join(s, ", ")
}

// validity looks at the dates of all certificates.
func (j *Judgement) validity(e Evidence, now time.Time) {
	if now.IsZero() {
		return
	}
	j.Valid = resolve.Present
	for _, c := range e.Chain {
		if validAt(c, now) {
			continue
		}
		j.Valid = resolve.Absent
		what := "the certificate of the issuer " + clip(c.Subject.CommonName)
		if c == e.Leaf {
			what = "the mark certificate"
		}
		if now.After(c.NotAfter) {
			j.problem(Expired, Ignored, "validity", "%s expired on %s", what, c.NotAfter.UTC().Format(time.DateOnly))
		} else {
			j.problem(Expired, Ignored, "validity", "%s is not valid before %s", what, c.NotBefore.UTC().Format(time.DateTime))
		}
	}
}

// trust follows the chain.
func (j *Judgement) trust(e Evidence, opt EvidenceOptions) {
	pool := x509.NewCertPool()
	for _, c := range e.Chain {
		if !usableKey(c) {
			j.Trusted = resolve.Absent
			j.problem(Chain, Ignored, "key", "the key of %s has more than %d bits and is not used", clip(c.Subject.CommonName), maxKeyBits)
			return
		}
		if c != e.Leaf {
			pool.AddCert(c)
		}
	}
	issuer := e.issuer()
	switch {
	case issuer == nil:
		// One certificate, or none that fits: only a root that issued it can help.
	case !hasUsage(issuer):
		// Draft VMC, Section "BIMI Extended Key Usage": the issuer needs it too.
		j.problem(Usage, AtRisk, "extKeyUsage", "the issuer, %s, is not made for BIMI: it lacks the key usage", clip(issuer.Subject.CommonName))
	}
	if opt.Roots == nil {
		if issuer != nil {
			if err := e.Leaf.CheckSignatureFrom(issuer); err != nil {
				j.Trusted = resolve.Absent
				j.problem(Chain, Ignored, "signature", "the certificate is not signed by the issuer in the document, %s", clip(issuer.Subject.CommonName))
			}
		}
		return
	}
	at := opt.Now
	if at.IsZero() || !validAt(e.Leaf, at) {
		// What is left then is the fault of the chain alone.
		at = e.Leaf.NotBefore
	}
	_, err := e.Leaf.Verify(x509.VerifyOptions{
		Roots: opt.Roots, Intermediates: pool, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // the usage is judged above
	})
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		j.Trusted = resolve.Present
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		j.Trusted = resolve.Absent
		j.problem(Expired, Ignored, "chain", "a certificate on the way to the root is not valid at this time: %s", clip(invalid.Cert.Subject.CommonName))
	default:
		j.Trusted = resolve.Absent
		j.problem(Chain, Ignored, "chain", "the certificate leads to no root that is trusted; it is issued by %s", clip(e.Leaf.Issuer.String()))
	}
}

// issuer is the issuer of the mark certificate, by its name.
func (e Evidence) issuer() *x509.Certificate {
	for _, c := range e.Chain {
		if c != e.Leaf && string(c.RawSubject) == string(e.Leaf.RawIssuer) {
			return c
		}
	}
	return nil
}

// picture compares the two pictures.
func (j *Judgement) picture(e Evidence, svg []byte) {
	if svg == nil || e.Logo.SVG == nil {
		return
	}
	switch same, alike := SameSVG(svg, e.Logo.SVG); {
	case same:
		j.Same = resolve.Present
	case alike:
		j.Same = resolve.Present
		j.problem(Mismatch, AtRisk, "l", "the picture behind l= and the one in the certificate differ in white space: receivers may refuse that")
	default:
		// Draft VMC, Section "Validation of VMC Evidence Document": a receiver may
		// fail the record when they differ.
		j.Same = resolve.Absent
		j.problem(Mismatch, Ignored, "l", "the picture behind l= is not the one in the certificate")
	}
}
