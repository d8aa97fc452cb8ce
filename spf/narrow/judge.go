package narrow

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

// judge decides what becomes of a term. Why is empty for terms that are not
// looked at.
func judge(root *spf.Node, i int, seen []Host, opt Options) Step {
	t, info := root.Record.Terms[i], &root.Terms[i]
	switch {
	case t.Kind == spf.Exp || t.Kind == spf.Unknown || t.Kind == spf.All:
		return Step{}
	case info.Ignored:
		return Step{Action: Drop, Why: "it is never evaluated"}
	case t.Kind == spf.Redirect:
		return Step{Action: Keep, Why: "it carries the policy for all others"}
	case t.Qualifier != '+':
		return Step{Action: Keep, Why: "it does not authorize anybody"}
	case info.Unevaluated || open(info.Child):
		return Step{Action: Keep, Why: "it depends on the sender, which the evidence does not tell"}
	case len(seen) == 0:
		return Step{Action: Drop, Why: "unused"}
	case t.Kind == spf.Include:
		return Step{Action: Keep, Why: "mail passes by it, and its owner may move within it"}
	case t.Kind == spf.IP4 || t.Kind == spf.IP6:
		return shrink(t, "", t.Prefix.Masked(), seen, opt)
	case t.Kind == spf.A || t.Kind == spf.MX:
		return unwiden(t, info, seen, opt)
	}
	return Step{Action: Keep, Why: "mail passes by it"}
}

// open reports whether something below depends on the sender.
func open(n *spf.Node) bool {
	if n == nil {
		return false
	}
	return slices.ContainsFunc(n.Terms, func(t spf.TermInfo) bool { return !t.Ignored && (t.Unevaluated || open(t.Child)) })
}

// shrink replaces a wide network by what was seen in it.
func shrink(t spf.Term, head string, p netip.Prefix, seen []Host, opt Options) Step {
	limit := wide4
	if p.Addr().Is6() {
		limit = wide6
	}
	if opt.Exact {
		limit = p.Addr().BitLen()
		if p.Addr().Is6() {
			limit = host6
		}
	}
	if p.Bits() >= limit {
		return Step{Action: Keep, Why: "mail passes by it"}
	}
	var words []string
	if head != "" {
		words = append(words, head)
	}
	for _, q := range cover(seen, maxTerms) {
		words = append(words, networkTerm(q))
	}
	if text := strings.Join(words, " "); text != t.Text {
		return Step{Action: Replace, New: text, Why: fmt.Sprintf("it is wide, and mail came from %d of its addresses", len(seen))}
	}
	return Step{Action: Keep, Why: "mail passes by it"}
}

// unwiden takes the prefix length off a and mx; hosts seen that are none of
// their own stay.
func unwiden(t spf.Term, info *spf.TermInfo, seen []Host, opt Options) Step {
	slash := strings.IndexByte(t.Text, '/')
	wide := t.Bits4 < wide4 || t.Bits6 < wide6 || opt.Exact && (t.Bits4 < 32 || t.Bits6 < 128)
	if slash < 0 || !wide || t.Macro {
		return Step{Action: Keep, Why: "mail passes by it"}
	}
	var own set.Set
	for _, a := range info.Answers {
		for _, d := range a.Addrs() {
			own = own.Union(set.Of(netip.PrefixFrom(d.Addr, d.BitLen())))
		}
	}
	var others []Host
	for _, h := range seen {
		if !own.Contains(h.IP) {
			others = append(others, h)
		}
	}
	words := []string{t.Text[:slash]}
	for _, q := range cover(others, maxTerms) {
		words = append(words, networkTerm(q))
	}
	return Step{Action: Replace, New: strings.Join(words, " "), Why: fmt.Sprintf("it authorizes the neighbours of its hosts, and mail came from %d addresses", len(seen))}
}

// cover is the narrowest networks that hold the hosts, at most n of them: those
// that lie closest are joined first.
func cover(hosts []Host, n int) []netip.Prefix {
	var ps []netip.Prefix
	for _, h := range hosts {
		bits := 32
		if h.IP.Is6() {
			bits = host6
		}
		p, _ := h.IP.Prefix(bits)
		ps = append(ps, p)
	}
	ps = set.Of(ps...).Prefixes()
	for len(ps) > n {
		best, bits := -1, -1
		for i := range len(ps) - 1 {
			if b := common(ps[i], ps[i+1]); b > bits {
				best, bits = i, b
			}
		}
		if best < 0 {
			break // one of each family
		}
		joined, _ := ps[best].Addr().Prefix(bits)
		ps = set.Of(append(slices.Delete(ps, best, best+2), joined)...).Prefixes()
	}
	return ps
}

// common is the length of the prefix that two networks share; -1 between
// families.
func common(a, b netip.Prefix) int {
	if a.Addr().BitLen() != b.Addr().BitLen() {
		return -1
	}
	for bits := min(a.Bits(), b.Bits()); bits >= 0; bits-- {
		if p, err := a.Addr().Prefix(bits); err == nil && p.Contains(b.Addr()) {
			return bits
		}
	}
	return -1
}

func networkTerm(p netip.Prefix) string {
	kind, text := "ip6:", p.String()
	if p.Addr().Is4() {
		kind = "ip4:"
	}
	if p.IsSingleIP() {
		text = p.Addr().String()
	}
	return kind + text
}
