package render

import (
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// message is what a finding says, its title if it says nothing more.
func message(f *audit.Finding) string {
	if f.Message != "" {
		return f.Message
	}
	return f.Title
}

// zone lists the records to publish in master file form.
func zone(changes []fix.Change) []string {
	var out []string
	for i := range changes {
		out = append(out, changes[i].Zone()...)
	}
	return out
}

// edit is a change as a person makes it: the records that go, those that come,
// and how many at the same name and type stay as they are.
type edit struct {
	gone, come []string // record data in master file form
	stay       int
}

func editOf(c *fix.Change) edit {
	e := edit{gone: slices.Clone(c.Old)}
	for _, n := range c.New {
		if i := slices.Index(e.gone, n); i >= 0 {
			e.gone = slices.Delete(e.gone, i, i+1)
			e.stay++
			continue
		}
		e.come = append(e.come, n)
	}
	return e
}

// maxTerms bounds the comparison of two records, which is quadratic. An SPF or
// DMARC record that works has far fewer terms.
const maxTerms = 256

// terms compares two records word by word. It fails when they have nothing in
// common, so that a diff would only be noise.
func terms(before, after string) (gone, come []string, ok bool) {
	a, b := strings.Fields(strings.Trim(before, `"`)), strings.Fields(strings.Trim(after, `"`))
	if len(a) > maxTerms || len(b) > maxTerms {
		return nil, nil, false
	}
	// common[i][j] is the length of the longest common part of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			gone, i = append(gone, a[i]), i+1
		default:
			come, j = append(come, b[j]), j+1
		}
	}
	return append(gone, a[i:]...), append(come, b[j:]...), common[0][0] > 0
}

// joined is the text of a TXT record whose data has more than one string, as a
// control panel takes it that does the splitting itself. It gives up on octets
// that can only be written as \DDD.
func joined(t resolve.Type, data string) (string, bool) {
	if t != resolve.TypeTXT {
		return "", false
	}
	var b strings.Builder
	parts, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			if quoted = !quoted; quoted {
				parts++
			}
		case c == '\\':
			if i++; i == len(data) || data[i] >= '0' && data[i] <= '9' {
				return "", false
			}
			b.WriteByte(data[i])
		case quoted:
			b.WriteByte(c)
		}
	}
	return b.String(), parts > 1 && !quoted
}

// rivals lists the rules whose repairs replace the same records in different
// ways: published one after the other, the second would undo the first.
func rivals(r *audit.Report, shown func(*audit.Finding) bool) []gap {
	type key struct {
		name resolve.Name
		t    resolve.Type
	}
	first := map[key][]string{}
	var order []key
	rules := map[key][]string{}
	differ := map[key]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Fix == nil || !shown(f) {
			continue
		}
		for j := range f.Fix.Changes {
			c := &f.Fix.Changes[j]
			k := key{c.Name, c.Type}
			if old, ok := first[k]; !ok {
				first[k], order = c.New, append(order, k)
			} else if !slices.Equal(old, c.New) {
				differ[k] = true
			}
			if !slices.Contains(rules[k], string(f.Rule)) {
				rules[k] = append(rules[k], string(f.Rule))
			}
		}
	}
	var out []gap
	for _, k := range order {
		if differ[k] {
			out = append(out, gap{k.name.String() + " " + k.t.String(), rules[k]})
		}
	}
	return out
}
