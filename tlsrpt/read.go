package tlsrpt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Limits bound what one report may cost. Zero means the default.
type Limits struct {
	Bytes    int64 // octets of the document
	Policies int
	Failures int // of one policy
	Text     int // octets of one value
}

// Default limits. RFC 8460 has none; reports are a day's policies of one domain.
const (
	DefaultBytes    = 16 << 20
	DefaultPolicies = 10_000
	DefaultFailures = 100_000
	DefaultText     = 8 << 10
)

const (
	maxCount       = math.MaxInt64
	maxDiagnostics = 64
	maxQuote       = 80
	maxStrings     = 1000    // lines of a policy
	maxContainers  = 500_000 // objects and lists of a document
)

// Options tune [Read]. The zero value is fine.
type Options struct {
	Limits Limits
}

// Read reads one report. Errors are *[Error].
func Read(r io.Reader, opt Options) (*Report, error) {
	l := opt.Limits
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Policies <= 0 {
		l.Policies = DefaultPolicies
	}
	if l.Failures <= 0 {
		l.Failures = DefaultFailures
	}
	if l.Text <= 0 {
		l.Text = DefaultText
	}
	b, err := io.ReadAll(io.LimitReader(r, l.Bytes+1))
	if int64(len(b)) > l.Bytes {
		return nil, &Error{Reason: ErrLimit, Detail: fmt.Sprintf("more than %d octets", l.Bytes)}
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &Error{Reason: ErrRead, Err: err}
	}
	p := &reader{limits: l, report: &Report{Complete: true}}
	v, err := p.decode(b)
	if err != nil {
		return nil, err
	}
	if err := p.read(v); err != nil {
		return nil, err
	}
	return p.report, nil
}

type reader struct {
	limits Limits
	report *Report
	policy int64 // that is being read, counted from 1
}

func (p *reader) note(code, element, text string) {
	rep := p.report
	for i := range rep.Diagnostics {
		if d := &rep.Diagnostics[i]; d.Code == code && d.Element == element {
			d.Count++
			return
		}
	}
	sev := severities[code]
	if sev == "" {
		sev = Repair
	}
	if sev == Loss {
		rep.Complete = false
	}
	if len(rep.Diagnostics) < maxDiagnostics {
		rep.Diagnostics = append(rep.Diagnostics, Diagnostic{Code: code, Severity: sev, Element: element, Text: shorten(text, maxQuote), Record: p.policy, Count: 1})
	}
}

// decode reads the JSON, mended if need be.
func (p *reader) decode(b []byte) (any, error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if len(b) == 0 {
		return nil, &Error{Reason: ErrNotReport, Detail: "empty document"}
	}
	if b[0] != '{' && b[0] != '[' {
		return nil, &Error{Reason: ErrNotReport, Detail: "no JSON object"}
	}
	if bytes.Count(b, []byte("{"))+bytes.Count(b, []byte("[")) > maxContainers {
		return nil, &Error{Reason: ErrLimit, Detail: fmt.Sprintf("more than %d objects and lists", maxContainers)}
	}
	v, err := parseJSON(b)
	if err == nil {
		return v, nil
	}
	mended, cut := mend(b)
	v, again := parseJSON(mended)
	if again != nil {
		e := &Error{Reason: ErrSyntax, Err: err}
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			e.Offset = syntax.Offset
		}
		return nil, e
	}
	if cut {
		p.note(Truncated, "", "")
	} else {
		p.note(JSONForm, "", err.Error())
	}
	return v, nil
}

func parseJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	// What follows the value is looked at by nobody; a second value is rare.
	return v, nil
}

