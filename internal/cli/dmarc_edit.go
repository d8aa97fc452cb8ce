package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// dmarcEditOptions are those of the commands that change a record.
type dmarcEditOptions struct {
	lookupOptions
	record string
}

func (o *dmarcEditOptions) add(cmd *cobra.Command) {
	o.lookupOptions.add(cmd)
	cmd.Flags().StringVar(&o.record, "record", "", "`text` of the record, in place of the one that is published")
}

// edited is the record under edit.
type edited struct {
	rec   dmarc.Record
	owner resolve.Name // of the TXT record, behind aliases
	p     *present
	d     dmarc.Discovery // zero if the text was given
	warn  []string
}

// load finds the one record of the domain itself.
func (o *dmarcEditOptions) load(ctx context.Context, r resolve.Resolver, domain resolve.Name, given bool) (edited, error) {
	name, err := domain.Below("_dmarc")
	if err != nil {
		return edited{}, usage("publish it at a shorter name above", "no record can be published for %s: %w", domain, err)
	}
	e := edited{owner: name, p: &present{ctx: ctx, r: r, offline: o.offline}}
	if given {
		rec, err := dmarc.Parse(o.record)
		if err != nil {
			return e, usage("mailcheck dmarc lint --record TEXT tells more", "--record: %w", err)
		}
		e.rec = rec
		e.p.know(name, resolve.TypeTXT, []resolve.Record{{Name: name, Type: resolve.TypeTXT, TTL: fix.DefaultTTL, Data: resolve.SplitTXT(o.record)}})
		return e, nil
	}
	e.d = dmarc.Discover(ctx, r, domain, dmarc.Options{})
	own := e.d.Steps[0]
	switch {
	case own.State == resolve.Unavailable:
		return e, &Error{Code: ExitIncomplete, Err: fmt.Errorf("the record is unknown: %w", own.Err), Hint: "try again, or give the text with --record"}
	case own.Several != nil:
		return e, &Error{Code: ExitFindings, Err: fmt.Errorf("%s has several DMARC records, so none counts", name), Hint: fmt.Sprintf("remove all but one, or replace them: mailcheck dmarc new %s --replace", domain)}
	case !own.Usable && !e.d.Policy.Domain.IsZero():
		return e, &Error{Code: ExitFindings, Err: fmt.Errorf("%s has no record of its own, it inherits that of %s", domain, e.d.Policy.Domain),
			Hint: fmt.Sprintf("change the record of %s, or give the name one of its own: mailcheck dmarc new %s", e.d.Policy.Domain, domain)}
	case !own.Usable:
		return e, &Error{Code: ExitFindings, Err: fmt.Errorf("there is no DMARC record at %s", name), Hint: fmt.Sprintf("mailcheck dmarc new %s --policy none --rua ADDRESS", domain)}
	}
	e.rec = own.Record
	if n := len(own.Answer.Chain); n > 0 {
		e.owner = own.Answer.Owner()
		e.warn = append(e.warn, fmt.Sprintf("%s is an alias of %s: the record has to be changed there, by whoever runs that zone", name, e.owner))
	}
	e.p.know(e.owner, resolve.TypeTXT, own.Answer.Records)
	return e, nil
}

// edit is the fix.Edit of a tag.
func (e edited) edit(t dmarc.TagEdit) fix.Edit {
	x := fix.Edit{Name: e.owner, Type: resolve.TypeTXT, Op: fix.DMARCSetTag, Record: e.rec.String(), Term: t.Tag, Value: t.Value, Why: t.Why}
	if t.Value == "" {
		x.Op = fix.DMARCRemoveTag
	}
	return x
}

// finish prints what to publish for the record as it is now.
func (o *dmarcEditOptions) finish(s Streams, v changeView, e edited, after dmarc.Record) error {
	v.Schema, v.Present, v.Record = "mailcheck.dmarc-change/1", "present", nullable(after.String())
	if err := v.merge(e.p); err != nil {
		return err
	}
	v.Warnings = append(v.Warnings, e.warn...)
	for _, c := range after.Cautions() {
		if v.Stage != nil && strings.Contains(c, "t=y") {
			continue // that is the step
		}
		if !slices.Contains(v.Warnings, c) {
			v.Warnings = append(v.Warnings, c)
		}
	}
	return v.print(s, o.format)
}

type dmarcSetOptions struct {
	dmarcEditOptions
	remove []string
}

