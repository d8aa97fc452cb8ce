package source_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/reports/source"
)

// FuzzRead opens anything. Every input leaves a trace, errors are of the
// package's type, and documents have what their kind promises.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		report, tlsReport, gz(report), gz(gz(report)), zl(report), zipped("a.xml", report), zipped("a.xml", report)[:80],
		tarred("a.xml", report), b64(gz(report)), multi("multipart/mixed", hello, attachment("application/gzip", "a.gz", gz(report))),
		multi("multipart/report; report-type=feedback-report", hello, "Content-Type: message/feedback-report\r\n\r\n"+feedback),
		"From a@b Tue Nov 14 22:13:20 2023\n" + single("Content-Type: message/rfc822", single("X: y", report)),
		"Content-Type: x; a*0*=utf-8'en'%41; a*1=\"\\\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=3D=\r\n=Z",
	} {
		f.Add([]byte(seed))
	}
	opt := source.Options{Bytes: 1 << 20, Mail: 1 << 20, Members: 50}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		for doc, err := range source.Read("f", bytes.NewReader(data), opt) {
			n++
			var e *source.Error
			switch {
			case err != nil && !errors.As(err, &e):
				t.Fatalf("error of type %T", err)
			case err != nil:
				_ = e.Error()
			case doc.Kind == source.Failure:
				_, _ = failure.Parse(failure.Parts(*doc.Failure))
			default:
				_, _ = io.Copy(io.Discard, doc.Body)
			}
		}
		if n == 0 {
			t.Fatal("an input without a trace")
		}
	})
}
