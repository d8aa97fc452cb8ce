package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
)

var heloInvalid = audit.Rule{
	ID: "IP004", Slug: "helo-invalid", Severity: audit.Error, Since: "0.1",
	Title: "The sending host does not say a name of its own in EHLO",
	Refs:  []audit.Ref{{RFC: 5321, Section: "4.1.4", Level: audit.Must}, {RFC: 5321, Section: "2.3.5"}},
	Doc: audit.Doc{
		Impact: heloImpact + " localhost and single words are refused with 504 or 550 by default settings of Postfix and others.",
		Remedy: "Set the host's own full name: myhostname or smtp_helo_name in Postfix, primary_hostname in Exim.",
		Bad:    []audit.Scenario{{Zone: heloZone, Addresses: []string{"192.0.2.25"}, HELO: "localhost"}, {Zone: heloZone, Addresses: []string{"192.0.2.25"}, HELO: "mail_1"}},
		Good:   []audit.Scenario{{Zone: heloZone, Addresses: []string{"192.0.2.25"}, HELO: "mail.example.org"}},
	},
	Check: func(c *audit.Case) {
		if noHELO(c) {
			return
		}
		for _, x := range c.Facts.GivenSenders() {
			if x.HELO.Problem != "" {
				c.Report(ptrSubject(x), "%s says %.80q: %s", x.Address, x.HELO.Given, x.HELO.Problem)
			}
		}
	},
}
