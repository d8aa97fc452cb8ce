package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// txt is the zone of a domain whose only record is the text, its strings
// separated by "|".
func txt(text string) string {
	return "example.org. 3600 IN TXT \"" + strings.ReplaceAll(text, "|", "\" \"") + "\"\n"
}

func TestSPFOutcomes(t *testing.T) {
	spf := func(text string, more ...string) audit.Scenario {
		return audit.Scenario{Zone: txt(text) + strings.Join(more, "\n")}
	}
	faulty := func(s audit.Scenario, faults ...string) audit.Scenario {
		s.Faults = faults
		return s
	}
	from := func(s audit.Scenario, addresses ...string) audit.Scenario {
		s.Addresses = addresses
		return s
	}
	const soft = "spf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 ~all\""
	checkOutcomes(t, []expectation{
		{"gone", audit.Scenario{Domain: "gone.example"}, "SPF001", audit.NotApplicable, 0},
		{"SERVFAIL is not missing", faulty(audit.Scenario{}, "example.org TXT servfail"), "SPF001", audit.Unknown, 0},
		{"timeout is not missing", faulty(spf("v=spf1 -all"), "example.org TXT timeout"), "SPF001", audit.Unknown, 0},
		{"unknown kind", audit.Scenario{Zone: plainMX}, "SPF001", audit.Fail, audit.Error},
		{"MX unknown", faulty(audit.Scenario{Zone: plainMX}, "example.org MX servfail"), "SPF001", audit.Fail, audit.Error},
		{"sends", audit.Scenario{Zone: plainMX, Addresses: []string{"192.0.2.1"}}, "SPF001", audit.Fail, audit.Error},
		{"no MX, but a key", audit.Scenario{Zone: "example.org. 3600 IN A 192.0.2.1\ndefault._domainkey.example.org. 3600 IN TXT " + keyEd}, "SPF001", audit.Fail, audit.Error},
		{"no MX", audit.Scenario{Zone: "example.org. 3600 IN A 192.0.2.1"}, "SPF001", audit.Fail, audit.Warning},
		{"null MX", audit.Scenario{Zone: "example.org. 3600 IN MX 0 ."}, "SPF001", audit.Fail, audit.Warning},
		{"meant as SPF", spf("v=spf1; -all"), "SPF001", audit.NotApplicable, 0},
		{"misplaced", audit.Scenario{Zone: plainMX + "_spf.example.org. 3600 IN TXT \"v=spf1 -all\""}, "SPF001", audit.NotApplicable, 0},
		// Not inherited from the parent: the domain checked is the one in MAIL FROM.
		{"subdomain", audit.Scenario{Domain: "a.example.org", Zone: txt("v=spf1 -all") + "a.example.org. 3600 IN A 192.0.2.1"}, "SPF001", audit.Fail, audit.Warning},

		// RFC 7208, Section 4.5.
		{"two", spf("v=spf1 -all", txt("v=spf1 mx -all")), "SPF002", audit.Fail, audit.Error},
		{"two, one in capitals", spf("V=SPF1 -all", txt("v=spf1 mx -all")), "SPF002", audit.Fail, audit.Error},
		{"one and another version", spf("v=spf1 -all", txt("v=spf10 -all")), "SPF002", audit.Pass, 0},
		{"none", audit.Scenario{Zone: plainMX}, "SPF002", audit.NotApplicable, 0},
		{"no record counts", spf("v=spf1 -all", txt("v=spf1 mx foo -all")), "SPF003", audit.NotApplicable, 0},
		{"no record counts", spf("v=spf1 +all", txt("v=spf1 mx ?all")), "SPF008", audit.NotApplicable, 0},

		// RFC 7208, Section 3.3: joined with nothing between.
		{"strings within a term", spf("v=spf1 ip4:192.0|.2.1 -all"), "SPF003", audit.Pass, 0},
		{"strings without a space", spf("v=spf1 ip4:192.0.2.1|-all"), "SPF003", audit.Fail, audit.Error},
		{"capitals", spf("V=SPF1 IP4:192.0.2.1 -ALL"), "SPF003", audit.Pass, 0},
		{"macros in capitals", spf("v=spf1 exists:%{I}._spf.%{D2} -all"), "SPF003", audit.Pass, 0},
		{"dual CIDR", spf("v=spf1 a/24 mx//64 a:mail.example.org/24//64 -all", "mail.example.org. 3600 IN A 192.0.2.1"), "SPF003", audit.Pass, 0},
		{"semicolon", spf("v=spf1 ip4:192.0.2.1 -all;"), "SPF003", audit.Fail, audit.Error},
		{"quotation mark", spf(`v=spf1 ip4:192.0.2.1 \"-all`), "SPF003", audit.Fail, audit.Error},
		{"no-break space", spf(`v=spf1 ip4:192.0.2.1\194\160-all`), "SPF003", audit.Fail, audit.Error},
		{"include SERVFAIL", faulty(spf("v=spf1 include:spf.example.net -all", soft), "spf.example.net TXT servfail"), "SPF003", audit.Unknown, 0},
		{"own error proven, include SERVFAIL", faulty(spf("v=spf1 foo include:spf.example.net -all"), "spf.example.net TXT servfail"), "SPF003", audit.Fail, audit.Error},

		{"beside the right one", spf("v=spf1 -all", txt("v=spf1; -all")), "SPF004", audit.Fail, audit.Notice},
		{"leading space", spf(" v=spf1 -all"), "SPF004", audit.Fail, audit.Error},
		{"unrelated", spf("spf is nice"), "SPF004", audit.Pass, 0},
		{"SERVFAIL", faulty(audit.Scenario{}, "example.org TXT servfail"), "SPF004", audit.Unknown, 0},
		{"record present", spf("v=spf1 -all"), "SPF005", audit.NotApplicable, 0},

		// RFC 7208, Section 4.6.4: what costs, and what does not.
		{"limit proven though an include is unknown", faulty(spf("v=spf1 a mx a:a.example.org a:b.example.org a:c.example.org a:d.example.org a:e.example.org a:f.example.org a:g.example.org a:h.example.org include:spf.example.net -all"), "spf.example.net TXT timeout"), "SPF006", audit.Fail, audit.Error},
		{"limit open while an include is unknown", faulty(spf("v=spf1 include:spf.example.net -all"), "spf.example.net TXT timeout"), "SPF006", audit.Unknown, 0},
		{"an address unknown does not matter to the count", faulty(spf("v=spf1 a:mail.example.org -all"), "mail.example.org A timeout", "mail.example.org AAAA timeout"), "SPF006", audit.Pass, 0},
		{"but to the voids", faulty(spf("v=spf1 a:mail.example.org -all"), "mail.example.org A timeout", "mail.example.org AAAA timeout"), "SPF007", audit.Unknown, 0},
		{"repeated includes count again", spf("v=spf1 include:a.example.net include:b.example.net -all", "a.example.net. 3600 IN TXT \"v=spf1 include:c.example.net -all\"",
			"b.example.net. 3600 IN TXT \"v=spf1 include:c.example.net -all\"", "c.example.net. 3600 IN TXT \"v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net -all\"", spfHosts), "SPF006", audit.Fail, audit.Error},
		{"ignored redirect costs nothing", spf("v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net a:h5.example.net a:h6.example.net a:h7.example.net a:h8.example.net -all redirect=spf.example.net", spfHosts), "SPF020", audit.Pass, 0},
		{"ten are allowed", spf("v=spf1 exists:%{i}.example.org include:%{d}.example.net a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net a:h5.example.net a:h6.example.net a:h7.example.net a:h8.example.net -all", spfHosts), "SPF006", audit.Pass, 0},
		{"ten leave no headroom", spf("v=spf1 exists:%{i}.example.org include:%{d}.example.net a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net a:h5.example.net a:h6.example.net a:h7.example.net a:h8.example.net -all", spfHosts), "SPF020", audit.Fail, audit.Notice},
		{"over the limit is another rule", spf("v=spf1 a mx a:a.example.org a:b.example.org a:c.example.org a:d.example.org a:e.example.org a:f.example.org a:g.example.org a:h.example.org a:i.example.org -all"), "SPF020", audit.NotApplicable, 0},
		{"the own MX record and addresses of its hosts cost one", spf("v=spf1 mx -all", spfMXHosts, spfHosts), "SPF020", audit.Pass, 0},

		{"no AAAA is no void", spf("v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net -all", spfHosts), "SPF007", audit.Pass, 0},
		{"dead includes are no voids but errors", spf("v=spf1 include:a.example.net include:b.example.net include:c.example.net -all"), "SPF007", audit.Pass, 0},
		{"three", spf("v=spf1 a mx exists:gone.example.net -all"), "SPF007", audit.Fail, audit.Warning},
		{"three are one finding", spf("v=spf1 a mx exists:gone.example.net -all"), "SPF026", audit.NotApplicable, 0},

		{"+all after -all", spf("v=spf1 -all +all"), "SPF008", audit.Pass, 0},
		{"include unknown", faulty(spf("v=spf1 include:spf.example.net -all"), "spf.example.net TXT refused"), "SPF008", audit.Unknown, 0},
		{"own +all, include unknown", faulty(spf("v=spf1 include:spf.example.net +all"), "spf.example.net TXT refused"), "SPF008", audit.Fail, audit.Error},
		{"~all is no fault", spf("v=spf1 ip4:192.0.2.1 ~all"), "SPF009", audit.Pass, 0},
		{"redirect unknown", faulty(spf("v=spf1 redirect=spf.example.net"), "spf.example.net TXT servfail"), "SPF010", audit.Unknown, 0},
		{"redirect to nothing is SPF011", spf("v=spf1 redirect=spf.example.net"), "SPF010", audit.Pass, 0},
		{"the error is the end", spf("v=spf1 ip4:192.0.2.1 -al"), "SPF010", audit.NotApplicable, 0},
		{"the error is not the end", spf("v=spf1 ipv4:192.0.2.1"), "SPF010", audit.Fail, audit.Warning},
		{"the end is glued", spf("v=spf1 ip4:192.0.2.1 allMS=ms1"), "SPF010", audit.NotApplicable, 0},

		// RFC 7208, Section 5.2: none is permerror, temperror is not.
		{"SERVFAIL is not none", faulty(spf("v=spf1 include:spf.example.net -all"), "spf.example.net TXT servfail"), "SPF011", audit.Unknown, 0},
		{"one gone, one unknown", faulty(spf("v=spf1 include:gone.example.net include:spf.example.net -all"), "spf.example.net TXT servfail"), "SPF011", audit.Fail, audit.Error},
		{"never reached", spf("v=spf1 -all include:gone.example.net"), "SPF011", audit.Pass, 0},
		{"open to the sender", spf("v=spf1 include:%{l}.example.net -all"), "SPF011", audit.Pass, 0},
		{"a wildcard does not help", spf("v=spf1 include:x.example.net -all", "*.example.net. 3600 IN TXT \"hello\""), "SPF011", audit.Fail, audit.Error},

		{"include's -all ends nothing", spf("v=spf1 include:spf.example.net include:b.example.net ~all", soft, "b.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.3 -all\""), "SPF017", audit.Pass, 0},
		{"redirect first", spf("v=spf1 redirect=spf.example.net ip4:192.0.2.1", soft), "SPF012", audit.Pass, 0},
		{"redirect beside its include", spf("v=spf1 include:spf.example.net -all redirect=spf.example.net", soft), "SPF012", audit.Fail, audit.Notice},
		{"ptr of a provider", spf("v=spf1 include:spf.example.net ~all", "spf.example.net. 3600 IN TXT \"v=spf1 ptr ~all\""), "SPF013", audit.Fail, audit.Notice},
		{"diamond is no loop", spf("v=spf1 include:spf.example.net include:b.example.net ~all", soft, "b.example.net. 3600 IN TXT \"v=spf1 include:spf.example.net -all\""), "SPF014", audit.Pass, 0},
		{"exp after all", spf("v=spf1 -all exp=explain.example.org"), "SPF016", audit.Pass, 0},
		{"same twice", spf("v=spf1 ip4:192.0.2.1 -all -all"), "SPF017", audit.Fail, audit.Notice},

		{"/8", spf("v=spf1 ip4:16.0.0.0/8 -all"), "SPF015", audit.Fail, audit.Error},
		{"/9", spf("v=spf1 ip4:16.0.0.0/9 -all"), "SPF015", audit.Fail, audit.Warning},
		{"/17", spf("v=spf1 ip4:16.0.0.0/17 -all"), "SPF015", audit.Pass, 0},
		{"IPv6 /16", spf("v=spf1 ip6:2a00::/16 -all"), "SPF015", audit.Fail, audit.Error},
		{"IPv6 /32", spf("v=spf1 ip6:2a00:1::/32 -all"), "SPF015", audit.Fail, audit.Warning},
		{"IPv6 /48", spf("v=spf1 ip6:2a00:1::/48 -all"), "SPF015", audit.Pass, 0},
		{"mx widened", spf("v=spf1 mx/12 -all", "example.org. 3600 IN MX 10 h1.example.net.", spfHosts), "SPF015", audit.Fail, audit.Warning},
		{"+all is not a network", spf("v=spf1 +all"), "SPF015", audit.Pass, 0},
		{"a huge network of a provider", spf("v=spf1 include:spf.example.net -all", "spf.example.net. 3600 IN TXT \"v=spf1 ip4:16.0.0.0/7 -all\""), "SPF015", audit.Fail, audit.Error},
		{"after all", spf("v=spf1 -all ip4:0.0.0.0/0"), "SPF015", audit.Pass, 0},

		{"include= lists nobody", spf("v=spf1 include=spf.example.net -all", soft), "SPF018", audit.Fail, audit.Error},
		{"a token", spf("v=spf1 -all google-site-verification=abc"), "SPF018", audit.Fail, audit.Notice},
		{"legal unknown modifier", spf("v=spf1 moo=cow -all"), "SPF018", audit.Pass, 0},
		{"MX unknown", faulty(spf("v=spf1 mx -all"), "example.org MX servfail"), "SPF019", audit.Unknown, 0},
		{"documentation networks", spf("v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all"), "SPF022", audit.Pass, 0},
		{"a wider network that has private parts", spf("v=spf1 ip4:172.0.0.0/9 -all"), "SPF022", audit.Pass, 0},
		{"different signs", spf("v=spf1 -ip4:192.0.2.0/24 ip4:192.0.2.7 -all"), "SPF023", audit.Fail, audit.Warning},

		{"no addresses", spf("v=spf1 -all"), "SPF024", audit.NotApplicable, 0},
		{"fail", from(spf("v=spf1 -all"), "192.0.2.1"), "SPF024", audit.Fail, audit.Error},
		{"softfail", from(spf("v=spf1 ~all"), "192.0.2.1"), "SPF024", audit.Fail, audit.Error},
		{"neutral", from(spf("v=spf1 ?all"), "192.0.2.1"), "SPF024", audit.Fail, audit.Warning},
		{"temperror", from(faulty(spf("v=spf1 a:mail.example.org -all"), "mail.example.org A servfail"), "192.0.2.1"), "SPF024", audit.Unknown, 0},
		// Section 4.6.4 counts what this sender needs: a listed address passes before the limit.
		{"listed early", from(spf("v=spf1 ip4:192.0.2.1 a mx a:a.example.org a:b.example.org a:c.example.org a:d.example.org a:e.example.org a:f.example.org a:g.example.org a:h.example.org a:i.example.org -all"), "192.0.2.1"), "SPF024", audit.Pass, 0},
		{"mapped address", from(spf("v=spf1 ip4:192.0.2.1 -all"), "::ffff:192.0.2.1"), "SPF024", audit.Pass, 0},

		{"joined name exists", spf("v=spf1 a:mail.example.org|mx -all", "mail.example.orgmx. 3600 IN A 192.0.2.1"), "SPF025", audit.Pass, 0},
		{"joined name unknown", faulty(spf("v=spf1 a:mail.example.org|mx -all"), "mail.example.orgmx A servfail", "mail.example.orgmx AAAA servfail"), "SPF025", audit.Unknown, 0},
		{"host unknown", faulty(spf("v=spf1 a:mail.example.org -all"), "mail.example.org A servfail", "mail.example.org AAAA servfail"), "SPF026", audit.Unknown, 0},
		{"one family is enough", faulty(spf("v=spf1 a:h1.example.net -all", spfHosts), "h1.example.net AAAA servfail"), "SPF026", audit.Pass, 0},
		{"one family is enough", faulty(spf("v=spf1 a:h1.example.net -all", spfHosts), "h1.example.net AAAA servfail"), "SPF007", audit.Pass, 0},
	})
}

