package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dnsbl"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dnsblRules = []*audit.Rule{&dnsblAddress, &dnsblDomain}

// checkListed reports the listings of addresses, or those of the domain.
func checkListed(c *audit.Case, addresses bool) {
	if gone(c) {
		return
	}
	l := &c.Facts.Listings
	if !l.Asked {
		c.NotApplicable("no block list was asked (--dnsbl)")
		return
	}
	any := false
	for _, x := range l.Report.Results {
		if x.Addr.IsValid() != addresses {
			continue
		}
		any = true
		switch x.Listed {
		case resolve.Present:
			report(c, x)
		case resolve.Unavailable:
			c.Unknown("%s on %s: %s", x.Target(), x.List.Name, x.Why)
		}
	}
	if !any {
		c.NotApplicable("no sending address was given (--ip)")
	}
}

func report(c *audit.Case, x dnsbl.Result) {
	subject := audit.Subject{Name: c.Facts.Domain, Term: x.List.ID + " " + x.Target()}
	f := c.Report(subject, "%s is on %s: %s", x.Target(), x.List.Name, x.Why)
	e := audit.Evidence{Name: x.Query, Type: resolve.TypeA, State: x.Listed, Server: x.Answer.Server, At: c.Facts.At}
	for _, r := range x.Answer.Records {
		e.Records = append(e.Records, r.String())
	}
	f.Evidence = append(f.Evidence, e)
	if x.Delist != "" {
		f.Advise("Find out what was sent and stop it, and then ask for removal at %s.", x.Delist)
	}
	switch {
	case x.List.Use == dnsbl.Wide:
	case x.List.Use == dnsbl.Some:
		f.At(audit.Warning)
	default:
		f.At(audit.Notice) // hardly anybody refuses mail for it
	}
}

const listedRemedy = "Find out what was sent, by whom, and stop it: a hijacked account, an infected machine, a bought list of addresses. Then ask for removal at the list's own page; asking before the cause is gone makes it worse."
