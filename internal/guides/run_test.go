package guides

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/cli"
)

// The samples are what the program prints.
func TestSamples(t *testing.T) {
	home, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages(t) {
		if len(p.runs) == 0 {
			continue
		}
		t.Run(p.path, func(t *testing.T) {
			dir := t.TempDir()
			fixtures(t, dir)
			t.Chdir(dir)
			for _, r := range p.runs {
				out, errs, status := call(dir, commands(r.command)[0][1:])
				if status != r.status {
					t.Errorf("%s:%d: exit status %d, want %d\n%s%s", filepath.Join(home, p.path), r.line, status, r.status, out, errs)
					continue
				}
				if r.want == nil {
					continue
				}
				if status == cli.ExitUsage {
					out = errs // all that it says
				}
				if line, ok := match(r.want.text, out); !ok {
					t.Errorf("%s:%d: %q is not there any more; it prints\n%s%s", filepath.Join(home, p.path), r.want.line, line, out, errs)
				}
			}
		})
	}
}

func call(dir string, args []string) (stdout, stderr string, status int) {
	var out, errs bytes.Buffer
	env := map[string]string{"HOME": dir, "NO_COLOR": "1", "MAILCHECK_STORE": filepath.Join(dir, "store")}
	status = cli.Main(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(k string) string { return env[k] }})
	return out.String(), errs.String(), status
}

// match compares a sample with an output, and tells the first line of the sample
// that cannot be placed.
func match(want, got string) (string, bool) {
	w, g := split(want), split(got)
	loose := false
	for _, line := range w {
		if line == "..." {
			loose = true
			continue
		}
		re := pattern(line)
		for len(g) > 0 && loose && !re.MatchString(g[0]) {
			g = g[1:]
		}
		if len(g) == 0 || !re.MatchString(g[0]) {
			return line, false
		}
		g, loose = g[1:], false
	}
	if !loose && len(g) > 0 {
		return "the end, before " + g[0], false
	}
	return "", true
}

// split leaves out blank lines at the end and spaces at the ends of lines.
func split(text string) []string {
	lines := strings.Split(strings.TrimRight(text, "\n "), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

func pattern(line string) *regexp.Regexp {
	parts := strings.Split(line, "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{"a\nb\n", "a\nb\n", true},
		{"a\n...\nd\n", "a\nb\nc\nd\n", true},
		{"a\n...\n", "a\nb\n", true},
		{"...\np=…\n", "x\np=MIIB\n", true},
		{"a\n", "a\nb\n", false},
		{"a\nc\n", "a\nb\nc\n", false},
		{"...\nz\n", "a\nb\n", false},
		{"a\n...\n\nb\n", "a\n\nb\n", true},
	} {
		if _, ok := match(c.want, c.got); ok != c.ok {
			t.Errorf("%q, %q: %v", c.want, c.got, ok)
		}
	}
}

// fixtures copies testdata and adds reports: 35 days of three receivers about
// example.org with its own server, a forwarder, a newsletter that nobody
// remembered, and a forger. In reports-clean the newsletter signs for example.org;
// reports-enforced are from after p=quarantine.
func fixtures(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(filepath.Dir(mustAbs(t)), "guides", "testdata"))); err != nil {
		t.Fatal(err)
	}
	const signed = `<dkim><domain>example.org</domain><selector>s1</selector><result>pass</result></dkim>`
	own := record("192.0.2.25", 120, "pass", "pass", "example.org", "pass", signed)
	relay := record("198.51.100.20", 2, "pass", "fail", "example.org", "fail", signed)
	forger := record("203.0.113.200", 9, "fail", "fail", "example.org", "fail", "")
	news := record("203.0.113.77", 35, "fail", "fail", "bounce.news.example", "pass", `<dkim><domain>news.example</domain><selector>k1</selector><result>pass</result></dkim>`)
	mended := record("203.0.113.77", 35, "pass", "fail", "bounce.news.example", "pass", `<dkim><domain>example.org</domain><selector>k1</selector><result>pass</result></dkim>`)
	reports(t, filepath.Join(dir, "reports"), "none", own+relay+news+forger)
	reports(t, filepath.Join(dir, "reports-clean"), "none", own+relay+mended+forger)
	reports(t, filepath.Join(dir, "reports-enforced"), "quarantine", own+relay+news+forger)
}

func mustAbs(t *testing.T) string {
	t.Helper()
	abs, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func record(ip string, count int, dkim, spf, from, spfResult, signatures string) string {
	return fmt.Sprintf(`<record><row><source_ip>%s</source_ip><count>%d</count><policy_evaluated><disposition>none</disposition><dkim>%s</dkim><spf>%s</spf></policy_evaluated></row><identifiers><header_from>example.org</header_from><envelope_from>%s</envelope_from></identifiers><auth_results>%s<spf><domain>%[5]s</domain><result>%[7]s</result></spf></auth_results></record>`,
		ip, count, dkim, spf, from, signatures, spfResult)
}

func reports(t *testing.T, dir, policy, records string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	first := time.Date(2026, 10, 18, 0, 0, 0, 0, time.UTC)
	for day := range 35 {
		begin := first.AddDate(0, 0, day).Unix()
		for _, who := range []string{"google.com", "yahoo.com", "example.net"} {
			text := fmt.Sprintf(`<?xml version="1.0"?><feedback><report_metadata><org_name>%s</org_name><email>dmarc@%[1]s</email><report_id>%[2]d</report_id><date_range><begin>%[2]d</begin><end>%[3]d</end></date_range></report_metadata><policy_published><domain>example.org</domain><p>%[4]s</p><sp>%[4]s</sp><pct>100</pct></policy_published>%[5]s</feedback>`,
				who, begin, begin+86399, policy, records)
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s!example.org!%d!%d.xml", who, begin, begin+86399)), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
