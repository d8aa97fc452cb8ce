package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// js is a string of JavaScript: a JSON string is one.
func js(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// dnscontrol writes calls for D() of dnsconfig.js. Its TXT takes one long text,
// and cuts it itself.
func dnscontrol(p *printer, changes []change) error {
	zone, err := p.zone()
	if err != nil {
		return err
	}
	p.comment("//", "dnsconfig.js. DNSControl owns the zone: what has a record there already is changed, not added.")
	p.line("D_EXTEND(%s,", js(zone.String()))
	for _, c := range changes {
		var b printer
		b.about("//", c)
		for _, r := range c.gone() {
			b.comment("//", "take out: %s %s", c.Type, r.Data)
		}
		p.WriteString("  " + strings.TrimSuffix(strings.ReplaceAll(b.String(), "\n", "\n  "), "  "))
		for _, r := range c.now {
			call, err := dnscontrolCall(c, r)
			if err != nil {
				return err
			}
			p.line("  %s(%s, %s, TTL(%d)),", c.Type, js(at(c.Name, zone)), call, c.TTL)
		}
	}
	p.line("END);")
	return nil
}

func dnscontrolCall(c change, r resolve.Record) (string, error) {
	switch d := r.Data.(type) {
	case resolve.TXT:
		text := d.Joined()
		if !utf8.ValidString(text) {
			return "", refuse(c, "the text is not UTF-8")
		}
		return js(text), nil
	case resolve.Addr:
		return js(d.String()), nil
	case resolve.Host:
		return js(d.Name.FQDN()), nil
	case resolve.MX:
		return fmt.Sprintf("%d, %s", d.Preference, js(d.Host.FQDN())), nil
	case resolve.TLSA:
		return fmt.Sprintf("%d, %d, %d, %s", d.Usage, d.Selector, d.Matching, js(fmt.Sprintf("%x", d.Association))), nil
	case resolve.CAA:
		if d.Flags != 0 && d.Flags != 128 || !utf8.ValidString(d.Value) {
			return "", refuse(c, "flags or a value that DNSControl does not know")
		}
		out := js(d.Tag) + ", " + js(d.Value)
		if d.Flags == 128 {
			out += ", CAA_CRITICAL"
		}
		return out, nil
	}
	return "", refuse(c, "no call is known for the type")
}

// octodns writes the names of the changes for the YAML file of the zone, sorted
// as octoDNS wants them.
func octodns(p *printer, changes []change) error {
	zone, err := p.zone()
	if err != nil {
		return err
	}
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, func(a, b change) int {
		if d := natural(relative(a.Name, zone), relative(b.Name, zone)); d != 0 {
			return d
		}
		return strings.Compare(a.Type.String(), b.Type.String())
	})
	p.line("---")
	p.comment("#", "For the file of the zone. A name that is there already keeps its other types.")
	for i := 0; i < len(sorted); {
		n := i
		var live []change
		for ; n < len(sorted) && sorted[n].Name == sorted[i].Name; n++ {
			p.about("#", sorted[n])
			for _, r := range sorted[n].gone() {
				p.comment("#", "take out: %s %s", sorted[n].Type, r.Data)
			}
			if sorted[n].Verb != fix.Delete {
				live = append(live, sorted[n])
			}
		}
		if len(live) > 0 {
			p.line("%s:", js(relative(live[0].Name, zone)))
		}
		for _, c := range live {
			p.line("- ttl: %d", c.TTL)
			p.line("  type: %s", c.Type)
			head := "  values:\n  - "
			if c.Type == resolve.TypeCNAME {
				head = "  value: "
			}
			for _, r := range c.now {
				v, err := octodnsValue(c, r)
				if err != nil {
					return err
				}
				p.line("%s%s", head, strings.Join(v, "\n    "))
				head = "  - "
			}
		}
		i = n
	}
	return nil
}

func octodnsValue(c change, r resolve.Record) ([]string, error) {
	switch d := r.Data.(type) {
	case resolve.TXT:
		s, ok := octodnsText(d.Joined())
		if !ok {
			return nil, refuse(c, "octoDNS would cut the text inside of an escape")
		}
		return []string{js(s)}, nil
	case resolve.Addr:
		return []string{js(d.String())}, nil
	case resolve.Host:
		if c.Type == resolve.TypeCNAME && len(c.now) > 1 {
			return nil, refuse(c, "an alias has one target")
		}
		return []string{js(d.Name.FQDN())}, nil
	case resolve.MX:
		return []string{"exchange: " + js(d.Host.FQDN()), fmt.Sprintf("preference: %d", d.Preference)}, nil
	case resolve.TLSA:
		return []string{fmt.Sprintf("certificate_association_data: %s", js(fmt.Sprintf("%x", d.Association))),
			fmt.Sprintf("certificate_usage: %d", d.Usage), fmt.Sprintf("matching_type: %d", d.Matching), fmt.Sprintf("selector: %d", d.Selector)}, nil
	case resolve.CAA:
		if !utf8.ValidString(d.Value) {
			return nil, refuse(c, "the value is not UTF-8")
		}
		return []string{fmt.Sprintf("flags: %d", d.Flags), "tag: " + js(d.Tag), "value: " + js(d.Value)}, nil
	}
	return nil, refuse(c, "no form is known for the type")
}

// octodnsText is text as octoDNS keeps it: quotes bare, semicolons behind a
// backslash, all else as in a master file. It strips outer quotes and joins at
// quote, space, quote, so such texts are written another way. False if octoDNS,
// which cuts after 255 characters of this form, would cut an escape in two.
func octodnsText(text string) (string, bool) {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == ';':
			b.WriteString(`\;`)
		case c == '\\' && (i+1 == len(text) || text[i+1] == ';'):
			b.WriteString(`\092`) // it cannot cut at an end in backslashes, and refuses two and a semicolon
		case c == '\\':
			b.WriteString(`\\`)
		case c == ' ' && i > 0 && text[i-1] == '"' && i+1 < len(text) && text[i+1] == '"':
			b.WriteString(`\032`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	s := b.String()
	if !octodnsCuts(s) {
		return "", false
	}
	if strings.HasPrefix(s, `"`) {
		s = `"` + s + `"`
	}
	return s, true
}

// octodnsCuts tells whether every cut of octoDNS falls between characters.
func octodnsCuts(s string) bool {
	s = strings.ReplaceAll(s, `"`, `\"`)
	for s != "" {
		n := min(255, len(s))
		for n > 0 && s[n-1] == '\\' {
			n--
		}
		if n == 0 {
			return false
		}
		for i := 0; i < n; i++ {
			if s[i] != '\\' {
				continue
			}
			if i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' {
				i += 2
			}
			if i++; i >= n {
				return false
			}
		}
		s = s[n:]
	}
	return true
}

// natural compares texts with numbers in them as people count.
func natural(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			x, y := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if d := strings.Compare(x, y); d != 0 {
				return d
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
