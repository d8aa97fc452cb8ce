package wire

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const (
	maxString = 255   // octets of a character-string (RFC 1035, Section 3.3)
	maxData   = 65535 // octets that RDLENGTH counts (RFC 1035, Section 3.2.1)
)

// FromRR converts a record of class IN. A type that package resolve does not
// model becomes [resolve.Raw]; type SPF (99) has the format of TXT and becomes
// [resolve.TXT]. It fails for another class, for data that is missing and for
// data that cannot be on the wire.
func FromRR(rr dns.RR) (resolve.Record, error) {
	if rr == nil || reflect.ValueOf(rr).IsNil() {
		return resolve.Record{}, fmt.Errorf("wire: no record")
	}
	h := rr.Header()
	if h.Class != dns.ClassINET {
		return resolve.Record{}, fmt.Errorf("wire: class %s is not IN", dns.Class(h.Class))
	}
	owner, err := resolve.NameFromMaster(h.Name)
	if err != nil {
		return resolve.Record{}, fmt.Errorf("wire: owner: %w", err)
	}
	r := resolve.Record{Name: owner, Type: resolve.Type(h.Rrtype), TTL: h.Ttl}
	if r.Data, err = dataOf(rr); err != nil {
		return resolve.Record{}, fmt.Errorf("wire: %s: %w", r.Type, err)
	}
	return r, nil
}

func dataOf(rr dns.RR) (resolve.Data, error) {
	switch d := rr.(type) {
	case *dns.A:
		return addr(d.A, false)
	case *dns.AAAA:
		return addr(d.AAAA, true)
	case *dns.NS:
		return host(d.Ns)
	case *dns.CNAME:
		return host(d.Target)
	case *dns.PTR:
		return host(d.Ptr)
	case *dns.MX:
		n, err := name(d.Mx)
		return resolve.MX{Preference: d.Preference, Host: n}, err
	case *dns.TXT:
		return text(d.Txt)
	case *dns.SPF:
		return text(d.Txt)
	case *dns.SOA:
		return soa(d)
	case *dns.TLSA:
		b, err := hex.DecodeString(d.Certificate)
		if err == nil && len(b) == 0 {
			err = errNoData
		}
		return resolve.TLSA{Usage: d.Usage, Selector: d.Selector, Matching: d.MatchingType, Association: b}, err
	case *dns.CAA:
		return caa(d)
	}
	return raw(rr)
}

var errNoData = fmt.Errorf("no data")

func addr(ip net.IP, six bool) (resolve.Data, error) {
	if len(ip) == 0 {
		return nil, errNoData
	}
	b := ip.To4()
	if six {
		b = ip.To16() // an IPv4-mapped address stays one
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return nil, fmt.Errorf("not an address of this family")
	}
	return resolve.Addr{Addr: a}, nil
}

func name(s string) (resolve.Name, error) {
	if s == "" {
		return resolve.Name{}, errNoData
	}
	return resolve.NameFromMaster(s)
}

func host(s string) (resolve.Data, error) {
	n, err := name(s)
	return resolve.Host{Name: n}, err
}

func soa(d *dns.SOA) (resolve.Data, error) {
	m, err := name(d.Ns)
	if err != nil {
		return nil, err
	}
	r, err := name(d.Mbox)
	if err != nil {
		return nil, err
	}
	return resolve.SOA{MName: m, RName: r, Serial: d.Serial, Refresh: d.Refresh, Retry: d.Retry, Expire: d.Expire, Minimum: d.Minttl}, nil
}

func text(in []string) (resolve.Data, error) {
	// RFC 1035, Section 3.3.14: one or more character-strings.
	if len(in) == 0 {
		return nil, errNoData
	}
	out := make([]string, len(in))
	total := 0
	for i, s := range in {
		u, err := unescape(s)
		if err != nil {
			return nil, err
		}
		if len(u) > maxString {
			return nil, fmt.Errorf("string of %d octets, the limit is %d", len(u), maxString)
		}
		if total += 1 + len(u); total > maxData {
			return nil, fmt.Errorf("more than %d octets of data", maxData)
		}
		out[i] = u
	}
	return resolve.TXT{Strings: out}, nil
}

