package bimi

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// MaxEvidence is the size in octets of a document that is read. A chain with its
	// picture takes 10 to 60 KiB.
	MaxEvidence = 256 << 10

	maxCerts   = 16   // certificates of a document
	maxKeyBits = 8192 // of an RSA key that is used, so that a key cannot cost minutes
	maxNames   = 100  // names of a certificate that are compared
)

// Object identifiers of mark certificates (draft-fetch-validation-vmc-wchuang,
// Section "Verified Mark Certificate Profile"; RFC 9399; RFC 6962, Section 3.3).
var (
	oidUsage     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 31}
	oidLogotype  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 12}
	oidMarkType  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 1, 13}
	oidPilot     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 4, 1}
	oidSCT       = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
	oidNameLimit = asn1.ObjectIdentifier{2, 5, 29, 30}
)

// Mark is the sort of a mark certificate.
type Mark string

// The sorts of mark certificates.
const (
	UnknownMark Mark = ""
	Verified    Mark = "VMC" // for a registered trademark or the mark of a government
	Common      Mark = "CMC" // for a mark in use before, or a modified trademark
)

// Evidence is a document behind a=: a mark certificate and its issuers.
type Evidence struct {
	Chain    []*x509.Certificate // as in the document
	Leaf     *x509.Certificate   // the mark certificate; nil if there is none
	Mark     Mark
	MarkType string   // as in the certificate: foreign text
	Names    []string // DNS names of the mark certificate: foreign text
	Logo     Logotype
	Pilot    bool      // it is marked as an experiment
	Problems []Problem // of the document and the certificate by themselves
}

// Valid reports whether the document is a mark certificate by its form. Whether it
// proves anything is for [Evidence.Check].
func (e Evidence) Valid() bool { return worst(e.Problems) == nil }

func (e *Evidence) problem(k Kind, f Effect, field, format string, args ...any) {
	e.Problems = keep(e.Problems, Problem{Kind: k, Effect: f, Field: field, Offset: -1, Message: fmt.Sprintf(format, args...)})
}

// ParseEvidence reads a PEM document (draft-fetch-validation-vmc-wchuang, Section
// "Fetch Format"). The error is a *[ParseError] with [ErrEvidence] if it holds no mark
// certificate that could be used. The Evidence holds what could be read in all cases.
func ParseEvidence(document []byte) (Evidence, error) {
	var e Evidence
	if len(document) > MaxEvidence {
		e.problem(TooLong, Ignored, "", "the document has more than %d octets and is not read", MaxEvidence)
	} else {
		e.readPEM(document)
		e.choose()
		if e.Leaf != nil {
			e.readLeaf()
		}
	}
	if p := worst(e.Problems); p != nil {
		return e, &ParseError{Reason: ErrEvidence, Problem: *p}
	}
	return e, nil
}

// readPEM reads the blocks.
func (e *Evidence) readPEM(document []byte) {
	if !bytes.Contains(document, []byte("-----BEGIN ")) {
		e.problem(Format, Ignored, "", "the document is no PEM file")
		return
	}
	for rest := document; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			e.problem(Junk, AtRisk, "PEM", "the document holds a private key, for everybody to read: replace it")
			continue
		case block.Type != "CERTIFICATE":
			e.problem(Unknown, Harmless, "PEM", "the document holds a block %s", clip(block.Type))
			continue
		case len(e.Chain) == maxCerts:
			e.problem(TooLong, Ignored, "", "the document holds more than %d certificates", maxCerts)
			return
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			e.problem(Format, Ignored, "certificate", "certificate %d of the document cannot be read: %s", len(e.Chain)+1, clip(err.Error()))
			return
		}
		if slices.ContainsFunc(e.Chain, c.Equal) {
			e.problem(Duplicate, AtRisk, "certificate", "the document holds a certificate twice")
			continue
		}
		e.Chain = append(e.Chain, c)
	}
	if len(e.Chain) == 0 {
		e.problem(Format, Ignored, "", "the document holds no certificate")
	}
}

// choose finds the mark certificate.
func (e *Evidence) choose() {
	var leaves []int
	for i, c := range e.Chain {
		if !c.IsCA && hasUsage(c) {
			leaves = append(leaves, i)
		}
	}
	switch {
	case len(leaves) > 0:
		e.Leaf = e.Chain[leaves[0]]
	case len(e.Chain) > 0:
		e.Leaf = e.Chain[0]
		// Draft VMC, Section "BIMI Extended Key Usage".
		e.problem(Usage, Ignored, "extKeyUsage", "the certificate is not made for BIMI: it lacks the key usage 1.3.6.1.5.5.7.3.31")
		return
	default:
		return
	}
	if len(leaves) > 1 {
		e.problem(Duplicate, AtRisk, "certificate", "the document holds %d mark certificates: receivers may refuse it", len(leaves))
	}
	if leaves[0] != 0 {
		e.problem(Chain, AtRisk, "certificate", "the mark certificate does not stand first: receivers may refuse the document")
	}
	for i := 1; i < len(e.Chain); i++ {
		if !bytes.Equal(e.Chain[i-1].RawIssuer, e.Chain[i].RawSubject) {
			e.problem(Chain, AtRisk, "certificate", "certificate %d of the document is not the issuer of the one before it: receivers may refuse it", i+1)
			break
		}
	}
	if len(e.Chain) == 1 && !bytes.Equal(e.Leaf.RawIssuer, e.Leaf.RawSubject) {
		// Draft VMC, Section "Fetch Format": the issuers have to be in the document.
		e.problem(Chain, Ignored, "certificate", "the document lacks the certificate of the issuer, %s", clip(e.Leaf.Issuer.String()))
	}
}

