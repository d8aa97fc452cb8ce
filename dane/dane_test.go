package dane

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

var (
	testNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	mx      = resolve.MustName("mx.example.org")
	next    = resolve.MustName("example.org")
)

// pki is a root, an issuer below it and a server's certificate.
type pki struct {
	root, sub, leaf *x509.Certificate
	key             *ecdsa.PrivateKey // of leaf
}

func issue(t *testing.T, parent *x509.Certificate, signer *ecdsa.PrivateKey, change func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	template := &x509.Certificate{SerialNumber: serial, NotBefore: testNow.AddDate(0, -1, 0), NotAfter: testNow.AddDate(0, 1, 0)}
	change(template)
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func newPKI(t *testing.T, change func(*x509.Certificate)) pki {
	ca := func(name string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.Subject, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = pkix.Name{CommonName: name}, true, true, x509.KeyUsageCertSign
			c.NotBefore, c.NotAfter = testNow.AddDate(-5, 0, 0), testNow.AddDate(5, 0, 0)
		}
	}
	var p pki
	var rootKey, subKey *ecdsa.PrivateKey
	p.root, rootKey = issue(t, nil, nil, ca("Root"))
	p.sub, subKey = issue(t, p.root, rootKey, ca("Sub"))
	p.leaf, p.key = issue(t, p.sub, subKey, func(c *x509.Certificate) {
		c.Subject, c.DNSNames = pkix.Name{CommonName: "server"}, []string{"mx.example.org"}
		if change != nil {
			change(c)
		}
	})
	return p
}

func rec(t *testing.T, c *x509.Certificate, params string) Record {
	t.Helper()
	p, err := ParseParams(params)
	if err != nil {
		t.Fatal(err)
	}
	part := c.Raw
	if p.Selector == SPKI {
		part = c.RawSubjectPublicKeyInfo
	}
	return Record{p, p.Matching.digest(part)}
}

func bent(r Record) Record {
	r.Data = append([]byte{}, r.Data...)
	r.Data[len(r.Data)-1] ^= 1
	return r
}

