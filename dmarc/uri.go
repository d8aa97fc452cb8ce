package dmarc

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const mailto = "mailto:"

func anyValid(uris []URI) bool {
	for _, u := range uris {
		if u.Valid {
			return true
		}
	}
	return false
}

// uris reads the value of rua or ruf. An entry that is no URI is ignored and the
// others count (RFC 9989, Section 4.8).
func (r *Record) uris(t Tag) []URI {
	if t.Value == "" {
		return nil
	}
	var out []URI
	at, rest, found, misread := t.valueOffset(), t.Value, true, 0
	for found {
		var entry string
		entry, rest, found = strings.Cut(rest, ",")
		if len(out) == maxURIs {
			r.problem(TooLong, t.Name, at, fmt.Sprintf("only the first %d URIs of %s are read", maxURIs, t.Name), "")
			break
		}
		offset := at + len(entry) - len(strings.TrimLeft(entry, wsp))
		at += len(entry) + 1
		u, p := parseURI(strings.Trim(entry, wsp))
		u.Offset = offset
		if p.Kind != "" && misread < maxMisread {
			misread++
			r.problem(p.Kind, t.Name, offset, p.Message, p.Suggestion)
		}
		if u.Size != "" && misread < maxMisread {
			misread++
			r.problem(URISize, t.Name, offset, fmt.Sprintf("the size limit %s is obsolete and ignored", clip("!"+u.Size)), u.Text)
		}
		out = append(out, u)
	}
	return out
}

// parseURI reads one entry. The problem is zero if there is none.
func parseURI(s string) (URI, Problem) {
	bad := func(message, suggestion string) Problem {
		return Problem{Kind: URIInvalid, Message: clip(s) + " " + message, Suggestion: suggestion}
	}
	u := URI{Text: s}
	if s == "" {
		return u, Problem{Kind: URIInvalid, Message: "a comma without a URI next to it"}
	}
	if strings.ContainsAny(s, wsp) {
		return u, bad("has white space in it: entries are separated by commas", guessList(s))
	}
	u.Text, u.Size = cutSize(s)
	if at := strings.IndexByte(u.Text, '!'); at >= 0 {
		// RFC 9989, Section 4.8: "!" has to be percent-encoded.
		suggestion := strings.ReplaceAll(u.Text, "!", "%21")
		if at+1 < len(u.Text) && u.Text[at+1] >= '0' && u.Text[at+1] <= '9' {
			suggestion = u.Text[:at]
		}
		return u, bad(`has a "!" that is not encoded as %21`, suggestion)
	}
	if at := badOctet(u.Text); at >= 0 {
		return u, bad(fmt.Sprintf("has %s, which no URI has", firstQuoted(u.Text[at:])), guessURI(u.Text))
	}
	scheme, rest, found := strings.Cut(u.Text, ":")
	if !found || !isScheme(scheme) {
		return u, bad("is no URI: it has no scheme such as mailto:", guessURI(u.Text))
	}
	u.Scheme = strings.ToLower(scheme)
	if u.Scheme == "mailto" {
		why := u.mailto(rest)
		if why != "" {
			return u, bad(why, guessURI(rest))
		}
		u.Valid = true
		return u, Problem{}
	}
	parsed, err := url.Parse(u.Text)
	if err != nil || rest == "" || strings.HasPrefix(u.Scheme, "http") && parsed.Hostname() == "" {
		return u, bad("is no URI that can be used", "")
	}
	u.Valid = true
	if n, err := resolve.ParseName(parsed.Hostname()); err == nil {
		u.Host = n.String()
	}
	p := Problem{Kind: URIScheme, Message: fmt.Sprintf("%s is not a mailto: receivers need not support other schemes", clip(s))}
	if nearest(u.Scheme, "mailto") != "" || u.Scheme == "mail" || u.Scheme == "email" {
		p.Suggestion = guessURI(rest)
	}
	return u, p
}

// mailto reads the address (RFC 6068, Section 2) and says what is wrong with it.
func (u *URI) mailto(rest string) string {
	rest, _, _ = strings.Cut(rest, "?")
	local, domain, found := strings.Cut(rest, "@")
	switch {
	case !found || local == "" || domain == "":
		return "has no mail address"
	case strings.Contains(domain, "@"):
		return `has more than one "@"`
	case strings.HasPrefix(local, "//"):
		return "has slashes: a mailto has none"
	}
	name, err := url.PathUnescape(local)
	if err != nil {
		return "has a percent sign that encodes nothing"
	}
	host, err := url.PathUnescape(domain)
	if err != nil {
		return "has a percent sign that encodes nothing"
	}
	n, err := resolve.ParseName(host)
	if err != nil || n.IsRoot() {
		return "has no domain name in its address"
	}
	u.Address, u.Host = name+"@"+n.String(), n.String()
	return ""
}

// cutSize takes the obsolete limit off (RFC 9989, Section 4.8, obs-dmarc-report-size).
func cutSize(s string) (uri, size string) {
	at := strings.LastIndexByte(s, '!')
	if at < 0 {
		return s, ""
	}
	digits := s[at+1:]
	if n := len(digits); n > 0 && strings.ContainsRune("kmgtKMGT", rune(digits[n-1])) {
		digits = digits[:n-1]
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return s, ""
	}
	return s[:at], s[at+1:]
}

// badOctet is the offset of the first octet that RFC 3986, Section 2 does not
// allow, -1 if there is none.
func badOctet(s string) int {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return i
		}
	}
	return -1
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || strings.IndexByte("0123456789+-.", s[i]) < 0) {
			return false
		}
	}
	return s != ""
}

// guessURI makes a mailto of something that has an address in it.
func guessURI(s string) string {
	s = strings.Trim(s, "<>\"'`/ \t")
	for _, p := range []string{"mailto:", "mailto=", "mailto.", "rua=", "ruf="} {
		if len(s) > len(p) && strings.EqualFold(s[:len(p)], p) {
			s = strings.Trim(s[len(p):], "<>\"'`/ \t")
			if strings.HasPrefix(p, "ru") {
				return p + guessURI(s)
			}
		}
	}
	u := URI{}
	if u.mailto(s) != "" || badOctet(s) >= 0 {
		return ""
	}
	return mailto + s
}

// guessList joins entries that white space separates.
func guessList(s string) string {
	var list []string
	for _, f := range strings.Fields(s) {
		if strings.EqualFold(f, mailto) {
			continue
		}
		g := guessURI(f)
		if g == "" || len(list) == maxURIs {
			return ""
		}
		list = append(list, g)
	}
	return strings.Join(list, ",")
}
