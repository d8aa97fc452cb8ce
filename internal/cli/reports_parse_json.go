package cli

import (
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"strconv"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/source"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

const reportSchema = "mailcheck.report/1"

// jsonReports prints objects of schema mailcheck.report/1, each on one line.
type jsonReports struct {
	w   io.Writer
	buf []byte
	// late is where records wait for the head of their report, if it stands behind
	// them and they are too many for memory.
	late *os.File
}

// heldJSON is how much of a report is held back, so that one that turns out to be
// none is printed as rejected and nothing else.
const heldJSON = 1 << 20

func (p *jsonReports) end() error { return nil }

// policyView is policy_published.
type policyView struct {
	Domain    nullable `json:"domain"`
	P         nullable `json:"p"`
	SP        nullable `json:"sp"`
	NP        nullable `json:"np"`
	ADKIM     nullable `json:"adkim"`
	ASPF      nullable `json:"aspf"`
	FO        nullable `json:"fo"`
	Pct       nullable `json:"pct"`
	Testing   nullable `json:"testing"`
	Discovery nullable `json:"discovery_method"`
}

func viewPublished(p aggregate.Published) policyView {
	return policyView{nullable(p.Domain), nullable(p.P.String()), nullable(p.SP.String()), nullable(p.NP.String()), nullable(p.ADKIM.String()),
		nullable(p.ASPF.String()), nullable(p.FO), nullable(p.Pct), nullable(p.Testing.String()), nullable(p.Discovery.String())}
}

// reportHead is what an object begins with.
type reportHead struct {
	Schema   string   `json:"schema"`
	Kind     string   `json:"kind"`
	Source   string   `json:"source"`
	ReportID nullable `json:"report_id"`
	Reporter nullable `json:"reporter"`
	Domain   nullable `json:"domain"`
	Begin    nullable `json:"begin"`
	End      nullable `json:"end"`
}

// aggregateHead is that of an aggregate report.
type aggregateHead struct {
	reportHead
	Email        nullable   `json:"email"`
	ExtraContact nullable   `json:"extra_contact_info"`
	Errors       []string   `json:"errors"`
	Generator    nullable   `json:"generator"`
	Format       string     `json:"format"`
	Policy       policyView `json:"policy_published"`
	Notes        []string   `json:"notes"` // what was wrong with the container
}

// diagnosticView is one thing that was wrong with a report.
type diagnosticView struct {
	Code     string   `json:"code"`
	Severity string   `json:"severity"`
	Element  nullable `json:"element"`
	Text     nullable `json:"text"`
	Record   int64    `json:"record"` // of the first time; 0 outside of records
	Count    int64    `json:"count"`
}

func headOf(kind string, d *source.Document) reportHead {
	return reportHead{Schema: reportSchema, Kind: kind, Source: d.Path}
}

func safeTexts(list []string) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, safe.Text(s))
	}
	return out
}

func viewAggregateHead(d *source.Document, r *aggregate.Report) aggregateHead {
	h := aggregateHead{reportHead: headOf("aggregate", d), Format: string(r.Format), Policy: viewPublished(r.Policy), Notes: safeTexts(d.Notes), Errors: []string{}}
	m := r.Metadata
	h.ReportID, h.Reporter, h.Domain = nullable(m.ReportID), nullable(m.Reporter()), nullable(r.Policy.Domain)
	h.Begin, h.End = timeOrNull(m.Begin), timeOrNull(m.End)
	h.Email, h.ExtraContact, h.Generator = nullable(m.Email), nullable(m.ExtraContact.Text), nullable(m.Generator)
	for _, e := range m.Errors {
		h.Errors = append(h.Errors, safe.Text(e.Text))
	}
	return h
}

// known tells whether all is there that the head of an object says.
func known(r *aggregate.Report) bool {
	m := r.Metadata
	return m.ReportID != "" && m.Reporter() != "" && r.Policy.Domain != "" && !m.Begin.IsZero() && !m.End.IsZero()
}

