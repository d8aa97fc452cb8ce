package source_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing/fstest"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/reports/source"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// One loop reads every kind of report out of whatever it came in.
func ExampleRead() {
	mail := multi("multipart/mixed", hello,
		attachment("application/zip", "report.zip", gz(report)), // labelled zip, and gzip
		attachment("application/gzip", "notes.gz", gz("unused")))
	for doc, err := range source.Read("inbox/1.eml", strings.NewReader(mail), source.Options{}) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		switch doc.Kind {
		case source.Aggregate:
			rep, err := aggregate.Read(doc.Body, aggregate.Options{}, func(*aggregate.Record) error { return nil })
			if err == nil {
				fmt.Println(doc.Path, rep.Metadata.Reporter(), rep.Policy.Domain, doc.Mail.MessageID)
			}
		case source.TLS:
			_, _ = tlsrpt.Read(doc.Body, tlsrpt.Options{})
		case source.Failure:
			_, _ = failure.Parse(failure.Parts(*doc.Failure))
		}
	}
	// Output:
	// inbox/1.eml/report.zip rcv.example example.org <1@rcv.example>
	// "inbox/1.eml/notes.gz": no report: text that is no report: "unused"
}

func ExampleTree() {
	// os.DirFS("/var/mail") in a program.
	mail := multi(`multipart/report; report-type="tlsrpt"`, hello, attachment("application/tlsrpt+gzip", "report.json.gz", gz(tlsReport)))
	fsys := fstest.MapFS{
		"dmarc/cur/1700000000.M1.host:2,S": {Data: []byte(mail)},
		"dmarc/new":                        {Mode: fs.ModeDir | 0o755},
		"dmarc/maildirsize":                {Data: []byte("1000000S\n")},
	}
	for doc, err := range source.Tree(fsys, "dmarc", source.Options{}) {
		if errors.Is(err, source.ErrSkipped) {
			continue // nothing a report could be in
		}
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(doc.Kind, doc.Path)
	}
	// Output:
	// tls dmarc/cur/1700000000.M1.host:2,S/report.json.gz
}
