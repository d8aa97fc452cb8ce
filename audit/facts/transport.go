package facts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// Transport is what is known of the way that mail takes to the domain, beside
// its MX records (RFC 8461, RFC 8460, RFC 7672, RFC 3207).
type Transport struct {
	STS    mtasts.Discovery // its State and Err are the fact's
	TLSRPT tlsrpt.Discovery

	// Policy is what the policy host gives out. It is asked for only if
	// Options.Fetch is set, and there is a record or a policy host.
	Policy      mtasts.Fetched
	PolicyAsked bool

	// DANE holds the TLSA records of each MX host, in the order of the MX records.
	DANE []dane.Set

	// Probe is what the mail hosts show; Asked only if Options.Probe is set.
	Probe      probe.Result
	ProbeAsked bool

	// Servers are the name servers of the domain's zone, one by one.
	Servers      Fact[nameserver.Zone]
	ServersAsked bool

	// Security holds what DNSSEC validation says: of the MX records, of each MX
	// host's addresses, and of TLSA records where there are some.
	Security      map[resolve.Question]dnssec.Result
	SecurityAsked bool
}

// Set returns the TLSA records of a host.
func (t *Transport) Set(host resolve.Name) (dane.Set, bool) {
	i := slices.IndexFunc(t.DANE, func(s dane.Set) bool { return s.Host == host })
	if i < 0 {
		return dane.Set{}, false
	}
	return t.DANE[i], true
}

// errNotSeen is the gap of mail hosts none of which could be talked to from here.
var errNotSeen = errors.New("no mail host could be talked to from here")

// Seen reports whether a conversation tells something about the host: it
// answered, or it refused. Silence, and all that lies with this network, does not.
func Seen(a probe.Attempt) bool { return a.Connect != probe.Unknown }

// transport gathers all of it, each part as soon as what it needs is known.
func (g *gatherer) transport(ctx context.Context, opt Options) {
	var wg sync.WaitGroup
	t := &g.snap.Transport
	wg.Go(func() { t.TLSRPT = tlsrpt.Lookup(ctx, g.memo, g.snap.Domain) })
	wg.Go(func() { g.policy(ctx, opt) })
	wg.Go(func() { g.probes(ctx, opt) })
	wg.Go(func() { g.dane(ctx, opt) })
	wg.Go(func() {
		if opt.NameServers == nil {
			return
		}
		z, err := opt.NameServers(ctx, g.snap.Domain)
		t.ServersAsked = true
		t.Servers = Fact[nameserver.Zone]{State: resolve.StateOf(err), Value: z, Err: err}
		if err != nil && t.Servers.State == resolve.Absent {
			t.Servers.State = resolve.Unavailable // there is a zone somewhere
		}
	})
	wg.Wait()
}

// policy finds the MTA-STS record, and fetches the policy if anything speaks for
// one: a policy host without a record is a defect of its own.
func (g *gatherer) policy(ctx context.Context, opt Options) {
	t := &g.snap.Transport
	t.STS = mtasts.Lookup(ctx, g.memo, g.snap.Domain)
	if opt.Fetch == nil {
		return
	}
	if !tried(t.STS) {
		host, err := g.snap.Domain.Below("mta-sts")
		if err != nil || g.wild(t.STS.Answer) || g.addresses(ctx, host).State != resolve.Present {
			return
		}
	}
	f := *opt.Fetch
	if f.Now == nil {
		f.Now = opt.Now
	}
	t.Policy = mtasts.Fetch(ctx, g.memo, g.snap.Domain, f)
	t.PolicyAsked = true
}

// tried reports whether somebody published a record, a proper one or not.
func tried(d mtasts.Discovery) bool {
	return d.State == resolve.Present ||
		slices.ContainsFunc(d.Found, func(f mtasts.Found) bool { return f.STS || !errors.Is(f.Err, mtasts.ErrNotSTS) })
}

// wild reports an answer that a wildcard may have given: the name exists, and
// what is there is of another kind.
func (g *gatherer) wild(a resolve.Answer) bool { return len(a.Records) > 0 }

// probes talks to the mail hosts.
func (g *gatherer) probes(ctx context.Context, opt Options) {
	if opt.Probe == nil {
		return
	}
	p := *opt.Probe
	if p.Now == nil {
		p.Now = opt.Now
	}
	<-g.mxDone
	if opt.Paths != nil && !slices.ContainsFunc(g.mxHosts, resolve.Name.IsRoot) {
		p.Paths = opt.Paths(ctx)
	}
	res, err := probe.MX(ctx, g.memo, g.snap.Domain, p)
	t := &g.snap.Transport
	t.Probe, t.ProbeAsked = res, true
	if err != nil {
		t.Probe.Error = err.Error()
	}
}

