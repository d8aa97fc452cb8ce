package iprev

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Form is the form of a greeting.
type Form string

// The forms. The zero value means that no greeting was given.
const (
	FullName Form = "name"    // a domain name
	Literal  Form = "literal" // an address in brackets
	Invalid  Form = "invalid" // neither
)

// HELO is the name that a server says after EHLO or HELO (RFC 5321, Section 4.1.4).
type HELO struct {
	Given string // as given: foreign text
	Form  Form
	// Problem tells why the form is invalid, or why a name of valid form is none
	// that others can use. Safe to show; empty if there is none.
	Problem string
	Name    resolve.Name // if Form is FullName
	Literal netip.Addr   // if Form is Literal

	// Resolves tells whether the name has an address of either family (RFC 5321,
	// Section 2.3.5). It is Present for a literal.
	Resolves resolve.State
	// Matches tells whether the name has the sending address, or the literal is it.
	Matches resolve.State
	// IsPTR tells whether the name is a PTR name that leads back to the address.
	IsPTR resolve.State
	// Alias is set if the name is a CNAME: it has to be the host's own name (RFC
	// 5321, Section 2.3.5).
	Alias bool

	Addrs   []netip.Addr     // of the name
	Answers []resolve.Answer // A and AAAA
	Why     string           // in words, safe to show
}

// ParseHELO reads a greeting and looks nothing up: Form, Problem, Name and Literal
// are set.
func ParseHELO(given string) HELO {
	h := HELO{Given: given}
	h.parse()
	return h
}

func (h *HELO) parse() {
	s := h.Given
	bad := func(why string) { h.Form, h.Problem = Invalid, why }
	switch {
	case s == "":
		return
	case len(s) > maxGiven:
		h.Given = s[:maxGiven]
		bad(fmt.Sprintf("it has %d octets, more than the %d of a name", len(s), maxGiven))
		return
	case s[0] == '[':
		h.literal(s, bad)
		return
	}
	if _, err := netip.ParseAddr(s); err == nil {
		// RFC 5321, Section 4.1.3: an address is given in brackets.
		bad("it is an address without brackets")
		return
	}
	if i := strings.IndexFunc(s, func(c rune) bool { return c > '~' }); i >= 0 {
		// RFC 5321, Section 2.3.5: U-labels are not for use outside SMTPUTF8.
		bad("it has characters outside ASCII: the A-label form is needed")
		return
	}
	// A final dot is not in the grammar of RFC 5321, Section 4.1.2, but it is read.
	if problem := hostProblem(strings.TrimSuffix(s, ".")); problem != "" {
		bad(problem)
		return
	}
	name, err := resolve.ParseName(s)
	if err != nil {
		bad("it is no domain name")
		return
	}
	h.Form, h.Name = FullName, name
	if strings.HasSuffix(s, ".") {
		h.Problem = "it ends in a dot, which the grammar does not have"
	}
}

// literal reads the forms of RFC 5321, Section 4.1.3.
func (h *HELO) literal(s string, bad func(string)) {
	inner, closed := strings.CutSuffix(s[1:], "]")
	if !closed {
		bad("an address literal ends in a bracket")
		return
	}
	text, six := inner, false
	if len(inner) >= 5 && strings.EqualFold(inner[:5], "IPv6:") {
		text, six = inner[5:], true
	}
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil || a.Zone() != "":
		bad("there is no address in the brackets")
	case six && a.Is4():
		bad("an IPv4 address follows the tag IPv6:")
	case !six && a.Is6():
		bad("an IPv6 address needs the tag IPv6: in front")
	default:
		h.Form, h.Literal = Literal, a.Unmap()
	}
}

// lookup finds the addresses of the name.
func (h *HELO) lookup(ctx context.Context, via resolve.Resolver, addr netip.Addr) {
	h.parse()
	switch h.Form {
	case Literal:
		h.Resolves, h.Matches = resolve.Present, resolve.Absent
		if h.Literal == addr {
			h.Matches = resolve.Present
		}
		return
	case Invalid:
		h.Resolves, h.Matches = resolve.Absent, resolve.Absent
		return
	case "":
		return
	}
	var four, six found
	done := make(chan struct{})
	go func() {
		defer close(done)
		six = compare(ctx, via, resolve.Question{Name: h.Name, Type: resolve.TypeAAAA}, addr)
	}()
	four = compare(ctx, via, resolve.Question{Name: h.Name, Type: resolve.TypeA}, addr)
	<-done
	h.Answers = []resolve.Answer{four.answer, six.answer}
	h.Addrs = slices.Concat(four.addrs, six.addrs)
	h.Alias = len(four.answer.Chain)+len(six.answer.Chain) > 0
	h.Matches = four.match
	if !addr.Is4() {
		h.Matches = six.match
	}
	states := []resolve.State{resolve.StateOf(four.err), resolve.StateOf(six.err)}
	switch {
	case slices.Contains(states, resolve.Present):
		h.Resolves = resolve.Present
	case slices.Contains(states, resolve.Unavailable):
		h.Resolves = resolve.Unavailable
	default:
		h.Resolves = resolve.Absent
	}
}

// compare holds the greeting against the PTR names and words the outcome.
func (h *HELO) compare(r Result) {
	switch h.Form {
	case "":
		h.Why = "no greeting was given"
		return
	case Invalid:
		h.IsPTR, h.Why = resolve.Absent, "the greeting is not valid: "+h.Problem
		return
	case Literal:
		h.IsPTR, h.Why = resolve.Absent, "the greeting is an address, which many receivers do not trust"
		if h.Matches != resolve.Present {
			h.Why = fmt.Sprintf("the greeting is %s, another address than the sending one", h.Literal)
		}
		return
	}
	h.IsPTR = h.isPTR(r)
	switch {
	case h.Resolves == resolve.Absent:
		h.Why = fmt.Sprintf("%s has no address", h.Name)
	case h.Resolves == resolve.Unavailable:
		h.Why = fmt.Sprintf("the addresses of %s are unknown", h.Name)
	case h.Matches == resolve.Absent:
		h.Why = fmt.Sprintf("%s does not have the sending address", h.Name)
	case h.Matches == resolve.Unavailable:
		h.Why = fmt.Sprintf("whether %s has the sending address is unknown", h.Name)
	case h.IsPTR == resolve.Present:
		h.Why = fmt.Sprintf("%s is the name of the sending address in both directions", h.Name)
	default:
		h.Why = fmt.Sprintf("%s has the sending address, but is not its PTR name", h.Name)
	}
}

// isPTR reports whether the greeting is a PTR name that leads back.
func (h *HELO) isPTR(r Result) resolve.State {
	for _, n := range r.Names {
		if n.Name == h.Name {
			return n.Forward
		}
	}
	if r.PTR == resolve.Unavailable || r.Dropped > 0 {
		return resolve.Unavailable
	}
	return resolve.Absent
}
