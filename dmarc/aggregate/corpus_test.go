package aggregate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

// TestCorpus reads every plain XML file of the corpus and counts its rows in
// another way. The table of what each file yields is with the tests of
// reports/source, which reads containers too.
func TestCorpus(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/corpus/dmarc/*/*.xml")
	if len(files) == 0 {
		t.Skip("no corpus at ../shared/corpus/dmarc")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rep, recs, err := aggregate.ReadAll(bytes.NewReader(data), aggregate.Options{})
		if len(data) == 0 {
			if err == nil {
				t.Errorf("%s: empty, and a report", file)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if want := bytes.Count(data, []byte("<row>")); len(recs) != want {
			t.Errorf("%s: %d records, want %d", file, len(recs), want)
		}
		if rep.Metadata.Reporter() == "" || rep.Metadata.ReportID == "" || rep.Policy.Domain == "" {
			t.Errorf("%s: no reporter, id or domain: %+v", file, rep)
		}
		// Rows that an anonymiser cut out of files are not silently missing.
		if orphans := bytes.Count(data, []byte("</record>")) - bytes.Count(data, []byte("<record>")); orphans > 0 && rep.Complete {
			t.Errorf("%s: a record without its start, and complete", file)
		}
	}
}
