package cli

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

type spfAddOptions struct {
	lookupOptions
	domain string
	all    string
	remove bool
}

func newSPFAdd(s Streams) *cobra.Command {
	o := &spfAddOptions{}
	cmd := &cobra.Command{
		Use:   "add SENDER... --domain DOMAIN",
		Short: "Add a provider or an address to the record of a domain",
		Long: `Print the record of a domain with a sender added: one record stays one, its order
and its policy for all others are kept, duplicates are dropped, and the limits are
checked again.

A SENDER is ` + senderHelp + `.

Exit status: 0, 1 the record would be broken or is broken now, 2 a lookup failed,
3 wrong usage.`,
		Example: `  mailcheck spf add google-workspace --domain example.org
  mailcheck spf add include:_spf.example.com 192.0.2.25 --domain example.org -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.domain, "domain", "", "`domain` whose record is edited")
	cmd.Flags().StringVar(&o.all, "all", "softfail", "`policy` for all others if there is no record yet: softfail, fail or neutral")
	return cmd
}

func newSPFRemove(s Streams) *cobra.Command {
	o := &spfAddOptions{remove: true}
	cmd := &cobra.Command{
		Use:   "remove SENDER... --domain DOMAIN",
		Short: "Remove a provider or an address from the record of a domain",
		Long: `Print the record of a domain with a sender removed, and the addresses that pass
no longer.

A SENDER is ` + senderHelp + `.

Exit status: 0, 1 the record would be broken, is broken now, or does not name the
sender, 2 a lookup failed, 3 wrong usage.`,
		Example: `  mailcheck spf remove sendgrid --domain example.org
  mailcheck spf remove 192.0.2.25 --domain example.org`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.domain, "domain", "", "`domain` whose record is edited")
	return cmd
}

func (o *spfAddOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := ownDomain(cmd, o.domain)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	if len(args) == 0 {
		return usage("give "+senderHelp, "no sender given")
	}
	var list []sender
	if !o.remove {
		if list, err = parseSenders(args); err != nil {
			return err
		}
	}
	all := ""
	if !o.remove {
		if all, err = allTerm(o.all); err != nil {
			return err
		}
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
	switch {
	case e.state == resolve.Unavailable:
		return &Error{Code: ExitIncomplete, Err: fmt.Errorf("the record is unknown: %w", e.err), Hint: lookupHint(e.err)}
	case o.remove && e.state == resolve.Absent:
		return &Error{Code: ExitFindings, Err: fmt.Errorf("there is no SPF record at %s", domain), Hint: "nothing is to be removed"}
	case o.remove:
		err = e.removeSenders(args)
	case e.state == resolve.Absent:
		err = e.create(list, all)
	default:
		err = e.addSenders(list)
	}
	if err != nil {
		return err
	}
	v, err := e.view(ctx)
	if err := cmp.Or(interrupted(cmd), err); err != nil {
		return err
	}
	return v.print(s, o.format)
}

// addSenders inserts the terms that are not there yet in effect.
func (e *spfEdit) addSenders(list []sender) error {
	for _, x := range list {
		added := false
		for _, term := range x.terms {
			if by := e.has(term); by != "" {
				e.notes = append(e.notes, fmt.Sprintf("%s passes already, by %s", term, by))
				continue
			}
			if err := e.edit(fix.SPFInsertTerm, "", term, "authorize "+cmp.Or(x.row.Name, x.word)); err != nil {
				return usage("give "+senderHelp, "%w", err)
			}
			added = true
		}
		if added {
			e.notes = append(e.notes, x.notes...)
		}
	}
	if len(e.edits) == 0 {
		return nil
	}
	return e.dedupe()
}

// has tells by which term of the record, if any, everything that a term would
// match passes already.
func (e *spfEdit) has(term string) string {
	r, _ := spf.Parse("v=spf1 " + term)
	now, _ := spf.Parse(e.text)
	if len(r.Terms) != 1 {
		return ""
	}
	t := r.Terms[0]
	if t.Kind == spf.IP4 || t.Kind == spf.IP6 {
		want := set.Of(t.Prefix)
		if !want.Minus(e.before.With(spf.Pass)).Empty() || e.before.Analysis.Root == nil {
			return ""
		}
		for _, k := range e.before.Analysis.Root.Terms {
			if own := e.before.Analysis.Root.Record.Terms[k.Index]; !set.Of(authorized(own, &k)...).Intersect(want).Empty() {
				return own.Text
			}
		}
		return "the record"
	}
	all := now.AllIndex()
	for i, own := range now.Terms {
		if (all < 0 || i < all) && own.Kind == t.Kind && own.Qualifier == '+' && strings.EqualFold(own.Domain, t.Domain) && own.Bits4 == t.Bits4 && own.Bits6 == t.Bits6 {
			return own.Text
		}
	}
	if t.Kind == spf.Include && !t.Macro && e.before.Analysis.Root != nil && len(e.edits) == 0 {
		if n, err := resolve.ParseName(t.Domain); err == nil {
			return includedBy(e.before.Analysis.Root, n)
		}
	}
	return ""
}

// includedBy finds the term of a record through which a name is included with
// nothing but passes on the way.
func includedBy(n *spf.Node, name resolve.Name) string {
	for i := range n.Terms {
		t, info := n.Record.Terms[i], &n.Terms[i]
		if info.Ignored || info.Child == nil || t.Kind == spf.Include && t.Qualifier != '+' {
			continue
		}
		if info.Child.Domain == name || includedBy(info.Child, name) != "" {
			return t.Text
		}
	}
	return ""
}

// removeSenders takes out the terms that name a sender.
func (e *spfEdit) removeSenders(words []string) error {
	for _, w := range words {
		found := e.termsOf(w)
		if len(found) == 0 {
			return e.notThere(w)
		}
		for i, term := range found {
			why := w + " does not send any more"
			if slices.Contains(found[:i], term) {
				why += ", and is written twice" // equal edits are one
			}
			if err := e.edit(fix.SPFRemoveTerm, term, "", why); err != nil {
				return err
			}
		}
	}
	return nil
}

// termsOf lists the terms of the record that name a sender.
func (e *spfEdit) termsOf(word string) (out []string) {
	now, _ := spf.Parse(e.text)
	row, isRow := providers.ByID(strings.ToLower(word))
	name, _ := resolve.ParseName(word)
	address, isAddress := addressTerm(word)
	for i, t := range now.Terms {
		if t.Kind == spf.All || t.IsModifier() && t.Kind != spf.Redirect {
			continue
		}
		target, _ := resolve.ParseName(t.Domain)
		switch {
		case strings.EqualFold(t.Text, word), strings.EqualFold(strings.TrimLeft(t.Text, "+-~?"), word):
		case isAddress && (t.Kind == spf.IP4 || t.Kind == spf.IP6) && prefixTerm(t.Prefix.Masked()) == address:
		case !name.IsZero() && target == name && (t.Kind == spf.Include || t.Kind == spf.A || t.Kind == spf.MX):
		case isRow && e.belongs(t, target, row):
		default:
			continue
		}
		if t.Kind == spf.Redirect {
			continue // it carries the policy for all others
		}
		out = append(out, now.Terms[i].Text)
	}
	return out
}

func (e *spfEdit) belongs(t spf.Term, target resolve.Name, row providers.Provider) bool {
	if slices.Contains(row.Mechanisms, strings.TrimLeft(t.Text, "+")) {
		return true
	}
	p, ok := includeRow(t.Kind, target)
	return ok && t.Kind == spf.Include && (p.ID == row.ID || row.Via == p.ID && slices.Contains(row.Includes, target))
}

// notThere tells why a sender cannot be removed.
func (e *spfEdit) notThere(word string) error {
	hint := "mailcheck spf tree " + e.domain.String() + " shows what the record leads to"
	if a, err := netip.ParseAddr(word); err == nil {
		if some, _ := e.before.At(a).Can(spf.Pass); some && e.before.Analysis.Root != nil {
			for _, k := range e.before.Analysis.Root.Terms {
				t := e.before.Analysis.Root.Record.Terms[k.Index]
				if set.Of(authorized(t, &k)...).Contains(a) {
					return &Error{Code: ExitFindings, Err: fmt.Errorf("%s passes by %s, which authorizes others too", word, t.Text), Hint: "remove that term, or narrow it: mailcheck spf narrow"}
				}
			}
		}
	}
	if n, err := resolve.ParseName(word); err == nil && e.before.Analysis.Root != nil {
		if by := includedBy(e.before.Analysis.Root, n); by != "" {
			return &Error{Code: ExitFindings, Err: fmt.Errorf("%s is included by %s, whose record is another's", word, by), Hint: hint}
		}
	}
	if i := e.old.RedirectIndex(); i >= 0 && strings.Contains(e.old.Terms[i].Domain, word) {
		return &Error{Code: ExitFindings, Err: fmt.Errorf("%s is where the record redirects to: without it there is no policy for all others", word), Hint: "write the record anew: mailcheck spf new"}
	}
	return &Error{Code: ExitFindings, Err: fmt.Errorf("no term of the record of %s names %q", e.domain, word), Hint: hint}
}
