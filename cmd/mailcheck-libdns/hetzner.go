package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

var hetznerProvider = &provider{
	name: "hetzner", title: "Hetzner Console, by its API",
	env:   []variable{{names: []string{"HETZNER_API_TOKEN", "HCLOUD_TOKEN"}, what: "API token with read and write of the project that has the zone"}},
	notes: []string{"The least TTL is 60 seconds.", "A set is replaced in one call."},
}

func init() { hetznerProvider.open = openHetzner }

// hetznerStore speaks with the API itself, which has record sets: version 2 of
// libdns/hetzner deletes a set before it makes it again, and loses it if that fails.
type hetznerStore struct{ token string }

func openHetzner(e *environment) (store, error) {
	v, err := e.take(hetznerProvider)
	if err != nil {
		return nil, err
	}
	return &hetznerStore{v[0]}, nil
}

type hetznerValue struct {
	Value string `json:"value"`
}

type hetznerSet struct {
	Name    string         `json:"name,omitempty"`
	Type    string         `json:"type,omitempty"`
	TTL     *int           `json:"ttl,omitempty"`
	Records []hetznerValue `json:"records,omitempty"`
}

func hetznerURL(at place) string { return "https://api.hetzner.cloud/v1/zones/" + at.zone + "/rrsets" }

func (s *hetznerStore) list(ctx context.Context, at place) ([]entry, error) {
	var doc struct {
		Sets []hetznerSet `json:"rrsets"`
	}
	query := url.Values{"name": {at.name}, "type": {at.typ}}
	if err := call(ctx, http.MethodGet, hetznerURL(at)+"?"+query.Encode(), s.token, nil, &doc); err != nil {
		return nil, err
	}
	var out []entry
	for _, set := range doc.Sets {
		if set.Type != at.typ || !named(set.Name, at) {
			continue
		}
		for _, r := range set.Records {
			data := r.Value
			if at.typ == "TXT" {
				data = fromMaster(data)
			}
			c, err := canon(at.typ, data, at.zone)
			if err != nil {
				return nil, fail(refused, "Hetzner has a record that is none: %v", err)
			}
			e := entry{data: c}
			if set.TTL != nil {
				e.ttl = uint32(max(*set.TTL, 0))
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// hetznerTTL is the least TTL of the API.
const hetznerTTL = 60 // seconds

func (s *hetznerStore) replace(ctx context.Context, at place, e edit) error {
	one := fmt.Sprintf("%s/%s/%s", hetznerURL(at), at.name, at.typ)
	if len(e.want) == 0 {
		return call(ctx, http.MethodDelete, one, s.token, nil, nil)
	}
	ttl := int(max(e.ttl, hetznerTTL))
	var values []hetznerValue
	for _, d := range e.want {
		values = append(values, hetznerValue{d})
	}
	if len(e.now) == 0 {
		return call(ctx, http.MethodPost, hetznerURL(at), s.token, hetznerSet{Name: at.name, Type: at.typ, TTL: &ttl, Records: values}, nil)
	}
	calls := []func() error{func() error {
		return call(ctx, http.MethodPost, one+"/actions/set_records", s.token, hetznerSet{Records: values}, nil)
	}}
	if e.now[0].ttl != uint32(ttl) {
		calls = append(calls, func() error {
			return call(ctx, http.MethodPost, one+"/actions/change_ttl", s.token, hetznerSet{TTL: &ttl}, nil)
		})
	}
	return inOrder(calls...)
}
