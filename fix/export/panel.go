package export

import (
	"encoding/csv"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// panel writes what a person copies into a form, in the variants that panels want.
func panel(p *printer, changes []change) error {
	zone, err := p.zone()
	if err != nil {
		return err
	}
	p.line("Most panels append the zone to a name: enter the short one. If the panel shows")
	p.line("%s.%s afterwards, it wanted the short one too.", "NAME."+zone.String(), zone)
	for i, c := range changes {
		p.line("\n%d. %s %s", i+1, map[fix.Verb]string{
			fix.Create: "Create", fix.Update: "Change", fix.Delete: "Delete",
		}[c.Verb], c.Type)
		p.line("   Name, short:  %s", at(c.Name, zone))
		p.line("   Name, whole:  %s", c.Name)
		for _, r := range c.gone() {
			p.line("   Delete the record")
			p.value(c, r)
		}
		for _, r := range c.now {
			if contains(c.old, r) {
				p.line("   Leave the record")
			} else {
				p.line("   Add the record, TTL %d", c.TTL)
			}
			p.value(c, r)
		}
	}
	return nil
}

// value shows the data: TXT in the three variants, MX in two fields.
func (p *printer) value(c change, r resolve.Record) {
	switch d := r.Data.(type) {
	case resolve.TXT:
		if text := d.Joined(); plain(text) {
			p.line("     Value, one line:  %s", text)
		} else {
			p.line("     Value, one line:  not possible, it has characters that cannot be copied")
		}
		p.line("     Value, quoted:    %s", d)
	case resolve.MX:
		p.line("     Priority:         %d", d.Preference)
		p.line("     Value:            %s", d.Host.FQDN())
	default:
		p.line("     Value:            %s", r.Data)
	}
}

// plain tells whether a text is what it looks like when it is copied.
func plain(s string) bool {
	if s == "" || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return false
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) && r != ' ' {
			return false
		}
	}
	return true
}

// table writes a line for each record: what is added, what stays, what goes.
func table(p *printer, changes []change) error {
	w := csv.NewWriter(p)
	rows := [][]string{{"action", "name", "type", "ttl", "data"}}
	for _, c := range changes {
		row := func(action string, r resolve.Record) {
			rows = append(rows, []string{action, c.Name.FQDN(), c.Type.String(), fmt.Sprint(c.TTL), r.Data.String()})
		}
		for _, r := range c.gone() {
			row("remove", r)
		}
		for _, r := range c.now {
			if contains(c.old, r) {
				row("keep", r)
			} else {
				row("add", r)
			}
		}
	}
	return w.WriteAll(rows)
}
