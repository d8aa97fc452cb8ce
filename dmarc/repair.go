package dmarc

import (
	"fmt"
	"strings"
)

// Repair does what the suggestion of one of the record's problems says and
// leaves every other byte as it is. The suggestion stands for
//
//   - the whole text, for the problems that void it (the Version kinds, Quoted,
//     LeadingText);
//   - the value, for PolicyInvalid and OptionInvalid;
//   - the name, or name and value if it has a "=", for TagCase, UnknownTag and
//     Junk; for Junk also those of the tag before, if it has its name;
//   - the entry of the list, for the URI kinds.
//
// Without a suggestion, Junk, EmptyValue and RemovedTag take the segment out, and
// PolicyNotSecond moves p. The error matches [ErrEdit] when the problem has no
// such repair, or repairing it would bring another.
func (r Record) Repair(p Problem) (Record, error) {
	text, ok := r.repaired(p)
	if !ok {
		return r, fmt.Errorf("%w: no repair is known for: %s", ErrEdit, p)
	}
	out, _ := Parse(text)
	if out.weight() >= r.weight() {
		return r, fmt.Errorf("%w: the repair would bring another problem: %s", ErrEdit, p)
	}
	return out, nil
}

// weight counts problems; one that voids the record outweighs all others, as
// they were perhaps hidden by it.
func (r Record) weight() int {
	n := len(r.Problems)
	if !isRecord(r.text) {
		n += 1 << 20
	}
	return n
}

func (r Record) repaired(p Problem) (string, bool) {
	if p.Offset < 0 || p.Offset > len(r.text) {
		return "", false
	}
	i := r.tagAt(p.Offset)
	switch p.Kind {
	case VersionMissing, VersionInvalid, VersionCase, VersionNotFirst, Quoted, LeadingText:
		return p.Suggestion, p.Suggestion != ""
	case PolicyNotSecond:
		t, _ := r.Tag("p")
		out, err := r.Remove("p").Set("p", t.Value)
		return out.text, err == nil
	case RemovedTag:
		return r.Remove(p.Tag).text, i > 0
	case EmptyValue:
		return r.without(p.Offset), i > 0
	case Junk:
		return r.repairJunk(p, i)
	case PolicyInvalid, OptionInvalid:
		if i < 0 || p.Suggestion == "" {
			return "", false
		}
		return splice(r.text, p.Offset, len(r.Tags[i].Value), p.Suggestion), true
	case TagCase, UnknownTag:
		if i < 0 || p.Suggestion == "" {
			return "", false
		}
		length := len(r.Tags[i].Name)
		if strings.Contains(p.Suggestion, "=") {
			length = len(r.Tags[i].body())
		}
		return splice(r.text, p.Offset, length, p.Suggestion), true
	case URIInvalid, URIScheme, URISize:
		return r.repairURI(p)
	}
	return "", false
}

func (r Record) repairJunk(p Problem, i int) (string, bool) {
	if i <= 0 || p.Suggestion == "" {
		return r.without(p.Offset), p.Offset > 0
	}
	t, prev := r.Tags[i], r.Tags[i-1]
	if prev.Name != "" && strings.HasPrefix(p.Suggestion, prev.Name+"="+prev.Value) {
		return splice(r.text, prev.Offset, t.Offset+len(t.Value)-prev.Offset, p.Suggestion), true
	}
	return splice(r.text, t.Offset, len(t.Value), p.Suggestion), true
}

func (r Record) repairURI(p Problem) (string, bool) {
	if p.Suggestion == "" {
		return "", false
	}
	entry := r.text[p.Offset:]
	if end := strings.IndexAny(entry, ",;"); end >= 0 {
		entry = entry[:end]
	}
	length := len(strings.TrimRight(entry, wsp))
	name, _, found := strings.Cut(p.Suggestion, "=")
	if !found || name != "rua" && name != "ruf" {
		return splice(r.text, p.Offset, length, p.Suggestion), true
	}
	// Another tag behind a comma: it needs a semicolon.
	before := strings.TrimRight(r.text[:p.Offset], wsp)
	head, found := strings.CutSuffix(before, ",")
	return head + ";" + r.text[len(before):p.Offset] + p.Suggestion + r.text[p.Offset+length:], found
}

// tagAt is the index of the tag in which the offset lies, -1 if none.
func (r Record) tagAt(offset int) int {
	for i, t := range r.Tags {
		if offset >= t.start && offset < t.start+len(t.Raw) {
			return i
		}
	}
	return -1
}

// body is the tag without the white space around it.
func (t Tag) body() string { return strings.Trim(t.Raw, wsp) }

// without takes out the segment in which the offset lies, with the semicolon
// before it.
func (r Record) without(offset int) string {
	start := strings.LastIndexByte(r.text[:offset], ';')
	if start < 0 {
		return r.text
	}
	end := len(r.text)
	if n := strings.IndexByte(r.text[offset:], ';'); n >= 0 {
		end = offset + n
	}
	return r.text[:start] + r.text[end:]
}

func splice(s string, at, length int, with string) string {
	return s[:at] + with + s[min(len(s), at+length):]
}
