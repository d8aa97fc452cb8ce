package planner

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

// goal is the name under which the edits of a person's answer are kept, where
// those of a finding have the rule's ID.
const goal = ""

// valid refuses answers that make no sense, before anything is asked.
func (a Answers) valid() error {
	if a.Park && (len(a.Senders) > 0 || len(a.Keys) > 0 || a.Evidence != nil) {
		return fmt.Errorf("%w: a parked domain has no senders, no keys and no evidence of mail", ErrAnswer)
	}
	if a.ReportTo != "" {
		if _, err := reportURI(a.ReportTo); err != nil {
			return err
		}
	}
	if _, err := spf.Parse("v=spf1 " + strings.Join(a.Senders, " ")); err != nil {
		return fmt.Errorf("%w: senders: %w", ErrAnswer, err)
	}
	return nil
}

// goals merges the edits that the answers ask for. A change that the records do
// not allow is kept as a refusal, one that makes no sense is an error.
func (b *builder) goals(ctx context.Context) error {
	for _, g := range []func(context.Context) error{b.goalPark, b.goalKeys, b.goalSPF, b.goalNarrow, b.goalDMARC, b.goalTLS} {
		if err := g(ctx); err != nil {
			return err
		}
	}
	return nil
}

// wish merges edits and keeps a refusal for the plan's decisions.
func (b *builder) wish(ctx context.Context, what string, edits ...fix.Edit) {
	if len(edits) == 0 {
		return
	}
	if _, err := b.merge(ctx, goal, edits); err != nil {
		b.refuse(what, err.Error())
	}
}

func (b *builder) goalKeys(ctx context.Context) error {
	for _, k := range b.opt.Answers.Keys {
		name, err := b.domain.Below(k.Selector + "._domainkey")
		if err != nil {
			return fmt.Errorf("%w: selector %.70q: %w", ErrAnswer, k.Selector, err)
		}
		there, err := present(ctx, b.opt.Resolver, name, resolve.TypeTXT)
		if err != nil {
			return fmt.Errorf("%w: selector %s: %w", ErrAnswer, k.Selector, err)
		}
		text := k.Record.String()
		for _, r := range there {
			// A second key under a selector breaks both (RFC 6376, Section 3.6.2.2).
			if d, ok := r.Data.(resolve.TXT); !ok || d.Joined() != text {
				return fmt.Errorf("%w: selector %s is taken by another key: choose another selector", ErrAnswer, k.Selector)
			}
		}
		b.wish(ctx, name.String(), fix.Edit{Name: name, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: text,
			Why: "the public key that signatures with selector " + k.Selector + " are verified with"})
	}
	return nil
}

// goalSPF lets the named senders pass.
func (b *builder) goalSPF(ctx context.Context) error {
	a := b.opt.Answers
	if len(a.Senders) == 0 {
		return nil
	}
	want, err := spf.Parse("v=spf1 " + strings.Join(a.Senders, " "))
	if err != nil {
		return fmt.Errorf("%w: senders: %w", ErrAnswer, err)
	}
	s := b.snap.SPF
	if s.State == resolve.Unavailable || len(s.Records) > 1 {
		return nil // the rules say what is wrong
	}
	if s.State == resolve.Absent {
		b.wish(ctx, "spf", fix.Edit{Name: b.domain, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: want.Text + " ~all",
			Why: "the domain has no SPF record; these are its senders"})
		return nil
	}
	rec, err := spf.Parse(s.Records[0])
	if err != nil {
		return nil // a record with faults is repaired first, or is for a person
	}
	if a.Complete {
		next, err := only(rec, want)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		if next != rec.Text {
			b.wish(ctx, "spf", fix.Edit{Name: b.domain, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: rec.Text, Value: next,
				Why: "only the senders that were named may send; no other is, as the answers say"})
		}
		return nil
	}
	var edits []fix.Edit
	for _, t := range want.Terms {
		if has(rec, t) || b.passes(ctx, t) {
			continue
		}
		edits = append(edits, fix.Edit{Name: b.domain, Type: resolve.TypeTXT, Op: fix.SPFInsertTerm, Record: rec.Text, Value: t.Text,
			Why: t.Text + " sends for the domain and does not pass"})
	}
	b.wish(ctx, "spf", edits...)
	return nil
}

// only keeps of a record the wanted mechanisms, its modifiers and its all, and
// adds what is missing.
func only(rec, want spf.Record) (string, error) {
	for i := len(rec.Terms) - 1; i >= 0; i-- {
		if t := rec.Terms[i]; t.IsModifier() || t.Kind == spf.All || has(want, t) {
			continue
		}
		next, err := rec.Remove(i)
		if err != nil {
			return "", err
		}
		rec = next
	}
	for _, t := range want.Terms {
		if !has(rec, t) {
			next, err := rec.Insert(t.Text)
			if err != nil {
				return "", err
			}
			rec = next
		}
	}
	return rec.Text, nil
}

