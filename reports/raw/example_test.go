package raw_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/raw"
)

// A report is kept and read back.
func Example() {
	tmp, err := os.MkdirTemp("", "raw")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(tmp)
	dir, err := raw.Open(tmp)
	if err != nil {
		panic(err)
	}
	doc, err := dir.Spool(archive.Aggregate, strings.NewReader("<feedback/>"))
	if err != nil {
		panic(err)
	}
	defer doc.Close()
	w := dir.Begin(time.Now())
	if err := w.Add(doc, false); err != nil {
		panic(err)
	}
	name, err := w.Commit()
	if err != nil {
		panic(err)
	}
	p, err := dir.Pack(name)
	if err != nil {
		panic(err)
	}
	defer p.Close()
	for m := range p.Members() {
		r, err := p.Open(m.Sum)
		if err != nil {
			panic(err)
		}
		text, _ := io.ReadAll(r)
		fmt.Printf("%.8s %s %s\n", m.Sum, m.Kind, text)
	}
	// Output: 1014da24 aggregate <feedback/>
}
