package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type dmarcParkOptions struct {
	lookupOptions
	rua       []string
	selectors []string
}

func newDMARCPark(s Streams) *cobra.Command {
	o := &dmarcParkOptions{}
	cmd := &cobra.Command{
		Use:   "park DOMAIN",
		Short: "Write the records of a domain that neither sends nor receives mail",
		Long: `Write the records of a domain without mail: v=spf1 -all, a null MX, DMARC with
reject for it and all names below, and no DKIM keys. What is there is changed as
little as possible, and other TXT records stay.

Which DKIM keys there are, DNS does not tell unless there are none: name the
selectors that were in use with --selector.
Exit status: 0 the records are printed, 2 something that is there, keys among it,
could not be known (they are printed all the same), 3 wrong usage.`,
		Example: `  mailcheck dmarc park example.org
  mailcheck dmarc park example.org --selector s1 --rua dmarc@example.net
  mailcheck dmarc park example.org --offline -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().StringArrayVar(&o.rua, "rua", nil, "`address` or URI for aggregate reports, repeatable, if the record has none yet")
	cmd.Flags().StringSliceVar(&o.selectors, "selector", nil, "DKIM `selector` whose key is to go, repeatable")
	return cmd
}

func (o *dmarcParkOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	if err := checkSelectors(o.selectors); err != nil {
		return err
	}
	wanted, err := dmarc.New(dmarc.Fields{P: dmarc.Reject, SP: dmarc.Reject, NP: dmarc.Reject, RUA: splitURIs(o.rua)})
	if err != nil {
		return usage(editHint(err), "%w", err)
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	k := parking{domain: domain, p: &present{ctx: ctx, r: res, offline: o.offline}}
	k.v = changeView{Schema: "mailcheck.dmarc-change/1", Command: "park", Domain: domain.String()}
	if err := errors.Join(k.mail(), k.spf(), k.dmarc(wanted), k.keys(ctx, o.selectors)); err != nil {
		return err
	}
	if err := interrupted(cmd); err != nil {
		return err
	}
	if err := k.v.merge(k.p); err != nil {
		return err
	}
	k.v.Present = stateWord(k.p.state(k.found))
	for _, u := range k.p.unknown {
		k.v.Warnings = append(k.v.Warnings, fmt.Sprintf("what is there is unknown (%v): keep other records of that name and type", u))
	}
	if err := k.v.print(s, o.format); err != nil {
		return err
	}
	if len(k.p.unknown) > 0 || k.keysUnknown {
		return exit(ExitIncomplete)
	}
	return nil
}

// parking collects the edits of one domain.
type parking struct {
	domain resolve.Name
	p      *present
	v      changeView

	found       bool // something is there
	keysUnknown bool
}

func (k *parking) edit(name resolve.Name, t resolve.Type, op fix.Op, record, value, why string) {
	k.v.Edits = append(k.v.Edits, fix.Edit{Name: name, Type: t, Op: op, Record: record, Value: value, Why: why})
}

// own reads a record set of a name that must be no alias.
func (k *parking) own(name resolve.Name, t resolve.Type) ([]resolve.Record, error) {
	k.p.aliases = nil
	there := k.p.records(name, t)
	if len(k.p.aliases) > 0 {
		// RFC 1034, Section 3.6.2: nothing may stand beside a CNAME.
		return nil, &Error{Code: ExitFindings, Err: fmt.Errorf("%s is an alias of %s, so no record can be published there", name, k.p.aliases[0].Target),
			Hint: "remove the CNAME first, or park the name it leads to"}
	}
	k.found = k.found || len(there) > 0
	return there, nil
}

// mail makes the MX a null MX (RFC 7505, Section 3).
func (k *parking) mail() error {
	const null, why = "0 .", "the domain receives no mail (RFC 7505)"
	there, err := k.own(k.domain, resolve.TypeMX)
	done := false
	for _, r := range there {
		if data := r.Data.String(); data == null {
			done = true
		} else {
			k.edit(k.domain, resolve.TypeMX, fix.RemoveRecord, data, "", why)
			k.v.Warnings = append(k.v.Warnings, fmt.Sprintf("%s receives mail now, through MX %s: publishing this ends it", k.domain, data))
		}
	}
	if !done && err == nil {
		k.edit(k.domain, resolve.TypeMX, fix.AddRecord, "", null, why)
	}
	return err
}

// spf leaves one record that lets nobody send (RFC 7208, Section 10.1.2).
func (k *parking) spf() error {
	const deny, why = "v=spf1 -all", "the domain sends no mail (RFC 7208, Section 10.1.2)"
	there, err := k.own(k.domain, resolve.TypeTXT)
	n := 0
	for _, r := range there {
		t, ok := r.Data.(resolve.TXT)
		if !ok || !isSPF(t.Joined()) {
			continue
		}
		switch text := t.Joined(); {
		case n > 0:
			k.edit(k.domain, resolve.TypeTXT, fix.RemoveRecord, text, "", "with several SPF records none counts (RFC 7208, Section 4.5)")
		case text != deny:
			k.edit(k.domain, resolve.TypeTXT, fix.ReplaceRecord, text, deny, why)
			k.v.Warnings = append(k.v.Warnings, fmt.Sprintf("%s may send mail now, by %s: publishing this ends it", k.domain, safe.Limit(text, 120)))
		}
		n++
	}
	if n == 0 && err == nil {
		k.edit(k.domain, resolve.TypeTXT, fix.AddRecord, "", deny, why)
	}
	return err
}

// isSPF selects SPF records (RFC 7208, Section 4.5).
func isSPF(text string) bool {
	version, _, _ := strings.Cut(text, " ")
	return strings.EqualFold(version, "v=spf1")
}

func (k *parking) dmarc(wanted dmarc.Record) error {
	name, err := k.domain.Below("_dmarc")
	if err != nil {
		return usage("park a name above it", "no record can be published for %s: %w", k.domain, err)
	}
	there, err := k.own(name, resolve.TypeTXT)
	if err != nil {
		return err
	}
	k.v.Record = nullable(wanted.String())
	old := dmarcRecords(there)
	if len(old) == 0 {
		k.edit(name, resolve.TypeTXT, fix.AddRecord, "", wanted.String(), "all mail of the domain is forged")
		return nil
	}
	for _, text := range old[1:] {
		k.edit(name, resolve.TypeTXT, fix.RemoveRecord, text, "", "with several DMARC records none counts")
	}
	rec, err := dmarc.Parse(old[0])
	if err != nil || rec.Has(dmarc.DuplicateTag, dmarc.TagCase) {
		k.edit(name, resolve.TypeTXT, fix.ReplaceRecord, old[0], wanted.String(), "the record is broken")
		return nil
	}
	e := edited{rec: rec, owner: name}
	edits := rec.Park()
	if t, found := wanted.Tag("rua"); found && len(rec.RUA) == 0 {
		edits = append(edits, dmarc.TagEdit{Tag: "rua", Value: t.Value, Why: "reports tell who forges mail"})
	}
	for _, t := range edits {
		if t.Value == "" {
			rec = rec.Remove(t.Tag)
		} else if next, err := rec.Set(t.Tag, t.Value); err == nil {
			rec = next
		}
		k.v.Edits = append(k.v.Edits, e.edit(t))
	}
	k.v.Record = nullable(rec.String())
	return nil
}

// keys takes out the DKIM keys that are named, and tells whether there may be
// others: with one, whoever holds it can still sign for the domain.
func (k *parking) keys(ctx context.Context, selectors []string) error {
	for _, s := range selectors {
		name, err := dkim.KeyName(k.domain, s)
		if err != nil {
			return usage("the selector is the s= tag of a DKIM-Signature field", "--selector: %w", err)
		}
		k.p.aliases = nil
		there := k.p.records(name, resolve.TypeTXT)
		if len(k.p.aliases) > 0 {
			k.v.Warnings = append(k.v.Warnings, fmt.Sprintf("%s is an alias of %s: delete the CNAME", name, k.p.aliases[0].Target))
			continue
		}
		for _, r := range there {
			if t, ok := r.Data.(resolve.TXT); ok {
				k.edit(name, resolve.TypeTXT, fix.RemoveRecord, t.Joined(), "", "a domain that sends no mail needs no key")
			}
		}
		if len(there) == 0 && len(k.p.unknown) == 0 && !k.p.unasked {
			k.v.Notes = append(k.v.Notes, fmt.Sprintf("there is no key at %s", name))
		}
	}
	name, err := k.domain.Below("_domainkey")
	if err != nil {
		return nil // no key can be below it either
	}
	a, err := k.p.r.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeTXT})
	switch {
	case errors.Is(err, resolve.ErrNXDomain) && len(a.Chain) == 0:
		// RFC 8020: nothing is below a name that does not exist.
		k.v.Notes = append(k.v.Notes, "there are no DKIM keys")
	case k.p.offline && errors.Is(err, resolve.ErrOffline):
		k.v.Notes = append(k.v.Notes, "DKIM keys were not looked for: delete any that are there")
	case len(selectors) == 0:
		k.keysUnknown = true
		k.v.Warnings = append(k.v.Warnings, fmt.Sprintf("there may be DKIM keys below %s, and DNS does not list them: name the selectors with --selector, or delete them", name))
	}
	return nil
}
