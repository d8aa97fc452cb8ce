package aggregate

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// address reads source_ip.
func (p *parser) address(f field, b []byte) {
	rec := &p.rec
	if a, ok := parseIPv4(b); ok {
		rec.SourceIP = a
		return
	}
	if len(b) == 0 {
		p.absent(EmptyValue, f)
		return
	}
	text := string(b)
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" && len(b) < 46 {
		rec.SourceIP = a.Unmap()
		if rec.SourceIP.String() != text {
			rec.SourceText = text
		}
		return
	}
	rec.SourceText = text
	if a, ok := repairAddress(text); ok {
		rec.SourceIP = a
		p.note(AddressForm, f.path(), b)
		return
	}
	p.note(AddressBad, f.path(), b)
}

// parseIPv4 reads dotted decimal without leading zeros.
func parseIPv4(b []byte) (netip.Addr, bool) {
	var out [4]byte
	part, digits, n := uint(0), 0, 0
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			if digits > 0 && n == 0 {
				return netip.Addr{}, false
			}
			n = n*10 + int(c-'0')
			if digits++; n > 255 {
				return netip.Addr{}, false
			}
		case c == '.' && digits > 0 && part < 3:
			out[part] = byte(n)
			part, digits, n = part+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	if part != 3 || digits == 0 {
		return netip.Addr{}, false
	}
	out[3] = byte(n)
	return netip.AddrFrom4(out), true
}

// repairAddress reads the forms that reporters use beside the right one: in
// brackets, with "IPv6:" or a zone, with a port, with zeros in front.
func repairAddress(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	s = strings.Trim(s, "[]()<>\"' ")
	if len(s) > 5 && strings.EqualFold(s[:5], "ipv6:") {
		s = s[5:]
	}
	s, _, _ = strings.Cut(s, "%")
	s, _, _ = strings.Cut(s, "/")
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap(), true
	}
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return netip.Addr{}, false
	}
	for i, part := range parts {
		if len(part) > 3 {
			return netip.Addr{}, false
		}
		for len(part) > 1 && part[0] == '0' {
			part = part[1:]
		}
		parts[i] = part
	}
	return parseIPv4([]byte(strings.Join(parts, ".")))
}

// integer reads digits alone.
func integer(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	n := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// number reads an integer that may be written with a sign or a fraction of zeros.
func number(b []byte) (int64, bool) {
	s := strings.TrimPrefix(string(b), "+")
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1<<53 {
		return 0, false
	}
	return int64(v), true
}

// count reads the number of messages. One that is none counts as nothing, so
// that sums never hold invented messages.
func (p *parser) count(f field, b []byte) int64 {
	n, ok := integer(b)
	if ok {
		return n
	}
	if len(b) == 0 {
		p.absent(EmptyValue, f)
		return 0
	}
	n, ok = number(b)
	if !ok || n < 0 {
		p.note(NumberBad, f.path(), b)
		return 0
	}
	p.note(NumberForm, f.path(), b)
	return n
}

// maxTime is the end of the year 9999, the last that RFC 3339 can write.
const maxTime = 253402300799

// instant reads a time: seconds since the epoch, or what some reporters write
// instead: a fraction, milliseconds, RFC 3339.
func (p *parser) instant(f field, b []byte) time.Time {
	n, ok := integer(b)
	form := !ok
	if !ok {
		if n, ok = number(b); !ok {
			n, ok = textTime(string(b))
		}
	}
	if ok && n > maxTime && n/1000 <= maxTime {
		n, form = n/1000, true
	}
	switch {
	case len(b) == 0:
		p.absent(EmptyValue, f)
		return time.Time{}
	case !ok || n < 0 || n > maxTime:
		p.note(NumberBad, f.path(), b)
		return time.Time{}
	}
	if form {
		p.note(NumberForm, f.path(), b)
	}
	return time.Unix(n, 0).UTC()
}

func textTime(s string) (int64, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Unix(), true
		}
	}
	return 0, false
}
