package render

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	eml "github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const mailURN = "urn:mailcheck:schema:audit-message-1"

// mailReports are the reports of mails that the forms are tried with: one as usual, one
// that means harm, one that is nothing.
func mailReports() []audit.Report {
	list := []struct{ name, text string }{
		{"news.eml", "Authentication-Results: mx.example.net; spf=pass (good) smtp.mailfrom=a@example.org; dkim=pass header.d=example.org\r\n" +
			"Return-Path: <a@example.org>\r\nReceived: from mail.example.org (mail.example.org [192.0.2.25]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)) by mx.example.net with ESMTPS id 1; Sun, 01 Nov 2026 12:00:02 +0000\r\n" +
			"From: a@example.org\r\nSubject: Hello\r\nDate: Sun, 01 Nov 2026 12:00:00 +0000\r\n\r\nHello\r\n"},
		{"a b\x1b[2J.eml", "Authentication-Results: mx.example.net; spf=fail (\x1b[31m\u202e) smtp.mailfrom=\x1b@example.org\r\nReceived: from =cmd|' (x [192.0.2.1]) by mx.example.net with ESMTP; Sun, 01 Nov 2026 12:00:02 +0000\r\n" +
			"X-Forwarded-To: \x1b]0;t\x07</script>@everyone\r\nFrom: \"\x9b31m\" <a@example.org>\r\nSubject: \x1b[2J=HYPERLINK(\"http://x\")\r\n\r\n"},
		{"", ""},
	}
	var out []audit.Report
	for _, x := range list {
		f := mail.Gather(context.Background(), resolve.Offline, eml.Parse([]byte(x.text), eml.Options{}), mail.Options{Name: x.name, Now: func() time.Time { return noon }, IP: netip.Addr{}})
		rules := []audit.Rule{{ID: "MSG901", Slug: "a-rule", Title: "Title", Severity: audit.Warning, Doc: audit.Doc{Remedy: "Do it."},
			Refs: []audit.Ref{{RFC: 5322, Section: "3.6"}}, Check: func(c *audit.Case) {
				c.Report(audit.Subject{Term: "Subject field"}, "Subject %s.", c.Mail.Header.Subject)
			}}, {ID: "MSG902", Slug: "b-rule", Check: func(c *audit.Case) { c.Unknown("SPF") }}}
		out = append(out, audit.RunMail(f, rules, audit.Options{Profiles: []audit.Profile{{ID: "p", Title: "P", Requirements: []audit.Requirement{
			{ID: "p-1", Rules: []audit.ID{"MSG901"}, Strict: true}, {ID: "p-2"}}}}}))
	}
	return out
}

func mailOptions() Options {
	o := options()
	o.Mails = true
	return o
}

func TestMailForms(t *testing.T) {
	for _, form := range Formats() {
		for _, verbose := range []bool{false, true} {
			o := mailOptions()
			o.Verbose = verbose
			text := printed(t, form, o, mailReports()...)
			for _, bad := range []string{"\x1b", "\x07", "\u202e", "\x9b"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s: %q is in the output", form, bad)
				}
			}
			if !strings.Contains(text, "news.eml") {
				t.Errorf("%s does not name the file:\n%s", form, text)
			}
		}
	}
}

func TestMailText(t *testing.T) {
	text := printed(t, "text", mailOptions(), mailReports()[0])
	for _, want := range []string{
		"news.eml (mail from example.org): AT RISK - 1 warning, 1 unknown\n",
		"  client   192.0.2.25, EHLO mail.example.org, MAIL FROM a@example.org\n",
		"over TLS 1.3", "beside those of mx.example.net",
		"  SPF    temperror example.org; mx.example.net says pass\n",
		"this says nothing about the mail", "not in mail",
		"next: mailcheck audit example.org --ip 192.0.2.25",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "--resolver") {
		t.Error("a hint for domains is in the report of a mail")
	}
}

func TestMailSchema(t *testing.T) {
	text, err := os.ReadFile("../../docs/schema/audit-message-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(mailURN, doc); err != nil {
		t.Fatal(err)
	}
	validate := func(at, text string) {
		t.Helper()
		s, err := c.Compile(at)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Error(err)
		}
	}
	validate(mailURN, printed(t, "json", mailOptions(), mailReports()...))
	for l := range strings.Lines(printed(t, "jsonl", mailOptions(), mailReports()...)) {
		validate(mailURN+"#/$defs/line", l)
	}
	var top struct {
		Reports []map[string]any `json:"reports"`
	}
	if err := json.Unmarshal([]byte(printed(t, "json", mailOptions(), mailReports()...)), &top); err != nil {
		t.Fatal(err)
	}
	report := doc.(map[string]any)["$defs"].(map[string]any)["report"].(map[string]any)["properties"].(map[string]any)
	for k := range top.Reports[0] {
		if _, ok := report[k]; !ok {
			t.Errorf("the schema does not know %q", k)
		}
	}
}

// TestMailIsNotChanged: making a report safe must not touch the report that was given.
func TestMailIsNotChanged(t *testing.T) {
	r := mailReports()[1]
	before, _ := json.Marshal(r)
	printed(t, "json", mailOptions(), r)
	if after, _ := json.Marshal(r); string(before) != string(after) {
		t.Error("the report was changed")
	}
}
