package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfModifierMistaken = audit.Rule{
	ID: "SPF018", Slug: "spf-modifier-mistaken", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "A part of the SPF record is read as an unknown modifier and ignored",
	Refs:  []audit.Ref{{RFC: 7208, Section: "6", Level: audit.Must}, {RFC: 7208, Section: "12"}},
	Doc: audit.Doc{
		Impact: "Any text of the form name=value is a legal modifier, and receivers skip those they do not know. So \"include=spf.example.net\" lists nobody, and mail from those hosts fails; \"allx=y\" is no \"all\", and the record has no end.",
		Remedy: "Write mechanisms with a colon: include:spf.example.net, ip4:192.0.2.1. Put a space after \"all\", and keep other texts, such as tokens that prove who owns the domain, in TXT records of their own.",
		Bad: []audit.Scenario{
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 include=spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 ip4=192.0.2.1 -all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 allMS=ms12345678\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all MS=ms12345678\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 v=spf1 ip4:192.0.2.2 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ra=postmaster rp=10 rr=all -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all exp=explain.example.org\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nexample.org. 3600 IN TXT \"MS=ms12345678\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		number := spfNumber{}
		for _, o := range spfSeen(root.Record, spf.LikelyMistake) {
			at := audit.TXT(root.Domain).WithTerm(number.term(o.Text))
			switch {
			case strings.EqualFold(o.Text, "v=spf1"):
				c.Report(at, "a second %s, term %d, is ignored: two records were pasted together", o.Text, o.Term+1).At(audit.Notice).
					Advise("Remove it. Then look at what follows an \"all\" in the middle of the record: it is ignored too.")
			case o.Suggestion == "":
				c.Report(at, "%s is ignored", spfText(o.Text)).At(audit.Notice).
					Advise("If it is a token that proves who owns the domain, publish it as a TXT record of its own; it does not belong into the SPF record.")
			case strings.HasSuffix(o.Suggestion, "all"):
				meant := o.Suggestion
				if meant == "all" || meant == "+all" {
					meant = "~all" // nobody is to be told to let everybody pass
				}
				c.Report(at, "%s is read as a modifier and ignored, so the record has no \"all\"", spfText(o.Text)).At(audit.Warning).
					Advise("Replace it by \"%s\".", meant)
			default:
				c.Report(at, "%s is read as a modifier and ignored, so the sender it names is not listed; probably meant as \"%s\"", spfText(o.Text), spfText(o.Suggestion)).
					Advise("Replace it by \"%s\".", spfText(o.Suggestion))
			}
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		root := s.SPF.Root
		if len(root.Syntax) > 0 {
			return nil
		}
		for _, o := range spfSeen(root.Record, spf.LikelyMistake) {
			if strings.EqualFold(o.Text, "v=spf1") && o.Text == f.Subject.Term {
				return []fix.Edit{spfEdit(s, fix.SPFRemoveTerm, o.Text, "", fmt.Sprintf("term %d is a second version, which receivers ignore", o.Term+1))}
			}
			if o.Suggestion == "" || o.Suggestion == "all" || o.Suggestion == "+all" || spfText(o.Text) != f.Subject.Term {
				continue
			}
			if _, err := root.Record.Replace(o.Term, o.Suggestion); err == nil {
				return []fix.Edit{spfEdit(s, fix.SPFReplaceTerm, o.Text, o.Suggestion, fmt.Sprintf("term %d is an unknown modifier, which receivers ignore", o.Term+1))}
			}
		}
		return nil
	},
}
