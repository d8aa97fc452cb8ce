package iprev

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// findAddress finds the part of a name that is the address, or most of it; empty if
// there is none. The host part is in lower case.
func findAddress(name resolve.Name, host string, t tokens, addr netip.Addr) string {
	switch {
	case !addr.IsValid():
		return ""
	case addr.Is4():
		// A hosting company may have the network in the domain: ip7.ip-198-51-100.eu.
		whole := strings.ToLower(name.String())
		if text := findDecimal(whole, tokenize(whole), addr, false); text != "" {
			return text
		}
		if text := findDecimal(host, t, addr, true); text != "" {
			return text
		}
		return findPacked(host, addr)
	}
	return findHex6(host, addr)
}

// findDecimal finds octets in decimal, side by side, in either order. All four are
// the address; so are three of them, or the last two with nothing but digits in
// their label or a word for lines in the name, unless the name speaks of mail.
func findDecimal(s string, t tokens, addr netip.Addr, parts bool) string {
	a := addr.As4()
	forward := []int{int(a[0]), int(a[1]), int(a[2]), int(a[3])}
	backward := slices.Clone(forward)
	slices.Reverse(backward)
	for _, octets := range [][]int{forward, backward} {
		if text := run(s, t.numbers, octets); text != "" {
			return text
		}
	}
	// One octet is set apart: 7.ip-198-51-100, or ip7.ip-198-51-100.
	if !parts {
		for _, octets := range [][]int{forward[:3], backward[1:]} {
			text := run(s, t.numbers, octets)
			if text != "" && slices.ContainsFunc(t.numbers, func(n number) bool { return n.is(int(a[3])) && n.before != '.' || n.is(int(a[3])) && n.start == 0 }) && !t.mail {
				return text
			}
		}
		return ""
	}
	if t.mail {
		return ""
	}
	for _, octets := range [][]int{forward[:3], forward[1:], backward[:3], backward[1:]} {
		if text := run(s, t.numbers, octets); text != "" {
			return text
		}
	}
	for _, octets := range [][]int{forward[2:], backward[:2]} {
		text := run(s, t.numbers, octets)
		if text != "" && (t.access() || bare(s, text)) {
			return text
		}
	}
	return ""
}

// run finds numbers of these values with one separator between them.
func run(s string, numbers []number, values []int) string {
	for i := 0; i+len(values) <= len(numbers); i++ {
		ok := true
		for k, v := range values {
			n := numbers[i+k]
			ok = ok && n.is(v) && (k == 0 || n.start-numbers[i+k-1].end == 1)
		}
		if ok {
			return s[numbers[i].start:numbers[i+len(values)-1].end]
		}
	}
	return ""
}

func (n number) is(v int) bool {
	if len(n.text) > 3 {
		return false
	}
	got, err := strconv.Atoi(n.text)
	return err == nil && got == v
}

func (t tokens) access() bool {
	return slices.ContainsFunc(t.words, func(w string) bool { return accessWords[w] || dynamicWords[w] })
}

// bare reports whether the text stands alone in its label.
func bare(s, text string) bool {
	return s == text || strings.HasPrefix(s, text+".")
}

// findPacked finds an IPv4 address without separators: in hexadecimal, in decimal
// with leading zeros, or as one number.
func findPacked(host string, addr netip.Addr) string {
	a := addr.As4()
	r := netip.AddrFrom4([4]byte{a[3], a[2], a[1], a[0]})
	forms := []string{
		nibbles(addr, false), nibbles(r, false),
		fmt.Sprintf("%03d%03d%03d%03d", a[0], a[1], a[2], a[3]),
		fmt.Sprintf("%03d%03d%03d%03d", a[3], a[2], a[1], a[0]),
		fmt.Sprintf("%02x-%02x-%02x-%02x", a[0], a[1], a[2], a[3]),
	}
	if whole := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3]); whole >= 1e9 {
		forms = append(forms, strconv.FormatUint(uint64(whole), 10))
	}
	for _, f := range forms {
		if strings.Contains(host, f) {
			return f
		}
	}
	return ""
}

// findHex6 finds an IPv6 address, or its interface half, in the forms seen in
// reverse zones: with or without separators, in either order.
func findHex6(host string, addr netip.Addr) string {
	plain := strings.NewReplacer("-", "", ".", "", "_", "").Replace(host)
	for _, f := range []string{nibbles(addr, false), nibbles(addr, true)} {
		if strings.Contains(plain, f) {
			return f
		}
	}
	b := addr.As16()
	var groups []string
	zeros := 0
	for i := 0; i < 16; i += 2 {
		g := uint16(b[i])<<8 | uint16(b[i+1])
		if groups = append(groups, strconv.FormatUint(uint64(g), 16)); g == 0 && i >= 8 {
			zeros++
		}
	}
	forms := []string{
		strings.Join(groups, "-"), strings.Join(groups, "."),
		strings.ReplaceAll(addr.String(), ":", "-"), strings.ReplaceAll(addr.String(), ":", "."),
	}
	if zeros < 2 {
		forms = append(forms, strings.Join(groups[4:], "-"), strings.Join(groups[4:], "."))
	}
	for _, f := range forms {
		// A short form, as of 2001:db8::1, is only meant if a label starts with it.
		if f = strings.Trim(f, "-."); len(f) >= 9 && strings.Contains(host, f) {
			return f
		}
	}
	if half := nibbles(addr, false)[16:]; zeros < 2 && strings.Contains(plain, half) {
		return half
	}
	return ""
}
