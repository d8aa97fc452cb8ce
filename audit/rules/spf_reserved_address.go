package rules

import (
	"net/netip"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfReservedAddress = audit.Rule{
	ID: "SPF022", Slug: "spf-reserved-address", Severity: audit.Notice, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record lists addresses that never send over the Internet",
	Refs:  []audit.Ref{{RFC: 6890, Section: "2.2.2"}, {RFC: 6890, Section: "2.2.3"}},
	Doc: audit.Doc{
		Impact: "Mail reaches other receivers from a public address, never from a private, loopback or reserved one, so the term authorizes nobody. If the address of the real sender was meant, that one is not listed and its mail fails.",
		Remedy: "List the public address that the mail leaves from, as the Received header of a delivered mail shows it, and delete the term.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.168.1.10 ip4:10.0.0.0/24 ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:127.0.0.1 ip6:fd00::1 ip4:192.0.2.1 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all ip4:10.0.0.1\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		number := spfNumber{}
		all := root.Record.AllIndex()
		for i, t := range root.Record.Terms {
			if t.Kind != spf.IP4 && t.Kind != spf.IP6 || all >= 0 && i > all {
				continue
			}
			if what := reservedFor(t.Prefix.Masked()); what != "" {
				c.Report(audit.TXT(root.Domain).WithTerm(number.term(t.Text)), "%s: %s", spfText(t.Text), what)
			}
		}
	},
}

// reserved are the networks that hold no host of the Internet (RFC 6890). Those
// for documentation are not among them: they harm nobody.
var reserved = []struct {
	net  netip.Prefix
	what string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791)"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private addresses (RFC 1918)"},
	{netip.MustParsePrefix("100.64.0.0/10"), "addresses behind a provider's NAT (RFC 6598)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback addresses (RFC 1122)"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local addresses (RFC 3927)"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private addresses (RFC 1918)"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private addresses (RFC 1918)"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast addresses (RFC 5771)"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved addresses (RFC 1112)"},
	{netip.MustParsePrefix("::/127"), "loopback or unspecified addresses (RFC 4291)"},
	{netip.MustParsePrefix("fc00::/7"), "private addresses (RFC 4193)"},
	{netip.MustParsePrefix("fe80::/10"), "link-local addresses (RFC 4291)"},
	{netip.MustParsePrefix("ff00::/8"), "multicast addresses (RFC 4291)"},
}

// reservedFor says what a network within a reserved one is for.
func reservedFor(p netip.Prefix) string {
	for _, r := range reserved {
		if p.Bits() >= r.net.Bits() && r.net.Contains(p.Addr()) {
			return r.what
		}
	}
	return ""
}
