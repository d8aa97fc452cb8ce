package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var spfMissing = audit.Rule{
	ID: "SPF001", Slug: "spf-missing", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "The domain has no SPF record",
	Refs: []audit.Ref{
		{RFC: 7208, Section: "3"},
		{RFC: 7208, Section: "10.1.2", Level: audit.Should},
		{Title: "Gmail: email sender guidelines", URL: "https://support.google.com/mail/answer/81126"},
	},
	Doc: audit.Doc{
		Impact: "SPF gives no result for mail from this domain. Gmail refuses or junks mail that neither SPF nor DKIM authenticates (550 5.7.26), Outlook.com refuses bulk mail without it (550 5.7.515), and anybody can use the domain in MAIL FROM without being told apart. A subdomain does not inherit the record of its parent.",
		Remedy: "Publish one TXT record at the domain itself. A domain that sends no mail: \"v=spf1 -all\". A domain that sends lists what its mail leaves from, for example \"v=spf1 mx include:spf.example.net ~all\" for its MX hosts and one provider; each provider documents the name to include.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN TXT \"example-site-verification=0123456789\"\nexample.org. 3600 IN MX 0 ."},
			{Domain: "news.example.org", Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nnews.example.org. 3600 IN A 192.0.2.1"},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ~all\"\nexample.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -all\"\nexample.org. 3600 IN MX 0 ."},
			{Zone: "example.org. 3600 IN TXT \"V=SPF1 IP4:192.0.2.1 -ALL\""},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if gone(c) || s.SPF.State == resolve.Present {
			return
		}
		if len(s.SPF.Near) > 0 {
			c.NotApplicable("a record was meant as SPF and is not read as such: see SPF004")
			return
		}
		if len(spfElsewhere(s)) > 0 {
			c.NotApplicable("a record stands at a name where nobody looks: see SPF005")
			return
		}
		found := "no TXT record"
		if n := len(s.SPF.Answer.Records); n > 0 {
			found = counted(n, "TXT record") + ", none of them SPF"
		}
		f := c.Report(audit.TXT(s.Domain), "%s has %s", s.Domain, found).About(s, s.Domain, resolve.TypeMX)
		switch {
		case s.Kind == facts.Sends:
			f.Advise("Publish a TXT record at %s that lists what its mail leaves from, for example \"v=spf1 mx ~all\" if only its MX hosts send.", s.Domain)
		case takesNoMail(s):
			f.At(audit.Warning).Advise("Nothing shows that %s sends mail. If it does not, publish the TXT record \"v=spf1 -all\" at it.%s", s.Domain, parkInstead(s))
		default:
			f.Advise("Publish one TXT record at %s: \"v=spf1 -all\" if no mail is sent from it, else one that lists the senders, for example \"v=spf1 mx ~all\" if only its MX hosts send.", s.Domain)
		}
	},
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit {
		// A null MX, no DKIM key at all and no SPF: no mail of this domain can be
		// authenticated today, so the declaration takes nothing from anybody.
		if !s.MX.Value.NullMX() || len(s.MX.Value.Exchanges) != 1 || s.DKIM.Conclusion != dkim.NoKeys || len(s.Senders) > 0 {
			return nil
		}
		return []fix.Edit{{Name: s.Domain, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: "v=spf1 -all",
			Why: fmt.Sprintf("%s takes no mail and has no DKIM key: it declares that it sends none", s.Domain)}}
	},
}

// parkInstead is advice for a domain that nothing shows to send or to take mail.
func parkInstead(s *facts.Snapshot) string {
	if s.Kind != facts.Undecided || !takesNoMail(s) {
		return ""
	}
	return fmt.Sprintf(" If %s has no mail at all, 'mailcheck dmarc park %s' shows all the records that say so.", s.Domain, s.Domain)
}

// takesNoMail reports whether the domain is known to have no MX hosts.
func takesNoMail(s *facts.Snapshot) bool {
	return s.MX.State == resolve.Absent || s.MX.State == resolve.Present && s.MX.Value.NullMX()
}
