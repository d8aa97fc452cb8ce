package keys

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
)

// made is one RSA key for all tests: making one takes a while.
var made = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// seed is the secret key of RFC 8463, Appendix A.1.
const (
	seed   = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
	public = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
)

func edKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(seed)
	if err != nil {
		t.Fatal(err)
	}
	return ed25519.NewKeyFromSeed(b)
}

func frame(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(t testing.TB, k any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestParseForms(t *testing.T) {
	rsaKey, ed := made(), edKey(t)
	p8, p1 := pkcs8(t, rsaKey), x509.MarshalPKCS1PrivateKey(rsaKey)
	b64 := base64.StdEncoding.EncodeToString
	folded := func(s string) string {
		var b strings.Builder
		for len(s) > 64 {
			b.WriteString(s[:64] + "\r\n ")
			s = s[64:]
		}
		return b.String() + s + "\n"
	}
	for _, tt := range []struct {
		name, text string
		form       Form
		pub        crypto.PublicKey
	}{
		{"what Create writes, what rspamadm writes now", frame("PRIVATE KEY", p8), FormPKCS8, rsaKey.Public()},
		{"opendkim-genkey", frame("RSA PRIVATE KEY", p1), FormPKCS1, rsaKey.Public()},
		{"CRLF", strings.ReplaceAll(frame("RSA PRIVATE KEY", p1), "\n", "\r\n"), FormPKCS1, rsaKey.Public()},
		{"byte order mark", "\xef\xbb\xbf" + frame("PRIVATE KEY", p8), FormPKCS8, rsaKey.Public()},
		{"the wrong label", frame("PRIVATE KEY", p1), FormPKCS1, rsaKey.Public()},
		{"text and the public key before it", "Bag Attributes\n friendlyName: x\n" + frame("PUBLIC KEY", []byte{1, 2}) + frame("PRIVATE KEY", p8), FormPKCS8, rsaKey.Public()},
		{"key table of OpenDKIM", b64(p1), FormBarePKCS1, rsaKey.Public()},
		{"bare PKCS#8, folded", folded(b64(p8)), FormBarePKCS8, rsaKey.Public()},
		{"without padding", strings.TrimRight(b64(p8), "="), FormBarePKCS8, rsaKey.Public()},
		{"Ed25519 in PKCS#8", frame("PRIVATE KEY", pkcs8(t, ed)), FormPKCS8, ed.Public()},
		{"Ed25519 of rspamd", b64(ed) + "\n", FormBareKeyPair, ed.Public()},
		{"Ed25519 of dkimpy", seed, FormBareSeed, ed.Public()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if k.Form() != tt.form {
				t.Errorf("form %q, want %q", k.Form(), tt.form)
			}
			if !tt.pub.(interface{ Equal(crypto.PublicKey) bool }).Equal(k.Public()) {
				t.Error("another public key")
			}
			for _, form := range []Form{tt.form, ""} {
				again, err := k.Encode(form)
				if err != nil {
					t.Fatal(err)
				}
				k2, err := Parse(again)
				if err != nil || k2.Fingerprint() != k.Fingerprint() || k2.Form() != cmp.Or(form, FormPKCS8) {
					t.Errorf("%q read back as %v %q, %v", form, k2, k2.Form(), err)
				}
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	rsaKey := made()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, _ := x509.MarshalPKIXPublicKey(rsaKey.Public())
	pair := []byte(edKey(t))
	pair[40] ^= 1
	p8 := frame("PRIVATE KEY", pkcs8(t, rsaKey))
	short := mustShort(t)
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"empty", " \n", ErrNotKey},
		{"text", "hello world, this is no key", ErrNotKey},
		{"cut in the base64", p8[:len(p8)/2], ErrNotKey},
		{"cut in the DER", frame("PRIVATE KEY", pkcs8(t, rsaKey)[:500]), ErrNotKey},
		{"public key", frame("PUBLIC KEY", spki), ErrPublic},
		{"bare public key", base64.StdEncoding.EncodeToString(spki), ErrPublic},
		{"record", "v=DKIM1; k=rsa; p=AAAA", ErrPublic},
		{"certificate", frame("CERTIFICATE", spki), ErrPublic},
		{"elliptic curve", frame("EC PRIVATE KEY", []byte{1}), ErrUnsupported},
		{"elliptic curve in PKCS#8", frame("PRIVATE KEY", pkcs8(t, ec)), ErrUnsupported},
		{"OpenSSH", frame("OPENSSH PRIVATE KEY", []byte{1}), ErrUnsupported},
		{"encrypted", frame("ENCRYPTED PRIVATE KEY", []byte{1}), ErrEncrypted},
		{"encrypted the old way", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", ErrEncrypted},
		{"pair whose halves differ", base64.StdEncoding.EncodeToString(pair), ErrNotKey},
		{"512 bits", short, ErrTooShort},
		{"too large a file", strings.Repeat("A", MaxFile+1), ErrNotKey},
		{"too large a key", frame("PRIVATE KEY", bytes.Repeat([]byte{0x30}, maxDER+1)), ErrUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := Parse([]byte(tt.text))
			if !errors.Is(err, tt.want) || !k.IsZero() {
				t.Fatalf("Parse = %v, %v, want %v", k, err, tt.want)
			}
			leak(t, tt.text, err.Error())
		})
	}
}

// mustShort is a key of 512 bits, made for this test with openssl genrsa.
func mustShort(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("testdata/rsa512.pem")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// leak fails if 12 octets of the secret stand in the text.
func leak(t testing.TB, secret, text string) {
	t.Helper()
	for line := range strings.Lines(secret) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "-----") {
			continue
		}
		for i := 0; i+12 <= len(line); i += 4 {
			if strings.Contains(text, line[i:i+12]) {
				t.Fatalf("%q holds a part of the key", text)
			}
		}
	}
}

func TestGenerate(t *testing.T) {
	k, err := Generate(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if k.Type() != dkim.KeyRSA || k.Bits() != 2048 || len(k.Warnings(true)) != 0 {
		t.Errorf("%v, warnings %q", k, k.Warnings(true))
	}
	r, err := k.Record()
	if err != nil || !r.Usable() || len(r.Problems) != 0 || !k.Matches(r.Key) {
		t.Errorf("record %v, %v", r.Problems, err)
	}
	for _, tt := range []struct {
		opt  Options
		want error
	}{
		{Options{Bits: 512}, ErrTooShort}, // RFC 8301, Section 3.2
		{Options{Bits: 1023}, ErrTooShort},
		{Options{Bits: -1}, ErrTooShort},
		{Options{Bits: 8192}, ErrUnsupported},
		{Options{Bits: 2047}, ErrUnsupported},
		{Options{Type: dkim.KeyEd25519, Bits: 2048}, ErrUnsupported},
		{Options{Type: "ecdsa"}, ErrUnsupported},
	} {
		if k, err := Generate(tt.opt); !errors.Is(err, tt.want) || !k.IsZero() {
			t.Errorf("Generate(%+v) = %v, %v, want %v", tt.opt, k, err, tt.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	weak, err := Generate(Options{Bits: 1024})
	if err != nil {
		t.Fatal(err)
	}
	ed, err := FromSigner(edKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		k     Key
		alone bool
		want  string
	}{
		{weak, true, "1024 bits"},
		{ed, true, "Ed25519 alone"}, // RFC 8463, Section 6
		{ed, false, ""},
	} {
		got := strings.Join(tt.k.Warnings(tt.alone), "; ")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%v: warnings %q, want %q", tt.k, got, tt.want)
		}
	}
}

// TestEd25519Vector compares with RFC 8463, Appendix A.2.
func TestEd25519Vector(t *testing.T) {
	k, err := Parse([]byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	r, err := k.Record()
	if err != nil || r.String() != "v=DKIM1; k=ed25519; p="+public {
		t.Errorf("record %q, %v", r, err)
	}
}

func TestCreate(t *testing.T) {
	k, err := FromSigner(edKey(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.pem")
	if err := k.Create(path, ""); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	got, warn, err := ReadFile(path)
	if err != nil || got.Fingerprint() != k.Fingerprint() || len(warn) != 0 {
		t.Errorf("read %v, %q, %v", got, warn, err)
	}
	before, _ := os.ReadFile(path)
	if err := k.Create(path, ""); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second Create: %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
	link := filepath.Join(dir, "link.pem")
	if err := os.Symlink(filepath.Join(dir, "target.pem"), link); err == nil {
		if err := k.Create(link, ""); !errors.Is(err, fs.ErrExist) {
			t.Errorf("Create through a symbolic link: %v", err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, warn, err := ReadFile(path); err != nil || len(warn) != 1 || !strings.Contains(warn[0], "0644") {
		t.Errorf("warnings %q, %v", warn, err)
	}
	if _, _, err := ReadFile(dir); !errors.Is(err, ErrNotKey) {
		t.Errorf("directory: %v", err)
	}
	if _, _, err := ReadFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := (Key{}).Create(filepath.Join(dir, "zero"), ""); !errors.Is(err, ErrNotKey) {
		t.Errorf("no key: %v", err)
	}
}

// TestNothingPrivate prints, logs and encodes a key in every way that reaches it.
func TestNothingPrivate(t *testing.T) {
	type holder struct {
		K    Key
		k    Key
		p    *Key
		List []Key
	}
	for _, s := range []crypto.Signer{made(), edKey(t)} {
		k, err := FromSigner(s)
		if err != nil {
			t.Fatal(err)
		}
		h := holder{K: k, k: k, p: &k, List: []Key{k}}
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", k)
			fmt.Fprintf(&out, verb+"\n", &k)
			fmt.Fprintf(&out, verb+"\n", h)
			fmt.Fprintf(&out, verb+"\n", &h)
		}
		if err := json.NewEncoder(&out).Encode(h); err != nil {
			t.Fatal(err)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "key", k, "holder", h)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", k, "holder", h)
		pemText, err := k.Encode("")
		if err != nil {
			t.Fatal(err)
		}
		leak(t, string(pemText), out.String())
		var private []byte
		switch s := s.(type) {
		case *rsa.PrivateKey:
			private = s.D.Bytes()
			leak(t, s.D.String(), out.String())
		case ed25519.PrivateKey:
			private = s.Seed()
		}
		for _, form := range []string{"%x", "%X", "%d", "%v", "%#v"} {
			text := strings.Trim(fmt.Sprintf(form, private[:8]), "[]}")
			if strings.Contains(out.String(), text) {
				t.Errorf("%s of the private half is printed", form)
			}
		}
	}
}

// TestEncode refuses forms that the type of key does not have.
func TestEncode(t *testing.T) {
	r, err := FromSigner(made())
	if err != nil {
		t.Fatal(err)
	}
	ed, err := FromSigner(edKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		k    Key
		form Form
	}{{r, FormBareSeed}, {r, FormBareKeyPair}, {ed, FormPKCS1}, {ed, FormBarePKCS1}, {ed, "none"}} {
		if b, err := tt.k.Encode(tt.form); !errors.Is(err, ErrUnsupported) || b != nil {
			t.Errorf("%v as %q: %v", tt.k, tt.form, err)
		}
	}
}

func TestFromSigner(t *testing.T) {
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	for _, s := range []crypto.Signer{nil, ec, (*rsa.PrivateKey)(nil), ed25519.PrivateKey(nil)} {
		if k, err := FromSigner(s); !errors.Is(err, ErrUnsupported) || !k.IsZero() {
			t.Errorf("FromSigner(%T) = %v, %v", s, k, err)
		}
	}
}

func TestZero(t *testing.T) {
	var k Key
	if k.Signer() != nil || k.Public() != nil || k.Type() != "" || k.Bits() != 0 || k.Fingerprint() != "" || k.String() != "no key" || k.Matches(dkim.Key{}) {
		t.Error("the zero key is something")
	}
	if _, err := k.Record(); !errors.Is(err, ErrNotKey) {
		t.Errorf("record of no key: %v", err)
	}
}

func TestSelectorFor(t *testing.T) {
	at := time.Date(2026, 11, 30, 23, 30, 0, 0, time.FixedZone("", -7200))
	if got := SelectorFor(dkim.KeyRSA, at) + SelectorFor(dkim.KeyEd25519, at); got != "mc202612mc202612e" {
		t.Errorf("selectors %q", got)
	}
}

func FuzzParse(f *testing.F) {
	k := made()
	f.Add([]byte(seed))
	f.Add([]byte(frame("PRIVATE KEY", pkcs8(f, k))))
	f.Add([]byte(frame("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k))))
	f.Add([]byte(base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(k))))
	f.Add([]byte(base64.StdEncoding.EncodeToString(edKey(f))))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"))
	f.Add([]byte("v=DKIM1; p="))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := Parse(data)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || !k.IsZero() {
				t.Fatalf("error %T, key %v", err, k)
			}
			return
		}
		again, err := k.Encode("")
		if err != nil {
			t.Fatal(err)
		}
		k2, err := Parse(again)
		if err != nil || k2.Fingerprint() != k.Fingerprint() {
			t.Fatalf("read back as %v, %v", k2, err)
		}
		if r, err := k.Record(); err != nil || !k.Matches(r.Key) {
			t.Fatalf("record %q, %v", r, err)
		}
	})
}
