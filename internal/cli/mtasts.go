package cli

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func newMTASTS(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mtasts",
		Short: "Check and make MTA-STS records and policies",
		Long: `Check and make MTA-STS records and policies (RFC 8461): the TXT record at _mta-sts
and the file that the mta-sts host gives out by HTTPS.`,
		Example: "  mailcheck mtasts check example.org\n  mailcheck mtasts new example.org",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newMTASTSCheck(s), newMTASTSNew(s))
	return cmd
}

type mtastsCheckOptions struct {
	lookupOptions
	networkFlags
	connect string
}

func newMTASTSCheck(s Streams) *cobra.Command {
	o := &mtastsCheckOptions{}
	cmd := &cobra.Command{
		Use:   "check DOMAIN",
		Short: "Read record and policy as senders do, and hold the policy against the MX hosts",
		Long: `Read the MTA-STS record and fetch the policy as senders do, without following
redirects, and hold it against the MX hosts.

Exit status: 0 senders get a policy and it names every MX host, 1 there is none or
it is faulty, 2 something could not be found out, 3 wrong usage.`,
		Example: `  mailcheck mtasts check example.org
  mailcheck mtasts check example.org -o json
  mailcheck mtasts check example.org --connect 192.0.2.80:443`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.lookupOptions.add(cmd)
	o.networkFlags.add(cmd)
	cmd.Flags().StringVar(&o.connect, "connect", "", "`host:port` to connect to in place of the policy host's addresses: one server of several, or one not in DNS yet")
	return cmd
}

// mtastsCheckView is the document of schema mailcheck.mtasts-check/1.
type mtastsCheckView struct {
	Schema  string         `json:"schema"`
	Domain  resolve.Name   `json:"domain"`
	Record  mtastsRecord   `json:"record"`
	Policy  mtastsPolicy   `json:"policy"`
	MX      string         `json:"mx"` // present, absent or unknown
	Hosts   []mtastsHost   `json:"hosts"`
	Unused  []string       `json:"unused"` // patterns that match no MX host
	Lost    bool           `json:"lost"`   // senders do not deliver to the hosts that are not covered
	Verdict string         `json:"verdict"`
	Problem []problemShown `json:"problems"`
}

type mtastsRecord struct {
	State string       `json:"state"`
	Name  resolve.Name `json:"name"`
	Text  string       `json:"text,omitempty"`
	ID    string       `json:"id,omitempty"`
	Why   string       `json:"why"`
}

type mtastsPolicy struct {
	State     string           `json:"state"` // present, absent, unknown or not-asked
	URL       string           `json:"url,omitempty"`
	Mode      mtasts.Mode      `json:"mode,omitempty"`
	MaxAge    int64            `json:"max_age,omitempty"` // seconds
	MX        []mtasts.Pattern `json:"mx"`
	Text      string           `json:"text,omitempty"`
	Status    int              `json:"http_status,omitempty"`
	Why       string           `json:"why"`
	Hash      string           `json:"hash,omitempty"`
	ElapsedMS int64            `json:"elapsed_ms"`
}

type mtastsHost struct {
	Host    resolve.Name `json:"host"`
	Covered bool         `json:"covered"`
}

// problemShown is one thing wrong and what it does.
type problemShown struct {
	About   string `json:"about"` // record or policy
	Effect  string `json:"effect"`
	Message string `json:"message"`
}

func (o *mtastsCheckOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	n, err := o.networkFlags.read()
	if err != nil {
		return err
	}
	dial := n.dialer().DialContext
	if o.connect != "" {
		if _, _, err := net.SplitHostPort(o.connect); err != nil {
			return usage("for example --connect 192.0.2.80:443", "--connect: %w", err)
		}
		dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, o.connect)
		}
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	v := o.look(ctx, res, domain, mtasts.Options{Dial: dial, Roots: n.roots, Timeout: o.timeout})
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

func (o *mtastsCheckOptions) look(ctx context.Context, res *resolver, domain resolve.Name, opt mtasts.Options) mtastsCheckView {
	d := mtasts.Lookup(ctx, res, domain)
	v := mtastsCheckView{Schema: "mailcheck.mtasts-check/1", Domain: domain, Hosts: []mtastsHost{}, Unused: []string{}, Problem: []problemShown{},
		Record: mtastsRecord{State: stateWord(d.State), Name: d.Name, ID: d.Record.ID, Text: d.Record.String(), Why: d.Why},
		Policy: mtastsPolicy{State: "not-asked", MX: []mtasts.Pattern{}}}
	for _, p := range d.Record.Problems {
		v.Problem = append(v.Problem, problemShown{"record", string(p.Effect), p.String()})
	}
	if d.State == resolve.Unavailable && d.Err != nil {
		v.Record.Why += ": " + d.Err.Error()
	}
	hosts, state, _ := mxHosts(ctx, res, domain)
	v.MX = stateWord(state)
	if o.offline && o.connect == "" {
		v.Policy.Why = "offline"
		return v.settle()
	}
	if o.connect != "" {
		opt.Addrs = placeholder
	}
	f := mtasts.Fetch(ctx, res, domain, opt)
	v.Policy = mtastsPolicy{State: stateWord(f.State), URL: f.URL, Mode: f.Policy.Mode, MaxAge: int64(f.Policy.MaxAge / time.Second), MX: f.Policy.MX,
		Text: f.Policy.String(), Status: f.Status, Why: f.Why, ElapsedMS: f.Elapsed.Milliseconds()}
	if v.Policy.MX == nil {
		v.Policy.MX = []mtasts.Pattern{}
	}
	if f.State == resolve.Present {
		v.Policy.Hash = f.Policy.Hash()
	}
	for _, x := range f.Faults {
		effect := string(x.Effect)
		if x.Temporary {
			effect = "unknown"
		}
		v.Problem = append(v.Problem, problemShown{"policy", effect, x.Message})
	}
	for _, x := range f.Policy.Problems {
		if x.Effect != mtasts.Ignored { // those are faults too
			v.Problem = append(v.Problem, problemShown{"policy", string(x.Effect), x.String()})
		}
	}
	if state != resolve.Unavailable && f.Policy.Mode != "" && f.Policy.Mode != mtasts.None {
		c := mtasts.Check(f.Policy, hosts)
		v.Lost = c.Lost && len(c.Uncovered) > 0
		for _, h := range c.Hosts {
			v.Hosts = append(v.Hosts, mtastsHost{h.Name, h.Covered})
		}
		for _, u := range c.Unused {
			v.Unused = append(v.Unused, u.String())
		}
	}
	return v.settle()
}

// mxHosts lists the hosts that mail for a domain goes to.
func mxHosts(ctx context.Context, r resolve.Resolver, domain resolve.Name) ([]resolve.Name, resolve.State, error) {
	a, err := r.Resolve(ctx, resolve.Question{Name: domain, Type: resolve.TypeMX})
	state := resolve.StateOf(err)
	list := a.MX()
	slices.SortStableFunc(list, func(a, b resolve.MX) int { return cmp.Compare(a.Preference, b.Preference) })
	var out []resolve.Name
	for _, m := range list {
		if !m.Host.IsRoot() && !slices.Contains(out, m.Host) {
			out = append(out, m.Host)
		}
	}
	if state == resolve.Absent {
		out = append(out, domain) // RFC 5321, Section 5.1
	}
	return out, state, err
}

func (v mtastsCheckView) settle() mtastsCheckView {
	uncovered := slices.ContainsFunc(v.Hosts, func(h mtastsHost) bool { return !h.Covered })
	switch {
	case v.Record.State == "unknown":
		v.Verdict = "unknown"
	case v.Record.State == "absent":
		v.Verdict = "none"
	case v.Policy.State == "unknown" || v.Policy.State == "not-asked":
		v.Verdict = "unknown"
	case v.Policy.State == "absent":
		v.Verdict = "no-policy"
	case uncovered && v.Lost:
		v.Verdict = "mail-lost"
	case uncovered:
		v.Verdict = "not-covered"
	case v.MX == "unknown":
		v.Verdict = "unknown"
	default:
		v.Verdict = string(v.Policy.Mode)
	}
	return v
}

func (v mtastsCheckView) status() int {
	switch v.Verdict {
	case "unknown":
		return ExitIncomplete
	case "enforce", "testing", "none-mode":
		return ExitOK
	}
	return ExitFindings
}

func (v mtastsCheckView) text(s Streams) error {
	p := newSheet(s)
	words := map[string]string{"none": "no MTA-STS", "unknown": "unknown", "no-policy": "a record, and no policy that senders can use",
		"mail-lost": "MAIL IS LOST: the policy does not name every MX host", "not-covered": "the policy does not name every MX host",
		"enforce": "enforced", "testing": "in testing: failures are reported, mail goes out all the same"}
	p.para("MTA-STS for %s: %s", v.Domain, cmp.Or(words[v.Verdict], v.Verdict))
	p.WriteByte('\n')
	p.field("Record", "%s: %s", v.Record.State, v.Record.Why)
	if v.Record.Text != "" {
		p.whole("  ", zoneLine(v.Record.Name.String(), v.Record.Text))
	}
	p.field("Policy", "%s %s", v.Policy.State, v.Policy.Why)
	if v.Policy.URL != "" {
		p.field("", "%s", v.Policy.URL)
	}
	if v.Policy.Text != "" {
		lines := strings.Split(strings.TrimRight(v.Policy.Text, "\r\n"), "\n")
		for _, l := range lines[:min(len(lines), maxPolicyLines)] {
			p.whole("  ", safe.Limit(strings.TrimRight(l, "\r"), 200))
		}
	}
	for _, h := range v.Hosts {
		word := "named"
		if !h.Covered {
			word = "NOT NAMED by the policy"
		}
		p.field("MX host", "%s: %s", h.Host, word)
	}
	for _, u := range v.Unused {
		p.field("Unused", "%s matches no MX host, which is harmless", u)
	}
	if len(v.Problem) > 0 {
		p.head("Problems")
		for _, x := range v.Problem {
			p.item("%s (%s): %s", x.About, x.Effect, x.Message)
		}
	}
	if v.Verdict == "none" {
		writeNext(p, "mailcheck mtasts new "+v.Domain.String())
	}
	return p.flush(s.Out)
}

// maxPolicyLines bounds what is shown of a foreign file.
const maxPolicyLines = 40
