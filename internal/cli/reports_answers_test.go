package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// seen is a record of the fixture in short.
type seen struct {
	ip        string
	count     int64
	dkim, spf bool
	from      string
	envelope  string
	result    string
	signer    string // "selector@domain=result"
	reason    string
	did       string
}

// writeReports writes the fixture of the fifteen questions: example.org sends from
// a host of its own, through a service that is not set up, over a forwarder and a
// list; it is forged in the second week, when a new service starts as well; one
// reporter falls silent. parked.example.org is only ever forged.
func writeReports(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	own := seen{"192.0.2.10", 50, true, true, "example.org", "example.org", "pass", "s1@example.org=pass", "", ""}
	grid := seen{"167.89.1.1", 5, false, false, "example.org", "em1.sendgrid.net", "pass", "smtpapi@sendgrid.net=pass", "", ""}
	relay := seen{"198.51.100.20", 2, true, false, "example.org", "example.org", "fail", "s1@example.org=pass", "", ""}
	list := seen{"203.0.113.40", 1, false, false, "example.org", "lists.example.net", "pass", "s1@example.org=fail", "mailing_list", ""}
	fresh := seen{"205.201.128.5", 3, false, false, "example.org", "mail5.mcsv.net", "pass", "k1@mcsv.net=pass", "", ""}
	forged := seen{"203.0.113.200", 20, false, false, "parked.example.org", "parked.example.org", "fail", "", "", "quarantine"}
	for day := range 14 {
		for _, who := range []string{"google.com", "dmarc.yahoo.com", "example.net"} {
			if who == "example.net" && day > 5 {
				continue
			}
			rows := []seen{own, grid, relay, list}
			if day >= 7 {
				rows = append(rows, fresh)
			}
			if day >= 10 {
				f := forged
				if who == "dmarc.yahoo.com" {
					f.did, f.reason = "none", "local_policy"
				}
				rows = append(rows, f)
			}
			writeReport(t, dir, who, day, rows)
		}
	}
	old := own
	old.signer = "2023@example.org=pass"
	writeReport(t, dir, "google.com", -60, []seen{old})
	var b bytes.Buffer
	begin := fixtureDay(0)
	if err := tlsrpt.Write(&b, &tlsrpt.Report{Organization: "Example", Contact: "tls@google.com", ReportID: "t1", Begin: begin, End: begin.Add(24*time.Hour - time.Second),
		Policies: []tlsrpt.Policy{{Type: tlsrpt.Word{Value: "sts", Raw: "sts"}, Domain: "example.org", Strings: []string{"version: STSv1"}, MXHosts: []string{"mx.example.org"}, Successful: 90, Failed: 10,
			Failures: []tlsrpt.Failure{{Type: tlsrpt.Word{Value: "certificate-expired", Raw: "certificate-expired"}, SendingIP: netip.MustParseAddr("198.51.100.1"), ReceivingMX: "mx.example.org", Sessions: 10}}}}}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "tls.json"), b.Bytes())
	write(t, filepath.Join(dir, "broken.xml"), []byte("<feedback><report_metadata>"))
	first, err := os.ReadFile(filepath.Join(dir, "google.com-00.xml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "twice.xml"), first)
	return dir
}

func fixtureDay(n int) time.Time { return time.Date(2026, 10, 5+n, 0, 0, 0, 0, time.UTC) }

func writeReport(t *testing.T, dir, who string, day int, rows []seen) {
	t.Helper()
	begin := fixtureDay(day)
	rep := &aggregate.Report{Metadata: aggregate.Metadata{OrgName: who, Email: "dmarc@" + who, ReportID: fmt.Sprintf("%d.%s", day+100, who), Begin: begin, End: begin.Add(24*time.Hour - time.Second)},
		Policy: aggregate.Published{Domain: "example.org", P: aggregate.Of(aggregate.None), SP: aggregate.Of(aggregate.Quarantine)}}
	word := func(b bool) aggregate.Word[aggregate.Result] {
		if b {
			return aggregate.Of(aggregate.Pass)
		}
		return aggregate.Of(aggregate.Fail)
	}
	var recs []*aggregate.Record
	for i, x := range rows {
		did := aggregate.Disposition(x.did)
		if did == "" {
			did = aggregate.None
		}
		r := &aggregate.Record{Number: int64(i + 1), SourceIP: netip.MustParseAddr(x.ip), Count: x.count,
			Evaluated:   aggregate.Evaluated{Disposition: aggregate.Of(did), DKIM: word(x.dkim), SPF: word(x.spf)},
			Identifiers: aggregate.Identifiers{HeaderFrom: x.from, EnvelopeFrom: x.envelope},
			SPF:         []aggregate.SPF{{Domain: x.envelope, Scope: aggregate.Of(aggregate.MailFrom), Result: aggregate.Of(aggregate.Result(x.result))}}}
		if sel, rest, ok := strings.Cut(x.signer, "@"); ok {
			d, res, _ := strings.Cut(rest, "=")
			r.DKIM = []aggregate.DKIM{{Domain: d, Selector: sel, Result: aggregate.Of(aggregate.Result(res))}}
		}
		if x.reason != "" {
			r.Evaluated.Reasons = []aggregate.Reason{{Type: aggregate.Of(aggregate.Override(x.reason))}}
		}
		recs = append(recs, r)
	}
	var b bytes.Buffer
	if err := aggregate.Write(&b, rep, slices.Values(recs)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, fmt.Sprintf("%s-%02d.xml", who, day)), b.Bytes())
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// ask runs a command and gives its outputs and exit code.
func ask(t *testing.T, env map[string]string, in string, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = Main(args, Streams{In: strings.NewReader(in), Out: &o, Err: &e, Getenv: func(k string) string { return env[k] }})
	checkDocuments(t, o.Bytes())
	return o.String(), e.String(), code
}

// squeeze makes lines and columns into words.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestFifteenQuestions asks what a domain owner really asks, of the archive as well
// as of the files, and knows the answers. docs/guide/reports.md has the same table.
func TestFifteenQuestions(t *testing.T) {
	dir := writeReports(t)
	root := t.TempDir()
	zone := filepath.Join(root, "zone")
	write(t, zone, []byte(`example.org. 60 IN SOA ns.example.org. h.example.org. 1 2 3 4 5
example.org. 60 IN TXT "v=spf1 ip4:192.0.0.0/16 include:sendgrid.net include:spf.protection.outlook.com ~all"
_dmarc.example.org. 60 IN TXT "v=DMARC1; p=none; rua=mailto:d@example.org"
s1._domainkey.example.org. 60 IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
sendgrid.net. 60 IN TXT "v=spf1 ip4:167.89.0.0/17 ~all"
spf.protection.outlook.com. 60 IN TXT "v=spf1 ip4:40.92.0.0/15 -all"
`))
	store := filepath.Join(root, "store")
	if out, errs, code := ask(t, nil, "", "reports", "import", dir, "--store", store); code != ExitFindings { // one file is broken
		t.Fatalf("the import: exit code %d\n%s%s", code, out, errs)
	}
	at := []string{"--at", "2026-10-20T12:00:00Z"}
	week := append([]string{"--since", "2026-10-12", "--until", "2026-10-18"}, at...)
	dns := []string{"--zone", zone, "--offline"}
	guide, err := os.ReadFile("../../docs/guide/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		n       int
		command string
		args    []string
		code    int
		want    []string
	}{
		{1, "sources", at, 0, []string{"Twilio SendGrid", "Mailchimp", "192.0.2.0/24", "198.51.100.0/24"}},
		{2, "sources", at, 0, []string{"Twilio SendGrid          170    0.0%    0.0%    0.0%  misconfigured"}},
		{3, "sources", append(dns, at...), 0, []string{"set up DKIM for example.org at Twilio SendGrid", "CNAME records at s1._domainkey.example.org", "set up a return path"}},
		{4, "readiness", at, 1, []string{"going on to quarantine; t=y is NOT SAFE", "Twilio SendGrid sends for you, and 170 of its 170 messages pass by nothing"}},
		{5, "failures", at, 0, []string{"Mailing lists", "a mailing list sent it", "Sent for you by sources that are not set up", "Forged"}},
		{6, "failures", append([]string{"--until", "2026-10-18"}, at...), 0, []string{"203.0.113.0/24: 160 messages", "no signature of yours", "SPF says fail for parked.example.org"}},
		{7, "sources", week, 0, []string{"Mailchimp               42    0.0%    0.0%    0.0%  misconfigured  new"}},
		{8, "timeline", at, 0, []string{"2026-10-15", "drop, usually"}},
		{9, "reporters", at, 0, []string{"example.net: the last report is of 2026-10-10", "Gone silent"}},
		{10, "summary", week, 0, []string{"example.org", "Change", "parked.example.org       160    0.0%  never passed"}},
		{11, "selectors", at, 0, []string{"s1 of example.org    in-use", "2023 of example.org  unused", "retire it"}},
		{12, "reporters", at, 0, []string{"google.com", "partly", "dmarc.yahoo.com: local_policy 80, mailing_list 14"}},
		{13, "summary", append([]string{"--domain", "example.org"}, at...), 0, []string{"parked.example.org       160    0.0%  never passed"}},
		{15, "digest", at, 0, []string{"Mail of example.org", "2026-10-12 to 2026-10-18", "There is something to do", "New: Mailchimp", "example.net has not reported since 2026-10-10"}},
	} {
		_, row, _ := strings.Cut(string(guide), fmt.Sprintf("\n| %d. ", c.n))
		if row, _, _ = strings.Cut(row, "\n"); !strings.Contains(row, "`mailcheck reports "+c.command) {
			t.Errorf("question %d: the guide names another command: %s", c.n, row)
		}
		for _, from := range [][]string{{"--store", store}, {"--from", dir}} {
			args := slices.Concat([]string{"reports", c.command}, from, c.args)
			out, errs, code := ask(t, nil, "", args...)
			if code != c.code {
				t.Errorf("question %d, %q: exit code %d, want %d; %s", c.n, args, code, c.code, errs)
			}
			for _, w := range c.want {
				if !strings.Contains(squeeze(out), squeeze(w)) {
					t.Errorf("question %d, %q: no %q in\n%s", c.n, args, w, out)
				}
			}
		}
	}
	// 14: can the sums be trusted.
	out, errs, _ := ask(t, nil, "", "reports", "ledger", "--store", store)
	for _, w := range []string{"broken.xml"} {
		if !strings.Contains(out, w) {
			t.Errorf("ledger: no %q in\n%s%s", w, out, errs)
		}
	}
	// What was seen narrows the record and keeps all of it.
	ev, errs, code := ask(t, nil, "", "reports", "evidence", "--store", store, "--domain", "example.org")
	if _, err := narrow.Parse([]byte(ev)); err != nil || code != 0 {
		t.Fatalf("evidence: %v, %d, %s", err, code, errs)
	}
	out, errs, code = ask(t, nil, ev, append([]string{"spf", "narrow", "--domain", "example.org", "--evidence", "-"}, dns...)...)
	if !strings.Contains(out, `"v=spf1 ip4:192.0.2.10 ~all"`) && !strings.Contains(out, "ip4:192.0.2.10") {
		t.Errorf("narrow: %d\n%s%s", code, out, errs)
	}
	// The selectors are found without a guess.
	out, errs, code = ask(t, nil, "", append([]string{"dkim", "find", "example.org", "--store", store, "--known-only", "-o", "json"}, dns...)...)
	if code != 0 || !strings.Contains(out, `"archive of reports"`) || !strings.Contains(out, `"selector": "2023"`) {
		t.Errorf("dkim find: %d\n%s%s", code, out, errs)
	}
}

// TestAnswerFormats checks that JSON is JSON with its schema, and CSV has as many
// cells in each row.
func TestAnswerFormats(t *testing.T) {
	dir := writeReports(t)
	for _, name := range []string{"summary", "sources", "failures", "timeline", "selectors", "reporters", "readiness", "tls", "digest"} {
		out, errs, _ := ask(t, nil, "", "reports", name, "--from", dir, "-o", "json", "--at", "2026-10-20T12:00:00Z")
		var doc struct{ Schema string }
		if err := json.Unmarshal([]byte(out), &doc); err != nil || doc.Schema != "mailcheck.reports-"+name+"/1" {
			t.Errorf("%s: schema %q, %v, %s", name, doc.Schema, err, errs)
		}
		if name == "digest" {
			if out, _, code := ask(t, nil, "", "reports", name, "--from", dir, "-o", "html"); code != 0 || !strings.HasPrefix(out, "<!DOCTYPE html>") {
				t.Errorf("digest as HTML: %d, %.40q", code, out)
			}
			continue
		}
		out, _, _ = ask(t, nil, "", "reports", name, "--from", dir, "-o", "csv")
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Errorf("%s: CSV of %d rows, %v", name, len(rows), err)
		}
		out, _, _ = ask(t, nil, "", "reports", name, "--from", dir, "-o", "markdown")
		if !strings.HasPrefix(out, "# ") || !strings.Contains(out, "--- |\n") && !strings.Contains(out, "---: |\n") {
			t.Errorf("%s: Markdown %.200s", name, out)
		}
		out, _, _ = ask(t, nil, "", "reports", name, "--from", dir)
		for line := range strings.Lines(out) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 && !strings.Contains(line, " IN TXT ") {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
	}
}

// TestAnswersHostile has strangers write formulas and escapes into reports.
func TestAnswersHostile(t *testing.T) {
	dir := t.TempDir()
	evil := "=cmd|x!A1\x1b[2J\u202e|<b>.example"
	x := seen{"203.0.113.9", 5, false, false, evil, evil, "pass", "@SUM(1)@" + evil + "=pass", "local_policy", "reject"}
	writeReport(t, dir, "evil.example", 0, []seen{x})
	text, err := os.ReadFile(filepath.Join(dir, "evil.example-00.xml"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("<org_name>evil.example"), []byte("<org_name>"+strings.ReplaceAll(evil, "<b>", "&lt;b&gt;")))
	text = bytes.ReplaceAll(text, []byte("dmarc@evil.example"), []byte("=HYPERLINK(1)"))
	write(t, filepath.Join(dir, "evil.example-00.xml"), text)
	for _, name := range []string{"summary", "sources", "failures", "timeline", "reporters", "readiness", "digest"} {
		for _, format := range []string{"text", "json", "csv", "markdown", "html"} {
			if (format == "html") != (name == "digest") && format != "text" && format != "json" {
				continue
			}
			out, errs, _ := ask(t, nil, "", "reports", name, "--from", dir, "-o", format)
			if strings.ContainsAny(out+errs, "\x1b\u202e") {
				t.Errorf("%s as %s: an escape got through", name, format)
			}
			if format == "csv" {
				rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				for _, row := range rows[min(1, len(rows)):] {
					for _, c := range row {
						if c != "" && strings.ContainsAny(c[:1], "=@") {
							t.Errorf("%s: a formula: %s", name, c)
						}
					}
				}
			}
		}
	}
}

// TestAnswerCommands tries the commands and their flags in one process, on the
// files of the script of the same name.
func TestAnswerCommands(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/script/reports_answers.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, f.Data)
	}
	t.Chdir(dir)
	for _, c := range []struct {
		args          string
		code          int
		out, not, err []string // patterns
	}{
		{`reports summary --from bad -o json`, 0, []string{`"schema": "mailcheck.reports-summary/1"`, `"messages": 2340`, `"last": "2026-10-18"`, `"p": "none"`}, nil, nil},
		{`reports summary --from bad -o csv`, 0, []string{`^example.org,2340,2100,0.8974,2100,0,0,240,`}, nil, nil},
		{`reports summary --from bad -o markdown`, 0, []string{`^# Mail by domain`}, nil, nil},
		{`reports summary --from bad --since 2026-10-12 --until 2026-10-18`, 0, []string{`^Before +1,155 messages, 2026-10-05 to 2026-10-11`}, nil, nil},
		{`reports sources --from bad -o json`, 0, []string{`"schema": "mailcheck.reports-sources/1"`, `"provider": "sendgrid"`}, nil, nil},
		{`reports sources --from bad -o csv`, 0, []string{`,misconfigured,low,no,210,0,0.0000,`}, nil, nil},
		{`reports sources --from bad --source sendgrid -o csv`, 0, []string{`,Twilio SendGrid,`}, []string{`192.0.2`}, nil},
		{`reports sources --from bad --source 192.0.2.10 -o csv`, 0, []string{`,192.0.2.0/24,`}, []string{`SendGrid`}, nil},
		{`reports failures --from bad --source 203.0.113.0/24`, 0, []string{`^30 of 30 messages`}, nil, nil},
		// Failures told apart.
		{`reports failures --from bad`, 0, []string{`^240 of 2,340 messages pass neither SPF nor DKIM`, `^Sent for you by sources that are not set up: fix these$`, `^Forged: this is what the policy is for$`}, nil, nil},
		{`reports failures --from bad --ours 203.0.113.0/24 -o csv`, 0, []string{`^example.org,203.0.113.0/24,misconfigured,high,30,`}, nil, nil},
		{`reports failures --from bad --forger Mailchip`, 0, nil, nil, []string{`warning: no source is "Mailchip"`}},
		{`reports failures --from clean`, 0, []string{`^0 of 2,100 messages`}, nil, nil},
		{`reports failures --from bad -o json`, 0, []string{`"schema": "mailcheck.reports-failures/1"`}, nil, nil},
		// Over time.
		{`reports timeline --from bad --by week`, 0, []string{`^2026-10-05 +1,155 `, `^2026-10-12 +1,185 `}, nil, nil},
		{`reports timeline --from bad -o json`, 0, []string{`"unit": "day"`}, nil, nil},
		{`reports timeline --from bad --by year`, 3, nil, nil, []string{`did you mean|takes day, week, month`}},
		// Readiness: safe, not safe, not known.
		{`reports readiness --from clean --at 2026-10-20T00:00:00Z`, 0, []string{`^example.org: going on to quarantine; t=y is SAFE$`, `^Next: mailcheck dmarc stage example.org$`}, nil, nil},
		{`reports readiness --from clean --at 2026-10-20T00:00:00Z --zone zone --offline`, 0, []string{`^_dmarc.example.org. IN TXT "v=DMARC1; p=quarantine;`}, nil, nil},
		{`reports readiness --from bad --at 2026-10-20T00:00:00Z -o json`, 1, []string{`"answer": "not-safe"`, `"code": "blocking-source"`}, nil, nil},
		{`reports readiness --from bad --at 2026-10-20T00:00:00Z --forger sendgrid`, 0, []string{`is SAFE`}, nil, nil},
		{`reports readiness --from clean --at 2026-12-20T00:00:00Z`, 2, []string{`is NOT KNOWN`, `the last report is of 2026-10-18`}, nil, nil},
		{`reports readiness --from clean/google.com.xml --at 2026-10-20T00:00:00Z`, 2, []string{`only 1 reporter saw mail`}, nil, nil},
		// Selectors, reporters, TLS, digest.
		{`reports selectors --from clean --at 2026-10-20T00:00:00Z`, 0, []string{`^s1 of example.org +in-use +2,100 +0 `}, nil, nil},
		{`reports selectors --from clean --at 2027-10-20T00:00:00Z --zone zone --offline`, 0, []string{`^s1 of example.org +unused .* key present$`}, nil, nil},
		{`reports reporters --from bad -o json`, 0, []string{`"schema": "mailcheck.reports-reporters/1"`}, nil, nil},
		{`reports reporters --from bad`, 0, []string{`^google.com +2 +800 +100 `}, nil, nil},
		{`reports tls --from tls`, 0, []string{`^90 of 100 sessions with TLS \(90.0%\)`, `certificate-expired at mx.example.org: 10 sessions`}, nil, nil},
		{`reports tls --from tls -o csv`, 0, []string{`^example.org,sts,90,10,0.9000,`}, nil, nil},
		{`reports tls --from clean`, 2, nil, nil, []string{`there is no TLS report`}},
		{`reports digest --from bad --at 2026-10-20T00:00:00Z`, 0, []string{`^Mail of example.org$`, `^There is something to do: 105 of 1,155 messages`}, nil, nil},
		{`reports digest --from bad --at 2027-10-20T00:00:00Z --period month`, 0, []string{`No report is newer than 2026-10-18`}, nil, nil},
		{`reports summary --from empty`, 2, nil, nil, []string{`no report in empty`}},
		{`reports summary --from bad-report`, 2, nil, nil, []string{`warning: .*x.xml`}},
		{`reports summary --from bad --domain example.com`, 2, nil, nil, []string{`there is no aggregate report of example.com`}},
		{`reports summary --from bad --since 2027-01-01 -o json`, 2, []string{`"messages": 0`}, nil, nil},
		{`reports summary --from bad --store x`, 3, nil, nil, nil},
		{`reports summary --from bad --since yesterday`, 3, nil, nil, []string{`"yesterday" is no day`}},
		{`reports summary --from bad --since 2026-10-18 --until 2026-10-05`, 3, nil, nil, nil},
		{`reports summary example.org`, 3, nil, nil, []string{`takes no argument`}},
		{`reports summary --from bad -o xml`, 3, nil, nil, nil},
		{`reports sources --from bad --domain http://example.org/`, 3, nil, nil, nil},
	} {
		out, errs, code := ask(t, nil, "", strings.Fields(c.args)...)
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d; %s", c.args, code, c.code, errs)
		}
		match := func(text string, patterns []string, want bool) {
			for _, p := range patterns {
				if regexp.MustCompile("(?m)"+p).MatchString(text) != want {
					t.Errorf("%s: %q found: %v, in\n%s", c.args, p, !want, text)
				}
			}
		}
		match(out, c.out, true)
		match(out, c.not, false)
		match(errs, c.err, true)
	}
}
