package bimi_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/bimi"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var (
	testNow   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	testOrg   = resolve.MustName("example.org")
	oidBIMI   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 31}
	oidLogo   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 12}
	oidMark   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 1, 13}
	oidSCT    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// tlv wraps contents.
func tlv(class, tag int, compound bool, parts ...[]byte) []byte {
	return must(asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: compound, Bytes: bytes.Join(parts, nil)}))
}

func seq(parts ...[]byte) []byte { return tlv(asn1.ClassUniversal, asn1.TagSequence, true, parts...) }

// logotype is the extension (RFC 9399, Section 4.1) with one picture by its URI.
func logotype(uri string, hashed []byte) []byte {
	sum := sha256.Sum256(hashed)
	hash := seq(seq(must(asn1.Marshal(oidSHA256))), tlv(0, asn1.TagOctetString, false, sum[:]))
	details := seq(tlv(0, asn1.TagIA5String, false, []byte("image/svg+xml")), seq(hash), seq(tlv(0, asn1.TagIA5String, false, []byte(uri))))
	direct := tlv(asn1.ClassContextSpecific, 0, true, seq(seq(details)))
	return seq(tlv(asn1.ClassContextSpecific, 2, true, direct))
}

func dataURI(b []byte) string {
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(b)
}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// sign makes a certificate; without an issuer it signs itself.
func (a authority) sign(t testing.TB, c *x509.Certificate) authority {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c.SerialNumber = must(rand.Int(rand.Reader, big.NewInt(1<<62)))
	parent, signer := c, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der := must(x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer))
	return authority{must(x509.ParseCertificate(der)), key}
}

func ca(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: testNow.AddDate(-5, 0, 0), NotAfter: testNow.AddDate(5, 0, 0), UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidBIMI},
	}
}

// leaf is a mark certificate for example.org as it should be.
func leaf(t testing.TB, picture []byte) *x509.Certificate {
	packed := zip(t, picture)
	return &x509.Certificate{
		Subject:  pkix.Name{CommonName: "Example", ExtraNames: []pkix.AttributeTypeAndValue{{Type: oidMark, Value: "Registered Mark"}}},
		DNSNames: []string{"example.org"}, NotBefore: testNow.AddDate(0, -1, 0), NotAfter: testNow.AddDate(1, 0, 0),
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidBIMI}, CRLDistributionPoints: []string{"http://crl.example/vmc.crl"},
		ExtraExtensions: []pkix.Extension{{Id: oidLogo, Value: logotype(dataURI(packed), packed)}, {Id: oidSCT, Value: []byte{4, 2, 0, 0}}},
	}
}

func pemOf(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}

