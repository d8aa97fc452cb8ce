package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/ingest"
	"github.com/mailcheck-go/mailcheck/reports/source"
)

// SourceOptions say what is read. Name, Open and Cursor are required.
type SourceOptions struct {
	// Name begins the names of the mails in the ledger, and the place in the folder
	// is remembered by it. Address.String is a good one.
	Name   string
	Open   func(context.Context) (Mailbox, error)
	Folder string // empty: INBOX
	After  After  // zero: Keep
	// Cursor tells how far the folder has been read; archive.Reader has it.
	Cursor func(ctx context.Context, mailbox string) (archive.Cursor, error)
	// MaxMail is the size of the largest mail that is read; 0: source.DefaultMail.
	MaxMail int64
	// Backoff are the times to wait before each further try when the connection is
	// lost and none of them got on; nil: the default.
	Backoff []time.Duration
	// TempDir is for mails that are too large to be held in memory.
	TempDir string
}

var defaultBackoff = []time.Duration{time.Second, 5 * time.Second, 20 * time.Second}

const (
	window      = 500     // UIDs listed at a time
	fetchMails  = 50      // mails fetched at a time
	fetchOctets = 4 << 20 // of them, by what the server says
	heldOctets  = 1 << 20 // of one mail, in memory
	markMails   = 200     // marked at a time
	maxEmpty    = 100     // windows without the mail that the server told of
)

// Source reads a folder. Its methods are for one goroutine.
type Source struct {
	opt SourceOptions
	box Mailbox

	// The place in the folder, while Inputs runs.
	folder  Folder
	last    uint32
	markErr error // the first

	mu    sync.Mutex
	marks []mark // of mails whose reports have been committed
}

type mark struct {
	validity, uid uint32
	taken         bool
}

// NewSource makes a source. It connects when it is read.
func NewSource(opt SourceOptions) *Source {
	if opt.Folder == "" {
		opt.Folder = "INBOX"
	}
	if opt.After.Action == "" {
		opt.After.Action = Keep
	}
	if opt.MaxMail <= 0 {
		opt.MaxMail = source.DefaultMail
	}
	if opt.Backoff == nil {
		opt.Backoff = defaultBackoff
	}
	return &Source{opt: opt}
}

// queue tells whether the folder is a queue: what has been read leaves it, so that
// everything in it is to be read. A mail that could not be taken is flagged, and
// stays.
func (s *Source) queue() bool { return s.opt.After.Action == Move || s.opt.After.Action == Delete }

// Close ends the connection.
func (s *Source) Close() error {
	if s.box == nil {
		return nil
	}
	err := s.box.Close()
	s.box = nil
	return err
}

