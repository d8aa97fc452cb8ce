package tlsrpt_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

const report = `{
  "organization-name": "receiver.example",
  "date-range": {"start-datetime": "2024-01-09T00:00:00Z", "end-datetime": "2024-01-09T23:59:59Z"},
  "contact-info": "tls@receiver.example",
  "report-id": "2024-01-09_example.org",
  "policies": [{
    "policy": {"policy-type": "sts", "policy-string": ["version: STSv1", "mode: enforce"], "policy-domain": "Example.org.", "mx-host": ["*.example.org"]},
    "summary": {"total-successful-session-count": 10, "total-failure-session-count": 5},
    "failure-details": [{"result-type": "certificate-expired", "sending-mta-ip": "2001:db8::1", "receiving-mx-hostname": "MX.example.org",
      "receiving-mx-helo": "mx", "receiving-ip": "192.0.2.1", "failed-session-count": 5, "additional-information": "https://x.example/", "failure-reason-code": "X509"}]
  }]
}`

func read(t *testing.T, doc string) *tlsrpt.Report {
	t.Helper()
	r, err := tlsrpt.Read(strings.NewReader(doc), tlsrpt.Options{})
	if err != nil {
		t.Fatalf("%v in %.200s", err, doc)
	}
	return r
}

func codes(r *tlsrpt.Report) string {
	var list []string
	for _, d := range r.Diagnostics {
		list = append(list, d.Code)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

func TestRead(t *testing.T) {
	r := read(t, report)
	if len(r.Diagnostics) != 0 || !r.Complete || r.Reporter() != "receiver.example" || r.Contact != "tls@receiver.example" || r.ReportID != "2024-01-09_example.org" ||
		!r.Begin.Equal(time.Date(2024, 1, 9, 0, 0, 0, 0, time.UTC)) || r.End.Sub(r.Begin) != 24*time.Hour-time.Second {
		t.Errorf("%+v", r)
	}
	p := r.Policies[0]
	if p.Type.Value != tlsrpt.STS || len(p.Strings) != 2 || p.Domain != "example.org" || p.MXHosts[0] != "*.example.org" || p.Successful != 10 || p.Failed != 5 {
		t.Errorf("%+v", p)
	}
	f := p.Failures[0]
	if f.Type.Value != "certificate-expired" || f.SendingIP.String() != "2001:db8::1" || f.ReceivingIP.String() != "192.0.2.1" || f.ReceivingMX != "mx.example.org" ||
		f.ReceivingHELO != "mx" || f.Sessions != 5 || f.AdditionalInfo != "https://x.example/" || f.ReasonCode != "X509" {
		t.Errorf("%+v", f)
	}
}

func TestRepairs(t *testing.T) {
	for _, tc := range []struct {
		name, old, new, codes string
		check                 func(*tlsrpt.Report) bool
	}{
		{"times without a zone", "00:00:00Z", "00:00:00", "time-form", func(r *tlsrpt.Report) bool { return r.Begin.Hour() == 0 }},
		{"times with an offset", "00:00:00Z", "02:00:00+02:00", "", func(r *tlsrpt.Report) bool { return r.Begin.Hour() == 0 }},
		{"a date alone", "2024-01-09T00:00:00Z", "2024-01-09", "time-form", nil},
		{"no time", "2024-01-09T00:00:00Z", "today", "time-bad", func(r *tlsrpt.Report) bool { return r.Begin.IsZero() && !r.Complete }},
		{"mx-host as a string", `["*.example.org"]`, `"*.example.org"`, "", func(r *tlsrpt.Report) bool { return len(r.Policies[0].MXHosts) == 1 }},
		{"mx-host-pattern", `"mx-host"`, `"mx-host-pattern"`, "member-alias", func(r *tlsrpt.Report) bool { return len(r.Policies[0].MXHosts) == 1 }},
		{"additional-info-uri", `"additional-information"`, `"additional-info-uri"`, "member-alias", func(r *tlsrpt.Report) bool { return r.Policies[0].Failures[0].AdditionalInfo != "" }},
		{"policy-string as a string", `["version: STSv1", "mode: enforce"]`, `"version: STSv1"`, "type-form", func(r *tlsrpt.Report) bool { return len(r.Policies[0].Strings) == 1 }},
		{"policy-string null", `["version: STSv1", "mode: enforce"]`, `null`, "", nil},
		{"policy-string as JSON in a string", `["version: STSv1", "mode: enforce"]`, `["[\"3 1 1 aa\",\"3 1 1 bb\"]"]`, "type-form", func(r *tlsrpt.Report) bool { return len(r.Policies[0].Strings) == 2 }},
		{"counts as strings", `count": 5, "add`, `count": "5", "add`, "type-form", func(r *tlsrpt.Report) bool { return r.Policies[0].Failures[0].Sessions == 5 }},
		{"counts as fractions", `: 10,`, `: 1.0e1,`, "", func(r *tlsrpt.Report) bool { return r.Policies[0].Successful == 10 }},
		{"negative counts", `: 10,`, `: -10,`, "number-bad", func(r *tlsrpt.Report) bool { return r.Policies[0].Successful == 0 }},
		{"more failures than the sum", `count": 5, "add`, `count": 6, "add`, "sums-differ", nil},
		{"contact null", `"tls@receiver.example"`, `null`, "", nil},
		{"contact and name missing", `"organization-name": "receiver.example",`, ``, "", func(r *tlsrpt.Report) bool { return r.Reporter() == "receiver.example" }},
		{"no policies", `"policies": [{`, `"x": [{`, "no-policies unknown-member", nil},
		{"policies as an object", "", "", "type-form", nil},
		{"upper case", `"sts"`, `"STS"`, "word-form", func(r *tlsrpt.Report) bool { return r.Policies[0].Type.Value == tlsrpt.STS }},
		{"new result", `certificate-expired`, `quantum-flux`, "word-unknown", func(r *tlsrpt.Report) bool { return r.Policies[0].Failures[0].Type.Raw == "quantum-flux" }},
		{"no address", `192.0.2.1`, `mx.example`, "address-bad", func(r *tlsrpt.Report) bool { return r.Policies[0].Failures[0].ReceivingIPText == "mx.example" }},
		{"unknown member", `"report-id"`, `"colour": 1, "report-id"`, "unknown-member", nil},
		{"comma before the end", `"mode: enforce"]`, `"mode: enforce",]`, "json-form", func(r *tlsrpt.Report) bool { return len(r.Policies[0].Strings) == 2 }},
		{"line end in a string", `mode: enforce`, "mode: enforce\n", "json-form", nil},
		{"byte order mark", `{`, "\xef\xbb\xbf{", "", nil},
		{"report in a list", "", "", "type-form", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			doc := strings.Replace(report, tc.old, tc.new, 1)
			switch tc.name {
			case "report in a list":
				doc = "[" + report + "]"
			case "policies as an object":
				doc = strings.Replace(strings.Replace(report, `"policies": [{`, `"policies": {`, 1), "  }]\n}", "  }\n}", 1)
			default:
				if !strings.Contains(report, tc.old) {
					t.Fatalf("no %s in the report", tc.old)
				}
			}
			r := read(t, doc)
			if got := codes(r); got != tc.codes {
				t.Errorf("codes = %q, want %q: %v", got, tc.codes, r.Diagnostics)
			}
			if tc.check != nil && !tc.check(r) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestCutEverywhere: a report that is cut is told to be, or refused.
func TestCutEverywhere(t *testing.T) {
	read := 0
	for i := range len(report) {
		r, err := tlsrpt.Read(strings.NewReader(report[:i]), tlsrpt.Options{})
		if err == nil {
			read++
			if r.Complete {
				t.Fatalf("cut at %d: complete", i)
			}
		}
	}
	if read < len(report)/2 {
		t.Errorf("%d of %d cuts read", read, len(report))
	}
}

func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		doc    string
		limits tlsrpt.Limits
		want   error
	}{
		"empty":     {"", tlsrpt.Limits{}, tlsrpt.ErrNotReport},
		"text":      {"hello", tlsrpt.Limits{}, tlsrpt.ErrNotReport},
		"other":     {`{"a": 1}`, tlsrpt.Limits{}, tlsrpt.ErrNotReport},
		"list":      {`[1, 2]`, tlsrpt.Limits{}, tlsrpt.ErrNotReport},
		"malformed": {`{"report-id": }`, tlsrpt.Limits{}, tlsrpt.ErrSyntax},
		"bytes":     {report, tlsrpt.Limits{Bytes: 100}, tlsrpt.ErrLimit},
		"objects":   {"[" + strings.Repeat("{},", 600_000), tlsrpt.Limits{}, tlsrpt.ErrLimit},
		"deep":      {strings.Repeat("[", 400_000), tlsrpt.Limits{}, tlsrpt.ErrSyntax},
	} {
		_, err := tlsrpt.Read(strings.NewReader(tc.doc), tlsrpt.Options{Limits: tc.limits})
		var e *tlsrpt.Error
		if !errors.Is(err, tc.want) || !errors.As(err, &e) {
			t.Errorf("%s: %.200v", name, err)
		}
	}
	boom := errors.New("boom")
	if _, err := tlsrpt.Read(iotest.ErrReader(boom), tlsrpt.Options{}); !errors.Is(err, tlsrpt.ErrRead) || !errors.Is(err, boom) {
		t.Errorf("source: %v", err)
	}
}

func TestLimits(t *testing.T) {
	one := report[strings.Index(report, `[{`)+1 : strings.LastIndex(report, "]")]
	r, err := tlsrpt.Read(strings.NewReader(strings.Replace(report, one, one+","+one+","+one, 1)), tlsrpt.Options{Limits: tlsrpt.Limits{Policies: 2, Text: 5}})
	if err != nil || len(r.Policies) != 2 || r.Complete || !strings.Contains(codes(r), "too-many") || !strings.Contains(codes(r), "value-too-long") {
		t.Errorf("%v %+v", err, r)
	}
}

func TestWriteReadsBack(t *testing.T) {
	want := read(t, report)
	var b bytes.Buffer
	if err := tlsrpt.Write(&b, want); err != nil {
		t.Fatal(err)
	}
	got := read(t, b.String())
	if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", *want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for name, break_ := range map[string]func(*tlsrpt.Report){
		"organization-name": func(r *tlsrpt.Report) { r.Organization = "" }, "contact-info": func(r *tlsrpt.Report) { r.Contact = "" },
		"report-id": func(r *tlsrpt.Report) { r.ReportID = "" }, "date-range": func(r *tlsrpt.Report) { r.End = time.Time{} },
		"policies": func(r *tlsrpt.Report) { r.Policies = nil }, "policy-domain": func(r *tlsrpt.Report) { r.Policies[0].Domain = "" },
		"result-type": func(r *tlsrpt.Report) { r.Policies[0].Failures[0].Type = tlsrpt.Word{} },
	} {
		r := read(t, report)
		break_(r)
		if err := tlsrpt.Write(io.Discard, r); !errors.Is(err, tlsrpt.ErrWrite) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ExampleRead() {
	r, err := tlsrpt.Read(strings.NewReader(report), tlsrpt.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range r.Policies {
		fmt.Println(r.Reporter(), p.Domain, p.Type, p.Successful, p.Failed)
		for _, f := range p.Failures {
			fmt.Println(f.Type, "at", f.ReceivingMX, f.Sessions)
		}
	}
	// Output:
	// receiver.example example.org sts 10 5
	// certificate-expired at mx.example.org 5
}

func ExampleWrite() {
	r := &tlsrpt.Report{
		Organization: "receiver.example", Contact: "tls@receiver.example", ReportID: "1",
		Begin: time.Date(2024, 1, 9, 0, 0, 0, 0, time.UTC), End: time.Date(2024, 1, 9, 23, 59, 59, 0, time.UTC),
		Policies: []tlsrpt.Policy{{Type: tlsrpt.Word{Value: tlsrpt.NoPolicyFound}, Domain: "example.org", Successful: 3}},
	}
	if err := tlsrpt.Write(os.Stdout, r); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {
	//   "organization-name": "receiver.example",
	//   "date-range": {
	//     "start-datetime": "2024-01-09T00:00:00Z",
	//     "end-datetime": "2024-01-09T23:59:59Z"
	//   },
	//   "contact-info": "tls@receiver.example",
	//   "report-id": "1",
	//   "policies": [
	//     {
	//       "policy": {
	//         "policy-type": "no-policy-found",
	//         "policy-domain": "example.org"
	//       },
	//       "summary": {
	//         "total-successful-session-count": 3,
	//         "total-failure-session-count": 0
	//       }
	//     }
	//   ]
	// }
}

// FuzzRead: what can be written reads back and is written the same again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(report))
	f.Add([]byte(report[:400]))
	f.Add([]byte(`[{"Policies": {"policy": {"policy_type": "TLSA", "policy-string": "[\"a\"]"}}, "report-id": 5,}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := tlsrpt.Read(bytes.NewReader(data), tlsrpt.Options{})
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if tlsrpt.Write(&first, r) != nil {
			return
		}
		again, err := tlsrpt.Read(bytes.NewReader(first.Bytes()), tlsrpt.Options{})
		if err != nil {
			t.Fatalf("%v\n%s", err, first.Bytes())
		}
		if err := tlsrpt.Write(&second, again); err != nil || first.String() != second.String() {
			t.Fatalf("%v\n%s\n%s", err, first.String(), second.String())
		}
	})
}
