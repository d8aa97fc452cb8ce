package source_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/mailcheck-go/mailcheck/reports/source"
)

const (
	report = `<?xml version="1.0"?><feedback><report_metadata><org_name>rcv.example</org_name><email>d@rcv.example</email>` +
		`<report_id>1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>` +
		`<policy_published><domain>example.org</domain><p>none</p></policy_published></feedback>`
	tlsReport = `{"organization-name":"rcv.example","date-range":{"start-datetime":"2024-01-09T00:00:00Z","end-datetime":"2024-01-09T23:59:59Z"},` +
		`"contact-info":"t@rcv.example","report-id":"1","policies":[]}`
	feedback = "Feedback-Type: auth-failure\r\nUser-Agent: x/1\r\nVersion: 1\r\nAuth-Failure: dmarc\r\nSource-IP: 192.0.2.7\r\nReported-Domain: example.org\r\n"
)

func gz(data string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, data)
	z.Close()
	return b.String()
}

func zl(data string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	io.WriteString(z, data)
	z.Close()
	return b.String()
}

// zipped makes an archive of name, content pairs.
func zipped(pairs ...string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		w, err := z.Create(pairs[i])
		if err != nil {
			panic(err)
		}
		io.WriteString(w, pairs[i+1])
	}
	z.Close()
	return b.String()
}

func tarred(pairs ...string) string {
	var b bytes.Buffer
	z := tar.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		z.WriteHeader(&tar.Header{Name: pairs[i], Mode: 0o644, Size: int64(len(pairs[i+1])), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR})
		io.WriteString(z, pairs[i+1])
	}
	z.Close()
	return b.String()
}

func b64(data string) string {
	s := base64.StdEncoding.EncodeToString([]byte(data))
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s + "\r\n"
}

const fields = "From: Reports <dmarc@rcv.example>\r\nTo: rua@example.org\r\nSubject: Report Domain: example.org\r\n" +
	"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@rcv.example>\r\nAuthentication-Results: mx.example.org; dmarc=pass\r\nMIME-Version: 1.0\r\n"

// single is a mail of one part; header lines as given.
func single(header, body string) string { return fields + header + "\r\n\r\n" + body }

// multi is a mail of several parts, each with its header.
func multi(contentType string, parts ...string) string {
	s := fields + "Content-Type: " + contentType + "; boundary=\"=_b\"\r\n\r\nThis is MIME.\r\n"
	for _, p := range parts {
		s += "--=_b\r\n" + p + "\r\n"
	}
	return s + "--=_b--\r\n"
}

const hello = "Content-Type: text/plain\r\n\r\nThis is a report.\r\n"

func attachment(contentType, name, data string) string {
	return "Content-Type: " + contentType + "; name=\"" + name + "\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n filename=\"" + name + "\"\r\n\r\n" + b64(data)
}

// outcome lists documents as "kind path" and errors as "!reason path".
func outcome(t *testing.T, docs func(func(*source.Document, error) bool)) string {
	t.Helper()
	var list []string
	for doc, err := range docs {
		var e *source.Error
		if errors.As(err, &e) {
			list = append(list, fmt.Sprintf("!%v %s", e.Reason, e.Path))
			if e.Error() == "" {
				t.Error("empty error")
			}
			continue
		} else if err != nil {
			t.Fatalf("error of type %T", err)
		}
		want := report
		switch doc.Kind {
		case source.TLS:
			want = tlsReport
		case source.Failure:
			list = append(list, fmt.Sprintf("failure %s feedback=%d original=%d text=%d", doc.Path, len(doc.Failure.Feedback), len(doc.Failure.Original), len(doc.Failure.Text)))
			continue
		}
		b, err := io.ReadAll(doc.Body)
		if err != nil || strings.TrimSpace(strings.TrimPrefix(string(b), "\xef\xbb\xbf")) != want {
			t.Errorf("%s: %v, content %.200q", doc.Path, err, b)
		}
		list = append(list, fmt.Sprintf("%s %s", doc.Kind, doc.Path))
	}
	return strings.Join(list, "; ")
}