func has(rec spf.Record, t spf.Term) bool {
	return slices.ContainsFunc(rec.Terms, func(o spf.Term) bool {
		return o.Kind == t.Kind && o.Qualifier == t.Qualifier && o.Prefix.Masked() == t.Prefix.Masked() &&
			strings.EqualFold(strings.TrimSuffix(o.Domain, "."), strings.TrimSuffix(t.Domain, ".")) && o.Bits4 == t.Bits4 && o.Bits6 == t.Bits6
	})
}

// passes tells whether a single address passes as the record is.
func (b *builder) passes(ctx context.Context, t spf.Term) bool {
	if !t.Prefix.IsValid() || !t.Prefix.IsSingleIP() {
		return false
	}
	r := spf.Check(ctx, b.opt.Resolver, spf.Args{IP: t.Prefix.Addr(), MailFrom: "postmaster@" + b.domain.String(), Helo: b.domain.String()}, spf.Options{})
	return r.Status == spf.Pass
}

// goalNarrow cuts the record back to the mail that was seen.
func (b *builder) goalNarrow(ctx context.Context) error {
	e := b.opt.Answers.Evidence
	if e == nil {
		return nil
	}
	r, err := fix.Planned(b.opt.Resolver, b.changes())
	if err != nil {
		return err
	}
	p, err := narrow.Propose(ctx, r, b.domain, *e, narrow.Options{})
	switch {
	case errors.Is(err, narrow.ErrNoEvidence), errors.Is(err, narrow.ErrUnknown), errors.Is(err, narrow.ErrRecord), errors.Is(err, narrow.ErrProof):
		b.refuse("narrow", err.Error())
		return nil
	case err != nil:
		return err
	case p.New == p.Old:
		return nil
	case len(p.Thin) > 0:
		b.refuse("narrow", "the evidence does not carry it: "+strings.Join(p.Thin, "; "))
		return nil
	}
	b.wish(ctx, "narrow", fix.Edit{Name: b.domain, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: p.Old, Value: p.New,
		Why: fmt.Sprintf("narrowed to the %d mails that were seen in %d days (sending hosts: %d), all of which still pass", p.Mails, p.Days, p.Hosts)})
	return nil
}

func (b *builder) goalDMARC(ctx context.Context) error {
	to := b.opt.Answers.ReportTo
	if to == "" || b.opt.Answers.Park {
		return nil
	}
	uri, err := reportURI(to)
	if err != nil {
		return err
	}
	name, err := b.domain.Below("_dmarc")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	d := b.snap.DMARC.Policy
	switch {
	case b.noDMARC():
		// RFC 9989, Section 5.1: watch reports before asking for more than none.
		b.wish(ctx, "dmarc", fix.Edit{Name: name, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: "v=DMARC1; p=none; rua=" + uri,
			Why: "first stage: nothing changes for mail, and reports tell who sends in the domain's name"})
	case d.State == resolve.Present && d.Domain == b.domain:
		if t, ok := d.Record.Tag("rua"); !ok {
			b.wish(ctx, "dmarc", fix.Edit{Name: name, Type: resolve.TypeTXT, Op: fix.DMARCSetTag, Record: d.Record.String(), Term: "rua", Value: uri,
				Why: "without reports nobody sees what the policy does"})
		} else if !strings.Contains(strings.ToLower(t.Value), strings.ToLower(uri)) {
			// A report address of somebody else stays: a vendor's is added to, not replaced.
			b.wish(ctx, "dmarc", fix.Edit{Name: name, Type: resolve.TypeTXT, Op: fix.DMARCSetTag, Record: d.Record.String(), Term: "rua",
				Value: strings.TrimSpace(t.Value) + "," + uri, Why: "reports go to your address as well"})
		}
	}
	return b.agreement(ctx, uri)
}

// noDMARC tells whether the domain has no policy of its own or from above. What
// a registry publishes may be unknown, as the audit sees it too.
func (b *builder) noDMARC() bool {
	return b.snap.DMARC.Policy.State == resolve.Absent ||
		slices.ContainsFunc(b.before.Findings, func(f audit.Finding) bool { return f.Rule == "DMARC001" })
}

