package message

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const (
	maxAddresses = 1000    // of one field
	maxAddrText  = 1 << 18 // octets of one field that are looked at
)

// Address is one mailbox (RFC 5322, Section 3.4; RFC 6532, Section 3.2).
type Address struct {
	Name   string `json:"name,omitempty"`   // display name, decoded: foreign text
	Local  string `json:"local,omitempty"`  // local-part without quotes and escapes
	Domain string `json:"domain,omitempty"` // as written; "[192.0.2.1]" for a literal; empty if there is none
	Group  string `json:"group,omitempty"`  // name of the group it stands in
	Raw    string `json:"raw"`              // the address as written, without the name
	Bare   bool   `json:"bare,omitempty"`   // not in angle brackets
}

// String is the address in its shortest valid form, quoted where it has to be.
// It may hold UTF-8.
func (a Address) String() string {
	local := a.Local
	if !isDotAtom(local) {
		local = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(local) + `"`
	}
	if a.Domain == "" {
		return local
	}
	return local + "@" + a.Domain
}

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a.Local == "" && a.Domain == "" }

// DomainName is the domain as a name; an error is a *resolve.NameError. A literal
// is none.
func (a Address) DomainName() (resolve.Name, error) { return resolve.ParseName(a.Domain) }

// Addresses are the addresses of a field.
type Addresses struct {
	List     []Address `json:"list,omitempty"`
	Groups   []string  `json:"groups,omitempty"` // names of the groups, empty ones too
	Problems []Problem `json:"problems,omitempty"`
}

// ParseAddresses reads a list of addresses as loosely as mail programs write them:
// commas in names without quotes, quotes that do not end, several addresses where
// one belongs, octets of UTF-8. Encoded words are decoded after the list is cut, so
// that a comma in one separates nothing. Offsets of problems count in the value.
func ParseAddresses(value string) Addresses {
	p := &addrParser{s: value}
	if len(p.s) > maxAddrText {
		p.s = p.s[:maxAddrText]
		p.problem(Cut, maxAddrText, "addresses of a field")
	}
	p.run()
	return p.out
}

// ParseAddress reads one address, with a name or without, and reports whether it
// is one and nothing else.
func ParseAddress(text string) (Address, bool) {
	list := ParseAddresses(text)
	if len(list.List) == 0 {
		return Address{Raw: shorten(text, maxQuote)}, false
	}
	a := list.List[0]
	return a, len(list.List) == 1 && len(list.Problems) == 0 && a.Domain != ""
}

type addrParser struct {
	s   string
	i   int
	out Addresses

	group   string
	name    []string // words of the display name
	spec    strings.Builder
	angle   string
	angled  bool
	comment string
	pending string // text without "@" before a comma, perhaps of a name
	start   int
	open    int // comments, quotes and brackets without end so far
}

// maxOpen bounds the search for the end of something that has none: what begins
// after so many of them is text.
const maxOpen = 20

func (p *addrParser) problem(code Code, at int, text string) {
	if len(p.out.Problems) < 20 {
		p.out.Problems = append(p.out.Problems, Problem{code, int64(at), shorten(text, maxQuote)})
	}
}

func (p *addrParser) run() {
	for p.i < len(p.s) && len(p.out.List) < maxAddresses {
		switch c := p.s[p.i]; c {
		case '(':
			p.comment = p.parens()
			p.spec.WriteByte(' ')
		case '"':
			p.quoted()
		case '<':
			if p.angled {
				p.problem(BadAddress, p.i, "an address after an address")
				p.flush()
			}
			p.bracket()
		case ',':
			p.i++
			p.flush()
		case ';':
			p.i++
			p.flush()
			p.group = ""
		case ':':
			if text := strings.TrimSpace(p.spec.String()); !p.angled && p.group == "" && !strings.Contains(text, "@") {
				p.group = DecodeWords(p.words(text))
				if len(p.out.Groups) < maxAddresses {
					p.out.Groups = append(p.out.Groups, p.group)
				}
				p.reset()
			} else {
				p.spec.WriteByte(c)
			}
			p.i++
		case '[':
			p.literal()
		default:
			if c == '>' || c < ' ' && c != '\t' || c == 0x7f {
				// RFC 5321, Section 4.1.2: what could end an address in SMTP.
				p.problem(BadAddress, p.i, "a character that no address has")
			}
			p.spec.WriteByte(c)
			p.i++
		}
	}
	if p.i < len(p.s) {
		p.problem(Cut, p.i, fmt.Sprintf("more than %d addresses", maxAddresses))
	}
	p.flush()
	p.settle("")
}

