package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/libdns/gandi"
)

var gandiProvider = &provider{
	name: "gandi", title: "Gandi LiveDNS, by libdns/gandi v1.1.0",
	env:   []variable{{names: []string{"GANDI_PAT", "GANDI_BEARER_TOKEN"}, what: "personal access token that may manage the domain's technical configuration"}},
	notes: []string{"The least TTL is 300 seconds.", "A set is replaced in one call."},
}

func init() { gandiProvider.open = openGandi }

// gandiStore: the package only ever adds values to a set, though the API replaces
// sets as a whole. So it is read through the package, and written with one call.
type gandiStore struct {
	p     *gandi.Provider
	token string
}

func openGandi(e *environment) (store, error) {
	v, err := e.take(gandiProvider)
	if err != nil {
		return nil, err
	}
	return &gandiStore{&gandi.Provider{BearerToken: v[0]}, v[0]}, nil
}

func (s *gandiStore) list(ctx context.Context, at place) ([]entry, error) {
	all, err := s.p.GetRecords(ctx, at.zone)
	if err != nil {
		return nil, err
	}
	return listed(all, at, at.zone, fromMaster)
}

// gandiTTL is the least TTL of the API.
const gandiTTL = 300 // seconds

func (s *gandiStore) replace(ctx context.Context, at place, e edit) error {
	url := fmt.Sprintf("https://api.gandi.net/v5/livedns/domains/%s/records/%s/%s", at.zone, at.name, at.typ)
	if len(e.want) == 0 {
		return call(ctx, http.MethodDelete, url, s.token, nil, nil)
	}
	return call(ctx, http.MethodPut, url, s.token, map[string]any{"rrset_values": e.want, "rrset_ttl": max(e.ttl, gandiTTL)}, nil)
}
