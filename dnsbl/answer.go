package dnsbl

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Hit is one code of an answer.
type Hit struct {
	Code
	Known bool // the list's row has the code; otherwise Meaning says that it does not
}

// listRange is where the answers of a list are (RFC 5782, Section 2.1).
var listRange = netip.MustParsePrefix("127.0.0.0/8")

// errorRange holds the answers by which lists say that they do not answer; it
// began with Spamhaus and others took it over.
var errorRange = netip.MustParsePrefix("127.255.255.0/24")

// reading is what an answer means.
type reading struct {
	hits    []Hit
	refused string // the answer is an error of the list, in words
	foreign string // there is nothing but answers outside 127/8
}

const maxHits = 32 // answers read

// read sorts the addresses of an answer.
func (l List) read(addrs []resolve.Addr) reading {
	var r reading
	for _, a := range addrs[:min(len(addrs), maxHits)] {
		x := a.Addr.Unmap()
		switch {
		case !listRange.Contains(x):
			// RFC 5782, Section 2.1: a list answers within 127/8. What is outside
			// comes from somebody else: a resolver that rewrites, the new owner of
			// a domain.
			r.foreign = fmt.Sprintf("the answer %s is not from a list: the resolver rewrites answers, or the zone has a new owner", x)
		case errorRange.Contains(x):
			r.refused = refusal(x)
		default:
			r.code(l, x)
		}
	}
	if len(r.hits) > 0 {
		r.foreign = ""
	}
	return r
}

// code looks up one answer among the codes of the list.
func (r *reading) code(l List, x netip.Addr) {
	found := false
	for _, c := range l.Codes {
		same := c.Addr == x
		if l.Bits {
			// A sum: each bit of the last octet has its meaning.
			have, want := x.As4(), c.Addr.As4()
			same = [3]byte(have[:3]) == [3]byte(want[:3]) && want[3] != 0 && have[3]&want[3] == want[3]
		}
		switch {
		case !same:
		case c.Error:
			found = true
			r.refused = fmt.Sprintf("the list answers %s: %s", x, c.Meaning)
		default:
			found = true
			r.hits = append(r.hits, Hit{Code: c, Known: true})
		}
	}
	switch {
	case found:
	case x == netip.AddrFrom4([4]byte{127, 0, 0, 1}):
		// RFC 5782, Section 2.1: not to be used, as resolvers and hosts files give it.
		r.foreign = "the answer 127.0.0.1 is not one that a list gives"
	default:
		r.hits = append(r.hits, Hit{Code: Code{Addr: x, Meaning: "a code that is not known here"}})
	}
}

func refusal(x netip.Addr) string {
	switch x.As4()[3] {
	case 252:
		return "the list answers 127.255.255.252: the name of its zone is wrong"
	case 254:
		return "the list answers 127.255.255.254: it does not answer public resolvers"
	case 255:
		return "the list answers 127.255.255.255: it was asked too often through this resolver"
	}
	return fmt.Sprintf("the list answers %s, which stands for an error", x)
}

const (
	maxReasons = 3   // TXT records shown
	maxReason  = 256 // octets of each
)

// reasons are the texts that a list gives for a listing (RFC 5782, Section 2.1).
func reasons(txts []resolve.TXT) []string {
	var out []string
	for _, t := range txts[:min(len(txts), maxReasons)] {
		s := t.Joined()
		if len(s) > maxReason {
			s = strings.ToValidUTF8(s[:maxReason], "")
		}
		out = append(out, s)
	}
	return out
}
