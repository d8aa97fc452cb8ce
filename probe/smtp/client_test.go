package smtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

const address = "192.0.2.1:25"

// connect puts a host on a network and speaks to it.
func connect(t *testing.T, h probetest.Host, opt smtp.Options) (*smtp.Client, *probetest.Network) {
	t.Helper()
	net := new(probetest.Network).Add(address, h)
	conn, err := net.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(net.Wait)
	return smtp.NewClient(conn, opt), net
}

// greet says hello once.
func greet(c *smtp.Client) error {
	if _, err := c.Banner(context.Background()); err != nil {
		return err
	}
	_, err := c.Hello(context.Background(), "probe.example.com")
	return err
}

func certificate(t *testing.T) *tls.Certificate {
	t.Helper()
	ca, err := probetest.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := ca.Issue(probetest.Spec{Names: []string{"mx.example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func kinds(c *smtp.Client) (out []string) {
	for _, o := range c.Observations() {
		out = append(out, string(o.Kind)+"@"+string(o.Step))
	}
	return out
}

func TestConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c, net := connect(t, probetest.Host{Certificate: certificate(t)}, smtp.Options{})
		if err := greet(c); err != nil {
			t.Fatal(err)
		}
		s, err := c.StartTLS(ctx, "mx.example.org")
		if err != nil || !s.Established || s.Version != "TLS 1.3" || s.Cipher == "" || s.Curve == "" || len(s.Chain) != 2 {
			t.Fatalf("StartTLS: %+v, %v", s, err)
		}
		h, err := c.Hello(ctx, "probe.example.com")
		if err != nil {
			t.Fatal(err)
		}
		if _, again := h.Extension("STARTTLS"); again || h.Domain != "mx.example.org" {
			t.Errorf("inside TLS: %+v", h)
		}
		if err := c.Quit(ctx); err != nil {
			t.Error(err)
		}
		want := []string{"EHLO probe.example.com", "STARTTLS", "SNI mx.example.org", "EHLO probe.example.com", "QUIT"}
		if got := net.Commands(address); !slices.Equal(got, want) {
			t.Errorf("the host heard %q", got)
		}
		var clear, secret int
		for _, e := range c.Transcript().Entries {
			if e.Encrypted {
				secret++
			} else {
				clear++
			}
		}
		// In clear: banner, EHLO, 5 lines, STARTTLS, 220, the note. Inside: EHLO, 4 lines, QUIT, 221.
		if clear != 10 || secret != 7 || len(c.Observations()) != 0 {
			t.Errorf("%d in clear, %d inside TLS, observed %v: %+v", clear, secret, kinds(c), c.Transcript())
		}
	})
}