func caa(d *dns.CAA) (resolve.Data, error) {
	if d.Tag == "" {
		return nil, errNoData
	}
	tag, err := unescape(d.Tag)
	if err != nil {
		return nil, err
	}
	v := resolve.CAA{Flags: d.Flag, Tag: tag, Value: d.Value}
	// The library escapes the value when it reads text, not when it unpacks a
	// message; only an unpacked record has a data length.
	if d.Hdr.Rdlength == 0 {
		u, err := unescape(d.Value)
		if err != nil {
			return nil, err
		}
		v.Value = u
	}
	if len(tag) > maxString || 2+len(tag)+len(v.Value) > maxData {
		return nil, fmt.Errorf("tag or value is too long")
	}
	// RFC 8659, Section 4.1: a tag is letters and digits. Any other has no
	// presentation form but the generic one.
	for i := range len(tag) {
		if c := tag[i] | 0x20; !digit(tag[i]) && (c < 'a' || c > 'z') {
			return resolve.Raw{Text: generic(hex.EncodeToString([]byte(string([]byte{d.Flag, byte(len(tag))}) + tag + v.Value)))}, nil
		}
	}
	return v, nil
}

// raw gives the presentation form of any other type, or the generic form of RFC
// 3597, Section 5 where it has none.
func raw(rr dns.RR) (resolve.Data, error) {
	switch d := rr.(type) {
	case *dns.RFC3597:
		if _, err := hex.DecodeString(d.Rdata); err != nil {
			return nil, err
		}
		return resolve.Raw{Text: generic(d.Rdata)}, nil
	case *dns.NULL:
		return resolve.Raw{Text: generic(hex.EncodeToString([]byte(d.Data)))}, nil
	case *dns.OPT, *dns.ANY:
		return nil, fmt.Errorf("not a record of a zone")
	}
	if empty(rr) {
		return nil, errNoData
	}
	t := strings.TrimSpace(strings.TrimPrefix(rr.String(), rr.Header().String()))
	if strings.ContainsAny(t, "\r\n") {
		return nil, fmt.Errorf("data without a presentation form")
	}
	return resolve.Raw{Text: t}, nil
}

func generic(hexText string) string {
	return strings.TrimSpace(`\# ` + strconv.Itoa(len(hexText)/2) + " " + hexText)
}

// empty reports a record whose data is all zero: the library returns such a
// record for a line that ends after the type.
func empty(rr dns.RR) bool {
	zero, ok := dns.TypeToRR[rr.Header().Rrtype]
	if !ok {
		return false
	}
	z := zero()
	*z.Header() = *rr.Header()
	return reflect.DeepEqual(z, rr)
}

// unescape turns a character-string as the library holds it into octets.
func unescape(s string) (string, error) {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		b.WriteString(s[:i])
		c, n, err := escape(s[i:])
		if err != nil {
			return "", err
		}
		b.WriteByte(c)
		s = s[i+n:]
	}
	b.WriteString(s)
	return b.String(), nil
}

// escape reads one escape: \DDD, or a backslash and the character it stands for.
func escape(s string) (c byte, length int, err error) {
	if len(s) < 2 {
		return 0, 0, fmt.Errorf("string ends in a backslash")
	}
	if len(s) < 4 || !digit(s[1]) || !digit(s[2]) || !digit(s[3]) {
		return s[1], 2, nil
	}
	v := int(s[1]-'0')*100 + int(s[2]-'0')*10 + int(s[3]-'0')
	if v > 255 {
		return 0, 0, fmt.Errorf("escape %s is no octet", s[:4])
	}
	return byte(v), 4, nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
