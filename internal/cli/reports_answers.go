package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/config"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
	"github.com/mailcheck-go/mailcheck/reports/ingest"
	"github.com/mailcheck-go/mailcheck/reports/insight"
	"github.com/mailcheck-go/mailcheck/reports/insight/rdns"
)

// reportsAnswers are the commands that ask an archive of reports.
func reportsAnswers(s Streams) []*cobra.Command {
	return []*cobra.Command{
		newReportsSummary(s), newReportsSources(s), newReportsFailures(s), newReportsTimeline(s), newReportsSelectors(s),
		newReportsReporters(s), newReportsReadiness(s), newReportsTLS(s), newReportsDigest(s), newReportsEvidence(s),
	}
}

// answerOptions are the flags of the commands that ask.
type answerOptions struct {
	storeFlags
	resolverFlags
	clock
	from       []string
	domains    []string
	since      string
	until      string
	dns        bool
	timeout    time.Duration
	own        []string
	forwarders []string
	forgers    []string
	configPath string
	everything bool
	format     string
	outputFile string

	// Of the commands about sources alone.
	only []string

	config config.Config

	formats []string
	now     time.Time
}

func (o *answerOptions) add(cmd *cobra.Command, formats ...string) {
	o.formats = formats
	o.storeFlags.add(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.from, "from", nil, "`file` or directory of reports, - for standard input, repeatable: ask these in place of the archive")
	f.StringArrayVar(&o.domains, "domain", nil, "policy `domain` asked about, repeatable (default: all)")
	f.StringVar(&o.since, "since", "", "first `day`: 2026-11-01, 2026-11, or a time ago such as 7d, 4w, 3m, 1y")
	f.StringVar(&o.until, "until", "", "last `day`, written as for --since")
	f.BoolVar(&o.everything, "all-reports", false, "count forged reports, and those about domains that are not ours, too")
	f.BoolVar(&o.dns, "dns", false, "ask DNS as well: the names of addresses, and what the domain publishes now (--resolver and --zone do the same)")
	f.StringArrayVar(&o.own, "ours", nil, "`source` that is ours, repeatable: an address, a network or a name that 'reports sources' shows")
	f.StringArrayVar(&o.forwarders, "forwarder", nil, "`source` that sends on what was sent to it, repeatable")
	f.StringArrayVar(&o.forgers, "forger", nil, "`source` that is not ours and sends in our name, repeatable")
	f.StringVarP(&o.format, "output", "o", "text", "output `format`: "+words(formats))
	f.StringVar(&o.configPath, "config", "", "configuration `file` with ours, forwarders and forgers (default: mailcheck.yaml here, if there is one)")
	f.StringVar(&o.outputFile, "output-file", "", "write to `file`, which appears only when it is whole")
	o.resolverFlags.add(cmd)
	f.DurationVar(&o.timeout, "timeout", defaultTimeout, "time for all DNS queries")
	o.clock.add(cmd)
}

