package mail

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/authres"
	"github.com/mailcheck-go/mailcheck/message/content"
	"github.com/mailcheck-go/mailcheck/message/dsn"
	header "github.com/mailcheck-go/mailcheck/message/facts"
	"github.com/mailcheck-go/mailcheck/message/trace"
	"github.com/mailcheck-go/mailcheck/message/verdict"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// maxAuthors is the number of domains of From that DMARC is asked about. A proper mail
// has one (RFC 9989, Section 5.3.1).
const maxAuthors = 4

// Gather reads a mail and asks DNS what a receiver asks. There is no error: what could
// not be found out is unknown in the facts.
func Gather(ctx context.Context, r resolve.Resolver, m *message.Message, opt Options) *Facts {
	now := opt.Now
	if now == nil {
		now = time.Now
	}
	f := &Facts{Name: opt.Name, At: now(), Resolver: opt.Resolver, Message: m, memo: &memo{ctx: ctx, next: r, calls: map[resolve.Question]*call{}}}
	f.read(opt)
	var wg sync.WaitGroup
	wg.Go(func() { f.checkSPF(ctx) })
	wg.Go(func() { f.verify(ctx) })
	wg.Go(func() { f.mailboxes(ctx) })
	if f.Client.IP.IsValid() && !f.Client.Inside {
		wg.Go(func() { f.PTR = iprev.Check(ctx, f.memo, f.Client.IP, iprev.Options{HELO: f.Client.Helo}) })
	}
	if len(f.Header.Author.Domains) > 0 {
		wg.Go(func() { f.Policy = dmarc.Discover(ctx, f.memo, f.Header.Author.Domains[0], dmarc.Options{}) })
	}
	wg.Wait()
	f.align(ctx)
	f.coverage()
	f.forwarding(ctx)
	f.compare()
	f.Elapsed = now().Sub(f.At)
	return f
}

// read takes from the mail what needs no DNS.
func (f *Facts) read(opt Options) {
	m := f.Message
	h := &m.Header
	f.Cut = slices.ContainsFunc(m.Problems, func(p message.Problem) bool {
		return p.Code == message.Cut && strings.HasPrefix(p.Text, "mail of more than")
	})
	f.Trace = trace.Read(h, trace.Options{Hosts: opt.Hosts, Nets: opt.Nets})
	f.Claims = authres.Read(h, authres.Options{ServIDs: opt.ServIDs, Trace: &f.Trace})
	f.Filters = verdict.Read(h, verdict.Options{Trace: &f.Trace})
	if b := f.Border(); b != nil && !b.Date.After(f.At.Add(trace.MaxSkew)) {
		f.Arrived = b.Date
	}
	f.Header = header.Read(m, f.Arrived)
	f.Content = content.Read(m, content.Options{})
	if r := dsn.Read(m); r.Kind != dsn.None && r.Confidence != dsn.Possible {
		f.Report = r.Kind
	}
	if d := f.Header.Author.Domains; len(d) == 1 && f.Header.Author.Fields == 1 {
		f.Author = d[0]
	}
	f.Bulk = opt.Bulk || f.Header.Bulk || f.Header.FeedbackID != ""

	c := f.Trace.Client
	f.Client = Client{IP: c.IP, Helo: c.Helo, Inside: c.Inside}
	if opt.IP.IsValid() {
		// What the trace says of HELO belongs to the address that stands there.
		if opt.IP.Unmap() != c.IP.Unmap() {
			f.Client.Helo = ""
		}
		f.Client.IP, f.Client.Given, f.Client.Inside = opt.IP.Unmap(), true, false
	}
	if opt.Helo != "" {
		f.Client.Helo, f.Client.Given = opt.Helo, true
	}
	e := f.Trace.MailFrom
	f.Envelope = Envelope{Address: e.Address, Null: e.Null, Source: e.Source, Trusted: e.Trusted}
	if opt.MailFrom != "" {
		given := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(opt.MailFrom), "<"), ">")
		f.Envelope = Envelope{Address: given, Null: given == "", Source: "given", Trusted: true}
	}
	if a, ok := message.ParseAddress(f.Envelope.Address); ok {
		f.Envelope.Domain, _ = a.DomainName() // an address literal has no domain
	}
}

