package iprev

import (
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// ReverseName is the name under which an address has its PTR records (RFC 1035,
// Section 3.5; RFC 3596, Section 2.5). It is no name if the address is none.
func ReverseName(addr netip.Addr) resolve.Name {
	addr = addr.WithZone("").Unmap()
	var text string
	switch {
	case !addr.IsValid():
		return resolve.Name{}
	case addr.Is4():
		a := addr.As4()
		text = netip.AddrFrom4([4]byte{a[3], a[2], a[1], a[0]}).String() + ".in-addr.arpa"
	default:
		text = strings.Join(strings.Split(nibbles(addr, true), ""), ".") + ".ip6.arpa"
	}
	n, err := resolve.NameFromText(text)
	if err != nil {
		return resolve.Name{}
	}
	return n
}

// nibbles is an address as hexadecimal digits without separators.
func nibbles(addr netip.Addr, reversed bool) string {
	const hex = "0123456789abcdef"
	b := addr.AsSlice()
	out := make([]byte, 0, 2*len(b))
	for i := range b {
		x := b[i]
		if reversed {
			x = b[len(b)-1-i]
			out = append(out, hex[x&15], hex[x>>4])
			continue
		}
		out = append(out, hex[x>>4], hex[x&15])
	}
	return string(out)
}

// hostProblem tells why a name in text form, without the final dot, is not the full
// name of a host; empty if it is one.
func hostProblem(s string) string {
	labels := strings.Split(s, ".")
	switch {
	case s == "" || s == ".":
		return "it is empty"
	case len(labels) == 1:
		// RFC 5321, Section 2.3.5: only full names are used in mail.
		return "it is a single label, not a full name"
	}
	for _, l := range labels {
		// RFC 1123, Section 2.1: letters, digits and hyphens, not at either end.
		switch {
		case l == "":
			return "it has an empty label"
		case len(l) > resolve.MaxLabel:
			return "a label has more than 63 characters"
		case strings.Contains(l, "_"):
			return "it has an underscore, which no host name may have"
		case strings.IndexFunc(l, func(c rune) bool { return !isLDH(c) }) >= 0:
			return "it has a character that no host name may have"
		case l[0] == '-' || l[len(l)-1] == '-':
			return "a label begins or ends with a hyphen"
		}
	}
	last := labels[len(labels)-1]
	if strings.Trim(last, "0123456789") == "" {
		// RFC 1123, Section 2.1: a name that ends in a number could be an address.
		return "it ends in a number, as an address does"
	}
	if kind := specialUse(s, last); kind != "" {
		return kind
	}
	return ""
}

// specialUse tells of names that exist nowhere, or only inside (RFC 6761, RFC 6762,
// RFC 8375, RFC 9476 and ICANN's reservation of internal).
func specialUse(s, last string) string {
	switch last = strings.ToLower(last); last {
	case "localhost", "localdomain", "local", "lan", "internal", "intranet", "corp", "home", "private", "alt", "onion":
		return "names below ." + last + " do not exist for others"
	case "invalid":
		return "names below ." + last + " never exist"
	case "arpa":
		if strings.HasSuffix(strings.ToLower(s), ".home.arpa") {
			return "names below .home.arpa do not exist for others"
		}
	}
	return ""
}

func isLDH(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}
