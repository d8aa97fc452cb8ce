package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/raw"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// begin starts a batch, unless there is one.
func (r *run) begin(ctx context.Context) error {
	if r.batch != nil {
		return nil
	}
	b, err := r.opt.Store.Begin(ctx)
	if err != nil {
		return err
	}
	r.batch = b
	if r.opt.Raw != nil {
		r.pack = r.opt.Raw.Begin(r.opt.Now())
	}
	if r.deadline != nil {
		r.deadline.Reset(r.opt.BatchTime)
	}
	return nil
}

// rollback gives up what is not committed.
func (r *run) rollback() {
	if r.pack != nil {
		r.pack.Abort()
	}
	if r.batch != nil {
		r.batch.Rollback()
	}
	r.batch, r.pack, r.lines, r.replay = nil, nil, 0, ""
	clear(r.cursors)
}

// commit makes what was taken durable: the pack first, then the archive, so that
// nothing the archive has is missing among the raw reports. Then mails may be
// touched.
func (r *run) commit(ctx context.Context) error {
	// A pack that has its name and is not in the archive is taken in again: once it
	// is begun, this is brought to its end.
	err := r.seal(context.WithoutCancel(ctx))
	r.rollback()
	if err != nil {
		return err
	}
	for _, u := range r.finished {
		if u.in.Done != nil {
			u.in.Done(u.taken && !u.refused)
		}
	}
	r.finished = nil
	r.report()
	return nil
}

// seal writes the pack and commits the batch, if there is something in it.
func (r *run) seal(ctx context.Context) error {
	if r.batch == nil || r.lines == 0 && len(r.cursors) == 0 && r.replay == "" {
		return nil
	}
	name := r.replay
	if r.pack != nil && name == "" {
		for box, c := range r.cursors {
			if err := r.pack.Line(raw.Line{Input: archive.Input{At: r.opt.Now().UTC()}, Place: &raw.Place{Source: box, Cursor: c}}); err != nil {
				return err
			}
		}
		var err error
		if name, err = r.pack.Commit(); err != nil {
			return err
		}
	}
	if name != "" {
		if err := r.batch.Pack(ctx, name); err != nil {
			return err
		}
	}
	for box, c := range r.cursors {
		if err := r.batch.SetCursor(ctx, box, c); err != nil {
			return err
		}
	}
	return r.batch.Commit()
}

// report tells of the progress.
func (r *run) report() {
	if r.opt.Progress != nil {
		r.opt.Progress(r.result)
	}
}

// start begins with a unit.
func (r *run) start(ctx context.Context, u *unit) error {
	switch {
	case u.err != nil:
		r.unavailable(u.in.Name, u.err)
	case u.pack != "":
		// A pack is one batch again: it is in the archive as a whole or not at all.
		if err := r.commit(ctx); err != nil {
			return err
		}
		if err := r.begin(ctx); err != nil {
			return err
		}
		r.replay = u.pack
		r.result.Replayed++
	case u.in.Open != nil:
		r.result.Files++
		if u.in.Cursor != "" {
			c, err := r.opt.Store.Cursor(ctx, u.in.Cursor)
			if err != nil {
				return err
			}
			u.unchanged = c == u.in.At && c != archive.Cursor{}
		}
	}
	return nil
}

// finish ends a unit.
func (r *run) finish(ctx context.Context, u *unit) error {
	if u.in.Cursor != "" && !u.unchanged && !u.lost && u.err == nil && u.in.Open != nil {
		if err := r.begin(ctx); err != nil {
			return err
		}
		r.cursors[u.in.Cursor] = u.in.At
	}
	if u.unread {
		r.replay = "" // it is not in the archive
	}
	if u.err == nil {
		r.finished = append(r.finished, u)
	}
	if r.full() || u.pack != "" || u.in.Flush {
		if err := r.commit(ctx); err != nil {
			return err
		}
	}
	close(u.done)
	return nil
}

// full tells whether it is time for a commit. One input may be several batches;
// but what is remembered of an input goes with the last of it.
func (r *run) full() bool {
	return r.lines >= r.opt.BatchLines || len(r.cursors) >= r.opt.BatchLines || len(r.finished) >= r.opt.BatchLines ||
		r.pack != nil && r.pack.Octets() >= r.opt.BatchOctets
}

func (r *run) unavailable(name string, err error) {
	if len(r.result.Unavailable) < MaxRefusals {
		r.result.Unavailable = append(r.result.Unavailable, Refusal{short(name, maxPath), short(Reason(err), maxReason)})
	}
}

