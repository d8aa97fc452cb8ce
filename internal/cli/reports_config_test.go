package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestRememberedSources gives the words of --ours, --forwarder and --forger in
// mailcheck.yaml, which all commands about sources read.
func TestRememberedSources(t *testing.T) {
	dir := writeReports(t)
	t.Chdir(t.TempDir())
	zone := filepath.Join(t.TempDir(), "zone")
	write(t, zone, []byte(`example.org. 60 IN SOA ns.example.org. h.example.org. 1 2 3 4 5
example.org. 60 IN TXT "v=spf1 ip4:192.0.2.0/24 ~all"
_dmarc.example.org. 60 IN TXT "v=DMARC1; p=none; sp=quarantine; rua=mailto:d@example.org"
`))
	from := []string{"--from", dir, "--at", "2026-10-20T12:00:00Z"}
	commands := map[string][]string{
		"sources":   {"reports", "sources", "--domain", "example.org", "-o", "csv"},
		"failures":  {"reports", "failures", "--domain", "example.org", "-o", "csv"},
		"readiness": {"reports", "readiness", "--domain", "example.org", "-o", "json"},
		"digest":    {"reports", "digest", "--domain", "example.org", "--since", "2026-10-05", "-o", "json"},
		"evidence":  {"reports", "evidence", "--domain", "example.org"},
		"rollout":   {"rollout", "example.org", "--zone", zone, "--offline", "-o", "json"},
	}
	run := func(name string, more ...string) string {
		t.Helper()
		out, errs, code := ask(t, nil, "", append(append(commands[name], from...), more...)...)
		if code == ExitUsage {
			t.Fatalf("%s: exit code %d: %s", name, code, errs)
		}
		return out
	}
	plain, flagged := map[string]string{}, map[string]string{}
	for name := range commands {
		plain[name] = run(name)
		flagged[name] = run(name, "--ours", "198.51.100.20", "--forger", "sendgrid", "--forwarder", "203.0.113.40")
	}
	write(t, "mailcheck.yaml", []byte(`forwarders: [203.0.113.40]
domains:
  - name: example.org
    ours: [198.51.100.20]
    forgers: [sendgrid]
  - name: example.net
    ours: [sendgrid]
`))
	for name := range commands {
		got := run(name)
		if got != flagged[name] {
			t.Errorf("%s differs from what the flags give:\n%s\nwant\n%s", name, got, flagged[name])
		}
		if got == plain[name] {
			t.Errorf("%s: the labels change nothing", name)
		}
	}
	// Flags add to the file.
	if got := run("readiness", "--forger", "203.0.113.40"); got == flagged["readiness"] {
		t.Error("the flag changes nothing")
	}
	// An entry for other days is no mistake, but the list of sources tells.
	write(t, "other.yaml", []byte("domains:\n  - name: example.org\n    forgers: [192.0.2.250]\n"))
	out, errs, code := ask(t, nil, "", append([]string{"reports", "sources", "--config", "other.yaml"}, from...)...)
	if code != 0 || strings.Contains(errs, "192.0.2.250") || !strings.Contains(squeeze(out), `other.yaml names "192.0.2.250", which is no source of these days`) {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	write(t, "bad.yaml", []byte("domains:\n  - name: example.org\n    forger: [192.0.2.250]\n"))
	_, errs, code = ask(t, nil, "", append([]string{"rollout", "example.org", "--config", "bad.yaml"}, from...)...)
	if code != ExitUsage || !strings.Contains(errs, "bad.yaml:3:") || !strings.Contains(errs, "docs/guide/config.md") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
