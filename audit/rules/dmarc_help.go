package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of ours: a hostile record must not flood the report.
const (
	maxForeign  = 120 // octets of a record that a message shows
	maxPerCause = 8   // findings of one rule about one record
)

// Zones that the scenarios of the family start from.
const (
	dmarcSends  = "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\nexample.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\n"
	dmarcParks  = "example.org. 3600 IN TXT \"v=spf1 -all\"\nexample.org. 3600 IN MX 0 .\n"
	dmarcSub    = "news.example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.26 -all\"\nnews.example.org. 3600 IN MX 10 mail.example.org.\n"
	dmarcSubSub = "a.news.example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.27 -all\"\na.news.example.org. 3600 IN MX 10 mail.example.org.\n"
)

// dmarcAt is the line of a zone with a record for the domain.
func dmarcAt(domain, text string) string {
	return "_dmarc." + domain + ". 3600 IN TXT " + resolve.SplitTXT(text).String() + "\n"
}

// dmarcZone is the zone of a sending domain with the record.
func dmarcZone(text string) audit.Scenario {
	return audit.Scenario{Zone: dmarcSends + dmarcAt("example.org", text)}
}

// dmarcCase is a case whose domain has a record in force, its own or an
// inherited one, or one that receivers read and then ignore.
type dmarcCase struct {
	*audit.Case
	rec   dmarc.Record
	at    audit.Subject
	whose string // ends a message when the record is not the domain's own
}

// dmarcRecord finds the record that the rules about a record's text judge. The
// records of the walk that do not apply are judged by DMARC002, DMARC006,
// DMARC021 and DMARC022.
func dmarcRecord(c *audit.Case) (d dmarcCase, ok bool) {
	if gone(c) {
		return d, false
	}
	p := c.Facts.DMARC.Policy
	if p.Domain.IsZero() {
		if p.State == resolve.Unavailable {
			c.Unknown("which DMARC record applies is unknown: %v", p.Err)
		} else {
			c.NotApplicable("no DMARC record applies")
		}
		return d, false
	}
	if !p.Domain.Within(c.Facts.DMARC.LegacyDomain) {
		c.NotApplicable("the record in force is that of %s, above the organization: see DMARC019", p.Domain)
		return d, false
	}
	d = dmarcCase{Case: c, rec: p.Record, at: audit.TXT(dmarcOwner(p.Domain))}
	if p.Domain != c.Facts.Domain {
		d.whose = fmt.Sprintf("; the record is that of %s, from which %s inherits", p.Domain, c.Facts.Domain)
	}
	return d, true
}

// report is Case.Report about a part of the record.
func (d dmarcCase) report(term, format string, args ...any) *audit.Finding {
	return d.Report(d.at.WithTerm(term), "%s%s", fmt.Sprintf(format, args...), d.whose)
}

// dmarcOwner is the name that holds the DMARC record of a domain.
func dmarcOwner(domain resolve.Name) resolve.Name {
	n, err := domain.Below("_dmarc")
	if err != nil {
		return domain
	}
	return n
}

// dmarcSteps are the places whose text decides on the policy: the domain itself
// and, if it has no usable record, its organizational domain.
func dmarcSteps(d dmarc.Discovery) []dmarc.Step {
	var out []dmarc.Step
	for i, s := range d.Steps {
		switch {
		case i == 0:
			out = append(out, s)
		case d.Steps[0].Usable:
		case s.Domain == d.LegacyDomain, s.Chosen && s.Domain.Within(d.LegacyDomain):
			out = append(out, s)
		}
	}
	return out
}

// dmarcUnread notes the places among dmarcSteps that could not be read.
func dmarcUnread(c *audit.Case, steps []dmarc.Step) {
	for _, s := range steps {
		if s.State == resolve.Unavailable {
			c.Unknown("the TXT records at %s could not be read: %v", s.Name, s.Err)
		}
	}
}

// dmarcMeant reports whether a text that is no record was meant as one.
func dmarcMeant(m dmarc.NearMiss) bool {
	switch m.Class {
	case dmarc.ClassCase, dmarc.ClassQuoted, dmarc.ClassLeading, dmarc.ClassTags:
		return true
	}
	return false
}

// dmarcProblems are the problems of the record that the filter keeps.
func dmarcProblems(rec dmarc.Record, keep func(dmarc.Problem) bool) []dmarc.Problem {
	var out []dmarc.Problem
	for _, p := range rec.Problems {
		if keep(p) {
			out = append(out, p)
		}
	}
	return out
}

// isPolicyTag reports whether the tag holds a policy.
func isPolicyTag(name string) bool { return name == "p" || name == "sp" || name == "np" }

// sendsNothing reports whether the domain declares that it sends no mail.
func sendsNothing(s *facts.Snapshot) bool {
	return s.Kind == facts.Parked || s.Kind == facts.Receives
}

// dmarcLost is the severity of having no policy.
func dmarcLost(s *facts.Snapshot) audit.Severity {
	if sendsNothing(s) {
		return audit.Warning
	}
	return audit.Error
}

// dmarcEdits makes edits of the record in force. A record above the
// organizational domain belongs to somebody else and is not edited.
func dmarcEdits(s *facts.Snapshot, list ...fix.Edit) []fix.Edit {
	p := s.DMARC.Policy
	if p.Domain.IsZero() || !p.Domain.Within(s.DMARC.LegacyDomain) {
		return nil
	}
	for i := range list {
		list[i].Name, list[i].Type, list[i].Record = dmarcOwner(p.Domain), resolve.TypeTXT, p.Record.String()
	}
	return list
}

// short cuts foreign text for a message; printers escape it.
func short(text string) string {
	if len(text) <= maxForeign {
		return text
	}
	return strings.ToValidUTF8(text[:maxForeign], "") + "…"
}

// listed joins words: "a", "a and b", "a, b and c".
func listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
