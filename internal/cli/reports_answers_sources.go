package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/reports/insight"
)

func newReportsSources(s Streams) *cobra.Command {
	o := &answerOptions{}
	cmd := &cobra.Command{
		Use:   "sources",
		Short: "Who sends as the domain, by name, and how to fix those that fail",
		Long: `Tell who sends with the domain in From: services and hosts by name, their volume,
what of it passes SPF and DKIM aligned, what they are, and what to change so that
their mail passes.

A name comes from the SPF record (--dns), from reverse DNS that leads back (--dns),
from the domains that authenticated, and else is the network. --ours, --forwarder and
--forger tell what you know better.

Exit status: 0 answered, 2 there are no reports to answer from, 3 wrong usage, 4 the
archive failed.`,
		Example: `  mailcheck reports sources --domain example.org --since 30d --dns
  mailcheck reports sources --since 7d -o csv
  mailcheck reports sources --from ~/reports --ours 192.0.2.0/24`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.sources(cmd, s, args) },
	}
	o.add(cmd, tables...)
	o.addSources(cmd)
	return cmd
}

func (o *answerOptions) sources(cmd *cobra.Command, s Streams, args []string) error {
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	v, err := q.Sources(cmd.Context())
	if err != nil {
		return storeError("this archive", err)
	}
	o.unmatched(s, v.Unmatched)
	a := answer{title: "Sources, " + windowWords(v.Window), notes: leftWords(v.LeftOut)}
	for i := range v.List {
		noNull(&v.List[i].Classes)
	}
	a.json = sourcesView{"mailcheck.reports-sources/1", v}
	a.table.head = strings.Fields("domain source named_by provider class confidence new messages passed pass_share dkim_aligned spf_aligned neither none quarantine reject addresses first last fix")
	for _, x := range v.List {
		a.table.row(x.Domain, x.Name, string(x.By), x.Provider, string(x.Class), string(x.Confidence), x.New, x.Messages, x.Passed, x.Share, x.DKIM, x.SPF, x.Neither, x.None, x.Quarantine, x.Reject, x.Hosts, x.First, x.Last, fixWords(x.Fixes))
	}
	if v.Messages == 0 {
		a.empty = o.nothing(cmd, "mail")
	}
	a.notes = append(a.notes, o.unfit(v.Unmatched)...)
	if q.Live == nil && v.Unnamed > 0 {
		a.notes = append(a.notes, fmt.Sprintf("%s known by network only: --dns asks for names", plural(v.Unnamed, "address is", "addresses are")))
	}
	a.text = func(p *sheet) { sourcesText(p, v, a.notes) }
	return o.print(s, a)
}

func fixWords(list []insight.Fix) string {
	var out []string
	for _, f := range list {
		out = append(out, f.Text)
	}
	return strings.Join(out, "; ")
}

// maxShownSources bounds what is shown on a terminal.
const maxShownSources = 40

func sourcesText(p *sheet, v *insight.Sources, notes []string) {
	p.para("%s, %s, %s", plural(len(v.List), "source", "sources"), messages(v.Messages), windowWords(v.Window))
	p.WriteByte('\n')
	var rows [][]string
	list := v.List[:min(len(v.List), maxShownSources)]
	domains := map[string]bool{}
	for _, x := range v.List {
		domains[x.Domain] = true
	}
	for _, x := range list {
		name := x.Name
		if len(domains) > 1 {
			name += " for " + x.Domain
		}
		news := ""
		if x.New {
			news = "new"
		}
		rows = append(rows, []string{name, counted(x.Messages), rate(x.Share), rate(ratio(x.DKIM, x.Messages)), rate(ratio(x.SPF, x.Messages)), classWord(x.Class), news})
	}
	p.grid([]string{"Source", "Messages", "Passes", "DKIM", "SPF", "Class", ""}, rows, 1, 2, 3, 4)
	if more := len(v.List) - len(list) + v.More.Sources; more > 0 {
		p.para("and %s more (-o csv lists %s)", counted(int64(more)), counted(int64(len(v.List))))
	}
	for _, x := range list {
		if x.Class == insight.Passing && len(x.Fixes) == 0 {
			continue
		}
		sourceDetail(p, x)
	}
	p.notes(notes)
}

func sourceDetail(p *sheet, x insight.Source) {
	p.WriteByte('\n')
	p.para("%s: %s, confidence %s", x.Name, classWord(x.Class), x.Confidence)
	p.hang("  ", "seen", 10, fmt.Sprintf("%s to %s, %s, %s", x.First, x.Last, plural(x.Hosts, "address", "addresses"), plural(x.Reporters, "reporter", "reporters")))
	p.hang("  ", "from", 10, addressWords(x.Addresses, x.Hosts))
	for i, w := range x.Why {
		p.hang("  ", first(i, "why"), 10, w)
	}
	for i, f := range x.Fixes {
		writeFix(p, first(i, "fix"), f)
	}
}

