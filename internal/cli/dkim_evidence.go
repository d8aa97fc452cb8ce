package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/internal/config"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Limits of evidence.
const (
	maxMessages = 2000    // files of all directories
	maxKeyTable = 1 << 20 // octets
)

// evidence are the flags that say where selectors are known from.
type evidence struct {
	selected   []string
	messages   []string
	keyTable   string
	configPath string
	reports    reportEvidence
}

func (e *evidence) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVar(&e.selected, "selector", nil, "`selector` known to be in use, repeatable")
	fs.StringArrayVar(&e.messages, "message", nil, "`file` or directory with mail of the domain, - for standard input, repeatable: selectors are taken from its signatures")
	fs.StringVar(&e.keyTable, "keytable", "", "KeyTable `file` of OpenDKIM: selectors are taken from it")
	e.reports.add(cmd)
	fs.StringVar(&e.configPath, "config", "", "configuration `file` with selectors (default: mailcheck.yaml here, if there is one)")
}

// collected is what is known or guessed of a domain's selectors before any of
// them is asked for.
type collected struct {
	asked   []string            // --selector
	known   []string            // all that evidence names, asked ones first
	sources map[string][]string // of a selector in lower case
	guessed []providers.Candidate
	partial []string // what could not be read
}

func (c *collected) note(selector, source string) {
	k := strings.ToLower(selector)
	if c.sources == nil {
		c.sources = map[string][]string{}
	}
	if !slices.ContainsFunc(c.known, func(s string) bool { return strings.EqualFold(s, selector) }) {
		c.known = append(c.known, selector)
	}
	if !slices.Contains(c.sources[k], source) && len(c.sources[k]) < 5 {
		c.sources[k] = append(c.sources[k], source)
	}
}

func (c *collected) selectors() []string { return c.known }

func (c *collected) candidates() []string {
	var out []string
	for _, g := range c.guessed {
		out = append(out, g.Selector)
	}
	return out
}

func (c *collected) isAsked(selector string) bool {
	return slices.ContainsFunc(c.asked, func(s string) bool { return strings.EqualFold(s, selector) })
}

// collect reads the evidence, and asks for the MX and SPF records of the domain to
// see which providers it uses.
func (e *evidence) collect(ctx context.Context, s Streams, r resolve.Resolver, domain resolve.Name) (*collected, error) {
	c := &collected{}
	for _, sel := range e.selected {
		if _, err := keyName(domain, sel); err != nil {
			return nil, err
		}
		c.asked = append(c.asked, sel)
		c.note(sel, "--selector")
	}
	cfg, err := config.Load(e.configPath)
	if err != nil {
		return nil, &Error{Code: ExitUsage, Err: err, Hint: "the keys of the file are in docs/guide/config.md"}
	}
	fromConfig, _ := cfg.For(domain)
	for _, sel := range fromConfig {
		c.note(sel, "configuration "+cfg.Path)
	}
	if e.keyTable != "" {
		if err := c.readKeyTable(e.keyTable, domain); err != nil {
			return nil, err
		}
	}
	if err := e.reports.read(ctx, s, domain, c); err != nil {
		return nil, err
	}
	n := 0
	for _, path := range e.messages {
		if err := c.readMessages(ctx, s, path, domain, &n); err != nil {
			return nil, err
		}
	}
	c.guess(ctx, r, domain)
	return c, nil
}

// readMessages takes the selectors from the signatures of the domain.
func (c *collected) readMessages(ctx context.Context, s Streams, path string, domain resolve.Name, n *int) error {
	if path == "-" {
		c.readMessage(ctx, s.In, "standard input", domain)
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return usage("name a message file or a directory of them", "--message: %w", err)
	}
	if !info.IsDir() {
		f, err := os.Open(path)
		if err != nil {
			return usage("name a message file or a directory of them", "--message: %w", err)
		}
		defer f.Close()
		c.readMessage(ctx, f, "message "+path, domain)
		return nil
	}
	return filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			c.partial = append(c.partial, safe.Text(err.Error()))
			return nil
		case !d.Type().IsRegular():
			return nil
		case *n >= maxMessages:
			c.partial = append(c.partial, fmt.Sprintf("only the first %d files were read", maxMessages))
			return filepath.SkipAll
		}
		*n++
		f, err := os.Open(p)
		if err != nil {
			c.partial = append(c.partial, safe.Text(err.Error()))
			return nil
		}
		defer f.Close()
		c.readMessage(ctx, f, "message "+p, domain)
		return ctx.Err()
	})
}

