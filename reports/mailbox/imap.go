package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Options say how to reach a server and log in.
type Options struct {
	// Password and Token are asked when a connection is made; one of them has to
	// be set. Token gives an OAuth 2.0 access token.
	Password func(context.Context) (string, error)
	Token    func(context.Context) (string, error)
	// Plain allows to log in without TLS, if the server offers none.
	Plain bool
	TLS   *tls.Config // nil: the system's certificates
	// Dial makes the connection; nil: net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Stall is the time after which a server that says nothing is given up; 0: the
	// default.
	Stall time.Duration
}

// DefaultStall is longer than servers take for a large folder.
const DefaultStall = time.Minute

// imapBox is a Mailbox of an IMAP server.
type imapBox struct {
	client *imapclient.Client
	guard  *guard

	mu   sync.Mutex
	news chan struct{} // a mail has come; nil while nobody waits
}

// Dial connects to a server and logs in.
func Dial(ctx context.Context, a Address, opt Options) (Mailbox, error) {
	if opt.Stall <= 0 {
		opt.Stall = DefaultStall
	}
	secret, err := opt.secret(ctx)
	if err != nil {
		return nil, err
	}
	b, err := connect(ctx, a, opt, !a.TLS)
	if err != nil {
		return nil, err
	}
	if !a.TLS && b.guard.plain {
		// Whether STARTTLS is offered is known only now, and it begins a connection.
		offered, err := b.has(ctx, imap.CapStartTLS)
		if err != nil || offered {
			b.Close()
			if err != nil {
				return nil, err
			}
			if b, err = connect(ctx, a, opt, false); err != nil {
				return nil, err
			}
		}
	}
	if err := b.login(ctx, a.User, secret); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// connect opens a connection; ask leaves STARTTLS to be decided, if a login
// without TLS is allowed at all.
func connect(ctx context.Context, a Address, opt Options, ask bool) (*imapBox, error) {
	dial := opt.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: opt.Stall}).DialContext
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(a.Host, a.Port))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLost, err)
	}
	config := &tls.Config{}
	if opt.TLS != nil {
		config = opt.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = a.Host
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12) // RFC 8996
	if a.TLS {
		if config.NextProtos == nil {
			config.NextProtos = []string{"imap"}
		}
		conn = tls.Client(conn, config)
	}
	b := &imapBox{guard: newGuard(conn, opt.Stall)}
	b.guard.plain = !a.TLS && ask && opt.Plain
	settings := &imapclient.Options{TLSConfig: config, UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				b.tell()
			}
		},
	}}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if a.TLS || b.guard.plain {
		b.client = imapclient.New(b.guard, settings)
		err = b.client.WaitGreeting()
	} else {
		b.client, err = imapclient.NewStartTLS(b.guard, settings)
	}
	b.guard.rest()
	if err == nil {
		return b, nil
	}
	if b.client != nil {
		b.client.Close()
	}
	conn.Close()
	var said *imap.Error
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case !a.TLS && errors.As(err, &said):
		return nil, fmt.Errorf("%w: it answers STARTTLS with %s", ErrPlaintext, short(said.Error()))
	}
	return nil, b.lost(err)
}

// do runs a command: it ends when the context does, when the guard ends it, or
// when the server has answered.
func (b *imapBox) do(ctx context.Context, octets int64, f func() error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	b.guard.arm(octets)
	defer b.guard.rest()
	stop := context.AfterFunc(ctx, func() { b.guard.Conn.Close() })
	defer stop()
	err := f()
	var said *imap.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &said):
		return fmt.Errorf("%w: %s", ErrRefused, short(said.Error()))
	}
	return b.lost(err)
}

// lost makes an error of the connection one of ours.
func (b *imapBox) lost(err error) error {
	b.guard.Conn.Close()
	if c := b.guard.cause(); c != nil {
		return fmt.Errorf("%w: %w", ErrLost, c)
	}
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return fmt.Errorf("%w: %w", ErrLost, cert)
	}
	return fmt.Errorf("%w: %s", ErrLost, short(err.Error()))
}

func (b *imapBox) has(ctx context.Context, c imap.Cap) (ok bool, err error) {
	err = b.do(ctx, smallAnswer, func() error {
		caps := b.client.Caps()
		if caps == nil {
			return errors.New("it does not tell what it can do")
		}
		ok = caps.Has(c)
		return nil
	})
	return ok, err
}