func TestEvidence(t *testing.T) {
	root := authority{}.sign(t, ca("Root"))
	inter := root.sign(t, ca("Issuer"))
	other := authority{}.sign(t, ca("Other"))
	plain := ca("Plain")
	plain.UnknownExtKeyUsage = nil
	noUsage := root.sign(t, plain)
	picture := []byte(goodSVG)
	options := bimi.EvidenceOptions{Domain: testOrg, Now: testNow, Roots: root.pool(), SVG: picture}
	setLogo := func(c *x509.Certificate, der []byte) { c.ExtraExtensions[0].Value = der }
	cases := []struct {
		name   string
		leaf   func(*x509.Certificate)
		issuer *authority
		opt    func(*bimi.EvidenceOptions)
		state  resolve.State
		kind   bimi.Kind // of the first problem
	}{
		{"good", nil, nil, nil, resolve.Present, ""},
		{"selector", func(c *x509.Certificate) { c.DNSNames = []string{"news._bimi.example.org"} }, nil, func(o *bimi.EvidenceOptions) { o.Selector = "News" }, resolve.Present, ""},
		{"default selector", func(c *x509.Certificate) { c.DNSNames = []string{"default._bimi.EXAMPLE.org"} }, nil, nil, resolve.Present, ""},
		{"other selector", func(c *x509.Certificate) { c.DNSNames = []string{"news._bimi.example.org"} }, nil, nil, resolve.Absent, bimi.Name},
		{"other domain", func(c *x509.Certificate) { c.DNSNames = []string{"example.com"} }, nil, nil, resolve.Absent, bimi.Name},
		{"wildcard", func(c *x509.Certificate) { c.DNSNames = []string{"*.example.org"} }, nil, func(o *bimi.EvidenceOptions) { o.Domain = resolve.MustName("a.example.org") }, resolve.Absent, bimi.Name},
		{"parent", nil, nil, func(o *bimi.EvidenceOptions) { o.Domain = resolve.MustName("a.example.org") }, resolve.Absent, bimi.Name},
		{"no name", func(c *x509.Certificate) { c.DNSNames = nil }, nil, nil, resolve.Absent, bimi.Missing},
		{"expired", nil, nil, func(o *bimi.EvidenceOptions) { o.Now = testNow.AddDate(2, 0, 0) }, resolve.Absent, bimi.Expired},
		{"not yet", nil, nil, func(o *bimi.EvidenceOptions) { o.Now = testNow.AddDate(-1, 0, 0) }, resolve.Absent, bimi.Expired},
		{"no clock", nil, nil, func(o *bimi.EvidenceOptions) { o.Now = time.Time{} }, resolve.Unavailable, ""},
		{"no roots", nil, nil, func(o *bimi.EvidenceOptions) { o.Roots = nil }, resolve.Unavailable, ""},
		{"other roots", nil, nil, func(o *bimi.EvidenceOptions) { o.Roots = other.pool() }, resolve.Absent, bimi.Chain},
		{"issuer without usage", nil, &noUsage, nil, resolve.Present, bimi.Usage},
		{"no usage", func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil }, nil, nil, resolve.Absent, bimi.Usage},
		{"web certificate", func(c *x509.Certificate) {
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}, nil, nil, resolve.Absent, bimi.Usage},
		{"other picture", nil, nil, func(o *bimi.EvidenceOptions) { o.SVG = []byte(strings.ReplaceAll(goodSVG, "#fff", "#eee")) }, resolve.Absent, bimi.Mismatch},
		{"white space", nil, nil, func(o *bimi.EvidenceOptions) { o.SVG = []byte(strings.ReplaceAll(goodSVG, "\n", "\r\n")) }, resolve.Present, bimi.Mismatch},
		{"no picture", nil, nil, func(o *bimi.EvidenceOptions) { o.SVG = nil }, resolve.Present, ""},
		{"no logo", func(c *x509.Certificate) { c.ExtraExtensions = c.ExtraExtensions[1:] }, nil, nil, resolve.Absent, bimi.Missing},
		{"no SCT", func(c *x509.Certificate) { c.ExtraExtensions = c.ExtraExtensions[:1] }, nil, nil, resolve.Present, bimi.Missing},
		{"no CRL", func(c *x509.Certificate) { c.CRLDistributionPoints = nil }, nil, nil, resolve.Present, bimi.Missing},
		{"no mark type", func(c *x509.Certificate) { c.Subject.ExtraNames = nil }, nil, nil, resolve.Present, bimi.Missing},
		{"wrong hash", func(c *x509.Certificate) { setLogo(c, logotype(dataURI(zip(t, picture)), []byte("x"))) }, nil, nil, resolve.Absent, bimi.Mismatch},
		{"hash of the plain picture", func(c *x509.Certificate) { setLogo(c, logotype(dataURI(zip(t, picture)), picture)) }, nil, nil, resolve.Present, ""},
		{"not compressed", func(c *x509.Certificate) { setLogo(c, logotype(dataURI(picture), picture)) }, nil, nil, resolve.Present, bimi.Format},
		{"logo elsewhere", func(c *x509.Certificate) { setLogo(c, logotype("https://example.org/l.svg", picture)) }, nil, nil, resolve.Absent, bimi.External},
		{"logo runs", func(c *x509.Certificate) {
			bad := []byte(svg(rootAttrs, titled+"<script/>"))
			setLogo(c, logotype(dataURI(bad), bad))
		}, nil, nil, resolve.Absent, bimi.Format},
		{"logo is a bomb", func(c *x509.Certificate) {
			bomb := zip(t, make([]byte, 8<<20))
			setLogo(c, logotype(dataURI(bomb), bomb))
		}, nil, nil, resolve.Absent, bimi.Format},
		{"logo is junk", func(c *x509.Certificate) { setLogo(c, []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}) }, nil, nil, resolve.Absent, bimi.Format},
	}
	for _, c := range cases {
		template, opt, issuer := leaf(t, picture), options, inter
		if c.leaf != nil {
			c.leaf(template)
		}
		if c.opt != nil {
			c.opt(&opt)
		}
		if c.issuer != nil {
			issuer = *c.issuer
		}
		mark := issuer.sign(t, template)
		e, _ := bimi.ParseEvidence(pemOf(mark.cert, issuer.cert, root.cert))
		j := e.Check(opt)
		var kind bimi.Kind
		if len(j.Problems) > 0 {
			kind = j.Problems[0].Kind
		}
		if j.State != c.state || kind != c.kind || j.Why == "" {
			t.Errorf("%s: %s, %s, %v", c.name, j.State, j.Why, j.Problems)
		}
	}
}

