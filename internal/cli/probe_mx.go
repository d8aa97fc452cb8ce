package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
)

// probeMXOptions are the flags of "probe mx".
type probeMXOptions struct {
	resolverFlags
	networkFlags
	ports     []int
	control   []string
	noControl bool
	timeout   time.Duration
	format    string
}

func newProbeMX(s Streams) *cobra.Command {
	o := &probeMXOptions{}
	cmd := &cobra.Command{
		Use:   "mx DOMAIN",
		Short: "Talk to every mail host of a domain: connection, greeting, TLS, certificate, DANE, MTA-STS",
		Long: `Talk to every address of every MX host of a domain and print what it shows: the
connection, the greeting, STARTTLS, the TLS version, the certificate with chain,
name, time and key told apart, and what DANE and MTA-STS make of it.

A host that does not answer is unknown. To tell a host that is down from a network
that lets nothing out to port 25, hosts that are known to answer are spoken to when
all is silent: --control names others than the usual ones.

Exit status: 0 all hosts can be delivered to, 1 some cannot, or not by all senders,
2 something could not be seen from here, 3 wrong usage. A certificate that no
sender insists on does not change it.`,
		Example: `  mailcheck probe mx example.org
  mailcheck probe mx example.org -o json
  mailcheck probe mx example.org --helo mail.example.net --timeout 30s
  mailcheck probe mx corp.example --allow-private 10.0.0.0/8 --no-control --ca ca.pem`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.resolverFlags.add(cmd)
	o.networkFlags.add(cmd)
	o.addAnchor(cmd)
	fs := cmd.Flags()
	fs.IntSliceVar(&o.ports, "port", nil, "`port` to talk to, repeatable; on 465 TLS comes first (default 25)")
	fs.StringArrayVar(&o.control, "control", probe.DefaultControl(), "`host:port` that is known to be up and to offer STARTTLS, repeatable")
	fs.BoolVar(&o.noControl, "no-control", false, "speak to no control host: what is silent stays unexplained")
	fs.DurationVar(&o.timeout, "timeout", probe.DefaultTimeout, "time for all of it; a host gets half at most")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

func (o *probeMXOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	if err := oneOf(cmd, "output", o.format, "text", "json"); err != nil {
		return err
	}
	if o.timeout <= 0 {
		return usage("for example --timeout 30s", "--timeout must be positive")
	}
	net, err := o.networkFlags.read()
	if err != nil {
		return err
	}
	opt, err := o.probeOptions(cmd, net)
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
	v, err := o.look(ctx, res, domain, lookOptions{probe: opt, network: net})
	if err != nil {
		return &Error{Code: ExitUsage, Err: err, Hint: helpHint(cmd)}
	}
	if err := interrupted(cmd); err != nil {
		return err
	}
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = v.text(s)
	}
	if err != nil {
		return err
	}
	return exit(v.status())
}

// probeOptions turns the flags into options.
func (o *probeMXOptions) probeOptions(cmd *cobra.Command, n network) (probe.Options, error) {
	opt := probe.Options{Name: n.helo, Roots: n.roots, Allow: n.allow, Control: o.control, Timeout: o.timeout, HostTimeout: min(probe.DefaultHostTimeout, o.timeout/2)}
	if o.noControl {
		if cmd.Flags().Changed("control") {
			return opt, usage("drop one of the two", "--no-control excludes --control")
		}
		opt.Control = nil
	}
	for _, p := range o.ports {
		if p < 1 || p > 65535 {
			return opt, usage("for example --port 25", "--port %d is no port", p)
		}
		opt.Ports = append(opt.Ports, probe.Port{Number: uint16(p), ImplicitTLS: p == int(probe.Submissions.Number)})
	}
	return opt, nil
}

type lookOptions struct {
	probe   probe.Options
	network network
}

// look gathers the conversations, the policy and the TLSA records side by side.
func (o *probeMXOptions) look(ctx context.Context, res *resolver, domain resolve.Name, opt lookOptions) (probeMXView, error) {
	type found struct {
		result probe.Result
		err    error
	}
	hosts := make(chan found, 1)
	go func() {
		r, err := probe.MX(ctx, res, domain, opt.probe)
		hosts <- found{r, err}
	}()
	sts := mtasts.Lookup(ctx, res, domain)
	var policy *mtasts.Fetched
	if sts.State == resolve.Present && !o.offline {
		f := mtasts.Fetch(ctx, res, domain, mtasts.Options{Dial: opt.network.dialer().DialContext, Roots: opt.network.roots, Timeout: o.timeout / 2})
		policy = &f
	}
	got := <-hosts
	if got.err != nil {
		return probeMXView{}, got.err
	}
	judge, err := res.judge(ctx, opt.network.anchors)
	if err != nil {
		return probeMXView{}, err
	}
	sets := map[resolve.Name]dane.Set{}
	for _, x := range got.result.Exchanges {
		sets[x.Host] = lookTLSA(ctx, res, x.Host, judge)
	}
	v := viewProbeMX(got.result, sts, policy)
	v.Resolver = res.about
	for i := range v.Hosts {
		v.Hosts[i].judge(sets[v.Hosts[i].Host], domain, got.result.At)
	}
	return v, nil
}

// lookTLSA finds the records of a host, and validates only if there may be some.
func lookTLSA(ctx context.Context, r resolve.Resolver, host resolve.Name, judge func(resolve.Answer, error) dane.Security) dane.Set {
	s := dane.Lookup(ctx, r, host, dane.Options{})
	if judge == nil || s.State == resolve.Absent {
		return s
	}
	return dane.Lookup(ctx, r, host, dane.Options{Judge: judge})
}

// judge validates answers with the resolver's help; nil if nothing is asked of
// the network, as files prove nothing.
func (r *resolver) judge(ctx context.Context, anchors []dnssec.Anchor) (func(resolve.Answer, error) dane.Security, error) {
	if r.client == nil {
		return nil, nil
	}
	v, err := dnssec.New(dnssec.Options{Exchange: r.client.Exchange, Anchors: anchors})
	if err != nil {
		return nil, fmt.Errorf("DNSSEC: %w", err)
	}
	return func(a resolve.Answer, _ error) dane.Security {
		if a.Transport == resolve.File {
			return dane.Indeterminate
		}
		switch v.Validate(ctx, a.Question).Status {
		case dnssec.Secure:
			return dane.Secure
		case dnssec.Insecure:
			return dane.Insecure
		case dnssec.Bogus:
			return dane.Bogus
		}
		return dane.Indeterminate
	}, nil
}

// status is the exit status: a finding outweighs an unknown.
func (v probeMXView) status() int {
	status := ExitOK
	if v.MX == "unknown" {
		status = ExitIncomplete
	}
	for _, h := range v.Hosts {
		if h.V4 == resolve.Absent && h.V6 == resolve.Absent {
			return ExitFindings
		}
		if slices.Contains(h.Unknown, "") || h.V4 == resolve.Unavailable || h.V6 == resolve.Unavailable || len(h.Unknown) > 0 {
			status = ExitIncomplete
		}
		for _, a := range h.Attempts {
			if len(a.Problems) > 0 {
				return ExitFindings
			}
		}
	}
	return status
}
