package facts

import (
	"context"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/bimi"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/dnsbl"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Brand is what is known of the domain's logo (BIMI). It is looked for only if
// Options.Fetch is set, as no mail depends on it.
type Brand struct {
	Asked  bool
	Record bimi.Discovery

	Picture      bimi.Fetched // behind l=, if there is one
	PictureAsked bool
	Indicator    bimi.Indicator
	IndicatorErr error // why receivers do not show the picture

	Evidence      bimi.Fetched // behind a=, if there is one
	EvidenceAsked bool
	EvidenceErr   error // why the document is none
	Judgement     bimi.Judgement
}

// brand looks for the logo and reads it; nothing in it is expanded or loaded.
func (g *gatherer) brand(ctx context.Context, opt Options, d dmarc.Discovery) {
	if opt.Fetch == nil {
		return
	}
	b := Brand{Asked: true}
	b.Record = bimi.Lookup(ctx, g.memo, g.snap.Domain, bimi.LookupOptions{OrgDomain: d.Organizational.Domain})
	rec := b.Record.Record
	fetch := bimi.FetchOptions{Dial: opt.Fetch.Dial, Roots: opt.Fetch.Roots, Now: opt.Fetch.Now, Timeout: opt.Fetch.Timeout}
	if b.Record.State == resolve.Present && rec.Location != "" {
		b.Picture, b.PictureAsked = bimi.Fetch(ctx, g.memo, rec.Location, fetch), true
		if b.Picture.State == resolve.Present {
			b.Indicator, b.IndicatorErr = bimi.CheckSVG(b.Picture.Body)
		}
	}
	if b.Record.State == resolve.Present && rec.Evidence != "" {
		fetch.What = bimi.CertificateFile
		b.Evidence, b.EvidenceAsked = bimi.Fetch(ctx, g.memo, rec.Evidence, fetch), true
		if b.Evidence.State == resolve.Present {
			var e bimi.Evidence
			e, b.EvidenceErr = bimi.ParseEvidence(b.Evidence.Body)
			b.Judgement = e.Check(bimi.EvidenceOptions{Domain: b.Record.Found, Selector: b.Record.Selector, Now: g.snap.At, SVG: b.Picture.Body})
		}
	}
	g.lock(func() { g.snap.Brand = b })
}

// Listings is what block lists say of the sending addresses and the domain.
type Listings struct {
	Asked  bool
	Report dnsbl.Report
}

func (g *gatherer) listings(ctx context.Context, opt Options) {
	if opt.BlockLists == nil {
		return
	}
	r := opt.BlockLists(ctx, opt.Addresses, []resolve.Name{g.snap.Domain})
	g.lock(func() { g.snap.Listings = Listings{Asked: true, Report: r} })
}

// BlockListFunc asks block lists, as dnsbl.Check does.
type BlockListFunc func(context.Context, []netip.Addr, []resolve.Name) dnsbl.Report
