package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/baseline"
	"github.com/mailcheck-go/mailcheck/internal/config"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// baselineOptions are the flags of "baseline save" and "baseline diff".
type baselineOptions struct {
	lookupOptions
	configPath string
	selectors  []string
	addresses  []string
	file       string
	probe      bool
	update     bool
	failOn     string
	quiet      bool
}

func newBaseline(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Remember what a domain publishes, and tell what has changed",
		Long: `Remember what a domain publishes for mail, and tell later what has changed that
matters: a DKIM key that is gone, a weaker policy, a lost reverse name. Order, TTL and
white space are no changes, and what cannot be read is unknown, never gone.`,
		Example: `  mailcheck baseline save example.org --selector s1 --ip 192.0.2.25
  mailcheck baseline diff example.org`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBaselineSave(s), newBaselineDiff(s))
	return cmd
}

func (o *baselineOptions) flags(cmd *cobra.Command) {
	o.lookupOptions.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.configPath, "config", "", "configuration `file` (default: mailcheck.yaml here, if there is one)")
	fs.StringSliceVar(&o.selectors, "selector", nil, "DKIM `selector` in use, repeatable")
	fs.StringSliceVar(&o.addresses, "ip", nil, "`address` that mail is sent from, repeatable")
	fs.BoolVar(&o.probe, "probe", false, "fetch the MTA-STS policy too, to notice one that changes without its id; a diff does so if the baseline holds one")
	fs.StringVar(&o.file, "file", "", "`file` of the baseline (default: one for each domain in the user's state directory)")
}

func newBaselineSave(s Streams) *cobra.Command {
	o := &baselineOptions{}
	cmd := &cobra.Command{
		Use:   "save DOMAIN",
		Short: "Remember what a domain publishes now",
		Example: `  mailcheck baseline save example.org
  mailcheck baseline save example.org --selector s1 --ip 192.0.2.25 --file example.org.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.save(cmd, s, args) },
	}
	o.flags(cmd)
	return cmd
}

func newBaselineDiff(s Streams) *cobra.Command {
	o := &baselineOptions{}
	cmd := &cobra.Command{
		Use:   "diff DOMAIN",
		Short: "Tell what has changed since",
		Long: `Tell what has changed since the baseline was saved. Without one, it is saved now, and
nothing is said: cron needs no special first run. With --update the baseline becomes
what is published now; what cannot be read stays as it was known.

Selectors and addresses that were remembered are looked at again without being named,
and --selector and --ip add to them. One that is given up, as after a move, is dropped
by remembering anew: 'mailcheck baseline save DOMAIN' with those that are in use.

Exit status: 0 no change at or above --fail-on; 1 there is one; 2 something that was
known cannot be read now; 3 wrong usage.`,
		Example: `  mailcheck baseline diff example.org
  mailcheck baseline diff example.org --update --fail-on warning -o json
  mailcheck baseline diff example.org --update --quiet    # in cron`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.diff(cmd, s, args) },
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.update, "update", false, "remember what is published now, after telling what changed")
	cmd.Flags().StringVar(&o.failOn, "fail-on", "warning", "`severity` from which a change makes the exit status 1: error, warning, notice or none")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print something only if there is something to tell: a change at or above --fail-on, or what cannot be read now")
	return cmd
}

// take reads the domain as it is now, and the file in which it is remembered.
func (o *baselineOptions) take(cmd *cobra.Command, s Streams, args []string, old *baseline.Baseline) (*baseline.Baseline, error) {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(o.configPath)
	if err != nil {
		return nil, &Error{Code: ExitUsage, Err: err, Hint: "the keys of the file are in docs/guide/config.md"}
	}
	if o.probe && o.offline {
		return nil, usage("drop one of the two", "--probe excludes --offline")
	}
	given, err := parseAddrs(o.addresses)
	if err != nil {
		return nil, err
	}
	if err := checkSelectors(o.selectors); err != nil {
		return nil, err
	}
	f := facts.Options{}
	f.Selectors, f.Addresses = cfg.For(domain)
	f.Selectors, f.Addresses = append(f.Selectors, o.selectors...), append(f.Addresses, given...)
	if old != nil { // what was remembered is looked at again without being named
		f.Selectors, f.Addresses = union(f.Selectors, old.Selectors), union(f.Addresses, old.Addresses)
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return nil, err
	}
	defer done()
	f.Resolver = res.about
	opt := baseline.Options{Facts: f, Source: res.about}
	if o.probe || old != nil && old.Facet(baseline.STS, "") != nil && !o.offline {
		opt.Policy = &mtasts.Options{Dial: network{}.dialer().DialContext, Timeout: auditFetch}
	}
	b, err := baseline.Take(ctx, res, domain, opt)
	if stopped := interrupted(cmd); stopped != nil {
		return nil, stopped
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, &Error{Code: ExitIncomplete, Err: err, Hint: lookupHint(err)}
	}
	return b, nil
}

