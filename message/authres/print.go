package authres

import "strings"

// String is the field in the form of RFC 8601, without comments and without what
// was not understood. It parses to the same results.
func (r Results) String() string {
	var b strings.Builder
	if r.ServID != "" {
		b.WriteString(quote(r.ServID))
		if r.Version != "" {
			b.WriteString(" " + r.Version)
		}
	}
	if len(r.Results) == 0 {
		b.WriteString("; none")
		return b.String()
	}
	for i, x := range r.Results {
		if i > 0 || r.ServID != "" {
			b.WriteString("; ")
		}
		b.WriteString(x.String())
	}
	return b.String()
}

// String is the result as it stands in a field.
func (r Result) String() string {
	var b strings.Builder
	b.WriteString(r.Method)
	if r.Version != "" {
		b.WriteString("/" + r.Version)
	}
	b.WriteString("=" + quote(r.Value))
	if r.Reason != "" {
		b.WriteString(" reason=" + quote(r.Reason))
	}
	for _, p := range r.Props {
		name := p.Name
		if p.Type != "" || strings.Contains(p.Name, ".") {
			name = p.Type + "." + p.Name
		}
		b.WriteString(" " + name + "=" + quoteProp(p.Value))
	}
	return b.String()
}

// token reports whether s is one (RFC 2045, Section 5.1).
func token(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func quote(s string) string {
	if token(s) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// quoteProp leaves addresses as they are (RFC 8601, Section 2.2: a pvalue can be
// one).
func quoteProp(s string) string {
	if local, domain, ok := strings.Cut(s, "@"); ok && (local == "" || token(local)) && token(domain) {
		return s
	}
	return quote(s)
}
