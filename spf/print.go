package spf

import (
	"strconv"
	"strings"
)

// String is the term as written, or in its usual form if it was made by hand.
func (t Term) String() string {
	if t.Text != "" || t.Kind == Invalid {
		return t.Text
	}
	var b strings.Builder
	switch t.Kind {
	case Unknown:
		return t.Name + "=" + t.Domain
	case Redirect, Exp:
		return string(t.Kind) + "=" + t.Domain
	}
	if t.Explicit || t.Qualifier != '+' {
		b.WriteString(t.Qualifier.String())
	}
	b.WriteString(string(t.Kind))
	switch t.Kind {
	case IP4, IP6:
		b.WriteByte(':')
		if t.Prefix.IsSingleIP() {
			b.WriteString(t.Prefix.Addr().String())
		} else {
			b.WriteString(t.Prefix.String())
		}
		return b.String()
	}
	if t.Domain != "" {
		b.WriteByte(':')
		b.WriteString(t.Domain)
	}
	if t.Kind == A || t.Kind == MX {
		if t.Bits4 != 32 {
			b.WriteByte('/')
			b.WriteString(strconv.Itoa(t.Bits4))
		}
		if t.Bits6 != 128 {
			b.WriteString("//")
			b.WriteString(strconv.Itoa(t.Bits6))
		}
	}
	return b.String()
}