func words(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

// tables are the formats of most answers.
var tables = []string{"text", "json", "csv", "markdown"}

// query reads the flags and opens the archive; done closes it.
func (o *answerOptions) query(cmd *cobra.Command, s Streams, args []string) (q insight.Query, done func(), err error) {
	if len(args) > 0 {
		return q, nil, unexpected(cmd)
	}
	if err := oneOf(cmd, "output", o.format, o.formats...); err != nil {
		return q, nil, err
	}
	if o.timeout <= 0 {
		return q, nil, usage("for example --timeout 30s", "--timeout must be positive")
	}
	now, err := o.clock.now()
	if err != nil {
		return q, nil, err
	}
	o.now = now().UTC()
	q = insight.Query{At: o.now, Everything: o.everything}
	for _, d := range o.domains {
		n, err := parseDomain(d, "--domain")
		if err != nil {
			return q, nil, err
		}
		q.Domains = append(q.Domains, n.String())
	}
	if q.Since, _, err = o.day("since", o.since); err != nil {
		return q, nil, err
	}
	if _, q.Until, err = o.day("until", o.until); err != nil {
		return q, nil, err
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return q, nil, usage("--since names the earlier day", "--since %s is after --until %s", o.since, o.until)
	}
	for _, w := range o.only {
		if p, err := netip.ParsePrefix(w); err == nil {
			q.Networks = append(q.Networks, p.Masked())
		} else if a, err := netip.ParseAddr(w); err == nil {
			q.Networks = append(q.Networks, netip.PrefixFrom(a, a.BitLen()))
		} else {
			q.Names = append(q.Names, w)
		}
	}
	if q.Labels, err = o.labels(q.Domains); err != nil {
		return q, nil, err
	}
	store, err := o.archive(cmd.Context(), s)
	if err != nil {
		return q, nil, err
	}
	q.Archive = store
	done = func() { store.Close() }
	if err := o.ask(cmd.Context(), s, &q, store); err != nil {
		done()
		return q, nil, err
	}
	return q, done, nil
}

// labels are what the flags and the configuration say of sources, the flags first.
func (o *answerOptions) labels(domains []string) (out []insight.Label, err error) {
	if o.config, err = config.Load(o.configPath); err != nil {
		return nil, &Error{Code: ExitUsage, Err: err, Hint: "the keys of the file are in docs/guide/config.md"}
	}
	say := func(domain string, x config.Sources) {
		for _, l := range []struct {
			list  []string
			class insight.Class
		}{{x.Ours, insight.Own}, {x.Forwarders, insight.Forwarding}, {x.Forgers, insight.Spoofing}} {
			for _, source := range l.list {
				out = append(out, insight.Label{Source: strings.TrimSpace(source), Class: l.class, Domain: domain})
			}
		}
	}
	say("", config.Sources{Ours: o.own, Forwarders: o.forwarders, Forgers: o.forgers})
	for _, d := range o.config.Domains {
		if name := d.Name.String(); len(domains) == 0 || slices.Contains(domains, name) {
			say(name, d.Sources)
		}
	}
	say("", o.config.Sources)
	return out, nil
}

// day reads the flag of a day: the first one it means, and the first after it.
func (o *answerOptions) day(flag, text string) (from, to time.Time, err error) {
	if text == "" {
		return from, to, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, t.AddDate(0, 0, 1), nil
	}
	if t, err := time.Parse("2006-01", text); err == nil {
		return t, t.AddDate(0, 1, 0), nil
	}
	today := time.Date(o.now.Year(), o.now.Month(), o.now.Day(), 0, 0, 0, 0, time.UTC)
	n, unit := text[:len(text)-1], text[len(text)-1]
	count, err := strconv.Atoi(n)
	if err == nil && count >= 0 && count <= 10_000 {
		switch unit {
		case 'd':
			from = today.AddDate(0, 0, -count)
		case 'w':
			from = today.AddDate(0, 0, -7*count)
		case 'm':
			from = today.AddDate(0, -count, 0)
		case 'y':
			from = today.AddDate(-count, 0, 0)
		}
	}
	if from.IsZero() {
		return from, to, usage("a day as in 2026-11-01, a month as in 2026-11, or a time ago as in 7d, 4w, 3m, 1y", "--%s: %q is no day", flag, text)
	}
	return from, from.AddDate(0, 0, 1), nil
}

// archive opens the store, or reads the files of --from into one in memory.
func (o *answerOptions) archive(ctx context.Context, s Streams) (archive.Store, error) {
	if len(o.from) == 0 {
		return openStore(ctx, s, o.storeFlags, true)
	}
	if o.dir != "" {
		return nil, usage("drop one of the two", "--from excludes --store")
	}
	sources, missing, err := (&reportsImportOptions{}).sources(s, o.from)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, noFile(missing)
	}
	store := memory.New()
	res, err := ingest.Run(ctx, func(yield func(ingest.Input, error) bool) {
		for _, src := range sources {
			for in, err := range src.inputs(ctx) {
				if !yield(in, err) {
					return
				}
			}
		}
	}, ingest.Options{Store: store, Now: func() time.Time { return o.now }})
	if err != nil {
		return nil, storeError("memory", err)
	}
	for i, r := range slices.Concat(res.Rejected, res.Unavailable) {
		if i == maxWarnings {
			fmt.Fprintf(s.Err, "mailcheck: warning: and %d more that gave no report\n", int(res.Refused)+len(res.Unavailable)-i)
			break
		}
		fmt.Fprintf(s.Err, "mailcheck: warning: %s: %s\n", safe.Text(r.Source), safe.Text(r.Reason))
	}
	if res.New+res.Conflicting == 0 {
		return nil, &Error{Code: ExitIncomplete, Err: fmt.Errorf("no report in %s", strings.Join(o.from, ", ")), Hint: "'mailcheck reports parse' tells what each file is"}
	}
	return store, nil
}

const maxWarnings = 20

