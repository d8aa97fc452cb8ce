package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/planner"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/insight"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// errDisagree is an answer that servers of one zone do not share.
var errDisagree = errors.New("the name servers disagree")

// show prints where a rotation stands, and saves its plan. A plan that is refused
// does not keep the rest from being told.
func (o *rotateOptions) show(cmd *cobra.Command, s Streams, x *rotating, v rotationView, st rotate.Status) error {
	var refused error
	if o.plan != "" {
		p, err := o.planned(cmd, s, x, st)
		switch {
		case err != nil:
			refused = rotationPlanError(err, x.state.Domain)
		default:
			if err := savePlan(o.plan, p); err != nil {
				return err
			}
			v.Plan = nullable(safe.Text(o.plan))
			for _, u := range p.Unknown {
				v.Warnings = append(v.Warnings, safe.Text(u))
			}
		}
	}
	if err := v.print(s, o.format); err != nil {
		return err
	}
	if stopped := interrupted(cmd); stopped != nil {
		return stopped
	}
	return refused
}

// planned makes the plan of what is left.
func (o *rotateOptions) planned(cmd *cobra.Command, s Streams, x *rotating, st rotate.Status) (*fix.Plan, error) {
	opt := planner.RotationOptions{
		Status: st, Current: x.current, At: x.env.Now(), Tool: "mailcheck " + version, Server: o.server,
		Advance: advanceCommand(x.state.Domain.String(), safe.Text(x.path)),
	}
	if o.reports != "" {
		store, err := openStore(cmd.Context(), s, storeFlags{o.reports}, true)
		if err != nil {
			return nil, err
		}
		defer store.Close()
		sel, err := insight.Query{Archive: store, At: opt.At}.Selectors(cmd.Context())
		if err != nil {
			return nil, storeError(o.reports, err)
		}
		opt.Signed = &planner.Signed{Until: sel.Window.Last.Time}
		for _, y := range sel.List {
			if y.Domain == x.state.Domain.String() && strings.EqualFold(y.Selector, x.state.Old.Selector) && y.Last.After(opt.Signed.Last) {
				opt.Signed.Last = y.Last.Time
			}
		}
	}
	return planner.Rotation(x.state, opt)
}

// current are the records that every name server has.
func (x *rotating) current(name resolve.Name, t resolve.Type) ([]resolve.Record, error) {
	answers, err := x.env.Ask(x.ctx, resolve.Question{Name: name, Type: t})
	if err != nil && len(answers) == 0 {
		return nil, err
	}
	var has []resolve.Record
	for i, a := range answers {
		switch {
		case len(a.Answer.Chain) > 0:
			return nil, fmt.Errorf("%w: %s is an alias, and its records are those of %s", fix.ErrConflict, name, a.Answer.Owner())
		case resolve.StateOf(a.Err) == resolve.Unavailable:
			return nil, fmt.Errorf("%s: %w", a.Server, a.Err)
		case i > 0 && !fix.SameRecords(has, a.Answer.Records):
			return nil, fmt.Errorf("%w: %s and %s have other records at %s", errDisagree, answers[0].Server, a.Server, name)
		}
		has = a.Answer.Records
	}
	return has, nil
}

// rotationPlanError says why there is no plan.
func rotationPlanError(err error, domain resolve.Name) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	code, hint := ExitFindings, "mailcheck dkim rotate status "+domain.String()+" tells what is due"
	switch {
	case errors.Is(err, planner.ErrStillSigning):
		hint = "find the signer that was not switched: mailcheck reports sources --domain " + domain.String()
	case errors.Is(err, errDisagree):
		hint = "wait until every name server has the same, then try again"
	case errors.Is(err, planner.ErrOver), errors.Is(err, fix.ErrConflict):
	default:
		code, hint = ExitIncomplete, "try again later, or name a resolver with --resolver"
	}
	return &Error{Code: code, Err: fmt.Errorf("no plan: %w", err), Hint: hint}
}
