package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
)

// Reasons. Each error of this package that is not the caller's own matches one of
// them with errors.Is.
var (
	ErrURL       = errors.New("mailbox: not the URL of a folder")
	ErrPlaintext = errors.New("mailbox: the server offers no TLS")
	ErrLogin     = errors.New("mailbox: login failed")
	ErrRefused   = errors.New("mailbox: refused by the server")
	ErrLost      = errors.New("mailbox: connection lost") // another try may help
	ErrStalled   = errors.New("mailbox: the server stalls")
	ErrTooMuch   = errors.New("mailbox: the server sends more than it was asked for")
)

// Folder is the state of a folder when it was selected.
type Folder struct {
	Validity uint32 // UIDVALIDITY
	Next     uint32 // UIDNEXT; 0 if the server does not tell
	Mails    uint32
}

// Mail is a mail in a folder, by the word of the server.
type Mail struct {
	UID  uint32
	Size int64
	// Flagged and Deleted tell whether the mail has these flags.
	Flagged, Deleted bool
}

// Mailbox is a connection to a mail server. It belongs to one goroutine. After an
// error that matches ErrLost it is of no more use.
type Mailbox interface {
	// Select opens a folder; write tells whether mails will be marked.
	Select(ctx context.Context, folder string, write bool) (Folder, error)
	// List gives the mails with UIDs from first to last, in their order.
	List(ctx context.Context, first, last uint32) ([]Mail, error)
	// Next gives the first UID from first on that there is a mail with; 0: none.
	Next(ctx context.Context, first uint32) (uint32, error)
	// Fetch gives the content of mails, as octets on the wire, in any order; mails
	// that are gone are left out. Each is called once for a mail and reads it; an
	// error of it ends the call. No mail has more than max octets, or ErrTooMuch.
	Fetch(ctx context.Context, mails []Mail, max int64, each func(Mail, io.Reader) error) error
	// Mark does to mails what After says.
	Mark(ctx context.Context, uids []uint32, a After) error
	// Wait returns when there may be new mail, or after a time.
	Wait(ctx context.Context, d time.Duration) error
	Close() error
}

// Action is what is done to a mail whose reports have been committed.
type Action string

// Actions.
const (
	Keep   Action = "keep"   // nothing: the place in the folder is remembered
	Seen   Action = "seen"   // it is marked as read
	Flag   Action = "flag"   // it is flagged
	Move   Action = "move"   // it goes to another folder
	Delete Action = "delete" // it is deleted
)

// After is an action; To is the folder to move to.
type After struct {
	Action Action
	To     string
}

// ParseAfter reads "keep", "seen", "flag", "move:FOLDER" or "delete".
func ParseAfter(s string) (After, error) {
	word, to, _ := strings.Cut(s, ":")
	a := After{Action(strings.ToLower(word)), to}
	switch a.Action {
	case Keep, Seen, Flag, Delete:
		if to == "" {
			return a, nil
		}
	case Move:
		if to != "" {
			return a, nil
		}
	}
	return After{}, fmt.Errorf("%q is none of keep, seen, flag, move:FOLDER and delete", s)
}

// Address is where a folder is.
type Address struct {
	Host   string
	Port   string
	User   string
	Folder string
	TLS    bool // from the first octet; otherwise STARTTLS
}

// ParseURL reads imaps://USER@HOST:PORT/FOLDER, or imap:// for STARTTLS (RFC 5092).
// Without a folder it is INBOX. The user may be a mail address. A password in the
// URL is refused: whoever lists the processes of the machine would see it.
func ParseURL(s string) (Address, error) {
	fail := func(what string) (Address, error) { return Address{}, fmt.Errorf("%w: %s", ErrURL, what) }
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return fail("it cannot be read") // the error would repeat the URL, and a password in it
	case u.Scheme != "imap" && u.Scheme != "imaps":
		return fail("it begins with imaps:// or imap://")
	case u.Hostname() == "":
		return fail("it names no host")
	case u.User == nil || u.User.Username() == "":
		return fail("it names no user: imaps://user@host/FOLDER")
	case u.RawQuery != "" || u.Fragment != "":
		return fail("it ends with the folder")
	}
	if _, set := u.User.Password(); set {
		return fail("a password does not belong into it")
	}
	a := Address{Host: u.Hostname(), Port: u.Port(), User: u.User.Username(), TLS: u.Scheme == "imaps"}
	if a.Port == "" {
		a.Port = map[bool]string{true: "993", false: "143"}[a.TLS]
	}
	if a.Folder = strings.Trim(u.Path, "/"); a.Folder == "" {
		a.Folder = "INBOX"
	}
	for _, r := range a.User + a.Folder {
		if r < ' ' || r == 0x7f {
			return fail("it holds a control character")
		}
	}
	return a, nil
}

// String is the URL. It names the folder in the ledger.
func (a Address) String() string {
	u := url.URL{Scheme: map[bool]string{true: "imaps", false: "imap"}[a.TLS], User: url.User(a.User), Host: a.Host, Path: "/" + a.Folder}
	if a.Port != "993" && a.TLS || a.Port != "143" && !a.TLS {
		u.Host = net.JoinHostPort(a.Host, a.Port)
	} else if strings.Contains(a.Host, ":") {
		u.Host = "[" + a.Host + "]"
	}
	return u.String()
}
