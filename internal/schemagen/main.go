// Command schemagen writes the JSON Schemas of docs/schema that come from Go types,
// and the list of all. With -check it writes nothing and fails if one differs.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/internal/cli"
	"github.com/mailcheck-go/mailcheck/internal/schemagen/schema"
)

const (
	dir    = "docs/schema"
	module = "github.com/mailcheck-go/mailcheck"
)

func main() {
	check := flag.Bool("check", false, "compare, write nothing")
	root := flag.String("root", ".", "root of the project")
	flag.Parse()
	files, err := generate(*root)
	if err == nil {
		err = sync(*root, files, *check)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

// byHand are the schemas that say more than types can.
var byHand = []string{"audit", "audit-message", "dmarc-check", "plan"}

// generate returns every file by its path below the root.
func generate(root string) (map[string][]byte, error) {
	src := schema.Load(root, module)
	files := map[string][]byte{}
	for _, d := range cli.Documents() {
		path := dir + "/" + d.Name + "-1.schema.json"
		if d.Values == nil {
			if !slices.Contains(byHand, d.Name) {
				return nil, fmt.Errorf("%s has neither types nor a schema by hand", d.Name)
			}
			continue
		}
		text, err := src.Document(describe(d))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		files[path] = text
	}
	if list := src.Unused(options); len(list) > 0 {
		return nil, fmt.Errorf("the table speaks of members that are gone: %s", strings.Join(list, ", "))
	}
	files[dir+"/README.md"] = index()
	return files, nil
}

// printed tells which commands print a document.
func printed(d cli.Document) string {
	var out []string
	for _, by := range d.By {
		out = append(out, "'mailcheck "+by+" -o json'")
	}
	switch n := len(out); n {
	case 0:
		return ""
	case 1:
		return out[0]
	default:
		return strings.Join(out[:n-1], ", ") + " and " + out[n-1]
	}
}

// Sentences that hold for every document.
const (
	openText   = "Within version 1 members and values of enumerations may be added; readers ignore members they do not know and treat an unknown value as undecided. Foreign text is safe to show: controls and invisible characters are escaped visibly."
	closedText = "A member that is not here is refused: later versions have another 'schema'."
)

func describe(d cli.Document) schema.Document {
	about := strings.ToUpper(d.About[:1]) + d.About[1:] + "."
	if by := printed(d); by != "" {
		verb := "print"
		if len(d.By) == 1 {
			verb = "prints"
		}
		about += " " + by + " " + verb + " it"
		if d.Lines {
			about += ", one object a line"
		}
		about += "."
	}
	if d.Closed {
		about += " " + closedText
	} else if d.By != nil {
		about += " " + openText
	}
	return schema.Document{
		ID: "urn:mailcheck:schema:" + d.Name + "-1", Title: "mailcheck " + d.Name + ", version 1", About: about,
		Schema: d.Schema(), Values: d.Values, Kinds: d.Kinds, Lines: d.Lines, Closed: d.Closed, Options: options,
	}
}

// index is the list of all schemas.
func index() []byte {
	var b bytes.Buffer
	b.WriteString("# JSON Schemas\n\nGenerated from the Go types, but for those marked *by hand* (`make docs`). Every document names its\nschema in its member `schema`. Within version 1 members and values of enumerations may be added, and\nnone is renamed or removed.\n\n")
	b.WriteString("| `schema` | Printed with `-o json` by | What it is |\n| --- | --- | --- |\n")
	for _, d := range cli.Documents() {
		var by []string
		for _, c := range d.By {
			by = append(by, "`"+c+"`")
		}
		hand := ""
		if d.Values == nil {
			hand = " (*by hand*)"
		}
		fmt.Fprintf(&b, "| [%s](%s-1.schema.json) | %s | %s%s |\n", d.Schema(), d.Name, strings.Join(by, ", "), d.About, hand)
	}
	return b.Bytes()
}

// sync writes the files, or reports those that differ or are in the way.
func sync(root string, files map[string][]byte, check bool) error {
	var drift []string
	entries, err := os.ReadDir(filepath.Join(root, dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := dir + "/" + e.Name()
		hand := slices.Contains(byHand, strings.TrimSuffix(e.Name(), "-1.schema.json"))
		if _, ok := files[path]; !ok && !hand {
			drift = append(drift, path+" is no longer generated")
			if !check {
				if err := os.Remove(filepath.Join(root, path)); err != nil {
					return err
				}
			}
		}
	}
	for path, want := range files {
		have, err := os.ReadFile(filepath.Join(root, path))
		if err == nil && bytes.Equal(have, want) {
			continue
		}
		drift = append(drift, path+" differs")
		if !check {
			if err := os.WriteFile(filepath.Join(root, path), want, 0o644); err != nil {
				return err
			}
		}
	}
	if check && len(drift) > 0 {
		slices.Sort(drift)
		return errors.New("schemas are out of date, run 'make docs':\n" + strings.Join(drift, "\n"))
	}
	return nil
}
