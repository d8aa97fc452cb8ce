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
	networkFlags
	probe, noProbe bool
	dnsbl          bool
	domainsFile    string
	configPath     string
	selectors      []string
	addresses      []string
	profiles       []string
	failOn         string
	only, skip     []string
	timeout        time.Duration
	concurrency    int
	format         string
	outputFile     string
	color          string
	quiet          bool
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
	cmd.AddCommand(domain, newAuditMessage(s))
	return cmd
}

func newAuditDomain(s Streams) *cobra.Command {
	o := &auditOptions{}
	cmd := &cobra.Command{
		Use:   "domain DOMAIN...",
		Short: "Audit the mail records of domains",
		Long: `Audit the mail records of domains: SPF, DKIM, DMARC and MX, judged as receivers
judge them, and MTA-STS, TLS-RPT and DANE.

With up to 20 domains it also looks beyond records: it greets the mail hosts (no
sender or recipient is named), fetches the MTA-STS policy, asks each name server
of the zone and validates DNSSEC. What cannot be seen from here, as when port 25
is blocked, is listed and does not change the exit status, unless --probe insists
on it. --no-probe leaves all of that out, and so do --offline, --zone and longer
lists of domains, which would mean to knock at thousands of strangers' doors.

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
	o.resolverFlags.add(cmd)
	o.networkFlags.add(cmd)
	o.addAnchor(cmd)
	fs := cmd.Flags()
	fs.BoolVar(&o.probe, "probe", false, "look beyond DNS records, and count what cannot be seen as unknown")
	fs.BoolVar(&o.noProbe, "no-probe", false, "ask the resolver alone: talk to no mail host, policy host or name server, validate no DNSSEC")
	fs.BoolVar(&o.dnsbl, "dnsbl", false, "ask block lists about the addresses of --ip and the domain; most answer only a resolver of one's own, not a public one")
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
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print something only if there is something to tell: findings at or above --fail-on, and why something could not be known")
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
	network  network
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
	more, err := o.beyond(ctx, p, res)
	if err != nil {
		return err
	}
	defer more.close()
	lists := res.blockLists()
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
		opt := more.opt
		opt.Selectors, opt.Addresses = append(selectors, o.selectors...), append(addrs, p.addrs...)
		if o.dnsbl {
			opt.BlockLists = lists
		}
		opt.Resolver, opt.HELO = res.about, p.network.helo
		snap := facts.Gather(ctx, res.Resolver, name, opt)
		if len(p.domains) > 1 {
			fleet.Note(snap)
		}
		return audit.Run(snap, table, settings)
	}
	err = ordered(ctx, p.domains, o.concurrency, one, emit)
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
	if p.network, err = o.networkFlags.read(); err != nil {
		return nil, err
	}
	if o.probe && (o.noProbe || o.offline) {
		return nil, usage("drop one of the two", "--probe excludes --no-probe and --offline")
	}
	if p.profiles, err = pickProfiles(o.profiles); err != nil {
		return nil, err
	}
	if p.domains, err = o.names(s, args, p.config); err != nil {
		return nil, err
	}
	return p, checkSelectors(o.selectors)
}

// beyond is what of the audit goes beyond questions to the resolver.
func (o *auditOptions) beyond(ctx context.Context, p *plan, res *resolver) (*probing, error) {
	auto := len(p.domains) <= maxProbed && len(o.zones) == 0 && !o.offline
	if o.noProbe || !o.probe && !auto {
		return &probing{close: func() {}}, nil
	}
	out, err := p.network.probing(ctx, res)
	if err != nil {
		return nil, err
	}
	if !o.probe {
		out.opt.Optional = facts.Network
	}
	return out, nil
}
