package wire

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// ToRR converts a record for packing into a message. It fails when type and data
// do not belong together or the data cannot be on the wire.
func ToRR(r resolve.Record) (dns.RR, error) {
	if r.Name.IsZero() {
		return nil, fmt.Errorf("wire: no owner name")
	}
	rr, err := toRR(r)
	if err != nil {
		return nil, fmt.Errorf("wire: %s: %w", r.Type, err)
	}
	return rr, nil
}

func toRR(r resolve.Record) (dns.RR, error) {
	h := dns.RR_Header{Name: r.Name.FQDN(), Rrtype: uint16(r.Type), Class: dns.ClassINET, Ttl: r.TTL}
	switch d := r.Data.(type) {
	case resolve.Addr:
		return fromAddr(h, d)
	case resolve.Host:
		return fromHost(h, d.Name)
	case resolve.MX:
		if r.Type == resolve.TypeMX && !d.Host.IsZero() {
			return &dns.MX{Hdr: h, Preference: d.Preference, Mx: d.Host.FQDN()}, nil
		}
	case resolve.TXT:
		return fromTXT(h, d)
	case resolve.SOA:
		if r.Type == resolve.TypeSOA && !d.MName.IsZero() && !d.RName.IsZero() {
			return &dns.SOA{Hdr: h, Ns: d.MName.FQDN(), Mbox: d.RName.FQDN(), Serial: d.Serial,
				Refresh: d.Refresh, Retry: d.Retry, Expire: d.Expire, Minttl: d.Minimum}, nil
		}
	case resolve.TLSA:
		if r.Type == resolve.TypeTLSA && len(d.Association) > 0 {
			return &dns.TLSA{Hdr: h, Usage: d.Usage, Selector: d.Selector, MatchingType: d.Matching,
				Certificate: hex.EncodeToString(d.Association)}, nil
		}
	case resolve.CAA:
		// RFC 8659, Section 4.1: the tag is 1 to 255 letters and digits.
		if r.Type == resolve.TypeCAA && d.Tag != "" && len(d.Tag) <= maxString {
			return &dns.CAA{Hdr: h, Flag: d.Flags, Tag: quote(d.Tag), Value: quote(d.Value)}, nil
		}
	case resolve.Raw:
		return fromRaw(h, r.Type, d.Text)
	}
	return nil, fmt.Errorf("%T is not its data, or is incomplete", r.Data)
}

func fromAddr(h dns.RR_Header, d resolve.Addr) (dns.RR, error) {
	switch {
	case h.Rrtype == dns.TypeA && d.Is4():
		return &dns.A{Hdr: h, A: d.AsSlice()}, nil
	case h.Rrtype == dns.TypeAAAA && d.Is6():
		return &dns.AAAA{Hdr: h, AAAA: d.AsSlice()}, nil
	}
	return nil, fmt.Errorf("%s is not an address of this family", d)
}

func fromHost(h dns.RR_Header, n resolve.Name) (dns.RR, error) {
	if n.IsZero() {
		return nil, errNoData
	}
	switch h.Rrtype {
	case dns.TypeNS:
		return &dns.NS{Hdr: h, Ns: n.FQDN()}, nil
	case dns.TypeCNAME:
		return &dns.CNAME{Hdr: h, Target: n.FQDN()}, nil
	case dns.TypePTR:
		return &dns.PTR{Hdr: h, Ptr: n.FQDN()}, nil
	}
	return nil, fmt.Errorf("a name alone is not its data")
}

func fromTXT(h dns.RR_Header, d resolve.TXT) (dns.RR, error) {
	if len(d.Strings) == 0 {
		return nil, errNoData
	}
	out := make([]string, len(d.Strings))
	for i, s := range d.Strings {
		if len(s) > maxString {
			return nil, fmt.Errorf("string of %d octets, the limit is %d", len(s), maxString)
		}
		out[i] = quote(s)
	}
	switch h.Rrtype {
	case dns.TypeTXT:
		return &dns.TXT{Hdr: h, Txt: out}, nil
	case dns.TypeSPF:
		return &dns.SPF{Hdr: h, Txt: out}, nil
	}
	return nil, fmt.Errorf("strings are not its data")
}

// fromRaw reads master file text. The text may be foreign, so it is one line and
// the parser opens no files.
func fromRaw(h dns.RR_Header, t resolve.Type, text string) (rr dns.RR, err error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("data of more than one line")
	}
	defer func() {
		if v := recover(); v != nil {
			rr, err = nil, fmt.Errorf("data that cannot be read")
		}
	}()
	line := fmt.Sprintf("%s %d IN TYPE%d %s\n", h.Name, h.Ttl, t, text)
	p := dns.NewZoneParser(strings.NewReader(line), ".", "")
	rr, ok := p.Next()
	if err := p.Err(); err != nil {
		return nil, fmt.Errorf("%q: %w", shorten(text), err)
	}
	if !ok || empty(rr) {
		return nil, errNoData
	}
	if c, ok := rr.(*dns.CAA); ok && c.Hdr.Rdlength > 0 {
		// It was given in the generic form: the library has left the value as it is,
		// but takes it for escaped when it packs.
		c.Value, c.Hdr.Rdlength = quote(c.Value), 0
	}
	return rr, nil
}

// quote escapes octets the way the library wants them.
func quote(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= ' ' && s[i] <= '~' && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, "\\%03d", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func shorten(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
