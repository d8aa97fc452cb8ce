package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mailrules"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/internal/ruledoc"
)

func flagNames(cmd *cobra.Command) []string {
	var out []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { out = append(out, f.Name) })
	return out
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// oneOf checks a flag that takes one of a few words.
func oneOf(cmd *cobra.Command, flag, value string, words ...string) error {
	for _, w := range words {
		if value == w {
			return nil
		}
	}
	hint := "--" + flag + " takes " + strings.Join(words, ", ")
	if best := nearest(value, words); best != "" {
		hint = "did you mean " + best + "? " + hint
	}
	return usage(hint, "unknown value %q for --%s of '%s'", value, flag, cmd.CommandPath())
}

func newVersion(s Streams) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Args:    cobra.NoArgs,
		Example: "  mailcheck version\n  mailcheck version -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf(cmd, "output", format, "text", "json"); err != nil {
				return err
			}
			v := versionView{"mailcheck.version/1", version, revision(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, len(allRules())}
			if format == "json" {
				return writeJSON(s.Out, v)
			}
			_, err := fmt.Fprintf(s.Out, "mailcheck %s (%s, %s, %d rules)\n", v.Version, v.Go, v.Platform, v.Rules)
			return err
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, x := range info.Settings {
			if x.Key == "vcs.revision" {
				return x.Value
			}
		}
	}
	return ""
}

func newRules(s Streams) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "rules [RULE|FAMILY...]",
		Short: "List the rules",
		Long:  "List the rules that an audit of a domain or of a mail judges by: all, or those of the families, IDs or slugs given.",
		Example: `  mailcheck rules
  mailcheck rules spf dmarc
  mailcheck rules -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf(cmd, "output", format, "text", "json", "markdown"); err != nil {
				return err
			}
			if err := checkWordsOf(allRules(), args); err != nil {
				return err
			}
			var list []audit.Rule
			for _, r := range allRules() {
				if audit.Selected(&r, args, nil) {
					list = append(list, r)
				}
			}
			switch format {
			case "json":
				return writeJSON(s.Out, ruledoc.JSON(list))
			case "markdown":
				_, err := io.WriteString(s.Out, ruledoc.Index(list))
				return err
			}
			return ruledoc.List(s.Out, list)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "output `format`: text, json or markdown")
	return cmd
}

func newExplain(s Streams) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "explain RULE...",
		Short: "Explain a rule: what is wrong, what it does to mail, what to do",
		Long:  "Print the page of one or more rules, named by ID or slug. The pages of docs/rules are the same text.",
		Args:  cobra.MinimumNArgs(1),
		Example: `  mailcheck explain SPF006
  mailcheck explain dmarc-policy-none`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return ruleWords(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf(cmd, "output", format, "text", "json"); err != nil {
				return err
			}
			var list []audit.Rule
			for _, a := range args {
				r, ok := findRule(a)
				if !ok {
					return unknownRule(a)
				}
				list = append(list, r)
			}
			if format == "json" {
				return writeJSON(s.Out, ruledoc.JSON(list))
			}
			for i, r := range list {
				if i > 0 {
					fmt.Fprintln(s.Out)
				}
				if _, err := io.WriteString(s.Out, ruledoc.Page(r)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

// allRules are the rules on domains and those on mails.
func allRules() []audit.Rule { return slices.Concat(rules.All(), mailrules.All()) }

func findRule(word string) (audit.Rule, bool) {
	for _, r := range allRules() {
		if !strings.EqualFold(word, r.Family()) && r.Matches(word) {
			return r, true
		}
	}
	return audit.Rule{}, false
}

func ruleWords() []string {
	var out []string
	for _, r := range allRules() {
		out = append(out, string(r.ID), r.Slug)
	}
	return out
}

func unknownRule(word string) error {
	hint := "mailcheck rules lists them"
	if best := nearest(word, ruleWords()); best != "" {
		hint = "did you mean " + best + "? " + hint
	}
	return usage(hint, "no rule is called %q", word)
}

// checkWords refuses a word that names no rule on domains: a misspelt --skip would
// otherwise be a silent no.
func checkWords(_ *cobra.Command, words []string) error { return checkWordsOf(rules.All(), words) }

// checkWordsOf does the same for a table.
func checkWordsOf(table []audit.Rule, words []string) error {
	for _, w := range words {
		known := false
		for _, r := range table {
			known = known || r.Matches(w)
		}
		if !known {
			return unknownRule(w)
		}
	}
	return nil
}