// TestFailures: one misbehaviour at each step, and what is made of it. Time
// passes within the bubble only.
func TestFailures(t *testing.T) {
	on := func(s probetest.Step, a probetest.Action) map[probetest.Step]probetest.Action {
		return map[probetest.Step]probetest.Action{s: a}
	}
	say, drop := probetest.Say, probetest.Drop()
	cases := []struct {
		name      string
		host      probetest.Host
		step      smtp.Step
		cause     smtp.Cause
		temporary bool
		code      int
		longest   time.Duration // 0: at once
		observed  string
	}{
		{name: "banner 421", host: probetest.Host{On: on("banner", probetest.Then(say("421 4.3.2 busy\r\n"), drop))}, step: "banner", cause: smtp.Rejected, temporary: true, code: 421},
		{name: "banner 554", host: probetest.Host{On: on("banner", say("554 5.7.1 no service for you\r\n"))}, step: "banner", cause: smtp.Rejected, code: 554},
		{name: "banner 250", host: probetest.Host{On: on("banner", say("250 hello\r\n"))}, step: "banner", cause: smtp.Unexpected, temporary: true, code: 250},
		{name: "banner dropped", host: probetest.Host{On: on("banner", drop)}, step: "banner", cause: smtp.Closed, temporary: true},
		{name: "banner cut", host: probetest.Host{On: on("banner", probetest.Then(say("220 mx"), drop))}, step: "banner", cause: smtp.Closed, temporary: true},
		{name: "banner silent", host: probetest.Host{On: on("banner", probetest.Hang())}, step: "banner", cause: smtp.Timeout, temporary: true, longest: 5 * time.Second},
		{name: "banner drips", host: probetest.Host{On: on("banner", probetest.Drip(strings.Repeat("220-tarpit\r\n", 100), time.Second))}, step: "banner", cause: smtp.Timeout, temporary: true, longest: 5 * time.Second},
		{name: "banner without LF", host: probetest.Host{On: on("banner", probetest.Then(say("220 mx\r"), probetest.Hang()))}, step: "banner", cause: smtp.Timeout, temporary: true, longest: 5 * time.Second, observed: "bare-cr@banner"},
		{name: "banner of ssh", host: probetest.Host{On: on("banner", say("SSH-2.0-x\r\n"))}, step: "banner", cause: smtp.NotSMTP, temporary: true},
		{name: "line without end", host: probetest.Host{On: on("banner", probetest.Flood("220 ", 1<<30))}, step: "banner", cause: smtp.TooLarge, temporary: true},
		{name: "EHLO 451", host: probetest.Host{On: on("ehlo", say("451 4.7.1 greylisted\r\n"))}, step: "ehlo", cause: smtp.Rejected, temporary: true, code: 451},
		{name: "EHLO 421", host: probetest.Host{On: on("ehlo", probetest.Then(say("421 bye\r\n"), drop))}, step: "ehlo", cause: smtp.Rejected, temporary: true, code: 421},
		{name: "EHLO and HELO refused", host: probetest.Host{On: map[probetest.Step]probetest.Action{"ehlo": say("550 bad name\r\n"), "helo": say("550 no\r\n")}}, step: "ehlo", cause: smtp.Rejected, code: 550},
		{name: "EHLO dropped", host: probetest.Host{On: on("ehlo", drop)}, step: "ehlo", cause: smtp.Closed, temporary: true},
		{name: "EHLO silent", host: probetest.Host{On: on("ehlo", probetest.Hang())}, step: "ehlo", cause: smtp.Timeout, temporary: true, longest: 5 * time.Second},
		{name: "EHLO endless", host: probetest.Host{On: on("ehlo", probetest.Endless("250-X-MORE\r\n"))}, step: "ehlo", cause: smtp.TooLarge, temporary: true},
		{name: "STARTTLS 454", host: probetest.Host{On: on("starttls", say("454 4.7.0 TLS not available\r\n"))}, step: "starttls", cause: smtp.Rejected, temporary: true, code: 454},
		{name: "STARTTLS 502", host: probetest.Host{On: on("starttls", say("502 5.5.1 no\r\n"))}, step: "starttls", cause: smtp.Rejected, code: 502},
		{name: "STARTTLS 250", host: probetest.Host{On: on("starttls", say("250 ok\r\n"))}, step: "starttls", cause: smtp.Unexpected, temporary: true, code: 250},
		{name: "STARTTLS dropped", host: probetest.Host{On: on("starttls", drop)}, step: "starttls", cause: smtp.Closed, temporary: true},
		{name: "TLS dropped", host: probetest.Host{On: on("handshake", drop)}, step: "tls", cause: smtp.Closed, temporary: true},
		{name: "TLS silent", host: probetest.Host{On: on("handshake", probetest.Hang())}, step: "tls", cause: smtp.Timeout, temporary: true, longest: 5 * time.Second},
		{name: "TLS garbage", host: probetest.Host{On: on("handshake", say("\x00\x01\x02 garbage \x1b[2J and more of it\r\n"))}, step: "tls", cause: smtp.TLSGarbage},
		{name: "text instead of TLS", host: probetest.Host{On: on("handshake", say("250 2.0.0 injected later\r\n"))}, step: "tls", cause: smtp.TLSGarbage, observed: "injected-plaintext@tls"},
		{name: "TLS alert", host: probetest.Host{TLS: func(c *tls.Config) {
			c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }
		}}, step: "tls", cause: smtp.TLSAlert},
		{name: "no suite in common", host: probetest.Host{TLS: func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256} // the key is an EC one
		}}, step: "tls", cause: smtp.TLSNoCommon, temporary: true},
		{name: "SSL 3.0", host: probetest.Host{On: on("handshake", say("\x16\x03\x00\x00\x2a\x02\x00\x00\x26\x03\x00"+strings.Repeat("\x00", 36)))}, step: "tls", cause: smtp.TLSVersion},
		{name: "TLS flood", host: probetest.Host{On: on("handshake", probetest.Endless("\x16\x03\x03\x40\x00"+strings.Repeat("\x00", 1<<14)))}, step: "tls", cause: smtp.TLSFailed, temporary: true},
		{name: "EHLO in TLS dropped", host: probetest.Host{On: on("secure-ehlo", drop)}, step: "ehlo-tls", cause: smtp.Closed, temporary: true},
		{name: "EHLO in TLS endless", host: probetest.Host{On: on("secure-ehlo", probetest.Endless("250-"+strings.Repeat("z", 1000)+"\r\n"))}, step: "ehlo-tls", cause: smtp.TooLarge, temporary: true, observed: "long-line@ehlo-tls"},
		{name: "QUIT silent", host: probetest.Host{On: on("quit", probetest.Hang())}, step: "quit", cause: smtp.Timeout, temporary: true, longest: 3 * time.Second},
	}
	pair := certificate(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.host.Certificate = pair
				client, _ := connect(t, c.host, smtp.Options{Timeout: 5 * time.Second})
				defer client.Close()
				start := time.Now()
				err := greet(client)
				if err == nil {
					if _, err = client.StartTLS(t.Context(), "mx.example.org"); err == nil {
						_, err = client.Hello(t.Context(), "probe.example.com")
					}
				}
				if took := time.Since(start); c.step != "quit" && took != c.longest {
					t.Errorf("took %v, want %v", took, c.longest)
				}
				if c.step == "quit" && err == nil {
					err = client.Quit(t.Context())
				}
				e, ok := errors.AsType[*smtp.Error](err)
				if !ok || e.Step != c.step || e.Cause != c.cause || e.Temporary() != c.temporary || !errors.Is(err, c.cause) {
					t.Fatalf("got %#v (%v)", err, err)
				}
				if (e.Reply == nil) != (c.code == 0) || e.Reply != nil && e.Reply.Code != c.code {
					t.Errorf("reply %+v, want %d", e.Reply, c.code)
				}
				if got := strings.Join(kinds(client), " "); got != c.observed {
					t.Errorf("observed %q, want %q", got, c.observed)
				}
				if strings.ContainsAny(err.Error(), "\x1b\r\n\x00") || len(err.Error()) > 600 {
					t.Errorf("not fit to show: %q", err)
				}
				// After a failure nothing is said any more, and nothing waits.
				start = time.Now()
				client.Quit(t.Context())
				if took := time.Since(start); took > 3*time.Second {
					t.Errorf("QUIT took %v", took)
				}
			})
		})
	}
}

