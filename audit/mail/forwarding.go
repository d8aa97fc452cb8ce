package mail

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// maxOrigins is the number of hops below the border that are tried as the origin of
// a forwarded mail. Each costs an evaluation of SPF.
const maxOrigins = 3

// forwarding looks for signs that somebody sent the mail on. Most of them stand in
// fields that anybody can write, so they explain a verdict and never change one.
func (f *Facts) forwarding(ctx context.Context) {
	if f.AlignedPass("spf") {
		return // the author's own server handed it over; Exchange Online seals such mail too
	}
	w := &f.Forwarding
	note := func(kind ForwardKind, by, format string, args ...any) {
		if w.Kind == Direct || kind == List {
			w.Kind = kind
		}
		if w.By == "" {
			w.By = by
		}
		w.Evidence = append(w.Evidence, fmt.Sprintf(format, args...))
	}
	f.rewritten(note)
	h := &f.Message.Header
	border := f.Trace.BorderField()
	if _, ok := h.Get("List-Id"); ok && f.Envelope.Domain != f.Author && !f.Author.IsZero() && !f.Envelope.Domain.IsZero() {
		// A newsletter has a List-Id too; only a list that takes posts sends other
		// people's mail on (RFC 2369, Section 3.4).
		if _, posts := h.Get("List-Post"); posts {
			note(List, f.Envelope.Domain.String(), "List-Id and List-Post, and an envelope sender of another domain than the author's")
		}
	}
	for _, name := range []string{"X-Forwarded-To", "X-Forwarded-For", "Resent-From", "X-Forwarding-Service"} {
		if v, ok := h.Get(name); ok {
			note(Forwarded, "", "the field %s (%.60s)", name, v)
		}
	}
	for _, s := range f.ARC.Sets {
		// A receiver seals what it took itself; a set below its Received field is older.
		if s.Seal.Present && border >= 0 && f.sealBelow(s.Instance, border) {
			note(Forwarded, s.Seal.Domain, "an ARC set %d, sealed by %.80s", s.Instance, s.Seal.Domain)
		}
	}
	f.origin(ctx, note)
}

// rewritten looks at the envelope sender for the forms of forwarders.
func (f *Facts) rewritten(note func(ForwardKind, string, string, ...any)) {
	local, _, _ := strings.Cut(f.Envelope.Address, "@")
	upper := strings.ToUpper(local)
	switch {
	case strings.HasPrefix(upper, "SRS0=") || strings.HasPrefix(upper, "SRS1=") || strings.HasPrefix(upper, "SRS0+") || strings.HasPrefix(upper, "SRS0-"):
		note(Forwarded, f.Envelope.Domain.String(), "the envelope sender was rewritten by a forwarder (SRS)")
	case strings.Contains(local, "+caf_="):
		note(Forwarded, f.Envelope.Domain.String(), "the envelope sender is that of a forwarding Gmail account")
	case strings.Contains(local, "+SRS="):
		note(Forwarded, f.Envelope.Domain.String(), "the envelope sender was rewritten by Exchange Online (SRS)")
	}
}

// sealBelow reports whether the seal of a set stands below the border's field.
func (f *Facts) sealBelow(instance, border int) bool {
	for _, s := range f.Claims.ARC {
		if s.Instance == instance {
			return slices.ContainsFunc(s.Fields, func(i int) bool { return i > border })
		}
	}
	return false
}

// origin looks for the hop from which the author's own server sent the mail, if the
// host that handed it over is not that.
func (f *Facts) origin(ctx context.Context, note func(ForwardKind, string, string, ...any)) {
	if !f.SPF.Checked || f.AlignedPass("spf") || f.Trace.Border < 0 || f.Author.IsZero() {
		return
	}
	tried := 0
	for i := f.Trace.Border + 1; i < len(f.Trace.Hops) && tried < maxOrigins; i++ {
		hop := &f.Trace.Hops[i]
		ip := hop.Peer
		if !ip.IsValid() || hop.Claimed || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.Unmap() == f.Client.IP {
			continue
		}
		tried++
		if d := f.permits(ctx, ip, hop.Helo); !d.IsZero() {
			f.Forwarding.Origin = &Origin{Hop: i, IP: ip, Domain: d}
			by := hop.By
			note(Forwarded, by, "%.80s took the mail from %s, which SPF of %s permits, and sent it on", by, ip, d)
			return
		}
	}
}

// permits tells which domain of the mail permits an address: that of the envelope
// sender, if that failed, or the author's.
func (f *Facts) permits(ctx context.Context, ip netip.Addr, helo string) resolve.Name {
	list := []resolve.Name{f.Author}
	if d := f.SPF.Result.Domain; f.SPF.Result.Status != spf.Pass && !d.IsZero() && d != f.Author {
		list = append(list, d)
	}
	for _, d := range list {
		r := spf.Check(ctx, f.memo, spf.Args{IP: ip, Helo: helo, MailFrom: "postmaster@" + d.String()}, spf.Options{Now: func() time.Time { return f.At }})
		// A record that lets everybody pass proves no origin; one that ends in all is such.
		if r.Status == spf.Pass && !strings.HasSuffix(strings.TrimPrefix(r.InnerTerm, "+"), "all") {
			return d
		}
	}
	return resolve.Name{}
}
