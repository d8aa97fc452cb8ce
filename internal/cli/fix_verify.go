package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/apply"
	"github.com/mailcheck-go/mailcheck/internal/render"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

// fixVerifyOptions are the flags of "fix verify".
type fixVerifyOptions struct {
	serverFlags
	steps    []string
	once     bool
	interval time.Duration
	format   string
}

func newFixVerify(s Streams) *cobra.Command {
	o := &fixVerifyOptions{}
	cmd := &cobra.Command{
		Use:   "verify PLAN",
		Short: "Watch every name server until it has what a plan says",
		Long: `Ask each authoritative name server, by address, until all of them have the new
records of a plan; say until when caches may still answer the old ones; then run the
rules again that found what the plan repairs.

Exit status: 0 all servers agree and the findings are gone; 2 something could not be
known; 3 wrong usage; 4 a server has other records, or a finding is still there.`,
		Example: `  mailcheck fix verify plan.json
  mailcheck fix verify plan.json --once -o json
  mailcheck fix verify plan.json --step stage-1`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.serverFlags.add(cmd, 10*time.Minute, "time until all servers have to agree")
	fs := cmd.Flags()
	fs.StringSliceVar(&o.steps, "step", nil, "verify only the step with this `ID`, repeatable")
	fs.BoolVar(&o.once, "once", false, "ask once, and do not wait")
	fs.DurationVar(&o.interval, "interval", 5*time.Second, "time between two rounds")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

// fixVerifyView is the document of schema mailcheck.fix-verify/1.
type fixVerifyView struct {
	Schema   string        `json:"schema"`
	Domain   string        `json:"domain"`
	Steps    []apply.Proof `json:"steps"`
	Findings []ruleView    `json:"findings"`
}

// ruleView is a rule of the plan, judged again.
type ruleView struct {
	Rule    string `json:"rule"`
	Outcome string `json:"outcome"` // gone, there or unknown
	Message string `json:"message,omitempty"`
}

func (o *fixVerifyOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if len(args) != 1 {
		return usage("mailcheck fix verify plan.json", "'%s' takes one plan", cmd.CommandPath())
	}
	if err := oneOf(cmd, "output", o.format, "text", "json"); err != nil {
		return err
	}
	if o.timeout <= 0 || o.interval <= 0 {
		return usage("for example --timeout 10m --interval 5s", "--timeout and --interval must be positive")
	}
	p, err := loadPlan(s, args[0])
	if err != nil {
		return err
	}
	c, err := o.serverFlags.open()
	if err != nil {
		return err
	}
	defer c.Close()
	opt := apply.Options{Servers: c, Steps: o.steps, Interval: o.interval, Timeout: o.timeout}
	if o.once {
		opt.Timeout = -1
	}
	v := fixVerifyView{Schema: "mailcheck.fix-verify/1", Domain: p.Domain.String(), Findings: []ruleView{}}
	v.Steps, err = apply.Verify(cmd.Context(), p, opt, o.progress(s))
	if stopped := interrupted(cmd); stopped != nil {
		return stopped
	}
	if err == nil {
		v.Findings = again(cmd.Context(), c, p, o.steps)
	}
	noNull(&v.Steps)
	for i := range v.Steps {
		noNull(&v.Steps[i].Servers)
	}
	if o.format == "json" {
		if e := printJSON(s.Out, v); e != nil {
			return e
		}
	} else if e := v.text(s); e != nil {
		return e
	}
	return v.verdict(err)
}

// progress tells a person which servers are still behind.
func (o *fixVerifyOptions) progress(s Streams) func(apply.Proof) {
	return func(p apply.Proof) {
		if !s.ErrTTY {
			return
		}
		n := 0
		for _, x := range p.Servers {
			if x.State == apply.HoldsNew {
				n++
			}
		}
		fmt.Fprintf(s.Err, "mailcheck: %s: %d of %s have it\n", safe.Text(p.ID), n, plural(len(p.Servers), "server", "servers"))
	}
}

// again runs the rules of the steps on what the zone's own servers say now.
func again(ctx context.Context, c *client.Client, p *fix.Plan, steps []string) []ruleView {
	var ids []string
	for _, x := range p.Steps {
		if len(steps) == 0 && x.Gate == nil || slices.Contains(steps, x.ID) {
			ids = append(ids, x.Findings...)
		}
	}
	out := []ruleView{}
	if len(ids) == 0 {
		return out
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	ctx, cancel := context.WithTimeout(ctx, 2*defaultTimeout)
	defer cancel()
	opt := facts.Options{Resolver: "authoritative", Selectors: plannedSelectors(p)}
	if p.Given != nil {
		opt.Addresses = p.Given.Addresses
		opt.Selectors = append(opt.Selectors, p.Given.Selectors...)
	}
	snap := facts.Gather(ctx, c.Authoritative(), p.Domain, opt)
	rep := audit.Run(snap, rules.All(), audit.Options{Only: ids})
	before := map[string]bool{}
	for _, d := range p.After {
		before[d.Fingerprint] = true // what the plan said would remain is no failure
	}
	for _, id := range ids {
		v := ruleView{Rule: id, Outcome: "gone"}
		switch rep.Outcome(audit.ID(id)) {
		case audit.Unknown:
			v.Outcome, v.Message = "unknown", reasonOf(rep, audit.ID(id))
		case audit.Fail:
			for _, f := range rep.Findings {
				if string(f.Rule) == id && !before[f.Fingerprint] {
					v.Outcome, v.Message = "there", f.Message
				}
			}
		}
		out = append(out, v)
	}
	return out
}

// plannedSelectors are those of the keys that the plan publishes: no name server
// tells which selectors there are.
func plannedSelectors(p *fix.Plan) []string {
	var out []string
	for _, x := range p.Steps {
		if x.Change == nil || x.Change.Verb == fix.Delete {
			continue
		}
		labels := strings.Split(x.Change.Name.String(), ".")
		if i := slices.Index(labels, "_domainkey"); i > 0 {
			out = append(out, strings.Join(labels[:i], "."))
		}
	}
	return out
}

// reasonOf tells why a rule could not decide.
func reasonOf(rep audit.Report, id audit.ID) string {
	for _, r := range rep.Rules {
		if r.ID == id {
			return r.Reason
		}
	}
	return ""
}

func (v fixVerifyView) verdict(err error) error {
	unknown := false
	for _, x := range v.Steps {
		for _, n := range x.Servers {
			unknown = unknown || n.State == apply.HoldsUnknown
			if n.State == apply.HoldsOld || n.State == apply.HoldsOther {
				return &Error{Code: ExitFailed, Err: fmt.Errorf("%s: %s has %s", x.ID, n.Server, n.Words()), Hint: "wait for the secondary, or look at its zone transfer: mailcheck fix verify again"}
			}
		}
	}
	for _, f := range v.Findings {
		if f.Outcome == "there" {
			return &Error{Code: ExitFailed, Err: fmt.Errorf("the records are there, and %s is still found: %s", f.Rule, f.Message), Hint: "mailcheck explain " + f.Rule}
		}
		unknown = unknown || f.Outcome == "unknown"
	}
	switch {
	case err != nil && errors.Is(err, apply.ErrUnknown), unknown:
		return exit(ExitIncomplete)
	case err != nil:
		return &Error{Code: ExitIncomplete, Err: err}
	}
	return nil
}

func (v fixVerifyView) text(s Streams) error {
	p := newSheet(s)
	for _, x := range v.Steps {
		word := "waiting"
		if x.Converged {
			word = "proven"
		}
		p.hang("", word, 10, x.Title+" ["+x.ID+"]")
		for _, n := range x.Servers {
			p.hang("", "", 12, n.Server+": "+n.Words())
		}
		if x.Error != "" {
			p.hang("", "", 12, x.Error)
		}
		if !x.CachedUntil.IsZero() {
			p.hang("", "", 12, "caches may answer the old until "+x.CachedUntil.Format(time.RFC3339)+" ("+x.Cache+")")
		}
	}
	for i, f := range v.Findings {
		if i == 0 {
			p.WriteByte('\n')
		}
		p.hang("", f.Outcome, 10, f.Rule+" "+f.Message)
	}
	if len(v.Steps) == 0 {
		p.para("The plan changes no record.")
	}
	return p.flush(s.Out)
}

func newFixShow(s Streams) *cobra.Command {
	var format, color string
	cmd := &cobra.Command{
		Use:   "show PLAN",
		Short: "Print a saved plan",
		Example: `  mailcheck fix show plan.json
  mailcheck fix show plan.json -o markdown`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("mailcheck fix show plan.json", "'%s' takes one plan", cmd.CommandPath())
			}
			if err := oneOf(cmd, "output", format, render.PlanFormats()...); err != nil {
				return err
			}
			if err := oneOf(cmd, "color", color, "auto", "always", "never"); err != nil {
				return err
			}
			p, err := loadPlan(s, args[0])
			if err != nil {
				return err
			}
			return render.Plan(s.Out, format, p, render.Options{Color: useColor(s, color), Width: textWidth(s.Width)})
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "output `format`: text, json or markdown")
	cmd.Flags().StringVar(&color, "color", "auto", "colour the text: auto, always or never")
	return cmd
}
