package schema

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Options says what the types do not.
type Options struct {
	// Types are schemas of types that write their JSON themselves, by the type. A
	// type that does so and is not here is an error, but for those that write text.
	Types map[reflect.Type]Type
	// Members describes members that have no comment of their own, by their name.
	Members map[string]string
	// Enums are the values of texts that are written from another type, as
	// "type.member" with the name of the Go type: its constants. The member stays
	// nullable if it is.
	Enums map[string]Enum
	// About describes members whose comment speaks of Go, as "type.member".
	About map[string]string
	// Nullable are lists and maps that may be null, as "type.member" with the name of
	// the Go type. A nil list of others is a defect of the program.
	Nullable []string
}

// Enum is a set of values: the constants of a type, and others.
type Enum struct {
	Of   reflect.Type
	More []string
}

// Type is the schema of a type that writes its JSON itself.
type Type struct {
	Null   bool     // it may be null
	Kind   string   // "string", …
	Format string   // "date", …
	Enum   []string // the values; nil: any
	About  string
}

// Document is what is to be described.
type Document struct {
	ID, Title, About string
	Schema           string // the value of "schema"
	Values           []any  // zero values of the types
	Kinds            []string
	Lines            bool // one a line
	Closed           bool // no other members
	Options          Options
}

type builder struct {
	src   *Source
	doc   Document
	names map[reflect.Type]string
	defs  map[string]node
	order []string
}

// Document makes the schema of a document, ready to be written to a file.
func (s *Source) Document(d Document) ([]byte, error) {
	b := &builder{src: s, doc: d, names: map[reflect.Type]string{}, defs: map[string]node{}}
	root := node{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"$id", d.ID}, {"title", d.Title}, {"description", d.About}}
	if len(d.Values) == 1 {
		body, err := b.object(reflect.TypeOf(d.Values[0]), "", true)
		if err != nil {
			return nil, err
		}
		root = append(root, body...)
	} else {
		var refs []any
		for i, v := range d.Values {
			t := reflect.TypeOf(v)
			name := b.name(t)
			body, err := b.object(t, d.Kinds[i], true)
			if err != nil {
				return nil, err
			}
			b.defs[name] = body
			refs = append(refs, node{{"$ref", "#/$defs/" + name}})
		}
		root = root.with("type", "object").with("required", []any{"schema", "kind"}).with("oneOf", refs)
	}
	if len(b.order) > 0 {
		defs := node{}
		for _, n := range b.order {
			defs = defs.with(n, b.defs[n])
		}
		root = root.with("$defs", defs)
	}
	var out strings.Builder
	if err := print(&out, root, "", 0); err != nil {
		return nil, err
	}
	return []byte(out.String() + "\n"), nil
}

// name is that of the definition of a type.
func (b *builder) name(t reflect.Type) string {
	if n, ok := b.names[t]; ok {
		return n
	}
	n := strings.TrimSuffix(t.Name(), "View")
	n = strings.ToLower(n[:1]) + n[1:]
	if n == strings.ToLower(t.Name()) || strings.ToUpper(t.Name()) == t.Name() {
		n = strings.ToLower(n)
	}
	if slices.Contains(b.order, n) {
		path := t.PkgPath()
		n = path[strings.LastIndex(path, "/")+1:] + strings.ToUpper(n[:1]) + n[1:]
	}
	b.names[t] = n
	b.order = append(b.order, n)
	return n
}

// object is the schema of a struct: of a whole document, or, with a kind, of one of
// its kinds, if it is the root.
func (b *builder) object(t reflect.Type, kind string, root bool) (node, error) {
	var required []any
	props := node{}
	if err := b.fields(t, &props, &required, kind, root); err != nil {
		return nil, err
	}
	n := node{{"type", "object"}}
	if len(required) > 0 {
		n = n.with("required", required)
	}
	if b.doc.Closed {
		n = n.with("additionalProperties", false)
	}
	return n.with("properties", props), nil
}

