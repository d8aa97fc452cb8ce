package aggregate

import (
	"bytes"
	"strings"
)

// tagEnd is the distance from the "<" at pos to the next ">", or -1 if there is
// none within the length of a tag.
func (p *parser) tagEnd() int {
	w := &p.w
	from := 1
	for {
		b := w.rest()
		b = b[:min(len(b), maxTag)]
		if from < len(b) {
			if i := bytes.IndexByte(b[from:], '>'); i >= 0 {
				return from + i
			}
			from = len(b)
		}
		if len(b) == maxTag || !w.more() {
			return -1
		}
	}
}

// literal takes the "<" at pos as text.
func (p *parser) literal() error {
	if p.junk++; p.junk > maxJunk {
		return p.fail(ErrLimit, "more than %d times markup that is none", maxJunk)
	}
	p.between(p.w.buf[p.w.pos : p.w.pos+1])
	p.w.pos++
	return nil
}

// tag reads what begins with the "<" at pos.
func (p *parser) tag() error {
	w := &p.w
	n := p.tagEnd()
	if n < 0 {
		// Comments and CDATA may be longer than a tag.
		if b := w.rest(); len(b) > 1 && b[1] == '!' {
			return p.declarationMarkup()
		}
		return p.literal()
	}
	inner := w.buf[w.pos+1 : w.pos+n]
	if e := lookup(inner); e != eUnknown && p.prefix == "" {
		w.pos += n + 1
		return p.begin(e, tagParts{})
	}
	if len(inner) == 0 {
		return p.literal()
	}
	switch inner[0] {
	case '/':
		w.pos += n + 1
		p.endTag(bytes.TrimSpace(inner[1:]))
		return nil
	case '!':
		return p.declarationMarkup()
	case '?':
		return p.instruction(inner)
	}
	t, ok := p.startTag()
	if !ok {
		return p.literal()
	}
	w.pos += t.size
	return p.begin(p.element(t), t)
}

// tagParts is a start tag with more than the name of a known element. Its slices
// are valid until the window moves.
type tagParts struct {
	name  []byte // with prefix
	attrs []byte
	empty bool // ends in "/>"
	size  int
}

// startTag takes the "<" at pos as a start tag, if it can be one.
func (p *parser) startTag() (tagParts, bool) {
	b := p.w.rest()
	i := 1
	for i < len(b) && nameChar(b[i]) {
		i++
	}
	if i == 1 || i == len(b) || b[1] == '-' || b[1] == '.' || b[1] >= '0' && b[1] <= '9' {
		return tagParts{}, false
	}
	t := tagParts{name: b[1:i]}
	quote := byte(0)
	for j := i; j < len(b) && j <= maxTag; j++ {
		c := b[j]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			return t, false
		case c == '>':
			t.attrs, t.size = b[i:j], j+1
			if bytes.HasSuffix(t.attrs, []byte("/")) {
				t.empty, t.attrs = true, t.attrs[:len(t.attrs)-1]
			}
			// What follows a name is white space or the end of the tag; anything
			// else is text such as "<http://example.org>".
			ok := len(t.attrs) == 0 || space(t.attrs[0])
			return t, ok && (len(bytes.TrimSpace(t.attrs)) == 0 || bytes.IndexByte(t.attrs, '=') > 0)
		}
	}
	return t, false
}

