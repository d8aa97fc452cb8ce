package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// place is a record set: where it is.
type place struct {
	zone string // without a final dot
	name string // relative to the zone, "@" for its apex
	typ  string
}

// whole is the name with its zone, without a final dot.
func (p place) whole() string {
	if p.name == "@" {
		return p.zone
	}
	return p.name + "." + p.zone
}

// entry is a record as the provider has it.
type entry struct {
	data string // canonical
	ttl  uint32
	raw  any // what the provider's file here needs to find it again
}

// store is a provider. Its records are in canonical form.
type store interface {
	// list gives the record set; none is no error.
	list(ctx context.Context, at place) ([]entry, error)
	// replace makes the set, which is now as list gave it, what is wanted.
	replace(ctx context.Context, at place, e edit) error
}

// edit is what replace has to do. Records in neither add nor del stay.
type edit struct {
	now  []entry
	want []string // the whole set; none: it goes
	add  []string
	del  []entry
	ttl  uint32
}

func where(zone, name, typ string) (place, error) {
	zone, name = strings.ToLower(strings.TrimSuffix(zone, ".")), strings.ToLower(strings.TrimSuffix(name, "."))
	at := place{zone: zone, name: "@", typ: strings.ToUpper(typ)}
	for _, s := range []string{zone, name} {
		if s == "" || strings.ContainsFunc(s, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.*", r))
		}) {
			return at, fail(refused, "the name %.80q cannot be carried by the provider's API", s)
		}
	}
	if name != zone {
		rel, ok := strings.CutSuffix(name, "."+zone)
		if !ok {
			return at, fail(refused, "%s is not in the zone %s", name, zone)
		}
		at.name = rel
	}
	switch at.typ {
	case "TXT", "A", "AAAA", "CNAME", "NS", "PTR", "MX", "SRV", "TLSA", "CAA", "SPF":
		return at, nil
	}
	return at, fail(refused, "records of type %.20q are not handled", typ)
}

func get(ctx context.Context, st store, req request) (response, error) {
	at, err := where(req.Zone, req.Name, req.Type)
	if err != nil {
		return response{}, err
	}
	now, err := st.list(ctx, at)
	r := response{Records: []datum{}}
	for _, e := range now {
		r.Records = append(r.Records, datum{TTL: e.ttl, Data: e.data})
	}
	return r, err
}

// work is a change that was looked at.
type work struct {
	at   place
	edit edit
}

// set looks at all sets before it writes the first.
func set(ctx context.Context, st store, req request) error {
	if len(req.Changes) == 0 {
		return fail(refused, "no change in the request")
	}
	var list []work
	for _, c := range req.Changes {
		at, err := where(req.Zone, c.Name, c.Type)
		if err != nil {
			return err
		}
		old, err := canonical(at.typ, c.Old)
		if err != nil {
			return err
		}
		now, err := canonical(at.typ, c.New)
		if err != nil {
			return err
		}
		has, err := st.list(ctx, at)
		if err != nil {
			return err
		}
		switch {
		case same(at.typ, datas(has), now):
			continue // it is done
		case !same(at.typ, datas(has), old):
			return fail(stale, "%s %s holds %s", at.whole(), at.typ, shown(datas(has)))
		}
		list = append(list, work{at, plan(at.typ, has, now, c.TTL)})
	}
	for i, w := range list {
		if err := write(ctx, st, w); err != nil {
			if i > 0 {
				return &partial{fmt.Errorf("%w (%d of %d record sets were written before)", err, i, len(list))}
			}
			return err
		}
	}
	return nil
}

func canonical(typ string, list []string) ([]string, error) {
	var out []string
	for _, d := range list {
		c, err := canon(typ, d, "")
		if err != nil {
			return nil, fail(refused, "%v", err)
		}
		out = append(out, c)
	}
	return out, nil
}

func datas(list []entry) []string {
	var out []string
	for _, e := range list {
		out = append(out, e.data)
	}
	return out
}

func shown(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// plan works out the least that has to be done.
func plan(typ string, has []entry, want []string, ttl uint32) edit {
	e := edit{now: has, want: want, ttl: ttl}
	kept := keys(typ, datas(has))
	for _, d := range want {
		if !slices.Contains(kept, key(typ, d)) {
			e.add = append(e.add, d)
		}
	}
	wanted := keys(typ, want)
	for _, h := range has {
		if !slices.Contains(wanted, key(typ, h.data)) {
			e.del = append(e.del, h)
		}
	}
	return e
}

// looks is how often a set is read after it was written, with a pause between:
// some APIs answer from a copy that is behind.
const looks = 3

var pause = 700 * time.Millisecond // a test has no time

// write replaces one set and reads it again. Whatever a package made of quotes,
// dots or lengths shows here.
func write(ctx context.Context, st store, w work) error {
	if err := st.replace(ctx, w.at, w.edit); err != nil {
		return err
	}
	for i := range looks {
		has, err := st.list(ctx, w.at)
		switch {
		case err == nil && same(w.at.typ, datas(has), w.edit.want):
			return nil
		case i == looks-1 && err != nil:
			return &partial{fmt.Errorf("%s %s was written and cannot be read back: %w", w.at.whole(), w.at.typ, err)}
		case i == looks-1:
			return &partial{fmt.Errorf("%s %s was written, and the provider has stored %s in place of %s", w.at.whole(), w.at.typ, shown(datas(has)), shown(w.edit.want))}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	return nil
}