// judged is the time at which signatures are judged.
func (f *Facts) judged() time.Time {
	if f.Arrived.IsZero() {
		return f.At
	}
	return f.Arrived
}

// checkSPF does what the receiver's border host did.
func (f *Facts) checkSPF(ctx context.Context) {
	switch {
	case !f.Client.IP.IsValid():
		f.SPF.Reason = "the address of the client is not known"
		if f.Trace.BorderWhy == trace.WhyNoTrust {
			f.SPF.Reason += ": the topmost Received field is not by a host of the receiver that was named"
		} else if f.Trace.Border < 0 {
			f.SPF.Reason += ": no Received field says who handed the mail over"
		}
		return
	case f.Client.Inside:
		f.SPF.Reason = "the mail was handed in by a program or a user of the same system, not by another mail server"
		return
	case !f.Envelope.Known():
		f.SPF.Reason = "the envelope sender is not known"
		return
	}
	args := spf.Args{IP: f.Client.IP, Helo: f.Client.Helo, MailFrom: f.Envelope.Address}
	f.SPF.Identity = "mailfrom"
	if f.Envelope.Null {
		// RFC 7208, Section 2.4: with the null sender it is postmaster at the name of HELO.
		if f.SPF.Identity = "helo"; f.Client.Helo == "" {
			f.SPF.Reason = "the sender is the null one, and the name that the client gave itself is not known"
			return
		}
	}
	f.SPF.Checked = true
	f.SPF.Result = spf.Check(ctx, f.memo, args, spf.Options{Now: func() time.Time { return f.At }})
}

// errCut stands for the verdict on a mail that is not there in full.
var errCut = errors.New("mail: larger than the limit, so its body is not known in full")

// verify judges the signatures and the chain, at the time when the mail came.
func (f *Facts) verify(ctx context.Context) {
	m := f.Message
	if f.Cut {
		f.VerifyErr = errCut
		return
	}
	data := m.Bytes()[min(m.Header.Start, int64(len(m.Bytes()))):] // without what a mailbox file puts before the header
	at := f.judged()
	opt := dkim.VerifyOptions{Now: func() time.Time { return at }, Explain: true}
	f.DKIM, f.ARC, f.VerifyErr = arc.VerifyMessage(ctx, bytes.NewReader(data), f.memo, opt)
}

// align decides DMARC.
func (f *Facts) align(ctx context.Context) {
	from := f.Header.Author.Domains
	if len(from) == 0 {
		f.DMARC = dmarc.Evaluate(ctx, f.memo, dmarc.Identifiers{}, f.Policy)
		return
	}
	ids := dmarc.Identifiers{From: from[:min(len(from), maxAuthors)]}
	switch {
	case f.SPF.Checked:
		// RFC 9989, Section 5.3.3: the identity of HELO counts only for the null sender.
		ids.SPF = dmarc.Identifier{Domain: f.SPF.Result.Domain, Result: string(f.SPF.Result.Status)}
	case f.Client.Inside:
	default:
		// SPF could pass, for all that is known: DMARC must not fail for want of it.
		d := f.Envelope.Domain
		if d.IsZero() && !f.Envelope.Known() {
			d = from[0]
		}
		ids.SPF = dmarc.Identifier{Domain: d, Result: string(spf.TempError)}
	}
	if f.VerifyErr != nil {
		ids.DKIM = append(ids.DKIM, dmarc.Identifier{Domain: from[0], Result: string(dkim.TempError)})
	}
	for i := range f.DKIM.Signatures {
		s := &f.DKIM.Signatures[i]
		if d, err := resolve.ParseName(s.Domain); err == nil {
			ids.DKIM = append(ids.DKIM, dmarc.Identifier{Domain: d, Result: string(s.Status)})
		}
	}
	f.DMARC = dmarc.Evaluate(ctx, f.memo, ids, f.Policy)
	if f.DMARC.Now.Result != dmarc.ResultTempError {
		return
	}
	switch {
	case f.VerifyErr != nil:
		f.Undecided = "the signatures could not be verified: " + f.VerifyErr.Error()
	case !f.SPF.Checked && f.Policy.Policy.State != resolve.Unavailable:
		f.Undecided = "SPF could decide it, but " + f.SPF.Reason
	}
}

