package authres

import (
	"flag"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/internal/corpus"
)

var update = flag.Bool("update", false, "write testdata/corpus.tsv anew")

// TestCorpus reads every field of the corpus: why it is believed or not, and the
// methods with their results.
func TestCorpus(t *testing.T) {
	corpus.Compare(t, corpus.Root, []string{"messages", "bounces", "dkim"}, "testdata/corpus.tsv", *update, func(m *message.Message) string {
		var out []string
		r := Read(&m.Header, Options{})
		for _, f := range r.Fields {
			s := string(f.Why)
			for _, x := range f.Results.Results {
				s += " " + x.Method + "=" + x.Value
			}
			if f.Results.None {
				s += " none"
			}
			out = append(out, s)
		}
		for _, s := range r.ARC {
			x := "arc"
			for _, y := range s.Results.Results {
				x += " " + y.Method + "=" + y.Value
			}
			out = append(out, strings.Join(append([]string{x}, s.Problems...), " "))
		}
		return strings.Join(out, " | ")
	})
}
