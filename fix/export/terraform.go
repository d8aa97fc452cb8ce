package export

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// hcl is a quoted string of the configuration language of Terraform. It reads
// ${ and %{ as templates, so these are doubled.
func hcl(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case (c == '$' || c == '%') && i+1 < len(s) && s[i+1] == '{':
			b.WriteByte(c)
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// labels gives each resource a name of its own.
type labels []string

func (l *labels) next(c change) string {
	base := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, strings.ToLower(c.Type.String()+"_"+c.Name.String()))
	name := base
	for n := 2; slices.Contains(*l, name); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	*l = append(*l, name)
	return name
}

// terraformRoute53 writes one resource for each record set.
func terraformRoute53(p *printer, changes []change) error {
	p.comment("#", "A record set that is there already has to be imported first, or its resource changed:")
	p.comment("#", "terraform import aws_route53_record.LABEL ZONEID_NAME_TYPE")
	p.line("variable \"route53_zone_id\" {\n  type = string\n}")
	var l labels
	for _, c := range changes {
		p.WriteByte('\n')
		p.about("#", c)
		if c.Verb == fix.Delete {
			p.comment("#", "take its resource out")
			continue
		}
		p.line("resource \"aws_route53_record\" %s {", hcl(l.next(c)))
		p.attributes("  ", "zone_id = var.route53_zone_id", "name = "+hcl(strings.TrimSuffix(octalName(c.Name), ".")),
			"type = "+hcl(c.Type.String()), fmt.Sprintf("ttl = %d", c.TTL), "records = [")
		for _, r := range c.now {
			v := octalData(r.Data)
			if txt, ok := r.Data.(resolve.TXT); ok {
				// The provider puts the outer quotes itself: only those between strings are written.
				parts := make([]string, len(txt.Strings))
				for i, s := range txt.Strings {
					parts[i] = strings.TrimSuffix(strings.TrimPrefix(octal(s), `"`), `"`)
				}
				v = strings.Join(parts, `""`)
			}
			p.line("    %s,", hcl(v))
		}
		p.line("  ]")
		p.line("}")
	}
	return nil
}

// terraformCloudflare writes one resource for each record (provider version 5).
func terraformCloudflare(p *printer, changes []change) error {
	p.comment("#", "Records that stay have to be imported, if they have no resource yet.")
	p.line("variable \"cloudflare_zone_id\" {\n  type = string\n}")
	var l labels
	for _, c := range changes {
		p.WriteByte('\n')
		p.about("#", c)
		for _, r := range c.gone() {
			p.comment("#", "take its resource out, or delete it: %s %s", c.Type, r.Data)
		}
		for i, r := range c.now {
			if i > 0 {
				p.WriteByte('\n')
			}
			body, data, err := cloudflareBody(c, r)
			if err != nil {
				return err
			}
			p.line("resource \"cloudflare_dns_record\" %s {", hcl(l.next(c)))
			p.attributes("  ", slices.Concat([]string{"zone_id = var.cloudflare_zone_id", "name = " + hcl(c.Name.String()),
				"type = " + hcl(c.Type.String()), fmt.Sprintf("ttl = %d", max(c.TTL, cloudflareTTL))}, body)...)
			if data != nil {
				p.line("  data = {")
				p.attributes("    ", data...)
				p.line("  }")
			}
			p.line("}")
		}
	}
	return nil
}

// cloudflareTTL is the least TTL of the plans that are not Enterprise.
const cloudflareTTL = 60 // seconds, Cloudflare documentation, "Time to Live"

// attributes writes lines "key = value" as "terraform fmt" aligns them.
func (p *printer) attributes(indent string, list ...string) {
	width := 0
	for _, a := range list {
		key, _, _ := strings.Cut(a, " = ")
		width = max(width, len(key))
	}
	for _, a := range list {
		key, value, _ := strings.Cut(a, " = ")
		p.line("%s%-*s = %s", indent, width, key, value)
	}
}

// cloudflareBody is what holds the data of a record: one field, or for some
// types an object with a field for each part.
func cloudflareBody(c change, r resolve.Record) (body, data []string, err error) {
	switch d := r.Data.(type) {
	case resolve.TXT:
		return []string{"content = " + hcl(d.String())}, nil, nil
	case resolve.Addr:
		return []string{"content = " + hcl(d.String()), "proxied = false"}, nil, nil
	case resolve.Host:
		body = []string{"content = " + hcl(d.Name.String())}
		if c.Type == resolve.TypeCNAME {
			body = append(body, "proxied = false")
		}
		return body, nil, nil
	case resolve.MX:
		return []string{fmt.Sprintf("priority = %d", d.Preference), "content = " + hcl(d.Host.String())}, nil, nil
	case resolve.TLSA:
		return nil, []string{fmt.Sprintf("usage = %d", d.Usage), fmt.Sprintf("selector = %d", d.Selector),
			fmt.Sprintf("matching_type = %d", d.Matching), fmt.Sprintf("certificate = %s", hcl(fmt.Sprintf("%x", d.Association)))}, nil
	case resolve.CAA:
		if !utf8.ValidString(d.Value) || strings.ContainsFunc(d.Value, unicode.IsControl) {
			return nil, nil, refuse(c, "the value is not plain text")
		}
		return nil, []string{fmt.Sprintf("flags = %d", d.Flags), "tag = " + hcl(d.Tag), "value = " + hcl(d.Value)}, nil
	}
	return nil, nil, refuse(c, "no resource is known for the type")
}
