package dkim

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func kinds(r Record) []Kind {
	var out []Kind
	for _, p := range r.Problems {
		out = append(out, p.Kind)
	}
	return out
}

func TestParseRecord(t *testing.T) {
	good := spki(t, fakeRSA(2048))
	edSPKI := spki(t, edKey().Public())
	even := fakeRSA(2048)
	even.E = 4
	three := fakeRSA(2048)
	three.E = 3
	tests := []struct {
		name, text string
		err        error // nil: verifiers may use it
		kinds      []Kind
		key        string // type of the key read, empty if none
		bits       int
	}{
		// RFC 6376, Section 3.6.1.
		{"whole", "v=DKIM1; k=rsa; p=" + good, nil, nil, "rsa", 2048},
		{"final semicolon", "v=DKIM1; k=rsa; p=" + good + ";", nil, nil, "rsa", 2048},
		{"final semicolon and space", "v=DKIM1; p=" + good + " ; ", nil, nil, "rsa", 2048},
		{"no v", "k=rsa; p=" + good, nil, nil, "rsa", 2048},
		{"p alone", "p=" + good, nil, nil, "rsa", 2048},
		{"space around", " v = DKIM1 ;\tp = " + good, nil, nil, "rsa", 2048},
		{"folded key", "v=DKIM1; p=" + good[:60] + " " + good[60:120] + "\t " + good[120:], nil, nil, "rsa", 2048},
		{"unknown tag", "v=DKIM1; x1=extra; p=" + good, nil, nil, "rsa", 2048},
		{"notes", `v=DKIM1; n=say "hi" k=x; p=` + good, nil, nil, "rsa", 2048},
		{"hash list", "v=DKIM1; h=sha1:sha256; p=" + good, nil, nil, "rsa", 2048},
		{"service list", "v=DKIM1; s=email:other; p=" + good, nil, nil, "rsa", 2048},
		{"service star", "v=DKIM1; s=*; p=" + good, nil, nil, "rsa", 2048},
		{"tlsrpt service", "v=DKIM1; s=tlsrpt; p=" + good, ErrRefused, []Kind{NotForEmail}, "rsa", 2048},
		{"revoked", "v=DKIM1; p=", nil, nil, "", 0},
		{"revoked ed25519", "v=DKIM1; k=ed25519; p= ;", nil, nil, "", 0},
		{"ed25519", "v=DKIM1; k=ed25519; p=" + edRaw(), nil, nil, "ed25519", 256},

		{"empty", "", ErrSyntax, []Kind{Empty}, "", 0},
		{"blank", " \t", ErrSyntax, []Kind{Empty}, "", 0},
		{"SPF", "v=spf1 -all", ErrNotKey, []Kind{NotKey}, "", 0},
		{"DMARC", "v=DMARC1; p=none", ErrNotKey, []Kind{NotKey}, "", 0},
		{"DomainKeys policy", "o=-; n=x", ErrNotKey, []Kind{NotKey}, "", 0},
		{"site verification", "google-site-verification=abc", ErrNotKey, []Kind{NotKey}, "", 0},
		{"parked", "wildcard text; see example.org", ErrNotKey, []Kind{NotKey}, "", 0},

		{"lower-case version", "v=dkim1; p=" + good, ErrNotKey, []Kind{WrongVersion}, "rsa", 2048},
		{"other version", "v=DKIM2; p=" + good, ErrNotKey, []Kind{WrongVersion}, "rsa", 2048},
		{"version last", "k=rsa; p=" + good + "; v=DKIM1", nil, []Kind{VersionOrder}, "rsa", 2048},
		{"duplicate", "v=DKIM1; p=" + good + "; p=" + good, ErrSyntax, []Kind{DuplicateTag}, "rsa", 2048},
		{"duplicate unknown", "v=DKIM1; x=1; x=2; p=" + good, ErrSyntax, []Kind{DuplicateTag}, "rsa", 2048},
		{"no equals", "k=rsa; t; p=" + good, ErrSyntax, []Kind{NoEquals}, "rsa", 2048},
		{"bad name", "v=DKIM1; 1x=2; p=" + good, ErrSyntax, []Kind{BadName}, "rsa", 2048},
		{"no name", "v=DKIM1; =2; p=" + good, ErrSyntax, []Kind{BadName}, "rsa", 2048},
		{"two semicolons", "v=DKIM1;; p=" + good, nil, []Kind{EmptyTag}, "rsa", 2048},
		{"empty t", "v=DKIM1; t=; p=" + good, nil, []Kind{EmptyTag}, "rsa", 2048},
		{"upper-case tags", "V=DKIM1; K=rsa; P=" + good, ErrSyntax, []Kind{TagCase, TagCase, TagCase, MissingKey}, "", 0},
		{"missing p", "v=DKIM1; k=rsa;", ErrSyntax, []Kind{MissingKey}, "", 0},
		{"missing semicolon", "v=DKIM1 k=rsa; p=" + good, ErrSyntax, []Kind{WrongVersion, NoSemicolon}, "rsa", 2048},
		{"missing semicolon before p", "v=DKIM1; k=rsa p=" + good, ErrSyntax, []Kind{UnknownKeyType, NoSemicolon, MissingKey}, "", 0},
		{"obsolete g", "v=DKIM1; g=*; p=" + good, nil, []Kind{Obsolete}, "rsa", 2048},
		{"testing", "v=DKIM1; t=y:s; p=" + good, nil, []Kind{Testing}, "rsa", 2048},
		{"h=sha1", "v=DKIM1; h=sha1; p=" + good, ErrRefused, []Kind{NoSHA256}, "rsa", 2048},
		{"s=chat", "v=DKIM1; s=chat; p=" + good, ErrRefused, []Kind{NotForEmail}, "rsa", 2048},
		{"k unknown", "v=DKIM1; k=dsa; p=" + good, ErrRefused, []Kind{UnknownKeyType}, "rsa", 2048},
		{"k upper case", "v=DKIM1; k=RSA; p=" + good, ErrRefused, []Kind{UnknownKeyType}, "rsa", 2048},

		// What editors make of it.
		{"zone file escape", `v=DKIM1\; k=rsa\; p=` + good, ErrSyntax, []Kind{WrongVersion, Backslash, UnknownKeyType}, "rsa", 2048},
		{"escape in the key", `v=DKIM1; p=` + good[:30] + `\` + good[30:], ErrSyntax, []Kind{Backslash, BadBase64}, "", 0},
		{"quoted as a whole", `"v=DKIM1; p=` + good + `"`, ErrSyntax, []Kind{Quotes, BadName, BadBase64}, "", 0},
		{"quotes in the key", `v=DKIM1; p=` + good[:99] + `" "` + good[99:], ErrSyntax, []Kind{Quotes, BadBase64}, "", 0},
		{"smart quotes", "v=DKIM1; p=\u201c" + good + "\u201d", ErrSyntax, []Kind{Quotes, BadBase64}, "", 0},
		{"no-break space", "v=DKIM1;\u00a0p=" + good, ErrSyntax, []Kind{BadCharacter, BadName, MissingKey}, "", 0},
		{"line break", "v=DKIM1; p=" + good[:64] + "\n" + good[64:], nil, []Kind{BadCharacter}, "rsa", 2048},
		{"invalid UTF-8", "v=DKIM1; n=\xff; p=" + good, nil, []Kind{BadCharacter}, "rsa", 2048},
		{"escape sequence", "v=DKIM1; n=\x1b[2J; p=" + good, nil, []Kind{BadCharacter}, "rsa", 2048},

		// The key.
		{"asterisk in base64", "v=DKIM1; p=" + good[:20] + "*" + good[21:], ErrBadKey, []Kind{BadBase64}, "", 0},
		{"URL alphabet", "v=DKIM1; p=" + good[:20] + "_" + good[21:], ErrBadKey, []Kind{BadBase64}, "", 0},
		{"padding lost", "v=DKIM1; p=" + strings.TrimRight(pkcs1(fakeRSA(2056)), "="), nil, []Kind{PKCS1, BadBase64}, "rsa", 2056},
		{"text after padding", "v=DKIM1; k=ed25519; p=" + edRaw() + "AAAA", ErrBadKey, []Kind{BadBase64}, "", 0},
		{"one character lost", "v=DKIM1; p=" + good[:50] + good[51:], ErrBadKey, []Kind{BadKey, BadBase64}, "", 0},
		{"cut to one string", "v=DKIM1; k=rsa; p=" + good[:236], ErrBadKey, []Kind{BadKey}, "", 0},
		{"not ASN.1", "v=DKIM1; p=AAAAAAAA", ErrBadKey, []Kind{BadKey}, "", 0},
		{"RFC 8301: 512 bits", "v=DKIM1; p=" + spki(t, fakeRSA(512)), ErrRefused, []Kind{KeySize}, "rsa", 512},
		{"1023 bits", "v=DKIM1; p=" + spki(t, fakeRSA(1023)), ErrRefused, []Kind{KeySize}, "rsa", 1023},
		{"1024 bits", "v=DKIM1; p=" + spki(t, fakeRSA(1024)), nil, []Kind{KeySize}, "rsa", 1024},
		{"2047 bits", "v=DKIM1; p=" + spki(t, fakeRSA(2047)), nil, []Kind{KeySize}, "rsa", 2047},
		{"4096 bits", "v=DKIM1; p=" + spki(t, fakeRSA(4096)), nil, nil, "rsa", 4096},
		{"8192 bits", "v=DKIM1; p=" + spki(t, fakeRSA(8192)), nil, []Kind{KeySize}, "rsa", 8192},
		{"16384 bits", "v=DKIM1; p=" + spki(t, fakeRSA(16384)), nil, []Kind{KeySize}, "rsa", 16384},
		{"16385 bits", "v=DKIM1; p=" + spki(t, fakeRSA(16385)), ErrRefused, []Kind{TooBig}, "", 0},
		{"17 KiB of key", "v=DKIM1; p=" + strings.Repeat("AAAA", 17<<10/3), ErrRefused, []Kind{TooBig}, "", 0},
		{"much base64", "v=DKIM1; p=" + strings.Repeat("A", 2*MaxKey+1), ErrRefused, []Kind{TooBig}, "", 0},
		{"65 KiB of text", strings.Repeat("a", MaxRecord+1), ErrRefused, []Kind{TooBig}, "", 0},
		{"65 tags", "v=DKIM1" + manyTags(MaxTags) + "; p=" + good, ErrRefused, []Kind{TooBig, MissingKey}, "", 0},
		{"exponent 4", "v=DKIM1; p=" + spki(t, even), ErrBadKey, []Kind{Exponent}, "rsa", 2048},
		{"exponent 3", "v=DKIM1; p=" + spki(t, three), nil, []Kind{Exponent}, "rsa", 2048},
		{"PKCS #1", "v=DKIM1; p=" + pkcs1(fakeRSA(2048)), nil, []Kind{PKCS1}, "rsa", 2048},
		// RFC 8463, Section 4.2.
		{"ed25519 as SPKI", "v=DKIM1; k=ed25519; p=" + edSPKI, ErrBadKey, []Kind{Ed25519SPKI}, "ed25519", 256},
		{"ed25519 as SPKI without k", "v=DKIM1; p=" + edSPKI, ErrBadKey, []Kind{Ed25519SPKI}, "ed25519", 256},
		{"32 octets without k", "v=DKIM1; p=" + edRaw(), ErrBadKey, []Kind{WrongKeyType}, "ed25519", 256},
		{"31 octets", "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(make([]byte, 31)), ErrBadKey, []Kind{BadKey}, "", 0},
		{"RSA as ed25519", "v=DKIM1; k=ed25519; p=" + good, ErrBadKey, []Kind{WrongKeyType}, "rsa", 2048},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ParseRecord(tt.text)
			if !errors.Is(err, tt.err) || err == nil != (tt.err == nil) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			got, want := kinds(r), slices.Clone(tt.kinds)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("problems %v, want %v", got, want)
			}
			if r.Key.Type != tt.key || r.Key.Bits != tt.bits {
				t.Errorf("key %s of %d bits, want %s of %d", r.Key.Type, r.Key.Bits, tt.key, tt.bits)
			}
			if r.Usable() && (r.Key.Public() == nil || len(r.Key.SHA256) != 64) {
				t.Errorf("usable without key: %+v", r.Key)
			}
			checkRecord(t, r)
		})
	}
}

func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("; x" + strings.Repeat("y", i) + "=1")
	}
	return b.String()
}

// checkRecord holds any record to what every caller relies on.
func checkRecord(t *testing.T, r Record) {
	t.Helper()
	last := 0
	for _, p := range r.Problems {
		if p.At < last || p.At > len(r.Text) || p.Detail == "" || p.Effect == "" {
			t.Fatalf("problem without place or text: %+v", p)
		}
		last = p.At
		if msg := p.Error(); strings.ContainsFunc(msg, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Fatalf("message shows foreign octets: %q", msg)
		}
		if len(p.Error()) > 500 {
			t.Fatalf("message of %d octets", len(p.Error()))
		}
		if (p.Effect == Harmless) != (errors.Unwrap(&p) == nil) {
			t.Fatalf("%s problem unwraps to %v", p.Effect, errors.Unwrap(&p))
		}
	}
	for _, tag := range r.Tags {
		if r.Text[tag.At:tag.At+len(tag.Name)] != tag.Name || r.Text[tag.ValueAt:tag.ValueAt+len(tag.Value)] != tag.Value {
			t.Fatalf("offsets of %+v are wrong", tag)
		}
	}
	if len(r.Tags) == 0 || len(r.String()) > MaxRecord { // printing adds spaces
		return
	}
	again, _ := ParseRecord(r.String())
	if again.String() != r.String() {
		t.Fatalf("printed %q, read back and printed %q", r, again)
	}
	if r.Err() == nil && (again.Err() != nil || again.Key.SHA256 != r.Key.SHA256 || again.Key.Revoked != r.Key.Revoked) {
		t.Fatalf("%q means something else once printed: %v", r.Text, again.Err())
	}
}

func TestPrivateKeys(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(k any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	block := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	b64 := base64.StdEncoding.EncodeToString
	for name, text := range map[string]string{
		"PKCS #1":       "v=DKIM1; k=rsa; p=" + b64(x509.MarshalPKCS1PrivateKey(key)),
		"PKCS #8":       "v=DKIM1; k=rsa; p=" + b64(pkcs8(key)),
		"PKCS #1, cut":  "v=DKIM1; k=rsa; p=" + b64(x509.MarshalPKCS1PrivateKey(key))[:232],
		"SEC 1":         "v=DKIM1; p=" + b64(sec1),
		"Ed25519":       "v=DKIM1; k=ed25519; p=" + b64(pkcs8(edKey())),
		"Ed25519, bare": "v=DKIM1; k=ed25519; p=" + b64(edKey()),
		"PEM":           "v=DKIM1; p=" + block,
		"PEM alone":     block,
	} {
		r, err := ParseRecord(text)
		p, ok := errors.AsType[*Problem](err)
		if !ok || p.Kind != PrivateExposed || r.Key.Public() != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, ok := r.Repaired(); ok {
			t.Errorf("%s: repaired", name)
		}
	}
}

func TestOtherKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRecord("v=DKIM1; p=" + spki(t, ec.Public()))
	if p, ok := errors.AsType[*Problem](err); !ok || p.Kind != WrongKeyType || r.Key.Public() != nil {
		t.Errorf("EC key: %v", err)
	}
}

// TestMessages holds the words that a person gets to see: place, cause, remedy.
func TestMessages(t *testing.T) {
	good := spki(t, fakeRSA(2048))
	tests := []struct{ text, message, hint string }{
		{`v=DKIM1\; p=` + good, `dkim: at offset 7: the text holds "\;"`, "without the backslash"},
		{"v=dkim1; p=" + good, `dkim: v= at offset 2: version "dkim1"`, "upper case"},
		{"v=DKIM1; p=MII*", "dkim: p= at offset 14: not base64: character '*'", "again"},
		{"v=DKIM1; p=" + good[:236], "dkim: p= at offset 11: the key is cut: 177 of 294 octets are there", "several strings"},
		{"v=DKIM1; k=rsa", "dkim: p= at offset 14: the record has no p= and so no key", "add p="},
		{"v=DKIM1; k=ed25519; p=" + spki(t, edKey().Public()), "dkim: p= at offset 22: the key is wrapped in ASN.1, verifiers expect its 32 octets alone", "write p=" + edRaw()},
	}
	for _, tt := range tests {
		_, err := ParseRecord(tt.text)
		p, ok := errors.AsType[*Problem](err)
		if !ok || p.Error() != tt.message || !strings.Contains(p.Hint, tt.hint) {
			t.Errorf("%s\n got %v (%s)\nwant %s (%s)", tt.text, err, p.Hint, tt.message, tt.hint)
		}
	}
}

// TestSameKey: one key has one fingerprint in every form.
func TestSameKey(t *testing.T) {
	a, _ := ParseRecord("v=DKIM1; p=" + spki(t, fakeRSA(2048)))
	b, _ := ParseRecord("p=" + pkcs1(fakeRSA(2048)))
	c, _ := ParseRecord("p=" + spki(t, fakeRSA(2056)))
	if a.Key.SHA256 != b.Key.SHA256 || a.Key.SHA256 == c.Key.SHA256 {
		t.Errorf("fingerprints %s, %s, %s", a.Key.SHA256, b.Key.SHA256, c.Key.SHA256)
	}
	if a.Key.Form != FormSPKI || b.Key.Form != FormPKCS1 || a.Key.Exponent != 65537 {
		t.Errorf("%+v, %+v", a.Key, b.Key)
	}
}

func TestRecordFor(t *testing.T) {
	r, err := RecordFor(fakeRSA(2048))
	if err != nil || r.String() != "v=DKIM1; k=rsa; p="+spki(t, fakeRSA(2048)) || !r.Usable() {
		t.Errorf("%s, %v", r, err)
	}
	pub := edKey().Public().(ed25519.PublicKey)
	r, err = RecordFor(pub)
	if err != nil || r.String() != "v=DKIM1; k=ed25519; p="+edRaw() || !bytes.Equal(r.Key.Public().(ed25519.PublicKey), pub) {
		t.Errorf("%s, %v", r, err)
	}
	for _, bad := range []any{nil, "x", (*rsa.PublicKey)(nil), &rsa.PublicKey{}, ed25519.PublicKey("short")} {
		if r, err := RecordFor(bad); err == nil {
			t.Errorf("%T has the record %s", bad, r)
		}
	}
	if _, err := RecordFor(fakeRSA(512)); !errors.Is(err, ErrRefused) {
		t.Errorf("512 bits: %v", err)
	}
}

func TestWithWithout(t *testing.T) {
	r, _ := ParseRecord("k=rsa;t=y;p=")
	for _, tt := range []struct {
		got  Record
		want string
	}{
		{r.Without("t"), "k=rsa; p="},
		{r.With("t", "s"), "k=rsa; t=s; p="},
		{r.With("v", "DKIM1"), "v=DKIM1; k=rsa; t=y; p="},
		{r.With("n", "x"), "k=rsa; t=y; p=; n=x"},
		{r.Without("x"), "k=rsa; t=y; p="},
	} {
		if tt.got.String() != tt.want || tt.got.Text != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
	if !reflect.DeepEqual(r.Tags[1], Tag{"t", "y", 6, 8}) {
		t.Errorf("changed the original: %+v", r.Tags)
	}
}

func TestRepaired(t *testing.T) {
	good, ed := spki(t, fakeRSA(2048)), spki(t, edKey().Public())
	whole := "v=DKIM1; k=rsa; p=" + good
	block := "-----BEGIN PUBLIC KEY-----\n" + good[:64] + "\n" + good[64:] + "\n-----END PUBLIC KEY-----\n"
	tests := []struct{ name, text, want string }{
		{"escapes", `v=DKIM1\; k=rsa\; p=` + good, whole},
		{"quotes", `"v=DKIM1; k=rsa; p=` + good[:99] + `" "` + good[99:] + `"`, whole},
		{"smart quotes", "\u201cv=DKIM1; k=rsa; p=" + good + "\u201d", whole},
		{"no-break space", "v=DKIM1;\u00a0k=rsa; p=" + good, whole},
		{"semicolons", "v=DKIM1 k=rsa p=" + good, whole},
		{"upper case", "V=dkim1; K=RSA; P=" + good, whole},
		{"order", "k=rsa; p=" + good + "; v=DKIM1", whole},
		{"twice", whole + "; p=" + good, whole},
		{"PEM", "v=DKIM1; k=rsa; p=" + block, whole},
		{"URL alphabet", "v=DKIM1; k=rsa; p=" + strings.NewReplacer("+", "-", "/", "_").Replace(good), whole},
		{"PKCS #1", "v=DKIM1; k=rsa; p=" + pkcs1(fakeRSA(2048)), whole},
		{"ed25519 as SPKI", "v=DKIM1; k=ed25519; p=" + ed, "v=DKIM1; k=ed25519; p=" + edRaw()},
		{"32 octets without k", "v=DKIM1; p=" + edRaw(), "v=DKIM1; p=" + edRaw() + "; k=ed25519"},
		{"leftovers", "v=DKIM1;; g=*; t=; x; p=" + good, "v=DKIM1; p=" + good},
		{"nothing to do", whole, ""},
		{"cut", whole[:200], ""},
		{"no key", "v=DKIM1; k=rsa", ""},
		{"two keys", whole + "; p=" + pkcs1(fakeRSA(1024)), ""},
		{"short key", "v=DKIM1; p=" + spki(t, fakeRSA(512)), ""},
		{"other type", "v=DKIM1; k=dsa; p=" + good, ""},
		{"SPF", "v=spf1 -all", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := ParseRecord(tt.text)
			fixed, ok := r.Repaired()
			if fixed.String() != tt.want || ok != (tt.want != "") {
				t.Fatalf("repaired to %q, %v (%v)\nwant %q", fixed, ok, fixed.Err(), tt.want)
			}
			if again, ok := fixed.Repaired(); ok {
				t.Errorf("a second repair changes it to %q", again)
			}
		})
	}
}

func FuzzParseRecord(f *testing.F) {
	good := spki(f, fakeRSA(1024))
	for _, s := range []string{
		"v=DKIM1; k=rsa; p=" + good, "k=ed25519;p=" + edRaw(), `v=DKIM1\; p=` + good, "v=DKIM1 k=rsa; p=" + good[:40] + "\r\n " + good[40:],
		"P=; p=; p=", "v=spf1 -all", "\u201cv=DKIM1; p=x\u201d", "t = y:s ; h=sha1::sha256;; n=\xff\x1b", "p=-----BEGIN PRIVATE KEY-----", "v=DKIM1; p=MII", "=;=",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRecord(s)
		if (err == nil) != (r.Err() == nil) {
			t.Fatalf("error %v, Err %v", err, r.Err())
		}
		checkRecord(t, r)
		if fixed, ok := r.Repaired(); ok {
			checkRecord(t, fixed)
			if fixed.Err() != nil {
				t.Fatalf("repaired to %q: %v", fixed, fixed.Err())
			}
		}
	})
}

// TestHostileTime parses and repairs texts of the greatest size. It fails by
// taking minutes if anything is quadratic.
func TestHostileTime(t *testing.T) {
	for _, unit := range []string{";", "p=", "k=a ", "x k=", `\;"`, "p=A;", " ", "\u201c", "v=DKIM1 p=A k=", "n=\"", "="} {
		text := ("v=DKIM1;" + strings.Repeat(unit, MaxRecord/len(unit)))[:MaxRecord]
		r, _ := ParseRecord(text)
		if len(r.Problems) > maxProblems || len(r.Tags) > MaxTags {
			t.Errorf("%q: %d problems, %d tags", unit, len(r.Problems), len(r.Tags))
		}
		checkRecord(t, r)
		r.Repaired()
	}
}

func BenchmarkParseRecord(b *testing.B) {
	text := "v=DKIM1; k=rsa; p=" + spki(b, fakeRSA(2048))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRecord(text); err != nil {
			b.Fatal(err)
		}
	}
}