func TestContainers(t *testing.T) {
	name := "rcv.example!example.org!1700000000!1700086399"
	mail := multi("multipart/mixed", hello, attachment("application/gzip", name+".xml.gz", gz(report)))
	for _, tc := range []struct{ name, in, want string }{
		{"xml", report, "aggregate f"},
		{"xml behind white space", "\r\n  " + report, "aggregate f"},
		{"byte order mark", "\xef\xbb\xbf" + report, "aggregate f"},
		{"json", tlsReport, "tls f"},
		{"gzip", gz(report), "aggregate f"},
		{"gzip twice", gz(gz(report)), "aggregate f"},
		{"gzip in two members", gz(report[:100]) + gz(report[100:]), "aggregate f"},
		{"gzip with a line end behind it", gz(report) + "\r\n", "aggregate f"},
		{"gzip of json", gz(tlsReport), "tls f"},
		{"gzip without end", gz(report)[:6], "!damaged container f"},
		{"zlib", zl(report), "aggregate f"},
		{"zlib of high octets", "\x78\x9c" + zl(strings.Repeat("é", 200))[2:], "!no report f"},
		{"zip", zipped("a.xml", report), "aggregate f/a.xml"},
		{"zip with directories and all members", zipped("d/", "", "d/a.xml", report, "d/b.json", tlsReport), "aggregate f/d/a.xml; tls f/d/b.json"},
		{"zip with a table beside", zipped("a.csv", "x,y", "a.xml", report), "!skipped f/a.csv; aggregate f/a.xml"},
		{"zip in zip, gzip in zip", zipped("a.zip", zipped("b.xml", report), "c.gz", gz(report)), "aggregate f/a.zip/b.xml; aggregate f/c.gz"},
		{"zip with names that climb", zipped("../../x", report), "aggregate f/../../x"},
		{"zip without its directory", zipped("a.xml", report, "b.xml", report)[:len(zipped("a.xml", report, "b.xml", report))-30], "aggregate f/a.xml; aggregate f/b.xml"},
		{"zip, cut off", zipped("a.xml", report)[:20], "!damaged container f"},
		{"zip, empty", zipped(), "!no report f"},
		{"zip, other content", zipped("a.txt", "hello"), "!skipped f/a.txt; !no report f"},
		{"tar.gz", gz(tarred("a.xml", report, "b.xml", report)), "aggregate f/a.xml; aggregate f/b.xml"},
		{"base64 alone", b64(gz(report)), "aggregate f"},
		{"mail", mail, "aggregate f/" + name + ".xml.gz"},
		{"mail, LF", strings.ReplaceAll(mail, "\r\n", "\n"), "aggregate f/" + name + ".xml.gz"},
		{"mail, CR", strings.ReplaceAll(mail, "\r\n", "\r"), "aggregate f/" + name + ".xml.gz"},
		{"mail in gzip", gz(mail), "aggregate f/" + name + ".xml.gz"},
		{"zip labelled gzip", multi("multipart/mixed", attachment("application/gzip", "a.gz", zipped("a.xml", report))), "aggregate f/a.gz/a.xml"},
		{"gzip labelled zip", multi("multipart/mixed", attachment("application/zip", "a.zip", gz(report))), "aggregate f/a.zip"},
		{"octet-stream", multi("multipart/mixed", attachment("application/octet-stream", "a", gz(report))), "aggregate f/a"},
		{"multipart/alternative", multi("multipart/alternative", hello, attachment("application/x-gzip", "a.gz", gz(report))), "aggregate f/a.gz"},
		{"xml attached", multi("multipart/mixed", hello, "Content-Type: text/xml; name=a.xml\r\n\r\n"+report), "aggregate f/a.xml"},
		{"xml in quoted-printable", single("Content-Type: application/xml\r\nContent-Transfer-Encoding: quoted-printable", strings.ReplaceAll(strings.ReplaceAll(report, "=", "=3D"), "><", ">=\r\n<")), "aggregate f/part 1"},
		{"report is the body", single("Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64", b64(gz(report))), "aggregate f/part 1"},
		{"body in base64 without a label", single("X: y", b64(gz(report))), "aggregate f/part 1"},
		{"binary body", single("Content-Type: application/zip", zipped("a.xml", report)), "aggregate f/part 1/a.xml"},
		{"labelled base64 and plain", single("Content-Type: text/xml\r\nContent-Transfer-Encoding: base64", report), "aggregate f/part 1"},
		{"two reports", multi("multipart/mixed", attachment("application/gzip", "a.gz", gz(report)), attachment("application/gzip", "b.gz", gz(report))), "aggregate f/a.gz; aggregate f/b.gz"},
		{"message/rfc822", multi("multipart/mixed", hello, "Content-Type: message/rfc822\r\n\r\n"+strings.ReplaceAll(mail, "=_b", "=_c")), "aggregate f/part 2/" + name + ".xml.gz"},
		{"message/rfc822 in base64", multi("multipart/mixed", attachment("message/rfc822", "x.eml", mail)), "aggregate f/x.eml/" + name + ".xml.gz"},
		{"whole mail as the body", single("Content-Type: text/plain", mail), "aggregate f/part 1/" + name + ".xml.gz"},
		{"misspelt header field", fields + "ContentType: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\n" + attachment("application/gzip", "a.gz", gz(report)) + "--=_b--", "aggregate f/a.gz"},
		{"boundary without quotes", strings.Replace(mail, `"=_b"`, `=_b`, 1), "aggregate f/" + name + ".xml.gz"},
		{"boundary that does not occur", strings.Replace(mail, `"=_b"`, `"other"`, 1), "aggregate f/" + name + ".xml.gz"},
		{"last boundary missing", strings.TrimSuffix(mail, "--=_b--\r\n"), "aggregate f/" + name + ".xml.gz"},
		{"split file name", multi("multipart/mixed", "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*0=\"rcv!exa\";\r\n filename*1*=mple%2Eorg; filename*2=\".gz\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"+b64(gz(report))), "aggregate f/rcv!example.org.gz"},
		{"encoded file name", multi("multipart/mixed", attachment("application/gzip", "=?utf-8?q?r=C3=A9p.gz?=", gz(report))), "aggregate f/rép.gz"},
		{"base64 with junk", single("Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64", strings.Replace(b64(gz(report)), "\r\n", "\r\n!!\r\n ", 2)), "aggregate f/part 1"},
		{"base64 without padding", single("Content-Type: application/gzip\r\nContent-Transfer-Encoding: BASE64", strings.TrimRight(b64(gz(report)), "=\r\n")), "aggregate f/part 1"},
		{"TLS report", multi(`multipart/report; report-type="tlsrpt"`, hello, attachment("application/tlsrpt+gzip", "a.json.gz", gz(tlsReport))), "tls f/a.json.gz"},
		{"TLS report labelled gzip and plain", multi(`multipart/report; report-type="tlsrpt"`, hello, attachment("application/tlsrpt+gzip", "a.json.gz", tlsReport)), "tls f/a.json.gz"},
		{"failure report", multi("multipart/report; report-type=feedback-report", hello, "Content-Type: message/feedback-report\r\n\r\n"+feedback, "Content-Type: message/rfc822\r\n\r\nFrom: a@example.org\r\n\r\nx"), "failure f feedback=131 original=24 text=19"},
		{"failure report in text alone", strings.Replace(single("Content-Type: text/plain", "Sender Domain: example.org\r\nSender IP Address: 192.0.2.7\r\n"), "Report Domain: example.org", "DMARC Forensic Report", 1), "failure f feedback=0 original=0 text=58"},
		{"feedback part as a file", feedback, fmt.Sprintf("failure f feedback=%d original=0 text=0", len(feedback))},
		{"other mail", multi("multipart/alternative", hello, "Content-Type: text/html\r\n\r\n<html>hi</html>"), "!no report f"},
		{"picture beside the report", multi("multipart/mixed", attachment("image/png", "logo.png", "\x89PNG\r\n\x1a\n"), attachment("application/gzip", "a.gz", gz(report))), "!skipped f/logo.png; aggregate f/a.gz"},
		{"labelled as a report, and text", multi("multipart/mixed", hello, attachment("application/gzip", "a.gz", gz("unused"))), "!no report f/a.gz"},
		{"bounce", multi("multipart/report; report-type=delivery-status", hello, "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x", "Content-Type: message/rfc822\r\n\r\n"+mail), "!no report f"},
		{"mbox", "From a@b Tue Nov 14 22:13:20 2023\n" + mail + "\nFrom c@d Tue Nov 14 22:13:21 2023\n" + mail + "\nFrom text that is no separator\n", "aggregate f/mail 1/" + name + ".xml.gz; aggregate f/mail 2/" + name + ".xml.gz"},
		{"empty", "", "!no report f"},
		{"white space", " \r\n", "!no report f"},
		{"text", "hello world", "!no report f"},
		{"binary", "\x01\x02\x03\x04\x05\x06\x07\x08", "!no report f"},
		{"Outlook file", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xxxx", "!format not supported f"},
		{"7z", "7z\xbc\xaf\x27\x1cxx", "!format not supported f"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for kind, r := range map[string]io.Reader{"file": strings.NewReader(tc.in), "stream": io.MultiReader(strings.NewReader(tc.in)), "half": iotest.HalfReader(strings.NewReader(tc.in))} {
				if got := outcome(t, source.Read("f", r, source.Options{})); got != tc.want {
					t.Errorf("%s: %s\nwant %s", kind, got, tc.want)
				}
			}
		})
	}
}

