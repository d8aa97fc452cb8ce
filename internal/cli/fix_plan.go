package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/planner"
	"github.com/mailcheck-go/mailcheck/internal/config"
	"github.com/mailcheck-go/mailcheck/internal/render"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

// fixPlanOptions are the flags of "fix plan".
type fixPlanOptions struct {
	resolverFlags
	clock
	configPath string
	selectors  []string
	addresses  []string
	timeout    time.Duration

	senders    []string
	complete   bool
	evidence   string
	reportTo   string
	keyDir     string
	keySel     string
	keyType    string
	server     string
	park       bool
	noInput    bool
	only, skip []string

	out      string
	format   string
	color    string
	exitCode bool
}

func newFixPlan(s Streams) *cobra.Command {
	o := &fixPlanOptions{}
	cmd := &cobra.Command{
		Use:   "plan DOMAIN",
		Short: "Audit a domain and plan its repair; nothing is written to the DNS",
		Long: `Audit a domain and plan its repair: ordered steps, each with what it changes, why,
what breaks if it is wrong, how long to wait and how it is proven. The zone as
planned is audited before anything is written.

What only you know is asked on a terminal, or given by flags or mailcheck.yaml:
who sends for the domain, where reports go, where keys are kept. If no DKIM key is
found and --key-dir is given, a key is made there (mode 0600, never overwritten).

Exit status: 0 a plan, or nothing to change; 1 there are changes to make, with
--exit-code; 2 something could not be known, and is not in the plan; 3 wrong usage.`,
		Example: `  mailcheck fix plan example.org
  mailcheck fix plan example.org --report-to dmarc@example.org --key-dir keys --server opendkim --out plan.json
  mailcheck fix plan example.org --sender mx --sender google-workspace --all-senders -o markdown
  mailcheck fix plan example.org --evidence senders.json --out plan.json
  mailcheck fix plan parked.example --park`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.resolverFlags.add(cmd)
	o.clock.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.configPath, "config", "", "configuration `file` (default: mailcheck.yaml here, if there is one)")
	fs.StringSliceVar(&o.selectors, "selector", nil, "DKIM `selector` in use, repeatable")
	fs.StringSliceVar(&o.addresses, "ip", nil, "`address` that mail is sent from, repeatable")
	fs.DurationVar(&o.timeout, "timeout", 2*defaultTimeout, "time for all DNS queries")
	fs.StringSliceVar(&o.senders, "sender", nil, "`sender` to let pass, repeatable: "+senderHelp)
	fs.BoolVar(&o.complete, "all-senders", false, "the --sender list is complete: take all others out of the SPF record")
	fs.StringVar(&o.evidence, "evidence", "", "`file` with the mail that was seen, to narrow the SPF record to; - for standard input")
	fs.StringVar(&o.reportTo, "report-to", "", "mail `address` for DMARC and TLS reports")
	fs.StringVar(&o.keyDir, "key-dir", "", "`directory` for a new DKIM key, if the domain has none")
	fs.StringVar(&o.keySel, "key-selector", "", "`selector` of the new key (default: mcYYYYMM)")
	fs.StringVar(&o.keyType, "key-type", dkim.KeyRSA, "`type` of the new key: rsa, ed25519 or both")
	fs.StringVar(&o.server, "server", "", "the mail `server` that signs: "+strings.Join(serverIDs(), ", "))
	fs.BoolVar(&o.park, "park", false, "the domain sends and receives no mail")
	fs.BoolVar(&o.noInput, "no-input", false, "ask nothing, also on a terminal")
	fs.StringSliceVar(&o.only, "only", nil, "repair only what these `rules` find: IDs, slugs or families")
	fs.StringSliceVar(&o.skip, "skip", nil, "leave out these `rules`: IDs, slugs or families")
	fs.StringVar(&o.out, "out", "", "save the plan to a `file`, for 'fix apply' and 'fix export'")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: "+strings.Join(render.PlanFormats(), ", "))
	fs.StringVar(&o.color, "color", "auto", "colour the text: auto, always or never")
	fs.BoolVar(&o.exitCode, "exit-code", false, "exit with 1 if there is something to change")
	return cmd
}

