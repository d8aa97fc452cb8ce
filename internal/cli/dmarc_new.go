package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type dmarcNewOptions struct {
	lookupOptions
	policy, sp, np string
	rua, ruf       []string
	adkim, aspf    string
	fo, psd        string
	testing        bool
	replace        bool
}

func newDMARCNew(s Streams) *cobra.Command {
	o := &dmarcNewOptions{}
	cmd := &cobra.Command{
		Use:   "new DOMAIN --policy POLICY",
		Short: "Write the first DMARC record of a domain",
		Long: `Write the DMARC record of a domain that has none, and look first whether it has.
Start with --policy none and --rua, read the reports, then use 'mailcheck dmarc stage'.

Exit status: 0 the record is printed, 1 there is a record already, 2 whether there
is one could not be known (the record is printed all the same), 3 wrong usage.
With --offline nothing is looked up outside of the zone files.`,
		Example: `  mailcheck dmarc new example.org --policy none --np reject --rua dmarc@example.org
  mailcheck dmarc new shop.example.org --policy quarantine --testing --rua dmarc@example.org
  mailcheck dmarc new example.org --policy reject --adkim s --rua mailto:a@example.org --offline -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	fs := cmd.Flags()
	fs.StringVarP(&o.policy, "policy", "p", "", "`policy` of the domain: none, quarantine or reject")
	fs.StringVar(&o.sp, "sp", "", "`policy` of subdomains that exist, if it differs")
	fs.StringVar(&o.np, "np", "", "`policy` of names that do not exist; reject is safe early")
	fs.StringArrayVar(&o.rua, "rua", nil, "`address` or URI for aggregate reports, repeatable")
	fs.StringArrayVar(&o.ruf, "ruf", nil, "`address` or URI for failure reports, repeatable; few receivers send them")
	fs.StringVar(&o.adkim, "adkim", "", "alignment of DKIM: r (relaxed) or s (strict)")
	fs.StringVar(&o.aspf, "aspf", "", "alignment of SPF: r (relaxed) or s (strict)")
	fs.BoolVar(&o.testing, "testing", false, "t=y: ask for one level less than the policy")
	fs.StringVar(&o.fo, "fo", "", "`options` for failure reports: 0, 1, d, s")
	fs.StringVar(&o.psd, "psd", "", "n: this is the organizational domain; y: a public suffix domain; u: neither is said")
	fs.BoolVar(&o.replace, "replace", false, "replace the record that is there, all of it")
	fs.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		// The names of the tags are as good as ours.
		switch name {
		case "p":
			name = "policy"
		case "t":
			name = "testing"
		}
		return pflag.NormalizedName(name)
	})
	return cmd
}

// fields checks the flags.
func (o *dmarcNewOptions) fields() (dmarc.Record, error) {
	f := dmarc.Fields{RUA: splitURIs(o.rua), RUF: splitURIs(o.ruf), FO: strings.ToLower(o.fo), PSD: strings.ToLower(o.psd), Testing: o.testing}
	if o.policy == "" {
		return dmarc.Record{}, usage("start with --policy none --rua ADDRESS", "--policy is needed: none, quarantine or reject")
	}
	for _, x := range []struct {
		flag, value string
		to          *dmarc.Policy
	}{{"policy", o.policy, &f.P}, {"sp", o.sp, &f.SP}, {"np", o.np, &f.NP}} {
		if x.value == "" {
			continue
		}
		*x.to = dmarc.Policy(strings.ToLower(x.value))
		if words := []string{"none", "quarantine", "reject"}; !slices.Contains(words, string(*x.to)) {
			hint := "a policy is none, quarantine or reject"
			if best := nearest(x.value, words); best != "" {
				hint = "did you mean " + best + "? " + hint
			}
			return dmarc.Record{}, usage(hint, "--%s: %q is no policy", x.flag, x.value)
		}
	}
	for _, x := range []struct {
		flag, value string
		to          *bool
	}{{"adkim", o.adkim, &f.StrictDKIM}, {"aspf", o.aspf, &f.StrictSPF}} {
		switch strings.ToLower(x.value) {
		case "", "r", "relaxed":
		case "s", "strict":
			*x.to = true
		default:
			return dmarc.Record{}, usage("r is relaxed, s is strict", "--%s: %q is no alignment mode", x.flag, x.value)
		}
	}
	rec, err := dmarc.New(f)
	if err != nil {
		return rec, usage(editHint(err), "%w", err)
	}
	return rec, nil
}

// splitURIs takes lists with commas as well: an address that holds one has to be
// given as a URI.
func splitURIs(list []string) []string {
	var out []string
	for _, x := range list {
		for u := range strings.SplitSeq(x, ",") {
			if u = strings.TrimSpace(u); !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out
}

func editHint(err error) string {
	m := err.Error()
	switch {
	case strings.Contains(m, "fo says"):
		return "add --ruf, or drop --fo"
	case strings.Contains(m, "t=y lowers"):
		return "drop --testing, or choose --policy quarantine"
	case strings.Contains(m, "rua"), strings.Contains(m, "ruf"), strings.Contains(m, "mail address"), strings.Contains(m, "URI"), strings.Contains(m, "mailto:"):
		return "give an address such as dmarc@example.org, or a URI such as mailto:dmarc@example.org"
	}
	return "RFC 9989, Section 4.7 lists the tags and their values"
}

func (o *dmarcNewOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	rec, err := o.fields()
	if err != nil {
		return err
	}
	name, err := domain.Below("_dmarc")
	if err != nil {
		return usage("publish it at a shorter name above", "no record can be published for %s: %w", domain, err)
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	p := &present{ctx: ctx, r: res, offline: o.offline}
	v := changeView{Schema: "mailcheck.dmarc-change/1", Command: "new", Domain: domain.String(), Record: nullable(rec.String())}
	there := p.records(name, resolve.TypeTXT)
	if err := interrupted(cmd); err != nil {
		return err
	}
	if err := o.edits(&v, p, name, rec, there); err != nil {
		return err
	}
	v.Present = stateWord(p.state(len(there) > 0))
	if err := v.merge(p); err != nil {
		return err
	}
	v.Warnings = append(v.Warnings, rec.Cautions()...)
	v.Warnings = append(v.Warnings, afterwards(ctx, res, domain, rec)...)
	if len(p.unknown) > 0 {
		v.Warnings = append(v.Warnings, fmt.Sprintf("whether there is a record already is unknown (%v): with two of them none counts", p.unknown[0]))
	}
	if err := v.print(s, o.format); err != nil {
		return err
	}
	if len(p.unknown) > 0 {
		return exit(ExitIncomplete)
	}
	return nil
}

// edits decides what becomes of the texts that are there.
func (o *dmarcNewOptions) edits(v *changeView, p *present, name resolve.Name, rec dmarc.Record, there []resolve.Record) error {
	owner := name
	if n := len(p.aliases); n > 0 {
		// RFC 1034, Section 3.6.2: nothing may stand beside a CNAME.
		owner = p.aliases[n-1].Target
		v.Warnings = append(v.Warnings, fmt.Sprintf("%s is an alias of %s: whoever runs that zone has to publish the record, or the CNAME has to go", name, owner))
		p.know(owner, resolve.TypeTXT, there)
	}
	old := dmarcRecords(there)
	if len(old) > 0 && !o.replace {
		hint := fmt.Sprintf("change it with 'mailcheck dmarc set %s TAG=VALUE', or give --replace", v.Domain)
		if len(old) > 1 {
			hint = "give --replace to put the new record in place of all of them"
		}
		return &Error{Code: ExitFindings, Err: fmt.Errorf("%s has a record already, and with two of them none counts: %s", name, safe.Limit(old[0], 200)), Hint: hint}
	}
	const why = "the domain gets a DMARC record"
	if len(old) == 0 {
		v.Edits = append(v.Edits, fix.Edit{Name: owner, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: rec.String(), Why: why})
	}
	for i, text := range old {
		e := fix.Edit{Name: owner, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: text, Value: rec.String(), Why: "the record is replaced"}
		if i > 0 {
			e.Op, e.Value, e.Why = fix.RemoveRecord, "", "with several records none counts"
		}
		v.Edits = append(v.Edits, e)
	}
	for _, r := range there {
		if t, ok := r.Data.(resolve.TXT); ok && likelyMistake(dmarc.Classify(t.Joined())) {
			v.Notes = append(v.Notes, fmt.Sprintf("a text there that was perhaps meant as a record stays, and receivers ignore it: %s", safe.Limit(t.Joined(), 100)))
		}
	}
	return nil
}

// afterwards tells what receivers will make of the domain once the record is
// published, as far as that may surprise.
func afterwards(ctx context.Context, r resolve.Resolver, domain resolve.Name, rec dmarc.Record) []string {
	name, err := domain.Below("_dmarc")
	if err != nil {
		return nil
	}
	r = planned(r, name, rec)
	var out []string
	d := dmarc.Discover(ctx, r, domain, dmarc.Options{})
	if d.Organizational.State == resolve.Present && d.Organizational.Domain != domain {
		for _, tag := range []string{"sp", "np"} {
			if _, found := rec.Tag(tag); found {
				out = append(out, fmt.Sprintf("%s has no effect here: the organizational domain is %s, and its record holds for the names below", tag, d.Organizational.Domain))
			}
		}
	}
	for _, x := range dmarc.CheckDestinations(ctx, r, d) {
		if x.Problem != "" && (x.Authorized == resolve.Absent || x.Receives == resolve.Absent && x.URI.Scheme == "mailto") {
			out = append(out, fmt.Sprintf("%s %s: %s", x.Tag, safe.Text(x.URI.Text), x.Problem))
		}
	}
	return out
}

// planned answers with a record that is not published yet.
func planned(r resolve.Resolver, name resolve.Name, rec dmarc.Record) resolve.Resolver {
	return resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		if q != (resolve.Question{Name: name, Type: resolve.TypeTXT}) {
			return r.Resolve(ctx, q)
		}
		return resolve.Answer{Question: q, Records: []resolve.Record{{Name: name, Type: q.Type, TTL: fix.DefaultTTL, Data: resolve.SplitTXT(rec.String())}}}, nil
	})
}

// stageHint is the next command for a step that cannot be taken.
func stageHint(err error, domain resolve.Name) string {
	if e, ok := errors.AsType[*dmarc.StageError](err); ok && e.NoReports {
		return fmt.Sprintf("mailcheck dmarc set %s rua=ADDRESS, then read the reports; or give --without-reports", domain)
	}
	return "mailcheck dmarc lint " + domain.String()
}
