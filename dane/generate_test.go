package dane

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
)

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestGenerate(t *testing.T) {
	p := newPKI(t, nil)
	leaf, sub := block("CERTIFICATE", p.leaf.Raw), block("CERTIFICATE", p.sub.Raw)
	pkcs8 := must(x509.MarshalPKCS8PrivateKey(p.key))(t)
	sec1 := must(x509.MarshalECPrivateKey(p.key))(t)
	public := must(x509.MarshalPKIXPublicKey(&p.key.PublicKey))(t)
	csr := must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p.key))(t)
	params := block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7})
	join := func(b ...[]byte) []byte { return bytes.Join(b, nil) }
	want := rec(t, p.leaf, "3 1 1")
	tests := []struct {
		name   string
		file   []byte
		params string
		want   Record
	}{
		{"certificate", leaf, "", want},
		{"certificate in DER", p.leaf.Raw, "", want},
		{"chain", join([]byte("subject: x\n"), leaf, sub), "", want},
		{"PKCS #8 key", block("PRIVATE KEY", pkcs8), "", want},
		{"PKCS #8 key in DER", pkcs8, "", want},
		{"SEC 1 key", join(params, block("EC PRIVATE KEY", sec1)), "", want},
		{"public key", block("PUBLIC KEY", public), "", want},
		{"public key in DER", public, "", want},
		{"signing request", block("CERTIFICATE REQUEST", csr), "", want},
		{"signing request in DER", csr, "", want},
		{"key and certificate", join(block("PRIVATE KEY", pkcs8), leaf), "3 0 1", rec(t, p.leaf, "3 0 1")},
		{"issuer", sub, "", rec(t, p.sub, "2 1 1")},
		{"issuer out of a chain", join(leaf, sub), "2 0 1", rec(t, p.sub, "2 0 1")},
		{"3 0 2", leaf, "3 0 2", rec(t, p.leaf, "3 0 2")},
		{"3 1 0", leaf, "3 1 0", rec(t, p.leaf, "3 1 0")},
		{"DANE-EE SPKI SHA2-512", leaf, "DANE-EE SPKI SHA2-512", rec(t, p.leaf, "3 1 2")},
	}
	for _, tt := range tests {
		var pr Params
		if tt.params != "" {
			pr = must(ParseParams(tt.params))(t)
		}
		if got, err := Generate(tt.file, pr); err != nil || !got.Equal(tt.want) {
			t.Errorf("%s: %s, %v", tt.name, got, err)
		}
	}
	bad := []struct {
		name   string
		file   []byte
		params Params
		want   error
	}{
		{"nothing", nil, Params{}, ErrMaterial},
		{"text", []byte("hello"), Params{}, ErrMaterial},
		{"parameters only", params, Params{}, ErrMaterial},
		{"broken certificate", block("CERTIFICATE", []byte{1, 2}), Params{}, ErrMaterial},
		{"second one broken", join(leaf, block("CERTIFICATE", []byte{1, 2})), Params{}, ErrMaterial},
		{"encrypted key", block("ENCRYPTED PRIVATE KEY", pkcs8), Params{}, ErrMaterial},
		{"too long", make([]byte, maxFile+1), Params{}, ErrMaterial},
		{"3 0 1 of a key", block("PRIVATE KEY", pkcs8), Params{DANEEE, Cert, SHA256}, ErrGenerate},
		{"2 1 1 of a server", leaf, Params{DANETA, SPKI, SHA256}, ErrGenerate},
		{"1 1 1", leaf, Params{PKIXEE, SPKI, SHA256}, ErrGenerate},
		{"3 1 7", leaf, Params{DANEEE, SPKI, 7}, ErrGenerate},
		{"3 7 1", leaf, Params{DANEEE, 7, SHA256}, ErrGenerate},
	}
	for _, tt := range bad {
		if r, err := Generate(tt.file, tt.params); !errors.Is(err, tt.want) {
			t.Errorf("%s: %s, %v", tt.name, r, err)
		}
	}
	for _, s := range []string{"", "3 1", "3 1 1 1", "x 1 1", "3 1 256"} {
		if p, err := ParseParams(s); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %s, %v", s, p, err)
		}
	}
}