func (p *jsonReports) aggregate(d *source.Document) (output, refused error) {
	p.buf = p.buf[:0]
	begun, headDone := false, false
	defer p.drop()
	spill := func() error {
		if len(p.buf) < heldJSON {
			return nil
		}
		if headDone {
			begun = true
			return p.flush(p.w)
		}
		if p.late == nil {
			f, err := os.CreateTemp("", "mailcheck-*")
			if err != nil {
				return err
			}
			os.Remove(f.Name())
			p.late = f
		}
		return p.flush(p.late)
	}
	n := 0
	rep, output, refused := readAggregate(d, func(r *aggregate.Report) error {
		if !known(r) {
			return nil // it stands behind the records, or nowhere
		}
		headDone = true
		return p.open(viewAggregateHead(d, r), "records")
	}, func(rec *aggregate.Record) error {
		if n++; n > 1 {
			p.buf = append(p.buf, ',')
		}
		p.buf = appendRecord(p.buf, rec)
		return spill()
	})
	if output != nil || refused != nil && !begun {
		return output, refused
	}
	if !headDone {
		records := p.buf
		p.buf = nil
		if err := p.open(viewAggregateHead(d, rep), "records"); err != nil {
			return err, nil
		}
		if p.late != nil {
			if err := p.flush(p.w); err != nil {
				return err, nil
			}
			if _, err := p.late.Seek(0, io.SeekStart); err != nil {
				return err, nil
			}
			if _, err := io.Copy(p.w, p.late); err != nil {
				return err, nil
			}
		}
		p.buf = append(p.buf, records...)
	}
	tail := aggregateTail{rep.Records, rep.Messages, rep.Complete && refused == nil, "", []diagnosticView{}}
	if refused != nil {
		tail.Rejected = nullable(refused.Error())
		refused = &printedError{refused}
	}
	for _, x := range rep.Diagnostics {
		tail.Diagnostics = append(tail.Diagnostics, diagnosticView{x.Code, x.Severity, nullable(x.Element), nullable(x.Text), x.Record, x.Count})
	}
	return p.close(tail), refused
}

// drop removes what was not used.
func (p *jsonReports) drop() {
	if p.late != nil {
		p.late.Close()
		p.late = nil
	}
}

func (p *jsonReports) flush(w io.Writer) error {
	_, err := w.Write(p.buf)
	p.buf = p.buf[:0]
	return err
}

// open writes the members of head, and the beginning of a list.
func (p *jsonReports) open(head any, list string) error {
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	p.buf = append(p.buf, safe.JSON(b[:len(b)-1])...)
	p.buf = append(p.buf, `,"`+list+`":[`...)
	return nil
}

// close ends the list, and writes the members of tail.
func (p *jsonReports) close(tail any) error {
	b, err := json.Marshal(tail)
	if err != nil {
		return err
	}
	p.buf = append(p.buf, "],"...)
	p.buf = append(p.buf, safe.JSON(b[1:])...)
	p.buf = append(p.buf, '\n')
	return p.flush(p.w)
}

// whole writes an object of one piece.
func (p *jsonReports) whole(v any) error {
	if err := p.value(v); err != nil {
		return err
	}
	_, err := io.WriteString(p.w, "\n")
	return err
}

// value writes a value on one line.
func (p *jsonReports) value(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	p.buf = append(p.buf[:0], safe.JSON(b)...)
	return p.flush(p.w)
}

func (p *jsonReports) rejected(path, reason string) error {
	return p.whole(rejectedView{reportSchema, "rejected", path, reason})
}

