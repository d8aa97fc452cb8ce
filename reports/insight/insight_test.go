package insight

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

// TestClasses tells apart what fails, one record at a time, beside the mail of a
// host that passes.
func TestClasses(t *testing.T) {
	for _, c := range []struct {
		name  string
		row   row
		days  int // on as many days, by all reporters
		names map[string]string
		class Class
		sure  Confidence
		why   string
	}{
		{"own host passes", ownHost, 1, nil, Passing, High, "SPF passes"},
		{"own host without signature", row{ip: "192.0.2.10", count: 9, envelope: "", sigs: nil}, 1, nil, Own, High, "SPF passes for other mail"},
		{"beside an own host", row{ip: "192.0.2.77", count: 9, envelope: "example.org", result: "softfail"}, 1, nil, Own, Low, "beside a host"},
		{"service that nobody set up", grid, 1, nil, Own, Low, "sends for its customers"},
		{"service with a key that fails", row{ip: "167.89.1.1", count: 5, envelope: "em1.sendgrid.net", result: "pass", sigs: []sig{{"example.org", "s2", "fail"}}}, 1, nil, Own, Medium, "key that failed"},
		{"Google Workspace without DKIM", row{ip: "209.85.220.69", count: 5, envelope: "gmail.com", result: "pass", sigs: []sig{{"example-org.20230601.gappssmtp.com", "20230601", "pass"}}}, 1, nil, Own, High, "gappssmtp.com"},
		{"another's tenant at Google", row{ip: "209.85.220.69", count: 5, envelope: "other.example", result: "pass", sigs: []sig{{"other-example.20230601.gappssmtp.com", "20230601", "pass"}}}, 1, nil, Unknown, Low, "other.example"},
		{"forwarded and intact", forward, 1, nil, Forwarding, Medium, "your signature holds"},
		{"forwarded by arc", arcMail, 1, nil, Forwarding, High, "arc=pass"},
		{"forwarder said so", row{ip: "198.51.100.9", count: 1, envelope: "example.org", result: "fail", reason: "trusted_forwarder"}, 1, nil, Forwarding, High, "forwarded"},
		{"list said so", row{ip: "198.51.100.9", count: 1, envelope: "x.example", result: "pass", reason: "mailing_list"}, 1, nil, List, High, "mailing list"},
		{"list by its name", listMail, 1, nil, List, Medium, "lists.example.net"},
		{"list without a signature", row{ip: "203.0.113.40", count: 1, envelope: "lists.example.net", result: "pass"}, 1, nil, List, Low, "as lists use it"},
		{"SRS forwarder breaks the signature", row{ip: "198.51.100.9", count: 1, envelope: "fwd.example", result: "pass", sigs: []sig{{"example.org", "s1", "fail"}}}, 1, nil, Forwarding, Medium, "changed on its way"},
		{"made-up signature", row{ip: "198.51.100.9", count: 1, envelope: "example.org", result: "fail", sigs: []sig{{"example.org", "nosuch", "fail"}}}, 1, nil, Unknown, Low, "anybody can write"},
		{"spoofed", spoof, 1, nil, Spoofing, Medium, "no signature of yours"},
		{"spoofed by a named host", spoof, 1, map[string]string{"203.0.113.200": "pool.example.com"}, Spoofing, High, "pool.example.com"},
		{"named as one of ours", spoof, 1, map[string]string{"203.0.113.200": "print.example.org"}, Own, High, "print.example.org"},
		{"steady", row{ip: "203.0.113.99", count: 3, envelope: "example.org", result: "fail"}, 10, nil, Unknown, Low, "no record names"},
		{"no results", row{ip: "203.0.113.99", count: 3}, 1, nil, Unknown, Low, "no result"},
		{"no address", row{ip: "nonsense", count: 3, envelope: "example.org", result: "fail"}, 1, nil, Unknown, Low, "no usable address"},
		{"private address", row{ip: "10.1.2.3", count: 3, envelope: "example.org", result: "fail"}, 1, nil, Unknown, Low, "not one of the Internet"},
		{"SPF could not be evaluated", row{ip: "203.0.113.99", count: 3, envelope: "example.org", result: "temperror"}, 1, nil, Unknown, Low, "could not be evaluated"},
		{"authenticated for others", row{ip: "203.0.113.99", count: 3, envelope: "agency.example", result: "pass", sigs: []sig{{"agency.example", "k", "pass"}}}, 1, nil, Unknown, Low, "a service that sends for you"},
		{"strict receiver forwards by Google", row{ip: "209.85.220.41", count: 2, envelope: "example.org", result: "fail"}, 1, map[string]string{"209.85.220.41": "mail-sor-f41.google.com"}, Spoofing, High, "no signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := store(t, world(func(_ string, day int) []row {
				if day < c.days && c.row.ip != "" {
					return []row{c.row}
				}
				return nil
			})...)
			var names []archive.Name
			for ip, n := range c.names {
				names = append(names, archive.Name{Addr: addr(ip), Names: []string{n}, State: "present"})
			}
			if err := s.PutNames(t.Context(), names); err != nil {
				t.Fatal(err)
			}
			v, err := Query{Archive: s}.Sources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, x := range v.List {
				for _, p := range x.Classes {
					has := slices.ContainsFunc(x.Addresses, func(a Address) bool { return a.Address == c.row.ip })
					if has && p.Class == c.class && p.Confidence == c.sure && strings.Contains(strings.Join(p.Why, "; "), c.why) {
						return
					}
					got = append(got, string(p.Class)+" "+string(p.Confidence)+" "+strings.Join(p.Why, "; "))
				}
			}
			t.Errorf("want %s %s %q, got\n%s", c.class, c.sure, c.why, strings.Join(got, "\n"))
		})
	}
}

