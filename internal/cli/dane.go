package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func newDANE(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dane",
		Short: "Check and make TLSA records of mail hosts",
		Long: `Check and make TLSA records of mail hosts (RFC 7672): by them and DNSSEC a host
promises which key it shows.`,
		Example: "  mailcheck dane check example.org\n  mailcheck dane new mail.example.org --cert fullchain.pem",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDANECheck(s), newDANENew(s))
	return cmd
}

// daneCheckOptions are the flags of "dane check".
type daneCheckOptions struct {
	lookupOptions
	networkFlags
	port       int
	cert, next string
	noProbe    bool
}

func newDANECheck(s Streams) *cobra.Command {
	o := &daneCheckOptions{}
	cmd := &cobra.Command{
		Use:   "check DOMAIN",
		Short: "Hold the TLSA records of a domain's mail hosts against what they show",
		Long: `Look up the TLSA records of every MX host, validate them by DNSSEC, and hold them
against the certificate that the host shows, or against that of a file (--cert).
With --next, say whether the key can be changed to that of another file.

Exit status: 0 every host with records shows a certificate that they match, 1 one
does not or no host has records, 2 something could not be found out, 3 wrong usage.`,
		Example: `  mailcheck dane check example.org
  mailcheck dane check example.org --next new-cert.pem
  mailcheck dane check example.org --cert fullchain.pem --no-probe`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.lookupOptions.add(cmd)
	o.networkFlags.add(cmd)
	o.addAnchor(cmd)
	fs := cmd.Flags()
	fs.IntVar(&o.port, "port", 25, "`port` of the hosts, and of their records")
	fs.StringVar(&o.cert, "cert", "", "`file` of the certificate or key in use, in place of what the host shows")
	fs.StringVar(&o.next, "next", "", "`file` of the certificate or key that comes next")
	fs.BoolVar(&o.noProbe, "no-probe", false, "do not talk to the hosts")
	return cmd
}

// daneCheckView is the document of schema mailcheck.dane-check/1.
type daneCheckView struct {
	Schema string         `json:"schema"`
	Domain resolve.Name   `json:"domain"`
	MX     string         `json:"mx"`
	Error  string         `json:"error,omitempty"` // why the MX records are unknown
	Hosts  []daneHostView `json:"hosts"`
}

type daneHostView struct {
	Host     resolve.Name   `json:"host"`
	TLSA     tlsaView       `json:"tlsa"`
	Seen     []daneLiveView `json:"seen"`
	Rollover *rolloverView  `json:"rollover,omitempty"`
}

type daneLiveView struct {
	From string `json:"from"` // address, or file
	daneSeen
	Error string `json:"error,omitempty"`
}

type rolloverView struct {
	Ready   bool          `json:"ready"`
	Single  bool          `json:"single"`
	Missing []dane.Record `json:"missing"` // to be published before the change
	Stale   []dane.Record `json:"stale"`
	Why     string        `json:"why"`
}

// material reads the files of --cert and --next.
func (o *daneCheckOptions) material() (live, next []dane.Material, err error) {
	for _, x := range []struct {
		flag, path string
		to         *[]dane.Material
	}{{"--cert", o.cert, &live}, {"--next", o.next, &next}} {
		if x.path == "" {
			continue
		}
		text, err := readCA(x.path)
		if err == nil {
			*x.to, err = dane.ReadMaterial(text)
		}
		if err != nil {
			return nil, nil, usage("name a readable file with a certificate or key", "%s: %w", x.flag, err)
		}
	}
	return live, next, nil
}

func (o *daneCheckOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	if o.port < 1 || o.port > 65535 {
		return usage("for example --port 25", "--port %d is no port", o.port)
	}
	n, err := o.networkFlags.read()
	if err != nil {
		return err
	}
	live, next, err := o.material()
	if err != nil {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	judge, err := res.judge(ctx, n.anchors)
	if err != nil {
		return &Error{Code: ExitIncomplete, Err: err}
	}
	v := daneCheckView{Schema: "mailcheck.dane-check/1", Domain: domain, Hosts: []daneHostView{}}
	hosts, state, why := mxHosts(ctx, res, domain)
	v.MX = stateWord(state)
	if state == resolve.Unavailable {
		v.Error = why.Error()
	}
	if state != resolve.Unavailable {
		for _, h := range hosts[:min(len(hosts), probe.MaxExchanges)] {
			v.Hosts = append(v.Hosts, o.host(ctx, res, daneTask{host: h, domain: domain, judge: judge, live: live, next: next, network: n}))
		}
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

type daneTask struct {
	host, domain resolve.Name
	judge        func(resolve.Answer, error) dane.Security
	live, next   []dane.Material
	network      network
}

// host looks at one host.
func (o *daneCheckOptions) host(ctx context.Context, res *resolver, t daneTask) daneHostView {
	opt := dane.Options{Port: uint16(o.port)}
	set := dane.Lookup(ctx, res, t.host, opt)
	if t.judge != nil && set.State != resolve.Absent {
		opt.Judge = t.judge
		set = dane.Lookup(ctx, res, t.host, opt)
	}
	v := daneHostView{Host: t.host, Seen: []daneLiveView{}, TLSA: tlsaView{State: stateWord(set.State), Security: set.Security, Owner: set.Owner.String(), Records: set.Records, Why: set.Why}}
	if v.TLSA.Records == nil {
		v.TLSA.Records = []dane.Record{}
	}
	if set.State == resolve.Present && len(t.live) == 0 && !o.noProbe && !o.offline {
		v.Seen, t.live = o.talk(ctx, res, t, set)
	}
	if len(t.live) > 0 && (o.cert != "" || len(t.next) > 0) {
		r := dane.CheckRollover(set.Records, t.live, t.next)
		v.Rollover = &rolloverView{r.Ready, r.Single, append([]dane.Record{}, r.Missing...), append([]dane.Record{}, r.Stale...), r.Why}
	}
	return v
}

// talk verifies what every address of the host shows.
func (o *daneCheckOptions) talk(ctx context.Context, res *resolver, t daneTask, set dane.Set) (out []daneLiveView, live []dane.Material) {
	out = []daneLiveView{}
	var addrs []resolve.Addr
	for _, typ := range []resolve.Type{resolve.TypeA, resolve.TypeAAAA} {
		if a, err := res.Resolve(ctx, resolve.Question{Name: t.host, Type: typ}); err == nil {
			addrs = append(addrs, a.Addrs()...)
		}
	}
	for _, addr := range addrs[:min(len(addrs), probe.MaxAddresses)] {
		a, err := probe.Address(ctx, t.host, addr.Addr, probe.Port{Number: uint16(o.port), ImplicitTLS: o.port == int(probe.Submissions.Number)},
			probe.Options{Name: t.network.helo, Roots: t.network.roots, Allow: t.network.allow, HostTimeout: o.timeout / 2})
		x := daneLiveView{From: a.Address.String(), daneSeen: daneSeen{Verdict: dane.Undetermined, Matched: -1}}
		chain := chainOf(a)
		switch {
		case err != nil:
			x.Error = err.Error()
		case len(chain) == 0 && a.STARTTLS != resolve.Absent:
			x.Error = "no certificate was seen"
			if a.Failure != nil {
				x.Error = a.Failure.Error()
			}
		default:
			r := dane.Verify(set, chain, []resolve.Name{set.Base, t.domain}, time.Now())
			x.daneSeen = daneSeen{Verdict: r.Verdict, Matched: r.Matched, Why: r.Why}
			if r.Verdict == dane.Undetermined {
				x.IfSecure = r.IfSecure
			}
			if len(live) == 0 {
				for _, c := range chain {
					live = append(live, dane.Material{Certificate: c, PublicKey: c.RawSubjectPublicKeyInfo, From: "CERTIFICATE"})
				}
			}
		}
		out = append(out, x)
	}
	return out, live
}

func (v daneCheckView) status() int {
	status, records := ExitOK, false
	if v.MX == "unknown" {
		return ExitIncomplete
	}
	for _, h := range v.Hosts {
		if h.Rollover != nil && !h.Rollover.Ready {
			return ExitFindings
		}
		records = records || h.TLSA.State != "absent"
		if h.TLSA.State == "unknown" && h.TLSA.Security != dane.Insecure {
			status = ExitIncomplete
		}
		if h.TLSA.Security == dane.Bogus || h.TLSA.State == "present" && h.TLSA.Security == dane.Insecure {
			return ExitFindings
		}
		for _, x := range h.Seen {
			switch x.Verdict {
			case dane.Failed, dane.Broken, dane.Unauthenticated:
				return ExitFindings
			case dane.Undetermined:
				if x.IfSecure == dane.Failed {
					return ExitFindings
				}
				status = ExitIncomplete
			}
		}
		if h.TLSA.State == "present" && len(h.Seen) == 0 && h.Rollover == nil {
			status = ExitIncomplete
		}
	}
	if !records {
		return ExitFindings
	}
	return status
}

func (v daneCheckView) text(s Streams) error {
	p := newSheet(s)
	p.para("DANE for %s", v.Domain)
	if v.MX == "unknown" {
		p.para("The MX records are unknown: %s", safe.Text(v.Error))
	}
	for _, h := range v.Hosts {
		p.head(h.Host.String())
		p.field("Records", "%s", h.TLSA.Why)
		for _, r := range h.TLSA.Records[:min(len(h.TLSA.Records), 20)] {
			p.whole("  ", h.TLSA.Owner+". IN TLSA "+r.String())
			if why := r.Unusable(); why != "" {
				p.field("", "unusable: %s", why)
			}
		}
		for _, x := range h.Seen {
			switch {
			case x.Error != "":
				p.field("Shows", "%s: unknown: %s", x.From, x.Error)
			case x.IfSecure != "":
				p.field("Shows", "%s: %s, were the records proven by DNSSEC: %s", x.From, x.IfSecure, x.Why)
			default:
				p.field("Shows", "%s: %s: %s", x.From, x.Verdict, x.Why)
			}
		}
		if r := h.Rollover; r != nil {
			p.field("Change", "%s", r.Why)
			for _, m := range r.Missing {
				p.field("", "publish first, and wait for the TTL:")
				p.whole("  ", h.TLSA.Owner+". IN TLSA "+m.String())
			}
		}
	}
	return p.flush(s.Out)
}

func newDANENew(s Streams) *cobra.Command {
	var file, params, format string
	var port int
	cmd := &cobra.Command{
		Use:   "new HOST",
		Short: "Make the TLSA record of a mail host from its certificate or key",
		Long: `Make the TLSA record of a mail host from the file of its certificate or key. The
default, 3 1 1, stands for the SHA-256 of the host's key: it stays right when the
certificate is renewed with the same key.`,
		Example: `  mailcheck dane new mail.example.org --cert fullchain.pem
  mailcheck dane new mail.example.org --cert issuer.pem --params "2 1 1"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			host, err := oneDomain(cmd, args)
			if err != nil {
				return err
			}
			if err := oneOf(cmd, "output", format, "text", "json"); err != nil {
				return err
			}
			v, err := makeTLSA(host, file, params, port)
			if err != nil {
				return err
			}
			return v.print(s, format, "mailcheck dane check DOMAIN, once it is published beside the records of the key in use")
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&file, "cert", "", "`file` with the certificate or key, in PEM or DER")
	fs.StringVar(&params, "params", "", "usage, selector and matching type (default \"3 1 1\", or \"2 1 1\" for an issuer)")
	fs.IntVar(&port, "port", 25, "`port` of the host")
	fs.StringVarP(&format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

func makeTLSA(host resolve.Name, file, params string, port int) (rrView, error) {
	v := rrView{Schema: "mailcheck.dane-new/1", Type: resolve.TypeTLSA}
	if file == "" {
		return v, usage("for example --cert /etc/ssl/mail/fullchain.pem", "--cert is needed: the file of the certificate or key")
	}
	if port < 1 || port > 65535 {
		return v, usage("for example --port 25", "--port %d is no port", port)
	}
	var pr dane.Params
	var err error
	if strings.TrimSpace(params) != "" {
		if pr, err = dane.ParseParams(params); err != nil {
			return v, usage("for example --params \"3 1 1\"", "--params: %w", err)
		}
	}
	text, err := readCA(file)
	if err != nil {
		return v, usage("name a readable file", "--cert: %w", err)
	}
	rec, err := dane.Generate(text, pr)
	if err != nil {
		return v, usage("the file has to hold a certificate or key in PEM or DER form", "--cert: %w", err)
	}
	if v.Name, err = dane.Owner(host, uint16(port)); err != nil {
		return v, usage("give the name of a host", "%w", err)
	}
	v.Data, v.Zone = rec.String(), v.Name.String()+". IN TLSA "+rec.String()
	return v, nil
}