func union[T comparable](a, b []T) []T {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(slices.Clip(a), x)
		}
	}
	return a
}

// path is the file of a domain's baseline.
func (o *baselineOptions) path(s Streams, domain resolve.Name) (string, error) {
	if o.file != "" {
		return o.file, nil
	}
	dir := s.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home := s.Getenv("HOME")
		if home == "" {
			return "", usage("name a file with --file", "there is no home directory to keep the baseline in")
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "mailcheck", "baseline", strings.ReplaceAll(domain.String(), string(filepath.Separator), "_")+".json"), nil
}

func (o *baselineOptions) save(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	b, err := o.take(cmd, s, args, nil)
	if err != nil {
		return err
	}
	path, err := o.path(s, b.Domain)
	if err != nil {
		return err
	}
	if err := writeBaseline(path, b); err != nil {
		return err
	}
	if o.format == "json" {
		err = printJSON(s.Out, b)
	} else {
		_, err = fmt.Fprintf(s.Out, "Remembered %s of %s in %s\n", plural(len(b.Facets), "fact", "facts"), b.Domain, safe.Text(path))
	}
	if err != nil {
		return err
	}
	for _, f := range b.Facets {
		if f.State == resolve.Unavailable.String() {
			fmt.Fprintf(s.Err, "mailcheck: warning: %s %s could not be read\n", f.Kind, safe.Text(f.Key))
			err = exit(ExitIncomplete)
		}
	}
	return err
}

func writeBaseline(path string, b *baseline.Baseline) error {
	text, err := b.Encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return writeError(err)
	}
	f, err := openOutput(nil, path)
	if err != nil {
		return err
	}
	defer f.abandon()
	if _, err := f.Write(text); err != nil {
		return writeError(err)
	}
	return f.commit()
}

func readBaseline(path string) (*baseline.Baseline, error) {
	text, err := readFile(nil, path, baseline.MaxFile)
	if err != nil {
		return nil, err
	}
	b, err := baseline.Decode(text)
	if err != nil {
		return nil, &Error{Code: ExitUsage, Err: fmt.Errorf("%s: %w", path, err), Hint: "mailcheck baseline save DOMAIN makes one"}
	}
	return b, nil
}

func (o *baselineOptions) diff(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	if err := oneOf(cmd, "fail-on", o.failOn, "error", "warning", "notice", "none"); err != nil {
		return err
	}
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	path, err := o.path(s, domain)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		b, err := o.take(cmd, s, args, nil)
		if err != nil {
			return err
		}
		return writeBaseline(path, b)
	}
	old, err := readBaseline(path)
	if err != nil {
		return err
	}
	if old.Domain != domain {
		return usage("name the file of "+domain.String(), "%s is of %s", path, old.Domain)
	}
	now, err := o.take(cmd, s, args, old)
	if err != nil {
		return err
	}
	d := baseline.Compare(old, now)
	v := diffView{"mailcheck.baseline-diff/1", domain.String(), old.At.Format("2006-01-02 15:04 MST"), now.At.Format("2006-01-02 15:04 MST"), d}
	told := v.verdict(o.failOn)
	if told != nil || !o.quiet || o.format == "json" {
		if err := v.print(s, o.format); err != nil {
			return err
		}
	}
	if o.update {
		if err := writeBaseline(path, baseline.Keep(old, now)); err != nil {
			return err
		}
	}
	return told
}

// diffView is the document of schemas mailcheck.baseline-diff/1 and
// mailcheck.compare/1.
type diffView struct {
	Schema string `json:"schema"`
	Domain string `json:"domain"`
	Old    string `json:"old"`
	New    string `json:"new"`
	baseline.Difference
}

func (v diffView) verdict(failOn string) error {
	min, _ := audit.ParseSeverity(failOn)
	switch {
	case min != 0 && v.Worst() >= min:
		return exit(ExitFindings)
	case len(v.Unknown) > 0:
		return exit(ExitIncomplete)
	}
	return nil
}

func (v diffView) print(s Streams, format string) error {
	if format == "json" {
		return printJSON(s.Out, v)
	}
	p := newSheet(s)
	for _, c := range v.Changes {
		p.hang("", c.Severity.String(), 9, strings.TrimSpace(string(c.Kind)+" "+c.Key)+": "+c.Meaning)
		for _, x := range c.Old {
			p.hang("", "", 9, "- "+x)
		}
		for _, x := range c.New {
			p.hang("", "", 9, "+ "+x)
		}
	}
	for _, c := range v.Unknown {
		p.hang("", "unknown", 9, strings.TrimSpace(string(c.Kind)+" "+c.Key)+": "+c.Meaning)
	}
	if len(v.Changes)+len(v.Unknown) == 0 {
		p.para("Nothing that matters to mail has changed between %s and %s.", v.Old, v.New)
	}
	return p.flush(s.Out)
}
