package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/reports/insight"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

func newReportsEvidence(s Streams) *cobra.Command {
	o := &answerOptions{}
	cmd := &cobra.Command{
		Use:   "evidence",
		Short: "Export what was seen, for 'mailcheck spf narrow'",
		Long: `Export which address sent with which domain in MAIL FROM, and whether the mail is the
owner's: the evidence that 'mailcheck spf narrow' takes. What is forged is marked as
not legitimate; what others sent on, and what nobody can place, is left out unless
SPF passed for it.

Exit status: 0 exported, 2 there are no reports to answer from, 3 wrong usage, 4 the
archive failed.`,
		Example: `  mailcheck reports evidence --domain example.org --since 60d > seen.json
  mailcheck reports evidence --domain example.org --since 60d |
    mailcheck spf narrow --domain example.org --evidence -`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.evidence(cmd, s, args) },
	}
	o.add(cmd, "json", "csv")
	o.format = "json"
	cmd.Flags().Lookup("output").DefValue = "json"
	return cmd
}

// evidenceDocument is what narrow.Parse reads.
type evidenceDocument struct {
	Schema string         `json:"schema"`
	Days   int            `json:"days"`
	Hosts  []evidenceHost `json:"hosts"`
}

type evidenceHost struct {
	IP         string `json:"ip"`
	Domain     string `json:"domain"`
	Count      uint64 `json:"count"`
	Legitimate bool   `json:"legitimate"`
}

func (o *answerOptions) evidence(cmd *cobra.Command, s Streams, args []string) error {
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	e, left, err := q.Evidence(cmd.Context())
	switch {
	case errors.Is(err, insight.ErrTooMuch):
		return usage("choose with --domain and --since", "%w", err)
	case err != nil:
		return storeError("this archive", err)
	}
	if len(e.Hosts) == 0 {
		return o.nothing(cmd, "mail with a domain in MAIL FROM that is ours")
	}
	doc := evidenceDocument{narrow.Schema, e.Days, []evidenceHost{}}
	for _, h := range e.Hosts {
		doc.Hosts = append(doc.Hosts, evidenceHost{h.IP.String(), h.Domain.String(), h.Count, h.Legitimate})
	}
	out, err := openOutput(s.Out, o.outputFile)
	if err != nil {
		return err
	}
	defer out.abandon()
	if o.format == "json" {
		err = printJSON(out, doc)
	} else {
		err = doc.csv(out)
	}
	if err != nil {
		return err
	}
	if left > 0 {
		fmt.Fprintf(s.Err, "mailcheck: note: %s messages are left out: sent on by others, not to be placed, or without a MAIL FROM of ours\n", counted(left))
	}
	return out.commit()
}

func (d *evidenceDocument) csv(out *output) error {
	if _, err := fmt.Fprintf(out, "# days: %d\n", d.Days); err != nil {
		return err
	}
	w := csv.NewWriter(out)
	rows := [][]string{{"ip", "domain", "count", "legitimate"}}
	for _, h := range d.Hosts {
		rows = append(rows, []string{h.IP, h.Domain, strconv.FormatUint(h.Count, 10), strconv.FormatBool(h.Legitimate)})
	}
	return w.WriteAll(rows)
}
