package receive_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/probe/listen"
	"github.com/mailcheck-go/mailcheck/probe/receive"
	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/probe/token"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var key = ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))

var world = zonetest.MustParse(`
example.org. 300 IN TXT "v=spf1 ip4:192.0.2.10 -all"
_dmarc.example.org. 300 IN TXT "v=DMARC1; p=reject"
s1._domainkey.example.org. 300 IN TXT "v=DKIM1; k=ed25519; p=` + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)) + `"
example.net. 300 IN MX 10 mx.example.net.
mx.example.net. 300 IN A 192.0.2.1
`)

// receiver takes one mail, makes of it what deliver says, and puts it into a maildir.
func receiver(t *testing.T, folder string, deliver func(listen.Mail) []byte) (dir, tok string, opt send.Options) {
	t.Helper()
	dir = t.TempDir()
	put(t, dir, "", "")
	put(t, dir, folder, "")
	l, err := listen.New(listen.Options{Domain: resolve.MustName("example.net"), Host: "mx.example.net", Deliver: func(m listen.Mail) {
		m.Peer = netip.MustParseAddrPort("192.0.2.10:2525") // loopback has no SPF
		if err := os.WriteFile(filepath.Join(dir, folder, "new", "1.host"), deliver(m), 0o600); err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	address, err := l.Issue("")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return dir, token.InAddress(address), send.Options{
		Resolver: world, Name: "mail.example.org", Ledger: &send.Ledger{}, Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		Sign: &dkim.SignOptions{Domain: resolve.MustName("example.org"), Selector: "s1", Key: key},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
		},
	}
}

func TestRoundtrip(t *testing.T) {
	ar := func(m listen.Mail, results string) []byte {
		return append([]byte("Authentication-Results: mx.example.net; "+results+"\r\n"), m.WithTrace()...)
	}
	good := "spf=pass smtp.mailfrom=probe@example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"
	for _, c := range []struct {
		name, folder string
		deliver      func(listen.Mail) []byte
		status       receive.Status
		differ       string
	}{
		{"all well", "", func(m listen.Mail) []byte { return ar(m, good) }, receive.Pass, ""},
		{"junk", ".Junk", func(m listen.Mail) []byte { return ar(m, good) }, receive.Fail, ""},
		{"the receiver says nothing", "", func(m listen.Mail) []byte { return m.WithTrace() }, receive.Pass, ""},
		{"forged results below the border", "", func(m listen.Mail) []byte {
			m.Raw = append([]byte("Authentication-Results: mx.example.net; dmarc=fail\r\n"), m.Raw...)
			return m.WithTrace()
		}, receive.Pass, ""},
		{"the receiver fails", "", func(m listen.Mail) []byte {
			return ar(m, "spf=fail smtp.mailfrom=probe@example.org; dkim=pass header.d=example.org; dmarc=fail header.from=example.org")
		}, receive.Fail, "spf:pass/fail dmarc:pass/fail"},
		{"altered after signing", "", func(m listen.Mail) []byte {
			m.Raw = bytes.Replace(m.Raw, []byte("Subject: mailcheck probe"), []byte("Subject: [list] mailcheck probe"), 1)
			return ar(m, good)
		}, receive.Pass, "dkim:fail/pass"},
		{"forwarded", "", func(m listen.Mail) []byte {
			next := m
			next.Raw, next.Host, next.Envelope.Helo = m.WithTrace(), "mx.final.example", "mx.example.net"
			next.Raw = next.Raw[bytes.Index(next.Raw, []byte("Received:")):]
			next.Peer = netip.MustParseAddrPort("192.0.2.99:25")
			return next.WithTrace()
		}, receive.Pass, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, tok, opt := receiver(t, c.folder, c.deliver)
			m := send.Message{From: "probe@example.org", To: token.Address(tok, "example.net")}
			res, err := receive.Roundtrip(t.Context(), m, opt, seed(t, dir, receive.MaildirOptions{}), receive.Options{Interval: 10e6, Wait: 10e9})
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdicts == nil {
				t.Fatalf("%s: %s", res.Status, res.Why)
			}
			var got []string
			for _, d := range res.Differs {
				got = append(got, d.Method+":"+d.Ours+"/"+d.Theirs)
				if d.Why == "" {
					t.Errorf("%+v is not explained", d)
				}
			}
			if res.Status != c.status || strings.Join(got, " ") != c.differ {
				t.Errorf("%s (%s), differences %q", res.Status, res.Why, got)
			}
			spf, dk := res.Verdicts.SPF.Status, res.Verdicts.DKIM
			switch c.name {
			case "forwarded":
				if !res.Received.Forwarded.Seen || spf != "fail" || dk.Status() != dkim.Pass || res.Verdicts.DMARC.Now.Result != "pass" {
					t.Errorf("forwarded %+v, spf %s, dkim %s", res.Received.Forwarded, spf, dk.Status())
				}
			case "altered after signing":
				ch := dk.Signatures[0].Change
				if ch == nil || ch.Kind != dkim.ChangePrefix || !strings.EqualFold(ch.Field, "Subject") || !strings.Contains(res.Differs[0].Why, "ubject") {
					t.Errorf("change %+v; %+v", ch, res.Differs)
				}
			default:
				if res.Received.Forwarded.Seen || spf != "pass" || dk.Status() != dkim.Pass {
					t.Errorf("forwarded %+v, spf %s, dkim %s", res.Received.Forwarded, spf, dk.Status())
				}
			}
		})
	}
}

func TestRoundtripIsNotSent(t *testing.T) {
	_, _, opt := receiver(t, "", nil)
	m := send.Message{From: "probe@example.org", To: "nobody@example.net"}
	res, err := receive.Roundtrip(t.Context(), m, opt, &fake{}, receive.Options{})
	if err != nil || res.Status != receive.NotSent || res.Sent.Outcome != send.Rejected || res.Received != nil {
		t.Errorf("%+v, %v", res, err)
	}
}
