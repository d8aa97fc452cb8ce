package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/ingest"
	"github.com/mailcheck-go/mailcheck/reports/source"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

type reportsParseOptions struct {
	format string
}

func newReportsParse(s Streams) *cobra.Command {
	o := &reportsParseOptions{}
	cmd := &cobra.Command{
		Use:   "parse FILE...",
		Short: "Read reports and print them in one form, without an archive",
		Long: `Read DMARC aggregate, DMARC failure and SMTP TLS reports and print what they say in
one form. A FILE is what 'reports import' reads: a report in whatever it came in, a
mail, an mbox, a directory, a pattern, or - for standard input.

-o json prints one object a report, each on a line of its own, so that one report
is one document and many are JSON lines; -o jsonl is the same. An input that is no
report is an object of the kind "rejected" and a line on standard error, and the
others are read all the same. -o csv has one line a record. Records are printed as
they are read: the memory needed does not depend on their number.

Exit status: 0 all was read, 1 something was rejected, 2 an input could not be read
to its end, 3 wrong usage or a file that is not there.`,
		Example: `  mailcheck reports parse google.com!example.org!1700006400!1700092799.zip
  mailcheck reports parse ~/Maildir -o jsonl | jq -r 'select(.kind == "aggregate") | .reporter'
  mailcheck reports parse *.xml.gz -o csv > records.csv`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	cmd.Flags().StringVarP(&o.format, "output", "o", "text", "output `format`: text, json, jsonl or csv")
	return cmd
}

// reportPrinter prints reports in one format. Its methods return errors of the
// output alone, which end the run.
type reportPrinter interface {
	// aggregate prints a report while it is read. The second error is the report's.
	aggregate(d *source.Document) (output, refused error)
	tls(d *source.Document, r *tlsrpt.Report) error
	failure(d *source.Document, r *failure.Report) error
	rejected(path, reason string) error
	end() error
}

func (o *reportsParseOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := oneOf(cmd, "output", o.format, "text", "json", "jsonl", "csv"); err != nil {
		return err
	}
	if len(args) == 0 {
		return usage("mailcheck reports parse report.xml.gz, or - for standard input", "no file given")
	}
	out := bufio.NewWriterSize(s.Out, 64<<10)
	p := &parsing{s: s}
	switch o.format {
	case "csv":
		p.to = newCSVReports(out)
	case "text":
		p.to = &textReports{s: s, w: out}
	default:
		p.to = &jsonReports{w: out}
	}
	ctx := cmd.Context()
	err := p.all(ctx, args)
	if err == nil {
		err = p.to.end()
	}
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	switch {
	case ctx.Err() != nil:
		return &Error{Code: ExitInterrupted, Err: errors.New("interrupted")}
	case err != nil:
		return err
	case len(p.missing) > 0:
		return noFile(p.missing)
	case p.refused:
		return exit(ExitFindings)
	case p.lost:
		return exit(ExitIncomplete)
	}
	return nil
}

// parsing is a run of parse.
type parsing struct {
	s             Streams
	to            reportPrinter
	missing       []string
	refused, lost bool
}

func (p *parsing) all(ctx context.Context, args []string) error {
	for _, a := range args {
		if a == "-" {
			if err := p.read(ctx, "standard input", stdinReader(ctx, p.s.In)); err != nil {
				return err
			}
			continue
		}
		paths, ok := expand(a)
		if !ok {
			p.missing = append(p.missing, a)
			continue
		}
		for in, err := range ingest.Paths(paths...) {
			if err == nil {
				var rc io.ReadCloser
				if rc, err = in.Open(); err == nil {
					err := p.read(ctx, in.Name, rc)
					rc.Close()
					if err != nil {
						return err
					}
					continue
				}
			}
			p.lost = true
			if err := p.reject(in.Name, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// read prints the reports of one input.
func (p *parsing) read(ctx context.Context, name string, r io.Reader) error {
	for d, err := range source.Read(name, r, source.Options{}) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			if errors.Is(err, source.ErrSkipped) {
				continue // beside the reports
			}
			path := name
			if e, ok := errors.AsType[*source.Error](err); ok {
				path = e.Path
			}
			if errors.Is(err, source.ErrRead) {
				p.lost = true
			} else {
				p.refused = true
			}
			if err := p.reject(path, err); err != nil {
				return err
			}
			continue
		}
		output, refused := p.document(d)
		if refused != nil {
			p.refused = true
			output = errors.Join(output, p.reject(d.Path, refused))
		}
		if output != nil {
			return output
		}
	}
	return nil
}

func (p *parsing) document(d *source.Document) (output, refused error) {
	switch d.Kind {
	case source.TLS:
		r, err := tlsrpt.Read(d.Body, tlsrpt.Options{})
		if err != nil {
			return nil, err
		}
		return p.to.tls(d, r), nil
	case source.Failure:
		r, err := failure.Parse(failure.Parts(*d.Failure))
		if err != nil {
			return nil, err
		}
		return p.to.failure(d, r), nil
	}
	return p.to.aggregate(d)
}

// reject tells of an input that is no report, in the output and beside it.
func (p *parsing) reject(path string, err error) error {
	reason := ingest.Reason(err)
	fmt.Fprintf(p.s.Err, "mailcheck: rejected: %s: %s\n", safe.Limit(path, 300), safe.Limit(reason, 300))
	var printed *printedError
	if errors.As(err, &printed) {
		return nil // the output has it
	}
	return p.to.rejected(path, reason)
}

// printedError is that of a report of which a part is printed already.
type printedError struct{ error }

func (e *printedError) Unwrap() error { return e.error }

// readAggregate reads an aggregate report for a printer: head is called once,
// before the first record or at the end.
func readAggregate(d *source.Document, head func(*aggregate.Report) error, each func(*aggregate.Record) error) (rep *aggregate.Report, output, refused error) {
	var failed error // the output's
	told := false
	rep, err := aggregate.Read(d.Body, aggregate.Options{Head: func(r *aggregate.Report) error {
		told = true
		failed = head(r)
		return failed
	}}, func(rec *aggregate.Record) error {
		failed = each(rec)
		return failed
	})
	switch {
	case failed != nil:
		return rep, failed, nil
	case err != nil:
		return rep, nil, err
	case !told:
		failed = head(rep)
	}
	return rep, failed, nil
}
