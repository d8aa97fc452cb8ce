package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
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
	defaultConcurrency = 256              // domains at a time: most of the time of each is spent waiting
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
	emit := func(r audit.Report) error {
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
		return audit.Run(snap, table, audit.Options{Only: o.only, Skip: o.skip, Profiles: p.profiles, Suppressor: p.supp})
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

// names collects the domains to audit.
func (o *auditOptions) names(s Streams, args []string, c config.Config) ([]resolve.Name, error) {
	var out []resolve.Name
	for _, a := range args {
		n, err := parseDomain(a, "")
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	if o.domainsFile != "" {
		list, err := readDomains(s.In, o.domainsFile)
		if err != nil {
			return nil, err
		}
		if out = append(out, list...); len(out) == 0 {
			return nil, usage("a domain a line; lines with # are comments", "%s holds no domain", o.domainsFile)
		}
		return out, nil
	}
	if len(out) == 0 {
		for _, d := range c.Domains {
			out = append(out, d.Name)
		}
	}
	if len(out) == 0 {
		return nil, usage("mailcheck audit example.org, or 'mailcheck lab' to see it work", "no domain given")
	}
	return out, nil
}

// parseDomain reads one domain; where says in which file and line it stands.
func parseDomain(text, where string) (resolve.Name, error) {
	n, err := resolve.ParseName(text)
	if err == nil && n.IsRoot() {
		err = &resolve.NameError{In: text, At: -1, Reason: "it is the root of the DNS"}
	}
	if err == nil {
		return n, nil
	}
	hint := "give a domain such as example.org"
	if e, ok := errors.AsType[*resolve.NameError](err); ok && e.Hint != "" {
		hint = e.Hint
	}
	if where != "" {
		err = fmt.Errorf("%s: %w", where, err)
	}
	return n, &Error{Code: ExitUsage, Err: err, Hint: hint}
}

// MaxDomainLine is the longest line of a list of domains; a name has 253 octets
// and a U-label form may need several octets for one.
const maxDomainLine = 4096

func readDomains(in io.Reader, path string) ([]resolve.Name, error) {
	r, name := in, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usage("name a readable file, or - for standard input", "%w", err)
		}
		defer f.Close()
		r, name = f, path
	}
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, maxDomainLine), maxDomainLine)
	var out []resolve.Name
	line := 0
	for sc.Scan() {
		line++
		text, _, _ := strings.Cut(strings.TrimPrefix(sc.Text(), "\ufeff"), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		n, err := parseDomain(text, fmt.Sprintf("%s:%d", name, line))
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	if err := sc.Err(); err != nil {
		return nil, usage("a domain a line", "%s:%d: %w", name, line+1, err)
	}
	return out, nil
}

func parseAddrs(list []string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, a := range list {
		addr, err := netip.ParseAddr(strings.TrimSpace(a))
		if err != nil {
			return nil, usage("for example --ip 192.0.2.25 --ip 2001:db8::25", "--ip %q is not an IP address", a)
		}
		out = append(out, addr.Unmap().WithZone(""))
	}
	return out, nil
}

func checkSelectors(list []string) error {
	for _, x := range list {
		if _, err := resolve.ParseName(x); err != nil {
			return usage("the selector is the s= tag of a DKIM-Signature field", "--selector: %w", err)
		}
	}
	return nil
}

func profileIDs() []string {
	var out []string
	for _, p := range rules.Profiles() {
		out = append(out, p.ID)
	}
	return out
}

func pickProfiles(words []string) ([]audit.Profile, error) {
	var out []audit.Profile
	for _, w := range words {
		switch {
		case w == "none":
			continue
		case w == "all":
			return rules.Profiles(), nil
		}
		found := false
		for _, p := range rules.Profiles() {
			if strings.EqualFold(p.ID, w) {
				out, found = append(out, p), true
			}
		}
		if !found {
			hint := "--profile takes " + strings.Join(profileIDs(), ", ") + ", all or none"
			if best := nearest(w, profileIDs()); best != "" {
				hint = "did you mean " + best + "? " + hint
			}
			return nil, usage(hint, "no profile is called %q", w)
		}
	}
	return out, nil
}

// textWidth keeps lines readable on wide terminals and whole on narrow ones.
func textWidth(w int) int {
	if w <= 0 {
		return 80
	}
	return max(40, min(w, 100))
}

// useColor follows --color, then NO_COLOR, then whether a person looks on.
func useColor(s Streams, word string) bool {
	switch word {
	case "always":
		return true
	case "never":
		return false
	}
	return s.OutTTY && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}

// output writes to standard output, or to a file that appears only when whole.
type output struct {
	io.Writer
	buf  *bufio.Writer
	file *os.File
	path string
}

func openOutput(std io.Writer, path string) (*output, error) {
	if path == "" {
		return &output{Writer: std}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".mailcheck-*")
	if err != nil {
		return nil, usage("name a file in a directory that can be written to", "--output-file: %w", err)
	}
	w := bufio.NewWriter(f)
	return &output{Writer: w, buf: w, file: f, path: path}, nil
}

// commit gives the file its name.
func (o *output) commit() error {
	if o.file == nil {
		return nil
	}
	err := errors.Join(o.buf.Flush(), o.file.Chmod(0o644), o.file.Close())
	if err == nil {
		err = os.Rename(o.file.Name(), o.path)
	}
	if err != nil {
		os.Remove(o.file.Name())
		err = &Error{Code: ExitUsage, Err: fmt.Errorf("--output-file: %w", err)}
	}
	o.file = nil
	return err
}

// abandon removes a file that was never completed.
func (o *output) abandon() {
	if o.file != nil {
		o.file.Close()
		os.Remove(o.file.Name())
	}
}