// ask joins the archive with DNS, if that is wanted.
func (o *answerOptions) ask(ctx context.Context, s Streams, q *insight.Query, store archive.Store) error {
	if !o.dns && len(o.servers) == 0 && len(o.zones) == 0 && !o.authoritative {
		return nil
	}
	res, err := o.open(s)
	if err != nil {
		return err
	}
	defer res.close()
	dctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	domains, busy, err := about(ctx, *q)
	if err != nil {
		return err
	}
	// What the records say matters more than names, so it is asked first.
	seen, err := store.Selectors(ctx, archive.Filter{Domains: domains, NoForged: true, NoAlien: true})
	if err != nil {
		return err
	}
	q.Live, err = insight.Look(dctx, res, domains, seen)
	if err != nil && ctx.Err() != nil {
		return &Error{Code: ExitInterrupted, Err: errors.New("interrupted")}
	}
	names := &nameCache{Reader: store, found: map[netip.Addr]archive.Name{}}
	if err == nil {
		_, err = rdns.Fill(dctx, res, names, busy, rdns.Options{Now: o.now})
	}
	if ctx.Err() != nil {
		return &Error{Code: ExitInterrupted, Err: errors.New("interrupted")}
	}
	if err != nil {
		fmt.Fprintf(s.Err, "mailcheck: warning: the time for DNS was over before all was asked: what is missing is unknown (--timeout)\n")
	}
	q.Archive = names
	o.remember(ctx, s, names)
	return nil
}

// about gives the domains of a query and its addresses, the busiest first.
func about(ctx context.Context, q insight.Query) ([]string, []netip.Addr, error) {
	f := archive.Filter{Domains: q.Domains, Since: q.Since, Until: q.Until, NoForged: !q.Everything, NoAlien: !q.Everything}
	domains := q.Domains
	if len(domains) == 0 {
		list, err := q.Archive.Totals(ctx, f, archive.ByDomain)
		if err != nil {
			return nil, nil, err
		}
		slices.SortStableFunc(list, func(a, b archive.Total) int { return int(max(-1, min(1, b.Messages-a.Messages))) })
		for _, t := range list {
			domains = append(domains, t.Key)
		}
		domains = domains[:min(len(domains), insight.MaxLiveDomains)]
	}
	f.Domains = domains
	list, err := q.Archive.Totals(ctx, f, archive.BySource)
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(list, func(a, b archive.Total) int { return int(max(-1, min(1, b.Messages-a.Messages))) })
	var busy []netip.Addr
	for _, t := range list[:min(len(list), rdns.DefaultMax*4)] {
		if a, err := netip.ParseAddr(t.Key); err == nil {
			busy = append(busy, a)
		}
	}
	return domains, busy, nil
}

// nameCache is an archive that is read, and the names that are new.
type nameCache struct {
	archive.Reader
	found map[netip.Addr]archive.Name
}

func (c *nameCache) Names(ctx context.Context, addrs []netip.Addr) ([]archive.Name, error) {
	list, err := c.Reader.Names(ctx, addrs)
	list = slices.DeleteFunc(list, func(n archive.Name) bool { _, newer := c.found[n.Addr]; return newer })
	for _, a := range addrs {
		if n, ok := c.found[a]; ok {
			list = append(list, n)
		}
	}
	return list, err
}

func (c *nameCache) PutNames(_ context.Context, names []archive.Name) error {
	for _, n := range names {
		c.found[n.Addr] = n
	}
	return nil
}

// remember keeps new names in the archive. An answer does not fail because it
// cannot: another import may be writing, or the archive may not be ours to write.
func (o *answerOptions) remember(ctx context.Context, s Streams, c *nameCache) {
	if len(o.from) > 0 || len(c.found) == 0 {
		return
	}
	names := make([]archive.Name, 0, len(c.found))
	for _, n := range c.found {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b archive.Name) int { return a.Addr.Compare(b.Addr) })
	w, err := openStore(ctx, s, o.storeFlags, false)
	if err != nil {
		return
	}
	defer w.Close()
	_ = w.PutNames(ctx, names)
}

// addSources adds the flag of the commands about sources.
func (o *answerOptions) addSources(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&o.only, "source", nil, "`source` asked about, repeatable: an address, a network, a name or a provider's ID")
}

// unmatched warns of labels that fit nothing: misspelt, they would be a silent no.
// Those of the configuration are for all days, and need not fit those asked about.
func (o *answerOptions) unmatched(s Streams, labels []string) {
	for _, l := range labels {
		if !o.flagged(l) {
			continue
		}
		fmt.Fprintf(s.Err, "mailcheck: warning: no source is %s: --ours, --forwarder and --forger take an address, a network, or a name that 'mailcheck reports sources' shows\n", safe.Quote(l))
	}
}

// flagged reports whether a label is a flag's.
func (o *answerOptions) flagged(label string) bool {
	return slices.ContainsFunc(slices.Concat(o.own, o.forwarders, o.forgers), func(x string) bool { return strings.TrimSpace(x) == label })
}

// unfit notes the labels of the configuration that fit no source of the days asked
// about.
func (o *answerOptions) unfit(labels []string) []string {
	var out []string
	for _, l := range labels {
		if !o.flagged(l) {
			out = append(out, fmt.Sprintf("%s names %s, which is no source of these days", o.config.Path, safe.Quote(l)))
		}
	}
	return out
}
