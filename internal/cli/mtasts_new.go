package cli

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// placeholder stands for the address that --connect replaces.
var placeholder = []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, 1})}

type mtastsNewOptions struct {
	lookupOptions
	mode   string
	maxAge time.Duration
	mx     []string
	server string
	id     string
}

func newMTASTSNew(s Streams) *cobra.Command {
	o := &mtastsNewOptions{}
	var servers []string
	for _, x := range mtasts.Servers() {
		servers = append(servers, string(x))
	}
	cmd := &cobra.Command{
		Use:   "new DOMAIN",
		Short: "Make the record, the policy file and the web server's configuration",
		Long: `Make all that MTA-STS needs: the TXT record, the policy file with a line for each
MX host, and the configuration of a web server that gives it out.

The hosts are those of the MX records, or those named by --mx. The policy starts
in testing mode: raise it to enforce when reports (TLS-RPT) show no failures.
Publish the file first and then the record; after each change of the file, change
the id.`,
		Example: `  mailcheck mtasts new example.org
  mailcheck mtasts new example.org --mode enforce --server caddy
  mailcheck mtasts new example.org --mx mail.example.org --mx '*.mail.example.net' --offline`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args, servers) },
	}
	o.lookupOptions.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.mode, "mode", "testing", "`mode` of the policy: testing, enforce or none")
	fs.DurationVar(&o.maxAge, "max-age", 0, "`time` for which senders keep the policy (default: 24h for testing and none, 336h for enforce)")
	fs.StringSliceVar(&o.mx, "mx", nil, "MX `host` or wildcard to name, repeatable (default: those in DNS)")
	fs.StringVar(&o.server, "server", "nginx", "web `server` to configure: "+strings.Join(servers, ", "))
	fs.StringVar(&o.id, "id", "", "id of the record, letters and digits (default: the time)")
	return cmd
}

// mtastsNewView is the document of schema mailcheck.mtasts-new/1.
type mtastsNewView struct {
	Schema string       `json:"schema"`
	Domain resolve.Name `json:"domain"`
	Name   resolve.Name `json:"name"`
	Record string       `json:"record"`
	Zone   string       `json:"zone"`
	URL    string       `json:"url"`
	Policy string       `json:"policy"`
	Server string       `json:"server"`
	Config string       `json:"config"`
}

func (o *mtastsNewOptions) run(cmd *cobra.Command, s Streams, args, servers []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	for _, e := range []error{o.check(cmd), oneOf(cmd, "mode", o.mode, "testing", "enforce", "none"), oneOf(cmd, "server", o.server, servers...)} {
		if e != nil {
			return e
		}
	}
	opt := mtasts.PolicyOptions{Mode: mtasts.Mode(o.mode), MaxAge: o.maxAge}
	for _, m := range o.mx {
		p, err := mtasts.ParsePattern(m)
		if err != nil {
			return usage("for example --mx mail.example.org", "--mx: %w", err)
		}
		opt.Patterns = append(opt.Patterns, p)
	}
	if len(o.mx) == 0 && opt.Mode != mtasts.None {
		if opt.Hosts, err = o.hosts(cmd, s, domain); err != nil {
			return err
		}
	}
	v, err := makeMTASTS(domain, opt, mtasts.Server(o.server), o.id)
	if err != nil {
		return usage(helpHint(cmd), "%w", err)
	}
	if o.format == "json" {
		return printJSON(s.Out, v)
	}
	return v.text(s)
}

// hosts asks for the MX hosts; a policy made without them would stop mail.
func (o *mtastsNewOptions) hosts(cmd *cobra.Command, s Streams, domain resolve.Name) ([]resolve.Name, error) {
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return nil, err
	}
	defer done()
	hosts, state, why := mxHosts(ctx, res, domain)
	if err := interrupted(cmd); err != nil {
		return nil, err
	}
	switch {
	case state == resolve.Unavailable:
		return nil, &Error{Code: ExitIncomplete, Err: fmt.Errorf("the MX records of %s are unknown: %w", domain, why), Hint: "name the hosts with --mx"}
	case state == resolve.Absent:
		return nil, &Error{Code: ExitFindings, Err: errText(domain.String() + " has no MX record"), Hint: "name the hosts with --mx, or use --mode none"}
	case len(hosts) == 0:
		return nil, &Error{Code: ExitFindings, Err: errText(domain.String() + " takes no mail (null MX), so it needs no policy")}
	}
	return hosts, nil
}

// errText is an error that is only a text.
type errText string

func (e errText) Error() string { return string(e) }

func makeMTASTS(domain resolve.Name, opt mtasts.PolicyOptions, server mtasts.Server, id string) (mtastsNewView, error) {
	v := mtastsNewView{Schema: "mailcheck.mtasts-new/1", Domain: domain, Server: string(server)}
	rec := mtasts.NewRecord(time.Now())
	var err error
	if id != "" {
		if rec, err = rec.Set("id", id); err != nil {
			return v, err
		}
	}
	if v.Name, err = domain.Below("_mta-sts"); err != nil {
		return v, err
	}
	p, err := mtasts.NewPolicy(opt)
	if err != nil {
		return v, err
	}
	if v.Config, err = mtasts.ServerConfig(server, domain); err != nil {
		return v, err
	}
	v.Record, v.Policy = rec.String(), p.String()
	v.Zone = zoneLine(v.Name.String(), v.Record)
	v.URL = "https://mta-sts." + domain.String() + "/.well-known/mta-sts.txt"
	return v, nil
}

func (v mtastsNewView) text(s Streams) error {
	p := newSheet(s)
	p.para("1. Serve this file at %s:", v.URL)
	p.WriteByte('\n')
	for l := range strings.Lines(v.Policy) {
		p.whole("", strings.TrimRight(l, "\r\n"))
	}
	p.WriteByte('\n')
	p.para("2. With %s:", v.Server)
	p.WriteByte('\n')
	for l := range strings.Lines(v.Config) {
		p.raw(strings.TrimRight(l, "\n"))
	}
	p.WriteByte('\n')
	p.para("3. Give mta-sts.%s an A or AAAA record and a certificate of a public authority, and then publish:", v.Domain)
	p.WriteByte('\n')
	p.whole("", v.Zone)
	writeNext(p, "mailcheck mtasts check "+v.Domain.String()+"; ask for reports: mailcheck tlsrpt new "+v.Domain.String())
	return p.flush(s.Out)
}

// raw writes a line of our own with its indentation.
func (p *sheet) raw(line string) { p.WriteString(line + "\n") }
