package archive

import (
	"net/mail"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// maxText bounds each foreign text that is kept; the raw report has the rest.
const maxText = 1024

// MaxCount bounds the messages of one record, so that sums stay sums: a million
// records of it still fit. Nobody sends as many; a report that says so is forged
// or broken, and its raw form has the number.
const MaxCount = 1 << 40

// CountOf gives the messages of a record as they are stored.
func CountOf(r *aggregate.Record) int64 { return max(0, min(r.Count, MaxCount)) }

// Reporter names who made a report: the domain of the address in it, which one
// organization keeps, rather than its name, of which it may have hundreds. The
// name is taken when there is no address. Lower case.
func Reporter(org, email string) string {
	if i := strings.LastIndexByte(email, '@'); i >= 0 {
		if d := host(strings.TrimRight(email[i+1:], "> ")); strings.Contains(d, ".") {
			return d
		}
	}
	return strings.ToLower(short(strings.TrimSpace(org)))
}

// AggregateHead gives what is stored of an aggregate report beside its records.
// ID, Digest and Counted are the engine's to set.
func AggregateHead(r *aggregate.Report, o Origin) Report {
	p := r.Policy
	head := Report{
		Kind: Aggregate, Reporter: Reporter(r.Metadata.OrgName, r.Metadata.Email),
		Org: short(r.Metadata.OrgName), Email: short(r.Metadata.Email), ReportID: short(r.Metadata.ReportID),
		Domain: host(p.Domain), Begin: stamp(r.Metadata.Begin), End: stamp(r.Metadata.End),
		Policy: Policy{
			P: word(p.P), SP: word(p.SP), NP: word(p.NP), ADKIM: word(p.ADKIM), ASPF: word(p.ASPF), FO: short(p.FO),
			Pct: short(p.Pct), Testing: word(p.Testing), Discovery: word(p.Discovery),
		},
		Format: string(r.Format), Origin: o, Complete: r.Complete, Rows: r.Records, Messages: r.Messages,
	}
	if head.End.Before(head.Begin) {
		head.End = head.Begin
	}
	for _, d := range r.Diagnostics {
		head.Diagnostics = append(head.Diagnostics, Diagnostic{d.Code, d.Severity, short(d.Element), short(d.Text), d.Count})
	}
	return head
}

// LookOf gives what is stored of a record beside its number and count. The
// result shares no memory with the record.
func LookOf(r *aggregate.Record) Look {
	l := Look{
		Source: r.SourceIP.Unmap(), Disposition: word(r.Evaluated.Disposition),
		DKIM: r.Evaluated.DKIM.Value == aggregate.Pass, SPF: r.Evaluated.SPF.Value == aggregate.Pass,
		HeaderFrom:   host(r.Identifiers.HeaderFrom),
		EnvelopeFrom: host(r.Identifiers.EnvelopeFrom), EnvelopeTo: host(r.Identifiers.EnvelopeTo),
	}
	if !r.SourceIP.IsValid() {
		l.SourceText = short(r.SourceText)
	}
	for _, v := range r.Evaluated.Reasons {
		l.Reasons = append(l.Reasons, Reason{Type: word(v.Type), Comment: short(v.Comment.Text)})
	}
	for _, v := range r.DKIM {
		l.Signatures = append(l.Signatures, Signature{host(v.Domain), host(v.Selector), aggregate.Result(word(v.Result))})
	}
	for _, v := range r.SPF {
		l.Checks = append(l.Checks, Check{host(v.Domain), word(v.Scope), aggregate.Result(word(v.Result))})
	}
	return l
}

// TLSHead gives what is stored of a TLS report, and its policies, whose Report
// is the caller's to set.
func TLSHead(r *tlsrpt.Report, o Origin) (Report, []Session) {
	ok, failed := r.Sessions()
	head := Report{
		Kind: TLS, Reporter: Reporter(r.Organization, r.Contact), Org: short(r.Organization), Email: short(r.Contact),
		ReportID: short(r.ReportID), Begin: stamp(r.Begin), End: stamp(r.End), Domain: host(o.Extra),
		Origin: o, Complete: r.Complete, Messages: sum(ok, failed), Rows: int64(len(r.Policies)),
	}
	var out []Session
	for _, p := range r.Policies {
		s := Session{Type: word2(p.Type.Value, p.Type.Raw), Domain: host(p.Domain), MXHosts: p.MXHosts, Strings: p.Strings,
			Successful: p.Successful, Failed: p.Failed}
		for _, f := range p.Failures {
			s.Failures = append(s.Failures, SessionFailure{
				Type: word2(f.Type.Value, f.Type.Raw), SendingIP: address(f.SendingIP.IsValid(), f.SendingIP.String(), f.SendingIPText),
				ReceivingMX: host(f.ReceivingMX), ReceivingIP: address(f.ReceivingIP.IsValid(), f.ReceivingIP.String(), f.ReceivingIPText),
				Reason: short(f.ReasonCode), Sessions: f.Sessions,
			})
		}
		if head.Domain == "" {
			head.Domain = s.Domain
		}
		out = append(out, s)
	}
	for _, d := range r.Diagnostics {
		head.Diagnostics = append(head.Diagnostics, Diagnostic{d.Code, d.Severity, short(d.Element), short(d.Text), d.Count})
	}
	return head, out
}

// FailureHead gives what is stored of a failure report: its head and its
// sample, whose Report is the caller's to set. Of addresses only the domain is
// kept (RFC 9991, Section 7, on the privacy of these reports).
func FailureHead(r *failure.Report, o Origin) (Report, Sample) {
	at := r.ArrivalDate
	if at.IsZero() {
		at = o.At
	}
	from := addressDomain(r.OriginalField("From"))
	head := Report{
		Kind: Failure, Reporter: Reporter(r.ReportingMTA, o.From), Org: short(r.ReportingMTA), Email: short(o.From),
		Begin: stamp(at), End: stamp(at), Origin: o, Complete: true, Rows: 1, Messages: r.Incidents,
	}
	if len(r.ReportedDomain) > 0 {
		head.Domain = host(r.ReportedDomain[0])
	} else {
		head.Domain = from
	}
	s := Sample{
		Source: r.SourceIP.Unmap(), Arrived: stamp(r.ArrivalDate), MailFrom: addressDomain(r.OriginalMailFrom), HeaderFrom: from,
		Delivery: word2(r.DeliveryResult.Value, r.DeliveryResult.Raw), DKIMDomain: host(r.DKIMDomain), DKIMSelector: host(r.DKIMSelector),
		Incidents: r.Incidents,
	}
	for _, w := range r.AuthFailure {
		s.AuthFailure = append(s.AuthFailure, word2(w.Value, w.Raw))
	}
	for _, w := range r.IdentityAlignment {
		s.Alignment = append(s.Alignment, word2(w.Value, w.Raw))
	}
	for _, d := range r.Diagnostics {
		head.Diagnostics = append(head.Diagnostics, Diagnostic{d.Code, d.Severity, short(d.Element), short(d.Text), d.Count})
	}
	return head, s
}

// Better tells whether of two reports of one key a is the one that counts: the
// complete one, then the one with more records, with more messages, and last
// the smaller digest, so that the order of import does not matter.
func Better(a, b *Report) bool {
	switch {
	case a.Complete != b.Complete:
		return a.Complete
	case a.Rows != b.Rows:
		return a.Rows > b.Rows
	case a.Messages != b.Messages:
		return a.Messages > b.Messages
	}
	return string(a.Digest[:]) < string(b.Digest[:])
}

// Key is what makes a report the same report. Reports without an id have the
// digest in its place.
type Key struct {
	Kind                       Kind
	Reporter, ReportID, Domain string
	Begin, End                 int64
}

// Key gives the report's key.
func (r *Report) Key() Key {
	k := Key{r.Kind, r.Reporter, r.ReportID, r.Domain, r.Begin.Unix(), r.End.Unix()}
	if k.ReportID == "" {
		k.ReportID = r.Digest.String()
	}
	return k
}

func word[T ~string](w aggregate.Word[T]) string { return word2(string(w.Value), w.Raw) }

// word2 prefers the meaning; a word without one is kept as it was written.
func word2(value, raw string) string {
	if value != "" {
		return value
	}
	return strings.ToLower(short(strings.TrimSpace(raw)))
}

// host is a name as it is compared here: lower case, without the final dot.
func host(s string) string {
	return strings.ToLower(strings.TrimSuffix(short(strings.TrimSpace(s)), "."))
}

// addressDomain gives the domain of the address in a From field or a path.
func addressDomain(s string) string {
	if a, err := mail.ParseAddress(s); err == nil {
		s = a.Address
	}
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return ""
	}
	return host(strings.TrimRight(s[i+1:], "> \t"))
}

func address(valid bool, s, text string) string {
	if valid {
		return s
	}
	return short(text)
}

func short(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.Clone(strings.ToValidUTF8(s, "\uFFFD"))
}

// stamp is a time in whole seconds UTC. Times no calendar has are none.
func stamp(t time.Time) time.Time {
	if t.IsZero() || t.Year() < 1970 || t.Year() > 9999 {
		return time.Unix(0, 0).UTC()
	}
	return t.UTC().Truncate(time.Second)
}

func sum(a, b int64) int64 {
	if s := a + b; s >= a && b >= 0 {
		return s
	}
	return 1<<63 - 1
}
