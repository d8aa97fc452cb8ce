package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/sqlite"
)

const report = `<feedback><report_metadata><org_name>Receiver</org_name><email>dmarc@rcv.example</email><report_id>1</report_id>
<date_range><begin>1793491200</begin><end>1793577599</end></date_range></report_metadata>
<policy_published><domain>example.org</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>5</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim>
<spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.org</header_from></identifiers></record></feedback>`

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "archive")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "reports.db"), sqlite.Options{})
	if err != nil {
		fmt.Println(err) // such as archive.ErrCorrupt: rebuild it
		return
	}
	defer store.Close()
	batch, err := store.Begin(ctx)
	if err != nil {
		fmt.Println(err) // such as archive.ErrLocked: another import is running
		return
	}
	defer batch.Rollback()
	added, err := batch.Aggregate(ctx, archive.Origin{}, func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
		return aggregate.Read(strings.NewReader(report), aggregate.Options{}, each)
	})
	fmt.Println(added.Outcome, added.Rows, err)
	if err := batch.Commit(); err != nil {
		fmt.Println(err)
	}
	totals, err := store.Totals(ctx, archive.Filter{Domains: []string{"example.org"}}, archive.BySource)
	for _, t := range totals {
		fmt.Println(t.Key, t.Messages, t.Passed(), err)
	}
	// Output:
	// new 1 <nil>
	// 192.0.2.1 5 5 <nil>
}
