package send

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// ErrAddress matches the error of an address that cannot be sent to or from.
var ErrAddress = errors.New("send: not a mail address")

// AddressError tells why a text is not one address.
type AddressError struct {
	In     string // shortened
	At     int    // offset in octets
	Reason string
	Hint   string
}

// Error quotes the text.
func (e *AddressError) Error() string {
	return fmt.Sprintf("%v: %q at offset %d: %s", ErrAddress, e.In, e.At, e.Reason)
}

// Unwrap returns ErrAddress.
func (e *AddressError) Unwrap() error { return ErrAddress }

const (
	maxLocal   = 64  // RFC 5321, Section 4.5.3.1.1
	maxAddress = 254 // RFC 5321, Section 4.5.3.1.3, without the brackets
)

// address is a mailbox that can stand between < and >.
type address struct {
	local  string
	domain resolve.Name
}

func (a address) String() string { return a.local + "@" + a.domain.String() }

// ascii reports whether the address needs no SMTPUTF8.
func (a address) ascii() bool { return isASCII(a.local) }

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// parseAddress reads a Mailbox (RFC 5321, Section 4.1.2; RFC 6531, Section 3.3)
// and nothing looser: what passes here goes between < and > on the wire, where
// any other character could begin a parameter or a command.
func parseAddress(text string) (address, error) {
	fail := func(at int, reason, hint string) (address, error) {
		return address{}, &AddressError{In: text[:min(len(text), 80)], At: at, Reason: reason, Hint: hint}
	}
	if len(text) > maxAddress {
		return fail(maxAddress, fmt.Sprintf("longer than %d octets", maxAddress), "")
	}
	if !utf8.ValidString(text) {
		return fail(0, "not UTF-8", "")
	}
	end, err := localPart(text)
	switch {
	case err != nil:
		return fail(end, err.Error(), "one address, as in postmaster@example.org")
	case end == 0:
		return fail(0, "the local-part is empty", "one address, as in postmaster@example.org")
	case end > maxLocal:
		return fail(maxLocal, fmt.Sprintf("the local-part is longer than %d octets", maxLocal), "")
	case end == len(text) || text[end] != '@':
		return fail(end, "want @ and a domain", "one address, as in postmaster@example.org")
	}
	domain := text[end+1:]
	if strings.HasPrefix(domain, "[") {
		return fail(end+1, "an address literal has no domain to look at", "give the domain")
	}
	if strings.ContainsAny(domain, "@<>,;\" \t\\()") {
		return fail(end+1+strings.IndexAny(domain, "@<>,;\" \t\\()"), "want one domain and nothing behind it", "one recipient for each probe")
	}
	if _, err := netip.ParseAddr(domain); err == nil {
		return fail(end+1, "an IP address is no domain", "")
	}
	name, err := resolve.ParseName(domain)
	if err != nil {
		hint := ""
		if e, ok := errors.AsType[*resolve.NameError](err); ok {
			hint = e.Hint
		}
		return fail(end+1, "the domain is not usable: "+err.Error(), hint)
	}
	if name.IsRoot() || name.NumLabels() < 2 && name.String() != "localhost" {
		return fail(end+1, "the domain has one label only", "give the full domain")
	}
	for i := range len(name.String()) {
		if b := name.String()[i]; (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' && b != '.' && b != '_' {
			return fail(end+1, "the domain holds octets that no mail domain has", "")
		}
	}
	return address{local: text[:end], domain: name}, nil
}

// localPart returns where the local-part ends: a dot-string or a quoted string.
func localPart(s string) (int, error) {
	if !strings.HasPrefix(s, `"`) {
		dot := true // a dot here would be the first or the second in a row
		for i, r := range s {
			switch {
			case r == '@' && dot && i > 0:
				return i - 1, errors.New("a dot ends the local-part")
			case r == '@':
				return i, nil
			case r == '.' && dot:
				return i, errors.New("a dot where none may be")
			case r != '.' && !atext(r):
				return i, fmt.Errorf("%q may not stand there", r)
			}
			dot = r == '.'
		}
		return len(s), nil
	}
	for i := 1; i < len(s); i++ {
		switch b := s[i]; {
		case b == '"':
			return i + 1, nil
		case b == '\\' && i+1 < len(s) && s[i+1] >= ' ' && s[i+1] < 0x7f:
			i++
		case b < ' ' || b == 0x7f || b == '\\':
			return i, fmt.Errorf("%q may not stand in quotes", rune(b))
		}
	}
	return len(s), errors.New("the quotes do not end")
}

// atext are the characters of RFC 5322, Section 3.2.3, and with RFC 6532 those
// above ASCII, but for controls.
func atext(r rune) bool {
	if r >= 0xa0 {
		return r != 0x2028 && r != 0x2029 && r != utf8.RuneError && (r < 0x202a || r > 0x202e) && (r < 0x2066 || r > 0x2069)
	}
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		r < utf8.RuneSelf && strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}