func TestVerify(t *testing.T) {
	p := newPKI(t, nil)
	expired := newPKI(t, func(c *x509.Certificate) { c.NotAfter = testNow.Add(-time.Hour) })
	named := newPKI(t, func(c *x509.Certificate) { c.DNSNames = []string{"*.example.org"} })
	nextHop := newPKI(t, func(c *x509.Certificate) { c.DNSNames = []string{"Example.ORG"} })
	wrong := newPKI(t, func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} })
	common := newPKI(t, func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "mx.example.org" })
	masked := newPKI(t, func(c *x509.Certificate) {
		c.DNSNames, c.Subject.CommonName = []string{"other.example"}, "mx.example.org"
	})
	self, _ := issue(t, nil, nil, func(c *x509.Certificate) { c.DNSNames = []string{"mx.example.org"} })
	full := func(p pki) []*x509.Certificate { return []*x509.Certificate{p.leaf, p.sub, p.root} }
	short := func(p pki) []*x509.Certificate { return []*x509.Certificate{p.leaf, p.sub} }
	raw := func(s string) Record {
		r, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	list := func(r ...Record) []Record { return r }
	sha := strings.Repeat("00", 32)
	tests := []struct {
		section, name string
		records       []Record
		chain         []*x509.Certificate
		verdict       Verdict
		outcomes      string
	}{
		{"3.1.1", "3 1 1", list(rec(t, p.leaf, "3 1 1")), full(p), Authenticated, "match"},
		{"3.1.1", "3 0 1", list(rec(t, p.leaf, "3 0 1")), full(p), Authenticated, "match"},
		{"3.1.1", "3 1 2", list(rec(t, p.leaf, "3 1 2")), full(p), Authenticated, "match"},
		{"3.1.1", "3 0 0", list(rec(t, p.leaf, "3 0 0")), full(p), Authenticated, "match"},
		{"3.1.1", "3 1 0", list(rec(t, p.leaf, "3 1 0")), full(p), Authenticated, "match"},
		{"3.1.1", "another key", list(bent(rec(t, p.leaf, "3 1 1"))), full(p), Failed, "mismatch"},
		{"3.1.1", "expired", list(rec(t, expired.leaf, "3 1 1")), full(expired), Authenticated, "match"},
		{"3.1.1", "another name", list(rec(t, wrong.leaf, "3 1 1")), full(wrong), Authenticated, "match"},
		{"3.1.1", "self-signed", list(rec(t, self, "3 1 1")), []*x509.Certificate{self}, Authenticated, "match"},
		{"3.1.1", "usage 3 for an issuer", list(rec(t, p.sub, "3 1 1")), full(p), Failed, "mismatch"},

		{"3.1.2", "2 0 1 of the issuer", list(rec(t, p.sub, "2 0 1")), full(p), Authenticated, "match"},
		{"3.1.2", "2 1 1 of the root", list(rec(t, p.root, "2 1 1")), full(p), Authenticated, "match"},
		{"3.1.2", "2 1 1, issuer is the end of the chain", list(rec(t, p.sub, "2 1 1")), short(p), Authenticated, "match"},
		{"3.1.2", "digest of a root that is not presented", list(rec(t, p.root, "2 0 1")), short(p), Failed, "mismatch"},
		{"RFC 7671, 5.2.2", "root in DNS in full", list(rec(t, p.root, "2 0 0")), short(p), Authenticated, "match"},
		{"RFC 7671, 5.2.3", "key of the root in DNS", list(rec(t, p.root, "2 1 0")), short(p), Authenticated, "match"},
		{"RFC 7671, 5.2.3", "key of the issuer in DNS", list(rec(t, p.sub, "2 1 0")), full(p)[:1], Authenticated, "match"},
		{"RFC 7671, 5.2.3", "another key in DNS", list(rec(t, wrong.sub, "2 1 0")), full(p), Failed, "mismatch"},
		{"3.1.2", "certificate of another issuer in DNS", list(rec(t, wrong.root, "2 0 0")), full(p), Failed, "chain-fails"},
		{"3.1.2", "issuer that did not issue", list(rec(t, wrong.sub, "2 0 1")), []*x509.Certificate{p.leaf, wrong.sub}, Failed, "chain-fails"},
		{"3.1.2", "expired", list(rec(t, expired.sub, "2 0 1")), full(expired), Failed, "expired"},
		{"3.1.2", "usage 2 for the leaf", list(rec(t, p.leaf, "2 1 1")), full(p), Failed, "mismatch"},
		{"3.1.2", "usage 2 for a self-signed leaf", list(rec(t, self, "2 0 1")), []*x509.Certificate{self}, Failed, "mismatch"},
		{"3.2.2", "wildcard", list(rec(t, named.sub, "2 0 1")), full(named), Authenticated, "match"},
		{"3.2.2", "next-hop domain", list(rec(t, nextHop.sub, "2 0 1")), full(nextHop), Authenticated, "match"},
		{"3.2.2", "another name", list(rec(t, wrong.sub, "2 0 1")), full(wrong), Failed, "name-fails"},
		{"3.2.3", "common name without DNS names", list(rec(t, common.sub, "2 0 1")), full(common), Authenticated, "match"},
		{"3.2.3", "common name beside DNS names", list(rec(t, masked.sub, "2 0 1")), full(masked), Failed, "name-fails"},

		{"3.1.3", "0 and 1", list(rec(t, p.root, "0 0 1"), rec(t, p.leaf, "1 1 1")), full(p), Unauthenticated, "unusable unusable"},
		{"3.1.3", "1 beside 3", list(rec(t, p.leaf, "1 1 1"), rec(t, p.leaf, "3 1 1")), full(p), Authenticated, "unusable match"},
		{"3.1.3", "1 matches, 3 does not", list(rec(t, p.leaf, "1 1 1"), raw("3 1 1 "+sha)), full(p), Failed, "unusable mismatch"},
		{"RFC 6698, 4.1", "unknown numbers", list(raw("4 1 1 "+sha), raw("3 2 1 "+sha), raw("3 1 3 "+sha), raw("255 255 255 00")), full(p), Unauthenticated, "unusable unusable unusable unusable"},
		{"RFC 6698, 4.1", "wrong length", list(raw("3 1 1 00"), raw("3 1 2 "+sha)), full(p), Unauthenticated, "unusable unusable"},
		{"RFC 6698, 4.1", "no certificate in full", list(raw("3 0 0 00"), raw("2 1 0 3000")), full(p), Unauthenticated, "unusable unusable"},

		{"RFC 7671, 9", "both digests", list(rec(t, p.leaf, "3 1 1"), rec(t, p.leaf, "3 1 2")), full(p), Authenticated, "outranked match"},
		{"RFC 7671, 9", "stale stronger digest", list(rec(t, p.leaf, "3 1 1"), bent(rec(t, p.leaf, "3 1 2"))), full(p), Failed, "outranked mismatch"},
		{"RFC 7671, 9", "in full beside a digest", list(rec(t, p.leaf, "3 1 0"), bent(rec(t, p.leaf, "3 1 2"))), full(p), Authenticated, "match mismatch"},
		{"RFC 7671, 9", "per selector", list(rec(t, p.leaf, "3 1 1"), bent(rec(t, p.leaf, "3 0 2"))), full(p), Authenticated, "match mismatch"},
		{"RFC 7671, 9", "per usage", list(rec(t, p.leaf, "3 1 1"), bent(rec(t, p.sub, "2 1 2"))), full(p), Authenticated, "match mismatch"},
		{"RFC 7671, 9", "unusable stronger digest", list(rec(t, p.leaf, "3 1 1"), raw("3 1 2 00")), full(p), Authenticated, "match unusable"},

		{"4", "rollover", list(raw("3 1 1 "+sha), rec(t, p.leaf, "3 1 1")), full(p), Authenticated, "mismatch match"},
		{"2.2", "no TLS", list(rec(t, p.leaf, "3 1 1"), rec(t, p.sub, "2 1 1")), nil, Failed, "mismatch mismatch"},
		{"2.2", "no TLS, unusable", list(raw("0 0 1 " + sha)), nil, Failed, "unusable"},
	}
	for _, tt := range tests {
		res := Verify(Set{State: resolve.Present, Security: Secure, Records: tt.records}, tt.chain, []resolve.Name{mx, next}, testNow)
		var got []string
		for _, r := range res.Records {
			got = append(got, string(r.Outcome))
			if r.Why == "" {
				t.Errorf("%s: no words for %s", tt.name, r.Record)
			}
		}
		if res.Verdict != tt.verdict || res.IfSecure != tt.verdict || strings.Join(got, " ") != tt.outcomes || res.Why == "" {
			t.Errorf("%s (Section %s): %s, %s: %+v", tt.name, tt.section, res.Verdict, got, res.Records)
		}
		if (res.Verdict == Authenticated) != (res.Matched >= 0) && tt.verdict != Failed {
			t.Errorf("%s: matched %d", tt.name, res.Matched)
		}
	}
}

