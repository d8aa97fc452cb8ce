package dkim_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	mrand "math/rand/v2"
	"strings"
	"sync"
	"testing"

	peer "github.com/emersion/go-msgauth/dkim"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const header = "Received: from out.example.com (out.example.com [192.0.2.10])\r\n\tby mx.example.net with ESMTPS id 4XYZ1234\r\n\tfor <bob@example.net>; Tue, 10 Jun 2025 10:11:12 +0000\r\n" +
	"Received: from app.example.com (app.example.com [10.1.2.3])\r\n\tby out.example.com with ESMTP id 99887766;\r\n\tTue, 10 Jun 2025 10:11:11 +0000\r\n" +
	"From: \"Alice Sender\" <alice@example.com>\r\nTo: Bob Receiver <bob@example.net>,\r\n\tCarol <carol@example.net>\r\nSubject: Quarterly   figures and a\r\n rather long folded subject line\r\n" +
	"Date: Tue, 10 Jun 2025 10:11:10 +0000\r\nMessage-ID: <20250610101110.1234567@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b42\"\r\n" +
	"Reply-To: alice@example.com\r\nList-Unsubscribe: <https://example.com/u/123456>\r\nX-Mailer: bench\r\n\r\n"

var signed = []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To", "List-Unsubscribe"}

// message is a mail of text up to 40 KB, with some white space to collapse, and of
// base64 lines beyond.
func message(size int) []byte {
	r := mrand.New(mrand.NewPCG(1, 2))
	var b bytes.Buffer
	b.WriteString(header)
	for b.Len() < min(size, 40<<10) {
		for i := range 12 {
			if i > 0 {
				b.WriteString([]string{" ", "  "}[r.IntN(30)/29])
			}
			b.WriteString("reports"[:2+r.IntN(6)])
		}
		b.WriteString([]string{"\r\n", " \r\n", "\r\n\r\n"}[max(0, r.IntN(12)-9)])
	}
	line := make([]byte, 57)
	for b.Len() < size {
		for i := range line {
			line[i] = byte(r.Uint32())
		}
		b.WriteString(base64.StdEncoding.EncodeToString(line) + "\r\n")
	}
	return b.Bytes()
}

type keys struct {
	rsa *rsa.PrivateKey
	ed  ed25519.PrivateKey
	txt map[string]string
}

