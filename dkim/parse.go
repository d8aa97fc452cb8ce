package dkim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Limits of a record. A DNS message ends at 65535 octets, and a key of 4096 bits
// needs about 740; what is over these is an attack or a mistake.
const (
	MaxRecord = 64 << 10 // octets of text
	MaxTags   = 64
	MaxKey    = 16 << 10 // octets of DER
	MaxBits   = 16384    // of an RSA modulus
)

// maxProblems bounds what one record can report.
const maxProblems = 32

// ParseRecord reads the text of a key record: the strings of one TXT record,
// joined without anything between them (RFC 6376, Section 3.6.2.2). The record is
// filled as far as it can be read; the error is that of [Record.Err].
func ParseRecord(text string) (Record, error) {
	p := parser{r: Record{Text: text, KeyType: KeyRSA}}
	p.parse()
	p.raise()
	slices.SortStableFunc(p.r.Problems, func(a, b Problem) int { return cmp.Compare(a.At, b.At) })
	return p.r, p.r.Err()
}

type parser struct {
	r   Record
	bad bool // the text was mangled as a whole, and that is already reported
}

// add reports a problem with the effect that its kind has by itself.
func (p *parser) add(k Kind, at int, tag, detail, hint string) {
	effect := Discarded
	switch k {
	case VersionOrder, EmptyTag, Quotes, Backslash, BadCharacter, NoSemicolon, TagCase, Testing:
		effect = Disputed
	case PKCS1, Obsolete:
		effect = Harmless
	}
	p.report(Problem{Kind: k, Effect: effect, Tag: tag, At: at, Detail: detail, Hint: hint})
}

func (p *parser) report(pr Problem) {
	if len(p.r.Problems) < maxProblems {
		p.r.Problems = append(p.r.Problems, pr)
		return
	}
	// What discards the record must not get lost behind trifles.
	for i := range p.r.Problems {
		if pr.Effect == Discarded && p.r.Problems[i].Effect != Discarded {
			p.r.Problems[i] = pr
			return
		}
	}
}

// raise gives what mangled the text the effect of what follows from it, so that
// the cause is reported first and not only a version called "DKIM1\\".
func (p *parser) raise() {
	if p.r.Err() == nil {
		return
	}
	for i := range p.r.Problems {
		if p.r.Problems[i].Kind.cause() {
			p.r.Problems[i].Effect = Discarded
		}
	}
}

// cause reports the kinds that bring about others.
func (k Kind) cause() bool {
	switch k {
	case Quotes, Backslash, BadCharacter, NoSemicolon, TagCase, PrivateExposed:
		return true
	}
	return false
}

func (p *parser) parse() {
	text := p.r.Text
	switch {
	case len(text) > MaxRecord:
		p.add(TooBig, MaxRecord, "", fmt.Sprintf("%d octets of text, limit %d", len(text), MaxRecord), "")
		return
	case blank(text):
		p.add(Empty, 0, "", "the record is empty", "publish the key, or remove the record")
		return
	}
	if p.foreign() {
		return
	}
	p.mangled()
	p.split()
	p.version()
	p.lists()
	p.key()
}

// split cuts the text into tags.
func (p *parser) split() {
	text := p.r.Text
	seen := make(map[string]bool)
	for at := 0; at <= len(text); {
		end := strings.IndexByte(text[at:], ';')
		last := end < 0
		if last {
			end = len(text) - at
		}
		// The semicolon after the last tag is optional, so nothing may follow it.
		if part := text[at : at+end]; blank(part) {
			if !last {
				p.add(EmptyTag, at, "", "two semicolons without a tag between them", "remove one of them")
			}
		} else if len(p.r.Tags) == MaxTags {
			p.add(TooBig, at, "", fmt.Sprintf("more than %d tags", MaxTags), "")
			return
		} else {
			p.tag(at, part, seen)
		}
		at += end + 1
	}
}

// tag reads one part between semicolons.
func (p *parser) tag(at int, part string, seen map[string]bool) {
	name, value, ok := strings.Cut(part, "=")
	if !ok || blank(name) {
		p.nameless(at, part, ok)
		return
	}
	t := Tag{
		Name:  strings.Trim(name, space),
		Value: strings.Trim(value, space),
		At:    at + len(name) - len(strings.TrimLeft(name, space)),
	}
	t.ValueAt = at + len(name) + 1 + len(value) - len(strings.TrimLeft(value, space))
	p.r.Tags = append(p.r.Tags, t)
	switch {
	case !isName(t.Name):
		p.add(BadName, t.At, "", fmt.Sprintf("%+q is no tag name", shorten(t.Name)), "tag names are a letter, then letters, digits and underscores")
		return
	case seen[t.Name]:
		// RFC 6376, Section 3.2: a tag that occurs twice makes the whole list invalid.
		p.add(DuplicateTag, t.At, t.Name, "the tag occurs twice", "keep one of them")
	case t.Name != strings.ToLower(t.Name) && strings.Contains(known, strings.ToLower(t.Name)+" "):
		p.add(TagCase, t.At, t.Name, "tag names are case-sensitive: this one is unknown and ignored", "write "+strings.ToLower(t.Name)+"=")
	}
	seen[t.Name] = true
	p.runTogether(t)
}

