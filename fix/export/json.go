package export

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// document writes a JSON document.
func (p *printer) document(v any) error {
	e := json.NewEncoder(p)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type r53Value struct{ Value string }

type r53Set struct {
	Name            string
	Type            string
	TTL             uint32
	ResourceRecords []r53Value
}

type r53Change struct {
	Action            string
	ResourceRecordSet r53Set
}

// route53Max is the limit of all values of a record set, and of a change batch.
const route53Max = 32000 // characters, Amazon Route 53 Developer Guide, "Quotas"

// route53 writes a change batch, which is carried out as a whole or not at all.
// CREATE and DELETE are refused if the zone has moved on; UPSERT replaces what
// there is, so the other records of the set are in it.
func route53(p *printer, changes []change) error {
	batch := struct {
		Comment string `json:",omitempty"`
		Changes []r53Change
	}{Comment: "mailcheck", Changes: []r53Change{}}
	total := 0
	for _, c := range changes {
		x := r53Change{Action: "UPSERT", ResourceRecordSet: r53Set{Name: octalName(c.Name), Type: c.Type.String(), TTL: c.TTL}}
		records := c.now
		switch c.Verb {
		case fix.Create:
			x.Action = "CREATE"
		case fix.Delete:
			x.Action, records = "DELETE", c.old
		}
		for _, r := range records {
			v := octalData(r.Data)
			total += len(v)
			x.ResourceRecordSet.ResourceRecords = append(x.ResourceRecordSet.ResourceRecords, r53Value{v})
		}
		batch.Changes = append(batch.Changes, x)
	}
	if total > route53Max {
		return fmt.Errorf("%w: the values have %d characters, Route 53 takes %d in one batch; export single steps", ErrForm, total, route53Max)
	}
	return p.document(batch)
}

// octalData is record data as Route 53 writes it: octets outside printable ASCII
// as three octal digits, where a master file has three decimal ones.
func octalData(d resolve.Data) string {
	txt, ok := d.(resolve.TXT)
	if !ok {
		return d.String()
	}
	parts := make([]string, len(txt.Strings))
	for i, s := range txt.Strings {
		parts[i] = octal(s)
	}
	return strings.Join(parts, " ")
}

func octal(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// octalName turns the decimal escapes of a name into octal ones.
func octalName(n resolve.Name) string {
	s := n.FQDN()
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		c := s[i+1]
		if c >= '0' && c <= '9' && i+3 < len(s) {
			fmt.Fprintf(&b, `\%03o`, int(c-'0')*100+int(s[i+2]-'0')*10+int(s[i+3]-'0'))
			i += 3
			continue
		}
		fmt.Fprintf(&b, `\%03o`, c)
		i++
	}
	return b.String()
}

type pdnsRecord struct {
	Content  string `json:"content"`
	Disabled bool   `json:"disabled"`
}

type pdnsSet struct {
	Name       string       `json:"name"`
	Type       string       `json:"type"`
	TTL        uint32       `json:"ttl,omitempty"`
	ChangeType string       `json:"changetype"`
	Records    []pdnsRecord `json:"records"`
}

// powerdns writes the body of a PATCH of a zone: REPLACE is for a whole set.
func powerdns(p *printer, changes []change) error {
	body := struct {
		RRsets []pdnsSet `json:"rrsets"`
	}{RRsets: []pdnsSet{}}
	for _, c := range changes {
		x := pdnsSet{Name: c.Name.FQDN(), Type: c.Type.String(), TTL: c.TTL, ChangeType: "REPLACE", Records: []pdnsRecord{}}
		if c.Verb == fix.Delete {
			x.ChangeType, x.TTL = "DELETE", 0
		}
		for _, r := range c.now {
			x.Records = append(x.Records, pdnsRecord{Content: r.Data.String()})
		}
		body.RRsets = append(body.RRsets, x)
	}
	return p.document(body)
}

type desecSet struct {
	Subname string   `json:"subname"`
	Type    string   `json:"type"`
	TTL     uint32   `json:"ttl"`
	Records []string `json:"records"`
}

// desecTTL is the least TTL that deSEC takes without being asked for less.
const desecTTL = 3600 // seconds, deSEC documentation, "minimum_ttl"

// desec writes the body of a bulk PATCH: all of it is done or nothing, and an
// empty set is deleted.
func desec(p *printer, changes []change) error {
	zone, err := p.zone()
	if err != nil {
		return err
	}
	body := []desecSet{}
	for _, c := range changes {
		x := desecSet{Subname: relative(c.Name, zone), Type: c.Type.String(), TTL: max(c.TTL, desecTTL), Records: []string{}}
		for _, r := range c.now {
			x.Records = append(x.Records, r.Data.String())
		}
		body = append(body, x)
	}
	return p.document(body)
}
