package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const zone = `
example.org. 3600 IN MX 10 mail.example.org.
mail.example.org. 3600 IN A 192.0.2.25
example.org. 3600 IN TXT "v=spf1 ip4:192.0.2.25 -all"
example.org. 3600 IN TXT "sibling=1"
_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:d@example.org"
`

var (
	domain = resolve.MustName("example.org")
	at     = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

func gather(t testing.TB, z *zonetest.Zone) *facts.Snapshot {
	t.Helper()
	return facts.Gather(context.Background(), z, domain, facts.Options{Now: func() time.Time { return at }, Resolver: "test"})
}

// rule makes a rule that does what check says.
func rule(id audit.ID, needs facts.Set, check func(c *audit.Case)) audit.Rule {
	return audit.Rule{ID: id, Slug: "a-" + strings.ToLower(string(id)), Title: "title", Severity: audit.Warning, Needs: needs, Check: check,
		Doc: audit.Doc{Remedy: "do it"}, Refs: []audit.Ref{{RFC: 7208, Section: "4.6.4", Level: audit.Must}}}
}

func report(c *audit.Case) { c.Report(audit.TXT(domain), "seen") }

func TestOutcomes(t *testing.T) {
	broken := zonetest.MustParse(zone)
	broken.Inject(domain, resolve.TypeTXT, zonetest.Fault{RCode: resolve.ServFail})
	for _, tt := range []struct {
		name  string
		zone  *zonetest.Zone
		needs facts.Set
		check func(c *audit.Case)
		want  audit.Outcome
		text  string // in the reason
	}{
		{"nothing to say", zonetest.MustParse(zone), 0, func(*audit.Case) {}, audit.Pass, ""},
		{"finding", zonetest.MustParse(zone), facts.SPF, report, audit.Fail, ""},
		{"not applicable", zonetest.MustParse(zone), 0, func(c *audit.Case) { c.NotApplicable("no %s", "x") }, audit.NotApplicable, "no x"},
		{"unknown", zonetest.MustParse(zone), 0, func(c *audit.Case) { c.Unknown("half") }, audit.Unknown, "half"},
		{"what is proven stays proven", zonetest.MustParse(zone), 0, func(c *audit.Case) { c.Unknown("half"); report(c) }, audit.Fail, "incomplete: half"},
		{"a needed fact is unavailable", broken, facts.SPF, report, audit.Unknown, "SPF record could not be read"},
		{"another fact is not", broken, facts.MX, report, audit.Fail, ""},
		{"a rule that panics costs only itself", zonetest.MustParse(zone), 0, func(*audit.Case) { panic("oops") }, audit.Unknown, "oops"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := audit.Run(gather(t, tt.zone), []audit.Rule{rule("SPF900", tt.needs, tt.check)}, audit.Options{})
			if len(r.Rules) != 1 || r.Rules[0].Outcome != tt.want || !strings.Contains(r.Rules[0].Reason, tt.text) {
				t.Fatalf("rules = %+v", r.Rules)
			}
			if (len(r.Findings) > 0) != (tt.want == audit.Fail) || r.Incomplete() != (tt.want == audit.Unknown) {
				t.Errorf("findings %v, incomplete %v", r.Findings, r.Incomplete())
			}
		})
	}
}

func TestFindingCarriesEvidence(t *testing.T) {
	r := audit.Run(gather(t, zonetest.MustParse(zone)), []audit.Rule{rule("SPF900", 0, report)}, audit.Options{})
	f := r.Findings[0]
	if len(f.Evidence) != 1 {
		t.Fatalf("evidence = %+v", f.Evidence)
	}
	e := f.Evidence[0]
	if e.Name != domain || e.Type != resolve.TypeTXT || e.RCode != "NOERROR" || e.Server == "" || e.State != resolve.Present ||
		len(e.Records) != 2 || !strings.Contains(e.Records[0]+e.Records[1], `"v=spf1 ip4:192.0.2.25 -all"`) {
		t.Errorf("evidence = %+v", e)
	}
	if f.Fix == nil || f.Fix.Text != "do it" || f.Refs[0].Section != "4.6.4" || f.Title != "title" {
		t.Errorf("finding = %+v", f)
	}
}

