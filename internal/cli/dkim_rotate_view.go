package cli

import (
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// rotationView is the document of schema mailcheck.dkim-rotate/1.
type rotationView struct {
	Schema   string           `json:"schema"`
	Domain   string           `json:"domain"`
	State    string           `json:"state_file"`
	Phase    string           `json:"phase"`
	Moved    bool             `json:"moved"`
	Old      sideView         `json:"old"`
	New      sideView         `json:"new"`
	Action   string           `json:"action"`
	Do       string           `json:"do"`
	Due      nullable         `json:"due"`
	Name     nullable         `json:"name"`    // of the record that the action is about
	Publish  *formsView       `json:"publish"` // null unless a record is to be published
	Ready    bool             `json:"ready"`
	Unknown  bool             `json:"unknown"`
	Blocked  []string         `json:"blocked"`
	Servers  []serverSaidView `json:"servers"`
	Events   []eventView      `json:"events"`
	Warnings []string         `json:"warnings"`
	Setup    *guideView       `json:"setup"` // null unless the signer is to be switched
	Plan     nullable         `json:"plan"`  // the file that it was saved to
}

type sideView struct {
	Selector string   `json:"selector"`
	SHA256   string   `json:"sha256"`
	KeyFile  nullable `json:"key_file"`
}

type serverSaidView struct {
	Server string   `json:"server"`
	Name   string   `json:"name"`
	State  string   `json:"state"`
	Holds  string   `json:"holds"`
	Error  nullable `json:"error"`
}

type eventView struct {
	At   string `json:"at"`
	Text string `json:"text"`
}

func viewRotation(x *rotating, st rotate.Status, moved bool, server string) rotationView {
	r := x.state
	v := rotationView{
		Schema: "mailcheck.dkim-rotate/1", Domain: r.Domain.String(), State: safe.Text(x.path), Phase: string(r.Phase), Moved: moved,
		Old:    sideView{r.Old.Selector, r.Old.SHA256, nullable(r.Old.KeyFile)},
		New:    sideView{r.New.Selector, r.New.SHA256, nullable(r.New.KeyFile)},
		Action: string(st.Action), Do: st.Do, Name: nameOrNull(st.Name), Ready: st.Ready, Unknown: st.Unknown,
		Blocked: []string{}, Servers: []serverSaidView{}, Events: []eventView{}, Warnings: []string{},
	}
	if !st.Due.IsZero() {
		v.Due = nullable(st.Due.Format(time.RFC3339))
	}
	if st.Value != "" {
		rec, _ := dkim.ParseRecord(st.Value)
		f := viewForms(setup.FormsOf(st.Name, resolve.Name{}, rec))
		v.Publish = &f
	}
	for _, b := range st.Blocked {
		v.Blocked = append(v.Blocked, safe.Text(b))
	}
	for _, side := range []struct {
		selector string
		seen     []rotate.Seen
	}{{r.New.Selector, st.New}, {r.Old.Selector, st.Old}} {
		name, err := dkim.KeyName(r.Domain, side.selector)
		if err != nil {
			continue
		}
		for _, s := range side.seen {
			v.Servers = append(v.Servers, serverSaidView{safe.Text(s.Server), name.String(), stateWord(s.State), r.Words(s), errorText(s.Err)})
		}
	}
	for _, e := range r.Events {
		v.Events = append(v.Events, eventView{e.At.Format(time.RFC3339), safe.Text(e.Text)})
	}
	if server != "" && st.Action == rotate.DoSwitch {
		rec, _ := dkim.ParseRecord(r.New.Record)
		g, err := setup.Make(server, r.Domain, setup.Key{Selector: r.New.Selector, Type: rec.Key.Type, File: r.New.KeyFile})
		if err != nil {
			v.Warnings = append(v.Warnings, safe.Text(err.Error()))
		} else {
			gv := viewGuide(g)
			v.Setup = &gv
		}
	}
	return v
}

func (v rotationView) print(s Streams, format string) error {
	if format == "json" {
		return printJSON(s.Out, v)
	}
	p := newSheet(s)
	p.field("Rotation", "%s: selector %s to %s", v.Domain, v.Old.Selector, v.New.Selector)
	p.field("Phase", "%s", v.Phase)
	if v.Due != "" && v.Action == string(rotate.DoWait) {
		p.field("Not before", "%s", v.Due)
	}
	p.field("Next", "%s", v.Do)
	if v.New.KeyFile != "" && v.Action == string(rotate.DoSwitch) {
		p.field("Key", "%s", v.New.KeyFile)
	}
	if v.Publish != nil {
		p.WriteByte('\n')
		p.publish(*v.Publish)
	} else if v.Name != "" {
		p.field("Record", "%s", v.Name)
	}
	if v.Setup != nil {
		p.WriteByte('\n')
		v.Setup.write(p)
	}
	if len(v.Blocked) > 0 {
		p.head("Waiting, because")
		for _, b := range v.Blocked {
			p.item("%s", b)
		}
	}
	for _, w := range v.Warnings {
		p.WriteByte('\n')
		p.para("Warning: %s.", w)
	}
	if v.Plan != "" {
		p.WriteByte('\n')
		p.field("Plan", "%s: mailcheck fix show %s", v.Plan, v.Plan)
	}
	if len(v.Events) > 0 {
		p.head("So far")
		for _, e := range v.Events {
			p.item("%s %s", e.At, e.Text)
		}
	}
	if next := v.next(); next != "" {
		p.head("Then")
		p.whole("  ", next)
	}
	return p.flush(s.Out)
}

// advanceCommand takes a rotation to its next phase.
func advanceCommand(domain, state string) string {
	cmd := "mailcheck dkim rotate advance " + domain
	if state != domain+rotationSuffix {
		cmd += " --state " + state
	}
	return cmd
}

// next is the command to type when the action is done.
func (v rotationView) next() string {
	cmd := advanceCommand(v.Domain, v.State)
	switch rotate.Action(v.Action) {
	case rotate.DoSwitch:
		return cmd + " --switched"
	case rotate.DoProve:
		return cmd + " --message FILE"
	case rotate.DoNothing:
		return ""
	case rotate.DoDelete:
		if v.Phase == string(rotate.Aborted) {
			return ""
		}
	}
	return cmd
}
