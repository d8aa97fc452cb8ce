package cli

import (
	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type dmarcStageOptions struct {
	dmarcEditOptions
	back    bool
	blind   bool
	without bool
}

func newDMARCStage(s Streams) *cobra.Command {
	o := &dmarcStageOptions{}
	cmd := &cobra.Command{
		Use:   "stage DOMAIN",
		Short: "Take the policy one step towards reject",
		Long: `Take the DMARC record of a domain one step along none, quarantine with t=y,
quarantine, reject, and tell why this step, what it does at receivers of either
generation, and what has to be true before. np=reject comes with the first step.

Exit status: 0 the record is printed or is at the end of the way, 1 there is no
single sound record to start from, 2 the record could not be read, 3 wrong usage.`,
		Example: `  mailcheck dmarc stage example.org
  mailcheck dmarc stage example.org --back
  mailcheck dmarc stage example.org --record 'v=DMARC1; p=none; rua=mailto:d@example.org' --offline -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&o.back, "back", false, "one step back, when the reports show that good mail fails")
	cmd.Flags().BoolVar(&o.blind, "without-reports", false, "step on though the record asks for no reports")
	cmd.Flags().BoolVar(&o.without, "keep-np", false, "leave np as it is")
	return cmd
}

func (o *dmarcStageOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
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
	opt := dmarc.StageOptions{Back: o.back, Blind: o.blind, KeepNP: o.without}
	if org := e.d.Organizational; org.State == resolve.Present && org.Domain != domain {
		opt.KeepNP = true // RFC 9989, Section 4.7: np counts in the record of the organizational domain
	}
	m, err := e.rec.Advance(opt)
	if err != nil {
		return &Error{Code: ExitFindings, Err: err, Hint: stageHint(err, domain)}
	}
	v := changeView{Command: "stage", Domain: domain.String(), Stage: &stageView{From: m.From, To: m.To, Why: list(m.Why), Before: list(m.Before)}, Notes: m.Notes}
	for _, t := range m.Edits {
		v.Edits = append(v.Edits, e.edit(t))
	}
	return o.finish(s, v, e, m.Record)
}

func list(l []string) []string { return append([]string{}, l...) }
