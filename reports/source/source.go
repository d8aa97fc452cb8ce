package source

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"
	"sync"
	"time"
)

// Kind is the kind of report that a document is, as far as its looks tell. Whether
// it really is one is for its reader to say.
type Kind string

// Kinds.
const (
	Aggregate Kind = "aggregate" // XML, for dmarc/aggregate
	Failure   Kind = "failure"   // for dmarc/failure
	TLS       Kind = "tls"       // JSON, for tlsrpt
)

// Document is one report, taken out of what it came in. It and its Body are valid
// until the next step of the loop.
type Document struct {
	Kind Kind
	// Path leads to the document: the name of the input, then the number of the
	// mail, the name of the attachment or of the archive's member, with slashes
	// between. It holds foreign text: escape before showing.
	Path string
	// Body is the XML or JSON. It is nil for a failure report.
	Body io.Reader
	// Failure holds the parts of a failure report.
	Failure *Parts
	// Mail describes the innermost mail around the document; nil if there is none.
	Mail *Mail
	// Notes tell what was wrong with the container and was overcome.
	Notes []string
}

// Parts are the parts of a failure report (RFC 5965, Section 2), decoded. Any of
// them may be missing.
type Parts struct {
	Text     []byte // the part for people
	Feedback []byte // message/feedback-report
	Original []byte // the reported mail, or its header alone
}

// Mail is what a mail's header says of it. All of it is foreign text, and none of
// it is proven.
type Mail struct {
	From, Subject, MessageID string
	Date                     time.Time // zero if there is none
	AuthenticationResults    []string
	// TLSDomain and TLSSubmitter are the fields of RFC 8460, Section 5.3.
	TLSDomain, TLSSubmitter string
}

// Options bound what one input may cost. Zero means the default.
type Options struct {
	Bytes   int64 // of one document, decompressed
	Ratio   int64 // octets that one octet may decompress to, after the first 16 MiB
	Depth   int   // containers in each other
	Members int   // of an archive, or parts of a mail
	Mail    int64 // octets of one mail, and of an archive that has to be in memory
}

// Default limits.
const (
	DefaultBytes   = 2 << 30 // the largest report known has about 720 MB
	DefaultRatio   = 400     // reports reach about 30; DEFLATE ends at 1,032
	DefaultDepth   = 8
	DefaultMembers = 100_000
	DefaultMail    = 64 << 20 // mail systems refuse more than 20 to 50 MB
)

const (
	slack    = 16 << 20 // octets before the ratio counts
	peekSize = 4 << 10  // octets that the kind of content is told from
)

// Reasons. Each error of this package matches one of them with errors.Is.
var (
	ErrNotReport   = errors.New("no report")            // readable, and something else
	ErrSkipped     = errors.New("skipped")              // beside the reports, and nothing that could be one
	ErrUnsupported = errors.New("format not supported") // known, and not read here
	ErrDamaged     = errors.New("damaged container")
	ErrLimit       = errors.New("limit exceeded")
	ErrRead        = errors.New("cannot be read")
)

// Error tells why a part of the input gave no document.
type Error struct {
	Path   string // as Document.Path: foreign text
	Reason error  // one of the reasons above
	Detail string // foreign text in it is quoted
	Err    error  // the cause, if another error is one
}

// Error does not show Path bare: it is quoted.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %v", quote(e.Path), e.Reason)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		cause := e.Err
		var pe *fs.PathError
		if errors.As(cause, &pe) {
			cause = pe.Err // its path is Path, bare
		}
		s += ": " + cause.Error()
	}
	return s
}

// Is matches the reason.
func (e *Error) Is(target error) bool { return target == e.Reason }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

const maxQuote = 200

// quote makes foreign text safe to show.
func quote(s string) string {
	if len(s) > maxQuote {
		s = s[:maxQuote] + "…"
	}
	return strconv.Quote(s)
}

// Read yields the documents in one input, and an *[Error] for each part that
// should be one and is not. If r is a file, a zip archive is read from it in
// place; otherwise it has to fit in memory.
//
// An input that gives neither is told as an error too, so that every input leaves
// a trace. Errors matching [ErrSkipped] need no attention when documents came from
// the same input.
func Read(name string, r io.Reader, opt Options) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		w := &walker{opt: opt.defaults(), yield: yield, top: r}
		br := buffers.Get().(*bufio.Reader)
		br.Reset(r)
		w.open(at{path: name}, br)
		br.Reset(nil)
		buffers.Put(br)
	}
}

