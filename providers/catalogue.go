package providers

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

//go:embed catalogue.json
var embedded []byte

// load parses the catalogue on first use, so that programs that never ask pay
// nothing. The tests prove that the embedded file parses.
var load = sync.OnceValue(func() *catalogue {
	c, err := parse(embedded)
	if err != nil {
		panic("providers: embedded catalogue: " + err.Error())
	}
	return c
})

// catalogue holds the rows and, for every kind of name, the row that it leads to.
type catalogue struct {
	reviewed string
	rows     []Provider
	ids      map[string]int
	includes map[resolve.Name]int
	patterns []pattern

	mx, targets, returnPaths, ptr suffixes
}

// suffixes finds a row by a name or the nearest name above it.
type suffixes map[resolve.Name]int

func (s suffixes) find(n resolve.Name) (int, bool) {
	for ; !n.IsZero() && !n.IsRoot(); n = n.Parent() {
		if i, ok := s[n]; ok {
			return i, true
		}
	}
	return 0, false
}

// pattern is an [IncludePattern]. The expression is compiled when a name below
// the suffix is first asked for, which is rare.
type pattern struct {
	row    int
	suffix resolve.Name
	match  func() *regexp.Regexp
}

func parse(data []byte) (*catalogue, error) {
	var file struct {
		Version   int        `json:"version"`
		Reviewed  string     `json:"reviewed"`
		Providers []Provider `json:"providers"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Version != 1 {
		return nil, fmt.Errorf("version %d, want 1", file.Version)
	}
	c := &catalogue{
		reviewed: file.Reviewed, rows: file.Providers,
		ids: make(map[string]int), includes: make(map[resolve.Name]int),
		mx: make(suffixes), targets: make(suffixes), returnPaths: make(suffixes), ptr: make(suffixes),
	}
	// Rows that send through another provider come second, so that the names they
	// share with it stay with it.
	for _, via := range []bool{false, true} {
		for i := range c.rows {
			if (c.rows[i].Via != "") == via {
				c.index(i)
			}
		}
	}
	return c, nil
}

func (c *catalogue) index(i int) {
	p := &c.rows[i]
	c.ids[p.ID] = i
	put := func(m map[resolve.Name]int, names []resolve.Name) {
		for _, n := range names {
			if _, taken := m[n]; !taken {
				m[n] = i
			}
		}
	}
	put(c.includes, p.Includes)
	put(c.mx, p.MX)
	put(c.targets, p.Targets)
	put(c.returnPaths, p.ReturnPaths)
	put(c.ptr, p.PTR)
	for _, ip := range p.IncludePatterns {
		c.patterns = append(c.patterns, pattern{i, ip.Suffix, sync.OnceValue(func() *regexp.Regexp {
			return regexp.MustCompile(ip.Pattern)
		})})
	}
}

func (c *catalogue) row(i int, ok bool) (Provider, bool) {
	if !ok {
		return Provider{}, false
	}
	return c.rows[i], true
}

func (c *catalogue) include(n resolve.Name) (int, bool) {
	if i, ok := c.includes[n]; ok {
		return i, true
	}
	for _, p := range c.patterns {
		if n.Within(p.suffix) && p.match().MatchString(n.String()) {
			return p.row, true
		}
	}
	return 0, false
}

const account = "{account}"

// concrete is the selector as it can be asked for; ok is false when it cannot.
func (s Selector) concrete(label string) (name string, ok bool) {
	if s.Name == "" {
		return "", false
	}
	if !strings.Contains(s.Name, account) {
		return s.Name, true
	}
	return strings.ReplaceAll(s.Name, account, label), label != ""
}
