package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfHostBits = audit.Rule{
	ID: "SPF027", Slug: "spf-host-bits", Severity: audit.Notice, Needs: facts.SPF, Since: "0.1",
	Title: "A network of the SPF record is written with the address of a host",
	Refs:  []audit.Ref{{RFC: 7208, Section: "5.6"}},
	Doc: audit.Doc{
		Impact: "None by itself: receivers compare only as many bits as the prefix length says, so 192.0.2.7/24 is the whole of 192.0.2.0/24. If only the host was meant, 255 others are authorized with it.",
		Remedy: "Write the network address, or leave the prefix length out if one host is meant.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.7/24 +ip6:2001:db8::25/64 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.7/32 ip6:2001:db8::/64 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		number := spfNumber{}
		for _, o := range spfSeen(root.Record, spf.HostBits) {
			c.Report(audit.TXT(root.Domain).WithTerm(number.term(o.Text)), "%s means the whole of %s", spfText(o.Text), root.Record.Terms[o.Term].Prefix.Masked()).
				Advise("Write \"%s\", or %s without a prefix length if only that host sends.", o.Suggestion, root.Record.Terms[o.Term].Prefix.Addr())
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		r := s.SPF.Root.Record
		removed := map[int]bool{}
		for _, o := range spfRedundant(r) { // SPF023 removes these
			removed[o.Term] = spfRemovable(r, o)
		}
		for _, o := range spfSeen(r, spf.HostBits) {
			if spfText(o.Text) == f.Subject.Term && !removed[o.Term] {
				return []fix.Edit{spfEdit(s, fix.SPFReplaceTerm, o.Text, o.Suggestion, fmt.Sprintf("term %d has host bits set", o.Term+1))}
			}
		}
		return nil
	},
}
