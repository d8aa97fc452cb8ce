package ingest

import (
	"context"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/raw"
	"github.com/mailcheck-go/mailcheck/reports/source"
)

// Input is one file, mail or stream.
type Input struct {
	// Name begins the paths in the ledger. It may be foreign text.
	Name string
	// Open is called at most once.
	Open func() (io.ReadCloser, error)
	// Cursor and At, if Cursor is not empty, are remembered with the reports: a
	// place in a mailbox, or the state of a file. An input that the archive
	// remembers with the same At has not changed since it was read: its lines are
	// in the ledger already.
	Cursor string
	At     archive.Cursor
	// Done, if set, is called when all that is in the input has been committed.
	// Taken tells whether reports were in it and none of them was refused. It is
	// called from another goroutine than the one that gives the inputs.
	Done func(taken bool)
	// Flush has all that came before committed now: the step of the sequence that
	// gives it returns after their Done. It is for a source that is about to wait.
	// Open may be nil then.
	Flush bool
}

// Options tune a run. Store is required.
type Options struct {
	Store archive.Store
	Raw   *raw.Dir         // nil: raw reports are not kept
	Now   func() time.Time // nil: time.Now
	// Ours are the domains whose reports are expected, with their subdomains. If
	// there is none, no report is alien.
	Ours []string
	// Prove tells whether a mail is from whom it says. It is asked about outermost
	// mails only: what a mail inside of one says is the sender's word. Nil: no
	// mail is proven. See TrustedResults.
	Prove  func(source.Mail) archive.Proof
	Source source.Options
	// Workers is the number of inputs read at a time; 0: one a processor.
	Workers int
	// A batch is committed after so many documents or lines, so many octets of
	// compressed reports, or so long after its first line; 0: the default.
	BatchLines  int
	BatchOctets int64
	BatchTime   time.Duration
	// Note, if set, is told of each line as it is decided, before it is committed.
	Note func(archive.Input)
	// Progress, if set, is called now and then with what was done so far. The
	// result belongs to the run.
	Progress func(*Result)
}

// Default limits of a batch. A larger one costs more when it is lost, a smaller
// one more time: each waits for the disk twice.
const (
	DefaultBatchLines  = 2000
	DefaultBatchOctets = 32 << 20
	DefaultBatchTime   = 10 * time.Second

	maxWorkers = 8 // each may hold a mail of source.DefaultMail octets

	// MaxRefusals bounds Result.Rejected; Result.Refused counts all.
	MaxRefusals = 10_000

	maxRefusedDocument  = 8 << 20 // refused documents that are larger are not kept
	maxRefusedDocuments = 10_000  // nor are further ones
	maxReason           = 500     // octets
	maxPath             = 1 << 10
)

// Result tells what happened.
type Result struct {
	Sources     int   `json:"sources"` // for the caller to say
	Files       int64 `json:"files"`   // inputs: files, mails, streams
	New         int64 `json:"reports_new"`
	Duplicate   int64 `json:"reports_duplicate"`
	Conflicting int64 `json:"reports_conflicting"`
	// Rejected inputs and parts of inputs; Refused is their number, and Repeated
	// those that have not changed since they were refused before.
	Rejected []Refusal `json:"rejected"`
	Refused  int64     `json:"rejected_count"`
	Repeated int64     `json:"rejected_before"`
	Skipped  int64     `json:"skipped"` // what stands beside reports and is none
	// Rows and Messages are those of the aggregate reports that were added.
	Rows     int64 `json:"rows"`
	Messages int64 `json:"messages"`
	Alien    int64 `json:"reports_alien"`  // added, and about domains that are not ours
	Forged   int64 `json:"reports_forged"` // added, and in a mail that is not from whom it says
	Replayed int64 `json:"replayed"`       // packs that a run had left behind
	// Diagnostics sum up what was wrong with the reports that were added.
	Diagnostics []Diagnosis `json:"diagnostics"`
	// Unavailable are inputs that could not be read to their end.
	Unavailable []Refusal `json:"unavailable"`
}

