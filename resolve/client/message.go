package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/internal/wire"
)

// Limits of a message.
const (
	udpSize      = 1232  // RFC 9715, Section 3.1: avoids fragments on common paths
	maxMessage   = 65535 // RFC 1035, Section 4.2.2: the length field has two octets
	maxRecords   = 4096  // of all sections; no honest answer about mail comes near
	headerLen    = 12    // RFC 1035, Section 4.1.1
	maxExtended  = 8     // Extended DNS Errors kept
	maxExtraText = 1024  // octets of one Extended DNS Error
	maxQuery     = headerLen + 255 + 4 + 11
)

// Header bits (RFC 1035, Section 4.1.1; RFC 4035, Section 3.2).
const (
	bitQR     = 1 << 15
	bitAA     = 1 << 10
	bitTC     = 1 << 9
	bitRD     = 1 << 8
	bitRA     = 1 << 7
	bitAD     = 1 << 5
	bitCD     = 1 << 4
	opcodeAll = 0xf << 11
)

const (
	classIN   = 1
	typeOPT   = 41
	typeANY   = 255
	optionEDE = 15 // RFC 8914, Section 2
	badVers   = 16 // RFC 6891, Section 9
)

// query is one question as it is put to a server.
type query struct {
	q      resolve.Question
	zone   resolve.Name // its server is asked, without RD; no name: a resolver is asked
	edns   bool
	dnssec bool // DO, keep RRSIGs
	cd     bool // CD to a resolver: it is not to validate
	raw    bool // DO and CD; the octets of the response are the answer
	refer  bool // a referral is what is asked for; its octets are the answer

	slot *slot // held while it is under way; nil: none
}

// pack writes the query with a fresh id into buf.
func (qy query) pack(buf []byte) ([]byte, error) {
	b := buf[:maxQuery]
	clear(b[:headerLen])
	// RFC 5452, Section 4.3: the id has to be unpredictable; rand/v2 is ChaCha8.
	binary.BigEndian.PutUint16(b, uint16(rand.Uint32()))
	// RFC 6840, Section 5.7: AD in a query asks for AD in the response.
	flags := uint16(bitAD)
	if qy.zone.IsZero() {
		flags |= bitRD
	}
	if qy.cd || qy.raw {
		flags |= bitCD // RFC 4035, Section 3.2.2
	}
	binary.BigEndian.PutUint16(b[2:], flags)
	b[5] = 1 // QDCOUNT
	off, err := dns.PackDomainName(qy.q.Name.FQDN(), b, headerLen, nil, false)
	if err != nil {
		return nil, err
	}
	b = binary.BigEndian.AppendUint16(b[:off], uint16(qy.q.Type))
	b = binary.BigEndian.AppendUint16(b, classIN)
	if qy.edns {
		b[11] = 1 // ARCOUNT
		b = append(b, 0, 0, typeOPT, udpSize>>8, udpSize&0xff, 0, 0, 0, 0, 0, 0)
		if qy.dnssec || qy.raw {
			b[len(b)-4] = 0x80 // RFC 3225, Section 3: DO
		}
	}
	return b, nil
}

// message is what is kept of a response.
type message struct {
	rcode     resolve.RCode
	flags     uint16
	answers   []resolve.Record // of the asked type, and CNAMEs
	sigs      []signature
	soa       *resolve.Record // first SOA of the authority section
	cut       resolve.Name    // owner of the first NS of the authority section
	extended  []resolve.ExtendedError
	size      int
	transport resolve.Transport
	retried   bool // it came over TCP as the UDP response was truncated
	raw       []byte
}

type signature struct {
	record  resolve.Record
	covered resolve.Type
}

func (m *message) has(bit uint16) bool { return m.flags&bit != 0 }

// errForeign marks a packet that is no response to the query: it is ignored.
var errForeign = errors.New("not a response to the query")

// malformed is the reason why a response to the query cannot be understood.
type malformed string

func (m malformed) Error() string { return string(m) }

// matches reports whether msg is a response to the query sent (RFC 5452,
// Section 9.1), and the offset behind its question section.
func matches(msg, sent []byte) (int, error) {
	if len(msg) < headerLen || [2]byte(msg) != [2]byte(sent) {
		return 0, errForeign
	}
	flags := binary.BigEndian.Uint16(msg[2:])
	if flags&bitQR == 0 || flags&opcodeAll != 0 {
		return 0, errForeign
	}
	switch binary.BigEndian.Uint16(msg[4:]) {
	case 0:
		// Servers that cannot or will not read the query may send a bare header.
		if rcode := resolve.RCode(flags & 0xf); rcode != resolve.NoError && rcode != resolve.NXDomain {
			return headerLen, nil
		}
		return 0, errForeign
	case 1:
	default:
		return 0, errForeign
	}
	end := headerLen
	for sent[end] != 0 { // our own query: no compression, valid labels
		end += 1 + int(sent[end])
	}
	end += 5
	if len(msg) < end || !equalFold(msg[headerLen:end], sent[headerLen:end]) {
		return 0, errForeign
	}
	return end, nil
}

// equalFold compares names in wire form. RFC 4343, Section 3: only the ASCII
// letters have case. Length octets are below 'A', so folding leaves them alone.
func equalFold(a, b []byte) bool {
	for i, x := range a[:len(a)-4] {
		y := b[i]
		if x == y {
			continue
		}
		if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
			return false
		}
	}
	return string(a[len(a)-4:]) == string(b[len(b)-4:])
}

