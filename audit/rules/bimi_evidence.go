package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var bimiEvidence = audit.Rule{
	ID: "BIMI004", Slug: "bimi-certificate", Severity: audit.Notice, Needs: facts.Logo, Since: "0.1",
	Title: "The BIMI mark certificate proves nothing",
	Refs:  []audit.Ref{bimiDraft},
	Doc: audit.Doc{
		Impact: "Gmail, Apple and others that ask for a mark certificate (VMC or CMC) show no logo. Delivery is not touched.",
		Remedy: "Serve the PEM file of the authority unchanged, renew it in time, and keep the picture behind l= the same as the one in the certificate.",
		Bad:    []audit.Scenario{{Zone: oneHost + "default._bimi.example.org. 3600 IN TXT \"v=BIMI1; l=https://mta-sts.example.org/logo.svg; a=https://mta-sts.example.org/vmc.pem\"\nmta-sts.example.org. 3600 IN A 192.0.2.80\n", Hosts: []string{"192.0.2.25 good"}, Policy: "status 404"}},
		Good:   []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) {
		if noLogo(c) {
			return
		}
		b := &c.Facts.Brand
		switch {
		case !b.EvidenceAsked:
			c.NotApplicable("the record names no certificate")
		case b.Evidence.State == resolve.Unavailable:
			c.Unknown("%s", b.Evidence.Why)
		case b.Evidence.State == resolve.Absent:
			c.Report(bimiSubject(c).WithTerm("a"), "the certificate cannot be had: %s", b.Evidence.Why)
		case b.EvidenceErr != nil:
			c.Report(bimiSubject(c).WithTerm("a"), "the document is no mark certificate: %v", b.EvidenceErr)
		case b.Judgement.State == resolve.Absent:
			c.Report(bimiSubject(c).WithTerm("a"), "the certificate does not prove the logo: %s", b.Judgement.Why)
		}
	},
}
