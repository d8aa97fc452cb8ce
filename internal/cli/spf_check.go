package cli

import (
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/spf"
)

type spfCheckOptions struct {
	lookupOptions
	ip, from, helo string
	receiver       string
	explain        bool
	failOnNotPass  bool
}

func newSPFCheck(s Streams) *cobra.Command {
	o := &spfCheckOptions{}
	cmd := &cobra.Command{
		Use:   "check --ip ADDRESS --from ADDRESS --helo NAME",
		Short: "Decide as a receiver does whether a host may use a domain",
		Long: `Decide as a receiver does whether a host may use the domain of MAIL FROM, or of
HELO if --from is empty, as it is for a bounce (RFC 7208, Section 2.4).

Whatever a stranger could send is judged: an identity without a usable domain has
the result none. Exit status: 0 for every result but temperror, which is 2; with
--fail-on-not-pass 1 for a result other than pass; 3 wrong usage.`,
		Example: `  mailcheck spf check --ip 192.0.2.1 --from user@example.org --helo mail.example.org
  mailcheck spf check --ip 2001:db8::1 --from '' --helo mail.example.org
  mailcheck spf check --ip 192.0.2.1 --from user@example.org --explain
  mailcheck spf check --ip 192.0.2.1 --from user@example.org --zone example.org.zone --offline -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.ip, "ip", "", "`address` of the host that sends")
	cmd.Flags().StringVar(&o.from, "from", "", "MAIL FROM `address`, or a domain; empty for a bounce")
	cmd.Flags().StringVar(&o.helo, "helo", "", "`name` given with HELO or EHLO")
	cmd.Flags().StringVar(&o.receiver, "receiver", "", "`name` of the receiving host, for the macro r of explanations")
	cmd.Flags().BoolVar(&o.explain, "explain", false, "show each term that was evaluated")
	cmd.Flags().BoolVar(&o.failOnNotPass, "fail-on-not-pass", false, "exit with status 1 for a result other than pass")
	return cmd
}

// spfCheckView is the document of schema mailcheck.spf-check/1.
type spfCheckView struct {
	Schema      string        `json:"schema"`
	Result      string        `json:"result"`
	Explanation string        `json:"explanation"` // empty unless the domain gives one for a fail
	Mechanism   string        `json:"mechanism"`   // the directive that matched; empty if none did
	Domain      string        `json:"domain"`      // that was checked; empty if there is none
	Lookups     int           `json:"lookups"`
	Voids       int           `json:"void_lookups"`
	Problem     string        `json:"problem"` // why there is no verdict; empty if there is one
	Trace       []spfStepView `json:"trace"`
}

type spfStepView struct {
	Depth   int    `json:"depth"`
	Domain  string `json:"domain"`
	Record  string `json:"record,omitempty"` // a record entered
	Term    string `json:"term,omitempty"`   // or a term of it
	Target  string `json:"target,omitempty"`
	Match   bool   `json:"match"`
	Lookups int    `json:"lookups"` // so far
	Voids   int    `json:"void_lookups"`
	Error   string `json:"error,omitempty"`
}

func (o *spfCheckOptions) run(cmd *cobra.Command, s Streams) error {
	ip, err := netip.ParseAddr(strings.TrimSpace(o.ip))
	if err != nil {
		hint := "for example --ip 192.0.2.25"
		if o.ip == "" {
			return usage(hint, "no --ip given: the result depends on the host that sends")
		}
		return usage(hint, "--ip %q is not an IP address", o.ip)
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	r := spf.Check(ctx, res, spf.Args{IP: ip.WithZone(""), Helo: o.helo, MailFrom: o.from}, spf.Options{Trace: true, Receiver: o.receiver})
	if err := interrupted(cmd); err != nil {
		return err
	}
	v := viewSPFCheck(r)
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = o.text(s, r, v)
	}
	if err != nil {
		return err
	}
	switch {
	case o.failOnNotPass && r.Status != spf.Pass && r.Status != spf.TempError:
		return exit(ExitFindings)
	case r.Status == spf.TempError:
		return exit(ExitIncomplete)
	}
	return nil
}

func viewSPFCheck(r spf.Result) spfCheckView {
	v := spfCheckView{
		Schema: "mailcheck.spf-check/1", Result: string(r.Status), Explanation: safe.Text(r.Explanation), Mechanism: safe.Text(r.Term),
		Lookups: r.Lookups, Voids: r.Voids, Problem: spfProblem(r.Err), Trace: []spfStepView{},
	}
	if !r.Domain.IsZero() {
		v.Domain = r.Domain.String()
	}
	for _, s := range r.Trace {
		x := spfStepView{Depth: s.Depth, Domain: s.Domain.String(), Term: safe.Text(s.Text), Match: s.Match, Lookups: s.Lookups, Voids: s.Voids, Error: spfProblem(s.Err)}
		if s.Term < 0 {
			x.Record, x.Term = x.Term, ""
		}
		if !s.Target.IsZero() {
			x.Target = s.Target.String()
		}
		v.Trace = append(v.Trace, x)
	}
	return v
}

// meanings are the results in words.
var meanings = map[spf.Status]string{
	spf.None:      "there is no SPF record, or no domain to look at",
	spf.Neutral:   "the domain says nothing about this host",
	spf.Pass:      "the host may send for the domain",
	spf.Fail:      "the host may not send for the domain",
	spf.SoftFail:  "the host probably may not send for the domain",
	spf.TempError: "DNS did not answer, so nothing is known",
	spf.PermError: "the record cannot be evaluated, and receivers treat it as broken",
}

func (o *spfCheckOptions) text(s Streams, r spf.Result, v spfCheckView) error {
	p := newSheet(s)
	p.para("%s: %s", v.Result, meanings[r.Status])
	p.WriteByte('\n')
	p.field("Client", "%s", o.ip)
	if strings.Trim(o.from, "<>") != "" {
		p.field("MAIL FROM", "%s", shorten(o.from))
	} else {
		p.field("HELO", "%s (as MAIL FROM is empty)", shorten(o.helo))
	}
	if v.Domain != "" {
		p.field("Domain", "%s", v.Domain)
	}
	if r.Term != "" {
		p.field("Matched", "%s in the record of %s", r.Term, r.Record)
		if r.InnerTerm != r.Term || r.InnerRecord != r.Record {
			p.field("", "by %s in the record of %s", r.InnerTerm, r.InnerRecord)
		}
	}
	p.field("Lookups", "%d of %d, %d of %d without an answer", r.Lookups, spf.MaxLookups, r.Voids, spf.MaxVoids)
	if v.Explanation != "" {
		p.field("Explanation", "%s", v.Explanation)
	}
	if v.Problem != "" {
		p.field("Problem", "%s", v.Problem)
	}
	if o.explain {
		writeTrace(p, v.Trace)
	}
	switch {
	case r.Status == spf.TempError:
		writeNext(p, lookupHint(r.Err))
	case r.Status == spf.PermError:
		writeNext(p, "mailcheck spf tree "+v.Domain)
	}
	return p.flush(s.Out)
}

// writeNext says what to type next.
func writeNext(p *sheet, text string) {
	p.WriteByte('\n')
	p.hang("", "Next:", 6, text)
}

func shorten(text string) string { return safe.Limit(text, 300) }

func writeTrace(p *sheet, trace []spfStepView) {
	p.head("Evaluation")
	for _, x := range trace {
		indent := strings.Repeat("  ", x.Depth+1)
		if x.Record != "" {
			p.WriteString(indent + x.Domain + "\n")
			p.whole(indent+"  ", x.Record)
			continue
		}
		words := x.Term
		if x.Target != "" && !strings.Contains(x.Term, x.Target) {
			words += " (" + x.Target + ")"
		}
		switch {
		case x.Error != "":
			words += ": " + x.Error
		case x.Match:
			words += ": match"
		default:
			words += ": no match"
		}
		p.hang(indent+"  ", "-", len(indent)+4, words)
	}
}
