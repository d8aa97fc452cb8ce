package schema

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Source is what the code says beyond what reflection tells.
type Source struct {
	root, module string
	packages     map[string]*pkg
	members      map[string]bool // "type.member" of all documents so far
}

// pkg is one package: constants by type, comments by "Type" and "Type.Field".
type pkg struct {
	consts   map[string][]string
	comments map[string]string
}

// Load reads the code below the root of a module as it is asked for.
func Load(root, module string) *Source {
	return &Source{root: root, module: module, packages: map[string]*pkg{}, members: map[string]bool{}}
}

// Unused lists what options say of members that no document has: what was renamed
// or is gone. It is to be asked after the last document.
func (s *Source) Unused(o Options) []string {
	var out []string
	keep := func(key string) {
		if !s.members[key] {
			out = append(out, key)
		}
	}
	for key := range o.Enums {
		keep(key)
	}
	for key := range o.About {
		keep(key)
	}
	for _, key := range o.Nullable {
		keep(key)
	}
	slices.Sort(out)
	return out
}

// constants are the values of an enumeration.
func (s *Source) constants(e Enum) ([]string, error) {
	var out []string
	if e.Of != nil {
		p, err := s.of(e.Of)
		if err != nil {
			return nil, err
		}
		if out = slices.Clone(p.consts[e.Of.Name()]); len(out) == 0 {
			return nil, fmt.Errorf("schema: %s has no constants", e.Of)
		}
	}
	return append(out, e.More...), nil
}

// of reads the package of a type; one outside of the module says nothing.
func (s *Source) of(t reflect.Type) (*pkg, error) {
	path := t.PkgPath()
	if p, ok := s.packages[path]; ok {
		return p, nil
	}
	p := &pkg{map[string][]string{}, map[string]string{}}
	s.packages[path] = p
	below, ok := strings.CutPrefix(path, s.module+"/")
	if !ok {
		return p, nil
	}
	files, err := filepath.Glob(filepath.Join(s.root, filepath.FromSlash(below), "*.go"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("schema: no code of %s below %s", path, s.root)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.read(tree)
	}
	return p, nil
}

func (p *pkg) read(tree *ast.File) {
	for _, d := range tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			switch x := spec.(type) {
			case *ast.ValueSpec:
				if g.Tok == token.CONST {
					p.constant(x)
				}
			case *ast.TypeSpec:
				doc := x.Doc
				if doc == nil && !g.Lparen.IsValid() {
					doc = g.Doc
				}
				p.comments[x.Name.Name] = strings.TrimSpace(doc.Text())
				if st, ok := x.Type.(*ast.StructType); ok {
					p.fields(x.Name.Name, st)
				}
			}
		}
	}
}

// constant keeps the value of a text with a type of its own.
func (p *pkg) constant(x *ast.ValueSpec) {
	id, ok := x.Type.(*ast.Ident)
	if !ok {
		return
	}
	for _, v := range x.Values {
		if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				p.consts[id.Name] = append(p.consts[id.Name], text)
			}
		}
	}
}

func (p *pkg) fields(name string, st *ast.StructType) {
	for _, f := range st.Fields.List {
		text := strings.TrimSpace(f.Doc.Text())
		if line := strings.TrimSpace(f.Comment.Text()); line != "" {
			text = line
		}
		for _, id := range f.Names {
			p.comments[name+"."+id.Name] = text
		}
	}
}

// words matches a comment that lists the values: present, absent or unknown.
var words = regexp.MustCompile(`^"?[a-z][a-z0-9-]*"?(?:, "?[a-z][a-z0-9-]*"?)*,? or "?[a-z][a-z0-9-]*"?$`)

// listed are the values that a comment lists, of which the last may be empty; nil
// if it is a sentence.
func listed(comment string) []string {
	if !words.MatchString(comment) {
		return nil
	}
	comment = strings.NewReplacer(", or ", ", ", " or ", ", ", `"`, "").Replace(comment)
	list := strings.Split(comment, ", ")
	if last := len(list) - 1; list[last] == "empty" {
		list[last] = ""
	}
	return list
}

var (
	verb  = regexp.MustCompile(`^(?:is|are|says|tells|lists|names|holds) `)
	links = regexp.MustCompile(`\[([A-Za-z.*]+)\]`)
)

// sentence makes a description of the comment of a field.
func sentence(field, comment string) string {
	text := strings.Join(strings.Fields(comment), " ")
	text = links.ReplaceAllString(text, "$1")
	if rest, ok := strings.CutPrefix(text, field+" "); ok && verb.MatchString(rest) {
		text = verb.ReplaceAllString(rest, "")
	}
	if text == "" {
		return ""
	}
	// A word that stands for itself, such as d=, stays small.
	if first, _, _ := strings.Cut(text, " "); !strings.ContainsAny(first, "=_./") {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "…") {
		text += "."
	}
	return text
}