func TestMail(t *testing.T) {
	in := multi("multipart/mixed", attachment("application/gzip", "a.gz", strings.TrimSuffix(gz(report), "x")))
	in = strings.Replace(in, "Subject: ", "Subject: =?utf-8?q?R=C3=A9?= \r\n  ", 1)
	for doc, err := range source.Read("f", strings.NewReader(in), source.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		m := doc.Mail
		if m.From != "Reports <dmarc@rcv.example>" || m.Subject != "Ré Report Domain: example.org" || m.MessageID != "<1@rcv.example>" ||
			m.Date.Unix() != 1700000000 || len(m.AuthenticationResults) != 1 {
			t.Errorf("%+v", m)
		}
	}
}

func TestTree(t *testing.T) {
	mail := multi("multipart/mixed", attachment("application/gzip", "a.gz", gz(report)))
	fsys := fstest.MapFS{
		"box/[x] *?.xml":        {Data: []byte(report)},
		"box/.git/a.xml":        {Data: []byte(report)},
		"box/.hidden":           {Data: []byte(report)},
		"box/md/cur/1:2,S":      {Data: []byte(mail)},
		"box/md/new/2":          {Data: []byte(mail)},
		"box/md/tmp/3":          {Data: []byte(mail)},
		"box/md/dovecot.index":  {Data: []byte("\x01\x02")},
		"box/md/.Sub/cur/4:2,":  {Data: []byte(mail)},
		"box/md/.Sub/new/empty": {Data: nil},
		"box/z.txt":             {Data: []byte("no")},
	}
	want := "!skipped box/.git; !skipped box/.hidden; aggregate box/[x] *?.xml; aggregate box/md/.Sub/cur/4:2,/a.gz; !no report box/md/.Sub/new/empty; " +
		"aggregate box/md/cur/1:2,S/a.gz; !skipped box/md/dovecot.index; aggregate box/md/new/2/a.gz; !no report box/z.txt"
	if got := outcome(t, source.Tree(fsys, "box", source.Options{})); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := outcome(t, source.Tree(fsys, "nowhere", source.Options{})); got != "!cannot be read nowhere" {
		t.Errorf("missing: %s", got)
	}
	// The loop may be left at every step.
	for stop := 1; stop <= 9; stop++ {
		n := 0
		for range source.Tree(fsys, "box", source.Options{}) {
			if n++; n == stop {
				break
			}
		}
		if n != stop {
			t.Errorf("left after %d steps, want %d", n, stop)
		}
	}
}