func nameChar(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == ':' || c >= 0x80
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// element finds the element of a start tag. An element with another prefix than
// the root's belongs to an extension.
func (p *parser) element(t tagParts) elem {
	prefix, local := split(t.name)
	e := lookup(local)
	if e == eUnknown {
		e = p.spelled(local)
	}
	if !p.rooted {
		if e == eFeedback {
			p.prefix = string(prefix)
		}
		return e
	}
	if len(prefix) > 0 && string(prefix) != p.prefix {
		return eUnknown
	}
	return e
}

// split separates the prefix, with its colon, from the local name.
func split(name []byte) (prefix, local []byte) {
	i := bytes.IndexByte(name, ':') + 1
	return name[:i], name[i:]
}

// spelled finds an element by another spelling of its name.
func (p *parser) spelled(local []byte) elem {
	lower := bytes.ToLower(local)
	e := lookup(lower)
	if e == eUnknown {
		e = spellings[string(lower)]
	}
	if e != eUnknown {
		p.note(ElementForm, elemNames[e], local)
	}
	return e
}

// attribute finds the value of the attribute with the name or local name.
func attribute(attrs []byte, name string) (string, bool) {
	for s := string(attrs); ; {
		key, rest, ok := strings.Cut(s, "=")
		rest = strings.TrimLeft(rest, " \t\r\n")
		if !ok || rest == "" || rest[0] != '"' && rest[0] != '\'' {
			return "", false
		}
		val, after, ok := strings.Cut(rest[1:], rest[:1])
		if !ok {
			return "", false
		}
		key = strings.TrimSpace(key)
		if _, local := split([]byte(key)); key == name || name == "lang" && string(local) == name {
			return strings.TrimSpace(val), true
		}
		s = after
	}
}

// instruction skips the XML declaration or a processing instruction.
func (p *parser) instruction(inner []byte) error {
	w := &p.w
	if bytes.HasPrefix(inner, []byte("?xml")) && (len(inner) == 4 || !nameChar(inner[4])) {
		decl := bytes.Clone(inner[4:])
		w.pos += len(inner) + 2
		if !bytes.HasSuffix(decl, []byte("?")) {
			p.note(BadDeclaration, "", decl)
		}
		if !p.rooted {
			p.declaration(decl)
		}
		return nil
	}
	w.pos += 2
	return p.skipPast("?>")
}

// declarationMarkup reads what begins with "<!".
func (p *parser) declarationMarkup() error {
	w := &p.w
	w.need(len("<![CDATA["))
	switch b := w.rest(); {
	case bytes.HasPrefix(b, []byte("<!--")):
		w.pos += 4
		return p.skipPast("-->")
	case bytes.HasPrefix(b, []byte("<![CDATA[")):
		w.pos += len("<![CDATA[")
		p.note(TextOutside, p.place(), nil)
		return p.skipPast("]]>")
	case len(b) >= 9 && bytes.EqualFold(b[:9], []byte("<!DOCTYPE")), bytes.HasPrefix(b, []byte("<!ENTITY")):
		return p.fail(ErrDoctype, "it could define entities without end, and no report needs one")
	}
	return p.literal()
}

// skipPast leaves out everything up to the end of mark.
func (p *parser) skipPast(mark string) error {
	w := &p.w
	for {
		if i := bytes.Index(w.rest(), []byte(mark)); i >= 0 {
			w.pos += i + len(mark)
			return nil
		}
		w.pos = max(w.pos, w.end-len(mark)+1)
		if !w.more() {
			w.pos = w.end
			return nil
		}
	}
}

// place is the path of the innermost open element of the format.
func (p *parser) place() string {
	return statePaths[p.stack[len(p.stack)-1].state]
}

var statePaths = [numStates]string{
	sFeedback: "", sMetadata: "report_metadata", sDateRange: "report_metadata/date_range", sPolicy: "policy_published",
	sRecord: "record", sRow: "record/row", sEvaluated: "record/row/policy_evaluated",
	sReason: "record/row/policy_evaluated/reason", sIdentifiers: "record/identifiers", sAuth: "record/auth_results",
	sDKIM: "record/auth_results/dkim", sSPF: "record/auth_results/spf",
}

// between takes text that stands between elements.
func (p *parser) between(b []byte) {
	for i := range b {
		if b[i] > ' ' {
			p.text(b[i:])
			return
		}
	}
}

// text takes text where only elements belong.
func (p *parser) text(b []byte) {
	switch top := p.stack[len(p.stack)-1]; {
	case top.state == sSkip:
		return
	case top.state == sReason && p.seen&fReasonType.bit() == 0:
		// <reason>sampled_out</reason>
		if o := Override(bytes.TrimSpace(b)); contains(overrideWords.words, o) {
			p.note(Misplaced, fReasonType.path(), b)
			p.set(fReasonType, b)
			return
		}
	}
	p.note(TextOutside, p.place(), bytes.TrimSpace(b))
}