// TestObservations: odd, but no failure.
func TestObservations(t *testing.T) {
	say := probetest.Say
	cases := []struct {
		name string
		on   map[probetest.Step]probetest.Action
		want string
	}{
		{"nothing odd", nil, ""},
		{"injected text", map[probetest.Step]probetest.Action{"starttls": say("220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n")}, "injected-plaintext@starttls"},
		{"escapes in the banner", map[probetest.Step]probetest.Action{"banner": say("220 mx \x1b]0;owned\x07\x00\r\n")}, "control-octet@banner"},
		{"bare LF", map[probetest.Step]probetest.Action{"banner": say("220 mx\n"), "ehlo": say("250-mx\n250 STARTTLS\n")}, "bare-lf@banner bare-lf@ehlo"},
		{"two banners", map[probetest.Step]probetest.Action{"banner": say("220 mx\r\n250 already\r\n")}, "unsolicited-text@ehlo"},
		{"codes differ", map[probetest.Step]probetest.Action{"ehlo": say("550-mx\r\n250 STARTTLS\r\n")}, "code-mismatch@ehlo"},
		{"firewall", map[probetest.Step]probetest.Action{"ehlo": say("250-mx\r\n250-XXXXXXXA\r\n250 SIZE\r\n")}, "masked-extension@ehlo"},
		{"STARTTLS twice", map[probetest.Step]probetest.Action{"secure-ehlo": say("250-mx\r\n250 STARTTLS\r\n")}, "starttls-offered-in-tls@ehlo-tls"},
		{"old host", map[probetest.Step]probetest.Action{"ehlo": say("500 what?\r\n")}, "helo-only@ehlo"},
	}
	pair := certificate(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := connect(t, probetest.Host{Certificate: pair, On: c.on}, smtp.Options{})
				defer client.Close()
				if err := greet(client); err != nil {
					t.Fatal(err)
				}
				s, err := client.StartTLS(t.Context(), "mx.example.org")
				if err != nil || !s.Established {
					t.Fatalf("TLS after it: %+v, %v", s, err)
				}
				if h, err := client.Hello(t.Context(), "probe.example.com"); err != nil || strings.Contains(string(h.Domain), "evil") {
					t.Fatalf("what was injected must not be taken for an answer: %+v, %v", h, err)
				}
				if got := strings.Join(kinds(client), " "); got != c.want {
					t.Errorf("observed %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestVersions: RFC 8996 retired TLS 1.0 and 1.1; they are seen and named.
func TestVersions(t *testing.T) {
	pair := certificate(t)
	ca, _ := probetest.NewCA(time.Now())
	old, err := ca.Issue(probetest.Spec{Names: []string{"mx.example.org"}, RSA: 1024})
	if err != nil {
		t.Fatal(err)
	}
	only := func(v uint16) func(*tls.Config) { return func(c *tls.Config) { c.MinVersion, c.MaxVersion = v, v } }
	for _, c := range []struct {
		host    probetest.Host
		version string
		cipher  string
	}{
		{probetest.Host{Certificate: old, TLS: only(tls.VersionTLS10)}, "TLS 1.0", ""},
		{probetest.Host{Certificate: pair, TLS: only(tls.VersionTLS11)}, "TLS 1.1", ""},
		{probetest.Host{Certificate: pair, TLS: only(tls.VersionTLS12)}, "TLS 1.2", ""},
		{probetest.Host{Certificate: pair, TLS: only(tls.VersionTLS13)}, "TLS 1.3", ""},
		{probetest.Host{Certificate: old, TLS: func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}
		}}, "TLS 1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
		{probetest.Host{Certificate: old, TLS: func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS10, []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}
		}}, "TLS 1.0", "TLS_RSA_WITH_RC4_128_SHA"},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := connect(t, c.host, smtp.Options{})
			defer client.Close()
			if err := greet(client); err != nil {
				t.Fatal(err)
			}
			s, err := client.StartTLS(t.Context(), "mx.example.org")
			if err != nil || s.Version != c.version || c.cipher != "" && s.Cipher != c.cipher {
				t.Errorf("want %s %s: %+v, %v", c.version, c.cipher, s, err)
			}
		})
	}
}

