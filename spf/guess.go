package spf

import (
	"fmt"
	"net/netip"
	"strings"
)

// bareAddress is an address or network without "ip4:".
func bareAddress(q, body string) string {
	if at := len(body) - len("~all"); at > 0 && directive(body[at:]) && strings.EqualFold(body[at+1:], "all") {
		if first := network(q, body[:at]); first != "" {
			return first + " " + body[at:] // "1.2.3.4~all"
		}
	}
	return network(q, strings.Trim(body, "[]"))
}

// network is the term for an address or network, empty if s is none.
func network(q, s string) string {
	for _, m := range []string{"ip4:", "ip6:"} {
		if valid(q + m + s) {
			return q + m + s
		}
	}
	return ""
}

// wrongNames are names that are no mechanisms, and what is meant by them. An
// empty meaning is decided by the argument.
var wrongNames = map[string]string{
	"ip": "", "ipv": "", "i4": "", "i6": "", "ipv4": "", "ipv6": "", "ip-4": "", "ip_4": "", "ip-6": "", "ipaddr": "", "ipaddress": "",
	"ip4v": "", "ip6v": "", "ipv4v": "", "p4": "", "4": "", "6": "", "ipp4": "", "iv4": "", "lp4": "", "1p4": "", "ip5": "",
	"host": "a", "hostname": "a", "cname": "a", "aaaa": "a", "a4": "a", "arecord": "a", "server": "a",
	"spf": "include", "domain": "include", "inc": "include", "include_spf": "include", "txt": "include", "includes": "include", "included": "include",
	"redirect": "redirect", "exp": "exp", "exist": "exists",
}

// wrongName is "ipv4:1.2.3.4", "redirect:x.example" or "include=x.example".
func wrongName(q, body string) string {
	at := strings.IndexAny(body, ":=")
	if at <= 0 {
		if strings.EqualFold(body, "aaaa") {
			return q + "a"
		}
		return ""
	}
	name, arg := lower(body[:at]), strings.TrimLeft(body[at+1:], ":=")
	if name == "redirect" || name == "exp" {
		if s := name + "=" + arg; valid(s) && s != q+body {
			return s
		}
		return ""
	}
	meant, found := wrongNames[name]
	if mechanism(name) != opNone && body[at] == '=' {
		meant, found = name, true
	}
	if !found {
		return ""
	}
	if s := network(q, arg); s != "" {
		return s
	}
	if meant == "" || strings.HasPrefix(meant, "ip") {
		meant = "a"
	}
	if s := q + meant + ":" + arg; directive(s) {
		return s
	}
	return ""
}

// doubled is "ip4:ip4:1.2.3.4", "include:include:x" or "++all".
func doubled(q, body string) string {
	if q != "" {
		if again, rest := cutQualifier(body); again != "" && directive(again+rest) {
			return again + rest
		}
	}
	name, rest, found := strings.Cut(body, ":")
	if !found || mechanism(name) == opNone {
		return ""
	}
	rest = strings.TrimLeft(rest, ":")
	if strings.IndexByte(rest, ':') > 0 && directive(rest) && !valid(q+name+":"+rest) {
		return q + rest
	}
	if s := q + name + ":" + rest; s != q+body && directive(s) {
		return s
	}
	return ""
}

// wrongArgument is a known mechanism with an argument of another kind: an
// address as a name, a name as an address, a URL or a mail address.
func wrongArgument(q, body string) string {
	name, arg, found := strings.Cut(body, ":")
	kind := mechanism(name)
	if !found || kind == opNone {
		return ""
	}
	if s := network(q, arg); s != "" {
		return s
	}
	_, host, url := strings.Cut(arg, "//")
	if url {
		if host, _, _ = strings.Cut(host, "/"); directive(q + name + ":" + host) {
			return q + name + ":" + host
		}
	}
	if at := strings.LastIndexByte(arg, '@'); at >= 0 && directive(q+name+":"+arg[at+1:]) {
		return q + name + ":" + arg[at+1:]
	}
	if kind == opIP4 || kind == opIP6 {
		if host := strings.TrimRight(arg, "."); directive(q+"a:"+host) && !numeric(host) {
			return q + "a:" + host
		}
	}
	return ""
}

// numeric reports whether s begins as a network does.
func numeric(s string) bool {
	return s == "" || class[s[0]]&clDigit != 0 || strings.Contains(s, ":")
}