func TestEvidenceFields(t *testing.T) {
	root := authority{}.sign(t, ca("Root"))
	for value, want := range map[string]bimi.Mark{"Registered Mark": bimi.Verified, "Government Mark": bimi.Verified, "Prior Use Mark": bimi.Common, "Modified Registered Mark": bimi.Common, "New Mark": bimi.UnknownMark} {
		template := leaf(t, []byte(goodSVG))
		template.Subject.ExtraNames[0].Value = value
		e, err := bimi.ParseEvidence(pemOf(root.sign(t, template).cert, root.cert))
		if err != nil || e.Mark != want || e.MarkType != value {
			t.Errorf("%s: %q, %v", value, e.Mark, err)
		}
		if !bytes.Equal(e.Logo.SVG, []byte(goodSVG)) || !e.Logo.HashOK || !e.Logo.Gzip {
			t.Errorf("%+v", e.Logo)
		}
	}
}

// Documents that are not as they should be.
func TestParseEvidence(t *testing.T) {
	root := authority{}.sign(t, ca("Root"))
	mark := root.sign(t, leaf(t, []byte(goodSVG))).cert
	second := root.sign(t, leaf(t, []byte(goodSVG))).cert
	good := pemOf(mark, root.cert)
	key := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: []byte("secret")})
	cases := []struct {
		name  string
		pem   []byte
		kind  bimi.Kind
		fatal bool
	}{
		{"good", good, "", false},
		{"with text", append([]byte("subject=Example\n"), good...), "", false},
		{"CRLF", bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), "", false},
		{"without issuer", pemOf(mark), bimi.Chain, true},
		{"turned round", pemOf(root.cert, mark), bimi.Chain, false},
		{"twice", pemOf(mark, root.cert, root.cert), bimi.Duplicate, false},
		{"two marks", pemOf(mark, root.cert, second), bimi.Duplicate, false},
		{"private key", append(bytes.Clone(good), key...), bimi.Junk, false},
		{"only a root", pemOf(root.cert), bimi.Usage, true},
		{"DER", mark.Raw, bimi.Format, true},
		{"web page", []byte("<html>"), bimi.Format, true},
		{"empty", nil, bimi.Format, true},
		{"junk in PEM", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("junk")}), bimi.Format, true},
		{"no end", good[:len(good)/3], bimi.Format, true},
		{"huge", bytes.Repeat([]byte("-----BEGIN CERTIFICATE-----\n"), 1<<20), bimi.TooLong, true},
		{"many", bytes.Repeat(append([]byte("-----BEGIN X-----\nAA==\n-----END X-----\n"), key...), 1000), bimi.Unknown, true},
	}
	for _, c := range cases {
		e, err := bimi.ParseEvidence(c.pem)
		var kind bimi.Kind
		if len(e.Problems) > 0 {
			kind = e.Problems[0].Kind
		}
		if kind != c.kind || (err != nil) != c.fatal || err != nil && !errors.Is(err, bimi.ErrEvidence) || len(e.Problems) > 100 {
			t.Errorf("%s: %v, %.500v", c.name, err, e.Problems)
		}
		if j := e.Check(bimi.EvidenceOptions{}); j.State == resolve.Present {
			t.Errorf("%s: nothing was given, so nothing is proven", c.name)
		}
	}
	var none bimi.Evidence
	if j := none.Check(bimi.EvidenceOptions{}); j.State != resolve.Absent {
		t.Errorf("no evidence: %s", j.State)
	}
}