// agreement adds the step without which reporters send nothing to an address in
// another organization (RFC 9990, Section 4).
func (b *builder) agreement(ctx context.Context, uri string) error {
	r, err := fix.Planned(b.opt.Resolver, b.changes())
	if err != nil {
		return err
	}
	d := dmarc.Discover(ctx, r, b.domain, dmarc.Options{})
	for _, dest := range dmarc.CheckDestinations(ctx, r, d) {
		if dest.Tag != "rua" || dest.Authorized != resolve.Absent || dest.Query.IsZero() || !strings.Contains(strings.ToLower(uri), dest.Host.String()) {
			continue
		}
		b.manual = append(b.manual, fix.Step{
			Title: "let " + dest.Host.String() + " agree to receive the reports", Risk: fix.Low, Reversible: true,
			Why:    []string{"the report address is in another organization, and reporters ask that one first (RFC 9990, Section 4)"},
			Breaks: "without it no report arrives; mail is not touched",
			Manual: []fix.Manual{{Title: "publish in the zone of " + dest.Host.String(), Text: fmt.Sprintf("%s %d IN TXT \"v=DMARC1\"", dest.Query.FQDN(), fix.DefaultTTL)}},
			Check:  fix.Check{Kind: "manual", Expect: "the destination is authorized", Command: "mailcheck dmarc check " + b.domain.String()},
		})
	}
	return nil
}

// goalTLS asks for reports about TLS (RFC 8460, Section 3) where mail is received.
func (b *builder) goalTLS(ctx context.Context) error {
	to := b.opt.Answers.ReportTo
	if to == "" || b.opt.Answers.Park || b.snap.MX.State != resolve.Present || b.snap.MX.Value.NullMX() {
		return nil
	}
	uri, err := reportURI(to)
	if err != nil {
		return err
	}
	name, err := b.domain.Below("_smtp._tls")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	there, err := present(ctx, b.opt.Resolver, name, resolve.TypeTXT)
	if err != nil {
		b.refuse("tlsrpt", err.Error())
		return nil
	}
	for _, r := range there {
		if d, ok := r.Data.(resolve.TXT); ok && strings.HasPrefix(d.Joined(), "v=TLSRPTv1") {
			return nil
		}
	}
	b.wish(ctx, "tlsrpt", fix.Edit{Name: name, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: "v=TLSRPTv1; rua=" + uri,
		Why: "senders report when TLS to the domain's servers fails"})
	return nil
}

// goalPark is for a domain without mail: nobody may send, nothing is received.
func (b *builder) goalPark(ctx context.Context) error {
	if !b.opt.Answers.Park {
		return nil
	}
	if b.snap.MX.State == resolve.Present && !b.snap.MX.Value.NullMX() {
		return fmt.Errorf("%w: %s has MX records, so it receives mail: take them out first if it is to be parked", ErrReceives, b.domain)
	}
	if b.snap.MX.State == resolve.Absent {
		b.wish(ctx, "mx", fix.Edit{Name: b.domain, Type: resolve.TypeMX, Op: fix.AddRecord, Value: "0 .", Why: "the domain receives no mail (RFC 7505)"})
	}
	switch s := b.snap.SPF; {
	case s.State == resolve.Absent:
		b.wish(ctx, "spf", fix.Edit{Name: b.domain, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: "v=spf1 -all", Why: "nobody sends for the domain"})
	case len(s.Records) == 1 && s.Records[0] != "v=spf1 -all":
		b.wish(ctx, "spf", fix.Edit{Name: b.domain, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: s.Records[0], Value: "v=spf1 -all", Why: "nobody sends for the domain"})
	}
	name, err := b.domain.Below("_dmarc")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	switch d := b.snap.DMARC.Policy; {
	case b.noDMARC():
		b.wish(ctx, "dmarc", fix.Edit{Name: name, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: "v=DMARC1; p=reject; sp=reject; np=reject", Why: "mail in the name of a domain that sends none is forged"})
	case d.State == resolve.Present && d.Domain == b.domain:
		var edits []fix.Edit
		for _, e := range d.Record.Park() {
			x := fix.Edit{Name: name, Type: resolve.TypeTXT, Op: fix.DMARCSetTag, Record: d.Record.String(), Term: e.Tag, Value: e.Value, Why: e.Why}
			if e.Value == "" {
				x.Op = fix.DMARCRemoveTag
			}
			edits = append(edits, x)
		}
		b.wish(ctx, "dmarc", edits...)
	}
	return nil
}

func reportURI(to string) (string, error) {
	to = strings.TrimPrefix(strings.TrimSpace(to), "mailto:")
	a, err := mail.ParseAddress(to)
	if err != nil || a.Name != "" || strings.ContainsAny(a.Address, ",!; \"%\r\n") {
		return "", fmt.Errorf("%w: %.80q is no mail address for reports", ErrAnswer, to)
	}
	return "mailto:" + a.Address, nil
}

// sends tells whether the plan is for a domain that sends mail.
func (b *builder) sends() bool {
	return !b.opt.Answers.Park && b.snap.Kind != facts.Parked && b.snap.Kind != facts.Receives
}
