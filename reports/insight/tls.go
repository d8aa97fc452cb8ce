package insight

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// TLS tells how TLS went on the way to the owner's mail exchangers (RFC 8460).
type TLS struct {
	Window     Window      `json:"window"`
	Successful int64       `json:"successful_sessions"`
	Failed     int64       `json:"failed_sessions"`
	Share      *float64    `json:"success_share"`
	Policies   []TLSPolicy `json:"policies"`
}

// TLSPolicy is a policy that senders applied.
type TLSPolicy struct {
	Domain     string       `json:"domain"`
	Type       string       `json:"type"` // tlsa, sts, no-policy-found, or as written
	Successful int64        `json:"successful_sessions"`
	Failed     int64        `json:"failed_sessions"`
	Share      *float64     `json:"success_share"`
	Reports    int64        `json:"reports"`
	Reporters  []string     `json:"reporters"`
	MXHosts    []string     `json:"mx_hosts"`
	First      Date         `json:"first"`
	Last       Date         `json:"last"`
	Failures   []TLSFailure `json:"failures"`
}

// TLSFailure is one way in which sessions failed at one mail exchanger.
type TLSFailure struct {
	Type        string   `json:"type"`
	ReceivingMX string   `json:"receiving_mx"`
	Sessions    int64    `json:"sessions"`
	First       Date     `json:"first"`
	Last        Date     `json:"last"`
	Reporters   []string `json:"reporters"`
	Reasons     []string `json:"reasons"` // foreign text
	Advice      string   `json:"advice"`
}

// tlsAdvice says what a failure type asks for (RFC 8460, Section 4.3).
var tlsAdvice = map[string]string{
	"starttls-not-supported":       "the mail exchanger does not offer STARTTLS, or something between strips it",
	"certificate-host-mismatch":    "the certificate does not have the name of the mail exchanger, or the MTA-STS policy does not list it",
	"certificate-expired":          "renew the certificate, and reload the mail server",
	"certificate-not-trusted":      "send the whole chain, of an authority that senders know",
	"validation-failure":           "see what the reason codes say; the sender gave no other type",
	"tlsa-invalid":                 "no TLSA record fits the certificate: publish the new one before the certificate changes",
	"dnssec-invalid":               "the DNSSEC signatures of the zone do not hold: senders defer the mail",
	"dane-required":                "the sender wants DANE, and the TLSA records could not be used",
	"sts-policy-fetch-error":       "the policy could not be fetched from https://mta-sts.DOMAIN/.well-known/mta-sts.txt",
	"sts-policy-invalid":           "the MTA-STS policy is malformed",
	"sts-webpki-invalid":           "the certificate of the policy host mta-sts.DOMAIN is not valid",
	"sts-certificate-error":        "the certificate of the policy host mta-sts.DOMAIN is not valid",
	"sts-certificate-host-invalid": "the certificate does not have the name of the mail exchanger",
}

// maxTLSLists bounds lists of names.
const maxTLSLists = 50

// TLS sums up the TLS reports.
func (q Query) TLS(ctx context.Context) (*TLS, error) {
	out := &TLS{Policies: []TLSPolicy{}}
	at := map[[2]string]*TLSPolicy{}
	var first, last time.Time
	for s, err := range q.Archive.Sessions(ctx, q.filter()) {
		if err != nil {
			return nil, err
		}
		begin, end := date(s.Report.Begin), date(s.Report.End.Add(-time.Second))
		if end.Before(begin.Time) {
			end = begin
		}
		span(&first, &last, begin.Time, end.Time)
		p := at[[2]string{s.Domain, s.Type}]
		if p == nil {
			p = &TLSPolicy{Domain: s.Domain, Type: s.Type, Reporters: []string{}, MXHosts: []string{}, Failures: []TLSFailure{}}
			at[[2]string{s.Domain, s.Type}] = p
		}
		p.add(s, begin, end)
		out.Successful += s.Successful
		out.Failed += s.Failed
	}
	for _, p := range at {
		p.Share = share(p.Successful, p.Successful+p.Failed)
		slices.SortFunc(p.Failures, func(a, b TLSFailure) int {
			return cmp.Or(cmp.Compare(b.Sessions, a.Sessions), strings.Compare(a.Type, b.Type), strings.Compare(a.ReceivingMX, b.ReceivingMX))
		})
		out.Policies = append(out.Policies, *p)
	}
	slices.SortFunc(out.Policies, func(a, b TLSPolicy) int {
		return cmp.Or(cmp.Compare(b.Failed, a.Failed), cmp.Compare(b.Successful, a.Successful), strings.Compare(a.Domain, b.Domain), strings.Compare(a.Type, b.Type))
	})
	out.Share = share(out.Successful, out.Successful+out.Failed)
	out.Window = Window{date(first), date(last)}
	return out, nil
}

func (p *TLSPolicy) add(s *archive.Session, begin, end Date) {
	p.Successful += s.Successful
	p.Failed += s.Failed
	p.Reports++
	p.Reporters = add(p.Reporters, maxTLSLists, s.Report.Reporter)
	p.MXHosts = add(p.MXHosts, maxTLSLists, s.MXHosts...)
	widen(&p.First, &p.Last, begin, end)
	for _, f := range s.Failures {
		i := slices.IndexFunc(p.Failures, func(x TLSFailure) bool { return x.Type == f.Type && x.ReceivingMX == f.ReceivingMX })
		if i < 0 {
			i = len(p.Failures)
			p.Failures = append(p.Failures, TLSFailure{Type: f.Type, ReceivingMX: f.ReceivingMX, Reporters: []string{}, Reasons: []string{}, Advice: tlsAdvice[f.Type]})
		}
		x := &p.Failures[i]
		x.Sessions += f.Sessions
		x.Reporters = add(x.Reporters, maxTLSLists, s.Report.Reporter)
		x.Reasons = add(x.Reasons, 5, f.Reason)
		widen(&x.First, &x.Last, begin, end)
	}
}

func widen(first, last *Date, a, b Date) { span(&first.Time, &last.Time, a.Time, b.Time) }
