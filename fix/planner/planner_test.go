package planner_test

import (
	"bufio"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/planner"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

const corpus = "../../../shared/corpus/dns"

var day = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func build(t *testing.T, zone, domain string, a planner.Answers) (*planner.Result, *zonetest.Zone) {
	t.Helper()
	z := world(zone)
	res, err := planner.Build(context.Background(), resolve.MustName(domain), options(z, a))
	if err != nil {
		t.Fatal(err)
	}
	return res, z
}

func world(text string) *zonetest.Zone {
	z, err := zonetest.Parse(text, zonetest.Options{World: true})
	if err != nil {
		panic(err)
	}
	return z
}

func options(r resolve.Resolver, a planner.Answers) planner.Options {
	return planner.Options{Resolver: r, Rules: rules.All(), Answers: a, Tool: "mailcheck test", Now: func() time.Time { return day },
		Facts: facts.Options{Now: func() time.Time { return day }}}
}

func newKey(t *testing.T, selector string) planner.Key {
	t.Helper()
	k, err := keys.Generate(keys.Options{Type: "ed25519"})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := k.Record()
	if err != nil {
		t.Fatal(err)
	}
	return planner.Key{Key: setup.Key{Selector: selector, Type: "ed25519", File: "keys/" + selector + ".pem"}, Record: rec}
}

const story = `$ORIGIN example.org.
@ 3600 IN SOA ns1 admin 1 7200 3600 1209600 3600
@ NS ns1
ns1 A 192.0.2.53
@ MX 10 mail
mail A 192.0.2.25
@ 3600 TXT "v=spf1 ip4:192.0.0.0/16 mx ~all"
@ 3600 TXT "site-verification=kept \"byte\" for byte"
`

// SPF that is too wide, no DKIM, no DMARC: one plan has everything.
func TestStory(t *testing.T) {
	res, z := build(t, story, "example.org", planner.Answers{
		ReportTo: "dmarc@example.org", Keys: []planner.Key{newKey(t, "mc202611")}, Server: "rspamd",
		Evidence: &narrow.Evidence{Days: 60, Hosts: []narrow.Host{{IP: netip.MustParseAddr("192.0.2.25"), Count: 20000, Legitimate: true}}},
	})
	p := res.Plan
	var got []string
	for _, s := range p.Steps {
		got = append(got, s.ID)
	}
	want := []string{"dkim-1", "sign-1", "spf-1", "dmarc-1", "tls-1", "stage-1", "stage-2", "stage-3"}
	if !slices.Equal(got, want) {
		t.Fatalf("steps %v, want %v", got, want)
	}
	by := map[string]fix.Step{}
	for _, s := range p.Steps {
		by[s.ID] = s
	}
	if c := by["spf-1"].Change; len(c.New) != 2 || c.New[1] != c.Old[1] || strings.Contains(c.New[0], "/16") {
		t.Errorf("SPF: %q to %q", c.Old, c.New)
	}
	if got := by["dmarc-1"].Change.New; len(got) != 1 || got[0] != `"v=DMARC1; p=none; rua=mailto:dmarc@example.org"` {
		t.Errorf("DMARC %q", got)
	}
	if d := by["dmarc-1"].Depends; len(d) > 0 {
		t.Errorf("p=none waits for %v", d)
	}
	if d := by["stage-1"].Depends; !slices.Contains(d, "sign-1") || !slices.Contains(d, "spf-1") || !slices.Contains(d, "dmarc-1") {
		t.Errorf("the first stage depends on %v", d)
	}
	if m := by["sign-1"].Manual; len(m) < 2 {
		t.Errorf("signing: %v", m)
	}
	for i, id := range []string{"stage-1", "stage-2", "stage-3"} {
		s := by[id]
		if s.Gate == nil || !s.Gate.NotBefore.Equal(day.Add(time.Duration(i+1)*14*24*time.Hour)) || s.Risk != fix.High {
			t.Errorf("%s: %+v", id, s.Gate)
		}
	}
	if by["stage-1"].Change.Old[0] != by["dmarc-1"].Change.New[0] || by["stage-2"].Change.Old[0] != by["stage-1"].Change.New[0] {
		t.Error("the stages do not start where the step before ends")
	}
	if len(p.After) >= len(p.Before) {
		t.Errorf("%d findings before, %d after", len(p.Before), len(p.After))
	}
	roundTrip(t, p)
	applied(t, z, res)
}

func roundTrip(t *testing.T, p *fix.Plan) {
	t.Helper()
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	q, err := fix.DecodePlan(b)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := q.Encode(); string(c) != string(b) {
		t.Errorf("a plan read and written is another:\n%s\n%s", b, c)
	}
}

// applied publishes the plan and audits the zone: what the plan says is true.
func applied(t *testing.T, z *zonetest.Zone, res *planner.Result) {
	t.Helper()
	for _, c := range res.Plan.Changes() {
		rs, err := c.NewRecords()
		if err != nil {
			t.Fatal(err)
		}
		z = z.Replace(c.Name, c.Type, rs)
	}
	again, err := planner.Build(context.Background(), res.Plan.Domain, options(z, planner.Answers{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range again.Before.Findings {
		if !slices.ContainsFunc(res.Before.Findings, func(o audit.Finding) bool { return o.Rule == f.Rule }) && f.Severity.String() == "error" {
			t.Errorf("the plan brought %s: %s", f.Rule, f.Message)
		}
	}
	if cs := again.Plan.Changes(); len(cs) > 0 {
		t.Errorf("after the plan there is still %v", cs)
	}
}

func TestPark(t *testing.T) {
	res, z := build(t, "example.org. SOA ns1.example.org. a.example.org. 1 1 1 1 300\nexample.org. NS ns1.example.org.\nns1.example.org. A 192.0.2.1\n",
		"example.org", planner.Answers{Park: true})
	var got []string
	for _, c := range res.Plan.Changes() {
		got = append(got, c.Zone()...)
	}
	want := []string{"example.org. 3600 IN MX 0 .", `example.org. 3600 IN TXT "v=spf1 -all"`, `_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=reject; sp=reject; np=reject"`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	applied(t, z, res)
}

func TestAnswers(t *testing.T) {
	z := world(story)
	for name, a := range map[string]planner.Answers{
		"park with senders": {Park: true, Senders: []string{"mx"}},
		"park with MX":      {Park: true},
		"report address":    {ReportTo: "not an address"},
		"sender":            {Senders: []string{"ip4:999"}},
		"selector":          {Keys: []planner.Key{{Key: setup.Key{Selector: "a..b"}}}},
	} {
		if _, err := planner.Build(context.Background(), resolve.MustName("example.org"), options(z, a)); !errors.Is(err, planner.ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := planner.Build(context.Background(), resolve.MustName("nowhere.example"), options(z, planner.Answers{})); !errors.Is(err, planner.ErrNoDomain) {
		t.Errorf("no domain: %v", err)
	}
}

func TestSenders(t *testing.T) {
	for _, c := range []struct {
		name string
		a    planner.Answers
		want string // the SPF record in the plan; empty if it does not change
	}{
		{"passes already", planner.Answers{Senders: []string{"ip4:192.0.2.9"}}, ""},
		{"is there already", planner.Answers{Senders: []string{"mx"}}, ""},
		{"is missing", planner.Answers{Senders: []string{"ip4:198.51.100.7", "include:_spf.example.net"}}, `"v=spf1 ip4:192.0.0.0/16 mx ip4:198.51.100.7 include:_spf.example.net ~all"`},
		{"complete", planner.Answers{Senders: []string{"mx", "ip4:192.0.2.9"}, Complete: true}, `"v=spf1 mx ip4:192.0.2.9 ~all"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, _ := build(t, story+"_spf.example.net. TXT \"v=spf1 ip4:203.0.113.0/24 -all\"\n", "example.org", c.a)
			got := ""
			for _, ch := range res.Plan.Changes() {
				if ch.Type == resolve.TypeTXT && ch.Name.String() == "example.org" {
					got = ch.New[0]
				}
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A record behind an alias is somebody else's.
func TestAlias(t *testing.T) {
	res, _ := build(t, story+"_dmarc CNAME example-org.dmarc.example.net.\nexample-org.dmarc.example.net. TXT \"v=DMARC1; p=none; pct=50\"\n", "example.org",
		planner.Answers{ReportTo: "dmarc@example.org"})
	for _, c := range res.Plan.Changes() {
		if strings.HasPrefix(c.Name.String(), "_dmarc") {
			t.Errorf("a change behind an alias: %v", c)
		}
	}
	if !slices.ContainsFunc(res.Plan.Decisions, func(d fix.Decision) bool { return strings.Contains(d.Why, "alias of example-org.dmarc.example.net") }) {
		t.Errorf("nobody is told: %+v", res.Plan.Decisions)
	}
}

func TestNoGuess(t *testing.T) {
	z := world(story)
	z.Inject(resolve.MustName("_dmarc.example.org"), resolve.TypeTXT, zonetest.Fault{RCode: resolve.ServFail})
	res, err := planner.Build(context.Background(), resolve.MustName("example.org"), options(z, planner.Answers{ReportTo: "dmarc@example.org"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range res.Plan.Changes() {
		if strings.HasPrefix(c.Name.String(), "_dmarc") {
			t.Errorf("a change on a guess: %v", c)
		}
	}
	if len(res.Plan.Unknown) == 0 {
		t.Error("the plan does not say what is unknown")
	}
}

// For every broken domain of the corpus there is a plan or a decision for each
// finding, and applying it removes what it says and adds no error.
func TestBroken(t *testing.T) {
	path := filepath.Join(corpus, "realworld-broken.zone")
	if _, err := os.Stat(path); err != nil {
		t.Skip("the captured zones are not here:", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zonetest.Parse(string(text), zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	domains := names(t, path)
	steps, decisions := 0, 0
	for _, d := range domains {
		res, err := planner.Build(context.Background(), d, options(z, planner.Answers{}))
		if errors.Is(err, planner.ErrNoDomain) || errors.Is(err, planner.ErrUnknown) {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", d, err)
			continue
		}
		if len(res.Before.Findings) > 0 && len(res.Plan.Changes())+len(res.Plan.Decisions) == 0 {
			t.Errorf("%s: findings, and neither a step nor a decision", d)
		}
		for _, f := range res.After.Findings {
			if f.Severity.String() == "error" && !slices.ContainsFunc(res.Before.Findings, func(o audit.Finding) bool { return o.Rule == f.Rule }) &&
				res.Before.Outcome(f.Rule) != "unknown" {
				t.Errorf("%s: the plan brings %s: %s", d, f.Rule, f.Message)
			}
		}
		steps, decisions = steps+len(res.Plan.Changes()), decisions+len(res.Plan.Decisions)
		roundTrip(t, res.Plan)
		applied(t, z, res)
	}
	t.Logf("%d domains, %d changes, %d decisions", len(domains), steps, decisions)
}

func names(t *testing.T, path string) []resolve.Name {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []resolve.Name
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		w := strings.Fields(sc.Text())
		if len(w) < 4 || strings.HasPrefix(w[0], ";") || strings.HasPrefix(w[0], "$") || strings.HasPrefix(w[0], "_") {
			continue
		}
		n, err := resolve.NameFromMaster(w[0])
		if err == nil && n.NumLabels() >= 2 && n.NumLabels() <= 3 && !slices.Contains(out, n) && !strings.Contains(w[0], "._") {
			out = append(out, n)
		}
	}
	return out
}

// A domain that receives is not parked, and the error says so to errors.Is.
func TestParkReceives(t *testing.T) {
	z := zonetest.MustParse("example.org. SOA ns1.example.org. a.example.org. 1 1 1 1 300\nexample.org. NS ns1.example.org.\nns1.example.org. A 192.0.2.1\nexample.org. MX 10 mail.example.org.\nmail.example.org. A 192.0.2.25\n")
	_, err := planner.Build(t.Context(), resolve.MustName("example.org"), planner.Options{Resolver: z, Rules: rules.All(), Answers: planner.Answers{Park: true}})
	if !errors.Is(err, planner.ErrReceives) || !errors.Is(err, planner.ErrAnswer) {
		t.Errorf("err = %v", err)
	}
	_, err = planner.Build(t.Context(), resolve.MustName("example.org"), planner.Options{Resolver: z, Rules: rules.All(), Answers: planner.Answers{Park: true, Senders: []string{"mx"}}})
	if errors.Is(err, planner.ErrReceives) || !errors.Is(err, planner.ErrAnswer) {
		t.Errorf("an answer that contradicts: %v", err)
	}
}
