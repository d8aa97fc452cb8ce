package guides

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mailcheck-go/mailcheck/internal/cli"
)

func tree() *cobra.Command {
	c := cli.NewRoot(cli.Streams{Getenv: func(string) string { return "" }})
	c.InitDefaultHelpCmd()
	c.InitDefaultCompletionCmd()
	return c
}

// check parses a command line as the program would, and runs nothing.
func check(args []string) error {
	if len(args) == 0 || placeholder.MatchString(args[0]) {
		return nil
	}
	cmd, rest, err := tree().Find(args)
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return fmt.Errorf("%s: %w", cmd.CommandPath(), err)
	}
	rest = cmd.Flags().Args()
	if cmd.HasSubCommands() && len(rest) > 0 && cmd.Name() != "audit" && cmd.Name() != "help" {
		return fmt.Errorf("%s has no command %q", cmd.CommandPath(), rest[0])
	}
	if err := cmd.ValidateArgs(rest); err != nil {
		return err
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name == "output" || f.Name == "format" {
			if !formatOf(cmd, f) {
				err = fmt.Errorf("%s: --%s has no value %q", cmd.CommandPath(), f.Name, f.Value)
			}
		}
	})
	return err
}

var placeholder = regexp.MustCompile(`^[A-Z]+$`)

// formatOf looks for the value of a flag in the words that describe it.
func formatOf(cmd *cobra.Command, f *pflag.Flag) bool {
	return slices.Contains(regexp.MustCompile(`[a-z0-9-]+`).FindAllString(f.Usage+"\n"+cmd.Long, -1), f.Value.String())
}

func TestCheck(t *testing.T) {
	for _, good := range []string{"audit example.org --zone z --offline", "audit domain example.org", "dkim rotate advance --switched", "fix plan", "help audit", "--help", "reports summary -o csv", "fix export plan.json --format panel", "COMMAND --help"} {
		if err := check(strings.Fields(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"audti example.org", "audit --no-such", "dkim rotate go", "fix pln", "reports summary -o xml", "fix export plan.json --format xls", "version now", "spf check --ip"} {
		if err := check(strings.Fields(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

// Every command line on a page names commands and flags that exist.
func TestCommandLines(t *testing.T) {
	n := 0
	for _, p := range pages(t) {
		try := func(line int, text string) {
			for _, args := range calls(text) {
				n++
				if err := check(args); err != nil {
					t.Errorf("%s:%d: mailcheck %s: %v", p.path, line, strings.Join(args, " "), err)
				}
			}
		}
		for _, b := range p.blocks {
			if slices.Contains([]string{"", "sh", "shell", "console", "cron", "yaml", "yml", "ini", "systemd", "dockerfile"}, b.info) {
				try(b.line, b.text)
			}
		}
		for _, s := range p.spans {
			try(s.line, s.text)
		}
		for _, r := range p.runs {
			try(r.line, r.command)
		}
	}
	if n < 150 {
		t.Errorf("only %d command lines were found", n)
	}
}

// The files that call the program are held to the same.
func TestUnits(t *testing.T) {
	var files []string
	for _, dir := range []string{"contrib", "packaging", "examples"} {
		_ = filepath.WalkDir(filepath.Join(root, dir), func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && filepath.Ext(path) != ".go" && filepath.Ext(path) != ".md" {
				files = append(files, path)
			}
			return nil
		})
	}
	for _, name := range []string{"action.yml", "Dockerfile"} {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			files = append(files, filepath.Join(root, name))
		}
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range calls(string(text)) {
			if slices.ContainsFunc(args, func(a string) bool { return strings.ContainsAny(a, "$`") }) {
				continue // put together by the shell
			}
			if err := check(args); err != nil {
				t.Errorf("%s: mailcheck %s: %v", f, strings.Join(args, " "), err)
			}
		}
	}
}

// Every command is told of somewhere.
func TestEveryCommandIsNamed(t *testing.T) {
	var all strings.Builder
	for _, p := range pages(t) {
		all.WriteString(p.text)
	}
	text := strings.Join(strings.Fields(all.String()), " ")
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if !sub.IsAvailableCommand() || sub.Name() == "completion" || sub.Name() == "help" {
				continue
			}
			visit(sub)
			if name := strings.TrimPrefix(sub.CommandPath(), "mailcheck "); !sub.HasSubCommands() && !strings.Contains(text, name) {
				t.Errorf("no page says %q", name)
			}
		}
	}
	visit(tree())
}
