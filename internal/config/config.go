// Package config reads mailcheck.yaml: what only the owner of a domain knows,
// such as the selectors and addresses it sends with, and which findings were
// accepted and why.
package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Name is the file looked for in the working directory.
const Name = "mailcheck.yaml"

// MaxSize is the size in octets above which a file is no configuration.
const MaxSize = 4 << 20

// Config is the content of the file. The zero value is an empty one.
type Config struct {
	Path         string // where it was read; empty if there was none
	Domains      []Domain
	Selectors    []string // for every domain
	Addresses    []netip.Addr
	Mail         Mail    // for every domain that does not say otherwise
	Sources      Sources // for every domain
	Suppressions []audit.Suppression
}

// Mail is how mail is sent for a domain, and who looks after it.
type Mail struct {
	Senders  []string // as on the command line: provider IDs, include names, addresses
	ReportTo string   // address for DMARC and TLS reports
	KeyDir   string   // directory with the DKIM keys
	Server   string   // ID of the mail server that signs
}

// Sources is what the owner knows of who sends, in the words of --ours, --forwarder
// and --forger: addresses, networks, names of sources.
type Sources struct {
	Ours       []string
	Forwarders []string
	Forgers    []string
}

// Domain is what is known of one domain.
type Domain struct {
	Name      resolve.Name
	Selectors []string
	Addresses []netip.Addr
	Mail      Mail
	Sources   Sources
}

// Error is a fault in the file. Line is 0 if it has no place.
type Error struct {
	Path   string
	Line   int
	Reason string
	Err    error
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s: %s", e.Path, e.Reason)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Load reads a file. If path is empty, [Name] in the working directory is read
// if it is there.
func Load(path string) (Config, error) {
	optional := path == ""
	if optional {
		path = Name
	}
	f, err := os.Open(path)
	if err != nil {
		if optional && errors.Is(err, os.ErrNotExist) {
			return Config{}, nil
		}
		return Config{}, &Error{Path: path, Reason: "cannot be read: " + reason(err), Err: err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return Config{}, &Error{Path: path, Reason: "cannot be read: " + reason(err), Err: err}
	}
	if len(text) > MaxSize {
		return Config{}, &Error{Path: path, Reason: fmt.Sprintf("larger than %d octets", MaxSize)}
	}
	return Parse(path, text)
}

func reason(err error) string {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

// The file's own shape.
type file struct {
	Version      int      `yaml:"version"`
	Domains      []domain `yaml:"domains"`
	Selectors    []string `yaml:"selectors"`
	Addresses    []string `yaml:"addresses"`
	mailKeys     `yaml:",inline"`
	sourceKeys   `yaml:",inline"`
	Suppressions []suppression `yaml:"suppressions"`
}

// mailKeys are the keys of [Mail].
type mailKeys struct {
	Senders  []string `yaml:"senders"`
	ReportTo string   `yaml:"report_to"`
	KeyDir   string   `yaml:"key_dir"`
	Server   string   `yaml:"server"`
}

// sourceKeys are the keys of [Sources].
type sourceKeys struct {
	Ours       []string `yaml:"ours"`
	Forwarders []string `yaml:"forwarders"`
	Forgers    []string `yaml:"forgers"`
}

// sources checks that each entry can be one, and that no source is two things.
func (k sourceKeys) sources() (Sources, error) {
	where := map[string]string{}
	for _, l := range []struct {
		key  string
		list []string
	}{{"ours", k.Ours}, {"forwarders", k.Forwarders}, {"forgers", k.Forgers}} {
		for i, x := range l.list {
			x = strings.TrimSpace(x)
			l.list[i] = x
			if x == "" {
				return Sources{}, fmt.Errorf("%s: an entry is empty", l.key)
			}
			if a, _, ok := strings.Cut(x, "/"); ok {
				if _, err := netip.ParseAddr(a); err == nil {
					if _, err := netip.ParsePrefix(x); err != nil {
						return Sources{}, fmt.Errorf("%s: %q is not a network", l.key, x)
					}
				}
			}
			lower := strings.ToLower(x)
			if other, ok := where[lower]; ok && other != l.key {
				return Sources{}, fmt.Errorf("%q is in %s and in %s", x, other, l.key)
			}
			where[lower] = l.key
		}
	}
	return Sources(k), nil
}

type domain struct {
	Name       string   `yaml:"name"`
	Selectors  []string `yaml:"selectors"`
	Addresses  []string `yaml:"addresses"`
	mailKeys   `yaml:",inline"`
	sourceKeys `yaml:",inline"`
	line       int
}

type suppression struct {
	Rule    string `yaml:"rule"`
	Domain  string `yaml:"domain"`
	Subject string `yaml:"subject"`
	Reason  string `yaml:"reason"`
	Expires string `yaml:"expires"`
	line    int
}

// UnmarshalYAML takes a bare name for a domain of which nothing else is said.
func (d *domain) UnmarshalYAML(n *yaml.Node) error {
	d.line = n.Line
	if n.Kind == yaml.ScalarNode {
		d.Name = n.Value
		return nil
	}
	if err := known(n, "name", "selectors", "addresses", "senders", "report_to", "key_dir", "server", "ours", "forwarders", "forgers"); err != nil {
		return err
	}
	type plain domain
	return n.Decode((*plain)(d))
}

// UnmarshalYAML notes the line for messages.
func (s *suppression) UnmarshalYAML(n *yaml.Node) error {
	s.line = n.Line
	if err := known(n, "rule", "domain", "subject", "reason", "expires"); err != nil {
		return err
	}
	type plain suppression
	return n.Decode((*plain)(s))
}

// known refuses misspelt keys: a setting that is silently ignored is a guess.
func known(n *yaml.Node, keys ...string) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: expected a mapping with the keys %v", n.Line, keys)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; !slices.Contains(keys, k.Value) {
			return fmt.Errorf("line %d: unknown key %q, known are %v", k.Line, k.Value, keys)
		}
	}
	return nil
}

