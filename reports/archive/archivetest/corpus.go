package archivetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// Document is a report as it comes in; one of its reports is not nil.
type Document struct {
	Origin    archive.Origin
	Aggregate *aggregate.Report
	Records   []*aggregate.Record
	Failure   *failure.Report
	TLS       *tlsrpt.Report
}

// Add gives the document to a batch.
func (d *Document) Add(ctx context.Context, b archive.Batch) (archive.Added, error) {
	switch {
	case d.Failure != nil:
		return b.Failure(ctx, d.Origin, d.Failure)
	case d.TLS != nil:
		return b.TLS(ctx, d.Origin, d.TLS)
	}
	return b.Aggregate(ctx, d.Origin, d.read)
}

func (d *Document) read(each func(*aggregate.Record) error) (*aggregate.Report, error) {
	for _, r := range d.Records {
		if err := each(r); err != nil {
			return d.Aggregate, err
		}
	}
	return d.Aggregate, nil
}

// Corpus makes documents; the same for the same seed. It begins with n common
// reports, and half as many that are odd follow, a large one and all that is
// there once.
func Corpus(seed uint64, n int) []*Document {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 7))}
	for range n {
		g.aggregate()
	}
	g.odd(n / 2)
	g.large()
	g.manyReporters()
	for i := range 12 {
		g.failure(i)
		g.tls(i)
	}
	return g.docs
}

type generator struct {
	*rand.Rand
	docs []*Document
}

var (
	start     = time.Date(2025, 11, 20, 0, 0, 0, 0, time.UTC) // 130 days, over a year's end and a short month
	domains   = []string{"example.org", "example.com", "mail.example.com", "shop.example", "xn--bcher-kva.example"}
	reporters = []string{"rcv.example", "google.example", "Outlook Example", "b.example", "c.example", "d.example", "e.example"}
	sources   = []string{"192.0.2.1", "192.0.2.2", "192.0.2.77", "198.51.100.9", "198.51.101.1", "203.0.113.200", "2001:db8::1", "2001:db8::2", "2001:db8:1::ff", "2001:db8:1:2::3"}
	spans     = []time.Duration{24 * time.Hour, 24*time.Hour - time.Second, 24*time.Hour - time.Second, 25 * time.Hour, 26 * time.Hour, 26*time.Hour + time.Second,
		0, time.Hour, 47 * time.Hour, 7 * 24 * time.Hour, 40 * 24 * time.Hour, 399 * 24 * time.Hour, 500 * 24 * time.Hour}
)

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

// add gives a document its origin.
func (g *generator) add(d *Document) *Document {
	d.Origin.Sum = archive.Sum(sha256.Sum256(fmt.Appendf(nil, "document %d", len(g.docs))))
	d.Origin.At = start.AddDate(0, 6, len(g.docs)%9)
	d.Origin.Path = fmt.Sprintf("box/%d!\x1b[31m.xml.gz", len(g.docs))
	d.Origin.From = "reports@rcv.example"
	d.Origin.Proof = pick(g, archive.Unproven, archive.Unproven, archive.Proven, archive.Proven, archive.Forged)
	d.Origin.Alien = g.IntN(12) == 0
	g.docs = append(g.docs, d)
	return d
}

func (g *generator) aggregate() *Document {
	span := spans[0]
	if g.IntN(3) == 0 {
		span = pick(g, spans...)
		if slow {
			span = min(span, 40*24*time.Hour)
		}
	}
	begin := start.Add(time.Duration(g.IntN(130*24)) * time.Hour)
	if g.IntN(2) == 0 {
		begin = begin.Truncate(24 * time.Hour)
	}
	who := pick(g, reporters...)
	r := &aggregate.Report{Format: aggregate.RFC7489, Complete: true}
	r.Metadata = aggregate.Metadata{OrgName: who, Email: "noreply@" + who, ReportID: fmt.Sprint(g.IntN(1000), "<!@>", len(g.docs)), Begin: begin, End: begin.Add(span)}
	r.Policy = aggregate.Published{Domain: pick(g, domains...), P: aggregate.Of(pick(g, aggregate.None, aggregate.Quarantine, aggregate.Reject)), Pct: "100"}
	if g.IntN(9) == 0 {
		r.Diagnostics = []aggregate.Diagnostic{{Code: aggregate.RawMarkup, Severity: aggregate.Repair, Text: "<\xff", Count: 3}}
		r.Policy.P = aggregate.Word[aggregate.Disposition]{Raw: "Nonsense"}
	}
	d := &Document{Aggregate: r}
	for range g.IntN(13) { // none is an empty report
		g.record(d)
	}
	return g.add(d)
}

