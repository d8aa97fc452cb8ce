package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

type spfDiffOptions struct {
	lookupOptions
	domain   string
	oldZones []string
}

func newSPFDiff(s Streams) *cobra.Command {
	o := &spfDiffOptions{}
	cmd := &cobra.Command{
		Use:   "diff OLD [NEW]",
		Short: "Show which addresses change their result between two records",
		Long: `Compare what two records decide for every address. Each side is a domain, or the
text of a record; a and mx of a text belong to --domain, or to the domain of the
other side. With --zone and one domain, what is published is compared with what
the zone files hold; --old-zone gives the old side another zone file.

Every address is compared, by range arithmetic. Terms that depend on the sender
are compared as terms. Exit status: 0 no change, 1 changes, 2 a lookup failed, so
that nothing is proven, 3 wrong usage.`,
		Example: `  mailcheck spf diff example.org 'v=spf1 ip4:192.0.2.0/24 -all'
  mailcheck spf diff 'v=spf1 ip4:192.0.2.0/24 -all' 'v=spf1 ip4:192.0.2.0/25 -all'
  mailcheck spf diff example.org --zone next.zone
  mailcheck spf diff example.org --old-zone today.zone --zone next.zone --offline`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.domain, "domain", "", "`domain` whose record a text is")
	cmd.Flags().StringArrayVar(&o.oldZones, "old-zone", nil, "zone `file` for the old side, repeatable")
	return cmd
}

// spfDiffView is the document of schema mailcheck.spf-diff/1.
type spfDiffView struct {
	Schema   string           `json:"schema"`
	Old      spfSideView      `json:"old"`
	New      spfSideView      `json:"new"`
	Equal    bool             `json:"equal"`    // no address changes its result
	Complete bool             `json:"complete"` // and that is a proof
	Changes  []differenceView `json:"changes"`
	Unknown  []string         `json:"unknown"`
}

type spfSideView struct {
	Domain  string       `json:"domain"`
	Record  nullable     `json:"record"` // null unless there is exactly one
	Lookups int          `json:"lookups"`
	Voids   int          `json:"void_lookups"`
	Results []resultView `json:"results"`
}

type resultView struct {
	Result string `json:"result"`
	addressesView
}

// side is one of the two that are compared.
type side struct {
	domain resolve.Name
	text   string // of a record given; empty for what is published
}

