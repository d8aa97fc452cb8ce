package source_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/reports/source"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

var update = flag.Bool("update", false, "write the table of what the corpus yields")

const table = "testdata/corpus.tsv"

// TestCorpus reads every file of the corpus and compares what it yields with the
// table: the kind, rows (policies of a TLS report), messages (sessions), whether
// anything is lost, and the codes of all diagnostics; or why it is no report.
func TestCorpus(t *testing.T) {
	lines := []string{"path\tkind\trows\tmessages\tcomplete\tdiagnostics, or why not"}
	for _, dir := range []string{"dmarc", "dmarc-failure", "tlsrpt"} {
		root := "../../../shared/corpus/" + dir
		if _, err := os.Stat(root); err != nil {
			t.Skip("no corpus at ../shared/corpus/" + dir)
		}
		for doc, err := range source.Tree(os.DirFS(root), ".", source.Options{}) {
			var e *source.Error
			switch {
			case errors.As(err, &e) && e.Path == "INDEX.tsv":
			case errors.As(err, &e):
				why, _ := strings.CutPrefix(e.Error(), fmt.Sprintf("%q: ", e.Path))
				lines = append(lines, dir+"/"+e.Path+"\t-\t0\t0\t-\t"+why)
			default:
				lines = append(lines, dir+"/"+doc.Path+"\t"+yield(doc))
			}
		}
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(table, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.Split(string(want), "\n")
	for i, l := range strings.Split(got, "\n") {
		if i >= len(wanted) || l != wanted[i] {
			t.Fatalf("line %d is\n%s\nnot as in %s; -update writes it", i+1, l, table)
		}
	}
	if len(lines)+1 != len(wanted) {
		t.Errorf("%d lines, %s has %d", len(lines), table, len(wanted)-1)
	}
}

// yield is the line of one document without its path.
func yield(doc *source.Document) string {
	line := func(rows int, messages int64, complete bool, codes []string) string {
		slices.Sort(codes)
		return fmt.Sprintf("%s\t%d\t%d\t%v\t%s", doc.Kind, rows, messages, complete, strings.Join(slices.Compact(codes), " "))
	}
	var codes []string
	switch doc.Kind {
	case source.Aggregate:
		rep, err := aggregate.Read(doc.Body, aggregate.Options{}, nil)
		if err != nil {
			return "-\t0\t0\t-\t" + err.Error()
		}
		for _, d := range rep.Diagnostics {
			codes = append(codes, d.Code)
		}
		return line(int(rep.Records), rep.Messages, rep.Complete, codes)
	case source.TLS:
		rep, err := tlsrpt.Read(doc.Body, tlsrpt.Options{})
		if err != nil {
			return "-\t0\t0\t-\t" + err.Error()
		}
		for _, d := range rep.Diagnostics {
			codes = append(codes, d.Code)
		}
		ok, failed := rep.Sessions()
		return line(len(rep.Policies), ok+failed, rep.Complete, codes)
	}
	rep, err := failure.Parse(failure.Parts(*doc.Failure))
	if err != nil {
		return "-\t0\t0\t-\t" + err.Error()
	}
	lost := false
	for _, d := range rep.Diagnostics {
		codes = append(codes, d.Code)
		lost = lost || d.Severity == failure.Loss
	}
	return line(1, rep.Incidents, !lost, codes)
}

// The diagnostics of the three formats convert into each other.
var (
	_ = aggregate.Diagnostic(failure.Diagnostic{})
	_ = aggregate.Diagnostic(tlsrpt.Diagnostic{})
)