func writeFix(p *sheet, label string, f insight.Fix) {
	p.hang("  ", label, 10, f.Text)
	for _, e := range f.Edits {
		p.hang("", "", 12, fmt.Sprintf("mailcheck spf add --domain %s %s", e.Name, e.Value))
	}
}

func first(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

// addressWords shows a few addresses with their names.
func addressWords(list []insight.Address, all int) string {
	const shown = 3
	var out []string
	for _, a := range list[:min(len(list), shown)] {
		w := a.Address
		if w == "" {
			w = "no address"
		}
		if len(a.Names) > 0 {
			w += " (" + a.Names[0] + ")"
		}
		out = append(out, w)
	}
	if more := all - len(out); more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return strings.Join(out, ", ")
}

func newReportsFailures(s Streams) *cobra.Command {
	o := &answerOptions{}
	cmd := &cobra.Command{
		Use:   "failures",
		Short: "What fails, told apart: own sources, forwarding, lists, forgery",
		Long: `Tell apart the mail that passes neither SPF nor DKIM, aligned: own sources that are
not set up, forwarding, mailing lists, forgery, and what cannot be told. Each class
comes with its reasons and how sure it is.

Exit status: 0 answered, 2 there are no reports to answer from, 3 wrong usage, 4 the
archive failed.`,
		Example: `  mailcheck reports failures --domain example.org --since 14d --dns
  mailcheck reports failures --since 7d -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.failures(cmd, s, args) },
	}
	o.add(cmd, tables...)
	o.addSources(cmd)
	return cmd
}

func (o *answerOptions) failures(cmd *cobra.Command, s Streams, args []string) error {
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	v, err := q.Failures(cmd.Context())
	if err != nil {
		return storeError("this archive", err)
	}
	o.unmatched(s, v.Unmatched)
	a := answer{title: "Mail that fails, " + windowWords(v.Window), notes: leftWords(v.LeftOut)}
	a.json = failuresView{"mailcheck.reports-failures/1", v}
	a.table.head = strings.Fields("domain source class confidence messages share_of_source none quarantine reject addresses reporters first last why fix")
	for _, x := range v.List {
		a.table.row(x.Domain, x.Source, string(x.Class), string(x.Confidence), x.Messages, x.Share, x.None, x.Quarantine, x.Reject, x.Hosts, len(x.Reporters), x.First, x.Last, strings.Join(x.Why, "; "), fixWords(x.Fixes))
	}
	if v.Messages == 0 {
		a.empty = o.nothing(cmd, "mail")
	}
	a.text = func(p *sheet) { failuresText(p, v, a.notes) }
	return o.print(s, a)
}

// classHeads say what a class is to somebody who meets it first.
var classHeads = map[insight.Class]string{
	insight.Own:        "Sent for you by sources that are not set up: fix these",
	insight.Unknown:    "Nobody can tell: say what they are with --ours, --forwarder or --forger",
	insight.Forwarding: "Forwarded: passed once, and lost on the way",
	insight.List:       "Mailing lists, which change what they send on",
	insight.Spoofing:   "Forged: this is what the policy is for",
}

func failuresText(p *sheet, v *insight.Failures, notes []string) {
	p.para("%s of %s messages pass neither SPF nor DKIM (%s), %s", counted(v.Failing), counted(v.Messages), rate(ratio(v.Failing, v.Messages)), windowWords(v.Window))
	for _, c := range v.Classes {
		if c.Messages == 0 {
			continue
		}
		p.head(classHeads[c.Class])
		p.para("%s from %s", messages(c.Messages), plural(c.Sources, "source", "sources"))
		n := 0
		for _, x := range v.List {
			if x.Class != c.Class {
				continue
			}
			if n++; n > maxShownSources/2 {
				continue
			}
			p.WriteByte('\n')
			p.hang("", "", 2, fmt.Sprintf("%s: %s (%s of what it sends), confidence %s", x.Source, messages(x.Messages), rate(x.Share), x.Confidence))
			p.hang("", "", 4, fmt.Sprintf("%s; delivered %s, put aside %s, refused %s; %s to %s", addressWords(x.Addresses, x.Hosts), counted(x.None), counted(x.Quarantine), counted(x.Reject), x.First, x.Last))
			for i, w := range x.Why {
				p.hang("    ", first(i, "why"), 10, w)
			}
			for i, f := range x.Fixes {
				writeFix(p, "  "+first(i, "fix"), f)
			}
		}
		if more := c.Sources - maxShownSources/2; more > 0 {
			p.para("and %s more (-o csv lists more of them)", counted(int64(more)))
		}
	}
	p.notes(notes)
}