// Refusal is an input that gave no report. Both texts are foreign.
type Refusal struct {
	Source string `json:"source"`
	Reason string `json:"reason"`
}

// Diagnosis counts one thing that was wrong with reports.
type Diagnosis struct {
	Kind     archive.Kind `json:"kind"`
	Code     string       `json:"code"`
	Severity string       `json:"severity"`
	Reports  int64        `json:"reports"`
	Count    int64        `json:"count"`
}

// Run takes inputs into the archive. The result is never nil: with an error, which
// is the archive's or that of the context, it tells what was committed before.
// Errors that come from inputs are noted in Result.Unavailable.
func Run(ctx context.Context, inputs iter.Seq2[Input, error], opt Options) (*Result, error) {
	r := newRun(opt)
	packs, err := r.missing(ctx)
	if err != nil {
		return r.result, err
	}
	err = r.pipeline(ctx, func(emit func(*unit) bool) {
		for _, name := range packs {
			if !emit(&unit{pack: name}) {
				return
			}
		}
		for in, err := range inputs {
			if !emit(&unit{in: in, err: err}) {
				return
			}
		}
	})
	return r.result, err
}

// Rebuild fills an archive from the packs of opt.Raw that are not in it: all of
// them, if it is empty. Reports that were refused are tried again.
func Rebuild(ctx context.Context, opt Options) (*Result, error) {
	none := func(func(Input, error) bool) {}
	return Run(ctx, none, opt)
}

// missing lists the packs that the archive does not know: all of a new archive, or
// one of a run that was stopped between writing the pack and the commit.
func (r *run) missing(ctx context.Context) ([]string, error) {
	if r.opt.Raw == nil {
		return nil, nil
	}
	// The batch is the lock: while it is held nobody else writes packs, and what
	// has no name yet was left behind.
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	defer r.rollback()
	if err := r.opt.Raw.Clean(); err != nil {
		return nil, err
	}
	packs, err := r.opt.Raw.Packs()
	if err != nil || len(packs) == 0 {
		return nil, err
	}
	known, err := r.opt.Store.Packs(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(known)
	return slices.DeleteFunc(packs, func(name string) bool {
		_, found := slices.BinarySearch(known, name)
		return found
	}), nil
}

// run is the state of a Run. Only pipeline's own goroutine touches it, but for
// the fields above the line.
type run struct {
	opt    Options
	ours   []string
	hashed chan *document // documents whose sum is known, to be looked up
	jobs   chan *document // documents to be parsed

	// ----
	result   *Result
	batch    archive.Batch
	pack     *raw.Writer
	lines    int
	cursors  map[string]archive.Cursor
	finished []*unit // whose Done waits for the commit
	replay   string  // the pack that is being taken in again
	diagnose map[Diagnosis]*Diagnosis
	deadline *time.Timer
}

func newRun(opt Options) *run {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Prove == nil {
		opt.Prove = func(source.Mail) archive.Proof { return archive.Unproven }
	}
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	opt.Workers = min(opt.Workers, maxWorkers)
	if opt.BatchLines <= 0 {
		opt.BatchLines = DefaultBatchLines
	}
	if opt.BatchOctets <= 0 {
		opt.BatchOctets = DefaultBatchOctets
	}
	if opt.BatchTime <= 0 {
		opt.BatchTime = DefaultBatchTime
	}
	r := &run{
		opt: opt, cursors: map[string]archive.Cursor{}, diagnose: map[Diagnosis]*Diagnosis{},
		hashed: make(chan *document), jobs: make(chan *document),
		result: &Result{Rejected: []Refusal{}, Diagnostics: []Diagnosis{}, Unavailable: []Refusal{}},
	}
	for _, d := range opt.Ours {
		r.ours = append(r.ours, strings.ToLower(strings.TrimSuffix(strings.TrimSpace(d), ".")))
	}
	return r
}

// short cuts foreign text for the ledger.
func short(s string, n int) string {
	if len(s) > n {
		s = s[:n] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
