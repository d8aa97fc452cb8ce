package insight

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

// withTesting has t=y in the reports of one reporter until a day, and nothing, as
// RFC 9990 allows, from then on.
func withTesting(list []paper, reporter string, until int) []paper {
	for i := range list {
		if list[i].reporter == reporter && i/3 < until {
			list[i].t = "y"
		}
	}
	return list
}

// A stage with t=y is another one than that without: its week begins anew (RFC 9989,
// Section 4.7: t=y asks for one level less).
func TestTestingIsAStage(t *testing.T) {
	quarantined := func(testUntil int) []paper {
		return withTesting(withPolicy(world(nil), "quarantine", 0), "google.com", testUntil)
	}
	for _, c := range []struct {
		name, record string
		papers       []paper
		want         Answer
		code, stage  string
		days         int
	}{
		{"t=y for two weeks", "p=quarantine; t=y", quarantined(14), Safe, "", "quarantine; t=y", 14},
		{"t=y gone for three days", "p=quarantine", quarantined(11), NotKnown, "young-stage", "quarantine", 3},
		{"t=y gone for a week", "p=quarantine", quarantined(7), Safe, "", "quarantine", 7},
		{"t=y gone in DNS alone", "p=quarantine", quarantined(14), NotKnown, "policy-changed", "quarantine", 14},
		{"nobody tells of t", "p=quarantine", quarantined(0), Safe, "", "quarantine", 14},
		// Days without a report of the one who tells are as those before.
		{"who tells is silent", "p=quarantine; t=y", slices.DeleteFunc(quarantined(14), func(p paper) bool { return p.reporter == "google.com" && strings.HasSuffix(p.day, "-12") }), Safe, "", "quarantine; t=y", 14},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := zonetest.MustParse(strings.ReplaceAll(`$ORIGIN example.org.
@ TXT "v=spf1 ip4:192.0.2.10 ~all"
_dmarc TXT "v=DMARC1; POLICY; rua=mailto:d@example.org"
`, "POLICY", c.record))
			live, err := Look(t.Context(), z, []string{"example.org"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Query{Archive: store(t, c.papers...), Live: live}.Readiness(t.Context(), ReadyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			d := v.Domains[0]
			if v.Answer != c.want || d.Stage != c.stage || d.StageDays != c.days || c.code != "" && !slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Code == c.code }) {
				t.Errorf("%s at %q for %d days: %+v", v.Answer, d.Stage, d.StageDays, d.Reasons)
			}
		})
	}
}

// A forger inside of a network that the SPF record has passes, and only the owner can
// tell: what the owner said counts.
func TestForgerWithSPF(t *testing.T) {
	inside := row{ip: "192.0.2.77", count: 10, spf: true, envelope: "example.org", result: "pass"}
	s := store(t, world(func(string, int) []row { return []row{inside} })...)
	q := Query{Archive: s, Labels: []Label{{Source: "192.0.2.77", Class: Spoofing}}}
	e, _, err := q.Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []narrow.Host{
		{IP: addr("192.0.2.10"), Domain: resolve.MustName("example.org"), Count: 2100, Legitimate: true},
		{IP: addr("192.0.2.77"), Domain: resolve.MustName("example.org"), Count: 420},
	}
	if !slices.Equal(e.Hosts, want) {
		t.Errorf("evidence %+v", e.Hosts)
	}
	v, err := q.Readiness(t.Context(), ReadyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d := v.Domains[0]; d.Real != 2100 || d.Forged != 420 || !slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Code == "forgeries-pass" }) {
		t.Errorf("real %d, forged %d: %+v", d.Real, d.Forged, d.Reasons)
	}
	all, err := q.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all.List, func(s Source) bool { return s.Class == Spoofing })
	if i < 0 || len(all.List[i].Fixes) != 1 || !strings.Contains(all.List[i].Fixes[0].Text, "spf narrow") {
		t.Errorf("sources %+v", all.List)
	}
	// Without the owner's word it is the owner's.
	q.Labels = nil
	if e, _, err := q.Evidence(t.Context()); err != nil || len(e.Hosts) != 2 || !e.Hosts[1].Legitimate {
		t.Errorf("%v: %+v", err, e.Hosts)
	}
}
