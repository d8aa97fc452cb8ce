package bimi

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const (
	version     = "BIMI1"
	maxRecord   = 65535 // octets: the data of a TXT record (RFC 1035, Section 3.2.1)
	maxTags     = 256   // read per record; a useful record has five
	maxURL      = 2048  // octets of a URL that are read
	maxPrefixes = 100   // of lps that are read
	maxPrefix   = 63    // characters of a prefix of lps (draft, Section "Assertion Record Definition")
	wsp         = " \t" // RFC 5234, Appendix B.1
	fws         = wsp + "\r\n"
)

// Preference is what is shown of a sender who has a picture of their own.
type Preference string

// The preferences.
const (
	Brand    Preference = "brand"    // the logo; what counts without the tag
	Personal Preference = "personal" // the sender's own picture
)

// Record is a BIMI assertion record. The zero value is an empty text. Make one with
// [Parse] or [NewRecord]; the fields are a reading of the text and changing them does
// not change it.
type Record struct {
	Tags     []Tag     // every segment between semicolons that is not blank, in order
	Problems []Problem // in order of their offset

	Location string // l=, the URL of the picture; empty if absent, declined or not valid
	Evidence string // a=, the URL of the mark certificate; likewise
	// Declined is set if the domain says that it has no logo: l= and a= are empty.
	// It is a choice, no fault.
	Declined   bool
	Preference Preference // avp=, Brand if absent or not valid
	// LocalParts is set if lps= is there: the local part of the sender can be the
	// selector, if it starts with one of the Prefixes or there are none.
	LocalParts bool
	Prefixes   []string

	text string
}

// Tag is one segment of a record.
type Tag struct {
	Name   string // as written; empty when the segment has no "="
	Value  string // without white space around it; the whole segment if Name is empty
	Offset int    // octets from the start of the text to the name
	Raw    string // everything between the semicolons

	start int // offset of Raw
}

// String is the text of the record, byte for byte.
func (r Record) String() string { return r.text }

// MarshalText writes the text of the record.
func (r Record) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// UnmarshalText reads a record, also a text that is none.
func (r *Record) UnmarshalText(b []byte) error {
	*r, _ = Parse(string(b)) // what is wrong is in Problems
	return nil
}

// Tag returns the first tag of that exact name.
func (r Record) Tag(name string) (Tag, bool) {
	for _, t := range r.Tags {
		if t.Name == name {
			return t, true
		}
	}
	return Tag{}, false
}

// RecordOptions are what [NewRecord] puts into a record. The zero value declines.
type RecordOptions struct {
	Location   string // HTTPS URL of the picture
	Evidence   string // HTTPS URL of the mark certificate
	Preference Preference
}

// NewRecord makes a record. It fails with a *[ParseError] if a URL cannot be used.
func NewRecord(opt RecordOptions) (Record, error) {
	var b strings.Builder
	b.WriteString("v=" + version + "; l=" + opt.Location + ";")
	if opt.Evidence != "" || opt.Location == "" {
		b.WriteString(" a=" + opt.Evidence + ";")
	}
	if opt.Preference != "" && opt.Preference != Brand {
		b.WriteString(" avp=" + string(opt.Preference) + ";")
	}
	r, err := Parse(b.String())
	if err == nil && (r.Location != opt.Location || r.Evidence != opt.Evidence) {
		// A semicolon in a URL would start another tag.
		return r, &ParseError{In: head(b.String()), Reason: ErrRecord, Problem: Problem{Kind: Invalid, Effect: Ignored, Message: "a URL has a semicolon or white space in it, which has to be encoded"}}
	}
	return r, err
}

// urlProblem tells why a URL cannot be that of a picture or certificate.
func urlProblem(s string) string {
	if len(s) > maxURL {
		return "it is too long"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "it is no URL"
	case strings.EqualFold(u.Scheme, "http"):
		// Draft, Section "Assertion Record Definition": HTTPS is the only transport.
		return "it is not HTTPS"
	case !strings.EqualFold(u.Scheme, "https"):
		return "it is no HTTPS URL"
	case u.User != nil:
		return "it holds a user name"
	case u.Opaque != "" || u.Hostname() == "":
		return "it has no host"
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return "it names an address where a domain name is needed"
	}
	name, err := resolve.ParseName(u.Hostname())
	if err != nil || name.NumLabels() < 2 || strings.HasPrefix(name.First(), "*") {
		return "its host is no full domain name"
	}
	return ""
}

// LocalPartSelector makes a selector of the local part of an address (draft, Section
// "Local-part Selectors"): without what follows a plus, with hyphens for dots and
// underscores. ok is false if none can be made.
func LocalPartSelector(local string) (selector string, ok bool) {
	local, _, _ = strings.Cut(local, "+")
	var b strings.Builder
	for i := range min(len(local), maxURL) {
		c := local[i]
		switch {
		case c == '.' || c == '_' || c == '-':
			if s := b.String(); s != "" && s[len(s)-1] != '-' {
				b.WriteByte('-')
			}
		case isAlnum(rune(c)):
			b.WriteByte(c)
		default:
			return "", false
		}
	}
	s := strings.ToLower(strings.Trim(b.String(), "-"))
	return s, s != "" && len(s) <= maxPrefix
}

// Wants reports whether the local part of a sender has to be tried as a selector.
func (r Record) Wants(local string) bool {
	if !r.LocalParts {
		return false
	}
	for _, p := range r.Prefixes {
		if len(local) >= len(p) && strings.EqualFold(local[:len(p)], p) {
			return true
		}
	}
	return len(r.Prefixes) == 0
}

func isAlnum(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
