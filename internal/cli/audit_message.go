package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/audit/mailrules"
	"github.com/mailcheck-go/mailcheck/internal/config"
	"github.com/mailcheck-go/mailcheck/internal/render"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// auditMessageOptions are the flags of "audit message".
type auditMessageOptions struct {
	resolverFlags
	clock
	ip, helo, mailFrom string
	servIDs            []string
	receivedBy         []string
	nets               []string
	bulk               bool

	configPath string
	profiles   []string
	failOn     string
	only, skip []string
	timeout    time.Duration
	format     string
	outputFile string
	color      string
	quiet      bool
}

func newAuditMessage(s Streams) *cobra.Command {
	o := &auditMessageOptions{}
	cmd := &cobra.Command{
		Use:   "message FILE|-...",
		Short: "Audit mails that have arrived",
		Long: `Audit mails as they arrived: check SPF, DKIM, ARC and DMARC anew and put each verdict
beside the one that the receiver wrote into the mail, with the reason where they
differ; then the form of the mail, one-click unsubscription, what filters see in it,
and what Gmail, Yahoo, Outlook.com and iCloud demand of it.

Who handed the mail over is taken from its Received fields; --ip, --helo and
--mail-from say it instead. Which fields are the receiver's own is found out too;
--received-by and --authserv-id say it. Signatures are judged at the time of arrival.
Nothing that a mail names is fetched: only DNS is asked.
Exit status: 0 clean, 1 findings at or above --fail-on, 2 something could not be
known, 3 wrong usage, 130 interrupted. A finding outweighs an unknown.`,
		Example: `  mailcheck audit message mail.eml
  mailcheck audit message - -o json < mail.eml
  mailcheck audit message sent.eml --ip 192.0.2.25 --helo mail.example.org --mail-from news@example.org
  mailcheck audit message *.eml --authserv-id mx.example.net --received-by example.net
  mailcheck audit message old.eml --zone keys.zone --offline --at 2026-11-30T12:00:00Z`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.resolverFlags.add(cmd)
	o.clock.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.ip, "ip", "", "`address` of the host that handed the mail to the receiver")
	fs.StringVar(&o.helo, "helo", "", "`name` that this host gave in EHLO")
	fs.StringVar(&o.mailFrom, "mail-from", "", "envelope `sender`; <> is the null one")
	fs.StringSliceVar(&o.servIDs, "authserv-id", nil, "`identity` of the receiver, whose Authentication-Results are believed, repeatable")
	fs.StringSliceVar(&o.receivedBy, "received-by", nil, "`host` or domain of the receiver, whose Received fields are believed, repeatable")
	fs.StringSliceVar(&o.nets, "inside", nil, "`network` inside the receiver's own, besides private ones, repeatable")
	fs.BoolVar(&o.bulk, "bulk", false, "judge the mail as one sent to many, whatever it says")
	fs.StringVar(&o.configPath, "config", "", "configuration `file` with suppressions (default: mailcheck.yaml here, if there is one)")
	fs.StringSliceVar(&o.profiles, "profile", []string{"all"}, "receivers' `requirements` to judge: "+strings.Join(profileIDs(), ", ")+", all or none")
	fs.StringVar(&o.failOn, "fail-on", "error", "`severity` from which a finding makes the exit status 1: error, warning, notice or none")
	fs.StringSliceVar(&o.only, "only", nil, "run only these `rules`: IDs, slugs or families")
	fs.StringSliceVar(&o.skip, "skip", nil, "leave out these `rules`: IDs, slugs or families")
	fs.DurationVar(&o.timeout, "timeout", defaultTimeout, "time for one mail")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: "+strings.Join(render.Formats(), ", "))
	fs.StringVar(&o.outputFile, "output-file", "", "write the report to a `file`, replaced only when complete")
	fs.StringVar(&o.color, "color", "auto", "colour the text: auto, always or never")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print something only if there is something to tell: findings at or above --fail-on, and why something could not be known")
	return cmd
}