// TestSPFNotApplicable: where there is no single record, no rule on records
// speaks, and where the name does not exist, none does.
func TestSPFNotApplicable(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    audit.Scenario
		want map[audit.ID]audit.Outcome // others are not applicable
	}{
		{"gone", audit.Scenario{Domain: "gone.example", Addresses: []string{"192.0.2.1"}}, nil},
		{"none", audit.Scenario{Zone: plainMX}, map[audit.ID]audit.Outcome{"SPF001": audit.Fail, "SPF004": audit.Pass, "SPF005": audit.Pass}},
		{"two", audit.Scenario{Zone: plainMX + txt("v=spf1 +all") + txt("v=spf1 foo")}, map[audit.ID]audit.Outcome{"SPF001": audit.Pass, "SPF002": audit.Fail, "SPF004": audit.Pass}},
	} {
		_, r := try(t, tt.s)
		for _, rule := range spfRules {
			want, ok := tt.want[rule.ID]
			if !ok {
				want = audit.NotApplicable
			}
			if got := r.Outcome(rule.ID); got != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, rule.ID, got, want)
			}
		}
	}
	_, r := try(t, audit.Scenario{Zone: plainMX, Faults: []string{"example.org TXT timeout"}, Addresses: []string{"192.0.2.1"}})
	for _, rule := range spfRules {
		if got := r.Outcome(rule.ID); got != audit.Unknown {
			t.Errorf("TXT timeout: %s is %q, want unknown", rule.ID, got)
		}
	}
}