// read takes the meaning of the document.
func (p *reader) read(v any) error {
	if list, ok := v.([]any); ok && len(list) > 0 {
		p.note(TypeForm, "", "list of reports")
		if v = list[0]; len(list) > 1 {
			p.note(SecondReport, "", strconv.Itoa(len(list)))
		}
	}
	top, ok := p.object(v, "", "organization-name", "date-range", "contact-info", "report-id", "policies")
	if !ok || !top.has("policies", "report-id", "date-range", "organization-name") {
		return &Error{Reason: ErrNotReport, Detail: "none of the members of RFC 8460, Section 4.4"}
	}
	rep := p.report
	rep.Organization = top.text("organization-name")
	rep.Contact = top.text("contact-info")
	rep.ReportID = strings.Trim(top.text("report-id"), "<>")
	if rep.ReportID == "" {
		p.note(MissingMember, "report-id", "")
	}
	if dates, ok := p.object(top.m["date-range"], "date-range", "start-datetime", "end-datetime"); ok {
		rep.Begin, rep.End = dates.time("start-datetime"), dates.time("end-datetime")
	} else {
		p.note(MissingMember, "date-range", "")
	}
	if !rep.Begin.IsZero() && !rep.End.IsZero() && !rep.End.After(rep.Begin) {
		p.note(EmptySpan, "date-range", "")
	}
	list := top.list("policies") // RFC 8460, Section 4: a list, even of one
	if len(list) > p.limits.Policies {
		p.note(TooMany, "policies", "")
		list = list[:p.limits.Policies]
	}
	for _, item := range list {
		p.policy++
		p.readPolicy(item)
	}
	p.policy = 0
	if len(rep.Policies) == 0 {
		p.note(NoPolicies, "policies", "")
	}
	return nil
}

func (p *reader) readPolicy(v any) {
	item, ok := p.object(v, "policies", "policy", "summary", "failure-details")
	if !ok {
		p.note(TypeBad, "policies", fmt.Sprint(v))
		return
	}
	var out Policy
	if pol, ok := p.object(item.m["policy"], "policies/policy", "policy-type", "policy-string", "policy-domain", "mx-host"); ok {
		out.Type = pol.word("policy-type", policyTypes)
		out.Strings = pol.strings("policy-string")
		out.Domain = domain(pol.text("policy-domain"))
		out.MXHosts = pol.strings("mx-host")
		if out.Domain == "" {
			p.note(MissingMember, "policies/policy/policy-domain", "")
		}
	} else {
		p.note(MissingMember, "policies/policy", "")
	}
	if sum, ok := p.object(item.m["summary"], "policies/summary", "total-successful-session-count", "total-failure-session-count"); ok {
		out.Successful, out.Failed = sum.count("total-successful-session-count"), sum.count("total-failure-session-count")
	} else {
		p.note(MissingMember, "policies/summary", "")
	}
	list := item.list("failure-details")
	if len(list) > p.limits.Failures {
		p.note(TooMany, "policies/failure-details", "")
		list = list[:p.limits.Failures]
	}
	for _, f := range list {
		p.readFailure(&out, f)
	}
	p.report.Policies = append(p.report.Policies, out)
}

func (p *reader) readFailure(pol *Policy, v any) {
	const path = "policies/failure-details"
	o, ok := p.object(v, path, "result-type", "sending-mta-ip", "receiving-mx-hostname", "receiving-mx-helo",
		"receiving-ip", "failed-session-count", "additional-information", "failure-reason-code")
	if !ok {
		p.note(TypeBad, path, fmt.Sprint(v))
		return
	}
	f := Failure{
		Type:           o.word("result-type", resultTypes),
		ReceivingMX:    domain(o.text("receiving-mx-hostname")),
		ReceivingHELO:  o.text("receiving-mx-helo"),
		Sessions:       o.count("failed-session-count"),
		AdditionalInfo: o.text("additional-information"),
		ReasonCode:     o.text("failure-reason-code"),
	}
	f.SendingIP, f.SendingIPText = o.addr("sending-mta-ip")
	f.ReceivingIP, f.ReceivingIPText = o.addr("receiving-ip")
	if _, ok := o.m["failed-session-count"]; !ok {
		p.note(MissingMember, path+"/failed-session-count", "")
	}
	if f.Sessions > pol.Failed {
		p.note(SumsDiffer, path+"/failed-session-count", "")
	}
	pol.Failures = append(pol.Failures, f)
}
