package main

import (
	"context"

	"github.com/libdns/hetzner"
	"github.com/libdns/libdns"
)

var hetznerDNSProvider = &provider{
	name: "hetzner-dns", title: "Hetzner DNS Console (old API), by libdns/hetzner v1.0.0",
	env:   []variable{{names: []string{"HETZNER_DNS_API_TOKEN"}, what: "access token of the DNS Console (dns.hetzner.com)"}},
	notes: []string{"Hetzner has announced the end of this API for May 2026. A zone that was moved to the Hetzner Console is not there: use hetzner."},
}

func init() { hetznerDNSProvider.open = openHetznerDNS }

// hetznerDNSStore: the package's provider finds a record by name and type alone, and
// would change or delete the first of a set. Its client takes IDs.
type hetznerDNSStore struct{ c *hetzner.Client }

func openHetznerDNS(e *environment) (store, error) {
	v, err := e.take(hetznerDNSProvider)
	if err != nil {
		return nil, err
	}
	return &hetznerDNSStore{hetzner.NewClient(v[0])}, nil
}

func (s *hetznerDNSStore) list(ctx context.Context, at place) ([]entry, error) {
	all, err := s.c.GetAllRecords(ctx, at.zone)
	if err != nil {
		return nil, err
	}
	var recs []libdns.Record
	for _, r := range all {
		recs = append(recs, &r)
	}
	return listed(recs, at, at.zone, fromMaster)
}

func (s *hetznerDNSStore) replace(ctx context.Context, at place, e edit) error {
	var calls []func() error
	for i, d := range e.add {
		r := hetzner.Record{Type: at.typ, Name: at.name, Value: d, TTL: int(e.ttl)}
		if i < len(e.del) {
			r.ID = e.del[i].raw.(*hetzner.Record).ID
			calls = append(calls, func() error { _, err := s.c.UpdateRecord(ctx, at.zone, r); return err })
			continue
		}
		calls = append(calls, func() error { _, err := s.c.CreateRecord(ctx, at.zone, r); return err })
	}
	for _, d := range e.del[min(len(e.add), len(e.del)):] {
		calls = append(calls, func() error { return s.c.DeleteRecord(ctx, d.raw.(*hetzner.Record).ID) })
	}
	return inOrder(calls...)
}
