package rules

import (
	"context"
	"net/netip"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// expectation is what a rule has to make of a scenario.
type expectation struct {
	name     string
	scenario audit.Scenario
	rule     audit.ID
	want     audit.Outcome
	severity audit.Severity // of the finding; 0: not looked at
}

func checkOutcomes(t *testing.T, list []expectation) {
	t.Helper()
	for _, tt := range list {
		t.Run(string(tt.rule)+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			_, r := try(t, tt.scenario)
			if got := r.Outcome(tt.rule); got != tt.want {
				t.Fatalf("outcome %q, want %q; findings %v", got, tt.want, ids(r))
			}
			if f := find(r, tt.rule); tt.severity != 0 && (len(f) == 0 || f[0].Severity != tt.severity) {
				t.Errorf("findings %+v, want severity %v", f, tt.severity)
			}
		})
	}
}

const plainMX = "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1\n"

func TestOutcomes(t *testing.T) {
	checkOutcomes(t, []expectation{
		// RFC 8020, Section 2: NXDOMAIN speaks for the whole tree below; nothing else is worth saying.
		{"gone", audit.Scenario{Domain: "gone.example"}, "MX001", audit.NotApplicable, 0},
		{"gone", audit.Scenario{Domain: "gone.example"}, "DKIM001", audit.NotApplicable, 0},
		{"SERVFAIL is not NXDOMAIN", audit.Scenario{Zone: signs, Faults: []string{"example.org TXT servfail", "example.org MX servfail"}}, "DNS001", audit.Unknown, 0},
		{"one answer proves existence", audit.Scenario{Zone: signs, Faults: []string{"example.org TXT timeout"}}, "DNS001", audit.Pass, 0},

		{"SERVFAIL", audit.Scenario{Zone: signs, Faults: []string{"example.org MX servfail"}}, "MX001", audit.Unknown, 0},
		{"address unknown", audit.Scenario{Zone: signs, Faults: []string{"example.org A refused", "example.org AAAA refused"}}, "MX001", audit.Unknown, 0},
		{"nothing to reply to", audit.Scenario{Zone: signs}, "MX001", audit.Fail, audit.Error},
		{"implicit MX", audit.Scenario{Zone: signs + "example.org. 3600 IN A 192.0.2.80"}, "MX001", audit.Fail, audit.Warning},
		{"host SERVFAIL", audit.Scenario{Zone: plainMX, Faults: []string{"mail.example.org A servfail", "mail.example.org AAAA servfail"}}, "MX006", audit.Unknown, 0},
		{"one family suffices", audit.Scenario{Zone: plainMX, Faults: []string{"mail.example.org AAAA servfail"}}, "MX006", audit.Pass, 0},
		{"one of two hosts", audit.Scenario{Zone: plainMX + "example.org. 3600 IN MX 20 gone.example.org."}, "MX006", audit.Fail, audit.Warning},
		{"only host", audit.Scenario{Zone: "example.org. 3600 IN MX 20 gone.example.org."}, "MX006", audit.Fail, audit.Error},
		{"AAAA known, A unknown", audit.Scenario{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN AAAA 2001:db8::1", Faults: []string{"mail.example.org A timeout"}}, "MX008", audit.Unknown, 0},
		{"one private address of two", audit.Scenario{Zone: plainMX + "mail.example.org. 3600 IN A 10.0.0.1"}, "MX005", audit.Fail, audit.Warning},

		// Selectors cannot be listed: finding none is no proof (RFC 8020 aside).
		{"nothing found", audit.Scenario{Zone: signs + "unusual._domainkey.example.org. 3600 IN TXT " + key2048}, "DKIM001", audit.Unknown, 0},
		{"_domainkey SERVFAIL", audit.Scenario{Zone: signs, Faults: []string{"_domainkey.example.org TXT servfail"}}, "DKIM001", audit.Unknown, 0},
		{"wildcard fools nobody", audit.Scenario{Zone: signs + "*.example.org. 3600 IN TXT \"v=spf1 -all\""}, "DKIM001", audit.Unknown, 0},
		{"only an MX: no evidence of sending", audit.Scenario{Zone: plainMX}, "DKIM001", audit.Fail, audit.Warning},
		{"given selector unknown", audit.Scenario{Zone: signs, Selectors: []string{"s1"}, Faults: []string{"s1._domainkey.example.org TXT servfail"}}, "DKIM002", audit.Unknown, 0},
		{"given selector NXDOMAIN", audit.Scenario{Zone: signs, Selectors: []string{"s1"}}, "DKIM002", audit.Fail, audit.Error},
		{"none given", audit.Scenario{Zone: signs}, "DKIM002", audit.NotApplicable, 0},
		{"512 bits", audit.Scenario{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key512, Selectors: []string{"s1"}}, "DKIM006", audit.Fail, audit.Error},
		{"1024 bits", audit.Scenario{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key1024, Selectors: []string{"s1"}}, "DKIM006", audit.Fail, audit.Warning},
		// Microsoft 365 leaves the second selector empty until it rotates.
		{"idle second selector", audit.Scenario{Zone: signs + "example.org. 3600 IN MX 0 example-org.mail.protection.outlook.com.\nexample-org.mail.protection.outlook.com. 3600 IN A 192.0.2.1\n" +
			"selector1._domainkey.example.org. 3600 IN CNAME selector1-example-org._domainkey.example.onmicrosoft.com.\nselector1-example-org._domainkey.example.onmicrosoft.com. 3600 IN TXT " + key2048 +
			"\nselector2._domainkey.example.org. 3600 IN CNAME selector2-example-org._domainkey.example.onmicrosoft.com."}, "DKIM008", audit.Fail, audit.Notice},

		{"no address given", audit.Scenario{Zone: plainMX}, "IP001", audit.NotApplicable, 0},
		{"PTR SERVFAIL", audit.Scenario{Zone: signs, Addresses: []string{"192.0.2.1"}, Faults: []string{"1.2.0.192.in-addr.arpa PTR servfail"}}, "IP001", audit.Unknown, 0},
		{"PTR SERVFAIL", audit.Scenario{Zone: signs, Addresses: []string{"192.0.2.1"}, Faults: []string{"1.2.0.192.in-addr.arpa PTR servfail"}}, "IP002", audit.Unknown, 0},
		{"PTR SERVFAIL", audit.Scenario{Zone: signs, Addresses: []string{"192.0.2.1"}, Faults: []string{"1.2.0.192.in-addr.arpa PTR servfail"}}, "IP003", audit.Unknown, 0},
		{"forward lookup unknown", audit.Scenario{Zone: signs + "1.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.", Addresses: []string{"192.0.2.1"}, Faults: []string{"mail.example.org A timeout"}}, "IP002", audit.Unknown, 0},
	})
}

func TestTCPBlocked(t *testing.T) {
	name := resolve.MustName("example.org")
	// RFC 7766, Section 5: the answer is truncated, and TCP is refused.
	r := resolve.Func(func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
		if q.Type == resolve.TypeTXT && q.Name == name {
			return resolve.Answer{Question: q, Server: "192.0.2.53:53", Truncated: true}, &resolve.Error{Reason: resolve.ErrNetwork, Question: q}
		}
		return resolve.Answer{Question: q, Server: "192.0.2.53:53", RCode: resolve.NoError}, &resolve.Error{Reason: resolve.ErrNoData, Question: q}
	})
	report := audit.Run(facts.Gather(context.Background(), r, name, facts.Options{}), All(), audit.Options{})
	got := find(report, "DNS003")
	if len(got) != 1 || got[0].Subject.Type != resolve.TypeTXT || len(got[0].Evidence) != 1 {
		t.Errorf("DNS003 = %+v", got)
	}
	if report.Outcome("SPF001") == audit.Fail {
		t.Error("a record that cannot be read was called missing")
	}
}

func TestLooksGeneric(t *testing.T) {
	for _, tt := range []struct {
		name, addr string
		want       bool
	}{
		{"192-0-2-25.pool.example.net", "192.0.2.25", true},
		{"25.2.0.192.dyn.example.net", "192.0.2.25", true},
		{"host-c0000219.example.net", "192.0.2.25", true},
		{"mail25.example.org", "192.0.2.25", false},
		{"mx1.example.org", "2001:db8::25", false},
		{"2001-db8-0-0-0000-0000-0000-0025.example.net", "2001:db8::25", true},
	} {
		if got := looksGeneric(resolve.MustName(tt.name), facts.Sender{Address: netip.MustParseAddr(tt.addr)}); got != tt.want {
			t.Errorf("looksGeneric(%s, %s) = %v", tt.name, tt.addr, got)
		}
	}
}
