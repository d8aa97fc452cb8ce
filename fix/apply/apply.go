package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

// Reasons why nothing, or not everything, was applied.
var (
	ErrStale   = errors.New("apply: the zone is not what the plan was made for")
	ErrUnknown = errors.New("apply: what the zone holds could not be read")
	ErrAuth    = errors.New("apply: the credentials were not accepted")
	ErrRefused = errors.New("apply: the provider refused the change")
	ErrTemp    = errors.New("apply: the provider cannot be reached")
	ErrPlan    = errors.New("apply: the plan cannot be applied")
)

// Provider reads and writes record sets of a zone. Its contract:
//
// Get returns the record set as the provider has it, which may be ahead of the
// name servers; an absent one is no error. Set replaces whole record sets, all of
// them or none if it can; if it can tell that one is not as Change.Old says, it
// changes nothing and the error matches ErrStale. Both errors match one of the
// reasons of this package.
type Provider interface {
	Get(ctx context.Context, zone, name resolve.Name, t resolve.Type) ([]resolve.Record, error)
	Set(ctx context.Context, zone resolve.Name, changes []fix.Change) error
}

// Servers finds the name servers of a zone and asks all of them. A
// *client.Client does.
type Servers interface {
	FindZone(ctx context.Context, name resolve.Name) (client.Authority, error)
	AskAuthoritative(ctx context.Context, q resolve.Question) (client.Comparison, error)
}

// Options are what [Run] and [Verify] need.
type Options struct {
	Servers  Servers
	Provider Provider // of Run
	// Steps are the IDs of the steps to apply, also behind a gate; none: all
	// without a gate.
	Steps []string
	// Undo saves the way back. It is called before each change, with a plan that
	// has it in already: what was not done then is found as it should be when the
	// plan is applied. An error of it stops Run.
	Undo func(*fix.Plan) error
	// Progress is told of each result as it comes; nil: nobody is.
	Progress func(StepResult)
	Now      func() time.Time // nil: time.Now

	// Interval and Timeout are those of Verify: how often all servers are asked,
	// and when it gives up. Zero: 5 seconds and 10 minutes.
	Interval, Timeout time.Duration
}

// Outcome is what became of a step.
type Outcome string

// Outcomes.
const (
	Applied Outcome = "applied"
	Done    Outcome = "done"    // the zone had the new records already
	Manual  Outcome = "manual"  // for a person
	Gated   Outcome = "gated"   // not yet
	Waiting Outcome = "waiting" // what it depends on was applied just now, and has to take effect first
	Stale   Outcome = "stale"
	Unknown Outcome = "unknown"
	Failed  Outcome = "failed"
	NotDone Outcome = "not-done" // an earlier step stopped the run
	Left    Outcome = "left"     // others were chosen
)

// StepResult is what became of a step, with what each server said.
type StepResult struct {
	ID      string         `json:"id"`
	Title   string         `json:"title"`
	Outcome Outcome        `json:"outcome"`
	Error   string         `json:"error,omitempty"`
	Err     error          `json:"-"`
	Servers []ServerResult `json:"servers,omitempty"`
}

// Result is what became of a plan.
type Result struct {
	Steps []StepResult
	// Undo takes back what was applied; nil if nothing was.
	Undo *fix.Plan
}

// ServerResult is what one name server holds of a record set.
type ServerResult struct {
	Server  string   `json:"server"`
	State   Holds    `json:"state"`
	Records []string `json:"records"` // when it is other
	Error   string   `json:"error,omitempty"`
}

// Holds tells which records a server has.
type Holds string

// States.
const (
	HoldsOld     Holds = "old"
	HoldsNew     Holds = "new"
	HoldsOther   Holds = "other"
	HoldsUnknown Holds = "unknown"
)

// Run applies the steps of a plan in order and stops at the first that cannot be.
// The result tells what became of every step, also with an error, which matches
// one of the reasons of this package.
func Run(ctx context.Context, p *fix.Plan, opt Options) (*Result, error) {
	r := &runner{plan: p, opt: opt, now: time.Now, res: &Result{}}
	if opt.Now != nil {
		r.now = opt.Now
	}
	for _, id := range opt.Steps {
		if !slices.ContainsFunc(p.Steps, func(s fix.Step) bool { return s.ID == id }) {
			return r.res, fmt.Errorf("%w: it has no step %q", ErrPlan, id)
		}
	}
	var stop error
	for i := range p.Steps {
		x := StepResult{ID: p.Steps[i].ID, Title: p.Steps[i].Title, Outcome: NotDone}
		switch {
		case len(opt.Steps) > 0 && !slices.Contains(opt.Steps, x.ID):
			x.Outcome = Left
		case stop == nil:
			stop = r.step(ctx, &p.Steps[i], &x)
		}
		if x.Err != nil {
			x.Error = x.Err.Error()
		}
		r.res.Steps = append(r.res.Steps, x)
		if opt.Progress != nil {
			opt.Progress(x)
		}
	}
	if len(r.done) > 0 {
		r.res.Undo = p.Undo(r.done, r.now())
	}
	return r.res, stop
}

// runner is one run.
type runner struct {
	plan *fix.Plan
	opt  Options
	now  func() time.Time
	done []string
	res  *Result
}