var made = sync.OnceValue(func() keys {
	var k keys
	k.rsa, _ = rsa.GenerateKey(rand.Reader, 2048)
	pub, ed, _ := ed25519.GenerateKey(rand.Reader)
	k.ed = ed
	der, _ := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	k.txt = map[string]string{"ed._domainkey.example.com": "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)}
	for i := range 11 {
		name := "rsa"
		if i > 0 {
			name += fmt.Sprint(i - 1)
		}
		k.txt[name+"._domainkey.example.com"] = "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	}
	return k
})

// Resolve answers from memory, with as little work as the peer's look-up has.
func (k keys) Resolve(_ context.Context, q resolve.Question) (resolve.Answer, error) {
	text, ok := k.txt[q.Name.String()]
	if !ok {
		return resolve.Answer{}, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
	}
	return resolve.Answer{Records: []resolve.Record{{Name: q.Name, Type: resolve.TypeTXT, Data: resolve.TXT{Strings: []string{text}}}}}, nil
}

func (k keys) lookup(name string) ([]string, error) {
	if t, ok := k.txt[name]; ok {
		return []string{t}, nil
	}
	return nil, fmt.Errorf("no such name")
}

// peerSign signs with the peer, so that both verify what neither of ours made.
func peerSign(t testing.TB, msg []byte, selector string, key crypto.Signer, form peer.Canonicalization) []byte {
	t.Helper()
	var b bytes.Buffer
	err := peer.Sign(&b, bytes.NewReader(msg), &peer.SignOptions{
		Domain: "example.com", Selector: selector, Signer: key, HeaderKeys: signed, HeaderCanonicalization: form, BodyCanonicalization: form,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ours(t testing.TB, msg []byte) dkim.Verification {
	v, err := dkim.Verify(context.Background(), bytes.NewReader(msg), made(), dkim.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func theirs(t testing.TB, msg []byte) []*peer.Verification {
	v, err := peer.VerifyWithOptions(bytes.NewReader(msg), &peer.VerifyOptions{LookupTXT: made().lookup})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type input struct {
	name string
	msg  []byte
}

func inputs(t testing.TB) []input {
	k := made()
	small, large := message(5<<10), message(1<<20)
	ten := large
	for i := range 10 {
		one := peerSign(t, large, fmt.Sprintf("rsa%d", i), k.rsa, peer.CanonicalizationRelaxed)
		ten = append(one[:len(one)-len(large):len(one)-len(large)], ten...)
	}
	return []input{
		{"rsa-5k", peerSign(t, small, "rsa", k.rsa, peer.CanonicalizationRelaxed)},
		{"ed25519-5k", peerSign(t, small, "ed", k.ed, peer.CanonicalizationRelaxed)},
		{"rsa-1m", peerSign(t, large, "rsa", k.rsa, peer.CanonicalizationRelaxed)},
		{"rsa-1m-simple", peerSign(t, large, "rsa", k.rsa, peer.CanonicalizationSimple)},
		{"ten-rsa-1m", ten},
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, in := range inputs(b) {
		b.Run("mailcheck/"+in.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := ours(b, in.msg); v.Status() != dkim.Pass {
					b.Fatal(v)
				}
			}
		})
		b.Run("go-msgauth/"+in.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := theirs(b, in.msg); v[0].Err != nil {
					b.Fatal(v[0].Err)
				}
			}
		})
	}
}

// BenchmarkSign: RSA is bound by crypto/rsa, about 1 ms for 2048 bits.
func BenchmarkSign(b *testing.B) {
	k := made()
	for _, size := range []int{5 << 10, 1 << 20} {
		msg := message(size)
		for _, alg := range []struct {
			selector string
			key      crypto.Signer
		}{{"rsa", k.rsa}, {"ed", k.ed}} {
			name := fmt.Sprintf("%s-%dk", alg.selector, size>>10)
			b.Run("mailcheck/"+name, func(b *testing.B) {
				b.ReportAllocs()
				var out bytes.Buffer
				for b.Loop() {
					out.Reset()
					o := dkim.SignOptions{Domain: resolve.MustName("example.com"), Selector: alg.selector, Key: alg.key, Headers: signed, Oversign: []string{}}
					if _, err := dkim.Sign(b.Context(), &out, bytes.NewReader(msg), o); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("go-msgauth/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					peerSign(b, msg, alg.selector, alg.key, peer.CanonicalizationRelaxed)
				}
			})
		}
	}
}

// TestDifferential mutates signed messages and compares the verdicts: whether a
// signature passes. Where the two differ for a reason, it is named.
func TestDifferential(t *testing.T) {
	k := made()
	r := mrand.New(mrand.NewPCG(3, 4))
	base := message(1 << 10)
	var seeds [][]byte
	for _, form := range []peer.Canonicalization{peer.CanonicalizationRelaxed, peer.CanonicalizationSimple} {
		seeds = append(seeds, peerSign(t, base, "rsa", k.rsa, form), peerSign(t, base, "ed", k.ed, form))
		var own bytes.Buffer
		o := dkim.SignOptions{Domain: resolve.MustName("example.com"), Selector: "ed", Key: k.ed, SimpleHeader: form == "simple", SimpleBody: form == "simple"}
		if _, err := dkim.Sign(t.Context(), &own, bytes.NewReader(base), o); err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, own.Bytes())
	}
	pieces := []string{" ", "\t", "\r\n", "\r\n ", "\r\n\r\n", "a", "=", ";", ":", "  ", "\r\nFrom: x@example.com", "\r\nSubject: y", "b=", "v=1; ", "\x80"}
	passed, differed := 0, 0
	for i := range 30000 {
		msg := bytes.Clone(seeds[i%len(seeds)])
		for range r.IntN(3) {
			at := r.IntN(len(msg))
			if r.IntN(3) > 0 {
				at = r.IntN(min(len(msg), 900))
			}
			piece := pieces[r.IntN(len(pieces))]
			switch r.IntN(3) {
			case 0:
				msg = append(msg[:at:at], append([]byte(piece), msg[at:]...)...)
			case 1:
				msg = append(msg[:at:at], msg[min(len(msg), at+1+r.IntN(3)):]...)
			default:
				msg[at] = piece[0]
			}
		}
		a := ours(t, msg)
		b, err := peer.VerifyWithOptions(bytes.NewReader(msg), &peer.VerifyOptions{LookupTXT: k.lookup})
		if err != nil {
			continue // it refuses headers that we read
		}
		for j := range min(len(a.Signatures), len(b)) {
			pass := a.Signatures[j].Status == dkim.Pass
			if pass {
				passed++
			}
			if pass == (b[j].Err == nil) {
				continue
			}
			if known(msg, a, a.Signatures[j], b[j].Err) {
				differed++
				continue
			}
			t.Errorf("%s %s against %v\n%q", a.Signatures[j].Status, a.Signatures[j].Explanation, b[j].Err, msg)
			return
		}
	}
	t.Logf("%d signatures pass, %d differ for known reasons", passed, differed)
}

// known are the reasons for which the two differ.
func known(msg []byte, v dkim.Verification, s dkim.Signature, peerErr error) bool {
	if s.Status == dkim.Pass {
		return strings.Contains(fmt.Sprint(peerErr), "l= tag") // it refuses every l=
	}
	switch s.Reason {
	// The tag list is read strictly here (RFC 6376, Section 3.2): no empty tags, no
	// octets outside printable ASCII, no padding missing.
	case dkim.ReasonSyntax, dkim.ReasonDuplicateTag, dkim.ReasonIdentity, dkim.ReasonDomain:
		return true
	}
	// A name that is folded before its colon is no field (RFC 5322, Section 4.5).
	for _, n := range v.Notes {
		if n.Kind == dkim.NoteJunk {
			return true
		}
	}
	// A bare CR or LF in the message is read in different ways.
	plain := bytes.ReplaceAll(msg, []byte("\r\n"), nil)
	return bytes.ContainsAny(plain, "\r\n")
}
