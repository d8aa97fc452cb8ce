package main

import (
	"fmt"
	"strings"
)

// provider is one DNS provider.
type provider struct {
	name, title string
	env         []variable
	notes       []string // what a person has to know of it
	open        func(*environment) (store, error)
}

// variable is a variable of the environment. The first of its names that is set
// is taken.
type variable struct {
	names    []string
	what     string
	optional bool
	public   bool // no secret
}

// providers are all, in the order of their names.
func providers() []*provider {
	return []*provider{cloudflareProvider, digitalOceanProvider, gandiProvider, hetznerProvider, hetznerDNSProvider, ovhProvider, porkbunProvider, route53Provider}
}

func find(name string) *provider {
	for _, p := range providers() {
		if p.name == strings.ToLower(name) {
			return p
		}
	}
	return nil
}

func names() []string {
	var out []string
	for _, p := range providers() {
		out = append(out, p.name)
	}
	return out
}

// environment hands out credentials, and remembers them so that they are not shown.
type environment struct {
	getenv  func(string) string
	secrets []string
}

// take reads the variables of a provider, in their order.
func (e *environment) take(p *provider) ([]string, error) {
	var out []string
	var missing []string
	for _, v := range p.env {
		value := ""
		for _, n := range v.names {
			if value = strings.TrimSpace(e.getenv(n)); value != "" {
				break
			}
		}
		if value == "" && !v.optional {
			missing = append(missing, v.names[0])
		}
		if value != "" && !v.public {
			e.secrets = append(e.secrets, value)
		}
		out = append(out, value)
	}
	if missing != nil {
		return nil, fail(auth, "%s is not set in the environment", strings.Join(missing, ", "))
	}
	return out, nil
}

func help() string {
	var b strings.Builder
	b.WriteString(`Write record sets through the API of a DNS provider.

Usage:
  mailcheck-libdns PROVIDER          one request on standard input (mailcheck.exec/1)
  mailcheck-libdns PROVIDER --help   the provider's credentials and limits

mailcheck runs it by itself:
  mailcheck fix apply plan.json --provider PROVIDER

Credentials come from the environment, and from nowhere else.

Providers:
`)
	for _, p := range providers() {
		fmt.Fprintf(&b, "  %-13s %s\n", p.name, p.title)
	}
	b.WriteString("\nExit status: 0 done; 1 the response says why not; 3 wrong usage.\n")
	return b.String()
}

func (p *provider) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n\nEnvironment:\n", p.title, p.name)
	for _, v := range p.env {
		need := ""
		if v.optional {
			need = " (optional)"
		}
		fmt.Fprintf(&b, "  %s%s\n      %s\n", strings.Join(v.names, " or "), need, v.what)
	}
	if len(p.notes) > 0 {
		b.WriteString("\nNotes:\n")
		for _, n := range p.notes {
			fmt.Fprintf(&b, "  - %s\n", n)
		}
	}
	return b.String()
}
