package render

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// junitPrinter writes a test suite for each domain and a test case for each
// rule:
//
//   - a finding at or above FailOn is a failure; one below stands in system-out
//     of a case that passes;
//   - a rule that could not be checked is an error, the word for a test that
//     could not be carried out. As skipped it would read as green, which a name
//     server that does not answer is not;
//   - a rule that does not apply, or whose findings are all suppressed, is skipped.
type junitPrinter struct {
	out    *bufio.Writer
	failOn audit.Severity
}

type (
	junitSuite struct {
		XMLName    xml.Name        `xml:"testsuite"`
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Time    string       `xml:"time,attr"`
		Skipped *junitReason `xml:"skipped"`
		Error   *junitReason `xml:"error"`
		Failure *junitReason `xml:"failure"`
		Output  *junitOutput `xml:"system-out"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",cdata"`
	}
	junitOutput struct {
		Text string `xml:",cdata"`
	}
)

func newJUnit(out *bufio.Writer, opt Options) printer { return &junitPrinter{out, opt.FailOn} }

func (p *junitPrinter) begin() error {
	p.out.WriteString(xml.Header + "<testsuites name=\"mailcheck\">\n")
	return nil
}

func (p *junitPrinter) report(r *audit.Report) error {
	s := junitSuite{Name: title(r), Time: fmt.Sprintf("%.3f", time.Duration(r.DurationMS*int64(time.Millisecond)).Seconds()),
		Properties: []junitProperty{{"kind", string(r.Kind)}, {"resolver", r.Resolver}}}
	if !r.Started.IsZero() {
		s.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
	}
	byRule := map[audit.ID][]*audit.Finding{}
	results := slices.Clone(r.Rules)
	for i := range r.Findings {
		f := &r.Findings[i]
		byRule[f.Rule] = append(byRule[f.Rule], f)
		// The engine's own findings have no result among the rules.
		if !slices.ContainsFunc(results, func(x audit.RuleResult) bool { return x.ID == f.Rule }) {
			results = append(results, audit.RuleResult{ID: f.Rule, Slug: f.Slug, Outcome: audit.Fail, Severity: f.Severity})
		}
	}
	for i := range results {
		c := p.testcase(&results[i], byRule[results[i].ID])
		s.Tests++
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
		s.Cases = append(s.Cases, c)
	}
	doc, err := xml.MarshalIndent(s, "  ", "  ")
	if err != nil {
		return err
	}
	p.out.Write(doc)
	p.out.WriteByte('\n')
	return nil
}

func (p *junitPrinter) end() error {
	p.out.WriteString("</testsuites>\n")
	return nil
}

func (p *junitPrinter) testcase(x *audit.RuleResult, found []*audit.Finding) junitCase {
	rule := audit.Rule{ID: x.ID}
	c := junitCase{Class: "mailcheck." + rule.Family(), Name: strings.TrimSpace(string(x.ID) + " " + x.Slug), Time: "0"}
	switch {
	case x.Outcome == audit.Pass:
		return c
	case x.Optional:
		c.Skipped = &junitReason{Message: "could not be seen from here: " + x.Reason}
		return c
	case x.Outcome == audit.NotApplicable:
		c.Skipped = &junitReason{Message: "not applicable: " + x.Reason}
		return c
	case x.Outcome == audit.Fail:
	default:
		c.Error = &junitReason{Message: "could not be checked: " + x.Reason, Type: "unknown"}
		return c
	}
	var counting, below []*audit.Finding
	var accepted []string
	var worst audit.Severity
	for _, f := range found {
		switch {
		case f.Suppressed != nil:
			accepted = append(accepted, f.Suppressed.Reason)
		case p.failOn != 0 && f.Severity >= p.failOn:
			counting, worst = append(counting, f), max(worst, f.Severity)
		default:
			below = append(below, f)
		}
	}
	switch {
	case len(counting) > 0:
		c.Failure = &junitReason{Message: message(counting[0]), Type: worst.String(), Text: junitText(slices.Concat(counting, below), x)}
		if n := len(counting) - 1; n > 0 {
			c.Failure.Message += fmt.Sprintf(" (and %d more)", n)
		}
	case len(below) > 0:
		c.Output = &junitOutput{junitText(below, x)}
	case len(accepted) > 0:
		c.Skipped = &junitReason{Message: "suppressed: " + strings.Join(accepted, "; ")}
	}
	return c
}

// junitText tells the findings of one rule, for the log of a failed build.
func junitText(list []*audit.Finding, x *audit.RuleResult) string {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "\n%s: %s\n  at %s\n", f.Severity, message(f), f.Subject)
		for i := range f.Evidence {
			e := &f.Evidence[i]
			fmt.Fprintf(&b, "  seen %s %s: %s\n", e.Name, e.Type, answer(e))
			if e.State == resolve.Present {
				for _, rec := range e.Records {
					fmt.Fprintf(&b, "    %s\n", rec)
				}
			}
		}
		if refs := references(f, true); refs != "" {
			fmt.Fprintf(&b, "  source %s\n", refs)
		}
		if f.Fix == nil {
			continue
		}
		if f.Fix.Text != "" {
			fmt.Fprintf(&b, "  do %s\n", f.Fix.Text)
		}
		if lines := zone(f.Fix.Changes); len(lines) > 0 {
			fmt.Fprintf(&b, "  publish, in place of what is at the name:\n%s\n", strings.Join(lines, "\n"))
		}
	}
	if x.Reason != "" {
		fmt.Fprintf(&b, "there may be more: %s\n", x.Reason)
	}
	return b.String()
}