// TestSPFMessages: the specifics are in the message.
func TestSPFMessages(t *testing.T) {
	for _, tt := range []struct {
		zone string
		rule audit.ID
		want []string
	}{
		{spfLookupLimit.Doc.Bad[0].Zone, "SPF006", []string{"needs 11 lookups, 10 are allowed", "the 11th is a:h4.example.net in the record of b.example.net, reached through include:b.example.net",
			"senders that an earlier term lists", "include:a.example.net 6, include:b.example.net 5"}},
		{txt("v=spf1 ip4:192.0.2.1 ipv4:192.0.2.2 -all"), "SPF003", []string{`"ipv4:192.0.2.2" at offset 21`, "unknown mechanism, expected all, include", `probably meant as "ip4:192.0.2.2"`}},
		{txt("v=spf1 include:gone.example.net -all"), "SPF011", []string{"include:gone.example.net in the record of example.org", "NXDOMAIN", "a stranger can register it"}},
		{txt("v=spf1 include:spf.example.net -all") + "spf.example.net. 3600 IN TXT \"v=spf1 redirect=example.org\"", "SPF014", []string{"example.org > spf.example.net > example.org"}},
		{txt("v=spf1 a:a.example.org a:b.example.org mx -all"), "SPF007", []string{"3 lookups have no answer, 2 are allowed", "a:a.example.org of example.org, a:b.example.org of example.org, mx of example.org"}},
		{txt("v=spf1 ip4:16.0.0.0/8 -all"), "SPF015", []string{"16777216 IPv4 addresses"}},
	} {
		_, r := try(t, audit.Scenario{Zone: tt.zone})
		f := find(r, tt.rule)
		if len(f) == 0 {
			t.Errorf("%s: no finding", tt.rule)
			continue
		}
		for _, w := range tt.want {
			if !strings.Contains(f[0].Message, w) {
				t.Errorf("%s: %q does not contain %q", tt.rule, f[0].Message, w)
			}
		}
	}
}

