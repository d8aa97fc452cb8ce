package rules

import (
	"errors"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxUnresolvable = audit.Rule{
	ID: "MX006", Slug: "mx-unresolvable", Severity: audit.Error, Needs: facts.MX, Since: "0.1",
	Title: "An MX host has no address",
	Refs:  []audit.Ref{{RFC: 5321, Section: "5.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "No mail can be delivered through this host. If it is the only one, all mail to the domain bounces, and receivers that look at the sender's MX refuse mail from it.",
		Remedy: "Give the host an A or AAAA record, or remove the MX record that names it. If the whole domain of the host does not exist, remove it at once: whoever registers that domain receives your mail.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 mail.example.org."},
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nexample.org. 3600 IN MX 20 old.example.net.\nmail.example.org. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN CNAME gone.example.net."},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN AAAA 2001:db8::25"},
			{Zone: "example.org. 3600 IN MX 0 ."},
		},
	},
	Check: checkUnresolvable,
	// Removing one MX of several that work cannot stop mail.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		if f.Severity == audit.Error {
			return nil
		}
		for _, x := range s.MX.Value.Exchanges {
			if x.Host.String() == f.Subject.Term {
				return []fix.Edit{{Name: s.Domain, Type: resolve.TypeMX, Op: fix.RemoveRecord, Record: mxRecord(x), Why: x.Host.String() + " has no address"}}
			}
		}
		return nil
	},
}

func checkUnresolvable(c *audit.Case) {
	s := c.Facts
	if noMX(c) {
		return
	}
	reachable := false
	for _, x := range s.MX.Value.Exchanges {
		reachable = reachable || x.State() == resolve.Present
	}
	for _, x := range s.MX.Value.Exchanges {
		if _, appended := literal(s.Domain, x); x.Null || x.Literal.IsValid() || appended || x.Host.Within(resolve.MustName("localhost")) {
			continue // other rules
		}
		switch x.State() {
		case resolve.Absent:
			why := "has no A or AAAA record"
			if errors.Is(x.V4.Err, resolve.ErrNXDomain) {
				why = "does not exist"
			}
			f := c.Report(mxSubject(s, x), "the MX host %s %s", x.Host, why).About(s, x.Host, resolve.TypeA).About(s, x.Host, resolve.TypeAAAA)
			if reachable {
				f.At(audit.Warning) // mail goes to the other hosts
			}
		case resolve.Unavailable:
			c.Unknown("the address of the MX host %s is unknown: %v", x.Host, errors.Join(x.V4.Err, x.V6.Err))
		}
	}
}
