package render

import (
	"bufio"
	"encoding/json"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// jsonPrinter writes one document, a report at a time.
type jsonPrinter struct {
	out    *bufio.Writer
	schema string
	any    bool
}

func newJSON(out *bufio.Writer, opt Options) printer {
	return &jsonPrinter{out: out, schema: schemaOf(opt)}
}

func schemaOf(opt Options) string {
	if opt.Mails {
		return MailSchema
	}
	return Schema
}

// mailReport is a report of a mail: what the mail is comes first, and what only
// domains have is left out.
type mailReport struct {
	*mail.Summary
	Domain     resolve.Name          `json:"domain"` // of the author, empty if there is not exactly one
	Resolver   string                `json:"resolver"`
	Started    time.Time             `json:"started"`
	DurationMS int64                 `json:"duration_ms"`
	Queries    int                   `json:"queries"`
	Rules      []audit.RuleResult    `json:"rules"`
	Findings   []audit.Finding       `json:"findings"`
	Profiles   []audit.ProfileResult `json:"profiles"`
}

// document is what JSON shows of a report.
func document(r *audit.Report) any {
	if r.Mail == nil {
		return r
	}
	return &mailReport{r.Mail, r.Domain, r.Resolver, r.Started, r.DurationMS, r.Queries, r.Rules, r.Findings, r.Profiles}
}

func (p *jsonPrinter) begin() error {
	p.out.WriteString(`{"schema":"` + p.schema + `","reports":[`)
	return nil
}

func (p *jsonPrinter) report(r *audit.Report) error {
	doc, err := json.MarshalIndent(document(r), "", "  ")
	if err != nil {
		return err
	}
	if p.any {
		p.out.WriteByte(',')
	}
	p.any = true
	p.out.WriteByte('\n')
	p.out.Write(safe.JSON(doc))
	return nil
}

func (p *jsonPrinter) end() error {
	if p.any {
		p.out.WriteByte('\n')
	}
	p.out.WriteString("]}\n")
	return nil
}

// jsonlPrinter writes a report a line.
type jsonlPrinter struct{ out *bufio.Writer }

func newJSONL(out *bufio.Writer, _ Options) printer { return &jsonlPrinter{out: out} }

func (p *jsonlPrinter) begin() error { return nil }

func (p *jsonlPrinter) report(r *audit.Report) error {
	if m, ok := document(r).(*mailReport); ok {
		return writeJSON(p.out, struct {
			Schema string `json:"schema"`
			*mailReport
		}{MailSchema, m}, "\n")
	}
	return writeJSON(p.out, struct {
		Schema string `json:"schema"`
		*audit.Report
	}{Schema, r}, "\n")
}

func (p *jsonlPrinter) end() error { return nil }

// writeJSON writes a value on one line, and what follows it.
func writeJSON(out *bufio.Writer, v any, after string) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return err
	}
	out.Write(safe.JSON(doc))
	out.WriteString(after)
	return nil
}
