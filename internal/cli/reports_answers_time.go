package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/reports/insight"
)

func newReportsTimeline(s Streams) *cobra.Command {
	o := &answerOptions{}
	var by string
	cmd := &cobra.Command{
		Use:   "timeline",
		Short: "How mail fares by day, week or month",
		Long: `Tell what was reported and what part of it passed, period by period, with those in
which clearly less passed than in the ones before, and those without reports.

Exit status: 0 answered, 2 there are no reports to answer from, 3 wrong usage, 4 the
archive failed.`,
		Example: `  mailcheck reports timeline --domain example.org --since 30d
  mailcheck reports timeline --by month --since 1y -o csv`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.timeline(cmd, s, args, insight.Unit(by)) },
	}
	o.add(cmd, tables...)
	cmd.Flags().StringVar(&by, "by", string(insight.Day), "`period`: day, week or month")
	return cmd
}

func (o *answerOptions) timeline(cmd *cobra.Command, s Streams, args []string, by insight.Unit) error {
	if err := oneOf(cmd, "by", string(by), "day", "week", "month"); err != nil {
		return err
	}
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	v, err := q.Timeline(cmd.Context(), by)
	if err != nil {
		return storeError("this archive", err)
	}
	a := answer{title: fmt.Sprintf("Mail by %s, %s", by, windowWords(v.Window)), notes: leftWords(v.LeftOut)}
	a.json = timelineView{"mailcheck.reports-timeline/1", v}
	a.table.head = strings.Fields("first last messages passed pass_share dkim_and_spf dkim_only spf_only neither none quarantine reject reports drop")
	var all int64
	for _, x := range v.Periods {
		all += x.Messages + x.Reports
		a.table.row(x.First, x.Last, x.Messages, x.Passed, x.Share, x.Both, x.DKIMOnly, x.SPFOnly, x.Neither, x.None, x.Quarantine, x.Reject, x.Reports, x.Drop)
	}
	if v.Silent > 0 && all > 0 {
		a.notes = append(a.notes, fmt.Sprintf("%s without any report: 'mailcheck reports reporters' tells who went silent", plural(v.Silent, string(by), string(by)+"s")))
	}
	if all == 0 {
		a.empty = o.nothing(cmd, "aggregate report")
	}
	a.text = func(p *sheet) { timelineText(p, v, a) }
	return o.print(s, a)
}

func timelineText(p *sheet, v *insight.Timeline, a answer) {
	p.para("%s", a.title)
	p.WriteByte('\n')
	most := int64(1)
	for _, x := range v.Periods {
		most = max(most, x.Messages)
	}
	const width = 20
	var rows [][]string
	empty := 0
	for i, x := range v.Periods {
		if x.Reports+x.Messages == 0 {
			empty++
			last := i == len(v.Periods)-1 || v.Periods[i+1].Reports+v.Periods[i+1].Messages > 0
			if empty > 2 && !last {
				continue // a long silence is one line
			}
			note := ""
			if empty > 3 {
				note = fmt.Sprintf("the last of %d without reports", empty)
			}
			rows = append(rows, []string{x.First.String(), "0", "-", "0", note})
			continue
		}
		empty = 0
		// The bar is messages; the part that fails is in dots.
		n := int(x.Messages * width / most)
		if x.Messages > 0 {
			n = max(n, 1)
		}
		fails := 0
		if x.Messages > 0 {
			fails = int((x.Messages - x.Passed) * int64(n) / x.Messages)
		}
		note := strings.Repeat("#", n-fails) + strings.Repeat(".", fails)
		if x.Drop {
			note += " drop, usually " + rate(x.Usual)
		}
		rows = append(rows, []string{x.First.String(), counted(x.Messages), rate(x.Share), counted(x.Neither), note})
	}
	p.grid([]string{"From", "Messages", "Passes", "Neither", ""}, rows, 1, 2, 3)
	if v.Earlier.Messages > 0 {
		p.para("%s before these days", messages(v.Earlier.Messages))
	}
	p.notes(a.notes)
}

