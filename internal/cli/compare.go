package cli

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/baseline"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// compareOptions are the flags of "compare".
type compareOptions struct {
	lookupOptions
	domain       string
	selectors    []string
	oldIP, newIP string
	failOn       string
}

func newCompare(s Streams) *cobra.Command {
	o := &compareOptions{}
	cmd := &cobra.Command{
		Use:   "compare OLD NEW --domain DOMAIN",
		Short: "Before a move: what does the new zone or host lack",
		Long: `Compare what an old and a new place say of a domain, and tell what the new one lacks
that mail depends on. OLD and NEW are each a DNS server (an address, or a udp://,
tcp://, tls:// or https:// URL), a zone file, a file of 'mailcheck baseline save', or
'-' for what the DNS says now.

With --old-ip and --new-ip the sending host moves too: reverse name, its way back and
the SPF result are compared. DKIM selectors are taken from zone files and baselines,
from --selector, and guessed from the domain's providers.

Exit status: 0 nothing is lost; 1 something is; 2 something could not be read; 3 wrong
usage.`,
		Example: `  mailcheck compare 192.0.2.53 198.51.100.53 --domain example.org --selector s1
  mailcheck compare old.zone new.zone --domain example.org --offline
  mailcheck compare - - --domain example.org --old-ip 192.0.2.25 --new-ip 198.51.100.25`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.domain, "domain", "", "`domain` that moves")
	fs.StringSliceVar(&o.selectors, "selector", nil, "DKIM `selector` in use, repeatable")
	fs.StringVar(&o.oldIP, "old-ip", "", "`address` that mail is sent from now")
	fs.StringVar(&o.newIP, "new-ip", "", "`address` that mail will be sent from")
	fs.StringVar(&o.failOn, "fail-on", "warning", "`severity` from which a difference makes the exit status 1: error, warning, notice or none")
	return cmd
}

// place is one side of a comparison.
type place struct {
	name  string
	read  resolve.Resolver   // nil for a baseline
	saved *baseline.Baseline // nil for a resolver
	hints []string           // selectors that it is known to have
	ip    netip.Addr
}

