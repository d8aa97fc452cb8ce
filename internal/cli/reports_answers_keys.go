package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/reports/insight"
)

func newReportsSelectors(s Streams) *cobra.Command {
	o := &answerOptions{}
	cmd := &cobra.Command{
		Use:   "selectors",
		Short: "Which DKIM keys sign, which fail, which can be retired",
		Long: fmt.Sprintf(`Tell which DKIM selectors of the domain were seen, which of them fail, and which have
not passed for %d days and can be retired. With --dns, also what is published under
them now. 'mailcheck dkim find --from-archive' asks for
all of them.

Exit status: 0 answered, 2 there are no reports to answer from, 3 wrong usage, 4 the
archive failed.`, insight.IdleDays),
		Example: `  mailcheck reports selectors --domain example.org
  mailcheck reports selectors --domain example.org --dns -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.selectors(cmd, s, args) },
	}
	o.add(cmd, tables...)
	return cmd
}

func (o *answerOptions) selectors(cmd *cobra.Command, s Streams, args []string) error {
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	v, err := q.Selectors(cmd.Context())
	if err != nil {
		return storeError("this archive", err)
	}
	a := answer{title: "DKIM selectors, " + windowWords(v.Window)}
	a.json = selectorsView{"mailcheck.reports-selectors/1", v}
	a.table.head = strings.Fields("policy_domain domain selector use pass fail pass_share first last_pass last_fail reporters key cname provider advice")
	for _, x := range v.List {
		a.table.row(x.Policy, x.Domain, x.Selector, string(x.Use), x.Pass, x.Fail, x.Share, x.First, x.Last, x.LastFail, x.Reporters, x.Key, x.Target, x.Provider, x.Advice)
	}
	if v.Unnamed > 0 {
		a.notes = append(a.notes, fmt.Sprintf("%s signed messages are from reporters that do not tell the selector", counted(v.Unnamed)))
	}
	if len(v.List) == 0 && v.Unnamed == 0 {
		a.empty = o.nothing(cmd, "signature of the domain in the reports")
	}
	a.text = func(p *sheet) { selectorsText(p, v, a) }
	return o.print(s, a)
}

func selectorsText(p *sheet, v *insight.Selectors, a answer) {
	p.para("%s, %s", plural(len(v.List), "selector", "selectors"), windowWords(v.Window))
	p.WriteByte('\n')
	var rows [][]string
	for _, x := range v.List {
		key := x.Key
		if key != "" {
			key = "key " + key
		}
		rows = append(rows, []string{x.Selector + " of " + x.Domain, string(x.Use), counted(x.Pass), counted(x.Fail), cmp.Or(x.Last.String(), "never"), key})
	}
	p.grid([]string{"Selector", "Use", "Pass", "Fail", "Last pass", ""}, rows, 2, 3)
	for _, x := range v.List {
		if x.Advice != "" {
			p.WriteByte('\n')
			p.para("%s._domainkey.%s: %s", x.Selector, x.Domain, x.Advice)
		}
	}
	p.notes(a.notes)
}

func newReportsTLS(s Streams) *cobra.Command {
	o := &answerOptions{}
	cmd := &cobra.Command{
		Use:   "tls",
		Short: "How TLS went on the way to our mail exchangers",
		Long: `Sum up the TLS reports (RFC 8460): sessions by policy domain and policy type, and what
failed, by type and mail exchanger.

Exit status: 0 answered, 2 there are no reports to answer from, 3 wrong usage, 4 the
archive failed.`,
		Example: `  mailcheck reports tls --domain example.org --since 30d
  mailcheck reports tls -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.tls(cmd, s, args) },
	}
	o.add(cmd, tables...)
	return cmd
}

func (o *answerOptions) tls(cmd *cobra.Command, s Streams, args []string) error {
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	v, err := q.TLS(cmd.Context())
	if err != nil {
		return storeError("this archive", err)
	}
	a := answer{title: "TLS of incoming mail, " + windowWords(v.Window)}
	a.json = tlsView{"mailcheck.reports-tls/1", v}
	a.table.head = strings.Fields("domain policy_type successful_sessions failed_sessions success_share reports reporters first last")
	failures := table{title: "Failures", head: []string{"domain", "policy", "failure", "mail exchanger", "sessions", "last", "advice"}}
	for _, x := range v.Policies {
		a.table.row(x.Domain, x.Type, x.Successful, x.Failed, x.Share, x.Reports, len(x.Reporters), x.First, x.Last)
		for _, f := range x.Failures {
			failures.row(x.Domain, x.Type, f.Type, f.ReceivingMX, f.Sessions, f.Last, f.Advice)
		}
	}
	a.more = []table{failures}
	if len(v.Policies) == 0 {
		a.empty = o.nothing(cmd, "TLS report")
	}
	a.text = func(p *sheet) { tlsText(p, v) }
	return o.print(s, a)
}

func tlsText(p *sheet, v *insight.TLS) {
	p.para("%s of %s sessions with TLS (%s), %s", counted(v.Successful), counted(v.Successful+v.Failed), rate(v.Share), windowWords(v.Window))
	p.WriteByte('\n')
	var rows [][]string
	for _, x := range v.Policies {
		rows = append(rows, []string{cmp.Or(x.Domain, "(no domain)"), x.Type, counted(x.Successful), counted(x.Failed), rate(x.Share), counted(x.Reports)})
	}
	p.grid([]string{"Domain", "Policy", "Sessions", "Failed", "Succeed", "Reports"}, rows, 2, 3, 4, 5)
	for _, x := range v.Policies {
		for _, f := range x.Failures {
			p.WriteByte('\n')
			p.para("%s at %s: %s sessions, last on %s, seen by %s", f.Type, cmp.Or(f.ReceivingMX, "a mail exchanger that is not named"), counted(f.Sessions), f.Last, shortList(f.Reporters, 3))
			if f.Advice != "" {
				p.hang("", "", 2, f.Advice)
			}
			if len(f.Reasons) > 0 {
				p.hang("", "", 2, "reason codes: "+strings.Join(f.Reasons, "; "))
			}
		}
	}
}
