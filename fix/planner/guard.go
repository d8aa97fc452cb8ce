package planner

import (
	"context"
	"slices"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// guard takes out the changes that would bring an error which is not there now:
// a plan that does is worse than none.
func (b *builder) guard(ctx context.Context, after audit.Report) (audit.Report, error) {
	for len(b.work) > 0 {
		fresh := b.fresh(after)
		if len(fresh) == 0 {
			return after, nil
		}
		i := b.culprit(fresh[0])
		w := b.work[i]
		why := "the change of " + w.change.Name.String() + " " + w.change.Type.String() + " would bring " + string(fresh[0].Rule) + ": " + fresh[0].Message
		for _, f := range b.before.Findings {
			if slices.Contains(w.rules, string(f.Rule)) {
				b.refuse(f.Fingerprint, why)
			}
		}
		b.work = slices.Delete(b.work, i, i+1)
		var err error
		if after, _, err = b.planned(ctx); err != nil {
			return after, err
		}
	}
	return after, nil
}

// fresh lists the errors of the planned zone that the zone has not now. What
// could not be decided before is not new: the plan did not bring it.
func (b *builder) fresh(after audit.Report) []audit.Finding {
	var out []audit.Finding
	for _, f := range after.Findings {
		if f.Severity != audit.Error || f.Suppressed != nil || b.before.Outcome(f.Rule) == audit.Unknown {
			continue
		}
		if !slices.ContainsFunc(b.before.Findings, func(o audit.Finding) bool { return o.Rule == f.Rule }) {
			out = append(out, f)
		}
	}
	return out
}

// culprit finds the change that an error most likely comes from: of its record
// set, else the last one.
func (b *builder) culprit(f audit.Finding) int {
	i := slices.IndexFunc(b.work, func(w *work) bool {
		return w.change.Name == f.Subject.Name && (w.change.Type == f.Subject.Type || f.Subject.Type == resolve.Type(0))
	})
	if i < 0 {
		i = len(b.work) - 1
	}
	return i
}