func TestEvidenceOfFailure(t *testing.T) {
	z := zonetest.MustParse(zone)
	z.Inject(domain, resolve.TypeTXT, zonetest.Fault{RCode: resolve.ServFail})
	r := audit.Run(gather(t, z), []audit.Rule{rule("SPF900", 0, report)}, audit.Options{})
	if e := r.Findings[0].Evidence[0]; e.State != resolve.Unavailable || e.RCode != "SERVFAIL" || e.Error == "" {
		t.Errorf("evidence = %+v", e)
	}
}

func TestFingerprint(t *testing.T) {
	n := 0
	counting := rule("SPF900", 0, func(c *audit.Case) {
		n++
		c.Report(audit.TXT(domain), "%d lookups", n)
		c.Report(audit.TXT(domain).WithTerm("ptr"), "ptr")
	})
	s := gather(t, zonetest.MustParse(zone))
	a := audit.Run(s, []audit.Rule{counting}, audit.Options{}).Findings
	b := audit.Run(s, []audit.Rule{counting}, audit.Options{}).Findings
	if a[0].Fingerprint != b[0].Fingerprint || a[0].Message == b[0].Message {
		t.Errorf("%q and %q: the fingerprint must not depend on the message", a[0].Fingerprint, b[0].Fingerprint)
	}
	if a[0].Fingerprint == a[1].Fingerprint {
		t.Error("two subjects share a fingerprint")
	}
}

func TestRepairBecomesAWholeRecordSet(t *testing.T) {
	x := rule("SPF900", 0, report)
	x.Repair = func(*facts.Snapshot, audit.Finding) []fix.Edit {
		return []fix.Edit{{Name: domain, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: "v=spf1 ip4:192.0.2.25 -all", Value: "v=spf1 -all", Why: "x"}}
	}
	c := audit.Run(gather(t, zonetest.MustParse(zone)), []audit.Rule{x}, audit.Options{}).Findings[0].Fix.Changes
	if len(c) != 1 || c[0].Verb != fix.Update || !reflect.DeepEqual(c[0].New, []string{`"v=spf1 -all"`, `"sibling=1"`}) {
		t.Errorf("changes = %+v", c)
	}
	// An edit of a record that is not there any more is no advice.
	x.Repair = func(*facts.Snapshot, audit.Finding) []fix.Edit {
		return []fix.Edit{{Name: domain, Type: resolve.TypeTXT, Op: fix.RemoveRecord, Record: "gone"}}
	}
	if f := audit.Run(gather(t, zonetest.MustParse(zone)), []audit.Rule{x}, audit.Options{}).Findings[0].Fix; len(f.Changes) != 0 || f.Text == "" {
		t.Errorf("fix = %+v", f)
	}
}

// A hostile record can make a rule report thousands of times.
func TestFindingsAreBounded(t *testing.T) {
	many := rule("SPF900", 0, func(c *audit.Case) {
		for range 5000 {
			report(c)
		}
	})
	r := audit.Run(gather(t, zonetest.MustParse(zone)), []audit.Rule{many}, audit.Options{})
	if len(r.Findings) != audit.MaxFindings || !strings.Contains(r.Rules[0].Reason, "4980 more") {
		t.Errorf("%d findings, reason %q", len(r.Findings), r.Rules[0].Reason)
	}
}

func TestSelection(t *testing.T) {
	a, b := rule("SPF900", 0, report), rule("MX900", 0, report)
	a.Aliases = []string{"former-name"}
	s := gather(t, zonetest.MustParse(zone))
	for _, tt := range []struct {
		only, skip []string
		want       int
	}{{nil, nil, 2}, {[]string{"spf"}, nil, 1}, {[]string{"SPF900", "a-mx900"}, nil, 2}, {nil, []string{"MX"}, 1}, {[]string{"former-name"}, nil, 1}, {[]string{"spf"}, []string{"spf900"}, 0}} {
		if r := audit.Run(s, []audit.Rule{a, b}, audit.Options{Only: tt.only, Skip: tt.skip}); len(r.Rules) != tt.want {
			t.Errorf("only %v, skip %v: %d rules, want %d", tt.only, tt.skip, len(r.Rules), tt.want)
		}
	}
}

