package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

func (o *spfTreeOptions) text(s Streams, a spf.Analysis) error {
	p := newSheet(s)
	domain := a.Domain.String()
	switch {
	case a.State == resolve.Unavailable:
		p.para("%s: unknown: %s", domain, spfProblem(a.Err))
		writeNext(p, lookupHint(a.Err))
		return p.flush(s.Out)
	case a.State == resolve.Absent:
		p.para("%s has no SPF record.", domain)
		writeNext(p, "mailcheck spf new --domain "+domain)
		return p.flush(s.Out)
	case a.Root == nil:
		p.para("%s has %d SPF records: receivers take none of them, and the result is permerror (RFC 7208, Section 4.5).", domain, len(a.Records))
		for _, r := range a.Records[:min(len(a.Records), maxLinted)] {
			p.whole("  ", r)
		}
		return p.flush(s.Out)
	}
	p.para("%s: at worst %d of %d lookups, %d of %d without an answer", domain, a.Lookups, spf.MaxLookups, a.Voids, spf.MaxVoids)
	p.whole("", zoneLine(domain, a.Root.Text))
	p.WriteString("\n own  sum  term\n")
	o.node(p, a, a.Root, 0)
	p.WriteByte('\n')
	p.field("Authorized", "%s", networkWords(append(append([]netip.Prefix{}, a.IPv4...), a.IPv6...)))
	if a.IPv4Share >= 0.0001 {
		p.field("", "%.2f%% of all IPv4 addresses", 100*a.IPv4Share)
	}
	if a.Widest != nil {
		p.field("Widest", "%s in the record of %s", a.Widest.Text, a.Widest.Domain)
	}
	p.field("All others", "%s", others(a))
	p.field("Answer", "%d octets with all TXT records of the domain%s", a.AnswerSize, sizeNote(a.AnswerSize))
	if b := a.Break; b != nil {
		who := "for senders that no earlier term matches"
		if b.Every {
			who = "for every sender"
		}
		p.field("Breaks", "at %s in the record of %s, %s: one lookup too many", b.Text, b.Domain, who)
	}
	writeSPFProblems(p, "Evaluation ends without a verdict", viewSPFProblems(a.Problems, resolve.Name{}))
	writeSPFProblems(p, "Unknown, as a lookup failed", viewSPFProblems(a.Unknown, resolve.Name{}))
	if a.Truncated {
		p.para("The tree is larger than what is looked at; what is missing is unknown.")
	}
	return p.flush(s.Out)
}

// zoneLine is a record as it stands in a zone file, whole.
func zoneLine(domain, text string) string {
	return fmt.Sprintf("%s. IN TXT %s", domain, resolve.SplitTXT(text))
}

// shortReason is why a name of the tree leads nowhere; the name stands beside it.
func shortReason(err error) string {
	if e, ok := errors.AsType[*resolve.Error](err); ok && !errors.Is(err, spf.ErrNoRecord) {
		return resolve.ReasonOf(e).Error()
	}
	return spfProblem(err)
}

func others(a spf.Analysis) string {
	if a.All == 0 {
		return "neutral, as there is no all"
	}
	return string(a.All.Status())
}

// sizeNote tells when an answer does not fit into what receivers ask for.
func sizeNote(n int) string {
	switch {
	case n > 1232:
		return ": more than the 1232 that go over UDP, so receivers need TCP"
	case n > 512:
		return ": more than 512, so receivers need EDNS"
	}
	return ""
}

// node writes the terms of a record. Networks in a row are one line.
func (o *spfTreeOptions) node(p *sheet, a spf.Analysis, n *spf.Node, depth int) {
	indent := strings.Repeat("  ", depth)
	if depth > 0 {
		p.hang("", "", 10+2*depth, n.Domain.String()+":")
	}
	for i := 0; i < len(n.Terms); i++ {
		t, info := n.Record.Terms[i], &n.Terms[i]
		if !o.all && !info.Ignored && (t.Kind == spf.IP4 || t.Kind == spf.IP6) {
			var nets []netip.Prefix
			first := i
			for ; i < len(n.Terms) && (n.Record.Terms[i].Kind == spf.IP4 || n.Record.Terms[i].Kind == spf.IP6) && n.Record.Terms[i].Qualifier == t.Qualifier; i++ {
				nets = append(nets, n.Record.Terms[i].Prefix)
			}
			i--
			if len(nets) > 2 {
				q := ""
				if t.Qualifier != '+' {
					q = " (" + string(t.Qualifier.Status()) + ")"
				}
				p.hang("", "", 12+len(indent), fmt.Sprintf("%d networks%s: %s", len(nets), q, networkWords(nets)))
				continue
			}
			i = first
		}
		o.term(p, a, t, info, indent)
		if info.Child != nil && len(info.Child.Terms) > 0 {
			o.node(p, a, info.Child, depth+1)
		}
	}
}

func (o *spfTreeOptions) term(p *sheet, a spf.Analysis, t spf.Term, info *spf.TermInfo, indent string) {
	counts := ""
	if info.Cost > 0 {
		counts = fmt.Sprintf("%4d %4d", info.Lookups, info.Running)
	}
	words := t.Text
	if name := includeOwner(t.Kind, info.Target); name != "" {
		words += " (" + name + ")"
	}
	var notes []string
	switch {
	case info.Ignored:
		notes = append(notes, "ignored")
	case info.Unevaluated:
		notes = append(notes, "depends on the sender")
	case info.Skipped:
		notes = append(notes, "not looked at, as the tree is too large")
	case info.Err != nil && t.Kind != spf.Exists:
		notes = append(notes, shortReason(info.Err))
	case t.Kind == spf.All || t.IsModifier() && t.Kind != spf.Redirect:
	default:
		if nets := authorized(t, info); len(nets) > 0 {
			notes = append(notes, networkWords(nets))
		}
	}
	if info.Voids > 0 {
		notes = append(notes, plural(info.Voids, "void lookup", "void lookups"))
	}
	if info.Cost > 0 && info.Running > spf.MaxLookups {
		notes = append(notes, "OVER THE LIMIT")
	}
	if len(notes) > 0 {
		words += ": " + strings.Join(notes, ", ")
	}
	p.hang("", counts, 12+len(indent), words)
}
