package spf

import (
	"errors"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// maxIdentity bounds HELO and MAIL FROM: RFC 5321, Section 4.5.3.1 allows 64
// octets of local part and 255 of domain.
const maxIdentity = 1024

// identify finds the domain and the values of the macros.
func (e *evaluator) identify(args Args) (domainName, error) {
	if !args.IP.IsValid() {
		return domainName{}, &Problem{Term: -1, Err: errors.New("spf: no client address")}
	}
	if len(args.Helo) > maxIdentity || len(args.MailFrom) > maxIdentity {
		return domainName{}, &Problem{Term: -1, Err: ErrIdentity}
	}
	e.ip = newClient(args.IP)
	e.helo = ascii(args.Helo)
	from := args.MailFrom
	if len(from) > 1 && from[0] == '<' && from[len(from)-1] == '>' {
		from = from[1 : len(from)-1]
	}
	e.local, e.senderDomain = "postmaster", e.helo
	if from != "" {
		e.senderDomain = from
		if at := strings.LastIndexByte(from, '@'); at >= 0 {
			e.senderDomain = from[at+1:]
			// RFC 7208, Section 4.3: an empty local part is taken as postmaster.
			if at > 0 {
				e.local = from[:at]
			}
		}
		e.senderDomain = ascii(e.senderDomain)
	}
	e.utf8Local = !isASCII(e.local)
	e.senderDomain = strings.TrimSuffix(e.senderDomain, ".")
	n, err := resolve.NameFromText(e.senderDomain)
	if err != nil || single(n) || e.senderDomain[0] == '[' {
		return domainName{}, &Problem{Term: -1, Text: e.senderDomain, Err: ErrIdentity}
	}
	return domainName{n, e.senderDomain}, nil
}

// ascii turns U-labels into A-labels (RFC 8616, Section 4); what is no name stays.
func ascii(s string) string {
	if isASCII(s) {
		return s
	}
	if n, err := resolve.ParseName(s); err == nil {
		return n.String()
	}
	return s
}

// single reports whether a name has less than two labels.
func single(n resolve.Name) bool {
	s := n.String()
	i := strings.IndexByte(s, '.')
	if i > 0 && s[i-1] != '\\' {
		return false
	}
	return n.NumLabels() < 2
}
