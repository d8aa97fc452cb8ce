package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Options are the settings of [Run]. The zero value runs every rule.
type Options struct {
	Only       []string        // IDs, slugs or family prefixes; empty: all
	Skip       []string        // IDs, slugs or family prefixes
	Profiles   []Profile       // receivers' requirements to judge as well
	Suppressor *Suppressor     // accepted findings; nil: none
	Severities map[ID]Severity // overrides of the default severity
}

// Run judges one snapshot by the rules, in their order.
func Run(s *facts.Snapshot, rules []Rule, opt Options) Report {
	r := Report{Domain: s.Domain, Kind: s.Kind, KindReason: s.KindReason, Resolver: s.Resolver, Started: s.At,
		DurationMS: s.Elapsed.Milliseconds(), Queries: s.Queries(), Senders: sendersOf(s)}
	return run(r, Case{Facts: s}, rules, opt)
}

// RunMail judges one mail by rules for mails, which are those of package
// audit/mailrules. The report is of the author's domain, if there is one alone, and
// Report.Mail says what the mail is.
func RunMail(m *mail.Facts, rules []Rule, opt Options) Report {
	sum := m.Summary()
	r := Report{Domain: m.Author, Kind: Mail, KindReason: []string{}, Resolver: m.Resolver, Started: m.At,
		DurationMS: m.Elapsed.Milliseconds(), Queries: m.Queries(), Mail: &sum}
	return run(r, Case{Mail: m}, rules, opt)
}

// run judges what a case holds.
func run(r Report, about Case, rules []Rule, opt Options) Report {
	r.Rules, r.Findings, r.Profiles = []RuleResult{}, []Finding{}, []ProfileResult{}
	for i := range rules {
		rule := &rules[i]
		if rule.Check == nil || !Selected(rule, opt.Only, opt.Skip) {
			continue
		}
		about.rule = rule
		res, found := runRule(about, opt)
		r.Rules = append(r.Rules, res)
		r.Findings = append(r.Findings, found...)
	}
	if opt.Suppressor != nil {
		extra := opt.Suppressor.apply(&r, rules)
		r.Findings = append(r.Findings, extra...)
	}
	sortFindings(r.Findings)
	for _, p := range opt.Profiles {
		r.Profiles = append(r.Profiles, p.judge(r))
	}
	return r
}

func runRule(about Case, opt Options) (RuleResult, []Finding) {
	p, rule := &about, about.rule
	res := RuleResult{ID: rule.ID, Slug: rule.Slug, Outcome: Pass, Severity: rule.Severity}
	if o, ok := opt.Severities[rule.ID]; ok {
		res.Severity = o
	}
	if s := p.Facts; s != nil {
		if missing, err := s.Missing(rule.Needs); missing != 0 {
			res.Outcome, res.Reason = Unknown, fmt.Sprintf("%s could not be read: %v", missing, err)
			res.Optional = rule.Needs&s.Optional != 0
			return res, nil
		}
	}
	p.check()
	switch {
	case len(p.findings) > 0:
		res.Outcome, res.Reason, res.Incomplete = Fail, p.failReason(), len(p.unknown) > 0
	case len(p.unknown) > 0:
		res.Outcome, res.Reason = Unknown, strings.Join(p.unknown, "; ")
		res.Optional = p.Facts != nil && rule.Needs&p.Facts.Optional != 0
	case p.skipped != "":
		res.Outcome, res.Reason = NotApplicable, p.skipped
	}
	res.Inferred = p.inferred
	var out []Finding
	var worst Severity
	for _, f := range p.findings {
		if o, ok := opt.Severities[rule.ID]; ok {
			f.Severity = o
		}
		worst = max(worst, f.Severity)
		f.About(p.answers(), f.Subject.Name, f.Subject.Type)
		if f.Evidence == nil {
			f.Evidence = []Evidence{}
		}
		f.Fingerprint = f.fingerprint()
		f.Fix = repair(p.Facts, rule, *f)
		out = append(out, *f)
	}
	if worst != 0 {
		res.Severity = worst
	}
	return res, out
}

// failReason says what the findings leave out.
func (c *Case) failReason() string {
	var parts []string
	if c.more > 0 {
		parts = append(parts, fmt.Sprintf("%d more findings are not listed", c.more))
	}
	if len(c.unknown) > 0 {
		parts = append(parts, "incomplete: "+strings.Join(c.unknown, "; "))
	}
	return strings.Join(parts, "; ")
}

// check runs the rule. A defect in one rule must not cost the report of the
// domain, so a panic leaves that rule undecided.
func (c *Case) check() {
	defer func() {
		if r := recover(); r != nil {
			c.findings = nil
			c.Unknown("the rule itself failed, which is a defect of mailcheck: %v", r)
		}
	}()
	c.rule.Check(c)
}

// repair turns the rule's edits into whole RRset changes, because that is what
// a person has to publish: an edit of one TXT record leaves its siblings.
func repair(s *facts.Snapshot, rule *Rule, f Finding) *Fix {
	out := &Fix{Text: rule.Doc.Remedy}
	if f.Fix != nil && f.Fix.Text != "" {
		out.Text = f.Fix.Text // the check knew better
	}
	if rule.Repair == nil || s == nil {
		return out
	}
	edits := rule.Repair(s, f)
	if len(edits) == 0 {
		return out
	}
	changes, err := fix.Merge(edits, s.Current)
	if err != nil {
		return out // an edit that does not apply is no advice; the words remain
	}
	out.Changes = changes
	return out
}

// Advise replaces the rule's general remedy by one for this finding.
func (f *Finding) Advise(format string, args ...any) *Finding {
	f.Fix = &Fix{Text: fmt.Sprintf(format, args...)}
	return f
}

// Selected reports whether the rule is chosen by the only and skip lists.
func Selected(rule *Rule, only, skip []string) bool {
	match := func(list []string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return rule.Matches(w) })
	}
	return (len(only) == 0 || match(only)) && !match(skip)
}

// Matches reports whether word names the rule: its ID, slug, a former slug, or
// its family, in any case.
func (r *Rule) Matches(word string) bool {
	if strings.EqualFold(word, string(r.ID)) || strings.EqualFold(word, r.Slug) || strings.EqualFold(word, r.Family()) {
		return true
	}
	return slices.ContainsFunc(r.Aliases, func(a string) bool { return strings.EqualFold(a, word) })
}

// Family is the prefix of the ID: "SPF".
func (r *Rule) Family() string { return strings.TrimRight(string(r.ID), "0123456789") }

// sortFindings puts what blocks mail first; the table's order decides the rest.
func sortFindings(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
}

// TXT is the subject of a TXT record.
func TXT(name resolve.Name) Subject { return Subject{Name: name, Type: resolve.TypeTXT} }

// WithTerm narrows a subject to a part of its record.
func (s Subject) WithTerm(term string) Subject {
	s.Term = term
	return s
}
