package cli

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/internal/config"
	"github.com/mailcheck-go/mailcheck/internal/render"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// auditOptions are the flags of "audit domain".
type auditOptions struct {
	resolverFlags
	domainsFile string
	configPath  string
	selectors   []string
	addresses   []string
	profiles    []string
	failOn      string
	only, skip  []string
	timeout     time.Duration
	concurrency int
	format      string
	outputFile  string
	color       string
	quiet       bool
}

// Defaults of the audit.
const (
	defaultTimeout     = 30 * time.Second // for one domain; a receiver gives SPF alone 20 s (RFC 7208, Section 4.6.4)
	defaultConcurrency = 128              // domains at a time: each waits most of its time, and costs memory
	maxConcurrency     = 4096
)

func newAudit(s Streams) *cobra.Command {
	cmd := newAuditDomain(s)
	domain := newAuditDomain(s)
	cmd.Use = "audit DOMAIN..."
	cmd.Short = "Audit what a domain publishes for mail"
	cmd.Long = "Audit domains: 'mailcheck audit DOMAIN...' is the short form of 'mailcheck audit domain DOMAIN...'."
	cmd.Example = strings.ReplaceAll(domain.Example, "audit domain", "audit")
	cmd.AddCommand(domain)
	return cmd
}

func newAuditDomain(s Streams) *cobra.Command {
	o := &auditOptions{}
	cmd := &cobra.Command{
		Use:   "domain DOMAIN...",
		Short: "Audit the mail records of domains",
		Long: `Audit the mail records of domains: SPF, DKIM, DMARC and MX, judged as receivers
judge them. Nothing is sent to anybody but DNS queries.

Domains come from the arguments, from --domains-file, or else from mailcheck.yaml.
Exit status: 0 clean, 1 findings at or above --fail-on, 2 something could not be
known, 3 wrong usage, 130 interrupted. A finding outweighs an unknown.`,
		Example: `  mailcheck audit domain example.org
  mailcheck audit domain example.org --selector s1 --ip 192.0.2.25
  mailcheck audit domain example.org --zone example.org.zone --offline
  mailcheck audit domain --domains-file domains.txt -o jsonl --fail-on error`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.domainsFile, "domains-file", "", "`file` with a domain a line, - for standard input")
	fs.StringVar(&o.configPath, "config", "", "configuration `file` (default: mailcheck.yaml here, if there is one)")
	fs.StringSliceVar(&o.selectors, "selector", nil, "DKIM `selector` in use, repeatable")
	fs.StringSliceVar(&o.addresses, "ip", nil, "`address` that mail is sent from, repeatable")
	fs.StringSliceVar(&o.profiles, "profile", []string{"all"}, "receivers' `requirements` to judge: "+strings.Join(profileIDs(), ", ")+", all or none")
	fs.StringVar(&o.failOn, "fail-on", "error", "`severity` from which a finding makes the exit status 1: error, warning, notice or none")
	fs.StringSliceVar(&o.only, "only", nil, "run only these `rules`: IDs, slugs or families")
	fs.StringSliceVar(&o.skip, "skip", nil, "leave out these `rules`: IDs, slugs or families")
	fs.DurationVar(&o.timeout, "timeout", defaultTimeout, "time for one domain")
	fs.IntVar(&o.concurrency, "concurrency", defaultConcurrency, "domains audited at a time")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: "+strings.Join(render.Formats(), ", "))
	fs.StringVar(&o.outputFile, "output-file", "", "write the report to a `file`, replaced only when complete")
	fs.StringVar(&o.color, "color", "auto", "colour the text: auto, always or never")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print only findings at or above --fail-on")
	return cmd
}

// plan is what the flags and the configuration ask for, checked.
type plan struct {
	domains  []resolve.Name
	config   config.Config
	addrs    []netip.Addr
	failOn   audit.Severity
	profiles []audit.Profile
	supp     *audit.Suppressor
}

func (o *auditOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	p, err := o.check(cmd, s, args)
	if err != nil {
		return err
	}
	res, err := o.open(s)
	if err != nil {
		return err
	}
	defer res.close()
	out, err := openOutput(s.Out, o.outputFile)
	if err != nil {
		return err
	}
	defer out.abandon()
	printer, err := render.New(o.format, out, render.Options{
		Color: o.outputFile == "" && useColor(s, o.color), Width: textWidth(s.Width), Quiet: o.quiet,
		Version: version, FailOn: p.failOn, Verbose: o.verbose, Rules: rules.All(),
	})
	if err != nil {
		return usage("-o takes "+strings.Join(render.Formats(), ", "), "%w", err)
	}
	return o.audit(cmd.Context(), s, p, res, printer, out)
}

