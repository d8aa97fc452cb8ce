package zonetest

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/internal/wire"
)

const (
	minUDP = 512   // octets a reply may always have (RFC 1035, Section 4.2.1)
	maxUDP = 65507 // octets that fit an IPv4 datagram
	maxTCP = 65535 // octets that the length field counts (RFC 1035, Section 4.2.2)
	header = 12    // octets (RFC 1035, Section 4.1.1)
)

// exchange is one query and the reply in the making.
type exchange struct {
	server *Server
	zone   *Zone
	query  *dns.Msg
	reply  *dns.Msg
	asked  resolve.Question
	over   resolve.Transport
	fault  Fault // what the names of the chain are to suffer
}

// reply answers one message: nil is no reply, hangUp closes a TCP connection.
func (s *Server) reply(query []byte, over resolve.Transport) (reply []byte, hangUp bool) {
	m := new(dns.Msg)
	if err := m.Unpack(query); err != nil {
		return formErr(query), false
	}
	if m.Response {
		return nil, false // two servers could answer each other for ever
	}
	x := &exchange{server: s, zone: s.zone.Load(), query: m, reply: new(dns.Msg), over: over}
	x.reply.SetReply(m)
	x.reply.Compress = true
	x.reply.RecursionAvailable = s.opt.Recursive
	if opt := m.IsEdns0(); opt != nil {
		x.reply.SetEdns0(maxUDP, opt.Do())
	}
	if rcode := x.check(); rcode != dns.RcodeSuccess {
		x.reply.Rcode = rcode
		return x.pack(), false
	}
	s.queries.Add(1)
	if s.opt.Log != nil {
		s.opt.Log(x.asked, string(over))
	}
	if s.opt.Delay > 0 && wait(s.ctx, s.opt.Delay) != nil {
		return nil, true
	}
	x.walk()
	f := x.fault
	switch {
	case f.Drop, f.NoTCP && over == resolve.TCP:
		return nil, true
	case f.Timeout:
		return nil, false
	case f.Malformed:
		return x.garbage(), false
	case f.RCode != resolve.NoError:
		x.fail(int(f.RCode))
	case f.Truncate && over == resolve.UDP:
		x.clear()
		x.reply.Truncated = true
	}
	return x.pack(), false
}

// formErr answers what cannot be read, if it has a header and is a query.
func formErr(query []byte) []byte {
	if len(query) < header || query[2]&0x80 != 0 {
		return nil
	}
	out := make([]byte, header)
	copy(out, query[:2])
	out[2] = 0x80 | query[2]&0x79 // QR; opcode and RD as asked
	out[3] = byte(dns.RcodeFormatError)
	return out
}

// check finds what is wrong with the query, and the question otherwise.
func (x *exchange) check() int {
	if x.query.Opcode != dns.OpcodeQuery {
		return dns.RcodeNotImplemented
	}
	if len(x.query.Question) != 1 {
		return dns.RcodeFormatError
	}
	if opt := x.query.IsEdns0(); opt != nil && opt.Version() != 0 {
		return dns.RcodeBadVers // RFC 6891, Section 6.1.3.
	}
	q := x.query.Question[0]
	name, err := resolve.NameFromMaster(q.Name)
	switch {
	case err != nil:
		return dns.RcodeFormatError
	case q.Qclass != dns.ClassINET:
		return dns.RcodeRefused
	case meta(resolve.Type(q.Qtype)):
		return dns.RcodeNotImplemented
	}
	x.asked = resolve.Question{Name: name, Type: resolve.Type(q.Qtype)}
	return dns.RcodeSuccess
}

// walk fills the reply (RFC 1034, Section 4.3.2).
func (x *exchange) walk() {
	recursive := x.server.opt.Recursive
	x.reply.Authoritative = !recursive
	x.reply.AuthenticatedData = x.server.opt.SetAD
	at := x.asked.Name
	var chain []resolve.Alias
	for {
		if f := x.zone.faultAt(at, x.asked.Type); f != nil {
			x.fault = *f
			if f.Delay > 0 && wait(x.server.ctx, f.Delay) != nil {
				x.fault = Fault{Timeout: true}
			}
			if f.Timeout || f.Drop || f.Malformed || f.RCode != resolve.NoError {
				return
			}
		}
		h := x.zone.find(at, x.asked.Type)
		if h.outcome != alias {
			x.conclude(at, chain, h)
			return
		}
		chain = append(chain, h.alias)
		x.add(&x.reply.Answer, resolve.Record{Name: at, Type: resolve.TypeCNAME, TTL: h.alias.TTL, Data: resolve.Host{Name: h.alias.Target}})
		at = h.alias.Target
		if len(chain) > resolve.MaxChain || loops(chain) {
			if recursive {
				x.fail(dns.RcodeServerFailure)
			}
			return
		}
		if !recursive {
			if _, o := x.zone.originOf(at); o != h.origin {
				return // the resolver asks on by itself
			}
		}
	}
}

