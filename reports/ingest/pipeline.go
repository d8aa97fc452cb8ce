package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/source"
)

// ahead is the number of documents of one input that may wait for the writer. It
// bounds memory: a waiting document has at most a MiB, or is in a file.
const ahead = 8

// unit is an input, or a pack that is taken in again, on its way.
type unit struct {
	in   Input
	err  error  // instead of the input
	pack string // a pack, instead of an input
	docs chan *document
	done chan struct{} // closed when what was flushed is committed

	// The reader's until docs is closed.
	unread bool // the pack could not be opened
	whole  bool // all that was in it has been sent

	// The writer's.
	unchanged, refused, taken bool
	lost                      bool // it could not be read to its end
}

// pipeline reads units side by side and takes what is in them into the archive in
// their order. Readers hand each document to the writer twice: at once, to learn
// whether it is known, and in order, to be added. A reader waits for the writer
// alone, and the writer never for a reader that it has not reached, so that
// nothing can stand still.
func (r *run) pipeline(parent context.Context, feed func(emit func(*unit) bool)) error {
	ctx, cancel := context.WithCancel(parent)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	queue, work := make(chan *unit, r.opt.Workers), make(chan *unit)
	wg.Go(func() {
		defer close(work)
		defer close(queue)
		feed(func(u *unit) bool {
			u.docs, u.done = make(chan *document, ahead), make(chan struct{})
			for _, c := range []chan<- *unit{queue, work} {
				select {
				case c <- u:
				case <-ctx.Done():
					close(u.docs) // no reader will
					return false
				}
			}
			if u.in.Flush {
				select {
				case <-u.done:
				case <-ctx.Done():
					return false
				}
			}
			return true
		})
	})
	for range r.opt.Workers {
		wg.Go(func() {
			for u := range work {
				r.read(ctx, u)
				close(u.docs)
			}
		})
		wg.Go(func() {
			for {
				select {
				case d := <-r.jobs:
					d.prepare()
					close(d.ready)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	err := r.write(ctx, queue)
	if stopped := context.Cause(parent); stopped != nil && errors.Is(err, stopped) {
		// What is finished is kept; mails wait for the next run to be marked.
		r.finished = nil
		if r.replay != "" {
			r.rollback() // half of a pack is none
		}
		err = errors.Join(stopped, r.commit(parent))
	}
	r.rollback()
	r.sum()
	return err
}

// write is the writer.
func (r *run) write(ctx context.Context, queue <-chan *unit) error {
	var (
		unit  *unit
		doc   *document
		units = queue
		docs  <-chan *document
		ready <-chan struct{}
	)
	r.deadline = time.NewTimer(time.Hour)
	defer r.deadline.Stop()
	for {
		var err error
		stopped := false // from outside, between two documents
		select {
		case d := <-r.hashed:
			err = r.classify(ctx, d)
			stopped = err != nil && ctx.Err() != nil
		case u, ok := <-units:
			if !ok {
				return r.commit(ctx)
			}
			unit, units, docs = u, nil, u.docs
			err = r.start(ctx, u)
		case d, ok := <-docs:
			if ok {
				doc, docs, ready = d, nil, d.ready
				break
			}
			units, docs = queue, nil
			err = r.finish(ctx, unit)
		case <-ready:
			docs, ready = unit.docs, nil
			err = r.take(ctx, unit, doc)
			doc.close()
		case <-r.deadline.C:
			err = r.commit(ctx)
		case <-ctx.Done():
			stopped, err = true, context.Cause(ctx)
		}
		if stopped && unit != nil && units == nil && ready == nil {
			if lerr := r.last(ctx, unit); lerr != nil {
				return lerr
			}
		}
		if err != nil {
			return err
		}
	}
}

// last finishes a unit that has been taken as a whole when a run is stopped: what
// is remembered of it belongs to what was taken.
func (r *run) last(ctx context.Context, u *unit) error {
	left := false
	for range u.docs {
		left = true
	}
	if left || !u.whole || u.pack != "" {
		return nil
	}
	return r.finish(context.WithoutCancel(ctx), u)
}

// classify looks a document up, and has it parsed if it is not known.
func (r *run) classify(ctx context.Context, d *document) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	id, known, err := r.batch.Known(ctx, d.spool.Sum)
	if err != nil {
		return err
	}
	if known {
		d.known, d.report = true, id
		close(d.ready)
		return nil
	}
	select {
	case r.jobs <- d:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// read is the reader of one unit.
func (r *run) read(ctx context.Context, u *unit) {
	switch {
	case u.pack != "":
		r.readPack(ctx, u)
	case u.in.Open != nil:
		r.readInput(ctx, u)
	}
}

// send hands a document over. It reports whether the run goes on.
func (r *run) send(ctx context.Context, u *unit, d *document) bool {
	d.ready = make(chan struct{})
	if d.spool == nil {
		close(d.ready) // nothing to look up
	} else {
		select {
		case r.hashed <- d:
		case <-ctx.Done():
			d.close()
			return false
		}
	}
	select {
	case u.docs <- d:
		return true
	case <-ctx.Done():
		return false // the worker or the writer may hold it
	}
}

func (r *run) readInput(ctx context.Context, u *unit) {
	rc, err := u.in.Open()
	if err != nil {
		if _, ok := errors.AsType[*source.Error](err); !ok {
			err = &source.Error{Path: u.in.Name, Reason: source.ErrRead, Err: err}
		}
		d := &document{}
		d.refuse(u.in.Name, err)
		u.whole = r.send(ctx, u, d)
		return
	}
	defer rc.Close()
	in, outer := newOuter(rc)
	for sd, err := range source.Read(u.in.Name, in, r.opt.Source) {
		d := &document{}
		if err != nil {
			d.refuse(u.in.Name, err)
		} else if d.path, d.kind = sd.Path, archive.Kind(sd.Kind); sd.Mail != nil {
			d.mail = *sd.Mail
			if outer.is(sd.Mail) {
				d.proof = r.opt.Prove(*sd.Mail)
			}
		}
		if err == nil {
			d.spoolFrom(ctx, r.opt.Raw, sd)
		}
		if !r.send(ctx, u, d) {
			return
		}
	}
	u.whole = true
}