// messagePlan is what the flags ask for, checked.
type messagePlan struct {
	files  []string
	failOn audit.Severity
	gather mail.Options
	judge  audit.Options
}

func (o *auditMessageOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	p, err := o.check(cmd, args)
	if err != nil {
		return err
	}
	res, err := o.open(s)
	if err != nil {
		return err
	}
	defer res.close()
	p.gather.Resolver = res.about
	out, err := openOutput(s.Out, o.outputFile)
	if err != nil {
		return err
	}
	defer out.abandon()
	printer, err := render.New(o.format, out, render.Options{
		Color: o.outputFile == "" && useColor(s, o.color), Width: textWidth(s.Width), Quiet: o.quiet, Mails: true,
		Version: version, FailOn: p.failOn, Verbose: o.verbose, Rules: mailrules.All(),
	})
	if err != nil {
		return usage("-o takes "+strings.Join(render.Formats(), ", "), "%w", err)
	}
	return o.audit(cmd.Context(), s, p, res, printer, out)
}

// audit judges one mail after the other.
func (o *auditMessageOptions) audit(ctx context.Context, s Streams, p *messagePlan, res *resolver, printer render.Printer, out *output) error {
	err := printer.Begin()
	worst, incomplete, n := audit.Severity(0), false, 0
	table := mailrules.All()
	for _, path := range p.files {
		if err != nil || ctx.Err() != nil {
			break
		}
		var r audit.Report
		if r, err = o.one(ctx, s, p, res, path, table); err != nil || ctx.Err() != nil {
			break
		}
		if n++; n == len(p.files) && p.judge.Suppressor != nil {
			p.judge.Suppressor.Unused(&r, table)
		}
		worst, incomplete = max(worst, r.Worst()), incomplete || r.Incomplete()
		err = printer.Report(r)
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err // a file that cannot be read: nothing more is printed
	}
	if e := printer.End(); err == nil {
		err = e
	}
	if e := out.commit(); err == nil {
		err = e
	}
	switch {
	case ctx.Err() != nil:
		return &Error{Code: ExitInterrupted, Err: fmt.Errorf("interrupted: %d of %d mails are done", n, len(p.files)), Hint: "the report above holds what was finished"}
	case err != nil:
		return err
	case p.failOn != 0 && worst >= p.failOn:
		return exit(ExitFindings)
	case incomplete:
		return exit(ExitIncomplete)
	}
	return nil
}

func (o *auditMessageOptions) one(ctx context.Context, s Streams, p *messagePlan, res *resolver, path string, table []audit.Rule) (audit.Report, error) {
	m, err := readMail(s, path)
	if err != nil {
		return audit.Report{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	opt := p.gather
	if opt.Name = path; path == "-" {
		opt.Name = "standard input"
	}
	return audit.RunMail(mail.Gather(ctx, res.Resolver, m, opt), table, p.judge), nil
}

// readMail reads a mail from a file, or from standard input.
func readMail(s Streams, path string) (*message.Message, error) {
	const hint = "name a readable mail file, or - for standard input"
	in := s.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usage(hint, "%w", err)
		}
		defer f.Close()
		in = f
	}
	m, err := message.Read(in, message.Options{})
	if err != nil {
		return nil, usage(hint, "%s: %w", path, err)
	}
	if m.Size == 0 {
		return nil, usage(hint, "%s is empty", path)
	}
	return m, nil
}