// TestChainSeenThoughHandshakeFails: the certificates come before the failure.
func TestChainSeenThoughHandshakeFails(t *testing.T) {
	pair := certificate(t)
	wrong, other := *pair, certificate(t)
	wrong.PrivateKey = other.PrivateKey // the signature of the handshake will not verify
	synctest.Test(t, func(t *testing.T) {
		client, _ := connect(t, probetest.Host{Certificate: &wrong}, smtp.Options{})
		defer client.Close()
		if err := greet(client); err != nil {
			t.Fatal(err)
		}
		s, err := client.StartTLS(t.Context(), "mx.example.org")
		if !errors.Is(err, smtp.TLSFailed) || s.Established || len(s.Chain) != 2 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// TestHugeChain: certificates that nobody needs are not kept.
func TestHugeChain(t *testing.T) {
	pair := *certificate(t)
	for len(pair.Certificate) < 60 {
		pair.Certificate = append(pair.Certificate, pair.Certificate[1])
	}
	synctest.Test(t, func(t *testing.T) {
		client, _ := connect(t, probetest.Host{Certificate: &pair}, smtp.Options{})
		defer client.Close()
		if err := greet(client); err != nil {
			t.Fatal(err)
		}
		s, err := client.StartTLS(t.Context(), "mx.example.org")
		if err != nil || len(s.Chain) != smtp.MaxChain || !slices.Equal(kinds(client), []string{"chain-too-long@tls"}) {
			t.Errorf("%d certificates, %v, %v", len(s.Chain), kinds(client), err)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := connect(t, probetest.Host{On: map[probetest.Step]probetest.Action{"banner": probetest.Hang()}}, smtp.Options{})
		defer client.Close()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if _, err := client.Banner(ctx); !errors.Is(err, smtp.Canceled) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestTranscriptLimits: a reply within its limits still fits only in part.
func TestTranscriptLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		big := strings.Repeat("250-"+strings.Repeat("\x1b", 1800)+"\r\n", 30) + "250 end\r\n"
		client, _ := connect(t, probetest.Host{On: map[probetest.Step]probetest.Action{"ehlo": probetest.Say(big)}}, smtp.Options{})
		if err := greet(client); err != nil {
			t.Fatal(err)
		}
		client.Quit(t.Context())
		tr, size, cut := client.Transcript(), 0, 0
		for _, e := range tr.Entries {
			size, cut = size+len(e.Text), cut+e.Cut
		}
		if size > smtp.MaxTranscript || len(tr.Entries) > smtp.MaxEntries || tr.Dropped == 0 || cut == 0 {
			t.Errorf("%d octets in %d entries, %d dropped, %d cut", size, len(tr.Entries), tr.Dropped, cut)
		}
	})
}

// TestMemory measures what hostile hosts make us allocate.
func TestMemory(t *testing.T) {
	pair := certificate(t)
	for name, on := range map[string]map[probetest.Step]probetest.Action{
		"line of 1 GiB":        {"banner": probetest.Flood("220 ", 1<<30)},
		"endless EHLO":         {"ehlo": probetest.Endless("250-X-MORE AND MORE\r\n")},
		"endless EHLO in TLS":  {"secure-ehlo": probetest.Endless("250-X-MORE AND MORE\r\n")},
		"endless text for TLS": {"handshake": probetest.Endless("250-X-MORE AND MORE\r\n")},
		"endless injection":    {"starttls": probetest.Then(probetest.Say("220 go\r\n"), probetest.Endless("250 x\r\n"))},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			synctest.Test(t, func(t *testing.T) {
				client, _ := connect(t, probetest.Host{Certificate: pair, On: on}, smtp.Options{Timeout: time.Second})
				defer client.Close()
				if greet(client) == nil {
					if _, err := client.StartTLS(t.Context(), "mx.example.org"); err == nil {
						client.Hello(t.Context(), "probe.example.com")
					}
				}
			})
			runtime.ReadMemStats(&after)
			// The host's side and its buffers are in it too.
			if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
				t.Errorf("%d KiB allocated", used>>10)
			}
		})
	}
}

func ExampleClient() {
	ca, _ := probetest.NewCA(time.Now())
	pair, _ := ca.Issue(probetest.Spec{Names: []string{"mx.example.org"}})
	network := new(probetest.Network).Add("192.0.2.1:25", probetest.Host{Certificate: pair})

	ctx := context.Background()
	conn, err := network.DialContext(ctx, "tcp", "192.0.2.1:25")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := smtp.NewClient(conn, smtp.Options{Timeout: 10 * time.Second})
	defer c.Quit(ctx)
	banner, err := c.Banner(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(banner.Code, banner.Lines)
	hello, _ := c.Hello(ctx, "mail.example.com")
	_, offered := hello.Extension("STARTTLS")
	fmt.Println("STARTTLS:", offered)
	session, err := c.StartTLS(ctx, "mx.example.org")
	fmt.Println(session.Version, session.Chain[0].DNSNames, err)
	// Output:
	// 220 [mx.example.org ESMTP]
	// STARTTLS: true
	// TLS 1.3 [mx.example.org] <nil>
}
