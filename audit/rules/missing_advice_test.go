package rules

import (
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
)

// TestMissingAdvice: what is said and what is to be published are the same, and a
// domain that nothing shows to have mail is told how to say so.
func TestMissingAdvice(t *testing.T) {
	const web = "example.org. 3600 IN A 192.0.2.80\n"
	const server = "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\n"
	const park = "'mailcheck dmarc park example.org'"
	for _, c := range []struct {
		name string
		zone string
		rua  bool
		park bool
	}{
		{"web server alone", web, false, true},
		{"no address either", "www.example.org. 3600 IN A 192.0.2.80\n", false, true},
		{"takes mail", server, true, false},
		{"sends, and takes none", web + "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n", false, false},
		{"null MX alone", "example.org. 3600 IN MX 0 .\n", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, r := try(t, audit.Scenario{Zone: c.zone})
			list := find(r, "DMARC001")
			if len(list) != 1 || list[0].Fix == nil {
				t.Fatalf("DMARC001: %+v", list)
			}
			f := list[0].Fix
			const postmaster = "v=DMARC1; p=none; rua=mailto:postmaster@example.org"
			if said := strings.Contains(f.Text, postmaster); said != c.rua {
				t.Errorf("rua said: %v, want %v: %s", said, c.rua, f.Text)
			}
			if len(f.Changes) != 1 || strings.Contains(strings.Join(f.Changes[0].New, " "), "rua=mailto:postmaster@example.org") != c.rua {
				t.Errorf("rua published, want %v: %+v", c.rua, f.Changes)
			}
			for _, id := range []audit.ID{"DMARC001", "SPF001", "DKIM001"} {
				for _, f := range find(r, id) {
					if got := f.Fix != nil && strings.Contains(f.Fix.Text, park); got != c.park {
						t.Errorf("%s speaks of parking: %v, want %v: %+v", id, got, c.park, f.Fix)
					}
				}
			}
		})
	}
}
