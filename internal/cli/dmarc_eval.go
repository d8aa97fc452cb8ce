package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type dmarcEvalOptions struct {
	lookupOptions
	from      []string
	spfDomain string
	spfResult string
	dkim      []string
}

// Words of Authentication-Results (RFC 8601, Sections 2.7.1 and 2.7.2).
var (
	spfWords  = []string{"pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy"}
	dkimWords = []string{"pass", "fail", "neutral", "none", "temperror", "permerror", "policy"}
)

func newDMARCEval(s Streams) *cobra.Command {
	o := &dmarcEvalOptions{}
	cmd := &cobra.Command{
		Use:   "eval --from DOMAIN",
		Short: "Decide what DMARC makes of a message",
		Long: `Decide what DMARC makes of a message, given how SPF and DKIM ended for it, for
receivers that follow RFC 9989 and those that still follow RFC 7489.

--spf-domain is the domain of MAIL FROM, or of HELO if MAIL FROM is empty (<>).
--dkim is d= of a signature and its result, once for each signature.
Exit status: 0 pass, or no DMARC for the domain, 1 fail or permerror, 2 temperror,
3 wrong usage.`,
		Example: `  mailcheck dmarc eval --from example.org --spf-domain bounce.example.org --spf-result pass
  mailcheck dmarc eval --from example.org --spf-domain esp.example --spf-result pass --dkim example.org=fail --dkim esp.example=pass
  mailcheck dmarc eval --from shop.example.org -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.add(cmd)
	fs := cmd.Flags()
	fs.StringArrayVar(&o.from, "from", nil, "`domain` of the From field, repeatable for a From with several")
	fs.StringVar(&o.spfDomain, "spf-domain", "", "`domain` that SPF was checked for: of MAIL FROM")
	fs.StringVar(&o.spfResult, "spf-result", "", "`result` of SPF: "+strings.Join(spfWords, ", "))
	fs.StringArrayVar(&o.dkim, "dkim", nil, "`domain=result` of a DKIM signature, repeatable")
	return cmd
}

func (o *dmarcEvalOptions) run(cmd *cobra.Command, s Streams) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	ids, err := o.identifiers()
	if err != nil {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	d := dmarc.Discover(ctx, res, ids.From[0], dmarc.Options{})
	e := dmarc.Evaluate(ctx, res, ids, d)
	if err := interrupted(cmd); err != nil {
		return err
	}
	v := viewEval(ids, e)
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = v.text(s)
	}
	if err != nil {
		return err
	}
	switch e.Now.Result {
	case dmarc.ResultFail, dmarc.ResultPermError:
		return exit(ExitFindings)
	case dmarc.ResultTempError:
		return exit(ExitIncomplete)
	}
	return nil
}

// identifiers turns the flags into values.
func (o *dmarcEvalOptions) identifiers() (dmarc.Identifiers, error) {
	var ids dmarc.Identifiers
	if len(o.from) == 0 {
		return ids, usage("give the domain of the From field, for example --from example.org", "--from is needed")
	}
	for _, f := range o.from {
		n, err := parseDomain(f, "--from")
		if err != nil {
			return ids, err
		}
		ids.From = append(ids.From, n)
	}
	switch {
	case o.spfDomain == "" && o.spfResult == "":
	case o.spfDomain == "":
		return ids, usage("the domain of MAIL FROM, or of HELO if that is empty", "--spf-result needs --spf-domain")
	case o.spfResult == "":
		return ids, usage("one of "+strings.Join(spfWords, ", "), "--spf-domain needs --spf-result")
	default:
		n, err := parseDomain(o.spfDomain, "--spf-domain")
		if err != nil {
			return ids, err
		}
		r, err := resultWord("--spf-result", o.spfResult, spfWords)
		if err != nil {
			return ids, err
		}
		ids.SPF = dmarc.Identifier{Domain: n, Result: r}
	}
	for _, x := range o.dkim {
		domain, result, found := strings.Cut(x, "=")
		if !found {
			return ids, usage("for example --dkim example.org=pass", "--dkim %q has no result", x)
		}
		n, err := parseDomain(domain, "--dkim")
		if err != nil {
			return ids, err
		}
		r, err := resultWord("--dkim", result, dkimWords)
		if err != nil {
			return ids, err
		}
		ids.DKIM = append(ids.DKIM, dmarc.Identifier{Domain: n, Result: r})
	}
	return ids, nil
}

func resultWord(flag, word string, words []string) (string, error) {
	for _, w := range words {
		if strings.EqualFold(strings.TrimSpace(word), w) {
			return w, nil
		}
	}
	hint := flag + " takes " + strings.Join(words, ", ")
	if best := nearest(word, words); best != "" {
		hint = "did you mean " + best + "? " + hint
	}
	return "", usage(hint, "%s: unknown result %q", flag, word)
}

// evalView is the document of schema mailcheck.dmarc-eval/1.
type evalView struct {
	Schema       string   `json:"schema"`
	From         []string `json:"from"`
	AuthorDomain string   `json:"author_domain"`
	verdictView
	AuthResults string      `json:"authentication_results"` // as a receiver would write it
	Legacy      verdictView `json:"rfc7489"`
}

type verdictView struct {
	Result       string      `json:"result"`
	Disposition  string      `json:"disposition"`
	Percent      int         `json:"pct"`
	PolicyDomain nullable    `json:"policy_domain"`
	Policy       nullable    `json:"policy"`
	AppliedTag   nullable    `json:"applied_tag"`
	Testing      bool        `json:"testing"`
	Alignment    []alignView `json:"alignment"`
	Why          string      `json:"why"`
}

type alignView struct {
	Method       string   `json:"method"`
	Domain       string   `json:"domain"`
	Result       string   `json:"result"`
	Mode         string   `json:"mode"`
	Organization nullable `json:"organizational_domain"`
	Aligned      string   `json:"aligned"` // "yes", "no", "unknown", or "not-applicable" to what did not pass
	Why          string   `json:"why"`
}

func viewEval(ids dmarc.Identifiers, e dmarc.Evaluation) evalView {
	v := evalView{
		Schema: "mailcheck.dmarc-eval/1", From: []string{}, AuthorDomain: e.Author.String(),
		verdictView: viewVerdict(e.Now), Legacy: viewVerdict(e.Legacy),
	}
	for _, n := range ids.From {
		v.From = append(v.From, n.String())
	}
	// RFC 9989, Sections 9.1 and 9.2.
	v.AuthResults = fmt.Sprintf("dmarc=%s header.from=%s", e.Now.Result, e.Author)
	if p := e.Now.Policy; p.State == resolve.Present {
		v.AuthResults += " policy.dmarc=" + string(p.Effective)
	}
	return v
}

func viewVerdict(x dmarc.Verdict) verdictView {
	v := verdictView{
		Result: string(x.Result), Disposition: string(x.Disposition), Percent: x.Percent, PolicyDomain: nameOrNull(x.Policy.Domain),
		Policy: nullable(x.Policy.Value), AppliedTag: nullable(x.Policy.Source), Testing: x.Policy.Testing, Alignment: []alignView{}, Why: safe.Text(x.Why),
	}
	for _, a := range x.Alignments {
		mode := "relaxed"
		if a.Strict {
			mode = "strict"
		}
		aligned := map[resolve.State]string{resolve.Present: "yes", resolve.Absent: "no", resolve.Unavailable: "unknown"}[a.State]
		if a.Result != "pass" && a.Result != "temperror" {
			aligned = "not-applicable"
		}
		v.Alignment = append(v.Alignment, alignView{a.Method, a.Domain.String(), a.Result, mode, nameOrNull(a.Organizational), aligned, safe.Text(a.Why)})
	}
	return v
}

func (v evalView) text(s Streams) error {
	p := newSheet(s)
	p.para("DMARC for mail from %s: %s", strings.Join(v.From, ", "), v.Result)
	p.WriteByte('\n')
	v.verdictView.write(p, "By RFC 9989")
	if v.Result == string(dmarc.ResultFail) && v.Disposition == string(dmarc.Reject) {
		p.item("a receiver that knows nothing else of the mail takes reject as quarantine (RFC 9989, Section 7.4)")
	}
	p.WriteByte('\n')
	v.Legacy.write(p, "By RFC 7489")
	p.head("Authentication-Results")
	p.whole("  ", v.AuthResults)
	return p.flush(s.Out)
}

func (v verdictView) write(p *sheet, label string) {
	words := v.Result
	switch {
	case v.Result == string(dmarc.ResultFail) && v.Disposition == string(dmarc.None):
		words += ", and the policy asks for nothing to be done about it"
	case v.Result == string(dmarc.ResultFail) && v.Percent < 100:
		words += fmt.Sprintf(", so %s for %d%% of such mail", v.Disposition, v.Percent)
	case v.Result == string(dmarc.ResultFail):
		words += ", so " + v.Disposition
	}
	p.field(label, "%s", words)
	p.field("", "%s", v.Why)
	for _, a := range v.Alignment {
		aligned := map[string]string{"yes": "aligned", "no": "not aligned", "unknown": "alignment unknown"}[a.Aligned]
		if aligned == "" {
			p.item("%s %s: %s, so alignment does not matter", a.Method, a.Domain, a.Result)
			continue
		}
		p.item("%s %s: %s, %s (%s): %s", a.Method, a.Domain, a.Result, aligned, a.Mode, a.Why)
	}
}
