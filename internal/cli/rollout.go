package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/insight"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// rolloutOptions are the flags of "rollout".
type rolloutOptions struct {
	answerOptions
	small bool
	out   string
	back  string
}

func newRollout(s Streams) *cobra.Command {
	o := &rolloutOptions{}
	cmd := &cobra.Command{
		Use:   "rollout DOMAIN",
		Short: "Where the DMARC policy stands, what blocks the next stage, and the next edit as a plan",
		Long: `Tell where the DMARC policy of a domain stands on the way from none to reject, what
the reports say against the next stage, the fix for each source in the way, and, when
it is safe, the next edit as a plan for 'fix apply'.

The gate is the archive of reports, not a calendar. In cron it also watches: if a
source of yours fails while the policy is enforced, the exit status is 1, and --back
has the plan that goes one stage back.

Exit status: 0 safe to go on, or to stay at the end of the way; 1 not safe; 2 not
known; 3 wrong usage; 4 the archive failed.`,
		Example: `  mailcheck rollout example.org
  mailcheck rollout example.org --out next.json --back back.json
  mailcheck rollout example.org --ours 192.0.2.0/24 --forger 198.51.100.0/24 -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd, "text", "json")
	fs := cmd.Flags()
	for _, name := range []string{"domain", "dns", "output-file"} { // one domain, and DNS is always asked
		_ = fs.MarkHidden(name)
	}
	fs.BoolVar(&o.small, "small", false, "the domain sends hardly any mail: take less of it for enough, over a longer time")
	fs.StringVar(&o.out, "out", "", "save the plan of the next stage to a `file`, if the stage is safe")
	fs.StringVar(&o.back, "back", "", "save the plan that goes one stage back to a `file`, if mail of yours is hit now")
	return cmd
}

// rolloutView is the document of schema mailcheck.rollout/1.
type rolloutView struct {
	Schema string `json:"schema"`
	insight.DomainReadiness
	// Regression says that mail of the owner fails while the policy is enforced.
	Regression bool      `json:"regression"`
	Plan       *fix.Plan `json:"plan"`      // the next stage; null if it is not safe
	StepBack   *fix.Plan `json:"step_back"` // null if there is no regression
}

func (o *rolloutOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	o.domains, o.dns = []string{domain.String()}, !o.offline
	q, done, err := o.query(cmd, s, nil)
	if err != nil {
		return err
	}
	defer done()
	r, err := q.Readiness(cmd.Context(), insight.ReadyOptions{Small: o.small})
	if err != nil {
		return storeError("this archive", err)
	}
	o.unmatched(s, r.Unmatched)
	v := &rolloutView{Schema: "mailcheck.rollout/1"}
	if len(r.Domains) == 0 {
		v.DomainReadiness = insight.DomainReadiness{Domain: domain.String(), Answer: insight.NotKnown, Before: []string{}, Blocking: []insight.Blocker{}, ToLabel: []insight.Blocker{},
			Reasons: []insight.Reason{{Code: "no-reports", Answer: insight.NotKnown, Text: "the archive has no aggregate report about the domain"}}}
	} else {
		v.DomainReadiness = r.Domains[0]
		noNull(&v.Reasons)
	}
	if err := o.plans(cmd.Context(), s, domain, v); err != nil {
		return err
	}
	if err := o.print(s, v); err != nil {
		return err
	}
	switch v.Answer {
	case insight.NotSafe:
		return exit(ExitFindings)
	case insight.NotKnown:
		return exit(ExitIncomplete)
	}
	return nil
}

// plans makes the plans of the next stage and of the one before, on the record
// as it is now.
func (o *rolloutOptions) plans(ctx context.Context, s Streams, domain resolve.Name, v *rolloutView) error {
	res, err := o.open(s)
	if err != nil {
		return err
	}
	defer res.close()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	d := dmarc.Discover(ctx, res, domain, dmarc.Options{})
	if d.Policy.State != resolve.Present || d.Policy.Domain != domain {
		return nil // the reasons say what is known of the stage
	}
	// A policy is enforced when receivers do more than watch, and only then own
	// mail that fails is hit today.
	v.Regression = v.Answer == insight.NotSafe && d.Policy.Effective.Strength() > 0 && v.HitOwn > 0
	if v.Answer == insight.Safe && v.Next != "" {
		if v.Plan, err = o.stage(ctx, res, d, dmarc.StageOptions{KeepNP: d.Organizational.Domain != domain}); err != nil {
			return err
		}
		res.wholeTTL(ctx, v.Plan)
		if err := o.save(s, o.out, v.Plan); err != nil {
			return err
		}
	}
	if _, err := os.Stat(o.out); v.Plan == nil && o.out != "" && err == nil {
		fmt.Fprintf(s.Err, "mailcheck: warning: %s is of an earlier run: there is no next stage that is known to be safe now\n", safe.Text(o.out))
	}
	if v.Regression {
		if v.StepBack, err = o.stage(ctx, res, d, dmarc.StageOptions{Back: true, KeepNP: true}); err != nil {
			return err
		}
		res.wholeTTL(ctx, v.StepBack)
		return o.save(s, o.back, v.StepBack)
	}
	return nil
}

func savePlan(path string, p *fix.Plan) error {
	if path == "" || p == nil {
		return nil
	}
	if err := writePlan(path, p); err != nil {
		return writeError(err)
	}
	return nil
}

// save saves a plan, if there is one and a file for it, and tells a person so.
func (o *rolloutOptions) save(s Streams, path string, p *fix.Plan) error {
	if err := savePlan(path, p); err != nil || path == "" || p == nil {
		return err
	}
	if o.format == "text" {
		fmt.Fprintf(s.Err, "mailcheck: saved to %s\n", safe.Text(path))
	}
	return nil
}

// stage is one step of the policy as a plan.
func (o *rolloutOptions) stage(ctx context.Context, r resolve.Resolver, d dmarc.Discovery, opt dmarc.StageOptions) (*fix.Plan, error) {
	m, err := d.Policy.Record.Advance(opt)
	if err != nil || len(m.Edits) == 0 {
		return nil, nil
	}
	name, err := d.Domain.Below("_dmarc")
	if err != nil {
		return nil, nil
	}
	a, err := r.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeTXT})
	if err != nil || len(a.Chain) > 0 {
		return nil, nil // behind an alias the record is another's to change
	}
	changes, err := fix.Merge([]fix.Edit{{Name: name, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: d.Policy.Record.String(), Value: m.Record.String(),
		Why: "from " + m.From + " to " + m.To}}, func(resolve.Name, resolve.Type) ([]resolve.Record, error) { return a.Records, nil })
	if err != nil || len(changes) != 1 {
		return nil, err
	}
	verb, risk := "raise", fix.High
	if opt.Back {
		verb, risk = "lower", fix.Low
	}
	return onePlan(d.Domain, o.now, fix.Step{ID: "stage-1", Title: verb + " the DMARC policy from " + m.From + " to " + m.To, Risk: risk, Change: &changes[0], Why: m.Why,
		Breaks: "mail of a sender that is neither signed nor in the SPF record is junked, or refused at reject"}), nil
}

// onePlan is a plan of one change of records, in the form of 'fix plan'.
func onePlan(domain resolve.Name, at time.Time, step fix.Step) *fix.Plan {
	step.Findings, step.Depends, step.Manual, step.Reversible = []string{}, []string{}, []fix.Manual{}, true
	step.Wait = fix.Duration(time.Duration(step.Change.TTL) * time.Second)
	step.Check = fix.Check{Kind: "record", Expect: "every name server has the new record", Command: "mailcheck fix verify PLAN"}
	return &fix.Plan{Schema: fix.PlanSchema, Domain: domain, Created: at.UTC().Truncate(time.Second), Tool: "mailcheck " + version, Goal: step.Title,
		Steps: []fix.Step{step}, Decisions: []fix.Decision{}, Before: []fix.Defect{}, After: []fix.Defect{}, Unknown: []string{}}
}

func (o *rolloutOptions) print(s Streams, v *rolloutView) error {
	if o.format == "json" {
		return printJSON(s.Out, v)
	}
	p := newSheet(s)
	readinessBody(p, v.DomainReadiness)
	for _, x := range []struct {
		head string
		plan *fix.Plan
	}{{"The next edit", v.Plan}, {"MAIL OF YOURS IS HIT NOW. One stage back", v.StepBack}} {
		if x.plan == nil {
			continue
		}
		c := x.plan.Steps[0].Change
		p.head(x.head)
		for _, t := range c.Old {
			p.whole("  - ", fmt.Sprintf("%s %d IN %s %s", c.Name.FQDN(), c.TTL, c.Type, safe.Text(t)))
		}
		for _, t := range c.New {
			p.whole("  + ", fmt.Sprintf("%s %d IN %s %s", c.Name.FQDN(), c.TTL, c.Type, safe.Text(t)))
		}
	}
	switch {
	case v.Plan != nil && o.out != "":
		writeNext(p, applyCommand(o.out, v.Plan))
	case v.StepBack != nil && o.back != "":
		writeNext(p, applyCommand(o.back, v.StepBack)+", and fix the sources")
	default:
		readinessNext(p, v.DomainReadiness)
	}
	return p.flush(s.Out)
}

// applyCommand carries a plan out, steps that want a confirmation of their own too.
func applyCommand(path string, p *fix.Plan) string {
	text := "mailcheck fix apply " + safe.Text(path)
	for _, x := range p.Steps {
		if x.Confirm != "" {
			text += " --confirm " + x.ID
		}
	}
	return text
}