// take takes one document in.
func (r *run) take(ctx context.Context, u *unit, d *document) error {
	if d.fatal != nil {
		return d.fatal
	}
	if d.lost && d.line == nil && u.pack != "" {
		r.unavailable(d.path, d.err)
		return nil
	}
	if r.full() && r.replay == "" {
		if err := r.commit(ctx); err != nil {
			return err
		}
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	if d.line != nil && d.line.Place != nil {
		r.cursors[d.line.Place.Source] = d.line.Place.Cursor
		return nil
	}
	line := d.ledger(r.opt.Now)
	switch {
	case d.err != nil:
		line.Outcome, line.Reason = d.outcome, short(Reason(d.err), maxReason)
		if d.lost {
			u.lost = true
			r.unavailable(d.path, d.err)
		}
	case d.spool == nil:
		if err := r.again(ctx, d, &line); err != nil {
			return err
		}
	default:
		if err := r.add(ctx, d, &line); err != nil {
			return err
		}
	}
	// What is in the batch has its line there too, also when the run is stopped now.
	return r.note(context.WithoutCancel(ctx), u, d, line)
}

// ledger makes the line of a document, without what became of it.
func (d *document) ledger(now func() time.Time) raw.Line {
	if d.line != nil {
		l := *d.line
		l.Report = 0
		return l
	}
	l := raw.Line{Proof: d.proof, TLSDomain: short(d.mail.TLSDomain, maxPath), Input: archive.Input{
		At: now().UTC(), Path: short(d.path, maxPath), Kind: d.kind, From: short(d.mail.From, maxPath), MailID: short(d.mail.MessageID, maxPath),
	}}
	if d.spool != nil {
		l.Sum = d.spool.Sum
	}
	return l
}

// again is about a line of a pack whose document is in another one, or in none.
func (r *run) again(ctx context.Context, d *document, l *raw.Line) error {
	if l.Sum == (archive.Sum{}) {
		return nil
	}
	id, known, err := r.batch.Known(ctx, l.Sum)
	if err != nil {
		return err
	}
	switch {
	case known:
		l.Outcome, l.Reason, l.Report = archive.Duplicate, "", id
	case d.damaged:
		l.Outcome, l.Reason, l.Rows, l.Messages = archive.Rejected, "the raw report is damaged", 0, 0
	case l.Outcome != archive.Rejected && l.Outcome != archive.Skipped:
		l.Outcome, l.Reason, l.Rows, l.Messages = archive.Skipped, "the raw report has been removed", 0, 0
	}
	return nil
}

// add adds a document to the archive and to the pack.
func (r *run) add(ctx context.Context, d *document, l *raw.Line) error {
	if !d.known { // since it was classified the batch may have got it
		id, known, err := r.batch.Known(ctx, d.spool.Sum)
		if err != nil {
			return err
		}
		d.known, d.report = known, id
	}
	l.Reason = ""
	if d.known {
		l.Outcome, l.Report = archive.Duplicate, d.report
		return nil
	}
	origin := archive.Origin{Sum: l.Sum, Path: l.Path, From: l.From, Proof: l.Proof, At: l.At, Extra: l.TLSDomain}
	added, err := r.hand(ctx, d, origin)
	switch {
	case d.refusal != nil && errors.Is(err, d.refusal):
		l.Outcome, l.Reason = archive.Rejected, short(Reason(err), maxReason)
		return r.keepRefused(ctx, d)
	case err != nil:
		return err
	}
	l.Outcome, l.Report, l.Rows, l.Messages = added.Outcome, added.ID, added.Rows, added.Messages
	if r.pack == nil || r.replay != "" {
		return nil
	}
	return r.pack.Add(d.spool, false)
}

// hand gives the report to the engine. An error of the report is d.refusal then.
func (r *run) hand(ctx context.Context, d *document, o archive.Origin) (archive.Added, error) {
	if d.refusal != nil {
		return archive.Added{}, d.refusal
	}
	switch d.kind {
	case archive.TLS:
		o.Alien = r.alienTLS(d.tls, o)
		added, err := r.batch.TLS(ctx, o, d.tls)
		r.count(added, err, o, d.kind, d.tls)
		return added, err
	case archive.Failure:
		head, _ := archive.FailureHead(d.failure, o)
		o.Alien = r.alien(head.Domain)
		added, err := r.batch.Failure(ctx, o, d.failure)
		r.count(added, err, o, d.kind, d.failure)
		return added, err
	}
	if d.parsed {
		o.Alien = r.alien(d.aggregate.Policy.Domain)
	} else if len(r.ours) > 0 {
		o.Alien = r.alien(d.head())
	}
	added, err := r.batch.Aggregate(ctx, o, func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
		if d.parsed {
			for _, rec := range d.records {
				if err := each(rec); err != nil {
					return d.aggregate, err
				}
			}
			return d.aggregate, nil
		}
		var failed error // the engine's
		rep, err := aggregate.Read(d.body(), aggregate.Options{}, func(rec *aggregate.Record) error {
			failed = each(rec)
			return failed
		})
		if err != nil && failed == nil {
			d.refusal = err
		}
		d.aggregate = rep
		return rep, err
	})
	r.count(added, err, o, d.kind, d.aggregate)
	return added, err
}

