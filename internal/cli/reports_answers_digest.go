package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/insight"
	"github.com/mailcheck-go/mailcheck/reports/insight/digest"
)

func newReportsDigest(s Streams) *cobra.Command {
	o := &answerOptions{}
	var period string
	cmd := &cobra.Command{
		Use:   "digest",
		Short: "One page for somebody who reads one page: is it all right, what changed",
		Long: `Write one page about the last whole week or month, or about the days of --since and
--until: is it all right, what changed, what is to be done. The HTML is one file with
its charts in it; it runs no script and loads nothing.

Exit status: 0 written, 2 there are no reports to write of, 3 wrong usage, 4 the
archive failed.`,
		Example: `  mailcheck reports digest --domain example.org
  mailcheck reports digest --period month -o html --output-file october.html`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.digest(cmd, s, args, digest.Period(period)) },
	}
	o.add(cmd, "text", "html", "json")
	cmd.Flags().StringVar(&period, "period", string(digest.Week), "`span` of the page: week or month")
	return cmd
}

func (o *answerOptions) digest(cmd *cobra.Command, s Streams, args []string, period digest.Period) error {
	if err := oneOf(cmd, "period", string(period), "week", "month"); err != nil {
		return err
	}
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	late, err := o.digestDays(cmd, &q, period)
	if err != nil {
		return err
	}
	d, err := digest.Make(cmd.Context(), q, period)
	if err != nil {
		return storeError("this archive", err)
	}
	if late != "" {
		d.Notes = append(d.Notes, late)
	}
	var empty error
	if d.Total.Messages == 0 && d.Total.Reports == 0 && d.TLS == nil {
		if empty = o.nothing(cmd, "report"); o.format != "json" {
			return empty
		}
	}
	out, err := openOutput(s.Out, o.outputFile)
	if err != nil {
		return err
	}
	defer out.abandon()
	switch o.format {
	case "json":
		noNull(&d.Days, &d.Trend)
		noNull(&d.Readiness)
		for i := range d.Readiness {
			noNull(&d.Readiness[i].Reasons)
		}
		for i := range d.Sources {
			noNull(&d.Sources[i].Classes)
		}
		err = printJSON(out, digestView{"mailcheck.reports-digest/1", d})
	case "html":
		err = d.HTML(out)
	default:
		err = d.Text(out)
	}
	if err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	return empty
}

// digestDays chooses the days of the page: those asked for, the last whole period,
// or, if there is nothing in it, that of the last report.
func (o *answerOptions) digestDays(cmd *cobra.Command, q *insight.Query, period digest.Period) (string, error) {
	if !q.Since.IsZero() && !q.Until.IsZero() {
		return "", nil
	}
	at := o.now
	if !q.Until.IsZero() {
		at = q.Until
	}
	since, until := digest.Span(period, at)
	if !q.Since.IsZero() {
		q.Until = archive.DayOf(o.now).Time().AddDate(0, 0, 1)
		return "", nil
	}
	f := archive.Filter{Domains: q.Domains, NoForged: !q.Everything, NoAlien: !q.Everything, Since: since, Until: until}
	inside, err := q.Archive.Totals(cmd.Context(), f, archive.ByNothing)
	if err != nil {
		return "", storeError("this archive", err)
	}
	q.Since, q.Until = since, until
	if len(inside) > 0 {
		return "", nil
	}
	f.Since, f.Until = time.Time{}, until
	all, err := q.Archive.Totals(cmd.Context(), f, archive.ByNothing)
	if err != nil {
		return "", storeError("this archive", err)
	}
	for _, t := range all {
		if !t.Last.IsZero() && t.Last.Before(since) {
			q.Since, q.Until = digest.Span(period, t.Last.AddDate(0, 1, 0))
			for q.Since.After(t.Last) {
				q.Since, q.Until = digest.Span(period, q.Since)
			}
			return fmt.Sprintf("No report is newer than %s: this page is about the last %s that there is one of.", t.Last.Format(time.DateOnly), period), nil
		}
	}
	return "", nil
}