var lineRE = regexp.MustCompile(`line (\d+): (.*)`)

// Parse reads the text of a file. Errors are *[Error].
func Parse(path string, text []byte) (Config, error) {
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		e := &Error{Path: path, Reason: err.Error(), Err: err}
		if m := lineRE.FindStringSubmatch(err.Error()); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
			e.Reason = m[2]
		}
		return Config{}, e
	}
	if f.Version != 0 && f.Version != 1 {
		return Config{}, &Error{Path: path, Reason: fmt.Sprintf("version %d is not known, this program reads version 1", f.Version)}
	}
	c := Config{Path: path, Selectors: f.Selectors, Mail: Mail(f.mailKeys)}
	var err error
	if c.Addresses, err = addresses(f.Addresses); err != nil {
		return Config{}, &Error{Path: path, Reason: err.Error(), Err: err}
	}
	if c.Sources, err = f.sources(); err != nil {
		return Config{}, &Error{Path: path, Reason: err.Error(), Err: err}
	}
	for _, d := range f.Domains {
		n, err := resolve.ParseName(d.Name)
		if err != nil {
			return Config{}, &Error{Path: path, Line: d.line, Reason: err.Error(), Err: err}
		}
		a, err := addresses(d.Addresses)
		if err != nil {
			return Config{}, &Error{Path: path, Line: d.line, Reason: err.Error(), Err: err}
		}
		src, err := d.sources()
		if err != nil {
			return Config{}, &Error{Path: path, Line: d.line, Reason: err.Error(), Err: err}
		}
		c.Domains = append(c.Domains, Domain{Name: n, Selectors: d.Selectors, Addresses: a, Mail: Mail(d.mailKeys), Sources: src})
	}
	for _, s := range f.Suppressions {
		x, err := s.value()
		if err != nil {
			return Config{}, &Error{Path: path, Line: s.line, Reason: err.Error(), Err: err}
		}
		c.Suppressions = append(c.Suppressions, x)
	}
	return c, nil
}

func (s suppression) value() (audit.Suppression, error) {
	x := audit.Suppression{Rule: s.Rule, Domain: s.Domain, Subject: s.Subject, Reason: s.Reason}
	if s.Rule == "" {
		return x, errors.New("a suppression needs a rule")
	}
	if s.Reason == "" {
		return x, fmt.Errorf("the suppression of %s needs a reason", s.Rule)
	}
	if s.Expires != "" {
		t, err := time.Parse(time.DateOnly, s.Expires)
		if err != nil {
			return x, fmt.Errorf("expires: %q is not a date like 2027-01-31", s.Expires)
		}
		x.Expires = t
	}
	return x, nil
}

func addresses(list []string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, s := range list {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("%q is not an IP address", s)
		}
		out = append(out, a.Unmap())
	}
	return out, nil
}

// For returns the selectors and addresses known for a domain: its own and those
// for every domain.
func (c Config) For(name resolve.Name) (selectors []string, addrs []netip.Addr) {
	selectors, addrs = slices.Clone(c.Selectors), slices.Clone(c.Addresses)
	for _, d := range c.Domains {
		if d.Name == name {
			selectors, addrs = append(selectors, d.Selectors...), append(addrs, d.Addresses...)
		}
	}
	return selectors, addrs
}

// MailFor returns how mail is sent for a domain: what the file says of it, else
// what it says for every domain.
func (c Config) MailFor(name resolve.Name) Mail {
	m := c.Mail
	for _, d := range c.Domains {
		if d.Name != name {
			continue
		}
		if len(d.Mail.Senders) > 0 {
			m.Senders = d.Mail.Senders
		}
		m.ReportTo = cmp.Or(d.Mail.ReportTo, m.ReportTo)
		m.KeyDir = cmp.Or(d.Mail.KeyDir, m.KeyDir)
		m.Server = cmp.Or(d.Mail.Server, m.Server)
	}
	return m
}
