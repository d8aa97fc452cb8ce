package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxRules = []*audit.Rule{&mxMissing, &mxNull, &mxAlias, &mxLiteral, &mxPrivate, &mxUnresolvable, &mxNullSender, &mxIPv6Only, &mxShared,
	&mxUnreachable, &mxAddressUnreachable, &mxRejects, &mxGreetingName}

// noMX notes that there are no MX records for a rule to look at.
func noMX(c *audit.Case) bool {
	if gone(c) {
		return true
	}
	if c.Facts.MX.State == resolve.Absent {
		c.NotApplicable("there is no MX record")
		return true
	}
	return false
}

// mxSubject is the MX record of one host.
func mxSubject(s *facts.Snapshot, x facts.Exchange) audit.Subject {
	return audit.Subject{Name: s.Domain, Type: resolve.TypeMX, Term: x.Host.String()}
}

// mxRecord is the data of an MX record as edits name it.
func mxRecord(x facts.Exchange) string {
	return resolve.MX{Preference: x.Preference, Host: x.Host}.String()
}