// appendRecord writes a record. There may be a million of them in one report, so
// it is not left to reflection.
func appendRecord(b []byte, r *aggregate.Record) []byte {
	b = append(b, `{"source_ip":`...)
	if r.SourceIP.IsValid() {
		b = append(append(b, '"'), r.SourceIP.String()...)
		b = append(b, '"')
	} else {
		b = appendText(b, r.SourceText)
	}
	b = append(b, `,"count":`...)
	b = strconv.AppendInt(b, r.Count, 10)
	b = member(b, "disposition", r.Evaluated.Disposition.String())
	b = member(b, "dkim", r.Evaluated.DKIM.String())
	b = member(b, "spf", r.Evaluated.SPF.String())
	b = append(b, `,"reasons":[`...)
	for i, x := range r.Evaluated.Reasons {
		b = element(b, i)
		b = appendText(append(b, `"type":`...), x.Type.String())
		b = member(b, "comment", x.Comment.Text)
		b = append(b, '}')
	}
	b = append(b, ']')
	b = member(b, "header_from", r.Identifiers.HeaderFrom)
	b = member(b, "envelope_from", r.Identifiers.EnvelopeFrom)
	b = member(b, "envelope_to", r.Identifiers.EnvelopeTo)
	b = append(b, `,"auth_results":{"dkim":[`...)
	for i, x := range r.DKIM {
		b = element(b, i)
		b = appendText(append(b, `"domain":`...), x.Domain)
		b = member(b, "selector", x.Selector)
		b = member(b, "result", x.Result.String())
		b = member(b, "human_result", x.Human.Text)
		b = append(b, '}')
	}
	b = append(b, `],"spf":[`...)
	for i, x := range r.SPF {
		b = element(b, i)
		b = appendText(append(b, `"domain":`...), x.Domain)
		b = member(b, "scope", x.Scope.String())
		b = member(b, "result", x.Result.String())
		b = member(b, "human_result", x.Human.Text)
		b = append(b, '}')
	}
	return append(b, "]}}"...)
}

func element(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return append(b, '{')
}

// member writes a member with a text, or null.
func member(b []byte, name, text string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendText(b, text)
}

