package tlsrpt

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// parsePlace reads one entry of rua. The problem is zero if there is none.
func parsePlace(s string) (URI, Problem) {
	u := URI{Text: s}
	bad := func(why, suggestion string) (URI, Problem) {
		return u, Problem{Kind: URIInvalid, Message: quoteRecord(s) + " " + why + ", so no reports go there", Suggestion: suggestion}
	}
	switch {
	case s == "":
		return u, Problem{Kind: URIInvalid, Message: "a comma without a URI next to it"}
	case strings.ContainsAny(s, recordWSP):
		return bad("has white space in it: places are separated by commas", guessPlaces(s))
	case strings.Contains(s, "!"):
		// RFC 8460, Section 3: "!" has to be percent-encoded; DMARC once had a size there.
		before, _, _ := strings.Cut(s, "!")
		return bad(`has a "!" that is not encoded as %21`, before)
	case strings.ContainsAny(s, "\"<>\\^`{|}"):
		return bad("has a character that no URI has", guessPlace(s))
	}
	scheme, rest, found := strings.Cut(s, ":")
	if !found || strings.Contains(scheme, "@") {
		return bad("is no URI: it has no scheme such as mailto:", guessPlace(s))
	}
	u.Scheme = strings.ToLower(scheme)
	switch u.Scheme {
	case "mailto":
		if why := u.mailto(rest); why != "" {
			return bad(why, guessPlace(rest))
		}
	case "https":
		parsed, err := url.Parse(s)
		if err != nil || parsed.Hostname() == "" || parsed.User != nil {
			return bad("is no address that can be posted to", "")
		}
		u.Host = parsed.Hostname()
		if n, err := resolve.ParseName(u.Host); err == nil {
			u.Host = n.String()
		}
	default:
		// RFC 8460, Section 3: mailto and https are the ones to be used.
		p := Problem{Kind: URIScheme, Message: fmt.Sprintf("%s is neither mailto nor https, so no reports go there", quoteRecord(s))}
		if tail, cut := strings.CutPrefix(rest, "//"); cut && u.Scheme == "http" {
			p.Suggestion = "https://" + tail
		} else {
			p.Suggestion = guessPlace(rest)
		}
		return u, p
	}
	u.Valid = true
	return u, Problem{}
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

// guessPlace makes a mailto of something that has an address in it.
func guessPlace(s string) string {
	s = strings.Trim(s, "<>\"'`/ \t")
	for _, p := range []string{"mailto:", "mailto=", "rua="} {
		if len(s) > len(p) && strings.EqualFold(s[:len(p)], p) {
			s = strings.Trim(s[len(p):], "<>\"'`/ \t")
		}
	}
	var u URI
	if u.mailto(s) != "" || strings.ContainsAny(s, "\"<>\\^`{|}!, \t") || badRecordOctet(s) >= 0 {
		return ""
	}
	return "mailto:" + s
}

// guessPlaces joins entries that white space separates.
func guessPlaces(s string) string {
	var list []string
	for _, f := range strings.Fields(s) {
		if strings.EqualFold(f, "mailto:") {
			continue
		}
		g := guessPlace(f)
		if g == "" || len(list) == maxURIs {
			return ""
		}
		list = append(list, g)
	}
	return strings.Join(list, ",")
}