// coverage looks for the signature that RFC 8058 wants.
func (f *Facts) coverage() {
	f.OneClick = Coverage{Signature: -1, Partly: -1}
	for i := range f.DKIM.Signatures {
		s := &f.DKIM.Signatures[i]
		has := func(name string) bool {
			return slices.ContainsFunc(s.SignedHeaders, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
		}
		list, post := has("List-Unsubscribe"), has("List-Unsubscribe-Post")
		switch {
		case list && post && s.Status == dkim.Pass:
			d, _ := resolve.ParseName(s.Domain)
			a := f.Alignment("dkim", d)
			aligned := a != nil && a.State == resolve.Present
			if f.OneClick.Signature < 0 || aligned && !f.OneClick.Aligned {
				f.OneClick.Signature, f.OneClick.Aligned = i, aligned
			}
		case list && post && (s.Status == dkim.TempError || s.Status == dkim.Neutral):
			f.OneClick.Unknown = true
		case (list || post) && s.Status == dkim.Pass:
			f.OneClick.Partly = i
		}
	}
}

// mailboxes asks whether the domains that replies and bounces go to take mail.
func (f *Facts) mailboxes(ctx context.Context) {
	add := func(d resolve.Name, field string) {
		if d.IsZero() {
			return
		}
		if i := slices.IndexFunc(f.Mailboxes, func(b Mailbox) bool { return b.Domain == d }); i >= 0 {
			if !slices.Contains(f.Mailboxes[i].Fields, field) {
				f.Mailboxes[i].Fields = append(f.Mailboxes[i].Fields, field)
			}
			return
		}
		f.Mailboxes = append(f.Mailboxes, Mailbox{Domain: d, Fields: []string{field}})
	}
	for _, d := range f.Header.Author.Domains[:min(len(f.Header.Author.Domains), maxAuthors)] {
		add(d, "From")
	}
	add(f.Envelope.Domain, "MAIL FROM")
	for i, a := range f.Header.ReplyTo.List {
		if i == maxAuthors {
			break
		}
		if d, err := a.DomainName(); err == nil {
			add(d, "Reply-To")
		}
	}
	var wg sync.WaitGroup
	for i := range f.Mailboxes {
		wg.Go(func() { f.Mailboxes[i].look(ctx, f.memo) })
	}
	wg.Wait()
}

// look finds out whether a domain takes mail (RFC 5321, Section 5.1; RFC 7505).
func (b *Mailbox) look(ctx context.Context, r resolve.Resolver) {
	ask := func(t resolve.Type) (resolve.Answer, error) {
		q := resolve.Question{Name: b.Domain, Type: t}
		b.Asked = append(b.Asked, q)
		return r.Resolve(ctx, q)
	}
	a, err := ask(resolve.TypeMX)
	if err == nil {
		b.State, b.How = resolve.Present, "mx"
		if mx := a.MX(); len(mx) == 1 && mx[0].Host.IsRoot() {
			b.State, b.How = resolve.Absent, "null-mx"
		}
		return
	}
	if resolve.StateOf(err) == resolve.Unavailable {
		b.State, b.Err = resolve.Unavailable, err
		return
	}
	if errors.Is(err, resolve.ErrNXDomain) {
		b.State, b.How, b.Err = resolve.Absent, "nxdomain", err
		return
	}
	b.State, b.How = resolve.Absent, "none"
	for _, t := range []resolve.Type{resolve.TypeA, resolve.TypeAAAA} {
		switch _, err := ask(t); resolve.StateOf(err) {
		case resolve.Present:
			b.State, b.How, b.Err = resolve.Present, "address", nil
			return
		case resolve.Unavailable:
			b.State, b.How, b.Err = resolve.Unavailable, "", err
		}
	}
}
