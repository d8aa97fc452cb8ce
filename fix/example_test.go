package fix_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Two edits of one SPF record make one change, which holds the sibling record
// as it is.
func ExampleMerge() {
	name := resolve.MustName("example.org")
	current := func(n resolve.Name, t resolve.Type) ([]resolve.Record, error) {
		return []resolve.Record{
			{Name: n, Type: t, TTL: 3600, Data: resolve.TXT{Strings: []string{"v=spf1 mx include:old.example.net ?all"}}},
			{Name: n, Type: t, TTL: 3600, Data: resolve.TXT{Strings: []string{"example-site-verification=0123456789"}}},
		}, nil
	}
	record := "v=spf1 mx include:old.example.net ?all"
	changes, err := fix.Merge([]fix.Edit{
		{Name: name, Type: resolve.TypeTXT, Op: fix.SPFRemoveTerm, Record: record, Term: "include:old.example.net", Why: "the name does not exist"},
		{Name: name, Type: resolve.TypeTXT, Op: fix.SPFSetAll, Record: record, Value: "~all", Why: "?all says nothing"},
	}, current)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range changes {
		fmt.Println(c.Verb, c.Name, c.Type)
		for _, line := range c.Zone() {
			fmt.Println(line)
		}
	}
	// Output:
	// update example.org TXT
	// example.org. 3600 IN TXT "v=spf1 mx ~all"
	// example.org. 3600 IN TXT "example-site-verification=0123456789"
}
