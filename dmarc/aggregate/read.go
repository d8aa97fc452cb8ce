package aggregate

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// Limits bound what one report may cost. Zero means the default.
type Limits struct {
	Bytes   int64 // octets of the document
	Records int64
	Depth   int // open elements
	Text    int // octets of one value; longer ones are cut. At most 64 KiB
}

// Default limits. The largest report known from the field has 900,000 records,
// about 720 MB.
const (
	DefaultBytes   = 2 << 30
	DefaultRecords = 10_000_000
	DefaultDepth   = 64
	DefaultText    = 8 << 10
)

const (
	maxText    = 64 << 10
	maxTag     = 8 << 10  // octets of one tag; more is no tag
	maxRun     = 16 << 20 // octets without a tag; no report is made so
	maxJunk    = 100_000  // times a "<" may be no tag; a document with more is none of ours
	maxResults = 1000     // signatures, SPF results or reasons of one record; RFC 9990, Section 3.1.3 says 100
	maxErrors  = 16       // error elements, and further policies
)

// Options tune [Read]. The zero value is fine.
type Options struct {
	Limits Limits
	// Head is called once, before the first record, with what is known of the
	// report by then: all but the sums, if the elements are in order. An error
	// ends the reading.
	Head func(*Report) error
}

// Read reads one report and calls each with one record after the other. The
// record is valid until each returns; [Record.Clone] keeps one. An error of each
// or of opt.Head ends the reading and is returned as it is; all others are
// *[Error].
//
// The report is never nil. With an error it holds what was known when the reading
// ended, Records among it, so that a caller can tell how many records to undo.
// Read uses memory for one record and a window of the document.
func Read(r io.Reader, opt Options, each func(*Record) error) (*Report, error) {
	p := parsers.Get().(*parser)
	defer p.release()
	p.start(r, opt, each)
	return p.report, p.run()
}

// ReadAll is [Read] for a report whose records fit in memory.
func ReadAll(r io.Reader, opt Options) (*Report, []*Record, error) {
	var records []*Record
	rep, err := Read(r, opt, func(rec *Record) error {
		records = append(records, rec.Clone())
		return nil
	})
	return rep, records, err
}

// frame is one open element.
type frame struct {
	state state
	elem  elem
	name  string // of an unknown element
}

type parser struct {
	w      window
	limits Limits
	head   func(*Report) error
	each   func(*Record) error

	report   *Report
	rec      Record
	policy   *Published // that is being read
	stack    []frame    // the first stands for the document itself
	seen     uint64     // fields given in the open elements
	prefix   string     // namespace prefix of the root, with its colon
	scratch  []byte
	cleaned  []byte
	words    *[1024]string // see intern
	junk     int           // times a "<" was no tag
	lang     string        // of the value being read
	run0     int64         // where the text without a tag began
	inRecord bool
	rooted   bool // the root was seen
	closed   bool // and ended
	headDone bool
	decoded  bool  // the document came in another character set
	only9990 bool  // an element was seen that only RFC 9990 has
	err      error // of a callback
}

var parsers = sync.Pool{New: func() any {
	return &parser{w: window{buf: make([]byte, windowSize)}, words: new([1024]string)}
}}

func (p *parser) start(r io.Reader, opt Options, each func(*Record) error) {
	l := opt.Limits
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Records <= 0 {
		l.Records = DefaultRecords
	}
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	if l.Text <= 0 {
		l.Text = DefaultText
	}
	l.Text = min(l.Text, maxText)
	p.w.r, p.w.max = r, l.Bytes
	p.limits, p.head, p.each = l, opt.Head, each
	p.report = &Report{Complete: true}
	p.policy = &p.report.Policy
	p.stack = append(p.stack[:0], frame{})
}

// release makes the parser ready for another report. The words stay: they are
// bounded, and reports of one mailbox share them.
func (p *parser) release() {
	p.rec.reset()
	*p = parser{w: window{buf: p.w.buf}, rec: p.rec, stack: p.stack, scratch: p.scratch, cleaned: p.cleaned, words: p.words}
	parsers.Put(p)
}

func (p *parser) run() error {
	p.decode()
	for p.err == nil {
		w := &p.w
		i := bytes.IndexByte(w.rest(), '<')
		if i < 0 {
			p.between(w.rest())
			w.pos = w.end
			if !w.more() {
				break
			}
			if w.offset()-p.run0 > maxRun {
				return p.fail(ErrLimit, "%d octets without a tag", maxRun)
			}
			continue
		}
		if i > 0 {
			p.between(w.buf[w.pos : w.pos+i])
			w.pos += i
		}
		if err := p.tag(); err != nil {
			return err
		}
		p.run0 = w.offset()
	}
	if p.err != nil {
		return p.err
	}
	return p.finish()
}

// finish judges what is open at the end of the document.
func (p *parser) finish() error {
	cut := p.w.err == nil || errors.Is(p.w.err, io.ErrUnexpectedEOF)
	switch {
	case errors.Is(p.w.err, errTooLong):
		return p.fail(ErrLimit, "more than %d octets", p.limits.Bytes)
	case !cut && !p.closed:
		return &Error{Reason: ErrRead, Offset: p.w.offset(), Err: p.w.err}
	case !p.rooted && p.w.err != nil:
		return &Error{Reason: ErrRead, Offset: p.w.offset(), Err: p.w.err}
	case !p.rooted:
		return p.fail(ErrNotReport, "%s", p.describe())
	}
	if p.w.err != nil && p.closed {
		p.note(ReadError, "", []byte(p.w.err.Error()))
	}
	if !p.closed {
		m := &p.report.Metadata
		if m.ReportID == "" && m.Reporter() == "" || p.report.Policy.Domain == "" {
			return &Error{Reason: ErrTruncated, Offset: p.w.offset(), Err: p.w.err}
		}
		if p.inRecord {
			p.note(RecordCut, "record", nil)
			p.inRecord = false
		}
		p.note(Truncated, "", nil)
	}
	p.callHead()
	if p.err != nil {
		return p.err
	}
	p.setFormat()
	p.judge()
	return nil
}

// judge notes what concerns the report as a whole.
func (p *parser) judge() {
	rep := p.report
	if rep.Records == 0 {
		p.note(NoRecords, "", nil)
	}
	if m := rep.Metadata; !m.Begin.IsZero() && !m.End.IsZero() {
		switch span := m.End.Sub(m.Begin); {
		case span <= 0:
			p.note(EmptySpan, "report_metadata/date_range", nil)
		case span > maxSpan:
			p.note(LongSpan, "report_metadata/date_range", []byte(span.String()))
		}
	}
}

// describe says what a document that is no report begins with.
func (p *parser) describe() string {
	for i := range p.report.Diagnostics {
		if d := &p.report.Diagnostics[i]; d.Code == UnknownElement {
			return "no feedback element; the document begins with element " + quoteText(d.Text)
		}
	}
	if p.w.offset() == 0 {
		return "empty document"
	}
	return "no feedback element"
}
