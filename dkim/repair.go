package dkim

import (
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
)

// Repaired returns the record that was meant, when the text was only mangled:
// zone file escapes, quotes, lost semicolons, upper-case tag names, tags out of
// order or published twice with one value, a PEM frame, lost padding, a key in
// the wrong wrapping. The key stays the same. It changes nothing that a person
// has to decide, such as t=y, h= or a short key. ok is false when there is
// nothing to repair or the result would not be usable.
func (r Record) Repaired() (fixed Record, ok bool) {
	for _, p := range r.Problems {
		if p.Kind == PrivateExposed || p.Kind == TooBig || p.Kind == NotKey {
			return Record{}, false
		}
	}
	text := r.Text
	if slices.ContainsFunc(r.Problems, func(p Problem) bool {
		return p.Kind == Quotes || p.Kind == Backslash || p.Kind == BadCharacter
	}) {
		text = unmangle(text)
	}
	n, _ := ParseRecord(text)
	n, _ = ParseRecord(separate(n))
	fixed = reread(tidy(n))
	if fixed.Err() != nil || fixed.Key.Public() == nil && !fixed.Key.Revoked {
		return Record{}, false
	}
	// What was no key before must not turn into a revocation.
	if fixed.Key.Revoked && !r.Key.Revoked {
		return Record{}, false
	}
	if fixed.String() == r.String() && len(fixed.Problems) == len(r.Problems) {
		return Record{}, false
	}
	return fixed, true
}

// unmangle takes out what editors put in.
func unmangle(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '"' || c == '\\' || c < ' ' && c != '\t' && c != '\r' && c != '\n':
			return -1
		case c == '\u00a0':
			return ' '
		case c > '~':
			return -1
		}
		return c
	}, s)
}

// separate puts the missing semicolons in.
func separate(r Record) string {
	text := r.Text
	for range MaxTags {
		i := slices.IndexFunc(r.Problems, func(p Problem) bool { return p.Kind == NoSemicolon })
		if i < 0 {
			return text
		}
		at := r.Problems[i].At
		text = text[:at] + "; " + text[at:]
		r, _ = ParseRecord(text)
	}
	return text
}

// tidy puts tags into the form that everybody reads.
func tidy(r Record) []Tag {
	var tags []Tag
	for _, t := range r.Tags {
		t.Name = strings.ToLower(t.Name)
		switch {
		case t.Name == "" || t.Name == "g":
			continue
		case t.Value == "" && strings.Contains("k h s t ", t.Name+" "):
			continue
		case slices.ContainsFunc(tags, func(u Tag) bool { return u.Name == t.Name && strip(u.Value) == strip(t.Value) }):
			continue
		case t.Name == "v" && strings.EqualFold(t.Value, version):
			tags = slices.Insert(tags, 0, Tag{Name: "v", Value: version})
			continue
		case t.Name == "k":
			t.Value = strings.ToLower(t.Value)
		case t.Name == "p":
			t.Value = tidyBase64(t.Value)
		}
		tags = append(tags, t)
	}
	n := reread(tags)
	// Another type may be one that is not known here: a person has to look at it.
	if n.KeyType != KeyRSA && n.KeyType != KeyEd25519 {
		return n.Tags
	}
	switch key := n.Key; {
	case key.ed != nil && (key.Form == FormSPKI || n.KeyType != KeyEd25519):
		n = n.With("p", base64.StdEncoding.EncodeToString(key.ed)).With("k", KeyEd25519)
	case key.rsa != nil && (key.Form == FormPKCS1 || n.KeyType != KeyRSA):
		if der, err := x509.MarshalPKIXPublicKey(key.rsa); err == nil {
			n = n.With("p", base64.StdEncoding.EncodeToString(der)).With("k", KeyRSA)
		}
	}
	return n.Tags
}

var (
	pemFrame    = strings.NewReplacer("-----BEGINPUBLICKEY-----", "", "-----ENDPUBLICKEY-----", "", "-----BEGINRSAPUBLICKEY-----", "", "-----ENDRSAPUBLICKEY-----", "")
	urlAlphabet = strings.NewReplacer("-", "+", "_", "/")
)

// tidyBase64 takes a PEM frame away, maps the URL alphabet and sets the padding.
func tidyBase64(s string) string {
	s = strings.TrimRight(urlAlphabet.Replace(pemFrame.Replace(strip(s))), "=")
	if strings.Contains(s, "=") {
		return s
	}
	return s + strings.Repeat("=", (4-len(s)%4)%4)
}
