package cli

import (
	"context"
	"errors"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// checkView is the document of schema mailcheck.dmarc-check/1.
type checkView struct {
	Schema               string       `json:"schema"`
	Domain               string       `json:"domain"`
	Exists               string       `json:"exists"`
	CompactDenial        bool         `json:"compact_denial"`
	State                string       `json:"state"`
	PolicyDomain         nullable     `json:"policy_domain"`
	OrganizationalDomain nullable     `json:"organizational_domain"`
	OrganizationalState  string       `json:"organizational_state"`
	OrganizationalWhy    string       `json:"organizational_why"`
	Record               nullable     `json:"record"`
	Policy               nullable     `json:"policy"`
	AppliedTag           nullable     `json:"applied_tag"`
	RequestedTag         nullable     `json:"requested_tag"`
	Testing              bool         `json:"testing"`
	Effective            nullable     `json:"effective_policy"`
	Why                  string       `json:"why"`
	Error                nullable     `json:"error"`
	Walk                 []walkView   `json:"walk"`
	Legacy               legacyView   `json:"rfc7489"`
	Disagreement         []differView `json:"disagreement"` // null if there is none
	DisagreementState    string       `json:"disagreement_state"`
	Problems             []faultView  `json:"problems"`
	Reports              []reportView `json:"reports"` // null if not asked for
}

type walkView struct {
	Name    string      `json:"name"`
	Domain  string      `json:"domain"`
	Outcome string      `json:"outcome"`
	Absence nullable    `json:"absence"`
	Record  nullable    `json:"record"`
	Records []string    `json:"records"` // of several, those that were discarded
	Other   []otherView `json:"other"`
	Alias   []string    `json:"alias"`
	Chosen  bool        `json:"chosen"`
	Stops   bool        `json:"stops"`
	Note    string      `json:"note"`
	Error   nullable    `json:"error"`
	TTL     *uint32     `json:"ttl"`

	zone string // the record in master file form
}

type otherView struct {
	Text  string `json:"text"`
	Class string `json:"class"`
}

type legacyView struct {
	State                string   `json:"state"`
	PolicyDomain         nullable `json:"policy_domain"`
	OrganizationalDomain nullable `json:"organizational_domain"`
	Record               nullable `json:"record"`
	Policy               nullable `json:"policy"`
	AppliedTag           nullable `json:"applied_tag"`
	Pct                  *int     `json:"pct"`
	Effective            nullable `json:"effective_policy"`
	Why                  string   `json:"why"`
	Error                nullable `json:"error"`
}

type differView struct {
	About   string `json:"about"`
	RFC9989 string `json:"rfc9989"`
	RFC7489 string `json:"rfc7489"`
}

type reportView struct {
	Tag        string   `json:"tag"`
	URI        string   `json:"uri"`
	Host       nullable `json:"host"`
	External   string   `json:"external"`
	Authorized string   `json:"authorized"`
	Query      nullable `json:"query"`
	Receives   string   `json:"receives"`
	Problem    nullable `json:"problem"`
	Error      nullable `json:"error"`
}

func viewCheck(d dmarc.Discovery, dest []dmarc.Destination, reports bool) checkView {
	p := d.Policy
	v := checkView{
		Schema: "mailcheck.dmarc-check/1", Domain: d.Domain.String(), Exists: stateWord(d.Exists), CompactDenial: d.CompactDenial,
		State: stateWord(p.State), PolicyDomain: nameOrNull(p.Domain),
		OrganizationalDomain: nameOrNull(d.Organizational.Domain), OrganizationalState: stateWord(d.Organizational.State), OrganizationalWhy: safe.Text(d.Organizational.Why),
		Record: nullable(p.Record.String()), Policy: nullable(p.Value), AppliedTag: nullable(p.Source), RequestedTag: nullable(p.Tag),
		Testing: p.Testing, Effective: nullable(p.Effective), Why: safe.Text(p.Why), Error: errorText(p.Err),
		Walk: []walkView{}, Legacy: viewLegacy(d), DisagreementState: stateWord(disagreement(d)), Problems: viewFaults(p.Record),
	}
	for _, s := range d.Steps {
		v.Walk = append(v.Walk, viewStep(s))
	}
	for _, x := range d.Differences {
		v.Disagreement = append(v.Disagreement, differView{x.About, safe.Text(x.RFC9989), safe.Text(x.RFC7489)})
	}
	if reports {
		v.Reports = []reportView{}
	}
	for _, x := range dest {
		r := reportView{
			Tag: x.Tag, URI: safe.Text(x.URI.Text), Host: nameOrNull(x.Host), External: stateWord(x.External), Authorized: stateWord(x.Authorized),
			Query: nameOrNull(x.Query), Receives: stateWord(x.Receives), Problem: nullable(x.Problem), Error: errorText(x.Err),
		}
		if x.URI.Scheme != "mailto" {
			r.Receives = "not-applicable"
		}
		v.Reports = append(v.Reports, r)
	}
	return v
}

func viewLegacy(d dmarc.Discovery) legacyView {
	a := d.Legacy
	v := legacyView{
		State: stateWord(a.State), PolicyDomain: nameOrNull(a.Domain), OrganizationalDomain: nameOrNull(d.LegacyDomain), Record: nullable(a.Record.String()),
		Policy: nullable(a.Value), AppliedTag: nullable(a.Source), Effective: nullable(a.Effective), Why: safe.Text(a.Why), Error: errorText(a.Err),
	}
	if a.State == resolve.Present {
		v.Pct = &a.Record.Percent
	}
	return v
}

// disagreement is Unavailable when too little is known to say that the
// generations agree.
func disagreement(d dmarc.Discovery) resolve.State {
	switch {
	case len(d.Differences) > 0:
		return resolve.Present
	case d.Policy.State == resolve.Unavailable || d.Legacy.State == resolve.Unavailable || d.Organizational.State == resolve.Unavailable:
		return resolve.Unavailable
	}
	return resolve.Absent
}

func viewStep(s dmarc.Step) walkView {
	v := walkView{
		Name: "_dmarc." + s.Domain.String(), Domain: s.Domain.String(), Outcome: outcome(s), Absence: absence(s.Err), Record: nullable(s.Record.String()),
		Records: []string{}, Other: []otherView{}, Alias: []string{}, Chosen: s.Chosen, Stops: s.Stops, Note: safe.Text(s.Note), Error: errorText(s.Err),
	}
	if !s.Usable {
		v.Record = ""
	}
	for _, t := range s.Several {
		v.Records = append(v.Records, safe.Text(t))
	}
	for _, m := range s.Misses {
		v.Other = append(v.Other, otherView{safe.Text(m.Text), string(m.Class)})
	}
	for _, a := range s.Answer.Chain {
		v.Alias = append(v.Alias, a.Target.String())
	}
	for _, rec := range s.Answer.Records {
		if t, ok := rec.Data.(resolve.TXT); ok && s.Usable && t.Joined() == s.Record.String() {
			v.TTL, v.zone = &rec.TTL, rec.String()
			break
		}
	}
	return v
}

// outcome is what was at the name of a step, in one word.
func outcome(s dmarc.Step) string {
	switch {
	case s.Name.IsZero():
		return "too-long"
	case s.State == resolve.Unavailable:
		return "unknown"
	case s.Usable:
		return "record"
	case s.Several != nil:
		return "several"
	case s.State == resolve.Absent:
		return "absent"
	}
	return "other"
}

// absence tells how the name server said that there is nothing.
func absence(err error) nullable {
	switch {
	case errors.Is(err, resolve.ErrNXDomain):
		return "nxdomain"
	case errors.Is(err, resolve.ErrNoData):
		return "nodata"
	}
	return ""
}

func errorText(err error) nullable {
	if err == nil {
		return ""
	}
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, resolve.ErrTimeout) {
		return "the time for this command is over"
	}
	return nullable(err.Error())
}
