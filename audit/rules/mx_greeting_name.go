package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/probe"
)

var mxGreetingName = audit.Rule{
	ID: "MX013", Slug: "mx-greeting-name", Severity: audit.Notice, Needs: facts.MailHosts, Since: "0.1",
	Title: "A mail host does not greet with a name of its own",
	Refs:  []audit.Ref{{RFC: 5321, Section: "4.1.1.1", Level: audit.Must}, {RFC: 5321, Section: "2.3.5"}},
	Doc: audit.Doc{
		Impact: "None for mail that comes in. A server that calls itself localhost mostly does so when it sends too, and is then refused or filed as spam.",
		Remedy: "Set the mail server's own name to its host name in DNS: myhostname in Postfix, primary_hostname in Exim.",
		Bad:    []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 local-name"}}},
		Good:   []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}}},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		perHost(c, func(a probe.Attempt) (sight, string) {
			if a.Hello == nil {
				if a.Connect == probe.Refused || a.Greeting == probe.Refused {
					return fine, ""
				}
				return dark, ""
			}
			name := iprev.ParseHELO(string(a.Hello.Domain))
			if name.Problem == "" {
				return fine, ""
			}
			return bad, fmt.Sprintf("calls itself %.80q: %s", string(a.Hello.Domain), name.Problem)
		})
	},
}
