package rules

import (
	"fmt"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// What counts as a wide network is ours; no RFC sets a number. No sender has a
// whole /8, and few have a /16; an IPv6 /32 is a whole provider.
const (
	hugeBits4, wideBits4 = 8, 16
	hugeBits6, wideBits6 = 16, 32

	hugeCount = 1 << (32 - hugeBits4) // addresses of a /8
)

var spfWideRange = audit.Rule{
	ID: "SPF015", Slug: "spf-wide-range", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record authorizes a very large part of the Internet",
	Refs:  []audit.Ref{{RFC: 7208, Section: "11.4"}, {RFC: 7208, Section: "5.6"}},
	Doc: audit.Doc{
		Impact: "Every host in such a network can send as this domain with the result pass, which is also enough for a DMARC pass: networks of that size hold many thousand customers of many companies. Ranges such as 0.0.0.0/1 and 128.0.0.0/1 together are \"+all\" in disguise.",
		Remedy: "List the addresses or the small networks that the mail really leaves from. Look at the prefix length first: /8 is often a mistyped /28, and a/24 authorizes 256 hosts around the one that is meant.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip6:::/0 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:198.18.0.0/16 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a/8 -all\"\nexample.org. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:0.0.0.0/0 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:16.0.0.0/9 ip4:16.128.0.0/9 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 a/24//64 -all\"\nexample.org. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:198.18.0.0/15 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:10.0.0.0/8 ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -ip4:0.0.0.0/1 ip4:192.0.2.1 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		huge := false
		seen := map[resolve.Name]bool{}
		number := spfNumber{}
		spfWalk(root, func(n *spf.Node, w spfWay) {
			if !w.Pass || seen[n.Domain] {
				return
			}
			seen[n.Domain] = true
			for i := range n.Terms {
				t := n.Record.Terms[i]
				size, share := spfWidth(t)
				if size == 0 || n.Terms[i].Ignored || t.Qualifier != '+' || size == audit.Warning && n != root {
					continue
				}
				huge = huge || size == audit.Error
				f := c.Report(audit.TXT(n.Domain).WithTerm(number.term(t.Text)), "%s in the record of %s%s lets %s pass",
					spfText(t.Text), n.Domain, spfReach(root, n.Domain), share).At(size).About(c.Facts, root.Domain, resolve.TypeTXT)
				if n != root {
					f.Advise("Remove %s, or have the operator of %s narrow %s.", spfText(w.Root.Text), n.Domain, spfText(t.Text))
				}
			}
		})
		a := c.Facts.SPF
		if n := publicCount(a.IPv4); !huge && n >= hugeCount && len(spfOpenDoors(root)) == 0 {
			widest := ""
			if a.Widest != nil {
				widest = fmt.Sprintf("; the widest part is %s in the record of %s", spfText(a.Widest.Text), a.Widest.Domain)
			}
			c.Report(audit.TXT(root.Domain), "its networks together hold %d IPv4 addresses, %.1f %% of all%s", n, 100*float64(n)/(1<<32), widest)
		}
		spfOpen(c, recordLookup)
	},
}

// spfWidth judges the network that a term authorizes by its prefix length alone.
func spfWidth(t spf.Term) (size audit.Severity, share string) {
	four, six := 33, 129
	switch t.Kind {
	case spf.IP4, spf.IP6:
		// Nobody sends from there over the Internet, so nobody is authorized.
		if net := t.Prefix.Masked(); reservedFor(net) != "" || documentation6.Contains(net.Addr()) && net.Bits() >= documentation6.Bits() {
			return 0, ""
		}
		if t.Kind == spf.IP4 {
			four = t.Prefix.Bits()
		} else {
			six = t.Prefix.Bits()
		}
	case spf.A, spf.MX:
		four, six = t.Bits4, t.Bits6
	}
	switch {
	case four <= hugeBits4 || six <= hugeBits6:
		size = audit.Error
	case four <= wideBits4 || six <= wideBits6:
		size = audit.Warning
	default:
		return 0, ""
	}
	if four <= wideBits4 {
		return size, fmt.Sprintf("%d IPv4 addresses", uint64(1)<<(32-four))
	}
	return size, fmt.Sprintf("an IPv6 network of /%d", six)
}

// publicCount is the number of addresses in networks that do not overlap,
// without those that no mail comes from.
func publicCount(nets []netip.Prefix) (n uint64) {
	for _, p := range nets {
		if reservedFor(p) != "" {
			continue
		}
		n += 1 << (32 - p.Bits())
		for _, r := range reserved {
			if r.net.Addr().Is4() && p.Contains(r.net.Addr()) {
				n -= 1 << (32 - r.net.Bits())
			}
		}
	}
	return n
}

// documentation6 holds no hosts (RFC 3849), so nobody is authorized by it.
var documentation6 = netip.MustParsePrefix("2001:db8::/32")