func (g *generator) record(d *Document) *aggregate.Record {
	r := &aggregate.Record{Number: int64(len(d.Records) + 1), Count: int64(g.IntN(50)), SourceIP: netip.MustParseAddr(pick(g, sources...))}
	switch g.IntN(20) {
	case 0:
		r.SourceIP, r.SourceText = netip.Addr{}, pick(g, "", "108r.166.27.220")
	case 1:
		r.Count = 1_000_000_000
	}
	pass := func() aggregate.Word[aggregate.Result] { return aggregate.Of(pick(g, aggregate.Pass, aggregate.Fail)) }
	r.Evaluated = aggregate.Evaluated{Disposition: aggregate.Of(pick(g, aggregate.None, aggregate.None, aggregate.Quarantine, aggregate.Reject, aggregate.DMARCPass)),
		DKIM: pass(), SPF: pass()}
	if g.IntN(15) == 0 {
		r.Evaluated.Disposition = aggregate.Word[aggregate.Disposition]{Raw: "Delivered"}
	}
	for range g.IntN(6) / 4 {
		r.Evaluated.Reasons = append(r.Evaluated.Reasons, aggregate.Reason{Type: aggregate.Of(aggregate.LocalPolicy), Comment: aggregate.Text{Text: "arc=pass"}})
	}
	r.Identifiers = aggregate.Identifiers{HeaderFrom: d.Aggregate.Policy.Domain, EnvelopeFrom: pick(g, "", "bounce.example.com"), EnvelopeTo: pick(g, "", "", "rcpt.example")}
	if g.IntN(9) == 0 {
		r.Identifiers.HeaderFrom = "Sub." + d.Aggregate.Policy.Domain + "."
	}
	for range pick(g, 0, 1, 1, 2, 10) { // ten of few keys: some come twice, with other results
		r.DKIM = append(r.DKIM, aggregate.DKIM{Domain: pick(g, domains...), Selector: pick(g, "", "s1", "s2", "k1"), Result: pass()})
	}
	for range pick(g, 0, 1, 1, 2) {
		r.SPF = append(r.SPF, aggregate.SPF{Domain: "bounce.example.com", Scope: aggregate.Of(aggregate.MailFrom), Result: pass()})
	}
	d.Records = append(d.Records, r)
	d.sums()
	return r
}

// sums makes the sums of a report right.
func (d *Document) sums() {
	d.Aggregate.Records, d.Aggregate.Messages = int64(len(d.Records)), 0
	for _, r := range d.Records {
		d.Aggregate.Messages += r.Count
	}
}

// copy makes another document of a report; change changes it.
func (g *generator) copy(of *Document, change func(*Document)) {
	r := *of.Aggregate
	d := &Document{Aggregate: &r}
	for _, rec := range of.Records {
		d.Records = append(d.Records, rec.Clone())
	}
	change(d)
	d.sums()
	g.add(d)
}