func (o *fixPlanOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	opt, err := o.check(cmd, s, domain)
	if err != nil {
		return err
	}
	res, err := o.open(s)
	if err != nil {
		return err
	}
	defer res.close()
	ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
	defer cancel()
	opt.Resolver, opt.Facts.Resolver = res, res.about
	r, err := planner.Build(ctx, domain, opt)
	if stopped := interrupted(cmd); stopped != nil {
		return stopped
	}
	if err != nil {
		return planError(err, domain)
	}
	res.wholeTTL(ctx, r.Plan)
	if err := o.save(r.Plan); err != nil {
		return err
	}
	err = render.Plan(s.Out, o.format, r.Plan, render.Options{Color: useColor(s, o.color), Width: textWidth(s.Width)})
	if err != nil {
		return err
	}
	if o.format == "text" && o.out != "" && len(r.Plan.Steps) > 0 {
		fmt.Fprintf(s.Err, "mailcheck: saved to %s\n", safe.Text(o.out))
	}
	switch {
	case o.exitCode && len(r.Plan.Changes()) > 0:
		return exit(ExitFindings)
	case len(r.Plan.Unknown) > 0:
		return exit(ExitIncomplete)
	}
	return nil
}

func planError(err error, domain resolve.Name) error {
	switch {
	case errors.Is(err, planner.ErrNoDomain):
		return &Error{Code: ExitFindings, Err: err, Hint: "mailcheck audit " + domain.String()}
	case errors.Is(err, planner.ErrReceives):
		return &Error{Code: ExitUsage, Err: err, Hint: "mailcheck dmarc park " + domain.String() + " shows what would go"}
	case errors.Is(err, planner.ErrAnswer):
		return &Error{Code: ExitUsage, Err: err, Hint: "see 'mailcheck fix plan --help'"}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: ExitIncomplete, Err: err, Hint: lookupHint(err)}
}

// check turns flags, configuration and answers into options.
func (o *fixPlanOptions) check(cmd *cobra.Command, s Streams, domain resolve.Name) (planner.Options, error) {
	opt := planner.Options{Rules: rules.All(), Tool: "mailcheck " + version}
	for _, e := range []error{
		oneOf(cmd, "output", o.format, render.PlanFormats()...),
		oneOf(cmd, "color", o.color, "auto", "always", "never"),
		oneOf(cmd, "key-type", o.keyType, dkim.KeyRSA, dkim.KeyEd25519, "both"),
		checkWords(cmd, o.only), checkWords(cmd, o.skip), checkSelectors(o.selectors),
	} {
		if e != nil {
			return opt, e
		}
	}
	if o.timeout <= 0 {
		return opt, usage("for example --timeout 30s", "--timeout must be positive")
	}
	now, err := o.now()
	if err != nil {
		return opt, err
	}
	opt.Now, opt.Facts.Now = now, now
	cfg, err := config.Load(o.configPath)
	if err != nil {
		return opt, &Error{Code: ExitUsage, Err: err, Hint: "the keys of the file are in docs/guide/config.md"}
	}
	if opt.Audit.Suppressor, err = audit.NewSuppressor(cfg.Suppressions); err != nil {
		return opt, &Error{Code: ExitUsage, Err: err}
	}
	opt.Audit.Only, opt.Audit.Skip = o.only, o.skip
	selectors, addrs := cfg.For(domain)
	given, err := parseAddrs(o.addresses)
	if err != nil {
		return opt, err
	}
	opt.Facts.Selectors, opt.Facts.Addresses = append(selectors, o.selectors...), append(addrs, given...)
	return opt, o.answers(s, domain, cfg.MailFor(domain), &opt)
}

