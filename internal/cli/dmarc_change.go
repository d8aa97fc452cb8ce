package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// changeView is the document of schema mailcheck.dmarc-change/1: what new, set,
// stage and park want published. Edits and changes are exact data for programs.
type changeView struct {
	Schema   string       `json:"schema"`
	Command  string       `json:"command"`
	Domain   string       `json:"domain"`
	Present  string       `json:"present"` // state of what is there now
	Record   nullable     `json:"record"`  // the DMARC record after the change
	Publish  []publish    `json:"publish"`
	Delete   []string     `json:"delete"` // record sets that go, as "name type"
	Edits    []fix.Edit   `json:"edits"`
	Changes  []fix.Change `json:"changes"`
	Stage    *stageView   `json:"stage"`
	Warnings []string     `json:"warnings"`
	Notes    []string     `json:"notes"`
}

// publish is one record of a change as zone files and control panels take it.
type publish struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	TTL   uint32 `json:"ttl"`
	Value string `json:"value"` // without quotes, in one piece
	Zone  string `json:"zone"`  // the line of a zone file
	New   bool   `json:"new"`   // not there yet in this form
}

type stageView struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	Why    []string `json:"why"`
	Before []string `json:"before"`
}

// present reads record sets and keeps what is known of them.
type present struct {
	ctx     context.Context
	r       resolve.Resolver
	offline bool

	given    map[resolve.Question][]resolve.Record // not asked for
	unknown  []error                               // lookups that failed
	unasked  bool                                  // something was not asked, as the user wished
	aliases  []resolve.Alias
	nxdomain bool // the last lookup gave NXDOMAIN
}

// records asks once. Nothing is what a failed lookup gives too: see unknown.
func (p *present) records(name resolve.Name, t resolve.Type) []resolve.Record {
	q := resolve.Question{Name: name, Type: t}
	if list, found := p.given[q]; found {
		return list
	}
	a, err := p.r.Resolve(p.ctx, q)
	p.nxdomain = errors.Is(err, resolve.ErrNXDomain)
	p.aliases = append(p.aliases, a.Chain...)
	if resolve.StateOf(err) == resolve.Unavailable {
		if p.offline && errors.Is(err, resolve.ErrOffline) {
			p.unasked = true
		} else {
			p.unknown = append(p.unknown, err)
		}
	}
	p.know(name, t, a.Records)
	return a.Records
}

func (p *present) know(name resolve.Name, t resolve.Type, list []resolve.Record) {
	if p.given == nil {
		p.given = map[resolve.Question][]resolve.Record{}
	}
	p.given[resolve.Question{Name: name, Type: t}] = list
}

func (p *present) state(any bool) resolve.State {
	switch {
	case len(p.unknown) > 0 || p.unasked:
		return resolve.Unavailable
	case any:
		return resolve.Present
	}
	return resolve.Absent
}

// dmarcRecords are the DMARC records among the texts.
func dmarcRecords(list []resolve.Record) []string {
	var out []string
	for _, r := range list {
		if t, ok := r.Data.(resolve.TXT); ok && dmarc.Classify(t.Joined()) == dmarc.ClassRecord {
			out = append(out, t.Joined())
		}
	}
	return out
}

// merge turns the edits into changes of record sets.
func (v *changeView) merge(p *present) error {
	changes, err := fix.Merge(v.Edits, func(n resolve.Name, t resolve.Type) ([]resolve.Record, error) { return p.records(n, t), nil })
	if err != nil {
		return &Error{Code: ExitFailed, Err: err, Hint: "run the command again: the records may have changed meanwhile"}
	}
	v.Changes = append([]fix.Change{}, changes...)
	v.Publish, v.Delete = []publish{}, []string{}
	for _, c := range changes {
		if len(c.New) == 0 {
			v.Delete = append(v.Delete, c.Name.String()+" "+c.Type.String())
		}
		zone := c.Zone()
		for i, data := range c.New {
			v.Publish = append(v.Publish, publish{c.Name.String(), c.Type.String(), c.TTL, panelValue(c.Type, data), zone[i], !slices.Contains(c.Old, data)})
		}
	}
	return nil
}

// panelValue is record data as a control panel takes it: a text without quotes
// and in one piece. Octets that need \DDD stay escaped.
func panelValue(t resolve.Type, data string) string {
	if t != resolve.TypeTXT {
		return data
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && i+1 < len(data) && (data[i+1] == '"' || data[i+1] == '\\'):
			i++
			b.WriteByte(data[i])
		case quoted:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// print writes the change in the format asked for, and the warnings.
func (v *changeView) print(s Streams, format string) error {
	for _, list := range []*[]string{&v.Warnings, &v.Notes} {
		if *list == nil {
			*list = []string{}
		}
		for i, w := range *list {
			(*list)[i] = safe.Text(w)
		}
	}
	if v.Edits == nil {
		v.Edits = []fix.Edit{}
	}
	for _, w := range v.Warnings {
		if err := warn(s.Err, w); err != nil {
			return err
		}
	}
	if format == "json" {
		return printJSON(s.Out, v)
	}
	return v.text(s)
}

func warn(w io.Writer, text string) error {
	_, err := fmt.Fprintf(w, "mailcheck: warning: %s\n", safe.Text(text))
	return err
}

func (v *changeView) text(s Streams) error {
	p := newSheet(s)
	if st := v.Stage; st != nil {
		p.para("%s: from %s to %s", v.Domain, st.From, st.To)
		for _, x := range st.Why {
			p.item("%s", x)
		}
		if len(st.Before) > 0 {
			p.head("Before publishing, make sure that")
			for _, x := range st.Before {
				p.item("%s", x)
			}
		}
		p.WriteByte('\n')
	}
	if len(v.Changes) == 0 {
		p.para("Nothing to change.")
		if v.Record != "" {
			p.whole("", string(v.Record))
		}
	}
	for i, c := range v.Changes {
		if i > 0 {
			p.WriteByte('\n')
		}
		v.textChange(p, c)
	}
	for i, n := range v.Notes {
		if i == 0 {
			p.head("Note")
		}
		p.item("%s", n)
	}
	return p.flush(s.Out)
}

func (v *changeView) textChange(p *sheet, c fix.Change) {
	p.para("%s %s %s:", map[fix.Verb]string{fix.Create: "Publish", fix.Update: "Replace", fix.Delete: "Delete"}[c.Verb], c.Type, c.Name)
	for _, old := range c.Old {
		if !slices.Contains(c.New, old) {
			p.whole("; gone: ", fmt.Sprintf("%s IN %s %s", c.Name.FQDN(), c.Type, old))
		}
	}
	if len(c.New) == 0 {
		return
	}
	for _, line := range c.Zone() {
		p.whole("", line)
	}
	for _, x := range v.Publish {
		if x.Name != c.Name.String() || x.Type != c.Type.String() || !x.New {
			continue
		}
		p.WriteString("\nThe same for a control panel:\n")
		p.whole("  name   ", x.Name)
		p.whole("  type   ", x.Type)
		p.whole("  value  ", x.Value)
	}
}
