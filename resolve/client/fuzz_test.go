package client

import (
	"errors"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// FuzzResponse feeds any octets as the response to a fixed query: no panic, no
// records of another name or type, no records beside an error.
func FuzzResponse(f *testing.F) {
	qy := query{q: txtQ, edns: true, dnssec: true}
	var room [maxQuery]byte
	sent, err := qy.pack(room[:])
	if err != nil {
		f.Fatal(err)
	}
	sent[0], sent[1] = 0x12, 0x34
	seed := func(h handler, edit func([]byte) []byte) {
		r := new(dns.Msg)
		if err := r.Unpack(sent); err != nil {
			f.Fatal(err)
		}
		m := h("udp", r)
		m.Compress = true
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(edit(b))
	}
	same := func(b []byte) []byte { return b }
	plain := zone(f, soaRR, `example.org. 60 IN TXT "v=spf1" " -all" "\000\255"`)
	seed(plain, same)
	seed(plain, func(b []byte) []byte { return b[:len(b)-4] })
	seed(zone(f, "example.org. 60 IN CNAME a.example.net.", `a.example.net. 60 IN TXT "x"`), same)
	seed(zone(f, "example.org. 60 IN CNAME example.org."), same)
	seed(zone(f, soaRR), same)
	seed(edited(plain, func(_ string, _, m *dns.Msg) {
		m.SetEdns0(1232, true)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 6, ExtraText: "x"}}
		m.Truncated = true
	}), same)
	f.Add(sent)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b, sent, qy)
		if err != nil {
			if _, ok := errors.AsType[malformed](err); !ok && err != errForeign {
				t.Fatalf("error %v", err)
			}
			return
		}
		for _, zone := range []resolve.Name{{}, resolve.MustName("org")} {
			o := m.interpret(qy.q, zone)
			if (o.err == nil) != (len(o.a.Records) > 0) {
				t.Fatalf("error %v with %d records", o.err, len(o.a.Records))
			}
			if o.err != nil && strings.ContainsAny(o.err.Error(), "\x00\x1b\n\r") {
				t.Fatalf("error text %q", o.err)
			}
			at := qy.q.Name
			for _, l := range o.a.Chain {
				if l.Name != at {
					t.Fatalf("broken chain %v", o.a.Chain)
				}
				at = l.Target
			}
			for _, r := range o.a.Records {
				if r.Name != at || r.Type != qy.q.Type {
					t.Fatalf("record %v in the answer to %v", r, qy.q)
				}
			}
			if len(o.a.Chain) > resolve.MaxChain+1 {
				t.Fatalf("chain of %d", len(o.a.Chain))
			}
			newCache(10).put(o.a, o.err)
		}
	})
}

// FuzzParseServer: what is accepted can be shown and read again.
func FuzzParseServer(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "[2001:db8::1]:53", "tls://dns.example:853#x", "https://dns.example/dns-query", "fe80::1%eth0", "udp://::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parseServer(s)
		if err != nil {
			return
		}
		again, err := parseServer(e.label)
		if err != nil || again.addr != e.addr || again.transport != e.transport || again.label != e.label || again.verify != e.verify {
			t.Errorf("%q is %+v, read again %+v, %v", s, e, again, err)
		}
	})
}

func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 192.0.2.1\noptions timeout:1 attempts:2\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, _ := parseResolvConf(strings.NewReader(s))
		if len(c.servers) > maxServers || c.lookupTime() < 0 {
			t.Errorf("%+v", c)
		}
		for _, n := range c.servers {
			if _, err := parseServer(n); err != nil {
				t.Errorf("%q: %v", n, err)
			}
		}
	})
}
