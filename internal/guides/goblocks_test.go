package guides

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mailcheck-go/mailcheck"

// others are the packages from elsewhere that blocks may use; those of the module
// are found by their last name.
var others = map[string]string{"fmt": "fmt", "netip": "net/netip", "os": "os", "time": "time", "errors": "errors"}

// Go code on a page is formatted, and compiles.
func TestGoBlocks(t *testing.T) {
	type source struct {
		at, text string
	}
	var sources []source
	used := map[string]string{"context": "context"} // package name to path
	packages := modulePackages(t)
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.info != "go" {
				continue
			}
			at := fmt.Sprintf("%s:%d", p.path, b.line)
			if strings.HasPrefix(b.text, "package ") {
				t.Errorf("%s: a block is the inside of a function", at)
				continue
			}
			body := "package x\n\nfunc _() {\n\t" + strings.ReplaceAll(strings.TrimSuffix(b.text, "\n"), "\n", "\n\t") + "\n}\n"
			formatted, err := format.Source([]byte(body))
			if err != nil {
				t.Errorf("%s: %v", at, err)
				continue
			}
			if strings.TrimSpace(string(formatted)) != strings.TrimSpace(withoutBlankTabs(body)) {
				t.Errorf("%s: gofmt would write\n%s", at, formatted)
			}
			var imports strings.Builder
			imports.WriteString("\t\"context\"\n")
			for _, name := range selected(t, formatted) {
				from, ok := others[name]
				if !ok {
					from, ok = packages[name]
				}
				if !ok {
					continue // a variable
				}
				used[name] = from
				fmt.Fprintf(&imports, "\t%q\n", from)
			}
			sources = append(sources, source{at, "package x\n\nimport (\n" + imports.String() + ")\n\nfunc _(ctx context.Context) error {\n" + b.text + "\nreturn nil\n}\n"})
		}
	}
	if len(sources) == 0 {
		t.Fatal("no Go code was found")
	}
	export := exports(t, used)
	for _, s := range sources {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, s.at, s.text, 0)
		if err != nil {
			t.Error(err)
			continue
		}
		conf := types.Config{Importer: importer.ForCompiler(fset, "gc", func(p string) (io.ReadCloser, error) {
			if export[p] == "" {
				return nil, fmt.Errorf("no export data of %s", p)
			}
			return os.Open(export[p])
		}), Error: func(err error) { t.Errorf("%s: %v", s.at, err) }}
		_, _ = conf.Check("x", fset, []*ast.File{f}, nil) // Error has told
	}
}

func withoutBlankTabs(s string) string { return strings.ReplaceAll(s, "\n\t\n", "\n\n") }

// selected lists the x of all x.y.
func selected(t *testing.T, text []byte) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				names = append(names, x.Name)
			}
		}
		return true
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// modulePackages maps the last name of each package that others can import to its
// path; the shorter path wins.
func modulePackages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, p := range strings.Fields(goList(t, "-f", "{{if ne .Name \"main\"}}{{.ImportPath}}{{end}}", "./...")) {
		name := path.Base(p)
		if !strings.Contains(p, "/internal/") && (out[name] == "" || len(p) < len(out[name])) {
			out[name] = p
		}
	}
	return out
}

// exports has the go command compile the packages, and tells where.
func exports(t *testing.T, used map[string]string) map[string]string {
	t.Helper()
	args := []string{"-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}
	for _, p := range used {
		args = append(args, p)
	}
	out := map[string]string{}
	for line := range strings.Lines(goList(t, args...)) {
		p, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		out[p] = file
	}
	return out
}

func goList(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("go list: %s", bytes.TrimSpace(e.Stderr))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The packages in the table of the library exist.
func TestLibraryPackages(t *testing.T) {
	all := strings.Fields(goList(t, "./..."))
	for _, p := range pages(t) {
		if p.path != "docs/guide/library.md" {
			continue
		}
		n := 0
		for line := range strings.Lines(p.text) {
			cell, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
			if !ok || !strings.HasPrefix(line, "| `") {
				continue
			}
			for _, m := range codeSpan.FindAllStringSubmatch(cell, -1) {
				n++
				if !slices.Contains(all, module+"/"+m[1]) {
					t.Errorf("%s: there is no package %s", p.path, m[1])
				}
			}
		}
		if n < 20 {
			t.Errorf("%d packages", n)
		}
	}
}
