package ingest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/raw"
	"github.com/mailcheck-go/mailcheck/reports/source"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// parsedRecords is the number of records that a report may have to be parsed
// ahead of the writer; the records of others are read when they are added.
const parsedRecords = 2000

// document is a document, or the reason why there is none, on its way from a
// reader to the writer. Its fields belong to who has it: reader, worker, writer.
type document struct {
	path  string
	kind  archive.Kind
	mail  source.Mail
	proof archive.Proof
	line  *raw.Line // as it stands in a pack

	outcome archive.Outcome // if there is no document
	err     error           // why
	lost    bool            // err is about the source, not about what is in it
	fatal   error           // nothing can be written
	damaged bool            // the pack has it no more

	spool   *raw.Document
	readErr error // what ended the reading of the document
	parts   *source.Parts

	ready  chan struct{} // closed when the rest may be read
	known  bool
	report int64 // of a known one

	aggregate *aggregate.Report
	records   []*aggregate.Record
	tls       *tlsrpt.Report
	failure   *failure.Report
	parsed    bool // the records too
	refusal   error
}

// refuse makes the document an error of package source.
func (d *document) refuse(name string, err error) {
	d.path, d.err, d.outcome = name, err, archive.Rejected
	if e, ok := errors.AsType[*source.Error](err); ok {
		d.path = e.Path
	}
	if errors.Is(err, source.ErrSkipped) {
		d.outcome = archive.Skipped
	}
	d.lost = errors.Is(err, source.ErrRead)
}

// Reason is why an input gave no report: an error of package source without the
// path, which stands beside it. The text is foreign.
func Reason(err error) string {
	e, ok := errors.AsType[*source.Error](err)
	if !ok {
		return err.Error()
	}
	c := *e
	c.Path = ""
	return trimPath(c.Error())
}

// trimPath takes the empty path off the error of package source.
func trimPath(s string) string {
	if len(s) > 4 && s[:4] == `"": ` {
		return s[4:]
	}
	return s
}

// stoppable ends reading when the context ends.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(b []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.r.Read(b)
}

// spoolFrom reads the document.
func (d *document) spoolFrom(ctx context.Context, dir *raw.Dir, sd *source.Document) {
	var body io.Reader = stoppable{ctx, sd.Body}
	if sd.Kind == source.Failure {
		d.parts = sd.Failure
		body = bytes.NewReader(writeMail(sd.Failure))
	}
	spool, err := dir.Spool(d.kind, body)
	switch {
	case spool == nil:
		d.fatal = err
		return
	case errors.Is(err, source.ErrLimit):
		// Octets without end are no document, whatever they begin with.
		spool.Close()
		d.err, d.outcome = err, archive.Rejected
		return
	}
	d.spool, d.readErr = spool, err
}

func (d *document) close() {
	if d.spool != nil {
		d.spool.Close()
	}
	d.records = nil
}

// body reads the document as it was read before, up to the error that ended it.
func (d *document) body() io.Reader {
	if d.readErr != nil {
		return io.MultiReader(d.spool.Open(), failing{d.readErr})
	}
	return d.spool.Open()
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// prepare does what needs no archive: it parses and compresses. What it finds wrong
// is told by the writer.
func (d *document) prepare() {
	switch d.kind {
	case archive.Aggregate:
		d.parsed = !d.spool.Large()
		if !d.parsed {
			break
		}
		d.aggregate, d.refusal = aggregate.Read(d.body(), aggregate.Options{}, func(rec *aggregate.Record) error {
			if len(d.records) == parsedRecords {
				return errMany
			}
			d.records = append(d.records, rec.Clone())
			return nil
		})
		if errors.Is(d.refusal, errMany) {
			d.parsed, d.records, d.refusal = false, nil, nil
		}
	case archive.TLS:
		d.tls, d.refusal = tlsrpt.Read(d.body(), tlsrpt.Options{})
		d.parsed = true
	case archive.Failure:
		d.parsed = true
		if d.parts == nil {
			d.parts, d.refusal = readMail(d.body())
		}
		if d.refusal == nil {
			d.failure, d.refusal = failure.Parse(failure.Parts(*d.parts))
		}
	}
	if d.line == nil {
		// An error here comes back when the document is packed.
		_ = d.spool.Compress()
	}
}

var errMany = errors.New("ingest: many records")

// head reads the report up to its records, of which it may have very many, for the
// domain it is about.
func (d *document) head() (domain string) {
	stop := errors.New("ingest: head")
	rep, _ := aggregate.Read(d.body(), aggregate.Options{Head: func(r *aggregate.Report) error {
		if r.Policy.Domain != "" {
			return stop
		}
		return nil // policy_published stands somewhere behind the records
	}}, func(*aggregate.Record) error { return nil })
	return rep.Policy.Domain
}

// readMail gives the parts of a failure report that writeMail wrote.
func readMail(r io.Reader) (*source.Parts, error) {
	for d, err := range source.Read("", bufio.NewReader(r), source.Options{}) {
		switch {
		case err != nil:
			return nil, err
		case d.Kind != source.Failure:
			return nil, fmt.Errorf("a report of kind %s where a failure report was", d.Kind)
		}
		return d.Failure, nil
	}
	return nil, io.ErrUnexpectedEOF
}