// readMessage parses the signatures without asking for their keys.
func (c *collected) readMessage(ctx context.Context, r io.Reader, source string, domain resolve.Name) {
	v, err := dkim.Verify(ctx, r, resolve.Offline, dkim.VerifyOptions{MaxBodyBytes: 1})
	if err != nil {
		c.partial = append(c.partial, safe.Text(source+": "+err.Error()))
	}
	for _, sig := range v.Signatures {
		n, err := resolve.ParseName(sig.Domain)
		if err != nil || n != domain || sig.Selector == "" {
			continue
		}
		if _, err := dkim.KeyName(domain, sig.Selector); err == nil {
			c.note(sig.Selector, source)
		}
	}
}

// readKeyTable reads lines "name domain:selector:key".
func (c *collected) readKeyTable(path string, domain resolve.Name) error {
	f, err := os.Open(path)
	if err != nil {
		return usage("name the KeyTable file of opendkim.conf", "--keytable: %w", err)
	}
	defer f.Close()
	sc := bufio.NewScanner(io.LimitReader(f, maxKeyTable))
	for sc.Scan() {
		line, _, _ := strings.Cut(sc.Text(), "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		parts := strings.SplitN(words[1], ":", 3)
		if len(parts) < 3 || !strings.EqualFold(strings.TrimSuffix(parts[0], "."), domain.String()) {
			continue
		}
		if _, err := dkim.KeyName(domain, parts[1]); err == nil {
			c.note(parts[1], "key table "+path)
		}
	}
	if sc.Err() != nil {
		return usage("name the KeyTable file of opendkim.conf", "--keytable: a line is too long")
	}
	return nil
}

// guess finds the providers that the domain's MX and SPF records name.
func (c *collected) guess(ctx context.Context, r resolve.Resolver, domain resolve.Name) {
	var hosts, includes []resolve.Name
	if a, err := r.Resolve(ctx, resolve.Question{Name: domain, Type: resolve.TypeMX}); err == nil {
		for _, m := range a.MX() {
			hosts = append(hosts, m.Host)
		}
	}
	if a, err := r.Resolve(ctx, resolve.Question{Name: domain, Type: resolve.TypeTXT}); err == nil {
		for _, t := range a.TXT() {
			for _, text := range spf.Select([]string{t.Joined()}).Records {
				rec, _ := spf.Parse(text)
				for _, x := range rec.Terms {
					if (x.Kind != spf.Include && x.Kind != spf.Redirect) || x.Macro {
						continue
					}
					if n, err := resolve.NameFromText(x.Domain); err == nil {
						includes = append(includes, n)
					}
				}
			}
		}
	}
	c.guessed = providers.Selectors(hosts, includes)
}

// why says where a selector comes from.
func (c *collected) why(selector string) []string {
	if l := c.sources[strings.ToLower(selector)]; l != nil {
		return l
	}
	for _, g := range c.guessed {
		if strings.EqualFold(g.Selector, selector) {
			name := g.Provider
			if p, ok := providers.ByID(g.Provider); ok {
				name = p.Name
			}
			return []string{"provider " + name}
		}
	}
	return []string{"common name"}
}

// providerOf names the provider of a CNAME's target.
func providerOf(target resolve.Name) nullable {
	if target.IsZero() {
		return ""
	}
	p, _ := providers.BySelectorTarget(target)
	return nullable(p.Name)
}
