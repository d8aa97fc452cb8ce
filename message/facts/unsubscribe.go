package facts

import (
	"net/url"
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
)

// Unsubscribe is what a mail offers to those who want no more of it (RFC 2369,
// Section 3.2; RFC 8058). Whether the fields are signed is for the one who verifies
// the signatures to say. No URI here is ever fetched.
type Unsubscribe struct {
	Fields     int              `json:"fields"`      // List-Unsubscribe fields
	PostFields int              `json:"post_fields"` // List-Unsubscribe-Post fields
	URIs       []UnsubscribeURI `json:"uris,omitempty"`
	HTTPS      int              `json:"https"`          // usable https URIs; RFC 8058, Section 3.1, wants one
	Mailto     int              `json:"mailto"`         // usable mailto URIs
	Post       string           `json:"post,omitempty"` // value of the first List-Unsubscribe-Post

	// PostExact is true if that value is what RFC 8058, Section 3.1, demands, in
	// any case: List-Unsubscribe=One-Click.
	PostExact bool `json:"post_exact"`
	// OneClick is true if there is one field each, a usable https URI and the
	// exact value. It still needs a signature over both fields.
	OneClick bool `json:"one_click"`
}

// UnsubscribeURI is one URI of List-Unsubscribe.
type UnsubscribeURI struct {
	Raw      string   `json:"raw"`
	Scheme   string   `json:"scheme,omitempty"` // in lower case
	Host     string   `json:"host,omitempty"`
	Query    bool     `json:"query,omitempty"` // it has a path or a query that can name the recipient
	Problems []string `json:"problems,omitempty"`
}

// Words of UnsubscribeURI.Problems.
const (
	NoBrackets  = "no-brackets"  // not in angle brackets
	Blanks      = "white-space"  // white space inside, as from a folded URI
	Placeholder = "placeholder"  // a template that was not filled in
	BadURI      = "bad-uri"      // not a URI with a host or an address
	UserInfo    = "userinfo"     // a user name before the host
	NonASCII    = "non-ascii"    // octets that have to be encoded
	EncodedURI  = "encoded-word" // written as an encoded word, which URIs may not be
)

const maxURIs = 50 // of one mail

// unsubscribe reads List-Unsubscribe and List-Unsubscribe-Post.
func unsubscribe(h *message.Header) Unsubscribe {
	var u Unsubscribe
	for _, f := range h.All("List-Unsubscribe") {
		u.Fields++
		u.addField(f.Value)
	}
	for i, f := range h.All("List-Unsubscribe-Post") {
		u.PostFields++
		if i == 0 {
			u.Post = f.Value
			u.PostExact = strings.EqualFold(f.Value, "List-Unsubscribe=One-Click")
		}
	}
	u.OneClick = u.Fields == 1 && u.PostFields == 1 && u.HTTPS > 0 && u.PostExact
	return u
}

func (u *Unsubscribe) addField(v string) {
	encoded := strings.Contains(v, "=?") && strings.Contains(v, "?=")
	if encoded {
		v = message.DecodeWords(v)
	}
	for rest := strings.TrimSpace(v); rest != "" && len(u.URIs) < maxURIs; {
		var item string
		bracket := false
		if rest[0] == '<' {
			i := strings.IndexByte(rest, '>')
			if i < 0 {
				i = len(rest)
			} else {
				bracket = true
			}
			item = rest[1:i]
			rest = rest[min(i+1, len(rest)):]
		} else if rest[0] == '(' { // RFC 2369, Section 2: comments are allowed
			_, rest, _ = strings.Cut(rest, ")")
		} else {
			i := strings.IndexAny(rest, ",<")
			if i < 0 {
				i = len(rest)
			}
			item, rest = rest[:i], rest[i:]
		}
		rest = strings.TrimLeft(rest, ", \t\r\n")
		if item = strings.TrimSpace(item); item == "" && !bracket {
			continue
		}
		u.addURI(item, bracket, encoded)
	}
}

func (u *Unsubscribe) addURI(item string, bracket, encoded bool) {
	x := UnsubscribeURI{Raw: item}
	note := func(is bool, word string) {
		if is {
			x.Problems = append(x.Problems, word)
		}
	}
	note(!bracket, NoBrackets)
	note(encoded, EncodedURI)
	note(strings.ContainsAny(item, " \t\r\n"), Blanks)
	note(IsPlaceholder(item), Placeholder)
	note(!isASCII(item), NonASCII)
	parsed, err := url.Parse(strings.Join(strings.Fields(item), ""))
	if err == nil {
		x.Scheme, x.Host = strings.ToLower(parsed.Scheme), parsed.Hostname()
		x.Query = parsed.RawQuery != "" || len(parsed.Path) > 1
		note(parsed.User != nil, UserInfo)
	} else if i := strings.IndexByte(item, ':'); i > 0 {
		x.Scheme = strings.ToLower(item[:i])
	}
	switch {
	case err != nil || x.Scheme == "":
		note(true, BadURI)
	case x.Scheme == "mailto":
		to, _, _ := strings.Cut(parsed.Opaque, "?")
		note(!strings.Contains(to, "@") && !strings.Contains(to, "%40"), BadURI)
	default:
		note(x.Host == "", BadURI)
	}
	if len(x.Problems) == 0 {
		switch x.Scheme {
		case "https":
			u.HTTPS++
		case "mailto":
			u.Mailto++
		}
	}
	u.URIs = append(u.URIs, x)
}

// IsPlaceholder reports whether text holds a variable of a template that was not
// filled in, such as {unsubscribe}, {{ name }}, %%email%%, [[link]], *|FNAME|* or
// <%= id %>.
func IsPlaceholder(s string) bool {
	for _, pair := range [][2]string{{"{", "}"}, {"%%", "%%"}, {"[[", "]]"}, {"*|", "|*"}, {"<%", "%>"}, {"${", "}"}, {"%7B", "%7D"}, {"%7b", "%7d"}} {
		i := strings.Index(s, pair[0])
		if i < 0 {
			continue
		}
		rest := s[i+len(pair[0]):]
		if j := strings.Index(rest, pair[1]); j > 0 && j <= 60 && variable(rest[:j]) {
			return true
		}
	}
	return false
}

// variable reports whether text looks like the name of a variable.
func variable(s string) bool {
	letters := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letters++
		case strings.IndexByte("_-. {|=:#/$%0123456789", c) >= 0:
		default:
			return false
		}
	}
	return letters > 1
}
