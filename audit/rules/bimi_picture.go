package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var bimiPicture = audit.Rule{
	ID: "BIMI003", Slug: "bimi-picture", Severity: audit.Notice, Needs: facts.Logo, Since: "0.1",
	Title: "Receivers cannot show the BIMI logo",
	Refs:  []audit.Ref{bimiDraft, {Title: "SVG Tiny Portable/Secure (draft)", URL: "https://datatracker.ietf.org/doc/draft-svg-tiny-ps-abrotman/"}},
	Doc: audit.Doc{
		Impact: noLogoShown,
		Remedy: "Serve the picture by HTTPS as image/svg+xml, of at most 32 KiB, with baseProfile=\"tiny-ps\", a title, and neither scripts nor references to other files.",
		Bad:    []audit.Scenario{{Zone: oneHost + "default._bimi.example.org. 3600 IN TXT \"v=BIMI1; l=https://mta-sts.example.org/logo.svg\"\nmta-sts.example.org. 3600 IN A 192.0.2.80\n", Hosts: []string{"192.0.2.25 good"}, Policy: "status 404"}},
		Good:   []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) {
		if noLogo(c) {
			return
		}
		b := &c.Facts.Brand
		switch {
		case !b.PictureAsked:
			c.NotApplicable("the record names no picture")
		case b.Picture.State == resolve.Unavailable:
			c.Unknown("%s", b.Picture.Why)
		case b.Picture.State == resolve.Absent:
			c.Report(bimiSubject(c).WithTerm("l"), "the picture cannot be had: %s", b.Picture.Why)
		case b.IndicatorErr != nil:
			c.Report(bimiSubject(c).WithTerm("l"), "the picture is not one that receivers show: %v", b.IndicatorErr)
		}
	},
}