// listed is "ip4:1.2.3.4,5.6.7.8" or "ip4:1.2.3.4:5.6.7.8".
func listed(q, body string) string {
	name, arg, found := strings.Cut(body, ":")
	if !found || mechanism(name) == opNone {
		return ""
	}
	separators := ",;|"
	if mechanism(name) == opIP4 {
		separators += ":"
	}
	parts := strings.FieldsFunc(arg, func(r rune) bool { return strings.ContainsRune(separators, r) })
	if len(parts) < 2 || len(parts) > maxPieces {
		return ""
	}
	var out []string
	for i, p := range parts {
		s := q + name + ":" + p
		switch {
		case valid(s):
		case directive(p):
			s = p
		case network(q, p) != "":
			s = network(q, p)
		case i == 1 && len(parts) == 2 && strings.Trim(p, "0123456789") == "" && len(out) == 1:
			return out[0] // a port, which SPF does not know
		default:
			return ""
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// netmask is a network with a netmask, a doubled prefix length or wildcards.
func netmask(q, body string) string {
	name, arg, found := strings.Cut(body, ":")
	if k := mechanism(name); !found || k != opIP4 && k != opIP6 {
		return ""
	}
	addr, mask, _ := strings.Cut(arg, "/")
	if m, err := netip.ParseAddr(mask); err == nil && m.Is4() {
		v := value4(m)
		n := 0
		for ; n < 32 && v&(1<<(31-n)) != 0; n++ {
		}
		if v<<n == 0 || n == 32 {
			return network(q, fmt.Sprintf("%s/%d", addr, n))
		}
		return ""
	}
	if first, second, twice := strings.Cut(mask, "/"); twice {
		switch {
		case first == second || second == "":
			return network(q, addr+"/"+first)
		case first == "":
			return network(q, addr+"/"+second)
		}
		return ""
	}
	if n := strings.TrimLeft(mask, "0"); n != "" && n != mask {
		return network(q, addr+"/"+n)
	}
	if parts := strings.Split(addr, "."); mask == "" && len(parts) == 4 && (parts[3] == "*" || parts[3] == "x") {
		return network(q, strings.Join(parts[:3], ".")+".0/24")
	}
	return ""
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// misspelled is a name some keystrokes away from a mechanism or modifier.
func misspelled(q, body string) string {
	at := strings.IndexAny(body, ":=/")
	if at < 0 {
		at = len(body)
	}
	name, rest := lower(body[:at]), body[at:]
	best, found := 3, ""
	for _, word := range []string{"include", "all", "ip4", "ip6", "exists", "redirect", "mx", "ptr", "exp", "a"} {
		limit := 2
		if len(word) <= 3 {
			limit = 1
		}
		if n := distance(name, word); n == 0 || n > limit || n >= best {
			continue
		}
		s := q + word + rest
		if word == "redirect" || word == "exp" {
			s = word + "=" + strings.TrimLeft(rest, ":=")
		} else if strings.HasPrefix(rest, "=") {
			s = q + word + ":" + rest[1:]
		}
		if !directive(s) {
			continue
		}
		best, found = distance(name, word), s
	}
	return found
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours between two short words.
func distance(a, b string) int {
	const limit = 12
	if len(a) > limit || len(b) > limit {
		return limit
	}
	var d [limit + 1][limit + 1]int
	for i := range len(a) + 1 {
		for j := range len(b) + 1 {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
			default:
				d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+b2i(a[i-1] != b[j-1]))
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					d[i][j] = min(d[i][j], d[i-2][j-2]+1)
				}
			}
		}
	}
	return d[len(a)][len(b)]
}

// bareHost is a host name without a mechanism: names that hold SPF records are
// included, others are hosts.
func bareHost(q, body string) string {
	if strings.ContainsAny(body, ":=/%") || !valid("a:"+body) {
		return ""
	}
	low := lower(body)
	for _, m := range []string{"include.", "include_", "include-"} {
		if rest, found := strings.CutPrefix(low, m); found && valid("include:"+rest) {
			return q + "include:" + rest
		}
	}
	if _, rest := splitAll(low); rest != "" {
		return "" // text glued to all
	}
	if strings.Contains(low, "spf") || strings.HasPrefix(low, "_") || strings.Contains(low, ".protection.outlook.") {
		return q + "include:" + body
	}
	return q + "a:" + body
}

// splitAll takes "all" off the front of a term's body.
func splitAll(body string) (all, rest string) {
	if len(body) > 3 && fold(body[:3], "all") {
		return body[:3], body[3:]
	}
	return "", ""
}
