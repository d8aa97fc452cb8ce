package setup

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// DefaultTTL is the time to live proposed for a new key record, in seconds: an
// hour, so that a mistake does not stay for long.
const DefaultTTL = 3600

// Forms is a key record in the forms in which it has to be entered.
type Forms struct {
	Name     resolve.Name // "s1._domainkey.example.org"
	Origin   resolve.Name // the zone that holds it
	Relative string       // "s1._domainkey": for panels that append the zone
	Absolute string       // "s1._domainkey.example.org."
	TTL      uint32
	Line     string   // the text in one line, without quotes
	Strings  []string // the text in strings of at most 255 octets
	Quoted   string   // the strings in quotes, as one line
	Zone     string   // the record in master file form, one line
}

// FormsOf writes the record of a selector in all forms. A zero origin is taken to
// be the domain itself; a name outside the origin has no relative form.
func FormsOf(name, origin resolve.Name, r dkim.Record) Forms {
	line := r.String()
	txt := resolve.SplitTXT(line)
	f := Forms{
		Name: name, Origin: origin, Absolute: name.FQDN(), TTL: DefaultTTL,
		Line: line, Strings: txt.Strings, Quoted: txt.String(),
	}
	if f.Origin.IsZero() {
		f.Origin = domainOf(name)
	}
	if name.Within(f.Origin) && name != f.Origin && !f.Origin.IsRoot() {
		f.Relative = strings.TrimSuffix(name.String(), "."+f.Origin.String())
	}
	f.Zone = fmt.Sprintf("%s %d IN TXT %s", f.Absolute, f.TTL, f.Quoted)
	return f
}

// domainOf is the domain of a key record's name.
func domainOf(name resolve.Name) resolve.Name {
	for n := name; n.NumLabels() > 1; n = n.Parent() {
		if n.First() == "_domainkey" {
			return n.Parent()
		}
	}
	return name
}

// Panel is a way of entering a record that several products share.
type Panel struct {
	Products []string
	Host     string // what goes into the field for the name
	Value    string // what goes into the field for the text
	Note     string
}

// Panels lists what has to be entered where. A panel that is none of these most
// likely takes the first form.
func (f Forms) Panels() []Panel {
	host := f.Relative
	if host == "" {
		host = f.Name.String()
	}
	long := len(f.Strings) > 1
	note := func(s string) string {
		if !long {
			return ""
		}
		return s
	}
	return []Panel{
		{
			Products: []string{"Cloudflare", "Azure DNS", "DigitalOcean", "GoDaddy", "IONOS", "Namecheap", "Porkbun", "Squarespace", "cPanel", "Plesk"},
			Host:     host, Value: f.Line,
			Note: "plain text, in one line" + note("; the panel splits it by itself. If it refuses more than 255 characters, use the quoted form"),
		},
		{
			Products: []string{"Amazon Route 53", "deSEC", "Hetzner DNS", "PowerDNS"},
			Host:     host, Value: f.Quoted,
			Note: "the quotes belong to the value" + note(", with a space between the two strings and none inside them"),
		},
		{
			Products: []string{"Google Cloud DNS"},
			Host:     f.Absolute, Value: f.Quoted,
			Note: "the name is entered in full, the quotes belong to the value",
		},
		{
			Products: []string{"BIND", "NSD", "Knot DNS", "PowerDNS zone file"},
			Host:     f.Absolute, Value: f.Zone,
			Note: "one line of the zone file; raise the serial of the SOA record and reload the zone",
		},
	}
}
