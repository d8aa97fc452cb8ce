package main

import (
	"strings"

	"github.com/libdns/libdns"
)

// listed picks a record set out of all records of a zone. Names without a final
// dot in data are below origin, or absolute if that is empty; txt reads a text.
func listed(all []libdns.Record, at place, origin string, txt func(string) string) ([]entry, error) {
	var out []entry
	for _, r := range all {
		rr := r.RR()
		if !strings.EqualFold(rr.Type, at.typ) || !named(rr.Name, at) {
			continue
		}
		data := rr.Data
		if at.typ == "TXT" || at.typ == "SPF" {
			data = txt(rr.Data)
		}
		c, err := canon(at.typ, data, origin)
		if err != nil {
			return nil, fail(refused, "the provider has a record that is none: %v", err)
		}
		out = append(out, entry{data: c, ttl: uint32(rr.TTL.Seconds()), raw: r})
	}
	return out, nil
}

// named tells whether a name, relative or whole, is that of the set.
func named(name string, at place) bool {
	name = strings.ToLower(name)
	switch whole := strings.TrimSuffix(name, "."); {
	case name == at.name, name == "" && at.name == "@", whole == at.whole():
		return true
	}
	return false
}
