package signature

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
)

func header(t testing.TB, text string) *message.Header {
	t.Helper()
	m := message.New()
	if err := m.Read(context.Background(), strings.NewReader(text), message.Limits{}, func() []message.BodySpec { return nil }); err != nil {
		t.Fatal(err)
	}
	return &m.Header
}

const good = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed; d=example.org; i=a=3Db@sub.example.org; s=s1; t=1; x=2; l=3; q=dns/txt;" +
	" h=From : To; z=From:a=20b|To:=7C; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AA\r\n AA ; zz=b=c\r\n\r\n"

func TestParse(t *testing.T) {
	h := header(t, good)
	f, bad := Parse(h, 0, DKIM)
	if bad != nil {
		t.Fatal(bad)
	}
	if f.Identity != "a=b@sub.example.org" || f.Time != 1 || f.Expires != 2 || f.Length != 3 || !f.RelaxedHeader || f.RelaxedBody || f.KeyType() != "rsa" ||
		!slices.Equal(f.Names, []string{"From", "To"}) || f.BodyHash != sha256.Sum256(nil) || !bytes.Equal(f.Signature, []byte{0, 0, 0}) {
		t.Errorf("%+v", f)
	}
	if cut, end := f.Cut(); string(h.Raw[cut:end]) != "AA\r\n AA " {
		t.Errorf("b= is %q", h.Raw[cut:end])
	}
	if c := f.Copies(); len(c) != 2 || c[0] != [2]string{"From", "a b"} || c[1] != [2]string{"To", "|"} {
		t.Errorf("z= is %q", c)
	}
}

func TestInstance(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "50": 50, "09": 9, "0": 0, "51": 0, "": 0, "1a": 0, "001": 0, "-1": 0, " 1": 0} {
		n, ok := Instance(text)
		if ok != (want > 0) || ok && n != want {
			t.Errorf("%q: %d %v", text, n, ok)
		}
	}
}

// TestSigned recovers what an RSA signature was made over, and nothing from others.
func TestSigned(t *testing.T) {
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := rsa.GenerateKey(rand.Reader, 1024)
	sum := sha256.Sum256([]byte("text"))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := Signed(&k.PublicKey, sig); !ok || got != sum {
		t.Errorf("%x %v", got, ok)
	}
	if !Check(&k.PublicKey, sum, sig) || Check(&other.PublicKey, sum, sig) || Check(nil, sum, sig) {
		t.Error("check")
	}
	sha1, _ := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA1, make([]byte, 20))
	damaged := bytes.Clone(sig)
	damaged[5] ^= 1
	for name, s := range map[string][]byte{"damaged": damaged, "short": sig[1:], "long": append([]byte{0}, sig...), "SHA-1": sha1, "empty": nil, "ones": bytes.Repeat([]byte{255}, 128)} {
		if _, ok := Signed(&k.PublicKey, s); ok {
			t.Errorf("%s is taken for a signature", name)
		}
	}
	if _, ok := Signed(&other.PublicKey, sig); ok {
		t.Error("a signature of another key")
	}
	ed := ed25519.NewKeyFromSeed(make([]byte, 32))
	if !Check(ed.Public(), sum, ed25519.Sign(ed, sum[:])) || Check(ed25519.PublicKey{1}, sum, sig) {
		t.Error("ed25519")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good, uint8(0))
	f.Add("a: i=1; a=ed25519-sha256; cv=none; d=a.b; s=c; b=AAAA\r\n", uint8(2))
	f.Add("a: i=1; a=ed25519-sha256; d=a.b; s=c; h=from; bh=AAAA; b=AAAA\r\n", uint8(1))
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		h := header(t, text)
		for i := range h.Fields {
			s, bad := Parse(h, i, Kind(kind%3))
			s.Copies()
			if bad != nil {
				if bad.Reason == "" || bad.Detail == "" || strings.ContainsAny(bad.Detail, "\r\n\x00") {
					t.Fatalf("%+v", bad)
				}
				continue
			}
			cut, end := s.Cut()
			if cut <= h.Fields[i].Value || end < cut || end > h.Fields[i].End || len(s.Signature) == 0 || s.Name.IsZero() {
				t.Fatalf("%+v", s)
			}
			s.Hash(h)
		}
	})
}
