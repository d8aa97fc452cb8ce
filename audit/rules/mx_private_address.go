package rules

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxPrivate = audit.Rule{
	ID: "MX005", Slug: "mx-private-address", Severity: audit.Error, Needs: facts.MX, Since: "0.1",
	Title: "An MX host has an address that the Internet cannot reach",
	Refs:  []audit.Ref{{RFC: 6890, Section: "2.2.2"}, {RFC: 5321, Section: "5.1"}},
	Doc: audit.Doc{
		Impact: "Senders connect to themselves, to their own network, or to nothing. Mail waits in their queues for days and bounces; many refuse such a domain at once.",
		Remedy: "Publish the public address of the mail server. If the MX is meant to say that no mail is taken, use the null MX: MX 0 .",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 10.0.0.25"},
			{Zone: "example.org. 3600 IN MX 10 localhost."},
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN AAAA fd00::25"},
		},
		Good: []audit.Scenario{{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\nmail.example.org. 3600 IN AAAA 2001:db8::25"}},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if noMX(c) {
			return
		}
		for _, x := range s.MX.Value.Exchanges {
			if x.Host.Within(resolve.MustName("localhost")) {
				c.Report(mxSubject(s, x), "the MX host is %s", x.Host)
				continue
			}
			var bad []string
			all := x.Addresses()
			for _, a := range all {
				if what := unreachable(a); what != "" {
					bad = append(bad, fmt.Sprintf("%s (%s)", a, what))
				}
			}
			if len(bad) == 0 {
				continue
			}
			f := c.Report(mxSubject(s, x), "%s has the address %s", x.Host, strings.Join(bad, ", ")).
				About(s, x.Host, resolve.TypeA).About(s, x.Host, resolve.TypeAAAA)
			if len(bad) < len(all) {
				f.At(audit.Warning) // senders try the other addresses
			}
		}
	},
}

// special are the ranges that no mail crosses the Internet to (RFC 6890 and the
// IANA special-purpose registries). The documentation ranges are left out: they
// stand for public addresses in examples and tests.
var special = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared, behind carrier NAT"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	{netip.MustParsePrefix("::/128"), "unspecified"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("::ffff:0:0/96"), "IPv4-mapped"},
	{netip.MustParsePrefix("100::/64"), "discard"},
	{netip.MustParsePrefix("fc00::/7"), "private"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// unreachable says why an address is not reachable from the Internet; empty if
// it may be.
func unreachable(a netip.Addr) string {
	for _, s := range special {
		if s.prefix.Contains(a) {
			return s.what
		}
	}
	return ""
}
