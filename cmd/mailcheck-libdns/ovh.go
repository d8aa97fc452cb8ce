package main

import (
	"context"
	"strings"
	"time"

	"github.com/libdns/libdns"
	"github.com/libdns/ovh"
)

var ovhProvider = &provider{
	name: "ovh", title: "OVHcloud, by libdns/ovh v1.1.0",
	env: []variable{
		{names: []string{"OVH_ENDPOINT"}, what: "ovh-eu, ovh-ca, ovh-us, …", public: true},
		{names: []string{"OVH_APPLICATION_KEY"}, what: "application key"},
		{names: []string{"OVH_APPLICATION_SECRET"}, what: "application secret"},
		{names: []string{"OVH_CONSUMER_KEY"}, what: "consumer key with GET, POST, PUT and DELETE on /domain/zone/*"},
	},
	notes: []string{"The least TTL is 60 seconds.", "A text with a quote in it is refused: the package takes quotes out.",
		"New records are added before old ones go: for moments both are there."},
}

func init() { ovhProvider.open = openOVH }

// ovhStore: the package's SetRecords replaces a set as it should, and compares the
// data of records as text: those that stay are handed back as they were read.
type ovhStore struct{ p *ovh.Provider }

func openOVH(e *environment) (store, error) {
	v, err := e.take(ovhProvider)
	if err != nil {
		return nil, err
	}
	return &ovhStore{&ovh.Provider{Endpoint: v[0], ApplicationKey: v[1], ApplicationSecret: v[2], ConsumerKey: v[3]}}, nil
}

func (s *ovhStore) list(ctx context.Context, at place) ([]entry, error) {
	all, err := s.p.GetRecords(ctx, at.zone)
	if err != nil {
		return nil, err
	}
	return listed(all, at, at.zone, fromRaw)
}

func (s *ovhStore) replace(ctx context.Context, at place, e edit) error {
	if len(e.want) == 0 {
		var gone []libdns.Record
		for _, d := range e.del {
			gone = append(gone, d.raw.(libdns.Record))
		}
		if _, err := s.p.DeleteRecords(ctx, at.zone, gone); err != nil {
			return &partial{err}
		}
		return nil
	}
	var set []libdns.Record
	for _, n := range e.now {
		stays := true
		for _, d := range e.del {
			stays = stays && d.data != n.data
		}
		if stays {
			set = append(set, n.raw.(libdns.Record))
		}
	}
	for _, d := range e.add {
		data := d
		if at.typ == "TXT" {
			var err error
			if data, err = text(d); err != nil {
				return fail(refused, "%v", err)
			}
			if strings.Contains(data, `"`) {
				return fail(refused, "libdns/ovh takes the quotes out of a text: enter it in the control panel")
			}
		}
		r, err := libdns.RR{Name: at.name, Type: at.typ, TTL: time.Duration(e.ttl) * time.Second, Data: data}.Parse()
		if err != nil {
			return fail(refused, "%v", err)
		}
		set = append(set, r)
	}
	if len(set) == 0 {
		return fail(refused, "nothing would be left of the set")
	}
	_, err := s.p.SetRecords(ctx, at.zone, set)
	if err != nil && !strings.Contains(err.Error(), "atomic error") {
		return &partial{err}
	}
	return err
}
