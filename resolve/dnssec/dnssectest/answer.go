package dnssectest

import (
	"context"
	"strings"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const maxAliases = 16 // followed in one response

// Exchange answers like a resolver that is asked with DO and CD. It is a
// dnssec.Exchange.
func (w *World) Exchange(ctx context.Context, q resolve.Question) (resolve.Answer, []byte, error) {
	meta := resolve.Answer{Question: q, Server: "127.0.0.1:53", Transport: resolve.TCP, RecursionAvailable: true}
	fail := func(reason error, detail string) (resolve.Answer, []byte, error) {
		return meta, nil, &resolve.Error{Reason: reason, Question: q, Server: meta.Server, Detail: detail}
	}
	if ctx.Err() != nil {
		return fail(resolve.ErrCanceled, "")
	}
	var m dns.Msg
	m.SetQuestion(q.Name.FQDN(), uint16(q.Type))
	msg, err := w.reply(&m, true)
	if err != nil {
		return fail(resolve.ErrServFail, err.Error())
	}
	if len(msg) == 0 {
		return fail(resolve.ErrTimeout, "")
	}
	if rcode := msg[3] & 0xf; rcode == dns.RcodeServerFailure {
		return fail(resolve.ErrServFail, "")
	}
	meta.Size = len(msg)
	return meta, msg, nil
}

// reply answers a query in wire form; dnssec says whether with signatures.
func (w *World) reply(query *dns.Msg, dnssec bool) ([]byte, error) {
	var m dns.Msg
	m.SetReply(query)
	m.RecursionAvailable, m.Compress = true, true
	w.answer(&m, dns.CanonicalName(query.Question[0].Name), query.Question[0].Qtype)
	if !dnssec {
		m.Answer, m.Ns = strip(m.Answer), strip(m.Ns)
	}
	msg, err := m.Pack()
	if err != nil || w.Tamper == nil {
		return msg, err
	}
	name, err := resolve.NameFromMaster(query.Question[0].Name)
	if err != nil {
		return nil, err
	}
	return w.Tamper(resolve.Question{Name: name, Type: resolve.Type(query.Question[0].Qtype)}, msg), nil
}

func strip(rrs []dns.RR) []dns.RR {
	var out []dns.RR
	for _, rr := range rrs {
		switch rr.Header().Rrtype {
		case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3:
		default:
			out = append(out, rr)
		}
	}
	return out
}

// answer follows the aliases from zone to zone.
func (w *World) answer(m *dns.Msg, name string, typ uint16) {
	for range maxAliases {
		z := w.zoneOf(name, typ)
		if z == nil {
			m.Rcode = dns.RcodeServerFailure
			return
		}
		if name = z.answer(m, name, typ); name == "" {
			return
		}
	}
}

// zoneOf is the zone that holds the type at the name.
func (w *World) zoneOf(name string, typ uint16) *zone {
	for _, z := range w.zones {
		if dns.IsSubDomain(z.apex, name) && (typ != dns.TypeDS || z.apex != name || name == ".") {
			return z
		}
	}
	return nil
}

// answer adds what the zone says of the name. It returns where an alias leads.
func (z *zone) answer(m *dns.Msg, name string, typ uint16) string {
	if z.below(name) || z.cuts[name] && typ != dns.TypeDS {
		m.Rcode = dns.RcodeServerFailure // delegated to nobody
		return ""
	}
	for at := name; at != z.apex; {
		at = parent(at)
		if d := z.sets[at][dns.TypeDNAME]; d != nil {
			to := strings.TrimSuffix(name, at) + d[0].(*dns.DNAME).Target
			m.Answer = append(m.Answer, z.signed(at, dns.TypeDNAME)...)
			m.Answer = append(m.Answer, &dns.CNAME{Hdr: z.header(name, dns.TypeCNAME), Target: to})
			return dns.CanonicalName(to)
		}
	}
	from := name
	if !z.exists(name) {
		if from = "*." + z.encloser(name); from == "*.." {
			from = "*."
		}
		if !z.exists(from) {
			m.Rcode = dns.RcodeNameError
			m.Ns = append(m.Ns, z.signed(z.apex, dns.TypeSOA)...)
			z.deny(m, name, true)
			return ""
		}
	}
	for _, t := range []uint16{typ, dns.TypeCNAME} {
		rrs := z.signed(from, t)
		if rrs == nil {
			continue
		}
		for _, rr := range rrs {
			rr = dns.Copy(rr)
			rr.Header().Name = name
			m.Answer = append(m.Answer, rr)
		}
		if from != name {
			z.denyCloser(m, name)
		}
		if c, ok := rrs[0].(*dns.CNAME); ok && t != typ {
			return dns.CanonicalName(c.Target)
		}
		return ""
	}
	m.Ns = append(m.Ns, z.signed(z.apex, dns.TypeSOA)...)
	z.deny(m, name, from != name)
	return ""
}

func (z *zone) signed(name string, typ uint16) []dns.RR {
	rrs := z.sets[name][typ]
	if rrs == nil {
		return nil
	}
	return append(rrs[:len(rrs):len(rrs)], z.sigs[name][typ]...)
}

// exists reports a name with records or with names below it.
func (z *zone) exists(name string) bool {
	for n, types := range z.sets {
		if types[dns.TypeNSEC3] == nil && dns.IsSubDomain(name, n) {
			return true
		}
	}
	return false
}

// encloser is the closest ancestor that exists.
func (z *zone) encloser(name string) string {
	at := parent(name)
	for !z.exists(at) {
		at = parent(at)
	}
	return at
}

// deny proves that the name lacks the type: by its own record, or by those of
// its closest encloser and the wildcard there.
func (z *zone) deny(m *dns.Msg, name string, wildcard bool) {
	if wildcard {
		z.denyCloser(m, name)
		w := "*." + strings.TrimPrefix(z.encloser(name), ".")
		z.prove(m, w)
		if z.NSEC3 {
			z.prove(m, z.encloser(name))
		}
		return
	}
	z.prove(m, name)
	if z.NSEC3 && !z.matches(name) { // opted out
		at := name
		for !z.matches(parent(at)) {
			at = parent(at)
		}
		z.prove(m, at)
		z.prove(m, parent(at))
	}
}

// denyCloser proves that nothing is between the closest encloser and the name.
func (z *zone) denyCloser(m *dns.Msg, name string) {
	if !z.NSEC3 {
		z.prove(m, name)
		return
	}
	for at, encloser := name, z.encloser(name); ; at = parent(at) {
		if parent(at) == encloser {
			z.prove(m, at)
			return
		}
	}
}

func (z *zone) matches(name string) bool {
	return z.sets[z.owner(name)] != nil
}

func (z *zone) owner(name string) string {
	return strings.ToLower(z.hash(name)) + "." + strings.TrimPrefix(z.apex, ".")
}

// prove adds the record that matches or covers the name, once.
func (z *zone) prove(m *dns.Msg, name string) {
	if len(z.chain) == 0 {
		return
	}
	key, cmp := name, order
	if z.NSEC3 {
		key, cmp = z.owner(name), strings.Compare
	}
	at := len(z.chain) - 1
	for i, rr := range z.chain {
		if cmp(rr.Header().Name, key) <= 0 {
			at = i
		}
	}
	if cmp(z.chain[0].Header().Name, key) > 0 {
		at = len(z.chain) - 1
	}
	rr := z.chain[at]
	for _, have := range m.Ns {
		if have == rr {
			return
		}
	}
	m.Ns = append(m.Ns, z.signed(rr.Header().Name, rr.Header().Rrtype)...)
}
