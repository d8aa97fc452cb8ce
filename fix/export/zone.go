package export

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// bind writes records with absolute names, each with its TTL: they mean the same
// under any $ORIGIN and $TTL.
func bind(p *printer, changes []change) error {
	p.comment(";", "Zone file fragment. Raise the serial of the SOA when it is in.")
	for _, c := range changes {
		p.WriteByte('\n')
		p.about(";", c)
		for _, r := range c.gone() {
			p.comment(";", "take out: %s IN %s %s", c.Name.FQDN(), c.Type, r.Data)
		}
		for _, r := range c.now {
			head := fmt.Sprintf("%s %d IN %s ", c.Name.FQDN(), c.TTL, c.Type)
			txt, ok := r.Data.(resolve.TXT)
			if !ok || len(txt.Strings) < 2 {
				p.line("%s%s", head, r.Data)
				continue
			}
			p.line("%s(", head)
			for _, s := range txt.Strings {
				p.line("  %s", resolve.TXT{Strings: []string{s}})
			}
			p.line("  )")
		}
	}
	return nil
}

// cloudflare writes the file that the import of records takes. It adds records,
// and changes none.
func cloudflare(p *printer, changes []change) error {
	zone, err := p.zone()
	if err != nil {
		return err
	}
	p.comment(";;", "Cloudflare: DNS, Records, Import and Export. The import adds records: delete those")
	p.comment(";;", "named here first. Leave \"Proxy imported DNS records\" off.")
	p.line("$ORIGIN %s", zone.FQDN())
	for _, c := range changes {
		p.WriteByte('\n')
		p.about(";;", c)
		for _, r := range c.gone() {
			p.comment(";;", "delete first: %s %s %s", c.Name.FQDN(), c.Type, r.Data)
		}
		for _, r := range c.now {
			if contains(c.old, r) {
				p.comment(";;", "is there already, the import passes over it:")
			}
			tag := ""
			if c.Type == resolve.TypeA || c.Type == resolve.TypeAAAA || c.Type == resolve.TypeCNAME {
				// A proxy does not carry mail, and answers for an alias with its own address.
				tag = " ; cf_tags=cf-proxied:false"
			}
			p.line("%s %d IN %s %s%s", c.Name.FQDN(), c.TTL, c.Type, r.Data, tag)
		}
	}
	return nil
}

// nsupdate writes one update for each change. Its prerequisites are the old
// records, and what the updates before it have left: if one was refused, so are
// those that follow.
func nsupdate(p *printer, changes []change) error {
	p.comment(";", "nsupdate -k KEYFILE FILE. An update that is refused with NXRRSET or YXRRSET found")
	p.comment(";", "another zone than the plan was made for.")
	if p.opt.Server != "" {
		host, port, err := net.SplitHostPort(p.opt.Server)
		if err != nil {
			host, port = strings.Trim(p.opt.Server, "[]"), "53"
		}
		if strings.ContainsAny(host+port, " \t\r\n;") {
			return fmt.Errorf("%w: the server's name %.80q", ErrForm, p.opt.Server)
		}
		p.line("server %s %s", host, port)
	}
	if !p.opt.Zone.IsZero() {
		p.line("zone %s", p.opt.Zone.FQDN())
	}
	for i, c := range changes {
		p.WriteByte('\n')
		p.about(";", c)
		p.exists(c.Change, c.old) // RFC 2136, Sections 2.4.2 and 2.4.3
		for j, b := range changes[:i] {
			if !slices.ContainsFunc(changes[j+1:i+1], func(l change) bool { return l.Name == b.Name && l.Type == b.Type }) {
				p.exists(b.Change, b.now)
			}
		}
		if len(c.old) > 0 {
			p.line("update delete %s IN %s", c.Name.FQDN(), c.Type)
		}
		for _, r := range c.now {
			p.line("update add %s %d IN %s %s", c.Name.FQDN(), c.TTL, c.Type, r.Data)
		}
		p.line("send")
	}
	return nil
}

func (p *printer) exists(c fix.Change, records []resolve.Record) {
	if len(records) == 0 {
		p.line("prereq nxrrset %s IN %s", c.Name.FQDN(), c.Type)
	}
	for _, r := range records {
		p.line("prereq yxrrset %s IN %s %s", c.Name.FQDN(), c.Type, r.Data)
	}
}