// TestSPFRepairs: the exact record that a finding proposes, or none where a
// person has to decide.
func TestSPFRepairs(t *testing.T) {
	const enforcing = "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=reject\"\n"
	for _, tt := range []struct {
		name string
		rule audit.ID
		s    audit.Scenario
		want string // empty: none
	}{
		{"declare", "SPF001", audit.Scenario{Zone: "example.org. 3600 IN MX 0 .\n"}, "v=spf1 -all"},
		{"there may be keys", "SPF001", audit.Scenario{Zone: "example.org. 3600 IN MX 0 .\na.b._domainkey.example.org. 3600 IN TXT \"v=DKIM1; p=\"\n"}, ""},
		{"it takes mail", "SPF001", audit.Scenario{Zone: plainMX}, ""},
		{"different records", "SPF002", audit.Scenario{Zone: txt("v=spf1 a -all") + txt("v=spf1 mx -all")}, ""},
		{"all errors", "SPF003", audit.Scenario{Zone: txt("v=spf1  ipv4:192.0.2.1 foo=bar include: spf.example.net  -al")}, "v=spf1  ip4:192.0.2.1 foo=bar include:spf.example.net  -all"},
		{"one error is open", "SPF003", audit.Scenario{Zone: txt("v=spf1 ipv4:192.0.2.1 frobnicate -all")}, ""},
		{"a bare name is a guess", "SPF003", audit.Scenario{Zone: txt("v=spf1 spf.example.net -all")}, ""},
		{"an all in the middle is a guess", "SPF003", audit.Scenario{Zone: txt("v=spf1 a -allmx ~all")}, ""},
		{"missing space", "SPF004", audit.Scenario{Zone: txt("v=spf1include:spf.example.net~all")}, "v=spf1 include:spf.example.net ~all"},
		{"two candidates", "SPF004", audit.Scenario{Zone: txt("v=spf1; -all") + txt(" v=spf1 mx -all")}, ""},
		{"repeated include", "SPF006", spfLookupLimit.Doc.Bad[1], "v=spf1 include:a.example.net ip4:192.0.2.200 -all"},
		{"too many providers", "SPF006", spfLookupLimit.Doc.Bad[0], ""},
		{"nothing enforces", "SPF008", audit.Scenario{Zone: txt("v=spf1 mx +all")}, "v=spf1 mx ~all"},
		{"DMARC enforces", "SPF008", audit.Scenario{Zone: txt("v=spf1 mx +all") + enforcing}, ""},
		{"nobody listed", "SPF008", audit.Scenario{Zone: txt("v=spf1 all")}, ""},
		{"own include", "SPF014", audit.Scenario{Zone: txt("v=spf1 mx +include:EXAMPLE.org. ~all")}, "v=spf1 mx ~all"},
		{"late and early", "SPF016", audit.Scenario{Zone: txt("v=spf1 mx ~all mx")}, "v=spf1 mx ~all"},
		{"late only", "SPF016", audit.Scenario{Zone: txt("v=spf1 mx ~all a")}, ""},
		{"second all", "SPF017", audit.Scenario{Zone: txt("v=spf1 mx ~all -all")}, "v=spf1 mx ~all"},
		{"no colon", "SPF018", audit.Scenario{Zone: txt("v=spf1 +ip4:192.0.2.1 ip4=192.0.2.2 -all")}, "v=spf1 +ip4:192.0.2.1 ip4:192.0.2.2 -all"},
		{"three alike", "SPF023", audit.Scenario{Zone: txt("v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 ip4:192.0.2.1 -all")}, "v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 -all"},
		{"within a later one", "SPF023", audit.Scenario{Zone: txt("v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24 -all")}, "v=spf1 ip4:192.0.2.0/24 -all"},
		{"a rejection between", "SPF023", audit.Scenario{Zone: txt("v=spf1 ip4:192.0.2.1 -ip4:192.0.2.0/28 ip4:192.0.2.0/24 -all")}, ""},
		{"a lookup between", "SPF023", audit.Scenario{Zone: txt("v=spf1 ip4:192.0.2.1 include:spf.example.net ip4:192.0.2.0/24 -all")}, ""},
		{"sender", "SPF024", audit.Scenario{Zone: txt("v=spf1 mx ~all"), Addresses: []string{"2001:db8::25"}}, "v=spf1 mx ip6:2001:db8::25 ~all"},
		{"sender rejected on purpose", "SPF024", audit.Scenario{Zone: txt("v=spf1 -ip4:192.0.2.1 mx ~all"), Addresses: []string{"192.0.2.1"}}, ""},
		{"host bits", "SPF027", audit.Scenario{Zone: txt("v=spf1 +ip4:192.0.2.9/24 -all")}, "v=spf1 +ip4:192.0.2.0/24 -all"},
	} {
		t.Run(string(tt.rule)+"/"+tt.name, func(t *testing.T) {
			_, r := try(t, tt.s)
			f := find(r, tt.rule)
			if len(f) == 0 {
				t.Fatalf("no finding; %v", ids(r))
			}
			got := ""
			if c := f[0].Fix.Changes; len(c) > 0 {
				got = strings.Join(c[0].New, "\n")
			}
			if want := tt.want; want == "" && got != "" || want != "" && got != fmt.Sprintf("%q", want) {
				t.Errorf("got %s, want %q", got, want)
			}
		})
	}
}

