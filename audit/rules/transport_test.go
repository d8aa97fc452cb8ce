package rules

import (
	"slices"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
)

func TestTransportOutcomes(t *testing.T) {
	hosts := func(lines ...string) []string { return lines }
	good := hosts("192.0.2.25 good")
	v6 := oneHost + "mail.example.org. 3600 IN AAAA 2001:db8::25\n"
	testing604800 := "version: STSv1\nmode: testing\nmax_age: 604800\nmx: other.example.org\n"
	silentTLSA := oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 " + someDigest + "\n"
	checkOutcomes(t, []expectation{
		// Nobody talked to the hosts: the rules say so and nothing else.
		{"not asked", audit.Scenario{Zone: oneHost}, "TLS001", audit.NotApplicable, 0},
		{"not asked", audit.Scenario{Zone: stsZone}, "STS004", audit.NotApplicable, 0},
		{"not asked", audit.Scenario{Zone: oneHost}, "NS001", audit.NotApplicable, 0},
		{"not asked", audit.Scenario{Zone: oneHost}, "DNSSEC001", audit.NotApplicable, 0},
		{"not asked", audit.Scenario{Zone: oneHost, Addresses: []string{"192.0.2.25"}}, "IP005", audit.NotApplicable, 0},

		// Silence is not "no TLS".
		{"silent", audit.Scenario{Zone: oneHost, Hosts: hosts("192.0.2.25 silent")}, "TLS001", audit.Unknown, 0},
		{"silent", audit.Scenario{Zone: oneHost, Hosts: hosts("192.0.2.25 silent")}, "TLS003", audit.Unknown, 0},
		{"silent", audit.Scenario{Zone: oneHost, Hosts: hosts("192.0.2.25 silent")}, "MX010", audit.Unknown, 0},
		{"silent", audit.Scenario{Zone: silentTLSA, Hosts: hosts("192.0.2.25 silent"), Security: proven}, "DANE001", audit.Unknown, 0},
		{"one of two silent", audit.Scenario{Zone: twoHosts, Hosts: hosts("192.0.2.25 good", "192.0.2.26 silent")}, "TLS001", audit.Unknown, 0},
		{"one address silent", audit.Scenario{Zone: v6, Hosts: hosts("192.0.2.25 good", "2001:db8::25 silent")}, "MX011", audit.Unknown, 0},
		{"refused tells nothing of TLS", audit.Scenario{Zone: oneHost, Hosts: hosts("192.0.2.25 refused")}, "TLS001", audit.Unknown, 0},

		// Severity by delivery effect.
		{"opportunistic", audit.Scenario{Zone: oneHost, Hosts: hosts("192.0.2.25 self-signed")}, "TLS003", audit.Fail, audit.Notice},
		{"enforced", audit.Scenario{Zone: stsZone, Hosts: hosts("192.0.2.25 self-signed"), Policy: enforce}, "TLS003", audit.Fail, audit.Error},
		{"in testing", audit.Scenario{Zone: stsZone, Hosts: hosts("192.0.2.25 self-signed"), Policy: "version: STSv1\nmode: testing\nmax_age: 604800\nmx: mail.example.org\n"}, "TLS003", audit.Fail, audit.Notice},
		{"no STARTTLS", audit.Scenario{Zone: oneHost, Hosts: hosts("192.0.2.25 no-starttls")}, "TLS001", audit.Fail, audit.Warning},
		{"no STARTTLS and TLSA", audit.Scenario{Zone: tlsaZone, Hosts: hosts("192.0.2.25 no-starttls"), Security: proven}, "TLS001", audit.Fail, audit.Error},
		{"no STARTTLS and TLSA without DNSSEC", audit.Scenario{Zone: tlsaZone, Hosts: hosts("192.0.2.25 no-starttls"), Security: []string{}}, "TLS001", audit.Fail, audit.Warning},
		{"only host refuses", audit.Scenario{Zone: oneHost, Hosts: hosts("192.0.2.25 refused")}, "MX010", audit.Fail, audit.Error},
		{"one of two refuses", audit.Scenario{Zone: twoHosts, Hosts: hosts("192.0.2.25 good", "192.0.2.26 refused")}, "MX010", audit.Fail, audit.Warning},
		// DANE wins over names, dates and authorities (RFC 7672, Section 3.1.1).
		{"DANE-EE with an expired certificate", audit.Scenario{Zone: tlsaZone, Hosts: hosts("192.0.2.25 expired"), Security: proven}, "TLS005", audit.Pass, 0},
		{"DANE-EE with an expired certificate", audit.Scenario{Zone: tlsaZone, Hosts: hosts("192.0.2.25 expired"), Security: proven}, "DANE001", audit.Pass, 0},

		// RFC 8461: what keeps senders from the policy, and what does not.
		{"policy host silent", audit.Scenario{Zone: stsZone, Hosts: good, Policy: "silent"}, "STS004", audit.Unknown, 0},
		{"5xx proves nothing", audit.Scenario{Zone: stsZone, Hosts: good, Policy: "status 503"}, "STS004", audit.Unknown, 0},
		{"404", audit.Scenario{Zone: stsZone, Hosts: good, Policy: "status 404"}, "STS004", audit.Fail, audit.Warning},
		{"uncovered in testing", audit.Scenario{Zone: stsZone, Hosts: good, Policy: testing604800}, "STS008", audit.Fail, audit.Warning},
		{"record SERVFAIL", audit.Scenario{Zone: stsZone, Faults: []string{"_mta-sts.example.org TXT servfail"}}, "STS002", audit.Unknown, 0},
		{"record SERVFAIL", audit.Scenario{Zone: stsZone, Faults: []string{"_smtp._tls.example.org TXT servfail"}}, "TLSRPT002", audit.Unknown, 0},
		{"a wildcard is no record", audit.Scenario{Zone: oneHost + "*.example.org. 3600 IN TXT \"v=spf1 -all\"\n"}, "STS002", audit.NotApplicable, 0},

		// RFC 7672, Section 2.1.1: without a validated answer there is no verdict.
		{"not validated", audit.Scenario{Zone: silentTLSA, Hosts: good}, "DANE001", audit.Unknown, 0},
		{"indeterminate", audit.Scenario{Zone: silentTLSA, Hosts: good, Security: []string{"example.org MX indeterminate", "mail.example.org A indeterminate", "mail.example.org AAAA indeterminate", "_25._tcp.mail.example.org TLSA indeterminate"}}, "DANE001", audit.Unknown, 0},
		{"indeterminate", audit.Scenario{Zone: oneHost, Security: []string{"example.org MX indeterminate lookup"}}, "DNSSEC001", audit.Unknown, 0},

		{"server silent", audit.Scenario{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good", "ns2.example.net 198.51.100.53 silent"}}, "NS001", audit.Unknown, 0},
		{"all lame", audit.Scenario{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 lame"}}, "NS001", audit.Fail, audit.Error},
		{"stale with the same MX", audit.Scenario{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good", "ns2.example.net 198.51.100.53 stale"}}, "NS003", audit.Fail, audit.Notice},
		// What the zone above did not say is unknown; that its servers are the same is not.
		{"zone above silent", audit.Scenario{Zone: nsZone, Servers: append([]string{"parent silent"}, goodServers...)}, "NS010", audit.Unknown, 0},
		{"zone above silent", audit.Scenario{Zone: nsZone, Servers: append([]string{"parent silent"}, goodServers...)}, "NS013", audit.Unknown, 0},
		{"zone above not asked", audit.Scenario{Zone: nsZone, Servers: goodServers}, "NS013", audit.NotApplicable, 0},
		{"one zone above and below", audit.Scenario{Zone: nsZone, Servers: append([]string{"parent shared"}, goodServers...)}, "NS010", audit.NotApplicable, 0},
		{"denied", audit.Scenario{Zone: nsZone, Servers: append([]string{"parent denies"}, goodServers...)}, "NS010", audit.NotApplicable, 0},
		{"a difference that harms nobody", audit.Scenario{Zone: nsZone, Servers: append([]string{"parent ns1.example.org 192.0.2.53"}, goodServers...)}, "NS010", audit.Fail, audit.Notice},
		{"an old server that is lame", audit.Scenario{Zone: nsZone, Servers: slices.Concat([]string{"ns9.example.com 203.0.113.53 lame parent-only", "parent ns9.example.com"}, sameAbove, goodServers)}, "NS010", audit.Fail, audit.Warning},
		{"an old server that is lame", audit.Scenario{Zone: nsZone, Servers: slices.Concat([]string{"ns9.example.com 203.0.113.53 lame parent-only", "parent ns9.example.com"}, sameAbove, goodServers)}, "NS001", audit.Fail, audit.Warning},
		{"no server in common", audit.Scenario{Zone: nsZone, Servers: append([]string{"ns9.example.com 203.0.113.53 good parent-only", "parent ns9.example.com"}, goodServers...)}, "NS010", audit.Fail, audit.Warning},
		{"old glue that answers", audit.Scenario{Zone: nsZone, Servers: append([]string{"parent ns1.example.org 192.0.2.53 203.0.113.9=old", "parent ns2.example.net", "ns1.example.org 203.0.113.9 good old-glue"}, goodServers...)}, "NS011", audit.Fail, audit.Notice},
		{"old glue, no way to the zone", audit.Scenario{Zone: nsZone, Servers: []string{"parent ns1.example.org 203.0.113.9=old", "ns1.example.org 203.0.113.9 lame old-glue", "ns1.example.org 192.0.2.53 good"}}, "NS011", audit.Fail, audit.Error},
		{"old glue is told once", audit.Scenario{Zone: nsZone, Servers: []string{"parent ns1.example.org 203.0.113.9=old", "ns1.example.org 203.0.113.9 lame old-glue", "ns1.example.org 192.0.2.53 good"}}, "NS001", audit.Pass, 0},
		{"address unknown", audit.Scenario{Zone: nsZone, Servers: append([]string{"parent ns1.example.org 192.0.2.53=unknown", "parent ns2.example.net"}, goodServers...)}, "NS011", audit.Unknown, 0},
		{"no glue at all", audit.Scenario{Zone: nsZone, Servers: []string{"parent missing ns1.example.org", "ns1.example.org 192.0.2.53 good"}}, "NS012", audit.Fail, audit.Error},
		{"one without glue", audit.Scenario{Zone: nsZone, Servers: append([]string{"parent missing ns1.example.org", "parent ns2.example.net"}, goodServers...)}, "NS012", audit.Fail, audit.Warning},
		{"SOA time-out is unknown", audit.Scenario{Zone: oneHost, Faults: []string{"example.org SOA refused"}}, "DNS004", audit.Fail, audit.Warning},
		{"PTR says nothing of EHLO", audit.Scenario{Zone: heloZone, Addresses: []string{"192.0.2.25"}, HELO: "mail.example.org", Faults: []string{"mail.example.org A servfail", "mail.example.org AAAA servfail"}}, "IP005", audit.Unknown, 0},
	})
}

// Nobody insisted on what was tried beside, so that it failed makes no report
// incomplete.
func TestOptional(t *testing.T) {
	s := audit.Scenario{Zone: oneHost, Hosts: []string{"192.0.2.25 silent"}}
	z, _ := try(t, s)
	for _, insist := range []bool{true, false} {
		r := runOptional(t, s, z, insist)
		if r.Outcome("TLS001") != audit.Unknown {
			t.Errorf("outcome %q", r.Outcome("TLS001"))
		}
		for _, x := range r.Rules {
			if x.ID == "TLS001" && x.Optional == insist {
				t.Errorf("optional is %v", x.Optional)
			}
		}
	}
}