func (p *addrParser) reset() {
	p.name, p.angle, p.angled, p.comment, p.start = nil, "", false, "", p.i
	p.spec.Reset()
}

// parens reads a comment. One that does not end is taken as text.
func (p *addrParser) parens() string {
	depth := 0
	for j := p.i; j < len(p.s) && p.open < maxOpen; j++ {
		switch p.s[j] {
		case '\\':
			j++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				text := p.s[p.i+1 : j]
				p.i = j + 1
				return text
			}
		}
	}
	p.open++
	p.problem(BadAddress, p.i, "a comment without end")
	p.spec.WriteByte('(')
	p.i++
	return ""
}

// quoted reads a quoted-string. One that does not end is taken as text.
func (p *addrParser) quoted() {
	for j := p.i + 1; j < len(p.s) && p.open < maxOpen; j++ {
		switch p.s[j] {
		case '\\':
			j++
		case '"':
			p.spec.WriteString(p.s[p.i : j+1])
			p.i = j + 1
			return
		}
	}
	p.open++
	p.problem(BadAddress, p.i, "a quote without end")
	p.spec.WriteByte(' ')
	p.i++
}

// literal reads a domain literal as one word.
func (p *addrParser) literal() {
	end := strings.IndexAny(p.s[p.i:min(len(p.s), p.i+maxDomain)], "]<>,")
	if end < 0 || p.s[p.i+end] != ']' {
		p.spec.WriteByte('[')
		p.i++
		return
	}
	p.spec.WriteString(p.s[p.i : p.i+end+1])
	p.i += end + 1
}

// bracket reads an address in angle brackets.
func (p *addrParser) bracket() {
	quoted := false
	for j := p.i + 1; j < len(p.s) && p.open < maxOpen; j++ {
		switch p.s[j] {
		case '\\':
			if quoted {
				j++
			}
		case '"':
			quoted = !quoted
		case '>':
			if !quoted {
				p.angle, p.angled = p.s[p.i+1:j], true
				p.i = j + 1
				return
			}
		}
	}
	// RFC 5322, Section 3.4: the bracket has to be closed. Take all to the next
	// address, or to the end.
	p.open++
	p.problem(BadAddress, p.i, "a bracket without end")
	end := strings.IndexByte(p.s[p.i:], ',')
	if end < 0 {
		end = len(p.s) - p.i
	}
	p.angle, p.angled = p.s[p.i+1:p.i+end], true
	p.i += end
}

// flush ends one address.
func (p *addrParser) flush() {
	text := strings.TrimSpace(p.spec.String())
	defer p.reset()
	switch {
	case p.angled:
		a := parseSpec(p.angle)
		if p.pending != "" {
			text = strings.TrimSpace(p.pending + ", " + text)
			p.problem(BadAddress, p.start, "a comma in a name without quotes")
			p.pending = ""
		}
		a.Name = DecodeWords(p.words(text))
		if a.Name == "" {
			a.Name = DecodeWords(p.comment)
		}
		p.add(a)
	case text == "":
	case !strings.Contains(text, "@"):
		p.settle(text)
	default:
		p.settle("")
		a := parseSpec(text)
		a.Bare = true
		a.Name = DecodeWords(p.comment)
		p.add(a)
	}
}

// settle takes the text before a comma for an address without a domain, as nothing
// came that it could be the name of, and keeps the next one.
func (p *addrParser) settle(next string) {
	if old := p.pending; old != "" {
		a := Address{Local: p.words(old), Raw: shorten(old, MaxLine), Group: p.group, Bare: true}
		p.problem(BadAddress, p.start, old)
		p.out.List = append(p.out.List, a)
	}
	p.pending = next
}

func (p *addrParser) add(a Address) {
	a.Group = p.group
	if a.Domain == "" && a.Raw != "" {
		p.problem(BadAddress, p.start, a.Raw)
	} else if !validSpec(a) && a.Raw != "" {
		p.problem(BadAddress, p.start, a.Raw)
	}
	p.out.List = append(p.out.List, a)
}

