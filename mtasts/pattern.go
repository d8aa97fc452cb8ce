package mtasts

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Pattern is one mx of a policy: a host, or a wildcard for one label (RFC 8461,
// Section 4.1). The zero value matches nothing.
type Pattern struct {
	Name     resolve.Name // without the "*."
	Wildcard bool
}

// ParsePattern reads the value of an mx. Errors are *[ParseError] that match
// [ErrPolicy].
func ParsePattern(text string) (Pattern, error) {
	p, bad := parsePattern(text)
	if bad.Effect == Ignored {
		return Pattern{}, &ParseError{In: head(text), Reason: ErrPolicy, Problem: bad}
	}
	return p, nil
}

// String is the pattern as it stands in a policy.
func (p Pattern) String() string {
	if p.Wildcard {
		return "*." + p.Name.String()
	}
	return p.Name.String()
}

// MarshalText writes String.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the value of an mx; empty text is the zero value.
func (p *Pattern) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*p = Pattern{}
		return nil
	}
	v, err := ParsePattern(string(b))
	*p = v
	return err
}

// Match reports whether the pattern covers a host: the same name, or exactly one
// label in place of the wildcard. Case and the final dot do not matter, U-labels
// are compared as A-labels: names are in that form.
func (p Pattern) Match(host resolve.Name) bool {
	if p.Name.IsZero() || host.IsZero() {
		return false
	}
	if p.Wildcard {
		// RFC 8461, Section 4.1: the wildcard stands for one whole left-most label.
		return host.Parent() == p.Name
	}
	return host == p.Name
}

// parsePattern reads a pattern. The problem is zero if there is none; the pattern
// is zero if there is no way to read one.
func parsePattern(text string) (Pattern, Problem) {
	bad := func(k Kind, message, suggestion string) Problem {
		if suggestion != "" {
			suggestion = "mx: " + suggestion
		}
		return Problem{Kind: k, Effect: Ignored, Field: "mx", Message: clip(text) + " " + message + ", so senders ignore the policy", Suggestion: suggestion}
	}
	rest, wildcard := strings.CutPrefix(text, "*.")
	switch {
	case text == "":
		return Pattern{}, bad(Invalid, "is no host", "")
	case strings.ContainsAny(text, ", ;\t"):
		var list []string
		for _, s := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(", ;\t", c) }) {
			if p, q := parsePattern(s); q.Kind == "" && len(list) < maxLines {
				list = append(list, "mx: "+p.String())
			}
		}
		q := bad(List, "is more than one host: each has a line of its own", "")
		q.Suggestion = strings.Join(list, "\n")
		return Pattern{}, q
	case strings.HasPrefix(text, "."):
		return Pattern{}, bad(Invalid, "starts with a dot: a wildcard is written *.", tidy("*"+text))
	case strings.ContainsAny(text, "\"'<>[]"):
		suggestion := strings.Trim(text, "\"'<>[] ")
		if suggestion != text {
			suggestion = tidy(suggestion)
		} else {
			suggestion = ""
		}
		return Pattern{}, bad(Invalid, "has quotation marks or brackets in it", suggestion)
	case strings.Contains(rest, "*") || wildcard && rest == "":
		return Pattern{}, bad(Invalid, "has its wildcard in the wrong place: it can only be the whole first label", "")
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return Pattern{}, bad(Invalid, "is an address: a host name is needed", "")
	}
	name, err := resolve.ParseName(rest)
	if err != nil || name.IsRoot() {
		why := "is no host name"
		if e, ok := errors.AsType[*resolve.NameError](err); ok {
			why += ": " + e.Reason
		}
		return Pattern{}, bad(Invalid, why, "")
	}
	p := Pattern{Name: name, Wildcard: wildcard}
	plain := strings.EqualFold(rest, name.String())
	switch {
	case plain && isHost(rest):
		return p, Problem{}
	case strings.HasSuffix(rest, ".") && isHost(strings.TrimSuffix(rest, ".")):
		q := bad(Invalid, "ends in a dot, which strict senders refuse", p.String())
		q.Effect, q.Message = AtRisk, clip(text)+" ends in a dot: strict senders ignore the policy"
		return p, q
	case !plain:
		// RFC 8461, Section 3.2: A-labels are needed.
		q := bad(Invalid, "", p.String())
		q.Effect, q.Message = AtRisk, clip(text)+" is not in A-labels: strict senders ignore the policy"
		return p, q
	}
	q := bad(Invalid, "", "")
	q.Effect, q.Message = AtRisk, fmt.Sprintf("%s has characters that no host name has: strict senders ignore the policy", clip(text))
	return p, q
}

// tidy is the text if it is a pattern, else nothing.
func tidy(s string) string {
	if p, q := parsePattern(s); q.Kind == "" {
		return p.String()
	}
	return ""
}

// isHost reports whether all labels are letters, digits and hyphens (RFC 5321,
// Section 4.1.2).
func isHost(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		if strings.IndexFunc(label, func(c rune) bool { return c != '-' && !isAlnum(c) }) >= 0 {
			return false
		}
	}
	return true
}
