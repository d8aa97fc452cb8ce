package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// stsSubject is the record of the domain.
func stsSubject(s *facts.Snapshot) audit.Subject { return audit.TXT(s.Transport.STS.Name) }

// stsHost is the policy host.
func stsHost(s *facts.Snapshot) audit.Subject {
	return audit.Subject{Name: s.Transport.Policy.Host, Type: resolve.TypeA}
}

// noSTS notes that there is no record to judge.
func noSTS(c *audit.Case) bool {
	switch {
	case gone(c):
	case c.Facts.Transport.STS.State == resolve.Present:
		return false
	case len(stsRecords(c.Facts)) > 0:
		c.NotApplicable("the MTA-STS record is not valid")
	default:
		c.NotApplicable("there is no MTA-STS record")
	}
	return true
}

// noPolicy notes that no policy was asked for, or none came.
func noPolicy(c *audit.Case) bool {
	switch p := c.Facts.Transport.Policy; {
	case noSTS(c):
		return true
	case !c.Facts.Transport.PolicyAsked:
		c.NotApplicable("the MTA-STS policy was not asked for")
	case p.State != resolve.Present && p.Policy.Mode == "":
		c.NotApplicable("senders get no MTA-STS policy")
	default:
		return false
	}
	return true
}

// stsRecords are the texts that senders take for records.
func stsRecords(s *facts.Snapshot) []mtasts.Found {
	var out []mtasts.Found
	for _, f := range s.Transport.STS.Found {
		if f.STS {
			out = append(out, f)
		}
	}
	return out
}

// checkFetch reports the faults of some kinds.
func checkFetch(c *audit.Case, kinds ...mtasts.FaultKind) {
	if noSTS(c) {
		return
	}
	t := &c.Facts.Transport
	if !t.PolicyAsked {
		c.NotApplicable("the MTA-STS policy was not asked for")
		return
	}
	for _, x := range t.Policy.Faults {
		for _, k := range kinds {
			switch {
			case x.Kind != k:
			case x.Temporary:
				c.Unknown("%s", x.Message)
			default:
				f := c.Report(stsHost(c.Facts).WithTerm(string(k)), "%s", x.Message).About(c.Facts, t.STS.Name, resolve.TypeTXT)
				if x.Effect == mtasts.AtRisk {
					f.At(audit.Notice)
				}
			}
		}
	}
}

const stsIgnored = "Senders act as if there was no policy: mail keeps coming, and is not protected. Those that fetched an earlier policy go by that until it is too old, and refuse MX hosts that it does not name."
