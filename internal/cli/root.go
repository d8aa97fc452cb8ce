// Package cli is the command line of mailcheck: it turns flags into options,
// calls the library, and hands the results to the printers.
package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = "devel"

// "go install ...@v1.2.3" sets nothing, but the module's own version is known. A
// checkout has no checksum and stays "devel".
func init() {
	if info, ok := debug.ReadBuildInfo(); ok && version == "devel" && info.Main.Sum != "" {
		version = info.Main.Version
	}
}

// Main runs one command line and returns the exit code.
func Main(args []string, s Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := NewRoot(s)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return ExitOK
	}
	if _, ok := errors.AsType[*Error](err); !ok && !closedPipe(err) && isUsage(err) {
		err = usage(helpHint(cmd), "%w", err)
		if cmd != nil && !cmd.HasSubCommands() && strings.HasPrefix(err.Error(), "unknown command") {
			err = unexpected(cmd) // cobra speaks of commands where there are none
		}
	}
	return report(s.Err, err)
}

// isUsage recognises the errors that cobra itself makes of a command line; all
// others come from our commands and have a code.
func isUsage(err error) bool {
	m := err.Error()
	for _, p := range []string{"unknown command", "unknown flag", "unknown shorthand", "accepts ", "requires ", "required flag", "invalid argument", "flag needs"} {
		if strings.HasPrefix(m, p) {
			return true
		}
	}
	return false
}

// unexpected is the error of a command that takes no arguments and got some.
func unexpected(cmd *cobra.Command) error {
	arg := ""
	if rest := cmd.Flags().Args(); len(rest) > 0 {
		arg = rest[0]
	}
	hint := helpHint(cmd)
	if cmd.Flags().Lookup("domain") != nil {
		hint = "the domain is given with --domain; " + hint
	}
	return usage(hint, "'%s' takes no argument, and got %q", cmd.CommandPath(), arg)
}

func helpHint(cmd *cobra.Command) string {
	if cmd == nil {
		return "mailcheck --help"
	}
	return "see '" + cmd.CommandPath() + " --help'"
}

// NewRoot builds the command tree on the given streams.
func NewRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "mailcheck",
		Short: "Find out why mail is not delivered, and fix it",
		Long: `mailcheck finds out why mail is not delivered and fixes it.

It reads what a domain publishes for mail (SPF, DKIM, DMARC, MX), judges it as
receivers do, and prints what blocks mail, what is at risk, and the exact record
to publish. What could not be found out is reported as unknown, never as missing.`,
		Example: `  mailcheck lab                          see it work, without a network
  mailcheck audit example.org            audit a domain
  mailcheck audit example.org -o json    the same for programs
  mailcheck explain SPF006               what a finding means`,
		Version:       version,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(flagHint(cmd, err), "%w", err)
	})
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(newAudit(s), newRules(s), newExplain(s), newVersion(s), newLab(s), newDMARC(s), newDKIM(s), newSPF(s), newFix(s), newDiagnose(s), newBaseline(s), newCompare(s), newRollout(s), newReportsCommand(s), newProbe(s), newMTASTS(s), newTLSRPT(s), newDANE(s))
	return root
}

func flagHint(cmd *cobra.Command, err error) string {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return helpHint(cmd)
	}
	if best := nearest(name, flagNames(cmd)); best != "" {
		return "did you mean --" + best + "? " + helpHint(cmd)
	}
	return helpHint(cmd)
}
