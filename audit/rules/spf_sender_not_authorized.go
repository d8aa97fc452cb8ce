package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfSenderNotAuthorized = audit.Rule{
	ID: "SPF024", Slug: "spf-sender-not-authorized", Severity: audit.Error, Since: "0.1",
	Title: "SPF does not pass mail from an address that sends for the domain",
	Refs:  []audit.Ref{{RFC: 7208, Section: "8"}, {RFC: 7208, Section: "4.7"}},
	Doc: audit.Doc{
		Impact: "Mail from this address fails SPF: many receivers refuse a fail (550 5.7.23), junk a softfail and refuse a permerror (550 5.7.24). DMARC passes it only if DKIM does, and Outlook.com wants SPF and DKIM from bulk senders (550 5.7.515).",
		Remedy: "Add the address to the SPF record as an ip4 or ip6 term before \"all\", or the include that the provider of that address documents.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"", Addresses: []string{"192.0.2.1", "198.51.100.7"}},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 redirect=spf.example.net\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 ~all\"", Addresses: []string{"2001:db8::25"}},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ipv4:192.0.2.1 -all\"", Addresses: []string{"192.0.2.1"}},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1\"", Addresses: []string{"192.0.2.2"}},
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1", Addresses: []string{"192.0.2.1"}},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/64 -all\"", Addresses: []string{"192.0.2.1", "2001:db8::25"}},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		s := c.Facts
		if len(s.GivenSenders()) == 0 {
			c.NotApplicable("no sending address was given")
			return
		}
		for _, x := range s.GivenSenders() {
			res := x.SPF
			at := audit.TXT(s.Domain).WithTerm(x.Address.String())
			var f *audit.Finding
			switch res.Status {
			case spf.Pass:
				continue
			case spf.TempError:
				c.Unknown("SPF for %s: %v", x.Address, res.Err)
				continue
			case spf.Fail, spf.SoftFail:
				f = c.Report(at, "mail from %s gets %s by %s in the record of %s", x.Address, res.Status, spfText(res.Term), res.Record)
			case spf.PermError:
				f = c.Report(at, "mail from %s gets permerror: %v", x.Address, res.Err)
			case spf.Neutral:
				by := "as nothing in the record matches"
				if res.Term != "" {
					by = fmt.Sprintf("by %s in the record of %s", spfText(res.Term), res.Record)
				}
				f = c.Report(at, "mail from %s gets neutral, %s", x.Address, by).At(audit.Warning)
			default:
				f = c.Report(at, "mail from %s gets %s, as there is no SPF record", x.Address, res.Status).At(audit.Warning)
			}
			if !res.Record.IsZero() {
				f.About(s, res.Record, resolve.TypeTXT)
			}
			if spfAddable(s, x) {
				f.Advise("If %s belongs to you, add \"%s\" to the SPF record before its end.", x.Address, spfAddress(x))
			} else if res.Status == spf.PermError {
				f.Advise("Repair the record first: see the other SPF findings. Then make sure that it lists %s.", x.Address)
			}
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		for _, x := range s.GivenSenders() {
			if x.Address.String() == f.Subject.Term && spfAddable(s, x) {
				return []fix.Edit{spfEdit(s, fix.SPFInsertTerm, "", spfAddress(x), "mail is sent from "+x.Address.String())}
			}
		}
		return nil
	},
}

// spfAddress is the term that lists an address.
func spfAddress(x facts.Sender) string {
	if a := x.Address.Unmap(); a.Is4() {
		return "ip4:" + a.String()
	}
	return "ip6:" + x.Address.String()
}

// spfAddable reports whether the record is sound and the address fell through to
// its end: then listing it is all that is missing. A term that rejects the
// address by itself was put there by somebody on purpose.
func spfAddable(s *facts.Snapshot, x facts.Sender) bool {
	if s.SPF.Root == nil || len(s.SPF.Root.Syntax) > 0 {
		return false
	}
	switch x.SPF.Status {
	case spf.Fail, spf.SoftFail, spf.Neutral:
		return x.SPF.Term == "" || strings.EqualFold(strings.TrimLeft(x.SPF.Term, "+-~?"), "all")
	}
	return false
}