// answers collects what only a person knows.
func (o *fixPlanOptions) answers(s Streams, domain resolve.Name, m config.Mail, opt *planner.Options) error {
	a := &opt.Answers
	a.Park = o.park
	words := o.senders
	if len(words) == 0 && !o.park {
		words = m.Senders
	}
	if o.complete && len(words) == 0 {
		return usage("name the senders with --sender", "--all-senders without a sender would take all of them out")
	}
	list, err := parseSenders(words)
	if err != nil {
		return err
	}
	for _, x := range list {
		a.Senders = append(a.Senders, x.terms...)
	}
	a.Complete = o.complete
	if o.evidence != "" {
		text, err := readFile(s.In, o.evidence, narrow.MaxOctets)
		if err != nil {
			return err
		}
		e, err := narrow.Parse(text)
		if err != nil {
			return &Error{Code: ExitUsage, Err: fmt.Errorf("%s: %w", o.evidence, err), Hint: "mailcheck spf narrow --help shows the form of evidence"}
		}
		a.Evidence = &e
	}
	o.reportTo, o.keyDir, o.server = cmp.Or(o.reportTo, m.ReportTo), cmp.Or(o.keyDir, m.KeyDir), cmp.Or(o.server, m.Server)
	if err := o.ask(s, domain); err != nil {
		return err
	}
	if a.ReportTo = o.reportTo; o.park {
		a.ReportTo = ""
	}
	if o.server != "" {
		if err := checkServer(o.server); err != nil {
			return err
		}
		a.Server = strings.ToLower(o.server)
	}
	if o.keyDir != "" && !o.park {
		a.MakeKeys = func() ([]planner.Key, error) { return o.makeKeys(s, domain, opt.Now()) }
	}
	return nil
}

// makeKeys makes the keys that the domain has not, or takes those that an
// earlier plan made: their names tell.
func (o *fixPlanOptions) makeKeys(s Streams, domain resolve.Name, at time.Time) ([]planner.Key, error) {
	types := []string{o.keyType}
	if o.keyType == "both" {
		types = []string{dkim.KeyRSA, dkim.KeyEd25519}
	}
	var out []planner.Key
	for _, t := range types {
		sel := cmp.Or(o.keySel, keys.SelectorFor(t, at))
		if o.keySel != "" && t == dkim.KeyEd25519 && len(types) == 2 {
			sel += "e"
		}
		if _, err := keyName(domain, sel); err != nil {
			return nil, err
		}
		file := filepath.Join(o.keyDir, sel+"."+domain.String()+".pem")
		k, err := o.keyAt(s, file, t)
		if err != nil {
			return nil, err
		}
		rec, err := k.Record()
		if err != nil {
			return nil, &Error{Code: ExitFailed, Err: err}
		}
		out = append(out, planner.Key{Key: setup.Key{Selector: sel, Type: k.Type(), File: file}, Record: rec})
	}
	return out, nil
}

func (o *fixPlanOptions) keyAt(s Streams, file, keyType string) (keys.Key, error) {
	if _, err := os.Lstat(file); err == nil {
		k, err := readKey(s, file)
		if err == nil {
			fmt.Fprintf(s.Err, "mailcheck: the key in %s is there already and is used\n", safe.Text(file))
		}
		return k, err
	}
	if err := os.MkdirAll(o.keyDir, 0o700); err != nil {
		return keys.Key{}, writeError(err)
	}
	k, err := keys.Generate(keys.Options{Type: keyType})
	if err != nil {
		return k, keyError("--key-type", err)
	}
	if err := k.Create(file, keys.FormPKCS8); err != nil {
		return k, writeError(err)
	}
	fmt.Fprintf(s.Err, "mailcheck: made a private key: %s (mode 0600)\n", safe.Text(file))
	return k, nil
}

// ask puts the questions to a person that no flag answered.
func (o *fixPlanOptions) ask(s Streams, domain resolve.Name) error {
	if o.noInput || !s.InTTY || !s.ErrTTY || o.park || o.evidence == "-" {
		return nil
	}
	in := newAnswers(s.In)
	for _, q := range []struct {
		to         *string
		text, none string
	}{
		{&o.reportTo, "Mail address for DMARC reports, such as dmarc@" + domain.String(), "none"},
		{&o.keyDir, "Directory for a DKIM key, if the domain has none", "no key"},
		{&o.server, "Mail server that signs (" + strings.Join(serverIDs(), ", ") + ")", "not said"},
	} {
		if *q.to != "" || q.to == &o.server && o.keyDir == "" {
			continue
		}
		fmt.Fprintf(s.Err, "%s [%s]: ", q.text, q.none)
		line, err := in.next()
		if err != nil {
			return usage("give the answers as flags, or --no-input", "%w", err)
		}
		*q.to = line
	}
	return nil
}

func (o *fixPlanOptions) save(p *fix.Plan) error {
	if o.out == "" {
		return nil
	}
	text, err := p.Encode()
	if err != nil {
		return err
	}
	f, err := openOutput(nil, o.out)
	if err != nil {
		return err
	}
	defer f.abandon()
	if _, err := f.Write(text); err != nil {
		return writeError(err)
	}
	return f.commit()
}
