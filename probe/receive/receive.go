package receive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/authres"
	"github.com/mailcheck-go/mailcheck/message/dsn"
	"github.com/mailcheck-go/mailcheck/message/trace"
	"github.com/mailcheck-go/mailcheck/message/verdict"
	"github.com/mailcheck-go/mailcheck/probe/token"
)

// Defaults of a search.
const (
	DefaultWait     = 5 * time.Minute
	DefaultInterval = 5 * time.Second
	// MaxWait bounds it. Senders try for days; who waits for that runs it again.
	MaxWait = 24 * time.Hour
)

// Outcome is what became of a search.
type Outcome string

// Outcomes.
const (
	Arrived    Outcome = "arrived"
	NotArrived Outcome = "not-arrived" // within the time; it may come later
	Bounced    Outcome = "bounced"     // a report says that it was not delivered
)

// Options say what to look for.
type Options struct {
	Token string
	// SentAt is when the probe was handed over, by the clock of the sender: mails from
	// long before are not read, and the delay counts from it. Zero: not known.
	SentAt time.Time
	// To and MailFrom are those of the probe's envelope, empty if not known. Another
	// address in the mail shows that it was forwarded.
	To, MailFrom string
	// Direct says that the probe was handed to an MX host by its author, so that any
	// host before the receiver forwarded it.
	Direct bool

	// Hosts are the receiver's hosts, and ServIDs its authserv-ids, for the trust in
	// fields of the header. Without any they are concluded from the mail.
	Hosts, ServIDs []string

	Wait     time.Duration // 0: DefaultWait; negative: look once
	Interval time.Duration // 0: DefaultInterval
	Now      func() time.Time
}

// Result is what is known of a probe in a mailbox. Texts of the mail in it are
// foreign.
type Result struct {
	Outcome Outcome `json:"outcome"`
	Token   string  `json:"token"`
	Folder  *Folder `json:"folder"` // nil if it did not arrive
	// Placement is where a person finds it: verdict.Inbox, verdict.Spam, or
	// verdict.Unknown for a folder of the user.
	Placement verdict.Placement `json:"placement"`
	// Void says that a rule of the mailbox decided, so that the placement tells nothing
	// about other mailboxes.
	Void    bool   `json:"void"`
	VoidWhy string `json:"void_why,omitempty"`
	// Contradiction is a filter that says another placement than the folder.
	Contradiction string `json:"contradiction,omitempty"`

	Copies int `json:"copies"` // mails with the token that were found
	// DelayMS is the time from SentAt to the last Received field, or to the arrival in
	// the folder; with DelayKnown false it could not be told.
	DelayMS    int64          `json:"delay_ms"`
	DelayKnown bool           `json:"delay_known"`
	Skew       bool           `json:"skew,omitempty"` // the delay is negative: the clocks differ
	Trace      trace.Path     `json:"trace"`
	Auth       authres.Report `json:"authentication"`
	Filters    verdict.Report `json:"filters"`
	Forwarded  Forwarding     `json:"forwarded"`
	Bounce     *dsn.Report    `json:"bounce,omitempty"`
	Arrived    time.Time      `json:"arrived,omitzero"` // by the mailbox

	Raw []byte `json:"-"`
}

// lookBack is how far before SentAt mails are read: clocks differ.
const lookBack = 10 * time.Minute

