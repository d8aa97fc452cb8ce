package tlsrpt

import (
	"encoding/json"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object with its members by the names of RFC 8460.
type object struct {
	p    *reader
	path string
	m    map[string]any
}

// aliases are names of drafts, errata and seen in reports.
var aliases = map[string]string{
	"mx-host-pattern": "mx-host", "additional-info-uri": "additional-information",
	"additional-information-uri": "additional-information", "failure-error-code": "failure-reason-code",
	"organisation-name": "organization-name", "total-successful-sessions": "total-successful-session-count",
	"total-failed-session-count": "total-failure-session-count",
}

// object takes v as an object with the members; names are matched in any case and
// with "_" for "-".
func (p *reader) object(v any, path string, members ...string) (object, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return object{p: p, path: path}, false
	}
	o := object{p, path, make(map[string]any, len(m))}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		norm := strings.ReplaceAll(strings.ToLower(name), "_", "-")
		if a := aliases[norm]; a != "" {
			norm = a
		}
		if !slices.Contains(members, norm) {
			p.note(UnknownMember, path, name)
			continue
		}
		if norm != name {
			p.note(MemberAlias, o.at(norm), name)
			if _, exact := m[norm]; exact {
				continue
			}
		}
		if _, twice := o.m[norm]; !twice {
			o.m[norm] = m[name]
		}
	}
	return o, true
}

func (o object) at(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "/" + name
}

func (o object) has(names ...string) bool {
	for _, n := range names {
		if _, ok := o.m[n]; ok {
			return true
		}
	}
	return false
}

// text is a member's string; null and absence are nothing.
func (o object) text(name string) string {
	switch v := o.m[name].(type) {
	case nil:
		return ""
	case string:
		return o.cut(name, strings.TrimSpace(v))
	case json.Number:
		o.p.note(TypeForm, o.at(name), string(v))
		return o.cut(name, string(v))
	case []any:
		if len(v) == 1 {
			if s, ok := v[0].(string); ok {
				o.p.note(TypeForm, o.at(name), s)
				return o.cut(name, s)
			}
		}
	}
	o.p.note(TypeBad, o.at(name), "")
	return ""
}

func (o object) cut(name, s string) string {
	if len(s) > o.p.limits.Text {
		o.p.note(ValueTooLong, o.at(name), "")
		return shorten(s, o.p.limits.Text)
	}
	return s
}

// strings is a list of strings, of one if a string is given. A list in JSON
// within a string is one of a large reporter.
func (o object) strings(name string) (out []string) {
	v := o.m[name]
	if s, ok := v.(string); ok {
		if name != "mx-host" { // RFC 8460, Section 4.4 shows it as a string, its erratum 6241 as a list
			o.p.note(TypeForm, o.at(name), s)
		}
		v = []any{s}
	}
	list, ok := v.([]any)
	if !ok {
		if v != nil {
			o.p.note(TypeBad, o.at(name), "")
		}
		return nil
	}
	for _, item := range list {
		s, ok := item.(string)
		var inner []string
		switch {
		case !ok:
			o.p.note(TypeBad, o.at(name), "")
			continue
		case strings.HasPrefix(s, "[") && json.Unmarshal([]byte(s), &inner) == nil:
			o.p.note(TypeForm, o.at(name), s)
		default:
			inner = []string{s}
		}
		for _, s := range inner {
			if len(out) == maxStrings {
				o.p.note(TooMany, o.at(name), "")
				return out
			}
			out = append(out, o.cut(name, s))
		}
	}
	return out
}

// list is a member that is a list; a single object counts as a list of one.
func (o object) list(name string) []any {
	switch v := o.m[name].(type) {
	case []any:
		return v
	case map[string]any:
		o.p.note(TypeForm, o.at(name), "")
		return []any{v}
	case nil:
	default:
		o.p.note(TypeBad, o.at(name), "")
	}
	return nil
}

func (o object) word(name string, known []string) Word {
	s := o.text(name)
	w := Word{Raw: s}
	lower := strings.ReplaceAll(strings.ToLower(s), "_", "-")
	switch {
	case s == "":
		o.p.note(MissingMember, o.at(name), "")
	case slices.Contains(known, lower):
		if w.Value = lower; lower != s {
			o.p.note(WordForm, o.at(name), s)
		}
	default:
		o.p.note(WordUnknown, o.at(name), s)
	}
	return w
}

func (o object) count(name string) int64 {
	var s string
	switch v := o.m[name].(type) {
	case nil:
		return 0
	case json.Number:
		s = string(v)
	case string:
		o.p.note(TypeForm, o.at(name), v)
		s = strings.TrimSpace(v)
	default:
		o.p.note(TypeBad, o.at(name), "")
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			o.p.note(NumberBad, o.at(name), s)
			return 0
		}
		n = int64(f)
	}
	if n < 0 {
		o.p.note(NumberBad, o.at(name), s)
		return 0
	}
	return n
}

func (o object) time(name string) time.Time {
	s := o.text(name)
	if s == "" {
		o.p.note(MissingMember, o.at(name), "")
		return time.Time{}
	}
	for i, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05Z07:00", time.DateTime,
		"2006-01-02T15:04:05.999Z0700", "2006-01-02T15:04Z07:00", time.DateOnly,
	} {
		t, err := time.Parse(layout, s)
		if err != nil || t.Year() < 1970 || t.UTC().Year() > 9999 {
			continue
		}
		if i > 0 {
			// RFC 8460, Section 4.4 wants RFC 3339; the day is one of UTC.
			o.p.note(TimeForm, o.at(name), s)
		}
		return t.UTC()
	}
	o.p.note(TimeBad, o.at(name), s)
	return time.Time{}
}

// addr is an address, and the text as written if it is none.
func (o object) addr(name string) (netip.Addr, string) {
	s := o.text(name)
	if s == "" {
		return netip.Addr{}, ""
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		o.p.note(AddressBad, o.at(name), s)
		return netip.Addr{}, s
	}
	return a.Unmap().WithZone(""), ""
}

func domain(s string) string {
	if s == "." {
		return s
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
}
