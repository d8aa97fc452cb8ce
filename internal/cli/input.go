package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/internal/config"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// names collects the domains to audit.
func (o *auditOptions) names(s Streams, args []string, c config.Config) ([]resolve.Name, error) {
	var out []resolve.Name
	for _, a := range args {
		n, err := parseDomain(a, "")
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	if o.domainsFile != "" {
		list, err := readDomains(s.In, o.domainsFile)
		if err != nil {
			return nil, err
		}
		if out = append(out, list...); len(out) == 0 {
			return nil, usage("a domain a line; lines with # are comments", "%s holds no domain", o.domainsFile)
		}
		return out, nil
	}
	if len(out) == 0 {
		for _, d := range c.Domains {
			out = append(out, d.Name)
		}
	}
	if len(out) == 0 {
		return nil, usage("mailcheck audit example.org, or 'mailcheck lab' to see it work", "no domain given")
	}
	return out, nil
}

// parseDomain reads one domain; where says in which file and line it stands.
func parseDomain(text, where string) (resolve.Name, error) {
	n, err := resolve.ParseName(text)
	if err == nil && n.IsRoot() {
		err = &resolve.NameError{In: text, At: -1, Reason: "it is the root of the DNS"}
	}
	if err == nil {
		return n, nil
	}
	hint := "give a domain such as example.org"
	if e, ok := errors.AsType[*resolve.NameError](err); ok && e.Hint != "" {
		hint = e.Hint
	}
	if where != "" {
		err = fmt.Errorf("%s: %w", where, err)
	}
	return n, &Error{Code: ExitUsage, Err: err, Hint: hint}
}

// maxDomainLine is the longest line of a list of domains; a name has 253 octets
// and a U-label form may need several octets for one.
const maxDomainLine = 4096

func readDomains(in io.Reader, path string) ([]resolve.Name, error) {
	r, name := in, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usage("name a readable file, or - for standard input", "%w", err)
		}
		defer f.Close()
		r, name = f, path
	}
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, maxDomainLine), maxDomainLine)
	var out []resolve.Name
	line := 0
	for sc.Scan() {
		line++
		text, _, _ := strings.Cut(strings.TrimPrefix(sc.Text(), "\ufeff"), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		n, err := parseDomain(text, fmt.Sprintf("%s:%d", name, line))
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	if err := sc.Err(); err != nil {
		return nil, usage("a domain a line", "%s:%d: %w", name, line+1, err)
	}
	return out, nil
}

func parseAddrs(list []string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, a := range list {
		addr, err := netip.ParseAddr(strings.TrimSpace(a))
		if err != nil {
			return nil, usage("for example --ip 192.0.2.25 --ip 2001:db8::25", "--ip %q is not an IP address", a)
		}
		out = append(out, addr.Unmap().WithZone(""))
	}
	return out, nil
}

func checkSelectors(list []string) error {
	for _, x := range list {
		if _, err := resolve.ParseName(x); err != nil {
			return usage("the selector is the s= tag of a DKIM-Signature field", "--selector: %w", err)
		}
	}
	return nil
}

func profileIDs() []string {
	var out []string
	for _, p := range rules.Profiles() {
		out = append(out, p.ID)
	}
	return out
}

func pickProfiles(words []string) ([]audit.Profile, error) {
	var out []audit.Profile
	for _, w := range words {
		switch {
		case w == "none":
			continue
		case w == "all":
			return rules.Profiles(), nil
		}
		found := false
		for _, p := range rules.Profiles() {
			if strings.EqualFold(p.ID, w) {
				out, found = append(out, p), true
			}
		}
		if !found {
			hint := "--profile takes " + strings.Join(profileIDs(), ", ") + ", all or none"
			if best := nearest(w, profileIDs()); best != "" {
				hint = "did you mean " + best + "? " + hint
			}
			return nil, usage(hint, "no profile is called %q", w)
		}
	}
	return out, nil
}
