package dkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func signOptions() SignOptions {
	return SignOptions{Domain: resolve.MustName("example.org"), Selector: "ed", Key: edKey(), Now: clock}
}

func signed(t testing.TB, msg string, o SignOptions) string {
	t.Helper()
	var b bytes.Buffer
	s, err := Sign(t.Context(), &b, strings.NewReader(msg), o)
	if err != nil {
		t.Fatal(err)
	}
	if s.Size != int64(len(msg)) {
		t.Errorf("%d octets of %d", s.Size, len(msg))
	}
	return b.String()
}

func TestSign(t *testing.T) {
	z := testZone(t)
	for _, c := range []struct {
		name string
		set  func(*SignOptions)
		msg  string
		h    string
	}{
		{"default", nil, mail, "From:To:Subject:Date:From:To:Cc:Subject:Date:Reply-To"},
		{"rsa", func(o *SignOptions) { o.Key, o.Selector = rsaKeys(2048), "rsa" }, mail, ""},
		{"simple", func(o *SignOptions) { o.SimpleHeader, o.SimpleBody = true, true }, mail, ""},
		{"rsa, simple/relaxed", func(o *SignOptions) { o.Key, o.Selector, o.SimpleHeader = rsaKeys(2048), "rsa", true }, mail, ""},
		{"LF", nil, strings.ReplaceAll(mail, "\r\n", "\n"), ""},
		{"own fields", func(o *SignOptions) { o.Headers = []string{"from", "Date", "FROM"} }, mail, "from:Date:From:To:To:Cc:Subject:Subject:Date:Reply-To"},
		{"no oversigning", func(o *SignOptions) { o.Oversign = []string{} }, mail, "From:To:Subject:Date"},
		{"several fields of a name", func(o *SignOptions) { o.Oversign = []string{} }, edit(mail, "Date:", "References: <a>\r\nReferences: <b>\r\nDate:"), "From:To:Subject:Date:References:References"},
		{"identity and expiry", func(o *SignOptions) { o.Identity, o.Expires = "joe@mail.example.org", time.Hour }, mail, ""},
		{"unsubscribe", func(o *SignOptions) { o.Oversign = []string{} }, edit(mail, "Date:", "List-Unsubscribe: <https://e>\r\nlist-unsubscribe-post: x\r\nDate:"), "From:To:Subject:Date:List-Unsubscribe:List-Unsubscribe-Post"},
		{"no body", nil, "From: a@example.org\r\n\r\n", ""},
		{"header only", nil, "From: a@example.org\r\n", ""},
		{"unfinished body", nil, "From: a@example.org\r\n\r\nbody", ""},
		{"UTF-8 header", nil, edit(mail, "the figures", "caf\xc3\xa9"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := signOptions()
			if c.set != nil {
				c.set(&o)
			}
			out := signed(t, c.msg, o)
			v := check(t, out, z, VerifyOptions{})
			if verdict(v) != "pass" || !strings.HasSuffix(out, c.msg) {
				t.Fatalf("%s\n%s", v.Signatures[0].Explanation, out)
			}
			s := v.Signatures[0]
			if c.h != "" && strings.Join(s.SignedHeaders, ":") != c.h {
				t.Errorf("h=%s", strings.Join(s.SignedHeaders, ":"))
			}
			if !s.Time.Equal(testNow) || o.Expires > 0 && !s.Expires.Equal(testNow.Add(o.Expires)) {
				t.Errorf("t=%v x=%v", s.Time, s.Expires)
			}
			// The other way round: what another signer makes of the same field.
			field, _, _ := strings.Cut(strings.ReplaceAll(strings.ReplaceAll(out, "\r\n", "\n"), "\n", "\r\n"), "From: ")
			if strings.Contains(c.name, "UTF-8") || strings.HasPrefix(c.name, "rsa") {
				return
			}
			for line := range strings.SplitSeq(field, "\r\n") {
				if len(line) > 78 {
					t.Errorf("line of %d octets: %q", len(line), line)
				}
			}
			if strings.Contains(strings.ReplaceAll(out, "\r\n", ""), "\n") && strings.Contains(out, "\r\n") {
				t.Error("mixed line ends")
			}
		})
	}
}

// TestSignStream reads from what cannot seek, in small parts.
func TestSignStream(t *testing.T) {
	o := signOptions()
	var b bytes.Buffer
	if _, err := Sign(t.Context(), &b, iotest.OneByteReader(strings.NewReader(mail)), o); err != nil {
		t.Fatal(err)
	}
	if b.String() != signed(t, mail, o) {
		t.Error("another result")
	}
	o.MaxBytes = 10
	if _, err := Sign(t.Context(), &b, iotest.OneByteReader(strings.NewReader(mail)), o); !errors.Is(err, ErrMessage) {
		t.Errorf("over the limit: %v", err)
	}
	skip := strings.NewReader("junk" + mail)
	skip.Seek(4, io.SeekStart)
	b.Reset()
	if _, err := Sign(t.Context(), &b, skip, signOptions()); err != nil || !strings.HasSuffix(b.String(), "b="+b.String()[strings.Index(b.String(), " b=")+3:]) || strings.Contains(b.String(), "junk") {
		t.Errorf("a reader that is not at its start: %v", err)
	}
}