func (o Options) defaults() Options {
	if o.Bytes <= 0 {
		o.Bytes = DefaultBytes
	}
	if o.Ratio <= 0 {
		o.Ratio = DefaultRatio
	}
	if o.Depth <= 0 {
		o.Depth = DefaultDepth
	}
	if o.Members <= 0 {
		o.Members = DefaultMembers
	}
	if o.Mail <= 0 {
		o.Mail = DefaultMail
	}
	return o
}

var buffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 16<<10) }}

// walker goes through one input.
type walker struct {
	opt     Options
	yield   func(*Document, error) bool
	top     io.Reader // the input itself, for random access; nil once it is not
	stopped bool      // the loop was left
	told    int       // documents, and errors but ErrSkipped
}

// at is a place in the input.
type at struct {
	path   string
	depth  int
	budget *budget // of the outermost compressed container
	mail   *Mail
	notes  []string
}

func (a at) in(name string) at {
	a.path += "/" + name
	a.depth++
	return a
}

func (a at) note(format string, args ...any) at {
	a.notes = append(a.notes[:len(a.notes):len(a.notes)], fmt.Sprintf(format, args...))
	return a
}

func (w *walker) document(a at, d Document) {
	if w.stopped {
		return
	}
	w.told++
	d.Path, d.Mail, d.Notes = a.path, a.mail, a.notes
	w.stopped = !w.yield(&d, nil)
}

func (w *walker) fail(a at, reason, err error, format string, args ...any) {
	if w.stopped {
		return
	}
	if reason != ErrSkipped {
		w.told++
	}
	w.stopped = !w.yield(nil, &Error{Path: a.path, Reason: reason, Detail: fmt.Sprintf(format, args...), Err: err})
}

// open looks at the content and takes it apart.
func (w *walker) open(a at, r *bufio.Reader) {
	if w.stopped {
		return
	}
	if a.depth > w.opt.Depth {
		w.fail(a, ErrLimit, nil, "more than %d containers in each other", w.opt.Depth)
		return
	}
	head, err := r.Peek(peekSize)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		w.readError(a, err)
		return
	}
	switch c := sniff(head); c {
	case isGzip:
		w.gzip(a, r)
	case isZlib:
		w.zlib(a, r)
	case isZip:
		w.zip(a, r)
	case isTar:
		w.tar(a, r)
	case isXML:
		w.document(a, Document{Kind: Aggregate, Body: w.limit(r)})
	case isJSON:
		w.document(a, Document{Kind: TLS, Body: w.limit(r)})
	case isMbox:
		w.mbox(a, r)
	case isMail:
		w.mail(a, r)
	case isBase64:
		w.base64(a, r)
	case isFeedback:
		w.feedback(a, r)
	case isEmpty:
		w.fail(a, ErrNotReport, nil, "empty")
	case isText:
		w.fail(a, ErrNotReport, nil, "text that is no report: %s", quote(firstLine(head)))
	case isBinary:
		w.fail(a, ErrNotReport, nil, "binary content of no known kind")
	default:
		w.fail(a, ErrUnsupported, nil, "%s", c)
	}
}

// readError sorts the error of a reader into the reasons.
func (w *walker) readError(a at, err error) {
	switch {
	case errors.Is(err, ErrLimit):
		w.fail(a, ErrLimit, nil, "%s", limitDetail(err))
	case errors.Is(err, zip.ErrAlgorithm):
		w.fail(a, ErrUnsupported, nil, "compression method of a zip member")
	case damaged(err):
		w.fail(a, ErrDamaged, err, "")
	default:
		w.fail(a, ErrRead, err, "")
	}
}

// all reads what has to be in memory.
func (w *walker) all(a at, r io.Reader) ([]byte, bool) {
	b, err := io.ReadAll(io.LimitReader(r, w.opt.Mail+1))
	switch {
	case int64(len(b)) > w.opt.Mail:
		w.fail(a, ErrLimit, nil, "more than %d octets", w.opt.Mail)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		w.readError(a, err)
	default:
		return b, true
	}
	return nil, false
}
