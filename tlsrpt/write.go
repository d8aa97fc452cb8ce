package tlsrpt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// ErrWrite matches the error of every report that cannot be written.
var ErrWrite = errors.New("tlsrpt: cannot be written")

type jsonReport struct {
	Organization string       `json:"organization-name"`
	Range        jsonRange    `json:"date-range"`
	Contact      string       `json:"contact-info"`
	ReportID     string       `json:"report-id"`
	Policies     []jsonPolicy `json:"policies"`
}

type jsonRange struct {
	Start string `json:"start-datetime"`
	End   string `json:"end-datetime"`
}

type jsonPolicy struct {
	Policy struct {
		Type    string   `json:"policy-type"`
		Strings []string `json:"policy-string,omitempty"`
		Domain  string   `json:"policy-domain"`
		MXHosts []string `json:"mx-host,omitempty"`
	} `json:"policy"`
	Summary struct {
		Successful int64 `json:"total-successful-session-count"`
		Failed     int64 `json:"total-failure-session-count"`
	} `json:"summary"`
	Failures []jsonFailure `json:"failure-details,omitempty"`
}

type jsonFailure struct {
	Type           string `json:"result-type"`
	SendingIP      string `json:"sending-mta-ip,omitempty"`
	ReceivingMX    string `json:"receiving-mx-hostname,omitempty"`
	ReceivingHELO  string `json:"receiving-mx-helo,omitempty"`
	ReceivingIP    string `json:"receiving-ip,omitempty"`
	Sessions       int64  `json:"failed-session-count"`
	AdditionalInfo string `json:"additional-information,omitempty"`
	ReasonCode     string `json:"failure-reason-code,omitempty"`
}

// Write writes a report as RFC 8460, Section 4.4 has it, mx-host as the list of
// its erratum 6241. It fails when a member that is required is missing. Result
// types are written in their own spelling if they are not known: their registry
// is open.
func Write(w io.Writer, r *Report) error {
	out := jsonReport{
		Organization: r.Organization, Contact: r.Contact, ReportID: r.ReportID,
		Range:    jsonRange{r.Begin.UTC().Format(time.RFC3339), r.End.UTC().Format(time.RFC3339)},
		Policies: []jsonPolicy{},
	}
	for _, member := range []struct {
		name  string
		there bool
	}{
		{"organization-name", r.Organization != ""}, {"contact-info", r.Contact != ""}, {"report-id", r.ReportID != ""},
		{"date-range", !r.Begin.IsZero() && !r.End.IsZero()}, {"policies", len(r.Policies) > 0},
	} {
		if !member.there {
			return fmt.Errorf("%w: %s is required", ErrWrite, member.name)
		}
	}
	for i, p := range r.Policies {
		if p.Type.Value == "" || p.Domain == "" {
			return fmt.Errorf("%w: policy %d: policy-type and policy-domain are required", ErrWrite, i+1)
		}
		var j jsonPolicy
		j.Policy.Type, j.Policy.Strings, j.Policy.Domain, j.Policy.MXHosts = p.Type.Value, p.Strings, p.Domain, p.MXHosts
		j.Summary.Successful, j.Summary.Failed = p.Successful, p.Failed
		for _, f := range p.Failures {
			if f.Type.String() == "" {
				return fmt.Errorf("%w: policy %d: result-type is required", ErrWrite, i+1)
			}
			j.Failures = append(j.Failures, jsonFailure{
				Type: f.Type.String(), SendingIP: text(f.SendingIP), ReceivingIP: text(f.ReceivingIP),
				ReceivingMX: f.ReceivingMX, ReceivingHELO: f.ReceivingHELO, Sessions: f.Sessions,
				AdditionalInfo: f.AdditionalInfo, ReasonCode: f.ReasonCode,
			})
		}
		out.Policies = append(out.Policies, j)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
