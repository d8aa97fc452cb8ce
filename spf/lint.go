package spf

import (
	"net/netip"
	"strings"
)

// Observation is something about a record that is legal and probably not meant,
// or known to do harm. It is a fact; how bad it is, the caller decides.
type Observation struct {
	Kind       ObservationKind
	Term       int    // index of the term; -1 for the record as a whole
	Other      int    // index of an earlier term that it is about; -1 if none
	Text       string // of the term
	Suggestion string // what was probably meant; empty if not clear
}

// ObservationKind names an observation.
type ObservationKind string

// The observations.
const (
	AfterAll        ObservationKind = "after-all"        // a mechanism after all: ignored (Section 5.1)
	SecondAll       ObservationKind = "second-all"       // another all: ignored
	RedirectIgnored ObservationKind = "redirect-ignored" // redirect beside all (Section 6.1)
	NoEnd           ObservationKind = "no-end"           // neither all nor redirect: ends neutral (Section 4.7)
	PassAll         ObservationKind = "pass-all"         // everybody passes
	NeutralAll      ObservationKind = "neutral-all"      // says nothing about anybody else
	UnknownModifier ObservationKind = "unknown-modifier" // ignored by everybody (Section 6)
	LikelyMistake   ObservationKind = "likely-mistake"   // a modifier that was meant as something else
	Duplicate       ObservationKind = "duplicate"        // matches what term Other matches
	Covered         ObservationKind = "covered"          // a network inside that of term Other, with the same qualifier
	UsesPTR         ObservationKind = "uses-ptr"         // ptr or the macro p (Section 5.5)
	SenderMacro     ObservationKind = "sender-macro"     // depends on the sender or HELO: defeats caches (Section 7.3)
	HostBits        ObservationKind = "host-bits"        // bits set beyond the prefix length
	SpecialRange    ObservationKind = "special-range"    // private, reserved or loopback addresses
	WideRange       ObservationKind = "wide-range"       // IPv4 of /16 or wider, IPv6 of /32 or wider
	Widened         ObservationKind = "widened"          // a or mx with a prefix length: its neighbours too
	NotPassInclude  ObservationKind = "not-pass-include" // include with a qualifier other than pass
	TrailingDot     ObservationKind = "trailing-dot"     // SHOULD NOT be published (Section 7.3)
	OddTarget       ObservationKind = "odd-target"       // a target that fits the grammar and is no name to look up
)

const (
	wide4 = 16 // prefix lengths up to which a network is observed as wide
	wide6 = 32

	// maxCompared bounds the networks that are compared with each other.
	maxCompared = 1000
)

