package flatten

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// write packs the networks into records, each of which includes the next one.
func write(inc Include, domain resolve.Name, opt Options) ([]Record, error) {
	room := opt.MaxText
	if room <= 0 {
		room = MaxText
	}
	words := inc.words()
	var out []Record
	for len(words) > 0 || len(out) == 0 {
		if len(out) == MaxParts {
			return nil, fmt.Errorf("%w: include:%s: more than %d records of %d octets", ErrTooLarge, inc.Include, MaxParts, room)
		}
		name := inc.Name
		next, err := domain.Below(fmt.Sprintf("%s-%d", inc.Name.First(), len(out)+2))
		if err != nil {
			return nil, err
		}
		if len(out) > 0 {
			if name, err = domain.Below(fmt.Sprintf("%s-%d", inc.Name.First(), len(out)+1)); err != nil {
				return nil, err
			}
		}
		// An include sees a pass or nothing, so what stands behind the networks does
		// not matter to it; whoever asks for the name itself finds nobody else.
		const end = " -all"
		chain := " include:" + next.String()
		text := "v=spf1"
		for len(words) > 0 {
			more := 0
			if len(words) > 1 {
				more = len(chain)
			}
			if len(text)+1+len(words[0])+more+len(end) > room && text != "v=spf1" {
				break
			}
			text += " " + words[0]
			words = words[1:]
		}
		if len(words) > 0 {
			text += chain
		}
		out = append(out, Record{name, text + end})
	}
	return out, nil
}

// words are the terms of the copy.
func (inc Include) words() (out []string) {
	for _, p := range inc.Networks {
		out = append(out, term(p))
	}
	return append(out, inc.Terms...)
}

func term(p netip.Prefix) string {
	kind, text := "ip6:", p.String()
	if p.Addr().Is4() {
		kind = "ip4:"
	}
	if p.IsSingleIP() {
		text = p.Addr().String()
	}
	return kind + text
}

// tidy makes a label of what was given, or of the include's name.
func tidy(label string, include resolve.Name) string {
	if label == "" {
		label = strings.ReplaceAll(strings.TrimLeft(include.String(), "_"), ".", "-")
	}
	keep := func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}
	const room = resolve.MaxLabel - len("_spf-") - len("-9")
	label = strings.Map(keep, label)
	return strings.Trim(label[:min(len(label), room)], "-")
}
