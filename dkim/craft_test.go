package dkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// rsaKeys makes each size once for all tests.
var rsaKeys = func() func(bits int) *rsa.PrivateKey {
	var mu sync.Mutex
	made := map[int]*rsa.PrivateKey{}
	return func(bits int) *rsa.PrivateKey {
		mu.Lock()
		defer mu.Unlock()
		if made[bits] == nil {
			k, err := rsa.GenerateKey(rand.Reader, bits)
			if err != nil {
				panic(err)
			}
			made[bits] = k
		}
		return made[bits]
	}
}()

const mail = "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.net>,\r\n\tCarol <carol@example.net>\r\nSubject: the figures\r\nDate: Tue, 10 Jun 2025 10:11:10 +0000\r\n\r\n" +
	"Hello Bob,\r\n\r\nhere are  they.\r\n.\r\nFrom me\r\n\r\n"

var testNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func clock() time.Time { return testNow }

// testZone has keys for example.org: "rsa", "ed", and many that are unusable.
func testZone(t testing.TB) *zonetest.Zone {
	t.Helper()
	rsaP, edP := spki(t, &rsaKeys(2048).PublicKey), edRaw()
	var b strings.Builder
	b.WriteString("$ORIGIN _domainkey.example.org.\n")
	for _, l := range [][2]string{
		{"rsa", "v=DKIM1; k=rsa; p=" + rsaP}, {"ed", "v=DKIM1; k=ed25519; p=" + edP}, {"pkcs1", "p=" + pkcs1(&rsaKeys(2048).PublicKey)},
		{"testing", "t=y; k=ed25519; p=" + edP}, {"strict", "t=s; k=ed25519; p=" + edP}, {"revoked", "v=DKIM1; p="},
		{"other", "v=spf1 -all"}, {"broken", "v=DKIM1; p=AAAA"}, {"sha1", "h=sha1; k=ed25519; p=" + edP}, {"chat", "s=chat; k=ed25519; p=" + edP},
		{"weak", "p=" + spki(t, &rsaKeys(1024).PublicKey)}, {"short", "p=" + spki(t, fakeRSA(512))}, {"long", "p=" + spki(t, fakeRSA(16384))}, {"longer", "p=" + spki(t, fakeRSA(20000))},
		{"unknown", "k=dsa; p=" + edP}, {"v2", "v=DKIM2; k=ed25519; p=" + edP}, {"foreign", "p=" + spki(t, fakeRSA(2048))},
	} {
		b.WriteString(l[0] + " 300 IN TXT " + resolve.SplitTXT(l[1]).String() + "\n")
	}
	b.WriteString("two 300 IN TXT \"v=spf1 -all\"\ntwo 300 IN TXT \"v=DKIM1; p=\"\ntwo 300 IN TXT \"k=ed25519; p=" + edP + "\"\n")
	b.WriteString("dangling 300 IN CNAME s.provider.example.\n")
	z := zonetest.MustParse(b.String())
	z.Inject(resolve.MustName("slow._domainkey.example.org"), resolve.TypeTXT, zonetest.Fault{Timeout: true})
	return z
}

func zoneOf(t testing.TB, text string) *zonetest.Zone {
	t.Helper()
	z, err := zonetest.Parse(text, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

var bTag = regexp.MustCompile(`([;\s]b\s*=)[^;]*`)

// craft signs a message with the given field, in which "@" stands for the body
// hash and b= is filled in. It shares no code with what it tests.
func craft(t testing.TB, field, msg string, key crypto.Signer) string {
	t.Helper()
	return seal(t, strings.Replace(field, "bh=@", "bh="+bodyHash(field, msg), 1), msg, key) + "\r\n" + msg
}

func tagOf(field, name string) string {
	m := regexp.MustCompile(`[;:\s]` + name + `\s*=\s*([^;]*)`).FindStringSubmatch(field)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(m[1])
}

func bodyHash(field, msg string) string {
	_, body, _ := strings.Cut(msg, "\r\n\r\n")
	_, form, _ := strings.Cut(tagOf(field, "c"), "/")
	if form == "relaxed" {
		body = regexp.MustCompile(`[ \t]+`).ReplaceAllString(body, " ")
		body = strings.ReplaceAll(body, " \r\n", "\r\n")
	}
	for strings.HasSuffix(body, "\r\n") {
		body = body[:len(body)-2]
	}
	if body != "" || form != "relaxed" {
		body += "\r\n"
	}
	if l := tagOf(field, "l"); l != "" {
		n := 0
		for _, c := range l {
			n = min(n*10+int(c-'0'), len(body))
		}
		body = body[:max(n, 0)]
	}
	sum := sha256.Sum256([]byte(body))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func seal(t testing.TB, field, msg string, key crypto.Signer) string {
	t.Helper()
	head, _, _ := strings.Cut(msg, "\r\n\r\n")
	fields := strings.Split(regexp.MustCompile(`\r\n([^ \t])`).ReplaceAllString(head, "\x00$1"), "\x00")
	form, _, _ := strings.Cut(tagOf(field, "c"), "/")
	canon := func(f string) string {
		if form != "relaxed" {
			return f
		}
		name, value, _ := strings.Cut(f, ":")
		return strings.ToLower(strings.TrimSpace(name)) + ":" + strings.Join(strings.Fields(value), " ")
	}
	text := ""
	used := make([]bool, len(fields))
	for name := range strings.SplitSeq(tagOf(field, "h"), ":") {
		for i := len(fields) - 1; i >= 0; i-- {
			if n, _, _ := strings.Cut(fields[i], ":"); !used[i] && strings.EqualFold(strings.TrimSpace(n), strings.TrimSpace(name)) {
				used[i] = true
				text += canon(fields[i]) + "\r\n"
				break
			}
		}
	}
	text += canon(bTag.ReplaceAllString(field, "$1"))
	sum := sha256.Sum256([]byte(text))
	opt := crypto.SignerOpts(crypto.SHA256)
	if _, ok := key.(ed25519.PrivateKey); ok {
		opt = crypto.Hash(0)
	}
	sig, err := key.Sign(rand.Reader, sum[:], opt)
	if err != nil {
		t.Fatal(err)
	}
	return bTag.ReplaceAllString(field, "${1}"+base64.StdEncoding.EncodeToString(sig))
}

func check(t testing.TB, msg string, r resolve.Resolver, opts VerifyOptions) Verification {
	t.Helper()
	if opts.Now == nil {
		opts.Now = clock
	}
	v, err := Verify(context.Background(), bytes.NewReader([]byte(msg)), r, opts)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type signer = crypto.Signer

func hash64(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}