// dane looks up the TLSA records of the MX hosts, and what DNSSEC says of the
// names that mail depends on.
func (g *gatherer) dane(ctx context.Context, opt Options) {
	<-g.mxDone
	var hosts []resolve.Name
	for _, h := range g.mxHosts {
		if !h.IsRoot() && !slices.Contains(hosts, h) && len(hosts) < MaxExchanges {
			hosts = append(hosts, h)
		}
	}
	t := &g.snap.Transport
	v := &validations{validate: opt.Validate, done: map[resolve.Question]*validation{}}
	sets := make([]dane.Set, len(hosts))
	var wg sync.WaitGroup
	if opt.Validate != nil {
		wg.Go(func() { v.of(ctx, resolve.Question{Name: g.snap.Domain, Type: resolve.TypeMX}) })
	}
	for i, h := range hosts {
		wg.Go(func() {
			sets[i] = dane.Lookup(ctx, g.memo, h, dane.Options{})
			if opt.Validate == nil {
				return
			}
			v.of(ctx, resolve.Question{Name: h, Type: resolve.TypeA})
			if sets[i].State != resolve.Absent {
				sets[i] = dane.Lookup(ctx, g.memo, h, dane.Options{Judge: func(a resolve.Answer, _ error) dane.Security {
					return security(v.of(ctx, a.Question).Status)
				}})
			}
		})
	}
	wg.Wait()
	t.DANE, t.Security, t.SecurityAsked = sets, v.results(), opt.Validate != nil
}

func security(s dnssec.Status) dane.Security {
	switch s {
	case dnssec.Secure:
		return dane.Secure
	case dnssec.Insecure:
		return dane.Insecure
	case dnssec.Bogus:
		return dane.Bogus
	}
	return dane.Indeterminate
}

// validations asks for each validation once.
type validations struct {
	validate func(context.Context, resolve.Question) dnssec.Result
	mu       sync.Mutex
	done     map[resolve.Question]*validation
}

type validation struct {
	once   sync.Once
	result dnssec.Result
}

func (v *validations) of(ctx context.Context, q resolve.Question) dnssec.Result {
	v.mu.Lock()
	x := v.done[q]
	if x == nil {
		x = &validation{}
		v.done[q] = x
	}
	v.mu.Unlock()
	x.once.Do(func() { x.result = v.validate(ctx, q) })
	return x.result
}

func (v *validations) results() map[resolve.Question]dnssec.Result {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := make(map[resolve.Question]dnssec.Result, len(v.done))
	for q, x := range v.done {
		out[q] = x.result
	}
	return out
}

// settle notes what of the transport is unavailable.
func (s *Snapshot) settleTransport() {
	t := &s.Transport
	if t.STS.State == resolve.Unavailable {
		s.gap(STS, t.STS.Err)
	}
	if t.TLSRPT.State == resolve.Unavailable {
		s.gap(TLSRPT, t.TLSRPT.Err)
	}
	if s.MX.State == resolve.Unavailable {
		s.gap(TLSA, s.MX.Err)
	}
	if t.ProbeAsked && len(t.Probe.Exchanges) > 0 && !slices.ContainsFunc(t.Probe.Exchanges, func(x probe.Exchange) bool {
		return slices.ContainsFunc(x.Attempts, Seen)
	}) {
		s.gap(MailHosts, notSeen(t.Probe))
	}
	if t.PolicyAsked && t.Policy.State == resolve.Unavailable {
		s.gap(STSPolicy, errors.New(t.Policy.Why))
	}
	if b := &s.Brand; b.Asked && b.Record.State == resolve.Unavailable {
		s.gap(Logo, b.Record.Err)
	}
	if t.ServersAsked && t.Servers.State == resolve.Unavailable {
		s.gap(NameServers, t.Servers.Err)
	}
}

// notSeen tells why nothing was seen: the way out if that is known, or else the
// first failure.
func notSeen(r probe.Result) error {
	for _, p := range r.Paths {
		if p.State == probe.Blocked {
			return errors.New("connections to port 25 do not leave this network")
		}
	}
	for _, x := range r.Exchanges {
		for _, a := range x.Attempts {
			if a.Failure != nil {
				return fmt.Errorf("%w: %w", errNotSeen, a.Failure)
			}
		}
	}
	return errNotSeen
}
