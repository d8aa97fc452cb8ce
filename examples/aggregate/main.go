// Command aggregate prints who sends in the name of a domain, from DMARC aggregate
// reports as they arrive: XML, gzip, zip, or the mail around them.
//
//	aggregate reports/*
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/netip"
	"os"
	"slices"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/source"
)

// sums are the mails of one address.
type sums struct{ mails, passed int64 }

// read adds the reports of one file. What is no report is an error, and so is one
// that was cut: its sums would be too small.
func read(path string, into map[netip.Addr]*sums) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for doc, err := range source.Read(path, f, source.Options{}) {
		if err != nil {
			return err
		}
		if doc.Kind != source.Aggregate {
			continue // a failure report or one about TLS
		}
		report, records, err := aggregate.ReadAll(doc.Body, aggregate.Options{})
		if err != nil {
			return fmt.Errorf("%q: %w", doc.Path, err) // the path holds names of strangers
		}
		if !report.Complete {
			return fmt.Errorf("%q: the report is not whole", doc.Path)
		}
		for _, rec := range records {
			s := into[rec.SourceIP]
			if s == nil {
				s = &sums{}
				into[rec.SourceIP] = s
			}
			s.mails += rec.Count
			// Aligned results: either is enough for DMARC (RFC 9989, Section 5.3).
			if rec.Evaluated.DKIM.Value == aggregate.Pass || rec.Evaluated.SPF.Value == aggregate.Pass {
				s.passed += rec.Count
			}
		}
	}
	return nil
}

func run(ctx context.Context, w io.Writer, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: aggregate FILE [FILE...]")
	}
	all := map[netip.Addr]*sums{}
	var failed []error
	for _, path := range args {
		if err := ctx.Err(); err != nil {
			return err
		}
		failed = append(failed, read(path, all)) // a bad file does not hide the good ones
	}
	out := bufio.NewWriter(w)
	for _, ip := range slices.SortedFunc(maps.Keys(all), func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(all[b].mails, all[a].mails), a.Compare(b))
	}) {
		fmt.Fprintf(out, "%8d mails  %3d%% pass  %s\n", all[ip].mails, 100*all[ip].passed/max(all[ip].mails, 1), ip)
	}
	return errors.Join(append(failed, out.Flush())...)
}

func main() {
	if err := run(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}
