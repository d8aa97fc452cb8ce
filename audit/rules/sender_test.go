package rules

import (
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// ownMX is a domain whose MX host is its own and may send.
const ownMX = "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 mx -all\"\n"

// Addresses that nobody gave are looked at, and judged as the inference they are.
func TestDerivedSenders(t *testing.T) {
	const ptr = reverseZone + "25.2.0.192.in-addr.arpa. 3600 IN PTR "
	servfail := []string{"25.2.0.192.in-addr.arpa PTR servfail"}
	checkOutcomes(t, []expectation{
		{"MX and SPF", audit.Scenario{Zone: ownMX + reverseZone}, "IP001", audit.Fail, audit.Warning},
		{"given, it is certain", audit.Scenario{Zone: ownMX + reverseZone, Addresses: []string{"192.0.2.25"}}, "IP001", audit.Fail, audit.Error},
		{"the web site's address", audit.Scenario{Zone: "example.org. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 a -all\"\n" + reverseZone}, "IP001", audit.Fail, audit.Notice},
		{"a host by name", audit.Scenario{Zone: "out.example.net. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 a:out.example.net -all\"\n" + reverseZone}, "IP001", audit.Fail, audit.Warning},
		{"its own record elsewhere", audit.Scenario{Zone: "example.org. 3600 IN TXT \"v=spf1 include:_spf.example.org -all\"\n_spf.example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n" + reverseZone}, "IP001", audit.Fail, audit.Warning},
		{"a network is no host", audit.Scenario{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n" + reverseZone}, "IP001", audit.NotApplicable, 0},
		{"it may not send", audit.Scenario{Zone: "example.org. 3600 IN TXT \"v=spf1 -ip4:192.0.2.25 ?ip4:192.0.2.26 -all\"\n" + reverseZone}, "IP001", audit.NotApplicable, 0},
		{"after all", audit.Scenario{Zone: "example.org. 3600 IN TXT \"v=spf1 -all ip4:192.0.2.25\"\n" + reverseZone}, "IP001", audit.NotApplicable, 0},
		{"private", audit.Scenario{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:10.0.0.1 ip4:127.0.0.1 -all\"\n" + reverseZone}, "IP001", audit.NotApplicable, 0},

		// RFC 2308, Section 3: who has no reverse tree cannot deny a name in it.
		{"no reverse tree", audit.Scenario{Zone: ownMX}, "IP001", audit.NotApplicable, 0},
		{"no reverse tree", audit.Scenario{Zone: ownMX}, "IP002", audit.NotApplicable, 0},
		{"SERVFAIL", audit.Scenario{Zone: ownMX + reverseZone, Faults: servfail}, "IP001", audit.NotApplicable, 0},
		{"unconfirmed", audit.Scenario{Zone: ownMX + ptr + "other.example.net."}, "IP002", audit.Fail, audit.Warning},
		{"unconfirmed is unknown", audit.Scenario{Zone: ownMX + ptr + "other.example.net.", Faults: []string{"other.example.net A servfail"}}, "IP002", audit.NotApplicable, 0},
		{"generic", audit.Scenario{Zone: ownMX + ptr + "192-0-2-25.example.net.\n192-0-2-25.example.net. 3600 IN A 192.0.2.25\n"}, "IP003", audit.Fail, audit.Notice},
		{"in order", audit.Scenario{Zone: ownMX + ptr + "mail.example.org."}, "IP002", audit.Pass, 0},
		// Nothing is known of what a derived host says, and that SPF passes it is why it is one.
		{"EHLO", audit.Scenario{Zone: ownMX, HELO: "localhost"}, "IP004", audit.NotApplicable, 0},
		{"SPF", audit.Scenario{Zone: ownMX}, "SPF024", audit.NotApplicable, 0},
	})
}

func TestDerivedTells(t *testing.T) {
	_, r := try(t, audit.Scenario{Zone: ownMX + reverseZone})
	f := find(r, "IP001")
	if len(f) != 1 || !strings.Contains(f[0].Message, "derived from MX") || !strings.Contains(f[0].Message, "the SPF term mx lets it send") || len(f[0].Evidence) != 2 {
		t.Errorf("%+v", f)
	}
	if len(r.Senders) != 1 || r.Senders[0].Origin != "mx" || r.Senders[0].Host != "mail.example.org" {
		t.Errorf("senders %+v", r.Senders)
	}
	// That nobody insisted on makes no report incomplete, and no receiver's demand is
	// decided by an inference.
	_, r = try(t, audit.Scenario{Zone: ownMX})
	if r.Outcome("IP001") != audit.NotApplicable || r.Senders[0].State != resolve.Unavailable {
		t.Errorf("%+v", r.Senders)
	}
	for _, zone := range []string{ownMX, ownMX + reverseZone, ownMX + reverseZone + "25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\n"} {
		_, r = try(t, audit.Scenario{Zone: zone})
		for _, p := range r.Profiles {
			for _, q := range p.Requirements {
				if strings.HasSuffix(q.ID, "-ptr") && (q.Verdict != audit.Undecided || q.Reason == "") {
					t.Errorf("%s is %s: %s", q.ID, q.Verdict, q.Reason)
				}
			}
		}
	}
}
