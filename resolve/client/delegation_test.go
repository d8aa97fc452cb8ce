package client

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// refers is a server of org: it answers with what the lines hold, without
// authority. Lines starting with "glue" stand in the additional section.
func refers(t *testing.T, edit func(r, m *dns.Msg), lines ...string) handler {
	return func(_ string, r *dns.Msg) *dns.Msg {
		m := new(dns.Msg).SetReply(r)
		for _, l := range lines {
			text, glue := strings.CutPrefix(l, "glue ")
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Error(err)
			}
			if glue {
				m.Extra = append(m.Extra, rr)
			} else {
				m.Ns = append(m.Ns, rr)
			}
		}
		if edit != nil {
			edit(r, m)
		}
		return m
	}
}

const (
	nsOne  = "example.org. 60 IN NS ns1.example.org."
	nsOld  = "example.org. 60 IN NS old.example.net."
	oneIs2 = "glue ns1.example.org. 60 IN A 127.0.0.2"
	orgSOA = "org. 60 IN SOA a.nic.org. h.nic.org. 1 2 3 4 60"
)

func TestDelegation(t *testing.T) {
	authority := func(rcode int) func(r, m *dns.Msg) {
		return func(_, m *dns.Msg) { m.Authoritative, m.Rcode = true, rcode }
	}
	for _, tt := range []struct {
		name   string
		parent handler
		want   string
	}{
		{"the same", refers(t, nil, nsOne, oneIs2), "present ns=[ns1.example.org] own=[ns1.example.org] glue=[ns1.example.org 127.0.0.2 present] missing=[]"},
		{"another server", refers(t, nil, nsOne, nsOld, oneIs2), "present ns=[ns1.example.org old.example.net] own=[ns1.example.org] glue=[ns1.example.org 127.0.0.2 present] missing=[]"},
		{"old glue", refers(t, nil, nsOne, oneIs2, "glue ns1.example.org. 60 IN A 127.0.0.77", "glue ns1.example.org. 60 IN AAAA 2001:db8::1"),
			"present ns=[ns1.example.org] own=[ns1.example.org] glue=[ns1.example.org 127.0.0.2 present ns1.example.org 127.0.0.77 absent ns1.example.org 2001:db8::1 absent] missing=[]"},
		{"no glue", refers(t, nil, nsOne), "present ns=[ns1.example.org] own=[ns1.example.org] glue=[] missing=[ns1.example.org]"},
		// An answer may leave glue out that is given when it is asked for by name.
		{"glue on request", refers(t, func(r, m *dns.Msg) {
			if r.Question[0].Qtype != dns.TypeA {
				m.Extra = nil
			}
		}, nsOne, oneIs2), "present ns=[ns1.example.org] own=[ns1.example.org] glue=[ns1.example.org 127.0.0.2 present] missing=[]"},
		{"glue of strangers", refers(t, nil, nsOne, oneIs2, "glue mail.example.com. 60 IN A 127.0.0.3"), "present ns=[ns1.example.org] own=[ns1.example.org] glue=[ns1.example.org 127.0.0.2 present] missing=[]"},
		{"denied", refers(t, authority(dns.RcodeNameError), orgSOA), "absent"},
		{"not delegated", refers(t, authority(dns.RcodeSuccess), orgSOA), "absent"},
		{"shared", refers(t, func(r, m *dns.Msg) { m.Authoritative, m.Answer, m.Ns = true, m.Ns, nil }, nsOne), "unavailable shared"},
		// What is not said with authority denies nothing.
		{"lame", refers(t, nil), "unavailable"},
		{"NXDOMAIN without authority", refers(t, func(r, m *dns.Msg) { m.Rcode = dns.RcodeNameError }, orgSOA), "unavailable"},
		{"refused", code(dns.RcodeRefused), "unavailable"},
		{"SERVFAIL", code(dns.RcodeServerFailure), "unavailable"},
		{"a referral elsewhere", refers(t, nil, "example.com. 60 IN NS ns1.example.org."), "unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := delegated(t, tt.parent)
			d, err := c.Delegation(ctx, resolve.MustName("example.org"))
			if err != nil {
				t.Fatal(err)
			}
			got := d.State.String()
			if d.Shared {
				got += " shared"
			}
			if d.State == resolve.Present {
				var glue []string
				for _, g := range d.Glue {
					glue = append(glue, fmt.Sprint(g.Host, " ", g.Addr, " ", g.State))
				}
				got += fmt.Sprintf(" ns=%v own=%v glue=%v missing=%v", d.NS, d.Own, glue, d.Unglued)
			}
			if got != tt.want || d.Parent != resolve.MustName("org") || (d.Err == nil) != (d.State == resolve.Present) {
				t.Errorf("%s (%v)\nwant %s", got, d.Err, tt.want)
			}
			if d.State == resolve.Present && !slices.ContainsFunc(d.Servers, func(n NameServer) bool { return n.String() == "ns1.example.org (127.0.0.2)" }) {
				t.Errorf("servers %v", d.Servers)
			}
		})
	}
}