// TestLeave leaves the loop over one input at every step.
func TestLeave(t *testing.T) {
	mail := multi("multipart/mixed", attachment("application/zip", "a.zip", zipped("a.xml", report, "b.csv", "x", "c.xml", report)), attachment("image/png", "x.png", "\x89PNG"), attachment("application/gzip", "d", gz(report)))
	in := "From a@b Tue Nov 14 22:13:20 2023\n" + mail + "\nFrom a@b Tue Nov 14 22:13:20 2023\n" + mail + "\n"
	for stop := 1; stop <= 10; stop++ {
		n := 0
		for range source.Read("f", strings.NewReader(gz(in)), source.Options{}) {
			if n++; n == stop {
				break
			}
		}
		if n != stop {
			t.Errorf("left after %d steps, want %d", n, stop)
		}
	}
}

func TestReadErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, err := range source.Read("f", iotest.ErrReader(boom), source.Options{}) {
		if !errors.Is(err, source.ErrRead) || !errors.Is(err, boom) {
			t.Errorf("err = %v", err)
		}
	}
	for _, err := range source.Read("f\x1b[31m", io.MultiReader(strings.NewReader("Subject: x\r\nFrom: y\r\n"), iotest.ErrReader(boom)), source.Options{}) {
		if !errors.Is(err, source.ErrRead) || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("err = %q", err)
		}
	}
}
