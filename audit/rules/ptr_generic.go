package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var ptrGeneric = audit.Rule{
	ID: "IP003", Slug: "ptr-generic", Severity: audit.Warning, Since: "0.1",
	Title: "The reverse name of a sending address looks like a dynamic one",
	Refs:  []audit.Ref{{Title: "Yahoo sender best practices", URL: "https://senders.yahooinc.com/best-practices"}},
	Doc: audit.Doc{
		Impact: "Yahoo and others take names built from the address for home connections, and refuse or junk their mail.",
		Remedy: "Set the PTR to the mail server's own host name, such as mail.example.org.",
		Bad:    []audit.Scenario{{Zone: "25.2.0.192.in-addr.arpa. 3600 IN PTR 192-0-2-25.pool.example.net.\n192-0-2-25.pool.example.net. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"", Addresses: []string{"192.0.2.25"}}},
		Good:   []audit.Scenario{{Zone: "25.2.0.192.in-addr.arpa. 3600 IN PTR mail25.example.org.\nmail25.example.org. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"", Addresses: []string{"192.0.2.25"}}},
	},
	Check: func(c *audit.Case) {
		for _, x := range reverseNames(c) {
			if x.PTR.State != resolve.Present {
				continue // IP001 says so
			}
			generic := 0
			for _, n := range x.PTR.Value {
				if looksGeneric(n, x) {
					generic++
				}
			}
			if generic == len(x.PTR.Value) {
				f := c.Report(ptrSubject(x), "the PTR of %s%s is %s, built from the address", x.Address, whence(x), names(x.PTR.Value))
				derive(c, f, x, audit.Notice, "set its PTR to the mail server's own host name.")
			}
		}
	},
}

// looksGeneric reports a name that spells the address: all four parts of an
// IPv4 address, in either order, or the low half of an IPv6 address in hex.
func looksGeneric(n resolve.Name, x facts.Sender) bool {
	text := n.String()
	if x.Address.Is4() {
		a := x.Address.As4()
		for _, sep := range []string{".", "-", "_", "x"} {
			forward := fmt.Sprintf("%d%s%d%s%d%s%d", a[0], sep, a[1], sep, a[2], sep, a[3])
			back := fmt.Sprintf("%d%s%d%s%d%s%d", a[3], sep, a[2], sep, a[1], sep, a[0])
			if strings.Contains(text, forward) || strings.Contains(text, back) {
				return true
			}
		}
		return strings.Contains(text, fmt.Sprintf("%03d%03d%03d%03d", a[0], a[1], a[2], a[3])) ||
			strings.Contains(text, fmt.Sprintf("%02x%02x%02x%02x", a[0], a[1], a[2], a[3]))
	}
	a := x.Address.As16()
	low := fmt.Sprintf("%02x%02x-%02x%02x-%02x%02x-%02x%02x", a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15])
	return strings.Contains(text, low) || strings.Contains(text, strings.ReplaceAll(low, "-", ""))
}