// Find polls the mailbox until the probe is there or the time is over. The error
// is about the token, or that of a mailbox that could not be read to the end
// (ErrSeed), or that of the context.
func Find(ctx context.Context, seed Seed, opt Options) (Result, error) {
	opt.Token = strings.ToLower(opt.Token)
	res := Result{Outcome: NotArrived, Token: opt.Token, Trace: trace.Path{Border: -1, Slowest: -1}}
	if !token.Valid(opt.Token) {
		return res, fmt.Errorf("receive: %.40q is no token", opt.Token)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Interval <= 0 {
		opt.Interval = DefaultInterval
	}
	if opt.Wait == 0 {
		opt.Wait = DefaultWait
	}
	since := time.Time{}
	if !opt.SentAt.IsZero() {
		since = opt.SentAt.Add(-lookBack)
	}
	end := time.NewTimer(max(0, min(opt.Wait, MaxWait)))
	defer end.Stop()
	for {
		found, err := look(ctx, seed, since, opt.Token, &res)
		if err := ctx.Err(); err != nil {
			return res, err
		}
		if found != nil {
			res.read(*found, opt)
			return res, nil
		}
		if res.Bounce != nil {
			res.Outcome = Bounced
			return res, nil
		}
		pause := time.NewTimer(opt.Interval)
		select {
		case <-ctx.Done():
			pause.Stop()
			return res, ctx.Err()
		case <-end.C:
			pause.Stop()
			return res, err // a mailbox that cannot be read is not one without the probe
		case <-pause.C:
		}
	}
}

// look goes through all folders once. The first mail that is the probe counts.
func look(ctx context.Context, seed Seed, since time.Time, tok string, res *Result) (*Mail, error) {
	folders, err := seed.Folders(ctx)
	if err != nil {
		return nil, err
	}
	var found *Mail
	var bad []error
	for _, f := range folders {
		err := seed.Look(ctx, f, since, func(m Mail) bool {
			switch {
			case IsProbe(m.Raw, tok):
				res.Copies++
				if found == nil {
					found = &m
				}
			case res.Bounce == nil:
				res.Bounce = bounceOf(m.Raw, tok)
			}
			return true
		})
		if err != nil {
			bad = append(bad, err)
		}
	}
	return found, errors.Join(bad...)
}

// IsProbe reports whether a mail is the probe with the token, and not one that
// only speaks of it.
func IsProbe(raw []byte, tok string) bool {
	h := message.ParseHeader(raw, message.Options{})
	return token.InHeader(&h) == tok
}

// bounceOf reads a report on the probe (RFC 3464).
func bounceOf(raw []byte, tok string) *dsn.Report {
	if !strings.Contains(strings.ToLower(string(raw)), tok) {
		return nil
	}
	r := dsn.Read(message.Parse(raw, message.Options{}))
	if r.Kind != dsn.Failed && r.Kind != dsn.Delayed {
		return nil
	}
	if r.EnvelopeID == tok || r.Original != nil && token.InMessageID(r.Original.MessageID) == tok ||
		r.Original != nil && token.InHeader(&r.Original.Header) == tok {
		return &r
	}
	return nil
}

// Read tells what a mail that was found, or saved to a file, shows.
func Read(m Mail, opt Options) Result {
	res := Result{Outcome: Arrived, Token: opt.Token, Copies: 1}
	res.read(m, opt)
	return res
}

func (r *Result) read(m Mail, opt Options) {
	r.Outcome, r.Raw, r.Arrived = Arrived, m.Raw, m.Arrived
	if m.Folder.Role != "" {
		r.Folder = &m.Folder
	}
	h := message.ParseHeader(m.Raw, message.Options{})
	r.Trace = trace.Read(&h, trace.Options{Hosts: opt.Hosts})
	r.Auth = authres.Read(&h, authres.Options{ServIDs: opt.ServIDs, Trace: &r.Trace})
	r.Filters = verdict.Read(&h, verdict.Options{Trace: &r.Trace})
	r.place(m.Folder.Role)
	r.delay(opt.SentAt)
	r.Forwarded = forwarding(&h, &r.Trace, opt)
}

// place decides between the folder and the filters: the folder is what happened.
func (r *Result) place(role Role) {
	says := r.Filters.Placement
	switch role {
	case Inbox:
		r.Placement = verdict.Inbox
	case Junk:
		r.Placement = verdict.Spam
	case Other:
		r.Placement = verdict.Unknown
		r.Void, r.VoidWhy = true, fmt.Sprintf("a rule of the mailbox files it in the folder %.80q", r.Folder.Name)
	default:
		r.Placement = says // a mail from a file: there is no folder
	}
	if r.Filters.Void {
		r.Void, r.VoidWhy = true, r.Filters.VoidWhy
	}
	if (role == Inbox && (says == verdict.Spam || says == verdict.Phish || says == verdict.Blocked)) || (role == Junk && says == verdict.Inbox) {
		r.Contradiction = fmt.Sprintf("%s says %s, and it is in the folder %.80q", r.Filters.Source, says, r.Folder.Name)
		if role == Inbox && !r.Void {
			r.Void, r.VoidWhy = true, "the filter took it for spam, and it is in the inbox all the same: a rule of the mailbox, or nothing moves spam"
		}
	}
}

func (r *Result) delay(sent time.Time) {
	last := r.Trace.Last
	if last.IsZero() {
		last = r.Arrived
	}
	if sent.IsZero() || last.IsZero() {
		return
	}
	// Received fields count whole seconds: what is less is no skew.
	d := last.Sub(sent.Truncate(time.Second))
	r.DelayMS, r.DelayKnown, r.Skew = d.Milliseconds(), true, d < 0
}
