package resolve

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// Limits of a name (RFC 1035, Section 2.3.4).
const (
	MaxLabel = 63  // octets
	MaxName  = 253 // octets in text form without the final dot, 255 on the wire
)

// Name is an absolute domain name in canonical form: lower case, A-labels,
// octets outside printable ASCII escaped as in a master file (RFC 4343, Section
// 2.1). It is comparable. The zero value is no name at all.
type Name struct{ s string } // without the final dot; the root is "."

// Root is the root of the tree.
var Root = Name{"."}

// NameError tells why a text is not a usable domain name.
type NameError struct {
	In     string // the text, shortened
	At     int    // offset in octets where it goes wrong; -1 if it has no place
	Reason string
	Hint   string // what was probably meant; empty if that is not clear
}

// Error quotes the text, so it is safe to show.
func (e *NameError) Error() string {
	if e.At >= 0 {
		return fmt.Sprintf("%q is not a domain name: %s at offset %d", e.In, e.Reason, e.At)
	}
	return fmt.Sprintf("%q is not a domain name: %s", e.In, e.Reason)
}

// NameFromText makes a name of labels with any octets, separated by dots; a
// backslash means itself. It is for names computed by a protocol, such as the
// target of an SPF macro. Errors are *[NameError].
func NameFromText(s string) (Name, error) {
	if s == "." {
		return Root, nil
	}
	in := s
	s = strings.TrimSuffix(s, ".")
	label, total, plain := 0, 1, true
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '.' {
			if label == 0 {
				return Name{}, &NameError{In: shorten(in), At: i, Reason: "empty label"}
			}
			if label > MaxLabel {
				return Name{}, &NameError{In: shorten(in), At: i - label, Reason: fmt.Sprintf("label of %d octets, the limit is %d", label, MaxLabel)}
			}
			total += 1 + label
			label = 0
			continue
		}
		label++
		if c := s[i]; c >= 'A' && c <= 'Z' || c <= ' ' || c > '~' || special(c) {
			plain = false
		}
	}
	if total > MaxName+2 {
		return Name{}, &NameError{In: shorten(in), At: -1, Reason: fmt.Sprintf("%d octets long, the limit is %d", total-2, MaxName)}
	}
	if plain { // the common case costs no allocation
		return Name{s}, nil
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] == '.' {
			b.WriteByte('.')
			continue
		}
		writeOctet(&b, s[i])
	}
	return Name{b.String()}, nil
}

// NameFromMaster reads a name in master file form (RFC 1035, Section 5.1) with
// \X and \DDD escapes, as DNS libraries print it. It is taken as absolute.
func NameFromMaster(s string) (Name, error) {
	if s == "." {
		return Root, nil
	}
	if strings.IndexByte(s, '\\') < 0 {
		return NameFromText(s)
	}
	var b strings.Builder
	label, total := 0, 1
	t := strings.TrimSuffix(s, ".")
	if slashes := len(t) - len(strings.TrimRight(t, "\\")); slashes%2 == 1 {
		t = s // the final dot was an escaped one
	}
	for i := 0; i < len(t); {
		c, n := t[i], 1
		if c == '.' {
			if label == 0 {
				return Name{}, &NameError{In: shorten(s), At: i, Reason: "empty label"}
			}
			b.WriteByte('.')
			total += 1 + label
			label = 0
			i++
			continue
		}
		if c == '\\' {
			c, n = unescape(t[i:])
			if n == 0 {
				return Name{}, &NameError{In: shorten(s), At: i, Reason: "broken escape"}
			}
		}
		writeOctet(&b, c)
		if label++; label > MaxLabel {
			return Name{}, &NameError{In: shorten(s), At: i, Reason: fmt.Sprintf("label over %d octets", MaxLabel)}
		}
		i += n
	}
	if label == 0 {
		return Name{}, &NameError{In: shorten(s), At: len(t), Reason: "empty label"}
	}
	if total+1+label > MaxName+2 {
		return Name{}, &NameError{In: shorten(s), At: -1, Reason: fmt.Sprintf("longer than %d octets", MaxName)}
	}
	return Name{b.String()}, nil
}

// unescape reads one escape and returns its octet and length; length 0 is an error.
func unescape(s string) (byte, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if s[1] < '0' || s[1] > '9' {
		return s[1], 2
	}
	if len(s) < 4 {
		return 0, 0
	}
	v := 0
	for _, c := range []byte(s[1:4]) {
		if c < '0' || c > '9' {
			return 0, 0
		}
		v = v*10 + int(c-'0')
	}
	if v > 255 {
		return 0, 0
	}
	return byte(v), 4
}