func (r *runner) step(ctx context.Context, s *fix.Step, x *StepResult) error {
	switch {
	case s.Change == nil:
		x.Outcome = Manual
		return nil
	case s.Gate != nil && len(r.opt.Steps) == 0:
		x.Outcome = Gated
		return nil
	}
	for _, d := range s.Depends {
		if i := slices.IndexFunc(r.res.Steps, func(o StepResult) bool { return o.ID == d }); i >= 0 && len(r.opt.Steps) == 0 {
			if o := r.res.Steps[i].Outcome; o == Applied || o == Waiting {
				x.Outcome = Waiting
				return nil
			}
		}
	}
	zone, servers, err := look(ctx, r.opt.Servers, *s.Change)
	x.Servers = servers
	if err == nil {
		x.Outcome, err = judge(servers)
	}
	if err == nil && x.Outcome == "" {
		err = r.write(ctx, zone, s, x)
	}
	if err == nil {
		return nil
	}
	x.Err = err
	switch {
	case errors.Is(err, ErrStale):
		x.Outcome = Stale
	case errors.Is(err, ErrUnknown):
		x.Outcome = Unknown
	default:
		x.Outcome = Failed
	}
	return err
}

// judge decides from what the servers hold whether the change can be made: all
// have to hold the old records, or all the new ones.
func judge(servers []ServerResult) (Outcome, error) {
	n := map[Holds]int{}
	for _, v := range servers {
		n[v.State]++
	}
	switch {
	case n[HoldsOther] > 0:
		return "", fmt.Errorf("%w: %s has other records", ErrStale, first(servers, HoldsOther))
	case n[HoldsUnknown] > 0:
		return "", fmt.Errorf("%w: %s does not tell", ErrUnknown, first(servers, HoldsUnknown))
	case n[HoldsNew] == len(servers):
		return Done, nil
	case n[HoldsNew] > 0:
		return "", fmt.Errorf("%w: the name servers disagree, %s has the new records already", ErrStale, first(servers, HoldsNew))
	}
	return "", nil
}

func first(servers []ServerResult, h Holds) string {
	for _, v := range servers {
		if v.State == h {
			return v.Server
		}
	}
	return ""
}

// write makes one change, after the way back is saved.
func (r *runner) write(ctx context.Context, zone resolve.Name, s *fix.Step, x *StepResult) error {
	old, err := s.Change.OldRecords()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPlan, err)
	}
	now, err := s.Change.NewRecords()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPlan, err)
	}
	// The provider may be ahead of its servers: it has the last word.
	has, err := r.opt.Provider.Get(ctx, zone, s.Change.Name, s.Change.Type)
	switch {
	case err != nil:
		return err
	case fix.SameText(has, now):
		x.Outcome = Done
		return nil
	case !fix.SameText(has, old): // RFC 2136 prerequisites look at the strings too
		return fmt.Errorf("%w: the provider has other records than the name servers", ErrStale)
	}
	if r.opt.Undo != nil {
		if err := r.opt.Undo(r.plan.Undo(append(slices.Clip(r.done), s.ID), r.now())); err != nil {
			return fmt.Errorf("%w: the way back cannot be saved: %w", ErrPlan, err)
		}
	}
	if err := r.opt.Provider.Set(ctx, zone, []fix.Change{*s.Change}); err != nil {
		if !errors.Is(err, ErrStale) && !errors.Is(err, ErrAuth) && !errors.Is(err, ErrRefused) {
			r.done = append(r.done, s.ID) // it may have been done: the way back has to know it
		}
		return err
	}
	r.done = append(r.done, s.ID)
	x.Outcome = Applied
	return nil
}

// look asks every name server for a record set of the plan.
func look(ctx context.Context, s Servers, c fix.Change) (resolve.Name, []ServerResult, error) {
	old, err := c.OldRecords()
	if err != nil {
		return resolve.Name{}, nil, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	now, err := c.NewRecords()
	if err != nil {
		return resolve.Name{}, nil, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	cmp, err := s.AskAuthoritative(ctx, resolve.Question{Name: c.Name, Type: c.Type})
	if len(cmp.Answers) == 0 {
		if err == nil {
			err = errors.New("no name server was found")
		}
		return cmp.Zone, nil, fmt.Errorf("%w: %s: %w", ErrUnknown, c.Name, err)
	}
	var out []ServerResult
	for _, a := range cmp.Answers {
		v := ServerResult{Server: a.Server.String(), State: HoldsOther, Records: []string{}}
		switch {
		case a.Err != nil && resolve.StateOf(a.Err) == resolve.Unavailable && len(a.Answer.Chain) == 0:
			v.State, v.Error = HoldsUnknown, a.Err.Error()
		case len(a.Answer.Chain) > 0 && c.Type != resolve.TypeCNAME:
			// The name is an alias: what is behind it is another's to change.
			v.Records = append(v.Records, "CNAME "+a.Answer.Chain[0].Target.FQDN())
		case fix.SameText(a.Answer.Records, now):
			v.State = HoldsNew
		case fix.SameText(a.Answer.Records, old):
			v.State = HoldsOld
		default:
			for _, r := range a.Answer.Records {
				v.Records = append(v.Records, r.Data.String())
			}
		}
		out = append(out, v)
	}
	return cmp.Zone, out, nil
}

// Words says what the server has, for a person. It may hold foreign text.
func (r ServerResult) Words() string {
	switch r.State {
	case HoldsOld:
		return "the old records"
	case HoldsNew:
		return "the new records"
	case HoldsUnknown:
		return "unknown: " + r.Error
	}
	if len(r.Records) == 0 {
		return "no records"
	}
	return "other records: " + strings.Join(r.Records, ", ")
}
