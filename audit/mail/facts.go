package mail

import (
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/authres"
	"github.com/mailcheck-go/mailcheck/message/content"
	"github.com/mailcheck-go/mailcheck/message/dsn"
	header "github.com/mailcheck-go/mailcheck/message/facts"
	"github.com/mailcheck-go/mailcheck/message/trace"
	"github.com/mailcheck-go/mailcheck/message/verdict"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Options of [Gather]. The zero value takes everything from the mail.
type Options struct {
	// Name is what reports call the mail: its file.
	Name string

	IP       netip.Addr // the client that handed the mail to the receiver; not valid: as the trace says
	Helo     string     // what that client said in EHLO; empty: as the trace says
	MailFrom string     // the envelope sender, "<>" for the null one; empty: as the trace says

	// ServIDs are the authserv-ids of the receiver, whose Authentication-Results are
	// believed; none: as authres.Options says.
	ServIDs []string
	// Hosts are the receiver's hosts and domains, whose Received fields are believed;
	// none: as trace.Options says.
	Hosts []string
	Nets  []netip.Prefix // addresses inside the receiver's net, besides private ones

	Bulk     bool             // the mail is known to be sent to many, whatever it says
	Resolver string           // who is asked, for the report
	Now      func() time.Time // nil: time.Now
}

// Facts are what was known of a mail at one moment. They are read-only once
// gathered, and hold foreign text.
type Facts struct {
	Name     string
	At       time.Time // when gathering began
	Elapsed  time.Duration
	Resolver string

	Message *message.Message
	Cut     bool // the mail was cut at a limit, so its body cannot be judged

	Header  header.Facts
	Content content.Content
	Trace   trace.Path
	Claims  authres.Report // what the mail says of its authentication
	Filters verdict.Report
	Report  dsn.Kind // the mail is a report, such as a bounce; dsn.None if it is not

	Author resolve.Name // the one domain of From; zero if there is none, or several
	Bulk   bool         // sent to many: by its header, or by Options

	// Arrived is when the receiver took the mail by its own clock, zero if that is
	// not known. Signatures are judged at that time: an old mail was not expired when
	// it came.
	Arrived time.Time

	Client   Client
	Envelope Envelope
	SPF      SPF
	PTR      iprev.Result // of the client; its Addr is not valid if there is none
	DKIM     dkim.Verification
	ARC      arc.Result
	Policy   dmarc.Discovery  // of Author
	DMARC    dmarc.Evaluation // see Undecided
	// Undecided says why DMARC cannot be decided though every answer came; empty if
	// it can.
	Undecided string
	// VerifyErr is why the signatures could not be read at all, such as the end of the
	// time that was given.
	VerifyErr error

	Mailboxes  []Mailbox // the domains of From, MAIL FROM and Reply-To: whether they take mail
	Forwarding Forwarding
	OneClick   Coverage
	Checks     []Check // our verdicts beside the receiver's: SPF, DKIM by signature, ARC, DMARC

	memo *memo
}

// Client is the host that handed the mail over.
type Client struct {
	IP   netip.Addr // not valid if it is unknown
	Helo string
	// Given is true if the user said it, and Inside if the mail did not come from
	// another host but was handed in locally or by somebody who logged in.
	Given, Inside bool
}

// Envelope is the envelope sender.
type Envelope struct {
	Address string
	Domain  resolve.Name // zero if there is none
	Null    bool
	Source  string // "given", "return-path", "received", "received-spf"; empty: it is unknown
	Trusted bool   // the receiver wrote it, or the user said it
}

// Known reports whether the envelope sender is known, be it the null one.
func (e Envelope) Known() bool { return e.Source != "" }

// SPF is our own check of it.
type SPF struct {
	Checked  bool
	Reason   string // why it was not checked, in words
	Result   spf.Result
	Identity string // "mailfrom", or "helo" for the null sender (RFC 7208, Section 2.4)
}

// Passes reports whether SPF was checked and passes.
func (s SPF) Passes() bool { return s.Checked && s.Result.Status == spf.Pass }

// Coverage tells which signature makes one-click unsubscription good (RFC 8058,
// Section 4): it verifies and covers both fields.
type Coverage struct {
	Signature int // index in DKIM.Signatures; -1 if there is none
	Aligned   bool
	// Partly is the index of a signature that verifies and covers only one of the two,
	// -1 if there is none.
	Partly int
	// Unknown is true if a signature that could not be judged covers both.
	Unknown bool
}

// Mailbox is a domain that has to take mail: replies, or bounces.
type Mailbox struct {
	Domain resolve.Name
	Fields []string      // where it stands: "From", "MAIL FROM", "Reply-To"
	State  resolve.State // Present: it takes mail; Absent: it is proven not to
	How    string        // "mx", "address", "null-mx", "none", "nxdomain"; empty if unknown
	Err    error
	Asked  []resolve.Question
}

// ForwardKind is a kind of forwarding.
type ForwardKind string

// The kinds.
const (
	Direct    ForwardKind = ""          // no sign of forwarding
	Forwarded ForwardKind = "forwarder" // sent on to another mailbox
	List      ForwardKind = "list"      // sent on to the members of a list
)

// Forwarding tells whether somebody else than the author's side handed the mail over.
// Then SPF is about that one.
type Forwarding struct {
	Kind     ForwardKind
	By       string   // the host or domain that sent it on, as far as it is known
	Evidence []string // in words
	// Origin is the hop below the border whose peer the author's domain permits: the
	// mail came from there, if that field is true.
	Origin *Origin
}

// Origin is where a forwarded mail came from.
type Origin struct {
	Hop    int // index in Trace.Hops
	IP     netip.Addr
	Domain resolve.Name // whose SPF permits it
}

// Seen returns the lookup of a question, if it was asked for this mail.
func (f *Facts) Seen(q resolve.Question) (facts.Observation, bool) {
	if f.memo == nil {
		return facts.Observation{}, false
	}
	return f.memo.get(q)
}

// Queries counts the questions asked for the mail.
func (f *Facts) Queries() int {
	if f.memo == nil {
		return 0
	}
	return f.memo.count()
}

// Border is the hop by which the receiver took the mail, nil if it is not known.
func (f *Facts) Border() *trace.Hop {
	if f.Trace.Border < 0 || f.Trace.Border >= len(f.Trace.Hops) {
		return nil
	}
	return &f.Trace.Hops[f.Trace.Border]
}

// Alignment is how an identifier relates to the author's domain, nil if it was not
// compared. Method is "spf" or "dkim"; i counts the signatures that DMARC was told of.
func (f *Facts) Alignment(method string, domain resolve.Name) *dmarc.Alignment {
	for i := range f.DMARC.Now.Alignments {
		a := &f.DMARC.Now.Alignments[i]
		if a.Method == method && a.Domain == domain {
			return a
		}
	}
	return nil
}

// SignatureCheck is the check of a signature, by its index in DKIM.Signatures; nil if
// there is none.
func (f *Facts) SignatureCheck(i int) *Check {
	for j := range f.Checks {
		if c := &f.Checks[j]; c.Method == "dkim" {
			if i == 0 {
				return c
			}
			i--
		}
	}
	return nil
}

// AlignedPass reports whether an identifier of the method passes and is aligned.
func (f *Facts) AlignedPass(method string) bool {
	for _, a := range f.DMARC.Now.Alignments {
		if a.Method == method && a.Result == "pass" && a.State == resolve.Present {
			return true
		}
	}
	return false
}