// Wait returns when there may be new mail, or after a time. A connection that is
// lost meanwhile is no error: reading makes a new one.
func (s *Source) Wait(ctx context.Context, d time.Duration) error {
	begun := time.Now()
	if s.box != nil {
		err := s.box.Wait(ctx, d)
		if err == nil {
			return nil
		}
		s.Close()
	}
	return sleep(ctx, d-time.Since(begun))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Inputs gives the mails that have not been read. When the connection is lost it
// goes on with a new one; what cannot be overcome is the last step's error.
func (s *Source) Inputs(ctx context.Context) iter.Seq2[ingest.Input, error] {
	return func(yield func(ingest.Input, error) bool) {
		s.folder, s.last, s.markErr = Folder{}, 0, nil
		s.mu.Lock()
		s.marks = nil
		s.mu.Unlock()
		for try := 0; ; try++ {
			before := s.last
			on, err := s.pass(ctx, yield)
			if !on {
				return
			}
			if err == nil {
				if s.markErr != nil {
					yield(ingest.Input{Name: s.opt.Name}, fmt.Errorf("mails could not be marked: %w", s.markErr))
				}
				return
			}
			if !errors.Is(err, ErrRefused) {
				s.Close()
			}
			if s.last > before {
				try = 0
			}
			if !errors.Is(err, ErrLost) || try >= len(s.opt.Backoff) || sleep(ctx, s.opt.Backoff[try]) != nil {
				yield(ingest.Input{Name: s.opt.Name}, err)
				return
			}
		}
	}
}

// pass reads on with one connection. on is false when the loop was left.
func (s *Source) pass(ctx context.Context, yield func(ingest.Input, error) bool) (on bool, err error) {
	if err := s.open(ctx); err != nil {
		return true, err
	}
	empty, listed, begun := 0, 0, s.last
	for first := s.last + 1; first != 0 && s.folder.Mails > 0 && (s.folder.Next == 0 || first < s.folder.Next); {
		end := first + window - 1
		if end < first {
			end = 1<<32 - 1
		}
		mails, err := s.box.List(ctx, first, end)
		if err != nil {
			return true, err
		}
		listed += len(mails)
		for len(mails) > 0 {
			n := batch(mails)
			if on, err := s.batch(ctx, mails[:n], yield); !on || err != nil {
				return on, err
			}
			mails = mails[n:]
			empty = 0
			if err := s.mark(ctx); err != nil {
				return true, err
			}
		}
		s.last, first = end, end+1
		if first == 0 || s.folder.Next != 0 && first >= s.folder.Next {
			break
		}
		if empty++; empty > maxEmpty {
			return true, fmt.Errorf("%w: it tells of mails and does not give them", ErrRefused)
		}
		if first, err = s.box.Next(ctx, first); err != nil {
			return true, err
		}
	}
	if listed == 0 && begun == 0 && s.folder.Mails > 0 {
		return true, fmt.Errorf("%w: it tells of mails and does not give them", ErrRefused)
	}
	if s.opt.After.Action == Keep {
		return true, nil
	}
	if !yield(ingest.Input{Name: s.opt.Name, Flush: true}, nil) {
		return false, nil
	}
	return true, s.mark(ctx)
}

// open connects, and finds the place in the folder.
func (s *Source) open(ctx context.Context) error {
	if s.box == nil {
		box, err := s.opt.Open(ctx)
		if err != nil {
			return err
		}
		s.box = box
	}
	f, err := s.box.Select(ctx, s.opt.Folder, s.opt.After.Action != Keep)
	if err != nil {
		return err
	}
	known := s.folder.Validity
	s.folder = f
	if known == f.Validity && known != 0 {
		return nil // goes on after a lost connection
	}
	s.last = 0
	if s.queue() {
		return nil
	}
	c, err := s.opt.Cursor(ctx, s.cursor())
	if err != nil {
		return err
	}
	// RFC 9051, Section 2.3.1.1: with another UIDVALIDITY the UIDs are others too.
	// What is read again then is known by its content.
	if c.Validity == f.Validity && c.Validity != 0 {
		s.last = c.UID
	}
	return nil
}

func (s *Source) cursor() string { return "imap:" + s.opt.Name }

// batch tells how many mails are fetched together.
func batch(mails []Mail) int {
	var octets int64
	for i, m := range mails {
		if octets += m.Size; i > 0 && (octets > fetchOctets || i == fetchMails) {
			return i
		}
	}
	return len(mails)
}

// batch fetches mails and hands them on.
func (s *Source) batch(ctx context.Context, mails []Mail, yield func(ingest.Input, error) bool) (on bool, err error) {
	held := map[uint32]*held{}
	defer func() {
		for _, h := range held {
			h.Close()
		}
	}()
	var want []Mail
	for _, m := range mails {
		if !s.skip(m) && m.Size <= s.opt.MaxMail {
			want = append(want, m)
		}
	}
	err = s.fetch(ctx, want, held)
	if errors.Is(err, ErrTooMuch) && len(want) > 1 {
		// One of them is not what the server says of it. Find out which.
		s.Close()
		for _, m := range mails {
			if err := s.reopen(ctx); err != nil {
				return true, err
			}
			if on, err := s.batch(ctx, []Mail{m}, yield); !on || err != nil {
				return on, err
			}
		}
		return true, s.reopen(ctx)
	}
	tooMuch := errors.Is(err, ErrTooMuch)
	switch {
	case tooMuch:
		s.Close()
	case err != nil:
		return true, err
	}
	for _, m := range mails {
		if s.skip(m) {
			s.last = m.UID
			continue
		}
		in := ingest.Input{Name: fmt.Sprintf("%s/;UID=%d", s.opt.Name, m.UID), Cursor: s.cursor(), At: archive.Cursor{Validity: s.folder.Validity, UID: m.UID}}
		if s.queue() {
			in.Cursor = ""
		}
		if s.opt.After.Action != Keep {
			in.Done = s.done(m.UID)
		}
		h := held[m.UID]
		delete(held, m.UID)
		switch {
		case h != nil:
			in.Open = func() (io.ReadCloser, error) { return h, nil }
		case m.Size > s.opt.MaxMail:
			in.Open = refuse(in.Name, "a mail of %d octets, the limit is %d", m.Size, s.opt.MaxMail)
		case tooMuch:
			in.Open = refuse(in.Name, "the server sends more than the %d octets that it says the mail has", m.Size)
		default:
			s.last = m.UID
			continue // somebody has removed it meanwhile
		}
		s.last = m.UID
		if !yield(in, nil) {
			return false, nil
		}
	}
	return true, s.reopen(ctx)
}

// reopen makes a new connection if there is none, to go on with the same mails.
func (s *Source) reopen(ctx context.Context) error {
	if s.box != nil {
		return nil
	}
	last, validity := s.last, s.folder.Validity
	if err := s.open(ctx); err != nil {
		return err
	}
	if s.folder.Validity != validity {
		return fmt.Errorf("%w: the folder is another one now", ErrLost)
	}
	s.last = last
	return nil
}

// skip leaves out what has been deleted, and what a queue holds for people.
func (s *Source) skip(m Mail) bool { return m.Deleted || s.queue() && m.Flagged }

func refuse(name, format string, args ...any) func() (io.ReadCloser, error) {
	err := &source.Error{Path: name, Reason: source.ErrLimit, Detail: fmt.Sprintf(format, args...)}
	return func() (io.ReadCloser, error) { return nil, err }
}

func (s *Source) fetch(ctx context.Context, mails []Mail, into map[uint32]*held) error {
	if len(mails) == 0 {
		return nil
	}
	return s.box.Fetch(ctx, mails, s.opt.MaxMail, func(m Mail, r io.Reader) error {
		h, err := hold(r, s.opt.TempDir)
		if err == nil {
			into[m.UID] = h
		}
		return err
	})
}

// done remembers what to do with a mail. It is called by another goroutine.
func (s *Source) done(uid uint32) func(bool) {
	m := mark{validity: s.folder.Validity, uid: uid}
	return func(taken bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		m.taken = taken
		s.marks = append(s.marks, m)
	}
}

// mark marks the mails that are done. That the server refuses it does not end the
// reading.
func (s *Source) mark(ctx context.Context) error {
	s.mu.Lock()
	marks := s.marks
	s.marks = nil
	s.mu.Unlock()
	var taken, left []uint32
	for _, m := range marks {
		switch {
		case m.validity != s.folder.Validity: // the number is another mail's now
		case m.taken:
			taken = append(taken, m.uid)
		case s.queue():
			left = append(left, m.uid)
		}
	}
	do := func(uids []uint32, a After) error {
		for len(uids) > 0 {
			n := min(len(uids), markMails)
			err := s.box.Mark(ctx, uids[:n], a)
			if errors.Is(err, ErrLost) {
				s.mu.Lock()
				s.marks = append(marks, s.marks...) // to mark one twice does no harm
				s.mu.Unlock()
				return err
			}
			if err != nil && s.markErr == nil {
				s.markErr = err
			}
			uids = uids[n:]
		}
		return nil
	}
	if err := do(taken, s.opt.After); err != nil {
		return err
	}
	return do(left, After{Action: Flag})
}

// held is the content of a mail, in memory or in a file without a name.
type held struct {
	*bytes.Reader
	file *os.File
}

func hold(r io.Reader, dir string) (*held, error) {
	var b bytes.Buffer
	_, err := io.CopyN(&b, r, heldOctets+1)
	switch {
	case err == io.EOF:
		return &held{Reader: bytes.NewReader(b.Bytes())}, nil
	case err != nil:
		return nil, err
	}
	f, err := os.CreateTemp(dir, ".spool-*")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if _, err := io.Copy(f, io.MultiReader(&b, r)); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return &held{file: f}, nil
}

func (h *held) Read(b []byte) (int, error) {
	if h.file != nil {
		return h.file.Read(b)
	}
	return h.Reader.Read(b)
}

func (h *held) ReadAt(b []byte, off int64) (int, error) {
	if h.file != nil {
		return h.file.ReadAt(b, off)
	}
	return h.Reader.ReadAt(b, off)
}

func (h *held) Seek(off int64, whence int) (int64, error) {
	if h.file != nil {
		return h.file.Seek(off, whence)
	}
	return h.Reader.Seek(off, whence)
}

func (h *held) Close() error {
	if h.file != nil {
		return h.file.Close()
	}
	return nil
}
