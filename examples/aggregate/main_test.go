package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const report = `<?xml version="1.0"?>
<feedback>
<report_metadata><org_name>receiver.example</org_name><email>dmarc@receiver.example</email><report_id>1</report_id>
<date_range><begin>1767225600</begin><end>1767311999</end></date_range></report_metadata>
<policy_published><domain>example.org</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>90</count>
<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>example.org</header_from></identifiers>
<auth_results><spf><domain>example.org</domain><result>fail</result></spf></auth_results></record>
<record><row><source_ip>198.51.100.9</source_ip><count>400</count>
<policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>example.org</header_from></identifiers>
<auth_results><spf><domain>example.org</domain><result>fail</result></spf></auth_results></record>
</feedback>
`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(report)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	plain, gz := write("report.xml", []byte(report)), write("report.xml.gz", packed.Bytes())

	var out bytes.Buffer
	if err := run(context.Background(), &out, []string{plain, gz}); err != nil {
		t.Fatal(err)
	}
	want := "     800 mails    0% pass  198.51.100.9\n     180 mails  100% pass  192.0.2.1\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}

	// A file that is no report is told, and the others still count.
	out.Reset()
	err := run(context.Background(), &out, []string{write("no.xml", []byte("hello")), plain, write("cut.xml", []byte(report[:len(report)-200]))})
	if err == nil || !strings.Contains(err.Error(), "no.xml") || !strings.Contains(err.Error(), "cut.xml") {
		t.Errorf("error %v does not name the files", err)
	}
	if !strings.Contains(out.String(), "192.0.2.1") {
		t.Errorf("a bad file hides the good one: %q", out.String())
	}
	if run(context.Background(), &out, nil) == nil {
		t.Error("no file is no error")
	}
}
