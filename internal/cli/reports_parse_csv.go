package cli

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/source"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// csvReports prints a table with a line for each record, policy of a TLS report,
// failure report, and input that was rejected. A report without records has a line
// too.
type csvReports struct {
	w    *csv.Writer
	line []string
	head [8]string // of the report that is being printed
}

var csvColumns = []string{"kind", "source", "report_id", "reporter", "domain", "begin", "end", "p",
	"source_ip", "count", "disposition", "dkim", "spf", "reasons", "header_from", "envelope_from", "envelope_to", "dkim_results", "spf_results",
	"policy_type", "policy_domain", "successful_sessions", "failed_sessions", "failures", "rejected"}

func newCSVReports(w io.Writer) *csvReports {
	p := &csvReports{w: csv.NewWriter(w), line: make([]string, len(csvColumns))}
	// An error stays in the writer, and end returns it.
	_ = p.w.Write(csvColumns)
	return p
}

func (p *csvReports) end() error {
	p.w.Flush()
	return p.w.Error()
}

// row writes a line: the head of the report, and what is given by column.
func (p *csvReports) row(cells map[string]string) error {
	for i, name := range csvColumns {
		if i < len(p.head) {
			p.line[i] = safe.CSV(p.head[i])
		} else {
			p.line[i] = safe.CSV(cells[name])
		}
	}
	return p.w.Write(p.line)
}

func (p *csvReports) begin(h reportHead, policy string) {
	p.head = [8]string{h.Kind, h.Source, string(h.ReportID), string(h.Reporter), string(h.Domain), string(h.Begin), string(h.End), policy}
}

func (p *csvReports) aggregate(d *source.Document) (output, refused error) {
	n := 0
	rep, output, refused := readAggregate(d, func(r *aggregate.Report) error {
		p.begin(viewAggregateHead(d, r).reportHead, r.Policy.P.String())
		return nil
	}, func(rec *aggregate.Record) error {
		n++
		return p.record(rec)
	})
	if output == nil && refused == nil && n == 0 {
		p.begin(viewAggregateHead(d, rep).reportHead, rep.Policy.P.String())
		output = p.row(nil)
	}
	return output, refused
}

// record writes a record. There may be a million of them.
func (p *csvReports) record(r *aggregate.Record) error {
	l := p.line[:0]
	for _, v := range p.head {
		l = append(l, safe.CSV(v))
	}
	ip := r.SourceText
	if r.SourceIP.IsValid() {
		ip = r.SourceIP.String()
	}
	l = append(l, safe.CSV(ip), strconv.FormatInt(r.Count, 10), safe.CSV(r.Evaluated.Disposition.String()),
		safe.CSV(r.Evaluated.DKIM.String()), safe.CSV(r.Evaluated.SPF.String()), safe.CSV(reasonTexts(r.Evaluated.Reasons)),
		safe.CSV(r.Identifiers.HeaderFrom), safe.CSV(r.Identifiers.EnvelopeFrom), safe.CSV(r.Identifiers.EnvelopeTo),
		safe.CSV(dkimTexts(r.DKIM)), safe.CSV(spfTexts(r.SPF)), "", "", "", "", "", "")
	return p.w.Write(l)
}

func reasonTexts(list []aggregate.Reason) string {
	var out []string
	for _, x := range list {
		s := x.Type.String()
		if x.Comment.Text != "" {
			s += " (" + x.Comment.Text + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func dkimTexts(list []aggregate.DKIM) string {
	var out []string
	for _, x := range list {
		s := x.Result.String() + " " + x.Domain
		if x.Selector != "" {
			s += " s=" + x.Selector
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func spfTexts(list []aggregate.SPF) string {
	var out []string
	for _, x := range list {
		s := x.Result.String() + " " + x.Domain
		if x.Scope.String() != "" {
			s += " " + x.Scope.String()
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func (p *csvReports) tls(d *source.Document, r *tlsrpt.Report) error {
	h := headOf("tls", d)
	h.ReportID, h.Reporter, h.Domain = nullable(r.ReportID), nullable(r.Reporter()), nullable(tlsDomain(d, r))
	h.Begin, h.End = timeOrNull(r.Begin), timeOrNull(r.End)
	p.begin(h, "")
	if len(r.Policies) == 0 {
		return p.row(nil)
	}
	for _, x := range r.Policies {
		var fails []string
		for _, f := range x.Failures {
			fails = append(fails, strings.TrimSpace(f.Type.String()+" "+f.ReceivingMX+" "+strconv.FormatInt(f.Sessions, 10)))
		}
		if err := p.row(map[string]string{
			"policy_type": x.Type.String(), "policy_domain": x.Domain, "failures": strings.Join(fails, "; "),
			"successful_sessions": strconv.FormatInt(x.Successful, 10), "failed_sessions": strconv.FormatInt(x.Failed, 10),
		}); err != nil {
			return err
		}
	}
	return nil
}

func (p *csvReports) failure(d *source.Document, r *failure.Report) error {
	h := headOf("failure", d)
	h.Reporter, h.Domain = nullable(failureReporter(d, r)), nullable(failureDomain(r))
	h.Begin, h.End = timeOrNull(r.ArrivalDate), timeOrNull(r.ArrivalDate)
	p.begin(h, "")
	return p.row(map[string]string{
		"source_ip": string(addrOr(r.SourceIP, r.SourceText)), "count": strconv.FormatInt(r.Incidents, 10), "disposition": r.DeliveryResult.String(),
		"header_from": r.OriginalField("From"), "envelope_from": r.OriginalMailFrom, "reasons": strings.Join(wordTexts(r.AuthFailure), "; "),
	})
}

func (p *csvReports) rejected(path, reason string) error {
	p.begin(reportHead{Kind: "rejected", Source: path}, "")
	return p.row(map[string]string{"rejected": reason})
}
