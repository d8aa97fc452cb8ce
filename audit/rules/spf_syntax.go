package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfSyntax = audit.Rule{
	ID: "SPF003", Slug: "spf-syntax", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record has a syntax error",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.6", Level: audit.Must}, {RFC: 7208, Section: "12", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "One error anywhere makes the whole record void: the result is permerror for every sender, also for those that the rest of the record lists. DMARC counts it as a failure, and some receivers refuse such mail (550 5.5.2 or 5.7.24).",
		Remedy: "Correct the term that the finding names. Terms are separated by single spaces, mechanisms take a colon (include:spf.example.net), modifiers an equals sign (redirect=_spf.example.net), and the strings of one record are joined with nothing between them.",
		Bad: []audit.Scenario{
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 ipv4:192.0.2.1 -all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1~all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ip4: 192.0.2.2 a:192.0.2.3 -al\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1\" \"ip4:192.0.2.2 -all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 frobnicate -all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.300 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0\" \".2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1  IP4:192.0.2.1 a/24//64 moo=cow exists:%{IR}._spf.%{d} -all \"\nexample.org. 3600 IN A 192.0.2.1"},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		s := c.Facts
		whole, clear := spfRepaired(root)
		number := spfNumber{}
		for _, e := range root.Syntax {
			meant := ""
			switch {
			case e.Suggestion != "":
				meant = fmt.Sprintf("; probably meant as \"%s\"", spfText(e.Suggestion))
			case e.Drop:
				meant = "; it can be left out"
			}
			f := c.Report(audit.TXT(s.Domain).WithTerm(number.term(e.Term)), "\"%s\" at offset %d%s: %s%s%s", spfText(e.Term), e.Offset,
				spfSeam(s, root, e.Offset, e.End), e.Reason, spfExpected(e), meant)
			switch {
			case clear:
				f.Advise("Publish the record as \"%s\"", whole.Text)
			case e.Suggestion != "":
				f.Advise("Replace \"%s\" by \"%s\", and correct the other terms that are reported.", spfText(e.Term), spfText(e.Suggestion))
			}
		}
		spfForeignSyntax(c, root)
		spfOpen(c, recordLookup)
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		if !spfOwn(s, f) {
			return nil
		}
		if _, clear := spfRepaired(s.SPF.Root); !clear {
			return nil
		}
		var edits []fix.Edit
		for _, e := range s.SPF.Root.Syntax {
			op := fix.SPFReplaceTerm
			if e.Suggestion == "" {
				op = fix.SPFRemoveTerm
			}
			edits = append(edits, spfEdit(s, op, e.Term, e.Suggestion, fmt.Sprintf("syntax error at offset %d: %s", e.Offset, e.Reason)))
		}
		return edits
	},
}

// spfRepaired is the record with all its errors mended. It is clear if that takes
// no guess: every error has a suggestion, no name is made a sender that nothing
// introduced as one, and nothing ends up behind an all.
func spfRepaired(n *spf.Node) (r spf.Record, clear bool) {
	r, err := n.Record.Repair()
	if err != nil {
		return r, false // half a repair leaves the record as void as before
	}
	for _, o := range r.Lint() {
		switch o.Kind {
		case spf.AfterAll, spf.SecondAll, spf.RedirectIgnored, spf.PassAll, spf.OddTarget:
			return r, false
		}
	}
	for _, e := range n.Syntax {
		made, err := spf.Parse("v=spf1 " + e.Suggestion)
		if err != nil {
			return r, false
		}
		for _, t := range made.Terms {
			before, _, _ := strings.Cut(strings.ToLower(e.Term), strings.ToLower(t.Domain))
			before = strings.TrimRight(before, " ")
			if t.Domain != "" && !strings.HasSuffix(before, ":") && !strings.HasSuffix(before, "=") {
				return r, false
			}
		}
	}
	return r, true
}

func spfExpected(e *spf.SyntaxError) string {
	if e.Expected == "" {
		return ""
	}
	return ", expected " + e.Expected
}

// spfSeam says that a part of the record lies over the end of one of its strings.
func spfSeam(s *facts.Snapshot, root *spf.Node, from, to int) string {
	for _, at := range spfSeams(s.SPF.Answer, root.Text) {
		if from < at && at < to {
			return fmt.Sprintf(", over the end of a string at offset %d", at)
		}
	}
	return ""
}

// spfSeams lists the offsets at which the strings of a record meet.
func spfSeams(a resolve.Answer, text string) (out []int) {
	for _, t := range a.TXT() {
		if t.Joined() != text {
			continue
		}
		at := 0
		for _, x := range t.Strings[:len(t.Strings)-1] {
			at += len(x)
			out = append(out, at)
		}
		return out
	}
	return nil
}

// spfForeignSyntax reports each included record with errors once: it is for
// somebody else to repair.
func spfForeignSyntax(c *audit.Case, root *spf.Node) {
	done := map[resolve.Name]bool{}
	for _, p := range c.Facts.SPF.Problems {
		var e *spf.SyntaxError
		if p.Domain == root.Domain || !errors.As(p.Err, &e) || done[p.Domain] {
			continue
		}
		done[p.Domain] = true
		c.Report(audit.TXT(p.Domain).WithTerm(spfText(e.Term)), "the record of %s%s has \"%s\" at offset %d: %s%s; evaluation of your record ends there",
			p.Domain, spfReach(root, p.Domain), spfText(e.Term), e.Offset, e.Reason, spfExpected(e)).
			About(c.Facts, root.Domain, resolve.TypeTXT).
			Advise("Tell the operator of %s. Until it is repaired, list the addresses of that sender in your record instead of the include.", p.Domain)
	}
}
