package render

import (
	"bufio"
	"encoding/csv"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/internal/safe"
)

// csvHeader names the columns. New ones are added at the end.
var csvHeader = []string{"domain", "kind", "outcome", "severity", "rule", "slug", "name", "type", "term",
	"message", "reference", "remedy", "publish", "fingerprint", "suppressed"}

// csvPrinter writes a row for each finding and for each rule that could not be
// checked. Cells that a spreadsheet would compute begin with an apostrophe.
type csvPrinter struct {
	w     *csv.Writer
	mails bool // with a column for the file
}

func newCSV(out *bufio.Writer, opt Options) printer {
	return &csvPrinter{w: csv.NewWriter(out), mails: opt.Mails}
}

func (p *csvPrinter) begin() error {
	if p.mails {
		return p.rows(append(slices.Clone(csvHeader), "file"))
	}
	return p.rows(csvHeader)
}

func (p *csvPrinter) report(r *audit.Report) error {
	var rows [][]string
	for i := range r.Findings {
		f := &r.Findings[i]
		row := []string{r.Domain.String(), string(r.Kind), string(audit.Fail), f.Severity.String(), string(f.Rule), f.Slug,
			f.Subject.Name.String(), "", f.Subject.Term, message(f), "", "", "", f.Fingerprint, ""}
		if f.Subject.Type != 0 {
			row[7] = f.Subject.Type.String()
		}
		if len(f.Refs) > 0 {
			row[10] = f.Refs[0].String()
		}
		if f.Fix != nil {
			row[11], row[12] = f.Fix.Text, strings.Join(zone(f.Fix.Changes), " || ")
		}
		if f.Suppressed != nil {
			row[14] = f.Suppressed.Reason
		}
		rows = append(rows, row)
	}
	for i := range r.Rules {
		x := &r.Rules[i]
		if x.Outcome == audit.Unknown {
			rows = append(rows, []string{r.Domain.String(), string(r.Kind), string(x.Outcome), x.Severity.String(), string(x.ID), x.Slug,
				"", "", "", x.Reason, "", "", "", "", ""})
		}
	}
	if p.mails {
		for i := range rows {
			rows[i] = append(rows[i], title(r))
		}
	}
	return p.rows(rows...)
}

func (p *csvPrinter) end() error { return nil }

func (p *csvPrinter) rows(rows ...[]string) error {
	for _, row := range rows {
		guarded := make([]string, len(row))
		for i, cell := range row {
			guarded[i] = safe.CSV(cell)
		}
		if err := p.w.Write(guarded); err != nil {
			return err
		}
	}
	p.w.Flush()
	return p.w.Error()
}
