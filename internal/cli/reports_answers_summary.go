package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/reports/insight"
)

func newReportsSummary(s Streams) *cobra.Command {
	o := &answerOptions{}
	cmd := &cobra.Command{
		Use:   "summary",
		Short: "How much mail passes, by domain, and what changed",
		Long: `Tell for each policy domain how much mail was reported, what part of it passes DMARC
and by which mechanism, what receivers did with it, and what changed against the
same number of days before --since. With one domain, the author domains in From are
told apart: those that never pass are unused, parked or not set up.

Exit status: 0 answered, 2 there are no reports to answer from, 3 wrong usage, 4 the
archive failed.`,
		Example: `  mailcheck reports summary --since 7d
  mailcheck reports summary --domain example.org --since 2026-11 -o json
  mailcheck reports summary --from ~/reports`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.summary(cmd, s, args) },
	}
	o.add(cmd, tables...)
	return cmd
}

func (o *answerOptions) summary(cmd *cobra.Command, s Streams, args []string) error {
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	v, err := q.Summary(cmd.Context())
	if err != nil {
		return storeError("this archive", err)
	}
	a := answer{title: "Mail by domain, " + windowWords(v.Window), notes: leftWords(v.LeftOut)}
	a.json = summaryView{"mailcheck.reports-summary/1", v}
	a.table.head = strings.Fields("domain messages passed pass_share dkim_and_spf dkim_only spf_only neither none quarantine reject other overridden records reports pass_share_change first last")
	for _, d := range v.Domains {
		a.table.row(d.Domain, d.Messages, d.Passed, d.Share, d.Both, d.DKIMOnly, d.SPFOnly, d.Neither, d.None, d.Quarantine, d.Reject, d.Other, d.Overridden, d.Rows, d.Reports, d.Change, d.First, d.Last)
	}
	for _, d := range v.Domains {
		t := table{title: "Author domains of " + d.Domain, head: []string{"author", "messages", "passed", "pass share"}}
		for _, x := range d.Authors {
			t.row(x.Domain, x.Messages, x.Passed, x.Share)
		}
		if len(t.rows) > 1 {
			a.more = append(a.more, t)
		}
	}
	if v.Total.Messages == 0 && v.Total.Reports == 0 {
		a.empty = o.nothing(cmd, "aggregate report")
	}
	a.text = func(p *sheet) { summaryText(p, v, a.notes) }
	return o.print(s, a)
}

func summaryText(p *sheet, v *insight.Summary, notes []string) {
	p.para("Mail of %s, %s", plural(len(v.Domains), "domain", "domains"), windowWords(v.Window))
	p.WriteByte('\n')
	head := []string{"Domain", "Messages", "Passes", "DKIM+SPF", "DKIM", "SPF", "Neither", "Change"}
	var rows [][]string
	row := func(name string, d insight.DomainTotal) {
		rows = append(rows, []string{name, counted(d.Messages), rate(d.Share), counted(d.Both), counted(d.DKIMOnly), counted(d.SPFOnly), counted(d.Neither), points(d.Change)})
	}
	const shown = 50
	for _, d := range v.Domains[:min(len(v.Domains), shown)] {
		row(d.Domain, d)
	}
	if len(v.Domains) > 1 {
		row("all", v.Total)
	}
	if v.Before == nil {
		head = head[:7]
		for i := range rows {
			rows[i] = rows[i][:7]
		}
	}
	p.grid(head, rows, 1, 2, 3, 4, 5, 6, 7)
	if more := len(v.Domains) - shown; more > 0 {
		p.para("and %d more domains (-o csv lists all)", more)
	}
	t := v.Total
	p.WriteByte('\n')
	p.field("Receivers", "delivered %s, put aside %s, refused %s%s; %s with a reason of their own", counted(t.None), counted(t.Quarantine), counted(t.Reject), other(t.Other), counted(t.Overridden))
	p.field("Evidence", "%s in %s", plural(int(t.Rows), "record", "records"), plural(int(t.Reports), "report", "reports"))
	if v.Before != nil {
		was := int64(0)
		if t.Earlier != nil {
			was = t.Earlier.Messages
		}
		p.field("Before", "%s messages, %s (Change is in points against these days)", counted(was), windowWords(*v.Before))
	}
	for _, d := range v.Domains[:min(len(v.Domains), shown)] {
		summaryDomain(p, d, len(v.Domains) == 1)
	}
	p.notes(notes)
	if t.Neither > 0 {
		writeNext(p, "mailcheck reports failures")
	}
}

func other(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", something else %s", counted(n))
}

// summaryDomain writes the policy and, of a single domain, the authors.
func summaryDomain(p *sheet, d insight.DomainTotal, alone bool) {
	if alone && d.Policy != nil {
		p.field("Policy", "%s, as the report of %s has it", policyText(d.Policy), d.Policy.Last)
	}
	if !alone || len(d.Authors) < 2 {
		return
	}
	p.head("Author domains")
	var rows [][]string
	const shown = 20
	for _, x := range d.Authors[:min(len(d.Authors), shown)] {
		note := ""
		if x.Silent {
			note = "never passed"
		}
		rows = append(rows, []string{cmp.Or(x.Domain, "(none)"), counted(x.Messages), rate(x.Share), note})
	}
	p.grid([]string{"From", "Messages", "Passes", ""}, rows, 1, 2)
	if more := len(d.Authors) - shown + d.MoreAuthors; more > 0 {
		p.para("and %d more", more)
	}
}

func policyText(s *insight.Seen) string {
	out := "p=" + s.P
	for _, t := range [][2]string{{"sp", s.SP}, {"np", s.NP}, {"t", s.Testing}, {"pct", s.Pct}} {
		if t[1] != "" {
			out += "; " + t[0] + "=" + t[1]
		}
	}
	return out
}
