package guides

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/mailcheck-go/mailcheck/audit/mailrules"
	"github.com/mailcheck-go/mailcheck/audit/rules"
)

// Every file and heading that a page leads to exists.
func TestLinks(t *testing.T) {
	for _, p := range pages(t) {
		for _, l := range p.links {
			u, err := url.Parse(l.text)
			if err != nil {
				t.Errorf("%s:%d: %v", p.path, l.line, err)
				continue
			}
			if u.Scheme != "" {
				if u.Scheme != "https" && u.Scheme != "mailto" || u.Host == "" && u.Opaque == "" {
					t.Errorf("%s:%d: %s", p.path, l.line, l.text)
				}
				continue
			}
			target := p.path
			if u.Path != "" {
				target = path.Join(path.Dir(p.path), u.Path)
			}
			info, err := os.Stat(filepath.Join(root, filepath.FromSlash(target)))
			if err != nil {
				t.Errorf("%s:%d: %s: no such file", p.path, l.line, l.text)
				continue
			}
			if u.Fragment == "" || info.IsDir() {
				continue
			}
			text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(target)))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(parsePage(target, string(text)).headings, func(h string) bool { return anchor(h) == u.Fragment }) {
				t.Errorf("%s:%d: %s: no such heading", p.path, l.line, l.text)
			}
		}
	}
}

// anchor is the name that hosting sites give a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

func TestAnchor(t *testing.T) {
	if got := anchor("4. Is it `p=reject`?"); got != "4-is-it-preject" {
		t.Error(got)
	}
}

// Every guide is in the index.
func TestIndex(t *testing.T) {
	all := pages(t)
	i := slices.IndexFunc(all, func(p *page) bool { return p.path == "docs/README.md" })
	for _, p := range all {
		if strings.HasPrefix(p.path, "docs/guide/") && !strings.Contains(all[i].text, "("+strings.TrimPrefix(p.path, "docs/")+")") {
			t.Errorf("%s is not in docs/README.md", p.path)
		}
	}
}

// Every rule that a page speaks of exists.
func TestRules(t *testing.T) {
	ids, families := map[string]bool{}, map[string]bool{}
	for _, r := range slices.Concat(rules.All(), mailrules.All()) {
		id := string(r.ID)
		ids[id] = true
		families[strings.TrimRight(id, "0123456789")] = true
	}
	id := regexp.MustCompile(`\b([A-Z]+)[0-9]{3}\b`)
	for _, p := range pages(t) {
		for _, m := range id.FindAllStringSubmatch(p.text, -1) {
			if families[m[1]] && !ids[m[0]] {
				t.Errorf("%s: there is no rule %s", p.path, m[0])
			}
		}
	}
}

// A guide is read at three in the morning: it is short, and has no long lines but
// those that are pasted.
func TestLength(t *testing.T) {
	for _, p := range pages(t) {
		limit := 170
		if p.path == "README.md" {
			limit = 220
		}
		if n := strings.Count(p.text, "\n"); strings.HasPrefix(p.path, "docs/guide/") && n > limit || p.path == "README.md" && n > limit {
			t.Errorf("%s has %d lines, more than %d", p.path, n, limit)
		}
	}
}
