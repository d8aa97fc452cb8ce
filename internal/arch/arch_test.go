package arch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mailcheck-go/mailcheck"

type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	GoFiles    []string
}

// list asks the go command for the packages of the module.
func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Standard,Imports,GoFiles", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// block reads the lines "name: word word" of a fenced block of the page.
func block(t *testing.T, fence string) map[string][]string {
	t.Helper()
	f, err := os.Open("../../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, in := map[string][]string{}, false
	for sc := bufio.NewScanner(f); sc.Scan(); {
		switch line := sc.Text(); {
		case line == "```"+fence:
			in = true
		case line == "```":
			in = false
		case in:
			name, rest, ok := strings.Cut(line, ":")
			if !ok {
				t.Fatalf("line %q of block %s is not name: words", line, fence)
			}
			out[name] = strings.Fields(rest)
		}
	}
	if len(out) == 0 {
		t.Fatalf("docs/design.md has no block %s", fence)
	}
	return out
}

func TestImports(t *testing.T) {
	dag, third := block(t, "dag"), block(t, "third-party")
	seen := map[string]bool{}
	used := map[string]bool{}
	for _, p := range list(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if len(p.GoFiles) == 0 && name != "internal/arch" && name != "internal/lab" {
			continue // nothing but tests
		}
		allowed, ok := dag[name]
		if !ok {
			t.Errorf("%s is not in the dag of docs/design.md", name)
			continue
		}
		seen[name] = true
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, module+"/"); ok {
				if !slices.Contains(allowed, own) && !slices.Contains(allowed, "*") {
					t.Errorf("%s imports %s, which docs/design.md does not allow", name, own)
				}
				continue
			}
			host, _, _ := strings.Cut(imp, "/")
			if !strings.Contains(host, ".") {
				continue // the standard library
			}
			mod := owner(third, imp)
			if mod == "" {
				t.Errorf("%s imports %s, a module that docs/design.md does not name", name, imp)
			} else if used[mod] = true; !slices.Contains(third[mod], name) {
				t.Errorf("%s imports %s, which is fenced off from it", name, imp)
			}
		}
	}
	for name := range dag {
		if !seen[name] && name != "internal/arch" && name != "internal/lab" {
			t.Errorf("docs/design.md lists %s, which does not exist", name)
		}
	}
	for mod := range third {
		if !used[mod] {
			t.Errorf("docs/design.md lists the module %s, which nothing imports", mod)
		}
	}
}

func owner(third map[string][]string, imp string) string {
	for mod := range third {
		if imp == mod || strings.HasPrefix(imp, mod+"/") {
			return mod
		}
	}
	return ""
}

// TestOneWay refuses what the table could not: a protocol package that knows
// another, or anything that imports the command line.
func TestOneWay(t *testing.T) {
	dag := block(t, "dag")
	for _, p := range []string{"spf", "dkim", "dmarc"} {
		for _, may := range dag[p] {
			if may != "resolve" && !strings.HasPrefix(may, p+"/internal/") {
				t.Errorf("%s may import %s, want resolve and its own internals alone", p, may)
			}
		}
	}
	for name, may := range dag {
		if slices.Contains(may, "internal/cli") && name != "cmd/mailcheck" && name != "internal/docgen" && name != "internal/schemagen" {
			t.Errorf("%s may import internal/cli", name)
		}
	}
}
