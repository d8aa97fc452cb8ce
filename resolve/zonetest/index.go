package zonetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// origin is the apex of a zone.
type origin struct {
	name  resolve.Name // the apex, or "*.apex" for below
	below bool         // only the names below the apex are held: a lone wildcard
	soa   *resolve.Record
	file  string
}

// node is a name that exists, if only because a name below it does.
type node struct {
	sets   []rrset
	alias  *resolve.Record // the CNAME
	dname  resolve.Name    // target of the DNAME
	origin *origin         // the zone of the name; nil for none
	cut    resolve.Name    // the delegation at or above it; zero for none
}

type rrset struct {
	typ    resolve.Type
	answer resolve.Answer // ready but for At
}

func (n *node) set(t resolve.Type) *rrset {
	for i := range n.sets {
		if n.sets[i].typ == t {
			return &n.sets[i]
		}
	}
	return nil
}

// index builds the maps from records and decls.
func (z *Zone) index() {
	z.nodes = make(map[resolve.Name]*node, len(z.records))
	z.wild = map[resolve.Name]*node{}
	z.origins = map[resolve.Name]*origin{}
	z.warnings = nil
	z.group()
	z.apexes()
	for _, n := range slices.Collect(maps.Keys(z.nodes)) {
		z.between(n)
	}
	for n, d := range z.nodes {
		_, d.origin = z.originOf(n)
		d.cut = z.cutAbove(n)
		if strings.HasPrefix(n.String(), "*.") {
			z.wild[n.Parent()] = d
		}
	}
	for _, n := range z.nodes {
		n.finish()
	}
	z.checkAliases()
}

// group sorts the records into sets, dropping what must not be there twice.
func (z *Zone) group() {
	type key struct {
		name resolve.Name
		typ  resolve.Type
	}
	at := make(map[key]int, len(z.records)) // index of the set in its node
	seen := map[key]map[string]bool{}
	for _, s := range z.records {
		n := z.nodes[s.Name]
		if n == nil {
			n = &node{}
			z.nodes[s.Name] = n
		}
		k := key{s.Name, s.Type}
		i, ok := at[k]
		if !ok {
			at[k] = len(n.sets)
			a := resolve.Answer{
				Question: resolve.Question{Name: s.Name, Type: s.Type}, Records: []resolve.Record{s.Record},
				Authoritative: true, Server: s.file, Transport: resolve.File,
			}
			n.sets = append(n.sets, rrset{s.Type, a})
			continue
		}
		a := &n.sets[i].answer
		if seen[k] == nil {
			seen[k] = map[string]bool{a.Records[0].Data.String(): true}
		}
		switch data := s.Data.String(); {
		case seen[k][data]:
			// RFC 2181, Section 5: a set has no two equal records. Each file of a
			// collection may repeat the SOA.
			if s.Type != resolve.TypeSOA && s.Type != resolve.TypeNS || s.file == a.Server {
				z.warn(s, "duplicate %s record at %s", s.Type, s.Name)
			}
		case s.Type == resolve.TypeSOA:
			z.warn(s, "two SOA records at %s: the first is used", s.Name)
		case s.Type == resolve.TypeCNAME:
			z.warn(s, "two CNAME records at %s: the first is used", s.Name)
		default:
			seen[k][data] = true
			if s.TTL != a.Records[0].TTL {
				z.warn(s, "%s records at %s differ in TTL", s.Type, s.Name)
			}
			a.Records = append(a.Records, s.Record)
		}
	}
}

func (z *Zone) warn(s source, format string, args ...any) {
	if len(z.warnings)+len(z.early) < maxWarn {
		z.warnings = append(z.warnings, s.place()+": "+fmt.Sprintf(format, args...))
	}
}

