package cli

import "github.com/spf13/cobra"

func newFix(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fix",
		Short: "Plan, apply, prove and undo repairs of a domain's records",
		Long: `Repair a domain step by step: plan what to change, review it, apply it, see every
name server agree, and take it back if need be.

'fix plan' never writes to the DNS. What it saves is what gets applied, byte for
byte, and only if the zone is still what the plan was made for.`,
		Example: `  mailcheck fix plan example.org --report-to dmarc@example.org --key-dir keys --out plan.json`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFixPlan(s), newFixShow(s), newFixApply(s), newFixVerify(s), newFixUndo(s), newFixExport(s))
	return cmd
}
