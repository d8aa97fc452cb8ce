package receive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/mailbox"
)

// FolderLister is what a [mailbox.Mailbox] can be besides, so that folders are
// known by what they are for and not by their names: it gives every folder with
// its attributes (RFC 9051, Section 7.3.1; RFC 6154, Section 2), such as `\Junk`.
type FolderLister interface {
	Folders(ctx context.Context) (map[string][]string, error)
}

// IMAPOptions tell what the folders of a mailbox are for, where neither the server
// nor their names do.
type IMAPOptions struct {
	Inbox, Junk []string
	// Back is how many of the newest mails of a folder are looked at the first time;
	// 0 means 50.
	Back int
}

// imapSeed is a mailbox on a server. A connection that is lost is made anew.
type imapSeed struct {
	open func(context.Context) (mailbox.Mailbox, error)
	opt  IMAPOptions
	box  mailbox.Mailbox
	next map[string]place // by folder: where to go on
}

type place struct {
	validity, uid uint32
}

// NewIMAP makes a seed of a mailbox on a server. Open makes a connection, with
// [mailbox.Dial] for one; mails are neither marked nor moved. Close the seed when
// it is not needed any more.
func NewIMAP(open func(context.Context) (mailbox.Mailbox, error), opt IMAPOptions) interface {
	Seed
	io.Closer
} {
	if opt.Back <= 0 {
		opt.Back = 50
	}
	opt.Back = min(opt.Back, MaxLook)
	return &imapSeed{open: open, opt: opt, next: map[string]place{}}
}

// Close ends the connection.
func (s *imapSeed) Close() error {
	if s.box == nil {
		return nil
	}
	err := s.box.Close()
	s.box = nil
	return err
}

// connected returns a connection.
func (s *imapSeed) connected(ctx context.Context) (mailbox.Mailbox, error) {
	if s.box == nil {
		box, err := s.open(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSeed, err)
		}
		s.box = box
	}
	return s.box, nil
}

// lost drops a connection that is of no more use.
func (s *imapSeed) lost(err error) error {
	if !errors.Is(err, mailbox.ErrRefused) {
		s.Close()
	}
	return fmt.Errorf("%w: %w", ErrSeed, err)
}

func (s *imapSeed) Folders(ctx context.Context) ([]Folder, error) {
	box, err := s.connected(ctx)
	if err != nil {
		return nil, err
	}
	var list []Folder
	if l, ok := box.(FolderLister); ok {
		all, err := l.Folders(ctx)
		if err != nil {
			return nil, s.lost(err)
		}
		for name, attributes := range all {
			list = append(list, roleOf(name, attributes))
		}
		slices.SortFunc(list, func(a, b Folder) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
		return sorted(given(list, s.opt.Inbox, s.opt.Junk)), nil
	}
	// Folders that are not there are refused, and left out.
	names := slices.Concat([]string{"INBOX"}, s.opt.Inbox, s.opt.Junk, []string{"Junk", "Spam", "[Gmail]/Spam", "Junk E-mail", "Junk Email", "Junk Mail", "Bulk", "Bulk Mail", "INBOX.Junk", "INBOX.Spam", "INBOX/Junk", "INBOX/Spam"})
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			continue
		}
		_, err := box.Select(ctx, n, false)
		switch {
		case err == nil:
			list = append(list, roleOf(n, nil))
		case !errors.Is(err, mailbox.ErrRefused):
			return nil, s.lost(err)
		}
	}
	return sorted(given(list, s.opt.Inbox, s.opt.Junk)), nil
}

func (s *imapSeed) Look(ctx context.Context, f Folder, _ time.Time, each func(Mail) bool) error {
	box, err := s.connected(ctx)
	if err != nil {
		return err
	}
	state, err := box.Select(ctx, f.Name, false)
	if err != nil {
		return s.lost(err)
	}
	at, known := s.next[f.Name]
	if !known || at.validity != state.Validity {
		at = place{validity: state.Validity, uid: 1}
		if back := uint32(s.opt.Back); state.Next > back {
			at.uid = state.Next - back
		}
	}
	// Without UIDNEXT, and for mail that came since, to the end.
	list, err := box.List(ctx, at.uid, ^uint32(0)-1)
	if err != nil {
		return s.lost(err)
	}
	// The last mail is always in a range that ends in "*", known or not.
	list = slices.DeleteFunc(list, func(m mailbox.Mail) bool { return m.UID < at.uid })
	last := at.uid
	for _, m := range list {
		last = max(last, m.UID+1)
	}
	list = slices.DeleteFunc(list, func(m mailbox.Mail) bool { return m.Size > MaxMail })
	slices.SortFunc(list, func(a, b mailbox.Mail) int { return int(int64(b.UID) - int64(a.UID)) })
	list = list[:min(len(list), MaxLook)]
	done := false
	for chunk := range slices.Chunk(list, 20) {
		if done {
			break
		}
		err := box.Fetch(ctx, chunk, MaxMail, func(m mailbox.Mail, r io.Reader) error {
			raw, err := io.ReadAll(io.LimitReader(r, MaxMail))
			if err != nil || done {
				return err
			}
			done = !each(Mail{Folder: f, ID: fmt.Sprintf("%s/%d", f.Name, m.UID), Raw: raw})
			return nil
		})
		if err != nil {
			return s.lost(err)
		}
	}
	s.next[f.Name] = place{state.Validity, last}
	return nil
}