// FuzzSPFRules: whatever stands in the record, no rule fails, findings differ in
// their subjects, and what is proposed can be applied.
func FuzzSPFRules(f *testing.F) {
	for _, s := range []string{"v=spf1 ip4: ip4: 192.0.2.1 a a a redirect=x.y redirect=x.y", "v=spf1 -all -all a a a:b.c/0//0", "v=spf1\t+all", "v=spf1 exists:%{p}.%{d} include:example.org all=all MS=1 v=spf1"} {
		f.Add(s)
	}
	var list []audit.Rule
	for _, r := range spfRules {
		list = append(list, *r)
	}
	name := resolve.MustName("example.org")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 {
			return
		}
		data := resolve.SplitTXT(text)
		z := zonetest.MustParse(plainMX).Replace(name, resolve.TypeTXT, []resolve.Record{{Name: name, Type: resolve.TypeTXT, TTL: 60, Data: data}})
		r := audit.Run(facts.Gather(context.Background(), z, name, facts.Options{}), list, audit.Options{})
		var seen []string
		for _, x := range r.Findings {
			if slices.Contains(seen, x.Fingerprint) {
				t.Errorf("two findings at %s", x.Subject)
			}
			seen = append(seen, x.Fingerprint)
		}
		for _, x := range r.Rules {
			if strings.Contains(x.Reason, "defect of mailcheck") {
				t.Errorf("%s: %s", x.ID, x.Reason)
			}
		}
	})
}
