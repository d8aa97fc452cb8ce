package audit

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/fix"
)

// ID names a rule for ever: it is never renumbered and never reused. The family
// prefix (SPF, DKIM, DMARC, MX, …) is part of it.
type ID string

// Rule is one row of the table: what is wrong, why it matters, how it is
// detected and repaired.
type Rule struct {
	ID       ID
	Slug     string    // for people and config files: "spf-lookup-limit"
	Aliases  []string  // former slugs
	Title    string    // the defect in one line, no full stop
	Severity Severity  // default effect; Check may lower it, policy may override it
	Needs    facts.Set // facts without which the outcome is Unknown
	Refs     []Ref     // the sections that decide, first the main one
	Since    string    // first release with the rule
	Doc      Doc

	// Check looks at c.Facts, or at c.Mail, and reports findings. It is pure: no I/O, no
	// clock but that of the facts. Nil for the rules that the engine itself reports.
	Check func(c *Case)

	// Repair returns the edits that remove a finding; nil, or no edits, when a
	// person must decide.
	Repair func(s *facts.Snapshot, f Finding) []fix.Edit
}

// Doc is the text of a rule's page and the zones that prove the rule.
type Doc struct {
	Impact string     // what happens to mail
	Remedy string     // what to do, in one or a few sentences
	Bad    []Scenario // each yields the finding
	Good   []Scenario // none yields it
}

// Scenario is a little world in which a rule is tried.
type Scenario struct {
	Domain string // audited; "example.org" if empty
	Zone   string // master file text; names outside it do not exist
	// Faults lists "name TYPE fault" lines, fault being servfail, refused or timeout.
	Faults []string
	// Selectors and Addresses are given as the user would give them.
	Selectors []string
	Addresses []string
	HELO      string // what they say in EHLO
	// Hosts are the mail hosts, as lines "address what…", what being of: good,
	// no-starttls, self-signed, untrusted, incomplete, expired, expiring, wrong-name,
	// rsa1024, tls10, broken-tls, injected, refused, silent, rejects, local-name.
	// "address dane-ee" presents the key that the zone text {tlsa} stands for. Nil:
	// no host is talked to.
	Hosts []string
	// Policy is what the policy host serves, or "status 404", "redirect", "html",
	// "self-signed", "wrong-name", "silent"; empty: nothing is fetched.
	Policy string
	// Lists are block list entries, as lines "list target listed" or "list target
	// unusable"; targets that are not named are not listed. Nil: none is asked.
	Lists []string
	// Servers are the name servers, as lines "host address what…", what being of:
	// good, lame, stale, differs, no-tcp, no-edns, silent, gone, alias; then perhaps
	// parent-only, or old-glue for an address that only the zone above gives. Lines
	// "parent host addresses…" are what the zone above says, "parent missing host" a
	// host without glue, "parent silent", "parent shared" and "parent denies" that it
	// says nothing of the kind; without such a line it is not asked. Nil: none is asked.
	Servers []string
	// Security are results of DNSSEC validation, as lines "name TYPE status
	// [reason]"; names that are not listed are insecure. Nil: nothing is validated.
	Security []string

	// Mail is the mail audited, for a rule about mails; its lines end in LF here and in
	// CRLF when it is sent. Signers are the signatures it is given before, the last on
	// top, as "domain selector"; their keys are published too. Changes are pairs of old
	// and new text: what became of the mail after it was signed.
	Mail    string
	Signers []string
	Changes []string

	// Unfixable says that the repair of this scenario leaves the finding.
	Unfixable bool
}

// Ref is the text that decides. RFC is 0 for a receiver's published
// requirement, which has a title and a URL instead.
type Ref struct {
	RFC     int    `json:"rfc,omitempty"`
	Section string `json:"section,omitempty"`
	Level   Level  `json:"level,omitempty"`
	Title   string `json:"title,omitempty"`
	URL     string `json:"url,omitempty"`
}

// String is "RFC 7208, Section 4.6.4 (MUST)".
func (r Ref) String() string {
	s := r.Title
	if r.RFC != 0 {
		s = fmt.Sprintf("RFC %d, Section %s", r.RFC, r.Section)
	}
	if r.Level != "" {
		s += " (" + string(r.Level) + ")"
	}
	return s
}

// Level is the force of the words of an RFC (RFC 2119). It is a separate axis
// from [Severity]: a broken SHOULD can stop mail, a broken MUST can be harmless.
type Level string

// The levels.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
	May    Level = "MAY"
)

// Case is one snapshot, or one mail, before one rule.
type Case struct {
	Facts *facts.Snapshot // of a domain; nil in the audit of a mail
	Mail  *mail.Facts     // nil in the audit of a domain

	rule     *Rule
	findings []*Finding
	more     int // findings beyond MaxFindings
	unknown  []string
	skipped  string
	inferred bool
}

// MaxFindings is the number of findings of one rule that a report holds. More of
// one kind tell nothing new, and a hostile record can hold thousands.
const MaxFindings = 20

// Report records one occurrence at a subject. The message says the specifics:
// counts, names, limits. Evidence for the subject's name and type is attached
// by the engine; the returned finding may be given more.
func (c *Case) Report(at Subject, format string, args ...any) *Finding {
	f := &Finding{
		Rule: c.rule.ID, Slug: c.rule.Slug, Severity: c.rule.Severity, Subject: at,
		Title: c.rule.Title, Message: fmt.Sprintf(format, args...), Refs: c.rule.Refs,
	}
	if len(c.findings) == MaxFindings {
		c.more++
		return f // counted, not kept
	}
	c.findings = append(c.findings, f)
	return f
}

// Lower sets the severity of all findings reported so far that are above it.
func (c *Case) Lower(to Severity) {
	for _, f := range c.findings {
		f.Severity = min(f.Severity, to)
	}
}

// Unknown says that the rule cannot decide, and why. Findings win over it: what
// is proven stays proven.
func (c *Case) Unknown(format string, args ...any) {
	c.unknown = append(c.unknown, fmt.Sprintf(format, args...))
}

// Inferred says that all the rule looked at is inferred, so that no receiver's
// demand is decided by it.
func (c *Case) Inferred() { c.inferred = true }

// NotApplicable says that the rule has nothing to say of this domain, and why.
func (c *Case) NotApplicable(format string, args ...any) {
	c.skipped = fmt.Sprintf(format, args...)
}

// answers are the lookups of the case.
func (c *Case) answers() Answers {
	if c.Mail != nil {
		return c.Mail
	}
	return c.Facts
}