// nameless keeps a part without "=", or with nothing before it.
func (p *parser) nameless(at int, part string, equals bool) {
	at += len(part) - len(strings.TrimLeft(part, space))
	part = strings.Trim(part, space)
	p.r.Tags = append(p.r.Tags, Tag{Value: part, At: at, ValueAt: at})
	if equals {
		p.add(BadName, at, "", fmt.Sprintf("%+q has no tag name", shorten(part)), "write tag=value, or remove it")
		return
	}
	p.add(NoEquals, at, "", fmt.Sprintf("%+q is no tag: it has no \"=\"", shorten(part)), "write tag=value, or remove it")
}

const known = "v k p h s t n g "

// runTogether finds a tag that begins inside a value, as "DKIM1 k=rsa".
func (p *parser) runTogether(t Tag) {
	if t.Name == "n" || p.bad {
		return
	}
	for i := 1; i+2 < len(t.Value); i++ {
		if isSpace(t.Value[i-1]) && t.Value[i+1] == '=' && t.Value[i+2] != '=' && strings.IndexByte("vkphstn", t.Value[i]) >= 0 {
			p.add(NoSemicolon, t.ValueAt+i, t.Name, fmt.Sprintf("no semicolon before %+q", excerpt(t.Value, i)), "put a semicolon between the tags")
			return
		}
	}
}

// version checks v=.
func (p *parser) version() {
	i := p.r.find("v")
	if i < 0 {
		return // RFC 6376, Section 3.6.1: v= is recommended, not required.
	}
	t := p.r.Tags[i]
	p.r.Version = t.Value
	if i > 0 {
		p.add(VersionOrder, t.At, "v", "v= is not the first tag", "move v=DKIM1 to the front")
	}
	if t.Value == version {
		return
	}
	hint := "write v=DKIM1"
	if strings.EqualFold(t.Value, version) {
		hint = "write v=DKIM1 in upper case"
	}
	// RFC 6376, Section 3.6.1: a record of another version is discarded.
	p.add(WrongVersion, t.ValueAt, "v", fmt.Sprintf("version %+q", shorten(t.Value)), hint)
}

// lists reads the tags beside the key.
func (p *parser) lists() {
	seen := make(map[string]bool)
	for _, t := range p.r.Tags {
		if seen[t.Name] {
			continue
		}
		seen[t.Name] = true
		if t.Value == "" && strings.Contains("k h s t ", t.Name+" ") && t.Name != "" {
			p.add(EmptyTag, t.At, t.Name, "the tag has no value", "remove it: its default is meant")
		}
		switch t.Name {
		case "k":
			p.r.KeyType = t.Value
		case "h":
			p.r.Hashes = colons(t.Value)
			if !slices.Contains(p.r.Hashes, "sha256") {
				// RFC 8301, Section 3.1: SHA-1 is neither signed nor verified with.
				p.add(NoSHA256, t.ValueAt, "h", fmt.Sprintf("hash list %+q has no sha256", shorten(t.Value)), "remove h=")
			}
		case "s":
			p.r.Services = colons(t.Value)
			if !p.r.AllowsService("email") {
				hint := "remove s="
				if p.r.AllowsService("tlsrpt") { // RFC 8460, Section 3: keys for the mails with TLS reports
					hint = "leave it if the key signs TLS reports only, else remove s="
				}
				// RFC 6376, Section 3.6.1: a key for other services is ignored.
				p.add(NotForEmail, t.ValueAt, "s", fmt.Sprintf("service list %+q has neither email nor *", shorten(t.Value)), hint)
			}
		case "t":
			p.r.Flags = colons(t.Value)
			if p.r.HasFlag("y") {
				p.add(Testing, t.ValueAt, "t", "the key is marked as a test: verifiers may treat the mail as unsigned", "remove t=y once mail verifies")
			}
		case "n":
			p.r.Notes = t.Value
		case "g":
			p.add(Obsolete, t.At, "g", "g= is a leftover of RFC 4871 and ignored", "remove it")
		}
	}
}

// colons splits a list; it is never nil, so that an empty list is not "absent".
func colons(s string) []string {
	out := []string{}
	for v := range strings.SplitSeq(s, ":") {
		if v = strings.Trim(v, space); v != "" && len(out) < MaxTags {
			out = append(out, v)
		}
	}
	return out
}