// keepRefused keeps what no parser could read, so that a better one can.
func (r *run) keepRefused(ctx context.Context, d *document) error {
	if r.pack == nil || r.replay != "" || d.spool.Size > maxRefusedDocument {
		return nil
	}
	known, n, err := r.opt.Raw.Rejected(context.WithoutCancel(ctx), d.spool.Sum)
	if err != nil || known || n >= maxRefusedDocuments {
		return err
	}
	return r.pack.Add(d.spool, true)
}

// note writes the line and counts it.
func (r *run) note(ctx context.Context, u *unit, d *document, l raw.Line) error {
	res := r.result
	switch l.Outcome {
	case archive.New:
		res.New++
	case archive.Conflicting:
		res.Conflicting++
	case archive.Duplicate:
		res.Duplicate++
	case archive.Skipped:
		res.Skipped++
	case archive.Rejected:
		u.refused = true
		res.Refused++
		if u.unchanged {
			res.Repeated++
		}
		if len(res.Rejected) < MaxRefusals {
			res.Rejected = append(res.Rejected, Refusal{l.Path, l.Reason})
		}
	}
	if l.Outcome != archive.Rejected && l.Outcome != archive.Skipped {
		u.taken = true
	}
	if r.opt.Note != nil {
		r.opt.Note(l.Input)
	}
	if u.unchanged && l.Outcome != archive.New && l.Outcome != archive.Conflicting {
		return nil // the ledger has it
	}
	if err := r.batch.Input(ctx, l.Input); err != nil {
		return err
	}
	r.lines++
	if r.replay != "" {
		return nil
	}
	if r.pack == nil {
		return nil
	}
	return r.pack.Line(l)
}

// count sums up what was added.
func (r *run) count(a archive.Added, err error, o archive.Origin, kind archive.Kind, rep any) {
	if err != nil || a.Outcome == archive.Duplicate {
		return
	}
	if kind == archive.Aggregate {
		r.result.Rows += a.Rows
		r.result.Messages = saturate(r.result.Messages, a.Messages)
	}
	if o.Alien {
		r.result.Alien++
	}
	if o.Proof == archive.Forged {
		r.result.Forged++
	}
	add := func(code, severity string, n int64) {
		key := Diagnosis{Kind: kind, Code: code, Severity: severity}
		if r.diagnose[key] == nil {
			r.diagnose[key] = &Diagnosis{Kind: kind, Code: code, Severity: severity}
		}
		r.diagnose[key].Reports++
		r.diagnose[key].Count += n
	}
	switch rep := rep.(type) {
	case *aggregate.Report:
		for _, d := range rep.Diagnostics {
			add(d.Code, d.Severity, d.Count)
		}
	case *tlsrpt.Report:
		for _, d := range rep.Diagnostics {
			add(d.Code, d.Severity, d.Count)
		}
	case *failure.Report:
		for _, d := range rep.Diagnostics {
			add(d.Code, d.Severity, d.Count)
		}
	}
}

// sum orders the diagnostics of the result.
func (r *run) sum() {
	for _, d := range r.diagnose {
		r.result.Diagnostics = append(r.result.Diagnostics, *d)
	}
	slices.SortFunc(r.result.Diagnostics, func(a, b Diagnosis) int {
		return strings.Compare(fmt.Sprint(a.Kind, " ", a.Code, " ", a.Severity), fmt.Sprint(b.Kind, " ", b.Code, " ", b.Severity))
	})
}

func saturate(a, b int64) int64 {
	if s := a + b; b < 0 || s >= a {
		return s
	}
	return 1<<63 - 1
}
