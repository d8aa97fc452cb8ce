package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxMissing = audit.Rule{
	ID: "MX001", Slug: "mx-missing", Severity: audit.Warning, Needs: facts.MX, Since: "0.1",
	Title: "The domain has no MX record",
	Refs:  []audit.Ref{{RFC: 5321, Section: "5.1"}, {RFC: 7505, Section: "3"}},
	Doc: audit.Doc{
		Impact: "With an address record, mail goes to that address, usually a web server that takes none, and bounces after days. Without one, mail bounces at once, and receivers doubt mail from a domain that no reply can reach.",
		Remedy: "Publish an MX record for the host that takes the domain's mail. If the domain takes none, say so with a null MX: MX 0 . (RFC 7505).",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN A 192.0.2.80\nexample.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\""},
			{Zone: "example.org. 3600 IN A 192.0.2.80\nexample.org. 3600 IN TXT \"v=spf1 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN MX 0 ."},
			// Nothing sends and nothing receives: there is nothing to repair.
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if gone(c) || s.MX.State == resolve.Present {
			return
		}
		at := audit.Subject{Name: s.Domain, Type: resolve.TypeMX}
		switch s.MX.Value.Fallback.State {
		case resolve.Present:
			f := c.Report(at, "no MX record: mail goes to the domain's own address %s", s.MX.Value.Fallback.Value[0])
			f.About(s, s.Domain, resolve.TypeA).About(s, s.Domain, resolve.TypeAAAA)
			if s.Kind != facts.Sends {
				f.At(audit.Notice)
			}
		case resolve.Absent:
			if s.Kind == facts.Sends {
				c.Report(at, "no MX record and no address: no reply and no bounce can be delivered").
					At(audit.Error).About(s, s.Domain, resolve.TypeA).About(s, s.Domain, resolve.TypeAAAA)
			}
		default:
			c.Unknown("there is no MX record, and whether the domain has an address is unknown: %v", s.MX.Value.Fallback.Err)
		}
	},
	// A domain that declares to send nothing, and receives only by accident of its
	// web server's address, means a null MX.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		if s.Kind != facts.Receives || s.DMARC.Policy.Value != "reject" {
			return nil
		}
		return []fix.Edit{{Name: s.Domain, Type: resolve.TypeMX, Op: fix.AddRecord, Value: "0 .", Why: "the domain takes no mail"}}
	},
}
