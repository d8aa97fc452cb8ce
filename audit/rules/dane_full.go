package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var daneFull = audit.Rule{
	ID: "DANE006", Slug: "dane-full-certificate", Severity: audit.Notice, Needs: facts.MX | facts.TLSA, Since: "0.1",
	Title: "A TLSA record holds a whole certificate or key",
	Refs:  []audit.Ref{{RFC: 7672, Section: "3.1"}, {RFC: 7671, Section: "10.1.2", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "The answer is too large for UDP, so a name server or firewall that does not do TCP makes senders keep the mail.",
		Remedy: "Publish a digest: 3 1 1 with the SHA-256 of the key.",
		Bad:    []audit.Scenario{{Zone: oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA 3 0 0 " + strings.Repeat("30", 300) + "\n"}},
		Good:   []audit.Scenario{{Zone: oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 " + someDigest + "\n"}},
	},
	Check: func(c *audit.Case) {
		if noTLSA(c) {
			return
		}
		for _, s := range c.Facts.Transport.DANE {
			for _, r := range s.Records {
				if s.State == resolve.Present && r.Matching == dane.Full && len(r.Data) > 64 {
					c.Report(tlsaSubject(s), "a record of %s holds %d octets where a digest has 32", s.Host, len(r.Data))
					break
				}
			}
		}
	},
}