// parse reads a response to the query that was sent as the octets sent. The
// error is errForeign or a malformed.
func parse(msg, sent []byte, qy query) (*message, error) {
	off, err := matches(msg, sent)
	if err != nil {
		return nil, err
	}
	m := &message{flags: binary.BigEndian.Uint16(msg[2:]), size: len(msg)}
	m.rcode = resolve.RCode(m.flags & 0xf)
	m.keepRaw(msg, qy)
	counts := [3]int{}
	total := 0
	for i := range counts {
		counts[i] = int(binary.BigEndian.Uint16(msg[6+2*i:]))
		total += counts[i]
	}
	if total > maxRecords {
		return nil, malformed(fmt.Sprintf("%d records, the limit is %d", total, maxRecords))
	}
	for section, n := range counts {
		for range n {
			next, err := m.record(msg, off, section, qy)
			if err != nil {
				// A truncated response is asked for again over TCP, so where it was
				// cut does not matter.
				if m.has(bitTC) {
					return m, nil
				}
				return nil, err
			}
			off = next
		}
	}
	return m, nil
}

// record reads the record at off and keeps it if it matters. It returns the
// offset behind it.
func (m *message) record(msg []byte, off, section int, qy query) (int, error) {
	head, ok := skipName(msg, off)
	if !ok || len(msg)-head < 10 {
		return 0, malformed("a record is cut off")
	}
	typ := resolve.Type(binary.BigEndian.Uint16(msg[head:]))
	class := binary.BigEndian.Uint16(msg[head+2:])
	rdlen := int(binary.BigEndian.Uint16(msg[head+8:]))
	end := head + 10 + rdlen
	if end > len(msg) {
		return 0, malformed("a record is cut off")
	}
	if section == 2 {
		if typ == typeOPT {
			// RFC 6891, Section 6.1.3: the upper bits of the code are in the TTL field.
			m.rcode = m.rcode&0xf | resolve.RCode(msg[head+4])<<4
			m.options(msg[head+10 : end])
		}
		return end, nil
	}
	if qy.raw || qy.refer || class != classIN || !m.wants(typ, section, qy) {
		return end, nil
	}
	if rdlen == 0 && !mayBeEmpty(typ) {
		return 0, malformed(fmt.Sprintf("%s record without data", typ))
	}
	if section == 1 && typ == resolve.TypeNS {
		if s, _, err := dns.UnpackDomainName(msg, off); err == nil && m.cut.IsZero() {
			m.cut, _ = resolve.NameFromMaster(s)
		}
		return end, nil
	}
	rr, _, err := dns.UnpackRR(msg[:end], off)
	if err == nil {
		var rec resolve.Record
		if rec, err = wire.FromRR(rr); err == nil {
			m.keep(rec, rr, section)
			return end, nil
		}
	}
	if section == 1 {
		return end, nil // the SOA only bounds caching
	}
	return 0, malformed(fmt.Sprintf("%s record: %s", typ, shorten(err.Error())))
}

// wants reports whether records of this type are of use.
func (m *message) wants(typ resolve.Type, section int, qy query) bool {
	if section == 1 {
		return typ == resolve.TypeSOA && m.soa == nil || typ == resolve.TypeNS
	}
	return typ == qy.q.Type || typ == resolve.TypeCNAME || qy.q.Type == typeANY ||
		typ == resolve.TypeRRSIG && qy.dnssec
}

func (m *message) keep(rec resolve.Record, rr dns.RR, section int) {
	rec.TTL = cleanTTL(rec.TTL)
	if section == 1 {
		m.soa = &rec
		return
	}
	m.answers = append(m.answers, rec)
	if sig, ok := rr.(*dns.RRSIG); ok {
		m.sigs = append(m.sigs, signature{rec, resolve.Type(sig.TypeCovered)})
	}
}

// cleanTTL applies RFC 2181, Section 8: a TTL with the top bit set is zero.
func cleanTTL(ttl uint32) uint32 {
	if ttl > 1<<31-1 {
		return 0
	}
	return ttl
}

// mayBeEmpty lists the types of which a record without data could be valid.
func mayBeEmpty(t resolve.Type) bool {
	switch t {
	case resolve.TypeA, resolve.TypeNS, resolve.TypeCNAME, resolve.TypeSOA, resolve.TypePTR, resolve.TypeMX,
		resolve.TypeTXT, resolve.TypeAAAA, resolve.TypeSRV, resolve.TypeDS, resolve.TypeRRSIG, resolve.TypeNSEC,
		resolve.TypeDNSKEY, resolve.TypeNSEC3, resolve.TypeTLSA, resolve.TypeHTTPS, resolve.TypeSPF, resolve.TypeCAA:
		return false
	}
	return true
}

// skipName returns the offset behind the name at off without following
// compression pointers.
func skipName(msg []byte, off int) (int, bool) {
	for off < len(msg) {
		switch c := int(msg[off]); {
		case c == 0:
			return off + 1, true
		case c&0xc0 == 0xc0: // RFC 1035, Section 4.1.4: a pointer ends a name
			return off + 2, off+2 <= len(msg)
		case c&0xc0 != 0:
			return 0, false
		default:
			off += 1 + c
		}
	}
	return 0, false
}

// options reads the options of the OPT record; broken ones are left out.
func (m *message) options(b []byte) {
	for len(b) >= 4 {
		code, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if b = b[4:]; n > len(b) {
			return
		}
		if code == optionEDE && n >= 2 && len(m.extended) < maxExtended {
			text := strings.TrimRight(string(b[2:min(n, 2+maxExtraText)]), "\x00")
			m.extended = append(m.extended, resolve.ExtendedError{Code: binary.BigEndian.Uint16(b), Text: strings.ToValidUTF8(text, "\ufffd")})
		}
		b = b[n:]
	}
}
