package render

import (
	"bufio"
	"encoding/json"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/internal/safe"
)

// jsonPrinter writes one document, a report at a time.
type jsonPrinter struct {
	out *bufio.Writer
	any bool
}

func newJSON(out *bufio.Writer, _ Options) printer { return &jsonPrinter{out: out} }

func (p *jsonPrinter) begin() error {
	p.out.WriteString(`{"schema":"` + Schema + `","reports":[`)
	return nil
}

func (p *jsonPrinter) report(r *audit.Report) error {
	doc, err := json.MarshalIndent(r, "", "  ")
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