// apexes settles the origins: one per name, and none without SOA inside another
// zone, unless that zone delegates it.
func (z *Zone) apexes() {
	for _, d := range z.decls {
		o := &origin{name: d.name, file: d.file}
		apex := d.name
		if strings.HasPrefix(d.name.String(), "*.") {
			apex, o.below = d.name.Parent(), true
		}
		if n := z.nodes[d.name]; n != nil {
			if s := n.set(resolve.TypeSOA); s != nil {
				r := s.answer.Records[0]
				if v, ok := r.Data.(resolve.SOA); ok {
					r.TTL = min(r.TTL, v.Minimum) // RFC 2308, Section 3: the TTL of a negative answer.
				}
				o.soa, o.file = &r, s.answer.Server
			}
		}
		if old := z.origins[apex]; old == nil || old.below && !o.below {
			z.origins[apex] = o
		}
	}
	for apex, o := range z.origins {
		if o.soa == nil && z.inside(apex) {
			delete(z.origins, apex)
		}
	}
	for apex := range z.origins {
		z.exist(apex)
	}
	if z.world {
		z.exist(resolve.Root)
	}
}

func (z *Zone) exist(n resolve.Name) {
	if z.nodes[n] == nil {
		z.nodes[n] = &node{}
	}
}

// inside reports that another origin is above apex with no delegation between.
func (z *Zone) inside(apex resolve.Name) bool {
	for p := apex; !p.IsZero(); p = p.Parent() {
		if p != apex {
			if o := z.origins[p]; o != nil {
				return true
			}
		}
		if n := z.nodes[p]; n != nil && n.set(resolve.TypeNS) != nil && !z.world {
			return false
		}
	}
	return false
}

// between adds the empty non-terminals above a name, as far up as the zone
// speaks for them. RFC 4592, Section 2.2.2: they exist.
func (z *Zone) between(n resolve.Name) {
	for p := n.Parent(); !p.IsZero() && len(z.nodes) < maxNodes; p = p.Parent() {
		if z.nodes[p] != nil {
			return // and so do the names above it, or will
		}
		if _, o := z.originOf(p); o == nil && !z.world {
			return
		}
		z.nodes[p] = &node{}
	}
}

// originOf finds the apex of the deepest zone that a name is in; nil for none.
func (z *Zone) originOf(n resolve.Name) (resolve.Name, *origin) {
	for p := n; !p.IsZero(); p = p.Parent() {
		if o := z.origins[p]; o != nil && !(o.below && p == n) {
			return p, o
		}
	}
	return resolve.Name{}, nil
}

// cutAbove finds the delegation at or above a name, below its apex.
// RFC 1034, Section 4.2.1: NS records below the top of a zone delegate.
func (z *Zone) cutAbove(n resolve.Name) (cut resolve.Name) {
	if z.world {
		return cut
	}
	for p := n; !p.IsZero() && z.origins[p] == nil; p = p.Parent() {
		if d := z.nodes[p]; d != nil && d.set(resolve.TypeNS) != nil {
			cut = p // the topmost one counts
		}
	}
	return cut
}

// finish prepares what lookups need of a name.
func (n *node) finish() {
	for i := range n.sets {
		s := &n.sets[i]
		s.answer.Records = slices.Clip(s.answer.Records)
		r := &s.answer.Records[0]
		switch d := r.Data.(type) {
		case resolve.Host:
			if s.typ == resolve.TypeCNAME {
				n.alias = r
			}
		case resolve.Raw:
			if s.typ == typeDNAME {
				n.dname, _ = resolve.NameFromMaster(d.Text)
			}
		}
	}
}

// checkAliases warns of what stands beside a CNAME. RFC 1034, Section 3.6.2: it
// stands alone; RFC 4035, Section 2.5 excepts the records that sign it.
func (z *Zone) checkAliases() {
	told := map[resolve.Name]bool{}
	for _, s := range z.records {
		if s.Type != resolve.TypeCNAME || told[s.Name] {
			continue
		}
		told[s.Name] = true
		for i := range z.nodes[s.Name].sets {
			switch z.nodes[s.Name].sets[i].typ {
			case resolve.TypeCNAME, resolve.TypeRRSIG, resolve.TypeNSEC:
				continue
			}
			z.warn(s, "CNAME and other data at %s: the CNAME is the answer", s.Name)
			break
		}
	}
}

const typeDNAME resolve.Type = 39