func TestSignRefuses(t *testing.T) {
	for _, c := range []struct {
		name, msg, want string
	}{
		{"LF among CRLF", edit(mail, "Hello Bob,\r\n", "Hello Bob,\n"), "1 LF without CR beside"},
		{"LF in the header", edit(mail, "Subject: the figures\r\n", "Subject: the figures\n"), "1 LF without CR"},
		{"CR in the body", edit(mail, "Hello", "Hel\rlo"), "1 CR without LF"},
		{"CR in the header", edit(mail, "figures", "fig\rures"), "1 CR without LF"},
		{"CR CRLF", edit(mail, "Hello Bob,\r\n", "Hello Bob,\r\r\n"), "1 CR without LF"},
		{"no field", edit(mail, "Subject:", "no field\r\nSubject:"), "line 4 of the header is no field"},
		{"name with space", edit(mail, "Subject:", "A b: c\r\nSubject:"), "line 4 of the header is no field"},
		{"fold first", " folded\r\n" + mail, "line 1 of the header is no field"},
		{"mbox", "From alice Mon Jan 1\r\n" + mail, "mailbox file"},
		{"no From", edit(mail, "From: Alice <alice@example.org>\r\n", ""), "0 From fields, there must be one"},
		{"two From", "From: b@example.org\r\n" + mail, "2 From fields, there must be one"},
		{"empty", "", "0 From fields"},
		{"long header", "X: " + strings.Repeat(" a\r\n", 1<<19) + mail, "longer than"},
	} {
		var b bytes.Buffer
		_, err := Sign(t.Context(), &b, strings.NewReader(c.msg), signOptions())
		if !errors.Is(err, ErrMessage) || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
			t.Errorf("%s: %v, %d octets written", c.name, err, b.Len())
		}
	}
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	for name, set := range map[string]func(*SignOptions){
		"no key":             func(o *SignOptions) { o.Key = nil },
		"ECDSA":              func(o *SignOptions) { o.Key = ec },
		"short RSA":          func(o *SignOptions) { o.Key = shortSigner{} },
		"no domain":          func(o *SignOptions) { o.Domain = resolve.Name{} },
		"one label":          func(o *SignOptions) { o.Domain = resolve.MustName("org") },
		"no selector":        func(o *SignOptions) { o.Selector = "" },
		"bad selector":       func(o *SignOptions) { o.Selector = "a;b" },
		"no From":            func(o *SignOptions) { o.Headers = []string{"To"} },
		"bad field":          func(o *SignOptions) { o.Headers = []string{"From", "a:b"} },
		"bad oversigned":     func(o *SignOptions) { o.Oversign = []string{""} },
		"foreign identity":   func(o *SignOptions) { o.Identity = "a@example.net" },
		"no identity":        func(o *SignOptions) { o.Identity = "example.org" },
		"identity injection": func(o *SignOptions) { o.Identity = "a;d=x@example.org" },
		"expired at once":    func(o *SignOptions) { o.Expires = -1 },
	} {
		o := signOptions()
		set(&o)
		var b bytes.Buffer
		if _, err := Sign(t.Context(), &b, strings.NewReader(mail), o); !errors.Is(err, ErrSettings) || b.Len() > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// shortSigner has a key of 512 bits, which the standard library does not make.
type shortSigner struct{}

func (shortSigner) Public() crypto.PublicKey { return fakeRSA(512) }
func (shortSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("short")
}

type brokenSigner struct{ crypto.Signer }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

func TestSignErrors(t *testing.T) {
	o := signOptions()
	o.Key = brokenSigner{edKey()}
	if _, err := Sign(t.Context(), io.Discard, strings.NewReader(mail), o); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("key: %v", err)
	}
	boom := errors.New("boom")
	if _, err := Sign(t.Context(), io.Discard, iotest.ErrReader(boom), signOptions()); !errors.Is(err, boom) {
		t.Errorf("reader: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Sign(ctx, io.Discard, strings.NewReader(mail), signOptions()); !errors.Is(err, context.Canceled) {
		t.Errorf("context: %v", err)
	}
}

func TestHeaderLists(t *testing.T) {
	for _, n := range OversignedHeaders() {
		if !slices.Contains(SignedHeaders(), n) {
			t.Errorf("%s is oversigned and not signed", n)
		}
	}
	// RFC 6376, Section 5.4.1: fields that relays change or add are not signed.
	for _, n := range []string{"Return-Path", "Received", "Comments", "Keywords", "DKIM-Signature", "Authentication-Results"} {
		if slices.Contains(SignedHeaders(), n) {
			t.Errorf("%s is signed", n)
		}
	}
}

// FuzzSign: what is signed verifies, and its line ends are as they were.
func FuzzSign(f *testing.F) {
	f.Add([]byte(mail), false, true)
	f.Add([]byte("From: a\n\tb \nSubject: \xff\n\n x  y \n\n"), true, false)
	z := testZone(f)
	_ = ed25519.PublicKeySize
	f.Fuzz(func(t *testing.T, msg []byte, simpleHeader, simpleBody bool) {
		o := signOptions()
		o.SimpleHeader, o.SimpleBody = simpleHeader, simpleBody
		var b bytes.Buffer
		if _, err := Sign(t.Context(), &b, bytes.NewReader(msg), o); err != nil {
			if !errors.Is(err, ErrMessage) {
				t.Fatal(err)
			}
			return
		}
		v := check(t, b.String(), z, VerifyOptions{})
		if len(v.Signatures) == 0 || v.Signatures[0].Status != Pass {
			t.Fatalf("%+v\n%q", v, b.String())
		}
	})
}
