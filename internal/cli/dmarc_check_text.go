package cli

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func (v checkView) text(s Streams, d dmarc.Discovery, o *dmarcCheckOptions) error {
	p := newSheet(s)
	p.para("DMARC for %s", v.Domain)
	p.WriteByte('\n')
	v.textPolicy(p, d)
	v.textWalk(p)
	if len(v.Disagreement) > 0 {
		p.head("Receivers disagree")
		for _, x := range v.Disagreement {
			p.item("%s: %s by RFC 9989, %s by RFC 7489", x.About, x.RFC9989, x.RFC7489)
		}
	}
	if len(v.Problems) > 0 {
		p.head("Problems of the record")
		for _, x := range v.Problems {
			p.item("%s: %s", x.Severity, x.Message)
		}
	}
	if v.Reports != nil {
		v.textReports(p)
	}
	v.textNext(p, d, o)
	return p.flush(s.Out)
}

func (v checkView) textPolicy(p *sheet, d dmarc.Discovery) {
	p.field("Policy", "%s", policyWords(v.State, string(v.Policy), string(v.Effective), 100))
	p.field("", "%s", v.Why)
	if v.Error != "" {
		p.field("", "%s", v.Error)
	}
	for _, w := range v.Walk {
		if w.Chosen {
			p.field("Record", "at %s:", w.Name)
			p.whole("  ", cmp.Or(w.zone, string(w.Record)))
		}
	}
	switch d.Exists {
	case resolve.Absent:
		p.field("Exists", "no (NXDOMAIN)")
	case resolve.Unavailable:
		p.field("Exists", "unknown")
	default:
		exists := "yes"
		if v.CompactDenial {
			exists = "so it seems, but its zone denies names compactly (RFC 9824): receivers may take sp where np was meant"
		}
		p.field("Exists", "%s", exists)
	}
	p.field("Organization", "%s (%s)", cmp.Or(string(v.OrganizationalDomain), "unknown"), v.OrganizationalWhy)
	old := v.Legacy
	share := 100
	if old.Pct != nil {
		share = *old.Pct
	}
	p.field("RFC 7489", "%s", policyWords(old.State, string(old.Policy), string(old.Effective), share))
	p.field("", "%s; organizational domain %s, by the public suffix list", old.Why, cmp.Or(string(old.OrganizationalDomain), "unknown"))
}

// policyWords is a policy as the head of a paragraph.
func policyWords(state, value, effective string, percent int) string {
	switch {
	case state == "unknown":
		return "unknown"
	case state == "absent":
		return "no DMARC"
	case effective != value:
		return fmt.Sprintf("%s, as %s is lowered by one level", effective, value)
	case percent < 100 && value != "none":
		return fmt.Sprintf("%s, for %d%% of the mail that fails", value, percent)
	}
	return value
}

func (v checkView) textWalk(p *sheet) {
	p.head("Tree walk (RFC 9989, Section 4.10)")
	for _, w := range v.Walk {
		note := w.Note
		if w.Absence == "nxdomain" {
			note += " (NXDOMAIN)"
		}
		if w.Chosen {
			note += "; applies"
		} else if w.Outcome == "record" && v.State != "unknown" {
			note += "; does not apply"
		}
		p.hang("  ", w.Name, 36, note)
		for _, r := range w.Records {
			p.whole("      ", r)
		}
		for _, x := range w.Other {
			p.hang("      ", "", 6, fmt.Sprintf("not a record (%s):", x.Class))
			p.whole("      ", x.Text)
		}
	}
}

func (v checkView) textReports(p *sheet) {
	p.head("Reports")
	if len(v.Reports) == 0 {
		p.item("the record asks for none")
	}
	for _, r := range v.Reports {
		words := "can arrive"
		switch {
		case r.Problem != "":
			words = string(r.Problem)
		case r.Authorized == "unknown" || r.Receives == "unknown":
			words = "unknown: " + cmp.Or(string(r.Error), "a lookup failed")
		case r.Authorized == "absent":
			words = "not authorized"
		}
		p.item("%s %s: %s", r.Tag, r.URI, words)
	}
}

// textNext says what to type next.
func (v checkView) textNext(p *sheet, d dmarc.Discovery, o *dmarcCheckOptions) {
	next := func(format string, args ...any) {
		p.WriteByte('\n')
		p.hang("", "Next:", 6, fmt.Sprintf(format, args...))
	}
	above := false // offline, and so unknown, are the names above those given
	for _, s := range d.Steps {
		above = above || errors.Is(s.Err, resolve.ErrOffline)
	}
	switch {
	case d.Policy.State == resolve.Unavailable && above:
		next("drop --offline, so that names outside the zone files are asked of the network")
	case d.Policy.State == resolve.Unavailable:
		next("try again, or ask another server with --resolver")
	case d.Policy.State == resolve.Absent && d.Policy.Domain.IsZero() && ownStep(d).Several == nil:
		next("mailcheck dmarc new %s --policy none --rua ADDRESS", v.Domain)
	case len(v.Problems) > 0:
		next("mailcheck dmarc lint %s", v.PolicyDomain)
	case len(d.Policy.Record.RUA)+len(d.Policy.Record.RUF) > 0 && !o.reports:
		next("mailcheck dmarc check %s --reports", v.Domain)
	}
}