func (o *compareOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	if err := oneOf(cmd, "fail-on", o.failOn, "error", "warning", "notice", "none"); err != nil {
		return err
	}
	if len(args) != 2 {
		return usage("mailcheck compare OLD NEW --domain example.org", "'%s' takes the old and the new place", cmd.CommandPath())
	}
	domain, err := ownDomain(cmd, o.domain)
	if err != nil {
		return err
	}
	if err := checkSelectors(o.selectors); err != nil {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	var sides [2]place
	for i, word := range args {
		ip := []string{o.oldIP, o.newIP}[i]
		if sides[i], err = openPlace(s, word, domain, res); err != nil {
			return err
		}
		if ip != "" {
			list, err := parseAddrs([]string{ip})
			if err != nil {
				return err
			}
			sides[i].ip = list[0]
		}
	}
	both, err := o.take(ctx, domain, sides)
	if stopped := interrupted(cmd); stopped != nil {
		return stopped
	}
	if err != nil {
		return &Error{Code: ExitIncomplete, Err: err, Hint: lookupHint(err)}
	}
	v := diffView{"mailcheck.compare/1", domain.String(), sides[0].name, sides[1].name, baseline.Compare(both[0], both[1])}
	if !o.offline { // with --offline, what is not in the files was not asked for
		v.Unknown = append(v.Unknown, unread(both[0], both[1])...)
	}
	if err := v.print(s, o.format); err != nil {
		return err
	}
	return v.verdict(o.failOn)
}

// unread is what the old place did not tell. A baseline that is compared with
// today has said so when it was saved; here nobody has.
func unread(old, now *baseline.Baseline) []baseline.Change {
	var out []baseline.Change
	for _, a := range old.Facets {
		i := slices.IndexFunc(now.Facets, func(f baseline.Facet) bool { return f.Kind == a.Kind && f.Key == a.Key })
		if i < 0 || a.State != resolve.Unavailable.String() {
			continue
		}
		out = append(out, baseline.Change{Kind: a.Kind, Key: a.Key, What: baseline.Unknown, Old: []string{}, New: append([]string{}, now.Facets[i].Values...),
			Meaning: "the old place: " + cmp.Or(a.Error, "it could not be read")})
	}
	return out
}

// openPlace decides what a word stands for: a file if there is one.
func openPlace(s Streams, word string, domain resolve.Name, system resolve.Resolver) (place, error) {
	if word == "-" {
		return place{name: "the DNS now", read: system}, nil
	}
	if info, err := os.Stat(word); err == nil && info.Mode().IsRegular() {
		text, err := readFile(s.In, word, baseline.MaxFile)
		if err != nil {
			return place{}, err
		}
		if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
			b, err := readBaseline(word)
			if err == nil && b.Domain != domain {
				err = usage("give the baseline of "+domain.String(), "%s is of %s", word, b.Domain)
			}
			if err != nil {
				return place{}, err
			}
			return place{name: word, saved: b, hints: b.Selectors}, nil
		}
		z, err := zonetest.Parse(string(text), zonetest.Options{Origin: domain, File: word})
		if err != nil {
			return place{}, zoneError(err)
		}
		return place{name: word, read: resolve.Overlay{Zone: z, Next: system}, hints: selectorsIn(z, domain)}, nil
	}
	c, err := client.New(client.Options{Servers: []string{word}})
	if err != nil {
		return place{}, &Error{Code: ExitUsage, Err: err, Hint: "give a DNS server, a zone file or a baseline"}
	}
	// The server is asked for the domain's own names; what they lead to, and the
	// reverse names, are the world's.
	return place{name: word, read: resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		if q.Name.Within(domain) {
			return c.Resolve(ctx, q)
		}
		return system.Resolve(ctx, q)
	})}, nil
}

// selectorsIn lists the selectors that a zone has keys under.
func selectorsIn(z *zonetest.Zone, domain resolve.Name) []string {
	var out []string
	suffix := "._domainkey." + domain.String()
	for _, n := range z.Names() {
		if s, ok := strings.CutSuffix(strings.ToLower(n.String()), strings.ToLower(suffix)); ok && s != "" {
			out = append(out, s)
		}
	}
	return out
}

// take reads both places, with the selectors that either is known to have.
func (o *compareOptions) take(ctx context.Context, domain resolve.Name, sides [2]place) ([2]*baseline.Baseline, error) {
	var out [2]*baseline.Baseline
	selectors := union(union(slices.Clone(o.selectors), sides[0].hints), sides[1].hints)
	for round := range 2 {
		var found []string
		for i, p := range sides {
			if out[i] = p.saved; p.saved == nil {
				f := facts.Options{Selectors: selectors, Resolver: p.name}
				if p.ip.IsValid() {
					f.Addresses = []netip.Addr{p.ip}
				}
				b, err := baseline.Take(ctx, p.read, domain, baseline.Options{Facts: f, Source: p.name})
				if err != nil {
					return out, err
				}
				out[i] = b
			}
			out[i] = sendingHost(out[i], p.ip)
			found = union(found, out[i].Selectors)
		}
		if len(union(selectors, found)) == len(selectors) || round == 1 {
			break
		}
		selectors = union(selectors, found) // what one side was found to have is asked of the other
	}
	return out, nil
}

// sendingHost gives the sending addresses of both sides one name.
func sendingHost(b *baseline.Baseline, ip netip.Addr) *baseline.Baseline {
	if !ip.IsValid() {
		return b
	}
	c := *b
	c.Facets = slices.Clone(b.Facets)
	for i := range c.Facets {
		if c.Facets[i].Key == ip.String() {
			c.Facets[i].Key = "of the sending host"
		}
	}
	return &c
}