func (o *auditOptions) audit(ctx context.Context, s Streams, p *plan, res *resolver, printer render.Printer, out *output) error {
	if err := printer.Begin(); err != nil {
		return err
	}
	worst, incomplete, n := audit.Severity(0), false, 0
	table := rules.All()
	progress := newProgress(s, len(p.domains))
	settings := audit.Options{Only: o.only, Skip: o.skip, Profiles: p.profiles, Suppressor: p.supp}
	var fleet audit.Fleet
	emit := func(r audit.Report) error {
		fleet.Report(&r, table, settings)
		if n++; n == len(p.domains) && p.supp != nil {
			p.supp.Unused(&r, table)
		}
		worst, incomplete = max(worst, r.Worst()), incomplete || r.Incomplete()
		progress.step(n)
		return printer.Report(r)
	}
	one := func(ctx context.Context, name resolve.Name) audit.Report {
		ctx, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		selectors, addrs := p.config.For(name)
		snap := facts.Gather(ctx, res.Resolver, name, facts.Options{
			Selectors: append(selectors, o.selectors...), Addresses: append(addrs, p.addrs...), Resolver: res.about,
		})
		if len(p.domains) > 1 {
			fleet.Note(snap)
		}
		return audit.Run(snap, table, settings)
	}
	err := ordered(ctx, p.domains, o.concurrency, one, emit)
	progress.done()
	if e := printer.End(); err == nil {
		err = e
	}
	if e := out.commit(); err == nil {
		err = e
	}
	switch {
	case ctx.Err() != nil:
		return &Error{Code: ExitInterrupted, Err: fmt.Errorf("interrupted: %d of %d domains are done", n, len(p.domains)), Hint: "the report above holds what was finished"}
	case err != nil:
		return err
	case p.failOn != 0 && worst >= p.failOn:
		return exit(ExitFindings)
	case incomplete:
		return exit(ExitIncomplete)
	}
	return nil
}

// check turns words into values; everything wrong with them is found before
// anything is asked.
func (o *auditOptions) check(cmd *cobra.Command, s Streams, args []string) (*plan, error) {
	p := &plan{}
	for _, e := range []error{
		oneOf(cmd, "output", o.format, render.Formats()...),
		oneOf(cmd, "color", o.color, "auto", "always", "never"),
		oneOf(cmd, "fail-on", o.failOn, "error", "warning", "notice", "none"),
		checkWords(cmd, o.only), checkWords(cmd, o.skip),
	} {
		if e != nil {
			return nil, e
		}
	}
	p.failOn, _ = audit.ParseSeverity(o.failOn)
	if o.timeout <= 0 {
		return nil, usage("for example --timeout 30s", "--timeout must be positive")
	}
	if o.concurrency < 1 || o.concurrency > maxConcurrency {
		return nil, usage("for example --concurrency 64", "--concurrency must be between 1 and %d", maxConcurrency)
	}
	var err error
	if p.config, err = config.Load(o.configPath); err != nil {
		return nil, &Error{Code: ExitUsage, Err: err, Hint: "the keys of the file are in docs/guide/config.md"}
	}
	for _, x := range p.config.Suppressions {
		if _, ok := findRule(x.Rule); !ok {
			return nil, &Error{Code: ExitUsage, Err: fmt.Errorf("%s: a suppression names %q, which is no rule", p.config.Path, x.Rule), Hint: "mailcheck rules lists them"}
		}
	}
	if p.supp, err = audit.NewSuppressor(p.config.Suppressions); err != nil {
		return nil, &Error{Code: ExitUsage, Err: err}
	}
	if p.addrs, err = parseAddrs(o.addresses); err != nil {
		return nil, err
	}
	if p.profiles, err = pickProfiles(o.profiles); err != nil {
		return nil, err
	}
	if p.domains, err = o.names(s, args, p.config); err != nil {
		return nil, err
	}
	return p, checkSelectors(o.selectors)
}
