package authres

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
)

// MaxSets is the number of ARC sets that a mail can have (RFC 8617, Section 4.2.1).
const MaxSets = 50

// Set is one ARC set as the header shows it: claims, which only the signatures can
// prove (package dkim/arc does).
type Set struct {
	Instance int     `json:"instance"`
	Results  Results `json:"results"`
	Raw      string  `json:"raw,omitempty"`   // the value of ARC-Authentication-Results, unfolded
	Error    string  `json:"error,omitempty"` // why Results could not be read; it quotes foreign text
	Seal     ARCTags `json:"seal"`
	Message  ARCTags `json:"message"`
	Fields   []int   `json:"fields"` // places of the set's fields in the header
	// Problems are "missing-field", "duplicate-field" and "above-limit".
	Problems []string `json:"problems,omitempty"`
}

// ARCTags are the tags of an ARC-Seal or ARC-Message-Signature that tell who wrote
// it and what.
type ARCTags struct {
	Present   bool   `json:"present"`
	Domain    string `json:"d,omitempty"`
	Selector  string `json:"s,omitempty"`
	Algorithm string `json:"a,omitempty"`
	CV        string `json:"cv,omitempty"`
	Time      string `json:"t,omitempty"`
	Headers   string `json:"h,omitempty"`
}

// readARC collects the sets of a header.
func readARC(h *message.Header) []Set {
	sets := map[int]*Set{}
	get := func(i int) *Set {
		if sets[i] == nil && len(sets) <= MaxSets {
			sets[i] = &Set{Instance: i}
		}
		return sets[i]
	}
	for _, f := range h.Fields {
		var s *Set
		twice := false
		switch {
		case f.Is("ARC-Authentication-Results"):
			i, r, err := ParseARC(f.Value)
			if s = get(i); s != nil {
				if twice = s.Raw != ""; !twice {
					s.Raw, s.Results = f.Value, r
					if err != nil {
						s.Error = err.Error()
					}
				}
			}
		case f.Is("ARC-Seal"), f.Is("ARC-Message-Signature"):
			i, t := arcTags(f.Value)
			if s = get(i); s != nil {
				to := &s.Seal
				if f.Is("ARC-Message-Signature") {
					to = &s.Message
				}
				if twice = to.Present; !twice {
					*to = t
				}
			}
		}
		if s == nil {
			continue
		}
		if len(s.Fields) < 10 {
			s.Fields = append(s.Fields, f.Index)
		}
		if twice && !slices.Contains(s.Problems, "duplicate-field") {
			s.Problems = append(s.Problems, "duplicate-field")
		}
	}
	out := make([]Set, 0, len(sets))
	for _, s := range sets {
		if s.Raw == "" || !s.Seal.Present || !s.Message.Present {
			s.Problems = append(s.Problems, "missing-field")
		}
		if s.Instance == 0 {
			s.Problems = append(s.Problems, "above-limit")
		}
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Set) int { return cmp.Compare(b.Instance, a.Instance) })
	return out
}

// arcTags reads a tag list (RFC 6376, Section 3.2).
func arcTags(v string) (instance int, t ARCTags) {
	t.Present = true
	for i, item := range strings.Split(v, ";") {
		if i == 50 {
			break
		}
		name, val, ok := strings.Cut(item, "=")
		if !ok {
			continue
		}
		val = strings.Join(strings.Fields(val), "")
		switch strings.TrimSpace(name) {
		case "i":
			instance = number(val)
		case "d":
			t.Domain = strings.ToLower(val)
		case "s":
			t.Selector = val
		case "a":
			t.Algorithm = strings.ToLower(val)
		case "cv":
			t.CV = strings.ToLower(val)
		case "t":
			t.Time = val
		case "h":
			t.Headers = val
		}
	}
	return instance, t
}