// special reports the printable characters that a master file name escapes.
func special(c byte) bool {
	switch c {
	case '.', '"', '\\', '(', ')', ';', '@', '$':
		return c != '.'
	}
	return false
}

func writeOctet(b *strings.Builder, c byte) {
	switch {
	case c >= 'A' && c <= 'Z':
		b.WriteByte(c + 'a' - 'A')
	case c == '.' || special(c):
		b.WriteByte('\\')
		b.WriteByte(c)
	case c <= ' ' || c > '~':
		fmt.Fprintf(b, "\\%03d", c)
	default:
		b.WriteByte(c)
	}
}

// MustName is ParseName for constants and tests; it panics on an error.
func MustName(s string) Name {
	n, err := NameFromText(s)
	if err != nil {
		panic(err)
	}
	return n
}

// String is the name without the final dot; the root is ".".
func (n Name) String() string { return n.s }

// FQDN is the name with the final dot.
func (n Name) FQDN() string {
	if n.s == "" || n.s == "." {
		return n.s
	}
	return n.s + "."
}

// IsZero reports whether n is no name.
func (n Name) IsZero() bool { return n.s == "" }

// IsRoot reports whether n is the root.
func (n Name) IsRoot() bool { return n.s == "." }

// NumLabels counts the labels; the root has none.
func (n Name) NumLabels() int {
	if n.s == "" || n.s == "." {
		return 0
	}
	c := 1
	for i := 0; i < len(n.s); i++ {
		if n.s[i] == '\\' {
			i++ // what follows is part of a label, an escaped dot too
		} else if n.s[i] == '.' {
			c++
		}
	}
	return c
}

// Parent is the name without its leftmost label; the parent of a single label
// is the root, of the root and of no name it is no name.
func (n Name) Parent() Name {
	if n.s == "" || n.s == "." {
		return Name{}
	}
	for i := 0; i < len(n.s); i++ {
		if n.s[i] == '\\' {
			i++
		} else if n.s[i] == '.' {
			return Name{n.s[i+1:]}
		}
	}
	return Root
}

// First is the leftmost label, in escaped form; empty for the root.
func (n Name) First() string {
	p := n.Parent()
	switch {
	case n.s == "" || n.s == ".":
		return ""
	case p.IsRoot():
		return n.s
	}
	return n.s[:len(n.s)-len(p.s)-1]
}

// Suffix is the name of the rightmost count labels, n itself if it has fewer.
func (n Name) Suffix(count int) Name {
	for k := n.NumLabels(); k > count; k-- {
		n = n.Parent()
	}
	return n
}

// Within reports whether n is parent or a name below it.
func (n Name) Within(parent Name) bool {
	if n.s == "" || parent.s == "" {
		return false
	}
	if parent.s == "." || n.s == parent.s {
		return true
	}
	at := len(n.s) - len(parent.s) - 1
	if at < 1 || n.s[at] != '.' || n.s[at+1:] != parent.s {
		return false
	}
	slashes := 0 // an escaped dot is no boundary
	for i := at - 1; i >= 0 && n.s[i] == '\\'; i-- {
		slashes++
	}
	return slashes%2 == 0
}

// Below is the name with labels in front: Below("_dmarc"). The labels are taken
// as in [NameFromText]. It fails when the result is too long.
func (n Name) Below(labels string) (Name, error) {
	if n.s == "" {
		return Name{}, &NameError{In: shorten(labels), At: -1, Reason: "no parent name"}
	}
	l, err := NameFromText(labels)
	if err != nil || n.s == "." {
		return l, err
	}
	s := l.s + "." + n.s
	if len(s) <= MaxName {
		return Name{s}, nil
	}
	return NameFromMaster(s) // counts escapes as the octet they stand for
}

// Unicode is the name with its A-labels shown as U-labels where they are valid.
// It is for people: foreign names can imitate others, so show both.
func (n Name) Unicode() string {
	if !strings.Contains(n.s, "xn--") {
		return n.s
	}
	u, err := idna.Display.ToUnicode(n.s)
	if err != nil {
		return n.s
	}
	return u
}

// MarshalText writes String.
func (n Name) MarshalText() ([]byte, error) { return []byte(n.s), nil }

// UnmarshalText reads master file form; empty text is the zero value.
func (n *Name) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*n = Name{}
		return nil
	}
	v, err := NameFromMaster(string(b))
	if err != nil {
		return err
	}
	*n = v
	return nil
}
