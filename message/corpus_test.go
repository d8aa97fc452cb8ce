package message_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/internal/corpus"
)

var update = flag.Bool("update", false, "write testdata/corpus.tsv anew")

// TestCorpus draws the tree of every mail of the corpus: number of fields, types of
// the parts, and codes of problems.
func TestCorpus(t *testing.T) {
	corpus.Compare(t, "../../shared/corpus", []string{"messages", "bounces", "dkim"}, "testdata/corpus.tsv", *update, func(m *message.Message) string {
		out := fmt.Sprintf("%d", len(m.Header.Fields))
		for _, p := range append(m.Header.Problems, m.Problems...) {
			out += " !" + string(p.Code)
		}
		n := 0
		for p := range m.Root.Walk(true) {
			if n++; n > 12 {
				continue
			}
			out += " " + p.Path + ":" + p.Type
			for _, x := range p.Problems {
				out += " !" + string(x.Code)
			}
		}
		if n > 12 {
			out += fmt.Sprintf(" and %d more", n-12)
		}
		return strings.ToValidUTF8(out, "?")
	})
}
