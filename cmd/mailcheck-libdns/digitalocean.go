package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/digitalocean/godo"
)

var digitalOceanProvider = &provider{
	name: "digitalocean", title: "DigitalOcean, by godo v1.148.0",
	env:   []variable{{names: []string{"DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "DO_AUTH_TOKEN"}, what: "personal access token with the scopes domain:read and domain:update"}},
	notes: []string{"The least TTL is 30 seconds.", "SRV and TLSA records are refused."},
}

func init() { digitalOceanProvider.open = openDigitalOcean }

// digitalOceanStore uses the client of the vendor, which libdns/digitalocean wraps
// too: the wrapper loses the priority of MX records. TXT goes as bare text, targets
// have no final dot when they are read and need one when they are written.
type digitalOceanStore struct{ c *godo.Client }

// bearer signs requests of a client that has no way of its own to do so.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

func openDigitalOcean(e *environment) (store, error) {
	v, err := e.take(digitalOceanProvider)
	if err != nil {
		return nil, err
	}
	return &digitalOceanStore{godo.NewClient(&http.Client{Transport: bearer{v[0]}})}, nil
}

// maxPages ends a listing that never does.
const maxPages = 50

func (s *digitalOceanStore) list(ctx context.Context, at place) ([]entry, error) {
	if at.typ == "SRV" || at.typ == "TLSA" {
		return nil, fail(refused, "%s records at DigitalOcean are not handled: enter it in the control panel", at.typ)
	}
	var out []entry
	opt := &godo.ListOptions{PerPage: 200}
	for range maxPages {
		page, resp, err := s.c.Domains.RecordsByTypeAndName(ctx, at.zone, at.typ, at.whole(), opt)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Type != at.typ || !named(r.Name, at) {
				continue
			}
			data := r.Data
			switch at.typ {
			case "TXT":
				data = fromRaw(data)
			case "MX":
				data = strconv.Itoa(r.Priority) + " " + apex(data, at)
			case "CAA":
				data = strconv.Itoa(r.Flags) + " " + r.Tag + " " + quote([]string{strings.TrimSuffix(data, ".")})
			default:
				data = apex(data, at)
			}
			c, err := canon(at.typ, data, "")
			if err != nil {
				return nil, fail(refused, "DigitalOcean has a record that is none: %v", err)
			}
			out = append(out, entry{data: c, ttl: uint32(max(r.TTL, 0)), raw: r.ID})
		}
		if resp.Links == nil || resp.Links.IsLastPage() {
			return out, nil
		}
		opt.Page = max(opt.Page, 1) + 1
	}
	return nil, fail(refused, "DigitalOcean has more than %d pages of records", maxPages)
}

// apex is a target, which may be "@".
func apex(target string, at place) string {
	if target == "@" {
		return at.zone + "."
	}
	return target
}

// digitalOceanTTL is the least TTL of the API.
const digitalOceanTTL = 30 // seconds

func (s *digitalOceanStore) replace(ctx context.Context, at place, e edit) error {
	var calls []func() error
	for i, d := range e.add {
		r := &godo.DomainRecordEditRequest{Name: at.name, Type: at.typ, TTL: int(max(e.ttl, digitalOceanTTL)), Data: d}
		var err error
		switch at.typ {
		case "TXT":
			r.Data, err = text(d)
		case "MX":
			var preference string
			preference, r.Data, _ = strings.Cut(d, " ")
			r.Priority, err = strconv.Atoi(preference)
		case "CAA":
			f := strings.SplitN(d, " ", 3)
			if r.Flags, err = strconv.Atoi(f[0]); err == nil {
				r.Tag = f[1]
				r.Data, err = text(f[2])
			}
		}
		if err != nil {
			return fail(refused, "%v", err)
		}
		if i < len(e.del) {
			calls = append(calls, func() error {
				_, _, err := s.c.Domains.EditRecord(ctx, at.zone, e.del[i].raw.(int), r)
				return err
			})
			continue
		}
		calls = append(calls, func() error { _, _, err := s.c.Domains.CreateRecord(ctx, at.zone, r); return err })
	}
	for _, d := range e.del[min(len(e.add), len(e.del)):] {
		calls = append(calls, func() error { _, err := s.c.Domains.DeleteRecord(ctx, at.zone, d.raw.(int)); return err })
	}
	return inOrder(calls...)
}