func TestSeverities(t *testing.T) {
	low := rule("SPF901", 0, func(c *audit.Case) { c.Report(audit.TXT(domain), "x").At(audit.Notice) })
	high := rule("SPF902", 0, func(c *audit.Case) { c.Report(audit.TXT(domain), "x").At(audit.Error) })
	r := audit.Run(gather(t, zonetest.MustParse(zone)), []audit.Rule{low, high}, audit.Options{})
	if r.Findings[0].Rule != "SPF902" || r.Worst() != audit.Error || r.Rules[0].Severity != audit.Notice {
		t.Errorf("findings %+v, rules %+v", r.Findings, r.Rules)
	}
	r = audit.Run(gather(t, zonetest.MustParse(zone)), []audit.Rule{low}, audit.Options{Severities: map[audit.ID]audit.Severity{"SPF901": audit.Error}})
	if r.Worst() != audit.Error {
		t.Errorf("policy did not override: %+v", r.Findings)
	}
}

func TestSuppression(t *testing.T) {
	meta := []audit.Rule{
		rule("SPF900", 0, report), rule("MX900", 0, func(*audit.Case) {}),
		{ID: audit.SuppressionExpired, Slug: "x-expired", Severity: audit.Warning}, {ID: audit.SuppressionUnused, Slug: "x-unused", Severity: audit.Notice},
	}
	for _, tt := range []struct {
		name string
		s    audit.Suppression
		want string // "suppressed", or the ID of the finding about the suppression
	}{
		{"by ID", audit.Suppression{Rule: "SPF900", Reason: "r"}, "suppressed"},
		{"by slug", audit.Suppression{Rule: "a-spf900", Reason: "r", Domain: "example.org"}, "suppressed"},
		{"by pattern", audit.Suppression{Rule: "SPF900", Reason: "r", Domain: "*.org", Subject: "example.*"}, "suppressed"},
		{"still holds", audit.Suppression{Rule: "SPF900", Reason: "r", Expires: at.Add(time.Second)}, "suppressed"},
		{"expired", audit.Suppression{Rule: "SPF900", Reason: "r", Expires: at}, "CFG001"},
		{"no such finding", audit.Suppression{Rule: "MX900", Reason: "r"}, "CFG002"},
		{"no such subject", audit.Suppression{Rule: "SPF900", Reason: "r", Subject: "other.*"}, "CFG002"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sup, err := audit.NewSuppressor([]audit.Suppression{tt.s})
			if err != nil {
				t.Fatal(err)
			}
			r := audit.Run(gather(t, zonetest.MustParse(zone)), meta, audit.Options{Suppressor: sup})
			sup.Unused(&r, meta)
			got := ""
			for _, f := range r.Findings {
				if f.Suppressed != nil {
					got = "suppressed"
				} else if strings.HasPrefix(string(f.Rule), "CFG") {
					got = string(f.Rule)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q: %+v", got, tt.want, r.Findings)
			}
			if tt.want == "suppressed" && r.Worst() != 0 {
				t.Errorf("a suppressed finding counts: %v", r.Worst())
			}
		})
	}
	if _, err := audit.NewSuppressor([]audit.Suppression{{Rule: "SPF900"}}); err == nil {
		t.Error("a suppression without a reason was taken")
	}
	if _, err := audit.NewSuppressor([]audit.Suppression{{Rule: "SPF900", Reason: "r", Subject: "["}}); err == nil {
		t.Error("a broken pattern was taken")
	}
}

// An unused suppression of a rule that could not decide may still be needed.
func TestUnusedIsNotClaimedOfTheUnknown(t *testing.T) {
	list := []audit.Rule{rule("SPF900", facts.SPF, report), {ID: audit.SuppressionUnused, Slug: "x-unused", Severity: audit.Notice}}
	sup, _ := audit.NewSuppressor([]audit.Suppression{{Rule: "SPF900", Reason: "r"}})
	z := zonetest.MustParse(zone)
	z.Inject(domain, resolve.TypeTXT, zonetest.Fault{RCode: resolve.Refused})
	r := audit.Run(gather(t, z), list, audit.Options{Suppressor: sup})
	sup.Unused(&r, list)
	if len(r.Findings) != 0 {
		t.Errorf("findings = %+v", r.Findings)
	}
}

