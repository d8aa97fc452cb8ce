package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

type spfNewOptions struct {
	lookupOptions
	domain    string
	providers []string
	includes  []string
	addresses []string
	mx, a     bool
	all       string
}

func newSPFNew(s Streams) *cobra.Command {
	o := &spfNewOptions{}
	cmd := &cobra.Command{
		Use:   "new [SENDER...] --domain DOMAIN",
		Short: "Write a record from providers, addresses and a policy",
		Long: `Write the record of a domain that has none. A SENDER is ` + senderHelp + `.
Without any sender the record says that nobody may send.

Exit status: 0, 1 the record would be broken or there is one already, 2 a lookup
failed, so that the limits are not known to be kept, 3 wrong usage.`,
		Example: `  mailcheck spf new google-workspace 192.0.2.25 --domain example.org
  mailcheck spf new --mx --provider sendgrid --all fail --domain example.org
  mailcheck spf new --domain parked.example.org`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.domain, "domain", "", "`domain` that the record is for")
	fs.StringArrayVar(&o.providers, "provider", nil, "`ID` of a provider, repeatable")
	fs.StringArrayVar(&o.includes, "include", nil, "`name` to include, repeatable")
	fs.StringArrayVar(&o.addresses, "ip", nil, "`address` or network that sends, repeatable")
	fs.BoolVar(&o.mx, "mx", false, "the hosts that receive the domain's mail send too")
	fs.BoolVar(&o.a, "a", false, "the host of the domain itself sends too")
	fs.StringVar(&o.all, "all", "", "`policy` for all others: softfail, fail or neutral (default softfail, or fail if nobody sends)")
	return cmd
}

func (o *spfNewOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := ownDomain(cmd, o.domain)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	for _, n := range o.includes {
		args = append(args, "include:"+n)
	}
	args = slices.Concat(args, o.providers, o.addresses)
	for word, wanted := range map[string]bool{"mx": o.mx, "a": o.a} {
		if wanted {
			args = append([]string{word}, args...)
		}
	}
	list, err := parseSenders(args)
	if err != nil {
		return err
	}
	all, err := allTerm(cmp.Or(o.all, map[bool]string{true: "fail", false: "softfail"}[len(list) == 0]))
	if err != nil {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	e, err := beginSPFEdit(ctx, res, domain)
	if err := cmp.Or(interrupted(cmd), err); err != nil {
		return err
	}
	if e.state == resolve.Present {
		return &Error{Code: ExitFindings, Err: fmt.Errorf("%s has an SPF record already: %s", domain, e.old.Text), Hint: "mailcheck spf add SENDER --domain " + domain.String() + " edits it"}
	}
	if err := e.create(list, all); err != nil {
		return err
	}
	v, err := e.view(ctx)
	if err := cmp.Or(interrupted(cmd), err); err != nil {
		return err
	}
	return v.print(s, o.format)
}

func parseSenders(words []string) ([]sender, error) {
	var out []sender
	for _, w := range words {
		x, err := parseSender(w)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// create is the edit that publishes a first record.
func (e *spfEdit) create(list []sender, all string) error {
	words := []string{"v=spf1"}
	for _, x := range list {
		words = append(words, x.terms...)
		e.notes = append(e.notes, x.notes...)
	}
	r, err := spf.Parse(strings.Join(append(words, all), " "))
	if err == nil {
		r, err = r.Dedupe()
	}
	if err != nil {
		return usage("give "+senderHelp, "%w", err)
	}
	e.text = r.Text
	e.edits = append(e.edits, fix.Edit{Name: e.domain, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: e.text, Why: "the domain has no SPF record"})
	return nil
}
