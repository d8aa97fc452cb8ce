// Command docgen writes the pages that come from code: docs/rules, docs/cli.md
// and docs/man. With -check it writes nothing and fails if one of them differs.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/mailcheck-go/mailcheck/audit/mailrules"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/internal/cli"
	"github.com/mailcheck-go/mailcheck/internal/ruledoc"
)

func main() {
	check := flag.Bool("check", false, "compare, write nothing")
	root := flag.String("root", ".", "root of the project")
	flag.Parse()
	pages, err := generate()
	if err == nil {
		err = sync(*root, pages, *check)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

// generate returns every page by its path below the root.
func generate() (map[string][]byte, error) {
	all := slices.Concat(rules.All(), mailrules.All())
	pages := map[string][]byte{"docs/rules/README.md": []byte(ruledoc.Index(all))}
	for _, r := range all {
		pages["docs/rules/"+string(r.ID)+".md"] = []byte(ruledoc.Page(r))
	}
	tree := cli.NewRoot(cli.Streams{Getenv: func(string) string { return "" }})
	tree.DisableAutoGenTag = true
	tree.InitDefaultHelpCmd()
	pages["docs/cli.md"] = []byte(commands(tree))
	date := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range walk(tree) {
		var b bytes.Buffer
		if err := doc.GenMan(c, &doc.GenManHeader{Section: "1", Source: "mailcheck", Manual: "mailcheck", Date: &date}, &b); err != nil {
			return nil, err
		}
		pages["docs/man/"+strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"] = b.Bytes()
	}
	return pages, nil
}

// walk lists the commands a person can see.
func walk(c *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "completion" {
			out = append(out, walk(sub)...)
		}
	}
	return out
}

func commands(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\nGenerated from the command tree; `mailcheck COMMAND --help` prints the same.\n")
	b.WriteString("\n## Exit status\n\n| Status | Meaning |\n| --- | --- |\n")
	for _, x := range [][2]string{
		{"0", "clean"}, {"1", "findings at or above `--fail-on`"},
		{"2", "incomplete: something could not be known (a finding outweighs it)"},
		{"3", "wrong usage, or a file that was given cannot be read"}, {"4", "apply or verify failed"},
		{"130", "interrupted; what was finished is printed"}} {
		fmt.Fprintf(&b, "| %s | %s |\n", x[0], x[1])
	}
	for _, c := range walk(root) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```\n%s\n```\n", c.CommandPath(), strings.TrimSpace(orElse(c.Long, c.Short)), c.UseLine())
		if c.Example != "" {
			fmt.Fprintf(&b, "\nExamples:\n\n```\n%s\n```\n", strings.Trim(c.Example, "\n"))
		}
		if c.LocalFlags().HasAvailableFlags() {
			b.WriteString("\n| Flag | Meaning | Default |\n| --- | --- | --- |\n")
			c.LocalFlags().VisitAll(func(f *pflag.Flag) { b.WriteString(flagRow(f)) })
		}
	}
	return b.String()
}

func flagRow(f *pflag.Flag) string {
	if f.Hidden || f.Name == "help" {
		return ""
	}
	arg, text := pflag.UnquoteUsage(f)
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if arg != "" {
		name += " " + arg
	}
	def := f.DefValue
	if def == "[]" || def == "false" {
		def = ""
	}
	return fmt.Sprintf("| `%s` | %s | %s |\n", name, strings.ReplaceAll(text, "|", "\\|"), def)
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// sync writes the pages and removes generated ones that are no longer made, or
// reports the differences.
func sync(root string, pages map[string][]byte, check bool) error {
	var drift []string
	for _, dir := range []string{"docs/rules", "docs/man"} {
		entries, _ := os.ReadDir(filepath.Join(root, dir))
		for _, e := range entries {
			p := dir + "/" + e.Name()
			if _, ok := pages[p]; !ok {
				drift = append(drift, p+" is no longer generated")
				if !check {
					os.Remove(filepath.Join(root, p))
				}
			}
		}
	}
	for p, want := range pages {
		path := filepath.Join(root, p)
		have, err := os.ReadFile(path)
		if err == nil && bytes.Equal(have, want) {
			continue
		}
		drift = append(drift, p+" differs")
		if check {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			return err
		}
	}
	if check && len(drift) > 0 {
		slices.Sort(drift)
		return fmt.Errorf("generated pages are out of date, run 'make docs':\n%s", strings.Join(drift, "\n"))
	}
	return nil
}
