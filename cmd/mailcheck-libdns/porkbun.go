package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/libdns/porkbun"
)

var porkbunProvider = &provider{
	name: "porkbun", title: "Porkbun, by libdns/porkbun v1.1.0",
	env: []variable{
		{names: []string{"PORKBUN_API_KEY"}, what: "API key (pk1_…); API access has to be on for the domain"},
		{names: []string{"PORKBUN_SECRET_API_KEY", "PORKBUN_API_SECRET_KEY"}, what: "secret API key (sk1_…)"},
	},
	notes: []string{"The least TTL is 600 seconds."},
}

func init() { porkbunProvider.open = openPorkbun }

// porkbunStore: the package's provider leaves records out that it does not know,
// MX among them, and changes or deletes all records of a name and type at once.
// Its calls of the API are used with IDs instead.
type porkbunStore struct{ keys porkbun.ApiCredentials }

func openPorkbun(e *environment) (store, error) {
	v, err := e.take(porkbunProvider)
	if err != nil {
		return nil, err
	}
	return &porkbunStore{porkbun.ApiCredentials{Apikey: v[0], Secretapikey: v[1]}}, nil
}

// loose is a number that is sometimes written as a string, and sometimes null.
type loose string

func (l *loose) UnmarshalJSON(b []byte) error {
	if *l = loose(strings.Trim(string(b), `"`)); *l == "null" {
		*l = ""
	}
	return nil
}

type porkbunRecord struct {
	ID      loose  `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Content string `json:"content"`
	TTL     loose  `json:"ttl"`
	Prio    loose  `json:"prio"`
}

type porkbunAnswer struct {
	Status  string          `json:"status"`
	Message string          `json:"message"`
	Records []porkbunRecord `json:"records"`
}

// call posts to the API. The package has no context for it: the transport ends it.
func (s *porkbunStore) call(ctx context.Context, path string, body any) (porkbunAnswer, error) {
	if err := ctx.Err(); err != nil {
		return porkbunAnswer{}, err
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return porkbunAnswer{}, err
	}
	a, err := porkbun.MakeApiRequest[porkbunAnswer](path, io.Reader(bytes.NewReader(raw)), porkbunAnswer{})
	switch {
	case err != nil && strings.Contains(strings.ToLower(err.Error()), "invalid api key"):
		return a, fail(auth, "%.200s", err.Error())
	case err != nil:
		return a, err
	case a.Status != "SUCCESS":
		kind := refused
		if strings.Contains(strings.ToLower(a.Message), "api key") {
			kind = auth
		}
		return a, fail(kind, "Porkbun answers %.40q: %.200q", a.Status, a.Message)
	}
	return a, nil
}

func (s *porkbunStore) list(ctx context.Context, at place) ([]entry, error) {
	path := fmt.Sprintf("/dns/retrieveByNameType/%s/%s", at.zone, at.typ)
	if at.name != "@" {
		path += "/" + at.name
	}
	a, err := s.call(ctx, path, s.keys)
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, r := range a.Records {
		if !strings.EqualFold(r.Type, at.typ) || !named(r.Name, at) {
			continue
		}
		data := r.Content
		switch at.typ {
		case "TXT":
			data = fromRaw(data)
		case "MX", "SRV":
			data = string(r.Prio) + " " + data
		}
		c, err := canon(at.typ, data, "")
		if err != nil {
			return nil, fail(refused, "Porkbun has a record that is none: %v", err)
		}
		ttl, _ := strconv.ParseUint(string(r.TTL), 10, 32)
		out = append(out, entry{data: c, ttl: uint32(ttl), raw: string(r.ID)})
	}
	return out, nil
}

// porkbunTTL is the least TTL of the API.
const porkbunTTL = 600 // seconds

type porkbunEdit struct {
	porkbun.ApiCredentials
	Name    string `json:"name"`
	Type    string `json:"type"`
	Content string `json:"content"`
	TTL     string `json:"ttl"`
	Prio    string `json:"prio,omitempty"`
}

func (s *porkbunStore) replace(ctx context.Context, at place, e edit) error {
	var calls []func() error
	do := func(path string, body any) {
		calls = append(calls, func() error { _, err := s.call(ctx, path, body); return err })
	}
	for i, d := range e.add {
		b := porkbunEdit{ApiCredentials: s.keys, Type: at.typ, Content: d, TTL: strconv.Itoa(int(max(e.ttl, porkbunTTL)))}
		if at.name != "@" {
			b.Name = at.name
		}
		switch at.typ {
		case "TXT":
			t, err := text(d)
			if err != nil {
				return fail(refused, "%v", err)
			}
			b.Content = t
		case "MX", "SRV":
			b.Prio, b.Content, _ = strings.Cut(d, " ")
		}
		if at.typ != "TXT" {
			b.Content = strings.TrimSuffix(b.Content, ".")
		}
		if i < len(e.del) {
			do("/dns/edit/"+at.zone+"/"+e.del[i].raw.(string), b)
		} else {
			do("/dns/create/"+at.zone, b)
		}
	}
	for _, d := range e.del[min(len(e.add), len(e.del)):] {
		do("/dns/delete/"+at.zone+"/"+d.raw.(string), s.keys)
	}
	return inOrder(calls...)
}
