package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// The limits are ours. Below a minute every message costs receivers new lookups,
// each of which can fail; above a week a mistake outlives the patience of senders.
const (
	shortTTL = 60
	longTTL  = 7 * 24 * 3600
)

var ttlExtreme = audit.Rule{
	ID: "NS008", Slug: "ttl-extreme", Severity: audit.Notice, Needs: facts.Existence, Since: "0.1",
	Title: "The TTL of a mail record is very short or very long",
	Refs:  []audit.Ref{{RFC: 1912, Section: "2.2"}},
	Doc: audit.Doc{
		Impact: "With a very short TTL receivers ask the name servers for every message, and every lost packet is a message delayed. With a very long one a wrong record stays for weeks after it was repaired.",
		Remedy: "Set the TTL to between five minutes and a day: 3600 is a good choice.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 5 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\n"},
			{Zone: oneHost + "_dmarc.example.org. 2419200 IN TXT \"v=DMARC1; p=reject\"\n"},
		},
		Good: []audit.Scenario{{Zone: oneHost}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		s := c.Facts
		for _, o := range s.Observations() {
			a := o.Answer
			if o.Err != nil || len(a.Records) == 0 || len(a.Chain) > 0 || !mailName(s, a.Question) {
				continue
			}
			// A cache counts the TTL down, so only the zone itself shows a short one.
			own := a.Authoritative || a.Transport == resolve.File
			switch ttl := a.Records[0].TTL; {
			case ttl < shortTTL && own:
				c.Report(audit.Subject{Name: a.Question.Name, Type: a.Question.Type}, "the TTL is %d seconds", ttl)
			case ttl > longTTL:
				c.Report(audit.Subject{Name: a.Question.Name, Type: a.Question.Type}, "the TTL is %d seconds, which is %d days", ttl, ttl/(24*3600))
			}
		}
	},
}

// mailName reports the names at which the domain itself publishes for mail.
func mailName(s *facts.Snapshot, q resolve.Question) bool {
	switch q.Type {
	case resolve.TypeMX, resolve.TypeTXT:
		if q.Name == s.Domain {
			return true
		}
		switch q.Name.Parent() {
		case s.Domain:
			return q.Name.First() == "_dmarc" || q.Name.First() == "_mta-sts"
		}
	}
	return false
}