// special are the networks that no mail comes from over the Internet (RFC 6890
// and its registries).
var special = func() (out []netip.Prefix) {
	for _, s := range []string{"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"::/128", "::1/128", "::ffff:0:0/96", "100::/64", "2001:db8::/32", "3fff::/20", "fc00::/7", "fe80::/10", "ff00::/8"} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

// Lint lists what can be seen in a record without DNS, in the order of the terms.
func (r Record) Lint() []Observation {
	l := linter{r: r, all: r.AllIndex(), first: make(map[matcher]int)}
	for i := range r.Terms {
		l.term(i)
	}
	if l.all < 0 && r.RedirectIndex() < 0 {
		l.see(NoEnd, -1, -1, "")
	}
	return l.out
}

type linter struct {
	r     Record
	all   int
	first map[matcher]int
	nets  []int // terms with networks
	out   []Observation
}

func (l *linter) see(k ObservationKind, i, other int, suggestion string) {
	o := Observation{Kind: k, Term: i, Other: other, Suggestion: suggestion}
	if i >= 0 {
		o.Text = l.r.Terms[i].Text
	}
	l.out = append(l.out, o)
}

func (l *linter) term(i int) {
	t := l.r.Terms[i]
	late := l.all >= 0 && i > l.all
	switch t.Kind {
	case Invalid:
		return
	case Unknown:
		l.modifier(i, t)
		return
	case Redirect:
		if l.all >= 0 {
			l.see(RedirectIgnored, i, l.all, "")
		}
	case All:
		switch {
		case late:
			l.see(SecondAll, i, l.all, "")
			return
		case t.Qualifier == '+':
			l.see(PassAll, i, -1, "~all")
		case t.Qualifier == '?':
			l.see(NeutralAll, i, -1, "~all")
		}
	}
	if late && !t.IsModifier() {
		l.see(AfterAll, i, l.all, "")
	}
	if k, comparable := t.matcher(); comparable {
		if other, found := l.first[k]; found {
			l.see(Duplicate, i, other, "")
		} else {
			l.first[k] = i
		}
	}
	switch t.Kind {
	case IP4, IP6:
		l.network(i, t)
	case A, MX:
		if t.Bits4 != 32 || t.Bits6 != 128 {
			l.see(Widened, i, -1, "")
		}
		if t.Bits4 <= wide4 || t.Bits6 <= wide6 {
			l.see(WideRange, i, -1, "")
		}
	case Include:
		if t.Qualifier != '+' {
			l.see(NotPassInclude, i, -1, "")
		}
	case PTR:
		l.see(UsesPTR, i, -1, "")
	}
	l.domain(i, t)
}

// modifier looks at a modifier that nobody knows: often it was to be a mechanism.
func (l *linter) modifier(i int, t Term) {
	name := lower(t.Name)
	// RFC 6652, Section 3 defines these.
	if name == "ra" || name == "rp" || name == "rr" {
		return
	}
	s, drop := suggestModifier(t)
	if s != "" || drop {
		l.see(LikelyMistake, i, -1, s)
		return
	}
	l.see(UnknownModifier, i, -1, "")
}

// suggestModifier guesses what a modifier was meant to be; drop says that it
// belongs elsewhere or says nothing.
func suggestModifier(t Term) (s string, drop bool) {
	if strings.EqualFold(t.Text, version) {
		return "", true // two records pasted together
	}
	if all, rest := splitAll(t.Name); rest != "" {
		return all, false
	}
	for _, guess := range []func(q, body string) string{wrongName, glued, misspelled} {
		if s := guess("", t.Text); s != "" {
			return s, false
		}
	}
	low := lower(t.Name)
	return "", strings.Contains(low, "verification") || low == "ms" || strings.Contains(low, "verify")
}

// network looks at ip4 and ip6.
func (l *linter) network(i int, t Term) {
	net := t.Prefix.Masked()
	if net.Addr() != t.Prefix.Addr() {
		l.see(HostBits, i, -1, t.Qualifier.shown(t.Explicit)+string(t.Kind)+":"+net.String())
	}
	for _, s := range special {
		if net.Bits() >= s.Bits() && s.Overlaps(net) {
			l.see(SpecialRange, i, -1, "")
			break
		}
	}
	if t.Kind == IP4 && net.Bits() <= wide4 || t.Kind == IP6 && net.Bits() <= wide6 {
		l.see(WideRange, i, -1, "")
	}
	if len(l.nets) == maxCompared {
		return
	}
	for _, other := range l.nets {
		o := l.r.Terms[other]
		n := o.Prefix.Masked()
		if o.Qualifier != t.Qualifier || n.Bits() == net.Bits() || !n.Overlaps(net) {
			continue
		}
		if n.Bits() < net.Bits() {
			l.see(Covered, i, other, "")
		} else {
			l.see(Covered, other, i, "")
		}
		break
	}
	l.nets = append(l.nets, i)
}

func (q Qualifier) shown(explicit bool) string {
	if !explicit {
		return ""
	}
	return q.String()
}

// domain looks at a domain-spec.
func (l *linter) domain(i int, t Term) {
	if t.Domain == "" {
		return
	}
	if strings.HasSuffix(t.Domain, ".") {
		l.see(TrailingDot, i, -1, strings.TrimSuffix(t.Text, "."))
	}
	if !t.Macro {
		if s, odd := oddTarget(t); odd {
			l.see(OddTarget, i, -1, s)
		}
		return
	}
	ptr, sender := t.macros()
	if ptr && t.Kind != PTR {
		l.see(UsesPTR, i, -1, "")
	}
	if sender {
		l.see(SenderMacro, i, -1, "")
	}
}

// macros reports whether a term has the macro p, and one that depends on the
// sender or HELO.
func (t Term) macros() (ptr, sender bool) {
	for rest := t.Domain; t.Macro; {
		_, after, found := strings.Cut(rest, "%")
		if !found || len(after) < 2 {
			break
		}
		if after[0] == '{' {
			switch after[1] | 0x20 {
			case 'p':
				ptr = true
			case 's', 'l', 'o', 'h':
				sender = true
			}
		}
		rest = after[1:]
	}
	return ptr, sender
}

// oddTarget reports a target that cannot be looked up or that looks like
// something else: a mail address, a URL, a reverse name.
func oddTarget(t Term) (suggestion string, odd bool) {
	q, body := cutQualifier(t.Text)
	if s := wrongArgument(q, body); s != "" {
		return s, true
	}
	if n := len(t.Text) - len("-all"); strings.HasSuffix(lower(t.Domain), "-all") && directive(t.Text[:n]) {
		return t.Text[:n] + " " + t.Text[n:], true
	}
	d, err := targetName(t.Domain)
	if err != nil || strings.ContainsAny(t.Domain, "@:/=,;\"'\\()<>[]|*") {
		return "", true
	}
	if t.Kind != Include && t.Kind != Redirect {
		return "", false
	}
	// A name that begins with an address is a host, and hosts rarely have records
	// to include.
	parts := strings.SplitN(d.name.String(), ".", 5)
	if len(parts) < 5 {
		return "", false
	}
	if a, err := netip.ParseAddr(strings.Join(parts[:4], ".")); err != nil || !a.Is4() {
		return "", false
	}
	return strings.Replace(t.Text, string(t.Kind)+":", "a:", 1), true
}
