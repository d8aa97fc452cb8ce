package judge_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/netip"
	"testing"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/probe/judge"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var key = ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))

var zone = zonetest.MustParse(`
example.org. 300 IN TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.example.org. 300 IN TXT "v=DMARC1; p=reject"
s1._domainkey.example.org. 300 IN TXT "v=DKIM1; k=ed25519; p=` + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)) + `"
`)

func signed(text string) []byte {
	var b bytes.Buffer
	_, err := dkim.Sign(context.Background(), &b, bytes.NewReader([]byte(text)), dkim.SignOptions{Domain: resolve.MustName("example.org"), Selector: "s1", Key: key})
	if err != nil {
		panic(err)
	}
	return b.Bytes()
}

const text = "From: a@example.org\r\nSubject: x\r\n\r\nhello\r\n"

func TestMail(t *testing.T) {
	mail := signed(text)
	for _, c := range []struct {
		name, ip, from, spf, dkim string
		raw                       []byte
		dmarc                     dmarc.Result
	}{
		{"all well", "192.0.2.1", "a@example.org", "pass", "pass", mail, dmarc.ResultPass},
		{"forwarded", "198.51.100.1", "a@example.org", "fail", "pass", mail, dmarc.ResultPass},
		{"forged", "198.51.100.1", "a@example.org", "fail", "none", []byte(text), dmarc.ResultFail},
		{"altered", "198.51.100.1", "a@example.org", "fail", "fail", bytes.Replace(mail, []byte("hello"), []byte("hullo"), 1), dmarc.ResultFail},
		{"a bounce", "192.0.2.1", "", "pass", "pass", mail, dmarc.ResultPass},
		{"client unknown", "", "a@example.org", "", "pass", mail, dmarc.ResultPass},
		{"no author", "192.0.2.1", "a@example.org", "pass", "none", []byte("Subject: x\r\n\r\n"), dmarc.ResultPermError},
	} {
		in := judge.Input{Raw: c.raw, Helo: "example.org", MailFrom: c.from}
		if c.ip != "" {
			in.IP = netip.MustParseAddr(c.ip)
		}
		v, err := judge.Mail(t.Context(), zone, in)
		if err != nil || v.SPFKnown != (c.ip != "") || string(v.SPF.Status) != c.spf || string(v.DKIM.Status()) != c.dkim || v.DMARC.Now.Result != c.dmarc {
			t.Errorf("%s: spf=%s dkim=%s dmarc=%s, %v", c.name, v.SPF.Status, v.DKIM.Status(), v.DMARC.Now.Result, err)
		}
	}
}

func Example() {
	v, err := judge.Mail(context.Background(), zone, judge.Input{
		Raw: signed(text), IP: netip.MustParseAddr("192.0.2.1"), Helo: "mail.example.org", MailFrom: "a@example.org",
	})
	fmt.Println(v.SPF.Status, v.DKIM.Status(), v.ARC.Status, v.DMARC.Now.Result, err)
	// Output: pass pass none pass <nil>
}
