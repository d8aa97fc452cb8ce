//go:build lab

package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

const (
	bulkTime = 5 * time.Minute
	sample   = 17 // every so many domains are audited through the library too
)

// binary is the program under test: the one that MAILCHECK_BIN names, or one
// built for the test.
func binary(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("MAILCHECK_BIN"); p != "" {
		return p
	}
	p := filepath.Join(t.TempDir(), "mailcheck")
	out, err := exec.Command("go", "build", "-o", p, "../../cmd/mailcheck").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// bulk audits the domains with the binary and returns its reports, in order,
// with its exit code.
func bulk(t *testing.T, server string, list []resolve.Name) ([]audit.Report, int) {
	t.Helper()
	var text strings.Builder
	for _, n := range list {
		fmt.Fprintln(&text, n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), bulkTime)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, binary(t), "audit", "domain", "--domains-file", "-", "--resolver", server, "-o", "jsonl", "--config", empty(t))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text.String()), &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	t.Logf("%d domains in %v, %d MB of reports", len(list), time.Since(begin).Round(time.Millisecond), stdout.Len()>>20)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if stderr.Len() > 0 {
		t.Errorf("standard error: %.2000s", stderr.String())
	}
	var out []audit.Report
	sc := bufio.NewScanner(&stdout)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		var r audit.Report
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			t.Fatalf("%v: %.200s", err, sc.Text())
		}
		out = append(out, r)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out, cmd.ProcessState.ExitCode()
}

// empty is a configuration that says nothing, so that none of the machine's is
// read.
func empty(t *testing.T) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "mailcheck.yaml")
	if err := os.WriteFile(p, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// inherent lists what stays unknown though every query was answered: all of it.
var inherent = []struct {
	rule   *regexp.Regexp
	reason *regexp.Regexp
}{
	// Selectors cannot be listed; that common ones have no key proves nothing.
	{regexp.MustCompile(`^DKIM001$`), regexp.MustCompile(`^none of the \d+ selectors tried has a key`)},
}

func isInherent(r audit.RuleResult) bool {
	for _, x := range inherent {
		if x.rule.MatchString(string(r.ID)) && x.reason.MatchString(r.Reason) {
			return true
		}
	}
	return false
}

// TestAuditCaptured audits every domain of the captured zones with the binary.
func TestAuditCaptured(t *testing.T) {
	text := world(t)
	zone := parse(t, text)
	server := nsd.start(t, text)
	list := domains(zone)
	reports, code := bulk(t, server, list)
	// A zone file full of mistakes has findings, so the exit code is 1.
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if len(reports) != len(list) {
		t.Fatalf("%d reports for %d domains", len(reports), len(list))
	}

	reports = again(t, server, reports)

	byName := map[resolve.Name]audit.Report{}
	outcomes, unknown, hits := map[audit.Outcome]int{}, map[string]int{}, map[audit.ID]int{}
	for i, r := range reports {
		if r.Domain != list[i] {
			t.Fatalf("report %d is of %s, want %s", i, r.Domain, list[i])
		}
		byName[r.Domain] = r
		for _, x := range r.Rules {
			outcomes[x.Outcome]++
			if x.Outcome != audit.Unknown && !strings.HasPrefix(x.Reason, "incomplete") {
				continue
			}
			if unknown[string(x.ID)]++; !isInherent(x) && unknown[string(x.ID)] < 4 {
				t.Errorf("%s: %s is %s though every query was answered: %s", r.Domain, x.ID, x.Outcome, x.Reason)
			}
		}
		for _, f := range r.Findings {
			hits[f.Rule]++
			if f.Message == "" || f.Fingerprint == "" || f.Subject.Name.IsZero() {
				t.Errorf("%s: a finding of %s is incomplete: %+v", r.Domain, f.Rule, f)
			}
		}
	}
	t.Logf("outcomes: %v; unknown: %v", outcomes, unknown)
	t.Logf("findings by rule: %s", count(hits))
	t.Run("faults", func(t *testing.T) { checkFaults(t, byName) })
	t.Run("library", func(t *testing.T) { compareLibrary(t, server, zone, list, byName) })
}

// again audits once more what timed out, as happens when a virtual machine is
// halted for some seconds. What times out twice stays so.
func again(t *testing.T, server string, reports []audit.Report) []audit.Report {
	t.Helper()
	var list []resolve.Name
	at := map[resolve.Name]int{}
	for i, r := range reports {
		if slices.ContainsFunc(r.Rules, func(x audit.RuleResult) bool { return strings.Contains(x.Reason, resolve.ErrTimeout.Error()) }) {
			list, at[r.Domain] = append(list, r.Domain), i
		}
	}
	if len(list) == 0 {
		return reports
	}
	t.Logf("queries for %d domains timed out on loopback; they are audited again", len(list))
	second, _ := bulk(t, server, list)
	for _, r := range second {
		reports[at[r.Domain]] = r
	}
	return reports
}

func count(m map[audit.ID]int) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s %d ", id, m[id])
	}
	return b.String()
}

// compareLibrary audits a sample through the library, once over the network and
// once from the zone itself: the findings must be those of the binary.
func compareLibrary(t *testing.T, server string, zone resolve.Resolver, list []resolve.Name, byName map[resolve.Name]audit.Report) {
	c := newClient(t, client.Options{Servers: []string{server}})
	n, differ := 0, 0
	for i := 0; i < len(list); i += sample {
		n++
		want := findings(byName[list[i]])
		for how, r := range map[string]resolve.Resolver{"network": c, "zone": zone} {
			snap := facts.Gather(t.Context(), r, list[i], facts.Options{})
			got := findings(audit.Run(snap, rules.All(), audit.Options{}))
			if !slices.Equal(got, want) {
				differ++
				t.Errorf("%s through the %s:\n%s\nbinary:\n%s", list[i], how, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
	t.Logf("%d domains through the library, over the network and from the zone: %d differ from the binary", n, differ)
}

func findings(r audit.Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("%s %v %s %s", f.Rule, f.Severity, f.Fingerprint, f.Message))
	}
	slices.Sort(out)
	return out
}
