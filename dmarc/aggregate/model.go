package aggregate

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Format is the generation of a report's format. It is a hint for people: both
// generations are read alike, and many reports mix them.
type Format string

// The generations.
const (
	Draft   Format = "draft"   // version 0.1, before RFC 7489
	RFC7489 Format = "rfc7489" // RFC 7489, Appendix C
	RFC9990 Format = "rfc9990" // namespace dmarc-2.0, or an element that only RFC 9990 has
)

// Report is everything in a report but its records.
type Report struct {
	Format    Format
	Namespace string // of the root element; empty if there is none
	Version   string // as written; it does not tell the formats apart

	Metadata Metadata
	Policy   Published
	// MorePolicies are further policy_published elements, which a report should
	// not have: one report is about one policy (RFC 9990, Section 3.1).
	MorePolicies []Published

	Records  int64 // records handed out
	Messages int64 // sum of their counts

	// Complete is false when something of the report is lost; a diagnostic with
	// severity Loss tells what.
	Complete    bool
	Diagnostics []Diagnostic
}

// Metadata is report_metadata.
type Metadata struct {
	OrgName      string
	Email        string
	ExtraContact Text
	ReportID     string // without the angle brackets around it
	Begin, End   time.Time
	Errors       []Text
	Generator    string
}

// Reporter names the sender of the report: OrgName, or the domain of Email when
// OrgName is empty; empty if neither is known.
func (m Metadata) Reporter() string {
	if m.OrgName != "" {
		return m.OrgName
	}
	_, domain, _ := strings.Cut(m.Email, "@")
	return strings.ToLower(domain)
}

// Published is policy_published: the policy as the reporter found it.
type Published struct {
	Domain    string
	P, SP, NP Word[Disposition]
	ADKIM     Word[Mode]
	ASPF      Word[Mode]
	Discovery Word[Discovery]
	FO        string
	Pct       string // as written; RFC 9990 has none
	Testing   Word[Testing]
}

// Record is one row: the messages of one source with one outcome.
type Record struct {
	// Number counts the records of the report from 1.
	Number int64

	SourceIP netip.Addr // not valid if the report has no usable address
	// SourceText is source_ip as written when SourceIP is not valid or was
	// written in another form than SourceIP.String gives; else it is empty.
	SourceText string
	Count      int64 // messages

	Evaluated   Evaluated
	Identifiers Identifiers
	DKIM        []DKIM // auth_results/dkim: every signature tried, aligned or not
	SPF         []SPF  // auth_results/spf
}

// Evaluated is policy_evaluated: what DMARC made of the messages.
type Evaluated struct {
	Disposition Word[Disposition]
	DKIM        Word[Result] // aligned result: Pass or Fail
	SPF         Word[Result] // aligned result: Pass or Fail
	Reasons     []Reason
}

// Reason tells why the disposition is not the policy's.
type Reason struct {
	Type    Word[Override]
	Comment Text
}

// Identifiers are the domains DMARC compared.
type Identifiers struct {
	HeaderFrom   string
	EnvelopeFrom string
	EnvelopeTo   string
	// NullEnvelope says that envelope_from was there and empty, as RFC 9990,
	// Section 3.1.1.10 has it for the null reverse-path.
	NullEnvelope bool
}

// DKIM is the result of one signature.
type DKIM struct {
	Domain   string
	Selector string
	Result   Word[Result]
	Human    Text
}

// SPF is the result of one SPF check.
type SPF struct {
	Domain string
	Scope  Word[Scope]
	Result Word[Result]
	Human  Text
}

// Text is text for people with its language, if one was given (RFC 9990 says en
// otherwise).
type Text struct {
	Text string
	Lang string
}

// Clone copies a record so that it can be kept beyond the callback.
func (r *Record) Clone() *Record {
	c := *r
	c.Evaluated.Reasons = slices.Clone(r.Evaluated.Reasons)
	c.DKIM = slices.Clone(r.DKIM)
	c.SPF = slices.Clone(r.SPF)
	return &c
}

// reset makes the record empty and keeps the memory of its lists.
func (r *Record) reset() {
	reasons, dkim, spf := r.Evaluated.Reasons[:0], r.DKIM[:0], r.SPF[:0]
	*r = Record{DKIM: dkim, SPF: spf}
	r.Evaluated.Reasons = reasons
}