func newReportsReporters(s Streams) *cobra.Command {
	o := &answerOptions{}
	cmd := &cobra.Command{
		Use:   "reporters",
		Short: "Who reports, who enforces the policy, who has gone silent",
		Long: `Tell who sends reports: how many, about how much mail, which policy they saw, whether
they enforce it, why they override it, and whose reports are overdue by their own
rhythm.

Exit status: 0 answered, 2 there are no reports to answer from, 3 wrong usage, 4 the
archive failed.`,
		Example: `  mailcheck reports reporters --domain example.org --since 30d
  mailcheck reports reporters -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.reporters(cmd, s, args) },
	}
	o.add(cmd, tables...)
	return cmd
}

func (o *answerOptions) reporters(cmd *cobra.Command, s Streams, args []string) error {
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	v, err := q.Reporters(cmd.Context())
	if err != nil {
		return storeError("this archive", err)
	}
	a := answer{title: "Reporters, " + windowWords(v.Window), notes: leftWords(v.LeftOut)}
	a.json = reportersView{"mailcheck.reports-reporters/1", v}
	a.table.head = strings.Fields("reporter org_name reports messages passed neither none quarantine reject overridden enforces blocked_share reasons first last interval_days silent policy incomplete")
	for _, x := range v.List {
		name, policy := "", ""
		if len(x.Names) > 0 {
			name = x.Names[0]
		}
		if len(x.Policies) > 0 {
			policy = policyText(&x.Policies[0])
		}
		a.table.row(x.Reporter, name, x.Reports, x.Messages, x.Passed, x.Neither, x.None, x.Quarantine, x.Reject, x.Overridden, string(x.Enforces), x.Blocked, reasonWords(x.Reasons), x.First, x.Last, x.Interval, x.Silent, policy, x.Incomplete)
	}
	if len(v.List) == 0 {
		a.empty = o.nothing(cmd, "aggregate report")
	}
	a.text = func(p *sheet) { reportersText(p, v, a) }
	return o.print(s, a)
}

func reasonWords(list []insight.Tally) string {
	var out []string
	for _, r := range list {
		w := fmt.Sprintf("%s %d", cmp.Or(r.Word, "(no type)"), r.Messages)
		if len(r.Comments) > 0 {
			w += " (" + r.Comments[0] + ")"
		}
		out = append(out, w)
	}
	return strings.Join(out, ", ")
}

func reportersText(p *sheet, v *insight.Reporters, a answer) {
	p.para("%s, %s", plural(len(v.List), "reporter", "reporters"), windowWords(v.Window))
	p.WriteByte('\n')
	var rows [][]string
	const shown = 60
	for _, x := range v.List[:min(len(v.List), shown)] {
		note := ""
		if x.Silent {
			note = "silent"
		}
		enforces := string(x.Enforces)
		if x.Enforces == insight.NothingToDo {
			enforces = "-"
		}
		rows = append(rows, []string{x.Reporter, counted(x.Reports), counted(x.Messages), counted(x.Neither), enforces, note})
	}
	p.grid([]string{"Reporter", "Reports", "Messages", "Neither", "Enforces", ""}, rows, 1, 2, 3)
	if more := len(v.List) - shown; more > 0 {
		p.para("and %d more (-o csv lists all)", more)
	}
	if v.Silent > 0 {
		p.head("Gone silent")
	}
	for _, x := range v.List {
		if x.Silent {
			p.item("%s: the last report is of %s, and there was one every %s", x.Reporter, x.Last, plural(x.Interval, "day", "days"))
		}
	}
	said := false
	for _, x := range v.List {
		if len(x.Reasons) == 0 {
			continue
		}
		if !said {
			p.head("Why they override")
			said = true
		}
		p.item("%s: %s", x.Reporter, reasonWords(x.Reasons))
	}
	policies := map[string][]string{}
	var order []string
	for _, x := range v.List {
		if len(x.Policies) == 0 {
			continue
		}
		k := policyText(&x.Policies[0])
		if policies[k] == nil {
			order = append(order, k)
		}
		policies[k] = append(policies[k], x.Reporter)
	}
	if len(order) > 0 {
		p.head("Policies they saw last")
		for _, k := range order {
			p.item("%s: %s", k, shortList(policies[k], 8))
		}
	}
	p.notes(a.notes)
}

// shortList names a few and counts the rest.
func shortList(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:n], ", "), len(list)-n)
}
