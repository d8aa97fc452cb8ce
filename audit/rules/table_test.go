package rules

import (
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var idForm = regexp.MustCompile(`^(SPF|DKIM|DMARC|MX|DNS|IP|TLS|STS|TLSRPT|DANE|NS|DNSSEC|DNSBL|BIMI|CFG)\d{3}$`)
var slugForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)

// TestTable refuses a row that is not complete. Truncation is no matter of zone
// text, so DNS003 has its own test.
func TestTable(t *testing.T) {
	ids, slugs := map[audit.ID]bool{}, map[string]bool{}
	order := []string{}
	for _, r := range All() {
		if !idForm.MatchString(string(r.ID)) || ids[r.ID] {
			t.Errorf("%s: malformed or double ID", r.ID)
		}
		ids[r.ID] = true
		for _, s := range append([]string{r.Slug}, r.Aliases...) {
			if !slugForm.MatchString(s) || slugs[s] {
				t.Errorf("%s: malformed or double slug %q", r.ID, s)
			}
			slugs[s] = true
		}
		if f := r.Family(); len(order) == 0 || order[len(order)-1] != f {
			if slices.Contains(order, f) {
				t.Errorf("%s: family %s is not in one run", r.ID, f)
			}
			order = append(order, f)
		}
		for name, text := range map[string]string{"Title": r.Title, "Impact": r.Doc.Impact, "Remedy": r.Doc.Remedy, "Since": r.Since} {
			if strings.TrimSpace(text) == "" || strings.Contains(text, "TODO") {
				t.Errorf("%s: %s is empty", r.ID, name)
			}
		}
		if strings.HasSuffix(r.Title, ".") || len(r.Title) > 80 {
			t.Errorf("%s: title %q ends with a full stop or is too long", r.ID, r.Title)
		}
		if r.Severity < audit.Notice || r.Severity > audit.Error || len(r.Refs) == 0 {
			t.Errorf("%s: no severity or no reference", r.ID)
		}
		if r.Check == nil && r.Family() != "CFG" && r.ID != audit.KeyShared {
			t.Errorf("%s: no check", r.ID)
		}
		if r.Check != nil && r.ID != "DNS003" && (len(r.Doc.Bad) == 0 || len(r.Doc.Good) == 0) {
			t.Errorf("%s: needs a bad and a good scenario", r.ID)
		}
	}
}

// TestScenarios runs each rule's own zones through the whole table.
func TestScenarios(t *testing.T) {
	for _, r := range All() {
		for i, s := range r.Doc.Bad {
			t.Run(string(r.ID)+"/bad/"+string(rune('0'+i)), func(t *testing.T) {
				t.Parallel()
				zone, report := try(t, s)
				got := find(report, r.ID)
				if len(got) == 0 {
					t.Fatalf("no finding; outcome %q, all findings: %v", report.Outcome(r.ID), ids(report))
				}
				for _, f := range got {
					if f.Message == "" || f.Fix == nil || f.Fix.Text == "" || f.Fingerprint == "" {
						t.Errorf("incomplete finding %+v", f)
					}
					if len(f.Evidence) == 0 {
						t.Errorf("no evidence for %s: %s", f.Subject, f.Message)
					}
				}
				repairs(t, r, s, zone, report, got)
			})
		}
		for i, s := range r.Doc.Good {
			t.Run(string(r.ID)+"/good/"+string(rune('0'+i)), func(t *testing.T) {
				t.Parallel()
				_, report := try(t, s)
				if got := find(report, r.ID); len(got) > 0 {
					t.Errorf("finding: %s", got[0].Message)
				}
				if o := report.Outcome(r.ID); o == audit.Unknown {
					t.Errorf("outcome unknown: a good scenario must be decidable")
				}
			})
		}
	}
}

// repairs applies the changes of the findings: they must go, no new error may
// come, and nothing more may be proposed.
func repairs(t *testing.T, r audit.Rule, s audit.Scenario, zone *zonetest.Zone, before audit.Report, got []audit.Finding) {
	var changes []fix.Change
	for _, f := range got {
		for _, c := range f.Fix.Changes {
			if i := slices.IndexFunc(changes, func(x fix.Change) bool { return x.Name == c.Name && x.Type == c.Type }); i < 0 {
				changes = append(changes, c)
			}
		}
	}
	if len(changes) == 0 {
		return
	}
	for _, c := range changes {
		z, err := zonetest.Parse(strings.Join(c.Zone(), "\n")+"\n", zonetest.Options{World: true})
		if err != nil {
			t.Fatalf("the change is no zone text: %v\n%s", err, strings.Join(c.Zone(), "\n"))
		}
		zone = zone.Replace(c.Name, c.Type, z.Records(c.Name, c.Type))
	}
	after := run(t, s, zone)
	left := find(after, r.ID)
	if s.Unfixable {
		return
	}
	if len(left) >= len(got) {
		t.Errorf("the repair leaves the finding: %s\nchange: %v", left[0].Message, changes[0].New)
	}
	for _, f := range after.Findings {
		if f.Severity == audit.Error && len(find(before, f.Rule)) == 0 {
			t.Errorf("the repair brings a new error %s: %s", f.Rule, f.Message)
		}
	}
}

func try(t *testing.T, s audit.Scenario) (*zonetest.Zone, audit.Report) {
	t.Helper()
	z, err := zonetest.Parse(digest(t, s), zonetest.Options{World: true, File: "scenario"})
	if err != nil {
		t.Fatalf("zone: %v", err)
	}
	for _, f := range s.Faults {
		inject(t, z, f)
	}
	return z, run(t, s, z)
}

func inject(t *testing.T, z *zonetest.Zone, line string) {
	t.Helper()
	w := strings.Fields(line)
	if len(w) != 3 {
		t.Fatalf("fault %q is not: name type fault", line)
	}
	var typ resolve.Type
	if err := typ.UnmarshalText([]byte(w[1])); err != nil {
		t.Fatal(err)
	}
	faults := map[string]zonetest.Fault{"servfail": {RCode: resolve.ServFail}, "refused": {RCode: resolve.Refused}, "timeout": {Timeout: true}}
	f, ok := faults[w[2]]
	if !ok {
		t.Fatalf("fault %q is not known", w[2])
	}
	z.Inject(resolve.MustName(w[0]), typ, f)
}

func run(t *testing.T, s audit.Scenario, z *zonetest.Zone) audit.Report {
	t.Helper()
	domain := s.Domain
	if domain == "" {
		domain = "example.org"
	}
	opt := facts.Options{Selectors: s.Selectors, HELO: s.HELO, Now: func() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }}
	for _, a := range s.Addresses {
		opt.Addresses = append(opt.Addresses, netip.MustParseAddr(a))
	}
	world(t, s, &opt)
	ctx, cancel := context.WithTimeout(context.Background(), patience(s))
	defer cancel()
	return audit.Run(facts.Gather(ctx, z, resolve.MustName(domain), opt), All(), audit.Options{Profiles: Profiles()})
}

func find(r audit.Report, id audit.ID) []audit.Finding {
	var out []audit.Finding
	for _, f := range r.Findings {
		if f.Rule == id {
			out = append(out, f)
		}
	}
	return out
}

func ids(r audit.Report) []audit.ID {
	var out []audit.ID
	for _, f := range r.Findings {
		out = append(out, f.Rule)
	}
	return out
}

// patience is short where only DNS is asked, as a fault may be a time-out.
func patience(s audit.Scenario) time.Duration {
	if s.Hosts == nil {
		return 2 * time.Second
	}
	return 10 * time.Second
}
