package mailrules

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/rules"
)

var idForm = regexp.MustCompile(`^(AUTH|MSG|UNS)\d{3}$`)
var slugForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)

// TestTable refuses a row that is not complete.
func TestTable(t *testing.T) {
	seen, slugs := map[audit.ID]bool{}, map[string]bool{}
	for _, r := range rules.All() {
		seen[r.ID], slugs[r.Slug] = true, true
	}
	last := audit.ID("")
	for _, r := range All() {
		if !idForm.MatchString(string(r.ID)) || seen[r.ID] {
			t.Errorf("%s: malformed or double ID", r.ID)
		}
		if (&audit.Rule{ID: last}).Family() == r.Family() && r.ID < last && r.Family() != "MSG" {
			t.Errorf("%s stands behind %s", r.ID, last)
		}
		seen[r.ID], last = true, r.ID
		if !slugForm.MatchString(r.Slug) || slugs[r.Slug] {
			t.Errorf("%s: malformed or double slug %q", r.ID, r.Slug)
		}
		slugs[r.Slug] = true
		for name, text := range map[string]string{"Title": r.Title, "Impact": r.Doc.Impact, "Remedy": r.Doc.Remedy, "Since": r.Since} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %s is empty", r.ID, name)
			}
		}
		if strings.HasSuffix(r.Title, ".") || len(r.Title) > 90 {
			t.Errorf("%s: title %q ends with a full stop or is too long", r.ID, r.Title)
		}
		if r.Severity < audit.Notice || r.Severity > audit.Error || len(r.Refs) == 0 || r.Check == nil || r.Needs != 0 || r.Repair != nil {
			t.Errorf("%s: no severity, reference or check, or one of what only rules on domains have", r.ID)
		}
		if len(r.Doc.Bad) == 0 || len(r.Doc.Good) == 0 {
			t.Errorf("%s: needs a bad and a good scenario", r.ID)
		}
	}
}

// TestScenarios runs each rule's own mails through the whole table.
func TestScenarios(t *testing.T) {
	for _, r := range All() {
		for i, s := range r.Doc.Bad {
			t.Run(string(r.ID)+"/bad/"+string(rune('0'+i)), func(t *testing.T) {
				t.Parallel()
				_, report := try(t, s)
				got := find(report, r.ID)
				if len(got) == 0 {
					t.Fatalf("no finding; outcome %q, all findings:\n%s", report.Outcome(r.ID), strings.Join(ids(report), "\n"))
				}
				subjects := map[string]bool{}
				for _, f := range got {
					if f.Message == "" || f.Fix == nil || f.Fix.Text == "" || f.Fingerprint == "" || f.Subject.String() == "" {
						t.Errorf("incomplete finding %+v", f)
					}
					if !f.Subject.Name.IsZero() && f.Subject.Type != 0 && len(f.Evidence) == 0 {
						t.Errorf("no evidence for %s: %s", f.Subject, f.Message)
					}
					if subjects[f.Subject.String()] {
						t.Errorf("two findings at %s", f.Subject)
					}
					subjects[f.Subject.String()] = true
				}
			})
		}
		for i, s := range r.Doc.Good {
			t.Run(string(r.ID)+"/good/"+string(rune('0'+i)), func(t *testing.T) {
				t.Parallel()
				_, report := try(t, s)
				if got := find(report, r.ID); len(got) > 0 {
					t.Errorf("finding: %s", got[0].Message)
				}
				if o := report.Outcome(r.ID); o == audit.Unknown {
					t.Errorf("outcome unknown: a good scenario must be decidable")
				}
			})
		}
	}
}

// TestGoodMail wants a mail that nothing is wrong with to have no finding at all.
func TestGoodMail(t *testing.T) {
	for name, s := range map[string]audit.Scenario{"to one": good(), "to many": letter(uri + post)} {
		_, r := try(t, s)
		if len(r.Findings) > 0 || r.Incomplete() {
			t.Errorf("%s: %s; incomplete: %v %+v", name, strings.Join(ids(r), "\n"), r.Incomplete(), r.Rules)
		}
	}
}

// TestRulesOfDomains keeps the two tables apart: a rule on domains has no word on mails.
func TestRulesOfDomains(t *testing.T) {
	if slices.ContainsFunc(rules.All(), func(r audit.Rule) bool { return idForm.MatchString(string(r.ID)) }) {
		t.Error("a rule on domains has an ID of the rules on mails")
	}
}
