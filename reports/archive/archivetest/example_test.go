package archivetest_test

import (
	"context"
	"fmt"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/archivetest"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
)

// A test of an engine's own takes reports from the corpus and answers from the
// model.
func ExampleModel() {
	ctx := context.Background()
	store, model := memory.New(), &archivetest.Model{}
	batch, err := store.Begin(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range archivetest.Corpus(1, 5) {
		model.Add(d)
		if _, err := d.Add(ctx, batch); err != nil {
			fmt.Println(err)
		}
	}
	if err := batch.Commit(); err != nil {
		fmt.Println(err)
	}
	got, err := store.Totals(ctx, archive.Filter{}, archive.ByDomain)
	fmt.Println(fmt.Sprint(got) == fmt.Sprint(model.Totals(archive.Filter{}, archive.ByDomain)), err)
	// Output: true <nil>
}
