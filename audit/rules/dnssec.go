package rules

import (
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
)

var dnssecRules = []*audit.Rule{&dnssecBogus, &dnssecExpiring}

// validations lists what was validated, in a fixed order, but for TLSA records,
// which have rules of their own.
func validations(c *audit.Case) []dnssec.Result {
	if gone(c) {
		return nil
	}
	if !c.Facts.Transport.SecurityAsked {
		c.NotApplicable("DNSSEC was not validated")
		return nil
	}
	var out []dnssec.Result
	for q, r := range c.Facts.Transport.Security {
		if q.Type != resolve.TypeTLSA {
			r.Question = q
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b dnssec.Result) int { return strings.Compare(a.Question.String(), b.Question.String()) })
	return out
}

var dnssecBogus = audit.Rule{
	ID: "DNSSEC001", Slug: "dnssec-bogus", Severity: audit.Error, Needs: facts.DNSSEC, Since: "0.1",
	Title: "DNSSEC validation of a name that mail needs fails",
	Refs:  []audit.Ref{{RFC: 4035, Section: "5"}, {RFC: 7672, Section: "2.1.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Receivers and senders behind a validating resolver, Gmail and most large providers among them, get no answer at all: mail to the domain waits and is returned, and mail from it fails SPF, DKIM and DMARC for want of records.",
		Remedy: "Sign the zone again if its signatures have expired, and see why the signer stopped. If the DS record at the registry names a key that the zone no longer has, publish that key or replace the DS record. As a last resort remove the DS record: the zone is then unsigned, and mail flows once its TTL has passed.",
		Bad: []audit.Scenario{
			{Zone: oneHost, Security: []string{"example.org MX bogus expired"}},
			{Zone: oneHost, Security: []string{"example.org MX secure", "mail.example.org A bogus ds-mismatch"}},
		},
		Good: []audit.Scenario{{Zone: oneHost, Security: []string{"example.org MX secure"}}, {Zone: oneHost, Security: []string{}}},
	},
	Check: func(c *audit.Case) {
		for _, r := range validations(c) {
			switch r.Status {
			case dnssec.Bogus:
				c.Report(audit.Subject{Name: r.Question.Name, Type: r.Question.Type}, "%s does not validate: %s",
					r.Question, reason(c.Facts, r.Question.Name, r.Question.Type))
			case dnssec.Indeterminate:
				c.Unknown("what DNSSEC says of %s is unknown: %s", r.Question, reason(c.Facts, r.Question.Name, r.Question.Type))
			}
		}
	},
}
