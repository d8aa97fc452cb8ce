package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var daneUnusable = audit.Rule{
	ID: "DANE003", Slug: "dane-unusable", Severity: audit.Warning, Needs: facts.MX | facts.TLSA, Since: "0.1",
	Title: "TLSA records of a mail host cannot be used for mail",
	Refs:  []audit.Ref{{RFC: 7672, Section: "3.1.3", Level: audit.Should}, {RFC: 6698, Section: "2.1"}},
	Doc: audit.Doc{
		Impact: "If none of the host's records is usable, senders encrypt and take any certificate: the records protect nothing. Usages 0 and 1 are for web servers, and a digest has to have the length of its algorithm.",
		Remedy: "Replace the record by one of the form 3 1 1, made with 'mailcheck dane new' from the certificate or key in use.",
		Bad: []audit.Scenario{
			{Zone: oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA 1 1 1 " + someDigest + "\n"},
			{Zone: oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 8bd1da95\n"},
		},
		Good: []audit.Scenario{{Zone: oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 " + someDigest + "\n"}},
	},
	Check: func(c *audit.Case) {
		if noTLSA(c) {
			return
		}
		for _, s := range c.Facts.Transport.DANE {
			if s.State != resolve.Present {
				continue
			}
			usable := 0
			for _, r := range s.Records {
				if r.Unusable() == "" {
					usable++
				}
			}
			for _, r := range s.Records {
				why := r.Unusable()
				if why == "" {
					continue
				}
				f := c.Report(tlsaSubject(s).WithTerm(brief(r)), "the record %s of %s is of no use: %s", brief(r), s.Host, why)
				if usable > 0 {
					f.At(audit.Notice)
				}
			}
		}
	},
}

// brief is a record with as much of its data as tells it apart.
func brief(r dane.Record) string {
	text := r.String()
	if len(text) > 30 {
		return text[:30] + "…"
	}
	return text
}