// appendText writes a text, or null if it is empty.
func appendText(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			j, err := json.Marshal(safe.Text(s))
			if err != nil {
				return append(b, "null"...) // a string can always be marshalled
			}
			return append(b, safe.JSON(j)...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// tlsPolicyView is a policy of a TLS report.
type tlsPolicyView struct {
	Type       nullable         `json:"policy_type"`
	Domain     nullable         `json:"policy_domain"`
	Strings    []string         `json:"policy_string"`
	MXHosts    []string         `json:"mx_host"`
	Successful int64            `json:"successful_sessions"`
	Failed     int64            `json:"failed_sessions"`
	Failures   []tlsFailureView `json:"failure_details"`
}

type tlsFailureView struct {
	Type          nullable `json:"result_type"`
	SendingIP     nullable `json:"sending_mta_ip"`
	ReceivingMX   nullable `json:"receiving_mx_hostname"`
	ReceivingHELO nullable `json:"receiving_mx_helo"`
	ReceivingIP   nullable `json:"receiving_ip"`
	Sessions      int64    `json:"failed_sessions"`
	Info          nullable `json:"additional_information"`
	Reason        nullable `json:"failure_reason_code"`
}

func addrOr(a netip.Addr, text string) nullable {
	if a.IsValid() {
		return nullable(a.String())
	}
	return nullable(text)
}

func tlsDomain(d *source.Document, r *tlsrpt.Report) string {
	if d.Mail != nil && d.Mail.TLSDomain != "" {
		return d.Mail.TLSDomain
	}
	for _, p := range r.Policies {
		if p.Domain != "" {
			return p.Domain
		}
	}
	return ""
}

func (p *jsonReports) tls(d *source.Document, r *tlsrpt.Report) error {
	h := headOf("tls", d)
	h.ReportID, h.Reporter, h.Domain = nullable(r.ReportID), nullable(r.Reporter()), nullable(tlsDomain(d, r))
	h.Begin, h.End = timeOrNull(r.Begin), timeOrNull(r.End)
	v := tlsReportView{h, nullable(r.Contact), safeTexts(d.Notes), []tlsPolicyView{}, r.Complete, []diagnosticView{}}
	for _, x := range r.Policies {
		pv := tlsPolicyView{nullable(x.Type.String()), nullable(x.Domain), safeTexts(x.Strings), safeTexts(x.MXHosts), x.Successful, x.Failed, []tlsFailureView{}}
		for _, f := range x.Failures {
			pv.Failures = append(pv.Failures, tlsFailureView{nullable(f.Type.String()), addrOr(f.SendingIP, f.SendingIPText), nullable(f.ReceivingMX),
				nullable(f.ReceivingHELO), addrOr(f.ReceivingIP, f.ReceivingIPText), f.Sessions, nullable(f.AdditionalInfo), nullable(f.ReasonCode)})
		}
		v.Policies = append(v.Policies, pv)
	}
	for _, x := range r.Diagnostics {
		v.Diagnostics = append(v.Diagnostics, diagnosticView{x.Code, x.Severity, nullable(x.Element), nullable(x.Text), x.Record, x.Count})
	}
	return p.whole(v)
}

// failureRecordView is what a failure report has in common with a record.
type failureRecordView struct {
	SourceIP     nullable `json:"source_ip"`
	Count        int64    `json:"count"`
	HeaderFrom   nullable `json:"header_from"`
	EnvelopeFrom nullable `json:"envelope_from"`
	AuthFailure  []string `json:"auth_failure"`
	Alignment    []string `json:"identity_alignment"`
	Delivery     nullable `json:"delivery_result"`
	DKIMDomain   nullable `json:"dkim_domain"`
	DKIMSelector nullable `json:"dkim_selector"`
	AuthResults  []string `json:"authentication_results"`
	Arrived      nullable `json:"arrival_date"`
	Subject      nullable `json:"subject"`
	MessageID    nullable `json:"message_id"`
}

func wordTexts(list []failure.Word) []string {
	out := []string{}
	for _, w := range list {
		out = append(out, safe.Text(w.String()))
	}
	return out
}

func failureDomain(r *failure.Report) string {
	if len(r.ReportedDomain) > 0 {
		return r.ReportedDomain[0]
	}
	return ""
}

func (p *jsonReports) failure(d *source.Document, r *failure.Report) error {
	h := headOf("failure", d)
	h.Reporter, h.Domain = nullable(failureReporter(d, r)), nullable(failureDomain(r))
	h.Begin, h.End = timeOrNull(r.ArrivalDate), timeOrNull(r.ArrivalDate)
	v := failureReportView{h, nullable(r.FeedbackType.String()), safeTexts(d.Notes), nil, []diagnosticView{}}
	v.Records = []failureRecordView{{
		addrOr(r.SourceIP, r.SourceText), r.Incidents, nullable(r.OriginalField("From")), nullable(r.OriginalMailFrom),
		wordTexts(r.AuthFailure), wordTexts(r.IdentityAlignment), nullable(r.DeliveryResult.String()), nullable(r.DKIMDomain), nullable(r.DKIMSelector),
		safeTexts(r.AuthenticationResults), timeOrNull(r.ArrivalDate), nullable(r.OriginalField("Subject")), nullable(r.OriginalField("Message-ID")),
	}}
	for _, x := range r.Diagnostics {
		v.Diagnostics = append(v.Diagnostics, diagnosticView{x.Code, x.Severity, nullable(x.Element), nullable(x.Text), x.Record, x.Count})
	}
	return p.whole(v)
}

// failureReporter names who sent a failure report, which has no name in it.
func failureReporter(d *source.Document, r *failure.Report) string {
	if r.ReportingMTA != "" {
		return r.ReportingMTA
	}
	if d.Mail != nil {
		return d.Mail.From
	}
	return ""
}