func (x *exchange) conclude(at resolve.Name, chain []resolve.Alias, h hop) {
	switch h.outcome {
	case found:
		recs := h.set.answer.Records
		if h.owner {
			recs = owned(recs, at)
		}
		for _, r := range recs {
			x.add(&x.reply.Answer, r)
		}
	case nxdomain, nodata:
		if h.outcome == nxdomain {
			x.reply.Rcode = dns.RcodeNameError
		}
		if h.origin != nil && h.origin.soa != nil {
			x.add(&x.reply.Ns, *h.origin.soa)
		}
	case referral:
		if x.server.opt.Recursive {
			x.fail(dns.RcodeServerFailure)
			return
		}
		x.refer(h.cut, len(chain) > 0)
	default: // outside
		switch {
		case x.server.opt.Recursive:
			x.fail(dns.RcodeServerFailure)
		case len(chain) == 0:
			x.fail(dns.RcodeRefused)
		}
	}
}

// refer names the servers of a delegation, with the addresses that the zone has
// of them.
func (x *exchange) refer(cut resolve.Name, aliased bool) {
	x.reply.Authoritative = aliased
	x.reply.AuthenticatedData = false
	for _, r := range x.zone.Records(cut, resolve.TypeNS) {
		x.add(&x.reply.Ns, r)
		if ns, ok := r.Data.(resolve.Host); ok {
			for _, t := range [...]resolve.Type{resolve.TypeA, resolve.TypeAAAA} {
				for _, glue := range x.zone.Records(ns.Name, t) {
					x.add(&x.reply.Extra, glue)
				}
			}
		}
	}
}

// add appends a record. The name that was asked is written as it was asked, as
// the compression of real servers does; clients hide a nonce in its case.
func (x *exchange) add(section *[]dns.RR, r resolve.Record) {
	rr, err := wire.ToRR(r)
	if err != nil {
		x.fail(dns.RcodeServerFailure)
		return
	}
	if r.Name == x.asked.Name {
		rr.Header().Name = x.query.Question[0].Name
	}
	*section = append(*section, rr)
}

// clear removes all records but OPT.
func (x *exchange) clear() {
	x.reply.Answer, x.reply.Ns = nil, nil
	opt := x.reply.IsEdns0()
	x.reply.Extra = nil
	if opt != nil {
		x.reply.Extra = []dns.RR{opt}
	}
}

func (x *exchange) fail(rcode int) {
	x.clear()
	if rcode > 0xF && x.reply.IsEdns0() == nil {
		rcode = dns.RcodeServerFailure // RFC 6891, Section 6.1.3: the upper bits need EDNS.
	}
	x.reply.Rcode = rcode
	x.reply.AuthenticatedData = false
	x.reply.Authoritative = x.reply.Authoritative && rcode == dns.RcodeNameError
}

// garbage is a message whose answer cannot be read, though ID and question match.
func (x *exchange) garbage() []byte {
	x.clear()
	x.reply.Extra = nil
	b, err := x.reply.Pack()
	if err != nil {
		return nil
	}
	b[7] = 1 // one answer, it says
	return append(b, strings.Repeat("\xff", 7)...)
}

// pack makes the reply fit the transport.
func (x *exchange) pack() []byte {
	if x.fault.WrongID {
		x.reply.Id ^= 0x5555
	}
	if x.fault.WrongQuestion && len(x.reply.Question) > 0 {
		x.reply.Question[0].Name = "another.question.invalid."
	}
	limit := maxTCP
	if x.over == resolve.UDP {
		limit = minUDP
		if opt := x.query.IsEdns0(); opt != nil {
			limit = min(max(int(opt.UDPSize()), minUDP), maxUDP) // RFC 6891, Section 6.2.3.
		}
	}
	b, err := x.reply.Pack()
	if err == nil && len(b) <= limit {
		return b
	}
	if x.over == resolve.UDP {
		// RFC 2181, Section 9: a set that does not fit is left out whole.
		x.clear()
		x.reply.Truncated = true
	} else {
		x.fail(dns.RcodeServerFailure) // no message can hold it
	}
	if b, err = x.reply.Pack(); err != nil {
		return nil
	}
	return b
}
