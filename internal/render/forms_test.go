package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
)

func TestJSONForms(t *testing.T) {
	for name, reports := range worlds() {
		var doc struct {
			Schema  string
			Reports []audit.Report
		}
		if err := json.Unmarshal([]byte(printed(t, "json", options(), reports...)), &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if doc.Schema != Schema || len(doc.Reports) != len(reports) || doc.Reports == nil {
			t.Errorf("%s: schema %q, %d reports", name, doc.Schema, len(doc.Reports))
		}
		for i := range reports {
			want, _ := json.Marshal(clean(&reports[i]))
			if got, err := json.Marshal(doc.Reports[i]); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: report %d does not survive the round trip:\n%s\n%s", name, i, got, want)
			}
		}
		lines := strings.Split(strings.TrimSuffix(printed(t, "jsonl", options(), reports...), "\n"), "\n")
		for i := range reports {
			if !strings.HasPrefix(lines[i], `{"schema":"mailcheck.audit/1","domain":"`) {
				t.Errorf("%s: line %d begins %.60s", name, i, lines[i])
			}
		}
	}
}

func TestCSVForm(t *testing.T) {
	for name, reports := range worlds() {
		rows, err := csv.NewReader(strings.NewReader(printed(t, "csv", options(), reports...))).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := 1
		for i := range reports {
			want += len(reports[i].Findings) + count(&reports[i]).unknown
		}
		if len(rows) != want || !slices.Equal(rows[0], csvHeader) {
			t.Errorf("%s: %d rows, want %d; header %q", name, len(rows), want, rows[0])
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Errorf("%s: a formula: %q", name, cell)
				}
			}
		}
	}
}

func TestJUnitForm(t *testing.T) {
	for name, reports := range worlds() {
		dec := xml.NewDecoder(strings.NewReader(printed(t, "junit", options(), reports...)))
		elements := map[string]int{}
		for {
			tok, err := dec.Token()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e, ok := tok.(xml.StartElement); ok {
				elements[e.Name.Local]++
			}
		}
		if elements["testsuites"] != 1 || elements["testsuite"] != len(reports) {
			t.Errorf("%s: %v", name, elements)
		}
		if want := map[string][3]int{"sick": {3, 1, 1}, "dark": {0, 6, 0}, "healthy": {0, 0, 1}}[name]; name == "sick" || name == "dark" || name == "healthy" {
			if got := [3]int{elements["failure"], elements["error"], elements["skipped"]}; got != want {
				t.Errorf("%s: failures, errors, skipped %v, want %v", name, got, want)
			}
		}
	}
	below := options()
	below.FailOn = 0
	if got := printed(t, "junit", below, sick()); strings.Contains(got, "<failure") || !strings.Contains(got, "system-out") {
		t.Error("without a threshold nothing is a failure")
	}
	own := healthy()
	own.Findings = []audit.Finding{{Rule: audit.SuppressionExpired, Slug: "suppression-expired", Severity: audit.Error, Message: "expired"}}
	if got := printed(t, "junit", options(), own); !strings.Contains(got, `failures="1"`) {
		t.Errorf("a finding of the engine is lost:\n%s", got)
	}
}

func TestSARIFForm(t *testing.T) {
	opt := options()
	opt.DocsURL = "https://docs.example/rules/"
	for name, reports := range worlds() {
		var log struct {
			Version string
			Schema  string `json:"$schema"`
			Runs    []struct {
				Tool struct {
					Driver struct {
						Name, Version string
						Rules         []struct{ ID, HelpURI string }
					}
				}
				Results []struct {
					RuleID              string
					RuleIndex           *int
					Level               string
					Message             struct{ Text string }
					PartialFingerprints map[string]string
					Suppressions        []any
					Locations           []struct {
						PhysicalLocation struct {
							ArtifactLocation struct{ URI string }
							Region           struct{ StartLine int }
						}
						LogicalLocations []struct{ FullyQualifiedName string }
					}
				}
				Invocations []struct {
					ExecutionSuccessful        *bool
					ToolExecutionNotifications []any
				}
			}
		}
		if err := json.Unmarshal([]byte(printed(t, "sarif", opt, reports...)), &log); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Schema == "" {
			t.Fatalf("%s: %+v", name, log)
		}
		run := log.Runs[0]
		if d := run.Tool.Driver; d.Name != "mailcheck" || d.Version != "1.2.3" || len(d.Rules) != len(table()) || d.Rules[0].HelpURI != "https://docs.example/rules/SPF003.md" {
			t.Errorf("%s: driver %+v", name, d)
		}
		if run.Results == nil || len(run.Invocations) != 1 || run.Invocations[0].ExecutionSuccessful == nil {
			t.Fatalf("%s: %+v", name, run)
		}
		unknown := 0
		for i := range reports {
			unknown += count(&reports[i]).unknown
		}
		if ok := *run.Invocations[0].ExecutionSuccessful; ok != (unknown == 0) && name != "hostile" {
			t.Errorf("%s: executionSuccessful is %v with %d unknown", name, ok, unknown)
		}
		for _, r := range run.Results {
			if r.RuleIndex == nil || run.Tool.Driver.Rules[*r.RuleIndex].ID != r.RuleID {
				if name != "hostile" {
					t.Errorf("%s: ruleIndex of %s", name, r.RuleID)
				}
			}
			if r.Suppressions == nil || r.Message.Text == "" || r.PartialFingerprints["mailcheckFinding/v1"] == "" || len(r.Locations) != 1 {
				t.Fatalf("%s: %+v", name, r)
			}
			l := r.Locations[0]
			if !strings.HasPrefix(l.PhysicalLocation.ArtifactLocation.URI, "dns/") || l.PhysicalLocation.Region.StartLine != 1 || l.LogicalLocations[0].FullyQualifiedName == "" {
				t.Errorf("%s: %+v", name, l)
			}
		}
	}
}

func TestSARIFBounds(t *testing.T) {
	reports := make([]audit.Report, maxNotifications)
	for i := range reports {
		reports[i] = dark() // two causes each
	}
	got := printed(t, "sarif", options(), reports...)
	if n := strings.Count(got, `"level":"warning","message"`); n != maxNotifications+1 {
		t.Errorf("%d notifications", n)
	}
	if !strings.Contains(got, "1000 more causes") {
		t.Error("the rest is not counted")
	}
}

// FuzzPrinters puts one text into every string of a report.
func FuzzPrinters(f *testing.F) {
	for _, s := range payloads {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := sick()
		fill(reflect.ValueOf(&r).Elem(), s)
		for _, format := range Formats() {
			got := printed(t, format, Options{Version: s, FailOn: audit.Notice, Verbose: true}, r)
			harmless(t, got)
			switch format {
			case "json", "jsonl", "sarif":
				if !json.Valid([]byte(got)) {
					t.Errorf("%s of %q is no JSON", format, s)
				}
			case "junit":
				if err := xml.Unmarshal([]byte(got), new(struct{})); err != nil {
					t.Errorf("%q: %v", s, err)
				}
			case "csv":
				if _, err := csv.NewReader(strings.NewReader(got)).ReadAll(); err != nil {
					t.Errorf("%q: %v", s, err)
				}
			case "text":
				records := recordLines([]audit.Report{r}, true)
				for line := range strings.Lines(got) {
					line = strings.TrimRight(line, "\n")
					if cells(line) > defaultWidth && !slices.Contains(records, line) {
						t.Errorf("%d columns: %q", cells(line), line)
					}
				}
			}
		}
	})
}
