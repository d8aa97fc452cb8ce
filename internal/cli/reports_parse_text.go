package cli

import (
	"fmt"
	"io"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/source"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// textReports prints reports for a person.
type textReports struct {
	s Streams
	w io.Writer
	n int
}

// maxShownRecords bounds the records of a text; the other formats have all.
const maxShownRecords = 50

func (p *textReports) end() error { return nil }

func (p *textReports) sheet(d *source.Document, kind string) *sheet {
	sh := newSheet(p.s)
	if p.n++; p.n > 1 {
		sh.WriteByte('\n')
	}
	sh.para("%s: %s", kind, safe.Limit(d.Path, 300))
	return sh
}

func (p *textReports) aggregate(d *source.Document) (output, refused error) {
	var shown []string
	rep, output, refused := readAggregate(d, func(*aggregate.Report) error { return nil }, func(rec *aggregate.Record) error {
		if len(shown) < maxShownRecords {
			shown = append(shown, recordLine(rec))
		}
		return nil
	})
	if output != nil || refused != nil {
		return output, refused
	}
	sh := p.sheet(d, "DMARC aggregate report")
	m := rep.Metadata
	sh.field("Reporter", "%s", dash(nullable(m.Reporter())))
	sh.field("Report id", "%s", dash(nullable(safe.Limit(m.ReportID, 200))))
	sh.field("Period", "%s to %s", dash(timeOrNull(m.Begin)), dash(timeOrNull(m.End)))
	sh.field("Policy", "%s: p=%s%s", dash(nullable(rep.Policy.Domain)), dash(nullable(rep.Policy.P.String())), optional(" sp=", rep.Policy.SP.String())+
		optional(" np=", rep.Policy.NP.String())+optional(" adkim=", rep.Policy.ADKIM.String())+optional(" aspf=", rep.Policy.ASPF.String()))
	sh.field("Messages", "%s in %s", count(rep.Messages, "message", "messages"), count(rep.Records, "record", "records"))
	for _, x := range rep.Diagnostics {
		if x.Severity == aggregate.Loss {
			sh.field("Lost", "%s", x.String())
		} else if x.Severity == aggregate.Repair {
			sh.field("Repaired", "%s", x.String())
		}
	}
	for _, l := range shown {
		sh.item("%s", l)
	}
	if more := rep.Records - int64(len(shown)); more > 0 {
		sh.item("and %s: -o json or -o csv has all", count(more, "record", "records"))
	}
	return sh.flush(p.w), nil
}

func optional(label, value string) string {
	if value == "" {
		return ""
	}
	return label + value
}

// recordLine is a record for a person.
func recordLine(r *aggregate.Record) string {
	ip := r.SourceText
	if r.SourceIP.IsValid() {
		ip = r.SourceIP.String()
	}
	s := fmt.Sprintf("%s from %s as %s: %s, DKIM %s, SPF %s", count(r.Count, "message", "messages"), dash(nullable(ip)), dash(nullable(r.Identifiers.HeaderFrom)),
		dash(nullable(r.Evaluated.Disposition.String())), dash(nullable(r.Evaluated.DKIM.String())), dash(nullable(r.Evaluated.SPF.String())))
	s += optional("; DKIM ", dkimTexts(r.DKIM)) + optional("; SPF ", spfTexts(r.SPF)) + optional("; because ", reasonTexts(r.Evaluated.Reasons))
	return safe.Limit(s, 500)
}

func (p *textReports) tls(d *source.Document, r *tlsrpt.Report) error {
	sh := p.sheet(d, "SMTP TLS report")
	sh.field("Reporter", "%s", dash(nullable(r.Reporter())))
	sh.field("Report id", "%s", dash(nullable(safe.Limit(r.ReportID, 200))))
	sh.field("Period", "%s to %s", dash(timeOrNull(r.Begin)), dash(timeOrNull(r.End)))
	for _, x := range r.Policies {
		sh.field("Policy", "%s for %s: %s, %s failed", dash(nullable(x.Type.String())), dash(nullable(x.Domain)), count(x.Successful, "session", "sessions"), grouped(uint64(max(x.Failed, 0))))
		for _, f := range x.Failures[:min(len(x.Failures), maxShownRecords)] {
			sh.item("%s: %s at %s", dash(nullable(f.Type.String())), count(f.Sessions, "session", "sessions"), dash(nullable(f.ReceivingMX)))
		}
	}
	return sh.flush(p.w)
}

func (p *textReports) failure(d *source.Document, r *failure.Report) error {
	sh := p.sheet(d, "DMARC failure report")
	sh.field("Reporter", "%s", dash(nullable(failureReporter(d, r))))
	sh.field("Domain", "%s", dash(nullable(failureDomain(r))))
	sh.field("Arrived", "%s", dash(timeOrNull(r.ArrivalDate)))
	sh.field("Source", "%s", dash(addrOr(r.SourceIP, r.SourceText)))
	sh.field("From", "%s", dash(nullable(r.OriginalField("From"))))
	for _, w := range r.AuthFailure {
		sh.field("Failed", "%s", w.String())
	}
	return sh.flush(p.w)
}

func (p *textReports) rejected(string, string) error { return nil } // standard error has it
