package cli

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// sender is one who may send, as named on the command line.
type sender struct {
	word  string
	terms []string // of a record, as they are to be published
	row   providers.Provider
	notes []string
}

const (
	senderHelp  = "a provider's ID (mailcheck spf senders), " + otherSender
	otherSender = "the name of its include, an address or network, mx, a, or a term such as a:mail.example.org"
)

// parseSender reads a provider's ID, an include's name, an address, or a term.
func parseSender(word string) (sender, error) {
	x := sender{word: word}
	if row, ok := providers.ByID(strings.ToLower(word)); ok {
		return x.provider(row)
	}
	if term, ok := addressTerm(word); ok {
		x.terms = []string{term}
		return x, nil
	}
	// A mechanism as it is written in records.
	if r, err := spf.Parse("v=spf1 " + word); err == nil && len(r.Terms) == 1 && strings.ContainsAny(word, ":/%") || strings.EqualFold(word, "mx") || strings.EqualFold(word, "a") {
		t := r.Terms[0]
		if t.IsModifier() || t.Kind == spf.All || t.Kind == spf.PTR || t.Qualifier != '+' {
			return x, usage("give "+senderHelp, "%q is no sender", word)
		}
		x.terms = []string{t.Text}
		if t.Kind == spf.Include && !t.Macro {
			if n, err := resolve.ParseName(t.Domain); err == nil {
				x.row, _ = providers.ByInclude(n)
			}
		}
		x.aligned()
		return x, nil
	}
	if strings.Contains(word, ".") {
		n, err := resolve.ParseName(word)
		if err == nil && n.NumLabels() > 1 {
			x.row, _ = providers.ByInclude(n)
			x.terms = []string{"include:" + n.String()}
			x.aligned()
			return x, nil
		}
	}
	hint := "give " + senderHelp
	if best := nearestProvider(word); best != "" {
		hint = "did you mean " + best + "? or " + hint
	}
	return x, usage(hint, "no provider is called %q", word)
}

func (x sender) provider(row providers.Provider) (sender, error) {
	x.row = row
	switch {
	case len(row.Includes) > 0:
		x.terms = []string{"include:" + row.Includes[0].String()}
		if len(row.Includes) > 1 {
			var others []string
			for _, n := range row.Includes[1:] {
				others = append(others, n.String())
			}
			x.notes = append(x.notes, fmt.Sprintf("%s also has the includes %s: give the name of yours if %s is not it", row.Name, strings.Join(others, ", "), row.Includes[0]))
		}
	case len(row.Mechanisms) > 0:
		x.terms = row.Mechanisms
	case len(row.IncludePatterns) > 0:
		return x, usage("give the name that your account shows, as in include:NAME", "the include of %s differs for each customer", row.Name)
	default:
		return x, usage("give the include's name or the addresses that the provider tells you", "no include of %s is known", row.Name)
	}
	x.aligned()
	return x, nil
}

// aligned warns of providers whose mail does not carry the domain in MAIL FROM.
func (x *sender) aligned() {
	switch x.row.AlignedSPF {
	case providers.Impossible:
		x.notes = append(x.notes, x.row.Name+" sends with a MAIL FROM of its own, so the term does nothing for DMARC: sign with DKIM")
	case providers.WithCustomReturn:
		x.notes = append(x.notes, x.row.Name+" sends with a MAIL FROM of its own unless you set up a bounce domain, and then that domain needs the record: here the term may do nothing")
	}
}

// addressTerm is the term for an address or a network.
func addressTerm(word string) (string, bool) {
	p, err := netip.ParsePrefix(word)
	if err != nil {
		a, err := netip.ParseAddr(word)
		if err != nil || a.Zone() != "" {
			return "", false
		}
		a = a.Unmap()
		p = netip.PrefixFrom(a, a.BitLen())
	}
	return prefixTerm(p.Masked()), true
}

// prefixTerm is the term for a network.
func prefixTerm(p netip.Prefix) string {
	kind, text := "ip6:", p.String()
	if p.Addr().Is4() {
		kind = "ip4:"
	}
	if p.IsSingleIP() {
		text = p.Addr().String()
	}
	return kind + text
}

func nearestProvider(word string) string {
	var ids []string
	for _, p := range providers.All() {
		ids = append(ids, p.ID)
	}
	if best := nearest(word, ids); best != "" {
		return best
	}
	low := strings.ToLower(word)
	var found []string
	for _, p := range providers.All() {
		if len(low) >= 3 && (strings.Contains(p.ID, low) || strings.Contains(strings.ToLower(p.Name), low)) {
			found = append(found, p.ID)
		}
	}
	return strings.Join(found[:min(len(found), 4)], " or ")
}

// allTerm reads the policy for all others.
func allTerm(word string) (string, error) {
	words := map[string]string{
		"fail": "-all", "-all": "-all", "-": "-all", "softfail": "~all", "~all": "~all", "~": "~all", "neutral": "?all", "?all": "?all", "?": "?all",
	}
	if t, ok := words[strings.ToLower(word)]; ok {
		return t, nil
	}
	if slices.Contains([]string{"+all", "all", "pass", "+"}, strings.ToLower(word)) {
		return "", usage("--all takes softfail, fail or neutral", "%q would let every host in the world pass", word)
	}
	return "", usage("--all takes softfail, fail or neutral", "unknown value %q for --all", word)
}
