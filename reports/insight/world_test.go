package insight

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
)

// row is a record in short.
type row struct {
	ip    string
	count int64
	// aligned results
	dkim, spf bool
	from      string // header_from; empty: the policy domain
	envelope  string // SPF domain
	result    string // SPF result
	sigs      []sig
	reason    string
	comment   string
	did       string // disposition; empty: none
}

type sig struct{ domain, selector, result string }

// paper is a report in short.
type paper struct {
	reporter, domain, p, t string
	day                    string
	days                   int // 0: 1
	rows                   []row
	forged, alien          bool
}

func at(day string) time.Time {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return t
}

func (p paper) report() (*aggregate.Report, []*aggregate.Record) {
	begin := at(p.day)
	r := &aggregate.Report{
		Metadata: aggregate.Metadata{OrgName: p.reporter, Email: "dmarc@" + p.reporter, ReportID: p.day + "." + p.domain, Begin: begin, End: begin.AddDate(0, 0, max(p.days, 1)).Add(-time.Second)},
		Policy:   aggregate.Published{Domain: p.domain, P: aggregate.Of(aggregate.Disposition(p.p)), Testing: aggregate.Of(aggregate.Testing(p.t))},
		Complete: true,
	}
	var recs []*aggregate.Record
	for i, x := range p.rows {
		rec := &aggregate.Record{Number: int64(i + 1), Count: x.count}
		if a, err := netip.ParseAddr(x.ip); err == nil {
			rec.SourceIP = a
		} else {
			rec.SourceText = x.ip
		}
		word := func(b bool) aggregate.Word[aggregate.Result] {
			if b {
				return aggregate.Of(aggregate.Pass)
			}
			return aggregate.Of(aggregate.Fail)
		}
		did := aggregate.Disposition(x.did)
		if did == "" {
			did = aggregate.None
		}
		rec.Evaluated = aggregate.Evaluated{Disposition: aggregate.Of(did), DKIM: word(x.dkim), SPF: word(x.spf)}
		if x.reason != "" {
			rec.Evaluated.Reasons = []aggregate.Reason{{Type: aggregate.Of(aggregate.Override(x.reason)), Comment: aggregate.Text{Text: x.comment}}}
		}
		rec.Identifiers.HeaderFrom = x.from
		if x.from == "" {
			rec.Identifiers.HeaderFrom = p.domain
		}
		if x.envelope != "" {
			rec.Identifiers.EnvelopeFrom = x.envelope
			rec.SPF = []aggregate.SPF{{Domain: x.envelope, Scope: aggregate.Of(aggregate.MailFrom), Result: aggregate.Of(aggregate.Result(x.result))}}
		}
		for _, s := range x.sigs {
			rec.DKIM = append(rec.DKIM, aggregate.DKIM{Domain: s.domain, Selector: s.selector, Result: aggregate.Of(aggregate.Result(s.result))})
		}
		recs = append(recs, rec)
		r.Records++
		r.Messages += x.count
	}
	return r, recs
}

func store(t testing.TB, papers ...paper) archive.Store {
	t.Helper()
	s := memory.New()
	b, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range papers {
		r, recs := p.report()
		o := archive.Origin{Sum: sha256.Sum256(fmt.Append(nil, i)), Alien: p.alien, At: at(p.day)}
		if p.forged {
			o.Proof = archive.Forged
		}
		added, err := b.Aggregate(context.Background(), o, func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
			for _, rec := range recs {
				if err := each(rec); err != nil {
					return r, err
				}
			}
			return r, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Input(context.Background(), archive.Input{At: at(p.day), Path: "x", Kind: archive.Aggregate, Outcome: added.Outcome, Report: added.ID, Rows: added.Rows, Messages: added.Messages}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	return s
}

// The sources of example.org in the tests, each with the mail of a day.
var (
	ownHost  = row{ip: "192.0.2.10", count: 50, dkim: true, spf: true, envelope: "example.org", result: "pass", sigs: []sig{{"example.org", "s1", "pass"}}}
	grid     = row{ip: "167.89.1.1", count: 5, envelope: "em1.sendgrid.net", result: "pass", sigs: []sig{{"sendgrid.net", "smtpapi", "pass"}}}
	forward  = row{ip: "198.51.100.20", count: 2, dkim: true, envelope: "example.org", result: "fail", sigs: []sig{{"example.org", "s1", "pass"}}}
	listMail = row{ip: "203.0.113.40", count: 1, envelope: "lists.example.net", result: "pass", sigs: []sig{{"example.org", "s1", "fail"}}}
	arcMail  = row{ip: "209.85.220.41", count: 1, envelope: "gmail.com", result: "pass", sigs: []sig{{"example.org", "s1", "fail"}}, reason: "local_policy", comment: "arc=pass"}
	spoof    = row{ip: "203.0.113.200", count: 30, envelope: "example.org", result: "fail"}
)

// world is two weeks of example.org at p=none, with the rows of each day added.
func world(extra func(reporter string, day int) []row) []paper {
	var out []paper
	for d := range 14 {
		for _, who := range []string{"google.com", "dmarc.yahoo.com", "example.net"} {
			p := paper{reporter: who, domain: "example.org", p: "none", day: at("2026-10-05").AddDate(0, 0, d).Format(time.DateOnly), rows: []row{ownHost}}
			if extra != nil {
				p.rows = append(p.rows, extra(who, d)...)
			}
			out = append(out, p)
		}
	}
	return out
}

func TestWorldAddsUp(t *testing.T) {
	q := Query{Archive: store(t, world(nil)...)}
	l, err := q.Ledger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !l.AddsUp || l.Messages != 14*3*50 || l.New != 42 || l.Reports != 42 {
		t.Errorf("ledger %+v", l)
	}
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func withReporters(list []paper, names ...string) []paper {
	for i := range list {
		list[i].reporter = names[i%len(names)]
	}
	return list
}

func withCount(list []paper, n int64) []paper {
	for i := range list {
		list[i].rows = []row{ownHost}
		list[i].rows[0].count = n
	}
	return list
}

// withPolicy has another policy from a day on.
func withPolicy(list []paper, p string, from int) []paper {
	for i := range list {
		if i/3 >= from {
			list[i].p = p
		}
	}
	return list
}

func allForged(list []paper) []paper {
	for i := range list {
		list[i].forged = true
	}
	return list
}
