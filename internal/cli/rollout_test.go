package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/fix"
)

// The gate opens on the reports alone, one stage at a time, and closes again when
// mail of the owner is hit.
func TestRollout(t *testing.T) {
	own := seen{"192.0.2.10", 50, true, true, "example.org", "example.org", "pass", "s1@example.org=pass", "", ""}
	relay := seen{"198.51.100.20", 1, true, false, "example.org", "example.org", "fail", "s1@example.org=pass", "", ""}
	// The newsletter that nobody remembered: its own bounce domain, no signature.
	news := seen{"192.0.2.77", 20, false, false, "example.org", "bounce.example.org", "pass", "", "", ""}
	clean, dirty := t.TempDir(), t.TempDir()
	for day := range 16 {
		for _, who := range []string{"google.com", "dmarc.yahoo.com", "example.net"} {
			writeReport(t, clean, who, day, []seen{own, relay})
			writeReport(t, dirty, who, day, []seen{own, relay, news})
		}
	}
	root := t.TempDir()
	zone := func(p string) string {
		path := filepath.Join(root, strings.NewReplacer("; ", "-", "=", "").Replace(p)+".zone")
		write(t, path, []byte(fmt.Sprintf(`example.org. 60 IN SOA ns.example.org. h.example.org. 1 2 3 4 5
example.org. 60 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.example.org. 60 IN TXT "v=DMARC1; p=%s; rua=mailto:d@example.org"
_dmarc.example.org. 60 IN TXT "a sibling stays"
s1._domainkey.example.org. 60 IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
`, p)))
		return path
	}
	none, strict := zone("none"), zone("quarantine")
	for _, c := range []struct {
		name, dir, zone string
		args            []string
		code            int
		want            []string
		next, back      string // policies in the saved plans; empty: no plan
	}{
		{"clean", clean, none, nil, 0, []string{"going on to quarantine; t=y is SAFE", "The next edit"}, "p=quarantine; rua=mailto:d@example.org; t=y", ""},
		{"a newsletter is in the way", dirty, none, []string{"--ours", "192.0.2.77"}, 1, []string{"NOT SAFE"}, "", ""},
		{"and is hit under quarantine", dirty, strict, []string{"--ours", "192.0.2.77"}, 1, []string{"NOT SAFE", "MAIL OF YOURS IS HIT NOW"}, "", "v=DMARC1; p="},
		{"no reports", t.TempDir(), none, nil, 2, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			next, back := filepath.Join(root, c.name+"-next.json"), filepath.Join(root, c.name+"-back.json")
			args := append([]string{"rollout", "example.org", "--from", c.dir, "--zone", c.zone, "--offline", "--at", "2026-10-21T12:00:00Z", "--out", next, "--back", back}, c.args...)
			out, errs, code := ask(t, nil, "", args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, c.code, out, errs)
			}
			for _, w := range c.want {
				if !strings.Contains(squeeze(out), w) {
					t.Errorf("%q is not in\n%s", w, out)
				}
			}
			for path, want := range map[string]string{next: c.next, back: c.back} {
				text, err := os.ReadFile(path)
				if (err == nil) != (want != "") {
					t.Errorf("%s: %v, want %q\n%s", path, err, want, out)
				}
				if err != nil {
					continue
				}
				p, err := fix.DecodePlan(text)
				if err != nil {
					t.Fatal(err)
				}
				ch := p.Steps[0].Change
				if len(ch.New) != 2 || !strings.Contains(strings.Join(ch.New, " "), want) || !strings.Contains(strings.Join(ch.New, " "), "a sibling stays") {
					t.Errorf("plan: %q", ch.New)
				}
			}
			for path, saved := range map[string]bool{next: c.next != "", back: c.back != ""} {
				if got := strings.Contains(errs, "saved to "+path); got != saved {
					t.Errorf("saved to %s: %v, want %v in %q", path, got, saved, errs)
				}
				if got := strings.Contains(squeeze(out), "Next: mailcheck fix apply "+path); got != saved {
					t.Errorf("Next applies %s: %v, want %v in\n%s", path, got, saved, out)
				}
			}
			js, _, code := ask(t, nil, "", append(args, "-o", "json")...)
			if code != c.code || len(c.want) > 0 && !strings.Contains(js, `"schema": "mailcheck.rollout/1"`) {
				t.Errorf("JSON: exit code %d\n%.300s", code, js)
			}
		})
	}
	// Without a file the commands are those that change the record.
	out, errs, code := ask(t, nil, "", "rollout", "example.org", "--from", clean, "--zone", none, "--offline", "--at", "2026-10-21T12:00:00Z")
	if code != 0 || errs != "" || !strings.Contains(out, "Next: mailcheck dmarc stage example.org") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	// A plan of last week is not the next stage of today.
	stale := filepath.Join(root, "stale.json")
	write(t, stale, []byte("{}"))
	_, errs, code = ask(t, nil, "", "rollout", "example.org", "--from", dirty, "--ours", "192.0.2.77", "--zone", none, "--offline", "--at", "2026-10-21T12:00:00Z", "--out", stale)
	if code != ExitFindings || !strings.Contains(errs, "is of an earlier run") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	for _, args := range [][]string{{"rollout"}, {"rollout", "a b"}, {"rollout", "example.org", "-o", "csv"}} {
		if _, errs, code := ask(t, nil, "", args...); code != ExitUsage {
			t.Errorf("%q: exit code %d: %s", args, code, errs)
		}
	}
}
