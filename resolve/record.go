package resolve

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Type is a resource record type.
type Type uint16

// The types that mail needs, and the ones around them.
const (
	TypeA      Type = 1
	TypeNS     Type = 2
	TypeCNAME  Type = 5
	TypeSOA    Type = 6
	TypePTR    Type = 12
	TypeMX     Type = 15
	TypeTXT    Type = 16
	TypeAAAA   Type = 28
	TypeSRV    Type = 33
	TypeDS     Type = 43
	TypeRRSIG  Type = 46
	TypeNSEC   Type = 47
	TypeDNSKEY Type = 48
	TypeNSEC3  Type = 50
	TypeTLSA   Type = 52
	TypeHTTPS  Type = 65
	TypeSPF    Type = 99
	TypeCAA    Type = 257
)

var typeNames = map[Type]string{
	TypeA: "A", TypeNS: "NS", TypeCNAME: "CNAME", TypeSOA: "SOA", TypePTR: "PTR", TypeMX: "MX",
	TypeTXT: "TXT", TypeAAAA: "AAAA", TypeSRV: "SRV", TypeDS: "DS", TypeRRSIG: "RRSIG",
	TypeNSEC: "NSEC", TypeDNSKEY: "DNSKEY", TypeNSEC3: "NSEC3", TypeTLSA: "TLSA",
	TypeHTTPS: "HTTPS", TypeSPF: "SPF", TypeCAA: "CAA",
}

// String is the mnemonic, or TYPE123 (RFC 3597, Section 5).
func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// MarshalText writes the mnemonic.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads a mnemonic or TYPE123, in any case.
func (t *Type) UnmarshalText(b []byte) error {
	s := strings.ToUpper(string(b))
	for k, v := range typeNames {
		if v == s {
			*t = k
			return nil
		}
	}
	if n, ok := strings.CutPrefix(s, "TYPE"); ok {
		if v, err := strconv.ParseUint(n, 10, 16); err == nil {
			*t = Type(v)
			return nil
		}
	}
	return fmt.Errorf("resolve: unknown record type %q", b)
}

// RCode is a response code (RFC 1035, Section 4.1.1; RFC 6895, Section 2.3).
type RCode uint16

// The response codes with a meaning of their own here.
const (
	NoError  RCode = 0
	FormErr  RCode = 1
	ServFail RCode = 2
	NXDomain RCode = 3
	NotImp   RCode = 4
	Refused  RCode = 5
	NotAuth  RCode = 9
)

// String is the mnemonic, or RCODE23.
func (c RCode) String() string {
	switch c {
	case NoError:
		return "NOERROR"
	case FormErr:
		return "FORMERR"
	case ServFail:
		return "SERVFAIL"
	case NXDomain:
		return "NXDOMAIN"
	case NotImp:
		return "NOTIMP"
	case Refused:
		return "REFUSED"
	case NotAuth:
		return "NOTAUTH"
	}
	return "RCODE" + strconv.Itoa(int(c))
}

// MarshalText writes the mnemonic.
func (c RCode) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Record is one resource record of class IN.
type Record struct {
	Name Name
	Type Type
	TTL  uint32 // seconds
	Data Data
}

// String is the record in master file form. Octets outside printable ASCII are
// escaped as \DDD (RFC 1035, Section 5.1), so it is safe to show.
func (r Record) String() string {
	return fmt.Sprintf("%s %d IN %s %s", r.Name.FQDN(), r.TTL, r.Type, r.Data)
}

// Data is the data of a record: one of [Addr], [Host], [MX], [TXT], [SOA],
// [TLSA], [CAA] or [Raw]. String gives its master file form.
type Data interface {
	fmt.Stringer
	rdata()
}

// Addr is the data of an A or AAAA record.
type Addr struct{ netip.Addr }

// Host is the data of a record that holds one name: NS, CNAME or PTR.
type Host struct{ Name Name }

// MX is a mail exchanger (RFC 5321, Section 5). A Host that is the root is the
// null MX of RFC 7505.
type MX struct {
	Preference uint16
	Host       Name
}

// TXT is a list of character-strings, each up to 255 octets of any value.
type TXT struct{ Strings []string }

// SOA is the start of a zone.
type SOA struct {
	MName, RName                            Name
	Serial, Refresh, Retry, Expire, Minimum uint32
}

// TLSA is a certificate association (RFC 6698, Section 2).
type TLSA struct {
	Usage, Selector, Matching uint8
	Association               []byte
}

// CAA is a certification authority authorization (RFC 8659).
type CAA struct {
	Flags      uint8
	Tag, Value string
}

// Raw is the data of any other type, in master file form.
type Raw struct{ Text string }

func (Addr) rdata() {}
func (Host) rdata() {}
func (MX) rdata()   {}
func (TXT) rdata()  {}
func (SOA) rdata()  {}
func (TLSA) rdata() {}
func (CAA) rdata()  {}
func (Raw) rdata()  {}

func (d Host) String() string { return d.Name.FQDN() }
func (d MX) String() string   { return strconv.Itoa(int(d.Preference)) + " " + d.Host.FQDN() }
func (d Raw) String() string  { return d.Text }
func (d TLSA) String() string {
	return fmt.Sprintf("%d %d %d %x", d.Usage, d.Selector, d.Matching, d.Association)
}
func (d CAA) String() string { return fmt.Sprintf("%d %s %s", d.Flags, d.Tag, quote(d.Value)) }
func (d SOA) String() string {
	return fmt.Sprintf("%s %s %d %d %d %d %d", d.MName.FQDN(), d.RName.FQDN(), d.Serial, d.Refresh, d.Retry, d.Expire, d.Minimum)
}

// Joined is the text the record stands for: its strings joined without
// anything between them (RFC 7208, Section 3.3; RFC 6376, Section 3.6.2.2; RFC
// 9989, Section 4.5).
func (d TXT) Joined() string {
	if len(d.Strings) == 1 {
		return d.Strings[0]
	}
	return strings.Join(d.Strings, "")
}

// WireLen is the length of the data on the wire in octets.
func (d TXT) WireLen() int {
	n := 0
	for _, s := range d.Strings {
		n += 1 + len(s)
	}
	return n
}

// String is the record data in quoted master file form.
func (d TXT) String() string {
	q := make([]string, len(d.Strings))
	for i, s := range d.Strings {
		q[i] = quote(s)
	}
	return strings.Join(q, " ")
}

// SplitTXT cuts text into character-strings of at most 255 octets, the form in
// which a long record has to be published (RFC 1035, Section 3.3.14).
func SplitTXT(text string) TXT {
	var t TXT
	for len(text) > maxString {
		t.Strings = append(t.Strings, text[:maxString])
		text = text[maxString:]
	}
	t.Strings = append(t.Strings, text)
	return t
}

const maxString = 255 // RFC 1035, Section 2.3.4

// quote writes a character-string in master file form.
func quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
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
	b.WriteByte('"')
	return b.String()
}
