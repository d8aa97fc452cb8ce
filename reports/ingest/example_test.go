package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
	"github.com/mailcheck-go/mailcheck/reports/ingest"
)

// The reports of a directory are taken in, once.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "reports")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"a.xml": aggregateXML("1", "example.org", 12), "b.txt": "hello"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}
	store := memory.New()
	for range 2 {
		res, err := ingest.Run(context.Background(), ingest.Paths(dir), ingest.Options{Store: store, Ours: []string{"example.org"}})
		if err != nil {
			panic(err)
		}
		fmt.Println(res.New, "new,", res.Duplicate, "known,", res.Messages, "messages")
		for _, x := range res.Rejected {
			fmt.Println(filepath.Base(x.Source)+":", x.Reason)
		}
	}
	// Output:
	// 1 new, 0 known, 12 messages
	// b.txt: no report: text that is no report: "hello"
	// 0 new, 1 known, 0 messages
	// b.txt: no report: text that is no report: "hello"
}