func (o *spfDiffOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	old, next, err := o.sides(cmd, args)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	ctx, resNew, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	resOld := resNew
	if len(args) == 1 || len(o.oldZones) > 0 {
		was := o.resolverFlags
		was.zones = o.oldZones
		if resOld, err = was.open(s); err != nil {
			return err
		}
		defer resOld.close()
	}
	before, errOld := old.resolve(ctx, resOld)
	after, errNew := next.resolve(ctx, resNew)
	if err := interrupted(cmd); err != nil {
		return err
	}
	_, _ = errOld, errNew // the time is over: the maps say what is unknown
	v := viewDiff(before, after)
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

func (v spfDiffView) status() int {
	for _, c := range v.Changes {
		if c.Kind != string(set.Open) {
			return ExitFindings
		}
	}
	if !v.Complete || !v.Equal {
		return ExitIncomplete
	}
	return ExitOK
}

func (x side) resolve(ctx context.Context, r resolve.Resolver) (set.Map, error) {
	if x.text != "" {
		r = set.WithRecords(r, map[resolve.Name]string{x.domain: x.text})
	}
	return set.Resolve(ctx, r, x.domain, spf.Options{})
}

// nobody is the domain of a text that belongs to none. RFC 6761, Section 6.4:
// nothing exists below invalid.
var nobody = resolve.MustName("record.invalid")

func (o *spfDiffOptions) sides(cmd *cobra.Command, args []string) (old, next side, err error) {
	switch {
	case len(args) == 0:
		return old, next, usage("mailcheck spf diff example.org 'v=spf1 …'", "nothing to compare")
	case len(args) > 2:
		return old, next, usage("quote the text of a record", "'%s' compares two, not %d", cmd.CommandPath(), len(args))
	case len(args) == 1 && len(o.zones) == 0:
		return old, next, usage("give a second domain or record, or --zone", "one side only to compare")
	}
	if len(args) == 1 {
		args = []string{args[0], args[0]}
	}
	var own resolve.Name
	if o.domain != "" {
		if own, err = parseDomain(o.domain, ""); err != nil {
			return old, next, err
		}
	}
	for i, to := range []*side{&old, &next} {
		if isRecordText(args[i]) {
			to.text = args[i]
			continue
		}
		if to.domain, err = parseDomain(args[i], ""); err != nil {
			return old, next, err
		}
		if own.IsZero() {
			own = to.domain
		}
	}
	for _, to := range []*side{&old, &next} {
		if to.text == "" {
			continue
		}
		if to.domain = own; own.IsZero() {
			to.domain = nobody
		}
		r, err := spf.Parse(to.text)
		if err != nil {
			return old, next, &Error{Code: ExitUsage, Err: err, Hint: "mailcheck spf lint --record '…' shows the place"}
		}
		if own.IsZero() && ownName(r) {
			return old, next, usage("give it with --domain", "the record has terms about its own domain, which is not known")
		}
	}
	return old, next, nil
}

// isRecordText tells a record from a domain.
func isRecordText(s string) bool {
	return len(s) >= 6 && strings.EqualFold(s[:6], "v=spf1") || strings.Contains(s, " ")
}

// ownName reports whether a record has terms about the name it stands at.
func ownName(r spf.Record) bool {
	for _, t := range r.Terms {
		switch t.Kind {
		case spf.A, spf.MX, spf.PTR:
			if t.Domain == "" {
				return true
			}
		}
		if low := strings.ToLower(t.Domain); strings.Contains(low, "%{d") || strings.Contains(low, "%{p") {
			return true
		}
	}
	return false
}

func viewDiff(before, after set.Map) spfDiffView {
	v := spfDiffView{
		Schema: "mailcheck.spf-diff/1", Old: viewSide(before), New: viewSide(after), Changes: viewDifferences(set.Diff(before, after)),
		Complete: before.Complete() && after.Complete() && len(before.Parts) > 0 && len(after.Parts) > 0, Unknown: []string{},
	}
	v.Equal = len(v.Changes) == 0
	for _, m := range []set.Map{before, after} {
		v.Unknown = append(v.Unknown, unknownOf(m)...)
	}
	return v
}

// unknownOf lists what keeps a map from being a proof.
func unknownOf(m set.Map) (out []string) {
	for _, err := range m.Unknown {
		out = append(out, spfProblem(err))
	}
	if m.Truncated {
		out = append(out, m.Domain.String()+": the records are too large to be followed to the end")
	}
	if len(m.Parts) == 0 {
		out = append(out, m.Domain.String()+": the time for this command is over")
	}
	return out
}

func viewSide(m set.Map) spfSideView {
	v := spfSideView{Domain: m.Domain.String(), Lookups: m.Analysis.Lookups, Voids: m.Analysis.Voids, Results: []resultView{}}
	if m.Analysis.Root != nil {
		v.Record = nullable(m.Analysis.Root.Text)
	}
	for _, p := range m.Parts {
		v.Results = append(v.Results, resultView{safe.Text(p.Verdict.String()), viewAddresses(p.Set)})
	}
	return v
}

func (v spfDiffView) text(s Streams) error {
	p := newSheet(s)
	for _, x := range []struct {
		label string
		side  spfSideView
	}{{"Old:", v.Old}, {"New:", v.New}} {
		owner := ""
		if x.side.Domain != nobody.String() {
			owner = x.side.Domain + ", "
		}
		p.hang("", x.label, 6, fmt.Sprintf("%s%d of %d lookups", owner, x.side.Lookups, spf.MaxLookups))
		if x.side.Record != "" {
			p.whole("", string(x.side.Record))
		}
	}
	p.WriteByte('\n')
	if v.Equal && v.Complete {
		p.para("Equal: no address changes its result.")
	} else {
		writeDifferences(p, v.Changes)
	}
	writeUnknown(p, v.Unknown)
	return p.flush(s.Out)
}

// writeUnknown lists the lookups that failed.
func writeUnknown(p *sheet, list []string) {
	if len(list) == 0 {
		return
	}
	p.head("Unknown, so nothing is proven")
	for _, x := range list {
		p.item("%s", x)
	}
}
