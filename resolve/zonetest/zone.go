package zonetest

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Zone is a set of records that answers questions. It implements [resolve.Zone].
//
// A Zone does not change but for [Zone.Inject] and is safe for concurrent use.
// Records and aliases in its answers are shared: do not write to them.
type Zone struct {
	file    string
	world   bool
	clock   func() time.Time
	records []source
	decls   []decl
	early   []string // warnings from reading

	nodes    map[resolve.Name]*node
	wild     map[resolve.Name]*node   // wildcards by their parent
	origins  map[resolve.Name]*origin // by apex
	warnings []string

	mu     sync.Mutex // serializes Inject
	faults atomic.Pointer[faultMap]
}

var _ resolve.Zone = (*Zone)(nil)

func newZone(file string, opt Options) *Zone {
	return &Zone{file: file, world: opt.World, clock: opt.Clock}
}

// Origins lists the names the zone speaks for, sorted. See the package comment
// for how they are found.
func (z *Zone) Origins() []resolve.Name {
	var out []resolve.Name
	for _, o := range z.origins {
		out = append(out, o.name)
	}
	slices.SortFunc(out, byName)
	return out
}

// Names lists all owner names, sorted.
func (z *Zone) Names() []resolve.Name {
	var out []resolve.Name
	for n, d := range z.nodes {
		if len(d.sets) > 0 {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, byName)
	return out
}

func byName(a, b resolve.Name) int { return strings.Compare(a.String(), b.String()) }

// Records lists the records that stand at a name, without wildcards or aliases.
// Type 0 means all types.
func (z *Zone) Records(name resolve.Name, typ resolve.Type) []resolve.Record {
	n := z.nodes[name]
	if n == nil {
		return nil
	}
	var out []resolve.Record
	for i := range n.sets {
		if typ == 0 || n.sets[i].typ == typ {
			out = append(out, n.sets[i].answer.Records...)
		}
	}
	return out
}

// Warnings lists what is wrong with the text but does not keep it from being
// read: a CNAME beside other data, two SOA records, a duplicate, a string that
// is too long. At most 1000 are kept.
func (z *Zone) Warnings() []string {
	return slices.Concat(z.early, z.warnings)
}

// String is the zone in master file form, one record a line, in order.
func (z *Zone) String() string {
	var b strings.Builder
	for _, s := range z.records {
		b.WriteString(s.Record.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Merge makes one zone of several. An origin that two of them have is one zone
// with the first SOA, and an origin found without a SOA is part of the zone
// around it. World and Clock are those of the first zone, faults are joined.
func Merge(zones ...*Zone) *Zone {
	if len(zones) == 0 {
		zones = []*Zone{newZone(defaultFile, Options{})}
	}
	first := zones[0]
	m := &Zone{file: first.file, world: first.world, clock: first.clock}
	var faults faultMap
	for _, z := range zones {
		m.records = append(m.records, z.records...)
		m.decls = append(m.decls, z.decls...)
		m.early = append(m.early, z.early...)
		faults = faults.join(z.faults.Load())
	}
	if len(m.early) > maxWarn {
		m.early = m.early[:maxWarn]
	}
	if faults != nil {
		m.faults.Store(&faults)
	}
	m.index()
	return m
}

// Replace returns a zone like z in which name has exactly recs of the type: an
// empty recs removes them. Owner and type of recs are set. A name outside all
// origins becomes one. z itself is unchanged; faults are kept.
func (z *Zone) Replace(name resolve.Name, typ resolve.Type, recs []resolve.Record) *Zone {
	m := &Zone{file: z.file, world: z.world, clock: z.clock, early: z.early, decls: slices.Clip(z.decls)}
	m.faults.Store(z.faults.Load())
	m.records = make([]source, 0, len(z.records)+len(recs))
	at := -1
	for _, s := range z.records {
		if s.Name == name && s.Type == typ {
			if at < 0 {
				at = len(m.records)
			}
			continue
		}
		m.records = append(m.records, s)
	}
	fresh := make([]source, len(recs))
	for i, r := range recs {
		r.Name, r.Type = name, typ
		fresh[i] = source{Record: r, file: z.file}
	}
	if at < 0 {
		at = len(m.records)
	}
	m.records = slices.Insert(m.records, at, fresh...)
	if _, o := z.originOf(name); len(recs) > 0 && (o == nil || typ == resolve.TypeSOA) {
		m.decls = append(m.decls, decl{name: name, file: z.file})
	}
	m.index()
	return m
}
