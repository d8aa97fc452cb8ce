package cli

import (
	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

func newTLSRPT(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tlsrpt",
		Short: "Check and make the record that asks for TLS reports",
		Long: `Check and make the TLS-RPT record (RFC 8460), by which a domain asks senders to
report how TLS with its mail hosts went.`,
		Example: "  mailcheck tlsrpt check example.org\n  mailcheck tlsrpt new example.org --rua tls@example.org",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTLSRPTCheck(s), newTLSRPTNew(s))
	return cmd
}

// tlsrptCheckView is the document of schema mailcheck.tlsrpt-check/1.
type tlsrptCheckView struct {
	Schema   string         `json:"schema"`
	Domain   resolve.Name   `json:"domain"`
	Name     resolve.Name   `json:"name"`
	State    string         `json:"state"`
	Text     string         `json:"text,omitempty"`
	RUA      []string       `json:"rua"`
	Why      string         `json:"why"`
	Problems []problemShown `json:"problems"`
}

func newTLSRPTCheck(s Streams) *cobra.Command {
	o := &lookupOptions{}
	cmd := &cobra.Command{
		Use:   "check DOMAIN",
		Short: "Read the TLS-RPT record as reporters do",
		Long: `Read the TLS-RPT record of a domain as reporters do.

Exit status: 0 there is a record that works, 1 there is none or it is faulty, 2 it
could not be read, 3 wrong usage.`,
		Example: "  mailcheck tlsrpt check example.org\n  mailcheck tlsrpt check example.org -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			domain, err := oneDomain(cmd, args)
			if err != nil {
				return err
			}
			if err := o.check(cmd); err != nil {
				return err
			}
			ctx, res, done, err := o.session(cmd.Context(), s)
			if err != nil {
				return err
			}
			defer done()
			d := tlsrpt.Lookup(ctx, res, domain)
			if err := interrupted(cmd); err != nil {
				return err
			}
			v := viewTLSRPT(d)
			if o.format == "json" {
				err = printJSON(s.Out, v)
			} else {
				err = v.text(s)
			}
			if err != nil {
				return err
			}
			return exit(map[resolve.State]int{resolve.Present: ExitOK, resolve.Absent: ExitFindings, resolve.Unavailable: ExitIncomplete}[d.State])
		},
	}
	o.add(cmd)
	return cmd
}

func viewTLSRPT(d tlsrpt.Discovery) tlsrptCheckView {
	v := tlsrptCheckView{Schema: "mailcheck.tlsrpt-check/1", Domain: d.Domain, Name: d.Name, State: stateWord(d.State), Text: d.Record.String(),
		RUA: []string{}, Why: d.Why, Problems: []problemShown{}}
	if d.State == resolve.Unavailable && d.Err != nil {
		v.Why += ": " + d.Err.Error()
	}
	for _, u := range d.Record.RUA {
		v.RUA = append(v.RUA, u.Text)
	}
	for _, p := range d.Record.Problems {
		v.Problems = append(v.Problems, problemShown{"record", p.Effect, p.Message})
	}
	return v
}

func (v tlsrptCheckView) text(s Streams) error {
	p := newSheet(s)
	p.para("TLS-RPT for %s: %s", v.Domain, v.Why)
	if v.Text != "" {
		p.whole("  ", zoneLine(v.Name.String(), v.Text))
	}
	for _, u := range v.RUA {
		p.field("Reports", "go to %s", shorten(u))
	}
	for _, x := range v.Problems {
		p.item("%s: %s", x.Effect, x.Message)
	}
	if v.State == "absent" {
		writeNext(p, "mailcheck tlsrpt new "+v.Domain.String()+" --rua ADDRESS")
	}
	return p.flush(s.Out)
}

// rrView is the document of schema mailcheck.tlsrpt-new/1 and of
// mailcheck.dane-new/1: a record to publish.
type rrView struct {
	Schema string       `json:"schema"`
	Name   resolve.Name `json:"name"`
	Type   resolve.Type `json:"type"`
	Data   string       `json:"data"`
	Zone   string       `json:"zone"`
}

func newTLSRPTNew(s Streams) *cobra.Command {
	var rua []string
	var format string
	cmd := &cobra.Command{
		Use:     "new DOMAIN",
		Short:   "Make a TLS-RPT record",
		Long:    "Make the record that asks for TLS reports. Places at other domains need not consent.",
		Example: "  mailcheck tlsrpt new example.org --rua tls@example.org\n  mailcheck tlsrpt new example.org --rua https://reports.example.net/tls",
		RunE: func(cmd *cobra.Command, args []string) error {
			domain, err := oneDomain(cmd, args)
			if err != nil {
				return err
			}
			if err := oneOf(cmd, "output", format, "text", "json"); err != nil {
				return err
			}
			if len(rua) == 0 {
				return usage("mailcheck tlsrpt new example.org --rua tls@example.org", "--rua is needed: where reports are to go")
			}
			rec, err := tlsrpt.NewRecord(rua...)
			if err != nil {
				return usage("a mail address, a mailto: or an https: URI", "--rua: %w", err)
			}
			name, err := domain.Below("_smtp._tls")
			if err != nil {
				return usage("the domain is too long", "%w", err)
			}
			v := rrView{"mailcheck.tlsrpt-new/1", name, resolve.TypeTXT, rec.String(), zoneLine(name.String(), rec.String())}
			return v.print(s, format, "mailcheck tlsrpt check "+domain.String())
		},
	}
	cmd.Flags().StringArrayVar(&rua, "rua", nil, "`place` for reports, repeatable: a mail address, a mailto: or an https: URI")
	cmd.Flags().StringVarP(&format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

func (v rrView) print(s Streams, format, next string) error {
	if format == "json" {
		return printJSON(s.Out, v)
	}
	p := newSheet(s)
	p.para("Publish:")
	p.WriteByte('\n')
	p.whole("", v.Zone)
	writeNext(p, next)
	return p.flush(s.Out)
}