func hasUsage(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.UnknownExtKeyUsage, oidUsage.Equal)
}

// readLeaf reads the mark certificate.
func (e *Evidence) readLeaf() {
	c := e.Leaf
	e.Names = c.DNSNames[:min(len(c.DNSNames), maxNames)]
	if len(c.DNSNames) == 0 {
		e.problem(Missing, Ignored, "subjectAltName", "the certificate names no domain")
	}
	if len(c.CRLDistributionPoints) == 0 {
		e.problem(Missing, AtRisk, "cRLDistributionPoints", "the certificate does not say where its revocation is published")
	}
	if extension(c, oidSCT) == nil {
		e.problem(Missing, AtRisk, "SCT", "the certificate holds no proof of being logged (RFC 6962)")
	}
	if extension(c, oidNameLimit) != nil {
		e.problem(Invalid, AtRisk, "nameConstraints", "the certificate has name constraints, which are not for it")
	}
	e.Pilot = extension(c, oidPilot) != nil
	if e.Pilot {
		e.problem(Usage, AtRisk, "pilotIdentifier", "the certificate is marked as an experiment")
	}
	e.readMark(c.Subject)
	e.readLogo()
}

func extension(c *x509.Certificate, oid asn1.ObjectIdentifier) []byte {
	for _, x := range c.Extensions {
		if x.Id.Equal(oid) {
			return x.Value
		}
	}
	return nil
}

// marks sorts the values of the mark type (Minimum Security Requirements for
// Issuance of Mark Certificates).
var marks = map[string]Mark{
	"registered mark": Verified, "government mark": Verified,
	"prior use mark": Common, "modified registered mark": Common, "modified registered trademark": Common,
}

func (e *Evidence) readMark(subject pkix.Name) {
	for _, a := range subject.Names {
		if s, ok := a.Value.(string); ok && a.Type.Equal(oidMarkType) {
			e.MarkType = head(s)
			e.Mark = marks[strings.ToLower(strings.TrimSpace(s))]
			if e.Mark == UnknownMark {
				e.problem(Unknown, AtRisk, "markType", "the type of mark, %s, is not known here", clip(s))
			}
			return
		}
	}
	e.problem(Missing, AtRisk, "markType", "the certificate does not say what type of mark it is for")
}

func (e *Evidence) readLogo() {
	der := extension(e.Leaf, oidLogotype)
	if der == nil {
		e.problem(Missing, Ignored, "logotype", "the certificate holds no logo")
		return
	}
	logos, err := parseLogotype(der)
	if err != nil {
		e.problem(Format, Ignored, "logotype", "the logo of the certificate cannot be read: %v", err)
		return
	}
	e.Logo = logos[0]
	if len(logos) > 1 {
		e.problem(Duplicate, AtRisk, "logotype", "the certificate holds %d logos", len(logos))
	}
	switch {
	case e.Logo.SVG == nil:
		// Draft VMC, Section "Logotype Extension": a data URL is needed.
		e.problem(External, Ignored, "logotype", "the logo is not part of the certificate, it is at %s", clip(e.Logo.URI))
		return
	case !strings.EqualFold(e.Logo.MediaType, "image/svg+xml"):
		e.problem(Format, AtRisk, "logotype", "the logo is called %s: image/svg+xml is needed", clip(e.Logo.MediaType))
	case !e.Logo.Gzip:
		e.problem(Format, Harmless, "logotype", "the logo is not compressed")
	}
	switch {
	case !e.Logo.HashKnown:
		e.problem(Unknown, AtRisk, "logotype", "the hash of the logo is of a kind that is not known here")
	case !e.Logo.HashOK:
		e.problem(Mismatch, Ignored, "logotype", "the hash of the logo is not the one of the picture in the certificate")
	}
	x, err := CheckSVG(e.Logo.SVG)
	if err != nil {
		e.problem(Format, Ignored, "logotype", "receivers do not show the logo in the certificate: %s", worst(x.Problems).Message)
	}
}

// usableKey refuses keys that would cost too much to use.
func usableKey(c *x509.Certificate) bool {
	k, ok := c.PublicKey.(*rsa.PublicKey)
	return !ok || k.N.BitLen() <= maxKeyBits
}

// validAt tells whether a certificate is valid at a time.
func validAt(c *x509.Certificate, now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}
