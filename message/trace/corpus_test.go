package trace

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/internal/corpus"
)

var update = flag.Bool("update", false, "write testdata/corpus.tsv anew")

// TestCorpus reads every chain of the corpus: the border and why it is one, and of
// each hop the system, what is known of the peer, and what could not be read.
func TestCorpus(t *testing.T) {
	corpus.Compare(t, corpus.Root, []string{"messages", "bounces", "dkim"}, "testdata/corpus.tsv", *update, func(m *message.Message) string {
		p := Read(&m.Header, Options{})
		if len(p.Hops) == 0 {
			return ""
		}
		out := []string{fmt.Sprintf("%d %s %s", p.Border, p.BorderWhy, p.MailFrom.Source)}
		for _, h := range p.Hops {
			peer := "no-peer"
			switch {
			case h.Claimed:
				peer = "claimed"
			case h.Peer.Is4():
				peer = "ipv4"
			case h.Peer.Is6():
				peer = "ipv6"
			}
			s := h.Software + " " + peer
			if h.PeerName != "" {
				s += " named"
			}
			if h.TLS.Used {
				s += " tls" + h.TLS.Version
			}
			out = append(out, strings.TrimSpace(s+" "+string(h.Timing)+" "+strings.Join(h.Problems, " ")))
		}
		return strings.Join(out, " | ")
	})
}
