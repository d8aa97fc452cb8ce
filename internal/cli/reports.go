package cli

import (
	"github.com/spf13/cobra"
)

// newReportsCommand is what keeps DMARC and TLS reports and answers from them.
func newReportsCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reports",
		Short: "Import DMARC and TLS reports, keep them, and ask them",
		Long: `Import DMARC aggregate, DMARC failure and SMTP TLS reports (RFC 9990, RFC 9991,
RFC 8460) from files, mailboxes and mail servers into an archive, and ask it who
sends as a domain, what fails and why.

The archive is a directory: a database, and beside it the reports as they came, so
that 'reports rebuild' can make the database anew. It is named with --store or
$MAILCHECK_STORE, and is otherwise in ~/.local/share/mailcheck/reports.
Exit status: 0 clean, 1 findings, 2 something could not be known, 3 wrong usage,
4 the archive failed.`,
		Example: `  mailcheck reports import ~/reports
  mailcheck reports import imaps://dmarc@imap.example.org/INBOX --password-file secret
  mailcheck reports parse report.xml.gz -o json
  mailcheck reports ledger --outcome rejected`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	// What fills and keeps the archive.
	cmd.AddCommand(newReportsImport(s), newReportsParse(s), newReportsLedger(s), newReportsRebuild(s), newReportsPrune(s))
	// What it is asked: reports_answers.go.
	cmd.AddCommand(reportsAnswers(s)...)
	return cmd
}
