package cli

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dnsbl"
	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
)

// networkFlags are the flags of commands that connect to hosts.
type networkFlags struct {
	ca     string
	helo   string
	allow  []string
	anchor string
}

func (f *networkFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.ca, "ca", "", "PEM `file` of the authorities to trust in place of the system's")
	fs.StringVar(&f.helo, "helo", "", "`name` of this host, said in EHLO (default: its address in brackets)")
	fs.StringSliceVar(&f.allow, "allow-private", nil, "`network` that may be connected to although it is not public, repeatable: 10.0.0.0/8")
}

// addAnchor adds the flag of commands that validate DNSSEC.
func (f *networkFlags) addAnchor(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.anchor, "trust-anchor", "", "`file` of DS records to trust for DNSSEC in place of those of the root, for a root of your own")
}

// network is what the flags say, read.
type network struct {
	roots   *x509.CertPool
	allow   []netip.Prefix
	helo    string
	anchors []dnssec.Anchor // nil: those of the root
}

// maxCAFile bounds a file of authorities; that of Debian has 220 KiB.
const maxCAFile = 4 << 20

func (f *networkFlags) read() (network, error) {
	n := network{helo: f.helo}
	if f.helo != "" {
		if err := smtp.CheckName(f.helo); err != nil {
			return n, usage("for example --helo mail.example.org", "--helo: %w", err)
		}
	}
	for _, a := range f.allow {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			addr, err := netip.ParseAddr(a)
			if err != nil {
				return n, usage("for example --allow-private 10.0.0.0/8", "--allow-private %q is no network", a)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		n.allow = append(n.allow, p.Masked())
	}
	if f.anchor != "" {
		var err error
		if n.anchors, err = readAnchors(f.anchor); err != nil {
			return n, usage("name a file with lines such as: . IN DS 20326 8 2 E06D44B8... (dnssec-dsfromkey prints them)", "--trust-anchor: %w", err)
		}
	}
	if f.ca == "" {
		return n, nil
	}
	text, err := readCA(f.ca)
	if err != nil {
		return n, usage("name a readable file of certificates in PEM form", "--ca: %w", err)
	}
	n.roots = x509.NewCertPool()
	if !n.roots.AppendCertsFromPEM(text) {
		return n, usage("it has to hold certificates in PEM form", "--ca: %s holds no certificate", f.ca)
	}
	return n, nil
}

func readCA(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxCAFile {
		return nil, fmt.Errorf("%s is larger than %d octets", path, maxCAFile)
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// readAnchors reads a file of DS records, one a line; lines that start with a
// semicolon are comments.
func readAnchors(path string) ([]dnssec.Anchor, error) {
	text, err := readCA(path)
	if err != nil {
		return nil, err
	}
	var anchors []dnssec.Anchor
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == ';' {
			continue
		}
		a, err := dnssec.ParseAnchor(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		anchors = append(anchors, a)
	}
	if len(anchors) == 0 {
		return nil, fmt.Errorf("%s holds no DS record", path)
	}
	return anchors, nil
}

func (n network) dialer() *netguard.Dialer {
	return &netguard.Dialer{Guard: netguard.Guard{Allow: n.allow}}
}

// maxProbed is the number of domains up to which an audit talks to mail hosts
// without being told to: a list of thousands would knock at as many strangers'
// doors, and last for hours behind those that do not open.
const maxProbed = 20

// Limits of an audit's conversations. They are below those of "probe mx", as a
// person waits; a host that delays its greeting for longer is unknown.
const (
	auditConnect = 5 * time.Second
	auditStep    = 12 * time.Second
	auditHost    = 15 * time.Second
	auditFetch   = 15 * time.Second
)

// probing is the part of an audit that goes beyond questions to a resolver.
type probing struct {
	opt   facts.Options
	close func()
}

// probing prepares what the domains of one run share: the way out is proven once.
func (n network) probing(ctx context.Context, res *resolver) (*probing, error) {
	p := &probing{close: func() {}}
	p.opt.Probe = &probe.Options{Name: n.helo, Roots: n.roots, Allow: n.allow, Control: probe.DefaultControl(),
		ConnectTimeout: auditConnect, StepTimeout: auditStep, HostTimeout: auditHost}
	dial := n.dialer()
	p.opt.Fetch = &mtasts.Options{Dial: dial.DialContext, Roots: n.roots, Timeout: auditFetch}
	p.opt.Paths = n.paths(ctx, res, p.opt.Probe)
	if res.client == nil {
		return p, nil
	}
	v, err := dnssec.New(dnssec.Options{Exchange: res.client.Exchange, Anchors: n.anchors})
	if err != nil {
		return nil, err
	}
	p.opt.Validate = v.Validate
	ask := nameserver.Dial(n.allow...)
	own, err := client.New(client.Options{Servers: res.client.Servers(), CheckingDisabled: true, Dial: guarded(res.client.Servers(), ask)})
	if err != nil {
		return nil, err
	}
	p.close = func() { own.Close() }
	p.opt.NameServers = func(ctx context.Context, name resolve.Name) (nameserver.Zone, error) {
		return nameserver.Look(ctx, own, name, nameserver.Options{Dial: ask})
	}
	return p, nil
}

// paths proves the way out once, while the first DNS answers come in.
func (n network) paths(ctx context.Context, res *resolver, opt *probe.Options) func(context.Context) []probe.Path {
	ask := sync.OnceValue(func() []probe.Path {
		list, err := probe.Paths(ctx, res.Resolver, *opt)
		if err != nil {
			return nil
		}
		return list
	})
	go ask()
	return func(context.Context) []probe.Path { return ask() }
}

// guarded dials the given servers as they are, and all others only if they are
// public: the addresses of a zone's name servers come from the zone.
func guarded(servers []string, guard netguard.DialFunc) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil || port != "53" || slices.Contains(servers, address) || slices.Contains(servers, "udp://"+address) || slices.Contains(servers, "tcp://"+address) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
		return guard(ctx, network, address)
	}
}

// blockLists asks the lists of the catalogue. Each is tested once in a run; those
// that do not answer public resolvers are not asked through one.
func (r *resolver) blockLists() facts.BlockListFunc {
	opt := dnsbl.Options{Controls: &dnsbl.Controls{}}
	if r.client != nil {
		for _, s := range r.client.Servers() {
			if ap, err := netip.ParseAddrPort(s); err == nil {
				_, public := dnsbl.PublicResolver(ap.Addr())
				opt.Public = opt.Public || public
			}
		}
	}
	return func(ctx context.Context, addrs []netip.Addr, domains []resolve.Name) dnsbl.Report {
		return dnsbl.Check(ctx, r.Resolver, opt, addrs, domains)
	}
}
