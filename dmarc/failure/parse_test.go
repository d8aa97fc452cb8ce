package failure_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/failure"
)

const feedback = `Feedback-Type: auth-failure
User-Agent: Reporter/1.0
Version: 1
Original-Mail-From: <bounce@example.org>
Original-Rcpt-To: <user@receiver.example>
Original-Rcpt-To: <other@receiver.example>
Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000
Reporting-MTA: dns; mx.receiver.example
Source-IP: 192.0.2.7
Source-Port: 2525
Incidents: 2
Authentication-Results: mx.receiver.example; dmarc=fail
  header.from=example.org
Reported-Domain: Example.ORG.
Reported-URI: https://example.org/
Auth-Failure: dmarc
Identity-Alignment: dkim, spf
Delivery-Result: reject
DKIM-Domain: example.org
DKIM-Identity: @example.org
DKIM-Selector: s1
DKIM-Canonicalized-Header: RnJvbTph
 QGIK
SPF-DNS: txt:example.org:"v=spf1 -all"
X-Extra: yes
`

const original = "From: user@example.org\r\nSubject: hello\r\n\r\nbody\r\n"

func parse(t *testing.T, p failure.Parts) *failure.Report {
	t.Helper()
	r, err := failure.Parse(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func codes(r *failure.Report) string {
	var list []string
	for _, d := range r.Diagnostics {
		list = append(list, d.Code)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

func TestParse(t *testing.T) {
	r := parse(t, failure.Parts{Feedback: []byte(feedback), Original: []byte(original), Text: []byte("for people\n")})
	if len(r.Diagnostics) != 0 {
		t.Errorf("diagnostics = %v", r.Diagnostics)
	}
	for name, got := range map[string]string{
		"auth-failure":         r.FeedbackType.Value,
		"Reporter/1.0":         r.UserAgent,
		"2023-11-14T22:13:20Z": r.ArrivalDate.Format(time.RFC3339),
		"192.0.2.7":            r.SourceIP.String(),
		"2525 2":               fmt.Sprint(r.SourcePort, r.Incidents),
		"bounce@example.org":   r.OriginalMailFrom,
		"[user@receiver.example other@receiver.example]": fmt.Sprint(r.OriginalRcptTo),
		"[example.org]": fmt.Sprint(r.ReportedDomain),
		"[mx.receiver.example; dmarc=fail header.from=example.org]": fmt.Sprint(r.AuthenticationResults),
		"[dmarc] [dkim spf] reject":                                 fmt.Sprint(r.AuthFailure, r.IdentityAlignment, r.DeliveryResult),
		"example.org @example.org s1":                               r.DKIMDomain + " " + r.DKIMIdentity + " " + r.DKIMSelector,
		"From:a@b\n":                                                string(r.DKIMCanonicalHeader),
		`[txt:example.org:"v=spf1 -all"]`:                           fmt.Sprint(r.SPFDNS),
		"[{X-Extra yes}]":                                           fmt.Sprint(r.Other),
		"hello true":                                                fmt.Sprint(r.OriginalField("subject"), " ", r.OriginalBody),
		"for people":                                                r.Text,
	} {
		if got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
}

func TestRepairs(t *testing.T) {
	for _, tc := range []struct {
		name, old, new, codes string
		check                 func(*failure.Report) bool
	}{
		{"historic date field", "Arrival-Date", "Received-Date", "field-alias", func(r *failure.Report) bool { return r.ArrivalDate.Unix() == 1700000000 }},
		{"both date fields", "User-Agent", "Received-Date: Wed, 15 Nov 2023 22:13:20 +0000\nUser-Agent", "field-alias repeated-field", nil},
		{"date with a comment", "+0000", "+0000 (UTC)", "", func(r *failure.Report) bool { return r.ArrivalDate.Unix() == 1700000000 }},
		{"date in another form", "Tue, 14 Nov 2023 22:13:20 +0000", "2023-11-14T22:13:20Z", "word-form", func(r *failure.Report) bool { return r.ArrivalDate.Unix() == 1700000000 }},
		{"no date", "Tue, 14 Nov 2023 22:13:20 +0000", "soon", "date-bad", func(r *failure.Report) bool { return r.ArrivalDate.IsZero() }},
		{"source in brackets", "192.0.2.7", "[IPv6:2001:db8::1]", "address-form", func(r *failure.Report) bool { return r.SourceIP.String() == "2001:db8::1" }},
		{"masked source", "192.0.2.7", "x.x.x.x", "address-bad", func(r *failure.Report) bool { return !r.SourceIP.IsValid() && r.SourceText == "x.x.x.x" }},
		{"upper case", "auth-failure", "Auth-Failure", "word-form", func(r *failure.Report) bool { return r.FeedbackType.Value == "auth-failure" }},
		{"comments in a list", "dkim, spf", "dkim (no signature), SPF(softfail)", "word-form", func(r *failure.Report) bool {
			return len(r.IdentityAlignment) == 2 && r.IdentityAlignment[1].Value == "spf"
		}},
		{"new word", "Delivery-Result: reject", "Delivery-Result: teleported", "word-unknown", func(r *failure.Report) bool { return r.DeliveryResult == failure.Word{Raw: "teleported"} }},
		{"null reverse-path", "<bounce@example.org>", "<>", "", func(r *failure.Report) bool { return r.NullMailFrom && r.OriginalMailFrom == "" }},
		{"no alignment", "Identity-Alignment: dkim, spf\n", "", "missing-field", nil},
		{"no type", "Feedback-Type: auth-failure\n", "", "missing-field", func(r *failure.Report) bool { return r.AuthFailure[0].Value == "dmarc" }},
		{"counts", "Incidents: 2", "Incidents: -2", "number-bad", nil},
		{"base64", "RnJvbTph", "!!", "base64-bad", nil},
		{"field twice", "Version: 1", "Version: 1\nVersion: 2", "repeated-field", func(r *failure.Report) bool { return r.Version == "1" }},
		{"octets that are no UTF-8", "X-Extra: yes", "X-Extra: \xff", "charset-guessed", func(r *failure.Report) bool { return r.Other[0].Value == "\ufffd" }},
		{"lines that are no fields", "Version: 1", "Version: 1\nno field\n<html>: x", "", nil},
		{"CRLF", "\n", "\r\n", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(feedback, tc.old) {
				t.Fatalf("no %q in the report", tc.old)
			}
			n := 1
			if tc.old == "\n" {
				n = -1
			}
			r := parse(t, failure.Parts{Feedback: []byte(strings.Replace(feedback, tc.old, tc.new, n)), Original: []byte(original)})
			if got := codes(r); got != tc.codes {
				t.Errorf("codes = %q, want %q: %v", got, tc.codes, r.Diagnostics)
			}
			if tc.check != nil && !tc.check(r) {
				t.Errorf("report = %+v", r)
			}
		})
	}
}

// TestTextOnly reads the report of a mail system that sends no feedback part.
func TestTextOnly(t *testing.T) {
	text := "A message failed DMARC.\n\n  Sender Domain: example.org\n  Sender IP Address: 192.0.2.7\n" +
		"  Received date: Tue, 14 Nov 2023 22:13:20 +0000\n  SPF Alignment: no\n  DKIM Alignment: yes\n  DMARC Results: Reject, Quarantine\n\n" +
		"------ This is a copy of the headers ------\n\nFrom: a@example.org\nSubject: hi\n"
	r := parse(t, failure.Parts{Text: []byte(text)})
	if r.SourceIP.String() != "192.0.2.7" || fmt.Sprint(r.ReportedDomain, r.IdentityAlignment, r.AuthFailure, r.DeliveryResult) != "[example.org] [spf] [dmarc] spam" ||
		r.ArrivalDate.Unix() != 1700000000 || r.OriginalField("Subject") != "hi" || codes(r) != "text-only" || strings.Contains(r.Text, "Subject") {
		t.Errorf("%+v", r)
	}
}

func TestRefused(t *testing.T) {
	for name, p := range map[string]failure.Parts{
		"nothing": {}, "text": {Text: []byte("hello\n")}, "another mail": {Feedback: []byte("From: a@b\nSubject: c\n")},
		"one field": {Feedback: []byte("Version: 1\n")},
	} {
		_, err := failure.Parse(p)
		var e *failure.Error
		if !errors.Is(err, failure.ErrNotReport) || !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLimits(t *testing.T) {
	r := parse(t, failure.Parts{Feedback: []byte(feedback + strings.Repeat("Reported-Domain: a.example\n", 1000) + "Y: " + strings.Repeat("x", 1<<20) + "\n" + strings.Repeat(" z\n", 1<<20))})
	if len(r.ReportedDomain) > 200 || !strings.Contains(codes(r), "too-many") || len(fmt.Sprint(r)) > 1<<20 {
		t.Errorf("%d domains, %s", len(r.ReportedDomain), codes(r))
	}
}

func TestFeedbackReadsBack(t *testing.T) {
	want := parse(t, failure.Parts{Feedback: []byte(feedback), Original: []byte(original)})
	want.AuthenticationResults = append(want.AuthenticationResults, strings.Repeat("word ", 100)+"end")
	want.DKIMCanonicalBody = []byte(strings.Repeat("body\r\n", 100))
	b, err := want.Feedback()
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.SplitSeq(string(b), "\r\n") {
		if len(l) > 78 {
			t.Errorf("line of %d octets: %q", len(l), l)
		}
	}
	got := parse(t, failure.Parts{Feedback: b, Original: []byte(original)})
	if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", *want) {
		t.Errorf("got  %+v\nwant %+v\n%s", got, want, b)
	}
	for _, break_ := range []func(*failure.Report){
		func(r *failure.Report) { r.FeedbackType = failure.Word{} }, func(r *failure.Report) { r.UserAgent = "" },
		func(r *failure.Report) { r.AuthFailure = nil }, func(r *failure.Report) { r.AuthenticationResults = nil },
		func(r *failure.Report) { r.IdentityAlignment = nil },
	} {
		r := *want
		break_(&r)
		if _, err := r.Feedback(); !errors.Is(err, failure.ErrWrite) {
			t.Errorf("err = %v of %+v", err, r)
		}
	}
}

func ExampleParse() {
	r, err := failure.Parse(failure.Parts{Feedback: []byte(
		"Feedback-Type: auth-failure\nUser-Agent: Reporter/1.0\nVersion: 1\nAuth-Failure: dmarc\nIdentity-Alignment: dkim (expired)\n" +
			"Authentication-Results: mx.receiver.example; dmarc=fail\nReported-Domain: example.org\nSource-IP: [192.0.2.7]\n"),
		Original: []byte("From: news@example.org\nSubject: March\n")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.SourceIP, r.ReportedDomain, "no aligned", r.IdentityAlignment, "in", r.OriginalField("Subject"))
	fmt.Println(r.Diagnostics)
	// Output:
	// 192.0.2.7 [example.org] no aligned [dkim] in March
	// [address-form at Source-IP: "[192.0.2.7]"]
}

// FuzzParse: what can be written reads back and is written the same again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(feedback), []byte(original), []byte("Sender Domain: example.org\nSender IP Address: 192.0.2.7\n"))
	f.Add([]byte("Auth-Failure: spf\rSource-IP: ::1\r\n (x\n"), []byte(""), []byte(""))
	f.Fuzz(func(t *testing.T, fb, orig, text []byte) {
		r, err := failure.Parse(failure.Parts{Feedback: fb, Original: orig, Text: text})
		if err != nil {
			return
		}
		_ = r.String()
		first, err := r.Feedback()
		if err != nil {
			return
		}
		again, err := failure.Parse(failure.Parts{Feedback: first})
		if err != nil {
			t.Fatalf("%v\n%q", err, first)
		}
		second, err := again.Feedback()
		if err != nil || string(second) != string(first) {
			t.Fatalf("%v\n%q\n%q", err, first, second)
		}
	})
}
