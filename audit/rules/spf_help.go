package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// spfRecord is the one SPF record of the domain and all it leads to. Without it
// the rules on records do not apply, which it notes.
func spfRecord(c *audit.Case) *spf.Node {
	if gone(c) {
		return nil
	}
	a := c.Facts.SPF
	switch {
	case a.Root != nil:
		return a.Root
	case len(a.Records) > 1:
		c.NotApplicable("there are %d SPF records, of which none counts", len(a.Records))
	default:
		c.NotApplicable("there is no SPF record")
	}
	return nil
}

// spfKinds says which failed lookups leave a rule undecided.
type spfKinds func(c *audit.Case, q resolve.Question) bool

// recordLookup: what the records say matters.
func recordLookup(_ *audit.Case, q resolve.Question) bool { return q.Type == resolve.TypeTXT }

// mxLookup: whether a record can be read, and whether there is an MX.
func mxLookup(_ *audit.Case, q resolve.Question) bool {
	return q.Type == resolve.TypeTXT || q.Type == resolve.TypeMX
}

// voidLookup: whether there is an answer matters. An address of one family makes
// up for the other: a client asks for its own family only, and a name that has
// either counts as answered.
func voidLookup(c *audit.Case, q resolve.Question) bool {
	other := q
	switch q.Type {
	case resolve.TypeA:
		other.Type = resolve.TypeAAAA
	case resolve.TypeAAAA:
		other.Type = resolve.TypeA
	default:
		return true
	}
	o, seen := c.Facts.Seen(other)
	return !seen || o.Err != nil
}

// spfOpen notes what could not be found out below the record.
func spfOpen(c *audit.Case, matters spfKinds) {
	for i := range c.Facts.SPF.Unknown {
		p := &c.Facts.SPF.Unknown[i]
		var e *resolve.Error
		if !errors.As(p.Err, &e) || matters(c, e.Question) {
			c.Unknown("%v", p)
		}
	}
	if c.Facts.SPF.Truncated {
		c.Unknown("the record leads to more names than are looked up")
	}
}

// spfWay is how evaluation gets to a record.
type spfWay struct {
	Via  []resolve.Name // owners of the records on the way, the domain first
	Root spf.Term       // the term of the domain's record that leads there
	Pass bool           // a pass there is a pass for the domain
}

// String is "example.org > spf.example.net".
func (w spfWay) String() string {
	var out []string
	for _, n := range w.Via {
		out = append(out, n.String())
	}
	return strings.Join(out, " > ")
}

// spfWalk calls visit for each record in the tree, in the order of evaluation.
func spfWalk(n *spf.Node, visit func(*spf.Node, spfWay)) {
	spfEnter(n, spfWay{Via: []resolve.Name{n.Domain}, Pass: true}, visit)
}

func spfEnter(n *spf.Node, w spfWay, visit func(*spf.Node, spfWay)) {
	visit(n, w)
	for i := range n.Terms {
		info := &n.Terms[i]
		if info.Child == nil || info.Ignored {
			continue
		}
		t := n.Record.Terms[i]
		next := spfWay{Via: append(w.Via[:len(w.Via):len(w.Via)], info.Child.Domain), Root: w.Root, Pass: w.Pass}
		if len(w.Via) == 1 {
			next.Root = t
		}
		if t.Kind == spf.Include && t.Qualifier != '+' {
			next.Pass = false
		}
		spfEnter(info.Child, next, visit)
	}
}

// spfReach says in words how evaluation gets to the record of a name; empty for
// the domain's own.
func spfReach(root *spf.Node, name resolve.Name) string {
	out := ""
	spfWalk(root, func(n *spf.Node, w spfWay) {
		if out == "" && n.Domain == name && len(w.Via) > 1 {
			out = fmt.Sprintf(", reached through %s", spfText(w.Root.Text))
		}
	})
	if name == root.Domain {
		return ""
	}
	return out
}

// spfText is foreign text made fit for a message: printable ASCII, at most 120 octets.
func spfText(s string) string {
	const limit = 120
	cut := ""
	if len(s) > limit {
		s, cut = s[:limit], "..."
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return strings.Trim(strconv.QuoteToASCII(s), `"`) + cut
		}
	}
	return s + cut
}

// spfNumber makes subjects of terms that are written alike distinct.
type spfNumber map[string]int

func (m spfNumber) term(text string) string {
	text = spfText(text)
	m[text]++
	if n := m[text]; n > 1 {
		return fmt.Sprintf("%s #%d", text, n)
	}
	return text
}

// spfEdit is an edit of the domain's record.
func spfEdit(s *facts.Snapshot, op fix.Op, term, value, why string) fix.Edit {
	return fix.Edit{Name: s.Domain, Type: resolve.TypeTXT, Op: op, Record: s.SPF.Root.Text, Term: term, Value: value, Why: why}
}

// spfOwn reports whether a finding is about the domain's own single record.
func spfOwn(s *facts.Snapshot, f audit.Finding) bool {
	return s.SPF.Root != nil && f.Subject.Name == s.Domain
}

// spfSeen lists the observations of the given kinds in the domain's record that
// can have an effect: those of terms before all.
func spfSeen(r spf.Record, kinds ...spf.ObservationKind) []spf.Observation {
	var out []spf.Observation
	all := r.AllIndex()
	for _, o := range r.Lint() {
		if all >= 0 && o.Term > all && !r.Terms[o.Term].IsModifier() {
			continue
		}
		for _, k := range kinds {
			if o.Kind == k {
				out = append(out, o)
			}
		}
	}
	return out
}

// counted is "1 lookup" or "2 lookups".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
