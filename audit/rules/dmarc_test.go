package rules

import (
	"bufio"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const dmarcTakes = "example.org. 3600 IN TXT \"v=spf1 -all\"\nexample.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\n"

// faulty is the scenario with lookups that fail.
func faulty(s audit.Scenario, faults ...string) audit.Scenario {
	s.Faults = faults
	return s
}

// below is the scenario of news.example.org with records at it and at
// example.org; an empty text is no record.
func below(own, top string) audit.Scenario {
	z := dmarcSends + dmarcSub
	if own != "" {
		z += dmarcAt("news.example.org", own)
	}
	if top != "" {
		z += dmarcAt("example.org", top)
	}
	return audit.Scenario{Domain: "news.example.org", Zone: z}
}

func TestDMARCOutcomes(t *testing.T) {
	const good = "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"
	bare := audit.Scenario{Zone: dmarcSends}
	own, top := "_dmarc.news.example.org TXT servfail", "_dmarc.example.org TXT refused"
	list := []expectation{
		// RFC 9989, Section 4.10.1: a lookup that fails is not an absent record.
		{"SERVFAIL", faulty(bare, "_dmarc.example.org TXT servfail"), "DMARC001", audit.Unknown, 0},
		{"timeout", faulty(bare, "_dmarc.example.org TXT timeout"), "DMARC001", audit.Unknown, 0},
		{"TLD unknown", faulty(bare, "_dmarc.org TXT refused"), "DMARC001", audit.Fail, audit.Error},
		{"TLD unknown, own record known", faulty(dmarcZone(good), "_dmarc.org TXT refused"), "DMARC001", audit.Pass, 0},
		{"own unknown, parent known", faulty(below("", good), own), "DMARC001", audit.Unknown, 0},
		{"own absent, parent unknown", faulty(below("", good), top), "DMARC001", audit.Unknown, 0},
		{"several, or not", faulty(bare, "_dmarc.example.org TXT servfail"), "DMARC002", audit.Unknown, 0},
		{"syntax unknown", faulty(bare, "_dmarc.example.org TXT servfail"), "DMARC003", audit.Unknown, 0},
		{"text unknown", faulty(bare, "_dmarc.example.org TXT servfail"), "DMARC006", audit.Unknown, 0},
		{"misplaced or not", faulty(audit.Scenario{Zone: dmarcSends + "dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none\"\n"}, "_dmarc.example.org TXT servfail"), "DMARC007", audit.Unknown, 0},
		{"rua unknown", faulty(bare, "_dmarc.example.org TXT servfail"), "DMARC010", audit.Unknown, 0},
		{"agreement unknown", faulty(audit.Scenario{Zone: dmarcElsewhere}, "example.org._report._dmarc.example.net TXT servfail"), "DMARC011", audit.Unknown, 0},
		{"MX of rua unknown", faulty(dmarcZone("v=DMARC1; p=none; rua=mailto:a@reports.example.org"), "reports.example.org MX refused"), "DMARC015", audit.Unknown, 0},
		{"organization unknown", faulty(below("v=DMARC1; p=reject; sp=none", good), top), "DMARC018", audit.Unknown, 0},
		{"psd above unknown", faulty(below(good, good), top), "DMARC020", audit.Unknown, 0},

		// Nothing is said of names that do not exist.
		{"gone", audit.Scenario{Domain: "gone.example"}, "DMARC001", audit.NotApplicable, 0},
		{"gone, with a policy above", audit.Scenario{Domain: "gone.example.org", Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none; np=none")}, "DMARC012", audit.NotApplicable, 0},
		{"no record", bare, "DMARC003", audit.NotApplicable, 0},
		{"no record", bare, "DMARC010", audit.NotApplicable, 0},
		{"no record", bare, "DMARC019", audit.NotApplicable, 0},

		// The same lack weighs less where nothing is sent.
		{"sends", bare, "DMARC001", audit.Fail, audit.Error},
		{"only an MX: no evidence", audit.Scenario{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\n"}, "DMARC001", audit.Fail, audit.Error},
		{"parked", audit.Scenario{Zone: dmarcParks}, "DMARC001", audit.Fail, audit.Warning},
		{"receives only", audit.Scenario{Zone: dmarcTakes}, "DMARC001", audit.Fail, audit.Warning},
		{"parked, none", audit.Scenario{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=none")}, "DMARC025", audit.Fail, audit.Warning},
		{"parked, quarantine", audit.Scenario{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=quarantine")}, "DMARC025", audit.Fail, audit.Notice},
		{"receives only, none", audit.Scenario{Zone: dmarcTakes + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")}, "DMARC025", audit.Fail, audit.Notice},
		{"parked without reports", audit.Scenario{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=reject")}, "DMARC010", audit.NotApplicable, 0},

		// RFC 9989, Section 4.10.1: what an invalid policy costs.
		{"p=reject disarmed", dmarcZone("v=DMARC1; p=reject; sp=nothing; rua=mailto:dmarc@example.org"), "DMARC005", audit.Fail, audit.Error},
		{"nothing was protected", dmarcZone("v=DMARC1; p=none; sp=nothing; rua=mailto:dmarc@example.org"), "DMARC005", audit.Fail, audit.Warning},
		{"a protection was meant", dmarcZone("v=DMARC1; p=none; sp=quarentine; rua=mailto:dmarc@example.org"), "DMARC005", audit.Fail, audit.Error},
		{"no DMARC at all", dmarcZone("v=DMARC1; p=none; sp=nothing"), "DMARC005", audit.Fail, audit.Error},
		{"it is not missing", dmarcZone("v=DMARC1; p=nothing"), "DMARC001", audit.NotApplicable, 0},

		// RFC 9989, Section 4.7 and Appendix A.6.
		{"quarantine in test mode", dmarcZone("v=DMARC1; p=quarantine; t=y; rua=mailto:dmarc@example.org"), "DMARC009", audit.Fail, audit.Warning},
		{"reject in test mode", dmarcZone("v=DMARC1; p=reject; t=y; rua=mailto:dmarc@example.org"), "DMARC009", audit.Fail, audit.Notice},
		{"both generations staged", dmarcZone("v=DMARC1; p=reject; t=y; pct=0; rua=mailto:dmarc@example.org"), "DMARC008", audit.Fail, audit.Notice},
		{"pct=0", dmarcZone("v=DMARC1; p=reject; pct=0; rua=mailto:dmarc@example.org"), "DMARC008", audit.Fail, audit.Warning},
		{"pct with none", dmarcZone("v=DMARC1; p=none; pct=20; rua=mailto:dmarc@example.org"), "DMARC008", audit.Fail, audit.Notice},
		{"pct for subdomains", dmarcZone("v=DMARC1; p=none; sp=reject; pct=20; rua=mailto:dmarc@example.org"), "DMARC008", audit.Fail, audit.Warning},

		{"none with reports", dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"), "DMARC012", audit.Fail, audit.Notice},
		{"none without", dmarcZone("v=DMARC1; p=none"), "DMARC012", audit.Fail, audit.Warning},
		{"sp=none", below("", "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.org"), "DMARC013", audit.Fail, audit.Warning},
		{"np=none, BIMI asks for sp", dmarcZone("v=DMARC1; p=reject; np=none; rua=mailto:dmarc@example.org"), "DMARC013", audit.Fail, audit.Warning},
		{"sp=quarantine", dmarcZone("v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@example.org"), "DMARC013", audit.Fail, audit.Notice},
		{"duplicate p that differs", dmarcZone("v=DMARC1; p=none; p=reject; rua=mailto:dmarc@example.org"), "DMARC016", audit.Fail, audit.Error},
		{"adkim=strict", dmarcZone("v=DMARC1; p=none; adkim=strict; rua=mailto:dmarc@example.org"), "DMARC023", audit.Fail, audit.Warning},
		{"aspf=relaxed", dmarcZone("v=DMARC1; p=none; aspf=relaxed; rua=mailto:dmarc@example.org"), "DMARC023", audit.Fail, audit.Notice},
		{"sp on a subdomain hides a weaker one", below("v=DMARC1; p=reject; sp=reject; rua=mailto:dmarc@example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org"), "DMARC018", audit.Fail, audit.Warning},
		{"sp on a subdomain, the same above", below("v=DMARC1; p=reject; sp=reject; rua=mailto:dmarc@example.org", good), "DMARC018", audit.Fail, audit.Notice},
		{"psd=y under none", dmarcZone("v=DMARC1; p=none; psd=y; rua=mailto:dmarc@example.org"), "DMARC020", audit.Fail, audit.Warning},
		{"psd=y under reject", dmarcZone("v=DMARC1; p=reject; psd=y; rua=mailto:dmarc@example.org"), "DMARC020", audit.Fail, audit.Error},
		{"beside a good record", audit.Scenario{Zone: dmarcSends + dmarcAt("example.org", good) + dmarcAt("example.org", "p=none")}, "DMARC006", audit.Fail, audit.Warning},

		// Traps: the literal asterisk, a wildcard, an alias, an inherited record.
		{"*._dmarc has no effect", audit.Scenario{Zone: dmarcSends + "*._dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none\"\n"}, "DMARC001", audit.Fail, audit.Error},
		{"alias", audit.Scenario{Zone: dmarcSends + "_dmarc.example.org. 3600 IN CNAME d.example.net.\nd.example.net. 3600 IN TXT \"v=DMARC1; p=reject\"\n"}, "DMARC001", audit.Pass, 0},
		{"wildcard SPF on the way", audit.Scenario{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", good) + "*.news.example.org. 3600 IN TXT \"v=spf1 -all\"\n"}, "DMARC001", audit.Pass, 0},
		{"two records, the parent takes over", below("", good), "DMARC002", audit.Pass, 0},
	}
	checkOutcomes(t, list)
}

// TestDMARCAlone holds one defect to one finding of error or warning.
func TestDMARCAlone(t *testing.T) {
	tests := map[string]struct {
		scenario audit.Scenario
		want     string
	}{
		"perfect":       {dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org"), ""},
		"parked":        {audit.Scenario{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=reject; sp=reject; np=reject")}, ""},
		"inherited":     {below("", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"), ""},
		"missing":       {audit.Scenario{Zone: dmarcSends}, "DMARC001"},
		"several":       {audit.Scenario{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none") + dmarcAt("example.org", "v=DMARC1; p=reject")}, "DMARC002"},
		"junk":          {dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org; junk"), "DMARC003"},
		"no p":          {dmarcZone("v=DMARC1; rua=mailto:dmarc@example.org"), "DMARC004"},
		"P":             {dmarcZone("v=DMARC1; P=none; rua=mailto:dmarc@example.org"), "DMARC004"},
		"bad p":         {dmarcZone("v=DMARC1; p=rejekt; rua=mailto:dmarc@example.org"), "DMARC005"},
		"smart quotes":  {audit.Scenario{Zone: dmarcSends + "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=\\226\\128\\156none; rua=mailto:dmarc@example.org\"\n"}, "DMARC005"},
		"case":          {dmarcZone("v=dmarc1; p=none; rua=mailto:dmarc@example.org"), "DMARC006"},
		"wrong place":   {audit.Scenario{Zone: dmarcSends + "dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none\"\n"}, "DMARC007"},
		"no mailto":     {dmarcZone("v=DMARC1; p=reject; rua=dmarc@example.org"), "DMARC014"},
		"misspelt rua":  {dmarcZone("v=DMARC1; p=reject; rua_=mailto:dmarc@example.org"), "DMARC017"},
		"reports lost":  {dmarcZone("v=DMARC1; p=reject; rua=mailto:a@reports.example.org"), "DMARC015"},
		"not agreed":    {audit.Scenario{Zone: strings.ReplaceAll(dmarcElsewhere, "p=none", "p=reject")}, "DMARC011"},
		"two rua":       {dmarcZone("v=DMARC1; p=reject; rua=mailto:a@example.org; rua=mailto:b@example.org"), "DMARC016"},
		"test mode":     {dmarcZone("v=DMARC1; p=quarantine; t=y; rua=mailto:dmarc@example.org"), "DMARC009"},
		"pct":           {dmarcZone("v=DMARC1; p=reject; pct=10; rua=mailto:dmarc@example.org"), "DMARC008"},
		"sp=none":       {below("", "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.org"), "DMARC013"},
		"parked none":   {audit.Scenario{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=none")}, "DMARC025"},
		"psd":           {dmarcZone("v=DMARC1; p=reject; psd=y; rua=mailto:dmarc@example.org"), "DMARC020"},
		"generations":   {below("v=DMARC1; p=reject; rua=mailto:dmarc@news.example.org", ""), "DMARC019"},
		"between":       {audit.Scenario{Domain: "a.news.example.org", Zone: dmarcBetween + dmarcAt("news.example.org", "v=DMARC1; p=reject") + dmarcAt("example.org", "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org")}, "DMARC021"},
		"only failure":  {dmarcZone("v=DMARC1; p=reject; ruf=mailto:dmarc@example.org"), "DMARC010"},
		"bad alignment": {dmarcZone("v=DMARC1; p=reject; adkim=strict; rua=mailto:dmarc@example.org"), "DMARC023"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, r := try(t, tt.scenario)
			var got []string
			for _, f := range r.Findings {
				if strings.HasPrefix(string(f.Rule), "DMARC") && f.Severity > audit.Notice {
					got = append(got, string(f.Rule))
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("findings %q, want %q", s, tt.want)
			}
		})
	}
}

// TestDMARCSubject makes sure that a finding about an inherited record names the
// place where the record stands, and whose it is.
func TestDMARCSubject(t *testing.T) {
	_, r := try(t, below("", "v=DMARC1; p=rejekt; rua=mailto:dmarc@example.org; rua=mailto:b@example.org; x=y; pct=20"))
	n := 0
	for _, f := range r.Findings {
		if !strings.HasPrefix(string(f.Rule), "DMARC") {
			continue
		}
		n++
		if f.Subject.Name.String() != "_dmarc.example.org" || !strings.Contains(f.Message, "the record is that of example.org, from which news.example.org inherits") {
			t.Errorf("%s is about %s: %s", f.Rule, f.Subject, f.Message)
		}
	}
	if n < 4 {
		t.Errorf("%d findings: %v", n, ids(r))
	}
}

// TestDMARCAdvice looks for the exact text to publish.
func TestDMARCAdvice(t *testing.T) {
	tests := []struct {
		scenario audit.Scenario
		rule     audit.ID
		want     string
	}{
		{audit.Scenario{Zone: dmarcElsewhere}, "DMARC011", `example.org._report._dmarc.example.net. IN TXT "v=DMARC1"`},
		{dmarcZone("v=DMARC1; p = reject ; sp= quarentine; rua=mailto:dmarc@example.org"), "DMARC005", "v=DMARC1; p = reject ; sp= quarantine; rua=mailto:dmarc@example.org"},
		{audit.Scenario{Zone: dmarcParks}, "DMARC001", "v=DMARC1; p=reject; sp=reject; np=reject"},
		{below("", ""), "DMARC001", "_dmarc.example.org"},
		{dmarcZone(" v=DMARC1; p=none"), "DMARC006", "_dmarc.example.org: v=DMARC1; p=none"},
		{audit.Scenario{Zone: dmarcSends + "dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none\"\n"}, "DMARC007", "Publish at _dmarc.example.org, and delete it at dmarc.example.org: v=DMARC1; p=none"},
	}
	for _, tt := range tests {
		_, r := try(t, tt.scenario)
		got := find(r, tt.rule)
		if len(got) == 0 || !strings.Contains(got[0].Fix.Text, tt.want) {
			t.Errorf("%s: %+v, want %q", tt.rule, got, tt.want)
		}
	}
}

// TestDMARCRepair looks at what is proposed, and that nothing is where a person
// has to decide.
func TestDMARCRepair(t *testing.T) {
	tests := []struct {
		text string // of the record, or of the whole zone if it has lines
		rule audit.ID
		want string // empty: no change
	}{
		{dmarcSends, "DMARC001", `"v=DMARC1; p=none; rua=mailto:postmaster@example.org"`},
		{"example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n", "DMARC001", `"v=DMARC1; p=none"`},
		{dmarcParks, "DMARC001", `"v=DMARC1; p=reject; sp=reject; np=reject"`},
		{dmarcTakes, "DMARC001", ""},
		{dmarcSends + "_dmarc.example.org. 3600 IN CNAME d.example.net.\n", "DMARC001", ""},
		{dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none") + dmarcAt("example.org", "v=DMARC1; p=reject"), "DMARC002", ""},
		{dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none") + dmarcAt("example.org", "v=DMARC1;p=none;"), "DMARC002", `"v=DMARC1; p=none"`},
		{"v=DMARC1; p=reject; rua=mailto:a@example.org; b@example.org", "DMARC003", `"v=DMARC1; p=reject; rua=mailto:a@example.org,mailto:b@example.org"`},
		{"v=DMARC1; sp=reject; rua=mailto:a@example.org", "DMARC004", ""},
		{"v=DMARC1; P=reject; rua=mailto:a@example.org", "DMARC004", ""},
		{"v=DMARC1; P=None; rua=mailto:a@example.org", "DMARC004", `"v=DMARC1; p=none; rua=mailto:a@example.org"`},
		{"v=DMARC1; p=nonee; rua=mailto:a@example.org", "DMARC005", `"v=DMARC1; p=none; rua=mailto:a@example.org"`},
		{"v=DMARC1; p=nonee; sp=reject; rua=mailto:a@example.org", "DMARC005", ""},
		{"v=DMARC1; p=rejct; rua=mailto:a@example.org", "DMARC005", ""},
		{"v=dmarc1; p=quarantine", "DMARC006", `"v=DMARC1; p=quarantine"`},
		{"v=dmarc1; p=quarantin", "DMARC006", ""},
		{"text v=DMARC1; p=none", "DMARC006", ""},
		{"v=DMARC1; p=reject; pct=50; rua=mailto:a@example.org", "DMARC008", ""},
		{"v=DMARC1; p=reject; pct=50; ri=3600; rua=mailto:a@example.org!5m", "DMARC008", `"v=DMARC1; p=reject; pct=50; rua=mailto:a@example.org"`},
		{"v=DMARC1; p=none; rua=a@example.org, mailto:b@example.org", "DMARC014", `"v=DMARC1; p=none; rua=mailto:a@example.org,mailto:b@example.org"`},
		{"v=DMARC1; p=none; rua=mailto:a@example.org,ruf=mailto:b@example.org", "DMARC014", ""},
		{"v=DMARC1; p=none; p=reject", "DMARC016", ""},
		{"v=DMARC1; p=none; rua=mailto:a@example.org; rua=mailto:b@example.org", "DMARC016", `"v=DMARC1; p=none; rua=mailto:a@example.org,mailto:b@example.org"`},
		{"v=DMARC1; p=none; rua=mailto:a@example.org; apsf=s", "DMARC017", ""},
		{"v=DMARC1; p=none; rua=mailto:a@example.org; aspf=strict", "DMARC023", ""},
		{"v=DMARC1; p=none; rua=mailto:a@example.org; t=yes", "DMARC023", ""},
		{"v=DMARC1; p=none; rua=mailto:a@example.org; fo=0:1:d", "DMARC023", `"v=DMARC1; p=none; rua=mailto:a@example.org; fo=1:d"`},
	}
	for _, tt := range tests {
		s := dmarcZone(tt.text)
		if strings.Contains(tt.text, "\n") {
			s = audit.Scenario{Zone: tt.text}
		}
		_, r := try(t, s)
		var got []string
		for _, f := range find(r, tt.rule) {
			for _, c := range f.Fix.Changes {
				got = append(got, c.New...)
			}
		}
		if len(find(r, tt.rule)) == 0 || len(got) == 0 != (tt.want == "") || tt.want != "" && got[0] != tt.want {
			t.Errorf("%s: %s proposes %q, want %s; findings %v", tt.text, tt.rule, got, tt.want, ids(r))
		}
	}
}

// TestDMARCHostile tries records made of fragments, and long ones: no rule may
// fail, findings stay few and distinct, and a repair removes its finding and
// brings no error.
func TestDMARCHostile(t *testing.T) {
	parts := []string{"p=none", "p=reject", "P=none", "p=", "p=nonee", "sp=none", "sp=quarentine", "np=reject", "t=y", "t=yes", "pct=0", "pct=20", "pct=x",
		"rf=afrf", "psd=y", "psd=no", "adkim=strict", "aspf=r", "ASPF=s", "fo=0:1", "rua=mailto:a@example.org", "rua=a@example.org!5m", "rua=mailto:a@example.org mailto:b@example.org",
		"rua=", "ruf=mailto:b@example.org!1k", "ruf=https://example.org/", "rua_=mailto:c@example.org", "mailto:rua=d@example.org", "e@example.org", "", "junk", "v=DMARC1", "\x00=\xff", "x=\u00a0"}
	rng := rand.New(rand.NewPCG(9989, 7489)) // any constants: the test has to be the same each time
	texts := []string{
		"v=DMARC1; p=none" + strings.Repeat(";a;b=c;d=e", 300), "v=DMARC1; p=none; rua=" + strings.Repeat("mailto:a@b.example,", 200),
		"v=DMARC1;" + strings.Repeat("p=none;", 300), strings.Repeat("v=DMARC1 ", 200), "v=DMARC1; " + strings.Repeat(";", 500), "v=DMARC1; p=" + strings.Repeat("\"", 1000),
	}
	for i := range 26 * 10 { // distinct unknown tags
		texts[0] += ";" + strings.Repeat(string(rune('a'+i%26)), 1+i/26) + "q=1"
	}
	for range 400 {
		text := "v=DMARC1"
		for range 1 + rng.IntN(6) {
			text += ";" + strings.Repeat(" ", rng.IntN(2)) + parts[rng.IntN(len(parts))]
		}
		texts = append(texts, text)
	}
	for _, text := range texts {
		s := dmarcZone(text)
		zone, r := try(t, s)
		count, seen := 0, map[string]bool{}
		for _, x := range r.Rules {
			if strings.Contains(x.Reason, "defect of mailcheck") {
				t.Errorf("%q: %s: %s", text, x.ID, x.Reason)
			}
		}
		for _, f := range r.Findings {
			if !strings.HasPrefix(string(f.Rule), "DMARC") {
				continue
			}
			count++
			if seen[f.Fingerprint] {
				t.Errorf("%q: %s twice about %s", text, f.Rule, f.Subject)
			}
			seen[f.Fingerprint] = true
			for _, c := range f.Fix.Changes {
				z, err := zonetest.Parse(strings.Join(c.Zone(), "\n")+"\n", zonetest.Options{World: true})
				if err != nil {
					t.Fatalf("%q: %s: %v", text, f.Rule, err)
				}
				after := run(t, s, zone.Replace(c.Name, c.Type, z.Records(c.Name, c.Type)))
				for _, g := range after.Findings {
					if g.Fingerprint == f.Fingerprint {
						t.Errorf("%q: %s about %s stays after %q", text, f.Rule, f.Subject, c.New)
					}
					if g.Severity == audit.Error && len(find(r, g.Rule)) == 0 {
						t.Errorf("%q: repair of %s brings %s with %q", text, f.Rule, g.Rule, c.New)
					}
				}
			}
		}
		if count > 40 {
			t.Errorf("%d findings about %.60q", count, text)
		}
	}
}

// TestDMARCRealWorld wants a finding for every public record that is known to be
// wrong; those that say nothing is wrong with DMARC itself do not count.
func TestDMARCRealWorld(t *testing.T) {
	file := filepath.Join("..", "..", "..", "shared", "corpus", "dns", "realworld-broken.zone")
	f, err := os.Open(file)
	if err != nil {
		t.Skipf("no corpus of real records: %v", err)
	}
	defer f.Close()
	zone, err := zonetest.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	mild := map[audit.ID]bool{"DMARC008": true, "DMARC011": true, "DMARC012": true, "DMARC015": true, "DMARC024": true}
	section, n := false, 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "; ====") {
			section = strings.Contains(line, "DMARC")
		}
		rest, found := strings.CutPrefix(line, "; WRONG: ")
		domain, what, _ := strings.Cut(rest, ": ")
		if !found || !section {
			continue
		}
		n++
		r := run(t, audit.Scenario{Domain: domain}, zone)
		got := ids(r)
		told := false
		for _, id := range got {
			told = told || strings.HasPrefix(string(id), "DMARC") && !mild[id]
		}
		if !told {
			t.Errorf("%s: %s: findings %v", domain, what, got)
		}
	}
	if n < 30 {
		t.Errorf("only %d wrong records were read", n)
	}
}
