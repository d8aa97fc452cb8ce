package audit

import (
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Suppression accepts a known finding: it stays in the report, marked, and no
// longer counts. A reason is required, because the next admin has to know.
type Suppression struct {
	Rule    string    `json:"rule"`              // ID or slug
	Domain  string    `json:"domain,omitempty"`  // pattern for the audited domain; empty: every domain
	Subject string    `json:"subject,omitempty"` // pattern for the finding's subject as printed; empty: every subject
	Reason  string    `json:"reason"`
	Expires time.Time `json:"expires,omitzero"` // the first moment it no longer holds; zero: never
}

// The rules that the engine itself reports.
const (
	SuppressionExpired ID = "CFG001"
	SuppressionUnused  ID = "CFG002"
)

// Suppressor applies suppressions to the reports of one run and remembers which
// were of use. It is safe for concurrent use.
type Suppressor struct {
	mu    sync.Mutex
	items []suppressed
}

type suppressed struct {
	Suppression
	used, doubtful bool // doubtful: its rule was unknown or not run somewhere, so unused means nothing
	told           bool
}

// NewSuppressor checks the suppressions; an error names the one at fault.
func NewSuppressor(list []Suppression) (*Suppressor, error) {
	s := &Suppressor{}
	for i, x := range list {
		if strings.TrimSpace(x.Reason) == "" {
			return nil, fmt.Errorf("audit: suppression %d (%s) has no reason", i+1, x.Rule)
		}
		for _, p := range []string{x.Domain, x.Subject} {
			if _, err := path.Match(p, ""); err != nil {
				return nil, fmt.Errorf("audit: suppression %d (%s): pattern %q: %w", i+1, x.Rule, p, err)
			}
		}
		s.items = append(s.items, suppressed{Suppression: x})
	}
	return s, nil
}

// apply marks findings and reports what is wrong with the suppressions that
// name this domain. Those for every domain are judged by [Suppressor.Unused].
func (s *Suppressor) apply(r *Report, rules []Rule) []Finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Finding
	for i := range s.items {
		x := &s.items[i]
		if x.Domain != "" && !match(x.Domain, r.Domain.String()) {
			continue
		}
		expired := !x.Expires.IsZero() && !r.Started.Before(x.Expires)
		if expired {
			if f := meta(rules, SuppressionExpired, r.Domain, x.Suppression); f != nil && (!x.told || x.Domain != "") {
				out, x.told = append(out, *f), true
			}
			continue
		}
		for j := range r.Findings {
			f := &r.Findings[j]
			if f.Suppressed == nil && x.names(f) {
				c := x.Suppression
				f.Suppressed, x.used = &c, true
			}
		}
		if o := x.outcome(r); o == "" || o == Unknown {
			x.doubtful = true
		}
		if x.Domain == r.Domain.String() && !x.used && !x.doubtful {
			if f := meta(rules, SuppressionUnused, r.Domain, x.Suppression); f != nil {
				out, x.told = append(out, *f), true
			}
		}
	}
	return out
}

// Unused adds to the last report of a run a finding for each suppression that
// no report of the run needed. Expired ones have been reported before.
func (s *Suppressor) Unused(r *Report, rules []Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.items {
		x := &s.items[i]
		if x.used || x.doubtful || x.told {
			continue
		}
		if f := meta(rules, SuppressionUnused, r.Domain, x.Suppression); f != nil {
			r.Findings, x.told = append(r.Findings, *f), true
		}
	}
	sortFindings(r.Findings)
}

func (x *suppressed) names(f *Finding) bool {
	if !strings.EqualFold(x.Rule, string(f.Rule)) && !strings.EqualFold(x.Rule, f.Slug) {
		return false
	}
	return x.Subject == "" || match(x.Subject, f.Subject.String()) || match(x.Subject, f.Subject.Name.String())
}

func (x *suppressed) outcome(r *Report) Outcome {
	for _, res := range r.Rules {
		if strings.EqualFold(x.Rule, string(res.ID)) || strings.EqualFold(x.Rule, res.Slug) {
			return res.Outcome
		}
	}
	return ""
}

// match matches as path.Match does, with the slash of a CIDR an ordinary octet.
func match(pattern, text string) bool {
	swap := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "/", "\x00")) }
	ok, _ := path.Match(swap(pattern), swap(text))
	return ok
}

func meta(rules []Rule, id ID, domain resolve.Name, x Suppression) *Finding {
	for i := range rules {
		if rules[i].ID != id {
			continue
		}
		text := fmt.Sprintf("the suppression of %s (%s) matches no finding", x.Rule, x.Reason)
		if id == SuppressionExpired {
			text = fmt.Sprintf("the suppression of %s (%s) expired on %s", x.Rule, x.Reason, x.Expires.Format(time.DateOnly))
		}
		f := engineFinding(&rules[i], Subject{Name: domain, Term: strings.TrimSpace(x.Rule + " " + x.Subject)}, text)
		return &f
	}
	return nil
}

// engineFinding is a finding that no rule's check made but the engine itself.
func engineFinding(rule *Rule, at Subject, message string) Finding {
	c := &Case{rule: rule}
	f := c.Report(at, "%s", message)
	f.Evidence, f.Fix, f.Fingerprint = []Evidence{}, &Fix{Text: rule.Doc.Remedy}, f.fingerprint()
	return *f
}

// mark suppresses one finding, if a suppression in force names it.
func (s *Suppressor) mark(f *Finding, domain resolve.Name, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.items {
		x := &s.items[i]
		if (x.Domain == "" || match(x.Domain, domain.String())) && (x.Expires.IsZero() || now.Before(x.Expires)) && x.names(f) {
			c := x.Suppression
			f.Suppressed, x.used = &c, true
			return
		}
	}
}
