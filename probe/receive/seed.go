package receive

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Limits of what is read of a mailbox.
const (
	MaxMail    = 256 << 10 // octets of a mail that may be a probe; a probe has some two thousand
	MaxFolders = 50
	MaxLook    = 500 // mails of one folder that are looked at in one go, the newest
)

// ErrSeed matches the error of a mailbox that cannot be read.
var ErrSeed = errors.New("receive: the mailbox cannot be read")

// Role is what a folder is for.
type Role string

// Roles.
const (
	Inbox Role = "inbox"
	Junk  Role = "junk"
	Other Role = "other" // a folder of the user: a rule files mail there
	// Skipped folders hold mail that was not received there: copies of what was sent,
	// drafts, what was deleted, and views on all folders.
	Skipped Role = "skipped"
)

// Folder is one folder.
type Folder struct {
	Name string `json:"name"` // foreign
	Role Role   `json:"role"`
	// By says what the role is known from: "special-use", "name" or "given".
	By string `json:"by"`
}

// Mail is a mail in a folder.
type Mail struct {
	Folder  Folder
	ID      string // of the mailbox
	Raw     []byte
	Arrived time.Time // in the folder; zero if the mailbox does not tell
}

// Seed is a mailbox to which probes are sent. It belongs to one goroutine.
type Seed interface {
	// Folders lists the folders.
	Folders(ctx context.Context) ([]Folder, error)
	// Look gives the mails of a folder, the newest first, that were not given before.
	// Mails that are larger than MaxMail, or that came before the time as far as the
	// mailbox tells, are left out. Each returns false to end it.
	Look(ctx context.Context, f Folder, since time.Time, each func(Mail) bool) error
}

// Names of folders, in lower case, that mail systems use where nothing else tells
// what a folder is for.
var (
	junkNames = []string{"junk", "spam", "bulk", "bulk mail", "junk e-mail", "junk email", "junk mail", "junk-e-mail", "[gmail]/spam", "[google mail]/spam",
		"spamverdacht", "unerwünscht", "courrier indésirable", "pourriel", "indésirables", "correo no deseado", "correo electrónico no deseado",
		"posta indesiderata", "ongewenste e-mail", "ongewenst", "lixo eletrônico", "lixo eletrónico", "skräppost", "uønsket e-mail", "søppelpost", "roskaposti", "спам", "nevyžádaná pošta", "wiadomości-śmieci", "迷惑メール", "垃圾邮件", "垃圾郵件", "스팸"}
	skippedNames = []string{"sent", "sent items", "sent mail", "sent messages", "drafts", "draft", "trash", "deleted items", "deleted messages", "deleted", "outbox", "templates", "all mail", "gesendet", "entwürfe", "papierkorb"}
)

// roleOf tells the role of a folder by its attributes (RFC 6154, Section 2), and
// else by its name.
func roleOf(name string, attributes []string) Folder {
	f := Folder{Name: name, Role: Other, By: "name"}
	for _, a := range attributes {
		switch strings.ToLower(a) {
		case `\junk`:
			f.Role, f.By = Junk, "special-use"
			return f
		case `\sent`, `\drafts`, `\trash`, `\all`, `\noselect`, `\nonexistent`, `\flagged`, `\important`:
			f.Role, f.By = Skipped, "special-use"
			return f
		case `\inbox`:
			f.Role, f.By = Inbox, "special-use"
			return f
		}
	}
	if strings.EqualFold(name, "INBOX") {
		f.Role = Inbox
		return f
	}
	lower := strings.ToLower(name)
	last := lower
	if i := strings.LastIndexAny(lower, "/."); i >= 0 {
		last = lower[i+1:]
	}
	for _, n := range []string{lower, last} {
		switch {
		case slices.Contains(junkNames, n):
			f.Role = Junk
		case slices.Contains(skippedNames, n):
			f.Role = Skipped
		}
	}
	return f
}

// given sets the roles that the user knows better.
func given(list []Folder, inbox, junk []string) []Folder {
	for i := range list {
		for role, names := range map[Role][]string{Inbox: inbox, Junk: junk} {
			if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, list[i].Name) }) {
				list[i].Role, list[i].By = role, "given"
			}
		}
	}
	return list
}

// sorted puts the folders where probes are, first.
func sorted(list []Folder) []Folder {
	order := []Role{Inbox, Junk, Other}
	list = slices.DeleteFunc(list, func(f Folder) bool { return f.Role == Skipped })
	slices.SortStableFunc(list, func(a, b Folder) int { return slices.Index(order, a.Role) - slices.Index(order, b.Role) })
	return list[:min(len(list), MaxFolders)]
}
