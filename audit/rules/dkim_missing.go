package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dkimMissing = audit.Rule{
	ID: "DKIM001", Slug: "dkim-missing", Severity: audit.Error, Needs: facts.Existence, Since: "0.1",
	Title: "The domain publishes no DKIM key",
	Refs: []audit.Ref{
		{RFC: 8020, Section: "2", Level: audit.Must},
		{RFC: 9989, Section: "4.5", Level: audit.Should},
		{Title: "Gmail email sender guidelines", URL: "https://support.google.com/mail/answer/81126"},
	},
	Doc: audit.Doc{
		Impact: "Mail cannot be signed for the domain. Gmail and Yahoo refuse bulk mail without DKIM (550 5.7.30), Outlook.com refuses it with 550 5.7.515, and forwarded mail, whose SPF always fails, is junked or refused everywhere once DMARC is enforced.",
		Remedy: "Make a key pair on the server or at the provider that sends your mail, publish its public key as TXT at SELECTOR._domainkey under the domain, then switch signing on. Providers give the exact record, often a CNAME.",
		Bad: []audit.Scenario{
			{Zone: signs + "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"},
		},
		Good: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			{Zone: signs + "example.org. 3600 IN MX 1 smtp.google.com.\ngoogle._domainkey.example.org. 3600 IN TXT " + key2048},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -all\"\nexample.org. 3600 IN MX 0 ."},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		switch {
		case gone(c):
		case !sends(s):
			c.NotApplicable("the domain declares that it sends no mail")
		case s.DKIM.Conclusion == dkim.KeyFound:
		case givenSelector(s):
			c.NotApplicable("the selectors given are judged by DKIM002")
		case s.DKIM.Conclusion == dkim.NoKeys:
			f := c.Report(audit.TXT(s.DKIM.Domainkey.Name), "DNS answers NXDOMAIN for %s, so no selector exists below it", s.DKIM.Domainkey.Name)
			if s.Kind != facts.Sends {
				f.At(audit.Warning) // an MX record is no evidence of sending
			}
			if park := parkInstead(s); park != "" {
				f.Advise("A key is needed only if mail is sent for %s: then make one on the server or at the provider that sends, and publish it at SELECTOR._domainkey.%s.%s", s.Domain, s.Domain, park)
			}
		case s.DKIM.Domainkey.State == resolve.Unavailable:
			c.Unknown("whether there are DKIM keys is unknown: %v", s.DKIM.Domainkey.Err)
		case s.DKIM.Wildcard():
			c.Unknown("every selector answers, as a wildcard covers _domainkey; give the selector in use with --selector")
		case len(s.DKIM.Unanswered) > 0:
			c.Unknown("%d of the %d selectors tried did not answer; give the one in use with --selector", len(s.DKIM.Unanswered), s.DKIM.Tried)
		default:
			// Selectors cannot be listed, so a list that finds nothing proves nothing.
			c.Unknown("none of the %d selectors tried has a key, which proves nothing; give the one in use with --selector", s.DKIM.Tried)
		}
	},
}

func givenSelector(s *facts.Snapshot) bool {
	for _, k := range s.DKIM.Results {
		if k.Given {
			return true
		}
	}
	return false
}
