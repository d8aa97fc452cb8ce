package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var tlsrptMissing = audit.Rule{
	ID: "TLSRPT003", Slug: "tlsrpt-missing", Severity: audit.Notice, Needs: facts.TLSRPT | facts.STS, Since: "0.1",
	Title: "Senders are told to insist on TLS, and nobody asks for their reports",
	Refs:  []audit.Ref{{RFC: 8460, Section: "3"}},
	Doc: audit.Doc{
		Impact: "With MTA-STS or DANE, a TLS fault on your side makes senders keep the mail. Without reports the first to tell are the people who wait for it.",
		Remedy: "Publish a TXT record at _smtp._tls: v=TLSRPTv1; rua=mailto:ADDRESS.",
		Bad:    []audit.Scenario{{Zone: stsZone}, {Zone: oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 " + someDigest + "\n", Security: proven}},
		Good:   []audit.Scenario{{Zone: stsZone + reports}, {Zone: oneHost}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		t := &c.Facts.Transport
		if len(t.TLSRPT.Found) > 0 && (len(tlsrptRecords(c.Facts)) > 0 || t.TLSRPT.State == resolve.Present) {
			return
		}
		why := ""
		if t.STS.State == resolve.Present {
			why = "MTA-STS"
		}
		for _, s := range t.DANE {
			if s.State == resolve.Present && s.Security == dane.Secure && s.Host.Within(c.Facts.Domain) {
				why = "DANE"
			}
		}
		if why == "" {
			c.NotApplicable("neither MTA-STS nor DANE is in use")
			return
		}
		c.Report(tlsrptSubject(c.Facts), "%s is in use, and there is no TLS-RPT record", why)
	},
}

const someDigest = "8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922"
