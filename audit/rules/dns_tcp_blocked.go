package rules

import (
	"errors"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var domainTCPBlocked = audit.Rule{
	ID: "DNS003", Slug: "dns-tcp-blocked", Severity: audit.Warning, Since: "0.1",
	Title: "An answer too large for UDP cannot be fetched over TCP",
	Refs:  []audit.Ref{{RFC: 7766, Section: "5", Level: audit.Must}, {RFC: 7208, Section: "3.4", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "Receivers that cannot read the record treat it as a temporary failure: mail is deferred or judged without it. The name server, or a firewall before it, refuses DNS over TCP.",
		Remedy: "Let TCP port 53 through to the name servers, and make the record set smaller: TXT records for other services can move to names of their own.",
	},
	Check: func(c *audit.Case) {
		for _, o := range c.Facts.Observations() {
			if o.Answer.Truncated && errors.Is(o.Err, resolve.ErrTemporary) {
				c.Report(audit.Subject{Name: o.Answer.Question.Name, Type: o.Answer.Question.Type},
					"the answer of %s was truncated and could not be fetched over TCP", o.Answer.Server)
			}
		}
	},
}