func TestVerifySecurity(t *testing.T) {
	p := newPKI(t, func(c *x509.Certificate) { c.DNSNames, c.NotAfter = []string{"x.example"}, testNow.Add(-time.Hour) })
	good := []Record{rec(t, p.leaf, "3 1 1")}
	chain := []*x509.Certificate{p.leaf}
	tests := []struct {
		set      Set
		verdict  Verdict
		ifSecure Verdict
	}{
		{Set{State: resolve.Present, Security: Secure, Records: good}, Authenticated, Authenticated},
		{Set{State: resolve.Present, Security: Insecure, Records: good}, NotApplicable, Authenticated},
		{Set{State: resolve.Present, Security: Bogus, Records: good}, Broken, Authenticated},
		{Set{State: resolve.Present, Records: good}, Undetermined, Authenticated},
		{Set{State: resolve.Present, Records: []Record{bent(good[0])}}, Undetermined, Failed},
		{Set{State: resolve.Absent, Security: Secure}, NotApplicable, NotApplicable},
		{Set{State: resolve.Absent}, NotApplicable, NotApplicable},
		{Set{State: resolve.Unavailable, Security: Secure}, Undetermined, Undetermined},
		{Set{State: resolve.Unavailable, Security: Insecure}, NotApplicable, NotApplicable},
		{Set{State: resolve.Unavailable, Security: Bogus}, Broken, NotApplicable},
		{Set{}, Undetermined, Undetermined},
	}
	for _, tt := range tests {
		res := Verify(tt.set, chain, []resolve.Name{mx}, testNow)
		if res.Verdict != tt.verdict || res.IfSecure != tt.ifSecure || res.Why == "" {
			t.Errorf("%s %s: %s, %s if secure: %s", tt.set.State, tt.set.Security, res.Verdict, res.IfSecure, res.Why)
		}
		if !res.Expired || !res.NameMismatch {
			t.Errorf("what usage 3 hides is not told: %+v", res)
		}
	}
	if res := Verify(Set{Security: Secure, Records: []Record{rec(t, p.sub, "2 1 1")}}, []*x509.Certificate{p.leaf, p.sub}, nil, time.Time{}); res.Verdict != Failed {
		t.Errorf("without time and names: %+v", res)
	}
}

