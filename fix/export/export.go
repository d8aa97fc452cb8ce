package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Reasons why nothing is written.
var (
	ErrFormat = errors.New("export: no such format")
	ErrZone   = errors.New("export: not in the zone")
	ErrForm   = errors.New("export: the format cannot hold the record")
	ErrChange = errors.New("export: not a usable change")
)

// Format is a form to write changes in.
type Format struct {
	ID    string // "bind"
	Title string // what takes it
	// Final tells that the form holds the end of all changes and not the way there:
	// of several changes to one record set only the last shows.
	Final bool
	write func(*printer, []change) error
}

// Options of [Write].
type Options struct {
	// Zone is the zone that the names are in: its apex. Forms with relative names
	// need it.
	Zone resolve.Name
	// Server is the primary for nsupdate, "192.0.2.53" or "192.0.2.53:5353"; empty:
	// nsupdate asks the zone's SOA.
	Server string
}

var formats = []Format{
	{"bind", "zone file fragment: BIND, NSD, Knot DNS, PowerDNS", true, bind},
	{"nsupdate", "script for nsupdate or knsupdate, with prerequisites (RFC 2136)", false, nsupdate},
	{"dnscontrol", "DNSControl, dnsconfig.js", true, dnscontrol},
	{"octodns", "octoDNS, YAML of the zone", true, octodns},
	{"terraform-cloudflare", "Terraform or OpenTofu, cloudflare_dns_record", true, terraformCloudflare},
	{"terraform-route53", "Terraform or OpenTofu, aws_route53_record", true, terraformRoute53},
	{"route53", "Amazon Route 53, change batch of the command line or API", true, route53},
	{"cloudflare", "Cloudflare, file for the import of records", true, cloudflare},
	{"powerdns", "PowerDNS, body of PATCH /zones/ZONE", true, powerdns},
	{"desec", "deSEC, body of PATCH /domains/ZONE/rrsets/", true, desec},
	{"panel", "text to copy into a hosting panel", true, panel},
	{"csv", "CSV for tools of one's own", true, table},
}

// Formats lists the formats.
func Formats() []Format { return slices.Clone(formats) }

// change is a change with its records read.
type change struct {
	fix.Change
	old, now []resolve.Record
}

// Write writes the changes, in order, in the form with the ID. Nothing is
// written if one of them cannot be. A format that is Final gets one change for
// each record set: from what there was before the first to what the last leaves.
func Write(w io.Writer, format string, changes []fix.Change, opt Options) error {
	i := slices.IndexFunc(formats, func(f Format) bool { return f.ID == format })
	if i < 0 {
		return fmt.Errorf("%w: %.40q", ErrFormat, format)
	}
	f := formats[i]
	if f.Final {
		var err error
		if changes, err = fold(changes); err != nil {
			return err
		}
	}
	list := make([]change, 0, len(changes))
	for _, c := range changes {
		x := change{Change: c}
		var err error
		if x.old, err = c.OldRecords(); err == nil {
			x.now, err = c.NewRecords()
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrChange, err)
		}
		if !opt.Zone.IsZero() && !c.Name.Within(opt.Zone) {
			return fmt.Errorf("%w: %s is not in %s", ErrZone, c.Name, opt.Zone)
		}
		list = append(list, x)
	}
	p := &printer{opt: opt}
	if err := f.write(p, list); err != nil {
		return err
	}
	_, err := w.Write(p.Bytes())
	return err
}

// fold merges the changes to one record set.
func fold(changes []fix.Change) ([]fix.Change, error) {
	var out []fix.Change
	for _, c := range changes {
		i := slices.IndexFunc(out, func(o fix.Change) bool { return o.Name == c.Name && o.Type == c.Type })
		if i < 0 {
			out = append(out, c)
			continue
		}
		was, err := out[i].NewRecords()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrChange, err)
		}
		old, err := c.OldRecords()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrChange, err)
		}
		if !fix.SameRecords(was, old) {
			return nil, fmt.Errorf("%w: two changes of %s %s do not follow on each other", ErrChange, c.Name, c.Type)
		}
		out[i].New, out[i].TTL = c.New, c.TTL
		out[i].Why = slices.Concat(out[i].Why, c.Why)
	}
	out = slices.DeleteFunc(out, func(c fix.Change) bool { return len(c.Old) == 0 && len(c.New) == 0 })
	for i := range out {
		out[i].Verb = fix.Update
		switch {
		case len(out[i].Old) == 0:
			out[i].Verb = fix.Create
		case len(out[i].New) == 0:
			out[i].Verb = fix.Delete
		}
	}
	return out, nil
}

// printer collects the output.
type printer struct {
	bytes.Buffer
	opt Options
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p, format, args...)
	p.WriteByte('\n')
}

// comment writes one line of a person's words. They may be foreign, and must not
// end the comment.
func (p *printer) comment(mark, format string, args ...any) {
	p.WriteString(mark + " " + strings.ReplaceAll(safe.Text(fmt.Sprintf(format, args...)), "*/", "* /") + "\n")
}

// about says what a change is and why, in comments.
func (p *printer) about(mark string, c change) {
	p.comment(mark, "%s %s: %s", c.Name.FQDN(), c.Type, map[fix.Verb]string{
		fix.Create: "new", fix.Update: "in place of all records of this name and type", fix.Delete: "delete",
	}[c.Verb])
	for _, w := range c.Why {
		p.comment(mark, "  %s", w)
	}
}

// gone are the records that a change takes away.
func (c change) gone() []resolve.Record {
	return slices.DeleteFunc(slices.Clone(c.old), func(r resolve.Record) bool {
		return contains(c.now, r)
	})
}

// contains tells whether the record is one of a set.
func contains(set []resolve.Record, r resolve.Record) bool {
	return slices.ContainsFunc(set, func(o resolve.Record) bool {
		return fix.SameRecords([]resolve.Record{o}, []resolve.Record{r})
	})
}

// zone is the zone, which the format needs.
func (p *printer) zone() (resolve.Name, error) {
	if p.opt.Zone.IsZero() {
		return p.opt.Zone, fmt.Errorf("%w: the format has relative names, and no zone is given", ErrZone)
	}
	return p.opt.Zone, nil
}

// relative is the name without the zone, empty for its apex.
func relative(n, zone resolve.Name) string {
	if n == zone {
		return ""
	}
	if zone.IsRoot() {
		return n.String()
	}
	return strings.TrimSuffix(n.String(), "."+zone.String())
}

// at is the relative name with "@" for the apex.
func at(n, zone resolve.Name) string {
	if r := relative(n, zone); r != "" {
		return r
	}
	return "@"
}

func refuse(c change, format string, args ...any) error {
	return fmt.Errorf("%w: %s %s: %s", ErrForm, c.Name, c.Type, fmt.Sprintf(format, args...))
}