// check turns words into values; everything wrong with them is found before anything
// is asked.
func (o *auditMessageOptions) check(cmd *cobra.Command, args []string) (*messagePlan, error) {
	p := &messagePlan{files: args}
	table := mailrules.All()
	for _, e := range []error{
		oneOf(cmd, "output", o.format, render.Formats()...),
		oneOf(cmd, "color", o.color, "auto", "always", "never"),
		oneOf(cmd, "fail-on", o.failOn, "error", "warning", "notice", "none"),
		checkWordsOf(table, o.only), checkWordsOf(table, o.skip), o.checkFiles(cmd, args),
	} {
		if e != nil {
			return nil, e
		}
	}
	p.failOn, _ = audit.ParseSeverity(o.failOn)
	if o.timeout <= 0 {
		return nil, usage("for example --timeout 30s", "--timeout must be positive")
	}
	now, err := o.now()
	if err != nil {
		return nil, err
	}
	p.gather = mail.Options{Helo: o.helo, MailFrom: o.mailFrom, ServIDs: o.servIDs, Hosts: o.receivedBy, Bulk: o.bulk, Now: now}
	if o.ip != "" {
		list, err := parseAddrs([]string{o.ip})
		if err != nil {
			return nil, err
		}
		p.gather.IP = list[0]
	}
	if p.gather.Nets, err = parseNets(o.nets); err != nil {
		return nil, err
	}
	if err := o.checkNames(); err != nil {
		return nil, err
	}
	p.judge, err = o.judging()
	return p, err
}

// checkFiles refuses files that are not there before the first one is judged.
func (o *auditMessageOptions) checkFiles(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage(cmd.CommandPath()+" mail.eml, or - for standard input", "no mail given")
	}
	std := 0
	for _, a := range args {
		if a == "-" {
			std++
			continue
		}
		info, err := os.Stat(a)
		if err == nil && info.IsDir() {
			err = fmt.Errorf("%s is a directory", a)
		}
		if err != nil {
			hint := "name a readable mail file, or - for standard input"
			if n, e := resolve.ParseName(a); e == nil && strings.Contains(a, ".") && errors.Is(err, os.ErrNotExist) {
				hint += "; a domain is audited by: mailcheck audit " + n.String()
			}
			return usage(hint, "%w", err)
		}
	}
	if std > 1 {
		return usage("give - once", "standard input can be read only once")
	}
	return nil
}

// checkNames refuses an envelope that is none.
func (o *auditMessageOptions) checkNames() error {
	if o.mailFrom != "" && o.mailFrom != "<>" {
		if a, ok := message.ParseAddress(strings.TrimSpace(o.mailFrom)); !ok || a.Domain == "" {
			return usage("for example --mail-from news@example.org, or --mail-from '<>'", "--mail-from %q is no address", o.mailFrom)
		}
	}
	if strings.ContainsFunc(o.helo, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return usage("for example --helo mail.example.org", "--helo %q is no name", o.helo)
	}
	return nil
}

// judging reads what the rules are run with.
func (o *auditMessageOptions) judging() (audit.Options, error) {
	out := audit.Options{Only: o.only, Skip: o.skip}
	c, err := config.Load(o.configPath)
	if err != nil {
		return out, &Error{Code: ExitUsage, Err: err, Hint: "the keys of the file are in docs/guide/config.md"}
	}
	for _, x := range c.Suppressions {
		if _, ok := findRule(x.Rule); !ok {
			return out, &Error{Code: ExitUsage, Err: fmt.Errorf("%s: a suppression names %q, which is no rule", c.Path, x.Rule), Hint: "mailcheck rules lists them"}
		}
	}
	if out.Suppressor, err = audit.NewSuppressor(c.Suppressions); err != nil {
		return out, &Error{Code: ExitUsage, Err: err}
	}
	chosen, err := pickProfiles(o.profiles)
	if err != nil {
		return out, err
	}
	for _, q := range mailrules.Profiles() {
		if slices.ContainsFunc(chosen, func(x audit.Profile) bool { return x.ID == q.ID }) {
			out.Profiles = append(out.Profiles, q)
		}
	}
	return out, nil
}

func parseNets(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, t := range list {
		t = strings.TrimSpace(t)
		n, err := netip.ParsePrefix(t)
		if err != nil {
			a, e := netip.ParseAddr(t)
			if e != nil || a.Zone() != "" {
				return nil, usage("for example --inside 198.51.100.0/24", "--inside %q is no network", t)
			}
			n = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, n.Masked())
	}
	return out, nil
}
