package zonetest

import (
	"slices"

	"golang.org/x/net/publicsuffix"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// decl is a name that a text speaks for.
type decl struct {
	name resolve.Name
	file string
}

// declare finds what a text speaks for: the owners of its SOA records, else the
// stated origin, and for names outside of those the owners themselves.
func declare(records []source, stated resolve.Name, file string) []decl {
	var out []decl
	for _, s := range records {
		if s.Type == resolve.TypeSOA {
			out = append(out, decl{s.Name, file})
		}
	}
	if len(out) == 0 && !stated.IsZero() && !stated.IsRoot() && !publicSuffix(stated) {
		out = append(out, decl{stated, file})
	}
	apexes := map[resolve.Name]bool{}
	for _, d := range out {
		apexes[d.name] = true
	}
	// Nothing says where the zone of the other owners begins. The text speaks for
	// what it names, and for no more: a fragment with a key and a policy of a domain
	// does not say that the domain has no MX.
	owners := make([]resolve.Name, 0, len(records))
	for _, s := range records {
		owners = append(owners, s.Name)
	}
	slices.SortStableFunc(owners, func(a, b resolve.Name) int { return a.NumLabels() - b.NumLabels() })
	for _, n := range owners {
		if !covered(apexes, n) {
			apexes[n] = true
			out = append(out, decl{n, file})
		}
	}
	return out
}

func covered(apexes map[resolve.Name]bool, n resolve.Name) bool {
	if len(apexes) == 0 {
		return false
	}
	for ; !n.IsZero(); n = n.Parent() {
		if apexes[n] {
			return true
		}
	}
	return false
}

// publicSuffix reports a name under which strangers register: a text with
// "$ORIGIN com." does not speak for all of com.
func publicSuffix(n resolve.Name) bool {
	s, _ := publicsuffix.PublicSuffix(n.String())
	return s == n.String()
}
