package setup

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// MaxKeys is how many keys one guide is made for: one of each type.
const MaxKeys = 2

// Key is a key that a server is to sign with.
type Key struct {
	Selector string
	Type     string // dkim.KeyRSA, which is the default, or dkim.KeyEd25519
	File     string // where the private key lies now
}

// Server is a mail server, or a signer beside one, that is known here.
type Server struct {
	ID      string // "opendkim"
	Name    string // "OpenDKIM"
	Ed25519 bool   // signs with Ed25519 keys too
	Proven  string // the version with which the lines were tried; empty if they were not
}

// Guide is what has to be done at a server.
type Guide struct {
	Server
	Domain resolve.Name
	Keys   []Key // those that the server can use
	Steps  []Step
	Reload []string // commands
	Test   []string // commands that show whether the server signs with the key
	Notes  []string
}

// Step is one thing to do, in order.
type Step struct {
	Do   string // what, in a sentence
	File string // the file to change; empty if Text is commands
	Mode string // "0600": the mode of the file
	User string // "opendkim:opendkim": its owner
	Text string // the lines to add, or the commands; empty if Do says it all
}

// Errors of [Make].
var (
	ErrServer      = errors.New("setup: unknown server")
	ErrKey         = errors.New("setup: a name that cannot stand in a configuration")
	ErrUnsupported = errors.New("setup: the server cannot use this key")
)

// Servers lists the servers in order of their names.
func Servers() []Server {
	out := make([]Server, 0, len(recipes))
	for _, r := range recipes {
		out = append(out, r.Server)
	}
	return out
}

// Make writes the guide for a server. Keys of a type that the server cannot use
// are left out with a note; if none is left, the error matches [ErrUnsupported].
func Make(server string, domain resolve.Name, list ...Key) (Guide, error) {
	i := slices.IndexFunc(recipes, func(r recipe) bool { return r.ID == strings.ToLower(server) })
	if i < 0 {
		return Guide{}, fmt.Errorf("%w: %+q", ErrServer, shorten(server))
	}
	r := recipes[i]
	if len(list) == 0 || len(list) > MaxKeys {
		return Guide{}, fmt.Errorf("%w: %d keys, want 1 or %d", ErrKey, len(list), MaxKeys)
	}
	if err := plain("domain", domain.String(), "-_."); err != nil {
		return Guide{}, err
	}
	g := Guide{Server: r.Server, Domain: domain}
	for _, k := range list {
		if k.Type == "" {
			k.Type = dkim.KeyRSA
		}
		if err := k.check(domain); err != nil {
			return Guide{}, err
		}
		if k.Type == dkim.KeyEd25519 && !r.Ed25519 {
			g.Notes = append(g.Notes, fmt.Sprintf("%s is set up with RSA keys only, so selector %s is left out.", r.Name, k.Selector))
			continue
		}
		g.Keys = append(g.Keys, k)
	}
	if len(g.Keys) == 0 {
		return Guide{}, fmt.Errorf("%w: %s is set up with RSA keys only", ErrUnsupported, r.Name)
	}
	return g, r.fill(&g)
}

func (k Key) check(domain resolve.Name) error {
	if _, err := dkim.KeyName(domain, k.Selector); err != nil {
		return err
	}
	if err := plain("selector", k.Selector, "-_."); err != nil {
		return err
	}
	if k.Type != dkim.KeyRSA && k.Type != dkim.KeyEd25519 {
		return fmt.Errorf("%w: key type %+q", ErrKey, shorten(k.Type))
	}
	if k.File == "" {
		return fmt.Errorf("%w: no key file", ErrKey)
	}
	return plain("key file", k.File, "-_./:+@,=")
}

// plain refuses what would mean something in a shell or in a configuration. No
// quoting fits shells, Exim, UCL and TOML alike.
func plain(what, s, also string) error {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && !strings.Contains(also, s[i:i+1]) {
			return fmt.Errorf("%w: the %s %+q has the character %+q", ErrKey, what, shorten(s), s[i])
		}
	}
	if strings.HasPrefix(s, "-") {
		return fmt.Errorf("%w: the %s %+q begins with a hyphen", ErrKey, what, shorten(s))
	}
	return nil
}

// recipe is a server and the templates of its guide.
type recipe struct {
	Server
	installed string // template of the path at which the server reads a key
	steps     []Step
	reload    []string
	test      []string
	notes     []string
}

// placed is a key and the path at which the server reads it.
type placed struct {
	Key
	Path, Dir string
}

// data is what the templates see.
type data struct {
	Domain string
	Keys   []placed
	Sub    bool // more than two labels: perhaps no registered domain
}

func (r recipe) fill(g *Guide) error {
	d := data{Domain: g.Domain.String(), Sub: g.Domain.NumLabels() > 2}
	for _, k := range g.Keys {
		p, err := render(r.installed, struct{ Domain, Selector, Type, File string }{d.Domain, k.Selector, k.Type, k.File})
		if err != nil {
			return err
		}
		d.Keys = append(d.Keys, placed{k, p, path.Dir(p)})
	}
	var failed error
	text := func(s string) string {
		out, err := render(s, d)
		if err != nil {
			failed = err
		}
		return out
	}
	for _, s := range r.steps {
		s.Do, s.File, s.User, s.Text = text(s.Do), text(s.File), text(s.User), text(s.Text)
		if s.Do != "" { // a step that does not apply renders to nothing
			g.Steps = append(g.Steps, s)
		}
	}
	for dst, src := range map[*[]string][]string{&g.Reload: r.reload, &g.Test: r.test, &g.Notes: r.notes} {
		for _, s := range src {
			for line := range strings.Lines(text(s)) {
				if line = strings.TrimRight(line, "\n"); line != "" {
					*dst = append(*dst, line)
				}
			}
		}
	}
	return failed
}

func render(text string, d any) (string, error) {
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("setup: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, d); err != nil {
		return "", fmt.Errorf("setup: %w", err)
	}
	return b.String(), nil
}

func shorten(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