func TestLabels(t *testing.T) {
	s := store(t, world(func(string, int) []row { return []row{spoof, grid} })...)
	q := Query{Archive: s, Labels: []Label{{Source: "203.0.113.0/24", Class: Own}, {Source: "sendgrid", Class: Spoofing}}}
	v, err := q.Failures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(v.List) != 2 || v.List[0].Class != Own || v.List[0].Messages != 30*42 || v.List[1].Class != Spoofing || v.List[1].Messages != 5*42 || v.List[1].Confidence != High {
		t.Errorf("%+v", v.List)
	}
}

// TestLabelChoice takes the most exact word on a host, and only of its domain.
func TestLabelChoice(t *testing.T) {
	s := store(t, world(func(string, int) []row { return []row{spoof} })...)
	for _, c := range []struct {
		labels    []Label
		class     Class
		unmatched int
	}{
		{[]Label{{Source: "203.0.113.0/24", Class: Own}, {Source: "203.0.113.200", Class: Spoofing}}, Spoofing, 1},
		{[]Label{{Source: "203.0.113.200", Class: Own}, {Source: "203.0.113.200", Class: Spoofing}}, Own, 1},
		{[]Label{{Source: "203.0.113.200", Class: Own, Domain: "example.org"}}, Own, 0},
		{[]Label{{Source: "203.0.113.200", Class: Own, Domain: "example.net"}}, Unknown, 1},
	} {
		v, err := Query{Archive: s, Labels: c.labels}.Failures(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(v.List) != 1 || v.List[0].Class != c.class || len(v.Unmatched) != c.unmatched {
			t.Errorf("%+v: %+v, unmatched %q", c.labels, v.List, v.Unmatched)
		}
	}
}

const zone = `
example.org. 60 IN SOA ns.example.org. h.example.org. 1 2 3 4 5
example.org. 60 IN TXT "v=spf1 ip4:192.0.2.10 include:sendgrid.net ~all"
_dmarc.example.org. 60 IN TXT "v=DMARC1; p=none; rua=mailto:d@example.org"
s1._domainkey.example.org. 60 IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
sendgrid.net. 60 IN TXT "v=spf1 ip4:167.89.0.0/17 ~all"
org. 60 IN SOA a. b. 1 2 3 4 5
net. 60 IN SOA a. b. 1 2 3 4 5
`

// TestLive joins with what is published.
func TestLive(t *testing.T) {
	printer := row{ip: "192.0.2.99", count: 4, envelope: "example.org", result: "softfail"}
	broken := row{ip: "192.0.2.10", count: 3, envelope: "", sigs: []sig{{"example.org", "gone", "permerror"}}}
	s := store(t, world(func(string, int) []row { return []row{grid, printer, broken} })...)
	sel, err := s.Selectors(t.Context(), archive.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	live, err := Look(t.Context(), zonetest.MustParse(zone), []string{"example.org", "not a domain"}, sel)
	if err != nil {
		t.Fatal(err)
	}
	if len(live.Skipped) != 1 {
		t.Errorf("skipped %q", live.Skipped)
	}
	q := Query{Archive: s, Live: live, Labels: []Label{{Source: "192.0.2.99", Class: Own}}}
	v, err := q.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	find := func(ip string) Source {
		for _, x := range v.List {
			if slices.ContainsFunc(x.Addresses, func(a Address) bool { return a.Address == ip }) {
				return x
			}
		}
		t.Fatalf("no source has %s", ip)
		return Source{}
	}
	sg := find("167.89.1.1")
	if sg.By != BySPF || sg.Provider != "sendgrid" || sg.Class != Own || sg.Confidence != High {
		t.Errorf("SendGrid: %+v", sg)
	}
	if text := fixText(sg); !strings.Contains(text, "set up DKIM for example.org at Twilio SendGrid") || !strings.Contains(text, "return path") {
		t.Errorf("fix of SendGrid: %s", text)
	}
	pr := find("192.0.2.99")
	var edits []fix.Edit
	for _, f := range pr.Fixes {
		edits = append(edits, f.Edits...)
	}
	changes, err := fix.Merge(edits, func(n resolve.Name, typ resolve.Type) ([]resolve.Record, error) {
		a, err := zonetest.MustParse(zone).Resolve(t.Context(), resolve.Question{Name: n, Type: typ})
		return a.Records, err
	})
	if err != nil || len(changes) != 1 || !strings.Contains(changes[0].New[0], "ip4:192.0.2.99 ~all") {
		t.Errorf("edits %+v: %+v, %v", edits, changes, err)
	}
	if text := fixText(find("192.0.2.10")); !strings.Contains(text, "there is no key at gone._domainkey.example.org") {
		t.Errorf("fix of the broken key: %s", text)
	}
	keys, err := q.Selectors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, k := range keys.List {
		got[k.Selector] = string(k.Use) + " " + k.Key
	}
	if got["s1"] != "in-use present" || got["gone"] != "broken absent" {
		t.Errorf("selectors %v", got)
	}
}

func fixText(s Source) string {
	var out []string
	for _, f := range s.Fixes {
		out = append(out, f.Text)
	}
	return strings.Join(out, "\n")
}

func TestSummary(t *testing.T) {
	papers := world(func(who string, day int) []row {
		if day >= 7 {
			return []row{spoof}
		}
		return nil
	})
	papers = append(papers,
		paper{reporter: "google.com", domain: "example.org", p: "none", day: "2026-10-12", rows: []row{{ip: "192.0.2.1", count: 1000}}, forged: true},
		paper{reporter: "evil.example", domain: "other.example", p: "none", day: "2026-10-12", rows: []row{ownHost}, alien: true})
	papers[len(papers)-2].reporter = "forged.example"
	q := Query{Archive: store(t, papers...), Since: at("2026-10-12"), Until: at("2026-10-19")}
	v, err := q.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v.LeftOut.Forged.Messages != 1000 || v.LeftOut.Alien.Messages != 50 || v.LeftOut.Forged.Reports != 1 {
		t.Errorf("left out %+v", v.LeftOut)
	}
	if len(v.Domains) != 1 {
		t.Fatalf("domains %+v", v.Domains)
	}
	d := v.Domains[0]
	if d.Messages != 21*80 || d.Passed != 21*50 || d.Neither != 21*30 || *d.Share != 0.625 || *d.Change != -0.375 || d.Earlier.Messages != 21*50 {
		t.Errorf("example.org %+v", d)
	}
	if d.Policy == nil || d.Policy.P != "none" {
		t.Errorf("policy %+v", d.Policy)
	}
	if v.Before.First.String() != "2026-10-05" || v.Before.Last.String() != "2026-10-11" {
		t.Errorf("before %v", v.Before)
	}
	q.Everything = true
	if v, err = q.Summary(t.Context()); err != nil || v.Total.Messages != 21*80+1050 {
		t.Errorf("everything: %d, %v", v.Total.Messages, err)
	}
}

func TestNewSources(t *testing.T) {
	s := store(t, world(func(_ string, day int) []row {
		if day >= 7 {
			return []row{grid}
		}
		return nil
	})...)
	v, err := Query{Archive: s, Since: at("2026-10-12")}.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !v.NewKnown || len(v.List) != 2 || v.List[0].New || !v.List[1].New {
		t.Errorf("%v %+v", v.NewKnown, v.List)
	}
	v, err = Query{Archive: s, Since: at("2026-10-05")}.Sources(t.Context())
	if err != nil || v.NewKnown || v.List[0].New {
		t.Errorf("without a past nothing is new: %v %v", v, err)
	}
}

func TestTimeline(t *testing.T) {
	papers := world(func(_ string, day int) []row {
		if day == 13 {
			return []row{spoof}
		}
		return nil
	})
	papers = slices.DeleteFunc(papers, func(p paper) bool { return p.day == "2026-10-08" })
	q := Query{Archive: store(t, papers...)}
	v, err := q.Timeline(t.Context(), Day)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Periods) != 14 || v.Silent != 1 || v.Periods[3].Share != nil || v.Periods[12].Drop || !v.Periods[13].Drop || *v.Periods[13].Usual != 1 {
		t.Errorf("%+v", v)
	}
	v, err = q.Timeline(t.Context(), Week)
	if err != nil || len(v.Periods) != 2 || v.Periods[0].Messages != 6*150 || v.Periods[1].Messages != 7*150+90 {
		t.Errorf("weeks %+v, %v", v, err)
	}
	if _, err = q.Timeline(t.Context(), "year"); err == nil {
		t.Error("a year is no unit")
	}
}

func TestReporters(t *testing.T) {
	papers := world(func(who string, day int) []row {
		r := spoof
		if who == "google.com" {
			r.did = "reject"
		}
		if who == "dmarc.yahoo.com" {
			r.reason, r.comment = "local_policy", "we know better"
		}
		return []row{r}
	})
	for i := range papers {
		papers[i].p = "reject"
	}
	papers = slices.DeleteFunc(papers, func(p paper) bool { return p.reporter == "example.net" && p.day >= "2026-10-10" })
	v, err := Query{Archive: store(t, papers...)}.Reporters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Reporter{}
	for _, r := range v.List {
		got[r.Reporter] = r
	}
	if r := got["google.com"]; r.Enforces != Enforcing || r.Silent || !r.Large || r.Interval != 1 {
		t.Errorf("google %+v", r)
	}
	if r := got["dmarc.yahoo.com"]; r.Enforces != NotEnforcing || len(r.Reasons) != 1 || r.Reasons[0].Messages != 14*30 || r.Reasons[0].Comments[0] != "we know better" || !r.Large {
		t.Errorf("yahoo %+v", r)
	}
	if r := got["example.net"]; !r.Silent || r.Last.String() != "2026-10-09" || r.Large {
		t.Errorf("example.net %+v", r)
	}
	if v.Silent != 1 {
		t.Errorf("%d silent", v.Silent)
	}
}

func TestReadiness(t *testing.T) {
	everyDay := func(rows ...row) func(string, int) []row { return func(string, int) []row { return rows } }
	few := func(n int64) row { r := spoof; r.count = n; return r }
	for _, c := range []struct {
		name   string
		papers []paper
		q      Query
		opt    ReadyOptions
		want   Answer
		stage  string
		next   string
		code   string
	}{
		{"clean", world(nil), Query{}, ReadyOptions{}, Safe, "none", "quarantine; t=y", ""},
		{"forgery does not matter", world(func(_ string, d int) []row {
			if d < 3 {
				return []row{spoof}
			}
			return nil
		}), Query{}, ReadyOptions{}, Safe, "none", "quarantine; t=y", "forgeries"},
		{"forwarding is a price", world(everyDay(forward, arcMail)), Query{}, ReadyOptions{}, Safe, "none", "quarantine; t=y", "forwarders"},
		{"a service in the way", world(everyDay(grid)), Query{}, ReadyOptions{}, NotSafe, "none", "quarantine; t=y", "blocking-source"},
		{"not if it is a forger", world(everyDay(grid)), Query{Labels: []Label{{Source: "SendGrid", Class: Spoofing}, {Source: "Twilio SendGrid", Class: Spoofing}}}, ReadyOptions{}, Safe, "none", "quarantine; t=y", "forgeries"},
		{"who is that", world(everyDay(few(3))), Query{}, ReadyOptions{}, NotKnown, "none", "quarantine; t=y", "unknown-sources"},
		{"few days", world(nil)[:15], Query{}, ReadyOptions{}, NotKnown, "none", "quarantine; t=y", "few-days"},
		{"stale", world(nil), Query{At: at("2026-11-20")}, ReadyOptions{}, NotKnown, "none", "quarantine; t=y", "stale"},
		{"fresh", world(nil), Query{At: at("2026-10-22")}, ReadyOptions{}, Safe, "none", "quarantine; t=y", ""},
		{"nothing", nil, Query{Domains: []string{"example.org"}}, ReadyOptions{}, NotKnown, "", "", "no-reports"},
		{"one reporter", slices.DeleteFunc(world(nil), func(p paper) bool { return p.reporter != "google.com" }), Query{}, ReadyOptions{}, NotKnown, "none", "quarantine; t=y", "few-reporters"},
		{"no large one", withReporters(world(nil), "a.example", "b.example", "c.example"), Query{}, ReadyOptions{}, NotKnown, "none", "quarantine; t=y", "no-large-reporter"},
		{"little mail", withCount(world(nil), 1), Query{}, ReadyOptions{}, NotKnown, "none", "quarantine; t=y", "few-messages"},
		{"forged reports prove nothing", allForged(world(nil)), Query{Domains: []string{"example.org"}}, ReadyOptions{}, NotKnown, "", "", "no-reports"},
		{"quarantine", withPolicy(world(nil), "quarantine", 0), Query{}, ReadyOptions{}, Safe, "quarantine", "reject", ""},
		{"a young stage", withPolicy(world(nil), "quarantine", 10), Query{}, ReadyOptions{}, NotKnown, "quarantine", "reject", "young-stage"},
		{"staying at reject", withPolicy(world(nil), "reject", 0), Query{}, ReadyOptions{}, Safe, "reject", "", ""},
		{"broken at reject", withPolicy(world(everyDay(grid)), "reject", 0), Query{}, ReadyOptions{}, NotSafe, "reject", "", "blocking-source"},
		{"a policy that is none", withPolicy(world(nil), "nonsense", 0), Query{}, ReadyOptions{}, NotKnown, "", "", "policy-unknown"},
		{"small and short", withCount(world(nil), 1), Query{}, ReadyOptions{Small: true}, NotKnown, "none", "quarantine; t=y", "short-time"},
		{"small", append(withCount(world(nil), 1), paper{reporter: "google.com", domain: "example.org", p: "none", day: "2026-09-01", rows: []row{ownHost}}), Query{}, ReadyOptions{Small: true}, Safe, "none", "quarantine; t=y", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.Archive = store(t, c.papers...)
			v, err := c.q.Readiness(t.Context(), c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if len(v.Domains) != 1 {
				t.Fatalf("%+v", v)
			}
			d := v.Domains[0]
			codes := []string{}
			for _, r := range d.Reasons {
				codes = append(codes, r.Code)
			}
			if v.Answer != c.want || d.Stage != c.stage || d.Next != c.next {
				t.Errorf("%s, stage %q, next %q, want %s, %q, %q; reasons %+v", v.Answer, d.Stage, d.Next, c.want, c.stage, c.next, d.Reasons)
			}
			if c.code != "" && !slices.Contains(codes, c.code) || c.code == "" && len(codes) > 0 {
				t.Errorf("reasons %v, want %q", codes, c.code)
			}
			if d.Real+d.Doubtful+d.Forged > d.Evidence.Messages {
				t.Errorf("more mail than there is: %+v", d)
			}
		})
	}
}

// TestReplay counts what the next stage hits.
func TestReplay(t *testing.T) {
	below := grid
	below.from = "shop.example.org"
	s := store(t, world(func(string, int) []row {
		return []row{grid, below, forward, arcMail, listMail, {ip: "203.0.113.99", count: 1}}
	})...)
	v, err := Query{Archive: s}.Readiness(t.Context(), ReadyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d := v.Domains[0]
	if d.HitOwn != 10*42 || d.HitForwarding != 42 || d.HitList != 42 || d.Doubtful != 42 || d.Real != 42*(50+10+2+1+1) || d.Hit != 42*12 {
		t.Errorf("%+v", d)
	}
	// With sp=none what is below is not hit.
	papers := world(func(string, int) []row { return []row{grid, below} })
	live, err := Look(t.Context(), zonetest.MustParse(strings.Replace(zone, "p=none;", "p=none; sp=none;", 1)), []string{"example.org"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err = Query{Archive: store(t, papers...), Live: live}.Readiness(t.Context(), ReadyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d := v.Domains[0]; d.HitOwn != 5*42 || d.StageFrom != "dns" || !strings.HasPrefix(d.Record, "v=DMARC1; p=quarantine") {
		t.Errorf("%+v", d)
	}
}

// TestReadinessLive does not take a failed lookup for a missing record.
func TestReadinessLive(t *testing.T) {
	for _, c := range []struct {
		name, zone string
		fault      zonetest.Fault
		want       Answer
		code       string
	}{
		{"servfail", zone, zonetest.Fault{RCode: resolve.ServFail}, NotKnown, "dns-failed"},
		{"no record", strings.Replace(zone, "_dmarc", "_x", 1), zonetest.Fault{}, NotKnown, "no-record"},
		{"changed since", strings.Replace(zone, "p=none", "p=quarantine", 1), zonetest.Fault{}, NotKnown, "policy-changed"},
		{"the same", zone, zonetest.Fault{}, Safe, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := zonetest.MustParse(c.zone)
			if c.fault != (zonetest.Fault{}) {
				z.Inject(resolve.MustName("_dmarc.example.org"), resolve.TypeTXT, c.fault)
			}
			live, err := Look(t.Context(), z, []string{"example.org"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Query{Archive: store(t, world(nil)...), Live: live}.Readiness(t.Context(), ReadyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if v.Answer != c.want || c.code != "" && (len(v.Domains[0].Reasons) != 1 || v.Domains[0].Reasons[0].Code != c.code) {
				t.Errorf("%s %+v", v.Answer, v.Domains[0].Reasons)
			}
		})
	}
}

// TestEvidence goes through spf/narrow and back.
func TestEvidence(t *testing.T) {
	s := store(t, world(func(string, int) []row { return []row{grid, forward, listMail, spoof} })...)
	e, left, err := Query{Archive: s, Labels: []Label{{Source: "203.0.113.200", Class: Spoofing}}}.Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := narrow.Evidence{Days: 14, Hosts: []narrow.Host{
		{IP: addr("192.0.2.10"), Domain: resolve.MustName("example.org"), Count: 2100, Legitimate: true},
		{IP: addr("203.0.113.200"), Domain: resolve.MustName("example.org"), Count: 1260},
	}}
	if e.Days != want.Days || !slices.Equal(e.Hosts, want.Hosts) {
		t.Errorf("evidence %+v", e)
	}
	if left != 42*(5+2+1) {
		t.Errorf("%d left", left)
	}
	p, err := narrow.Propose(t.Context(), zonetest.MustParse(zone), resolve.MustName("example.org"), e, narrow.Options{})
	if err != nil || p.New != "v=spf1 ip4:192.0.2.10 ~all" {
		t.Errorf("proposal %q, %v", p.New, err)
	}
}

func TestUnusedSelector(t *testing.T) {
	old := ownHost
	old.sigs = []sig{{"example.org", "2024", "pass"}}
	papers := append(world(nil), paper{reporter: "google.com", domain: "example.org", p: "none", day: "2026-08-01", rows: []row{old}})
	v, err := Query{Archive: store(t, papers...)}.Selectors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(v.List) != 2 || v.List[0].Use != InUse || v.List[1].Use != Idle || v.List[1].Selector != "2024" {
		t.Errorf("%+v", v.List)
	}
	known, err := Known(t.Context(), store(t, papers...), "example.org")
	if err != nil || !slices.Equal(known, []string{"s1", "2024"}) {
		t.Errorf("known %q, %v", known, err)
	}
}

// TestEmpty asks an archive without a report: no answer may fail, and JSON has no
// null where there is a list.
func TestEmpty(t *testing.T) {
	q := Query{Archive: store(t)}
	var docs []any
	ask := func(v any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		docs = append(docs, v)
	}
	ctx := t.Context()
	v1, err := q.Summary(ctx)
	ask(v1, err)
	v2, err := q.Sources(ctx)
	ask(v2, err)
	v3, err := q.Failures(ctx)
	ask(v3, err)
	v4, err := q.Timeline(ctx, Day)
	ask(v4, err)
	v5, err := q.Reporters(ctx)
	ask(v5, err)
	v6, err := q.Readiness(ctx, ReadyOptions{})
	ask(v6, err)
	v7, err := q.Selectors(ctx)
	ask(v7, err)
	v8, err := q.TLS(ctx)
	ask(v8, err)
	v9, err := q.Ledger(ctx)
	ask(v9, err)
	if v6.Answer != NotKnown {
		t.Errorf("readiness without reports: %s", v6.Answer)
	}
	for _, d := range docs {
		b, err := json.Marshal(d)
		if err != nil {
			t.Error(err)
		}
		for _, bad := range []string{`"sources":null`, `"domains":null`, `"failures":null`, `"periods":null`, `"reporters":null`, `"selectors":null`, `"policies":null`, `"differences":null`, `"reasons":null`, `"fixes":null`} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%T has %s", d, bad)
			}
		}
	}
}

// TestEnvelope advises an entry in the SPF record only where it would be asked: RFC
// 7208, Section 2.4, the record is that of the domain in MAIL FROM.
func TestEnvelope(t *testing.T) {
	news := row{ip: "203.0.113.77", count: 9, envelope: "bounce.news.example", result: "pass", sigs: []sig{{"news.example", "k", "pass"}}}
	failing := row{ip: "203.0.113.77", count: 9, envelope: "bounce.news.example", result: "fail"}
	signed := row{ip: "203.0.113.77", count: 9, dkim: true, envelope: "bounce.news.example", result: "pass", sigs: []sig{{"example.org", "k", "pass"}}}
	ours := row{ip: "203.0.113.77", count: 2, envelope: "example.org", result: "softfail"}
	below := row{ip: "203.0.113.77", count: 2, envelope: "mail.example.org", result: "softfail"}
	silent := row{ip: "203.0.113.77", count: 2}
	label := []Label{{Source: "203.0.113.77", Class: Own}}
	const notAsked = "its MAIL FROM is bounce.news.example, so the SPF record of example.org is not asked"
	const entry = "ip4:203.0.113.77"
	for _, c := range []struct {
		name   string
		rows   []row
		labels []Label
		want   []string
		not    []string
		edits  int
	}{
		{"a newsletter of ours", []row{news}, label, []string{notAsked, "give it a MAIL FROM below example.org", "signed with DKIM for example.org", "signed by news.example"}, []string{entry, "if "}, 0},
		{"its SPF fails", []row{failing}, label, []string{notAsked, "DKIM for example.org"}, []string{entry}, 0},
		{"it signs for us", []row{signed}, nil, []string{notAsked, "if it is yours"}, []string{entry, "signed by"}, 0},
		{"ours as well", []row{news, ours}, label, []string{"authorize these hosts in the SPF record of example.org: " + entry, "the part of it that has another"}, []string{"if "}, 1},
		{"ours alone", []row{ours}, label, []string{"authorize these hosts in the SPF record of example.org: " + entry}, []string{"MAIL FROM is"}, 1},
		{"below ours", []row{below}, label, []string{"in the SPF record of mail.example.org: " + entry}, []string{"MAIL FROM is"}, 0},
		{"the reports do not tell", []row{silent}, label, []string{"if they send with a MAIL FROM at example.org, which the reports do not tell", entry}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := store(t, world(func(string, int) []row { return c.rows })...)
			live, err := Look(t.Context(), zonetest.MustParse(zone), []string{"example.org"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Query{Archive: s, Live: live, Labels: c.labels}.Sources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(v.List, func(x Source) bool { return x.Addresses[0].Address == "203.0.113.77" })
			if i < 0 {
				t.Fatalf("no such source: %+v", v.List)
			}
			text, edits := fixText(v.List[i]), 0
			for _, f := range v.List[i].Fixes {
				edits += len(f.Edits)
			}
			for _, w := range c.want {
				if !strings.Contains(text, w) {
					t.Errorf("no %q in\n%s", w, text)
				}
			}
			for _, w := range c.not {
				if strings.Contains(text, w) {
					t.Errorf("%q in\n%s", w, text)
				}
			}
			if edits != c.edits {
				t.Errorf("%d edits, want %d:\n%s", edits, c.edits, text)
			}
		})
	}
}

func TestForeignFrom(t *testing.T) {
	check := func(domain, scope string) archive.Check { return archive.Check{Domain: domain, Scope: scope} }
	for _, c := range []struct {
		look archive.Look
		want string
	}{
		{archive.Look{}, ""},
		{archive.Look{EnvelopeFrom: "bounce.example"}, "bounce.example"},
		{archive.Look{EnvelopeFrom: "mail.example.org"}, ""},
		{archive.Look{Checks: []archive.Check{check("bounce.example", "mfrom"), check("mail.example.org", "helo")}}, "bounce.example"},
		{archive.Look{Checks: []archive.Check{check("example.org", "mfrom"), check("mail.example", "helo")}}, ""},
		{archive.Look{Checks: []archive.Check{check("mail.example", "helo")}}, "empty and its HELO name mail.example"},
		{archive.Look{Checks: []archive.Check{check("mail.example.org", "helo")}}, ""},
		{archive.Look{SPF: true, Checks: []archive.Check{check("bounce.example", "mfrom")}}, ""},
	} {
		col := &collector{orgs: map[string]string{}, words: map[string]string{}}
		if got := col.foreignFrom("example.org", &c.look); got != c.want {
			t.Errorf("%+v: %q, want %q", c.look, got, c.want)
		}
	}
}
