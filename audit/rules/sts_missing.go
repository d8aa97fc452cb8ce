package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var stsMissing = audit.Rule{
	ID: "STS003", Slug: "sts-record-missing", Severity: audit.Warning, Needs: facts.STS | facts.STSPolicy, Since: "0.1",
	Title: "There is an MTA-STS policy, and no record that announces it",
	Refs:  []audit.Ref{{RFC: 8461, Section: "3.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "No sender looks for the policy, so it protects nothing.",
		Remedy: "Publish the record at _mta-sts, with any id of letters and digits.",
		Bad:    []audit.Scenario{{Zone: oneHost + "mta-sts.example.org. 3600 IN A 192.0.2.80\n", Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
		Good: []audit.Scenario{
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce},
			{Zone: oneHost + "mta-sts.example.org. 3600 IN A 192.0.2.80\n", Hosts: []string{"192.0.2.25 good"}, Policy: "status 404"},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		t := &c.Facts.Transport
		if !t.PolicyAsked || t.STS.State == resolve.Present || len(stsRecords(c.Facts)) > 0 {
			c.NotApplicable("there is no MTA-STS policy without a record")
			return
		}
		if t.Policy.State == resolve.Present {
			c.Report(stsSubject(c.Facts), "%s gives out a policy with mode %s, and there is no record at %s", t.Policy.Host, t.Policy.Policy.Mode, t.STS.Name)
		}
	},
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit {
		// A policy in enforce mode that names other hosts would stop mail.
		if p := s.Transport.Policy.Policy; p.Mode == mtasts.Enforce && (len(s.MX.Value.Exchanges) == 0 || mtasts.Check(p, mxNames(s)).Lost) {
			return nil
		}
		return []fix.Edit{{Name: s.Transport.STS.Name, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: mtasts.NewRecord(s.At).String(), Why: "announces the policy that is there"}}
	},
}

// mxNames lists the MX hosts.
func mxNames(s *facts.Snapshot) []resolve.Name {
	var out []resolve.Name
	for _, x := range s.MX.Value.Exchanges {
		out = append(out, x.Host)
	}
	if s.MX.State == resolve.Absent {
		out = append(out, s.Domain) // RFC 5321, Section 5.1
	}
	return out
}
