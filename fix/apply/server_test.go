package apply_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/apply"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

// primary is a name server that takes updates: enough of RFC 2136 to see
// whether prerequisites and updates are what they should be.
type primary struct {
	mu     sync.Mutex
	sets   map[string][]dns.RR // "name TYPE"
	before func(*dns.Msg)      // called with each update, before it is looked at
	rcode  int                 // given to every update, if not 0
	mute   bool
	seen   int
}

const secret = "c2VjcmV0IG9mIHRoZSB0ZXN0LCAzMiBvY3RldHMgbG9uZw=="

func serve(t *testing.T, records ...string) (*primary, *apply.RFC2136) {
	t.Helper()
	p := &primary{sets: map[string][]dns.RR{}}
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			t.Fatal(err)
		}
		p.add(rr)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: l, Handler: p, TsigSecret: map[string]string{"key.example.": secret},
		MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	return p, &apply.RFC2136{Server: l.Addr().String(), Wait: 5 * time.Second,
		Key: apply.TSIG{Name: resolve.MustName("key.example"), Algorithm: "hmac-sha256", Secret: secret}}
}

func id(h *dns.RR_Header) string { return strings.ToLower(h.Name) + " " + dns.TypeToString[h.Rrtype] }

func (p *primary) add(rr dns.RR) { p.sets[id(rr.Header())] = append(p.sets[id(rr.Header())], rr) }

func (p *primary) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mute {
		w.Close()
		return
	}
	r := new(dns.Msg)
	r.SetReply(m)
	switch {
	case m.IsTsig() != nil && w.TsigStatus() != nil:
		r.Rcode = dns.RcodeNotAuth
	case m.Opcode == dns.OpcodeUpdate:
		p.seen++
		if p.before != nil {
			p.before(m)
		}
		if r.Rcode = p.rcode; r.Rcode == 0 {
			r.Rcode = p.update(m)
		}
	default:
		r.Authoritative = true
		h := dns.RR_Header{Name: m.Question[0].Name, Rrtype: m.Question[0].Qtype}
		r.Answer = p.sets[id(&h)]
	}
	if t := m.IsTsig(); t != nil && w.TsigStatus() == nil {
		r.SetTsig(t.Hdr.Name, t.Algorithm, 300, time.Now().Unix())
	}
	_ = w.WriteMsg(r)
}

func (p *primary) update(m *dns.Msg) int {
	need := map[string][]dns.RR{}
	for _, rr := range m.Answer { // the prerequisites
		h := rr.Header()
		switch h.Class {
		case dns.ClassNONE:
			if len(p.sets[id(h)]) > 0 {
				return dns.RcodeYXRrset
			}
		case dns.ClassINET:
			need[id(h)] = append(need[id(h)], rr)
		default:
			return dns.RcodeFormatError
		}
	}
	for k, rrs := range need {
		if len(rrs) != len(p.sets[k]) {
			return dns.RcodeNXRrset
		}
		for _, rr := range rrs {
			if !has(p.sets[k], rr) {
				return dns.RcodeNXRrset
			}
		}
	}
	for _, rr := range m.Ns {
		h := rr.Header()
		switch h.Class {
		case dns.ClassANY:
			delete(p.sets, id(h))
		case dns.ClassINET:
			p.add(rr)
		default:
			return dns.RcodeFormatError
		}
	}
	return dns.RcodeSuccess
}

func data(rr dns.RR) string { return strings.TrimPrefix(rr.String(), rr.Header().String()) }

func has(set []dns.RR, rr dns.RR) bool {
	for _, o := range set {
		if data(o) == data(rr) {
			return true
		}
	}
	return false
}

// get gives the data of a record set.
func (p *primary) get(name, typ string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, rr := range p.sets[name+" "+typ] {
		out = append(out, data(rr))
	}
	return out
}

// servers are name servers of one zone: each is a function that gives the
// records it has.
type servers []func(resolve.Question) ([]string, error)

func (s servers) FindZone(context.Context, resolve.Name) (client.Authority, error) {
	return client.Authority{Zone: resolve.MustName("example.org")}, nil
}

func (s servers) AskAuthoritative(_ context.Context, q resolve.Question) (client.Comparison, error) {
	c := client.Comparison{Question: q, Zone: resolve.MustName("example.org")}
	for i, f := range s {
		recs, err := f(q)
		a := client.ServerAnswer{Server: client.NameServer{Host: resolve.MustName(fmt.Sprintf("ns%d.example.org", i+1)), Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)})}}
		a.Answer.Question, a.Err = q, err
		if err == nil {
			ch := fix.Change{Name: q.Name, Type: q.Type, TTL: 300, New: recs}
			if a.Answer.Records, a.Err = ch.NewRecords(); a.Err == nil && len(recs) == 0 {
				a.Err = &resolve.Error{Question: q, Reason: resolve.ErrNoData}
			}
		}
		c.Answers = append(c.Answers, a)
	}
	return c, nil
}

// follow is a server that always has what the primary has.
func (p *primary) follow(q resolve.Question) ([]string, error) {
	return p.get(q.Name.FQDN(), q.Type.String()), nil
}
