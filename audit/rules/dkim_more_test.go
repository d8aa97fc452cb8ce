package rules

import (
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
)

func TestDKIMOutcomes(t *testing.T) {
	const soa = "example.org. 3600 IN SOA ns1.example.org. admin.example.org. 1 7200 3600 1209600 300\n"
	s1 := "s1._domainkey.example.org. 3600 IN TXT " + key2048 + "\n"
	broken := []string{"s1._domainkey.example.org TXT servfail"}
	checkOutcomes(t, []expectation{
		{"unknown", audit.Scenario{Zone: signs + s1, Selectors: []string{"s1"}, Faults: broken}, "DKIM016", audit.Unknown, 0},
		{"no selector known", audit.Scenario{Zone: signs}, "DKIM016", audit.NotApplicable, 0},
		{"gone", audit.Scenario{Domain: "gone.example"}, "DKIM016", audit.NotApplicable, 0},
		{"two years less a day", audit.Scenario{Zone: signs + "x20241102._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"x20241102"}}, "DKIM016", audit.Pass, 0},
		{"two years and a day", audit.Scenario{Zone: signs + "x20241031._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"x20241031"}}, "DKIM016", audit.Fail, audit.Notice},
		{"a date to come", audit.Scenario{Zone: signs + "x20280101._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"x20280101"}}, "DKIM016", audit.Pass, 0},

		{"unknown", audit.Scenario{Zone: signs + s1, Selectors: []string{"s1"}, Faults: broken}, "DKIM017", audit.Unknown, 0},
		{"no selector known", audit.Scenario{Zone: signs}, "DKIM017", audit.NotApplicable, 0},
		{"gone", audit.Scenario{Domain: "gone.example"}, "DKIM017", audit.NotApplicable, 0},
		{"behind an alias too", audit.Scenario{Zone: signs + "s1._domainkey.example.org. 3600 IN CNAME k.vendor.example.\nk.vendor.example. 3600 IN TXT " + paddedKey, Selectors: []string{"s1"}}, "DKIM017", audit.Fail, audit.Notice},

		{"unknown", audit.Scenario{Zone: signs + s1, Selectors: []string{"s1"}, Faults: []string{"_domainkey.example.org TXT servfail"}}, "DKIM018", audit.Unknown, 0},
		{"the domain's own zone", audit.Scenario{Zone: soa + signs + s1, Selectors: []string{"s1"}}, "DKIM018", audit.Pass, 0},
		{"alias, and no key", audit.Scenario{Zone: soa + signs + "_domainkey.example.org. 3600 IN CNAME keys.vendor.example."}, "DKIM018", audit.Fail, audit.Warning},
		{"alias, and a key", audit.Scenario{Zone: soa + signs + s1 + "_domainkey.example.org. 3600 IN CNAME keys.vendor.example.", Selectors: []string{"s1"}}, "DKIM018", audit.Fail, audit.Notice},
		{"gone", audit.Scenario{Domain: "gone.example"}, "DKIM018", audit.NotApplicable, 0},

		{"unknown", audit.Scenario{Zone: signs + s1, Selectors: []string{"s1"}, Faults: []string{"_domainkey.example.org TXT timeout"}}, "DKIM019", audit.Unknown, 0},
		{"gone", audit.Scenario{Domain: "gone.example"}, "DKIM019", audit.NotApplicable, 0},
		{"other text", audit.Scenario{Zone: signs + s1 + "_domainkey.example.org. 3600 IN TXT \"contact=admin; no=-\"", Selectors: []string{"s1"}}, "DKIM019", audit.Pass, 0},
	})
}