func (b *imapBox) Select(ctx context.Context, folder string, write bool) (f Folder, err error) {
	err = b.do(ctx, smallAnswer, func() error {
		d, err := b.client.Select(folder, &imap.SelectOptions{ReadOnly: !write}).Wait()
		if err != nil {
			return err
		}
		f = Folder{Validity: d.UIDValidity, Next: uint32(d.UIDNext), Mails: d.NumMessages}
		return nil
	})
	return f, err
}

func (b *imapBox) List(ctx context.Context, first, last uint32) (out []Mail, err error) {
	var set imap.UIDSet
	set.AddRange(imap.UID(first), imap.UID(last))
	err = b.do(ctx, smallAnswer, func() error {
		cmd := b.client.Fetch(set, &imap.FetchOptions{UID: true, RFC822Size: true, Flags: true})
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			d, err := m.Collect()
			if err != nil {
				cmd.Close()
				return err
			}
			if uint32(d.UID) < first || uint32(d.UID) > last {
				continue
			}
			out = append(out, Mail{uint32(d.UID), max(d.RFC822Size, 0), slices.Contains(d.Flags, imap.FlagFlagged), slices.Contains(d.Flags, imap.FlagDeleted)})
		}
		return cmd.Close()
	})
	slices.SortFunc(out, func(a, b Mail) int { return int(int64(a.UID) - int64(b.UID)) })
	return slices.CompactFunc(out, func(a, b Mail) bool { return a.UID == b.UID }), err
}

// searchAnswer bounds the answer to a search: the UIDs of two million mails, where
// the server cannot be asked for the first alone.
const searchAnswer = 16 << 20

func (b *imapBox) Next(ctx context.Context, first uint32) (uid uint32, err error) {
	short, err := b.has(ctx, imap.CapESearch)
	if err != nil {
		return 0, err
	}
	var set imap.UIDSet
	set.AddRange(imap.UID(first), math.MaxUint32)
	err = b.do(ctx, searchAnswer, func() error {
		d, err := b.client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, &imap.SearchOptions{ReturnMin: short}).Wait()
		if err != nil {
			return err
		}
		uid = d.Min
		if all, ok := d.All.(imap.UIDSet); ok {
			for _, r := range all {
				if n := uint32(r.Start); n >= first && (uid == 0 || n < uid) {
					uid = n
				}
			}
		}
		return nil
	})
	if uid < first {
		uid = 0
	}
	return uid, err
}

// around is what an answer may have around a mail.
const around = 4 << 10

func (b *imapBox) Fetch(ctx context.Context, mails []Mail, limit int64, each func(Mail, io.Reader) error) error {
	wanted := map[uint32]Mail{}
	var set imap.UIDSet
	octets := int64(smallAnswer)
	for _, m := range mails {
		wanted[m.UID] = m
		set.AddNum(imap.UID(m.UID))
		// Sizes are an estimate on some servers; no mail has more than the limit.
		octets += min(2*m.Size+64<<10, limit+1) + around
	}
	var failed error // each's
	err := b.do(ctx, octets, func() error {
		// One octet more than the limit shows that there is more.
		body := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: limit + 1}}
		cmd := b.client.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{body}})
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			var uid uint32
			for item := m.Next(); item != nil; item = m.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					uid = uint32(item.UID)
				case imapclient.FetchItemDataBodySection:
					mail, ok := wanted[uid]
					if item.Literal == nil || !ok {
						continue
					}
					delete(wanted, uid)
					if failed = b.literal(mail, item.Literal, limit, each); failed != nil {
						// The rest of the answer is of no use. The library would read on
						// while it is taken, so the command is left as it is.
						return failed
					}
				}
			}
		}
		return cmd.Close()
	})
	if failed != nil {
		return failed
	}
	return err
}

// literal hands one mail over.
func (b *imapBox) literal(m Mail, lit imap.LiteralReader, limit int64, each func(Mail, io.Reader) error) error {
	r := &whole{r: lit, left: lit.Size(), guard: b.guard}
	defer func() {
		if r.err == nil { // the library waits until the literal has been read
			b.guard.Conn.Close()
			io.Copy(io.Discard, r)
		}
	}()
	if lit.Size() > limit {
		return fmt.Errorf("%w: %w: mail %d has %d octets, the limit is %d", ErrLost, ErrTooMuch, m.UID, lit.Size(), limit)
	}
	if err := each(m, r); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	return nil
}

