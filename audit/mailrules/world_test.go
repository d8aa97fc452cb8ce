package mailrules

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// arrival is when the scenarios take place.
var arrival = time.Date(2026, 11, 1, 12, 0, 2, 0, time.UTC)

func newKey(bits int) func() *rsa.PrivateKey {
	return sync.OnceValue(func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		return k
	})
}

var longKey, shortKey = newKey(2048), newKey(1024)

// sign gives a mail a signature. The selector says what is odd about it.
func sign(t testing.TB, text []byte, domain, selector string) (out []byte, record string) {
	t.Helper()
	key := longKey()
	opt := dkim.SignOptions{Domain: resolve.MustName(domain), Selector: selector, Now: func() time.Time { return arrival }}
	switch selector {
	case "short1024":
		key = shortKey()
	case "from-only":
		opt.Headers, opt.Oversign = []string{"From"}, []string{}
	case "future":
		opt.Now = func() time.Time { return arrival.Add(3 * time.Hour) }
	}
	opt.Key = key
	rec, err := dkim.RecordFor(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	record = fmt.Sprintf("%s._domainkey.%s. 3600 IN TXT %s\n", selector, domain, quoted(rec.String()))
	if selector == "length" {
		return signLength(t, text, domain, key), record
	}
	var b bytes.Buffer
	if _, err := dkim.Sign(context.Background(), &b, bytes.NewReader(text), opt); err != nil {
		t.Fatalf("sign: %v\n%s", err, text)
	}
	return b.Bytes(), record
}

func quoted(s string) string {
	var out []string
	for len(s) > 0 {
		n := min(len(s), 250)
		out = append(out, `"`+s[:n]+`"`)
		s = s[n:]
	}
	return strings.Join(out, " ")
}

// signLength makes a signature with l=, which the library refuses to make: in the
// form relaxed/simple, for headers without folds and double spaces.
func signLength(t testing.TB, text []byte, domain string, key *rsa.PrivateKey) []byte {
	t.Helper()
	head, body, _ := bytes.Cut(text, []byte("\r\n\r\n"))
	hash := sha256.Sum256(body)
	field := fmt.Sprintf("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=%s; s=length; l=%d; h=from:to:subject:date; bh=%s; b=",
		domain, len(body), base64.StdEncoding.EncodeToString(hash[:]))
	var b strings.Builder
	for _, name := range []string{"from", "to", "subject", "date"} {
		for line := range strings.SplitSeq(string(head), "\r\n") {
			n, v, _ := strings.Cut(line, ":")
			if strings.EqualFold(n, name) {
				b.WriteString(name + ":" + strings.TrimSpace(v) + "\r\n")
			}
		}
	}
	b.WriteString("dkim-signature:" + strings.TrimPrefix(field, "DKIM-Signature: "))
	sum := sha256.Sum256([]byte(b.String()))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return []byte(field + base64.StdEncoding.EncodeToString(sig) + "\r\n" + string(text))
}

// play makes the world of a scenario.
func play(t testing.TB, s audit.Scenario) ([]byte, *zonetest.Zone) {
	t.Helper()
	text := []byte(strings.ReplaceAll(s.Mail, "\n", "\r\n"))
	records := s.Zone
	for _, x := range s.Signers {
		domain, selector, _ := strings.Cut(x, " ")
		var rec string
		text, rec = sign(t, text, domain, selector)
		records += rec
	}
	for i := 0; i+1 < len(s.Changes); i += 2 {
		from, to := strings.ReplaceAll(s.Changes[i], "\n", "\r\n"), strings.ReplaceAll(s.Changes[i+1], "\n", "\r\n")
		if !bytes.Contains(text, []byte(from)) {
			t.Fatalf("the change of %q finds nothing in\n%s", from, text)
		}
		text = bytes.Replace(text, []byte(from), []byte(to), 1)
	}
	z, err := zonetest.Parse(records, zonetest.Options{World: true, File: "scenario"})
	if err != nil {
		t.Fatalf("zone: %v", err)
	}
	for _, f := range s.Faults {
		w := strings.Fields(f)
		var typ resolve.Type
		if err := typ.UnmarshalText([]byte(w[1])); err != nil {
			t.Fatal(err)
		}
		z.Inject(resolve.MustName(w[0]), typ, map[string]zonetest.Fault{"servfail": {RCode: resolve.ServFail}, "timeout": {Timeout: true}}[w[2]])
	}
	return text, z
}

func gather(t testing.TB, s audit.Scenario, opt mail.Options) *mail.Facts {
	t.Helper()
	text, z := play(t, s)
	if opt.Now == nil {
		opt.Now = func() time.Time { return arrival.Add(5 * time.Second) }
	}
	limit := 5 * time.Second
	if strings.Contains(strings.Join(s.Faults, " "), "timeout") {
		limit = 300 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return mail.Gather(ctx, z, message.Parse(text, message.Options{}), opt)
}

func try(t testing.TB, s audit.Scenario) (*mail.Facts, audit.Report) {
	t.Helper()
	f := gather(t, s, mail.Options{Name: "mail.eml"})
	return f, audit.RunMail(f, All(), audit.Options{Profiles: Profiles()})
}

func find(r audit.Report, id audit.ID) []audit.Finding {
	var out []audit.Finding
	for _, f := range r.Findings {
		if f.Rule == id {
			out = append(out, f)
		}
	}
	return out
}

func ids(r audit.Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, string(f.Rule)+" "+f.Message)
	}
	return out
}