// words joins the words of a phrase: quotes and escapes go.
func (p *addrParser) words(s string) string {
	var b strings.Builder
	quoted, space := false, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case c == '\\' && quoted && i+1 < len(s):
			i++
			c = s[i]
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteByte(c)
	}
	return b.String()
}

// parseSpec reads local-part and domain.
func parseSpec(raw string) Address {
	a := Address{Raw: strings.TrimSpace(raw)}
	s := StripComments(a.Raw)
	// RFC 5322, Section 4.4: a route before the address is passed over.
	if strings.HasPrefix(s, "@") {
		if i := strings.IndexByte(s, ':'); i > 0 {
			s = s[i+1:]
		}
	}
	at, quoted := -1, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case '@':
			if !quoted {
				at = i
			}
		}
	}
	if at < 0 && quoted {
		at = strings.LastIndexByte(s, '@') // a quote that does not end
	}
	local := s
	if at >= 0 {
		local = s[:at]
		a.Domain = squeeze(s[at+1:])
	}
	local = strings.TrimSpace(local)
	if strings.HasPrefix(local, `"`) && strings.HasSuffix(local, `"`) && len(local) > 1 {
		a.Local = unquote(local[1 : len(local)-1])
	} else {
		a.Local = squeeze(local)
	}
	return a
}

// squeeze removes white space around dots, which the obsolete forms allow.
func squeeze(s string) string {
	s = strings.TrimSpace(s)
	if !strings.ContainsAny(s, " \t\r\n") {
		return s
	}
	parts := strings.Split(s, ".")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, ".")
}

func unquote(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

const (
	maxLocal  = 64  // octets (RFC 5321, Section 4.5.3.1.1)
	maxDomain = 255 // octets (RFC 5321, Section 4.5.3.1.2)
)

// validSpec reports whether an address may be used in mail.
func validSpec(a Address) bool {
	if a.Local == "" || len(a.Local) > maxLocal || a.Domain == "" || len(a.Domain) > maxDomain {
		return false
	}
	if !isDotAtom(a.Local) && !strings.HasPrefix(StripComments(a.Raw), `"`) {
		return false
	}
	for i := 0; i < len(a.Local); i++ {
		if a.Local[i] < ' ' || a.Local[i] == 0x7f {
			return false
		}
	}
	if strings.HasPrefix(a.Domain, "[") {
		return strings.HasSuffix(a.Domain, "]") && !strings.ContainsAny(a.Domain[1:len(a.Domain)-1], "[]\\ ")
	}
	_, err := resolve.ParseName(a.Domain)
	return err == nil
}

// isDotAtom reports whether a local-part needs no quotes (RFC 5322, Section 3.2.3;
// RFC 6532, Section 3.2).
func isDotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`()<>[]:;@\,"`, c) >= 0 {
			return false
		}
	}
	return true
}

// Author is what the From fields of a mail say, for DMARC.
type Author struct {
	Fields    int       `json:"fields"` // From fields; 1 in a proper mail
	Addresses []Address `json:"addresses,omitempty"`
	// Domains are the domains of all addresses of all From fields, each once, in
	// the order of the mail. RFC 5322, Section 3.6.2, allows several addresses in
	// one field; receivers differ in which one DMARC is about, and many refuse them.
	Domains  []resolve.Name `json:"domains,omitempty"`
	Problems []Problem      `json:"problems,omitempty"`
}

// Author reads the From fields.
func (m *Message) Author() Author {
	var a Author
	for _, f := range m.Header.All("From") {
		a.Fields++
		list := ParseAddresses(f.Value)
		for _, addr := range list.List {
			if len(a.Addresses) == maxAddresses {
				break
			}
			a.Addresses = append(a.Addresses, addr)
			if name, err := addr.DomainName(); err == nil && !slices.Contains(a.Domains, name) && len(a.Domains) < 50 {
				a.Domains = append(a.Domains, name)
			}
		}
		for _, p := range list.Problems {
			if len(a.Problems) < 20 {
				p.At = f.Start
				a.Problems = append(a.Problems, p)
			}
		}
	}
	return a
}