func TestProfileNeverClaimsCompliance(t *testing.T) {
	p := audit.Profile{ID: "p", Requirements: []audit.Requirement{
		{ID: "dns", Rules: []audit.ID{"SPF900"}}, {ID: "mail"}, {ID: "either", Any: [][]audit.ID{{"SPF901"}, {"SPF900"}}},
	}}
	good, bad := rule("SPF900", 0, func(*audit.Case) {}), rule("SPF901", 0, report)
	r := audit.Run(gather(t, zonetest.MustParse(zone)), []audit.Rule{good, bad}, audit.Options{Profiles: []audit.Profile{p}})
	got := r.Profiles[0]
	if got.Verdict == audit.Met || got.Requirements[0].Verdict != audit.Met || got.Requirements[1].Verdict != audit.NotInDNS || got.Requirements[2].Verdict != audit.Met {
		t.Errorf("profile = %+v", got)
	}
	// A rule that was not run decides nothing.
	r = audit.Run(gather(t, zonetest.MustParse(zone)), []audit.Rule{bad}, audit.Options{Profiles: []audit.Profile{p}})
	if v := r.Profiles[0].Requirements[0].Verdict; v != audit.Undecided {
		t.Errorf("verdict without its rule = %v", v)
	}
}

func TestReportSurvivesJSON(t *testing.T) {
	r := audit.Run(gather(t, zonetest.MustParse(zone)), []audit.Rule{rule("SPF900", 0, report)}, audit.Options{})
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back audit.Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(back)
	if !bytes.Equal(b, again) {
		t.Errorf("not the same after a round trip:\n%s\n%s", b, again)
	}
}

func TestWords(t *testing.T) {
	for _, s := range []audit.Severity{audit.Notice, audit.Warning, audit.Error} {
		if got, err := audit.ParseSeverity(strings.ToUpper(s.String())); err != nil || got != s {
			t.Errorf("ParseSeverity(%v) = %v, %v", s, got, err)
		}
	}
	if _, err := audit.ParseSeverity("fatal"); err == nil {
		t.Error("fatal is no severity")
	}
	if got := (audit.Ref{RFC: 7208, Section: "4.6.4", Level: audit.Must}).String(); got != "RFC 7208, Section 4.6.4 (MUST)" {
		t.Errorf("Ref = %q", got)
	}
}

// A key of two domains is seen by the run over both, in the order of the reports.
func TestFleet(t *testing.T) {
	const key = ` 60 IN TXT "v=DKIM1; k=ed25519; p=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="` + "\n"
	z := zonetest.MustParse("s1._domainkey.a.example." + key + "s2._domainkey.b.example." + key +
		"s1._domainkey.c.example. 60 IN CNAME s1._domainkey.a.example.\n")
	list := []audit.Rule{{ID: audit.KeyShared, Slug: "x-shared", Severity: audit.Notice, Doc: audit.Doc{Remedy: "r"}}}
	run := func(opt audit.Options) []audit.Finding {
		var fleet audit.Fleet
		var out []audit.Finding
		for _, n := range []string{"a.example", "b.example", "c.example"} { // c has it from a, by an alias
			fleet.Note(facts.Gather(context.Background(), z, resolve.MustName(n), facts.Options{Selectors: []string{"s1", "s2"}}))
		}
		for _, n := range []string{"b.example", "a.example", "c.example"} {
			r := audit.Report{Domain: resolve.MustName(n)}
			fleet.Report(&r, list, opt)
			out = append(out, r.Findings...)
		}
		return out
	}
	got := run(audit.Options{})
	if len(got) != 1 || got[0].Subject.Name.String() != "s1._domainkey.a.example" || !strings.Contains(got[0].Message, "b.example") {
		t.Fatalf("findings = %+v", got)
	}
	if got := run(audit.Options{Skip: []string{"DKIM"}}); len(got) != 0 {
		t.Errorf("skipped, and yet: %+v", got)
	}
	sup, err := audit.NewSuppressor([]audit.Suppression{{Rule: "DKIM020", Domain: "a.example", Reason: "one team"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := run(audit.Options{Suppressor: sup}); len(got) != 1 || got[0].Suppressed == nil {
		t.Errorf("not suppressed: %+v", got)
	}
}