func TestParse(t *testing.T) {
	const hex = "0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6"
	want, err := Parse("3 1 1 " + hex)
	if err != nil || want.String() != "3 1 1 "+hex {
		t.Fatalf("%s, %v", want, err)
	}
	for _, s := range []string{
		"  3\t1 1 " + strings.ToUpper(hex), "3 1 1 " + hex[:31] + " " + hex[31:], "3 1 1 (\n " + hex[:20] + " ; half\n" + hex[20:] + "\n)",
		"DANE-EE SPKI SHA2-256 " + hex, "dane-ee 1 sha2-256 " + hex, "_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 " + hex, "TLSA 3 1 1 " + hex,
		`\# 35 030101` + hex, `TYPE52 \# 35 03 01 01 ` + hex, "03 01 001 " + hex,
	} {
		if r, err := Parse(s); err != nil || !r.Equal(want) {
			t.Errorf("%q: %s, %v", s, r, err)
		}
	}
	tests := []struct {
		text    string
		offsets string
	}{
		{"", "[0 0 0 0]"},
		{"3 1 1", "[5]"},
		{"3 1 " + hex, "[4]"},
		{"3 x 256 0g", "[2 4 9]"},
		{"3 1 1 0c7", "[6]"},
		{"3 1 1 0c:72", "[8]"},
		{`\# 36 030101` + hex, "[2]"},
		{`\# x 03010100`, "[3]"},
		{`\# 3 030101`, "[2]"},
		{"-1 1 1 00", "[0]"},
		{"3 1 1 \x1b[31m", "[6]"},
	}
	for _, tt := range tests {
		r, err := Parse(tt.text)
		e, ok := errors.AsType[*ParseError](err)
		if !ok || !errors.Is(err, ErrSyntax) || r.Data != nil {
			t.Errorf("%q: %s, %v", tt.text, r, err)
			continue
		}
		var got []int
		for _, f := range e.Faults {
			got = append(got, f.Offset)
		}
		if fmt.Sprint(got) != tt.offsets || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: faults at %v, want %s: %v", tt.text, got, tt.offsets, err)
		}
	}
	if _, err := Parse(strings.Repeat("0", maxText+1)); err == nil || len(err.Error()) > 500 {
		t.Errorf("a long text: %v", err)
	}
}

func TestWords(t *testing.T) {
	r, _ := Parse("2 0 9 00")
	if got := fmt.Sprint(r.Usage, " ", r.Selector, " ", r.Matching); got != "DANE-TA Cert 9" {
		t.Errorf("got %s", got)
	}
	if d := FromTLSA(r.TLSA()); !d.Equal(r) || r.TLSA().String() != r.String() {
		t.Errorf("%s and %s", d, r)
	}
	var again Record
	if err := again.UnmarshalText([]byte(r.String())); err != nil || !again.Equal(r) {
		t.Errorf("%s, %v", again, err)
	}
	for s := Indeterminate; s <= Bogus; s++ {
		var back Security
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s {
			t.Errorf("%s reads as %s, %v", s, back, err)
		}
	}
	if err := new(Security).UnmarshalText([]byte("yes")); err == nil {
		t.Error("an unknown word is read")
	}
	if n, err := Owner(mx, 0); err != nil || n.String() != "_25._tcp.mx.example.org" {
		t.Errorf("%s, %v", n, err)
	}
	if _, err := Owner(resolve.Root, 25); err == nil {
		t.Error("the root is an owner")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"3 1 1 00", "(DANE-TA)Cert;x\nFull 0", `\# 4 03010100`, "a 1 IN TLSA 3 1 1 0 0", "3 1 1 0:0", "TYPE52 \\# 99999 00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			e, ok := errors.AsType[*ParseError](err)
			if !ok || len(e.Faults) == 0 || len(e.Faults) > maxFaults {
				t.Fatalf("%q: %#v", text, err)
			}
			for _, x := range e.Faults {
				if x.Offset < 0 || x.Offset > len(text) || strings.ContainsFunc(x.Message+x.Hint, func(c rune) bool { return c < ' ' || c > '~' }) {
					t.Fatalf("%q: fault %+v", text, x)
				}
			}
			return
		}
		again, err := Parse(r.String())
		if err != nil || !again.Equal(r) || len(r.Data) == 0 || len(r.Data) > maxData {
			t.Fatalf("%q: %s reads as %s, %v", text, r, again, err)
		}
		r.Unusable()
	})
}

// FuzzUnusable holds that data from DNS harms nobody.
func FuzzUnusable(f *testing.F) {
	f.Add(uint8(3), uint8(0), uint8(0), []byte{0x30, 0x00})
	f.Fuzz(func(t *testing.T, u, s, m uint8, data []byte) {
		r := Record{Params{Usage(u), Selector(s), Matching(m)}, data}
		res := Verify(Set{Security: Secure, Records: []Record{r}}, nil, nil, testNow)
		if (r.Unusable() == "") != (res.Records[0].Outcome != Unusable) {
			t.Fatalf("%s: %+v", r, res)
		}
	})
}

// resolver is a map of answers.
type resolver map[string]resolve.Answer

func (m resolver) Resolve(_ context.Context, q resolve.Question) (resolve.Answer, error) {
	a, found := m[q.Name.String()+" "+q.Type.String()]
	a.Question = q
	switch {
	case !found:
		a.AuthenticData = m["signed"].AuthenticData
		return a, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
	case a.RCode == resolve.ServFail:
		return a, &resolve.Error{Reason: resolve.ErrServFail, Question: q}
	case len(a.Records) == 0:
		return a, &resolve.Error{Reason: resolve.ErrNoData, Question: q}
	}
	return a, nil
}