func (b *builder) fields(t reflect.Type, props *node, required *[]any, kind string, root bool) error {
	p, err := b.src.of(t)
	if err != nil {
		return err
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, opts, _ := strings.Cut(tag, ",")
		ft := f.Type
		if f.Anonymous && name == "" {
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			if err := b.fields(ft, props, required, kind, root); err != nil {
				return err
			}
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		if !tagged || name == "" {
			return fmt.Errorf("schema: %s.%s has no JSON name", t, f.Name)
		}
		missing := strings.Contains(opts, "omit")
		n, err := b.member(t, f, name, missing, p.comments[t.Name()+"."+f.Name])
		if err != nil {
			return fmt.Errorf("%w\n\tin %s.%s", err, t, f.Name)
		}
		switch {
		case name == "schema" && root:
			n = node{{"const", b.doc.Schema}}
		case name == "kind" && kind != "":
			n = node{{"const", kind}}
		}
		*props = props.set(name, n)
		if !missing {
			*required = append(*required, name)
		}
	}
	return nil
}

// member is the schema of a field.
func (b *builder) member(owner reflect.Type, f reflect.StructField, name string, missing bool, comment string) (node, error) {
	values := listed(comment)
	about := sentence(f.Name, comment)
	if values != nil {
		about = ""
	}
	key := owner.Name() + "." + name
	b.src.members[key] = true
	if about == "" {
		about = b.doc.Options.Members[name]
	}
	if text, ok := b.doc.Options.About[key]; ok {
		about = text
	}
	if e, ok := b.doc.Options.Enums[key]; ok {
		var err error
		if values, err = b.src.constants(e); err != nil {
			return nil, err
		}
	}
	ft := f.Type
	null := slices.Contains(b.doc.Options.Nullable, key)
	if ft.Kind() == reflect.Pointer {
		ft = ft.Elem()
		null = !missing
	}
	n, err := b.typ(ft)
	if err != nil {
		return nil, err
	}
	if values != nil {
		if n, err = enumerate(n, values); err != nil {
			return nil, fmt.Errorf("%w: %q", err, values)
		}
	}
	if null {
		n = orNull(n)
	}
	if about != "" {
		n = append(node{{"description", about}}, slices.DeleteFunc(n, func(m member) bool { return m.name == "description" })...)
	}
	return n, nil
}

var errEnum = errors.New("schema: values are listed of what is no text")

// enumerate narrows a text, a list of texts, or a text or null, to values.
func enumerate(n node, values []string) (node, error) {
	var list []any
	for _, v := range values {
		list = append(list, v)
	}
	if len(n) == 0 {
		return nil, errEnum
	}
	switch kind := n[0].value.(type) {
	case string:
		switch kind {
		case "string":
			return node{{"enum", list}}, nil
		case "array":
			return node{{"type", "array"}, {"items", node{{"enum", list}}}}, nil
		}
	case []any:
		if n[0].name == "type" && slices.Contains(kind, any("string")) {
			return node{{"enum", append(list, nil)}}, nil
		}
		if n[0].name == "enum" { // the constants of a type: the comment knows better
			return node{{"enum", list}}, nil
		}
	}
	return nil, errEnum
}

// orNull lets a value be null.
func orNull(n node) node {
	switch x := n[0].value.(type) {
	case string:
		if n[0].name == "type" {
			return append(node{{"type", []any{x, "null"}}}, n[1:]...)
		}
	case []any:
		if n[0].name == "enum" {
			return node{{"enum", append(slices.Clone(x), nil)}}
		}
		if n[0].name == "type" {
			return n
		}
	}
	return node{{"anyOf", []any{n, node{{"type", "null"}}}}}
}

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	timeType      = reflect.TypeFor[time.Time]()
	bytesType     = reflect.TypeFor[[]byte]()
)

// typ is the schema of the values of a type.
func (b *builder) typ(t reflect.Type) (node, error) {
	if x, ok := b.doc.Options.Types[t]; ok {
		return x.node(), nil
	}
	switch {
	case t == timeType:
		return node{{"type", "string"}, {"format", "date-time"}}, nil
	case t == bytesType:
		return node{{"type", "string"}, {"contentEncoding", "base64"}}, nil
	case t.Implements(jsonMarshaler) && t.Kind() == reflect.String:
		zero, err := json.Marshal(reflect.Zero(t).Interface())
		if err != nil {
			return nil, err
		}
		if string(zero) == "null" { // a text that is null if it is empty
			return node{{"type", []any{"string", "null"}}}, nil
		}
		return node{{"type", "string"}}, nil
	case t.Implements(jsonMarshaler):
		return nil, fmt.Errorf("schema: %s writes its own JSON", t)
	case t.Implements(textMarshaler):
		if t.Kind() != reflect.Struct && t.Kind() != reflect.String && !strings.Contains(t.String(), "netip") && t.Kind() != reflect.Int32 {
			return nil, fmt.Errorf("schema: the values of %s are not known", t)
		}
		return node{{"type", "string"}}, nil
	}
	switch t.Kind() {
	case reflect.String:
		return b.text(t)
	case reflect.Bool:
		return node{{"type", "boolean"}}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return node{{"type", "integer"}}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return node{{"type", "integer"}, {"minimum", 0}}, nil
	case reflect.Float32, reflect.Float64:
		return node{{"type", "number"}}, nil
	case reflect.Slice, reflect.Array:
		items, err := b.element(t.Elem())
		if err != nil {
			return nil, err
		}
		return node{{"type", "array"}, {"items", items}}, nil
	case reflect.Map:
		items, err := b.element(t.Elem())
		if err != nil {
			return nil, err
		}
		return node{{"type", "object"}, {"additionalProperties", items}}, nil
	case reflect.Struct:
		if _, known := b.names[t]; !known {
			name := b.name(t)
			n, err := b.object(t, "", false)
			if err != nil {
				return nil, err
			}
			b.defs[name] = n
		}
		return node{{"$ref", "#/$defs/" + b.names[t]}}, nil
	}
	return nil, fmt.Errorf("schema: %s has no JSON form", t)
}

func (b *builder) element(t reflect.Type) (node, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return b.typ(t)
}

// text is a text, or one of the constants of its type.
func (b *builder) text(t reflect.Type) (node, error) {
	p, err := b.src.of(t)
	if err != nil || t.PkgPath() == "" {
		return node{{"type", "string"}}, err
	}
	if len(p.consts[t.Name()]) < 2 {
		return node{{"type", "string"}}, nil
	}
	var list []any
	for _, v := range p.consts[t.Name()] {
		if !slices.Contains(list, any(v)) {
			list = append(list, v)
		}
	}
	return node{{"enum", list}}, nil
}

func (x Type) node() node {
	n := node{}
	switch {
	case x.Enum != nil:
		var list []any
		for _, v := range x.Enum {
			list = append(list, v)
		}
		n = n.with("enum", list)
	default:
		n = n.with("type", x.Kind)
		if x.Format != "" {
			n = n.with("format", x.Format)
		}
	}
	if x.Null {
		n = orNull(n)
	}
	if x.About != "" {
		n = n.with("description", x.About)
	}
	return n
}