// whole reads a literal. To the library a connection that ends in a literal is
// the end of the literal.
type whole struct {
	r     io.Reader
	left  int64
	guard *guard
	err   error // stays: after it the reader below is the library's again
}

func (w *whole) Read(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.r.Read(b)
	w.left -= int64(n)
	switch {
	case err == io.EOF && w.left > 0:
		err = io.ErrUnexpectedEOF
		fallthrough
	case err != nil && err != io.EOF:
		if c := w.guard.cause(); c != nil {
			err = c
		}
		err = fmt.Errorf("%w: %w", ErrLost, err)
	}
	w.err = err
	return n, err
}

func (b *imapBox) Mark(ctx context.Context, uids []uint32, a After) error {
	var set imap.UIDSet
	for _, u := range uids {
		set.AddNum(imap.UID(u))
	}
	switch {
	case len(uids) == 0 || a.Action == Keep:
		return nil
	case a.Action == Seen:
		return b.store(ctx, set, imap.FlagSeen)
	case a.Action == Flag:
		return b.store(ctx, set, imap.FlagFlagged)
	case a.Action == Delete:
		return b.remove(ctx, set)
	}
	err := b.move(ctx, set, a.To)
	if errors.Is(err, ErrRefused) {
		// RFC 9051, Section 6.4.7: the folder may have to be made first.
		if made := b.do(ctx, smallAnswer, func() error { return b.client.Create(a.To, nil).Wait() }); made == nil {
			err = b.move(ctx, set, a.To)
		}
	}
	return err
}

func (b *imapBox) store(ctx context.Context, set imap.UIDSet, f imap.Flag) error {
	return b.do(ctx, smallAnswer, func() error {
		return b.client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{f}}, nil).Close()
	})
}

func (b *imapBox) move(ctx context.Context, set imap.UIDSet, to string) error {
	ok, err := b.has(ctx, imap.CapMove)
	if err != nil {
		return err
	}
	if ok {
		return b.do(ctx, smallAnswer, func() error { _, err := b.client.Move(set, to).Wait(); return err })
	}
	if err := b.do(ctx, smallAnswer, func() error { _, err := b.client.Copy(set, to).Wait(); return err }); err != nil {
		return err
	}
	return b.remove(ctx, set)
}

// remove deletes mails. Without UIDPLUS they stay marked as deleted: a plain
// EXPUNGE would take with it what others have marked (RFC 4315, Section 2.1).
func (b *imapBox) remove(ctx context.Context, set imap.UIDSet) error {
	if err := b.store(ctx, set, imap.FlagDeleted); err != nil {
		return err
	}
	ok, err := b.has(ctx, imap.CapUIDPlus)
	if err != nil || !ok {
		return err
	}
	return b.do(ctx, smallAnswer, func() error { return b.client.UIDExpunge(set).Close() })
}

func (b *imapBox) Wait(ctx context.Context, d time.Duration) error {
	idle, err := b.has(ctx, imap.CapIdle)
	if err != nil {
		return err
	}
	news := make(chan struct{}, 1)
	b.listen(news)
	defer b.listen(nil)
	timer := time.NewTimer(d)
	defer timer.Stop()
	var cmd *imapclient.IdleCommand
	if idle {
		if err := b.do(ctx, smallAnswer, func() (err error) { cmd, err = b.client.Idle(); return err }); err != nil {
			return err
		}
	}
	select {
	case <-news:
	case <-timer.C:
	case <-b.client.Closed():
		return b.lost(errors.New("it hung up"))
	case <-ctx.Done():
		b.guard.Conn.Close()
		return context.Cause(ctx)
	}
	return b.do(ctx, smallAnswer, func() error {
		if cmd == nil {
			return b.client.Noop().Wait()
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		return cmd.Wait()
	})
}

func (b *imapBox) listen(c chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.news = c
}

func (b *imapBox) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default: // nobody waits, or he knows
	}
}

// Close leaves without a word: a server that hangs would not answer LOGOUT.
func (b *imapBox) Close() error {
	b.guard.Conn.Close()
	b.client.Close()
	return nil
}

// short is foreign text in an error.
func short(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return fmt.Sprintf("%q", s)
}