// odd adds what needs another report to be odd.
func (g *generator) odd(n int) {
	reports := len(g.docs)
	for i := range n {
		of := g.docs[g.IntN(reports)]
		switch i % 10 {
		case 0: // other octets, same content
			g.copy(of, func(*Document) {})
		case 1: // same id, another range
			g.copy(of, func(d *Document) { d.Aggregate.Metadata.Begin = d.Aggregate.Metadata.Begin.Add(-time.Hour) })
		case 2: // same key: one more record, so that the later one counts
			g.copy(of, func(d *Document) { g.record(d) })
		case 3: // same key: one less
			g.copy(of, func(d *Document) { d.Records = d.Records[:max(0, len(d.Records)-1)] })
		case 4: // same key: as many records
			g.copy(of, func(d *Document) {
				for _, r := range d.Records {
					r.Count = max(0, r.Count+int64(g.IntN(3))-1)
				}
			})
		case 5: // same key, but not whole
			g.copy(of, func(d *Document) { g.record(d); d.Aggregate.Complete = false })
		case 6: // same key: another policy, and only the digest decides
			g.copy(of, func(d *Document) { d.Aggregate.Policy.SP = aggregate.Of(aggregate.Reject) })
		case 7: // without id, twice
			g.copy(of, func(d *Document) { d.Aggregate.Metadata.ReportID = "" })
			g.copy(g.docs[len(g.docs)-1], func(d *Document) { g.record(d) })
		case 8: // times no calendar has, end before begin
			g.copy(of, func(d *Document) { d.Aggregate.Metadata.Begin = time.Time{} })
			g.copy(of, func(d *Document) { d.Aggregate.Metadata.End = d.Aggregate.Metadata.Begin.Add(-50 * time.Hour) })
		case 9: // another reporter sees the same mail
			g.copy(of, func(d *Document) { d.Aggregate.Metadata.Email = "x@other.example" })
		}
	}
}

// large adds reports that no engine should hold in memory as a whole.
func (g *generator) large() {
	for _, span := range []time.Duration{5 * 24 * time.Hour, 24 * time.Hour} {
		d := g.aggregate()
		d.Aggregate.Metadata.End = d.Aggregate.Metadata.Begin.Add(span)
		for i := range 520 { // more than an engine will hold in memory
			r := g.record(d)
			if i%2 == 0 {
				r.SourceIP = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
			}
		}
		g.copy(d, func(*Document) {})
		g.copy(d, func(d *Document) { g.record(d) })
		if slow {
			return
		}
	}
}

// manyReporters adds one flow that more reporters saw than a Flow tells.
func (g *generator) manyReporters() {
	of := g.docs[0]
	for i := range archive.MaxFlowReporters + 9 {
		g.copy(of, func(d *Document) { d.Aggregate.Metadata.Email = fmt.Sprintf("x@r%d.example", i) })
	}
}

func (g *generator) failure(i int) {
	r := &failure.Report{ReportingMTA: pick(g, reporters...), ReportedDomain: []string{pick(g, domains...)}, ArrivalDate: start.AddDate(0, 0, i*5),
		SourceIP: netip.MustParseAddr(pick(g, sources...)), OriginalMailFrom: "<someone@Bounce.example.com>", DKIMDomain: "example.org", DKIMSelector: "s1", Incidents: int64(i)}
	if i%4 == 3 {
		r.ReportedDomain, r.ArrivalDate, r.SourceIP = nil, time.Time{}, netip.Addr{}
	}
	g.add(&Document{Failure: r})
	if i%5 == 0 {
		again := *r
		g.add(&Document{Failure: &again})
	}
}

func (g *generator) tls(i int) {
	begin := start.AddDate(0, 0, i*7)
	r := &tlsrpt.Report{Organization: pick(g, reporters...), Contact: "tls@" + pick(g, "rcv.example", "b.example"), ReportID: fmt.Sprint("tls-", i),
		Begin: begin, End: begin.Add(24*time.Hour - time.Second), Complete: i%5 != 4}
	for range g.IntN(4) {
		p := tlsrpt.Policy{Domain: pick(g, domains...), MXHosts: []string{"*.mx.example"}, Strings: []string{"version: STSv1", "mode: enforce"}, Successful: int64(g.IntN(9999)), Failed: int64(g.IntN(9))}
		p.Type.Value = pick(g, "sts", "tlsa", "no-policy-found")
		if p.Failed > 0 {
			f := tlsrpt.Failure{ReceivingMX: "mx.example.", SendingIP: netip.MustParseAddr("192.0.2.1"), Sessions: p.Failed, ReasonCode: "\x1b]0;x"}
			f.Type.Value = "certificate-expired"
			p.Failures = append(p.Failures, f)
		}
		r.Policies = append(r.Policies, p)
	}
	g.add(&Document{TLS: r})
	if i%4 == 0 { // same key, other content
		again := *r
		again.Policies = append(again.Policies[:len(again.Policies):len(again.Policies)], tlsrpt.Policy{Domain: domains[0], Successful: 1})
		g.add(&Document{TLS: &again})
	}
}
