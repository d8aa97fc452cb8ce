package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Store is an archive in a file. Open makes one.
type Store struct {
	path, params string
	opt          Options
	wait         time.Duration

	lock chan struct{} // holds the right to write: to w and dict
	w    *conn         // nil if ReadOnly
	dict *dict

	closed atomic.Bool
	mu     sync.Mutex
	idle   []*conn // for readers
	looks  *looks
}

var _ archive.Store = (*Store)(nil)

// maxIdle bounds the connections that are kept for readers.
const maxIdle = 4

// write takes the right to write and starts a transaction.
func (s *Store) write(ctx context.Context) (err error) {
	if s.closed.Load() {
		return archive.ErrClosed
	}
	if s.opt.ReadOnly {
		return fmt.Errorf("%w: %s was opened for reading", archive.ErrReadOnly, s.path)
	}
	if err := s.take(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if s.closed.Load() {
		return archive.ErrClosed
	}
	if err := s.w.begin(ctx, "BEGIN IMMEDIATE"); err != nil {
		if errors.Is(err, archive.ErrLocked) {
			return fmt.Errorf("%w: %s", err, s.path)
		}
		return err
	}
	if err := s.dict.fresh(); err != nil {
		s.w.run("ROLLBACK")
		return err
	}
	return nil
}

func (s *Store) take(ctx context.Context) error {
	select {
	case s.lock <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case s.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return fmt.Errorf("%w: another batch of this program is open: %s", archive.ErrLocked, s.path)
	}
}

// written ends the transaction and gives back the right to write. With an error
// it undoes what was written.
func (s *Store) written(err error) error {
	if err == nil && s.closed.Load() {
		err = archive.ErrClosed
	}
	if err == nil {
		err = s.w.run("COMMIT")
	}
	if err != nil {
		s.w.run("ROLLBACK") // fails if SQLite has done so already
		s.dict.forget()
	}
	s.release()
	return err
}

func (s *Store) release() {
	<-s.lock
	if s.closed.Load() {
		s.closeWriter()
	}
}

// closeWriter closes the connection of the writer unless a batch has it, which
// does so when it ends.
func (s *Store) closeWriter() error {
	select {
	case s.lock <- struct{}{}:
	default:
		return nil
	}
	defer func() { <-s.lock }()
	if s.w == nil {
		return nil
	}
	err := s.w.Close()
	s.w = nil
	return err
}

// begin is run for the statement that starts a transaction: the wait for
// another writer ends with the context.
func (c *conn) begin(ctx context.Context, sql string) error {
	st, err := c.prepare(sql)
	if err != nil {
		return err
	}
	_, err = st.exec.ExecContext(ctx, st.bind(nil))
	if ctx.Err() != nil {
		if err == nil {
			c.run("ROLLBACK")
		}
		return context.Cause(ctx)
	}
	return fail(err)
}

// view calls do with a connection that sees the archive as it is now, whatever
// is written meanwhile.
func (s *Store) view(ctx context.Context, do func(*conn) error) (err error) {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	c, err := s.reader(ctx)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		c.run("ROLLBACK")
		if !done || fatal(err) || !s.keep(c) {
			c.Close()
		}
	}()
	if err = c.run("BEGIN"); err == nil {
		err = do(c)
	}
	done = true
	if err == errStop {
		return nil
	}
	return err
}

func (s *Store) reader(ctx context.Context) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return nil, archive.ErrClosed
	}
	if n := len(s.idle); n > 0 {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return c, nil
	}
	return dial(ctx, s.path, s.params, readerCache)
}

func (s *Store) keep(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() || len(s.idle) >= maxIdle {
		return false
	}
	s.idle = append(s.idle, c)
	return true
}

// Close ends the use of the archive. A batch that is still open is undone when
// it ends, and readers stop with archive.ErrClosed at their next question.
func (s *Store) Close() error {
	s.mu.Lock()
	was := s.closed.Swap(true)
	idle := s.idle
	s.idle = nil
	s.mu.Unlock()
	if was {
		return nil
	}
	var err error
	for _, c := range idle {
		err = errors.Join(err, c.Close())
	}
	return errors.Join(err, s.closeWriter())
}