func newDMARCSet(s Streams) *cobra.Command {
	o := &dmarcSetOptions{}
	cmd := &cobra.Command{
		Use:   "set DOMAIN TAG=VALUE...",
		Short: "Change tags of the record of a domain, and nothing else of it",
		Long: `Change tags of the DMARC record of a domain. Every other byte of it stays, and so
do other TXT records at the name. rua+=ADDRESS adds to a list of addresses.

Exit status: 0 the record is printed, 1 there is no single record to change, 2 the
record could not be read, 3 wrong usage.`,
		Example: `  mailcheck dmarc set example.org np=reject
  mailcheck dmarc set example.org rua+=reports@vendor.example
  mailcheck dmarc set example.org p=quarantine t=y --remove pct
  mailcheck dmarc set example.org p=reject --record 'v=DMARC1; p=none'`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().StringSliceVar(&o.remove, "remove", nil, "take these `tags` out")
	return cmd
}

func (o *dmarcSetOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if len(args) == 0 {
		return usage(cmd.CommandPath()+" example.org np=reject", "no domain given")
	}
	domain, err := parseDomain(args[0], "")
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	sets, err := o.assignments(args[1:])
	if err != nil {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	e, err := o.load(ctx, res, domain, cmd.Flags().Changed("record"))
	if stopped := interrupted(cmd); stopped != nil {
		return stopped
	}
	if err != nil {
		return err
	}
	v := changeView{Command: "set", Domain: domain.String()}
	after, err := o.apply(&v, e, sets)
	if err != nil {
		return err
	}
	if e.d.Steps != nil {
		v.Warnings = append(v.Warnings, afterwards(ctx, res, domain, after)...)
	}
	return o.finish(s, v, e, after)
}

// assignment is one TAG=VALUE or TAG+=VALUE of the command line.
type assignment struct {
	tag, value string
	more       bool
}

// settable are the tags of RFC 9989, Section 4.7 but for the version.
var settable = []string{"p", "sp", "np", "adkim", "aspf", "fo", "psd", "rua", "ruf", "t"}

func (o *dmarcSetOptions) assignments(args []string) ([]assignment, error) {
	var out []assignment
	for _, a := range args {
		tag, value, found := strings.Cut(a, "=")
		if !found {
			return nil, usage("for example np=reject", "%q is not TAG=VALUE", a)
		}
		tag, more := strings.CutSuffix(tag, "+")
		if err := settableTag(tag); err != nil {
			return nil, err
		}
		switch {
		case more && tag != "rua" && tag != "ruf":
			return nil, usage(tag+"=VALUE sets it", "only rua and ruf are lists that += can add to, not %s", tag)
		case strings.TrimSpace(value) == "":
			return nil, usage("--remove "+tag+" takes it out", "%s has no value", tag)
		case slices.ContainsFunc(out, func(x assignment) bool { return x.tag == tag && !more }), slices.Contains(o.remove, tag):
			return nil, usage("give each tag once", "%s is given twice", tag)
		}
		out = append(out, assignment{tag, strings.TrimSpace(value), more})
	}
	for _, tag := range o.remove {
		if tag == "v" || tag == "" {
			return nil, usage("without the version it would be no record", "%q cannot be removed", tag)
		}
	}
	if len(out)+len(o.remove) == 0 {
		return nil, usage("for example np=reject, or --remove pct", "nothing to set")
	}
	return out, nil
}

func settableTag(tag string) error {
	if slices.Contains(settable, tag) {
		return nil
	}
	hint := "the tags are " + strings.Join(settable, ", ")
	switch low := strings.ToLower(tag); {
	case low == "pct":
		hint = "t=y asks for one level less; --remove pct takes it out"
	case slices.Contains([]string{"rf", "ri"}, low):
		return usage("--remove "+low+" takes it out", "tag %s was removed by RFC 9989", low)
	case low == "v":
		hint = "the version is always DMARC1"
	case slices.Contains(settable, low):
		hint = "did you mean " + low + "? Names of tags are in lower case"
	case len(tag) > 1 && nearest(tag, settable) != "":
		hint = "did you mean " + nearest(tag, settable) + "? " + hint
	}
	return usage(hint, "%q is no tag that can be set", tag)
}

func (o *dmarcSetOptions) apply(v *changeView, e edited, sets []assignment) (dmarc.Record, error) {
	rec := e.rec
	for _, a := range sets {
		value := a.value
		if a.tag == "rua" || a.tag == "ruf" {
			list := splitURIs([]string{value})
			if a.more {
				if t, found := rec.Tag(a.tag); found && t.Value != "" {
					list = splitURIs([]string{t.Value, value})
				}
			}
			made, err := dmarc.New(dmarc.Fields{P: dmarc.None, RUA: list})
			if err != nil {
				return rec, usage(editHint(err), "%w", err)
			}
			t, _ := made.Tag("rua")
			value = t.Value
		}
		next, err := rec.Set(a.tag, value)
		if err != nil {
			return rec, usage(editHint(err), "%w", err)
		}
		rec = next
		v.Edits = append(v.Edits, e.edit(dmarc.TagEdit{Tag: a.tag, Value: value, Why: "as you asked"}))
	}
	for _, tag := range o.remove {
		if _, found := rec.Tag(tag); !found {
			v.Notes = append(v.Notes, fmt.Sprintf("there was no tag %s", safe.Text(tag)))
			continue
		}
		rec = rec.Remove(tag)
		v.Edits = append(v.Edits, e.edit(dmarc.TagEdit{Tag: tag, Why: "as you asked"}))
	}
	return rec, nil
}
