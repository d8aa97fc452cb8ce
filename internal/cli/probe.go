package cli

import (
	"github.com/spf13/cobra"
)

func newProbe(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "Look at live mail hosts, and send a probe that proves what arrives",
		Long: `Look at live mail hosts ('mx': no sender and no recipient is named, so nothing is
sent and no address is guessed), or send one probe to one recipient, take one in, and
tell where it landed.`,
		Example: `  mailcheck probe mx example.org
  mailcheck probe send --from probe@example.org --to me@example.net --dry-run
  mailcheck probe roundtrip --help`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProbeMX(s), newProbeSend(s), newProbeListen(s), newProbeReceive(s), newProbeRoundtrip(s))
	return cmd
}