// A signature of another key with the issuer's name, and no roots to notice it by.
func TestForgedIssuer(t *testing.T) {
	one, two := authority{}.sign(t, ca("Root")), authority{}.sign(t, ca("Root"))
	mark := one.sign(t, leaf(t, []byte(goodSVG)))
	e, _ := bimi.ParseEvidence(pemOf(mark.cert, two.cert))
	if j := e.Check(bimi.EvidenceOptions{Domain: testOrg, Now: testNow}); j.State != resolve.Absent || j.Trusted != resolve.Absent {
		t.Errorf("%s: %s", j.State, j.Why)
	}
}

func FuzzParseEvidence(f *testing.F) {
	root := authority{}.sign(f, ca("Root"))
	f.Add(root.sign(f, leaf(f, []byte(goodSVG))).cert.Raw, logotype(dataURI([]byte(goodSVG)), nil))
	f.Add([]byte("x"), []byte{0x30, 0x80})
	template := leaf(f, []byte(goodSVG))
	f.Fuzz(func(t *testing.T, der, logo []byte) {
		e, _ := bimi.ParseEvidence(append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pemOf(root.cert)...))
		e.Check(bimi.EvidenceOptions{Domain: testOrg, Now: testNow, Roots: root.pool()})
		c := *template
		c.ExtraExtensions = []pkix.Extension{{Id: oidLogo, Value: logo}}
		e, err := bimi.ParseEvidence(pemOf(root.sign(t, &c).cert, root.cert))
		if err == nil && len(e.Logo.SVG) == 0 {
			t.Error("no logo")
		}
		for _, p := range e.Problems {
			if strings.IndexFunc(p.Message, func(c rune) bool { return c < ' ' || c > '~' }) >= 0 {
				t.Errorf("%q", p.Message)
			}
		}
	})
}

// A key whose use would cost minutes is not used.
func TestGiantKey(t *testing.T) {
	root := authority{}.sign(t, ca("Root"))
	mark := root.sign(t, leaf(t, []byte(goodSVG)))
	n := new(big.Int).Lsh(big.NewInt(1), 1<<18)
	template := ca("Giant")
	template.SerialNumber = big.NewInt(1)
	der := must(x509.CreateCertificate(rand.Reader, template, root.cert, &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}, root.key))
	giant := must(x509.ParseCertificate(der))
	e, _ := bimi.ParseEvidence(pemOf(mark.cert, giant, root.cert))
	start := time.Now()
	j := e.Check(bimi.EvidenceOptions{Domain: testOrg, Now: testNow, Roots: root.pool()})
	if took := time.Since(start); j.Trusted != resolve.Absent || took > time.Second {
		t.Errorf("%s after %s: %s", j.Trusted, took, j.Why)
	}
}
