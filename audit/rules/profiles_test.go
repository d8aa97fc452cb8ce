package rules

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
)

// profileZone is a domain that lacks nothing that DNS can tell.
const profileZone = dmarcSends +
	"_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@example.org\"\n" +
	"s1._domainkey.example.org. 3600 IN TXT " + key2048 + "\n" +
	"25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\n"

func perfect() audit.Scenario {
	return audit.Scenario{Zone: profileZone, Selectors: []string{"s1"}, Addresses: []string{"192.0.2.25"}}
}

// inLists is the perfect domain, looked up in block lists.
func inLists(lines ...string) audit.Scenario {
	s := perfect()
	s.Lists = append([]string{}, lines...)
	return s
}

// swap is the perfect domain with one line of its zone replaced.
func swap(t *testing.T, start, with string) audit.Scenario {
	t.Helper()
	var out []string
	found := false
	for line := range strings.Lines(profileZone) {
		if strings.HasPrefix(line, start) {
			line, found = with, true
		}
		out = append(out, line)
	}
	if !found {
		t.Fatalf("no line starts with %q", start)
	}
	s := perfect()
	s.Zone = strings.Join(out, "")
	return s
}

func TestProfiles(t *testing.T) {
	const (
		pass, fail, unknown, unseen, not = audit.Met, audit.Unmet, audit.Undecided, audit.NotInDNS, audit.Inapplicable
		dmarcLine, keyLine, spfLine      = "_dmarc.", "s1._domainkey.", "example.org. 3600 IN TXT \"v=spf1"
	)
	// What a perfect domain gets; the cases say what differs.
	base := map[string]audit.Verdict{
		"gmail-auth": pass, "gmail-ptr": pass, "gmail-tls": unseen, "gmail-spam-rate": unseen, "gmail-format": unseen, "gmail-from": unseen,
		"gmail-bulk-spf": pass, "gmail-bulk-dkim": pass, "gmail-bulk-dmarc": pass, "gmail-bulk-alignment": unseen, "gmail-bulk-unsubscribe": unseen,
		"yahoo-auth": pass, "yahoo-ptr": pass, "yahoo-domain": pass, "yahoo-blocklist": unknown, "yahoo-spam-rate": unseen, "yahoo-format": unseen,
		"yahoo-bulk-spf": pass, "yahoo-bulk-dkim": pass, "yahoo-bulk-dmarc": pass, "yahoo-bulk-alignment": unseen, "yahoo-bulk-unsubscribe": unseen,
		"outlook-ptr": pass, "outlook-blocklist": unknown, "outlook-bulk-spf": pass, "outlook-bulk-dkim": pass, "outlook-bulk-dmarc": pass,
		"outlook-bulk-alignment": unseen, "outlook-bulk-reply": pass, "outlook-bulk-unsubscribe": unseen,
		"icloud-bulk-spf": pass, "icloud-bulk-dkim": pass, "icloud-bulk-dmarc": pass, "icloud-bulk-ptr": pass, "icloud-bulk-arc": unseen, "icloud-bulk-unsubscribe": unseen,
	}
	all := func(suffix string, v audit.Verdict) map[string]audit.Verdict {
		out := map[string]audit.Verdict{}
		for id := range base {
			if strings.HasSuffix(id, suffix) {
				out[id] = v
			}
		}
		return out
	}
	join := func(list ...map[string]audit.Verdict) map[string]audit.Verdict {
		out := map[string]audit.Verdict{}
		for _, m := range list {
			maps.Copy(out, m)
		}
		return out
	}
	noAddress := perfect()
	noAddress.Addresses = nil
	noSelector := swap(t, keyLine, "unusual._domainkey.example.org. 3600 IN TXT "+key2048+"\n")
	noSelector.Selectors = nil
	tests := []struct {
		name     string
		scenario audit.Scenario
		differs  map[string]audit.Verdict
		verdict  audit.Verdict // of every profile
	}{
		{"perfect", perfect(), nil, unknown},
		{"no DMARC", swap(t, dmarcLine, ""), all("-dmarc", fail), fail},
		{"no p", swap(t, dmarcLine, dmarcAt("example.org", "v=DMARC1; rua=mailto:dmarc@example.org")), all("-dmarc", fail), fail},
		{"DMARC in lower case", swap(t, dmarcLine, dmarcAt("example.org", "v=dmarc1; p=none")), all("-dmarc", fail), fail},
		{"DMARC elsewhere", swap(t, dmarcLine, "dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none\"\n"), all("-dmarc", fail), fail},
		{"p=none is enough", swap(t, dmarcLine, dmarcAt("example.org", "v=DMARC1; p=none")), nil, unknown},
		{"DMARC unknown", faulty(perfect(), "_dmarc.example.org TXT servfail"), all("-dmarc", unknown), unknown},
		{"weak key", swap(t, keyLine, "s1._domainkey.example.org. 3600 IN TXT "+key512+"\n"), all("-dkim", fail), fail},
		{"1024 bits are enough", swap(t, keyLine, "s1._domainkey.example.org. 3600 IN TXT "+key1024+"\n"), nil, unknown},
		{"selector not known", noSelector, all("-dkim", unknown), unknown},
		{"no SPF, DKIM suffices without bulk", swap(t, spfLine, ""), all("-spf", fail), fail},
		{"two SPF records", swap(t, spfLine, "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\nexample.org. 3600 IN TXT \"v=spf1 -all\"\n"), all("-spf", fail), fail},
		{"address not in SPF", swap(t, spfLine, "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.99 -all\"\n"), all("-spf", fail), fail},
		{"neither", swap(t, spfLine, "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.99 -all\"\ns1._domainkey.example.org. 3600 IN TXT \"v=DKIM1; p=AAAA\"\n"), join(all("-spf", fail), all("-dkim", fail), all("-auth", fail)), fail},
		{"no PTR", swap(t, "25.2.0.192", ""), all("-ptr", fail), fail},
		{"no address given", noAddress, all("-ptr", unknown), unknown},
		{"DNS does not answer", faulty(noAddress, "example.org TXT servfail", "example.org MX servfail", "_dmarc.example.org TXT servfail", "s1._domainkey.example.org TXT servfail"),
			join(all("-spf", unknown), all("-dkim", unknown), all("-dmarc", unknown), all("-ptr", unknown), all("-auth", unknown), all("-domain", unknown), all("-reply", unknown)), unknown},
		{"no list has the address", inLists(), all("-blocklist", pass), unknown},
		{"a list has the address", inLists("list 192.0.2.25 listed"), all("-blocklist", fail), ""},
		{"a list does not answer", inLists("list 192.0.2.25 unusable"), nil, unknown},
		{"null MX", swap(t, "example.org. 3600 IN MX", "example.org. 3600 IN MX 0 .\n"), join(all("-domain", fail), all("-reply", fail)), ""},
		{"parked", audit.Scenario{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=reject")}, all("", not), not},
		{"gone", audit.Scenario{Domain: "gone.example"}, join(all("", not), all("yahoo-domain", fail)), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, r := try(t, tt.scenario)
			want := join(base, tt.differs)
			for _, p := range r.Profiles {
				if p.Verdict == pass {
					t.Errorf("%s passes: %s", p.ID, p.Summary)
				}
				if tt.verdict != "" && p.Verdict != tt.verdict {
					t.Errorf("%s: %s, want %s (%s)", p.ID, p.Verdict, tt.verdict, p.Summary)
				}
				for _, q := range p.Requirements {
					if q.Verdict != want[q.ID] {
						t.Errorf("%s: %s, want %s (%s)", q.ID, q.Verdict, want[q.ID], q.Reason)
					}
					if q.Reason == "" {
						t.Errorf("%s: no reason for %s", q.ID, q.Verdict)
					}
				}
			}
		})
	}
}

// TestProfileData refuses requirements that are not complete, or that name rules
// which do not exist.
func TestProfileData(t *testing.T) {
	known := map[audit.ID]bool{}
	for _, r := range All() {
		known[r.ID] = true
	}
	seen := map[string]bool{}
	for _, p := range Profiles() {
		if p.ID == "" || p.Title == "" || len(p.Sources) == 0 || len(p.Requirements) == 0 {
			t.Errorf("profile %q is not complete", p.ID)
		}
		if _, err := time.Parse(time.DateOnly, p.Reviewed); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		open := 0
		for _, q := range p.Requirements {
			if seen[q.ID] || !strings.HasPrefix(q.ID, p.ID+"-") || q.Text == "" || q.Effect == "" || !slices.Contains([]string{allSenders, bulkSenders}, q.Scope) {
				t.Errorf("requirement %q is double or not complete", q.ID)
			}
			seen[q.ID] = true
			if strings.Contains(q.ID, "-bulk-") != (q.Scope == bulkSenders) {
				t.Errorf("%s has the scope %s", q.ID, q.Scope)
			}
			if u, err := url.Parse(q.Source); err != nil || u.Scheme != "https" || !slices.Contains(p.Sources, q.Source) {
				t.Errorf("%s: source %q", q.ID, q.Source)
			}
			for _, form := range []string{time.DateOnly, "2006-01", ""} {
				if _, err := time.Parse(form, q.Since); err == nil {
					break
				} else if form == "" {
					t.Errorf("%s: since %q", q.ID, q.Since)
				}
			}
			rules := slices.Concat(append(slices.Clone(q.Any), q.Rules)...)
			for _, id := range rules {
				if !known[id] {
					t.Errorf("%s names %s, which is no rule", q.ID, id)
				}
			}
			if len(rules) == 0 {
				open++
			} else if q.Partly == "" {
				t.Errorf("%s does not say what stays unknown when its rules pass", q.ID)
			}
		}
		// A green audit of DNS is no compliance.
		if open == 0 {
			t.Errorf("%s has no requirement that DNS cannot tell", p.ID)
		}
	}
}