// delegated is a client for the zone example.org, whose server is ns1, and org, whose
// server is the handler.
func delegated(t *testing.T, parent handler) *Client {
	t.Helper()
	records := []string{orgSOA, "org. 60 IN NS a.nic.org.", "a.nic.org. 60 IN A 127.0.0.9"}
	own := auth(t, soaRR, nsOne, "ns1.example.org. 60 IN A 127.0.0.2")
	w := newWorld(t, records, own)
	listenOn(t, "127.0.0.9:"+strconv.Itoa(int(w.port)), parent, false)
	return w.client(t, Options{})
}

func TestAskServers(t *testing.T) {
	c := delegated(t, refers(t, nil, nsOne, nsOld, oneIs2))
	d, err := c.Delegation(ctx, resolve.MustName("example.org"))
	if err != nil {
		t.Fatal(err)
	}
	q := resolve.Question{Name: resolve.MustName("example.org"), Type: resolve.TypeSOA}
	got, err := c.AskServers(ctx, Authority{Zone: d.Zone, Servers: d.Servers}, q)
	if err != nil || len(got.Answers) != 2 || len(got.Failed) != 1 || got.Failed[0].Host != resolve.MustName("old.example.net") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDelegationOfRoot(t *testing.T) {
	c := delegated(t, silence)
	d, err := c.Delegation(ctx, resolve.MustName("."))
	if err == nil || d.State != resolve.Unavailable {
		t.Errorf("%+v, %v", d, err)
	}
}

// Nothing in a referral makes the reader fail in another way than by an error.
func FuzzReferral(f *testing.F) {
	m := new(dns.Msg).SetQuestion("example.org.", dns.TypeNS)
	for _, l := range []string{nsOne, nsOld} {
		rr, _ := dns.NewRR(l)
		m.Ns = append(m.Ns, rr)
	}
	rr, _ := dns.NewRR("ns1.example.org. 60 IN A 127.0.0.2")
	m.Extra = append(m.Extra, rr)
	seed, _ := m.Pack()
	f.Add(seed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		msg := &dns.Msg{}
		if msg.Unpack(raw) != nil {
			return
		}
		d := Delegation{Zone: resolve.MustName("example.org"), State: resolve.Unavailable}
		d.read(msg, resolve.Question{Name: d.Zone, Type: resolve.TypeNS})
		if len(d.NS) > maxDelegated || len(d.Glue) > maxDelegated*2*maxPerHost || (d.State == resolve.Present) != (len(d.NS) > 0) {
			t.Errorf("%+v", d)
		}
	})
}

// A name server without address says nothing, least of all that the record is absent.
func TestHostWithoutAddress(t *testing.T) {
	c := newWorld(t, []string{"example.org. 60 IN NS a.gone.example.org."}, auth(t, soaRR, `example.org. 60 IN TXT "a"`)).client(t, Options{})
	got, err := c.AskAuthoritative(ctx, resolve.Question{Name: resolve.MustName("example.org"), Type: resolve.TypeTXT})
	if err != nil || !got.Agree || len(got.Failed) != 1 {
		t.Errorf("agree %v, failed %v, %v", got.Agree, got.Failed, err)
	}
	if a, err := got.Best(); err != nil || len(a.Records) != 1 {
		t.Errorf("%+v, %v", a, err)
	}
}
