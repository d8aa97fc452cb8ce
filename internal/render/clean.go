package render

import (
	"reflect"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// clean returns a copy of the report whose strings are safe to show and whose
// lists are never nil, so that JSON has [] and not null. It is the one place
// where foreign text is made harmless; formats add their own quoting. Names
// need nothing: they are printable by construction.
func clean(r *audit.Report) *audit.Report {
	c := *r
	c.Kind = facts.Kind(safe.Text(string(r.Kind)))
	c.KindReason = texts(r.KindReason)
	c.Resolver = safe.Text(r.Resolver)
	c.Rules = each(r.Rules, func(x *audit.RuleResult) {
		x.ID, x.Slug = id(x.ID), safe.Text(x.Slug)
		x.Outcome = audit.Outcome(safe.Text(string(x.Outcome)))
		x.Reason = safe.Text(x.Reason)
	})
	c.Findings = each(r.Findings, cleanFinding)
	c.Profiles = each(r.Profiles, cleanProfile)
	if r.Mail != nil {
		m := *r.Mail
		cleanValue(reflect.ValueOf(&m).Elem())
		c.Mail = &m
	}
	return &c
}

func cleanFinding(f *audit.Finding) {
	f.Rule, f.Slug = id(f.Rule), safe.Text(f.Slug)
	f.Subject.Term = safe.Text(f.Subject.Term)
	f.Title, f.Message = safe.Text(f.Title), safe.Text(f.Message)
	f.Fingerprint = safe.Text(f.Fingerprint)
	f.Evidence = each(f.Evidence, func(e *audit.Evidence) {
		e.RCode, e.Server, e.Error = safe.Text(e.RCode), safe.Text(e.Server), safe.Text(e.Error)
		e.Transport = resolve.Transport(safe.Text(string(e.Transport)))
		if e.Records != nil {
			e.Records = texts(e.Records)
		}
	})
	f.Refs = each(f.Refs, func(x *audit.Ref) {
		x.Section, x.Title, x.URL = safe.Text(x.Section), safe.Text(x.Title), safe.Text(x.URL)
		x.Level = audit.Level(safe.Text(string(x.Level)))
	})
	if f.Fix != nil {
		// A remedy is our prose and may be written on several lines.
		x := audit.Fix{Text: safe.Text(strings.ReplaceAll(f.Fix.Text, "\n", " "))}
		if f.Fix.Changes != nil {
			x.Changes = each(f.Fix.Changes, cleanChange)
		}
		f.Fix = &x
	}
	if f.Suppressed != nil {
		x := *f.Suppressed
		x.Rule, x.Domain, x.Subject, x.Reason = safe.Text(x.Rule), safe.Text(x.Domain), safe.Text(x.Subject), safe.Text(x.Reason)
		f.Suppressed = &x
	}
}

func cleanChange(c *fix.Change) {
	c.Verb = fix.Verb(safe.Text(string(c.Verb)))
	c.Old, c.New, c.Why = texts(c.Old), texts(c.New), texts(c.Why)
}

func cleanProfile(p *audit.ProfileResult) {
	p.ID, p.Title, p.Reviewed = safe.Text(p.ID), safe.Text(p.Title), safe.Text(p.Reviewed)
	p.Verdict, p.Summary = audit.Verdict(safe.Text(string(p.Verdict))), safe.Text(p.Summary)
	p.Requirements = each(p.Requirements, func(q *audit.RequirementResult) {
		q.ID, q.Text, q.Scope = safe.Text(q.ID), safe.Text(q.Text), safe.Text(q.Scope)
		q.Since, q.Source, q.Effect = safe.Text(q.Since), safe.Text(q.Source), safe.Text(q.Effect)
		q.Verdict, q.Reason = audit.Verdict(safe.Text(string(q.Verdict))), safe.Text(q.Reason)
		q.Rules = each(q.Rules, func(x *audit.ID) { *x = id(*x) })
	})
}

// cleanValue makes every string below a value safe, in copies of its lists and
// pointers. It is for plain data without maps, which a summary of a mail is.
func cleanValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(safe.Text(v.String()))
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len()) // never nil, so that JSON has []
		reflect.Copy(list, v)
		v.Set(list)
		for i := range list.Len() {
			cleanValue(list.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			x := reflect.New(v.Type().Elem())
			x.Elem().Set(v.Elem())
			v.Set(x)
			cleanValue(x.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type() != reflect.TypeFor[time.Time]() {
				cleanValue(v.Field(i))
			}
		}
	}
}

// each copies a list, never to nil, and lets f change the elements of the copy.
func each[T any](list []T, f func(*T)) []T {
	out := make([]T, len(list))
	copy(out, list)
	for i := range out {
		f(&out[i])
	}
	return out
}

func texts(list []string) []string {
	return each(list, func(s *string) { *s = safe.Text(*s) })
}

func id(x audit.ID) audit.ID { return audit.ID(safe.Text(string(x))) }