func TestGenerateKeys(t *testing.T) {
	r := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string][2][]byte{
		"RSA":         {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r)), block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&r.PublicKey))},
		"RSA in DER":  {x509.MarshalPKCS1PrivateKey(r), must(x509.MarshalPKIXPublicKey(&r.PublicKey))(t)},
		"Ed25519":     {block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed))(t)), block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(ed.Public()))(t))},
		"broken key":  {block("PRIVATE KEY", []byte("secret")), block("PRIVATE KEY", []byte("secret"))},
		"X25519 only": {block("X25519 PRIVATE KEY", []byte("secret")), nil},
	} {
		a, err := Generate(files[0], Params{})
		b, err2 := Generate(files[1], Params{})
		if strings.HasPrefix(name, "broken") || strings.HasPrefix(name, "X25519") {
			if !errors.Is(err, ErrMaterial) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %s, %v", name, a, err)
			}
			continue
		}
		if err != nil || err2 != nil || !a.Equal(b) || a.Params.String() != "3 1 1" {
			t.Errorf("%s: %s, %s, %v, %v", name, a, b, err, err2)
		}
	}
}

func TestRollover(t *testing.T) {
	p, n := newPKI(t, nil), newPKI(t, nil)
	mat := func(c ...*x509.Certificate) []Material {
		var out []Material
		for _, x := range c {
			out = append(out, Material{Certificate: x, PublicKey: x.RawSubjectPublicKeyInfo})
		}
		return out
	}
	renew := func(key *ecdsa.PrivateKey) *x509.Certificate { // the same key in another certificate
		template := *p.leaf
		template.NotAfter = p.leaf.NotAfter.AddDate(0, 3, 0)
		der := must(x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key))(t)
		return must(x509.ParseCertificate(der))(t)
	}
	live, next := mat(p.leaf, p.sub), mat(n.leaf, n.sub)
	same := mat(renew(p.key), p.sub)
	key := []Material{{PublicKey: n.leaf.RawSubjectPublicKeyInfo}}
	tests := []struct {
		name             string
		records          []Record
		next             []Material
		live, ahead, old int
		missing          string
		ready, single    bool
	}{
		{"one record, next unknown", []Record{rec(t, p.leaf, "3 1 1")}, nil, 1, 0, 0, "", false, true},
		{"one record, another key", []Record{rec(t, p.leaf, "3 1 1")}, next, 1, 0, 0, rec(t, n.leaf, "3 1 1").String(), false, true},
		{"one record, a key alone", []Record{rec(t, p.leaf, "3 1 1")}, key, 1, 0, 0, rec(t, n.leaf, "3 1 1").String(), false, true},
		{"next is published", []Record{rec(t, p.leaf, "3 1 1"), rec(t, n.leaf, "3 1 1")}, next, 1, 1, 0, "", true, false},
		{"the same key", []Record{rec(t, p.leaf, "3 1 1")}, same, 1, 0, 0, "", true, true},
		{"the same key, 3 0 1", []Record{rec(t, p.leaf, "3 0 1")}, same, 1, 0, 0, rec(t, same[0].Certificate, "3 0 1").String(), false, true},
		{"the same issuer", []Record{rec(t, p.sub, "2 1 1")}, same, 1, 0, 0, "", true, true},
		{"another issuer", []Record{rec(t, p.sub, "2 1 1")}, next, 1, 0, 0, rec(t, n.sub, "2 1 1").String(), false, true},
		{"leftover", []Record{rec(t, p.leaf, "3 1 1"), bent(rec(t, p.leaf, "3 1 1"))}, nil, 1, 0, 1, "", false, true},
		{"unusable", []Record{rec(t, p.leaf, "1 1 1")}, next, 0, 0, 1, rec(t, n.leaf, "3 1 1").String(), false, false},
		{"next is outranked", []Record{rec(t, n.leaf, "3 1 1"), rec(t, p.leaf, "3 1 2")}, next, 1, 1, 0, rec(t, n.leaf, "3 1 2").String(), false, false},
		{"usage 3 for an issuer", []Record{rec(t, p.sub, "3 1 1")}, nil, 0, 0, 1, "", false, false},
	}
	for _, tt := range tests {
		r := CheckRollover(tt.records, live, tt.next)
		var missing []string
		for _, m := range r.Missing {
			missing = append(missing, m.String())
		}
		if len(r.Live) != tt.live || len(r.Next) != tt.ahead || len(r.Stale) != tt.old || strings.Join(missing, " ") != tt.missing || r.Ready != tt.ready || r.Single != tt.single || r.Why == "" {
			t.Errorf("%s: %+v", tt.name, r)
		}
	}
}
