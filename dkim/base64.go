package dkim

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// base64 decodes p=, or says where and why it is none.
func (p *parser) base64(t Tag) ([]byte, bool) {
	if len(t.Value) > MaxKey*2 {
		p.add(TooBig, t.ValueAt, "p", fmt.Sprintf("%d octets of base64, limit %d", len(t.Value), MaxKey*2), "")
		return nil, false
	}
	padded := 0
	digits := make([]byte, 0, len(t.Value))
	for i := range len(t.Value) {
		c := t.Value[i]
		switch {
		case isSpace(c):
			continue
		case c == '=':
			padded++
		case !isBase64(c):
			p.add(BadBase64, t.ValueAt+i, "p", fmt.Sprintf("not base64: %s", octet(t.Value, i)), hintCharacter(t.Value, i))
			return nil, false
		case padded > 0:
			p.add(BadBase64, t.ValueAt+i, "p", "not base64: text after the padding", "the key is published twice or something was appended: keep what is before")
			return nil, false
		default:
			digits = append(digits, c)
		}
	}
	if len(digits)%4 == 1 {
		p.add(BadBase64, t.ValueAt+len(t.Value), "p", fmt.Sprintf("not base64: %d characters cannot be whole octets", len(digits)), "the key was cut or a character was lost: publish it again in whole")
		return nil, false
	}
	der := make([]byte, base64.RawStdEncoding.DecodedLen(len(digits)))
	n, err := base64.RawStdEncoding.Decode(der, digits)
	if err != nil {
		p.add(BadBase64, t.ValueAt, "p", "not base64", "publish the key again")
		return nil, false
	}
	if want := (4 - len(digits)%4) % 4; padded != want {
		p.report(Problem{
			Kind: BadBase64, Effect: Disputed, Tag: "p", At: t.ValueAt + len(t.Value),
			Detail: fmt.Sprintf("%d padding characters, base64 of this length ends in %d", padded, want),
			Hint:   fmt.Sprintf("end the key in %+q", strings.Repeat("=", want)),
		})
	}
	return der[:n], true
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// octet names the character at i.
func octet(s string, i int) string {
	for _, r := range s[i:] {
		return fmt.Sprintf("character %+q", r)
	}
	return "end of text"
}

func hintCharacter(s string, i int) string {
	switch c := s[i]; {
	case c == '\\':
		return "a zone file escape became part of the text: publish it without backslashes"
	case c == '"', c == '\'':
		return "quotes between the strings became part of the text: publish the key without them"
	case c == '-' || c == '_':
		return `the key is in the URL alphabet: write "+" for "-" and "/" for "_"`
	case c == '(' || c == ')':
		return "zone file brackets became part of the text: publish the key without them"
	case c >= 0x80:
		return "a word processor or web page changed the text: copy it again from the source"
	}
	return "publish the key again from the source"
}
