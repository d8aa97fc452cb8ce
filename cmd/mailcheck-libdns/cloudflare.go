package main

import (
	"context"
	"strings"
	"time"

	"github.com/libdns/cloudflare"
	"github.com/libdns/libdns"
)

var cloudflareProvider = &provider{
	name: "cloudflare", title: "Cloudflare, by libdns/cloudflare v0.2.2",
	env: []variable{
		{names: []string{"CLOUDFLARE_API_TOKEN", "CF_API_TOKEN"}, what: "API token with Zone.DNS:Edit and Zone.Zone:Read; no global API key"},
		{names: []string{"CLOUDFLARE_ZONE_TOKEN"}, what: "a token with Zone.Zone:Read, if the other has not", optional: true},
	},
	notes: []string{
		"A set of one record is changed in one call. Of larger sets, new records are added before old ones go: for moments both are there.",
		"An MX record with preference 0 cannot be written.",
	},
}

func init() { cloudflareProvider.open = openCloudflare }

// cloudflareStore: the package writes a TXT record as it is when it begins with a
// quote, and else with the quotes of Go, which are not those of a master file. It
// strips outer quotes when it reads. SetRecords replaces the one record of a
// name and type, and fails when there are more; DeleteRecords goes by content.
type cloudflareStore struct{ p *cloudflare.Provider }

func openCloudflare(e *environment) (store, error) {
	v, err := e.take(cloudflareProvider)
	if err != nil {
		return nil, err
	}
	return &cloudflareStore{&cloudflare.Provider{APIToken: v[0], ZoneToken: v[1]}}, nil
}

func (s *cloudflareStore) list(ctx context.Context, at place) ([]entry, error) {
	all, err := s.p.GetRecords(ctx, at.zone)
	if err != nil {
		return nil, err
	}
	return listed(all, at, "", fromMaster)
}

func (s *cloudflareStore) replace(ctx context.Context, at place, e edit) error {
	rec := func(data string) (libdns.Record, error) {
		rr := libdns.RR{Name: at.name, TTL: time.Duration(e.ttl) * time.Second, Type: at.typ, Data: data}
		switch at.typ {
		case "TXT":
			return libdns.TXT{Name: rr.Name, TTL: rr.TTL, Text: data}, nil // quoted: it goes as it is
		case "MX":
			if strings.HasPrefix(data, "0 ") {
				// The package leaves a preference of 0 out of the request.
				return nil, fail(refused, "libdns/cloudflare v0.2.2 cannot write an MX record with preference 0: enter it in the dashboard")
			}
		case "TLSA":
			return nil, fail(refused, "libdns/cloudflare v0.2.2 cannot write TLSA records: enter it in the dashboard")
		}
		return rr.Parse()
	}
	var calls []func() error
	var add []libdns.Record
	for _, d := range e.add {
		r, err := rec(d)
		if err != nil {
			return err
		}
		add = append(add, r)
	}
	if len(e.now) == 1 && len(add) == 1 && len(e.del) == 1 {
		_, err := s.p.SetRecords(ctx, at.zone, add)
		return err
	}
	for _, r := range add {
		calls = append(calls, func() error {
			_, err := s.p.AppendRecords(ctx, at.zone, []libdns.Record{r})
			return err
		})
	}
	for _, d := range e.del {
		for _, w := range e.want {
			if _, target, _ := strings.Cut(w, " "); at.typ == "MX" && strings.HasSuffix(d.data, " "+target) {
				// Records are deleted by their target: both would go.
				return fail(refused, "libdns/cloudflare v0.2.2 cannot tell the MX records %s and %s apart: change it in the dashboard", d.data, w)
			}
		}
		r := d.raw.(libdns.Record)
		if t, ok := r.(libdns.TXT); ok {
			t.Text = `"` + t.Text + `"` // as it is stored, or bare: the package tries both
			r = t
		}
		calls = append(calls, func() error {
			gone, err := s.p.DeleteRecords(ctx, at.zone, []libdns.Record{r})
			if err == nil && len(gone) != 1 {
				return fail(refused, "%d records were deleted for %s", len(gone), d.data)
			}
			return err
		})
	}
	return inOrder(calls...)
}
